package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/engine"
)

// hangs waits for release, whatever its context says, in goroutines of its own.
func hangs(release <-chan struct{}) {
	ended := make(chan struct{}, 3)
	for range 3 {
		go func() {
			<-release
			ended <- struct{}{}
		}()
	}
	for range 3 {
		<-ended
	}
}

// abandoning registers steps that hang until the test ends. It also gives what shows that
// the abandoned calls have come back.
func abandoning(t *testing.T, more func(*engine.Scope)) (register func(*engine.Scope)) {
	release := make(chan struct{})
	returned := make(chan struct{}, 100)
	calls := 0
	hang := func() {
		calls++
		hangs(release)
		returned <- struct{}{}
	}
	t.Cleanup(func() { // the race detector watches what they do when they come back
		close(release)
		for range calls {
			<-returned
		}
	})
	return func(s *engine.Scope) {
		s.Step(`^it is quick$`, func() {})
		s.Step(`^it hangs$`, func() error { hang(); return errors.New("late") })
		s.Step(`^it hangs and panics$`, func() { hang(); panic("late") })
		s.Step(`^it hangs and changes the context$`, func(ctx context.Context) context.Context { hang(); return ctx })
		if more != nil {
			more(s)
		}
	}
}

const shortGrace = time.Millisecond

func TestAStepThatDoesNotHeedItsContextIsAbandoned(t *testing.T) {
	synctest.Test(t, aStepThatDoesNotHeedItsContextIsAbandoned)
}

func aStepThatDoesNotHeedItsContextIsAbandoned(t *testing.T) {
	hooks := 0
	register := abandoning(t, func(s *engine.Scope) {
		s.After(func(ctx context.Context, _ *messages.Pickle, _ error) (context.Context, error) {
			hooks++
			return ctx, nil
		})
	})
	for _, step := range []string{"it hangs", "it hangs and panics", "it hangs and changes the context"} {
		result := run(t, t.Context(), feature("Given it is quick", "When "+step, "Then it is quick"),
			engine.Options{Timeout: 20 * time.Millisecond, Grace: shortGrace, JudgeAll: true}, register)
		assert.Equal(t, "failed: passed failed skipped", statuses(result), step)
		assert.True(t, result.Attempts[0].Abandoned)
		assert.False(t, result.Interrupted)
		var timeout *engine.TimeoutError
		require.ErrorAs(t, result.Steps()[1].Err, &timeout)
		assert.True(t, timeout.Abandoned)
		assert.ErrorContains(t, timeout, "not done within the 20ms that the scenario has; it does not heed")
		blocks := strings.Split(timeout.Stacks, "\n\n")
		require.Len(t, blocks, 2, timeout.Stacks)
		assert.Contains(t, blocks[0], "engine_test.hangs\n\t", "the goroutine of the step comes first")
		assert.Contains(t, blocks[0], "abandon_test.go:")
		assert.NotContains(t, blocks[0], "engine.(*attempt)")
		assert.Contains(t, blocks[1], "3 goroutines:\n", "those that the step has started belong to it")
		assert.Contains(t, blocks[1], "engine_test.hangs.func1")
	}
	assert.Zero(t, hooks, "an abandoned call may use what the hook would remove")
}

func TestAHookThatHangsIsAbandoned(t *testing.T) { synctest.Test(t, aHookThatHangsIsAbandoned) }

func aHookThatHangsIsAbandoned(t *testing.T) {
	register := abandoning(t, nil)
	release := make(chan struct{})
	defer close(release)
	result := run(t, t.Context(), feature("Given it is quick"), engine.Options{Timeout: 20 * time.Millisecond, Grace: shortGrace}, func(s *engine.Scope) {
		register(s)
		s.Before(func(ctx context.Context, _ *messages.Pickle) (context.Context, error) { <-release; return ctx, nil })
	})
	assert.Equal(t, "failed: skipped", statuses(result))
	assert.ErrorContains(t, result.Attempts[0].Err, "the hook before the scenario: not done within the 20ms")
	assert.Contains(t, result.Attempts[0].Stacks, "abandon_test.go:")
}

