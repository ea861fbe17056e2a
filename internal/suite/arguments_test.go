package suite

import (
	"omniloader/internal/outcome"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// planOfText is the plan of a feature file on the disk.
func planOfText(t *testing.T, text string) *Plan {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.feature")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	features, err := Load(t.Context(), []string{file})
	require.NoError(t, err)
	plan, err := Select(features, Selection{})
	require.NoError(t, err)
	return plan
}

func TestEveryWrongArgumentIsAProblemOfItsLine(t *testing.T) {
	plan := planOfText(t, `Feature: f
  Scenario Outline: s
    Given the checkpoint "<preset>"
    When the model info is read
    Then reading fails with "not fond"
    And the answer is as in "a.json"
    Examples:
      | preset |
      | gpt3   |
      | gpt2   |
      | gpt4   |
`)
	err := plan.Check(t.Context())
	var problems outcome.Problems
	require.ErrorAs(t, err, &problems)
	var lines []int
	for _, p := range problems {
		lines = append(lines, p.Line)
	}
	assert.Equal(t, []int{3, 5, 6, 3}, lines, err.Error())
	assert.Contains(t, err.Error(), `a.feature:5:5: there is no kind of failure "not fond", did you mean "not found"?`)
	assert.Contains(t, err.Error(), `there is no file "a.json" beside the feature`)

	plan.Expect(nil, true)
	assert.NotContains(t, plan.Check(t.Context()).Error(), "a.json", "the run writes it")
}

func TestAnswersAreWrittenBesideTheFeature(t *testing.T) {
	plan := planOfText(t, "Feature: f\n  Scenario: s\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the category is \"x\"\n")
	scenario := plan.Scenarios()[0]
	source := plan.source(scenario)
	require.NoError(t, source.WriteFixture("sub/dir/a.json", []byte("{}")))
	text, err := source.ReadFixture("sub/dir/a.json")
	require.NoError(t, err)
	assert.Equal(t, "{}", string(text))

	dir := filepath.Dir(scenario.URI)
	outside := t.TempDir()
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "out")))
	assert.Error(t, source.WriteFixture("out/a.json", []byte("{}")), "a link that leads out of the directory")
	require.NoError(t, os.WriteFile(filepath.Join(outside, "b.json"), []byte("kept"), 0o644))
	require.NoError(t, os.Symlink(filepath.Join(outside, "b.json"), filepath.Join(dir, "b.json")))
	assert.Error(t, source.WriteFixture("b.json", []byte("{}")))
	entries, err := os.ReadDir(outside)
	require.NoError(t, err)
	assert.Len(t, entries, 1)
	text, err = os.ReadFile(filepath.Join(outside, "b.json"))
	require.NoError(t, err)
	assert.Equal(t, "kept", string(text))
}

func TestABuiltInFeatureHasNothingToWriteTo(t *testing.T) {
	features, err := LoadFS(t.Context(), os.DirFS(filepath.Dir(planOfText(t, "Feature: f\n  Scenario: s\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the category is \"x\"\n").Scenarios()[0].URI)), "features")
	require.NoError(t, err)
	plan, err := Select(features, Selection{})
	require.NoError(t, err)
	assert.Nil(t, plan.source(plan.Scenarios()[0]).WriteFixture)
	assert.NotNil(t, plan.source(plan.Scenarios()[0]).ReadFixture)
}
