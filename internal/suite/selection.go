package suite

import (
	"cmp"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
	"sync"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/suggest"
	"omniloader/internal/tagexpr"
	"omniloader/steps"
)

// The tags with a meaning to this package.
const (
	tagWIP  = "@wip"  // left out unless selected explicitly
	tagSlow = "@slow" // left out of a short run
	tagReal = "@real" // needs a real checkpoint
)

// Selection says which scenarios to run. The zero value selects all but those with @wip.
type Selection struct {
	Tags       string   // a Cucumber tag expression
	Categories []string // scenarios of any of these; each is a tag without its @
	Name       string   // a regular expression that the name of a scenario has to match, "" for any
	Short      bool     // leave out scenarios with @slow
	// Models are the directories of real checkpoints. A scenario that needs one is selected
	// once for each, see runsOnModel; without any it is skipped.
	Models []string
	// Checkpoints says which checkpoints Given steps may use.
	Checkpoints steps.Checkpoints
	// IDs are those of the only scenarios to run, see runfile.Identity; nil means all.
	IDs map[string]bool
}

// Plan is a selection of scenarios that can be checked and run.
type Plan struct {
	features []*Feature
	chosen   map[*Scenario]bool
	steps    stepLibrary
	leftOut  []outcome.LeftOut
	added    []*Scenario // see Added
	divided  *Plan       // the plan of which this one is a shard, or nil
	// problemFiles are the files whose problems this shard has; see fileProblems.
	problemFiles map[*Feature]bool

	checkpoints steps.Checkpoints

	byURIOnce sync.Once
	byURI     map[string]*Feature // see feature

	lintMutex   sync.Mutex
	lintResults map[*Feature]*linted

	arguments steps.ArgumentContext // see Expect; without the source

	once  sync.Once
	texts *stepTexts // see knownTexts
}

// Select selects the scenarios that are at a line given to Load, if there was one, that
// have one of the categories, and that match the tag expression. Scenarios with @wip are
// left out unless the expression names it or a line selects them. A scenario whose benchmark
// a bound of a selected one is relative to is selected with it, see Added. An invalid expression
// is a *tagexpr.SyntaxError; a tag or category that no scenario has, and an empty
// selection, are Problems. The plan is empty if a feature with problems is all that there is.
func Select(features []*Feature, selection Selection) (*Plan, error) {
	expr, err := tagexpr.Parse(selection.Tags)
	if err != nil {
		return nil, err
	}
	name, err := regexp.Compile(selection.Name)
	if err != nil {
		return nil, outcome.Problems{{Message: fmt.Sprintf("the name %q is no regular expression: %v", selection.Name, err),
			Advice: `a special character is taken as it is behind a backslash, as in "1\.5"`}}
	}
	tags := Tags(features)
	if err := unknownTags(expr, selection.Categories, tags); err != nil {
		return nil, err
	}
	p := &Plan{features: onEachModel(features, selection.Models), chosen: map[*Scenario]bool{}, steps: builtinSteps, checkpoints: selection.Checkpoints,
		arguments: steps.ArgumentContext{Layouts: new(steps.Layouts)}}
	ids := identities(p.features)
	total, wip, slow := 0, 0, 0
	for _, f := range p.features {
		for _, s := range f.Scenarios {
			total++
			names, identity := s.TagNames(), ids[s]
			switch {
			case selection.IDs != nil && !selection.IDs[identity.ID()] || !name.MatchString(s.Name):
			case f.pickedLines != nil && !f.pickedLines[s.Line]:
			case !inCategory(names, selection.Categories) || !expr.Match(names):
			case selection.Short && slices.Contains(names, tagSlow):
				slow++
			case slices.Contains(names, tagWIP) && !expr.Names(tagWIP) && f.pickedLines == nil && selection.IDs == nil:
				wip++
			default:
				p.chosen[s] = true
			}
		}
	}
	if len(p.chosen) == 0 && !slices.ContainsFunc(features, func(f *Feature) bool { return len(p.fileProblems(f)) > 0 }) {
		return nil, nothingSelected(selection, total, wip)
	}
	p.addReferences(total)
	for _, l := range []outcome.LeftOut{{Reason: tagWIP, Count: wip}, {Reason: tagSlow, Count: slow}} {
		if l.Count > 0 {
			p.leftOut = append(p.leftOut, l)
		}
	}
	p.leftOut = append(p.leftOut, leftOutPaths(features)...)
	return p, nil
}

// addReferences selects the scenarios of the benchmarks that bounds of selected scenarios are
// relative to: without them such a bound cannot be judged. total is the number of scenarios
// that there are.
func (p *Plan) addReferences(total int) {
	if len(p.chosen) == total {
		return
	}
	references := p.referencesAmong(func(yield func(*Scenario) bool) {
		for _, f := range p.features {
			for _, s := range f.Scenarios {
				if !yield(s) {
					return
				}
			}
		}
	})
	for next := p.Scenarios(); len(next) > 0; {
		s := next[0]
		next = next[1:]
		for _, r := range references(s) {
			if !p.chosen[r] {
				p.chosen[r] = true
				p.added = append(p.added, r)
				next = append(next, r)
			}
		}
	}
}

