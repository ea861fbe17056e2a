package steps

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
)

// judged runs a scenario with these Then steps, whose measurements are given: each has
// the times of two calls. It returns 0 if it passed, its output, the record, and the
// number of measurements made.
func judged(t *testing.T, measurements [][2]time.Duration, thens string) (status int, out string, record *Record, measured int) {
	t.Helper()
	return judgedBy(t, &Setup{}, measurements, thens)
}

// judgedBy is judged with the flags of a setup.
func judgedBy(t *testing.T, flags *Setup, measurements [][2]time.Duration, thens string) (status int, out string, record *Record, measured int) {
	t.Helper()
	setup := &Setup{
		TimeNotJudged: flags.TimeNotJudged, MemoryNotJudged: flags.MemoryNotJudged,
		LaterRounds: flags.LaterRounds,
		pause:       func() {},
		Plan:        bench.Plan{Iterations: 2},
		Loader:      OneAnswer(func() (any, error) { return map[string]any{"x": 1}, nil }),
		bench: func(_ context.Context, plan bench.Plan, call func() (any, error)) (*bench.Measurement, error) {
			answer, err := call()
			require.NoError(t, err)
			require.Less(t, measured, len(measurements), "measured more often than it should be")
			m := measurements[measured]
			measured++
			return &bench.Measurement{Plan: plan, Calls: m[:], FirstAnswer: answer, LastAnswer: answer}, nil
		},
	}
	status, out, record = runScenario(t, setup, "Feature: f\n  Scenario: s\n    When the model info is read\n    Then "+thens)
	require.NotNil(t, record)
	return status, out, record, measured
}

const ms = time.Millisecond

func TestABoundThatIsExceededIsMeasuredAgain(t *testing.T) {
	status, out, record, measured := judged(t, [][2]time.Duration{{1 * ms, 9 * ms}, {1 * ms, 1 * ms}}, "the mean latency is below 2 ms")
	require.Zero(t, status, out)
	assert.Equal(t, 2, measured)
	assert.Equal(t, 0.001, record.Benchmark.MeanTime, "the figures are those of the measurement that held")
	require.Len(t, record.Benchmark.Bounds, 1)
	assert.True(t, record.Benchmark.Bounds[0].Held)
	require.Len(t, record.Warnings, 1)
	assert.Contains(t, record.Warnings[0], "within the bounds the last time only; before: mean latency 5 ms (bound: below 2 ms)")
}

func TestABoundThatIsExceededThreeTimesIsExceeded(t *testing.T) {
	status, out, record, measured := judged(t, [][2]time.Duration{{1 * ms, 9 * ms}, {1 * ms, 7 * ms}, {1 * ms, 8 * ms}}, "the mean latency is below 2 ms")
	assert.Equal(t, 1, status)
	assert.Equal(t, 3, measured)
	assert.Contains(t, out, "mean latency is 5 ms", "the first measurement is the one that is reported")
	assert.Contains(t, out, "measured 3 times, never within the bounds: mean latency 5 ms, mean latency 4 ms, mean latency 4.5 ms")
	assert.Equal(t, 3, record.Benchmark.TimesMeasured)
	require.Len(t, record.Benchmark.Bounds, 1)
	assert.False(t, record.Benchmark.Bounds[0].Held)
}

func TestBoundsThatAreNotJudgedAreCountedAndNotCalledKept(t *testing.T) {
	for _, times := range [][2]time.Duration{{9 * ms, 9 * ms}, {1 * ms, 1 * ms}} { // the bound is exceeded, or would hold
		status, out, record, measured := judgedBy(t, &Setup{TimeNotJudged: "the machine is busy"}, [][2]time.Duration{times}, "the mean latency is below 2 ms\n    And the x is 1")
		require.Zero(t, status, out)
		assert.Equal(t, 1, measured, "it is measured, once")
		assert.Equal(t, []bench.NotJudged{{Bound: "mean latency below 2 ms", Reason: "the machine is busy"}}, record.NotJudged)
		assert.Equal(t, "not judged: mean latency below 2 ms: the machine is busy", record.NotJudged[0].String())
		assert.Empty(t, record.Benchmark.Bounds, "a bound that was not judged is not reported as kept")
	}
	status, _, record, _ := judgedBy(t, &Setup{TimeNotJudged: "the machine is busy"}, [][2]time.Duration{{9 * ms, 9 * ms}}, "the mean latency is below 2 ms\n    And the x is 2")
	assert.Equal(t, 1, status, "the answer is judged all the same")
	assert.Len(t, record.NotJudged, 1)
}

func TestARelativeBoundThatIsNotJudgedNeedsNoReference(t *testing.T) {
	const bound = `the median latency is below 2 times that of "another"`
	status, _, _, _ := judgedBy(t, &Setup{}, [][2]time.Duration{{9 * ms, 9 * ms}}, bound)
	assert.Equal(t, 1, status, "it was not measured before")
	status, out, record, _ := judgedBy(t, &Setup{TimeNotJudged: "the machine is busy"}, [][2]time.Duration{{9 * ms, 9 * ms}}, bound)
	require.Zero(t, status, out)
	assert.Len(t, record.NotJudged, 1)
}

