package engine

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
)

// PanicError is a panic in a step or a hook.
type PanicError struct {
	Value any    // what was panicked with
	Stack string // the calls that led there, innermost first: a function, then its file and line
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap gives the error that was panicked with, if it was one.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// ErrGoexit is the error of a step that ended its goroutine, as FailNow of a
// testing.T does.
var ErrGoexit = errors.New("the step ended its goroutine")

// unwound gives the error of a call that did not return, from what recover gave in
// a function deferred by it.
func unwound(recovered any) error {
	if recovered == nil {
		return ErrGoexit
	}
	return &PanicError{Value: recovered, Stack: stack()}
}

// maxFrames bounds the stack that is kept of a panic: a runaway recursion has
// millions of calls.
const maxFrames = 64

// enginePackage is the path of this package, with a dot behind it.
var enginePackage = reflect.TypeFor[Engine]().PkgPath() + "."

// callsOut says whether a function of this package calls the functions of steps and hooks.
func callsOut(function string) bool {
	return function == enginePackage+"(*function).call" || function == enginePackage+"protected" || strings.HasPrefix(function, enginePackage+"(*attempt).")
}

// stack gives the calls between the panic and the engine.
func stack() string {
	counters := make([]uintptr, maxFrames)
	frames := runtime.CallersFrames(counters[:runtime.Callers(0, counters)])
	var lines []string
	panicked := false
	for {
		frame, more := frames.Next()
		switch {
		case !panicked && frame.Function == "runtime.gopanic":
			panicked = true
		case !panicked || len(lines) == 0 && strings.HasPrefix(frame.Function, "runtime."):
		case callsOut(frame.Function):
			more = false
		default:
			lines = append(lines, fmt.Sprintf("%s\n\t%s:%d", frame.Function, frame.File, frame.Line))
		}
		if !more {
			break
		}
	}
	for len(lines) > 0 && strings.HasPrefix(lines[len(lines)-1], "reflect.") {
		lines = lines[:len(lines)-1]
	}
	return strings.Join(lines, "\n")
}
