package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"omniloader/internal/bench"
	"omniloader/internal/suggest"
)

// boundSteps are the Then steps that bound the time or memory of the operation. A
// scenario with one of them is measured.
func (w *world) boundSteps(r stepRegistrar) {
	r.group("Bounds on time and memory: a scenario with one of these is measured")
	r.Then(`^the (mean|median|p95|p99|max|min) latency is below ([0-9.]+ ?[^0-9. ]+)$`, w.latencyBelow, stepDoc{
		meaning: "A call takes less than this; units are ns, µs (us), ms and s.",
		example: `the p95 latency is below 2 ms`,
		bounds:  latency,
		check:   checkBound(func(p []string) (bench.Bound, error) { return bench.LatencyBelow(p[0], p[1]) }),
	})
	r.Then(`^the median latency is below ([0-9.]+) times that of "([^"]*)"$`, w.medianBelowTimes, stepDoc{
		meaning: "The median time of a call is less than this many times that of another benchmark, which must be measured earlier in the same run.",
		example: `the median latency is below 20 times that of "strategy_detection_transformers"`,
		bounds:  latency,
		check:   checkBound(func(p []string) (bench.Bound, error) { return bench.MedianBelowTimes(p[0], p[1]) }),
	})
	r.Then(`^no more than ([0-9.]+ ?[A-Za-z]+) is allocated per call$`, w.allocatesAtMost, stepDoc{
		meaning: "A call allocates at most this many bytes; units are B, kB, MB, GB and KiB, MiB, GiB.",
		example: `no more than 1 MB is allocated per call`,
		bounds:  memory,
		check:   checkBound(func(p []string) (bench.Bound, error) { return bench.AllocatedAtMost(p[0]) }),
	})
	r.Then(`^no more than ([0-9]+) allocations are made per call$`, w.allocationsAtMost, stepDoc{
		meaning: "A call makes at most this many allocations.",
		example: `no more than 120 allocations are made per call`,
		bounds:  memory,
		check:   checkBound(func(p []string) (bench.Bound, error) { return bench.AllocationsAtMost(p[0]) }),
	})
	r.Then(`^the throughput is at least ([0-9.]+) operations per second$`, w.throughputAtLeast, stepDoc{
		meaning: "All callers together make at least this many calls a second; the best of several rounds counts.",
		example: `the throughput is at least 1000 operations per second`,
		bounds:  concurrency,
		check:   checkBound(func(p []string) (bench.Bound, error) { return bench.ThroughputAtLeast(p[0]) }),
	})
	r.Then(`^the throughput is at least ([0-9.]+) times that of one caller$`, w.scalingAtLeast, stepDoc{
		meaning: "All callers together make at least this many times the calls per second of one caller alone: 2 means that two callers do twice as much, 1 that callers wait for each other, less that they slow each other down.",
		example: `the throughput is at least 1.2 times that of one caller`,
		bounds:  concurrency,
		check:   both(checkBound(func(p []string) (bench.Bound, error) { return bench.ScalingAtLeast(p[0]) }), checkScaling),
	})
	r.Then(`^the latency grows with an exponent below ([0-9.]+)$`, w.growsBelow, stepDoc{
		meaning: "The time of a call grows with less than this power of the config's size, over the sizes that the checkpoint is created in: 1 means in proportion to the size, 2 that twice the size takes four times as long.",
		example: `the latency grows with an exponent below 1.3`,
		bounds:  latency,
		check:   both(checkBound(func(p []string) (bench.Bound, error) { return bench.LatencyGrowthBelow(p[0]) }), checkGrowth),
	})
	w.processBoundSteps(r)
	r.Then(`^the memory delta is below ([0-9.]+ ?[A-Za-z]+)$`, w.deltaBelow, stepDoc{
		meaning: "The answer keeps less than this many bytes alive. A scenario without this step is held to 5 MB where its memory is measured.",
		example: `the memory delta is below 0.5 MB`,
		bounds:  memory,
		check:   checkBound(func(p []string) (bench.Bound, error) { return bench.MemoryDeltaBelow(p[0]) }),
	})
}

