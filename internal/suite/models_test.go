package suite

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/outcome"
	"omniloader/steps"
)

var realFeature = []string{"Feature: f", "  @real @benchmark:b", "  Scenario: a", "    When it passes", "    Then it is measured",
	"  Scenario: by its step", "    Given the real checkpoint", "    When it passes", "  Scenario: c", "    When it passes"}

func TestAScenarioThatNeedsAModelRunsOnceForEach(t *testing.T) {
	selected := func(models ...string) *Plan {
		p, err := Select(featureOf(t, realFeature...), Selection{Models: models})
		require.NoError(t, err)
		return p
	}
	assert.Equal(t, []string{"a", "by its step", "c"}, names(selected().Scenarios()))
	assert.Equal(t, []string{"a", "by its step", "c"}, names(selected("x/m").Scenarios()), "a single model is in no name")
	two := selected("x/m", "y/n")
	assert.Equal(t, []string{"a [m]", "a [n]", "by its step [m]", "by its step [n]", "c"}, names(two.Scenarios()))
	assert.Equal(t, 2, two.Benchmarks())
	assert.Equal(t, []string{"a [x/m]", "a [y/m]", "by its step [x/m]", "by its step [y/m]", "c"}, names(selected("x/m", "y/m").Scenarios()), "of equal names the whole path")

	source := two.source(two.Scenarios()[1])
	assert.Equal(t, "y/n", source.Model)
	assert.Equal(t, "n", source.ModelLabel)
	assert.Empty(t, two.source(two.Scenarios()[4]).Model)
	one := selected("x/m")
	assert.Equal(t, "x/m", one.source(one.Scenarios()[0]).Model)
	assert.Empty(t, one.source(one.Scenarios()[0]).ModelLabel)

	// The identity is that of the scenario, and the model stands beside it.
	r := two.newRecords(nil)
	assert.Equal(t, r.identities[two.Scenarios()[0]].ID(), r.identities[two.Scenarios()[1]].ID())
	assert.Equal(t, r.identities[two.Scenarios()[0]].ID(), one.newRecords(nil).identities[one.Scenarios()[0]].ID())
	assert.NotEqual(t, one.PlanHash(), two.PlanHash())
	assert.Equal(t, one.PlanHash(), selected().PlanHash())
}

func TestBenchmarksOfTwoModelsDoNotCollide(t *testing.T) {
	y := newFakeSteps()
	text := []string{"Feature: f", "  @real @benchmark:b", "  Scenario: a", "    When it passes", "    Then it is measured"}
	p, err := Select(featureOf(t, text...), Selection{Models: []string{"x", "y"}})
	require.NoError(t, err)
	p.steps = y.stepLibrary
	require.NoError(t, p.Check(t.Context()))

	twice := append(text, "  @real @benchmark:b", "  Scenario: again", "    When it passes", "    Then it is measured")
	p, err = Select(featureOf(t, twice...), Selection{Models: []string{"x", "y"}})
	require.NoError(t, err)
	p.steps = y.stepLibrary
	assert.ErrorContains(t, p.Check(t.Context()), `a second benchmark called "b [x]"`)
}

func TestModelLabels(t *testing.T) {
	assert.Equal(t, []string{""}, outcome.ModelLabels([]string{"a/b"}))
	assert.Equal(t, []string{"b", "c"}, outcome.ModelLabels([]string{"a/b", "a/c/"}))
	assert.Equal(t, []string{"a/b", "c/b", "d"}, outcome.ModelLabels([]string{"a/b", "c/b/", "d"}))
}

func TestAScenarioWhoseGivenStepsCannotWorkIsNotRun(t *testing.T) {
	p, err := Select(featureOf(t, "Feature: f", "  Scenario Outline: <p>", "    Given the checkpoint \"<p>\"", "    When the model info is read", "    Then the model is supported",
		"    Examples:", "      | p |", "      | gpt2 |", "      | gtp2 |", "      | berd |"), Selection{})
	require.NoError(t, err)
	var problems outcome.Problems
	require.ErrorAs(t, p.Check(t.Context()), &problems)
	require.Len(t, problems, 2, "one for each row")
	assert.Equal(t, outcome.Problem{URI: "a.feature", Line: 3, Column: 5, Code: "unknown-preset", Message: `there is no preset "gtp2"`, Advice: `did you mean "gpt2"?`}, problems[0])
	run, err := p.Run(t.Context(), Options{Setup: &steps.Setup{}})
	require.NoError(t, err)
	assert.ErrorContains(t, Unjudged(run), `there is no preset "berd"`)
}

func TestAStepBehindAnotherKeywordDoesNotHideThatAGivenStepCannotWork(t *testing.T) {
	p, err := Select(featureOf(t, "Feature: f", "  Scenario: a", `    When the checkpoint at "nowhere"`,
		"  Scenario: b", `    Given the checkpoint at "nowhere"`, "    When the model info is read", "    Then the model is supported"), Selection{})
	require.NoError(t, err)
	var problems outcome.Problems
	require.ErrorAs(t, p.Check(t.Context()), &problems)
	assert.True(t, slices.ContainsFunc(problems, func(p outcome.Problem) bool { return p.Line == 5 && p.Code == ruleUnusableValue }), "%v", problems)
}
