package suite

import (
	"path"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/outcome"
)

// givenStep is a step in a folder, for which the names in its text are the same. The same
// text is no Given step where it stands behind another keyword.
type givenStep struct {
	kind         messages.PickleStepType
	folder, text string
}

// checkGivenSteps finds Given steps of a scenario that could not create the checkpoint.
func (c *checker) checkGivenSteps(s *Scenario) {
	kinds := c.plan.kinds(s)
	source := c.plan.source(s)
	for i, step := range s.Steps {
		key := givenStep{kinds[i], path.Dir(s.URI), step.Text}
		err, known := c.given[key]
		if !known {
			err = c.plan.steps.checkGiven(kinds[i], step.Text, source, c.plan.checkpoints)
			c.given[key] = err
		}
		if err == nil {
			continue
		}
		c.problems = append(c.problems, outcome.Problem{URI: s.URI, Line: step.Line, Code: ruleUnusableValue, Message: err.Error(), Advice: outcome.HintOf(err)})
	}
}
