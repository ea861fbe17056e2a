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
	messages "github.com/cucumber/messages/go/v34"
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

// about says what a step is for. It is the last argument of a registration.
type about struct {
	meaning string
	example string
	bounds  bounded // what it bounds, so that the operation is measured
	failure bool    // it asserts that reading fails
}

// bounded is what a step sets a bound to, or asks to be measured.
type bounded int

const (
	none       bounded = iota
	latency            // the time of a call
	memory             // bytes, allocations or the live heap
	contention         // what callers at once get done
	process            // a process of its own: its first call, its memory
	cold               // the same with nothing of the checkpoint in the page cache
)

// entry is a step as the package itself needs it.
type entry struct {
	Definition
	about   about
	pattern *regexp.Regexp
}

// vocabulary takes the registration of steps. Its methods are called with a
// pattern that is a string literal, as direct statements of named functions:
// editors find steps in no other form.
type vocabulary interface {
	// group starts a heading of the catalogue.
	group(heading string)
	Given(pattern string, handler any, a about)
	When(pattern string, handler any, a about)
	Then(pattern string, handler any, a about)
}

// catalogue is what registration records, with every pattern compiled once.
var catalogue = sync.OnceValue(func() []*entry {
	r := new(recorder)
	newWorld(new(Setup)).vocabulary(r)
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

// recorder is the vocabulary that becomes the catalogue.
type recorder struct {
	heading string
	entries []*entry
}

func (r *recorder) group(heading string)                       { r.heading = heading }
func (r *recorder) Given(pattern string, handler any, a about) { r.add("Given", pattern, a) }
func (r *recorder) When(pattern string, handler any, a about)  { r.add("When", pattern, a) }
func (r *recorder) Then(pattern string, handler any, a about)  { r.add("Then", pattern, a) }

func (r *recorder) add(keyword, pattern string, a about) {
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

// scenarioVocabulary hands the steps to one scenario.
type scenarioVocabulary struct {
	sc   *godog.ScenarioContext
	laid *layout // notes the Given steps
}

func (v *scenarioVocabulary) group(string) {}
func (v *scenarioVocabulary) Given(pattern string, handler any, _ about) {
	v.sc.Given(patterns()[pattern], v.laid.noting(pattern, handler))
}
func (v *scenarioVocabulary) When(pattern string, handler any, _ about) {
	v.sc.When(patterns()[pattern], handler)
}
func (v *scenarioVocabulary) Then(pattern string, handler any, _ about) {
	v.sc.Then(patterns()[pattern], handler)
}

// Grammar checks the order of a scenario's steps, given their kinds: what is laid
// out first, the one thing that is read, then what it promises. Where it does not
// hold, at is the step in the wrong place, or -1 where one is missing.
func Grammar(kinds []messages.PickleStepType) (at int, err error) {
	whens, thens, misplaced := 0, 0, false
	for i, kind := range kinds {
		switch kind {
		case messages.PickleStepType_CONTEXT:
			if whens > 0 {
				return i, &Mistake{errors.New("a Given stands behind the When: it would change nothing that is read")}
			}
		case messages.PickleStepType_ACTION:
			whens++
			if whens > 1 {
				return i, &Mistake{errors.New("the scenario has 2 When steps: it reads exactly one thing")}
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
		return -1, &Mistake{errors.New("the scenario has 0 When steps: it reads exactly one thing")}
	case thens == 0:
		return -1, &Mistake{errors.New("the scenario promises nothing: it has no Then step")}
	case misplaced:
		return at, &Mistake{errors.New("a Then stands before the When: nothing was read yet")}
	}
	return 0, nil
}

// Mistake is an error of whoever wrote the scenario: it says nothing about the
// loader, and the run could not judge.
type Mistake struct{ Err error }

func (m *Mistake) Error() string { return m.Err.Error() }

// Unwrap gives what went wrong.
func (m *Mistake) Unwrap() error { return m.Err }

func mistake(format string, args ...any) error { return &Mistake{fmt.Errorf(format, args...)} }
