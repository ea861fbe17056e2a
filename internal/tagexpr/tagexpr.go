// Package tagexpr reads Cucumber tag expressions: "@sae and not (@slow or @real)".
//
// The grammar is that of the Cucumber project, loosest binding first:
//
//	expression = term { "or" term }
//	term       = factor { "and" factor }
//	factor     = "not" factor | "(" expression ")" | tag
//
// A tag is any run of characters without white space or parentheses; a
// backslash before a space, a parenthesis or a backslash takes that character
// literally. The empty expression is true for every list of tags.
//
// It does not read the older syntax with commas, ~ and &&, which has another meaning;
// the error about such an expression says so.
package tagexpr

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDepth bounds the nesting of "not" and "(", and so the stack.
const maxDepth = 100

// Expr is a parsed expression. The zero Expr is true for every list of tags.
type Expr struct {
	root node
	tags []string
}

// SyntaxError says what is wrong with an expression, and where.
type SyntaxError struct {
	Source  string // the whole expression
	Offset  int    // byte in Source where the error starts
	Message string // what was found and what was needed
	Advice  string // what to write instead, or ""
}

// Error gives the message with the column, counted in characters from 1.
func (e *SyntaxError) Error() string {
	column := utf8.RuneCountInString(e.Source[:e.Offset]) + 1
	return fmt.Sprintf("tag expression %q, column %d: %s", e.Source, column, e.Message)
}

// Hint says what to write instead; it may be empty.
func (e *SyntaxError) Hint() string { return e.Advice }

// Parse reads an expression. An error is a *SyntaxError.
func Parse(source string) (*Expr, error) {
	p := &parser{source: source}
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.kind == end {
		return &Expr{}, nil
	}
	root, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	switch p.kind {
	case end:
	case closeParen:
		return nil, p.fail("this ) has no ( before it", "")
	default:
		return nil, p.fail(fmt.Sprintf("expected and, or, or the end, found %q", p.text), oldSyntax(p.text))
	}
	return &Expr{root: root, tags: p.tags}, nil
}

// Match tells whether the expression holds for a scenario with these tags.
func (e *Expr) Match(tags []string) bool {
	return e.root == nil || e.root.match(tags)
}

// Tags gives the tags the expression names, each once, in the order they appear.
func (e *Expr) Tags() []string { return slices.Clone(e.tags) }

// Names tells whether the expression names the tag, in whatever position.
func (e *Expr) Names(tag string) bool { return slices.Contains(e.tags, tag) }

// String gives the expression with all parentheses, in a form that parses to the same
// expression; the empty one gives "".
func (e *Expr) String() string {
	if e.root == nil {
		return ""
	}
	return e.root.String()
}

type node interface {
	match(tags []string) bool
	String() string
}

type (
	tagNode string
	notNode struct{ operand node }
	andNode struct{ left, right node }
	orNode  struct{ left, right node }
)

func (n tagNode) match(tags []string) bool { return slices.Contains(tags, string(n)) }
func (n notNode) match(tags []string) bool { return !n.operand.match(tags) }
func (n andNode) match(tags []string) bool { return n.left.match(tags) && n.right.match(tags) }
func (n orNode) match(tags []string) bool  { return n.left.match(tags) || n.right.match(tags) }

func (n notNode) String() string { return "not ( " + n.operand.String() + " )" }
func (n andNode) String() string { return "( " + n.left.String() + " and " + n.right.String() + " )" }
func (n orNode) String() string  { return "( " + n.left.String() + " or " + n.right.String() + " )" }

