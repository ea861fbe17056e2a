package steps

import (
	"bytes"
	"context"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/cucumber/godog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
)

// judged runs a scenario with these Then steps on measurements that are given:
// each a mean of its two calls. It gives godog's status and output, the record,
// and how often was measured.
func judged(t *testing.T, measurements [][2]time.Duration, thens string) (status int, out string, record *Record, measured int) {
	t.Helper()
	return judgedBy(t, &Setup{}, measurements, thens)
}

// judgedBy does so with a setup of which only the flags are set.
func judgedBy(t *testing.T, flags *Setup, measurements [][2]time.Duration, thens string) (status int, out string, record *Record, measured int) {
	t.Helper()
	setup := &Setup{
		Instrumented: flags.Instrumented,
		pause:        func() {},
		Plan:         bench.Plan{Iterations: 2},
		Subject: func(Options) map[string]Operation {
			return map[string]Operation{ModelInfo: func(fs.FS, string) (any, error) { return map[string]any{"x": 1}, nil }}
		},
		bench: func(_ context.Context, plan bench.Plan, call func() (any, error)) (*bench.Measurement, error) {
			answer, err := call()
			require.NoError(t, err)
			require.Less(t, measured, len(measurements), "measured more often than it should be")
			m := measurements[measured]
			measured++
			return &bench.Measurement{Plan: plan, Calls: m[:], First: answer, Last: answer}, nil
		},
	}
	var b bytes.Buffer
	status = godog.TestSuite{
		ScenarioInitializer: func(sc *godog.ScenarioContext) { record = setup.Register(sc) },
		Options: &godog.Options{Strict: true, NoColors: true, Format: "pretty", Output: &b, FeatureContents: []godog.Feature{{
			Name: "a.feature", Contents: []byte("Feature: f\n  Scenario: s\n    When the model info is read\n    Then " + thens)}}},
	}.Run()
	require.NotNil(t, record)
	return status, b.String(), record, measured
}

const ms = time.Millisecond

func TestABoundThatABusyMachineExceededIsMeasuredAgain(t *testing.T) {
	status, out, record, measured := judged(t, [][2]time.Duration{{1 * ms, 9 * ms}, {1 * ms, 1 * ms}}, "the mean latency is below 2 ms")
	require.Zero(t, status, out)
	assert.Equal(t, 2, measured)
	assert.Equal(t, 0.001, record.Benchmark.MeanTime, "the figures are those of the measurement that held")
	require.Len(t, record.Benchmark.Bounds, 1)
	assert.True(t, record.Benchmark.Bounds[0].Held)
	require.Len(t, record.Warnings, 1)
	assert.Contains(t, record.Warnings[0], "mean latency is 5 ms")
}

func TestABoundThatIsExceededThreeTimesIsExceeded(t *testing.T) {
	status, out, record, measured := judged(t, [][2]time.Duration{{1 * ms, 9 * ms}, {1 * ms, 7 * ms}, {1 * ms, 8 * ms}}, "the mean latency is below 2 ms")
	assert.Equal(t, 1, status)
	assert.Equal(t, 3, measured)
	assert.Contains(t, out, "mean latency is 5 ms", "the first measurement is the one that is reported")
	require.Len(t, record.Benchmark.Bounds, 1)
	assert.False(t, record.Benchmark.Bounds[0].Held)
}

func TestLatencyIsNotJudgedWhereTheRaceDetectorSlowsIt(t *testing.T) {
	slow := [][2]time.Duration{{9 * ms, 9 * ms}}
	status, out, record, measured := judgedBy(t, &Setup{Instrumented: true}, slow, "the mean latency is below 2 ms")
	require.Zero(t, status, out)
	assert.Equal(t, 1, measured)
	require.Len(t, record.Warnings, 1)
	assert.Contains(t, record.Warnings[0], "not judged")
	assert.Empty(t, record.Benchmark.Bounds, "a bound that nobody judged did not hold")
}

func TestAnOperationThatIsTooSlowInEveryOfManyCallsIsNotMeasuredAgain(t *testing.T) {
	bound, err := bench.LatencyBelow("mean", "2 ms")
	require.NoError(t, err)
	w := newWorld(new(Setup))
	for n, want := range map[int]bool{2: true, 19: true, 20: false, 100: false} {
		w.measurement = &bench.Measurement{Calls: slices.Repeat([]time.Duration{3 * ms}, n)}
		assert.Equal(t, want, w.worthAnotherLook(bound), n)
	}
	w.measurement = &bench.Measurement{Calls: slices.Repeat([]time.Duration{3 * ms}, 100)}
	w.measurement.Calls[7] = ms
	assert.True(t, w.worthAnotherLook(bound), "one fast call shows that the machine may be to blame")
}

func TestAnotherMeasurementMustKeepTheBoundsThatHeldBefore(t *testing.T) {
	// The second measurement keeps the new bound and breaks the old one.
	status, _, record, measured := judged(t,
		[][2]time.Duration{{1 * ms, 4 * ms}, {2 * ms, 2100 * time.Microsecond}, {1 * ms, 2 * ms}},
		"the min latency is below 1.5 ms\n    And the max latency is below 3 ms")
	assert.Zero(t, status)
	assert.Equal(t, 3, measured)
	assert.Len(t, record.Benchmark.Bounds, 2)
}

func TestAMeasurementWithoutAnAnswerToCompareIsRefused(t *testing.T) {
	w := newWorld(new(Setup))
	require.NoError(t, w.take(map[string]any{"x": 1}, nil))
	assert.NoError(t, w.unchanged(map[string]any{"x": 1}))
	assert.ErrorContains(t, w.unchanged(map[string]any{"x": 2}), "the answer changed")
	assert.ErrorContains(t, w.unchanged(context.Canceled), "failure: context canceled")
}
