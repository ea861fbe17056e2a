package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/steps"
)

func usageOf(t *testing.T, args ...string) (entries []stepUsage) {
	t.Helper()
	a := call(t, append([]string{"steps", "--usage", "--json"}, args...)...)
	require.Equal(t, 0, a.code, a.err)
	for line := range strings.Lines(a.out) {
		var e stepUsage
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		entries = append(entries, e)
	}
	return entries
}

func TestUsageOfSteps(t *testing.T) {
	dir := t.TempDir()
	feature := filepath.Join(dir, "a.feature")
	require.NoError(t, os.WriteFile(feature, []byte(passingFeature), 0o644))
	entries := usageOf(t, feature)
	require.Len(t, entries, len(steps.Catalogue()))
	used := map[string]int{}
	for _, e := range entries {
		assert.Nil(t, e.Mean, "nothing was run")
		used[e.Pattern] = len(e.Uses)
	}
	assert.Equal(t, 2, used[`^the model info is read$`])
	assert.Equal(t, 0, used[`^the tokenizer is read$`])
	assert.Equal(t, 2, len(entries[0].Uses), "without durations those that are used most come first")
	assert.Contains(t, call(t, "steps", "--usage", feature).err, "durations are not known: there is no run file "+filepath.Join(dir, ".omniloader", "last-run.json"))

	runFile := filepath.Join(dir, "run.json")
	require.Equal(t, 0, callWithoutJudgingTime(t, "run", feature, "--iterations", "5", "--run-file", runFile).code)
	entries = usageOf(t, feature, "--run-file", runFile)
	var before float64
	for i, e := range entries {
		if len(e.Uses) == 0 {
			assert.Nil(t, e.Mean)
			continue
		}
		require.NotNil(t, e.Mean, e.Pattern)
		assert.True(t, i == 0 || *e.Mean <= before, "slowest first")
		before = *e.Mean
		total := 0.0
		for j, use := range e.Uses {
			require.NotNil(t, use.Seconds)
			assert.True(t, j == 0 || *use.Seconds <= *e.Uses[j-1].Seconds, "slowest first")
			total += *use.Seconds
		}
		assert.InDelta(t, *e.Total, total, 1e-9)
	}
	a := call(t, "steps", "--usage", feature, "--run-file", runFile)
	assert.Contains(t, a.out, "  2 uses, mean ")
	assert.Contains(t, a.out, "--unused lists them\n")

	assert.Len(t, usageOf(t, feature+":3")[0].Uses, 1, "only the scenario at the line")
	require.NoError(t, os.WriteFile(feature, []byte(strings.Replace(passingFeature, "When the model info is read", "When all is red", 1)), 0o644))
	assert.Contains(t, call(t, "steps", "--usage", feature, "--run-file", runFile).err, "note: 1 step is undefined or ambiguous")
}

func TestUnusedSteps(t *testing.T) {
	feature := write(t, "a.feature", passingFeature)
	a := call(t, "steps", "--unused", feature)
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.out, "When the tokenizer is read\n")
	assert.NotContains(t, a.out, "When the model info is read\n")
	a = call(t, "steps", "--unused", "--json", feature)
	assert.Contains(t, a.out, `"pattern":"^the tokenizer is read$"`)

	a = call(t, "steps", "--unused") // a rule of this repository: every step is used
	assert.Equal(t, 0, a.code, a.err)
	assert.Empty(t, a.out)
	assert.Contains(t, a.err, "every step is used")
}

func TestSnippet(t *testing.T) {
	a := call(t, "steps", "--snippet", `When the moon rises over "Oslo"`)
	assert.Equal(t, 0, a.code, a.err)
	assert.Equal(t, "ctx.When(`^the moon rises over \"([^\"]*)\"$`, func(value1 string) error {\n\treturn godog.ErrPending\n})\n", a.out)
	assert.Empty(t, a.err)
	assert.Contains(t, call(t, "steps", "--snippet", "And the model is supported").err, "this step is defined already: Then ^the model is (not )?supported$")
}

func TestWrongQuestionsAboutSteps(t *testing.T) {
	for message, args := range map[string][]string{
		"--run-file is for --usage":                    {"--run-file", "x"},
		"the text of a step is one line":               {"--snippet", " "},
		`--snippet takes one text, found "moon"`:       {"--snippet", "the", "moon"},
		"--usage and --unused cannot be used together": {"--usage", "--unused"},
		"none.json: there is no such file":             {"--usage", "--run-file", "none.json"},
		"none.feature: no such feature file or folder": {"--unused", "none.feature"},
	} {
		a := call(t, append([]string{"steps"}, args...)...)
		assert.Equal(t, 2, a.code, args)
		assert.Contains(t, a.err, message)
		assert.Empty(t, a.out)
	}
}

func TestTheRowsOfAnOutlineAreOneLineOfTheUsage(t *testing.T) {
	feature := write(t, "a.feature", "Feature: f\n  Scenario Outline: of <p>\n    Given the checkpoint \"<p>\"\n    When the model info is read\n    Then the model is supported\n\n"+
		"    Examples:\n      | p |\n      | gpt2 |\n      | t5-small |\n\n  Scenario: alone\n    Given the checkpoint \"gpt2\"\n")
	a := call(t, "steps", "--usage", feature)
	assert.Contains(t, a.out, "\n  3 uses ")
	assert.Regexp(t, `a\.feature:3  of gpt2  \(2 rows\)\n +\S*a\.feature:13  alone\n\n`, a.out)
	assert.Len(t, usageOf(t, feature)[0].Uses, 3)
}
