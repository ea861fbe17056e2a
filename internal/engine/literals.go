package engine

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// literals are texts that whatever an expression matches must have. They are
// looked for first, which is some 50 times as fast as running the expression.
type literals struct {
	prefix string // the text begins with it
	needle string // the text has it somewhere
}

// possible says whether the expression can match text at all.
func (l literals) possible(text string) bool {
	return strings.HasPrefix(text, l.prefix) && strings.Contains(text, l.needle)
}

// newLiterals reads them from a pattern that regexp compiled. Where anchors is
// false, a ^ in it is not relied on to mean the beginning of the text.
func newLiterals(pattern string, anchors bool) literals {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return literals{}
	}
	w := literalWalk{}
	w.walk(tree.Simplify())
	w.cut()
	if !anchors {
		w.prefix = ""
	}
	return literals{w.prefix, w.needle}
}

// literalWalk goes through an expression from left to right. What it has walked
// over is matched by every text that the expression matches, in this order.
type literalWalk struct {
	run            []rune // of literals that stand without a gap
	started        bool   // something was walked over
	anchored       bool   // the run begins where the text does
	prefix, needle string
}

func (w *literalWalk) walk(re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpBeginText:
		w.anchored = w.anchored || !w.started
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			w.walk(sub)
		}
		return
	case syntax.OpPlus:
		w.walk(re.Sub[0])
		w.cut()
	case syntax.OpRepeat:
		if re.Min > 0 {
			w.walk(re.Sub[0])
		}
		w.cut()
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			w.cut()
			break
		}
		for _, r := range re.Rune {
			if r == utf8.RuneError { // it matches a byte that is no UTF-8 too
				w.cut()
				continue
			}
			w.run = append(w.run, r)
		}
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
	default:
		w.cut()
	}
	w.started = true
}

// cut ends the run: what follows need not stand right behind it.
func (w *literalWalk) cut() {
	text := string(w.run)
	if w.anchored && w.prefix == "" {
		w.prefix = text
	} else if len(text) > len(w.needle) {
		w.needle = text
	}
	w.run, w.anchored, w.started = w.run[:0], false, true
}
