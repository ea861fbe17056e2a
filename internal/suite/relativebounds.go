package suite

import (
	"fmt"
	"maps"
	"slices"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/suggest"
)

// ruleBadReference is the rule that a bound relative to another benchmark keeps.
const ruleBadReference = "bad-reference"

// benchmarkIndex has the scenarios of all features that are measured, by the name of their
// benchmark and in the order of the files.
type benchmarkIndex struct {
	byName map[string][]*Scenario
	order  map[*Scenario]int
}

func (p *Plan) indexBenchmarks() *benchmarkIndex {
	x := &benchmarkIndex{map[string][]*Scenario{}, map[*Scenario]int{}}
	for _, f := range p.features {
		for _, s := range f.Scenarios {
			x.order[s] = len(x.order)
			if name := p.benchmark(s); name != "" {
				x.byName[name] = append(x.byName[name], s)
			}
		}
	}
	return x
}

// checkRelativeBounds finds bounds of a scenario that are relative to a benchmark which is not
// measured before it in the run.
func (c *checker) checkRelativeBounds(s *Scenario) {
	for i, step := range s.Steps {
		bound, err := bench.ParseBound(step.Text)
		if err != nil || bound.Reference == "" {
			continue
		}
		if message, advice := c.wrongReference(s, bound.Reference); message != "" {
			at := s.read.Steps[i].Location
			c.problems = append(c.problems, outcome.Problem{URI: s.URI, Line: int(at.Line), Column: int(at.Column), Code: ruleBadReference, Message: message, Advice: advice})
		}
	}
}

// wrongReference says what is wrong with a benchmark that a bound of a scenario is relative to,
// and the way out; "" if it is measured before the scenario. It is selected with the scenario,
// see Plan.Added.
func (c *checker) wrongReference(s *Scenario, name string) (message, advice string) {
	if c.plan.benchmark(s) == name {
		return fmt.Sprintf("the bound is relative to %q, which is this scenario itself", name), "name another benchmark"
	}
	index := c.index()
	var later *Scenario
	for _, other := range index.byName[name] {
		switch {
		case other.Model != "" && other.Model != s.Model: // measured on another model
		case index.order[other] < index.order[s]:
			return "", ""
		default:
			later = other
		}
	}
	if later != nil {
		return fmt.Sprintf("the bound is relative to %q, which is measured later: at %s:%d", name, later.URI, later.Line), "put that scenario before this one"
	}
	message = fmt.Sprintf("the bound is relative to %q, and no scenario is measured under this name", name)
	if near, ok := suggest.Nearest(name, slices.Collect(maps.Keys(index.byName))); ok && near != c.plan.benchmark(s) {
		return message, suggest.Question(near)
	}
	return message, "name a benchmark of this run, which a tag @benchmark:NAME gives to a scenario before this one"
}
