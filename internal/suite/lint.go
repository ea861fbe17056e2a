package suite

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/engine"
	"omniloader/internal/lint"
	"omniloader/internal/outcome"
	"omniloader/steps"
)

// The rules that this package checks itself, see lint.Rules.
const (
	ruleAmbiguousStep      = "ambiguous-step"
	ruleBadTagValue        = "bad-tag-value"
	ruleDuplicateBenchmark = "duplicate-benchmark"
	ruleMissingArgument    = "missing-argument"
	ruleNoFeature          = "no-feature"
	ruleNoScenario         = "no-scenario"
	ruleNoSteps            = "no-steps"
	ruleStepOrder          = "step-order"
	ruleTagWithoutEffect   = "tag-without-effect" // some are found by package lint
	ruleSyntaxError        = "syntax-error"
	ruleUndefinedStep      = "undefined-step"
	ruleUnreadableFile     = "unreadable-file"
	ruleUnreadableValue    = "unreadable-value"
	ruleUnusableValue      = "unusable-value"
	ruleUnusedArgument     = "unused-argument"
)

// linted has what package lint found in a feature.
type linted struct {
	file      outcome.Problems               // that belong to no scenario
	scenarios map[*Scenario]outcome.Problems // of the others
	warnings  []lint.Problem
	fixes     []lint.Fix
}

// linted returns what package lint finds in a feature.
func (p *Plan) linted(f *Feature) *linted {
	p.lintMutex.Lock()
	defer p.lintMutex.Unlock()
	result := p.lintResults[f]
	if result == nil {
		result = p.lint(f)
		if p.lintResults == nil {
			p.lintResults = map[*Feature]*linted{}
		}
		p.lintResults[f] = result
	}
	return result
}

func (p *Plan) lint(f *Feature) *linted {
	result := &linted{scenarios: map[*Scenario]outcome.Problems{}}
	if f.parsed == nil {
		return result
	}
	vocabulary := lint.Vocabulary{
		Defined:  func(text string) bool { return len(p.steps.match("", text)) > 0 },
		Measured: p.steps.measured,
		ValidTag: func(tag string) bool { return strings.Contains(tag, "<") || steps.CheckTags([]string{tag}) == nil },
	}
	for _, t := range steps.Tags() {
		vocabulary.Tags = append(vocabulary.Tags, lint.Tag(t))
	}
	for _, problem := range lint.Check(f.parsed, vocabulary) {
		if problem.Fix != nil {
			result.fixes = append(result.fixes, *problem.Fix)
		}
		if lint.SeverityOf(problem.Code) == lint.Warning {
			result.warnings = append(result.warnings, problem)
			continue
		}
		found := false
		for _, s := range f.Scenarios {
			if s.concerns(problem.Scope) {
				result.scenarios[s] = append(result.scenarios[s], problem.Problem)
				found = true
			}
		}
		if !found {
			result.file = append(result.file, problem.Problem)
		}
	}
	return result
}

// concerns says whether a problem of a part of the feature is one of the scenario.
func (s *Scenario) concerns(scope lint.Scope) bool {
	if scope.Background {
		return scope.Rule == nil || scope.Rule == s.read.Rule
	}
	return scope.Scenario != nil && scope.Scenario == s.read.Node
}

// fileProblems returns the problems of a feature file that belong to no scenario of it. Of a
// feature with the tag @wip, none of whose scenarios is selected, there are none but that
// it does not parse. Of the shards of a plan, only one has them.
func (p *Plan) fileProblems(f *Feature) outcome.Problems {
	if p.divided != nil && !p.problemFiles[f] {
		return nil
	}
	if f.document == nil || f.wip() && !slices.ContainsFunc(f.Scenarios, func(s *Scenario) bool { return p.undivided().chosen[s] }) {
		return f.withColumns(slices.Clone(f.Problems))
	}
	return f.withColumns(append(slices.Clone(f.Problems), p.linted(f).file...))
}

// wip says whether the feature itself has the tag @wip.
func (f *Feature) wip() bool {
	for _, t := range f.document.Feature.Tags {
		if t.Name == tagWIP {
			return true
		}
	}
	return false
}

