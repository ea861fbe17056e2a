package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"omniloader/internal/suite"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/outcome"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// answer is what a call of the program came to.
type answer struct {
	code     int
	out, err string
}

// call runs the program with no environment variable of its own set.
func call(t *testing.T, args ...string) answer {
	t.Helper()
	for _, name := range []string{envIterations, envWarmup, envModel, envOutput} {
		if _, set := os.LookupEnv(name); set && !strings.HasPrefix(t.Name(), "TestEnvironment") {
			t.Setenv(name, "")
		}
	}
	var out, err bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(""), &out, &err)
	return answer{code, out.String(), err.String()}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

const llama = `
    Given a checkpoint with the config:
      """json
      {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
      """
    When the model info is read
`

// holds is a feature of which everything holds; one scenario is measured.
const holds = `@detection
Feature: Holds
  Scenario: plain` + llama + `    Then the architecture is "LlamaForCausalLM"

  @memory
  Scenario: measured one` + llama + `    Then the architecture is "LlamaForCausalLM"
    And the mean latency is below 10 s
`

// breaks is a feature of which one scenario fails and one is measured.
const breaks = `Feature: Breaks
  Scenario: wrong` + llama + `    Then the architecture is "GemmaForCausalLM"

  Scenario: measured one` + llama + `    Then the architecture is "LlamaForCausalLM"
    And the mean latency is below 10 s
`

func TestWhatHoldsExitsWith0(t *testing.T) {
	a := call(t, "run", write(t, "a.feature", holds))
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.out, "2 scenarios: 2 passed")
	assert.Empty(t, a.err)
}

func TestWhatBreaksExitsWith1(t *testing.T) {
	path := write(t, "a.feature", breaks)
	a := call(t, "run", path)
	assert.Equal(t, 1, a.code, a.err)
	assert.Contains(t, a.out, filepath.ToSlash(path)+":8", "the line of the step that failed")
	assert.Empty(t, a.err, "the report has said it")
}

func TestABoundThatIsExceededExitsWith1(t *testing.T) {
	if suite.RaceDetector {
		t.Skip("latencies are not judged under the race detector")
	}
	text := strings.ReplaceAll(holds, "below 10 s", "below 1 ns")
	a := call(t, "run", write(t, "a.feature", text))
	assert.Equal(t, 1, a.code, a.err)
	assert.Contains(t, a.out, "below 1 ns")
}

