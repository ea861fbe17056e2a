package suite

import (
	"slices"

	"omniloader/internal/outcome"
)

// stepReal is the text of the Given step that uses the real checkpoint of a run.
const stepReal = "the real checkpoint"

// runsOnModel says whether a scenario needs a real checkpoint of the run: by its tag or by
// a step.
func (s *Scenario) runsOnModel() bool {
	return slices.Contains(s.TagNames(), tagReal) ||
		slices.ContainsFunc(s.Steps, func(step outcome.Step) bool { return step.Text == stepReal })
}

// onEachModel returns the features with each scenario that needs a real checkpoint once
// for each of these directories. Features without such a scenario stay what they are.
func onEachModel(features []*Feature, models []string) []*Feature {
	if len(models) == 0 {
		return features
	}
	labels := outcome.ModelLabels(models)
	all := make([]*Feature, len(features))
	for i, f := range features {
		all[i] = f
		if !slices.ContainsFunc(f.Scenarios, (*Scenario).runsOnModel) {
			continue
		}
		copied := *f
		copied.Scenarios = nil
		for _, s := range f.Scenarios {
			if !s.runsOnModel() {
				copied.Scenarios = append(copied.Scenarios, s)
				continue
			}
			for j, model := range models {
				onModel := *s
				onModel.modelDir, onModel.Model = model, labels[j]
				onModel.Name = outcome.NameWithModel(s.Name, labels[j])
				copied.Scenarios = append(copied.Scenarios, &onModel)
			}
		}
		all[i] = &copied
	}
	return all
}
