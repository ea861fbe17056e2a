package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/suite"
)

func TestAPassingFeatureExitsWith0(t *testing.T) {
	a := call(t, "run", write(t, "a.feature", passingFeature))
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.out, "2 scenarios: 2 passed")
	assert.Empty(t, a.err)
}

func TestAFailingFeatureExitsWith1(t *testing.T) {
	path := write(t, "a.feature", failingFeature)
	a := call(t, "run", path)
	assert.Equal(t, 1, a.code, a.err)
	assert.Contains(t, a.out, filepath.ToSlash(path)+":8", "the line of the step that failed")
	assert.Empty(t, a.err, "the report has the error already")
}

func TestABoundThatIsExceededExitsWith1(t *testing.T) {
	if suite.RaceDetector {
		t.Skip("latencies are not judged under the race detector")
	}
	text := strings.ReplaceAll(passingFeature, "below 10 s", "below 1 ns")
	a := call(t, "run", write(t, "a.feature", text))
	assert.Equal(t, 1, a.code, a.err)
	assert.Contains(t, a.out, "below 1 ns")
}

func TestEnvironmentVariablesAreUsedWhereFlagsAreNotGiven(t *testing.T) {
	good := write(t, "a.feature", passingFeature)
	out := filepath.Join(t.TempDir(), "r.json")
	t.Setenv(envIterations, "7")
	t.Setenv(envWarmup, "0")
	t.Setenv(envOutput, out)
	require.Equal(t, 0, call(t, "run", good).code)
	assert.Equal(t, 7, iterationsIn(t, out))

	other := filepath.Join(t.TempDir(), "other.json")
	require.Equal(t, 0, call(t, "run", good, "--iterations", "3", "--output", other).code)
	assert.Equal(t, 3, iterationsIn(t, other), "a flag takes precedence over its variable")
	assert.Equal(t, 7, iterationsIn(t, out), "and the file of the variable is not written")

	t.Setenv(envIterations, "")
	t.Setenv(envOutput, "")
	require.Equal(t, 0, call(t, "run", good, "--output", other).code)
	assert.Equal(t, 100, iterationsIn(t, other), "an empty variable counts as unset")
}

func TestEnvironmentVariablesAreChecked(t *testing.T) {
	good := write(t, "a.feature", passingFeature)
	for _, tt := range []struct{ name, value, flag string }{
		{envIterations, "0", "--iterations=1"},
		{envIterations, "abc", "--iterations=1"},
		{envWarmup, "-1", "--warmup=0"},
		{envModel, filepath.Join(t.TempDir(), "no"), "--model=" + t.TempDir()},
	} {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			t.Setenv(tt.name, tt.value)
			a := call(t, "run", good)
			assert.Equal(t, 2, a.code)
			assert.Contains(t, a.err, "environment variable "+tt.name)
			assert.Contains(t, a.err, "  hint: ")
			assert.Equal(t, 0, call(t, "run", good, tt.flag).code, "the variable does not matter where the flag is given")
		})
	}
}

func TestAMistypedVariableIsRefused(t *testing.T) {
	good := write(t, "a.feature", passingFeature)
	for name, want := range map[string]string{
		"OMNILOADER_OUTPT": envOutput, "BENCHMARK_ITERATION": envIterations, "BENCHMARK_WRAMUP": envWarmup, "TEST_MODEL_PAHT": envModel,
		"omniloader_output": envOutput, "OMNILOADER_JUDGETIME": envJudgeTime,
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "")
			assert.Equal(t, 0, call(t, "run", good).code, "an empty variable counts as unset")
			t.Setenv(name, "1")
			a := call(t, "run", good)
			assert.Equal(t, 2, a.code)
			assert.Contains(t, a.err, "environment variable "+name+": it is not read\n  hint: did you mean \""+want+"\"?")
			assert.Empty(t, a.out)
			_, err := ReadEnvironment()
			assert.ErrorContains(t, err, name, "under go test and godog too")
		})
	}
	t.Setenv("OMNILOADER_OUTPT", "x")
	assert.Equal(t, 0, call(t, "run", good, "--output", filepath.Join(t.TempDir(), "r.json")).code, "the flag counts")
	t.Setenv("OMNILOADER_OUTPT", "")
	t.Setenv("OMNILOADER_MODEL", "x")
	a := call(t, "tokenize", checkpoint(t), "hello")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, `did you mean "OMNILOADER_MODELS"?`)
}

