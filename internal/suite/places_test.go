package suite

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/builtin"
	"omniloader/internal/outcome"
	"omniloader/steps"
)

// Check, which a dry run is, a run and lint tell the same places.
func TestEveryProblemHasItsPlace(t *testing.T) {
	const sound = "    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the model is supported\n"
	for _, c := range []struct{ text, place string }{
		{"Feature: f\n  @slow @timeout\n  Scenario: a\n" + sound, "2:9"},
		{"Feature: f\n  @timeout:0s\n  Scenario: a\n" + sound, "2:3"},
		{"Feature: f\n  @slow\n  @a @b @retry:x\n  Scenario: a\n" + sound, "3:9"},
		{"Feature: f\n  @fails\n  Scenario: a\n" + sound, "2:3"},
		{"@threshhold:5%\nFeature: f\n  Scenario: a\n" + sound + "  Scenario: b\n" + sound, "1:1"},
		{"Feature: f\n  Rule: r\n    Scenario Outline: a <x>\n" + sound + "    @iterations:none\n    Examples:\n      | x |\n      | 1 |\n", "7:5"},
		{"Feature: f\n  @retry:2 @benchmark\n  Scenario: a\n" + sound, "2:3"},
		{"# Feature: f\n\n`@slow` `@retry:x`\n\n## Scenario: a\n\n" + strings.ReplaceAll(sound, "    ", "* "), "3:10"},
		{"Feature: f\n  Scenario: a\n    Given the checkpoint \"gtp2\"\n    When the model info is read\n    Then the model is supported\n", "3:5"},
		{"Feature: f\n  Scenario: a\n\t  Given the checkpoint \"gpt2\"\n    When nobody\n    Then the model is supported\n", "4:5"},
		{"Feature: f\n  Scenario: a\n" + sound + "       When the model info is read\n", "6:8"},
		{"# Feature: f\n\n`@slow @slow`\n\n## Scenario: a\n\n" + strings.ReplaceAll(sound, "    ", "* "), "3:2"},
		{"Feature: f\n  @slow fast\n  Scenario: a\n" + sound, "2:3"},
		{"# language: xx\nFeature: f\n  Scenario: a\n" + sound, "1:1"},
		{"Feature: f\n  Scenario: a\n" + sound + "   nonsense\n", "6:4"},
	} {
		name := "a.feature"
		if strings.HasPrefix(c.text, "# Feature") {
			name += ".md"
		}
		load := func() *Plan { return selectAll(t, features(t, map[string]string{name: c.text})) }
		linted, err := load().Lint(t.Context())
		require.NoError(t, err)
		run, err := load().Run(t.Context(), Options{Setup: &steps.Setup{Loader: builtin.New("test")}})
		require.NoError(t, err)
		for command, err := range map[string]error{"lint": linted.ErrOrNil(), "check": load().Check(t.Context()), "run": Unjudged(run)} {
			var problems outcome.Problems
			require.ErrorAs(t, err, &problems, "%s: %s", command, c.text)
			var places []string
			for _, p := range problems {
				places = append(places, fmt.Sprintf("%d:%d", p.Line, p.Column))
			}
			assert.Equal(t, []string{c.place}, places, "%s: %v", command, err)
		}
	}
}

func TestALanguageThatThereIsNotHasAWayOut(t *testing.T) {
	for language, want := range map[string]string{"frr": `did you mean "fr"`, "german": `did you mean "de"`, "Deutsch": `did you mean "de"`, "en-UK": `did you mean "en`, "xqz": "https://cucumber.io/docs/gherkin/languages"} {
		for name, text := range map[string]string{"a.feature": "# language: " + language + "\nFeature: f\n", "a.feature.md": "<!-- language: " + language + " -->\n# Feature: f\n"} {
			loaded := features(t, map[string]string{name: text})
			require.Len(t, loaded[0].Problems, 1)
			assert.Contains(t, loaded[0].Problems[0].Message, language)
			assert.Contains(t, loaded[0].Problems[0].Advice, want)
			assert.Contains(t, loaded[0].Problems[0].Advice, "https://cucumber.io/docs/gherkin/languages")
		}
	}
}
