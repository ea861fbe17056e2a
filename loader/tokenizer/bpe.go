package tokenizer

import (
	"strconv"
	"unicode/utf8"
)

// bpe is byte-pair encoding.
type bpe struct {
	vocab          *vocabulary
	merges         *merges
	unk            string
	hasUnk         bool
	prefix, suffix string // of characters that continue a word, and of the last one
	fuseUnk        bool
	byteFallback   bool
	ignoreMerges   bool
	noMerges       bool // the dropout is 1

	raw     bool // pieces are bytes, not the characters that byte-level vocabularies use for them
	bytes   [256]int64
	ascii   [128]int64 // ids of ASCII characters, -1 for none
	byteTok [256]int64 // ids of <0x00> …
}

func (m *bpe) kind() string { return "BPE" }
func (m *bpe) size() int    { return m.vocab.count }
func (m *bpe) maxID() int64 { return m.vocab.maxID }

func (m *bpe) lookup(token string) (uint32, bool) { return m.vocab.lookupString(token) }
func (m *bpe) token(id uint32) ([]byte, bool)     { return m.vocab.token(id) }

// finish builds the tables for single characters.
func (m *bpe) finish() {
	m.vocab.finish()
	id := func(token string) int64 {
		if id, ok := m.vocab.lookupString(token); ok {
			return int64(id)
		}
		return -1
	}
	for b := range m.bytes {
		m.bytes[b] = id(string(byteChars[b]))
		m.byteTok[b] = id("<0x" + string(hexDigits[b>>4]) + string(hexDigits[b&15]) + ">")
		if b < len(m.ascii) {
			m.ascii[b] = id(string(rune(b)))
		}
	}
}

const hexDigits = "0123456789ABCDEF"

// plainBytes reports whether every byte has a token and there are no prefixes and
// suffixes, so that pieces may be passed as bytes.
func (m *bpe) plainBytes() bool {
	if m.prefix != "" || m.suffix != "" {
		return false
	}
	for _, id := range m.bytes {
		if id < 0 {
			return false
		}
	}
	return true
}

func (m *bpe) encode(text string, w *scratch) error {
	if m.ignoreMerges {
		if id, ok := m.whole(text, w); ok {
			w.tokens = append(w.tokens, token{id: id, end: int32(len(text))})
			return nil
		}
	}
	s := &w.symbols
	s.reset()
	if len(text) > cap(s.list) {
		s.list = make([]symbol, 0, len(text)+16)
	}
	if m.raw {
		for i := range len(text) {
			s.add(uint32(m.bytes[text[i]]), 1)
		}
	} else if err := m.characters(text, w); err != nil {
		return err
	}
	if !m.noMerges {
		s.merge(m.merges)
	}
	w.tokens = s.appendTo(w.tokens)
	return nil
}

// whole looks up the text as one token.
func (m *bpe) whole(text string, w *scratch) (uint32, bool) {
	if !m.raw {
		return m.vocab.lookupString(text)
	}
	w.bytes = w.bytes[:0]
	for i := range len(text) {
		w.bytes = utf8.AppendRune(w.bytes, byteChars[text[i]])
	}
	return m.vocab.lookup(w.bytes)
}

// characters adds the symbols of each character: its token, the tokens of its bytes, or
// the unknown token, tried in the order of the reference (models/bpe, merge_word).
func (m *bpe) characters(text string, w *scratch) error {
	s := &w.symbols
	unk, unkLen := int64(-1), 0
	flush := func() {
		if unk >= 0 {
			s.add(uint32(unk), unkLen)
			unk = -1
		}
	}
	unkID := int64(-1)
	for i := 0; i < len(text); {
		n := runeLen(text, i)
		id := int64(-1)
		spelled := text[i : i+n]
		if m.prefix != "" || m.suffix != "" {
			spelled, id = m.affixed(spelled, i == 0, i+n == len(text), w)
		} else if n == 1 {
			id = m.ascii[spelled[0]&0x7F]
		} else if found, ok := m.vocab.lookupString(spelled); ok {
			id = int64(found)
		}
		i += n
		if id >= 0 {
			flush()
			s.add(uint32(id), n)
			continue
		}
		if m.byteFallback && m.hasBytes(spelled) {
			for j := range len(spelled) {
				s.add(uint32(m.byteTok[spelled[j]]), 1)
			}
			continue
		}
		if !m.hasUnk {
			continue // the character is dropped
		}
		if unkID < 0 {
			found, ok := m.vocab.lookupString(m.unk)
			if !ok {
				return errUnknownToken(strconv.Quote(m.unk))
			}
			unkID = int64(found)
		}
		if unk >= 0 && m.fuseUnk {
			unkLen += n
			continue
		}
		flush()
		unk, unkLen = unkID, n
	}
	flush()
	return nil
}

