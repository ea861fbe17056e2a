package suite

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/bench"
	"omniloader/internal/engine"
	"omniloader/internal/outcome"
	"omniloader/internal/suggest"
	"omniloader/steps"
)

// stepLibrary holds the functions of the package steps that the suite uses, so that tests
// can use others.
type stepLibrary struct {
	engine        func() *engine.Engine
	register      func(*steps.Setup, engine.Registrar) scenarioSteps
	catalogue     func() []steps.Definition
	match         func(messages.PickleStepType, string) []steps.Definition
	measured      func(tags, steps []string) bool
	benchmarkName func(tags []string, scenario string) string
	checkOrder    func([]messages.PickleStepType) (at int, err error)

	checkArguments func(*messages.Pickle, steps.ArgumentContext) []steps.ArgumentProblem
}

// scenarioSteps are the registered steps of one attempt at a scenario.
type scenarioSteps interface {
	Begin(*messages.Pickle, steps.Source) error
	End() error
	Abandon() // instead of End, while a step has not come back
	Record() *steps.Record
	Evidence() steps.Evidence // before End
}

// builtinSteps is the package steps.
var builtinSteps = stepLibrary{
	engine:        steps.Engine,
	register:      func(s *steps.Setup, r engine.Registrar) scenarioSteps { return s.Register(r) },
	catalogue:     steps.Catalogue,
	match:         steps.Match,
	measured:      steps.Measured,
	benchmarkName: steps.BenchmarkName,
	checkOrder:    steps.CheckStepOrder,

	checkArguments: steps.CheckArguments,
}

