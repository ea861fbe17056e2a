package suite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/steps"
)

// Options are settings for running a plan.
type Options struct {
	Setup    *steps.Setup     // shared by all scenarios; Run sets its Tags and ReadFixture
	Jobs     int              // scenarios that are not measured run in parallel, this many at once; below 1 means 1
	Listener outcome.Listener // is called with the events of the run, or nil; it must not keep what it is given
	// Pause waits before scenarios that exceeded a bound are measured again; nil waits as
	// steps.WaitBeforeRemeasuring does.
	Pause func(context.Context)
}

// Run checks the plan and runs it: first the scenarios that are not measured, in parallel,
// then the measured ones, each alone, and at last again those that exceeded a bound on
// time, see laterRounds. Scenarios with the tag @real are skipped if the setup has no
// model. If ctx is cancelled, the result has the scenarios that have ended and says that
// it was interrupted. The error is Problems if nothing could be judged; a scenario that
// fails is not an error.
func (p *Plan) Run(ctx context.Context, options Options) (*outcome.Run, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	needsModel := func(s *Scenario) bool {
		return options.Setup.Model == "" && slices.Contains(s.TagNames(), tagReal)
	}
	options.Setup.Instrumented, options.Setup.LaterRounds = RaceDetector, true
	run := &outcome.Run{Started: time.Now()}
	c := &runner{plan: p, options: options, ended: map[*Scenario]*outcome.Scenario{}}
	c.notify(outcome.Event{Selected: &outcome.Selection{Scenarios: len(p.chosen)}})
	functional, measured := map[*Scenario]bool{}, map[*Scenario]bool{}
	for _, s := range p.Scenarios() {
		switch {
		case needsModel(s):
			skipped := *p.newOutcome(s)
			skipped.SkipReason = "needs a real checkpoint"
			c.finished(s, &skipped)
		case p.measured(s):
			measured[s] = true
		default:
			functional[s] = true
		}
	}
	if len(functional)+len(measured) == 0 {
		return nil, Problems{{Message: fmt.Sprintf("nothing to run: each of %d selected scenarios needs a real checkpoint", len(c.ended)),
			Advice: "name its directory: --model DIR, or TEST_MODEL_PATH in the environment"}}
	}
	if err := c.runBatch(ctx, functional, max(1, options.Jobs)); err != nil {
		return nil, err
	}
	if err := c.runBatch(ctx, measured, 1); err != nil {
		return nil, err
	}
	if err := c.laterRounds(ctx); err != nil {
		return nil, err
	}
	run.Duration = time.Since(run.Started)
	run.Interrupted = c.interrupted
	run.Features = p.outcomes(c.ended)
	return run, nil
}

// MeasuredOperations runs every measured scenario of the plan once, without measuring it,
// and returns their operations, ready to be sampled, in the order of the scenarios.
// Scenarios with the tag @real are left out if the setup has no model. A scenario that
// fails is an error, because its operation does not do what would be measured.
func (p *Plan) MeasuredOperations(ctx context.Context, setup *steps.Setup) ([]bench.Operation, error) {
	var operations []bench.Operation
	setup.Collect = func(o bench.Operation) { operations = append(operations, o) }
	c := &runner{plan: p, options: Options{Setup: setup}, ended: map[*Scenario]*outcome.Scenario{}}
	takes := map[*Scenario]bool{}
	for _, s := range p.Scenarios() {
		if p.measured(s) && (setup.Model != "" || !slices.Contains(s.TagNames(), tagReal)) {
			takes[s] = true
		}
	}
	if err := c.runBatch(ctx, takes, 1); err != nil {
		return nil, err
	}
	if c.interrupted {
		return nil, fmt.Errorf("%w: %w", bench.ErrInterrupted, context.Cause(ctx))
	}
	for _, s := range p.Scenarios() {
		o := c.ended[s]
		if o == nil || o.Status == outcome.Passed {
			continue
		}
		err := errors.New("it did not pass")
		if failed := o.FailedStep(); failed != nil && failed.Err != nil {
			err = failed.Err
		}
		return nil, fmt.Errorf("%s:%d: %s: %w", s.URI, s.Line, s.Name, err)
	}
	return operations, nil
}