func TestEverythingThatCannotBeJudgedExitsWith2(t *testing.T) {
	good := write(t, "good.feature", holds)
	results := filepath.Join(t.TempDir(), "r.json")
	require.Equal(t, 0, call(t, "run", good, "--output", results).code)
	folder := t.TempDir()
	file := func(text string) string { return write(t, "x.feature", text) }
	tests := []struct {
		name    string
		args    []string
		message string
		hint    string
	}{
		{"an unknown flag", []string{"run", "--itertions", "5"}, "unknown flag: --itertions", `did you mean "--iterations"?`},
		{"an unknown flag of the bare command", []string{"--tgas", "@sae"}, "unknown flag: --tgas", `did you mean "--tags"?`},
		{"an unknown flag near none", []string{"run", "--zzzzzzzzz"}, "unknown flag: --zzzzzzzzz", "run --help"},
		{"an unknown shorthand", []string{"run", "-z"}, "unknown shorthand flag: 'z'", ""},
		{"a flag without its value", []string{"run", "--tags"}, "flag needs an argument: --tags", ""},
		{"an unknown command", []string{"insepct", "x"}, `unknown command "insepct"`, `did you mean "inspect"?`},
		{"a feature without run", []string{good}, `unknown command "` + good, "omniloader run " + good},
		{"iterations of 0", []string{"run", good, "--iterations", "0"}, `"0" for "--iterations" flag: not a whole number from 1`, ""},
		{"iterations of abc", []string{"run", good, "--iterations", "abc"}, `"abc" for "--iterations" flag: not a whole number from 1`, ""},
		{"iterations of 1.5", []string{"run", good, "--iterations=1.5"}, `"1.5" for "--iterations" flag`, ""},
		{"iterations past every number", []string{"run", good, "--iterations=99999999999999999999"}, "--iterations", ""},
		{"a negative warm-up", []string{"run", good, "--warmup=-1"}, `"-1" for "--warmup" flag: not a whole number from 0`, ""},
		{"no jobs", []string{"run", good, "--jobs=0"}, `"0" for "--jobs" flag`, ""},
		{"a mistyped tag", []string{"run", good, "--tags", "@detectoin"}, `unknown tag "@detectoin"`, `did you mean "@detection"?`},
		{"a mistyped tag behind not", []string{"run", good, "--tags", "not @memroy"}, `unknown tag "@memroy"`, `did you mean "@memory"?`},
		{"a broken tag expression", []string{"run", good, "--tags", "@memory and"}, "column 12: expected a tag", ""},
		{"godog's old tag syntax", []string{"run", good, "--tags", "~@memory"}, "is no tag", "and, or, not"},
		{"a mistyped category", []string{"run", "--category", "tokeniser"}, `unknown category "tokeniser"`, `did you mean "tokenizer"?`},
		{"nothing selected", []string{"run", good, "--tags", "@sae"}, "nothing selected", ""},
		{"nothing selected by two conditions", []string{"run", good, "--category", "memory", "--tags", "not @memory"}, "nothing selected", "joined with and"},
		{"a mistyped step", []string{"run", file(strings.Replace(holds, "When the model info is read", "When the model inf is read", 1))}, `x.feature:8: undefined step "When the model inf is read"`, `did you mean "When the model info is read"?`},
		{"a step under the wrong keyword", []string{"run", file(strings.Replace(holds, "When the model info is read", "Then the model info is read", 1))}, "undefined step", "this is a When step"},
		{"a scenario without steps", []string{"run", file("Feature: f\n  Scenario: s\n")}, `x.feature:2: "s" has no steps`, "@wip"},
		{"a feature that does not parse", []string{"run", file("Feature: f\n  Scenario: s\n    Given a\n    nonsense\n")}, `x.feature:4: "nonsense" is not possible here`, ""},
		{"an empty feature file", []string{"run", file("")}, "no feature in this file", ""},
		{"a feature that is not there", []string{"run", filepath.Join(folder, "no.feature")}, "no such feature file or folder", ""},
		{"a folder without features", []string{"run", folder}, "no feature file in this folder", ""},
		{"a line without a scenario", []string{"run", good + ":4000"}, "there is no scenario at line 4000", "the nearest is"},
		{"two benchmarks of one name", []string{"run", good, write(t, "copy.feature", holds)}, `a second benchmark called "measured_one"; the first is at`, "@benchmark:NAME"},
		{"a missing baseline", []string{"run", good, "--baseline", filepath.Join(folder, "no.json")}, "--baseline: " + filepath.Join(folder, "no.json") + ": there is no such file", "run --save-baseline " + filepath.Join(folder, "no.json")},
		{"a baseline without a name", []string{"run", good, "--baseline", ""}, "--baseline: empty", ""},
		{"a baseline that is no JSON", []string{"run", good, "--baseline", good}, "--baseline: ", ""},
		{"figures of nothing measured", []string{"run", good, "--tags", "not @memory", "--output", filepath.Join(folder, "r.json")}, "nothing selected is measured", "@benchmark"},
		{"an unknown format", []string{"run", good, "--format", "junti"}, `unknown format "junti"`, ""},
		{"a format without its file", []string{"run", good, "--format", "junit:"}, "no file", ""},
		{"two formats to standard output", []string{"run", good, "--format", "pretty", "--format", "junit"}, "both pretty and junit go to standard output", "--format junit:FILE"},
		{"two formats to one file", []string{"run", good, "--format", "pretty:" + folder + "/a", "--format", "junit:" + folder + "/./a"}, "both pretty and junit go to", ""},
		{"a format and the figures in one file", []string{"run", good, "--format", "junit:" + folder + "/a", "--output", folder + "/a"}, "--output and --format both name", ""},
		{"a format in a folder that is not there", []string{"run", good, "--format", "junit:" + folder + "/no/a.xml"}, "no folder for it", "make the folder"},
		{"figures in a folder that is not there", []string{"run", good, "--output", folder + "/no/r.json"}, "--output " + folder + "/no/r.json: no folder for it", "make the folder"},
		{"figures to a folder", []string{"run", good, "--output", folder}, "--output " + folder + ": a folder", ""},
		{"a model that is not there", []string{"run", good, "--model", folder + "/no"}, "--model: " + folder + "/no", "directory of a checkpoint"},
		{"a model that is a file", []string{"run", good, "--model", good}, "--model: " + good + ": not a directory", ""},
		{"a model without a name", []string{"run", good, "--model", ""}, "--model: empty", ""},
		{"all categories, and one", []string{"run", "--all", "--category", "sae"}, "--all takes every category", ""},
		{"only real scenarios, without a model", []string{"run", "--tags", "@real"}, "needs a real checkpoint", "--model DIR"},
		{"a Given behind the When", []string{"run", file("Feature: f\n  Scenario: s" + llama + "    Given without \"config.json\"\n    Then the model is supported\n")}, "a Given step after the When step", ""},
		{"two Whens", []string{"run", "--dry-run", file("Feature: f\n  Scenario: s" + llama + "    When support is checked\n    Then the model is supported\n")}, "2 When steps", ""},
		{"no When", []string{"run", "--dry-run", file("Feature: f\n  Scenario: s\n    Given an empty checkpoint directory\n    Then the model is supported\n")}, "0 When steps", ""},
		{"no Then", []string{"run", "--dry-run", file("Feature: f\n  Scenario: s" + llama)}, "checks nothing", ""},
		{"a mistyped step in a dry run", []string{"run", "--dry-run", file("Feature: f\n  Scenario: s\n    Given nobody\n")}, "undefined step", ""},
		{"inspect without a path", []string{"inspect"}, "found none", "omniloader inspect PATH"},
		{"inspect of what is not there", []string{"inspect", folder + "/no"}, folder + "/no: no such file", "config.json"},
		{"inspect of a file", []string{"inspect", good}, good + ": not a directory", "name its directory: " + filepath.Dir(good)},
		{"compare with one file", []string{"compare", results}, "found 1", "compare OLD NEW"},
		{"compare with a missing file", []string{"compare", results, folder + "/no.json"}, folder + "/no.json", ""},
		{"compare with no JSON", []string{"compare", good, results}, good, ""},
		{"compare in an unknown format", []string{"compare", results, results, "--format", "txet"}, `unknown format "txet"`, ""},
		{"steps with words that none has", []string{"steps", "zzzzzz"}, "no step has zzzzzz", "without words"},
		{"version with an argument", []string{"version", "x"}, "takes no arguments", "version --help"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := call(t, tt.args...)
			assert.Equal(t, 2, a.code)
			assert.Contains(t, a.err, tt.message)
			assert.Contains(t, a.err, tt.hint)
			assert.Empty(t, a.out)
		})
	}
}

