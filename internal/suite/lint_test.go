package suite

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/builtin"
	"omniloader/internal/engine"
	"omniloader/internal/lint"
	"omniloader/internal/outcome"
	"omniloader/steps"
)

const soundSteps = "    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the model is supported\n"

// broken has, for each rule, a feature that breaks it, and the place "LINE:COLUMN".
var broken = map[string]struct{ text, place string }{
	"bad-table":                  {"Feature: f\n  Scenario: a\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the answer has:\n      | field |\n      | x |\n", "5:5"},
	"bad-text":                   {"Feature: f\n  Scenario: a\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the category matches \"(\"\n", "5:5"},
	"missing-file":               {"Feature: f\n  Scenario: a\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the answer is as in \"none.json\"\n", "5:5"},
	"no-limit":                   {"Feature: f\n  Scenario: a\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the mean latency is below 0 s\n", "5:5"},
	"unknown-failure":            {"Feature: f\n  Scenario: a\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then reading fails with \"not fond\"\n", "5:5"},
	"unknown-field":              {"Feature: f\n  Scenario: a\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the categry is \"asr\"\n", "5:5"},
	"unknown-finding":            {"Feature: f\n  Scenario: a\n    Given the checkpoint \"gpt2\"\n    When the checkpoint is inspected\n    Then a finding \"shard-mising\" is reported\n", "5:5"},
	"unknown-preset":             {"Feature: f\n  Scenario: a\n    Given the checkpoint \"gtp2\"\n    When the model info is read\n    Then the model is supported\n", "3:5"},
	"wrong-kind":                 {"Feature: f\n  Scenario: a\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the category is at least 1\n", "5:5"},
	"bad-tag-value":              {"Feature: f\n  @slow @iterations:x\n  Scenario: a\n" + soundSteps, "2:9"},
	"column-without-placeholder": {"Feature: f\n  Scenario Outline: a\n" + soundSteps + "    Examples:\n      | x |\n      | 1 |\n", "7:9"},
	"control-character":          {"Feature: f\n  Scenario: a\x00\n" + soundSteps, "2:14"},
	"duplicate-benchmark":        {"Feature: f\n  @benchmark:a\n  Scenario: a\n" + soundSteps + "  @benchmark:a\n  Scenario: b\n" + soundSteps, "8:3"},
	"empty-background":           {"Feature: f\n  Background:\n  Scenario: a\n" + soundSteps, "2:3"},
	"empty-rule":                 {"Feature: f\n  Scenario: a\n" + soundSteps + "  Rule: r\n", "6:3"},
	"empty-tag":                  {"Feature: f\n  @ @b\n  Scenario: a\n" + soundSteps, "2:3"},
	"examples-without-rows":      {"Feature: f\n  Scenario Outline: a <x>\n" + soundSteps + "    Examples:\n      | x |\n      | 1 |\n    Examples:\n      | x |\n", "9:5"},
	"heading-in-doc-string":      {"Feature: f\n  Scenario: a\n    Given the checkpoint \"gpt2\"\n    And the file \"x.md\" holds:\n      \"\"\"\n      Scenario: b\n      \"\"\"\n    When the model info is read\n    Then the model is supported\n", "6:7"},
	"heading-left-of-doc-string": {"Feature: f\n  Scenario: a\n    Given the checkpoint \"gpt2\"\n    And the file \"x.md\" holds:\n      \"\"\"\n  @wip\n      \"\"\"\n    When the model info is read\n    Then the model is supported\n", "6:3"},
	"row-in-doc-string":          {"Feature: f\n  Scenario Outline: a <x>\n    Given the checkpoint \"gpt2\"\n    And the file \"x.md\" holds:\n      \"\"\"\n      | 2 |\n      \"\"\"\n    When the model info is read\n    Then the model is supported\n    Examples:\n      | x |\n      | 1 |\n", "6:7"},
	"tag-without-backquotes":     {"# Feature: f\n\n@slow\n\n## Scenario: a\n\n" + strings.ReplaceAll(soundSteps, "    ", "* "), "3:1"},
	"heading-in-description":     {"Feature: f\n  Test: b\n" + soundSteps + "  Scenario: a\n" + soundSteps, "2:3"},
	"invisible-character":        {"Feature: f\n  Scenario: a\u200b\n" + soundSteps, "2:14"},
	"keyword-in-description":     {"Feature: f\n  Given that models are big, we cut them.\n  Scenario: a\n" + soundSteps, "2:3"},
	"late-language":              {"Feature: f\n  # language: de\n  Scenario: a\n" + soundSteps, "2:3"},
	"missing-argument":           {"Feature: f\n  Scenario: a\n    Given a checkpoint with the config:\n    When the model info is read\n    Then the model is supported\n", "3:5"},
	"mistyped-tag":               {"Feature: f\n  @slwo\n  Scenario: a\n" + soundSteps, "2:3"},
	"no-feature":                 {"# nothing\n", "0:0"},
	"no-scenario":                {"Feature: f\n", "1:1"},
	"no-steps":                   {"Feature: f\n  Scenario: a\n", "2:3"},
	"outline-without-examples":   {"Feature: f\n  Scenario Outline: a\n" + soundSteps, "2:3"},
	"placeholder-in-background":  {"Feature: f\n  Background:\n    Given the checkpoint \"<x>\"\n  Scenario Outline: <x>\n    When the model info is read\n    Then the model is supported\n    Examples:\n      | x    |\n      | gpt2 |\n", "3:27"},
	"placeholder-without-column": {"Feature: f\n  Scenario Outline: a <x>\n    Given the checkpoint \"<y>\"\n    When the model info is read\n    Then the model is supported\n    Examples:\n      | x |\n      | 1 |\n", "3:27"},
	"repeated-column":            {"Feature: f\n  Scenario Outline: a <x>\n" + soundSteps + "    Examples:\n      | x | x |\n      | 1 | 2 |\n", "7:13"},
	"repeated-tag":               {"Feature: f\n  @a @a\n  Scenario: a\n" + soundSteps, "2:6"},
	"row-in-description":         {"Feature: f\n  Scenario: a\n    | a |\n" + soundSteps, "3:5"},
	"step-in-description":        {"Feature: f\n  Scenario: a\n    then the architecture is \"X\"\n" + soundSteps, "3:5"},
	"step-in-doc-string":         {"Feature: f\n  Scenario: a\n    Given a checkpoint with the config:\n      \"\"\"\n      Given the checkpoint \"gpt2\"\n      \"\"\"\n    When the model info is read\n    Then the model is supported\n", "5:7"},
	"step-in-heading":            {"Feature: f\n  Rule: the model is supported\n  Scenario: a\n" + soundSteps, "2:3"},
	"bad-reference":              {"Feature: f\n  Scenario: a\n" + soundSteps + "    And the median latency is below 2 times that of \"nobody\"\n", "6:5"},
	"checks-nothing":             {"Feature: f\n  Scenario: a\n" + soundSteps + "    And detection used \"\"\n", "6:5"},
	"step-order":                 {"Feature: f\n  Scenario: a\n" + soundSteps + "    Given without \"x\"\n", "6:5"},
	"syntax-error":               {"Feature: f\n  Scenario: a\n" + soundSteps + "    nonsense\n", "6:5"},
	"tag-case":                   {"Feature: f\n  @WIP\n  Scenario: a\n" + soundSteps, "2:3"},
	"tag-in-description":         {"Feature: f\n  slow @a\n  Scenario: a\n" + soundSteps, "2:3"},
	"tag-without-effect":         {"Feature: f\n  @threshold\n  Scenario: a\n" + soundSteps, "2:3"},
	"text-after-doc-string":      {"Feature: f\n  Scenario: a\n    Given a checkpoint with the config:\n      \"\"\"\n      {}\n      \"\"\" x\n    When the model info is read\n    Then the model is supported\n", "6:11"},
	"text-after-row":             {"Feature: f\n  Scenario Outline: a <x>\n" + soundSteps + "    Examples:\n      | x |\n      | 1 | y\n", "8:13"},
	"unreadable-answer":          {"Feature: f\n  Scenario: a\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the answer is as in \"cut.json\"\n", "5:5"},
	"undefined-step":             {"Feature: f\n  Scenario: a\n" + soundSteps + "    And nobody\n", "6:5"},
	"unusable-value":             {"Feature: f\n  Scenario: a\n    Given the checkpoint at \"nowhere\"\n    When the model info is read\n    Then the model is supported\n", "3:5"},
	"unused-argument":            {"Feature: f\n  Scenario: a\n" + soundSteps + "      | Nope |\n", "6:7"},
	"wrong-encoding":             {"Feature: f\n  Scenario: CafÃ©\n" + soundSteps, "2:16"},
}

