package runfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/outcome"
	"omniloader/internal/report"
)

// written gives a file as it is after it was written and read again.
func written(t testing.TB, f *File) *File {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, f.Encode(&b))
	again, err := Read(&b, "run.json")
	require.NoError(t, err)
	return again
}

// renderers gives each format of a report without options.
func renderers() map[string]func(io.Writer, *outcome.Run) error {
	all := map[string]func(io.Writer, *outcome.Run) error{}
	for _, f := range report.Formats() {
		all[f.Name] = func(w io.Writer, run *outcome.Run) error { return f.Render(w, run, report.Options{}) }
	}
	return all
}

// renderings gives every report of a run, by format and options.
func renderings(t testing.TB, run *outcome.Run) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, f := range report.Formats() {
		for _, o := range []report.Options{{}, {Width: 60, Color: true}} {
			var b bytes.Buffer
			require.NoError(t, f.Render(&b, run, o), f.Name)
			require.NotZero(t, b.Len(), f.Name)
			all[fmt.Sprintf("%s %+v", f.Name, o)] = b.String()
		}
	}
	return all
}

// withoutErrorTypes replaces errors by their texts and hints, so that runs can be compared.
func withoutErrorTypes(run *outcome.Run) *outcome.Run {
	out := *run
	out.Features = nil
	for _, f := range run.Features {
		f.Scenarios = append([]outcome.Scenario(nil), f.Scenarios...)
		for i := range f.Scenarios {
			s := &f.Scenarios[i]
			s.Steps = append([]outcome.Step(nil), s.Steps...)
			if s.Benchmark != nil { // its raw samples are of the running program only
				b := *s.Benchmark
				b.Measurement = nil
				s.Benchmark = &b
			}
			s.Err = plainError(s.Err)
			for j := range s.Steps {
				s.Steps[j].Err = plainError(s.Steps[j].Err)
			}
			s.Earlier = append([]outcome.Attempt(nil), s.Earlier...)
			for j := range s.Earlier {
				a := &s.Earlier[j]
				a.Err = plainError(a.Err)
				a.Steps = append([]outcome.Step(nil), a.Steps...)
				for k := range a.Steps {
					a.Steps[k].Err = plainError(a.Steps[k].Err)
				}
			}
		}
		out.Features = append(out.Features, f)
	}
	return &out
}

// plainError gives an error of the same text and hint.
func plainError(err error) error {
	if err == nil {
		return nil
	}
	hint := ""
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		hint = h.Hint()
	}
	return hinted{errors.New(err.Error()), hint}
}

func TestEveryReportOfARunFileIsThatOfTheRun(t *testing.T) {
	for name, details := range map[string]func(*outcome.Feature, *outcome.Scenario) Details{"nothing more is known": nil, "all is known": sampleDetails} {
		for _, interrupted := range []bool{false, true} {
			run := sample(t)
			run.Interrupted = interrupted
			want := renderings(t, run)
			file := FromOutcome(run, sampleHeader(), details)
			assert.Equal(t, want, renderings(t, file.ToOutcome()), "%s, in memory", name)
			again := written(t, file)
			assert.Equal(t, want, renderings(t, again.ToOutcome()), "%s, written and read", name)
			assert.Equal(t, want, renderings(t, written(t, again).ToOutcome()), "%s, twice", name)
		}
	}
}

func TestARunComesBackWhole(t *testing.T) {
	run := sample(t)
	want := withoutErrorTypes(run)
	file := FromOutcome(run, Header{}, sampleDetails)
	assert.Equal(t, want, withoutErrorTypes(file.ToOutcome()))
	got := withoutErrorTypes(written(t, file).ToOutcome())
	want.Comparison, got.Comparison = nil, nil                 // its unexported part is not written
	want.Origin.Environment, got.Origin.Environment = nil, nil // numbers are float64 once they were read
	for i, f := range want.Features {
		for j, s := range f.Scenarios {
			if s.Benchmark != nil {
				read := &got.Features[i].Scenarios[j]
				assert.Equal(t, []any{s.Change.Key(), s.Change.Verdict, s.Change.Ratio}, []any{read.Change.Key(), read.Change.Verdict, read.Change.Ratio})
				f.Scenarios[j].Change, read.Change = nil, nil       // its results are not written
				f.Scenarios[j].Benchmark, read.Benchmark = nil, nil // its metadata has numbers too
			}
		}
	}
	assert.Equal(t, want, got)
}

// A Finish of what Create started is what FromOutcome makes of the run.
func TestARunWrittenWhileItGoesOnComesBackWhole(t *testing.T) {
	run := sample(t)
	whole := FromOutcome(run, sampleHeader(), sampleDetails)
	path := filepath.Join(t.TempDir(), "run.json")
	header := sampleHeader()
	header.Started, header.Version, header.Host, header.Commit, header.Planned = whole.Header.Started, whole.Header.Version, whole.Header.Host, whole.Header.Commit, whole.Header.Planned
	w, err := Create(path, header, whole.Features, noWarning(t))
	require.NoError(t, err)
	for i := range whole.Scenarios {
		w.Scenario(&whole.Scenarios[i])
	}
	w.Finish(run)
	got, err := ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, written(t, whole), got)
	assert.Equal(t, []LeftOut{{Reason: "link to a folder", Count: 1}}, got.End.LeftOut, "the header has what the selection left out")
	assert.Equal(t, run.LeftOut, got.ToOutcome().LeftOut)
}

