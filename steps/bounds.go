package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"omniloader/internal/bench"
	"omniloader/internal/suggest"
)

// boundSteps are the Then steps about what reading may cost. A scenario with one
// of them is measured.
func (w *world) boundSteps(v vocabulary) {
	v.group("What it may cost: a scenario with one of these is measured")
	v.Then(`^the (mean|median|p95|p99|max|min) latency is below ([0-9.]+ ?[^0-9. ]+)$`, w.latencyBelow, about{
		meaning: "A call takes less than this; units are ns, µs (us), ms and s.",
		example: `the p95 latency is below 2 ms`,
		bounds:  latency,
	})
	v.Then(`^the median latency is below ([0-9.]+) times that of "([^"]*)"$`, w.medianBelowTimes, about{
		meaning: "A call takes less than so many times the call of another benchmark, measured earlier in the same run.",
		example: `the median latency is below 20 times that of "strategy_detection_transformers"`,
		bounds:  latency,
	})
	v.Then(`^no more than ([0-9.]+ ?[A-Za-z]+) is allocated per call$`, w.allocatesAtMost, about{
		meaning: "A call allocates at most so many bytes; units are B, kB, MB, GB and KiB, MiB, GiB.",
		example: `no more than 1 MB is allocated per call`,
		bounds:  memory,
	})
	v.Then(`^no more than ([0-9]+) allocations are made per call$`, w.allocationsAtMost, about{
		meaning: "A call makes at most so many allocations.",
		example: `no more than 120 allocations are made per call`,
		bounds:  memory,
	})
	v.Then(`^the memory delta is below ([0-9.]+ ?[A-Za-z]+)$`, w.deltaBelow, about{
		meaning: "The answer keeps less than so many bytes alive.",
		example: `the memory delta is below 0.5 MB`,
		bounds:  memory,
	})
}

func (w *world) latencyBelow(ctx context.Context, figure, limit string) error {
	bound, err := bench.LatencyBelow(figure, limit)
	return w.check(ctx, bound, err)
}

func (w *world) medianBelowTimes(ctx context.Context, factor, benchmark string) error {
	bound, err := bench.MedianBelowTimes(factor, benchmark)
	if err == nil && w.setup.Collect == nil && w.setup.store.measurement(benchmark) == nil {
		message := fmt.Sprintf("the bound is relative to %q, which was not measured before this in the run: select it too", benchmark)
		others := slices.DeleteFunc(w.setup.store.names(), func(name string) bool { return name == w.record.Benchmark.Name })
		if near, ok := suggest.Nearest(benchmark, others); ok {
			message += fmt.Sprintf("; did you mean %q?", near)
		}
		return errors.New(message)
	}
	return w.check(ctx, bound, err)
}

func (w *world) allocatesAtMost(ctx context.Context, limit string) error {
	bound, err := bench.AllocatedAtMost(limit)
	return w.check(ctx, bound, err)
}

func (w *world) allocationsAtMost(ctx context.Context, limit string) error {
	bound, err := bench.AllocationsAtMost(limit)
	return w.check(ctx, bound, err)
}

func (w *world) deltaBelow(ctx context.Context, limit string) error {
	bound, err := bench.MemoryDeltaBelow(limit)
	return w.check(ctx, bound, err)
}
