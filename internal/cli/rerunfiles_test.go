package cli

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/report"
	"omniloader/internal/runfile"
)

func TestAFileThatCouldNotBeJudgedIsRunAgain(t *testing.T) {
	const passes = "  Scenario: good" + llama + "    Then the model is supported\n"
	for name, text := range map[string]string{
		"does not parse":        "Given a\nFeature: f\n" + passes,
		"has an empty rule":     "Feature: f\n  Rule: empty\n  Rule: r\n" + passes,
		"has none but with wip": "Feature: f\n  Background:\n  @wip\n" + passes + "\n  Rule: empty\n",
	} {
		t.Run(name, func(t *testing.T) {
			feature := write(t, "a.feature", text)
			dir := t.TempDir()
			file, list := filepath.Join(dir, "run.json"), filepath.Join(dir, "failed.txt")
			run := func(args ...string) result { return call(t, append([]string{"run", "--run-file", file}, args...)...) }
			require.Equal(t, 2, run(feature, "--format", "rerun:"+list).code)
			a := run("--last-failed")
			assert.Equal(t, 2, a.code, a.err)
			assert.Contains(t, a.err, "--last-failed: 1 file that could not be judged")
			assert.Equal(t, 2, run("@"+list).code)

			require.NoError(t, os.WriteFile(feature, []byte("Feature: f\n"+passes+"  @wip\n  Scenario: later\n"), 0o644))
			a = run("--last-failed")
			assert.Equal(t, 0, a.code, a.err)
			assert.Contains(t, a.out, "1 scenario: 1 passed")
			a = run("--last-failed")
			assert.Equal(t, 0, a.code, a.err)
			assert.Contains(t, a.err, "nothing failed")
			a = run("@" + list)
			assert.Equal(t, 0, a.code, a.err)
			assert.Contains(t, a.out, "1 scenario: 1 passed")
		})
	}
}

const onModels = "Feature: f\n" +
	"  @real\n  Scenario: on a model\n    Given the real checkpoint\n    When the model info is read\n    Then the architecture is \"LlamaForCausalLM\"\n"

func TestLastFailedRunsAScenarioOnEachModel(t *testing.T) {
	feature, file := write(t, "a.feature", onModels), filepath.Join(t.TempDir(), "run.json")
	run := func(args ...string) result {
		return call(t, append([]string{"run", feature, "--run-file", file, "--model", writeNewPreset(t, "gpt2")}, args...)...)
	}
	require.Equal(t, 1, run().code)
	a := run("--last-failed")
	assert.Equal(t, 1, a.code, a.err)
	assert.Contains(t, lastLineOf(a.out), "1 scenario: 1 failed")

	more := []string{"--model", writeNewPreset(t, "llama-3-8b")}
	require.Equal(t, 1, run(more...).code)
	a = run(append(more, "--last-failed")...)
	assert.Equal(t, 1, a.code, a.err)
	assert.Contains(t, lastLineOf(a.out), "2 scenarios: 1 passed, 1 failed")
}

func TestWhatDidNotEndOnOneOfTwoModelsIsRunAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	w, err := runfile.Create(path, runfile.Header{PlanIDs: []string{"a", "a", "b"}}, []runfile.Feature{{URI: "a.feature"}}, nil)
	require.NoError(t, err)
	w.Scenario(&runfile.Scenario{ID: "a", URI: "a.feature", Model: "x", Status: "passed"})
	w.Scenario(&runfile.Scenario{ID: "b", URI: "a.feature", Status: "passed"})
	w.Close(nil)
	again, err := readRerun(path)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"a": "one that did not end"}, again.names)
	assert.Equal(t, "1 scenario: 1 did not end", again.String())
}