func TestAttemptsHaveTheStepsOfTheScenario(t *testing.T) {
	file := written(t, FromOutcome(sample(t), Header{}, sampleDetails))
	at := slices.IndexFunc(file.Scenarios, func(s Scenario) bool { return s.Status == outcome.Flaky })
	s := file.Scenarios[at]
	assert.Equal(t, began.Add(time.Second), s.Started, "of the first attempt")
	assert.Equal(t, 1505*time.Millisecond, s.Duration, "of all attempts")
	require.Len(t, s.Attempts, 3)
	assert.Equal(t, []time.Duration{0, time.Second, 1500 * time.Millisecond}, []time.Duration{s.Attempts[0].Start, s.Attempts[1].Start, s.Attempts[2].Start})
	assert.Equal(t, []outcome.Status{outcome.Failed, outcome.Failed, outcome.Passed}, []outcome.Status{s.Attempts[0].Status, s.Attempts[1].Status, s.Attempts[2].Status})
	assert.Nil(t, s.Attempts[2].Steps, "those of the scenario")
	assert.EqualValues(t, "step.go:1\n", s.Attempts[0].Steps[0].Failure.Stack)
	assert.Nil(t, s.Attempts[0].Steps[1].Start)
	assert.EqualValues(t, "wait", s.Attempts[1].Failure.Hint)
	earlier := s.toOutcome("").Earlier
	require.Len(t, earlier, 2)
	assert.Equal(t, "an empty checkpoint", earlier[0].Steps[0].Text)
}

func TestAFileComesBackWhole(t *testing.T) {
	run := sample(t)
	file := FromOutcome(run, sampleHeader(), sampleDetails)
	file.Scenarios[2].Attempts = []Attempt{
		{Duration: 7, Worker: 1, Status: outcome.Failed, Steps: []StepResult{{Status: outcome.Passed}, {Status: outcome.Failed, Start: new(time.Duration), Duration: 3, Failure: &Failure{Message: "no", Stack: "s", Expected: "e", Got: "g", DecidedBy: "d"}}}},
		{Start: time.Second, Duration: 9, Worker: 2, Status: outcome.Passed},
	}
	file.Scenarios[2].Status = outcome.Flaky
	file.Scenarios[2].Loader, file.Scenarios[2].Model = "other", "/models/\xff"
	file.End.LeftOut, file.End.Error = []LeftOut{{Reason: "interrupted", Count: 2}}, "engine"
	again := written(t, file)
	for i := range file.Scenarios {
		if b := file.Scenarios[i].Benchmark; b != nil {
			b.Measurement = nil
			b.Metadata["layers"] = float64(32) // a number is a float64 once it was read
		}
	}
	file.Header.Host.Environment = map[string]any{
		"cpu": "AMD EPYC 7763", "cores": 4.0, "gomaxprocs": 2.0, "commit": "0123456789abcdef", "dirty": true, "modules": map[string]any{"a/b": "v1"}}
	again.Comparison = file.Comparison // its unexported part is not written; the reports show that the rest is
	assert.Equal(t, file, again)
	assert.Empty(t, again.Notes()[1:], "%v", again.Notes())
}

func TestWhatCouldNotBeJudgedIsToldApart(t *testing.T) {
	file := written(t, FromOutcome(sample(t), Header{}, sampleDetails))
	statuses := map[string]outcome.Status{}
	for _, s := range file.Scenarios {
		statuses[s.Name] = s.Status
	}
	assert.Equal(t, outcome.CouldNotJudge, statuses["a mistaken one"])
	assert.Equal(t, outcome.Failed, statuses["a bound is exceeded"])
	run := file.ToOutcome()
	s := run.Features[1].Scenarios[2]
	assert.Equal(t, outcome.CouldNotJudge, s.Status)
	assert.Equal(t, outcome.CouldNotJudge, s.FailedStep().Status)
	assert.Equal(t, outcome.Failed, run.Features[1].Scenarios[0].FailedStep().Status)
	var e *ReadError
	panics := run.Features[0].Scenarios[2].Steps[7]
	require.ErrorAs(t, panics.Err, &e)
	assert.Equal(t, Text("main.go:1\n"), e.Stack)
}

func TestScenariosOfOneNameHaveIdsOfTheirOwn(t *testing.T) {
	for _, details := range []func(*outcome.Feature, *outcome.Scenario) Details{nil, sampleDetails} {
		ids := map[string]string{}
		for _, s := range FromOutcome(sample(t), Header{}, details).Scenarios {
			assert.Empty(t, ids[s.ID], s.Name)
			ids[s.ID] = s.Name
		}
	}
}

func TestAFileOfAKilledRunGivesAnInterruptedRun(t *testing.T) {
	file := FromOutcome(sample(t), Header{}, nil)
	file.End = nil
	run := file.ToOutcome()
	assert.True(t, run.Interrupted)
	assert.Equal(t, 2505*time.Millisecond, run.Duration, "up to the end of the last scenario")
	assert.Equal(t, []string{"the run did not come to its end: 12 of 12 scenarios had ended"}, file.Notes())
	renderings(t, run)
}

// programStarted was so long ago that the wall clock and the one that measures durations
// no longer agree to the nanosecond.
var programStarted = time.Now()

func TestStepsStartWhenTheWallClockSays(t *testing.T) {
	for range 1000 {
		f := &outcome.Feature{URI: "a.feature"}
		s := &outcome.Scenario{Status: outcome.Passed, Started: programStarted, Steps: []outcome.Step{{Status: outcome.Passed, Started: time.Now()}}}
		record := NewScenario(f, s, Details{})
		got := record.toOutcome("")
		require.Equal(t, s.Steps[0].Started.UnixNano(), got.Steps[0].Started.UnixNano())
	}
}