func TestEnvironmentVariablesStandInForFlags(t *testing.T) {
	good := write(t, "a.feature", holds)
	out := filepath.Join(t.TempDir(), "r.json")
	t.Setenv(envIterations, "7")
	t.Setenv(envWarmup, "0")
	t.Setenv(envOutput, out)
	require.Equal(t, 0, call(t, "run", good).code)
	assert.Equal(t, 7, iterationsIn(t, out))

	other := filepath.Join(t.TempDir(), "other.json")
	require.Equal(t, 0, call(t, "run", good, "--iterations", "3", "--output", other).code)
	assert.Equal(t, 3, iterationsIn(t, other), "a flag beats its variable")
	assert.Equal(t, 7, iterationsIn(t, out), "and the variable's file is left alone")

	t.Setenv(envIterations, "")
	t.Setenv(envOutput, "")
	require.Equal(t, 0, call(t, "run", good, "--output", other).code)
	assert.Equal(t, 100, iterationsIn(t, other), "an empty variable counts as unset")
}

func TestEnvironmentVariablesAreChecked(t *testing.T) {
	good := write(t, "a.feature", holds)
	for _, tt := range []struct{ name, value, overrule string }{
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
			assert.Equal(t, 0, call(t, "run", good, tt.overrule).code, "what a flag overrules does not matter")
		})
	}
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
	assert.Equal(t, 1, call(t, "run", write(t, "a.feature", breaks), "--output", out).code)
	assert.Equal(t, 100, iterationsIn(t, out))
}

