package suite

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/outcome"
	"omniloader/internal/tagexpr"
)

const tagged = `@sae
Feature: F
  Scenario: one
    Then all is well
  @slow
  Scenario: two
    Then all is well
  @wip
  Scenario: three
    Then all is well
  @tokenizer @flaky
  Scenario: four
    Then all is well
  @real
  Scenario: five
    Then all is well
  @benchmark:six
  Scenario: six
    Then all is well
`

func TestSelect(t *testing.T) {
	tests := []struct {
		name      string
		selection Selection
		want      []string
	}{
		{"all but work in progress", Selection{}, []string{"one", "two", "four", "five", "six"}},
		{"a short run", Selection{Short: true}, []string{"one", "four", "five", "six"}},
		{"work in progress, asked for", Selection{Tags: "@wip"}, []string{"three"}},
		{"work in progress, mentioned", Selection{Tags: "@sae or @wip"}, []string{"one", "two", "three", "four", "five", "six"}},
		{"a category", Selection{Categories: []string{"tokenizer"}}, []string{"four"}},
		{"a category of the user's own", Selection{Categories: []string{"flaky"}}, []string{"four"}},
		{"two categories", Selection{Categories: []string{"tokenizer", "slow"}}, []string{"two", "four"}},
		{"a category and tags", Selection{Categories: []string{"sae"}, Tags: "not (@slow or @real)"}, []string{"one", "four", "six"}},
		{"one benchmark", Selection{Tags: "@benchmark:six"}, []string{"six"}},
		{"without a built-in category that none has", Selection{Tags: "not @regression and @real"}, []string{"five"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Select(features(t, map[string]string{"a.feature": tagged}), tt.selection)
			require.NoError(t, err)
			assert.Equal(t, tt.want, names(p.Scenarios()))
		})
	}
}

func TestKeep(t *testing.T) {
	plan, err := Select(features(t, map[string]string{"a.feature": tagged}), Selection{})
	require.NoError(t, err)
	kept := plan.Keep(func(s *Scenario) bool { return s.Name == "two" || s.Name == "three" || s.Name == "six" })
	assert.Equal(t, []string{"two", "six"}, names(kept.Scenarios()), "what was not selected stays out")
	assert.Equal(t, []string{"one", "two", "four", "five", "six"}, names(plan.Scenarios()))
	assert.Empty(t, plan.Keep(func(*Scenario) bool { return false }).Scenarios())
}

func TestSelectRefuses(t *testing.T) {
	tests := []struct {
		name          string
		selection     Selection
		message, hint string
	}{
		{"a mistyped tag", Selection{Tags: "@sea"}, `unknown tag "@sea"`, `did you mean "@sae"?`},
		{"a mistyped tag behind not", Selection{Tags: "not @flakey"}, `unknown tag "@flakey"`, `did you mean "@flaky"?`},
		{"a tag without its @", Selection{Tags: "sae"}, `unknown tag "sae"`, `did you mean "@sae"?`},
		{"a tag far from all", Selection{Tags: "@zzzzzz"}, `unknown tag "@zzzzzz"`, "known: @flaky, @real, @sae, @slow, @tokenizer, @wip"},
		{"a mistyped category", Selection{Categories: []string{"tokeniser"}}, `unknown category "tokeniser"`, `did you mean "tokenizer"?`},
		{"a category with an @", Selection{Categories: []string{"@sae"}}, `unknown category "@sae"`, `did you mean "sae"?`},
		{"every category", Selection{Categories: []string{"all"}}, `unknown category "all"`, "--all takes every category"},
		{"a category far from all", Selection{Categories: []string{"zzzzzz"}}, `unknown category "zzzzzz"`, "known: flaky, sae, tokenizer"},
		{"a built-in tag that nothing has", Selection{Tags: "@regression"}, "nothing selected: none of 6 scenarios has tags @regression", ""},
		{"a contradiction", Selection{Tags: "@slow", Categories: []string{"tokenizer"}}, "nothing selected", "joined with and"},
		{"slow ones in a short run", Selection{Tags: "@slow", Short: true}, "nothing selected", "joined with and"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Select(features(t, map[string]string{"a.feature": tagged}), tt.selection)
			var problems outcome.Problems
			require.ErrorAs(t, err, &problems)
			assert.Contains(t, problems[0].Message, tt.message)
			assert.Contains(t, problems[0].Advice, tt.hint)
		})
	}
}

func TestSelectRefusesABrokenExpression(t *testing.T) {
	_, err := Select(features(t, map[string]string{"a.feature": tagged}), Selection{Tags: "@sae and"})
	var syntax *tagexpr.SyntaxError
	require.ErrorAs(t, err, &syntax)
	assert.True(t, IsProblem(err))
}

func TestSelectSaysThatOnlyWorkInProgressMatches(t *testing.T) {
	_, err := Select(featureOf(t, "Feature: f", "  @wip", "  Scenario: a", "    Then all is well"), Selection{})
	require.ErrorContains(t, err, "1 of 1 scenarios match, and all of them are tagged @wip")
}

func TestNoFeaturesAreNothingSelected(t *testing.T) {
	_, err := Select(nil, Selection{})
	require.ErrorContains(t, err, "nothing selected: there is no scenario")
}

func TestALinePicksWorkInProgress(t *testing.T) {
	f := features(t, map[string]string{"a.feature": tagged})
	f[0].pickedLines = map[int]bool{9: true}
	p, err := Select(f, Selection{})
	require.NoError(t, err)
	assert.Equal(t, []string{"three"}, names(p.Scenarios()))
}

func TestTagsAreListedSorted(t *testing.T) {
	assert.Equal(t, []string{"@benchmark:six", "@flaky", "@real", "@sae", "@slow", "@tokenizer", "@wip"},
		Tags(features(t, map[string]string{"a.feature": tagged})))
}
