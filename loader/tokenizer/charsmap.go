package tokenizer

import (
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf8"
)

// charsMap is the "precompiled_charsmap" of SentencePiece: a double array (Darts)
// whose keys are UTF-8 and whose values are offsets in a block of zero-terminated
// texts.
type charsMap struct {
	units []uint32
	texts string
}

var errCharsMap = errors.New("the map is shorter than its header says")

// newCharsMap reads the size of the array in bytes, the array, and the texts, all
// little-endian.
func newCharsMap(blob []byte) (*charsMap, error) {
	if len(blob) < 4 {
		return nil, errCharsMap
	}
	size := binary.LittleEndian.Uint32(blob)
	blob = blob[4:]
	if uint64(size) > uint64(len(blob)) {
		return nil, errCharsMap
	}
	m := &charsMap{units: make([]uint32, size/4), texts: string(blob[size/4*4:])}
	for i := range m.units {
		m.units[i] = binary.LittleEndian.Uint32(blob[4*i:])
	}
	if !utf8.ValidString(m.texts) {
		return nil, errors.New("the replacement texts are not UTF-8")
	}
	return m, nil
}

func unitOffset(u uint32) uint32 { return u >> 10 << (u & (1 << 9) >> 6) }

// prefixes calls found with the length and the value of each key that is a prefix of s,
// the shortest first, until found returns false.
func (m *charsMap) prefixes(s string, found func(length int, value uint32) (more bool)) {
	if len(m.units) == 0 {
		return
	}
	pos := unitOffset(m.units[0])
	for i := 0; i < len(s) && s[i] != 0; i++ {
		pos ^= uint32(s[i])
		if int64(pos) >= int64(len(m.units)) {
			return
		}
		u := m.units[pos]
		if u&(1<<31|0xFF) != uint32(s[i]) {
			return
		}
		pos ^= unitOffset(u)
		if u>>8&1 == 1 {
			if int64(pos) >= int64(len(m.units)) || !found(i+1, m.units[pos]&(1<<31-1)) {
				return
			}
		}
	}
}

func (m *charsMap) text(at uint32) (string, bool) {
	if uint64(at) > uint64(len(m.texts)) {
		return "", false
	}
	s := m.texts[at:]
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	return s, utf8.ValidString(s)
}

// replacement returns the replacement of s: that of the shortest key that is a prefix,
// as in the reference (spm_precompiled).
func (m *charsMap) replacement(s string) (text string, ok bool) {
	m.prefixes(s, func(_ int, value uint32) bool {
		text, ok = m.text(value)
		return false
	})
	return text, ok
}

// normalize replaces graphemes that are shorter than 6 bytes and in the map as a whole,
// and others character by character.
func (m *charsMap) normalize(p *piece, track bool, b *budget) error {
	changed := false
	for i := 0; i < len(p.text) && !changed; {
		n := graphemeLen(p.text[i:])
		for part := p.text[i : i+n]; len(part) > 0; {
			_, size := utf8.DecodeRuneInString(part)
			if _, ok := m.replacement(part[:size]); ok {
				changed = true
				break
			}
			if _, ok := m.replacement(part); ok && n < 6 && len(part) == n {
				changed = true
				break
			}
			part = part[size:]
		}
		i += n
	}
	if !changed {
		return nil
	}
	var out replacements
	for i := 0; i < len(p.text); {
		n := graphemeLen(p.text[i:])
		part := p.text[i : i+n]
		i += n
		if n < 6 {
			if text, ok := m.replacement(part); ok {
				out.replace(part, text)
				continue
			}
		}
		for len(part) > 0 {
			r, size := utf8.DecodeRuneInString(part)
			if text, ok := m.replacement(part[:size]); ok {
				out.replace(part[:size], text)
			} else {
				out = append(out, decomposed{r: r})
			}
			part = part[size:]
		}
		if len(out)-len(p.text) > b.room {
			return b.grow(len(out) - len(p.text))
		}
	}
	w := p.rewrite(track)
	for _, d := range out {
		w.emit(d.r, d.change)
	}
	w.done()
	return nil
}

type replacements []decomposed

// replace writes the characters of text in place of those of old. Where text has more,
// the additional ones count as inserted; where it has fewer, the last one written counts
// as replacing the rest of old (see rewriter.emit).
func (t *replacements) replace(old, text string) {
	more := utf8.RuneCountInString(text) - utf8.RuneCountInString(old)
	for _, r := range text {
		*t = append(*t, decomposed{r: r})
	}
	for i := len(*t) - max(more, 0); i < len(*t); i++ {
		(*t)[i].change = 1
	}
	if more < 0 && len(*t) > 0 {
		(*t)[len(*t)-1].change += more
	}
}

// graphemeLen is the length in bytes of the grapheme cluster at the start of s. It is
// exact up to 5 bytes, and longer ones are all the same to the caller: the rules of
// UAX 29 for Hangul, flags and conjuncts, which are left out, only apply to longer ones.
func graphemeLen(s string) int {
	r, n := utf8.DecodeRuneInString(s)
	if n == len(s) || n == 1 && s[1] < 0x80 && r != '\r' {
		return n
	}
	if r == '\r' {
		if s[1] == '\n' {
			return 2
		}
		return 1
	}
	c := sets()
	if c.control.has(c.tables, r) || r < ' ' {
		return n
	}
	pict, prepend := c.sets["grapheme.pict"], c.sets["grapheme.prepend"]
	afterPict, joiner := inRanges(pict, r), false
	for n < len(s) {
		next, size := utf8.DecodeRuneInString(s[n:])
		switch {
		case next >= 0x300 && c.joins.has(c.tables, next):
			joiner = next == 0x200D
		case inRanges(prepend, r) && !c.control.has(c.tables, next) && next >= ' ':
			afterPict = inRanges(pict, next)
			joiner = false
		case joiner && afterPict && inRanges(pict, next):
			joiner = false
		default:
			return n
		}
		r = next
		n += size
	}
	return n
}
