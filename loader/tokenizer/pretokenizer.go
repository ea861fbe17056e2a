package tokenizer

import (
	"strconv"
	"unicode/utf8"

	"omniloader/loader/fault"
)

// preTokenizer splits a piece, and calls emit with each part that is not empty, in order.
// emit may change the piece that it gets.
type preTokenizer interface {
	cut(p *piece, w *scratch, emit func(*piece) error) error
}

var preTokenizerNames = []string{"BertPreTokenizer", "ByteLevel", "CharDelimiterSplit", "Digits", "FixedLength",
	"Metaspace", "Punctuation", "Sequence", "Split", "UnicodeScripts", "Whitespace", "WhitespaceSplit"}

// parsePreTokenizer reads a "pre_tokenizer" value; null gives nil.
func parsePreTokenizer(n node) (preTokenizer, error) {
	c, ok, err := n.component("pre_tokenizer")
	if err != nil || !ok {
		return nil, err
	}
	switch c.tag {
	case "BertPreTokenizer":
		return bertPreTokenizer{}, nil
	case "ByteLevel":
		b, err := parseByteLevel(&c)
		return &b, err
	case "CharDelimiterSplit":
		r, err := c.needChar("delimiter")
		return &runeSplit{func(c rune) bool { return c == r }, removed}, err
	case "Metaspace":
		m, err := parseMetaspace(&c)
		return &m, err
	case "Whitespace":
		return &whitespace{}, nil
	case "WhitespaceSplit":
		return &runeSplit{isSpace, removed}, nil
	case "Punctuation":
		return parsePunctuation(&c)
	case "Digits":
		return parseDigits(&c)
	case "UnicodeScripts":
		return unicodeScripts{}, nil
	case "FixedLength":
		return parseFixedLength(&c)
	case "Split":
		return parseSplit(&c)
	case "Sequence":
		list, err := parseSequence(&c, "pretokenizers", "pre_tokenizer", parsePreTokenizer)
		return preSequence(list), err
	}
	return nil, c.unknown("pre_tokenizer", preTokenizerNames)
}

func parsePunctuation(c *typed) (preTokenizer, error) {
	s := &runeSplit{isPunct, isolated}
	b, ok := c.lookup("behavior")
	if !ok {
		return s, nil
	}
	var err error
	s.how, err = parseBehavior(b)
	return s, err
}

func parseDigits(c *typed) (preTokenizer, error) {
	s := &runeSplit{isNumber, contiguous}
	single, err := c.needBool("individual_digits")
	if single {
		s.how = isolated
	}
	return s, err
}

func parseFixedLength(c *typed) (preTokenizer, error) {
	l, ok := c.lookup("length")
	if !ok {
		return fixedLength(5), nil
	}
	length, err := l.uint(`"length"`, 1<<31)
	if err == nil && length == 0 {
		err = l.fail(fault.Malformed, "a FixedLength of 0 cuts nothing")
	}
	return fixedLength(length), err
}

type preSequence []preTokenizer

func (s preSequence) cut(p *piece, w *scratch, emit func(*piece) error) error {
	if len(s) == 0 {
		return emit(p)
	}
	if len(s) == 1 {
		return s[0].cut(p, w, emit)
	}
	return s[0].cut(p, w, func(q *piece) error { return s[1:].cut(q, w, emit) })
}

// behavior says what a splitter does with the matches.
type behavior uint8

const (
	removed behavior = iota
	isolated
	mergedWithPrevious
	mergedWithNext
	contiguous
)

var behaviorNames = [...]string{"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"}

func parseBehavior(n node) (behavior, error) {
	s, err := n.str(`"behavior"`)
	if err != nil {
		return 0, err
	}
	for i, name := range behaviorNames {
		if s == name {
			return behavior(i), nil
		}
	}
	return 0, n.fail(UnknownComponent, "behavior %s is none of %v", strconv.Quote(clip(s)), behaviorNames)
}

// cutter builds the parts of a piece from the matches and the spans between them, by a
// behavior. feed is called for all spans from left to right.
type cutter struct {
	p        *piece
	how      behavior
	emit     func(*piece) error
	from, to int  // the part that may still be extended
	held     bool // from and to are set
	matched  bool // the last span fed was a match
}

