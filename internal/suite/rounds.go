package suite

import (
	"context"
	"errors"
	"time"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/steps"
)

// repeatedMeasurements is what came of measuring one scenario more than once.
type repeatedMeasurements struct {
	first    outcome.Scenario
	exceeded []*bench.ExceededError // one for each time, in order
}

// exceeded gives the bound that a scenario failed by and that another measurement may
// keep, or nil.
func exceeded(o *outcome.Scenario) *bench.ExceededError {
	var e *bench.ExceededError
	if failed := o.FailedStep(); failed != nil && errors.As(failed.Err, &e) && e.Repeatable() {
		return e
	}
	return nil
}

// shortMeasurement is a measurement that one slow phase of the machine can outlast.
const shortMeasurement = 1500 * time.Millisecond

// seemsFragile tells whether a scenario passed with a bound that may seem nearer to the
// fastest call than it is.
func seemsFragile(o *outcome.Scenario) bool {
	return o.Status == outcome.Passed && o.Benchmark != nil && o.Benchmark.Fragile() && o.Duration < shortMeasurement
}

// laterRounds measures again what exceeded a bound, when all others have had their
// turn: the machine may have been slow for a second or more, and many benchmarks are
// over in a millisecond. A scenario is run again as a whole, on a checkpoint laid out
// afresh, after the one that its bound is relative to, and at most
// steps.MaxRemeasurements times. Where it passes once, it has passed; else it fails as it
// did first, with what each time gave. A bound that was kept and seems fragile is
// measured once more, too, and is told of if it seems so again; the figures stay.
func (c *runner) laterRounds(ctx context.Context) error {
	looked := map[*Scenario]*repeatedMeasurements{}
	for round := range steps.MaxRemeasurements {
		again := map[*Scenario]*bench.ExceededError{}
		doubtful := map[*Scenario]bool{}
		for s, o := range c.ended {
			if e := exceeded(o); e != nil {
				again[s] = e
			} else if round == 0 && seemsFragile(o) {
				doubtful[s] = true
			}
		}
		if len(again)+len(doubtful) == 0 {
			break
		}
		c.pause(ctx)
		if ctx.Err() != nil {
			c.interrupted = true
			break
		}
		if err := c.measureAgain(ctx, again, doubtful, looked); err != nil {
			return err
		}
	}
	for s, l := range looked {
		if o := c.ended[s]; exceeded(o) != nil {
			l.first.FailedStep().Err = &bench.RepeatedError{Looks: l.exceeded}
			setMeasurementCount(&l.first, len(l.exceeded))
			c.ended[s] = &l.first
		}
	}
	for _, s := range c.deferred {
		c.notify(outcome.Event{Ended: c.ended[s]})
	}
	c.deferred = nil
	return nil
}

// measureAgain runs the scenarios that exceeded a bound again, and keeps what came of
// it; and those with a doubtful note, of which it keeps what came of them first.
func (c *runner) measureAgain(ctx context.Context, again map[*Scenario]*bench.ExceededError, doubtful map[*Scenario]bool, looked map[*Scenario]*repeatedMeasurements) error {
	before := map[*Scenario]*outcome.Scenario{}
	takes := map[*Scenario]bool{}
	for s := range c.ended {
		if doubtful[s] {
			before[s], takes[s] = c.ended[s], true
		}
		for other, e := range again {
			if s == other || e.Reference() != "" && c.plan.benchmark(s) == e.Reference() {
				before[s], takes[s] = c.ended[s], true
			}
		}
	}
	for s := range takes {
		delete(c.ended, s)
	}
	c.options.Setup.NextRound()
	c.round++
	if err := c.runBatch(ctx, takes, 1); err != nil {
		return err
	}
	for s := range takes {
		o := c.ended[s]
		if again[s] == nil || o == nil { // a reference, a doubtful note, or cut off
			c.ended[s] = before[s]
			if doubtful[s] && o != nil && o.Benchmark != nil {
				before[s].Benchmark.BearOut(o.Benchmark)
			}
			continue
		}
		l := looked[s]
		if l == nil {
			l = &repeatedMeasurements{first: *before[s], exceeded: []*bench.ExceededError{again[s]}}
			looked[s] = l
		}
		if e := exceeded(o); e != nil {
			l.exceeded = append(l.exceeded, e)
			continue
		}
		if o.FailedStep() == nil {
			o.Warnings = append(o.Warnings, (&bench.RepeatedError{Looks: l.exceeded}).Overcome())
		}
		setMeasurementCount(o, 1+len(l.exceeded))
	}
	return nil
}

func setMeasurementCount(o *outcome.Scenario, n int) {
	if o.Benchmark != nil {
		o.Benchmark.Looks = n
	}
}

// benchmark is the name that a scenario is measured under, "" where it is not.
func (p *Plan) benchmark(s *Scenario) string {
	if !p.measured(s) {
		return ""
	}
	return p.steps.benchmarkName(s.TagNames(), s.Name)
}

// pause passes the time before a later round.
func (c *runner) pause(ctx context.Context) {
	if c.options.Pause != nil {
		c.options.Pause(ctx)
		return
	}
	steps.WaitBeforeRemeasuring(ctx)
}
