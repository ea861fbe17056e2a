// Package outcome is what happened in a run of scenarios, as data: the suite
// fills it, the reports render it. It runs nothing and prints nothing.
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
	Interrupted bool // ended by the user; what had ended by then is kept
	// Origin is where the run took place, as a results file says it.
	Origin  bench.Origin
	Version string // of the program
	// Comparison is what a comparison with a baseline said, nil where there is none.
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
	Rule        string // the name of the rule it stands under, or ""
	Line        int    // of the Examples row where it comes from one, else of the scenario
	Outline     int    // line of the Scenario Outline, 0 where it is none
	Tags        []Tag  // its own and inherited
	Status      Status
	SkipReason  string // why it was skipped, for people
	Started     time.Time
	Duration    time.Duration
	Steps       []Step
	Benchmark   *bench.Result // nil where nothing was measured
	Warnings    []string      // notes on the measurement
	Change      *bench.Change // what a comparison with a baseline said of the benchmark, or nil
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
	Definition string // where the step is defined: "steps/then.go:31"
	Pattern    string // the regular expression that it is matched with there
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
}

// Totals counts the scenarios by how they ended. Everything that neither passed
// nor was skipped counts as failed.
func (r *Run) Totals() Totals {
	var t Totals
	for _, f := range r.Features {
		for _, s := range f.Scenarios {
			t.Scenarios++
			t.Steps += len(s.Steps)
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

// Sampled keeps what the results file has of the benchmarks after they were sampled:
// the floors of each process, and memory as it was counted there.
func (r *Run) Sampled(file *bench.File) {
	for _, f := range r.Features {
		for i := range f.Scenarios {
			if b := f.Scenarios[i].Benchmark; b != nil {
				if sampled := file.Result(b.Name); sampled != nil {
					*b = *sampled
				}
			}
		}
	}
}

// Compared keeps what a comparison with a baseline said, of the run and of each
// benchmark.
func (r *Run) Compared(c *bench.Comparison) {
	r.Comparison = c
	of := make(map[string]*bench.Change, len(c.Changes))
	for i := range c.Changes {
		of[c.Changes[i].Name] = &c.Changes[i]
	}
	for _, f := range r.Features {
		for i := range f.Scenarios {
			if b := f.Scenarios[i].Benchmark; b != nil {
				f.Scenarios[i].Change = of[b.Name]
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
