package engine

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"

	messages "github.com/cucumber/messages/go/v34"
)

// Match is a definition whose expression matches a step's text.
type Match struct {
	Definition *Definition
	// Groups has the byte offsets of what the whole expression and each of its
	// groups matched, in pairs, as regexp's FindStringSubmatchIndex has them. It must
	// not be changed.
	Groups []int
}

// Parts gives what the groups matched in the text of the step, and "" for one that
// matched nothing.
func (m Match) Parts(text string) []string {
	parts := make([]string, 0, len(m.Groups)/2)
	for i := 2; i+1 < len(m.Groups); i += 2 {
		part := ""
		if m.Groups[i] >= 0 {
			part = text[m.Groups[i]:m.Groups[i+1]]
		}
		parts = append(parts, part)
	}
	return parts
}

// ErrUndefined is the kind of a step that no definition matches, and ErrAmbiguous
// of one that several match.
var (
	ErrUndefined = errors.New("undefined step")
	ErrAmbiguous = errors.New("ambiguous step")
)

// AmbiguousError names the definitions that match one step. Its kind is
// ErrAmbiguous.
type AmbiguousError struct{ Matches []Match }

func (e *AmbiguousError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: it matches", ErrAmbiguous)
	for i, m := range e.Matches {
		if i > 0 {
			b.WriteString(" and")
		}
		b.WriteString(" " + m.Definition.String())
	}
	return b.String()
}

func (e *AmbiguousError) Is(target error) bool { return target == ErrAmbiguous }

// Matches gives the definitions that match a step, in the order of registration.
// The slice must not be changed.
func (e *Engine) Matches(kind messages.PickleStepType, text string) []Match {
	return e.matcher.find(kind, text)
}

// Resolve finds the one definition of a step and makes its arguments, without
// calling it. The error is ErrUndefined, an *AmbiguousError, or an *ArgumentError,
// with which the Match is given too.
func (e *Engine) Resolve(step *messages.PickleStep) (Match, error) {
	m, err := resolve(e.Matches(step.Type, step.Text))
	if err == nil {
		_, err = m.Definition.arguments(m.Parts(step.Text), step.Argument)
	}
	return m, err
}

// resolve picks the match there is.
func resolve(matches []Match) (Match, error) {
	switch len(matches) {
	case 0:
		return Match{}, ErrUndefined
	case 1:
		return matches[0], nil
	}
	return Match{}, &AmbiguousError{matches}
}

// Kinds gives what each step of a scenario is: a Given (CONTEXT), a When (ACTION) or
// a Then (OUTCOME). Where the keyword does not say it, as a star does not, and And
// and But do not before any other keyword, the definition says it; where that takes
// any keyword, a step is what the one before it is. What is left is UNKNOWN.
func (e *Engine) Kinds(pickle *messages.Pickle) []messages.PickleStepType {
	kinds := make([]messages.PickleStepType, len(pickle.Steps))
	before := messages.PickleStepType_UNKNOWN
	for i, step := range pickle.Steps {
		kinds[i] = kindOf(step.Type, e.Matches(step.Type, step.Text), before)
		before = kinds[i]
	}
	return kinds
}

func kindOf(declared messages.PickleStepType, matches []Match, before messages.PickleStepType) messages.PickleStepType {
	if declared != "" && declared != messages.PickleStepType_UNKNOWN {
		return declared
	}
	if len(matches) == 0 {
		return messages.PickleStepType_UNKNOWN
	}
	keyword := matches[0].Definition.Keyword
	for _, m := range matches[1:] {
		if m.Definition.Keyword != keyword {
			return messages.PickleStepType_UNKNOWN
		}
	}
	if keyword == "" {
		return before
	}
	return kinds[keyword]
}

var kinds = map[string]messages.PickleStepType{
	"Given": messages.PickleStepType_CONTEXT,
	"When":  messages.PickleStepType_ACTION,
	"Then":  messages.PickleStepType_OUTCOME,
}

const (
	// maxCached bounds each of the two halves of the matcher's memory, and
	// maxCachedText the texts that it keeps: together they are some 2 MB.
	maxCached     = 2048
	maxCachedText = 512
)

// matcher finds definitions, and remembers what it found for the texts it saw last.
type matcher struct {
	all    []*Definition
	byKind map[messages.PickleStepType][]*Definition

	mu           sync.Mutex
	young, older map[question][]Match // when the young half is full, it becomes the older
}

type question struct {
	kind messages.PickleStepType
	text string
}

func newMatcher(definitions []*Definition) *matcher {
	m := &matcher{all: definitions, byKind: map[messages.PickleStepType][]*Definition{}, young: map[question][]Match{}}
	for keyword, kind := range kinds {
		m.byKind[kind] = []*Definition{}
		for _, d := range definitions {
			if d.Keyword == "" || d.Keyword == keyword {
				m.byKind[kind] = append(m.byKind[kind], d)
			}
		}
	}
	return m
}

func (m *matcher) find(kind messages.PickleStepType, text string) []Match {
	if len(text) > maxCachedText {
		return m.search(kind, text)
	}
	q := question{kind, text}
	m.mu.Lock()
	matches, known := m.young[q]
	if !known {
		matches, known = m.older[q]
	}
	m.mu.Unlock()
	if known {
		return matches
	}
	matches = m.search(kind, text)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.young) >= maxCached {
		m.young, m.older = make(map[question][]Match, maxCached), m.young
	}
	m.young[question{kind, strings.Clone(text)}] = matches // the text may be a part of a file
	return matches
}

func (m *matcher) search(kind messages.PickleStepType, text string) []Match {
	definitions, narrowed := m.byKind[kind]
	if !narrowed {
		definitions = m.all
	}
	var matches []Match
	for _, d := range definitions {
		if !d.literals.possible(text) {
			continue
		}
		if groups := d.expression.FindStringSubmatchIndex(text); groups != nil {
			matches = append(matches, Match{d, groups})
		}
	}
	return matches
}

// Arguments makes the arguments of a call from the step that the match is of, without the
// context. The error is an *ArgumentError.
func (m Match) Arguments(step *messages.PickleStep) ([]reflect.Value, error) {
	return m.Definition.arguments(m.Parts(step.Text), step.Argument)
}
