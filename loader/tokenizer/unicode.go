package tokenizer

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// unicodeTSV holds the character sets of the reference, one range in each line: the set,
// the first and the last code point in hexadecimal, sorted. "gc:" lines are the general
// categories of Unicode 16, which its regular expressions use. Some components of the
// reference have tables of other versions: a set whose name ends in + or - has the
// characters that such a component has in addition to, or not of, the categories. For
// "lower" the second number is the lower case of the first.
//
//go:embed unicode.tsv
var unicodeTSV string

// category is a general category; the zero value is unassigned.
type category uint8

var categoryNames = [...]string{"Cn", "Cc", "Cf", "Co", "Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn",
	"Nd", "Nl", "No", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs", "Cs"}

// mask is a set of categories, one bit each.
type mask uint32

func (m mask) has(c category) bool { return m>>c&1 != 0 }

// maskOf returns the categories whose names begin with prefix: "L", "Lu".
func maskOf(prefix string) (m mask) {
	for i, name := range categoryNames {
		if strings.HasPrefix(name, prefix) {
			m |= 1 << i
		}
	}
	return m
}

// runeRange is a range of code points, last included.
type runeRange struct{ first, last rune }

// tables are the parsed sets.
type tables struct {
	index   [0x110000 >> 8]uint16 // page of each 256 code points
	pages   [][256]category
	sets    map[string][]runeRange
	scripts []scriptRange
	names   []string // of scripts
	lower   map[rune]rune
}

type scriptRange struct {
	runeRange
	script uint8
}

var unicodeTables = sync.OnceValue(func() *tables {
	t := &tables{sets: make(map[string][]runeRange), lower: make(map[rune]rune), pages: make([][256]category, 1, 200)}
	pageOf := make(map[category]uint16) // pages with a single category
	own := make(map[int]bool)           // pages that only one entry of index uses
	categories := make(map[string]category, len(categoryNames))
	for i, name := range categoryNames {
		categories[name] = category(i)
	}
	var set, kind, name string // of the line before, which usually has the same
	for rest := unicodeTSV; rest != ""; {
		tab := strings.IndexByte(rest, '\t')
		if rest[:tab] != set {
			set = rest[:tab]
			kind, name, _ = strings.Cut(set, ":")
		}
		var first, last rune
		first, rest = hexRune(rest[tab+1:])
		last, rest = hexRune(rest)
		switch kind {
		case "gc":
			t.fill(first, last, categories[name], pageOf, own)
		case "script":
			if n := len(t.names); n == 0 || t.names[n-1] != name {
				t.names = append(t.names, name)
			}
			t.scripts = append(t.scripts, scriptRange{runeRange{first, last}, uint8(len(t.names))})
		case "lower":
			t.lower[first] = last
		default:
			t.sets[set] = append(t.sets[set], runeRange{first, last})
		}
	}
	// The file is sorted by name; look-up needs the order of code points.
	slices.SortFunc(t.scripts, func(a, b scriptRange) int { return int(a.first - b.first) })
	return t
})

func (t *tables) fill(first, last rune, c category, pageOf map[category]uint16, own map[int]bool) {
	for page := int(first >> 8); page <= int(last>>8); page++ {
		from, to := max(first, rune(page<<8)), min(last, rune(page<<8+255))
		if from == rune(page<<8) && to == rune(page<<8+255) {
			n, ok := pageOf[c]
			if !ok {
				n = uint16(len(t.pages))
				t.pages = append(t.pages, [256]category{})
				for i := range t.pages[n] {
					t.pages[n][i] = c
				}
				pageOf[c] = n
			}
			t.index[page] = n
			continue
		}
		if !own[page] {
			own[page] = true
			t.index[page] = uint16(len(t.pages))
			t.pages = append(t.pages, [256]category{})
		}
		cells := &t.pages[t.index[page]]
		for r := from; r <= to; r++ {
			cells[r&255] = c
		}
	}
}

// hexRune parses a number up to the next tab or line end, and returns what follows that.
func hexRune(s string) (r rune, rest string) {
	for i := range len(s) {
		switch c := s[i]; {
		case c <= '\n':
			return r, s[i+1:]
		case c <= '9':
			r = r<<4 | rune(c-'0')
		default:
			r = r<<4 | rune(c-'A'+10)
		}
	}
	return r, ""
}

func (t *tables) category(r rune) category {
	if uint32(r) > unicode.MaxRune {
		return 0
	}
	return t.pages[t.index[r>>8]][r&255]
}

// script returns the number of the script of r, from 1; 0 for none.
func (t *tables) script(r rune) uint8 {
	lo, hi := 0, len(t.scripts)
	for lo < hi {
		if m := (lo + hi) / 2; t.scripts[m].last < r {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo < len(t.scripts) && t.scripts[lo].first <= r {
		return t.scripts[lo].script
	}
	return 0
}

func inRanges(rs []runeRange, r rune) bool {
	lo, hi := 0, len(rs)
	for lo < hi {
		if m := (lo + hi) / 2; rs[m].last < r {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo < len(rs) && rs[lo].first <= r
}

// charSet is a set made of categories and corrections to them.
type charSet struct {
	cats       mask
	more, less []runeRange
}

func (t *tables) set(name, categories string) charSet {
	var m mask
	for c := range strings.FieldsSeq(categories) {
		m |= maskOf(c)
	}
	return charSet{m, t.sets[name+"+"], t.sets[name+"-"]}
}

func (s *charSet) has(t *tables, r rune) bool {
	if s.cats.has(t.category(r)) {
		return len(s.less) == 0 || !inRanges(s.less, r)
	}
	return len(s.more) != 0 && inRanges(s.more, r)
}

// charSets are the sets of the parts of the reference that are not regular
// expressions.
type charSets struct {
	*tables
	word      charSet // \w of Rust's regex: added tokens, Whitespace
	bertPunct charSet // BertPreTokenizer, Punctuation
	bertOther charSet // BertNormalizer's control characters
	bertMark  charSet // BertNormalizer's accents
	mark      charSet // StripAccents
	joins     charSet // extends the grapheme before it
	control   charSet // is always a grapheme of its own
	number    mask    // Digits
}

var sets = sync.OnceValue(func() *charSets {
	t := unicodeTables()
	return &charSets{
		tables:    t,
		word:      t.set("word.regex", "L M Nd Nl Pc"),
		bertPunct: t.set("punct.bert", "P"),
		bertOther: t.set("other.bert", "Cc Cf Co"),
		bertMark:  t.set("mn.bert", "Mn"),
		mark:      t.set("mark.norm", "M"),
		joins:     t.set("grapheme.joins", "M"),
		control:   t.set("grapheme.control", "Cc Cf Zl Zp"),
		number:    maskOf("N"),
	}
})

// isSpace is the property White_Space, which is the same in every component of the
// reference.
func isSpace(r rune) bool {
	if r < 0x80 {
		return r == ' ' || r >= 9 && r <= 13
	}
	switch {
	case r == 0x85, r == 0xA0, r == 0x1680, r >= 0x2000 && r <= 0x200A,
		r == 0x2028, r == 0x2029, r == 0x202F, r == 0x205F, r == 0x3000:
		return true
	}
	return false
}

func isPunct(r rune) bool {
	if r < 0x80 {
		return r >= '!' && r <= '/' || r >= ':' && r <= '@' || r >= '[' && r <= '`' || r >= '{' && r <= '~'
	}
	s := sets()
	return s.bertPunct.has(s.tables, r)
}

func isWord(r rune) bool {
	if r < 0x80 {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'
	}
	s := sets()
	return s.word.has(s.tables, r)
}

func isNumber(r rune) bool {
	if r < 0x80 {
		return r >= '0' && r <= '9'
	}
	s := sets()
	return s.number.has(s.category(r))
}

// toLower returns the lower case of r regardless of context. Only İ has two characters, of
// which second is the combining dot.
func toLower(r rune) (first, second rune) {
	switch {
	case r < 0x80:
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r, 0
	case r == 0x130:
		return 'i', 0x307
	}
	if l := unicode.ToLower(r); l != r {
		return l, 0
	}
	if l, ok := unicodeTables().lower[r]; ok {
		return l, 0
	}
	return r, 0
}

// repair replaces invalid UTF-8 as the WHATWG decoder does: one U+FFFD for each maximal
// subpart of a sequence.
func repair(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n <= 1 {
			b.WriteString("\uFFFD")
			i += brokenLen(s[i:])
			continue
		}
		b.WriteString(s[i : i+n])
		i += n
	}
	return b.String()
}

// brokenLen is the length of the maximal subpart of an invalid sequence at the start of s.
func brokenLen(s string) int {
	low, high, need := byte(0x80), byte(0xBF), 0
	switch c := s[0]; {
	case c >= 0xC2 && c <= 0xDF:
		need = 1
	case c >= 0xE0 && c <= 0xEF:
		need = 2
		switch c {
		case 0xE0:
			low = 0xA0
		case 0xED:
			high = 0x9F
		}
	case c >= 0xF0 && c <= 0xF4:
		need = 3
		switch c {
		case 0xF0:
			low = 0x90
		case 0xF4:
			high = 0x8F
		}
	}
	n := 1
	for ; n <= need && n < len(s) && s[n] >= low && s[n] <= high; n++ {
		low, high = 0x80, 0xBF
	}
	return n
}

func isUTF8(b []byte) bool { return utf8.Valid(b) }