// UnjudgedSteps returns the steps of a run that could not judge the loader, as Problems,
// and nil if there is none: pending, undefined and ambiguous steps, and steps that failed
// with a steps.ScenarioError. Only running them shows that.
func UnjudgedSteps(run *outcome.Run) error {
	var problems Problems
	for _, f := range run.Features {
		for _, s := range f.Scenarios {
			for _, step := range s.Steps {
				if step.Status == outcome.Pending || step.Status == outcome.Undefined || step.Status == outcome.Ambiguous {
					problems = append(problems, Problem{URI: f.URI, Line: step.Line,
						Message: fmt.Sprintf("%s step %q", step.Status, step.Text), Advice: "finish the step, or tag its scenario " + tagWIP})
				}
				var wrong *steps.ScenarioError
				if step.Status == outcome.Failed && errors.As(step.Err, &wrong) {
					problems = append(problems, Problem{URI: f.URI, Line: step.Line, Message: "could not judge: " + wrong.Error()})
				}
			}
		}
	}
	return problems.orNil()
}

// CountBroken returns the number of scenarios that failed because of the loader, and not
// because of a mistake in the scenario.
func CountBroken(run *outcome.Run) int {
	n := 0
	for _, f := range run.Features {
		for _, s := range f.Scenarios {
			failed := s.FailedStep()
			var wrong *steps.ScenarioError
			if s.Status == outcome.Failed && (failed == nil || !errors.As(failed.Err, &wrong)) {
				n++
			}
		}
	}
	return n
}

// newOutcome returns the outcome of a scenario that has not started, with the definitions
// of its steps.
func (p *Plan) newOutcome(s *Scenario) *outcome.Scenario {
	o := s.Scenario
	o.Steps = slices.Clone(s.Steps)
	for i := range o.Steps {
		if definitions := p.steps.match(s.kinds[i], o.Steps[i].Text); len(definitions) == 1 {
			o.Steps[i].Definition, o.Steps[i].Pattern = definitions[0].Location, definitions[0].Pattern
		}
	}
	return &o
}

// outcomes returns the scenarios that have ended, in the order of the files.
func (p *Plan) outcomes(ended map[*Scenario]*outcome.Scenario) []outcome.Feature {
	var features []outcome.Feature
	for _, f := range p.features {
		node := f.document.Feature
		feature := outcome.Feature{
			URI: f.URI, Keyword: node.Keyword, Name: node.Name, Description: node.Description, Line: int(node.Location.Line), Source: f.Source,
		}
		for _, t := range node.Tags {
			feature.Tags = append(feature.Tags, outcome.Tag{Name: t.Name, Line: int(t.Location.Line)})
		}
		for _, s := range f.Scenarios {
			if o := ended[s]; o != nil {
				feature.Scenarios = append(feature.Scenarios, *o)
			}
		}
		if len(feature.Scenarios) > 0 {
			features = append(features, feature)
		}
	}
	return features
}

// runner runs the scenarios of a plan and collects their outcomes.
type runner struct {
	plan    *Plan
	options Options
	places  sync.Map // from godog's id of a scenario or Examples row to its place; for the batch that runs
	round   int      // 0 until scenarios are measured again

	mu          sync.Mutex
	deferred    []*Scenario // ended; the listener is told only after the last round
	ended       map[*Scenario]*outcome.Scenario
	interrupted bool
}

// place is the position of a node in a feature file.
type place struct {
	uri  string
	line int
}

var runs atomic.Int64