// affixed returns a character with the prefix and the suffix that its position in the
// word needs, and the id of that token, -1 where there is none.
func (m *bpe) affixed(char string, first, last bool, w *scratch) (token string, id int64) {
	w.bytes = w.bytes[:0]
	if !first {
		w.bytes = append(w.bytes, m.prefix...)
	}
	w.bytes = append(w.bytes, char...)
	if last {
		w.bytes = append(w.bytes, m.suffix...)
	}
	if found, ok := m.vocab.lookup(w.bytes); ok {
		return string(w.bytes), int64(found)
	}
	return string(w.bytes), -1
}

func (m *bpe) hasBytes(s string) bool {
	for i := range len(s) {
		if m.byteTok[s[i]] < 0 {
			return false
		}
	}
	return true
}

// symbols is a word during merging: a list of symbols, each with the merge of itself and
// the next one.
type symbols struct {
	list []symbol
	heap []candidate
}

type symbol struct {
	id         uint32
	length     int32
	prev, next int32
	rank, into uint32 // the merge of this and the next one; rank none where there is no merge
}

// candidate is a possible merge.
type candidate struct {
	rank uint32
	at   int32
	into uint32
}

func (s *symbols) reset() { s.list = s.list[:0] }

func (s *symbols) add(id uint32, length int) {
	s.list = append(s.list, symbol{id: id, length: int32(length)})
}

// shortWord is the largest number of symbols for which the best merge is found by linear
// search; for more a heap keeps the time at n log n.
const shortWord = 40

// merge applies all merges in the order of their ranks, of equal ranks the leftmost
// first.
func (s *symbols) merge(m *merges) {
	switch n := len(s.list); {
	case n < 2:
	case n <= shortWord:
		s.mergeShort(m)
	default:
		s.mergeLong(m)
	}
}

func (s *symbols) mergeShort(m *merges) {
	l := s.list
	for i := range l[:len(l)-1] {
		l[i].rank, l[i].into = m.find(l[i].id, l[i+1].id)
	}
	l[len(l)-1].rank = none
	for len(l) > 1 {
		best, at := none, 0
		for i := range l {
			if l[i].rank < best {
				best, at = l[i].rank, i
			}
		}
		if best == none {
			break
		}
		l[at].id = l[at].into
		l[at].length += l[at+1].length
		copy(l[at+1:], l[at+2:])
		l = l[:len(l)-1]
		if at+1 < len(l) {
			l[at].rank, l[at].into = m.find(l[at].id, l[at+1].id)
		} else {
			l[at].rank = none
		}
		if at > 0 {
			l[at-1].rank, l[at-1].into = m.find(l[at-1].id, l[at].id)
		}
	}
	s.list = l
}

func (s *symbols) mergeLong(m *merges) {
	l := s.list
	s.heap = s.heap[:0]
	for i := range l {
		l[i].prev, l[i].next = int32(i-1), int32(i+1)
		if i+1 < len(l) {
			if rank, into := m.find(l[i].id, l[i+1].id); rank != none {
				s.push(candidate{rank, int32(i), into})
			}
		}
	}
	l[len(l)-1].next = -1
	for len(s.heap) > 0 {
		top := s.pop()
		cur := &l[top.at]
		if cur.length == 0 || cur.next < 0 {
			continue
		}
		right := &l[cur.next]
		if rank, into := m.find(cur.id, right.id); rank == none || into != top.into {
			continue // an outdated candidate: the pair has changed
		}
		cur.id = top.into
		cur.length += right.length
		right.length = 0
		cur.next = right.next
		if cur.next >= 0 {
			l[cur.next].prev = top.at
			if rank, into := m.find(cur.id, l[cur.next].id); rank != none {
				s.push(candidate{rank, top.at, into})
			}
		}
		if cur.prev >= 0 {
			if rank, into := m.find(l[cur.prev].id, cur.id); rank != none {
				s.push(candidate{rank, cur.prev, into})
			}
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

func (a candidate) before(b candidate) bool {
	return a.rank < b.rank || a.rank == b.rank && a.at < b.at
}

func (s *symbols) push(c candidate) {
	s.heap = append(s.heap, c)
	h := s.heap
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 4
		if !h[i].before(h[up]) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

func (s *symbols) pop() candidate {
	h := s.heap
	top := h[0]
	last := len(h) - 1
	h[0] = h[last]
	h = h[:last]
	s.heap = h
	for i := 0; ; {
		best := i
		for c := 4*i + 1; c <= 4*i+4 && c < len(h); c++ {
			if h[c].before(h[best]) {
				best = c
			}
		}
		if best == i {
			return top
		}
		h[i], h[best] = h[best], h[i]
		i = best
	}
}

func (s *symbols) appendTo(tokens []token) []token {
	at := int32(0)
	for i := range s.list {
		tokens = append(tokens, token{id: s.list[i].id, start: at, end: at + s.list[i].length})
		at += s.list[i].length
	}
	return tokens
}
