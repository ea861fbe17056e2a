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

// Options say how a plan is run.
type Options struct {
	Setup    *steps.Setup     // what the scenarios share; Run sets its Tags and Beside
	Jobs     int              // functional scenarios side by side; below 1 means 1
	Listener outcome.Listener // follows the run, or nil; it must not keep what it is shown
	// Pause passes the time before what exceeded a bound is measured again; nil takes
	// as long as a machine's slow phases were seen to last.
	Pause func(context.Context)
}

// Run checks the plan and runs it: the functional scenarios first, side by side,
// then the measured ones, each alone. Scenarios tagged @real are skipped where
// the setup has no model. When ctx is cancelled, scenarios that have ended are
// kept, the others are left out, and the Run says it was interrupted. What exceeds a
// bound on time is measured again, see laterRounds. The error is Problems where nothing could be judged; a scenario that fails is none.
func (p *Plan) Run(ctx context.Context, options Options) (*outcome.Run, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	needsModel := func(s *Scenario) bool {
		return options.Setup.Model == "" && slices.Contains(s.TagNames(), tagReal)
	}
	options.Setup.Instrumented, options.Setup.LaterRounds = RaceDetector, true
	run := &outcome.Run{Started: time.Now()}
	c := &collector{plan: p, options: options, ended: map[*Scenario]*outcome.Scenario{}}
	c.tell(outcome.Event{Selected: &outcome.Selection{Scenarios: len(p.chosen)}})
	lanes := [2]struct {
		jobs  int
		takes map[*Scenario]bool
	}{{max(1, options.Jobs), map[*Scenario]bool{}}, {1, map[*Scenario]bool{}}}
	for _, s := range p.Scenarios() {
		switch {
		case needsModel(s):
			skipped := *p.begun(s)
			skipped.SkipReason = "needs a real checkpoint"
			c.finished(s, &skipped)
		case p.measured(s):
			lanes[1].takes[s] = true
		default:
			lanes[0].takes[s] = true
		}
	}
	if len(lanes[0].takes)+len(lanes[1].takes) == 0 {
		return nil, Problems{{Message: fmt.Sprintf("nothing to run: each of %d selected scenarios needs a real checkpoint", len(c.ended)),
			Advice: "name its directory: --model DIR, or TEST_MODEL_PATH in the environment"}}
	}
	for _, lane := range lanes {
		if err := c.run(ctx, lane.takes, lane.jobs); err != nil {
			return nil, err
		}
	}
	if err := c.laterRounds(ctx); err != nil {
		return nil, err
	}
	run.Duration = time.Since(run.Started)
	run.Interrupted = c.interrupted
	run.Features = p.outcomes(c.ended)
	return run, nil
}

