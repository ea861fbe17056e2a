package runfile

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
)

// Details is what package outcome does not have of a scenario. The zero value fits a run
// of the built-in loader whose details are not known.
type Details struct {
	Identity Identity // the zero value takes what the outcome has: no row
	Position int      // see Scenario
	Loader   string   // "" for the built-in one
	Model    string
	Kinds    []string  // of the steps: Given, When or Then
	Attempts []Attempt // none where the scenario was carried out once, or not at all
	Worker   int       // of the only attempt, where Attempts is nil
	Evidence *Evidence
	Attached []Attachment
	// Errors reads what only the caller knows of the types of errors.
	Errors Errors
}

// Errors reads errors of steps. A function that is nil tells nothing.
type Errors struct {
	// Explain gives what an error knows beside its message and hint: Expected, Got,
	// DecidedBy and Stack.
	Explain func(error) Failure
}

// NewHost gives the host of a run.
func NewHost(o bench.Origin) Host {
	return Host{Time: utc(o.Time), GoVersion: o.GoVersion, Platform: o.Platform, Environment: o.Environment}
}

// NewFeature gives the record of a feature, without its scenarios.
func NewFeature(f *outcome.Feature) Feature {
	return Feature{
		URI: Text(f.URI), Keyword: f.Keyword, Name: f.Name, Description: f.Description, Line: f.Line,
		Tags: newTags(f.Tags), Source: Text(f.Source),
	}
}

// NewScenario gives the record of a scenario of a feature. The record shares tables and
// the benchmark with it. Steps start at or after the scenario.
func NewScenario(f *outcome.Feature, s *outcome.Scenario, d Details) Scenario {
	identity := d.Identity
	if identity.File == "" {
		identity.File = f.URI
	}
	identity.Rule, identity.Name = s.Rule, s.Name
	out := Scenario{
		ID: identity.ID(), File: Text(identity.File), Rule: s.Rule, Name: s.Name, Row: identity.Row, Number: identity.Number,
		Loader: d.Loader, Model: Text(d.Model), URI: Text(f.URI), Position: d.Position,
		Keyword: s.Keyword, Description: s.Description, Line: s.Line, Outline: s.Outline, Tags: newTags(s.Tags),
		Status: s.Status, SkipReason: Text(s.SkipReason), Started: utc(s.Started), Duration: s.Duration, Attempts: d.Attempts,
		Benchmark: s.Benchmark, Warnings: texts(s.Warnings), NotJudged: s.NotJudged, Evidence: d.Evidence, Attachments: d.Attached,
	}
	if len(s.Steps) > 0 {
		out.Steps = make([]Step, len(s.Steps))
	}
	starts := make([]time.Duration, len(s.Steps))
	for i := range s.Steps {
		out.Steps[i] = newStep(&s.Steps[i], d.Errors)
		if at := s.Steps[i].Started; !at.IsZero() {
			// of the wall clock, as times of a file are, not of the one that measures durations
			starts[i] = utc(at).Sub(out.Started)
			out.Steps[i].Start = &starts[i]
		}
		if i < len(d.Kinds) {
			out.Steps[i].Kind = d.Kinds[i]
		}
	}
	if out.Attempts == nil && !s.Started.IsZero() {
		out.Attempts = []Attempt{{Duration: s.Duration, Worker: d.Worker, Status: out.Status}}
	}
	return out
}

func newStep(s *outcome.Step, e Errors) Step {
	out := Step{
		Keyword: s.Keyword, Text: s.Text, Line: s.Line, Background: s.Background, Table: s.Table,
		Definition: s.Definition, Pattern: s.Pattern,
		StepResult: StepResult{Status: s.Status, Duration: s.Duration, Failure: e.failure(s.Err)},
	}
	if d := s.DocString; d != nil {
		out.DocString = &DocString{MediaType: d.MediaType, Content: d.Content, Line: d.Line}
	}
	return out
}

func (e Errors) failure(err error) *Failure {
	if err == nil {
		return nil
	}
	f := new(Failure)
	if e.Explain != nil {
		*f = e.Explain(err)
	}
	f.Message = Text(err.Error())
	var hinter interface{ Hint() string }
	if errors.As(err, &hinter) {
		f.Hint = Text(hinter.Hint())
	}
	return f
}

func newTags(tags []outcome.Tag) []Tag {
	if len(tags) == 0 {
		return nil
	}
	out := make([]Tag, len(tags))
	for i, t := range tags {
		out[i] = Tag(t)
	}
	return out
}

func texts(all []string) []Text {
	if len(all) == 0 {
		return nil
	}
	out := make([]Text, len(all))
	for i, s := range all {
		out[i] = Text(s)
	}
	return out
}

// utc drops what JSON cannot keep of a time: the name of its zone, and the reading of the
// clock that measures durations.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.Round(0).UTC()
}

