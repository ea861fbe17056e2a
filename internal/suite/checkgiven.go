package suite

import (
	"errors"
	"omniloader/internal/outcome"
	"path"
)

// givenStep is a Given step in a folder, for which the names in its text are the same.
type givenStep struct{ folder, text string }

// checkGivenSteps finds Given steps of a scenario that could not create the checkpoint.
func (c *checker) checkGivenSteps(s *Scenario) {
	kinds := c.plan.kinds(s)
	source := c.plan.source(s)
	for i, step := range s.Steps {
		key := givenStep{path.Dir(s.URI), step.Text}
		err, known := c.given[key]
		if !known {
			err = c.plan.steps.checkGiven(kinds[i], step.Text, source, c.plan.checkpoints)
			c.given[key] = err
		}
		if err == nil {
			continue
		}
		problem := outcome.Problem{URI: s.URI, Line: step.Line, Code: ruleUnusableValue, Message: err.Error()}
		var hinter interface{ Hint() string }
		if errors.As(err, &hinter) {
			problem.Advice = hinter.Hint()
		}
		c.problems = append(c.problems, problem)
	}
}
