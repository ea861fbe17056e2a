// Package steps defines the steps of the scenarios and runs them: a Given step
// creates a checkpoint, a When step calls an operation of the loader under test, a
// Then step checks the answer or what the call cost. A loader is called through package
// undertest only.
//
// The package reads no bytes of a checkpoint and computes no statistics: fixtures
// writes checkpoints, the loader reads them, bench measures.
package steps

import (
	"context"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/bench"
	"omniloader/internal/engine"
	"omniloader/loader/undertest"
)

// Setup is what the scenarios of one run share. Its fields are set before the first
// scenario and not changed afterwards. Scenarios that run in parallel may share it. A
// Setup must not be copied.
type Setup struct {
	// Loader is the loader under test. Whoever opened it closes it, after the last scenario.
	Loader undertest.Loader
	// Plan says how often a measured operation is called. Where Plan.Memory is
	// false, memory is measured only for the scenarios that bound it.
	Plan bench.Plan
	// Model is the directory of the checkpoint for scenarios that need a real one and whose
	// Source names none; if both are "", they are skipped.
	Model string
	// Checkpoints says which checkpoints Given steps may use.
	Checkpoints Checkpoints
	// TimeNotJudged says why bounds on time are measured and not judged in this run, for
	// people: "the race detector slows every call". If it is "", they are judged.
	TimeNotJudged string
	// MemoryNotJudged says the same of bounds on memory.
	MemoryNotJudged string
	// Collect, if not nil, is given the operation of each measured scenario. The
	// operation is then called once and not measured, and no bound is judged.
	Collect func(bench.Operation)
	// Architectures is a table of class names that are added to the loader's own in
	// every scenario, see undertest.Options.
	Architectures string
	// UpdateAnswers says that a step which compares the answer with a file writes the file
	// where it differs, and holds. See UpdatedAnswers.
	UpdateAnswers bool
	// LaterRounds says that the caller runs a scenario again in a later round if its
	// measurement exceeds a bound, see NextRound. If it is false, the operation is
	// measured again within the scenario, after a pause.
	LaterRounds bool
	// Callers is the number of callers at once by which each measured operation is
	// measured in addition to the single caller; below 2 means none.
	Callers int
	// Fresh does a job in a process that is started for it. It returns ErrNoProcess if
	// that is not possible, and ErrProcessFailed if the process was killed or stopped. A
	// nil Fresh means ErrNoProcess.
	Fresh func(context.Context, FreshJob) (*bench.FreshProcess, error)
	// Skip is the error with which a step ends its scenario as skipped. If it is nil,
	// engine.ErrSkip is used.
	Skip error

	bench func(context.Context, bench.Plan, func() (any, error)) (*bench.Measurement, error) // nil means bench.Measure
	pause func()                                                                             // before measuring again; nil means to wait for RemeasureDelay

	once   sync.Once
	shared *shared // see state
}

// shared is what the scenarios of a Setup, and of those derived from it, have in common
// while they run.
type shared struct {
	exclusive   sync.RWMutex // held for writing while an operation is measured, for reading while one is called without
	abandoned   atomic.Bool  // an operation was abandoned: nothing can be measured any more
	temporary   directories
	store       store
	files       featureFiles
	answerFiles answerFiles
}

func (s *Setup) state() *shared {
	s.once.Do(func() {
		if s.shared == nil {
			s.shared = new(shared)
		}
	})
	return s.shared
}

// Derive returns a Setup with the same settings, changed by change, whose scenarios
// share results and locks with those of s. s itself stays as it is.
func (s *Setup) Derive(change func(*Setup)) *Setup {
	d := &Setup{
		Loader: s.Loader, Plan: s.Plan, Model: s.Model, Checkpoints: s.Checkpoints, TimeNotJudged: s.TimeNotJudged, MemoryNotJudged: s.MemoryNotJudged, Collect: s.Collect,
		Architectures: s.Architectures, UpdateAnswers: s.UpdateAnswers, LaterRounds: s.LaterRounds, Callers: s.Callers, Fresh: s.Fresh, Skip: s.Skip,
		bench: s.bench, pause: s.pause, shared: s.state(),
	}
	change(d)
	return d
}

