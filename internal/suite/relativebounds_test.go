package suite

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/outcome"
)

// measuredScenario is the text of a scenario whose benchmark has the same name.
func measuredScenario(name, then string) string {
	return "  Scenario: " + name + "\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the mean latency is below 5 s\n    " + then + "\n"
}

func TestABoundIsRelativeToABenchmarkThatIsMeasuredBefore(t *testing.T) {
	relative := func(name string) string {
		return `And the median latency is below 20 times that of "` + name + `"`
	}
	for _, c := range []struct {
		text, selected, message, advice string
	}{
		{measuredScenario("one", "") + measuredScenario("two", relative("one")), "", "", ""},
		{measuredScenario("two", relative("one")) + measuredScenario("one", ""), "", `"one", which is measured later`, "put that scenario before this one"},
		{measuredScenario("one", "") + measuredScenario("two", relative("two")), "", "which is this scenario itself", "name another benchmark"},
		{measuredScenario("one", "") + measuredScenario("two", relative("nobody")), "", "no scenario is measured under this name", "@benchmark:NAME"},
		{measuredScenario("first one", "") + measuredScenario("two", relative("first_on")), "", "no scenario is measured", `did you mean "first_one"?`},
		{measuredScenario("one", "") + measuredScenario("two", relative("one")), "^two$", "", ""},
	} {
		features := features(t, map[string]string{"a.feature": "Feature: f\n" + c.text})
		plan, err := Select(features, Selection{Name: c.selected})
		require.NoError(t, err)
		err = plan.Check(t.Context())
		if c.message == "" {
			assert.NoError(t, err)
			continue
		}
		var problems outcome.Problems
		require.ErrorAs(t, err, &problems, c.message)
		require.Len(t, problems, 1)
		assert.Contains(t, problems[0].Message, c.message)
		assert.Contains(t, problems[0].Advice, c.advice)
		assert.Equal(t, ruleBadReference, problems[0].Code)
		assert.Equal(t, 5, problems[0].Column)
		assert.NotZero(t, problems[0].Line)
	}
}
