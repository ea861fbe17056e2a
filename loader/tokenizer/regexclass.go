package tokenizer

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

func sortRanges(rs []runeRange) {
	slices.SortFunc(rs, func(a, b runeRange) int { return cmp.Compare(a.first, b.first) })
}

// class parses a character class after its opening bracket. Classes nest, and && is the
// intersection of its sides.
func (p *regexParser) class() (*runeSet, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	negative := p.accept("^")
	set := &runeSet{}
	var left *runeSet // the intersection of the sides before the last &&
	for first := true; ; first = false {
		if !p.more() {
			return nil, p.errorf("a character class without an end")
		}
		c := p.next()
		switch {
		case c == ']' && (!first || !strings.Contains(p.s[p.at:], "]")):
			if left != nil {
				left.and = append(left.and, set)
				set = left
			}
			if negative {
				set = &runeSet{or: []*runeSet{set}, negative: true}
			}
			return set, nil
		case c == '[' && strings.HasPrefix(p.s[p.at:], ":"):
			if ok, err := p.posixClass(set); err != nil {
				return nil, err
			} else if ok {
				continue
			}
			fallthrough
		case c == '[':
			sub, err := p.class()
			if err != nil {
				return nil, err
			}
			set.or = append(set.or, sub)
			continue
		case c == '&' && p.accept("&"):
			if left == nil {
				left = &runeSet{or: []*runeSet{set}}
			} else {
				left.and = append(left.and, set)
			}
			set = &runeSet{}
			continue
		}
		if err := p.classItem(c, set); err != nil {
			return nil, err
		}
	}
}

// classItem adds to set what c begins: a character, a range or an escape.
func (p *regexParser) classItem(c rune, set *runeSet) error {
	from, single, err := p.classChar(c, set)
	if err != nil || !single {
		return err
	}
	// A hyphen makes a range unless it is last, or before && or a nested class.
	rest := p.s[p.at:]
	if !strings.HasPrefix(rest, "-") || strings.HasPrefix(rest, "-]") || strings.HasPrefix(rest, "-[") || strings.HasPrefix(rest, "-&&") {
		set.add(from, p.fold)
		return nil
	}
	p.at++
	if !p.more() {
		return p.errorf("a character class without an end")
	}
	to, single, err := p.classChar(p.next(), set)
	switch {
	case err != nil:
		return err
	case !single: // [a-\d]: the hyphen is a character
		set.add(from, p.fold)
		set.add('-', false)
	case to < from:
		return p.errorf("the range %q-%q counts down", from, to)
	default:
		set.addRange(from, to, p.fold)
	}
	return nil
}

// classChar returns the character that c begins, or adds to set the set that it begins.
func (p *regexParser) classChar(c rune, set *runeSet) (r rune, single bool, err error) {
	if c != '\\' {
		return c, true, nil
	}
	if !p.more() {
		return 0, false, p.errorf("ends with a backslash")
	}
	if p.accept("b") {
		return '\b', true, nil
	}
	sub := &runeSet{}
	if err := p.classEscape(sub); err != nil {
		return 0, false, err
	}
	if sub.cats == 0 && len(sub.or) == 0 && !sub.negative && len(sub.ranges) > 0 && sub.n() == 1 {
		return sub.ranges[0].first, true, nil
	}
	set.or = append(set.or, sub)
	return 0, false, nil
}

// n is 1 where the set is one character and its case variants, else 2.
func (s *runeSet) n() int {
	first := s.ranges[0].first
	for _, r := range s.ranges {
		if r.first != r.last || r.first != first && !foldsTo(first, r.first) {
			return 2
		}
	}
	return 1
}

func foldsTo(a, b rune) bool {
	for f := unicode.SimpleFold(a); f != a; f = unicode.SimpleFold(f) {
		if f == b {
			return true
		}
	}
	return false
}

