package tokenizer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// regexOp is the kind of a regexNode.
type regexOp uint8

const (
	opEmpty  regexOp = iota
	opSet            // one character out of set
	opSeq            // subs, one after the other
	opAlt            // the first of subs that leads to a match
	opRepeat         // subs[0], low to high times
	opLook           // subs[0] matches here (or before here, or does not)
	opAtomic         // subs[0], without backtracking into it
	opGroup          // subs[0], captured
	opBack           // a back-reference to group n
	opAnchor         // a position, by anchor
)

// unbounded is the high of a repeat without limit.
const unbounded = 1 << 30

// maxRepeat is the highest count in braces; Oniguruma takes up to 100,000.
const maxRepeat = 1000

// regexNode is a parsed regular expression.
type regexNode struct {
	op               regexOp
	set              *runeSet
	subs             []*regexNode
	low, high        int
	lazy, possessive bool
	negative         bool
	behind           bool
	anchor           byte // ^ $ A z Z b B
	n                int
}

// runeSet is a set of characters: the union of the categories, the ranges and the sets
// in or, intersected with each of the sets in and; negated where negative.
type runeSet struct {
	ascii    [2]uint64 // the ASCII characters of the set, computed by finish
	cats     mask
	ranges   []runeRange
	or, and  []*runeSet
	negative bool
}

func (s *runeSet) has(r rune) bool {
	if uint32(r) < 0x80 {
		return s.ascii[r>>6]>>(r&63)&1 != 0
	}
	return s.find(unicodeTables(), r)
}

func (s *runeSet) find(t *tables, r rune) bool {
	in := s.cats != 0 && s.cats.has(t.category(r)) || len(s.ranges) != 0 && inRanges(s.ranges, r)
	for i := 0; !in && i < len(s.or); i++ {
		in = s.or[i].find(t, r)
	}
	for i := 0; in && i < len(s.and); i++ {
		in = s.and[i].find(t, r)
	}
	return in != s.negative
}

// finish sorts the ranges and computes ascii. It must be called before has.
func (s *runeSet) finish() *runeSet {
	s.ranges = mergeRanges(s.ranges)
	for _, sub := range s.or {
		sub.finish()
	}
	for _, sub := range s.and {
		sub.finish()
	}
	t := unicodeTables()
	for r := rune(0); r < 0x80; r++ {
		if s.find(t, r) {
			s.ascii[r>>6] |= 1 << (r & 63)
		}
	}
	return s
}

func mergeRanges(rs []runeRange) []runeRange {
	if len(rs) < 2 {
		return rs
	}
	sortRanges(rs)
	out := rs[:1]
	for _, r := range rs[1:] {
		if last := &out[len(out)-1]; r.first <= last.last+1 {
			last.last = max(last.last, r.last)
		} else {
			out = append(out, r)
		}
	}
	return out
}

func (s *runeSet) add(r rune, fold bool) {
	s.ranges = append(s.ranges, runeRange{r, r})
	if fold {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			s.ranges = append(s.ranges, runeRange{f, f})
		}
	}
}

// maxFold bounds the characters of a range whose case variants are added.
const maxFold = 1 << 12

func (s *runeSet) addRange(first, last rune, fold bool) {
	s.ranges = append(s.ranges, runeRange{first, last})
	if fold && last-first < maxFold {
		for r := first; r <= last; r++ {
			s.add(r, true)
		}
	}
}

// regexParser parses the syntax of Oniguruma (doc/RE of that library) as far as
// tokenizers use it. Other syntax is an error.
type regexParser struct {
	s                    string
	at                   int
	groups, depth        int
	names                map[string]int // numbers of named groups
	fold, dotAll, spaced bool           // the flags i, m, x
}

// maxRegexDepth bounds the nesting of groups and classes.
const maxRegexDepth = 100

// maxRegex is the longest expression, in bytes.
const maxRegex = 1 << 16

func parseRegex(s string) (*regexNode, error) {
	if len(s) > maxRegex {
		return nil, fmt.Errorf("%d bytes long, the limit is %d", len(s), maxRegex)
	}
	if !utf8.ValidString(s) {
		return nil, errors.New("not UTF-8")
	}
	p := &regexParser{s: s}
	n, err := p.alternatives()
	if err == nil && p.at < len(p.s) {
		err = p.errorf("unmatched close parenthesis")
	}
	return n, err
}

func (p *regexParser) errorf(format string, args ...any) error {
	return fmt.Errorf("character %d: %s", utf8.RuneCountInString(p.s[:p.at])+1, fmt.Sprintf(format, args...))
}

func (p *regexParser) more() bool { return p.at < len(p.s) }

func (p *regexParser) next() rune {
	r, n := utf8.DecodeRuneInString(p.s[p.at:])
	p.at += n
	return r
}

