package suite

import (
	"testing"

	messages "github.com/cucumber/messages/go/v34"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/outcome"
	"omniloader/steps"
)

func check(t *testing.T, fs []*Feature) outcome.Problems {
	t.Helper()
	p := selectAll(t, fs)
	p.steps = newFakeSteps().stepLibrary
	err := p.Check(t.Context())
	if err == nil {
		return nil
	}
	var problems outcome.Problems
	require.ErrorAs(t, err, &problems)
	return problems
}

func TestASoundFeatureHasNoProblems(t *testing.T) {
	assert.Empty(t, check(t, features(t, map[string]string{"a.feature": outline})))
}

func TestAnUndefinedStepIsAProblem(t *testing.T) {
	problems := check(t, featureOf(t, "Feature: f", "  Scenario: a", "    Given a thin \"pebble\"", "    When zzzzzzzzzzzz", "    And all is well"))
	require.Len(t, problems, 3)
	assert.Equal(t, `a.feature:3:5: undefined step "Given a thin \"pebble\""`, problems[0].Error())
	assert.Equal(t, `did you mean "Given a thing \"stone\""?`, problems[0].Advice)
	assert.Contains(t, problems[1].Advice, "omniloader steps")
	assert.Equal(t, `a.feature:5:5: undefined step "And all is well"`, problems[2].Error())
	assert.Equal(t, "this is a Then step, and is used with another keyword", problems[2].Advice)
}

func TestAnOutlinesUndefinedStepIsReportedOnce(t *testing.T) {
	problems := check(t, featureOf(t, "Feature: f", "  Background:", "    Given nobody", "  Scenario Outline: a", "    When it <what>",
		"    Examples:", "      | what   |", "      | passes |", "      | swims  |", "      | flies  |"))
	require.Len(t, problems, 2)
	assert.Equal(t, 3, problems[0].Line)
	assert.Equal(t, 5, problems[1].Line)
	assert.Contains(t, problems[1].Message, "it swims", "the first row for which it is undefined")
}

func TestAnAmbiguousStepNamesItsCandidates(t *testing.T) {
	problems := check(t, featureOf(t, "Feature: f", "  Scenario: a", "    Then a twin \"b\""))
	require.Len(t, problems, 1)
	assert.Contains(t, problems[0].Message, `ambiguous step "Then a twin \"b\""`)
	assert.Contains(t, problems[0].Message, "fake.go:12")
	assert.Contains(t, problems[0].Message, "fake.go:13")
}

func TestAnInvalidTagWithAValueIsAProblem(t *testing.T) {
	for tag, want := range map[string]string{
		"@treshold:10%": `unknown tag @treshold:10%; did you mean "@threshold:"?`, "@benchmrk:x": `did you mean "@benchmark:"?`,
		"@threshold:ten": "tag @threshold:ten: write it as", "@iterations:many": "@iterations:many",
	} {
		problems := check(t, featureOf(t, "Feature: f", "  "+tag, "  Scenario: a", "    Then all is well")) // not measured
		require.Len(t, problems, 1, tag)
		assert.Contains(t, problems[0].Message, want)
	}
	for _, tag := range []string{"@team:loaders", "@issue:12"} {
		assert.Empty(t, check(t, featureOf(t, "Feature: f", "  "+tag, "  Scenario: a", "    Then all is well")), tag)
	}
}

func TestAnEmptyScenarioIsAProblem(t *testing.T) {
	problems := check(t, featureOf(t, "Feature: f", "  Background:", "    Given a thing \"b\"", "  Scenario: a", "  Scenario: b", "    Then all is well"))
	require.Len(t, problems, 1)
	assert.Equal(t, `a.feature:4:3: "a" has no steps`, problems[0].Error())
}

func TestAnEmptyScenarioMayHaveAMistypedStep(t *testing.T) {
	problems := check(t, featureOf(t, "Feature: f", "  Scenario: a", "    Whn it passes"))
	require.Len(t, problems, 1)
	assert.Equal(t, `a.feature:3:5: this step is read as a description, and not carried out: "Whn it passes"`, problems[0].Error())
	assert.Equal(t, `did you mean "When it passes"?`, problems[0].Advice)

	problems = check(t, featureOf(t, "Feature: f", "  Scenario: a", "    Whn nobody"))
	require.Len(t, problems, 1)
	assert.Equal(t, `"Whn" is read as a description; did you mean "When"?`, problems[0].Advice)
}

func TestTwoBenchmarksOfOneNameAreAProblem(t *testing.T) {
	text := "Feature: f\n  @benchmark:same\n  Scenario: a\n    Then it is measured\n"
	problems := check(t, features(t, map[string]string{"a.feature": text, "b.feature": text}))
	require.Len(t, problems, 1)
	assert.Equal(t, `b.feature:3:3: a second benchmark called "same"; the first is at a.feature:3`, problems[0].Error())
}

func TestTheRowsOfAnOutlineNeedNamesOfTheirOwn(t *testing.T) {
	problems := check(t, featureOf(t, "Feature: f", "  @benchmark:same", "  Scenario Outline: a", "    Given a thing \"<v>\"", "    Then it is measured",
		"    Examples:", "      | v |", "      | 1 |", "      | 2 |"))
	require.Len(t, problems, 1)
	assert.Equal(t, 9, problems[0].Line)
	assert.Contains(t, problems[0].Message, "the first is at a.feature:8")

	assert.Empty(t, check(t, featureOf(t, "Feature: f", "  @benchmark:of_<v>", "  Scenario Outline: a", "    Given a thing \"<v>\"", "    Then it is measured",
		"    Examples:", "      | v |", "      | 1 |", "      | 2 |")))
}

func TestOnlySelectedScenariosAreChecked(t *testing.T) {
	assert.Empty(t, check(t, featureOf(t, "Feature: f", "  @wip", "  Scenario: a", "    Given nobody", "  Scenario: b", "    Then all is well")))
}

func TestTheNearestStepOfEveryExampleIsItsStep(t *testing.T) {
	p := &Plan{steps: builtinSteps}
	for _, d := range steps.Catalogue() {
		assert.NotContains(t, p.nearestStep(messages.PickleStepType_UNKNOWN, d.Example), "omniloader steps", "%s", d.Example)
	}
}
