package suite

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/bench"
	"omniloader/internal/engine"
	"omniloader/internal/outcome"
	"omniloader/steps"
)

// runScenario runs one scenario and keeps its outcome, unless it was interrupted by the
// user.
func (c *runner) runScenario(ctx context.Context, s *Scenario, worker int) {
	o := c.plan.newOutcome(s)
	o.Started = time.Now()
	started := *o // the listener may read it while the scenario runs
	c.notify(outcome.Event{Started: &started})
	if c.plan.measured(s) {
		c.events.settle()
	}
	var scenario scenarioSteps // of the last attempt
	result := c.plan.steps.engine().Run(ctx, s.pickle, func(scope *engine.Scope) {
		o.Evidence = nil
		scenario = c.plan.steps.register(c.options.Setup, scope)
		scope.Before(func(ctx context.Context, p *messages.Pickle) (context.Context, error) {
			return ctx, scenario.Begin(p, c.plan.source(s))
		})
		scope.After(func(ctx context.Context, _ *messages.Pickle, err error) (context.Context, error) {
			if err != nil {
				o.Evidence = newEvidence(scenario.Evidence())
			}
			return ctx, scenario.End()
		})
	}, engine.Options{
		JudgeAll: true, Timeout: c.plan.timeout(s, c.options.Timeout), Grace: cmp.Or(c.options.Grace, stepGrace),
		Attempts: 1 + c.retries(s), Retry: func(a *engine.Attempt) bool {
			abandon(a, scenario)
			status, _, _ := c.judge(s, a)
			return status == outcome.Failed
		},
	})
	last := &result.Attempts[len(result.Attempts)-1]
	abandon(last, scenario)
	var failure error
	o.Status, o.Steps, failure = c.judge(s, last)
	o.Started, o.Duration = last.Started, last.Duration
	for i := range result.Attempts[:len(result.Attempts)-1] {
		a := &result.Attempts[i]
		_, list, _ := c.judge(s, a)
		o.Earlier = append(o.Earlier, outcome.Attempt{Started: a.Started, Duration: a.Duration, Steps: list})
	}
	if ctx.Err() != nil && (result.Interrupted || o.Status == outcome.Skipped || interruptedBy(ctx, failure)) {
		if !timeIsUp(ctx) || !cutOff(ctx, o, last.Stacks) {
			return
		}
		c.mu.Lock()
		c.interrupted = true
		c.mu.Unlock()
	}
	if o.Status == outcome.Passed && len(o.Earlier) > 0 {
		o.Status = outcome.Flaky
	}
	if c.options.Setup.Collect == nil {
		expectFailure(s, o)
	}
	if scenario != nil && !last.Abandoned { // else the record may still change
		if record := scenario.Record(); record != nil {
			o.Benchmark, o.Warnings, o.SkipReason = record.Benchmark, record.Warnings, record.SkipReason
			o.NotJudged = record.NotJudged
		}
	}
	c.records.write(s, o, worker)
	c.finished(s, o)
}

// abandon gives up the scenario of an attempt that was abandoned.
func abandon(a *engine.Attempt, scenario scenarioSteps) {
	if a.Abandoned && scenario != nil {
		scenario.Abandon()
	}
}

// judge returns the status of an attempt at a scenario, its steps, and the first error. The
// error of a hook, which belongs to no step, becomes that of the last step that was run.
func (c *runner) judge(s *Scenario, a *engine.Attempt) (outcome.Status, []outcome.Step, error) {
	o := c.plan.newOutcome(s)
	for i, r := range a.Steps {
		addResult(&o.Steps[i], r)
	}
	o.Status = scenarioStatus(statuses[a.Status], o.FailedSteps())
	failure := a.Err
	if failed := o.FailedStep(); failed != nil {
		failure = failed.Err
	} else if failure != nil && o.Status == outcome.Failed && len(o.Steps) > 0 {
		step := &o.Steps[lastRun(o.Steps)]
		if exceeded := exceededDefault(failure); exceeded != nil {
			step, failure = &o.Steps[whenStep(a.Steps)], exceeded
		}
		step.Status, step.Err = outcome.Failed, explain(failure)
		if isScenarioError(failure) {
			step.Status, o.Status = outcome.CouldNotJudge, outcome.CouldNotJudge
		}
	}
	return o.Status, o.Steps, failure
}

// cutOff makes a scenario that was under way when the time of the run was up one that could
// not be judged. It returns false if none of its steps had started.
func cutOff(ctx context.Context, o *outcome.Scenario, stacks string) bool {
	at := lastRun(o.Steps)
	if len(o.Steps) == 0 || o.Steps[at].Status == outcome.Skipped {
		return false
	}
	o.Status, o.Steps[at].Status = outcome.CouldNotJudge, outcome.CouldNotJudge
	o.Steps[at].Err = &steps.ScenarioError{Err: &HungError{Err: context.Cause(ctx), Stack: stacks}}
	return true
}

var statuses = map[engine.Status]outcome.Status{
	engine.Passed:    outcome.Passed,
	engine.Failed:    outcome.Failed,
	engine.Skipped:   outcome.Skipped,
	engine.Undefined: outcome.Undefined,
	engine.Pending:   outcome.Pending,
	engine.Ambiguous: outcome.Ambiguous,
}

// addResult completes a step with its result.
func addResult(step *outcome.Step, r engine.StepResult) {
	step.Status = statuses[r.Status]
	step.Started = r.Started
	if step.Status == outcome.Skipped {
		return
	}
	step.Duration = r.Duration
	if r.Err == nil {
		return
	}
	step.Err = explain(r.Err)
	if r.Kind == messages.PickleStepType_CONTEXT && step.Status == outcome.Failed {
		step.Err = &steps.ScenarioError{Err: step.Err} // there is no checkpoint to judge the loader with
	}
	if step.Status == outcome.Failed && isScenarioError(step.Err) {
		step.Status = outcome.CouldNotJudge
	}
}

func isScenarioError(err error) bool {
	var wrong *steps.ScenarioError
	return errors.As(err, &wrong)
}

// scenarioStatus returns the status of a scenario of its status in the engine and the steps
// that did not pass. One step that failed because of the loader makes it failed.
func scenarioStatus(status outcome.Status, failed []*outcome.Step) outcome.Status {
	if status != outcome.Failed || len(failed) == 0 {
		return status
	}
	for _, step := range failed {
		if step.Status == outcome.Failed {
			return outcome.Failed
		}
	}
	return outcome.CouldNotJudge
}

// exceededDefault returns the default bound that a scenario exceeded, which belongs to no step
// of its text, or nil.
func exceededDefault(failure error) error {
	var e *bench.ExceededError
	if errors.As(failure, &e) && e.Judgement.Default {
		return e
	}
	return nil
}

// whenStep returns the index of the When step, whose operation was measured; 0 if there is
// none.
func whenStep(results []engine.StepResult) int {
	return max(0, slices.IndexFunc(results, func(r engine.StepResult) bool { return r.Kind == messages.PickleStepType_ACTION }))
}

// lastRun returns the index of the last step that was run, 0 if none was.
func lastRun(list []outcome.Step) int {
	for i, step := range slices.Backward(list) {
		if step.Status != outcome.Skipped {
			return i
		}
	}
	return 0
}