func (p *regexParser) accept(s string) bool {
	if strings.HasPrefix(p.s[p.at:], s) {
		p.at += len(s)
		return true
	}
	return false
}

func (p *regexParser) enter() error {
	if p.depth++; p.depth > maxRegexDepth {
		return p.errorf("nested deeper than %d", maxRegexDepth)
	}
	return nil
}

func (p *regexParser) alternatives() (*regexNode, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	fold, dotAll, spaced := p.fold, p.dotAll, p.spaced
	defer func() { p.fold, p.dotAll, p.spaced = fold, dotAll, spaced }()
	alt := &regexNode{op: opAlt}
	for {
		seq, err := p.sequence()
		if err != nil {
			return nil, err
		}
		alt.subs = append(alt.subs, seq)
		if !p.accept("|") {
			break
		}
	}
	if len(alt.subs) == 1 {
		return alt.subs[0], nil
	}
	return alt, nil
}

func (p *regexParser) sequence() (*regexNode, error) {
	seq := &regexNode{op: opSeq}
	for p.more() && p.s[p.at] != '|' && p.s[p.at] != ')' {
		n, err := p.atom()
		if err != nil {
			return nil, err
		}
		if n == nil {
			continue // a flag or white space
		}
		if n, err = p.quantified(n); err != nil {
			return nil, err
		}
		seq.subs = append(seq.subs, n)
	}
	if len(seq.subs) == 1 {
		return seq.subs[0], nil
	}
	return seq, nil
}

func (p *regexParser) quantified(n *regexNode) (*regexNode, error) {
	for p.more() {
		low, high, braces := 0, unbounded, false
		switch c := p.s[p.at]; c {
		case '?':
			high = 1
			p.at++
		case '*':
			p.at++
		case '+':
			low = 1
			p.at++
		case '{':
			var ok bool
			if low, high, ok = p.braces(); !ok {
				return n, nil // a literal brace
			}
			braces = true
		default:
			return n, nil
		}
		if n.op == opAnchor || n.op == opLook {
			return nil, p.errorf("nothing to repeat")
		}
		if low > high {
			return nil, p.errorf("{%d,%d} counts down", low, high)
		}
		if low > maxRepeat || high != unbounded && high > maxRepeat {
			return nil, p.errorf("more than %d repeats", maxRepeat)
		}
		n = &regexNode{op: opRepeat, subs: []*regexNode{n}, low: low, high: high}
		switch {
		case p.accept("?"):
			if braces && low == high {
				// {n}? makes the whole optional in Oniguruma.
				n = &regexNode{op: opRepeat, subs: []*regexNode{n}, low: 0, high: 1}
			} else {
				n.lazy = true
			}
		case !braces && p.accept("+"): // after braces a plus is another repeat
			n.possessive = true
		}
	}
	return n, nil
}

// braces parses {n}, {n,}, {,m} and {n,m}; ok is false for anything else.
func (p *regexParser) braces() (low, high int, ok bool) {
	end := strings.IndexByte(p.s[p.at:], '}')
	if end < 0 {
		return 0, 0, false
	}
	body := p.s[p.at+1 : p.at+end]
	a, b, comma := strings.Cut(body, ",")
	number := func(s string, fallback int) int {
		if s == "" {
			return fallback
		}
		if n, err := strconv.ParseUint(s, 10, 24); err == nil {
			return int(n)
		}
		return -1
	}
	switch {
	case !comma:
		low = number(a, -1)
		high = low
	case a == "" && b == "":
		return 0, 0, false
	default:
		low, high = number(a, 0), number(b, unbounded)
	}
	if low < 0 || high < 0 {
		return 0, 0, false
	}
	p.at += end + 1
	return low, high, true
}

func (p *regexParser) atom() (*regexNode, error) {
	c := p.next()
	if p.spaced {
		if isSpace(c) {
			return nil, nil
		}
		if c == '#' {
			for p.more() && p.next() != '\n' {
			}
			return nil, nil
		}
	}
	switch c {
	case '.':
		set := &runeSet{negative: true}
		if !p.dotAll {
			set.add('\n', false)
		}
		return setNode(set), nil
	case '^', '$':
		return &regexNode{op: opAnchor, anchor: byte(c)}, nil
	case '[':
		set, err := p.class()
		if err != nil {
			return nil, err
		}
		return setNode(set), nil
	case '(':
		return p.group()
	case '\\':
		return p.escape()
	case '*', '+', '?':
		return nil, p.errorf("nothing to repeat")
	}
	set := &runeSet{}
	set.add(c, p.fold)
	return setNode(set), nil
}

func setNode(s *runeSet) *regexNode { return &regexNode{op: opSet, set: s.finish()} }