func TestAFlagThatIsGivenTwiceIsRefused(t *testing.T) {
	good := write(t, "a.feature", passingFeature)
	for _, command := range [][]string{
		{"run", good, "--output"}, {"run", good, "--baseline"}, {"run", good, "--save-baseline"}, {"run", good, "--run-file"},
		{"run", good, "--architectures"}, {"--output"}, {"record", good, "--output"}, {"inspect", good, "--architectures"},
		{"bench", "--output"}, {"selftest", "noise", "--output"}, {"run", good, "--tags"}, {"run", good, "--name"},
	} {
		flag := command[len(command)-1]
		a := call(t, append(command, "first.json", flag, "second.json")...)
		assert.Equal(t, 2, a.code, command)
		assert.Contains(t, a.err, `invalid argument "second.json" for "`+flag+`" flag: the flag counts once, and was given before as "first.json"`, command)
		assert.Empty(t, a.out)
	}
}

func TestAComparisonIsWrittenAsOftenAsItIsAskedFor(t *testing.T) {
	good, dir := write(t, "a.feature", passingFeature), t.TempDir()
	base, md, js := filepath.Join(dir, "base.json"), filepath.Join(dir, "c.md"), filepath.Join(dir, "c.json")
	require.Equal(t, 0, call(t, "run", good, "--output", base).code)
	a := call(t, "run", good, "--baseline", base, "--comparison", "markdown:"+md, "--comparison", "json:"+js)
	require.Equal(t, 0, a.code, a.err)
	text, err := os.ReadFile(md)
	require.NoError(t, err)
	assert.Contains(t, string(text), "| verdict | benchmark |")
	text, err = os.ReadFile(js)
	require.NoError(t, err)
	assert.True(t, json.Valid(text), string(text))
	a = call(t, "run", good, "--baseline", base, "--comparison", "markdown:"+md, "--comparison", "json:"+md)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "--comparison and --comparison both name "+md)
}

func TestOneVariableSaysWhetherTimeIsJudged(t *testing.T) {
	judged, notJudged := true, false
	for value, want := range map[string]*bool{"": nil, "1": &judged, "0": &notJudged} {
		t.Setenv(envJudgeTime, value)
		e, err := ReadEnvironment()
		require.NoError(t, err)
		assert.Equal(t, want, e.JudgeTime, value)
	}
	t.Setenv(envJudgeTime, "yes")
	_, err := ReadEnvironment()
	assert.EqualError(t, err, `environment variable OMNILOADER_JUDGE_TIME: "yes" is neither 1 nor 0`)
	assert.Equal(t, 0, call(t, "run", "--dry-run", write(t, "a.feature", passingFeature)).code, "run does not ask for it")
}

func iterationsIn(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var file struct {
		Results []struct {
			Name       string
			Iterations int
		}
		Environment map[string]any
	}
	require.NoError(t, json.Unmarshal(text, &file))
	require.Len(t, file.Results, 1)
	assert.Equal(t, "measured_one", file.Results[0].Name)
	assert.NotEmpty(t, file.Environment["cores"])
	return file.Results[0].Iterations
}

func TestFiguresAreKeptWhereAScenarioFails(t *testing.T) {
	out := filepath.Join(t.TempDir(), "r.json")
	assert.Equal(t, 1, call(t, "run", write(t, "a.feature", failingFeature), "--output", out).code)
	assert.Equal(t, 100, iterationsIn(t, out))
}

