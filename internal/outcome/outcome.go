// Package outcome has the types of the result of a run of scenarios: the suite fills
// them, the reports render them. It runs nothing and prints nothing.
package outcome

import (
	"time"

	"omniloader/internal/bench"
)

// Status is how a step or a scenario ended.
type Status string

// The statuses of steps and scenarios, as Cucumber spells them.
const (
	Passed    Status = "passed"
	Failed    Status = "failed"
	Skipped   Status = "skipped"
	Undefined Status = "undefined"
	Ambiguous Status = "ambiguous"
	Pending   Status = "pending"
)

// The statuses that Cucumber does not have.
const (
	// CouldNotJudge: the scenario itself is wrong, or what measures failed, and nothing is
	// known of the loader.
	CouldNotJudge Status = "could-not-judge"
	// Flaky: a scenario that failed and passed in a later attempt.
	Flaky Status = "flaky"
	// ExpectedFailure: a scenario that failed as its tag @fails says.
	ExpectedFailure Status = "expected-failure"
	// NotOffered: the loader under test has no such operation or field.
	NotOffered Status = "not-offered"
)

// Unjudged says whether the loader could not be judged: the scenario or step is wrong,
// undefined, ambiguous or not finished.
func (s Status) Unjudged() bool {
	return s == CouldNotJudge || s == Undefined || s == Ambiguous || s == Pending
}

// Group returns the status under which a scenario is counted: Passed, Failed, Skipped,
// CouldNotJudge, Flaky or ExpectedFailure. An unknown status counts as Failed.
func (s Status) Group() Status {
	switch {
	case s == Passed || s == Flaky || s == ExpectedFailure:
		return s
	case s == Skipped || s == NotOffered:
		return Skipped
	case s.Unjudged():
		return CouldNotJudge
	}
	return Failed
}

// Run is one run of the selected scenarios.
type Run struct {
	Started     time.Time
	Duration    time.Duration
	Features    []Feature
	Interrupted bool // ended by the user; only scenarios that had ended are in it
	// Origin is the machine and the program of the run, as in a results file.
	Origin  bench.Origin
	Version string // of the program
	// Unsuccessful says that the run ends with an exit code other than 0 also where every
	// scenario passed: a benchmark regressed, too few could be judged, or a file that was
	// asked for could not be written.
	Unsuccessful bool
	// Problems are those that belong to no feature, such as an unknown tag in the selection.
	Problems Problems
	// LeftOut counts what was not run though it was not asked to be left out.
	LeftOut []LeftOut
	// NotRun has the places, "FILE:LINE", of the selected scenarios that were not run because
	// the run ended before, in the order in which they would have been.
	NotRun []string
	// Comparison is that with a baseline, nil where there is none.
	Comparison *bench.Comparison
	// RegressionsAllowed says that a benchmark that is slower than in the baseline does not
	// fail the run.
	RegressionsAllowed bool
}

// Feature is a feature file with the scenarios that were selected in it.
type Feature struct {
	URI         string // as given on the command line, or inside the binary
	Keyword     string
	Name        string
	Description string
	Line        int
	Tags        []Tag
	Scenarios   []Scenario // in the order of the file
	Source      []byte     // the file, without a byte order mark
	Problems    Problems   // of the file, and of parts of it that are no scenario; a file that does not parse has no name
}

// Scenario is one scenario, or one row of an outline's examples.
type Scenario struct {
	Keyword     string
	Name        string // with the Model in brackets where there is one
	Model       string // label of the real checkpoint in a run with several, see ModelLabels; else ""
	Description string
	Rule        string // the name of its rule, or ""
	Line        int    // of the Examples row for a row of an outline, else of the scenario
	Outline     int    // line of the Scenario Outline, 0 for a plain scenario
	Tags        []Tag  // its own and inherited
	Status      Status
	SkipReason  string // why it was skipped, for people
	// Problems say why it could not be judged, if that was known before it ran.
	Problems Problems
	// Err says why it failed if no step did, or is nil.
	Err      error
	Started  time.Time // of the last attempt, as Duration and Steps
	Duration time.Duration
	Steps    []Step
	// Earlier has the attempts before the last, in order. Each of them failed.
	Earlier   []Attempt
	Evidence  *Evidence     // of a scenario that did not pass, or nil
	Benchmark *bench.Result // nil where nothing was measured
	Warnings  []string      // notes on the measurement
	NotJudged []bench.NotJudged
	Change    *bench.Change // the benchmark in a comparison with a baseline, or nil
}