// Record is the result of one scenario, apart from whether it passed. It is filled while
// the scenario runs and may be read when it has ended.
type Record struct {
	Benchmark  *bench.Result // nil where nothing was measured
	Warnings   []string      // about the measurement, for people
	NotJudged  []bench.NotJudged
	SkipReason string // why the scenario was skipped, for people
}

// Register registers all steps for one attempt at a scenario. Whoever runs the attempt
// calls Begin of the returned Scenario before the first step, and End after the last.
func (s *Setup) Register(r engine.Registrar) *Scenario {
	w := newWorld(s)
	w.given = new(givenSteps)
	w.registerSteps(&scenarioRegistrar{r: r, given: w.given})
	return &Scenario{w}
}

// Scenario is one attempt at a scenario.
type Scenario struct{ w *world }

// Source is what a pickle does not say of its scenario. The zero value stands for a
// feature file on the disk, at the URI of the pickle.
type Source struct {
	// Tags are the scenario's tags with the values of its Examples row filled in,
	// inherited ones first. If it is nil, the feature file is read for them.
	Tags []string
	// ReadFixture reads a file from the directory of the feature file, or from below it.
	ReadFixture func(name string) ([]byte, error)
	// Folder is the folder of the feature file on the disk; "" for a built-in feature,
	// whose folder FS is.
	Folder string
	FS     fs.FS
	// Model is the directory of the real checkpoint to run the scenario with; "" for that
	// of the Setup. ModelLabel is its label in a run with several, else "".
	Model      string
	ModelLabel string
	// WriteFixture writes a file to the directory of the feature file, or below it. It is nil
	// if the feature is not a file on the disk.
	WriteFixture func(name string, content []byte) error
}

// Begin finds out what must be known about the scenario before its first step. The error
// is a mistake in the scenario.
func (s *Scenario) Begin(p *messages.Pickle, source Source) error {
	if source.Tags == nil {
		tags, err := s.w.setup.state().files.tags(p)
		if err != nil {
			return err
		}
		source.Tags = tags
	}
	if source.ReadFixture == nil {
		source.ReadFixture = func(name string) ([]byte, error) { return readFixtureFromDisk(p, name) }
	}
	if source.Folder == "" && source.FS == nil {
		source.Folder = filepath.Dir(featurePath(p))
	}
	return s.w.begin(p, source)
}

// End removes what the scenario wrote to the real disk.
func (s *Scenario) End() error { return s.w.end() }

// Record returns the result of the scenario, apart from whether it passed.
func (s *Scenario) Record() *Record { return s.w.record }

// Evidence is what a scenario was judged on.
type Evidence struct {
	FS        fs.FS  // that the operation read
	Dir       string // the checkpoint's directory in FS
	Operation string // "" before the When step
	Answer    string // JSON, "" where there is none
	DecidedBy string // the rule and the file that detection used, "" where the answer does not say it
}

// Evidence returns what the scenario was judged on so far. It must be called before End.
func (s *Scenario) Evidence() Evidence {
	return Evidence{FS: s.w.fsys, Dir: s.w.dir, Operation: s.w.operation, Answer: s.w.answer.text, DecidedBy: s.w.answer.root.Get("decided_by").String()}
}

// Engine returns the engine that knows all steps, in the order of registration.
var Engine = sync.OnceValue(func() *engine.Engine {
	e, err := engine.New(func(s *engine.Scope) { new(Setup).Register(s) })
	if err != nil {
		panic(err) // a test registers the same steps
	}
	return e
})

// Results returns what was measured, in the order of measuring. It must be called when
// all scenarios have ended, because a running one still changes its result.
func (s *Setup) Results() []*bench.Result { return s.state().store.all() }

// measure measures a call as the plan says.
func (s *Setup) measure(ctx context.Context, plan bench.Plan, call func() (any, error)) (*bench.Measurement, error) {
	if s.bench != nil {
		return s.bench(ctx, plan, call)
	}
	return bench.Measure(ctx, plan, call)
}

// LoaderKey is the name of the loader in the keys of results: "" for the built-in one.
func (s *Setup) LoaderKey() string {
	if s.Loader == nil || s.Loader.Name() == undertest.Builtin {
		return ""
	}
	return s.Loader.Name()
}

// skip returns the error with which a step ends its scenario as skipped.
func (s *Setup) skip() error {
	if s.Skip != nil {
		return s.Skip
	}
	return engine.ErrSkip
}