func TestARunIsJudgedByItsBaseline(t *testing.T) {
	good := write(t, "a.feature", passingFeature)
	base := filepath.Join(t.TempDir(), "base.json")
	require.Equal(t, 0, call(t, "run", good, "--output", base).code)

	slower := filepath.Join(t.TempDir(), "fast.json")
	scaleMeans(t, base, slower, 1e-6)
	a := call(t, "run", good, "--baseline", slower)
	assert.Equal(t, 1, a.code, "a million times slower than the baseline")
	assert.Contains(t, a.out, "measured_one")
	assert.Contains(t, a.out, "red")

	faster := filepath.Join(t.TempDir(), "slow.json")
	scaleMeans(t, base, faster, 1e6)
	a = call(t, "run", good, "--baseline", faster)
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.out, "green")

	a = call(t, "run", good, "--baseline", slower, "--format", "junit")
	assert.Equal(t, 1, a.code)
	assert.NotContains(t, a.out, "green", "a report for programs stays alone on standard output")
	assert.True(t, strings.HasSuffix(strings.TrimSpace(a.out), ">"), a.out)
	assert.Contains(t, a.err, "red")
}

func TestABaselineWithOtherBenchmarksCannotJudge(t *testing.T) {
	base := filepath.Join(t.TempDir(), "base.json")
	require.Equal(t, 0, call(t, "run", write(t, "a.feature", passingFeature), "--output", base).code)
	a := call(t, "run", write(t, "b.feature", strings.Replace(passingFeature, "measured one", "another one", 1)), "--baseline", base)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "no benchmark in common")
}

// predecessor is a results file as the predecessor wrote it.
const predecessor = `{"name": "OmniModelLoader Benchmark Suite", "timestamp": "2026-01-30T08:00:00", "python_version": "3.11.4",
 "platform": "Linux", "results": [{"name": "measured_one", "category": "memory", "iterations": 100, "total_time": %[1]s, "mean_time": %[1]s,
 "median_time": %[1]s, "std_dev": 0, "min_time": %[1]s, "max_time": %[1]s, "p95_time": %[1]s, "p99_time": %[1]s, "memory_delta_mb": 0.0,
 "metadata": {}}], "summary": {"total_benchmarks": 1, "categories": ["memory"]}}`

func TestAResultsFileOfThePredecessorCanBeTheBaseline(t *testing.T) {
	good := write(t, "a.feature", passingFeature)
	a := call(t, "run", good, "--baseline", write(t, "slow.json", fmt.Sprintf(predecessor, "1000")))
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.out, "green")
	a = call(t, "run", good, "--baseline", write(t, "fast.json", fmt.Sprintf(predecessor, "0.000000001")))
	assert.Equal(t, 1, a.code, a.err)
	assert.Contains(t, a.out, "red")
}

// scaleMeans writes a copy of a results file with every time multiplied.
func scaleMeans(t *testing.T, from, to string, factor float64) {
	t.Helper()
	text, err := os.ReadFile(from)
	require.NoError(t, err)
	var file map[string]any
	require.NoError(t, json.Unmarshal(text, &file))
	for _, r := range file["results"].([]any) {
		result := r.(map[string]any)
		for key, value := range result {
			if number, ok := value.(float64); ok && (strings.HasSuffix(key, "_time") || key == "std_dev") {
				result[key] = number * factor
			}
		}
	}
	text, err = json.Marshal(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, text, 0o644))
}

func TestCompare(t *testing.T) {
	good := write(t, "a.feature", passingFeature)
	base := filepath.Join(t.TempDir(), "base.json")
	require.Equal(t, 0, call(t, "run", good, "--output", base).code)
	slower := filepath.Join(t.TempDir(), "slower.json")
	scaleMeans(t, base, slower, 1.10)

	a := call(t, "compare", base, base)
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.out, "neutral")
	a = call(t, "compare", base, slower)
	assert.Equal(t, 1, a.code, a.err)
	assert.Contains(t, a.out, "red")
	a = call(t, "compare", slower, base)
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.out, "green")

	a = call(t, "compare", "--format", "json", base, slower)
	assert.Equal(t, 1, a.code)
	assert.True(t, json.Valid([]byte(a.out)), a.out)
	a = call(t, "compare", "--format", "markdown", base, slower)
	assert.Equal(t, 1, a.code)
	assert.Contains(t, a.out, "|")
}

func TestFormatsGoToTheirFiles(t *testing.T) {
	dir := t.TempDir()
	a := call(t, "run", write(t, "a.feature", failingFeature), "--format", "junit:"+dir+"/j.xml", "--format", "cucumber:"+dir+"/c.json")
	assert.Equal(t, 1, a.code)
	assert.Contains(t, a.out, "2 scenarios", "pretty goes to standard output where no other report does")
	xml, err := os.ReadFile(dir + "/j.xml")
	require.NoError(t, err)
	assert.Contains(t, string(xml), "<testsuite")
	cucumber, err := os.ReadFile(dir + "/c.json")
	require.NoError(t, err)
	assert.True(t, json.Valid(cucumber))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "no temporary file is left")
}

