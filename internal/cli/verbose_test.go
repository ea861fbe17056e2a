package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestVerboseShowsRulesScenariosAndSteps(t *testing.T) {
	feature := write(t, "v.feature", strings.Replace(passingFeature, "  Scenario: plain", "  Rule: r\n  Scenario: plain", 1))
	a := callWithoutJudgingTime(t, "run", feature, "--verbose", "--iterations", "5")
	assert.Equal(t, 0, a.code, a.err)
	for _, want := range []string{"Feature: Holds\n", "  Rule: r\n", "    Scenario: plain  ", "      When the model info is read  ", "      Then the architecture is \"LlamaForCausalLM\"", "2 scenarios: 2 passed"} {
		assert.Contains(t, a.out, want)
	}
	a = call(t, "run", feature, "--verbose", "--format", "junit")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "--verbose changes the report pretty, and there is none")

	withConfig(t, "verbose: true\n")
	assert.Contains(t, callWithoutJudgingTime(t, "run", "a.feature", "--iterations", "5").out, "Scenario: plain  ")
	a = callWithoutJudgingTime(t, "run", "a.feature", "--iterations", "5", "--format", "junit")
	assert.Equal(t, 0, a.code, "what a config file says for every run is no fault of one without pretty: %s", a.err)
}
