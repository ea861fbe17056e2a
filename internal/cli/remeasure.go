package cli

import (
	"context"
	"fmt"
	"time"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/quantity"
	"omniloader/internal/suite"
	"omniloader/loader/undertest"
	"omniloader/steps"
)

// meansPauses are the pauses before what is red by means is measured again. Slow phases of a
// shared machine mostly last for about a second, and some for half a minute.
var meansPauses = []time.Duration{steps.RemeasureDelay, 10 * time.Second}

// confirmMeans measures again the benchmarks that a comparison calls red by means, as all
// calls of a benchmark may have been made in one slow phase of the machine: once after each
// of meansPauses. What stays red is slower each time.
func (p *program) confirmMeans(ctx context.Context, c *bench.Comparison, o *runOutputs, measureAgain func(context.Context, map[bench.Key]bool) ([]bench.Result, error)) error {
	if o.failOn.has(failMeans) {
		return nil // they are red in any case
	}
	for _, pause := range meansPauses {
		red := c.RedByMeans()
		if len(red) == 0 {
			return nil
		}
		p.note("%s slower than the slowest call of the baseline: measuring again in %s", seemBenchmarks(len(red)), pause)
		p.wait(ctx, pause)
		again, err := measureAgain(ctx, red)
		if err != nil {
			return fmt.Errorf("measuring again what seems slower than the baseline: %w", err)
		}
		c.RecheckMeans(again)
	}
	return nil
}

// seemBenchmarks writes "1 benchmark seems" or "2 benchmarks seem".
func seemBenchmarks(n int) string {
	if n == 1 {
		return "1 benchmark seems"
	}
	return quantity.Count(n, "benchmark") + " seem"
}

// measureAgain carries out the scenarios of a finished run that measured these benchmarks,
// once more, and gives what was measured. A scenario that fails now has no result.
func (p *program) measureAgain(ctx context.Context, plan *suite.Plan, s *runSettings, finished *outcome.Run, wanted map[bench.Key]bool) ([]bench.Result, error) {
	type place struct {
		uri  string
		line int
	}
	chosen := map[place]bool{}
	for _, f := range finished.Features {
		for _, scenario := range f.Scenarios {
			if b := scenario.Benchmark; b != nil && wanted[b.Key()] {
				chosen[place{f.URI, scenario.Line}] = true
			}
		}
	}
	var results []bench.Result
	err := withLoader(ctx, p.loader, func(l undertest.Loader) error {
		setup := s.setup.Derive(func(setup *steps.Setup) { setup.Loader = l })
		setup.NextRound() // the results of this one take the place of the earlier ones
		run, err := plan.Keep(func(scenario *suite.Scenario) bool { return chosen[place{scenario.URI, scenario.Line}] }).
			Run(ctx, suite.Options{Setup: setup, Jobs: 1, Timeout: s.control.timeout, Grace: p.grace, Pause: func(context.Context) {}})
		if err != nil {
			return err
		}
		if run.Interrupted {
			return fmt.Errorf("%w: %w", bench.ErrInterrupted, context.Cause(ctx))
		}
		results = resultsOf(run)
		return nil
	})
	return results, err
}