func (n tagNode) String() string {
	var b strings.Builder
	for _, r := range string(n) {
		if r == '\\' || r == '(' || r == ')' || unicode.IsSpace(r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

type kind int

const (
	end kind = iota
	openParen
	closeParen
	and
	or
	not
	tag
)

type parser struct {
	source string
	pos    int // where the next token is read

	kind  kind   // of the current token
	start int    // its offset
	text  string // a tag with its escapes resolved, else as written

	tags []string
}

func (p *parser) expression(depth int) (node, error) {
	left, err := p.term(depth)
	for err == nil && p.kind == or {
		if err = p.next(); err != nil {
			return nil, err
		}
		var right node
		right, err = p.term(depth)
		left = orNode{left, right}
	}
	return left, err
}

func (p *parser) term(depth int) (node, error) {
	left, err := p.factor(depth)
	for err == nil && p.kind == and {
		if err = p.next(); err != nil {
			return nil, err
		}
		var right node
		right, err = p.factor(depth)
		left = andNode{left, right}
	}
	return left, err
}

func (p *parser) factor(depth int) (node, error) {
	if depth == maxDepth {
		return nil, p.fail(fmt.Sprintf("nested deeper than %d", maxDepth), "")
	}
	switch p.kind {
	case not:
		if err := p.next(); err != nil {
			return nil, err
		}
		operand, err := p.factor(depth + 1)
		return notNode{operand}, err
	case openParen:
		open := p.start
		if err := p.next(); err != nil {
			return nil, err
		}
		inner, err := p.expression(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.kind == end {
			p.start = open
			return nil, p.fail("this ( has no ) after it", "")
		}
		if p.kind != closeParen {
			return nil, p.fail(fmt.Sprintf("expected and, or, or ), found %q", p.text), oldSyntax(p.text))
		}
		return inner, p.next()
	case tag:
		if advice := oldSyntax(p.text); advice != "" {
			return nil, p.fail(fmt.Sprintf("%q is no tag", p.text), advice)
		}
		name := p.text
		if !slices.Contains(p.tags, name) {
			p.tags = append(p.tags, name)
		}
		return tagNode(name), p.next()
	case end:
		return nil, p.fail("expected a tag, found the end", "")
	default:
		return nil, p.fail(fmt.Sprintf("expected a tag, found %q", p.text), "")
	}
}

// oldSyntax gives advice where the text is in the syntax before Cucumber's tag
// expressions, which godog still reads.
func oldSyntax(text string) string {
	if strings.HasPrefix(text, "~") || strings.Contains(text, ",@") || strings.HasSuffix(text, ",") ||
		strings.Contains(text, "&&") || strings.Contains(text, "||") || strings.HasPrefix(text, "!") {
		return "write and, or, not and parentheses: \"@sae and not (@slow or @real)\""
	}
	return ""
}

// next reads the token at pos.
func (p *parser) next() error {
	for p.pos < len(p.source) {
		r, size := utf8.DecodeRuneInString(p.source[p.pos:])
		if !unicode.IsSpace(r) {
			break
		}
		p.pos += size
	}
	p.start = p.pos
	if p.pos == len(p.source) {
		p.kind, p.text = end, ""
		return nil
	}
	switch p.source[p.pos] {
	case '(':
		p.pos++
		p.kind, p.text = openParen, "("
		return nil
	case ')':
		p.pos++
		p.kind, p.text = closeParen, ")"
		return nil
	}
	return p.word()
}

// word reads a tag or an operator.
func (p *parser) word() error {
	var text strings.Builder
	for p.pos < len(p.source) {
		r, size := utf8.DecodeRuneInString(p.source[p.pos:])
		if r == '(' || r == ')' || unicode.IsSpace(r) {
			break
		}
		if r == utf8.RuneError && size == 1 {
			p.start = p.pos
			return p.fail("not valid UTF-8", "")
		}
		if r == '\\' {
			escape := p.pos
			p.pos++
			r, size = utf8.DecodeRuneInString(p.source[p.pos:])
			if r != '\\' && r != '(' && r != ')' && !unicode.IsSpace(r) {
				p.start = escape
				return p.fail(`a \ stands before a space, a parenthesis or another \ only`, `write \\ for the \ itself`)
			}
		}
		text.WriteRune(r)
		p.pos += size
	}
	p.text = text.String()
	switch p.text {
	case "and":
		p.kind = and
	case "or":
		p.kind = or
	case "not":
		p.kind = not
	default:
		p.kind = tag
	}
	return nil
}

func (p *parser) fail(message, advice string) error {
	return &SyntaxError{Source: p.source, Offset: p.start, Message: message, Advice: advice}
}