func (p *regexParser) group() (*regexNode, error) {
	n, name := &regexNode{}, ""
	switch {
	case p.accept("?:"):
		n.op = opSeq
	case p.accept("?="):
		n.op = opLook
	case p.accept("?!"):
		n.op, n.negative = opLook, true
	case p.accept("?<="):
		n.op, n.behind = opLook, true
	case p.accept("?<!"):
		n.op, n.behind, n.negative = opLook, true, true
	case p.accept("?>"):
		n.op = opAtomic
	case p.accept("?#"):
		end := strings.IndexByte(p.s[p.at:], ')')
		if end < 0 {
			return nil, p.errorf("comment without an end")
		}
		p.at += end + 1
		return nil, nil
	case p.accept("?<"):
		end := strings.IndexByte(p.s[p.at:], '>')
		if end < 0 {
			return nil, p.errorf("group name without an end")
		}
		name = p.s[p.at : p.at+end]
		p.at += end + 1
		n.op = opGroup
	case p.accept("?"):
		return p.flags()
	default:
		n.op = opGroup
	}
	if n.op == opGroup {
		p.groups++
		n.n = p.groups
	}
	if name != "" {
		if p.names == nil {
			p.names = make(map[string]int)
		}
		if p.names[name] != 0 {
			p.names[name] = twice
		} else {
			p.names[name] = n.n
		}
	}
	sub, err := p.alternatives()
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, p.errorf("a group without an end")
	}
	n.subs = []*regexNode{sub}
	return n, nil
}

// flags reads (?i) for what follows in the group and (?i:…) for a group.
func (p *regexParser) flags() (*regexNode, error) {
	fold, dotAll, spaced := p.fold, p.dotAll, p.spaced
	for on := true; p.more(); {
		switch c := p.next(); c {
		case 'i':
			p.fold = on
		case 'm':
			p.dotAll = on
		case 'x':
			p.spaced = on
		case '-':
			on = false
		case ')':
			// The rest of the enclosing group, alternatives included, is its scope.
			sub, err := p.alternatives()
			p.fold, p.dotAll, p.spaced = fold, dotAll, spaced
			return sub, err
		case ':':
			sub, err := p.alternatives()
			p.fold, p.dotAll, p.spaced = fold, dotAll, spaced
			if err == nil && !p.accept(")") {
				err = p.errorf("a group without an end")
			}
			return &regexNode{op: opSeq, subs: []*regexNode{sub}}, err
		default:
			return nil, p.errorf("unknown group option %q", c)
		}
	}
	return nil, p.errorf("a group without an end")
}

func (p *regexParser) escape() (*regexNode, error) {
	if !p.more() {
		return nil, p.errorf("ends with a backslash")
	}
	switch c := p.s[p.at]; c {
	case 'A', 'z', 'Z', 'b', 'B':
		p.at++
		return &regexNode{op: opAnchor, anchor: c}, nil
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		p.at++
		n := int(c - '0')
		if n > p.groups {
			return nil, p.errorf("reference to group %d, which does not stand before it", n)
		}
		return &regexNode{op: opBack, n: n}, nil
	case 'k':
		p.at++
		return p.namedBack()
	case 'R':
		p.at++
		return lineBreak(), nil
	case 'N', 'O':
		p.at++
		set := &runeSet{negative: true}
		if c == 'N' {
			set.add('\n', false)
		}
		return setNode(set), nil
	}
	set := &runeSet{}
	if err := p.classEscape(set); err != nil {
		return nil, err
	}
	return setNode(set), nil
}

// twice is the number of a name that two groups have.
const twice = -1

// namedBack reads <name>, <number> or <-number>, counted back from here, behind \k.
func (p *regexParser) namedBack() (*regexNode, error) {
	end := strings.IndexByte(p.s[p.at:], '>')
	if !p.accept("<") || end < 0 {
		return nil, p.errorf("\\k needs the name of a group in <>")
	}
	name := p.s[p.at : p.at+end-1]
	p.at += end
	n := p.names[name]
	if number, err := strconv.Atoi(name); err == nil {
		if n = number; n < 0 {
			n += p.groups + 1
		}
		if len(p.names) > 0 {
			return nil, p.errorf("reference to group %d by its number, where groups have names", number)
		}
	}
	switch {
	case n == twice:
		return nil, p.errorf("reference to %q, a name that two groups have", clip(name))
	case n < 1 || n > p.groups:
		return nil, p.errorf("reference to group %q, which does not stand before it", clip(name))
	}
	return &regexNode{op: opBack, n: n}, nil
}

// lineBreak is \R: CR LF as one, or any other line break of Unicode.
func lineBreak() *regexNode {
	one := func(first, last rune) *regexNode { return setNode(&runeSet{ranges: []runeRange{{first, last}}}) }
	breaks := &runeSet{ranges: []runeRange{{'\n', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}}}
	return &regexNode{op: opAtomic, subs: []*regexNode{{op: opAlt, subs: []*regexNode{
		{op: opSeq, subs: []*regexNode{one('\r', '\r'), one('\n', '\n')}}, setNode(breaks)}}}}
}