// runBatch runs the scenarios of takes through godog, this many in parallel.
func (c *runner) runBatch(ctx context.Context, takes map[*Scenario]bool, jobs int) error {
	if ctx.Err() != nil && len(takes) > 0 {
		c.interrupted = true
		return nil
	}
	contents := c.plan.contents(takes)
	if len(contents) == 0 {
		return nil
	}
	find := c.finder(takes)
	c.options.Setup.Tags = func(p *godog.Scenario) ([]string, error) {
		s, err := find(p)
		if err != nil {
			return nil, err
		}
		return s.TagNames(), nil
	}
	c.options.Setup.ReadFixture = func(p *godog.Scenario, name string) ([]byte, error) {
		s, err := find(p)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(c.plan.features, func(f *Feature) bool { return f.URI == s.URI })
		return steps.ReadFixture(c.plan.features[i].fsys, c.plan.features[i].path, name)
	}
	name := fmt.Sprintf("run %d", runs.Add(1))
	c.places.Clear()
	listen(name, func(uri string, ids map[string]int) {
		for id, line := range ids {
			c.places.Store(id, place{uri, line})
		}
	})
	defer unlisten(name)
	code := godog.TestSuite{
		Name: name,
		ScenarioInitializer: func(sc *godog.ScenarioContext) {
			(&scenarioRecorder{runner: c, ctx: ctx, find: find}).attach(sc)
		},
		Options: &godog.Options{
			Format: placeFormat, Output: io.Discard, NoColors: true, Strict: true,
			Concurrency: jobs, DefaultContext: ctx, FeatureContents: contents,
		},
	}.Run()
	if code > 1 {
		return fmt.Errorf("godog ended with exit code %d", code)
	}
	return c.checkEnded(ctx, takes)
}

// contents returns the source of each feature with only the scenarios of takes.
func (p *Plan) contents(takes map[*Scenario]bool) []godog.Feature {
	var contents []godog.Feature
	for _, f := range p.features {
		if source := f.sourceWithOnly(func(s *Scenario) bool { return takes[s] }); source != nil {
			contents = append(contents, godog.Feature{Name: f.URI, Contents: source})
		}
	}
	return contents
}

// finder returns a function that finds godog's scenario among those of takes.
func (c *runner) finder(takes map[*Scenario]bool) func(*godog.Scenario) (*Scenario, error) {
	byPlace := make(map[place]*Scenario, len(takes))
	for s := range takes {
		byPlace[place{s.URI, s.Line}] = s
	}
	return func(p *godog.Scenario) (*Scenario, error) {
		at, _ := c.places.Load(p.AstNodeIds[len(p.AstNodeIds)-1])
		if at, ok := at.(place); ok && byPlace[at] != nil {
			return byPlace[at], nil
		}
		return nil, fmt.Errorf("godog runs a scenario %q of %s that was not selected", p.Name, p.Uri)
	}
}

// checkEnded returns an error if godog did not run a scenario of takes, unless ctx is
// done.
func (c *runner) checkEnded(ctx context.Context, takes map[*Scenario]bool) error {
	for s := range takes {
		switch {
		case c.ended[s] != nil:
		case ctx.Err() != nil:
			c.interrupted = true
		default:
			return fmt.Errorf("%s:%d: godog did not run the scenario %q", s.URI, s.Line, s.Name)
		}
	}
	return nil
}

// finished keeps the result of a scenario. Of one that will be measured again, the listener
// is told only after the last round.
func (c *runner) finished(s *Scenario, o *outcome.Scenario) {
	c.mu.Lock()
	c.ended[s] = o
	isDeferred := c.round == 0 && c.options.Setup.LaterRounds && exceeded(o) != nil
	if isDeferred {
		c.deferred = append(c.deferred, s)
	}
	c.mu.Unlock()
	if isDeferred || c.round > 0 {
		return
	}
	c.notify(outcome.Event{Ended: o})
}

func (c *runner) notify(e outcome.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.options.Listener != nil {
		c.options.Listener(e)
	}
}

// scenarioRecorder fills the outcome of one scenario, from godog's hooks.
type scenarioRecorder struct {
	runner *runner
	ctx    context.Context // of the run
	find   func(*godog.Scenario) (*Scenario, error)

	scenario *Scenario
	outcome  *outcome.Scenario
	step     int // index of the step that runs or will run next
	ended    bool
}

// attach registers the hooks with godog, before and after those of the steps, so that they
// are called first before a scenario and last after it.
func (r *scenarioRecorder) attach(sc *godog.ScenarioContext) {
	sc.Before(r.begin)
	record := r.runner.plan.steps.register(r.runner.options.Setup, sc)
	sc.StepContext().Before(r.beforeStep)
	sc.StepContext().After(r.afterStep)
	sc.After(func(ctx context.Context, _ *godog.Scenario, err error) (context.Context, error) {
		r.end(record, err)
		return ctx, nil
	})
}