// referencesAmong finds the scenarios, among these, of the benchmarks that bounds of a
// scenario are relative to: those on the same real checkpoint, else those without one.
func (p *Plan) referencesAmong(all iter.Seq[*Scenario]) func(*Scenario) []*Scenario {
	byBenchmark := sync.OnceValue(func() map[bench.Key]*Scenario { // most plans have no such bound
		of := map[bench.Key]*Scenario{}
		for s := range all {
			if name := p.benchmark(s); name != "" {
				of[bench.Key{Benchmark: name, Model: s.Model}] = s
			}
		}
		return of
	})
	return func(s *Scenario) []*Scenario {
		var found []*Scenario
		for _, name := range relativeTo(s) {
			of := byBenchmark()
			if r := cmp.Or(of[bench.Key{Benchmark: name, Model: s.Model}], of[bench.Key{Benchmark: name}]); r != nil {
				found = append(found, r)
			}
		}
		return found
	}
}

// Added returns the scenarios that were not asked for, and are selected because bounds of
// others are relative to their benchmarks.
func (p *Plan) Added() []*Scenario { return slices.Clone(p.added) }

func inCategory(tags, categories []string) bool {
	return len(categories) == 0 || slices.ContainsFunc(categories, func(c string) bool { return slices.Contains(tags, "@"+c) })
}

func nothingSelected(selection Selection, total, wip int) error {
	var conditions []string
	if len(selection.Categories) > 0 {
		conditions = append(conditions, "category "+strings.Join(selection.Categories, " or "))
	}
	if selection.Tags != "" {
		conditions = append(conditions, "tags "+selection.Tags)
	}
	if selection.Name != "" {
		conditions = append(conditions, fmt.Sprintf("a name that matches %q", selection.Name))
	}
	if selection.IDs != nil {
		conditions = append(conditions, "an entry in the run file that asks for another run")
	}
	if selection.Short {
		conditions = append(conditions, "not "+tagSlow)
	}
	problem := outcome.Problem{Message: fmt.Sprintf("nothing selected: none of %d scenarios has %s", total, strings.Join(conditions, ", "))}
	switch {
	case total == 0:
		problem.Message = "nothing selected: there is no scenario"
	case wip > 0:
		problem.Message = fmt.Sprintf("nothing selected: %d of %d scenarios match, and all of them are tagged %s", wip, total, tagWIP)
		problem.Advice = "select them: --tags " + tagWIP
	case len(conditions) > 1:
		problem.Advice = "conditions are joined with and; try one of them alone"
	}
	return outcome.Problems{problem}
}

// Tags returns every tag of the scenarios, inherited ones included, sorted.
func Tags(features []*Feature) []string {
	seen := map[string]bool{}
	for _, f := range features {
		for _, s := range f.Scenarios {
			for _, t := range s.Tags {
				seen[t.Name] = true
			}
		}
	}
	tags := make([]string, 0, len(seen))
	for t := range seen {
		tags = append(tags, t)
	}
	slices.Sort(tags)
	return tags
}

// unknownTags returns Problems for tags and categories that no scenario has, because a
// misspelled one would select nothing or, after "not", too much. The tags with a meaning
// to this package and the built-in categories are always known.
func unknownTags(expr *tagexpr.Expr, categories, tags []string) error {
	fixed := []string{tagWIP, tagSlow, tagReal}
	builtin := steps.Categories()
	var problems outcome.Problems
	for _, t := range expr.Tags() {
		if slices.Contains(tags, t) || slices.Contains(fixed, t) || slices.Contains(builtin, strings.TrimPrefix(t, "@")) && strings.HasPrefix(t, "@") {
			continue
		}
		known := withoutValueTags(tags)
		problem := outcome.Problem{Message: fmt.Sprintf("unknown tag %q: no scenario has it", t), Advice: suggest.DidYouMean(t, known)}
		if !strings.HasPrefix(t, "@") && slices.Contains(append(known, fixed...), "@"+t) {
			problem.Advice = suggest.Question("@" + t)
		}
		problems = append(problems, problem)
	}
	for _, c := range categories {
		if !slices.Contains(tags, "@"+c) {
			var known []string
			for _, t := range withoutValueTags(tags) {
				if !slices.Contains(fixed, t) && t != "@benchmark" {
					known = append(known, strings.TrimPrefix(t, "@"))
				}
			}
			advice := suggest.DidYouMean(c, known)
			if trimmed := strings.TrimPrefix(c, "@"); trimmed != c && slices.Contains(known, trimmed) {
				advice = suggest.Question(trimmed)
			}
			if strings.EqualFold(c, "all") {
				advice = "--all takes every category"
			}
			problems = append(problems, outcome.Problem{Message: fmt.Sprintf("unknown category %q: no scenario has this tag", c), Advice: advice})
		}
	}
	return problems.ErrOrNil()
}

// withoutValueTags returns the tags without those that have a value, such as
// @benchmark:NAME, which are too many to list.
func withoutValueTags(tags []string) []string {
	var plain []string
	for _, t := range tags {
		if !strings.Contains(t, ":") {
			plain = append(plain, t)
		}
	}
	return plain
}
