package steps_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/engine"
	"omniloader/loader/undertest"
	"omniloader/steps"
)

func TestAMissingOperationOrLoaderIsAFailure(t *testing.T) {
	_, _, out := run(t, &steps.Setup{Loader: steps.FakeLoader{}}, feature(`the x is 1`))
	assert.Contains(t, out, `the loader under test has no operation "model info"`)
	_, _, out = run(t, new(steps.Setup), feature(`the x is 1`))
	assert.Contains(t, out, "no loader to test")
}

func TestTheLoaderIsGivenTheOptionsOfTheGivenSteps(t *testing.T) {
	var got undertest.Input
	setup := &steps.Setup{Loader: steps.FakeLoader{Calls: map[string]func(context.Context, undertest.Input) (any, error){
		undertest.ModelInfo: func(_ context.Context, in undertest.Input) (any, error) {
			got = in
			return llama()
		},
	}}}
	status, _, out := run(t, setup, "Feature: f\n  Scenario: s\n    Given an empty checkpoint directory\n    And \"a\" is a model root\n    And \"b\" is a model root\n    And \"c\" is a tokenizer fallback\n    When the model info is read\n    Then the category is \"transformers\"\n")
	require.Zero(t, status, out)
	assert.Equal(t, undertest.Options{ModelRoots: []string{"a", "b"}, TokenizerFallbacks: []string{"c"}}, got.Options)
	assert.Equal(t, "models/checkpoint", got.Dir)
	assert.Empty(t, got.Root, "the checkpoint is in memory")

	status, _, out = run(t, setup, "Feature: f\n  Scenario: s\n    Given a real temporary directory\n    And the checkpoint \"gpt2\"\n    When the model info is read\n    Then the category is \"transformers\"\n")
	require.Zero(t, status, out)
	assert.NotEmpty(t, got.Root)

	dir := filepath.Join(t.TempDir(), "mine")
	require.NoError(t, os.Mkdir(dir, 0o755))
	setup.Model = dir
	status, _, out = run(t, setup, "Feature: f\n  Scenario: s\n    Given the real checkpoint\n    When the model info is read\n    Then the category is \"transformers\"\n")
	require.Zero(t, status, out)
	assert.Equal(t, dir, filepath.Join(got.Root, got.Dir), "where a loader that reads no fs.FS finds the checkpoint")
}

// hanging is a loader whose operation model info ends with its context only; the context is
// ended as soon as the operation was called.
func hanging(cancel context.CancelCauseFunc) undertest.Loader {
	return steps.FakeLoader{Calls: map[string]func(context.Context, undertest.Input) (any, error){
		undertest.ModelInfo: func(ctx context.Context, _ undertest.Input) (any, error) {
			cancel(errors.New("stopped by hand"))
			<-ctx.Done()
			return nil, fmt.Errorf("reading config.json: %w", ctx.Err())
		},
	}}
}

// The end of the run reaches an operation, and is no answer of it.
func TestTheContextOfTheRunReachesTheOperation(t *testing.T) {
	const bound = `the max latency is below 10 s` // makes the operation measured
	for _, then := range [][]string{
		{`the category is "x"`}, {`the category is "x"`, bound}, {`reading fails with "not found"`}, {`reading fails with "not found"`, bound},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		setup := &steps.Setup{Plan: bench.Plan{Iterations: 1}, Loader: hanging(cancel)}
		parsed, err := engine.Parse(ctx, "a.feature", []byte(feature(then...)))
		require.NoError(t, err)
		for s := range parsed.Scenarios() {
			var scenario *steps.Scenario
			result := steps.Engine().Run(ctx, s.Pickle, func(scope *engine.Scope) {
				scenario = setup.Register(scope)
				scope.Before(func(ctx context.Context, p *messages.Pickle) (context.Context, error) {
					return ctx, scenario.Begin(p, steps.Source{})
				})
			}, engine.Options{})
			assert.True(t, result.Interrupted, then)
			assert.ErrorIs(t, result.Steps()[1].Err, bench.ErrInterrupted, then)
			assert.Nil(t, scenario.Record().Benchmark)
		}
	}
}

func TestResultsAreThoseOfTheirLoader(t *testing.T) {
	loader := steps.OneAnswer(llama)
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 3}, Loader: loader}
	first := strings.ReplaceAll(feature(`the mean latency is below 10 s`), "Scenario: s", "Scenario: first")
	status, records, out := run(t, setup, first)
	require.Zero(t, status, out)
	assert.Empty(t, records["first"].Benchmark.Loader, "the built-in loader is not named")

	loader.Label = "other"
	other := setup.Derive(func(s *steps.Setup) { s.Loader = loader })
	status, _, out = run(t, other, feature(`the median latency is below 100000 times that of "first"`))
	assert.Equal(t, 1, status, "the benchmark of another loader is not meant")
	assert.Contains(t, out, `"first", which was not measured before this in the run`)

	status, records, out = run(t, other, first)
	require.Zero(t, status, out)
	assert.Equal(t, "other", records["first"].Benchmark.Loader)
	var keys []string
	for _, r := range setup.Results() {
		keys = append(keys, r.Key().String())
	}
	assert.Equal(t, []string{"first", "s of other", "first of other"}, keys)
}