// Check looks for everything that makes the selected scenarios impossible to judge, and
// runs nothing: unknown tags with a value, scenarios without steps, undefined and
// ambiguous steps, steps in the wrong order, arguments of steps that cannot be right, two
// benchmarks of one name, what package lint finds, and the problems of the files. The error
// is Problems, or the cause of the end of ctx.
func (p *Plan) Check(ctx context.Context) error {
	found := p.scenarioProblems(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var problems outcome.Problems
	// Rows of an outline and scenarios below a background share steps, whose problem is
	// given once; wrong values may differ between rows.
	reported := map[outcome.Problem]bool{}
	for _, f := range p.features {
		problems = append(problems, p.fileProblems(f)...)
		for _, s := range f.Scenarios {
			for _, problem := range found[s] {
				same := problem
				if same.Code == "" || same.Code == ruleUndefinedStep || same.Code == ruleAmbiguousStep {
					same.Message, same.Advice = "", ""
				}
				if !reported[same] {
					reported[same] = true
					problems = append(problems, problem)
				}
			}
		}
	}
	return problems.ErrOrNil()
}

// scenarioProblems returns the problems of the selected scenarios, of those only that were
// checked before the end of ctx.
func (p *Plan) scenarioProblems(ctx context.Context) map[*Scenario]outcome.Problems {
	found := map[*Scenario]outcome.Problems{}
	benchmarks := map[string]*Scenario{}
	index := sync.OnceValue(p.indexBenchmarks)
	for _, s := range p.Scenarios() {
		if ctx.Err() != nil {
			return found
		}
		c := &checker{plan: p, benchmarks: benchmarks, index: index, problems: slices.Clone(p.linted(p.feature(s.URI)).scenarios[s])}
		c.checkScenario(s)
		if len(c.problems) > 0 {
			found[s] = p.feature(s.URI).withColumns(c.problems)
		}
	}
	return found
}

// checker collects the problems of a scenario.
type checker struct {
	plan       *Plan
	problems   outcome.Problems
	benchmarks map[string]*Scenario // by name, of the scenarios before it
	index      func() *benchmarkIndex
}

func (c *checker) checkScenario(s *Scenario) {
	c.checkTagValues(s)
	if len(s.Steps) == 0 && slices.ContainsFunc(c.problems, func(p outcome.Problem) bool { return p.Code == "step-in-description" }) {
		return // that says why it has none
	}
	if len(s.Steps) == 0 {
		c.problems = append(c.problems, outcome.Problem{URI: s.URI, Line: s.Line, Code: ruleNoSteps,
			Message: fmt.Sprintf("%q has no steps", s.Name), Advice: mistypedStep(s.Description)})
		return
	}
	c.problems = append(c.problems, c.plan.undefinedSteps(s)...)
	c.problems = append(c.problems, c.plan.callProblems(s)...)
	if at, err := c.plan.steps.checkOrder(c.plan.kinds(s)); err != nil {
		line := s.Line
		if at >= 0 {
			line = s.Steps[at].Line
		}
		c.problems = append(c.problems, outcome.Problem{URI: s.URI, Line: line, Code: ruleStepOrder, Message: err.Error(),
			Advice: "Given steps create a checkpoint, one When step reads it, Then steps check the answer"})
	}
	c.problems = append(c.problems, c.plan.argumentProblems(s)...)
	c.checkRelativeBounds(s)
	c.checkControlTags(s)
	if c.plan.measured(s) {
		c.checkBenchmarkName(s)
	}
}

func (c *checker) checkBenchmarkName(s *Scenario) {
	name := c.plan.benchmark(s)
	if s.Model != "" {
		name = (bench.Key{Benchmark: name, Model: s.Model}).String()
	}
	first := c.benchmarks[name]
	if first == nil {
		c.benchmarks[name] = s
		return
	}
	c.problems = append(c.problems, outcome.Problem{URI: s.URI, Line: s.Line, Code: ruleDuplicateBenchmark,
		Message: fmt.Sprintf("a second benchmark called %q; the first is at %s:%d", name, first.URI, first.Line),
		Advice:  "give one of them another name with a tag @benchmark:NAME; in an outline, one with a <placeholder>"})
}

// kinds says of each step of a scenario whether it is a Given, a When or a Then step. Of a
// step with a star, or an And before any other keyword, the definition decides.
func (p *Plan) kinds(s *Scenario) []messages.PickleStepType { return p.steps.engine().Kinds(s.pickle) }

// measured says whether a scenario is measured.
func (p *Plan) measured(s *Scenario) bool {
	texts := make([]string, len(s.Steps))
	for i, step := range s.Steps {
		texts[i] = step.Text
	}
	return p.steps.measured(s.TagNames(), texts)
}

// undefinedSteps finds the steps that match no definition, or more than one.
func (p *Plan) undefinedSteps(s *Scenario) outcome.Problems {
	var problems outcome.Problems
	kinds := p.kinds(s)
	for i, step := range s.Steps {
		candidates := p.steps.match(kinds[i], step.Text)
		if len(candidates) == 1 {
			continue
		}
		text := strings.TrimSpace(step.Keyword) + " " + step.Text
		if len(candidates) > 1 {
			patterns := make([]string, len(candidates))
			for j, c := range candidates {
				patterns[j] = fmt.Sprintf("%s %s (%s)", c.Keyword, c.Pattern, c.Location)
			}
			problems = append(problems, outcome.Problem{URI: s.URI, Line: step.Line, Code: ruleAmbiguousStep,
				Message: fmt.Sprintf("ambiguous step %q: it matches %s", text, strings.Join(patterns, " and ")),
				Advice:  "change the text of one of them"})
			continue
		}
		problems = append(problems, outcome.Problem{URI: s.URI, Line: step.Line, Code: ruleUndefinedStep,
			Message: fmt.Sprintf("undefined step %q", text), Advice: p.nearestStep(kinds[i], step.Text)})
	}
	return problems
}

// nearestStep returns the advice for an undefined step: the keyword under which its text
// is defined, else the defined step with the most similar words, else how to list all
// steps.
func (p *Plan) nearestStep(kind messages.PickleStepType, text string) string {
	if others := p.steps.match(messages.PickleStepType_UNKNOWN, text); len(others) > 0 {
		return fmt.Sprintf("this is a %s step, and is used with another keyword", others[0].Keyword)
	}
	if near := p.inOtherWords(kind, text, otherWords[:1]); near != "" {
		return suggest.Question(near)
	}
	texts := p.knownTexts()
	if near := texts.nearest(withoutValues(text)); near != "" {
		return suggest.Question(texts.shown[near])
	}
	if near := p.inOtherWords(kind, text, otherWords[1:]); near != "" {
		return suggest.Question(near)
	}
	return `"omniloader steps" lists every step, "omniloader steps WORD" those with a word in them; steps --snippet TEXT prints Go code that defines one`
}

// otherWords are what people write for words of the catalogue. Those of the first are never a
// typing error.
var otherWords = []*strings.Replacer{
	strings.NewReplacer("does not exist", "is absent", "doesn't exist", "is absent", "do not exist", "are absent", "don't exist", "are absent",
		"is missing", "is absent", "are missing", "are absent", "exists", "is present", "exist", "are present",
		"don't ", "do not ", "don’t ", "do not ", "doesn't ", "does not ", "doesn’t ", "does not ", "isn't ", "is not ", "isn’t ", "is not ", "aren't ", "are not ", "aren’t ", "are not ",
		"dont ", "do not ", "doesnt ", "does not ", "isnt ", "is not ", "arent ", "are not ",
		"is unsupported", "is not supported", "is unquantized", "is not quantized", "no more than", "at most", "no less than", "at least", "no fewer than", "at least"),
	strings.NewReplacer("below", "less than", "above", "more than", "fewer than", "less than", "up to", "at most"),
	strings.NewReplacer("under", "below", "less than", "below", "at most", "below"),
}

// inOtherWords returns a step that is defined and says the same as a text, "" where none is
// known.
func (p *Plan) inOtherWords(kind messages.PickleStepType, text string, replacers []*strings.Replacer) string {
	values := quoted.FindAllString(text, -1) // they stay what they are
	for _, words := range replacers {
		i := -1
		changed := quoted.ReplaceAllStringFunc(words.Replace(quoted.ReplaceAllString(text, `""`)), func(string) string {
			i++
			return values[i]
		})
		if changed != text && len(p.steps.match(kind, changed)) == 1 {
			return changed
		}
	}
	return ""
}

var (
	quoted  = regexp.MustCompile(`"[^"]*"`)
	numbers = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)
)

// withoutValues replaces the values in a step's text, so that two steps are compared by
// their words only.
func withoutValues(text string) string {
	return numbers.ReplaceAllString(quoted.ReplaceAllString(text, `""`), "0")
}

// Scenarios returns the selected scenarios in the order of features and lines.
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

// Keep returns a plan of those selected scenarios for which keep holds. Unlike a plan of
// Select, it may be empty.
func (p *Plan) Keep(keep func(*Scenario) bool) *Plan {
	kept := &Plan{features: p.features, chosen: map[*Scenario]bool{}, steps: p.steps, checkpoints: p.checkpoints, arguments: p.arguments}
	for s := range p.chosen {
		if keep(s) {
			kept.chosen[s] = true
		}
	}
	return kept
}

// Benchmarks returns the number of selected scenarios that are measured.
func (p *Plan) Benchmarks() int {
	n := 0
	for _, s := range p.Scenarios() {
		if p.measured(s) {
			n++
		}
	}
	return n
}