// processBoundSteps are those of boundSteps about a first call in a process of its own.
func (w *world) processBoundSteps(r stepRegistrar) {
	r.Then(`^the first latency is below ([0-9.]+ ?[^0-9. ]+)$`, w.firstBelow, stepDoc{
		meaning: "The first call in a process started for it takes less than this, with the checkpoint on the real disk.",
		example: `the first latency is below 50 ms`,
		bounds:  process,
		check:   checkBound(func(p []string) (bench.Bound, error) { return bench.LatencyBelow("first", p[0]) }),
	})
	r.Then(`^the cold latency is below ([0-9.]+ ?[^0-9. ]+)$`, w.coldBelow, stepDoc{
		meaning: "The same, with the checkpoint's files dropped from the page cache. On a system that cannot drop them the bound is not judged, and the report says so.",
		example: `the cold latency is below 20 ms`,
		bounds:  coldProcess,
		check:   checkBound(func(p []string) (bench.Bound, error) { return bench.LatencyBelow("cold", p[0]) }),
	})
	r.Then(`^the peak resident memory is below ([0-9.]+ ?[A-Za-z]+)$`, w.peakBelow, stepDoc{
		meaning: "A process started for the first call, with the checkpoint on the real disk, never has more than this in memory, its program included.",
		example: `the peak resident memory is below 64 MB`,
		bounds:  process,
		check:   checkBound(func(p []string) (bench.Bound, error) { return bench.PeakMemoryBelow(p[0]) }),
	})
}

// measuredFigures are the examples of bounds on figures that are measured and no fields of the
// answer, by what ends their names.
var measuredFigures = []struct{ ending, step string }{
	{"first latency", `the first latency is below 50 ms`},
	{"cold latency", `the cold latency is below 20 ms`},
	{"latency", `the p95 latency is below 2 ms`},
	{"throughput", `the throughput is at least 1000 operations per second`},
	{"peak resident memory", `the peak resident memory is below 64 MB`},
	{"memory delta", `the memory delta is below 0.5 MB`},
	{"allocations", `no more than 120 allocations are made per call`},
}

// boundOf returns the example of a bound on a figure of this name, "" if there is none.
func boundOf(name string) string {
	for _, figure := range measuredFigures {
		if wanted := words(name); strings.HasSuffix(wanted, figure.ending) {
			if rest := strings.TrimSpace(strings.TrimSuffix(wanted, "latency")); slices.Contains([]string{"mean", "median", "p95", "p99", "max", "min"}, rest) {
				return "the " + rest + " latency is below 2 ms"
			}
			return figure.step
		}
	}
	return ""
}

func (w *world) latencyBelow(ctx context.Context, figure, limit string) error {
	bound, err := bench.LatencyBelow(figure, limit)
	return w.check(ctx, bound, err)
}

func (w *world) medianBelowTimes(ctx context.Context, factor, benchmark string) error {
	bound, err := bench.MedianBelowTimes(factor, benchmark)
	if err == nil && w.setup.Collect == nil && w.unmeasured == "" && w.setup.whyNotJudged(bound) == "" && w.reference(benchmark) == nil {
		message := fmt.Sprintf("the bound is relative to %q, which was not measured before this in the run: select it too", benchmark)
		others := slices.DeleteFunc(w.setup.state().store.names(w.setup.LoaderKey()), func(name string) bool { return name == w.record.Benchmark.Name })
		if near, ok := suggest.Nearest(benchmark, others); ok {
			message += "; " + suggest.Question(near)
		}
		return scenarioErrorf("%s", message)
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
		return &ScenarioError{errOneCaller()}
	}
	bound, err := bench.ScalingAtLeast(limit)
	return w.check(ctx, bound, err)
}

func (w *world) growsBelow(ctx context.Context, limit string) error {
	if len(w.sizes) < 2 {
		return &ScenarioError{errOneSize()}
	}
	bound, err := bench.LatencyGrowthBelow(limit)
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
