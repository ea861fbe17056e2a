package tokenizer

import (
	"slices"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// unicodeForm is NFC, NFD, NFKC or NFKD. The reference has the tables of Unicode 9:
// characters that got a decomposition or a combining class later are not changed (the
// set "norm.inert").
type unicodeForm struct{ compose, compat bool }

func (f unicodeForm) form() norm.Form {
	switch {
	case f.compose && f.compat:
		return norm.NFKC
	case f.compose:
		return norm.NFC
	case f.compat:
		return norm.NFKD
	}
	return norm.NFD
}

// decomposed is a character of a decomposition: its combining class, the character, and
// how it relates to the original text (see rewriter.emit).
type decomposed struct {
	class  uint8
	r      rune
	change int
}

func (f unicodeForm) normalize(p *piece, track bool, _ *budget) error {
	form := f.form()
	if form.IsNormalString(p.text) && !hasInert(p.text) {
		return nil
	}
	w := p.rewrite(track)
	out := composer{w: &w, on: f.compose}
	var pending []decomposed // characters between two starters, not yet in order
	flush := func() {
		slices.SortStableFunc(pending, func(a, b decomposed) int { return int(a.class) - int(b.class) })
		for _, d := range pending {
			out.add(d)
		}
		pending = pending[:0]
	}
	push := func(r rune, change int) {
		class := combiningClass(r)
		if class == 0 {
			flush()
		}
		pending = append(pending, decomposed{class, r, change})
	}
	f.decompose(p.text, push)
	flush()
	out.finish()
	w.done()
	return nil
}

// decompose calls push with the characters of the decomposition of s, and with how each
// relates to s (see rewriter.emit).
func (f unicodeForm) decompose(s string, push func(r rune, change int)) {
	form, inert := norm.NFD, unicodeTables().sets["norm.inert"]
	if f.compat {
		form = norm.NFKD
	}
	var buf [utf8.UTFMax]byte
	for _, r := range s {
		if r < 0xA0 {
			push(r, 0)
			continue
		}
		var parts []byte
		if !inRanges(inert, r) {
			parts = form.Properties(buf[:utf8.EncodeRune(buf[:], r)]).Decomposition()
		}
		switch {
		case r >= hangulS && r < hangulS+hangulCount:
			l, v, t := decomposeHangul(r)
			push(l, 0)
			push(v, 1)
			if t != 0 {
				push(t, 1)
			}
		case len(parts) == 0:
			push(r, 0)
		default:
			change := 0
			for i := 0; i < len(parts); {
				d, n := utf8.DecodeRune(parts[i:])
				push(d, change)
				change = 1
				i += n
			}
		}
	}
}

func hasInert(s string) bool {
	for i := range len(s) {
		if s[i] >= 0xE0 { // U+07FD is the only character of the set below U+0800
			inert := unicodeTables().sets["norm.inert"]
			for _, r := range s[i:] {
				if r >= 0x7FD && inRanges(inert, r) {
					return true
				}
			}
			return false
		}
	}
	return false
}

func combiningClass(r rune) uint8 {
	if r < 0x300 {
		return 0
	}
	var buf [utf8.UTFMax]byte
	n := utf8.EncodeRune(buf[:], r)
	class := norm.NFD.Properties(buf[:n]).CCC()
	if class != 0 && inRanges(unicodeTables().sets["norm.inert"], r) {
		return 0
	}
	return class
}

// composer composes characters, with the order and the alignment of the reference
// (unicode-normalization-alignments, recompose.rs).
type composer struct {
	w      *rewriter
	on     bool // compose; otherwise characters are written unchanged
	starts bool // start is set
	start  decomposed
	behind []decomposed // marks that did not combine with start
}

func (c *composer) add(d decomposed) {
	if !c.on {
		c.w.emit(d.r, d.change)
		return
	}
	if !c.starts {
		if d.class != 0 {
			c.w.emit(d.r, d.change)
			return
		}
		c.start, c.starts = d, true
		return
	}
	blocked := len(c.behind) > 0 && c.behind[len(c.behind)-1].class >= d.class
	if !blocked {
		if r := composePair(c.start.r, d.r); r != 0 {
			c.start.r = r
			c.start.change += d.change - 1
			return
		}
	}
	if d.class == 0 {
		c.finish()
		c.start, c.starts = d, true
		return
	}
	c.behind = append(c.behind, d)
}

func (c *composer) finish() {
	if c.starts {
		c.w.emit(c.start.r, c.start.change)
		c.starts = false
	}
	for _, d := range c.behind {
		c.w.emit(d.r, d.change)
	}
	c.behind = c.behind[:0]
}

const (
	hangulS, hangulL, hangulV, hangulT = 0xAC00, 0x1100, 0x1161, 0x11A7
	hangulVs, hangulTs                 = 21, 28
	hangulCount                        = 19 * hangulVs * hangulTs
)

func decomposeHangul(r rune) (l, v, t rune) {
	s := r - hangulS
	l = hangulL + s/(hangulVs*hangulTs)
	v = hangulV + s%(hangulVs*hangulTs)/hangulTs
	if t = s % hangulTs; t != 0 {
		t += hangulT
	}
	return l, v, t
}

// composePair returns the composition of a and b, 0 where there is none.
func composePair(a, b rune) rune {
	switch {
	case a >= hangulL && a < hangulL+19 && b >= hangulV && b < hangulV+hangulVs:
		return hangulS + ((a-hangulL)*hangulVs+(b-hangulV))*hangulTs
	case a >= hangulS && a < hangulS+hangulCount && (a-hangulS)%hangulTs == 0 && b > hangulT && b < hangulT+hangulTs:
		return a + b - hangulT
	}
	return compositions()[[2]rune{a, b}]
}

// compositions maps pairs to their canonical compositions. They are derived from the
// decompositions: a character with one that NFC does not change is the composition of
// its parts.
var compositions = sync.OnceValue(func() map[[2]rune]rune {
	pairs := make(map[[2]rune]rune, 1024)
	inert := unicodeTables().sets["norm.inert"]
	var buf [utf8.UTFMax]byte
	for r := rune(0xC0); r < 0x11A00; r++ {
		if r >= 0x3400 && r < 0x11000 {
			r = 0x11000 // skip ideographs, Hangul and presentation forms, which are not composed by this table
		}
		b := buf[:utf8.EncodeRune(buf[:], r)]
		parts := norm.NFD.Properties(b).Decomposition()
		if len(parts) == 0 || inRanges(inert, r) || !norm.NFC.IsNormal(b) {
			continue
		}
		// The decomposition is a full one: its last character is the second of the pair,
		// and the characters before it compose to the first.
		last, n := utf8.DecodeLastRune(parts)
		first := norm.NFC.Bytes(parts[:len(parts)-n])
		if one, m := utf8.DecodeRune(first); m == len(first) {
			pairs[[2]rune{one, last}] = r
		}
	}
	return pairs
})
