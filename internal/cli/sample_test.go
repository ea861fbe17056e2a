package cli

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/child"
	"omniloader/internal/suite"
)

// samplerVariable makes the test binary run the program, as a sampling process.
const samplerVariable = "OMNILOADER_TEST_SAMPLER"

func TestMain(m *testing.M) {
	if script := os.Getenv(scriptVariable); script != "" {
		runScript(script)
	}
	if os.Getenv(killVariable) != "" && IsFreshProcess() {
		killSelf()
	}
	loaders[otherLoader] = openOther
	const collect = 400 // percent: the checkpoints become garbage, and collecting it took a tenth of the CPU
	debug.SetGCPercent(collect)
	if os.Getenv(samplerVariable) != "" || IsFreshProcess() {
		os.Exit(Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	writesRunFile = false // the working directory is in the source tree
	for _, name := range []string{envIterations, envWarmup, envModel, envPresets, envOutside, envOutput} {
		os.Unsetenv(name) // those of whoever runs the tests
	}
	os.Exit(m.Run())
}

// graceOfTest is the grace of the next callSampling, 0 for that of the suite.
var graceOfTest time.Duration

// pauses are the waits of the last callSampling, none of which takes any time.
var pauses []time.Duration

// callSampling runs the program with a very short sampling plan, in processes of its
// own.
func callSampling(t *testing.T, args ...string) result {
	t.Helper()
	return callSamplingIn(t, bench.DefaultSampling().Processes, args...)
}

// callSamplingIn is callSampling with so many processes for each run.
func callSamplingIn(t *testing.T, processes int, args ...string) result {
	t.Helper()
	pauses = nil
	plan := bench.DefaultSampling()
	plan.Rounds, plan.RoundMS, plan.VisitUS, plan.BatchUS, plan.Processes = 12, 0, 50, 5, processes
	return callProgram(t, program{
		sampling: &plan, loader: loaderOfTest, grace: graceOfTest,
		pause: func(_ context.Context, d time.Duration) { pauses = append(pauses, d) },
		sampler: func() (child.Command, error) {
			c := interruptibleCommand(os.Args[0], sampleProcess)
			c.Env = append(os.Environ(), samplerVariable+"=1")
			return c, nil
		},
	}, "", args...)
}

// sampledBaseline samples passingFeature and gives the feature and the results file.
func sampledBaseline(t *testing.T) (feature, file string) {
	t.Helper()
	feature, file = write(t, "a.feature", passingFeature), filepath.Join(t.TempDir(), "base.json")
	a := callSampling(t, "run", feature, "--save-baseline", file)
	require.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.err, "1 benchmark in 2 fresh processes")
	return feature, file
}

func TestABaselineIsSampledInProcessesOfItsOwn(t *testing.T) {
	feature, file := sampledBaseline(t)
	f, err := bench.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, 2, f.Schema)
	assert.Equal(t, 12, f.Plan.Rounds)
	assert.NotEmpty(t, cmp.Or(f.Environment[bench.LinkOrderKey], f.Environment[bench.BuildKey]))
	r := f.Result(bench.Key{Benchmark: "measured_one"})
	require.NotNil(t, r)
	require.Len(t, r.Processes, 2)
	assert.Len(t, r.Processes[0].RoundMin, 12)
	assert.Positive(t, r.FloorNS)
	assert.NotNil(t, r.Singles)
	assert.NotNil(t, r.AllocsPerOp, "memory is exact, and always measured")
	assert.Equal(t, 100, r.Iterations, "the figures of single calls keep their meaning")

	a := callSampling(t, "run", feature, "--baseline", file, "--fail-on", "none")
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.out, "old floor")
}

func TestASlowdownIsConfirmedInFreshProcessesAndExitsWith1(t *testing.T) {
	if suite.RaceDetector {
		t.Skip("latencies are not judged under the race detector")
	}
	feature, file := sampledBaseline(t)
	editResults(t, file, func(f *bench.File) { // whatever the machine does, it is not a thousand times faster
		for i := range f.Results[0].Processes {
			for j := range f.Results[0].Processes[i].RoundMin {
				f.Results[0].Processes[i].RoundMin[j] /= 1000
			}
		}
	})
	output := filepath.Join(t.TempDir(), "new.json")
	a := callSampling(t, "run", feature, "--baseline", file, "--output", output)
	assert.Equal(t, 1, a.code, a.err)
	assert.Contains(t, a.out, "red      measured_one")
	assert.Contains(t, a.err, "sampled again, as some seem slower: 1 benchmark in 2 fresh processes")
	f, err := bench.ReadFile(output)
	require.NoError(t, err)
	assert.Len(t, f.Results[0].Processes, 4, "two processes, and two to confirm")

	again := call(t, "compare", file, output)
	assert.Equal(t, 1, again.code, "the files alone give the same verdict")
	assert.Contains(t, again.out, "red      measured_one")
	assert.Equal(t, 0, call(t, "compare", "--fail-on", "none", file, output).code)
	assert.Equal(t, 1, callSampling(t, "run", feature, "--baseline", file, "--threshold", "90%").code, "a thousand times is more than 90 % too")
}

