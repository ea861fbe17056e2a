package suite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/runfile"
	"omniloader/steps"
)

// Options are settings for running a plan.
type Options struct {
	Setup    *steps.Setup     // shared by all scenarios
	Jobs     int              // scenarios that are not measured run in parallel, this many at once; below 1 means 1
	Listener outcome.Listener // is called with the events of the run, or nil; it must not keep what it is given
	// RunFile gets the record of each scenario when it has ended, and again if it was
	// measured in a later round; or nil.
	RunFile *runfile.Writer
	// Timeout is how long each attempt at a scenario may take where no tag says it; 0 means
	// DefaultTimeout, or DefaultMeasuredTimeout for a measured one.
	Timeout time.Duration
	// Grace is how long a step is waited for when its time is up, before it is abandoned;
	// 0 means a few seconds.
	Grace time.Duration
	// Retries is how often a scenario that fails is tried again where no tag says it. One
	// that is measured or expected to fail is not.
	Retries int
	// MaxFailures is the number of failed scenarios after which no further one starts; 0
	// means no limit. A scenario that could not be judged has not failed, and one that
	// exceeded a bound has failed only when it was measured again.
	MaxFailures int
	// Seed, where it is not nil, gives a random order.
	Seed *uint64
	// Pause waits before scenarios that exceeded a bound are measured again; nil waits as
	// steps.WaitBeforeRemeasuring does.
	Pause func(context.Context)
}

// Run checks the plan and runs it: first the scenarios that are not measured, in parallel,
// then the measured ones, each alone, and at last again those that exceeded a bound on
// time, see laterRounds. A scenario with a problem, see Check, is not run, and its outcome
// says why it could not be judged; the others are. Scenarios with the tag @real are skipped
// if the setup has no model. If ctx is cancelled, the result has the scenarios that have
// ended and says that it was interrupted. If ErrTimeUp is the cause, it also has what was
// under way, as not judged. The error is Problems if every scenario needs a
// model and there is none; a scenario that fails is not an error.
func (p *Plan) Run(ctx context.Context, options Options) (*outcome.Run, error) {
	if err := p.LacksModel(); err != nil {
		return nil, err
	}
	p.describeLoader(options.Setup)
	problems := p.scenarioProblems(ctx)
	if ctx.Err() != nil && !timeIsUp(ctx) {
		run := &outcome.Run{Started: time.Now(), Interrupted: true}
		(&runner{order: p.Scenarios(), interrupted: true}).notRun(ctx, run)
		return run, nil
	}
	options.Setup = options.Setup.Derive(func(s *steps.Setup) {
		s.LaterRounds, s.Checkpoints = true, p.checkpoints
		if RaceDetector {
			s.TimeNotJudged, s.MemoryNotJudged = "the race detector slows every call", "the race detector allocates too"
		}
	})
	run := &outcome.Run{Started: time.Now()}
	c := &runner{plan: p, options: options, order: p.runOrder(options.Seed), ended: map[*Scenario]*outcome.Scenario{}, events: newEvents(options.Listener)}
	defer c.events.close()
	defer options.Setup.RemoveTemporary()
	if options.RunFile != nil {
		c.records = p.newRecords(options.RunFile)
		c.records.loader = options.Setup.LoaderKey()
	}
	c.notify(outcome.Event{Selected: &outcome.Selection{Scenarios: len(p.chosen)}})
	functional, measured, skippedReal := map[*Scenario]bool{}, map[*Scenario]bool{}, 0
	for _, s := range p.Scenarios() {
		switch {
		case len(problems[s]) > 0:
			unjudged := p.unjudgedOutcome(s, problems[s])
			c.records.write(s, unjudged, 0)
			c.finished(s, unjudged)
		case needsModel(s):
			skippedReal++
			skipped := *p.newOutcome(s)
			skipped.SkipReason = "needs a real checkpoint"
			c.records.write(s, &skipped, 0)
			c.finished(s, &skipped)
		case p.measured(s):
			measured[s] = true
		default:
			functional[s] = true
		}
	}
	c.runBatch(ctx, functional, max(1, options.Jobs))
	c.runBatch(ctx, measured, 1)
	c.laterRounds(ctx)
	for s := range c.remeasured {
		c.records.write(s, c.ended[s], 0)
	}
	run.Duration = time.Since(run.Started)
	run.Interrupted = c.interrupted
	run.Features = p.outcomes(c.ended)
	run.LeftOut = p.leftOutOf(skippedReal)
	c.notRun(ctx, run)
	return run, nil
}

// needsModel tells whether a scenario is skipped because there is no real checkpoint for it.
func needsModel(s *Scenario) bool {
	return s.modelDir == "" && s.runsOnModel()
}

