package tokenizer

import (
	"strings"
	"time"

	"omniloader/loader/fault"

	"github.com/dlclark/regexp2/v2"
)

// pattern finds the parts of a text that Split and Replace act on: a literal, or a
// regular expression in the syntax of Oniguruma.
type pattern struct {
	literal string
	isRegex bool
	prog    *program        // of expressions that do not need the backtracking engine
	engine  *regexp2.Regexp // of others
}

// matchTimeout bounds one match of the backtracking engine.
const matchTimeout = 500 * time.Millisecond

// parsePattern reads {"String": …} or {"Regex": …}.
func parsePattern(n node) (*pattern, error) {
	o, err := n.object("pattern")
	if err != nil {
		return nil, err
	}
	if len(o.names) != 1 || o.names[0] != "String" && o.names[0] != "Regex" {
		return nil, n.fail(MissingField, "a pattern has exactly one member, \"String\" or \"Regex\"")
	}
	text, err := o.values[0].str("pattern")
	if err != nil {
		return nil, err
	}
	if o.names[0] == "String" {
		return &pattern{literal: text}, nil
	}
	p, err := newRegex(text)
	if err != nil {
		return nil, o.values[0].fail(BadPattern, "%q: %v", clip(text), err)
	}
	return p, nil
}

// newRegex compiles an expression: to a program where it has no unbounded repeats of
// groups and no back-references, which is true for the patterns of all published model
// families, and otherwise for the backtracking engine.
func newRegex(text string) (*pattern, error) {
	expr, err := parseRegex(text)
	if err != nil {
		return nil, err
	}
	p := &pattern{isRegex: true}
	if p.prog = compileProgram(expr); p.prog != nil {
		return p, nil
	}
	p.engine, err = newEngine(expr)
	return p, err
}

func newEngine(expr *regexNode) (*regexp2.Regexp, error) {
	var b strings.Builder
	if err := expr.write(&b); err != nil {
		return nil, err
	}
	re, err := regexp2.Compile(b.String())
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = matchTimeout
	return re, nil
}

// each calls found with each match, from left to right. As in the reference an empty
// match directly after another match is left out.
func (p *pattern) each(s string, b *budget, found func(from, to int) error) error {
	switch {
	case s == "":
		return nil
	case !p.isRegex && p.literal != "":
		for at := 0; ; {
			i := strings.Index(s[at:], p.literal)
			if i < 0 {
				return nil
			}
			if err := found(at+i, at+i+len(p.literal)); err != nil {
				return err
			}
			at += i + len(p.literal)
		}
	case !p.isRegex:
		return eachEmpty(s, found)
	case p.prog != nil:
		return p.prog.each(s, b, found)
	}
	return p.eachEngine(s, b, found)
}

// eachEmpty matches the empty string before each character and at the end.
func eachEmpty(s string, found func(from, to int) error) error {
	for i := range s {
		if err := found(i, i); err != nil {
			return err
		}
	}
	return found(len(s), len(s))
}

// eachEngine matches with the backtracking engine. The engine does not count steps, so
// the time is bounded: that of each match, and that of all matches of the call.
func (p *pattern) eachEngine(s string, b *budget, found func(from, to int) error) error {
	start := time.Now()
	defer func() { b.engine -= time.Since(start) }()
	last := -1
	m, err := p.engine.FindStringMatch(s)
	for ; m != nil && err == nil; m, err = p.engine.FindNextMatch(m) {
		from, length := m.ByteRange()
		if length == 0 && from == last {
			continue
		}
		last = from + length
		if err := found(from, last); err != nil {
			return err
		}
		if time.Since(start) > b.engine {
			return errBudget("the pattern of the tokenizer")
		}
	}
	if err == nil && time.Since(start) > b.engine {
		return errBudget("the pattern of the tokenizer")
	}
	if err != nil {
		return fault.New(fault.TooLarge, "", "the pattern of the tokenizer gave up on this text").WithCause(err).
			WithHint("the pattern backtracks without end; shorten the text, or fix the file")
	}
	return nil
}
