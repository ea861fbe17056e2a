package steps

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/builtin"
)

// ran runs one scenario and returns 0 if it passed, its output, and the record.
func ran(t *testing.T, setup *Setup, lines string) (status int, out string, record *Record) {
	t.Helper()
	if setup.Loader == nil {
		setup.Loader = builtin.New("")
	}
	setup.pause = func() {}
	setup.Plan = bench.Plan{Iterations: 3, Warmup: 1}
	status, out, record = runScenario(t, setup, "Feature: f\n  Scenario: s\n"+lines)
	require.NotNil(t, record)
	return status, out, record
}

const gpt2 = "    Given the checkpoint \"gpt2\"\n"

func TestCallersAtOnceCanCallAnyOperation(t *testing.T) {
	for question, then := range map[string]string{
		"the model info is read":              `the architecture is "GPT2LMHeadModel"`,
		"the text \"hello world\" is encoded": "there are 2 ids",
		"2 copies of \"hello\" are encoded":   "the text bytes are 10",
	} {
		status, out, record := ran(t, &Setup{}, gpt2+"    When "+question+" by 3 callers at once\n    Then "+then)
		require.Zero(t, status, out)
		require.NotNil(t, record.Benchmark, "it is measured although no step bounds it")
		c := record.Benchmark.Concurrency
		require.NotNil(t, c)
		assert.Equal(t, 3, c.Callers)
		assert.Equal(t, c.P95Time, record.Benchmark.P95Time, "latencies are those that the callers see")
	}
}

func TestAWrongAnswerAmongCallersFailsTheScenario(t *testing.T) {
	var calls atomic.Int64
	setup := &Setup{Loader: OneAnswer(func() (any, error) {
		return map[string]any{"x": min(calls.Add(1), 100)/100 + 1}, nil // a different answer from the hundredth call on
	})}
	status, out, _ := ran(t, setup, gpt2+"    When the model info is read by 3 callers at once\n    Then the throughput is at least 1 operations per second")
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "an answer differs from that of the first call")
}

func TestImpossibleCallersAreRefused(t *testing.T) {
	for line, want := range map[string]string{
		"the model info is red by 3 callers at once":                            `did you mean "the model info is read"?`,
		"the model info is read by 1 callers at once":                           "write from 2 to",
		"the model info is read by 2 callers at once by 2 callers at once":      "there is no When step",
		"this text is encoded: by 3 callers at once":                            "cannot be given a text block",
		"99999999999999999999 copies of \"a\" are encoded by 2 callers at once": "is not a number",
		"4611686018427387904 copies of \"abcd\" are encoded":                    "copies are more than", // the product overflows to 0
	} {
		status, out, _ := ran(t, &Setup{}, gpt2+"    When "+line+"\n    Then the model is supported")
		assert.Equal(t, 1, status, line)
		assert.Contains(t, out, want)
	}
	status, out, _ := ran(t, &Setup{}, gpt2+"    When the model info is read\n    Then the throughput is at least 2 times that of one caller")
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "there is one caller")
	status, out, _ = ran(t, &Setup{}, gpt2+"    When the model info is read\n    Then the throughput is at least 1 operations per second")
	assert.Zero(t, status, out)
}

func TestSeveralSizesGiveAGrowthCurve(t *testing.T) {
	given := "    Given a checkpoint with a config of 10 kB, 100 kB and 1 MB\n"
	status, out, record := ran(t, &Setup{}, given+"    When the model info is read\n    Then the latency grows with an exponent below 3")
	require.Zero(t, status, out)
	g := record.Benchmark.Growth
	require.NotNil(t, g)
	assert.Len(t, g.Points, 3)
	assert.Equal(t, 1e6, g.Points[2].Bytes)

	for lines, want := range map[string]string{
		"    Given a checkpoint with a config of 10 kB\n    When the model info is read\n":            "there is one size",
		"    Given a checkpoint with a config of 100 kB and 10 kB\n    When the model info is read\n": "ascending order",
		given + "    And the config has \"x\" set to 1\n    When the model info is read\n":            "cannot be changed",
		"    Given a checkpoint with a config of 10 kB and 100 MB\n    When the model info is read\n": "too large",
	} {
		status, out, _ := ran(t, &Setup{}, lines+"    Then the latency grows with an exponent below 3")
		assert.Equal(t, 1, status)
		assert.Contains(t, out, want)
	}
}

