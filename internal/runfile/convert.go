package runfile

import (
	"cmp"
	"slices"
	"strings"
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
	Kinds    []string // of the steps: Given, When or Then
	Worker   int      // that carried it out
	// Errors reads what only the caller knows of the types of errors.
	Errors Errors
}

// Errors reads errors of steps. A function that is nil tells nothing.
type Errors struct {
	// Explain gives what an error knows beside its message, its hint and its
	// outcome.Mismatch: the stack.
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
		Tags: newTags(f.Tags), Source: Text(f.Source), Problems: newProblems(f.Problems),
	}
}

// NewScenario gives the record of a scenario of a feature. The record shares tables and
// the benchmark with it. Steps start at or after the scenario. Each attempt has the steps
// of the scenario.
func NewScenario(f *outcome.Feature, s *outcome.Scenario, d Details) Scenario {
	identity := d.Identity
	if identity.File == "" {
		identity.File = f.URI
	}
	identity.Rule, identity.Name = s.Rule, s.NameInFile()
	out := Scenario{
		ID: identity.ID(), File: Text(identity.File), Rule: s.Rule, Name: identity.Name, Row: identity.Row, Number: identity.Number,
		Loader: d.Loader, Model: Text(d.Model), URI: Text(f.URI), Position: d.Position,
		Keyword: s.Keyword, Description: s.Description, Line: s.Line, Outline: s.Outline, Tags: newTags(s.Tags),
		Status: s.Status, SkipReason: Text(s.SkipReason), Problems: newProblems(s.Problems), Failure: d.Errors.failure(s.Err),
		Started: utc(s.Started), Duration: s.Duration,
		Benchmark: s.Benchmark, Warnings: texts(s.Warnings), NotJudged: s.NotJudged, Evidence: newEvidence(s.Evidence),
	}
	if len(s.Earlier) > 0 {
		out.Started = utc(s.Earlier[0].Started)
		out.Duration = utc(s.Started).Add(s.Duration).Sub(out.Started)
	}
	if len(s.Steps) > 0 {
		out.Steps = make([]Step, len(s.Steps))
	}
	results := newResults(s.Steps, out.Started, d.Errors)
	for i := range s.Steps {
		out.Steps[i] = newStep(&s.Steps[i], results[i])
		if i < len(d.Kinds) {
			out.Steps[i].Kind = d.Kinds[i]
		}
	}
	for _, a := range s.Earlier {
		out.Attempts = append(out.Attempts, Attempt{
			Start: utc(a.Started).Sub(out.Started), Duration: a.Duration, Worker: d.Worker, Status: outcome.Failed,
			Steps: newResults(a.Steps, out.Started, d.Errors), Failure: d.Errors.failure(a.Err),
		})
	}
	if !s.Started.IsZero() {
		out.Attempts = append(out.Attempts, Attempt{Start: utc(s.Started).Sub(out.Started), Duration: s.Duration, Worker: d.Worker, Status: lastAttempt(s.Status)})
	}
	return out
}

// lastAttempt gives the status of the last attempt of a scenario.
func lastAttempt(status outcome.Status) outcome.Status {
	switch status {
	case outcome.Flaky:
		return outcome.Passed
	case outcome.ExpectedFailure:
		return outcome.Failed
	}
	return status
}

// newResults gives what became of the steps of an attempt, of a scenario that started at
// a time of the wall clock.
func newResults(steps []outcome.Step, started time.Time, e Errors) []StepResult {
	if len(steps) == 0 {
		return nil
	}
	results, starts := make([]StepResult, len(steps)), make([]time.Duration, len(steps))
	for i := range steps {
		s := &steps[i]
		results[i] = StepResult{Status: s.Status, Duration: s.Duration, Failure: e.failure(s.Err)}
		if !s.Started.IsZero() {
			// of the wall clock, as times of a file are, not of the one that measures durations
			starts[i] = utc(s.Started).Sub(started)
			results[i].Start = &starts[i]
		}
	}
	return results
}