// LacksModel is an error, Problems, if every scenario needs a real checkpoint and there is
// none, so that nothing would run. A shard counts as the plan that it is a part of.
func (p *Plan) LacksModel() error {
	all := p.undivided().Scenarios()
	if len(all) == 0 || slices.ContainsFunc(all, func(s *Scenario) bool { return !needsModel(s) }) {
		return nil
	}
	return outcome.Problems{{Message: fmt.Sprintf("nothing to run: each of %d selected scenarios needs a real checkpoint", len(all)),
		Advice: "name its directory: --model DIR, or TEST_MODEL_PATH in the environment"}}
}

// DryRun checks the plan and runs nothing: every scenario is skipped, and those with a
// problem, see Check, could not be judged.
func (p *Plan) DryRun(ctx context.Context) *outcome.Run {
	run := &outcome.Run{Started: time.Now()}
	problems := p.scenarioProblems(ctx)
	ended := map[*Scenario]*outcome.Scenario{}
	for _, s := range p.Scenarios() {
		o := p.newOutcome(s)
		o.SkipReason = "dry run"
		if len(problems[s]) > 0 {
			o = p.unjudgedOutcome(s, problems[s])
		}
		ended[s] = o
	}
	run.Features, run.LeftOut = p.outcomes(ended), p.leftOutOf(0)
	run.Duration = time.Since(run.Started)
	return run
}

// leftOutOf counts what a run left out: what the selection did, and the scenarios that were
// skipped for want of a model.
func (p *Plan) leftOutOf(skippedReal int) []outcome.LeftOut {
	all := p.LeftOut()
	if skippedReal > 0 {
		all = append(all, outcome.LeftOut{Reason: tagReal, Count: skippedReal})
	}
	return all
}