// rulesElsewhere are tested by others: no built-in step is ambiguous or takes another type than
// a text, and a file that cannot be read needs a filesystem of its own.
var rulesElsewhere = map[string]bool{"ambiguous-step": true, "unreadable-file": true, "unreadable-value": true}

func TestEveryRuleHasAFeatureThatBreaksIt(t *testing.T) {
	for _, rule := range lint.Rules() {
		if rulesElsewhere[rule.Code] {
			continue
		}
		t.Run(rule.Code, func(t *testing.T) {
			c := broken[rule.Code]
			require.NotEmpty(t, c.text)
			name := "a.feature"
			if strings.HasPrefix(c.text, "# Feature") {
				name += ".md"
			}
			fs := features(t, map[string]string{name: c.text, "cut.json": "{\n  \"category\": asr\n}"})
			plan := selectAll(t, fs)
			plan.Expect(steps.NewVocabulary(builtin.New("test")), false)
			problems, err := plan.Lint(t.Context())
			require.NoError(t, err)
			var places []string
			for _, p := range problems {
				if p.Code == rule.Code {
					places = append(places, strings.TrimPrefix(strings.TrimSuffix(outcome.Problem{URI: "a", Line: p.Line, Column: p.Column}.Error(), ": "), "a:"))
					if p.Line == 0 {
						places = []string{"0:0"}
					}
				}
				assert.True(t, p.Code != "", "%s", p.Message)
			}
			assert.Equal(t, []string{c.place}, places, "%v", problems)

			checked := plan.Check(t.Context())
			run, err := selectAll(t, fs).Run(t.Context(), Options{Setup: &steps.Setup{Loader: builtin.New("test"), Plan: bench.Plan{Iterations: 1}, TimeNotJudged: "this is a test"}})
			require.NoError(t, err)
			if rule.Severity == lint.Warning {
				assert.NoError(t, checked)
				assert.NoError(t, Unjudged(run))
				assert.Zero(t, run.Totals().Failed)
				return
			}
			for _, err := range []error{checked, Unjudged(run)} {
				require.True(t, IsProblem(err))
				if c.place != "0:0" {
					assert.ErrorContains(t, err, name+":"+c.place)
				}
				assert.Regexp(t, "hint: |: write |write it as|did you mean", err.Error(), "a way out")
			}
			assert.Zero(t, run.Totals().Failed, "what cannot be judged has not failed")
		})
	}
	for code := range broken {
		_, ok := ruleOf(code)
		assert.True(t, ok, "%s is a rule", code)
	}
}