func TestManySlowerBenchmarksAreConfirmedLater(t *testing.T) {
	if suite.RaceDetector {
		t.Skip("latencies are not judged under the race detector")
	}
	feature, file := write(t, "a.feature", passingFeature+`
  @memory
  Scenario: measured two`+llama+`    Then the mean latency is below 10 s
`), filepath.Join(t.TempDir(), "base.json")
	require.Equal(t, 0, callSampling(t, "run", feature, "--save-baseline", file).code)
	editResults(t, file, func(f *bench.File) {
		require.Len(t, f.Results, 2)
		for _, r := range f.Results {
			for _, p := range r.Processes {
				for i := range p.RoundMin {
					p.RoundMin[i] /= 1000
				}
			}
		}
	})
	a := callSampling(t, "run", feature, "--baseline", file)
	assert.Equal(t, 1, a.code, a.err)
	assert.Equal(t, []time.Duration{slowPhase}, pauses)
	assert.Contains(t, a.err, "so many benchmarks seem slower that the machine may be the cause: waiting 30s")
}

func TestOneMoreAllocationIsRed(t *testing.T) {
	feature, file := sampledBaseline(t)
	editResults(t, file, func(f *bench.File) { *f.Results[0].AllocsPerOp-- })
	a := callSampling(t, "run", feature, "--baseline", file)
	assert.Equal(t, 1, a.code, a.err)
	assert.Contains(t, a.out, "allocations per call, before")
	assert.NotContains(t, a.err, "sampled again", "memory is exact")
}

func TestFilesThatAreNotComparableExitWith2(t *testing.T) {
	_, file := sampledBaseline(t)
	other := filepath.Join(t.TempDir(), "other.json")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(other, text, 0o644))
	editResults(t, other, func(f *bench.File) { f.Environment["cpu"] = "another" })
	a := call(t, "compare", file, other)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.out, "not comparable")
	assert.Contains(t, a.err, "could not judge 1 of 1 benchmark: 1 not comparable")
	assert.Equal(t, 0, call(t, "compare", "--fail-on", "red", file, other).code)
}

func TestARunWithFailuresIsNotSampled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "base.json")
	a := callSampling(t, "run", write(t, "a.feature", failingFeature), "--save-baseline", file)
	assert.Equal(t, 1, a.code, "a promise is broken, whatever else could not be done")
	assert.Contains(t, a.err, "not sampled, because 1 scenario failed")
	assert.NoFileExists(t, file)
}

func TestInvalidFlagsOfAComparison(t *testing.T) {
	for _, args := range [][]string{
		{"run", "--threshold", "5 percent"}, {"run", "--threshold", "100%"}, {"run", "--threshold", "-1%"},
		{"run", "--fail-on", "grey"}, {"run", "--save-baseline", ""}, {"run", "--save-baseline", "/dev/null/folder/x.json"},
	} {
		a := call(t, args...)
		assert.Equal(t, 2, a.code, args)
		assert.NotEmpty(t, a.err)
	}
}

func TestASampleProcessWithoutAJobIsAnError(t *testing.T) {
	a := call(t, sampleProcess)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "standard input holds no job")
}

func TestTheSelftestMeasuresNoise(t *testing.T) {
	t.Parallel()
	output := filepath.Join(t.TempDir(), "noise.json")
	a := callSamplingIn(t, 1, "selftest", "noise", "--tags", "@benchmark:architecture_detection_llama or @benchmark:architecture_detection_qwen or @benchmark:architecture_detection_phi",
		"--comparisons", "6", "--rotations", "1", "--output", output)
	require.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.out, "unchanged, called slower")
	assert.Contains(t, a.out, "of 18 (", "3 benchmarks in 6 comparisons")
	text, err := os.ReadFile(output)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"seconds_for_one_process"`)

	a = callSamplingIn(t, 1, "selftest", "noise", "--tags", "@benchmark:architecture_detection_llama", "--budget", "1ns")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "the budget of 1ns was enough for 1 run, 3 are needed")
}
