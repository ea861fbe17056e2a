package steps

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"

	"omniloader/internal/engine"

	messages "github.com/cucumber/messages/go/v34"
)

// Definition is one step of the catalogue.
type Definition struct {
	Keyword  string // "Given", "When" or "Then"
	Pattern  string // the regular expression a step's text is matched with
	Meaning  string // what it does, in one sentence
	Example  string // a text that it matches
	Group    string // the heading of the list that it belongs to
	Location string // where it is defined: "steps/when.go:31"
	Below    string // how the table or text below it is written, in lines; "" where that needs no words
}

// Catalogue returns every step, in the order in which lists show them. Older
// spellings of a step, which still work, are left out. The list is recorded from the
// same calls that register the steps of a scenario.
func Catalogue() []Definition {
	var definitions []Definition
	for _, e := range catalogue() {
		if !e.doc.older {
			definitions = append(definitions, e.Definition)
		}
	}
	return definitions
}

// Match returns the steps that match the text of a step of this kind, older
// spellings included: none where it is undefined, more than one where it is
// ambiguous. An unknown kind matches steps of every keyword.
func Match(kind messages.PickleStepType, text string) []Definition {
	entries := matching(kind, text)
	definitions := make([]Definition, len(entries))
	for i, e := range entries {
		definitions[i] = e.Definition
	}
	return definitions
}

// stepDoc documents a step. It is the last argument of a registration.
type stepDoc struct {
	meaning        string
	example        string
	bounds         boundKind // what it bounds; the operation is then measured
	operation      string    // of a When step: what it carries out
	expectsFailure bool      // it asserts that reading fails
	below          string    // how the table or text below it is written, in lines; "" where that needs no words
	older          bool      // an older spelling of another step: it works, and is not listed
	precheck       precheck  // of a Given step: checks its values before the run; nil for no check
	sure           bool      // a Given step that cannot fail after its checks, where it is the only one

	check      check // before the scenario runs, where that is possible
	checkLater check // of a Given step: after all of them were laid out
}

// boundKind is what a step bounds, or asks to be measured without a bound.
type boundKind int

const (
	noBound     boundKind = iota
	latency               // the time of a call
	memory                // bytes, allocations or the live heap
	concurrency           // several callers at once
	process               // a process started for the first call: its time, its memory
	coldProcess           // the same, with the checkpoint's files dropped from the page cache
)

// entry is a step as the package itself needs it.
type entry struct {
	Definition
	doc     stepDoc
	pattern *regexp.Regexp
}

// stepRegistrar is what steps are registered with. Its methods must be called with a
// pattern that is a string literal, as direct statements of named functions, because
// editors find steps in no other form.
type stepRegistrar interface {
	// group gives the heading in the catalogue for the steps that follow.
	group(heading string)
	Given(pattern string, handler any, a stepDoc)
	When(pattern string, handler any, a stepDoc)
	Then(pattern string, handler any, a stepDoc)
}

// catalogue is the list of all registered steps, with every pattern compiled once.
var catalogue = sync.OnceValue(func() []*entry {
	r := new(catalogueRegistrar)
	newWorld(new(Setup)).registerSteps(r)
	return r.entries
})

// patterns maps each pattern to its compiled form.
var patterns = sync.OnceValue(func() map[string]*regexp.Regexp {
	m := make(map[string]*regexp.Regexp)
	for _, e := range catalogue() {
		m[e.Pattern] = e.pattern
	}
	return m
})

func matching(kind messages.PickleStepType, text string) []*entry {
	var found []*entry
	for _, m := range Engine().Matches(kind, text) {
		found = append(found, catalogue()[m.Definition.Index]) // both are in the order of registration
	}
	return found
}

// catalogueRegistrar is a stepRegistrar that builds the catalogue.
type catalogueRegistrar struct {
	heading string
	entries []*entry
}

func (r *catalogueRegistrar) group(heading string) { r.heading = heading }
func (r *catalogueRegistrar) Given(pattern string, handler any, a stepDoc) {
	r.add("Given", pattern, a)
}
func (r *catalogueRegistrar) When(pattern string, handler any, a stepDoc) { r.add("When", pattern, a) }
func (r *catalogueRegistrar) Then(pattern string, handler any, a stepDoc) { r.add("Then", pattern, a) }

func (r *catalogueRegistrar) add(keyword, pattern string, a stepDoc) {
	_, file, line, _ := runtime.Caller(2) // the statement that registers the step
	file = filepath.ToSlash(file)
	r.entries = append(r.entries, &entry{
		Definition: Definition{
			Keyword: keyword, Pattern: pattern, Meaning: a.meaning, Example: a.example, Group: r.heading, Below: strings.TrimRight(a.below, "\n"),
			Location: fmt.Sprintf("%s/%s:%d", path.Base(path.Dir(file)), path.Base(file), line),
		},
		doc:     a,
		pattern: regexp.MustCompile(pattern),
	})
}

// scenarioRegistrar is a stepRegistrar that registers the steps for one scenario.
type scenarioRegistrar struct {
	r     engine.Registrar
	given *givenSteps // records the calls of the Given steps
}

func (v *scenarioRegistrar) group(string) {}
func (v *scenarioRegistrar) Given(pattern string, handler any, _ stepDoc) {
	v.r.Given(patterns()[pattern], v.given.recording(pattern, handler))
}
func (v *scenarioRegistrar) When(pattern string, handler any, _ stepDoc) {
	v.r.When(patterns()[pattern], handler)
}
func (v *scenarioRegistrar) Then(pattern string, handler any, _ stepDoc) {
	v.r.Then(patterns()[pattern], handler)
}

// CheckStepOrder checks the order of a scenario's steps by their kinds: Given steps,
// exactly one When step, then at least one Then step. If the order is wrong, at is the
// index of the step in the wrong place, or -1 where a step is missing.
func CheckStepOrder(kinds []messages.PickleStepType) (at int, err error) {
	whens, thens, misplaced := 0, 0, false
	for i, kind := range kinds {
		switch kind {
		case messages.PickleStepType_CONTEXT:
			if whens > 0 {
				return i, &ScenarioError{errors.New("a Given step after the When step has no effect: move it before the When step")}
			}
		case messages.PickleStepType_ACTION:
			whens++
			if whens > 1 {
				return i, &ScenarioError{errors.New("the scenario has 2 When steps: a scenario has exactly one")}
			}
		case messages.PickleStepType_OUTCOME:
			thens++
			if whens == 0 && !misplaced {
				misplaced, at = true, i
			}
		}
	}
	switch {
	case whens == 0:
		return -1, &ScenarioError{errors.New("the scenario has 0 When steps: a scenario has exactly one")}
	case thens == 0:
		return -1, &ScenarioError{errors.New("the scenario checks nothing: it has no Then step")}
	case misplaced:
		return at, &ScenarioError{errors.New("a Then step before the When step has nothing to check: move it after the When step")}
	}
	return 0, nil
}

// ScenarioError is a mistake in the scenario itself, or a failure of what measures: it says
// nothing about the loader under test, which could not be judged.
type ScenarioError struct{ Err error }

func (m *ScenarioError) Error() string { return m.Err.Error() }

// Unwrap returns the cause.
func (m *ScenarioError) Unwrap() error { return m.Err }

func scenarioErrorf(format string, args ...any) error {
	return &ScenarioError{fmt.Errorf(format, args...)}
}
