package outcome

import (
	"errors"
	"fmt"
	"strings"
)

// Problem is one reason why scenarios cannot be judged, such as a feature that cannot be
// parsed, an undefined step, or an unknown tag.
type Problem struct {
	URI     string // the feature file; "" if the problem is not in a file
	Line    int    // in that file, from 1; 0 for the file as a whole
	Column  int    // in that line, in characters from 1; 0 for the line as a whole
	Code    string // the rule that it breaks, such as "undefined-step", or ""
	Message string // what was found
	Advice  string // what to do next, or ""
}

// Error returns "features/sae.feature:12: message", or with a column
// "features/sae.feature:12:5: message".
func (p Problem) Error() string {
	switch {
	case p.URI == "":
		return p.Message
	case p.Line == 0:
		return p.URI + ": " + p.Message
	case p.Column > 0:
		return fmt.Sprintf("%s:%d:%d: %s", p.URI, p.Line, p.Column, p.Message)
	}
	return fmt.Sprintf("%s:%d: %s", p.URI, p.Line, p.Message)
}

// Hint returns what to do next, or "".
func (p Problem) Hint() string { return p.Advice }

// HintOf returns what an error says to do next, by a method Hint of it or of one that it
// wraps, or "".
func HintOf(err error) string {
	var hinter interface{ Hint() string }
	if errors.As(err, &hinter) {
		return hinter.Hint()
	}
	return ""
}

// Problems is a list of problems in the order of files and lines. It is the error of
// everything that ends in exit code 2.
type Problems []Problem

// Error returns a line for each problem, followed by one for its hint.
func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.Error())
		if p.Advice != "" {
			b.WriteString("\n  hint: " + p.Advice)
		}
	}
	return b.String()
}

// ErrOrNil returns the problems as an error, without duplicates, and nil if there are none:
// an empty Problems converted to error is not nil.
func (ps Problems) ErrOrNil() error {
	if len(ps) == 0 {
		return nil
	}
	var each Problems
	seen := make(map[Problem]bool, len(ps))
	for _, p := range ps {
		if !seen[p] {
			seen[p] = true
			each = append(each, p)
		}
	}
	return each
}
