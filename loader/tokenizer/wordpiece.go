package tokenizer

import (
	"strconv"
	"unicode/utf8"
)

// wordPiece repeatedly takes the longest token that matches. A word with a part that no
// token matches, or with too many characters, becomes the unknown token as a whole.
type wordPiece struct {
	vocab    *vocabulary
	unk      string
	prefix   string // of tokens that continue a word
	maxChars uint64
	longest  int
}

func (m *wordPiece) kind() string { return "WordPiece" }
func (m *wordPiece) size() int    { return m.vocab.count }
func (m *wordPiece) maxID() int64 { return m.vocab.maxID }

func (m *wordPiece) lookup(token string) (uint32, bool) { return m.vocab.lookupString(token) }
func (m *wordPiece) token(id uint32) ([]byte, bool)     { return m.vocab.token(id) }

func (m *wordPiece) encode(text string, w *scratch) error {
	from := len(w.tokens)
	if uint64(len(text)) > m.maxChars && uint64(utf8.RuneCountInString(text)) > m.maxChars {
		return m.unknown(text, w)
	}
	for at := 0; at < len(text); {
		w.bytes = w.bytes[:0]
		if at > 0 {
			w.bytes = append(w.bytes, m.prefix...)
		}
		lead := len(w.bytes)
		end := min(len(text), at+max(0, m.longest-lead))
		for end > at && end < len(text) && !utf8.RuneStart(text[end]) {
			end--
		}
		w.bytes = append(w.bytes, text[at:end]...)
		for end > at {
			if !w.budget.spend(1 + len(w.bytes)/16) {
				return errBudget("the vocabulary")
			}
			if id, ok := m.vocab.lookup(w.bytes); ok {
				w.tokens = append(w.tokens, token{id: id, start: int32(at), end: int32(end)})
				break
			}
			_, n := utf8.DecodeLastRuneInString(text[at:end])
			end -= n
			w.bytes = w.bytes[:lead+end-at]
		}
		if end == at {
			w.tokens = w.tokens[:from]
			return m.unknown(text, w)
		}
		at = end
	}
	return nil
}

func (m *wordPiece) unknown(text string, w *scratch) error {
	id, ok := m.vocab.lookupString(m.unk)
	if !ok {
		return errUnknownToken(strconv.Quote(m.unk))
	}
	w.tokens = append(w.tokens, token{id: id, end: int32(len(text))})
	return nil
}

// wordLevel has tokens for whole pieces only.
type wordLevel struct {
	vocab *vocabulary
	unk   string
}

func (m *wordLevel) kind() string { return "WordLevel" }
func (m *wordLevel) size() int    { return m.vocab.count }
func (m *wordLevel) maxID() int64 { return m.vocab.maxID }

func (m *wordLevel) lookup(token string) (uint32, bool) { return m.vocab.lookupString(token) }
func (m *wordLevel) token(id uint32) ([]byte, bool)     { return m.vocab.token(id) }

func (m *wordLevel) encode(text string, w *scratch) error {
	id, ok := m.vocab.lookupString(text)
	if !ok {
		if id, ok = m.vocab.lookupString(m.unk); !ok {
			return errUnknownToken(strconv.Quote(m.unk))
		}
	}
	w.tokens = append(w.tokens, token{id: id, end: int32(len(text))})
	return nil
}