func TestFoldersOfFilesThatARunWritesAreMade(t *testing.T) {
	feature, dir := write(t, "a.feature", passingFeature), t.TempDir()
	t.Chdir(dir)
	require.Equal(t, 2, call(t, "run", feature, "--output", "results/x.json", "--iterations", "0").code)
	require.Equal(t, 0, call(t, "run", feature, "--output", "results/x.json", "--dry-run").code)
	assert.NoDirExists(t, "results", "nothing was written")
	a := callSampling(t, "run", feature, "--output", "results/x.json", "--save-baseline", "base/lines/b.json", "--format", "junit:reports/r.xml", "--run-file", "runs/last/run.json")
	require.Equal(t, 0, a.code, a.err)
	a = callSampling(t, "run", feature, "--baseline", "results/x.json", "--fail-on", "none", "--comparison", "markdown:compared/c.md")
	require.Equal(t, 0, a.code, a.err)
	t.Setenv(envOutput, "from/variable/r.json")
	require.Equal(t, 0, call(t, "run", feature).code)
	a = call(t, "record", tinyCheckpoint(t), "--output", "recorded/x.feature")
	require.Equal(t, 0, a.code, a.err)
	for _, file := range []string{"results/x.json", "base/lines/b.json", "reports/r.xml", "runs/last/run.json", "compared/c.md", "from/variable/r.json", "recorded/x.feature"} {
		assert.FileExists(t, file)
	}
}

func TestADryRunRunsNothing(t *testing.T) {
	a := call(t, "run", "--dry-run", write(t, "a.feature", failingFeature))
	assert.Equal(t, 0, a.code, a.err)
	assert.Equal(t, "2 scenarios, 7 steps, 1 benchmark: every step is defined and unambiguous\n", a.out)
}

func TestTheBareCommandRunsTheBuiltInScenarios(t *testing.T) {
	a := call(t, "--iterations", "1", "--warmup", "0", "--category", "sae", "--format", "progress")
	assert.Contains(t, []int{0, 1}, a.code, a.err)
	assert.Contains(t, a.out, "scenarios")
}

func TestRealScenariosRunOnTheGivenModel(t *testing.T) {
	text := "Feature: f\n  @real\n  Scenario: r\n    Given the real checkpoint\n    When the model info is read\n    Then the architecture is \"LlamaForCausalLM\"\n" +
		"  Scenario: other" + llama + "    Then the architecture is \"LlamaForCausalLM\"\n"
	path := write(t, "a.feature", text)
	a := call(t, "run", path)
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.out, "1 skipped")
	assert.Contains(t, a.err, "1 scenario tagged @real was skipped; --model DIR")

	a = call(t, "run", path, "--model", checkpoint(t))
	assert.Equal(t, 0, a.code, a.out+a.err)
	assert.Contains(t, a.out, "2 scenarios: 2 passed")
	assert.Empty(t, a.err)
}

func TestAnInterruptedRunKeepsItsFigures(t *testing.T) {
	path := write(t, "a.feature", interruptedFeature)
	out, junit := filepath.Join(t.TempDir(), "r.json"), filepath.Join(t.TempDir(), "j.xml")
	a := callInterrupted(t, "cut off", "run", path, "--output", out, "--format", "junit:"+junit)
	assert.Equal(t, 2, a.code)
	assert.Equal(t, "interrupted: 1 of 3 scenarios was not run\n  hint: what had ended is kept; --last-failed runs the others, and what failed\n", a.err)
	assert.Equal(t, 100, iterationsIn(t, out), "the scenario before it")
	text, err := os.ReadFile(junit)
	require.NoError(t, err)
	assert.Contains(t, string(text), `<error message="interrupted: 1 of 3 scenarios was not run`)
	assert.Contains(t, a.out, "2 scenarios")
}