// Attempt is one way through a scenario.
type Attempt struct {
	Started  time.Time
	Duration time.Duration
	Steps    []Step
	Err      error // why it failed if no step did, or nil
}

// Tag is a tag with its line.
type Tag struct {
	Name string // with the @
	Line int
}

// Step is one step of a scenario.
type Step struct {
	Keyword    string // as written: "Given ", "And "
	Text       string // with the outline's values filled in
	Line       int
	Background bool
	DocString  *DocString
	Table      [][]string
	Status     Status
	Started    time.Time
	Duration   time.Duration
	Err        error  // why it failed
	Definition string // file and line of the step definition: "FILE.go:31"
	Pattern    string // the regular expression of that definition
}

// DocString is the text block under a step.
type DocString struct {
	MediaType string
	Content   string
	Line      int
}

// Totals counts the scenarios of a run.
type Totals struct {
	Scenarios, Passed, Failed, Skipped, Benchmarks, Steps int
	Unjudged                                              int // scenarios that could not be judged
	Flaky, ExpectedFailures                               int // scenarios
	NotJudged                                             int // bounds
	UnjudgedFiles                                         int // feature files with problems of their own
}

// Totals counts the scenarios by the groups of their statuses.
func (r *Run) Totals() Totals {
	var t Totals
	for _, f := range r.Features {
		if len(f.Problems) > 0 {
			t.UnjudgedFiles++
		}
		for _, s := range f.Scenarios {
			t.Scenarios++
			t.Steps += len(s.Steps)
			t.NotJudged += len(s.NotJudged)
			if s.Benchmark != nil {
				t.Benchmarks++
			}
			switch s.Status.Group() {
			case Passed:
				t.Passed++
			case Skipped:
				t.Skipped++
			case Flaky:
				t.Flaky++
			case ExpectedFailure:
				t.ExpectedFailures++
			case CouldNotJudge:
				t.Unjudged++
			default:
				t.Failed++
			}
		}
	}
	return t
}

// SetSamples replaces the benchmarks of the run by the results of the same names in a
// results file, which has what was sampled of them.
func (r *Run) SetSamples(file *bench.File) {
	for _, f := range r.Features {
		for i := range f.Scenarios {
			if b := f.Scenarios[i].Benchmark; b != nil {
				if sampled := file.Result(b.Key()); sampled != nil {
					*b = *sampled
				}
			}
		}
	}
}

// SetComparison stores a comparison with a baseline in the run, and the change of each
// benchmark in its scenario.
func (r *Run) SetComparison(c *bench.Comparison) {
	r.Comparison = c
	of := make(map[bench.Key]*bench.Change, len(c.Changes))
	for i := range c.Changes {
		of[c.Changes[i].Key()] = &c.Changes[i]
	}
	for _, f := range r.Features {
		for i := range f.Scenarios {
			if b := f.Scenarios[i].Benchmark; b != nil {
				f.Scenarios[i].Change = of[b.Key()]
			}
		}
	}
}

// FailedStep gives the first step that did not pass and was not skipped, or nil.
func (s *Scenario) FailedStep() *Step {
	if failed := s.FailedSteps(); len(failed) > 0 {
		return failed[0]
	}
	return nil
}

// FailedSteps gives the steps that did not pass and were not skipped. All Then steps are
// judged, so that several may have failed.
func (s *Scenario) FailedSteps() []*Step { return failedSteps(s.Steps) }

// FailedSteps gives the steps of the attempt that did not pass and were not skipped.
func (a *Attempt) FailedSteps() []*Step { return failedSteps(a.Steps) }

func failedSteps(steps []Step) []*Step {
	var failed []*Step
	for i := range steps {
		switch steps[i].Status {
		case Passed, Skipped, NotOffered, "": // "" is a step that was not reached
		default:
			failed = append(failed, &steps[i])
		}
	}
	return failed
}