func newStep(s *outcome.Step, result StepResult) Step {
	out := Step{
		Keyword: s.Keyword, Text: s.Text, Line: s.Line, Background: s.Background, Table: s.Table,
		Definition: s.Definition, Pattern: s.Pattern, StepResult: result,
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
	if m := outcome.MismatchOf(err); m != nil {
		f.Expected, f.Got, f.DecidedBy = Text(m.Expected), Text(m.Got), Text(m.DecidedBy)
	}
	f.Hint = Text(outcome.HintOf(err))
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

// newEnd gives the last record of a run without the number of scenarios. known has what
// the header says was left out.
func newEnd(run *outcome.Run, known []LeftOut) *End {
	var notRun []Text
	for _, place := range run.NotRun {
		notRun = append(notRun, Text(place))
	}
	return &End{
		NotRun: notRun,
		Ended:  utc(run.Started.Add(run.Duration)), Duration: run.Duration, Interrupted: run.Interrupted, Problems: newProblems(run.Problems),
		LeftOut: slices.DeleteFunc(slices.Clone(run.LeftOut), func(l LeftOut) bool { return slices.Contains(known, l) }),
	}
}

func newProblems(problems outcome.Problems) []Problem {
	if len(problems) == 0 {
		return nil
	}
	out := make([]Problem, len(problems))
	for i, p := range problems {
		out[i] = Problem{URI: Text(p.URI), Line: p.Line, Column: p.Column, Code: p.Code, Message: Text(p.Message), Hint: Text(p.Advice)}
	}
	return out
}

func toProblems(problems []Problem) outcome.Problems {
	var out outcome.Problems
	for _, p := range problems {
		out = append(out, outcome.Problem{URI: string(p.URI), Line: p.Line, Column: p.Column, Code: p.Code, Message: string(p.Message), Advice: string(p.Hint)})
	}
	return out
}

// ReadError is the error of a step, an attempt or a scenario that was read from a run file.
type ReadError struct{ Failure }

// Error gives the message.
func (e *ReadError) Error() string { return string(e.Message) }

// Unwrap gives the outcome.Mismatch, or nil where the step compared nothing.
func (e *ReadError) Unwrap() error {
	if e.Expected == "" && e.Got == "" && e.DecidedBy == "" {
		return nil
	}
	m := &outcome.Mismatch{Expected: string(e.Expected), Got: string(e.Got), DecidedBy: string(e.DecidedBy)}
	m.Message = strings.TrimSuffix(string(e.Message), m.Comparison())
	return m
}

// Hint gives the way out, or "".
func (e *ReadError) Hint() string { return string(e.Failure.Hint) }

// toError gives the error that a failure was made of, nil where there is none.
func (f *Failure) toError() error {
	if f == nil {
		return nil
	}
	return &ReadError{*f}
}

// ToOutcome makes a run of a file, as reports take it. A file without an end gives an
// interrupted run that ended with its last scenario.
func (f *File) ToOutcome() *outcome.Run {
	h := &f.Header
	run := &outcome.Run{
		Started: h.Started, Version: h.Version, Interrupted: f.End == nil || f.End.Interrupted, LeftOut: slices.Clone(h.LeftOut),
		Origin: bench.Origin{Time: h.Host.Time, GoVersion: h.Host.GoVersion, Platform: h.Host.Platform, Environment: h.Host.Environment},
	}
	byURI := map[Text][]*Scenario{}
	for i := range f.Scenarios {
		s := &f.Scenarios[i]
		byURI[s.URI] = append(byURI[s.URI], s)
	}
	run.Duration = f.duration()
	if f.End != nil {
		run.Problems = toProblems(f.End.Problems)
		run.LeftOut = append(run.LeftOut, f.End.LeftOut...)
		for _, place := range f.End.NotRun {
			run.NotRun = append(run.NotRun, string(place))
		}
	}
	labels := modelLabels(h.Selection.Models)
	for i := range f.Features {
		record := &f.Features[i]
		scenarios := byURI[record.URI]
		if len(scenarios)+len(record.Problems) == 0 {
			continue
		}
		slices.SortStableFunc(scenarios, func(a, b *Scenario) int { return cmp.Compare(a.Position, b.Position) })
		feature := outcome.Feature{
			URI: string(record.URI), Keyword: record.Keyword, Name: record.Name, Description: record.Description, Line: record.Line,
			Tags: toTags(record.Tags), Source: []byte(record.Source), Problems: toProblems(record.Problems),
		}
		for _, s := range scenarios {
			feature.Scenarios = append(feature.Scenarios, s.toOutcome(labels[s.Model]))
		}
		run.Features = append(run.Features, feature)
	}
	if f.Comparison != nil {
		run.SetComparison(f.Comparison)
	}
	return run
}

// modelLabels gives the labels of the real checkpoints of a run, by directory.
func modelLabels(models []Text) map[Text]string {
	dirs := make([]string, len(models))
	for i, m := range models {
		dirs[i] = string(m)
	}
	labels := map[Text]string{}
	for i, label := range outcome.ModelLabels(dirs) {
		labels[models[i]] = label
	}
	return labels
}

func (s *Scenario) toOutcome(model string) outcome.Scenario {
	out := outcome.Scenario{
		Keyword: s.Keyword, Name: outcome.NameWithModel(s.Name, model), Model: model, Description: s.Description, Rule: s.Rule, Line: s.Line, Outline: s.Outline, Tags: toTags(s.Tags),
		Status: s.Status, SkipReason: string(s.SkipReason), Problems: toProblems(s.Problems), Err: s.Failure.toError(),
		Started: s.Started, Duration: s.Duration, Benchmark: s.Benchmark, NotJudged: s.NotJudged,
	}
	for _, w := range s.Warnings {
		out.Warnings = append(out.Warnings, string(w))
	}
	out.Evidence = s.Evidence.ToOutcome()
	for i := range s.Steps {
		out.Steps = append(out.Steps, s.Steps[i].toOutcome(s.Steps[i].StepResult, s.Started))
	}
	if last := len(s.Attempts) - 1; last >= 0 {
		out.Started, out.Duration = s.Started.Add(s.Attempts[last].Start), s.Attempts[last].Duration
		for _, a := range s.Attempts[:last] {
			out.Earlier = append(out.Earlier, s.earlier(a))
		}
	}
	return out
}

// earlier gives an attempt before the last.
func (s *Scenario) earlier(a Attempt) outcome.Attempt {
	out := outcome.Attempt{Started: s.Started.Add(a.Start), Duration: a.Duration, Err: a.Failure.toError()}
	for i := range min(len(s.Steps), len(a.Steps)) {
		out.Steps = append(out.Steps, s.Steps[i].toOutcome(a.Steps[i], s.Started))
	}
	return out
}

// toOutcome gives a step with what became of it in an attempt of a scenario that started
// at a time.
func (s *Step) toOutcome(result StepResult, started time.Time) outcome.Step {
	out := outcome.Step{
		Keyword: s.Keyword, Text: s.Text, Line: s.Line, Background: s.Background, Table: s.Table,
		Status: result.Status, Duration: result.Duration, Definition: s.Definition, Pattern: s.Pattern, Err: result.Failure.toError(),
	}
	if result.Start != nil {
		out.Started = started.Add(*result.Start)
	}
	if d := s.DocString; d != nil {
		out.DocString = &outcome.DocString{MediaType: d.MediaType, Content: d.Content, Line: d.Line}
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
