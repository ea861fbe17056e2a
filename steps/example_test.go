package steps_test

import (
	"fmt"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/steps"
)

// What a line of a feature file would run, and what it is for.
func ExampleMatch() {
	for _, d := range steps.Match(messages.PickleStepType_OUTCOME, "the model is not quantized") {
		fmt.Println(d.Keyword, d.Pattern)
		fmt.Println(d.Meaning)
	}
	// Output:
	// Then ^the model is (not )?quantized$
	// The weights were compressed, or were not.
}