// FromOutcome makes a run file of a run that is over. header has what the run does not
// know: the selection, the loaders, the order; details gives it for each scenario, nil
// where nothing is known. Where details gives no position or no number of an identity, it
// is counted.
//
// ToOutcome of the file is the run again, with these differences: an error of a step is a
// *StepError of the same text and hint; times are in UTC and of the wall clock alone, so
// that two of them compare as they read; and features without scenarios are left out.
func FromOutcome(run *outcome.Run, header Header, details func(*outcome.Feature, *outcome.Scenario) Details) *File {
	file := &File{Header: header, Comparison: run.Comparison}
	h := &file.Header
	h.complete()
	h.Version, h.Started, h.Host = run.Version, utc(run.Started), NewHost(run.Origin)
	if commit, ok := run.Origin.Environment["commit"].(string); ok && h.Commit == "" {
		h.Commit = commit
	}
	numberings := map[[2]string]*Numbering{} // by loader and model: each has every scenario
	end := &End{Ended: utc(run.Started.Add(run.Duration)), Duration: run.Duration, Interrupted: run.Interrupted, Statuses: map[outcome.Status]int{}}
	for i := range run.Features {
		f := &run.Features[i]
		file.Features = append(file.Features, NewFeature(f))
		for j := range f.Scenarios {
			s := &f.Scenarios[j]
			var d Details
			if details != nil {
				d = details(f, s)
			}
			if d.Position == 0 {
				d.Position = len(file.Scenarios) + 1
			}
			if d.Identity.Number == 0 {
				d.Identity.File = cmp.Or(d.Identity.File, f.URI)
				d.Identity.Rule, d.Identity.Name = s.Rule, s.Name
				of := [2]string{d.Loader, d.Model}
				if numberings[of] == nil {
					numberings[of] = new(Numbering)
				}
				numberings[of].Assign(&d.Identity)
			}
			record := NewScenario(f, s, d)
			end.Statuses[record.Status]++
			file.Scenarios = append(file.Scenarios, record)
		}
	}
	end.Scenarios = len(file.Scenarios)
	h.Planned = max(h.Planned, end.Scenarios)
	file.End = end
	return file
}

// StepError is the error of a step that was read from a run file.
type StepError struct{ Failure }

// Error gives the message.
func (e *StepError) Error() string { return string(e.Message) }

// Hint gives the way out, or "".
func (e *StepError) Hint() string { return string(e.Failure.Hint) }

// ToOutcome makes a run of a file, as reports take it. A file without an end gives an
// interrupted run that ended with its last scenario.
func (f *File) ToOutcome() *outcome.Run {
	h := &f.Header
	run := &outcome.Run{
		Started: h.Started, Version: h.Version, Comparison: f.Comparison, Interrupted: f.End == nil || f.End.Interrupted,
		Origin: bench.Origin{Time: h.Host.Time, GoVersion: h.Host.GoVersion, Platform: h.Host.Platform, Environment: h.Host.Environment},
	}
	byURI := map[Text][]*Scenario{}
	for i := range f.Scenarios {
		s := &f.Scenarios[i]
		byURI[s.URI] = append(byURI[s.URI], s)
		if f.End == nil && !s.Started.IsZero() {
			run.Duration = max(run.Duration, s.Started.Add(s.Duration).Sub(h.Started))
		}
	}
	if f.End != nil {
		run.Duration = f.End.Duration
	}
	changes := map[string]*bench.Change{}
	if f.Comparison != nil {
		for i := range f.Comparison.Changes {
			changes[f.Comparison.Changes[i].Name] = &f.Comparison.Changes[i]
		}
	}
	for i := range f.Features {
		record := &f.Features[i]
		scenarios := byURI[record.URI]
		if len(scenarios) == 0 {
			continue
		}
		slices.SortStableFunc(scenarios, func(a, b *Scenario) int { return cmp.Compare(a.Position, b.Position) })
		feature := outcome.Feature{
			URI: string(record.URI), Keyword: record.Keyword, Name: record.Name, Description: record.Description, Line: record.Line,
			Tags: toTags(record.Tags), Source: []byte(record.Source), Scenarios: make([]outcome.Scenario, len(scenarios)),
		}
		for j, s := range scenarios {
			feature.Scenarios[j] = s.toOutcome()
			if b := s.Benchmark; b != nil {
				feature.Scenarios[j].Change = changes[b.Name]
			}
		}
		run.Features = append(run.Features, feature)
	}
	return run
}

func (s *Scenario) toOutcome() outcome.Scenario {
	out := outcome.Scenario{
		Keyword: s.Keyword, Name: s.Name, Description: s.Description, Rule: s.Rule, Line: s.Line, Outline: s.Outline, Tags: toTags(s.Tags),
		Status: s.Status, SkipReason: string(s.SkipReason), Started: s.Started, Duration: s.Duration, Benchmark: s.Benchmark, NotJudged: s.NotJudged,
	}
	for _, w := range s.Warnings {
		out.Warnings = append(out.Warnings, string(w))
	}
	for i := range s.Steps {
		step := s.Steps[i].toOutcome()
		if start := s.Steps[i].Start; start != nil {
			step.Started = s.Started.Add(*start)
		}
		out.Steps = append(out.Steps, step)
	}
	return out
}

func (s *Step) toOutcome() outcome.Step {
	out := outcome.Step{
		Keyword: s.Keyword, Text: s.Text, Line: s.Line, Background: s.Background, Table: s.Table,
		Status: s.Status, Duration: s.Duration, Definition: s.Definition, Pattern: s.Pattern,
	}
	if d := s.DocString; d != nil {
		out.DocString = &outcome.DocString{MediaType: d.MediaType, Content: d.Content, Line: d.Line}
	}
	if s.Failure != nil {
		out.Err = &StepError{*s.Failure}
	}
	return out
}

func toTags(tags []Tag) []outcome.Tag {
	var out []outcome.Tag
	for _, t := range tags {
		out = append(out, outcome.Tag(t))
	}
	return out
}