func TestABaselineJudges(t *testing.T) {
	good := write(t, "a.feature", holds)
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
	require.Equal(t, 0, call(t, "run", write(t, "a.feature", holds), "--output", base).code)
	a := call(t, "run", write(t, "b.feature", strings.Replace(holds, "measured one", "another one", 1)), "--baseline", base)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "no benchmark in common")
}

// predecessor is a results file as the predecessor wrote it.
const predecessor = `{"name": "OmniModelLoader Benchmark Suite", "timestamp": "2026-01-30T08:00:00", "python_version": "3.11.4",
 "platform": "Linux", "results": [{"name": "measured_one", "category": "memory", "iterations": 100, "total_time": %[1]s, "mean_time": %[1]s,
 "median_time": %[1]s, "std_dev": 0, "min_time": %[1]s, "max_time": %[1]s, "p95_time": %[1]s, "p99_time": %[1]s, "memory_delta_mb": 0.0,
 "metadata": {}}], "summary": {"total_benchmarks": 1, "categories": ["memory"]}}`

func TestAResultsFileOfThePredecessorCanBeTheBaseline(t *testing.T) {
	good := write(t, "a.feature", holds)
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
	good := write(t, "a.feature", holds)
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
	a := call(t, "run", write(t, "a.feature", breaks), "--format", "junit:"+dir+"/j.xml", "--format", "cucumber:"+dir+"/c.json")
	assert.Equal(t, 1, a.code)
	assert.Contains(t, a.out, "2 scenarios", "pretty stands on standard output where nothing else does")
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

func TestADryRunRunsNothing(t *testing.T) {
	a := call(t, "run", "--dry-run", write(t, "a.feature", breaks))
	assert.Equal(t, 0, a.code, a.err)
	assert.Equal(t, "2 scenarios, 7 steps, 1 benchmarks: every step is defined and unambiguous\n", a.out)
}

func TestTheBareCommandRunsTheBuiltInScenarios(t *testing.T) {
	a := call(t, "--iterations", "1", "--warmup", "0", "--category", "sae", "--format", "progress")
	assert.Contains(t, []int{0, 1}, a.code, a.err)
	assert.Contains(t, a.out, "scenarios")
}

func TestAModelServesTheRealScenarios(t *testing.T) {
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
	endless := strings.Replace(holds[strings.Index(holds, "  @memory"):], "measured one", "cut off", 1)
	path := write(t, "a.feature", holds+"\n"+endless)
	out, junit := filepath.Join(t.TempDir(), "r.json"), filepath.Join(t.TempDir(), "j.xml")
	ctx, cancel := context.WithCancel(t.Context())
	var stdout, stderr bytes.Buffer
	p := &program{out: newSink(&stdout), err: newSink(&stderr), watch: func(e outcome.Event) {
		if e.Started != nil && e.Started.Name == "cut off" {
			cancel()
		}
	}}
	code := p.execute(ctx, []string{"run", path, "--output", out, "--format", "junit:" + junit}, strings.NewReader(""))
	assert.Equal(t, 2, code)
	assert.Equal(t, "omniloader: interrupted\n  hint: what had ended by then is kept\n", stderr.String())
	assert.Equal(t, 100, iterationsIn(t, out), "the scenario before it")
	assert.FileExists(t, junit)
	assert.Contains(t, stdout.String(), "2 scenarios")
}

// goneAway is an output whose reader has left.
type goneAway struct{ writes int }

func (g *goneAway) Write([]byte) (int, error) {
	g.writes++
	return 0, &os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}
}