func TestANumberThatCannotBeReadIsAProblem(t *testing.T) {
	y := newFakeSteps()
	y.stepLibrary.engine = sync.OnceValue(func() *engine.Engine {
		e, err := engine.New(func(s *engine.Scope) { s.Then(`^there are (\d+) of them$`, func(int8) {}) })
		require.NoError(t, err)
		return e
	})
	p := selectAll(t, featureOf(t, "Feature: f", "  Scenario: a", "    Then there are 1000 of them"))
	p.steps = y.stepLibrary
	problems := p.callProblems(p.Scenarios()[0])
	require.Len(t, problems, 1)
	assert.Equal(t, `a.feature:3:5: "1000" is too large for the type int8`, problems[0].Error())
	assert.Equal(t, "unreadable-value", problems[0].Code)
}

func TestAFileThatCannotBeReadIsAProblem(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "a.feature")))
	loaded, err := Load(t.Context(), []string{dir})
	require.NoError(t, err)
	problems, err := selectAll(t, loaded).Lint(t.Context())
	require.NoError(t, err)
	require.Len(t, problems, 1)
	assert.Equal(t, "unreadable-file", problems[0].Code)
}

func ruleOf(code string) (lint.Rule, bool) {
	for _, r := range lint.Rules() {
		if r.Code == code {
			return r, true
		}
	}
	return lint.Rule{}, false
}

