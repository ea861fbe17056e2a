package cli

import (
	"errors"
	"fmt"
	"slices"

	"omniloader/internal/outcome"
	"omniloader/loader/fault"
)

// errFailed ends a command with exit code 1. The command has already reported what
// failed.
var errFailed = errors.New("a promise does not hold")

// hintedError is an error with advice on what to do about it.
type hintedError struct {
	error
	hint string // "" for none
}

func (h hintedError) Hint() string  { return h.hint }
func (h hintedError) Unwrap() error { return h.error }

// errorWithHint makes an error for people; hint may be "".
func errorWithHint(hint, format string, args ...any) error {
	return hintedError{fmt.Errorf(format, args...), hint}
}

// flagError puts the name of a flag before an error, or before each of several.
func flagError(flag string, err error) error {
	var several interface{ Unwrap() []error }
	if !errors.As(err, &several) {
		return fmt.Errorf("%s: %w", flag, err)
	}
	var problems outcome.Problems
	for _, e := range several.Unwrap() {
		problems = append(problems, outcome.Problem{Message: flag + ": " + e.Error(), Advice: fault.HintOf(e)})
	}
	return problems
}

// complain writes an error and its hint to standard error.
func (p *program) complain(err error) {
	var problems outcome.Problems
	if !errors.As(err, &problems) {
		p.complainOnce("omniloader: "+err.Error(), fault.HintOf(err))
		return
	}
	for _, problem := range problems {
		p.complainOnce(problem.Error(), problem.Hint())
	}
}

func (p *program) complainOnce(message, hint string) {
	fmt.Fprintln(p.err, message)
	if hint != "" {
		fmt.Fprintln(p.err, "  hint: "+hint)
	}
}

// complainAllButLast writes every error but the last, and returns that one for the
// caller to return, since execute writes what a command returns. It passes over nil
// errors and those with the text of an earlier one, and gives nil where there is no other.
func (p *program) complainAllButLast(failures []error) error {
	said := map[string]bool{}
	failures = slices.DeleteFunc(failures, func(err error) bool {
		if err == nil || said[err.Error()] {
			return true
		}
		said[err.Error()] = true
		return false
	})
	if len(failures) == 0 {
		return nil
	}
	for _, err := range failures[:len(failures)-1] {
		p.complain(err)
	}
	return failures[len(failures)-1]
}

// note writes a message that is no error to standard error.
func (p *program) note(format string, args ...any) {
	fmt.Fprintf(p.err, "note: "+format+"\n", args...)
}
