// Package suite reads feature files, selects scenarios, checks them and runs them with
// package engine. It refuses to run if a step is undefined or ambiguous, or if no scenario is
// selected. It prints nothing: the result is an outcome.Run, and a Listener can follow
// the run.
package suite

import (
	"context"
	"fmt"
	"io/fs"
	"path"
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

	folder      string                    // its folder on the disk, "" if it was read from another filesystem
	folders     []*folder                 // that were searched, and have it
	fsys        fs.FS                     // the filesystem it was read from
	path        string                    // its path there
	onDisk      bool                      // URI is its path on the disk
	parsed      *engine.Feature           // nil if it does not parse
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

	modelDir      string // of the real checkpoint that it runs on; "" where there is none
	pickle        *messages.Pickle
	read          *engine.Scenario
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

// folderFS returns the folder of a feature file that is not on the disk.
func (f *Feature) folderFS() fs.FS {
	folder, err := fs.Sub(f.fsys, path.Dir(f.path))
	if err != nil {
		return f.fsys // cannot be: the path of a file is valid
	}
	return folder
}

// parse parses the source of a feature file.
func parse(ctx context.Context, uri string, source []byte) *Feature {
	parsed, err := engine.Parse(ctx, uri, source)
	if err != nil {
		return &Feature{URI: uri, Source: source, Problems: syntaxProblems(uri, err)}
	}
	document := parsed.Document
	if document.Feature == nil {
		return &Feature{URI: uri, Source: source, Problems: outcome.Problems{
			{URI: uri, Code: ruleNoFeature, Message: "no feature in this file", Advice: `a feature file starts with "Feature: " and a name`}}}
	}
	f := &Feature{URI: uri, Source: parsed.Source, parsed: parsed, document: document, index: indexDocument(document.Feature, parsed.Source)}
	for s := range parsed.Scenarios() {
		if ctx.Err() != nil {
			break
		}
		f.Scenarios = append(f.Scenarios, f.index.scenario(uri, s))
	}
	f.Problems = f.emptyParts()
	return f
}

// emptyParts finds a feature without scenarios, which would pass because nothing ran.
func (f *Feature) emptyParts() outcome.Problems {
	if len(f.index.order) > 0 {
		return nil
	}
	at := f.document.Feature.Location
	return outcome.Problems{{URI: f.URI, Line: int(at.Line), Code: ruleNoScenario,
		Message: fmt.Sprintf("the feature %q has no scenario", f.document.Feature.Name), Advice: `add one: "Scenario: " and a name, then its steps`}}
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
