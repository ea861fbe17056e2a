// Package steps defines the steps of the scenarios and runs them: a Given step
// creates a checkpoint, a When step calls an operation of the loader under test, a
// Then step checks the answer or what the call cost. LoaderUnderTest is the only way
// in which a loader is called.
//
// The package reads no bytes of a checkpoint and computes no statistics: fixtures
// writes checkpoints, the loader reads them, bench measures.
package steps

import (
	"context"
	"sync"

	"github.com/cucumber/godog"

	"omniloader/internal/bench"
)

// Setup is what the scenarios of one run share. Its fields are set before the first
// scenario and not changed afterwards. Scenarios that run in parallel may share it. A
// Setup must not be copied.
type Setup struct {
	// Loader is the loader under test; BuiltinLoader is the one of this module.
	Loader LoaderUnderTest
	// Plan says how often a measured operation is called. Where Plan.Memory is
	// false, memory is measured only for the scenarios that bound it.
	Plan bench.Plan
	// Model is the directory of the checkpoint for scenarios that need a real one; if
	// it is "", they are skipped.
	Model string
	// Tags returns the tags of a scenario with the values of its Examples row filled
	// in, which a pickle does not have. If it is nil, the feature file is read from the
	// disk at the scenario's URI.
	Tags func(*godog.Scenario) ([]string, error)
	// Instrumented says that the program was built with the race detector, which makes
	// every call several times slower: a latency bound that is exceeded is then a
	// warning and no failure.
	Instrumented bool
	// Collect, if not nil, is given the operation of each measured scenario. The
	// operation is then called once and not measured, and no bound is judged.
	Collect func(bench.Operation)
	// Architectures is a table of class names that are added to the loader's own in
	// every scenario, see Options.
	Architectures string
	// LaterRounds says that the caller runs a scenario again in a later round if its
	// measurement exceeds a bound, see NextRound. If it is false, the operation is
	// measured again within the scenario, after a pause.
	LaterRounds bool
	// Callers is the number of callers at once by which each measured operation is
	// measured in addition to the single caller; below 2 means none.
	Callers int
	// Fresh does a job in a process that is started for it. It returns ErrNoProcess if
	// that is not possible. A nil Fresh means the same.
	Fresh func(context.Context, FreshJob) (*bench.FreshProcess, error)
	// ReadFixture reads a file from the directory of a scenario's feature file, or from
	// below it. If it is nil, the directory of the scenario's URI on the disk is used.
	ReadFixture func(feature *godog.Scenario, name string) ([]byte, error)

	exclusive sync.RWMutex                                                                       // held for writing while an operation is measured, for reading while one is called without
	bench     func(context.Context, bench.Plan, func() (any, error)) (*bench.Measurement, error) // nil means bench.Measure
	pause     func()                                                                             // before measuring again; nil means to wait for remeasureDelay
	store     store
	files     featureFiles
}

// Record is the result of one scenario, apart from whether it passed. It is filled while
// the scenario runs and may be read when it has ended.
type Record struct {
	Benchmark  *bench.Result // nil where nothing was measured
	Warnings   []string      // about the measurement, for people
	SkipReason string        // why the scenario was skipped, for people
}

// Register registers all steps and hooks with godog for one scenario, and returns the
// scenario's record. It is called once for each scenario, from a ScenarioInitializer.
func (s *Setup) Register(sc *godog.ScenarioContext) *Record {
	w := newWorld(s)
	w.given = new(givenSteps)
	w.registerSteps(&scenarioRegistrar{sc: sc, given: w.given})
	sc.Before(func(ctx context.Context, p *godog.Scenario) (context.Context, error) {
		return ctx, w.begin(p)
	})
	sc.After(func(ctx context.Context, _ *godog.Scenario, _ error) (context.Context, error) {
		return w.end(ctx)
	})
	return w.record
}

// Results returns what was measured, in the order of measuring. It must be called when
// all scenarios have ended, because a running one still changes its result.
func (s *Setup) Results() []*bench.Result { return s.store.all() }

// measure measures an operation as the plan says.
func (s *Setup) measure(ctx context.Context, plan bench.Plan, call func() (any, error)) (*bench.Measurement, error) {
	if s.bench != nil {
		return s.bench(ctx, plan, call)
	}
	return bench.Measure(ctx, plan, call)
}