// feed adds the next span of the piece.
func (c *cutter) feed(from, to int, match bool) error {
	last := c.matched
	c.matched = match
	switch c.how {
	case removed:
		if match {
			return nil
		}
		return c.emitPart(from, to)
	case isolated:
		return c.emitPart(from, to)
	case contiguous:
		if match == last && c.held {
			c.to = to
			return nil
		}
	case mergedWithPrevious:
		if match && !last && c.held {
			c.to = to
			return nil
		}
	case mergedWithNext:
		// A match is merged with the span after it, unless that is a match too.
		if !match && last && c.held {
			c.to = to
			return nil
		}
	}
	if err := c.flush(); err != nil {
		return err
	}
	c.from, c.to, c.held = from, to, true
	return nil
}

func (c *cutter) flush() error {
	if !c.held {
		return nil
	}
	c.held = false
	return c.emitPart(c.from, c.to)
}

func (c *cutter) emitPart(from, to int) error {
	if from == to {
		return nil
	}
	q := c.p.slice(from, to)
	return c.emit(&q)
}

// split is Split: a pattern, and the behavior for its matches.
type split struct {
	pattern *pattern
	how     behavior
	invert  bool
}

func parseSplit(c *typed) (*split, error) {
	n, err := c.need("pattern")
	if err != nil {
		return nil, err
	}
	s := &split{}
	if s.pattern, err = parsePattern(n); err != nil {
		return nil, err
	}
	b, err := c.need("behavior")
	if err != nil {
		return nil, err
	}
	if s.how, err = parseBehavior(b); err != nil {
		return nil, err
	}
	s.invert, err = c.needBool("invert")
	return s, err
}

func (s *split) cut(p *piece, w *scratch, emit func(*piece) error) error {
	c := cutter{p: p, how: s.how, emit: emit}
	last := 0
	err := s.pattern.each(p.text, w.budget, func(from, to int) error {
		if from > last {
			if err := c.feed(last, from, s.invert); err != nil {
				return err
			}
		}
		last = to
		return c.feed(from, to, !s.invert)
	})
	if err != nil {
		return err
	}
	if last < len(p.text) {
		if err := c.feed(last, len(p.text), s.invert); err != nil {
			return err
		}
	}
	return c.flush()
}

// runeSplit splits at characters of a kind.
type runeSplit struct {
	is  func(rune) bool
	how behavior
}

func (s *runeSplit) cut(p *piece, _ *scratch, emit func(*piece) error) error {
	c := cutter{p: p, how: s.how, emit: emit}
	last := 0
	for i, r := range p.text {
		if !s.is(r) {
			continue
		}
		if last < i {
			if err := c.feed(last, i, false); err != nil {
				return err
			}
		}
		last = i + utf8.RuneLen(r)
		if err := c.feed(i, last, true); err != nil {
			return err
		}
	}
	if last < len(p.text) {
		if err := c.feed(last, len(p.text), false); err != nil {
			return err
		}
	}
	return c.flush()
}

type bertPreTokenizer struct{}

func (bertPreTokenizer) cut(p *piece, w *scratch, emit func(*piece) error) error {
	punct := runeSplit{isPunct, isolated}
	space := runeSplit{isSpace, removed}
	return space.cut(p, w, func(q *piece) error { return punct.cut(q, w, emit) })
}

// whitespace is Whitespace: the parts are runs of word characters, and runs of characters
// that are neither word characters nor white space.
type whitespace struct{}

func (whitespace) cut(p *piece, _ *scratch, emit func(*piece) error) error {
	from, kind := 0, 0 // 0 space, 1 word, 2 other
	give := func(to int) error {
		if kind == 0 || from == to {
			return nil
		}
		q := p.slice(from, to)
		return emit(&q)
	}
	for i, r := range p.text {
		k := 2
		if isWord(r) {
			k = 1
		} else if isSpace(r) {
			k = 0
		}
		if k != kind {
			if err := give(i); err != nil {
				return err
			}
			from, kind = i, k
		}
	}
	return give(len(p.text))
}

type fixedLength int

func (n fixedLength) cut(p *piece, _ *scratch, emit func(*piece) error) error {
	from, count := 0, 0
	for i := range p.text {
		if count == int(n) {
			q := p.slice(from, i)
			if err := emit(&q); err != nil {
				return err
			}
			from, count = i, 0
		}
		count++
	}
	q := p.slice(from, len(p.text))
	return emit(&q)
}

// unicodeScripts splits where the script changes. Hiragana and Katakana count as Han, and
// a space belongs to the script around it.
type unicodeScripts struct{}