// MeasuredOperations runs every measured scenario of the plan once, without measuring it,
// and returns their operations, ready to be sampled, in the order of the scenarios.
// Scenarios with the tag @real are left out if the setup has no model. A scenario that
// fails is an error, because its operation does not do what would be measured; one that is
// expected to fail is left out then. Of the options, the setup and the timeout count.
func (p *Plan) MeasuredOperations(ctx context.Context, options Options) ([]bench.Operation, error) {
	var operations []bench.Operation
	setup := options.Setup.Derive(func(s *steps.Setup) {
		s.Collect = func(o bench.Operation) { operations = append(operations, o) }
		s.Checkpoints = p.checkpoints
	})
	options.Setup = setup
	c := &runner{plan: p, options: options, order: p.Scenarios(), ended: map[*Scenario]*outcome.Scenario{}}
	takes := map[*Scenario]bool{}
	for _, s := range p.Scenarios() {
		if p.measured(s) && !needsModel(s) {
			takes[s] = true
		}
	}
	c.runBatch(ctx, takes, 1)
	if c.interrupted {
		return nil, fmt.Errorf("%w: %w", bench.ErrInterrupted, context.Cause(ctx))
	}
	for _, s := range p.Scenarios() {
		o := c.ended[s]
		if o == nil || o.Status == outcome.Passed {
			continue
		}
		if issue, _ := steps.ExpectedFailure(s.TagNames()); issue != "" && o.Status == outcome.Failed {
			operations = slices.DeleteFunc(operations, func(operation bench.Operation) bool {
				return operation.Key.Benchmark == p.benchmark(s) && operation.Key.Model == s.Model
			})
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

// Unjudged returns everything that could not be judged in a run, as Problems, and nil if
// there is nothing: the problems that were known before it ran, and the steps that ended in
// a steps.ScenarioError or are not finished, which only running them shows.
func Unjudged(run *outcome.Run) error {
	problems := slices.Clone(run.Problems)
	for _, f := range run.Features {
		problems = append(problems, f.Problems...)
		for _, s := range f.Scenarios {
			problems = append(problems, s.Problems...)
			if len(s.Problems) > 0 {
				continue
			}
			for _, step := range s.FailedSteps() {
				if step.Status.Unjudged() {
					problems = append(problems, stepProblem(f.URI, step))
				}
			}
		}
	}
	return problems.ErrOrNil()
}

// stepProblem says why a step could not be judged.
func stepProblem(uri string, step *outcome.Step) outcome.Problem {
	if step.Status != outcome.CouldNotJudge {
		return outcome.Problem{URI: uri, Line: step.Line, Message: fmt.Sprintf("%s step %q", step.Status, step.Text),
			Advice: "finish the step, or tag its scenario " + tagWIP}
	}
	text := string(step.Status)
	if step.Err != nil {
		text = step.Err.Error()
	}
	if wrong := (*steps.ScenarioError)(nil); errors.As(step.Err, &wrong) {
		text = wrong.Error() // without what the step was doing
	}
	return outcome.Problem{URI: uri, Line: step.Line, Message: "could not judge: " + text, Advice: outcome.HintOf(step.Err)}
}

// unjudgedOutcome returns the outcome of a scenario with problems, which is not run.
func (p *Plan) unjudgedOutcome(s *Scenario, problems outcome.Problems) *outcome.Scenario {
	o := p.newOutcome(s)
	o.Status, o.Problems = outcome.CouldNotJudge, problems
	kinds := p.kinds(s)
	for i := range o.Steps {
		at := slices.IndexFunc(problems, func(p outcome.Problem) bool { return p.Line == o.Steps[i].Line })
		if at < 0 {
			continue
		}
		problem := problems[at]
		problem.URI = "" // the step has its place
		o.Steps[i].Err = problem
		switch n := len(p.steps.match(kinds[i], o.Steps[i].Text)); {
		case n == 0:
			o.Steps[i].Status = outcome.Undefined
		case n > 1:
			o.Steps[i].Status = outcome.Ambiguous
		default:
			o.Steps[i].Status = outcome.CouldNotJudge
		}
	}
	if failed := o.FailedStep(); failed != nil {
		o.Status = failed.Status
	}
	return o
}

// newOutcome returns the outcome of a scenario that has not started, with the definitions
// of its steps.
func (p *Plan) newOutcome(s *Scenario) *outcome.Scenario {
	o := s.Scenario
	o.Steps = slices.Clone(s.Steps)
	kinds := p.kinds(s)
	for i := range o.Steps {
		if definitions := p.steps.match(kinds[i], o.Steps[i].Text); len(definitions) == 1 {
			o.Steps[i].Definition, o.Steps[i].Pattern = definitions[0].Location, definitions[0].Pattern
		}
	}
	return &o
}

// outcomes returns the scenarios that have ended, in the order of the files, and the files
// with problems.
func (p *Plan) outcomes(ended map[*Scenario]*outcome.Scenario) []outcome.Feature {
	var features []outcome.Feature
	for _, f := range p.features {
		feature := f.outcome()
		feature.Problems = p.fileProblems(f)
		for _, s := range f.Scenarios {
			if o := ended[s]; o != nil {
				feature.Scenarios = append(feature.Scenarios, *o)
			}
		}
		if len(feature.Scenarios)+len(feature.Problems) > 0 {
			features = append(features, feature)
		}
	}
	return features
}

// outcome returns the feature without scenarios.
func (f *Feature) outcome() outcome.Feature {
	feature := outcome.Feature{URI: f.URI, Source: f.Source, Problems: f.Problems}
	if f.document == nil {
		return feature
	}
	node := f.document.Feature
	feature.Keyword, feature.Name, feature.Description, feature.Line = node.Keyword, node.Name, node.Description, int(node.Location.Line)
	for _, t := range node.Tags {
		feature.Tags = append(feature.Tags, outcome.Tag{Name: t.Name, Line: int(t.Location.Line)})
	}
	return feature
}

// runner runs the scenarios of a plan and collects their outcomes.
type runner struct {
	plan    *Plan
	options Options
	order   []*Scenario // all selected ones, as they run
	round   int         // 0 until scenarios are measured again
	records *records    // nil where no run file is written
	events  *events     // nil where nothing listens

	mu          sync.Mutex
	deferred    []*Scenario // ended; the listener is told only after the last round
	ended       map[*Scenario]*outcome.Scenario
	interrupted bool
	remeasured  map[*Scenario]bool // by later rounds
	failures    int                // scenarios that failed, those not counted that will be measured again
}

// runBatch runs the scenarios of takes, this many in parallel, until no more may start.
func (c *runner) runBatch(ctx context.Context, takes map[*Scenario]bool, jobs int) {
	next := make(chan *Scenario)
	var workers sync.WaitGroup
	for worker := range min(max(1, jobs), len(takes)) {
		workers.Go(func() {
			for s := range next {
				if c.stopped(ctx) {
					continue
				}
				c.runScenario(ctx, s, worker+1)
			}
		})
	}
	for _, s := range c.order {
		if takes[s] {
			next <- s
		}
	}
	close(next)
	workers.Wait()
	for s := range takes {
		if c.ended[s] == nil && ctx.Err() != nil {
			c.interrupted = true
		}
	}
}

// finished keeps the result of a scenario. Of one that will be measured again, the listener
// is told only after the last round.
func (c *runner) finished(s *Scenario, o *outcome.Scenario) {
	c.mu.Lock()
	c.ended[s] = o
	isDeferred := c.round == 0 && c.options.Setup.LaterRounds && exceeded(o) != nil
	if isDeferred {
		c.deferred = append(c.deferred, s)
	} else if o.Status == outcome.Failed {
		c.failures++
	}
	c.mu.Unlock()
	if isDeferred || c.round > 0 {
		return
	}
	c.notify(outcome.Event{Ended: o})
}

func (c *runner) notify(e outcome.Event) { c.events.add(e) }

// interruptedBy says whether err is caused by the end of the context.
func interruptedBy(ctx context.Context, err error) bool {
	return errors.Is(err, bench.ErrInterrupted) || errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))
}