// A list of failures that is empty is of a run without any, and nothing else.
func TestTheListOfARunThatDidNothingIsRefused(t *testing.T) {
	feature, list := write(t, "a.feature", passingFeature), filepath.Join(t.TempDir(), "failed.txt")
	comparison := filepath.Join(t.TempDir(), "c.md")
	for _, args := range [][]string{
		{feature, "--baseline", "missing.json"}, {feature, "--tags", "@nowhere"}, {feature, "--no-such-flag"},
		{feature, "--name", "of no scenario"}, {t.TempDir()},
	} {
		require.NoError(t, os.WriteFile(comparison, []byte("of an earlier run"), 0o644))
		require.NoError(t, os.WriteFile(list, nil, 0o644))
		a := call(t, append([]string{"run", "--format", "rerun:" + list, "--comparison", "markdown:" + comparison}, args...)...)
		require.Equal(t, 2, a.code, args)
		assert.NoFileExists(t, comparison, args)
		a = call(t, "run", "@"+list)
		assert.Equal(t, 2, a.code, args)
		assert.Contains(t, a.err, "failed.txt is of a run that did nothing: ", args)
	}
	require.Equal(t, 0, call(t, "run", feature, "--format", "rerun:"+list).code)
	a := call(t, "run", "@"+list)
	assert.Equal(t, 0, a.code)
	assert.Contains(t, a.err, "names no scenario: there is nothing to run again")
}

func TestTheListOfAnInterruptedRunHasWhatWasNotRun(t *testing.T) {
	feature, dir := write(t, "a.feature", interruptedFeature), t.TempDir()
	list, again, file := filepath.Join(dir, "failed.txt"), filepath.Join(dir, "again.txt"), filepath.Join(dir, "run.json")
	require.Equal(t, 2, callInterrupted(t, "cut off", "run", feature, "--format", "rerun:"+list, "--run-file", file).code)
	text, err := os.ReadFile(list)
	require.NoError(t, err)
	assert.Equal(t, feature+":"+lineIn(t, interruptedFeature, "Scenario: cut off")+"\n", string(text))

	read, err := runfile.ReadFile(file)
	require.NoError(t, err)
	f, err := os.Create(again)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, report.Rerun(f, read.ToOutcome(), report.Options{}))
	fromFile, err := os.ReadFile(again)
	require.NoError(t, err)
	assert.Equal(t, string(text), string(fromFile))
}

// lineIn gives the number of the line of a text that has a part.
func lineIn(t *testing.T, text, part string) string {
	t.Helper()
	before, _, found := strings.Cut(text, part)
	require.True(t, found)
	return strconv.Itoa(strings.Count(before, "\n") + 1)
}

func TestLastFailedWithoutTheModelKeepsTheRunFile(t *testing.T) {
	feature, file := write(t, "a.feature", onModels), filepath.Join(t.TempDir(), "run.json")
	require.Equal(t, 1, call(t, "run", feature, "--run-file", file, "--model", writeNewPreset(t, "gpt2")).code)
	before, err := os.ReadFile(file)
	require.NoError(t, err)
	a := call(t, "run", feature, "--run-file", file, "--last-failed")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "needs a real checkpoint")
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
}

func TestADryRunCountsWhatCannotBeJudged(t *testing.T) {
	a := call(t, "run", "--dry-run", write(t, "a.feature", "Feature: f\n  @wip\n  Scenario: w\n    Given x\n  Scenario: s\n    Given the checkpoint \"gptt\"\n    When the model info is read\n    Then the model is supported\n"))
	assert.Equal(t, 2, a.code)
	assert.Equal(t, "1 scenario, 3 steps, 0 benchmarks: 1 scenario could not be judged\nleft out: 1 @wip\n", a.out)
}

func TestAFailureOnARealCheckpointShowsItsFiles(t *testing.T) {
	a := call(t, "run", write(t, "a.feature", onModels), "--model", writeNewPreset(t, "gpt2"))
	assert.Equal(t, 1, a.code)
	assert.Regexp(t, `the checkpoint \S*gpt2:\n(.*\n)* +config\.json +666 B\n`, a.out)
}
