package outcome

import messages "github.com/cucumber/messages/go/v34"

// ScenarioLines gives the lines of scenarios and of Examples rows, counted from 1, by their
// ids in a parsed feature.
func ScenarioLines(feature *messages.Feature) map[string]int {
	lines := map[string]int{}
	add := func(s *messages.Scenario) {
		if s == nil {
			return
		}
		lines[s.Id] = int(s.Location.Line)
		for _, e := range s.Examples {
			for _, row := range e.TableBody {
				lines[row.Id] = int(row.Location.Line)
			}
		}
	}
	for _, child := range feature.Children {
		add(child.Scenario)
		if child.Rule != nil {
			for _, c := range child.Rule.Children {
				add(c.Scenario)
			}
		}
	}
	return lines
}