func (unicodeScripts) cut(p *piece, _ *scratch, emit func(*piece) error) error {
	t := unicodeTables()
	han, hiragana, katakana := t.scriptID("Han"), t.scriptID("Hiragana"), t.scriptID("Katakana")
	const start = 0xFF
	from, last, begun := 0, uint8(start), false
	for i, r := range p.text {
		s := t.script(r)
		switch {
		case r == ' ':
			s = 0
		case r == 0x30FC, s == hiragana, s == katakana:
			s = han
		}
		if s == 0 {
			continue
		}
		if s != last {
			if begun {
				q := p.slice(from, i)
				if err := emit(&q); err != nil {
					return err
				}
			}
			// As in the reference, characters before the first one with a script are lost.
			from, begun = i, true
		}
		last = s
	}
	if !begun {
		return nil
	}
	q := p.slice(from, len(p.text))
	return emit(&q)
}

func (t *tables) scriptID(name string) uint8 {
	for i, n := range t.names {
		if n == name {
			return uint8(i + 1)
		}
	}
	return 0
}

// byteLevel is ByteLevel as a pre-tokenizer, a post-processor and a decoder.
type byteLevel struct {
	addPrefixSpace, trimOffsets, useRegex bool
	raw                                   bool // do not convert to byteChars: the model reads bytes
}

func parseByteLevel(c *typed) (b byteLevel, err error) {
	if b.addPrefixSpace, err = c.needBool("add_prefix_space"); err != nil {
		return b, err
	}
	if b.trimOffsets, err = c.needBool("trim_offsets"); err != nil {
		return b, err
	}
	b.useRegex, err = c.boolOr("use_regex", true, false)
	return b, err
}

func (b *byteLevel) cut(p *piece, w *scratch, emit func(*piece) error) error {
	if b.addPrefixSpace && p.text[0] != ' ' {
		p.prepend(" ", w.track)
	}
	give := emit
	if !b.raw {
		give = func(q *piece) error {
			q.toByteChars(w.track)
			return emit(q)
		}
	}
	if !b.useRegex {
		return give(p)
	}
	c := cutter{p: p, how: isolated, emit: give}
	last := 0
	err := gpt2Pattern().each(p.text, w.budget, func(from, to int) error {
		last = to
		return c.emitPart(from, to)
	})
	if err == nil && last < len(p.text) {
		err = c.emitPart(last, len(p.text))
	}
	return err
}

// prependScheme says before which pieces Metaspace adds its replacement character.
type prependScheme uint8

const (
	prependAlways prependScheme = iota
	prependFirst
	prependNever
)

// metaspace is Metaspace as a pre-tokenizer and a decoder.
type metaspace struct {
	mark   rune
	scheme prependScheme
	split  bool
}

func parseMetaspace(c *typed) (m metaspace, err error) {
	if m.mark, err = c.needChar("replacement"); err != nil {
		return m, err
	}
	if s, ok := c.lookup("prepend_scheme"); ok {
		name, err := s.str(`"prepend_scheme"`)
		if err != nil {
			return m, err
		}
		switch name {
		case "always":
		case "first":
			m.scheme = prependFirst
		case "never":
			m.scheme = prependNever
		default:
			return m, s.fail(UnknownComponent, "prepend_scheme %s is none of [always first never]", strconv.Quote(clip(name)))
		}
	}
	add, err := c.boolOr("add_prefix_space", true, true)
	if err != nil {
		return m, err
	}
	if !add && m.scheme != prependNever {
		return m, c.fail(fault.Malformed, "add_prefix_space is false, but prepend_scheme is not \"never\"")
	}
	m.split, err = c.boolOr("split", true, true)
	return m, err
}

func (m *metaspace) cut(p *piece, w *scratch, emit func(*piece) error) error {
	mark := string(m.mark)
	if m.mark != ' ' {
		p.replaceByte(' ', mark, w)
	}
	if first, _ := utf8.DecodeRuneInString(p.text); first != m.mark &&
		(m.scheme == prependAlways || m.scheme == prependFirst && p.base == 0) {
		p.prepend(mark, w.track)
	}
	if !m.split {
		return emit(p)
	}
	s := runeSplit{func(r rune) bool { return r == m.mark }, mergedWithNext}
	return s.cut(p, w, emit)
}

// replaceByte replaces an ASCII character everywhere.
func (p *piece) replaceByte(c byte, content string, w *scratch) {
	var matches []int
	for i := range len(p.text) {
		if p.text[i] == c {
			matches = append(matches, i, i+1)
		}
	}
	p.splice(matches, content, w.track)
}