func TestAReaderThatLeavesIsNoError(t *testing.T) {
	out := filepath.Join(t.TempDir(), "r.json")
	gone := &goneAway{}
	var stderr bytes.Buffer
	code := run(t.Context(), []string{"run", write(t, "a.feature", holds), "--output", out}, strings.NewReader(""), gone, &stderr)
	assert.Equal(t, 0, code, stderr.String())
	assert.Equal(t, 1, gone.writes, "nothing more is written to it")
	assert.Equal(t, 100, iterationsIn(t, out), "the figures are kept")
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestAnOutputThatFailsIsAnError(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"steps"}, {"run", write(t, "a.feature", holds)}, {"--help"}, {"inspect", "--json", checkpoint(t)}, {"inspect", checkpoint(t)}} {
		var stderr bytes.Buffer
		code := run(t.Context(), args, strings.NewReader(""), full{}, &stderr)
		assert.Equal(t, 2, code, args)
		assert.Contains(t, stderr.String(), "standard output: no space left on device", args)
	}
}

func TestNoColoursWithoutATerminal(t *testing.T) {
	for _, args := range [][]string{{"run", write(t, "a.feature", breaks)}, {"steps"}, {"inspect", checkpoint(t)}} {
		a := call(t, args...)
		assert.NotContains(t, a.out+a.err, "\x1b", args)
	}
}

func TestColoursAreForTerminalsThatWantThem(t *testing.T) {
	s := &sink{terminal: true, width: 80}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	assert.True(t, s.options().Color)
	t.Setenv("TERM", "dumb")
	assert.False(t, s.options().Color)
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	assert.False(t, s.options().Color)
	assert.Equal(t, 80, s.options().Width)
}

// A directory with nothing in it keeps no promise about a real checkpoint.
func TestAnEmptyDirectoryIsNoRealCheckpoint(t *testing.T) {
	a := call(t, "run", "--model", t.TempDir(), "--tags", "@real")
	assert.Equal(t, exitBroken, a.code, a.err)
	a = call(t, "inspect", t.TempDir())
	assert.Equal(t, exitBroken, a.code, a.out)
	assert.Contains(t, a.out, "nothing-recognized")
}

// What only running shows to be the author's mistake is reported as a failure and
// ends in exit code 2: nothing was learnt about the loader.
func TestMistakesInAScenarioCannotBeJudged(t *testing.T) {
	for text, want := range map[string][2]string{
		"Feature: f\n  Scenario: s" + llama + "    Then the categry is \"asr\"\n":                                                          {`could not judge: the answer has no field "categry"`, `did you mean "category"?`},
		"Feature: f\n  Scenario: s\n    Given the checkpoint \"gtp2\"\n    When the model info is read\n    Then the model is supported\n": {"could not judge: ", `did you mean "gpt2"?`},
		"Feature: f\n  Scenario: s" + llama + "    Then reading fails with \"not fond\"\n":                                                 {"could not judge: ", `did you mean "not found"?`},
	} {
		a := call(t, "run", write(t, "x.feature", text))
		assert.Equal(t, exitUnable, a.code, a.out)
		assert.Contains(t, a.err, want[0])
		assert.Contains(t, a.err, want[1])
	}
}
