package tokenizer

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// spanBPE is byte-pair encoding without a list of merges: two adjacent symbols merge
// where their concatenation is a token, the token of lowest order first, of equal orders
// the leftmost. SentencePiece orders tokens by score, tiktoken by rank.
type spanBPE struct {
	vocab        *vocabulary // the tokens that merges produce; for tiktoken their bytes
	order        []uint32    // by vocabulary entry
	longest      int
	words        bool     // no merges: each word is a token, or unknown
	fromBytes    bool     // the initial symbols are bytes, not characters
	whole        bool     // a piece that is a token is not merged
	userDefined  *matcher // user-defined tokens, which are not merged
	unkID        int64
	bytes        [256]int64 // tokens of bytes, for byte fallback
	byteFallback bool
	names        map[uint32]string // tokens that no merge produces: unknown, control and byte tokens
	byName       map[string]uint32
}

func (m *spanBPE) kind() string { return "BPE" }
func (m *spanBPE) size() int    { return m.vocab.count + len(m.names) }

func (m *spanBPE) maxID() int64 {
	most := m.vocab.maxID
	for id := range m.names {
		most = max(most, int64(id))
	}
	return most
}

func (m *spanBPE) lookup(token string) (uint32, bool) {
	if id, ok := m.byName[token]; ok {
		return id, true
	}
	return m.vocab.lookupString(token)
}

func (m *spanBPE) token(id uint32) ([]byte, bool) {
	if s, ok := m.names[id]; ok {
		return []byte(s), true
	}
	return m.vocab.token(id)
}

// name adds a token that no merge produces.
func (m *spanBPE) name(id uint32, token string) {
	if m.names == nil {
		m.names, m.byName = make(map[uint32]string), make(map[string]uint32)
	}
	m.names[id] = token
	m.byName[token] = id
}

// orderByScore ranks the entries, the highest score first; equal scores share a rank.
func orderByScore(scores []float32) []uint32 {
	list := make([]uint32, len(scores))
	for i := range list {
		list[i] = uint32(i)
	}
	slices.SortStableFunc(list, func(a, b uint32) int { return cmp.Compare(scores[b], scores[a]) })
	order := make([]uint32, len(scores))
	for i, e := range list {
		order[e] = uint32(i)
		if i > 0 && scores[list[i-1]] == scores[e] {
			order[e] = order[list[i-1]]
		}
	}
	return order
}

func (m *spanBPE) encode(text string, w *scratch) error {
	if m.whole {
		if id, ok := m.vocab.lookupString(text); ok {
			w.tokens = append(w.tokens, token{id: id, end: int32(len(text))})
			return nil
		}
	}
	s := &w.symbols
	s.reset()
	add := func(from, to int) {
		for from < to {
			n := 1
			if !m.fromBytes {
				n = runeLen(text, from)
			}
			s.list = append(s.list, symbol{id: uint32(from), length: int32(n), rank: none})
			from += n
		}
	}
	if m.words {
		m.cutWords(text, s)
		return m.emit(text, w)
	}
	last := 0
	if m.userDefined != nil {
		m.userDefined.each(text, func(from, to int, _ int32) {
			add(last, from)
			s.list = append(s.list, symbol{id: uint32(from), length: int32(to - from), rank: 0}) // rank 0: user-defined
			last = to
		})
	}
	add(last, len(text))
	m.merge(text, s)
	return m.emit(text, w)
}

// cutWords adds a symbol for each word, which begins with the ▁ before it, even where the
// model has ▁ after words (SplitIntoWords of SentencePiece).
func (m *spanBPE) cutWords(text string, s *symbols) {
	for from := 0; from < len(text); {
		to := len(text)
		if i := strings.Index(text[from+1:], spSpace); i >= 0 {
			to = from + 1 + i
		}
		s.list = append(s.list, symbol{id: uint32(from), length: int32(to - from), rank: none})
		from = to
	}
}

// pairOrder returns the order of the token that a and b are together, or none.
func (m *spanBPE) pairOrder(text string, a, b *symbol) uint32 {
	n := int(a.length + b.length)
	if n > m.longest || a.rank == 0 || b.rank == 0 {
		return none
	}
	if e, ok := m.vocab.entryString(text[a.id : int(a.id)+n]); ok {
		return m.order[e]
	}
	return none
}

// merge applies all merges. The id of a symbol is its offset in the text here, and into
// of a candidate is the length of the merged symbol.
func (m *spanBPE) merge(text string, s *symbols) {
	l := s.list
	if len(l) < 2 {
		return
	}
	s.heap = s.heap[:0]
	try := func(i, j int32) {
		if order := m.pairOrder(text, &l[i], &l[j]); order != none {
			s.push(candidate{order, i, uint32(l[i].length + l[j].length)})
		}
	}
	for i := range l {
		l[i].prev, l[i].next = int32(i-1), int32(i+1)
	}
	l[len(l)-1].next = -1
	for i := range int32(len(l) - 1) {
		try(i, i+1)
	}
	for len(s.heap) > 0 {
		top := s.pop()
		cur := &l[top.at]
		if cur.length == 0 || cur.next < 0 || uint32(cur.length+l[cur.next].length) != top.into {
			continue
		}
		right := &l[cur.next]
		cur.length += right.length
		right.length = 0
		cur.next = right.next
		if cur.next >= 0 {
			l[cur.next].prev = top.at
			try(top.at, cur.next)
		}
		if cur.prev >= 0 {
			try(cur.prev, top.at)
		}
	}
	kept := l[:0]
	for i := range l {
		if l[i].length != 0 {
			kept = append(kept, l[i])
		}
	}
	s.list = kept
}

// emit appends the tokens of the symbols. Unknown symbols become byte tokens, or one
// unknown token for a run of them.
func (m *spanBPE) emit(text string, w *scratch) error {
	unknown := false
	for _, s := range w.symbols.list {
		part := text[s.id : int(s.id)+int(s.length)]
		start, end := int32(s.id), int32(s.id)+s.length
		id, ok := m.vocab.lookupString(part)
		if !ok {
			id, ok = m.byName[part]
		}
		switch {
		case ok:
			w.tokens = append(w.tokens, token{id: id, start: start, end: end})
			unknown = false
			continue
		case m.byteFallback && m.hasBytes(part):
			for i := range len(part) {
				w.tokens = append(w.tokens, token{id: uint32(m.bytes[part[i]]), start: start, end: end})
			}
		case m.unkID < 0:
			return errUnknownToken("for " + strconv.Quote(clip(part)))
		case unknown:
			w.tokens[len(w.tokens)-1].end = end
			continue
		default:
			w.tokens = append(w.tokens, token{id: uint32(m.unkID), start: start, end: end, literal: true})
			unknown = true
			continue
		}
		unknown = false
	}
	return nil
}

func (m *spanBPE) hasBytes(s string) bool {
	for i := range len(s) {
		if m.bytes[s[i]] < 0 {
			return false
		}
	}
	return s != "" && (utf8.ValidString(s) || m.fromBytes)
}