// feature returns the feature with this URI, nil if there is none.
func (p *Plan) feature(uri string) *Feature {
	p.byURIOnce.Do(func() {
		p.byURI = make(map[string]*Feature, len(p.features))
		for _, f := range slices.Backward(p.features) { // the first of two counts
			p.byURI[f.URI] = f
		}
	})
	return p.byURI[uri]
}

// callProblems finds steps with a table or doc string that they do not take, without one
// that they need, and with a number that cannot be read.
func (p *Plan) callProblems(s *Scenario) outcome.Problems {
	var problems outcome.Problems
	kinds := p.kinds(s)
	for i, step := range s.pickle.Steps {
		ofKind := *step
		ofKind.Type = kinds[i]
		_, err := p.steps.engine().Resolve(&ofKind)
		var wrong *engine.ArgumentError
		if !errors.As(err, &wrong) {
			continue
		}
		node := s.read.Steps[i]
		problem := outcome.Problem{URI: s.URI, Line: int(node.Location.Line), Column: int(node.Location.Column), Code: ruleUnreadableValue, Message: wrong.Message, Advice: "write a value that the step can take"}
		switch wrong.Kind {
		case engine.UnusedArgument:
			problem.Code = ruleUnusedArgument
			problem.Advice = "remove it, or use a step that takes one"
			if at := belowStep(node, wrong.Unused); at != nil {
				problem.Line, problem.Column = int(at.Line), int(at.Column)
			}
		case engine.MissingArgument:
			problem.Code = ruleMissingArgument
			problem.Advice = `write it below the step: "omniloader steps WORD" shows an example of a step with the word in it`
		}
		problems = append(problems, problem)
	}
	return problems
}

// belowStep returns the place of the table or the doc string below a step, or nil.
func belowStep(node *messages.Step, what string) *messages.Location {
	switch {
	case what == "table" && node.DataTable != nil:
		return node.DataTable.Location
	case what == "doc string" && node.DocString != nil:
		return node.DocString.Location
	}
	return nil
}

// Lint returns everything that lint tells of the files of the plan: the problems that Check
// finds, and warnings. Each has a code; see lint.Rules for the severity. They are in the order
// of files and lines, and have a column where they have a line.
func (p *Plan) Lint(ctx context.Context) (outcome.Problems, error) {
	err := p.Check(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var problems outcome.Problems
	errors.As(err, &problems)
	order := map[string]int{}
	for i, f := range p.features {
		order[f.URI] = i
		if f.document == nil {
			continue
		}
		for _, w := range p.linted(f).warnings {
			if !p.isLeftOut(f, w.Scope) {
				problems = append(problems, w.Problem)
			}
		}
	}
	slices.SortStableFunc(problems, func(a, b outcome.Problem) int {
		return cmp.Or(cmp.Compare(order[a.URI], order[b.URI]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return problems, nil
}

// isLeftOut says whether a part of a feature is not selected: none of its scenarios is.
func (p *Plan) isLeftOut(f *Feature, scope lint.Scope) bool {
	if scope == (lint.Scope{}) {
		return f.wip()
	}
	some := false
	for _, s := range f.Scenarios {
		if s.concerns(scope) {
			if some = true; p.chosen[s] {
				return false
			}
		}
	}
	return some
}

// Fixes returns, by the URI of the feature, the changes of lines that mend problems without
// changing what is meant.
func (p *Plan) Fixes() map[string][]lint.Fix {
	fixes := map[string][]lint.Fix{}
	for _, f := range p.features {
		if f.document != nil {
			if found := p.linted(f).fixes; len(found) > 0 {
				fixes[f.URI] = found
			}
		}
	}
	return fixes
}

// LoadSource parses a feature file that is not read from the disk. name is its path all the
// same: it is in every problem, its extension says whether it is in Markdown, and fixtures are
// looked for beside it.
func LoadSource(ctx context.Context, name string, r io.Reader) ([]*Feature, error) {
	source, err := io.ReadAll(io.LimitReader(r, engine.MaxSource+1))
	if err != nil {
		return nil, err
	}
	f := parse(ctx, filepath.ToSlash(name), source)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	f.fsys, f.path = os.DirFS(filepath.Dir(name)), filepath.Base(name)
	return []*Feature{f}, nil
}

// Files returns the URIs of the feature files, in the order of reading them.
func (p *Plan) Files() []string {
	uris := make([]string, len(p.features))
	for i, f := range p.features {
		uris[i] = f.URI
	}
	return uris
}
