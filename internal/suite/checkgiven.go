package suite

import (
	"errors"
	"path"

	"omniloader/steps"
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
		problem := Problem{URI: s.URI, Line: step.Line, Message: err.Error()}
		var hinter interface{ Hint() string }
		if errors.As(err, &hinter) {
			problem.Advice = hinter.Hint()
		}
		c.problems = append(c.problems, problem)
	}
}

// source says what the pickle of a scenario does not.
func (p *Plan) source(s *Scenario) steps.Source {
	source := steps.Source{Tags: s.TagNames(), Model: s.modelDir, ModelLabel: s.Model}
	for _, f := range p.features {
		if f.URI == s.URI {
			source.Folder = f.folder
			source.ReadFixture = func(name string) ([]byte, error) { return steps.ReadFixture(f.fsys, f.path, name) }
			if f.folder == "" {
				source.FS = f.folderFS()
			}
		}
	}
	return source
}
