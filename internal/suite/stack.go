package suite

import (
	"errors"
	"fmt"
	"strings"

	"omniloader/internal/engine"
)

// PanicError is the error of a step that panicked.
type PanicError struct {
	Value string // the value of the panic
	Stack string // the value and the stack
}

func (e *PanicError) Error() string {
	_, calls, _ := strings.Cut(strings.TrimPrefix(e.Stack, e.Value), "\n")
	return withStack("the step panicked: "+e.Value, calls)
}

// HungError is the error of a step that was under way when its time was up.
type HungError struct {
	Err   error
	Stack string // the calls that were under way, "" where that is not known
}

func (e *HungError) Error() string { return withStack(e.Err.Error(), e.Stack) }

func (e *HungError) Unwrap() error { return e.Err }

// Hint says what to do if nothing hangs.
func (e *HungError) Hint() string {
	if errors.Is(e.Err, ErrTimeUp) {
		return "give the run more time, or run less"
	}
	return "if it only needs longer: --timeout 5m, or a tag @timeout:5m"
}

// explain converts the errors that the engine makes of a panic and of a step that does not
// come back.
func explain(err error) error {
	var p *engine.PanicError
	if errors.As(err, &p) {
		value := fmt.Sprint(p.Value)
		return &PanicError{Value: value, Stack: value + "\n" + p.Stack}
	}
	var late *engine.TimeoutError
	if errors.As(err, &late) {
		return &HungError{Err: err, Stack: late.Stacks}
	}
	return err
}

// What the text of an error shows of a stack; the run file has all that is known.
const (
	shownGoroutines = 4
	shownCalls      = 8 // of each goroutine
)

// withStack adds the innermost calls of a stack to the text of an error.
func withStack(text, stack string) string {
	if stack == "" {
		return text
	}
	blocks := strings.Split(stack, "\n\n")
	more := max(0, len(blocks)-shownGoroutines)
	for _, block := range blocks[:len(blocks)-more] {
		lines := strings.Split(strings.TrimRight(block, "\n"), "\n")
		if most := 2 * shownCalls; len(lines) > most {
			lines = append(lines[:most:most], fmt.Sprintf("… and %d further calls", (len(lines)-most+1)/2))
		}
		text += "\n  " + strings.Join(lines, "\n  ")
	}
	if more > 0 {
		text += fmt.Sprintf("\n  … and %d further goroutines", more)
	}
	return text
}
