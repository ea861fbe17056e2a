package suite

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAStepInOtherWordsIsRecognised(t *testing.T) {
	for then, want := range map[string]string{
		`the architectures don't contain "don't"`: `did you mean "the architectures do not contain \"don't\""?`,
		`the model isn’t supported`:               `did you mean "the model is not supported"?`,
		`the model is unsupported`:                `did you mean "the model is not supported"?`,
		`the memory is below 16 GB`:               `did you mean "Then the memory is under 16 GB"?`,
		`the memory is above 16 GB`:               `did you mean "Then the memory is over 16 GB"?`,
		`the config key "a.b" does not exist`:     `did you mean "the config key \"a.b\" is absent"?`,
		`the config key "a" exists`:               `did you mean "the config key \"a\" is present"?`,
		`the chat template doesn't exist`:         `did you mean "the chat template is absent"?`,
		`the config key "n_ctx" is at least 5`:    `"omniloader steps" lists every step`,
		`no less than 1 MB is allocated per call`: `"omniloader steps" lists every step`,
	} {
		plan := planOfText(t, "Feature: f\n  Scenario: s\n    Given the checkpoint \"gpt2\"\n    When the checkpoint is inspected\n    Then "+then+"\n")
		problems := plan.undefinedSteps(plan.Scenarios()[0])
		if assert.Len(t, problems, 1, then) {
			assert.Contains(t, problems[0].Advice, want, then)
		}
	}
}