// classEscape parses an escape for a character or a set, after the backslash.
func (p *regexParser) classEscape(set *runeSet) error {
	switch c := p.next(); c {
	case 's', 'S':
		set.ranges = slices.Clone(unicodeTables().sets["space"])
		set.negative = c == 'S'
	case 'd', 'D':
		set.cats, set.negative = maskOf("Nd"), c == 'D'
	case 'w', 'W':
		named("word", set)
		set.negative = c == 'W'
	case 'h', 'H':
		named("xdigit", set)
		set.negative = c == 'H'
	case 'n':
		set.add('\n', false)
	case 'r':
		set.add('\r', false)
	case 't':
		set.add('\t', false)
	case 'f':
		set.add('\f', false)
	case 'v':
		set.add('\v', false)
	case 'a':
		set.add('\a', false)
	case 'e':
		set.add(0x1B, false)
	case '0':
		set.add(0, false)
	case 'p', 'P':
		if !p.accept("{") {
			return p.errorf("\\%c needs a name in braces", c)
		}
		end := strings.IndexByte(p.s[p.at:], '}')
		if end < 0 {
			return p.errorf("a property name without an end")
		}
		name := p.s[p.at : p.at+end]
		p.at += end + 1
		name, caret := strings.CutPrefix(name, "^")
		if !named(name, set) {
			return p.errorf("unknown property %q", clip(name))
		}
		set.negative = (c == 'P') != caret
	case 'x', 'u':
		r, err := p.hexEscape(c)
		if err != nil {
			return err
		}
		set.add(r, p.fold)
	default:
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return p.errorf("unknown escape \\%c", c)
		}
		set.add(c, p.fold)
	}
	return nil
}

