package suite

import (
	"cmp"
	"context"
	"errors"
	"time"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/steps"
)

// repeatedMeasurements are the measurements of one scenario that exceeded a bound.
type repeatedMeasurements struct {
	first    outcome.Scenario
	exceeded []*bench.ExceededError // of each measurement, in order
}

// exceeded returns the first bound that a scenario exceeded, if another measurement may keep
// all that it exceeded, else nil.
func exceeded(o *outcome.Scenario) *bench.ExceededError {
	var first *bench.ExceededError
	for _, failed := range o.FailedSteps() {
		var e *bench.ExceededError
		if !errors.As(failed.Err, &e) || !e.Repeatable() {
			return nil
		}
		first = cmp.Or(first, e)
	}
	return first
}

// shortMeasurement is the limit for a measurement that may have been made completely in
// one slow phase of the machine.
const shortMeasurement = 1500 * time.Millisecond

// seemsFragile says whether a scenario passed, but so near to a bound that it seems to
// exceed it now and then, which a slow phase of the machine may have caused.
func seemsFragile(o *outcome.Scenario) bool {
	return o.Status == outcome.Passed && o.Benchmark != nil && o.Benchmark.HasFragileBound() && o.Duration < shortMeasurement
}

// laterRounds runs scenarios that exceeded a bound again, after all others have ended: a
// machine may be slow for a second or more, and many benchmarks take a millisecond. A
// scenario is run as a whole, with a new checkpoint, together with the one that its bound
// is relative to, and at most steps.MaxRemeasurements times. If it passes once, it has
// passed; else its first result stays, with the values of all measurements.
//
// A scenario whose bound seems fragile is run once more too. Its first result stays, and
// keeps the note only if the bound seems fragile again.
func (c *runner) laterRounds(ctx context.Context) {
	repeated := map[*Scenario]*repeatedMeasurements{}
	for round := range steps.MaxRemeasurements {
		tooSlow := map[*Scenario]*bench.ExceededError{}
		fragile := map[*Scenario]bool{}
		for s, o := range c.ended {
			if e := exceeded(o); e != nil {
				tooSlow[s] = e
			} else if round == 0 && seemsFragile(o) {
				fragile[s] = true
			}
		}
		if len(tooSlow)+len(fragile) == 0 {
			break
		}
		c.pause(ctx)
		if ctx.Err() != nil {
			c.interrupted = true
			break
		}
		c.measureAgain(ctx, tooSlow, fragile, repeated)
	}
	for s, r := range repeated {
		if o := c.ended[s]; exceeded(o) != nil {
			r.first.FailedStep().Err = &bench.RepeatedError{Exceeded: r.exceeded}
			setMeasurementCount(&r.first, len(r.exceeded))
			c.ended[s] = &r.first
		}
	}
	for _, s := range c.deferred {
		c.notify(outcome.Event{Ended: c.ended[s]})
	}
	c.deferred = nil
}

// measureAgain runs one more round of the scenarios in tooSlow, with those that their
// bounds are relative to, and of those in fragile. It takes the new result only of
// scenarios in tooSlow, and collects in repeated what exceeded a bound again.
func (c *runner) measureAgain(ctx context.Context, tooSlow map[*Scenario]*bench.ExceededError, fragile map[*Scenario]bool, repeated map[*Scenario]*repeatedMeasurements) {
	before := map[*Scenario]*outcome.Scenario{}
	takes := map[*Scenario]bool{}
	for s := range c.ended {
		if fragile[s] || tooSlow[s] != nil || c.isReference(s, tooSlow) {
			before[s], takes[s] = c.ended[s], true
		}
	}
	for s := range takes {
		delete(c.ended, s)
		if c.remeasured == nil {
			c.remeasured = map[*Scenario]bool{}
		}
		c.remeasured[s] = true
	}
	c.options.Setup.NextRound()
	c.round++
	c.runBatch(ctx, takes, 1)
	for s := range takes {
		o := c.ended[s]
		if tooSlow[s] == nil || o == nil { // fragile, a reference, or interrupted
			c.ended[s] = before[s]
			if fragile[s] && o != nil && o.Benchmark != nil {
				before[s].Benchmark.DropUnconfirmedNotes(o.Benchmark)
			}
			continue
		}
		r := repeated[s]
		if r == nil {
			r = &repeatedMeasurements{first: *before[s], exceeded: []*bench.ExceededError{tooSlow[s]}}
			repeated[s] = r
		}
		if e := exceeded(o); e != nil {
			r.exceeded = append(r.exceeded, e)
			continue
		}
		switch {
		case o.FailedStep() != nil:
		case o.Benchmark == nil: // nothing can be measured any more
			o.Warnings = append(o.Warnings, "measured once, and could not be measured again: "+tooSlow[s].Error())
		default:
			o.Warnings = append(o.Warnings, (&bench.RepeatedError{Exceeded: r.exceeded}).RecoveryNote())
		}
		setMeasurementCount(o, 1+len(r.exceeded))
	}
}

// isReference says whether a bound in tooSlow is relative to the benchmark of s.
func (c *runner) isReference(s *Scenario, tooSlow map[*Scenario]*bench.ExceededError) bool {
	for of, e := range tooSlow {
		if e.Reference() != "" && c.plan.benchmark(s) == e.Reference() && (s.Model == "" || s.Model == of.Model) {
			return true
		}
	}
	return false
}

func setMeasurementCount(o *outcome.Scenario, n int) {
	if o.Benchmark != nil {
		o.Benchmark.TimesMeasured = n
	}
}

// benchmark returns the name of the scenario's benchmark, "" if it is not measured.
func (p *Plan) benchmark(s *Scenario) string {
	if !p.measured(s) {
		return ""
	}
	return p.steps.benchmarkName(s.TagNames(), s.NameInFile())
}

// pause waits before a round that measures benchmarks again: with Options.Pause where it
// is set, else for the time that steps.WaitBeforeRemeasuring takes.
func (c *runner) pause(ctx context.Context) {
	if c.options.Pause != nil {
		c.options.Pause(ctx)
		return
	}
	steps.WaitBeforeRemeasuring(ctx)
}
