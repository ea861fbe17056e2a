// Package outcome has the types of the result of a run of scenarios: the suite fills
// them, the reports render them. It runs nothing and prints nothing.
package outcome

import (
	"time"

	"omniloader/internal/bench"
)

// Status is how a step or a scenario ended.
type Status string

// The statuses, as Cucumber spells them.
const (
	Passed    Status = "passed"
	Failed    Status = "failed"
	Skipped   Status = "skipped"
	Undefined Status = "undefined"
	Ambiguous Status = "ambiguous"
	Pending   Status = "pending"
)

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
	// Comparison is that with a baseline, nil where there is none.
	Comparison *bench.Comparison
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
}

// Scenario is one scenario, or one row of an outline's examples.
type Scenario struct {
	Keyword     string
	Name        string
	Description string
	Rule        string // the name of its rule, or ""
	Line        int    // of the Examples row for a row of an outline, else of the scenario
	Outline     int    // line of the Scenario Outline, 0 for a plain scenario
	Tags        []Tag  // its own and inherited
	Status      Status
	SkipReason  string // why it was skipped, for people
	Started     time.Time
	Duration    time.Duration
	Steps       []Step
	Benchmark   *bench.Result // nil where nothing was measured
	Warnings    []string      // notes on the measurement
	NotJudged   []bench.NotJudged
	Change      *bench.Change // the benchmark in a comparison with a baseline, or nil
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
	NotJudged                                             int // bounds
}

// Totals counts the scenarios by how they ended. Everything that neither passed
// nor was skipped counts as failed.
func (r *Run) Totals() Totals {
	var t Totals
	for _, f := range r.Features {
		for _, s := range f.Scenarios {
			t.Scenarios++
			t.Steps += len(s.Steps)
			t.NotJudged += len(s.NotJudged)
			if s.Benchmark != nil {
				t.Benchmarks++
			}
			switch s.Status {
			case Passed:
				t.Passed++
			case Skipped:
				t.Skipped++
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
	for i := range s.Steps {
		switch s.Steps[i].Status {
		case Passed, Skipped:
		default:
			return &s.Steps[i]
		}
	}
	return nil
}