// Subjects carries every measured scenario of the plan out once and gives their
// operations, ready to be sampled, in the order of the scenarios. Scenarios tagged
// @real are left out where the setup has no model. A scenario that does not hold
// is an error: what it measures would not be what it promises.
func (p *Plan) Subjects(ctx context.Context, setup *steps.Setup) ([]bench.Subject, error) {
	var subjects []bench.Subject
	setup.Collect = func(s bench.Subject) { subjects = append(subjects, s) }
	c := &collector{plan: p, options: Options{Setup: setup}, ended: map[*Scenario]*outcome.Scenario{}}
	takes := map[*Scenario]bool{}
	for _, s := range p.Scenarios() {
		if p.measured(s) && (setup.Model != "" || !slices.Contains(s.TagNames(), tagReal)) {
			takes[s] = true
		}
	}
	if err := c.run(ctx, takes, 1); err != nil {
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
	return subjects, nil
}

// Unjudged gives the steps that say nothing about the loader, as the error that
// ends in exit code 2, and nil where there is none: unfinished steps, and those
// that fail by a mistake in the scenario. Only running a step shows that it is.
func Unjudged(run *outcome.Run) error {
	var problems Problems
	for _, f := range run.Features {
		for _, s := range f.Scenarios {
			for _, step := range s.Steps {
				if step.Status == outcome.Pending || step.Status == outcome.Undefined || step.Status == outcome.Ambiguous {
					problems = append(problems, Problem{URI: f.URI, Line: step.Line,
						Message: fmt.Sprintf("%s step %q", step.Status, step.Text), Advice: "finish the step, or tag its scenario " + tagWIP})
				}
				var mistake *steps.Mistake
				if step.Status == outcome.Failed && errors.As(step.Err, &mistake) {
					problems = append(problems, Problem{URI: f.URI, Line: step.Line, Message: "could not judge: " + mistake.Error()})
				}
			}
		}
	}
	return problems.orNil()
}

// Broken counts the scenarios that break a promise: they failed, and not by a
// mistake of whoever wrote them.
func Broken(run *outcome.Run) int {
	n := 0
	for _, f := range run.Features {
		for _, s := range f.Scenarios {
			failed := s.FailedStep()
			var mistake *steps.Mistake
			if s.Status == outcome.Failed && (failed == nil || !errors.As(failed.Err, &mistake)) {
				n++
			}
		}
	}
	return n
}

// begun gives a scenario as it is before its first step, with the definitions of its
// steps.
func (p *Plan) begun(s *Scenario) *outcome.Scenario {
	o := s.Scenario
	o.Steps = slices.Clone(s.Steps)
	for i := range o.Steps {
		if definitions := p.language.match(s.kinds[i], o.Steps[i].Text); len(definitions) == 1 {
			o.Steps[i].Definition, o.Steps[i].Pattern = definitions[0].Location, definitions[0].Pattern
		}
	}
	return &o
}

// outcomes puts what ended in the order of the files.
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

// collector gathers the facts of a run.
type collector struct {
	plan    *Plan
	options Options
	places  sync.Map // godog's id of a scenario or row → place; of the lane that runs
	round   int      // 0 until something is measured again

	mu          sync.Mutex
	held        []*Scenario // ended, and told of only after the last round
	ended       map[*Scenario]*outcome.Scenario
	interrupted bool
}

// place is where a node of a feature file stands.
type place struct {
	uri  string
	line int
}

var runs atomic.Int64

// run puts one lane through godog.
func (c *collector) run(ctx context.Context, takes map[*Scenario]bool, jobs int) error {
	if ctx.Err() != nil && len(takes) > 0 {
		c.interrupted = true
		return nil
	}
	var contents []godog.Feature
	for _, f := range c.plan.features {
		if source := f.only(func(s *Scenario) bool { return takes[s] }); source != nil {
			contents = append(contents, godog.Feature{Name: f.URI, Contents: source})
		}
	}
	if len(contents) == 0 {
		return nil
	}
	byPlace := make(map[place]*Scenario, len(takes))
	for s := range takes {
		byPlace[place{s.URI, s.Line}] = s
	}
	find := func(p *godog.Scenario) (*Scenario, error) {
		at, _ := c.places.Load(p.AstNodeIds[len(p.AstNodeIds)-1])
		if known, ok := at.(place); ok && byPlace[known] != nil {
			return byPlace[known], nil
		}
		return nil, fmt.Errorf("the engine runs a scenario %q of %s that was not selected", p.Name, p.Uri)
	}
	c.options.Setup.Tags = func(p *godog.Scenario) ([]string, error) {
		s, err := find(p)
		if err != nil {
			return nil, err
		}
		return s.TagNames(), nil
	}
	c.options.Setup.Beside = func(p *godog.Scenario, name string) ([]byte, error) {
		s, err := find(p)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(c.plan.features, func(f *Feature) bool { return f.URI == s.URI })
		return steps.ReadBeside(c.plan.features[i].fsys, c.plan.features[i].path, name)
	}
	c.places.Clear()
	name := fmt.Sprintf("run %d", runs.Add(1))
	listen(name, func(uri string, ids map[string]int) {
		for id, line := range ids {
			c.places.Store(id, place{uri, line})
		}
	})
	defer unlisten(name)
	code := godog.TestSuite{
		Name: name,
		ScenarioInitializer: func(sc *godog.ScenarioContext) {
			(&recording{collector: c, ctx: ctx, find: find}).attach(sc)
		},
		Options: &godog.Options{
			Format: listener, Output: io.Discard, NoColors: true, Strict: true,
			Concurrency: jobs, DefaultContext: ctx, FeatureContents: contents,
		},
	}.Run()
	if code > 1 {
		return fmt.Errorf("godog gave up with code %d", code)
	}
	for s := range takes {
		switch {
		case c.ended[s] != nil:
		case ctx.Err() != nil:
			c.interrupted = true
		default:
			return fmt.Errorf("%s:%d: the engine did not run %q", s.URI, s.Line, s.Name)
		}
	}
	return nil
}

func (c *collector) finished(s *Scenario, o *outcome.Scenario) {
	c.mu.Lock()
	c.ended[s] = o
	waits := c.round == 0 && c.options.Setup.LaterRounds && exceeded(o) != nil
	if waits {
		c.held = append(c.held, s)
	}
	c.mu.Unlock()
	if waits || c.round > 0 {
		return
	}
	c.tell(outcome.Event{Ended: o})
}

func (c *collector) tell(e outcome.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.options.Listener != nil {
		c.options.Listener(e)
	}
}

// recording fills the facts of one scenario in, from godog's hooks.
type recording struct {
	collector *collector
	ctx       context.Context // of the run
	find      func(*godog.Scenario) (*Scenario, error)

	scenario *Scenario
	outcome  *outcome.Scenario
	step     int // of the one that runs, or will run next
	over     bool
}

// attach puts the recording's hooks around those of the steps: the first before
// a scenario, the last after it.
func (r *recording) attach(sc *godog.ScenarioContext) {
	sc.Before(r.begin)
	record := r.collector.plan.language.register(r.collector.options.Setup, sc)
	sc.StepContext().Before(r.beforeStep)
	sc.StepContext().After(r.afterStep)
	sc.After(func(ctx context.Context, _ *godog.Scenario, err error) (context.Context, error) {
		r.end(record, err)
		return ctx, nil
	})
}

func (r *recording) begin(ctx context.Context, p *godog.Scenario) (context.Context, error) {
	s, err := r.find(p)
	if err != nil {
		return ctx, err
	}
	o := r.collector.plan.begun(s)
	r.scenario, r.outcome = s, o
	o.Started = time.Now()
	if r.ctx.Err() != nil {
		return ctx, godog.ErrSkip
	}
	r.collector.tell(outcome.Event{Started: r.outcome})
	return ctx, nil
}

func (r *recording) beforeStep(ctx context.Context, _ *godog.Step) (context.Context, error) {
	if r.recordsStep() {
		r.outcome.Steps[r.step].Started = time.Now()
	}
	return ctx, nil
}

// recordsStep is false for a step after the scenario's end: godog calls the
// hooks for those it skips after a failure too.
func (r *recording) recordsStep() bool {
	return r.outcome != nil && !r.over && r.step < len(r.outcome.Steps)
}

var statuses = map[godog.StepResultStatus]outcome.Status{
	godog.StepPassed:    outcome.Passed,
	godog.StepFailed:    outcome.Failed,
	godog.StepSkipped:   outcome.Skipped,
	godog.StepUndefined: outcome.Undefined,
	godog.StepPending:   outcome.Pending,
	godog.StepAmbiguous: outcome.Ambiguous,
}

func (r *recording) afterStep(ctx context.Context, _ *godog.Step, status godog.StepResultStatus, err error) (context.Context, error) {
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
			s.Err = &steps.Mistake{Err: s.Err} // nothing was laid out that could be judged
		}
	}
	return ctx, nil
}

// end settles the scenario's status. The error covers what the hooks of the
// steps found after the last step.
func (r *recording) end(record *steps.Record, err error) {
	if r.outcome == nil {
		return // begin failed: the engine runs what it should not
	}
	r.over = true
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
	if r.ctx.Err() != nil && (o.Status == outcome.Skipped || cutOff(r.ctx, err)) {
		return // it did not end
	}
	o.Benchmark, o.Warnings, o.SkipReason = record.Benchmark, record.Warnings, record.SkipReason
	r.collector.finished(r.scenario, o)
}

// cutOff says whether err comes from the end of the context.
func cutOff(ctx context.Context, err error) bool {
	return errors.Is(err, bench.ErrInterrupted) || errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))
}

// PanicError is a panic in a step.
type PanicError struct {
	Value string // what the step panicked with
	Stack string // the value, then the calls that led there
}

func (e *PanicError) Error() string { return "the step panicked: " + e.Value }

// explain turns the error that godog makes of a panic into one of ours. Its type
// is not exported; a test watches that it keeps its name.
func explain(err error) error {
	if fmt.Sprintf("%T", err) == "*godog.traceError" {
		return &PanicError{Value: err.Error(), Stack: fmt.Sprintf("%+v", err)}
	}
	return err
}