func TestMemoryIsJudgedOrNotApartFromTime(t *testing.T) {
	memory := func(setup *Setup) (int, *Record) {
		setup.Plan = bench.Plan{Iterations: 1}
		setup.Loader = OneAnswer(func() (any, error) { return map[string]any{"x": 1}, nil })
		status, _, record := runScenario(t, setup, "Feature: f\n  Scenario: s\n    When the model info is read\n    Then no more than 0 allocations are made per call\n    And the peak resident memory is below 1 kB")
		return status, record
	}
	status, record := memory(&Setup{TimeNotJudged: "the machine is busy"})
	assert.Equal(t, 1, status)
	assert.Empty(t, record.NotJudged)
	status, record = memory(&Setup{MemoryNotJudged: "the race detector allocates too"})
	assert.Zero(t, status)
	assert.Equal(t, []bench.NotJudged{
		{Bound: "no more than 0 allocations per call", Reason: "the race detector allocates too"},
		{Bound: "peak resident memory below 1 kB", Reason: "the race detector allocates too"},
		{Bound: "memory delta below 5 MB (default)", Reason: "the race detector allocates too"},
	}, record.NotJudged)
}

func TestOneMeasurementWithinTheBoundIsEnough(t *testing.T) {
	// even the fastest call of the first measurement is over the bound
	status, out, record, measured := judged(t, [][2]time.Duration{{3 * ms, 3 * ms}, {1 * ms, 1 * ms}}, "the min latency is below 2 ms")
	require.Zero(t, status, out)
	assert.Equal(t, 2, measured)
	assert.Equal(t, 2, record.Benchmark.TimesMeasured, "the results file says that the second measurement was taken")
}

func TestAScenarioIsMeasuredAgainTwiceHoweverManyBoundsItHas(t *testing.T) {
	// the first bound costs one more measurement, the second has one left
	status, out, _, measured := judged(t, [][2]time.Duration{{3 * ms, 9 * ms}, {1 * ms, 9 * ms}, {1 * ms, 8 * ms}},
		"the min latency is below 2 ms\n    And the max latency is below 5 ms")
	assert.Equal(t, 1, status)
	assert.Equal(t, 3, measured)
	assert.Contains(t, out, "measured 2 times, never within the bounds: max latency 9 ms, max latency 8 ms")
}

func TestWithLaterRoundsNothingIsMeasuredAgainWithinTheScenario(t *testing.T) {
	status, out, record, measured := judgedBy(t, &Setup{LaterRounds: true}, [][2]time.Duration{{3 * ms, 9 * ms}}, "the mean latency is below 2 ms")
	assert.Equal(t, 1, status)
	assert.Equal(t, 1, measured)
	assert.Contains(t, out, "mean latency is 6 ms")
	require.Len(t, record.Benchmark.Bounds, 1)
}

func TestAResultOfALaterRoundReplacesTheEarlierOne(t *testing.T) {
	var s store
	require.NoError(t, s.add(&bench.Result{Name: "a", MeanTime: 1}))
	require.NoError(t, s.add(&bench.Result{Name: "b", MeanTime: 1}))
	require.ErrorContains(t, s.add(&bench.Result{Name: "a"}), "two benchmarks")
	s.nextRound()
	require.NoError(t, s.add(&bench.Result{Name: "a", MeanTime: 2}))
	require.ErrorContains(t, s.add(&bench.Result{Name: "a"}), "two benchmarks", "also in a later round")
	require.Len(t, s.all(), 2)
	assert.Equal(t, 2.0, s.all()[0].MeanTime)
	require.NoError(t, s.add(&bench.Result{Name: "a", Loader: "other"}), "of another loader")
	assert.Equal(t, []string{"a", "b"}, s.names(""))
	assert.Equal(t, []string{"a"}, s.names("other"))
}

func TestARepeatedMeasurementMustKeepAllBoundsJudgedSoFar(t *testing.T) {
	// The second measurement keeps the new bound and breaks the old one.
	status, _, record, measured := judged(t,
		[][2]time.Duration{{1 * ms, 4 * ms}, {2 * ms, 2100 * time.Microsecond}, {1 * ms, 2 * ms}},
		"the min latency is below 1.5 ms\n    And the max latency is below 3 ms")
	assert.Zero(t, status)
	assert.Equal(t, 3, measured)
	assert.Len(t, record.Benchmark.Bounds, 2)
}

func TestAnAnswerThatDiffersFromTheFirstIsAnError(t *testing.T) {
	w := newWorld(new(Setup))
	require.NoError(t, w.setResult(map[string]any{"x": 1}, nil))
	assert.NoError(t, w.checkUnchanged(map[string]any{"x": 1}))
	assert.ErrorContains(t, w.checkUnchanged(map[string]any{"x": 2}), "the answer changed")
	assert.ErrorContains(t, w.checkUnchanged(context.Canceled), "failure: context canceled")
}
