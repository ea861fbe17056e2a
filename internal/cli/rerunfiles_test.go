package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
