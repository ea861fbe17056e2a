package engine

import (
	"context"
	"time"
)

// Call calls a function that is no step, in a goroutine of its own, and waits for it. Where
// it has not come back so long after the end of ctx it is abandoned: the error is then an
// *AbandonedError with the calls that were under way, and nothing that the function gives
// or does later counts. A panic is a *PanicError.
func Call(ctx context.Context, grace time.Duration, call func(context.Context) error) error {
	label, ended := nextLabel(), make(chan error, 1)
	go func() {
		setLabel(label)
		ended <- protected(ctx, call)
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case err := <-ended:
		return err
	case <-timer.C:
		return &AbandonedError{Cause: context.Cause(ctx), Stacks: stacksOf(label)}
	}
}

// protected makes an error of a panic, and of the end of the goroutine.
func protected(ctx context.Context, call func(context.Context) error) (err error) {
	returned := false
	defer func() {
		if !returned {
			err = unwound(recover())
		}
	}()
	err = call(ctx)
	returned = true
	return err
}

// Recovered makes the error of a panic from what recover gave in the calling deferred
// function, for goroutines that a step starts: a panic there would end the program.
func Recovered(value any) *PanicError { return &PanicError{Value: value, Stack: stack()} }
