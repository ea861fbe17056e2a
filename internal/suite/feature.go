// Package suite reads feature files, selects scenarios, checks them and runs them with
// package engine. It refuses to run if a step is undefined or ambiguous, or if no scenario is
// selected. It prints nothing: the result is an outcome.Run, and a Listener can follow
// the run.
package suite

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/engine"
	"omniloader/internal/outcome"
	"omniloader/internal/runfile"
	"omniloader/internal/suggest"
)

// Feature is a parsed feature file.
type Feature struct {
	URI       string // its path as given to Load, or the path below the prefix of LoadFS
	Source    []byte // without a byte order mark
	Scenarios []*Scenario
	// Problems are those of the file and of parts of it that are no scenario. A file that
	// could not be read or parsed has one and no scenarios.
	Problems outcome.Problems

	fsys        fs.FS                     // the filesystem it was read from
	path        string                    // its path there
	onDisk      bool                      // URI is its path on the disk
	document    *messages.GherkinDocument // its Feature is nil only if it does not parse
	index       *documentIndex            // nil if it does not parse
	pickedLines map[int]bool              // lines of the selected scenarios; nil means all
}

// Name returns the title of the feature, "" if the file does not parse.
func (f *Feature) Name() string {
	if f.document == nil {
		return ""
	}
	return f.document.Feature.Name
}

// Scenario is one scenario, or one Examples row of an outline. The embedded value has all
// its steps, of which none has run.
type Scenario struct {
	outcome.Scenario
	URI string

	pickle        *messages.Pickle
	row           []runfile.Cell // of an Examples row
	lastLine      int            // last line of the scenario or outline, without blank lines
	firstLine     int            // first line of the scenario or outline, with its tags
	examplesFirst int            // for an Examples row, the first line of its Examples, with their tags
	examplesLast  int            // and the last line of these
	ruleLine      int            // line of the rule that contains it, or 0
}

// TagNames returns the scenario's tags, inherited ones first, with the values of its
// Examples row filled in.
func (s *Scenario) TagNames() []string {
	names := make([]string, len(s.Tags))
	for i, t := range s.Tags {
		names[i] = t.Name
	}
	return names
}

// scenariosAt returns the scenarios that a line of the file selects: an Examples row, all
// rows of Examples, a scenario, all scenarios of a rule, or all of the feature.
func (f *Feature) scenariosAt(line int) []*Scenario {
	filter := func(within func(*Scenario) bool) []*Scenario {
		var found []*Scenario
		for _, s := range f.Scenarios {
			if within(s) {
				found = append(found, s)
			}
		}
		return found
	}
	for _, within := range []func(*Scenario) bool{
		func(s *Scenario) bool { return s.Line == line },
		func(s *Scenario) bool { return s.Outline != 0 && s.examplesFirst <= line && line <= s.examplesLast },
		func(s *Scenario) bool { return s.firstLine <= line && line <= s.lastLine },
	} {
		if found := filter(within); len(found) > 0 {
			return found
		}
	}
	if f.document != nil && f.document.Feature.Location.Line == int64(line) {
		return f.Scenarios
	}
	return filter(func(s *Scenario) bool { return s.ruleLine == line })
}

// nearestTo returns the advice for a line that selects nothing: the nearest scenario.
func (f *Feature) nearestTo(line int) string {
	if len(f.Scenarios) == 0 {
		return ""
	}
	near := slices.MinFunc(f.Scenarios, func(a, b *Scenario) int { return distance(a.Line, line) - distance(b.Line, line) })
	return fmt.Sprintf("the nearest is %q at line %d; the file has %d lines", near.Name, near.Line, len(f.index.lines))
}

func distance(a, b int) int { return max(a-b, b-a) }

