package bench

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ofLoader is a result of a benchmark of a loader, "" for the built-in one.
func ofLoader(loader, benchmark string, call time.Duration) Result {
	return *NewResult(Key{Loader: loader, Benchmark: benchmark}, "x", &Measurement{Calls: []time.Duration{call, call}}, nil)
}

func TestOneBenchmarkOfTwoLoadersIsTwoResults(t *testing.T) {
	f, err := NewFile([]Result{ofLoader("", "a", 100), ofLoader("other", "a", 300)}, origin())
	require.NoError(t, err)
	var text bytes.Buffer
	require.NoError(t, f.Encode(&text))
	assert.Equal(t, 1, strings.Count(text.String(), `"loader"`), "the built-in one is not named")
	read, err := Read(&text, "r.json")
	require.NoError(t, err)
	assert.InDelta(t, 100e-9, read.Result(Key{Benchmark: "a"}).MeanTime, 1e-15)
	assert.InDelta(t, 300e-9, read.Result(Key{Loader: "other", Benchmark: "a"}).MeanTime, 1e-15)
	assert.Nil(t, read.Result(Key{Loader: "third", Benchmark: "a"}))
	assert.Equal(t, "a of other", read.Results[1].Key().String())

	_, err = NewFile([]Result{ofLoader("other", "a", 100), ofLoader("other", "a", 300)}, origin())
	assert.ErrorContains(t, err, `two results are named "a of other"`)
}

func TestAComparisonIsBetweenResultsOfOneLoader(t *testing.T) {
	old, err := NewFile([]Result{ofLoader("", "a", 100), ofLoader("other", "a", 300), ofLoader("gone", "a", 100)}, origin())
	require.NoError(t, err)
	now, err := NewFile([]Result{ofLoader("other", "a", 300), ofLoader("", "a", 500), ofLoader("new", "a", 1)}, origin())
	require.NoError(t, err)
	c, err := Compare(old, now, 0.05)
	require.NoError(t, err)
	verdicts := map[string]Verdict{}
	for i := range c.Changes {
		verdicts[c.Changes[i].Key().String()] = c.Changes[i].Verdict
	}
	assert.Equal(t, map[string]Verdict{"a": Red, "a of other": Neutral, "a of gone": Removed, "a of new": Added}, verdicts)

	only, err := NewFile([]Result{ofLoader("other", "a", 100)}, origin())
	require.NoError(t, err)
	builtin, err := NewFile([]Result{ofLoader("", "a", 100)}, origin())
	require.NoError(t, err)
	_, err = Compare(builtin, only, 0.05)
	assert.ErrorIs(t, err, ErrNothingToCompare)
}

// A run with several real checkpoints has a result of one benchmark for each.
func TestOneBenchmarkOnTwoModelsIsTwoResults(t *testing.T) {
	onModel := func(model string, call time.Duration) Result {
		return *NewResult(Key{Benchmark: "a", Model: model}, "x", &Measurement{Calls: []time.Duration{call, call}}, nil)
	}
	f, err := NewFile([]Result{onModel("gpt2", 100), onModel("llama", 300)}, origin())
	require.NoError(t, err)
	var text bytes.Buffer
	require.NoError(t, f.Encode(&text))
	read, err := Read(&text, "r.json")
	require.NoError(t, err)
	assert.InDelta(t, 300e-9, read.Result(Key{Benchmark: "a", Model: "llama"}).MeanTime, 1e-15)
	assert.Nil(t, read.Result(Key{Benchmark: "a"}))
	assert.Equal(t, "a [llama]", read.Results[1].Key().String())

	now, err := NewFile([]Result{onModel("llama", 900), onModel("gpt2", 100)}, origin())
	require.NoError(t, err)
	c, err := Compare(read, now, 0.05)
	require.NoError(t, err)
	verdicts := map[string]Verdict{}
	for i := range c.Changes {
		verdicts[c.Changes[i].Key().String()] = c.Changes[i].Verdict
	}
	assert.Equal(t, map[string]Verdict{"a [llama]": Red, "a [gpt2]": Neutral}, verdicts)

	text.Reset()
	f, err = NewFile([]Result{onModel("", 100)}, origin())
	require.NoError(t, err)
	require.NoError(t, f.Encode(&text))
	assert.NotContains(t, text.String(), `"model"`, "with one model a file is as it was")
}

func TestSamplesBelongToTheirLoader(t *testing.T) {
	mine, theirs := new(fixtureCounter).operation("a", nil), new(fixtureCounter).operation("a", nil)
	theirs.Key.Loader = "other"
	s, err := TakeSamples(t.Context(), quickPlan(), []Operation{mine, theirs}, SampleOptions{})
	require.NoError(t, err)
	assert.Equal(t, "other", s.Benchmarks[1].Loader)
	f, err := NewFile([]Result{ofLoader("", "a", 100), ofLoader("other", "a", 300)}, origin())
	require.NoError(t, err)
	require.NoError(t, f.AddSamples(quickPlan(), s))
	for i, key := range []Key{{Benchmark: "a"}, {Loader: "other", Benchmark: "a"}} {
		require.Len(t, f.Result(key).Processes, 1)
		assert.Equal(t, s.Benchmarks[i].Process.RoundMin, f.Result(key).Processes[0].RoundMin)
	}
	f, err = NewFile([]Result{ofLoader("", "a", 100)}, origin())
	require.NoError(t, err)
	assert.ErrorContains(t, f.AddSamples(quickPlan(), s), `benchmark "a of other" was sampled and has no result`)
}

// An operation that ends because its context did says nothing of its cost.
func TestACallThatEndsWithItsContextIsAnInterruption(t *testing.T) {
	interrupting := func(last int) (context.Context, func() (any, error)) {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		return ctx, func() (any, error) {
			if calls++; calls < last {
				return 1, nil
			}
			cancel()
			return nil, fmt.Errorf("reading: %w", ctx.Err())
		}
	}
	for last := range 3 { // in the warm-up, in the first timed call, in the last
		ctx, call := interrupting(1 + last)
		_, err := Measure(ctx, Plan{Iterations: 2, Warmup: 1}, call)
		assert.ErrorIs(t, err, ErrInterrupted)
		var failed *CallError
		assert.NotErrorAs(t, err, &failed)

		ctx, call = interrupting(1 + last)
		m, err := Measure(ctx, Plan{Iterations: 2, Warmup: 1}, func() (any, error) { // whose failure is the answer
			_, err := call()
			return err, nil
		})
		assert.ErrorIs(t, err, ErrInterrupted)
		assert.Nil(t, m)
	}
	ctx, call := interrupting(5)
	_, err := MeasureConcurrency(ctx, 1, 10, call, func(any) error { return nil })
	assert.ErrorIs(t, err, ErrInterrupted)
	ctx, call = interrupting(2)
	_, err = TakeSamples(ctx, quickPlan(), []Operation{{Prepare: func(context.Context) (func() (any, error), func() error, error) { return call, nil, nil }}}, SampleOptions{})
	assert.ErrorIs(t, err, ErrInterrupted)
}