func (r *scenarioRecorder) begin(ctx context.Context, p *godog.Scenario) (context.Context, error) {
	s, err := r.find(p)
	if err != nil {
		return ctx, err
	}
	o := r.runner.plan.newOutcome(s)
	r.scenario, r.outcome = s, o
	o.Started = time.Now()
	if r.ctx.Err() != nil {
		return ctx, godog.ErrSkip
	}
	r.runner.notify(outcome.Event{Started: r.outcome})
	return ctx, nil
}

func (r *scenarioRecorder) beforeStep(ctx context.Context, _ *godog.Step) (context.Context, error) {
	if r.recordsStep() {
		r.outcome.Steps[r.step].Started = time.Now()
	}
	return ctx, nil
}

// recordsStep says whether the hooks record a step. After a failure godog calls them for
// the steps that it skips, too, even after the scenario's end.
func (r *scenarioRecorder) recordsStep() bool {
	return r.outcome != nil && !r.ended && r.step < len(r.outcome.Steps)
}

var statuses = map[godog.StepResultStatus]outcome.Status{
	godog.StepPassed:    outcome.Passed,
	godog.StepFailed:    outcome.Failed,
	godog.StepSkipped:   outcome.Skipped,
	godog.StepUndefined: outcome.Undefined,
	godog.StepPending:   outcome.Pending,
	godog.StepAmbiguous: outcome.Ambiguous,
}

func (r *scenarioRecorder) afterStep(ctx context.Context, _ *godog.Step, status godog.StepResultStatus, err error) (context.Context, error) {
	if !r.recordsStep() {
		return ctx, nil
	}
	s := &r.outcome.Steps[r.step]
	r.step++
	s.Status = statuses[status]
	if s.Status != outcome.Skipped {
		s.Duration = time.Since(s.Started)
	}
	if err != nil && s.Status != outcome.Skipped {
		s.Err = explain(err)
		if kind := r.scenario.kinds[r.step-1]; kind == messages.PickleStepType_CONTEXT && s.Status == outcome.Failed {
			s.Err = &steps.ScenarioError{Err: s.Err} // there is no checkpoint to judge the loader with
		}
	}
	return ctx, nil
}

// end sets the scenario's status. err is godog's error, which may come from a hook after
// the last step.
func (r *scenarioRecorder) end(record *steps.Record, err error) {
	if r.outcome == nil {
		return // begin failed: godog runs a scenario that was not selected
	}
	r.ended = true
	o := r.outcome
	o.Duration = time.Since(o.Started)
	o.Status = outcome.Passed
	if slices.ContainsFunc(o.Steps, func(s outcome.Step) bool { return s.Status == outcome.Skipped }) {
		o.Status = outcome.Skipped
	}
	if failed := o.FailedStep(); failed != nil {
		o.Status = failed.Status
	} else if err != nil && !errors.Is(err, godog.ErrSkip) {
		o.Status = outcome.Failed
		last := &o.Steps[max(0, r.step-1)]
		last.Status, last.Err = outcome.Failed, explain(err)
	}
	if r.ctx.Err() != nil && (o.Status == outcome.Skipped || interruptedBy(r.ctx, err)) {
		return // it was interrupted
	}
	o.Benchmark, o.Warnings, o.SkipReason = record.Benchmark, record.Warnings, record.SkipReason
	r.runner.finished(r.scenario, o)
}

// interruptedBy says whether err is caused by the end of the context.
func interruptedBy(ctx context.Context, err error) bool {
	return errors.Is(err, bench.ErrInterrupted) || errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))
}

// PanicError is the error of a step that panicked.
type PanicError struct {
	Value string // the value of the panic
	Stack string // the value and the stack
}

func (e *PanicError) Error() string { return "the step panicked: " + e.Value }

// explain converts the error that godog makes of a panic to a PanicError. The type of
// that error is not exported; a test checks that it keeps its name.
func explain(err error) error {
	if fmt.Sprintf("%T", err) == "*godog.traceError" {
		return &PanicError{Value: err.Error(), Stack: fmt.Sprintf("%+v", err)}
	}
	return err
}