func TestAnInterruptedRunDoesNotReplaceAnEarlierFile(t *testing.T) {
	path, out := write(t, "a.feature", interruptedFeature), filepath.Join(t.TempDir(), "r.json")
	interrupted := func() string {
		a := callInterrupted(t, "cut off", "run", path, "--output", out)
		assert.Equal(t, 2, a.code)
		assert.Contains(t, a.out, "interrupted")
		return a.err
	}
	interrupted()
	f, err := bench.ReadFile(out)
	require.NoError(t, err)
	assert.True(t, f.Interrupted)
	assert.Equal(t, path, f.Selection)

	require.Equal(t, 0, call(t, "run", write(t, "b.feature", passingFeature), "--output", out).code)
	assert.Contains(t, interrupted(), out+" is not replaced; what was measured is in "+out+".interrupted")
	f, err = bench.ReadFile(out)
	require.NoError(t, err)
	assert.False(t, f.Interrupted)
	f, err = bench.ReadFile(out + ".interrupted")
	require.NoError(t, err)
	assert.True(t, f.Interrupted)
}

// Without any file in the directory, no scenario about a real checkpoint passes.
func TestAnEmptyDirectoryIsNoRealCheckpoint(t *testing.T) {
	a := call(t, "run", "--model", t.TempDir(), "--tags", "@real")
	assert.Equal(t, exitFailed, a.code, a.err)
	a = call(t, "inspect", t.TempDir())
	assert.Equal(t, exitFailed, a.code, a.out)
	assert.Contains(t, a.out, "nothing-recognized")
}

func TestEveryOperationIsMeasuredWithCallersAtOnceWhereTheFlagAsks(t *testing.T) {
	out := filepath.Join(t.TempDir(), "r.json")
	a := call(t, "run", write(t, "a.feature", passingFeature), "--concurrency", "3", "--output", out)
	require.Equal(t, 0, a.code, a.err)
	r := resultOf(t, out, "measured_one")
	require.NotNil(t, r.Concurrency)
	assert.Equal(t, 3, r.Concurrency.Callers)
	assert.Equal(t, 100, r.Iterations, "the latency stays that of one caller")
	assert.Equal(t, 2, call(t, "run", write(t, "a.feature", passingFeature), "--concurrency", "0").code)
	assert.Equal(t, 2, call(t, "run", write(t, "a.feature", passingFeature), "--concurrency", "100000").code)
}

func TestABaselineIsNotOverwrittenByTheRunThatIsComparedWithIt(t *testing.T) {
	path, file := write(t, "a.feature", passingFeature), filepath.Join(t.TempDir(), "r.json")
	require.Equal(t, 0, call(t, "run", path, "--output", file).code)
	link := filepath.Join(t.TempDir(), "link.json")
	require.NoError(t, os.Symlink(file, link))
	before, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, flags := range [][]string{
		{"--baseline", file, "--output", file}, {"--baseline", file, "--output", link},
		{"--baseline", file, "--save-baseline", file}, {"--output", file, "--save-baseline", file},
		{"--baseline", file, "--comparison", "markdown:" + file}, {"--baseline", file, "--format", "junit:" + link},
		{"--save-baseline", file, "--format", "junit:" + file},
	} {
		a := call(t, append([]string{"run", path}, flags...)...)
		assert.Equal(t, 2, a.code, flags)
		assert.Contains(t, a.err, "both name")
	}
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestABenchmarkThatWasNotSelectedIsNotCalledRemoved(t *testing.T) {
	two := passingFeature + "\n" + strings.Replace(passingFeature[strings.Index(passingFeature, "  @memory"):], "measured one", "another", 1)
	two = strings.Replace(two, "  @memory\n  Scenario: another", "  @memory @other:one\n  Scenario: another", 1)
	path, dir := write(t, "a.feature", two), t.TempDir()
	whole, part := filepath.Join(dir, "whole.json"), filepath.Join(dir, "part.json")
	require.Equal(t, 0, call(t, "run", path, "--output", whole).code)
	require.Equal(t, 0, call(t, "run", path, "--tags", "not @other:one", "--output", part).code)
	a := call(t, "compare", "--fail-on", "none", whole, part)
	assert.Contains(t, a.out, "1 not run")
	assert.NotContains(t, a.out, "removed")
}
