package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const answerFeature = `Feature: f
  Scenario: s
    Given the checkpoint "gpt2"
    When the model info is read
    Then the answer is as in "answers/gpt2.json"
`

func TestUpdateWritesTheAnswerThatAnotherRunCompares(t *testing.T) {
	t.Setenv("CI", "")
	dir := t.TempDir()
	feature := filepath.Join(dir, "a.feature")
	require.NoError(t, os.WriteFile(feature, []byte(answerFeature), 0o644))

	r := call(t, "run", "--no-run-file", feature)
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, `a.feature:5:5: there is no file "answers/gpt2.json" beside the feature: write it with "omniloader run --update"`)

	r = call(t, "run", "--no-run-file", "--update", feature)
	require.Zero(t, r.code, r.err)
	assert.Contains(t, r.err, "note: wrote ")
	assert.Contains(t, r.err, "answers/gpt2.json: look at the changes")

	r = call(t, "run", "--no-run-file", feature)
	require.Zero(t, r.code, r.err+r.out)

	file := filepath.Join(dir, "answers", "gpt2.json")
	require.NoError(t, os.WriteFile(file, []byte("{}\n"), 0o644))
	r = call(t, "run", "--no-run-file", feature)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.out, `architecture: expected nothing, got "GPT2LMHeadModel"`)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "{}\n", string(text), "a run without --update writes nothing")

	require.NoError(t, os.WriteFile(file, []byte("\n"), 0o644))
	assert.Equal(t, 2, call(t, "run", "--no-run-file", feature).code, "an empty file")
	require.Zero(t, call(t, "run", "--no-run-file", "--update", feature).code)
	require.Zero(t, call(t, "run", "--no-run-file", feature).code)
}

func TestUpdateIsRefusedWhereItMustNotWrite(t *testing.T) {
	dir := t.TempDir()
	feature := filepath.Join(dir, "a.feature")
	require.NoError(t, os.WriteFile(feature, []byte(answerFeature), 0o644))
	for _, ci := range []string{"true", "1", "woodpecker"} {
		t.Setenv("CI", ci)
		r := call(t, "run", "--no-run-file", "--update", feature)
		assert.Equal(t, 2, r.code, ci)
		assert.Contains(t, r.err, "--update: CI="+ci+" is set", ci)
	}
	t.Setenv("CI", "false")
	r := call(t, "run", "--no-run-file", "--update", "--dry-run", feature)
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, "--dry-run runs nothing")
	assert.NoDirExists(t, filepath.Join(dir, "answers"))
}

// A mistake of the author is found by a run, which does not run its scenario, and by a dry
// run.
func TestScenariosWithMistakesInStepsAreNotRun(t *testing.T) {
	for then, want := range map[string]string{
		`the architectures never contain "X"`:  `is read as a part of the name`,
		`a finding "shard-mising" is reported`: `did you mean "shard-missing"?`,
		`the category is at least 1`:           `of the kind "text"`,
		`the mean latency is below 0 s`:        `nothing can be below`,
		`the size is at least 0`:               `this checks nothing`,
	} {
		feature := filepath.Join(t.TempDir(), "a.feature")
		require.NoError(t, os.WriteFile(feature, []byte("Feature: f\n  Scenario: s\n    Given the checkpoint \"gpt2\"\n    When the checkpoint is inspected\n    Then "+then+"\n"), 0o644))
		for _, flag := range []string{"--no-run-file", "--dry-run"} {
			r := call(t, "run", flag, feature)
			assert.Equal(t, 2, r.code, then)
			assert.Contains(t, r.err, "a.feature:5:5: ", then)
			assert.Contains(t, r.err, want, then)
			assert.NotContains(t, r.out, "passed", then)
		}
	}
}