func TestWhatHangsIsAbandonedWhenTheRunEnds(t *testing.T) {
	synctest.Test(t, whatHangsIsAbandonedWhenTheRunEnds)
}

func whatHangsIsAbandonedWhenTheRunEnds(t *testing.T) {
	register := abandoning(t, nil)
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	result := run(t, ctx, feature("When it stops", "Then it is quick"), engine.Options{Grace: shortGrace, Attempts: 3}, func(s *engine.Scope) {
		register(s)
		release := make(chan struct{})
		t.Cleanup(func() { close(release) })
		s.When(`^it stops$`, func() { cancel(stop); <-release })
	})
	assert.Equal(t, "failed: failed skipped", statuses(result))
	assert.True(t, result.Interrupted)
	assert.Len(t, result.Attempts, 1)
	assert.ErrorIs(t, result.Steps()[0].Err, stop)
	assert.Empty(t, result.Attempts[0].Stacks, "who interrupts does not ask where it hangs")

	timed, release := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer release()
	result = run(t, timed, feature("When it hangs"), engine.Options{Grace: shortGrace}, register)
	assert.True(t, result.Interrupted)
	assert.Contains(t, result.Attempts[0].Stacks, "engine_test.hangs")
}

func TestWhatComesBackWithinTheGraceIsNotAbandoned(t *testing.T) {
	synctest.Test(t, whatComesBackWithinTheGraceIsNotAbandoned)
}

func whatComesBackWithinTheGraceIsNotAbandoned(t *testing.T) {
	cleaned := false
	result := run(t, t.Context(), feature("When it is slow to stop", "Then it is quick"), engine.Options{Timeout: 20 * time.Millisecond, Grace: time.Minute}, func(s *engine.Scope) {
		s.Step(`^it is quick$`, func() {})
		s.Step(`^it is slow to stop$`, func(ctx context.Context) error { <-ctx.Done(); return errors.New("stopped") })
		s.After(func(ctx context.Context, _ *messages.Pickle, _ error) (context.Context, error) {
			cleaned = true
			return ctx, nil
		})
	})
	assert.Equal(t, "failed: failed skipped", statuses(result))
	assert.False(t, result.Attempts[0].Abandoned)
	assert.ErrorContains(t, result.Steps()[0].Err, "not done within the 20ms that the scenario has: stopped")
	assert.True(t, cleaned)
}

func TestRetrySaysWhichFailuresAreTriedAgain(t *testing.T) {
	n := 0
	result := run(t, t.Context(), feature("Given a step"), engine.Options{Attempts: 5, Retry: func(a *engine.Attempt) bool {
		return a.Steps[0].Err.Error() == "again"
	}}, func(s *engine.Scope) {
		s.Step(`^a step$`, func() error {
			if n++; n < 3 {
				return errors.New("again")
			}
			return errors.New("enough")
		})
	})
	assert.Len(t, result.Attempts, 3)
}

func TestCall(t *testing.T) {
	assert.NoError(t, engine.Call(t.Context(), shortGrace, func(context.Context) error { return nil }))
	broken := errors.New("broken")
	assert.ErrorIs(t, engine.Call(t.Context(), shortGrace, func(context.Context) error { return broken }), broken)
	var panicked *engine.PanicError
	require.ErrorAs(t, engine.Call(t.Context(), shortGrace, func(context.Context) error { panic("kaboom") }), &panicked)
	assert.Contains(t, panicked.Stack, "abandon_test.go:")

	release := make(chan struct{})
	defer close(release)
	ctx, cancel := context.WithCancelCause(t.Context())
	err := engine.Call(ctx, shortGrace, func(context.Context) error { cancel(broken); hangs(release); return nil })
	var abandoned *engine.AbandonedError
	require.ErrorAs(t, err, &abandoned)
	assert.ErrorIs(t, err, broken)
	assert.Contains(t, abandoned.Stacks, "engine_test.hangs")
}