func TestAProblemOfABackgroundIsThatOfEveryScenarioBelowIt(t *testing.T) {
	fs := features(t, map[string]string{"a.feature": "Feature: f\n  Scenario: a\n" + soundSteps + "  Rule: r\n    Background:\n    given the checkpoint \"gpt2\"\n" +
		"    Scenario: b\n" + soundSteps + "    Scenario: c\n" + soundSteps})
	run, err := selectAll(t, fs).Run(t.Context(), Options{Setup: &steps.Setup{Loader: builtin.New("test")}})
	require.NoError(t, err)
	var statuses []outcome.Status
	for _, s := range run.Features[0].Scenarios {
		statuses = append(statuses, s.Status)
	}
	assert.Equal(t, []outcome.Status{outcome.Passed, outcome.CouldNotJudge, outcome.CouldNotJudge}, statuses)
	assert.Empty(t, run.Features[0].Problems)
	var problems outcome.Problems
	require.ErrorAs(t, Unjudged(run), &problems)
	assert.Len(t, problems, 1, "it is told once")
}

func TestWhatIsLeftOutIsNotLinted(t *testing.T) {
	for _, text := range []string{
		"Feature: f\n  Scenario: a\n" + soundSteps + "  @wip\n  Scenario: b\n    then the model is supported\n    When nobody\n      | x |\n",
		"Feature: f\n  Scenario: a\n" + soundSteps + "  @wip\n  Scenario Outline: b\n    Examples:\n      | x |\n",
	} {
		problems, err := selectAll(t, features(t, map[string]string{"a.feature": text})).Lint(t.Context())
		require.NoError(t, err)
		assert.Empty(t, problems)
	}
	fs := features(t, map[string]string{"a.feature": "Feature: f\n  Scenario: a\n" + soundSteps, "b.feature": "@wip\nFeature: f\n  then the model is supported\n  Scenario: a\n" + soundSteps})
	assert.NoError(t, selectAll(t, fs).Check(t.Context()))
	plan, err := Select(fs, Selection{Tags: "@wip"})
	require.NoError(t, err)
	assert.ErrorContains(t, plan.Check(t.Context()), "b.feature:3:3: ")
}

func TestASourceThatIsNotOnTheDiskIsLinted(t *testing.T) {
	for name, text := range map[string]string{"x/a.feature": "Feature: f\n  Scenario: a\n    then the model is supported\n", "x/a.feature.md": "# Feature: f\n## Scenario: a\n* then the model is supported\n"} {
		loaded, err := LoadSource(t.Context(), name, strings.NewReader(text))
		require.NoError(t, err)
		problems, err := selectAll(t, loaded).Lint(t.Context())
		require.NoError(t, err)
		require.Len(t, problems, 1)
		assert.Equal(t, name, problems[0].URI)
		assert.Equal(t, "step-in-description", problems[0].Code)
	}
}

