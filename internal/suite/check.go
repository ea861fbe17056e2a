package suite

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/suggest"
	"omniloader/steps"
)

// language is what the suite must know about the steps.
type language struct {
	register      func(*steps.Setup, *godog.ScenarioContext) *steps.Record
	catalogue     func() []steps.Definition
	match         func(messages.PickleStepType, string) []steps.Definition
	measured      func(tags, steps []string) bool
	benchmarkName func(tags []string, scenario string) string
	grammar       func([]messages.PickleStepType) (at int, err error)
}

// ours is the language of the package steps.
var ours = language{
	register:      (*steps.Setup).Register,
	catalogue:     steps.Catalogue,
	match:         steps.Match,
	measured:      steps.Measured,
	benchmarkName: steps.BenchmarkName,
	grammar:       steps.Grammar,
}

// Check looks for what makes the selected scenarios impossible to judge, and
// runs nothing: scenarios without steps, steps that are undefined or ambiguous,
// and two benchmarks of one name. The error is Problems.
func (p *Plan) Check() error {
	var problems Problems
	places := map[string]*Scenario{} // by the name of the benchmark
	reported := map[string]bool{}    // places of steps: an outline repeats them, and so does a background
	for _, s := range p.Scenarios() {
		if err := steps.CheckTags(s.TagNames()); err != nil {
			problems = append(problems, Problem{URI: s.URI, Line: s.Line, Message: err.Error()})
		}
		if len(s.Steps) == 0 {
			problems = append(problems, Problem{URI: s.URI, Line: s.Line,
				Message: fmt.Sprintf("%q has no steps", s.Name), Advice: mistypedStep(s.Description)})
			continue
		}
		for _, problem := range p.unmatched(s) {
			place := fmt.Sprintf("%s:%d", problem.URI, problem.Line)
			if !reported[place] {
				reported[place] = true
				problems = append(problems, problem)
			}
		}
		if at, err := p.language.grammar(s.kinds); err != nil {
			line := s.Line
			if at >= 0 {
				line = s.Steps[at].Line
			}
			if place := fmt.Sprintf("%s:%d", s.URI, line); !reported[place] {
				reported[place] = true
				problems = append(problems, Problem{URI: s.URI, Line: line, Message: err.Error(),
					Advice: "Given lays out a checkpoint, one When reads it, Then says what was found"})
			}
		}
		if !p.measured(s) {
			continue
		}
		name := p.language.benchmarkName(s.TagNames(), s.Name)
		if first := places[name]; first != nil {
			problems = append(problems, Problem{URI: s.URI, Line: s.Line,
				Message: fmt.Sprintf("a second benchmark called %q; the first is at %s:%d", name, first.URI, first.Line),
				Advice:  "give one of them another name with a tag @benchmark:NAME; in an outline, one with a <placeholder>"})
			continue
		}
		places[name] = s
	}
	return problems.orNil()
}

func (p *Plan) measured(s *Scenario) bool {
	texts := make([]string, len(s.Steps))
	for i, step := range s.Steps {
		texts[i] = step.Text
	}
	return p.language.measured(s.TagNames(), texts)
}

// unmatched finds the steps that nothing, or more than one thing, would run.
func (p *Plan) unmatched(s *Scenario) Problems {
	var problems Problems
	for i, step := range s.Steps {
		candidates := p.language.match(s.kinds[i], step.Text)
		if len(candidates) == 1 {
			continue
		}
		text := strings.TrimSpace(step.Keyword) + " " + step.Text
		if len(candidates) > 1 {
			patterns := make([]string, len(candidates))
			for j, c := range candidates {
				patterns[j] = fmt.Sprintf("%s %s (%s)", c.Keyword, c.Pattern, c.Location)
			}
			problems = append(problems, Problem{URI: s.URI, Line: step.Line,
				Message: fmt.Sprintf("ambiguous step %q: it matches %s", text, strings.Join(patterns, " and ")),
				Advice:  "word one of them differently"})
			continue
		}
		problems = append(problems, Problem{URI: s.URI, Line: step.Line,
			Message: fmt.Sprintf("undefined step %q", text), Advice: p.nearestStep(s.kinds[i], step.Text)})
	}
	return problems
}

// nearestStep advises on a step that nothing defines: the same words under
// another keyword, else the step whose words are nearest, else where to look.
func (p *Plan) nearestStep(kind messages.PickleStepType, text string) string {
	if others := p.language.match(messages.PickleStepType_UNKNOWN, text); len(others) > 0 {
		return fmt.Sprintf("this is a %s step, and stands under another keyword", others[0].Keyword)
	}
	catalogue := p.language.catalogue()
	shapes := make([]string, len(catalogue))
	for i, d := range catalogue {
		shapes[i] = shape(d.Example)
	}
	if near, ok := suggest.Nearest(shape(text), shapes); ok {
		d := catalogue[slices.Index(shapes, near)]
		return fmt.Sprintf("did you mean %q?", d.Keyword+" "+d.Example)
	}
	return `"omniloader steps" lists every step; "omniloader steps WORD" those with a word in them`
}

var (
	quoted  = regexp.MustCompile(`"[^"]*"`)
	numbers = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)
)

// shape takes the values out of a step's text, so that two are compared by their
// words.
func shape(text string) string {
	return numbers.ReplaceAllString(quoted.ReplaceAllString(text, `""`), "0")
}

// Scenarios gives the selected scenarios in the order of features and lines.
func (p *Plan) Scenarios() []*Scenario {
	var all []*Scenario
	for _, f := range p.features {
		for _, s := range f.Scenarios {
			if p.chosen[s] {
				all = append(all, s)
			}
		}
	}
	return all
}

// Benchmarks counts the selected scenarios that are measured.
func (p *Plan) Benchmarks() int {
	n := 0
	for _, s := range p.Scenarios() {
		if p.measured(s) {
			n++
		}
	}
	return n
}
