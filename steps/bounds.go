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
func (w *world) boundSteps(v stepRegistrar) {
	v.group("What it may cost: a scenario with one of these is measured")
	v.Then(`^the (mean|median|p95|p99|max|min) latency is below ([0-9.]+ ?[^0-9. ]+)$`, w.latencyBelow, stepDoc{
		meaning: "A call takes less than this; units are ns, µs (us), ms and s.",
		example: `the p95 latency is below 2 ms`,
		bounds:  latency,
	})
	v.Then(`^the median latency is below ([0-9.]+) times that of "([^"]*)"$`, w.medianBelowTimes, stepDoc{
		meaning: "A call takes less than so many times the call of another benchmark, measured earlier in the same run.",
		example: `the median latency is below 20 times that of "strategy_detection_transformers"`,
		bounds:  latency,
	})
	v.Then(`^no more than ([0-9.]+ ?[A-Za-z]+) is allocated per call$`, w.allocatesAtMost, stepDoc{
		meaning: "A call allocates at most so many bytes; units are B, kB, MB, GB and KiB, MiB, GiB.",
		example: `no more than 1 MB is allocated per call`,
		bounds:  memory,
	})
	v.Then(`^no more than ([0-9]+) allocations are made per call$`, w.allocationsAtMost, stepDoc{
		meaning: "A call makes at most so many allocations.",
		example: `no more than 120 allocations are made per call`,
		bounds:  memory,
	})
	v.Then(`^the throughput is at least ([0-9.]+) operations per second$`, w.throughputAtLeast, stepDoc{
		meaning: "All callers together make this many calls a second, in the best of some rounds.",
		example: `the throughput is at least 1000 operations per second`,
		bounds:  concurrency,
	})
	v.Then(`^the throughput is at least ([0-9.]+) times that of one caller$`, w.scalingAtLeast, stepDoc{
		meaning: "The scaling: all callers together make at least so many times the calls a second of one caller alone. 2 where two do twice as much, 1 where the others wait, less where they get in each other's way.",
		example: `the throughput is at least 1.2 times that of one caller`,
		bounds:  concurrency,
	})
	v.Then(`^the latency grows with an exponent below ([0-9.]+)$`, w.growsBelow, stepDoc{
		meaning: "The time of a call grows with less than this power of the size, over the sizes that the checkpoint is laid out in: 1 is in proportion, 2 is four times the time for twice the size.",
		example: `the latency grows with an exponent below 1.3`,
		bounds:  latency,
	})
	v.Then(`^the first latency is below ([0-9.]+ ?[^0-9. ]+)$`, w.firstBelow, stepDoc{
		meaning: "The first call in a process that was started for it takes less than this, on the real disk.",
		example: `the first latency is below 50 ms`,
		bounds:  process,
	})
	v.Then(`^the cold latency is below ([0-9.]+ ?[^0-9. ]+)$`, w.coldBelow, stepDoc{
		meaning: "The same with the checkpoint's files out of the page cache. Where the system does not allow that, it is not judged, and the report says so.",
		example: `the cold latency is below 20 ms`,
		bounds:  coldProcess,
	})
	v.Then(`^the peak resident memory is below ([0-9.]+ ?[A-Za-z]+)$`, w.peakBelow, stepDoc{
		meaning: "A process that was started for it, program included, never has more than this in memory while it makes its first call, on the real disk.",
		example: `the peak resident memory is below 64 MB`,
		bounds:  process,
	})
	v.Then(`^the memory delta is below ([0-9.]+ ?[A-Za-z]+)$`, w.deltaBelow, stepDoc{
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

func (w *world) throughputAtLeast(ctx context.Context, limit string) error {
	bound, err := bench.ThroughputAtLeast(limit)
	return w.check(ctx, bound, err)
}

func (w *world) scalingAtLeast(ctx context.Context, limit string) error {
	if max(w.callers, w.setup.Callers) < 2 {
		return scenarioErrorf(`there is one caller: write the When step with "by 8 callers at once" at its end`)
	}
	bound, err := bench.ScalingAtLeast(limit)
	return w.check(ctx, bound, err)
}

func (w *world) growsBelow(ctx context.Context, limit string) error {
	if len(w.sizes) < 2 {
		return scenarioErrorf(`there is one size: lay the checkpoint out in several, as in "a checkpoint with a config of 1 MB, 10 MB and 50 MB"`)
	}
	bound, err := bench.GrowthBelow(limit)
	return w.check(ctx, bound, err)
}

func (w *world) firstBelow(ctx context.Context, limit string) error {
	return w.latencyBelow(ctx, "first", limit)
}

func (w *world) coldBelow(ctx context.Context, limit string) error {
	return w.latencyBelow(ctx, "cold", limit)
}

func (w *world) peakBelow(ctx context.Context, limit string) error {
	bound, err := bench.PeakMemoryBelow(limit)
	return w.check(ctx, bound, err)
}