func (p *regexParser) hexEscape(c rune) (rune, error) {
	digits := ""
	switch {
	case c == 'x' && p.accept("{"):
		end := strings.IndexByte(p.s[p.at:], '}')
		if end < 0 {
			return 0, p.errorf("a code point without an end")
		}
		digits = p.s[p.at : p.at+end]
		p.at += end + 1
	default:
		most := 2
		if c == 'u' {
			most = 4
		}
		for len(digits) < most && p.more() && strings.IndexByte("0123456789abcdefABCDEF", p.s[p.at]) >= 0 {
			digits += p.s[p.at : p.at+1]
			p.at++
		}
		if c == 'u' && len(digits) < 4 {
			return 0, p.errorf("\\u needs four digits")
		}
		if c == 'x' && len(digits) == 2 && digits[0] >= '8' {
			return 0, p.errorf("\\x%s is a byte of UTF-8, not a character", digits)
		}
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || n > unicode.MaxRune {
		return 0, p.errorf("%q is no code point", digits)
	}
	return rune(n), nil
}

func (p *regexParser) posixClass(set *runeSet) (bool, error) {
	name, _, ok := strings.Cut(p.s[p.at+1:], ":]")
	if !ok || strings.ContainsAny(name, "[]\\") {
		return false, nil
	}
	name, negative := strings.CutPrefix(name, "^")
	sub := &runeSet{negative: negative}
	if !named(name, sub) {
		return false, p.errorf("unknown class [:%s:]", clip(name))
	}
	p.at += len(name) + 3
	if negative {
		p.at++
	}
	set.or = append(set.or, sub)
	return true, nil
}

// classNames are the properties of Oniguruma that are not categories or scripts.
var classNames = map[string]struct {
	categories string
	set        string
	ranges     []runeRange
}{
	"any":    {"", "", []runeRange{{0, unicode.MaxRune}}},
	"ascii":  {"", "", []runeRange{{0, 0x7F}}},
	"alpha":  {"L Nl", "alpha.onig", nil},
	"alnum":  {"L Nl Nd", "alpha.onig", nil},
	"word":   {"L M Nd Nl Pc", "word.onig+", nil},
	"digit":  {"Nd", "", nil},
	"space":  {"", "space", nil},
	"blank":  {"Zs", "", []runeRange{{'\t', '\t'}}},
	"cntrl":  {"Cc", "", nil},
	"upper":  {"Lu", "", nil},
	"lower":  {"Ll", "", nil},
	"punct":  {"P S", "", nil},
	"xdigit": {"", "", []runeRange{{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
	"graph":  {"L M N P S Cf Co", "", nil},
	"print":  {"L M N P S Cf Co Zs", "", nil},

	"lc":                   {"Lu Ll Lt", "", nil},
	"assigned":             {"L M N P S Z Cc Cf Co Cs", "", nil},
	"emoji":                {"", "emoji.onig", nil},
	"emojipresentation":    {"", "present.onig", nil},
	"extendedpictographic": {"", "pict.onig", nil},
}

// derived are the properties that Unicode derives from categories and a table
// (DerivedCoreProperties).
var derived = map[string]struct {
	categories string
	table      *unicode.RangeTable
}{
	"uppercase": {"Lu", unicode.Other_Uppercase},
	"lowercase": {"Ll", unicode.Other_Lowercase},
	"math":      {"Sm", unicode.Other_Math},
}

// scriptCodes are the ISO 15924 codes of scripts: a code and a script in each line.
//
//go:embed scripts.tsv
var scriptCodes string

// scriptOf returns the script of a code, or key where it is no code.
func scriptOf(key string) string {
	for line := range strings.Lines(scriptCodes) {
		if code, script, _ := strings.Cut(strings.TrimSpace(line), "\t"); code == key {
			return script
		}
	}
	return key
}

// addTable adds the characters of a table of the standard library.
func (s *runeSet) addTable(t *unicode.RangeTable) {
	add := func(first, last, stride rune) {
		if stride == 1 {
			s.ranges = append(s.ranges, runeRange{first, last})
			return
		}
		for c := first; c <= last; c += stride {
			s.ranges = append(s.ranges, runeRange{c, c})
		}
	}
	for _, r := range t.R16 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range t.R32 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	s.ranges = mergeRanges(s.ranges)
}

// longNames are the long names of categories.
var longNames = map[string]string{"letter": "L", "uppercaseletter": "Lu", "lowercaseletter": "Ll", "titlecaseletter": "Lt",
	"modifierletter": "Lm", "otherletter": "Lo", "mark": "M", "nonspacingmark": "Mn", "spacingmark": "Mc",
	"enclosingmark": "Me", "number": "N", "decimalnumber": "Nd", "letternumber": "Nl", "othernumber": "No",
	"punctuation": "P", "connectorpunctuation": "Pc", "dashpunctuation": "Pd", "openpunctuation": "Ps",
	"closepunctuation": "Pe", "initialpunctuation": "Pi", "finalpunctuation": "Pf", "otherpunctuation": "Po",
	"symbol": "S", "mathsymbol": "Sm", "currencysymbol": "Sc", "modifiersymbol": "Sk", "othersymbol": "So",
	"separator": "Z", "spaceseparator": "Zs", "lineseparator": "Zl", "paragraphseparator": "Zp",
	"other": "C", "control": "Cc", "format": "Cf", "privateuse": "Co", "unassigned": "Cn", "alphabetic": "alpha", "whitespace": "space"}

// named adds a property; case, spaces, hyphens and underscores of its name are ignored.
// Properties that unicode.tsv lacks come from the standard library, which has Unicode 15:
// the characters of Unicode 16 are missing from Dash and Ideographic.
func named(name string, set *runeSet) bool {
	key := strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(name))
	if short, ok := longNames[key]; ok {
		key = strings.ToLower(short)
	}
	if c, ok := classNames[key]; ok {
		for f := range strings.FieldsSeq(c.categories) {
			set.cats |= maskOf(f)
		}
		set.ranges = append(slices.Clone(c.ranges), unicodeTables().sets[c.set]...)
		return true
	}
	if key != "" {
		if m := maskOf(strings.ToUpper(key[:1]) + key[1:]); m != 0 && len(key) <= 2 {
			set.cats = m
			return true
		}
	}
	if d, ok := derived[key]; ok {
		for f := range strings.FieldsSeq(d.categories) {
			set.cats |= maskOf(f)
		}
		set.addTable(d.table)
		return true
	}
	for _, tables := range []map[string]*unicode.RangeTable{unicode.Scripts, unicode.Properties} {
		for name, table := range tables {
			if !strings.HasPrefix(name, "Other_") && strings.ToLower(strings.ReplaceAll(name, "_", "")) == scriptOf(key) {
				set.addTable(table)
				return true
			}
		}
	}
	return false
}

// write writes the expression in the syntax of the backtracking engine. Classes are
// written as ranges, so that both engines have the same character sets.
func (n *regexNode) write(b *strings.Builder) error {
	const mostText = 1 << 22
	if b.Len() > mostText {
		return errors.New("too large for the backtracking engine")
	}
	each := func(between string) error {
		for i, sub := range n.subs {
			if i > 0 {
				b.WriteString(between)
			}
			b.WriteString("(?:")
			if err := sub.write(b); err != nil {
				return err
			}
			b.WriteString(")")
		}
		return nil
	}
	wrap := func(open string) error {
		b.WriteString(open)
		err := n.subs[0].write(b)
		b.WriteString(")")
		return err
	}
	switch n.op {
	case opSet:
		n.set.write(b)
	case opSeq:
		return each("")
	case opAlt:
		return each("|")
	case opRepeat:
		if n.possessive {
			b.WriteString("(?>")
			defer b.WriteString(")")
		}
		if err := wrap("(?:"); err != nil {
			return err
		}
		if n.high == unbounded {
			fmt.Fprintf(b, "{%d,}", n.low)
		} else {
			fmt.Fprintf(b, "{%d,%d}", n.low, n.high)
		}
		if n.lazy {
			b.WriteString("?")
		}
	case opLook:
		open := map[bool]string{false: "(?", true: "(?<"}[n.behind]
		return wrap(open + map[bool]string{false: "=", true: "!"}[n.negative])
	case opAtomic:
		return wrap("(?>")
	case opGroup:
		return wrap("(")
	case opBack:
		fmt.Fprintf(b, "(?:\\%d)", n.n)
	case opAnchor:
		n.writeAnchor(b)
	}
	return nil
}

func (n *regexNode) writeAnchor(b *strings.Builder) {
	switch n.anchor {
	case '^':
		b.WriteString("(?:\\A|(?<=\\n)(?!\\z))") // not after a line feed that ends the text
	case '$':
		b.WriteString("(?m:$)")
	case 'b', 'B':
		word := &runeSet{}
		named("word", word)
		word.finish()
		var w strings.Builder
		word.write(&w)
		boundary := "(?:(?<=" + w.String() + ")(?!" + w.String() + ")|(?<!" + w.String() + ")(?=" + w.String() + "))"
		if n.anchor == 'B' {
			boundary = "(?!" + boundary + ")"
		}
		b.WriteString(boundary)
	default:
		b.WriteString("\\" + string(n.anchor))
	}
}

// categoryStarts are the code points at which the category changes.
var categoryStarts = sync.OnceValue(func() (out []rune) {
	t := unicodeTables()
	last := category(255)
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if c := t.category(r); c != last {
			out = append(out, r)
			last = c
		}
	}
	return out
})

// edges appends the code points at which the ranges of the set begin and end.
func (s *runeSet) edges(out []rune) []rune {
	for _, r := range s.ranges {
		out = append(out, r.first, r.last+1)
	}
	for _, list := range [][]*runeSet{s.or, s.and} {
		for _, sub := range list {
			out = sub.edges(out)
		}
	}
	return out
}

// write writes the set as ranges. Between two consecutive edges or changes of category
// either all characters are in the set or none.
func (s *runeSet) write(b *strings.Builder) {
	edges := s.edges(slices.Clone(categoryStarts()))
	slices.Sort(edges)
	var in []runeRange
	for i, first := range edges {
		last := rune(unicode.MaxRune)
		if i+1 < len(edges) {
			last = edges[i+1] - 1
		}
		if first <= last && s.has(first) {
			in = append(in, runeRange{first, last})
		}
	}
	if len(in) == 0 {
		b.WriteString("[^\\x{0}-\\x{10FFFF}]")
		return
	}
	b.WriteString("[")
	for _, r := range mergeRanges(in) {
		fmt.Fprintf(b, "\\x{%X}-\\x{%X}", r.first, r.last)
	}
	b.WriteString("]")
}
