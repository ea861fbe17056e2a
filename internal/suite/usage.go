package suite

import (
	"slices"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/steps"
)

// StepUsage is a step of the catalogue and where scenarios use it.
type StepUsage struct {
	steps.Definition
	Uses []StepUse // in the order of features and lines
}

// StepUse is a step of a scenario.
type StepUse struct {
	Scenario *Scenario
	Index    int // of the step in Scenario.Steps
}

// Definitions gives the steps that match a text, whatever its keyword.
func Definitions(text string) []steps.Definition {
	return steps.Match(messages.PickleStepType_UNKNOWN, text)
}

// Usage finds which scenarios use which steps: those at the lines given to Load where there
// are any, unfinished ones included. It gives every step of the catalogue in its order, then
// the older spellings that are used, and the number of steps in the scenarios that are
// undefined or ambiguous.
func Usage(features []*Feature) (usages []StepUsage, unclear int) {
	at := map[string]int{} // index in usages by place and pattern
	key := func(d steps.Definition) string { return d.Location + d.Pattern }
	for _, d := range steps.Catalogue() {
		at[key(d)] = len(usages)
		usages = append(usages, StepUsage{Definition: d})
	}
	for _, f := range features {
		for _, s := range f.Scenarios {
			if f.pickedLines != nil && !f.pickedLines[s.Line] {
				continue
			}
			kinds := steps.Engine().Kinds(s.pickle)
			for i, step := range s.Steps {
				found := steps.Match(kinds[i], step.Text)
				if len(found) != 1 {
					unclear++
					continue
				}
				n, listed := at[key(found[0])]
				if !listed {
					n = len(usages)
					at[key(found[0])] = n
					usages = append(usages, StepUsage{Definition: found[0]})
				}
				usages[n].Uses = append(usages[n].Uses, StepUse{s, i})
			}
		}
	}
	return slices.Clip(usages), unclear
}
