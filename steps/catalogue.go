package steps

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"
)

// Definition is one step of the catalogue.
type Definition struct {
	Keyword  string // "Given", "When" or "Then"
	Pattern  string // the regular expression a step's text is matched with
	Meaning  string // what it does, in one sentence
	Example  string // a text that it matches
	Group    string // the heading it stands under
	Location string // where it is defined: "steps/given.go:31"
}

// Catalogue gives every step in the order of registration, which is the order to
// show them in. It is recorded from the same calls that register the steps of a
// scenario.
func Catalogue() []Definition {
	entries := catalogue()
	definitions := make([]Definition, len(entries))
	for i, e := range entries {
		definitions[i] = e.Definition
	}
	return definitions
}

// Match gives the steps that a step of this kind and text would run: none where
// it is undefined, more than one where it is ambiguous. An unknown kind matches
// steps of every keyword.
func Match(kind messages.PickleStepType, text string) []Definition {
	entries := matching(kind, text)
	definitions := make([]Definition, len(entries))
	for i, e := range entries {
		definitions[i] = e.Definition
	}
	return definitions
}

// stepDoc says what a step is for. It is the last argument of a registration.
type stepDoc struct {
	meaning        string
	example        string
	bounds         boundKind // what it bounds, so that the operation is measured
	expectsFailure bool      // it asserts that reading fails
}

// boundKind is what a step sets a bound to, or asks to be measured.
type boundKind int

const (
	noBound     boundKind = iota
	latency               // the time of a call
	memory                // bytes, allocations or the live heap
	concurrency           // what callers at once get done
	process               // a process of its own: its first call, its memory
	coldProcess           // the same with nothing of the checkpoint in the page cache
)

// entry is a step as the package itself needs it.
type entry struct {
	Definition
	about   stepDoc
	pattern *regexp.Regexp
}

// stepRegistrar takes the registration of steps. Its methods are called with a
// pattern that is a string literal, as direct statements of named functions:
// editors find steps in no other form.
type stepRegistrar interface {
	// group starts a heading of the catalogue.
	group(heading string)
	Given(pattern string, handler any, a stepDoc)
	When(pattern string, handler any, a stepDoc)
	Then(pattern string, handler any, a stepDoc)
}

// catalogue is what registration records, with every pattern compiled once.
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
	for _, e := range catalogue() {
		if keyword, asked := keywords[kind]; (!asked || keyword == e.Keyword) && e.pattern.MatchString(text) {
			found = append(found, e)
		}
	}
	return found
}

// keywords are the kinds of step that ask for a keyword; the others take any.
var keywords = map[messages.PickleStepType]string{
	messages.PickleStepType_CONTEXT: "Given",
	messages.PickleStepType_ACTION:  "When",
	messages.PickleStepType_OUTCOME: "Then",
}

// catalogueRegistrar is the vocabulary that becomes the catalogue.
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
			Keyword: keyword, Pattern: pattern, Meaning: a.meaning, Example: a.example, Group: r.heading,
			Location: fmt.Sprintf("%s/%s:%d", path.Base(path.Dir(file)), path.Base(file), line),
		},
		about:   a,
		pattern: regexp.MustCompile(pattern),
	})
}

// scenarioRegistrar hands the steps to one scenario.
type scenarioRegistrar struct {
	sc    *godog.ScenarioContext
	given *givenSteps // notes the Given steps
}

func (v *scenarioRegistrar) group(string) {}
func (v *scenarioRegistrar) Given(pattern string, handler any, _ stepDoc) {
	v.sc.Given(patterns()[pattern], v.given.recording(pattern, handler))
}
func (v *scenarioRegistrar) When(pattern string, handler any, _ stepDoc) {
	v.sc.When(patterns()[pattern], handler)
}
func (v *scenarioRegistrar) Then(pattern string, handler any, _ stepDoc) {
	v.sc.Then(patterns()[pattern], handler)
}

// CheckStepOrder checks the order of a scenario's steps, given their kinds: what is laid
// out first, the one thing that is read, then what it promises. Where it does not
// hold, at is the step in the wrong place, or -1 where one is missing.
func CheckStepOrder(kinds []messages.PickleStepType) (at int, err error) {
	whens, thens, misplaced := 0, 0, false
	for i, kind := range kinds {
		switch kind {
		case messages.PickleStepType_CONTEXT:
			if whens > 0 {
				return i, &ScenarioError{errors.New("a Given stands behind the When: it would change nothing that is read")}
			}
		case messages.PickleStepType_ACTION:
			whens++
			if whens > 1 {
				return i, &ScenarioError{errors.New("the scenario has 2 When steps: it reads exactly one thing")}
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
		return -1, &ScenarioError{errors.New("the scenario has 0 When steps: it reads exactly one thing")}
	case thens == 0:
		return -1, &ScenarioError{errors.New("the scenario promises nothing: it has no Then step")}
	case misplaced:
		return at, &ScenarioError{errors.New("a Then stands before the When: nothing was read yet")}
	}
	return 0, nil
}

// ScenarioError is an error of whoever wrote the scenario: it says nothing about the
// loader, and the run could not judge.
type ScenarioError struct{ Err error }

func (m *ScenarioError) Error() string { return m.Err.Error() }

// Unwrap gives what went wrong.
func (m *ScenarioError) Unwrap() error { return m.Err }

func scenarioErrorf(format string, args ...any) error {
	return &ScenarioError{fmt.Errorf(format, args...)}
}
