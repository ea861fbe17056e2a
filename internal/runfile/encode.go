package runfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"omniloader/internal/bench"
)

// The lines of a file: the record's kind, then its keys.
type (
	headerLine struct {
		Record string `json:"record"`
		*Header
	}
	featureLine struct {
		Record string `json:"record"`
		*Feature
	}
	scenarioLine struct {
		Record string `json:"record"`
		*Scenario
	}
	comparisonLine struct {
		Record     string            `json:"record"`
		Comparison *bench.Comparison `json:"comparison"`
	}
	endLine struct {
		Record string `json:"record"`
		*End
	}
)

// errTooLong is the error of a record that no reader would take.
var errTooLong = errors.New("the record is too long")

// encodeLine appends a record and a line break to b.
func encodeLine(b *bytes.Buffer, record any) error {
	start := b.Len()
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	err := e.Encode(record)
	if err == nil && b.Len()-start > maxLine {
		err = fmt.Errorf("%w: %d bytes of at most %d", errTooLong, b.Len()-start, maxLine)
	}
	if err != nil {
		b.Truncate(start)
	}
	return err
}

// encodeFeature appends a feature's record. A source that makes it too long is left out,
// and problems that do are cut.
func encodeFeature(b *bytes.Buffer, f *Feature) error {
	short := *f
	short.Problems, _ = limitProblems(f.Problems, MaxMessage)
	err := encodeLine(b, featureLine{recordFeature, &short})
	if errors.Is(err, errTooLong) {
		short.Source = ""
		err = encodeLine(b, featureLine{recordFeature, &short})
	}
	if errors.Is(err, errTooLong) {
		short.Problems, _ = limitProblems(f.Problems[:min(len(f.Problems), reducedProblems)], reducedMessage)
		err = encodeLine(b, featureLine{recordFeature, &short})
	}
	return err
}

// limitProblems gives the problems with texts of at most so many bytes, and whether any
// was cut.
func limitProblems(problems []Problem, message int) (limited []Problem, cut bool) {
	for i := range problems {
		for _, text := range []Text{problems[i].Message, problems[i].Hint} {
			cut = cut || len(text) > message
		}
	}
	if !cut {
		return problems, false
	}
	limited = slices.Clone(problems)
	for i := range limited {
		for _, t := range []*Text{&limited[i].Message, &limited[i].Hint} {
			text, _ := cutText(string(*t), message)
			*t = Text(text)
		}
	}
	return limited, true
}

// encodeScenario appends a scenario's record, within the limits of the file. What cannot
// be kept is left out, and Cut says so: the status and the failures of a scenario are
// never lost for what belongs to it.
func encodeScenario(b *bytes.Buffer, s *Scenario) error {
	if !s.withinLimits() {
		s = s.limited()
	}
	err := encodeLine(b, scenarioLine{recordScenario, s})
	if err == nil {
		return nil
	}
	reduced := *s
	reduced.Cut = slices.Clone(s.Cut)
	if !errors.Is(err, errTooLong) {
		reduced.Cut = append(reduced.Cut, "the benchmark, which has no JSON form: "+err.Error())
		reduced.Benchmark = nil
		if err = encodeLine(b, scenarioLine{recordScenario, &reduced}); !errors.Is(err, errTooLong) {
			return err
		}
	}
	reduced.Cut = append(reduced.Cut, fmt.Sprintf("evidence, tables and doc strings, and most of the messages: the record would have more than %d MiB", maxLine>>20))
	reduced.Evidence = nil
	reduced.limitFailures(reducedMessage)
	reduced.Attempts = slices.Clone(reduced.Attempts)
	for i := range reduced.Attempts {
		reduced.Attempts[i].Steps = nil
	}
	reduced.Problems = reduced.Problems[:min(len(reduced.Problems), reducedProblems)]
	for i := range reduced.Steps {
		reduced.Steps[i].DocString, reduced.Steps[i].Table = nil, nil
	}
	return encodeLine(b, scenarioLine{recordScenario, &reduced})
}

