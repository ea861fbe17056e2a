package steps_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/engine"
	"omniloader/loader/undertest"
	"omniloader/steps"
)

// abandon runs a scenario whose operation does not come back before the test ends.
func abandon(t *testing.T, setup *steps.Setup, text string, release chan struct{}, returned <-chan struct{}) {
	t.Helper()
	parsed, err := engine.Parse(t.Context(), "a.feature", []byte(text))
	require.NoError(t, err)
	for s := range parsed.Scenarios() {
		var scenario *steps.Scenario
		result := steps.Engine().Run(t.Context(), s.Pickle, func(scope *engine.Scope) {
			scenario = setup.Register(scope)
			scope.Before(func(ctx context.Context, p *messages.Pickle) (context.Context, error) {
				return ctx, scenario.Begin(p, steps.Source{})
			})
			scope.After(func(ctx context.Context, _ *messages.Pickle, _ error) (context.Context, error) {
				return ctx, errors.New("must not be called")
			})
		}, engine.Options{Timeout: 20 * time.Millisecond, Grace: time.Millisecond})
		require.True(t, result.Attempts[0].Abandoned)
		assert.Contains(t, result.Attempts[0].Stacks, "abandon_test.go")
		scenario.Abandon()
	}
	t.Cleanup(func() {
		close(release)
		<-returned
	})
}

// Nothing waits for an operation that was abandoned, whichever lock it holds, and nothing
// is measured beside it.
func TestBehindAnAbandonedOperationAnswersAreJudgedAndFiguresAreNot(t *testing.T) {
	measured := feature(`the max latency is below 10 s`)
	for name, first := range map[string]string{"that was not measured": feature(`the category is "transformers"`), "that was measured": measured} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release, returned := make(chan struct{}), make(chan struct{}, 1)
				var calls atomic.Int64
				setup := &steps.Setup{Plan: bench.Plan{Iterations: 50}, Loader: fake(func() (any, error) {
					if calls.Add(1) == 1 {
						<-release
						defer func() { returned <- struct{}{} }()
					}
					return llama()
				})}
				abandon(t, setup, first, release, returned)
				status, records, out := run(t, setup, strings.Replace(measured, "Scenario: s\n", "Scenario: next\n", 1))
				require.Zero(t, status, out)
				assert.EqualValues(t, 2, calls.Load())
				assert.Nil(t, records["next"].Benchmark)
				require.Len(t, records["next"].NotJudged, 1)
				assert.Contains(t, records["next"].NotJudged[0].Reason, "was abandoned")
				assert.Empty(t, setup.Results())

				status, _, out = run(t, setup, feature(`the category is "sae"`, `the median latency is below 2 times that of "x"`))
				assert.NotZero(t, status, "the answer is judged all the same: %s", out)

				before := calls.Load()
				many := strings.Replace(feature(`the throughput is at least 1 operations per second`), "is read", "is read by 8 callers at once", 1)
				status, _, out = run(t, setup, many)
				require.Zero(t, status, out)
				assert.EqualValues(t, 9, calls.Load()-before)
			})
		})
	}
}

func TestWhatAnAbandonedScenarioLeavesOnTheDiskIsRemoved(t *testing.T) {
	synctest.Test(t, whatAnAbandonedScenarioLeavesOnTheDiskIsRemoved)
}

func whatAnAbandonedScenarioLeavesOnTheDiskIsRemoved(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	release, returned := make(chan struct{}), make(chan struct{}, 1)
	setup := &steps.Setup{Loader: fake(func() (any, error) {
		<-release
		defer func() { returned <- struct{}{} }()
		return llama()
	})}
	abandon(t, setup, strings.Replace(feature(`the category is "transformers"`), "    Given ", "    Given a real temporary directory\n    And ", 1), release, returned)
	left := func() int {
		entries, err := os.ReadDir(temp)
		require.NoError(t, err)
		return len(entries)
	}
	assert.Equal(t, 1, left())
	setup.RemoveTemporary()
	assert.Zero(t, left())
}

// A panic in a goroutine that a step starts would end the program.
func TestAPanicOfACallerIsAFailureWithItsStack(t *testing.T) {
	for _, then := range []string{`the category is "x"`, `reading fails with "not found"`} {
		var calls atomic.Int64
		setup := &steps.Setup{Plan: bench.Plan{Iterations: 20}, Loader: fake(func() (any, error) {
			if calls.Add(1) > 25 {
				panic("kaboom")
			}
			return llama()
		})}
		text := strings.Replace(feature(then), "is read", "is read by 8 callers at once", 1)
		parsed, err := engine.Parse(t.Context(), "a.feature", []byte(text))
		require.NoError(t, err)
		for s := range parsed.Scenarios() {
			result := steps.Engine().Run(t.Context(), s.Pickle, func(scope *engine.Scope) {
				scenario := setup.Register(scope)
				scope.Before(func(ctx context.Context, p *messages.Pickle) (context.Context, error) {
					return ctx, scenario.Begin(p, steps.Source{})
				})
			}, engine.Options{})
			var panicked *engine.PanicError
			require.ErrorAs(t, result.Steps()[1].Err, &panicked)
			assert.Equal(t, "kaboom", panicked.Value)
			assert.Contains(t, panicked.Stack, "abandon_test.go:")
		}
	}
}

func TestAFirstCallThatPanicsOrHangsTellsItsStack(t *testing.T) {
	job := steps.FreshJob{Operation: undertest.ModelInfo, Input: undertest.Input{Root: t.TempDir()}, ExpectsFailure: true}
	_, err := job.Do(t.Context(), fake(func() (any, error) { panic("kaboom") }))
	assert.ErrorContains(t, err, "panic: kaboom\n")
	assert.ErrorContains(t, err, "abandon_test.go:")

	release := make(chan struct{})
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	_, err = job.Do(ctx, fake(func() (any, error) { cancel(); <-release; return nil, nil }))
	assert.ErrorContains(t, err, "abandoned, as it does not heed the end of its context")
	assert.ErrorContains(t, err, "abandon_test.go:")
}
