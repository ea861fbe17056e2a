package suite

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one reason why scenarios cannot be judged: a feature that does not
// parse, a step nobody defined, a tag nobody carries.
type Problem struct {
	URI     string // the feature file, or "" where the problem is none of a file's
	Line    int    // in that file, from 1; 0 where it is about the whole
	Message string // what was found
	Advice  string // what to do next, or ""
}

// Error reads "features/sae.feature:12: message".
func (p Problem) Error() string {
	switch {
	case p.URI == "":
		return p.Message
	case p.Line == 0:
		return p.URI + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d: %s", p.URI, p.Line, p.Message)
}

// Hint gives what to do next, or "".
func (p Problem) Hint() string { return p.Advice }

// Problems is every reason found, in the order of files and lines. It is the
// error for whatever ends in exit code 2.
type Problems []Problem

// Error gives a line for each problem, and one for its hint below it.
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

// orNil gives the problems as an error, each once, and nil where there is none:
// an empty Problems in an error would not be nil.
func (ps Problems) orNil() error {
	if len(ps) == 0 {
		return nil
	}
	var each Problems
	for _, p := range ps {
		if !slices.Contains(each, p) {
			each = append(each, p)
		}
	}
	return each
}