// The length of messages in a record that had to be reduced, and its number of problems.
const (
	reducedMessage  = 4 << 10
	reducedProblems = 1000
)

func (f *Failure) withinLimits() bool {
	return f == nil || max(len(f.Message), len(f.Hint), len(f.Expected), len(f.Got), len(f.DecidedBy)) <= MaxMessage && len(f.Stack) <= MaxStack
}

// withinLimits says whether nothing of a scenario has to be cut.
func (s *Scenario) withinLimits() bool {
	if s.Evidence != nil || len(s.SkipReason) > MaxMessage || s.Problems != nil || !s.Failure.withinLimits() {
		return false // rare, so limited can look at it
	}
	for i := range s.Steps {
		if !s.Steps[i].Failure.withinLimits() {
			return false
		}
	}
	for i := range s.Attempts {
		if !s.Attempts[i].Failure.withinLimits() {
			return false
		}
		for j := range s.Attempts[i].Steps {
			if !s.Attempts[i].Steps[j].Failure.withinLimits() {
				return false
			}
		}
	}
	return true
}

// limited gives a copy of a scenario without what exceeds the limits.
func (s *Scenario) limited() *Scenario {
	out := *s
	out.Cut = slices.Clone(s.Cut)
	if text, cut := cutText(string(s.SkipReason), MaxMessage); cut {
		out.SkipReason = Text(text)
		out.Cut = append(out.Cut, "the end of the reason of the skip")
	}
	out.limitFailures(MaxMessage)
	if e := s.Evidence; e != nil {
		out.Evidence = e.limited()
	}
	return &out
}

func (e *Evidence) limited() *Evidence {
	out := *e
	if t := e.Tree; t != nil && len(t.Files) > MaxTreeFiles {
		tree := *t
		tree.Files, tree.More = t.Files[:MaxTreeFiles], t.More+len(t.Files)-MaxTreeFiles
		out.Tree = &tree
	}
	if a := e.Answer; a != nil && len(a.Text) > MaxAnswer {
		out.Answer = NewExcerpt(string(a.Text), MaxAnswer)
		out.Answer.Bytes = max(out.Answer.Bytes, a.Bytes)
	}
	return &out
}

// limitFailures cuts the texts about failures and problems, in copies of what has them.
func (s *Scenario) limitFailures(message int) {
	const note = "the end of texts about failures"
	noteCut := func() {
		if !slices.Contains(s.Cut, note) {
			s.Cut = append(s.Cut, note)
		}
	}
	limit := func(failure **Failure) {
		f := *failure
		if f == nil {
			return
		}
		short := *f
		cut := false
		for _, t := range []*Text{&short.Message, &short.Hint, &short.Expected, &short.Got, &short.DecidedBy} {
			if text, c := cutText(string(*t), message); c {
				*t, cut = Text(text), true
			}
		}
		if text, c := cutText(string(short.Stack), MaxStack); c {
			short.Stack, cut = Text(text), true
		}
		if !cut {
			return
		}
		*failure = &short
		noteCut()
	}
	limit(&s.Failure)
	var cut bool
	if s.Problems, cut = limitProblems(s.Problems, message); cut {
		noteCut()
	}
	s.Steps = slices.Clone(s.Steps)
	for i := range s.Steps {
		limit(&s.Steps[i].Failure)
	}
	s.Attempts = slices.Clone(s.Attempts)
	for i := range s.Attempts {
		limit(&s.Attempts[i].Failure)
		s.Attempts[i].Steps = slices.Clone(s.Attempts[i].Steps)
		for j := range s.Attempts[i].Steps {
			limit(&s.Attempts[i].Steps[j].Failure)
		}
	}
}

// buffers holds the buffers that records are encoded in. One that held a long record is
// not kept.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func takeBuffer() *bytes.Buffer {
	b := buffers.Get().(*bytes.Buffer)
	b.Reset()
	return b
}

func returnBuffer(b *bytes.Buffer) {
	const keep = 1 << 20
	if b.Cap() <= keep {
		buffers.Put(b)
	}
}
