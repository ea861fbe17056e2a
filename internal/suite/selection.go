package suite

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"omniloader/internal/suggest"
	"omniloader/internal/tagexpr"
	"omniloader/steps"
)

// The tags with a meaning of their own.
const (
	tagWIP  = "@wip"  // left out unless asked for
	tagSlow = "@slow" // left out of a short run
	tagReal = "@real" // needs a real checkpoint
)

// Selection says which scenarios to run. The zero value takes all but @wip.
type Selection struct {
	Tags       string   // a Cucumber tag expression
	Categories []string // any of these, each a tag without its @
	Short      bool     // leave @slow out
}

// Plan is the scenarios selected, ready to be checked and run.
type Plan struct {
	features []*Feature
	chosen   map[*Scenario]bool
	steps    stepLibrary
}

// Select picks scenarios: those that the paths of Load picked by line, that
// carry one of the categories, and that the tag expression holds for. @wip is
// left out unless the expression names it or a line picked it. A wrong
// expression, a tag or category that no scenario has, and a selection that is
// empty are errors: a *tagexpr.SyntaxError or Problems.
func Select(features []*Feature, selection Selection) (*Plan, error) {
	expr, err := tagexpr.Parse(selection.Tags)
	if err != nil {
		return nil, err
	}
	tags := allTags(features)
	if err := unknownTags(expr, selection.Categories, tags); err != nil {
		return nil, err
	}
	p := &Plan{features: features, chosen: map[*Scenario]bool{}, steps: builtinSteps}
	total, wip := 0, 0
	for _, f := range features {
		for _, s := range f.Scenarios {
			total++
			names := s.TagNames()
			switch {
			case f.pickedLines != nil && !f.pickedLines[s.Line]:
			case !inCategory(names, selection.Categories) || !expr.Match(names):
			case selection.Short && slices.Contains(names, tagSlow):
			case slices.Contains(names, tagWIP) && !expr.Names(tagWIP) && f.pickedLines == nil:
				wip++
			default:
				p.chosen[s] = true
			}
		}
	}
	if len(p.chosen) == 0 {
		return nil, nothingSelected(selection, total, wip)
	}
	return p, nil
}

func inCategory(tags, categories []string) bool {
	return len(categories) == 0 || slices.ContainsFunc(categories, func(c string) bool { return slices.Contains(tags, "@"+c) })
}

func nothingSelected(selection Selection, total, wip int) error {
	var asked []string
	if len(selection.Categories) > 0 {
		asked = append(asked, "category "+strings.Join(selection.Categories, " or "))
	}
	if selection.Tags != "" {
		asked = append(asked, "tags "+selection.Tags)
	}
	if selection.Short {
		asked = append(asked, "not "+tagSlow)
	}
	problem := Problem{Message: fmt.Sprintf("nothing selected: none of %d scenarios has %s", total, strings.Join(asked, ", "))}
	switch {
	case total == 0:
		problem.Message = "nothing selected: there is no scenario"
	case wip > 0:
		problem.Message = fmt.Sprintf("nothing selected: %d of %d scenarios match, and all of them are tagged %s", wip, total, tagWIP)
		problem.Advice = "ask for them: --tags " + tagWIP
	case len(asked) > 1:
		problem.Advice = "conditions are joined with and; try one of them alone"
	}
	return Problems{problem}
}

// Tags gives every tag of the features, own and inherited, sorted.
func Tags(features []*Feature) []string { return allTags(features) }

func allTags(features []*Feature) []string {
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

// unknownTags refuses tags and categories that nothing carries, because a
// misspelled one would select nothing, or, behind "not", too much. The tags of
// fixed meaning and the built-in categories are known even where no scenario at
// hand has them.
func unknownTags(expr *tagexpr.Expr, categories, tags []string) error {
	fixed := []string{tagWIP, tagSlow, tagReal}
	builtin := steps.Categories()
	var problems Problems
	for _, t := range expr.Tags() {
		if slices.Contains(tags, t) || slices.Contains(fixed, t) || slices.Contains(builtin, strings.TrimPrefix(t, "@")) && strings.HasPrefix(t, "@") {
			continue
		}
		known := withoutValueTags(tags)
		problem := Problem{Message: fmt.Sprintf("unknown tag %q: no scenario carries it", t), Advice: suggest.DidYouMean(t, known)}
		if !strings.HasPrefix(t, "@") && slices.Contains(append(known, fixed...), "@"+t) {
			problem.Advice = fmt.Sprintf("did you mean %q?", "@"+t)
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
				advice = fmt.Sprintf("did you mean %q?", trimmed)
			}
			problems = append(problems, Problem{Message: fmt.Sprintf("unknown category %q: no scenario is tagged with it", c), Advice: advice})
		}
	}
	return problems.orNil()
}

// withoutValueTags leaves out the tags that carry a value, such as @benchmark:NAME:
// there is one for each scenario, which is no help in a list.
func withoutValueTags(tags []string) []string {
	var short []string
	for _, t := range tags {
		if !strings.Contains(t, ":") {
			short = append(short, t)
		}
	}
	return short
}

// IsProblem says whether err means that nothing could be judged.
func IsProblem(err error) bool {
	var problems Problems
	var syntax *tagexpr.SyntaxError
	return errors.As(err, &problems) || errors.As(err, &syntax)
}