// parse parses the source of a feature file.
func parse(ctx context.Context, uri string, source []byte) *Feature {
	parsed, err := engine.Parse(ctx, uri, source)
	if err != nil {
		return &Feature{URI: uri, Source: source, Problems: syntaxProblems(uri, err)}
	}
	document := parsed.Document
	if document.Feature == nil {
		return &Feature{URI: uri, Source: source, Problems: outcome.Problems{
			{URI: uri, Message: "no feature in this file", Advice: `a feature file starts with "Feature: " and a name`}}}
	}
	f := &Feature{URI: uri, Source: parsed.Source, document: document, index: indexDocument(document.Feature, parsed.Source)}
	for s := range parsed.Scenarios() {
		if ctx.Err() != nil {
			break
		}
		f.Scenarios = append(f.Scenarios, f.index.scenario(uri, s))
	}
	f.Problems = append(f.mistypedHeadings(), f.emptyParts()...)
	return f
}

// emptyParts finds features without scenarios and outlines without rows: without these
// problems they would pass because nothing ran.
func (f *Feature) emptyParts() outcome.Problems {
	var problems outcome.Problems
	for _, s := range f.index.order {
		rows := 0
		for _, e := range s.Examples {
			rows += len(e.TableBody)
		}
		if len(s.Examples) > 0 && rows == 0 {
			problems = append(problems, outcome.Problem{URI: f.URI, Line: int(s.Location.Line),
				Message: fmt.Sprintf("the outline %q has no row of examples", s.Name), Advice: "add a row below its Examples"})
		}
	}
	if len(f.index.order) == 0 {
		problems = append(problems, outcome.Problem{URI: f.URI, Line: int(f.document.Feature.Location.Line),
			Message: fmt.Sprintf("the feature %q has no scenario", f.document.Feature.Name), Advice: `add one: "Scenario: " and a name, then its steps`})
	}
	return problems
}

// headings are the English keywords that start a part of a feature.
var headings = []string{"Rule:", "Background:", "Scenario:", "Scenario Outline:", "Examples:"}

// mistypedHeadings finds mistyped keywords such as "Scenaro:". Gherkin reads such a line,
// and all lines up to the next keyword, as a description, so that a scenario is missing
// without an error.
func (f *Feature) mistypedHeadings() outcome.Problems {
	var problems outcome.Problems
	check := func(keyword *messages.Location, description string) {
		if description == "" {
			return
		}
		for i, text := range strings.Split(description, "\n") {
			word, _, colon := strings.Cut(strings.TrimSpace(text), ":")
			if near, ok := suggest.Nearest(word+":", headings); colon && ok {
				problems = append(problems, outcome.Problem{URI: f.URI, Line: f.lineBelow(int(keyword.Line), i),
					Message: fmt.Sprintf("%q is not a keyword, and this line would be read as a description", word+":"), Advice: suggest.Question(near)})
			}
		}
	}
	node := f.document.Feature
	check(node.Location, node.Description)
	for _, child := range node.Children {
		if child.Background != nil {
			check(child.Background.Location, child.Background.Description)
		}
		if child.Rule != nil {
			check(child.Rule.Location, child.Rule.Description)
		}
	}
	for _, s := range f.index.order {
		check(s.Location, s.Description)
		for _, e := range s.Examples {
			check(e.Location, e.Description)
		}
	}
	return problems
}

// lineBelow returns the line number in the file of the nth line (from 0) of the
// description below a keyword, to which blank lines before it do not belong.
func (f *Feature) lineBelow(keyword, n int) int {
	line := keyword + 1
	for line < len(f.index.lines) && len(bytes.TrimSpace(f.index.lines[line-1])) == 0 {
		line++
	}
	return line + n
}

// mistypedStep returns the advice for a scenario without steps, whose description may
// start with a mistyped step.
func mistypedStep(description string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(description), " ")
	if near, ok := suggest.Nearest(first, []string{"Given", "When", "Then", "And", "But"}); ok && first != "" {
		return fmt.Sprintf("%q is read as a description; %s", first, suggest.Question(near))
	}
	return "add steps, or tag it " + tagWIP + " until it has some"
}