const processBounds = "    When the model info is read\n    Then the first latency is below 50 ms\n    And the cold latency is below 80 ms\n    And the peak resident memory is below 40 MB"

func TestBoundsOnAFreshProcessAreJudged(t *testing.T) {
	var jobs []FreshJob
	setup := &Setup{Fresh: func(ctx context.Context, job FreshJob) (*bench.FreshProcess, error) {
		jobs = append(jobs, job)
		f, err := job.Do(ctx, builtin.New("")) // needs the checkpoint on the disk
		if err == nil {
			f.First, f.PeakRSS, f.PeakMissing = 0.01, 30e6, ""
		}
		if job.Cold {
			f.First, f.ColdMissing = 0.07, ""
		}
		return f, err
	}}
	status, out, record := ran(t, setup, gpt2+processBounds)
	require.Zero(t, status, out)
	require.Len(t, jobs, 2)
	assert.False(t, jobs[0].Cold)
	assert.True(t, jobs[1].Cold)
	assert.Equal(t, "builtin", jobs[0].Loader, "the process opens the same loader")
	assert.NoDirExists(t, jobs[0].Input.Root, "it is removed afterwards")
	require.Len(t, record.Benchmark.Bounds, 3)
	assert.InDelta(t, 0.07, record.Benchmark.Bounds[1].Figure, 1e-12)

	setup = &Setup{Fresh: func(context.Context, FreshJob) (*bench.FreshProcess, error) {
		return &bench.FreshProcess{First: 0.06, PeakRSS: 41e6}, nil
	}}
	status, out, _ = ran(t, setup, gpt2+"    When the model info is read\n    Then the peak resident memory is below 40 MB")
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "peak resident memory is 41 MB, bound: below 40 MB")
}

func TestABoundThatTheSystemCannotMeasureIsNotJudged(t *testing.T) {
	status, out, record := ran(t, &Setup{}, gpt2+processBounds)
	require.Zero(t, status, out)
	require.Len(t, record.NotJudged, 3)
	assert.Contains(t, record.NotJudged[0].String(), "not judged: first latency below 50 ms: no process can be started")
	assert.Empty(t, record.Benchmark.Bounds)

	status, out, record = ran(t, &Setup{Fresh: func(_ context.Context, job FreshJob) (*bench.FreshProcess, error) {
		if job.Cold {
			return &bench.FreshProcess{ColdMissing: "not allowed here"}, nil
		}
		return &bench.FreshProcess{First: 0.01, PeakMissing: "not told"}, nil
	}}, gpt2+processBounds)
	require.Zero(t, status, out)
	require.Len(t, record.NotJudged, 2)
	assert.Contains(t, record.NotJudged[0].Reason, "not allowed here")
	assert.Contains(t, record.NotJudged[1].Reason, "not told")
	assert.Len(t, record.Benchmark.Bounds, 1)
}

func TestATagLimitsTheTimedCalls(t *testing.T) {
	n, err := Iterations([]string{"@iterations:50", "@sae", "@iterations:7"})
	require.NoError(t, err)
	assert.Equal(t, 7, n)
	n, err = Iterations([]string{"@sae"})
	require.NoError(t, err)
	assert.Zero(t, n)
	for _, tag := range []string{"@iterations:", "@iterations:0", "@iterations:x", "@iterations:1.5"} {
		_, err := Iterations([]string{tag})
		assert.Error(t, err, tag)
	}
}

func TestATableOfClassesNamesItsColumns(t *testing.T) {
	status, out, _ := ran(t, &Setup{}, gpt2+"    And these classes are registered:\n      | class | kategory |\n      | A | asr |\n    When the model info is read\n    Then the model is supported")
	assert.Equal(t, 1, status)
	assert.Contains(t, out, `did you mean "category"?`)
	status, out, _ = ran(t, &Setup{Architectures: "AcmeModel\tasr\n"}, "    Given a checkpoint with the config:\n      \"\"\"\n      {\"architectures\": [\"AcmeModel\"]}\n      \"\"\"\n    When the category is detected\n    Then the category is \"asr\"")
	assert.Zero(t, status, out)
}