// Features of all kinds that Gherkin has are read or refused, and lose nothing.
func TestFeaturesOfAllKinds(t *testing.T) {
	sound := map[string]string{
		"stars":          "Feature: f\n  Scenario: a\n    * the checkpoint \"gpt2\"\n    * the model info is read\n    * the model is supported\n",
		"another name":   "Ability: f\n  Example: a\n" + soundSteps,
		"a language":     "# language: fr\nFonctionnalité: f\n  Scénario: a\n    Soit the checkpoint \"gpt2\"\n    Quand the model info is read\n    Alors the model is supported\n",
		"an emoji":       "# language: em\n📚: f\n  📕: a\n    😐the checkpoint \"gpt2\"\n    🎬the model info is read\n    🙏the model is supported\n",
		"comments":       "# a\nFeature: f # b\n  # c\n  @x # d\n  Scenario: a\n    # e\n    Given the checkpoint \"gpt2\"\n    # f\n    When the model info is read\n    Then the model is supported\n# g",
		"escaped cells":  "Feature: f\n  Scenario Outline: a <x>\n" + soundSteps + "    Examples:\n      | x        |\n      | \\| \\\\ \\n |\n      |          |\n",
		"back quotes":    "Feature: f\n  Scenario: a\n    Given a checkpoint with the config:\n      ```json\n      {\"architectures\": [\"GPT2LMHeadModel\"], \"model_type\": \"gpt2\"}\n      ```\n    When the model info is read\n    Then the model is supported\n",
		"tags":           "@a@b\n@c\n\nFeature: f\n\n  @d\n  # x\n  @e @f\n\n  Scenario: a\n" + soundSteps,
		"descriptions":   "Feature: f\n  a\n\n  # c\n  b\n  Rule: r\n    x\n    Background: b\n      y\n      Given the checkpoint \"gpt2\"\n    Scenario Outline: a <x>\n      z\n      When the model info is read\n      Then the model is supported\n      Examples: e\n        w\n        | x |\n        | 1 |\n",
		"no indentation": strings.ReplaceAll("Feature: f\n  Scenario: a\n"+soundSteps, "  ", ""),
		"tabs":           strings.ReplaceAll("Feature: f\n  Scenario: a\n"+soundSteps, "  ", "\t"),
	}
	for name, text := range sound {
		for variant, text := range map[string]string{"": text, ", with \\r\\n": strings.ReplaceAll(text, "\n", "\r\n"), ", with a byte order mark": "\ufeff" + text} {
			loaded, err := LoadFS(t.Context(), fstest.MapFS{"a.feature": {Data: []byte(text)}}, "")
			require.NoError(t, err)
			problems, err := selectAll(t, loaded).Lint(t.Context())
			require.NoError(t, err)
			assert.Empty(t, problems, name+variant)
			run, err := selectAll(t, loaded).Run(t.Context(), Options{Setup: &steps.Setup{Loader: builtin.New("test")}})
			require.NoError(t, err)
			assert.Positive(t, run.Totals().Passed, name+variant)
			assert.Equal(t, run.Totals().Passed, run.Totals().Scenarios, name+variant)
		}
	}
	for name, text := range map[string]string{
		"a file in UTF-16":                  "F\x00e\x00a\x00t\x00u\x00r\x00e\x00:\x00 \x00f\x00\n\x00",
		"lines that end in \\r":             strings.ReplaceAll("Feature: f\n  Scenario: a\n"+soundSteps, "\n", "\r"),
		"two features":                      "Feature: f\nFeature: g\n  Scenario: a\n" + soundSteps,
		"two features, each with scenarios": "Feature: f\n  Scenario: a\n" + soundSteps + "Feature: g\n  Scenario: b\n" + soundSteps,
		"a doc string without an end":       "Feature: f\n  Scenario: a\n" + soundSteps + "      \"\"\"\n",
		"a tag without a scenario":          "Feature: f\n  Scenario: a\n" + soundSteps + "  @x\n",
		"a tag on a background":             "Feature: f\n  @x\n  Background:\n    Given the checkpoint \"gpt2\"\n  Scenario: a\n    When the model info is read\n    Then the model is supported\n",
		"a background behind a scenario":    "Feature: f\n  Scenario: a\n" + soundSteps + "  Background:\n    Given the checkpoint \"gpt2\"\n",
		"a rule in a rule":                  "Feature: f\n  Rule: a\n  Rule: b\n    Scenario: a\n" + soundSteps,
		"a keyword of another language":     "Feature: f\n  Scénario: a\n" + soundSteps,
		"white space in a tag":              "@a b\nFeature: f\n  Scenario: a\n" + soundSteps,
		"an uneven table":                   "Feature: f\n  Scenario Outline: a <x>\n" + soundSteps + "    Examples:\n      | x |\n      | 1 | 2 |\n",
	} {
		loaded, err := LoadFS(t.Context(), fstest.MapFS{"a.feature": {Data: []byte(text)}}, "")
		require.NoError(t, err)
		err = selectAll(t, loaded).Check(t.Context())
		require.Error(t, err, name)
		assert.Regexp(t, `^a\.feature:[0-9]+`, err.Error(), name)
	}
}
