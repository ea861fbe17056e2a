package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// rule is how floors are judged.
type rule int

const (
	sameBuild  rule = iota // both sides have their code at the same addresses
	layouts                // two builds, each linked in several random orders
	otherBuild             // two builds, each in the one order it happened to get
)

const (
	// layoutAllowance is what the order of functions in a binary alone can make of
	// a benchmark: between builds that differ in one linked package 37 % of the
	// benchmarks moved by more than 5 %, and the tenth most sensitive of them by a
	// standard deviation of 8 % for each layout. What is slower by more than this is
	// slower; less tells nothing.
	layoutAllowance = 0.30
	// leastLayouts is the number of random layouts that a median is taken of: the
	// median of 2 still called 2.6 % of unchanged benchmarks slower, of 4 0.06 %.
	leastLayouts = 4
	// leastProcesses on each side: a process may be slow for its whole life, and
	// only another one shows it.
	leastProcesses = 2
)

// settling is the part of the threshold by which a new floor must exceed the third
// smallest round minimum of the baseline: 3 % of 5 %. It keeps two lucky rounds of
// the baseline from making everything after it look slow.
const settling = 0.6

// clouded is the reason of a comparison in which a side has too few processes that had
// their core for themselves.
const clouded = "others were on the same core of the processor throughout"

// unsteady is the reason of a comparison whose processes ran at too different clocks.
const unsteady = "the processor ran at another clock"

// suspicious tells whether another look may show that a verdict by floors was bad luck.
func suspicious(v Verdict, reason string) bool {
	return v == Red && reason == "" || v == Unconverged && (reason == clouded || reason == unsteady)
}

// judgeFloors judges the floors of one benchmark. ratio is that of the figures compared,
// at one clock of the processor.
func judgeFloors(r rule, old, new []Process, threshold float64) (v Verdict, ratio float64, reason string) {
	steady := true
	if r != layouts { // whose two sides have the same clock and weather, as they take turns
		old, new, steady = atOneClock(old, new)
	}
	ratio = figure(r, new) / figure(r, old)
	if math.IsNaN(ratio) || math.IsInf(ratio, 0) || ratio == 0 {
		return Unconverged, math.NaN(), "a side has no floor"
	}
	if len(old) < leastProcesses || len(new) < leastProcesses {
		return Unconverged, ratio, fmt.Sprintf("sampled in fewer than %d processes on a side", leastProcesses)
	}
	if r != layouts {
		best := bestWeather(slices.Concat(old, new))
		clearOld, clearNew := inClearWeather(old, best), inClearWeather(new, best)
		switch enough := len(clearOld) > 0 && len(clearNew) >= leastProcesses; {
		case enough && steady:
			old, new = clearOld, clearNew
		case slower(old, new, max(threshold, cloudAllowance)):
			return Red, ratio, ""
		case enough:
			return Unconverged, ratio, unsteady
		default:
			return Unconverged, ratio, clouded
		}
	}
	beyond, below := slower, func(old, new []Process, threshold float64) bool { return slower(new, old, threshold) }
	if r == layouts {
		beyond, below = slowerInEveryLayout, fasterInEveryLayout
	}
	limit := threshold
	if r == otherBuild {
		limit = max(threshold, layoutAllowance)
	}
	switch {
	case beyond(old, new, limit):
		return Red, ratio, ""
	case !converged(old) || !converged(new):
		return Unconverged, ratio, notFound(slices.Concat(old, new))
	case below(old, new, limit):
		return Green, ratio, ""
	case r == otherBuild && (beyond(old, new, threshold) || below(old, new, threshold)):
		return NotComparable, ratio, fmt.Sprintf("different builds: where the linker puts code alone can make %.0f %%", layoutAllowance*100)
	}
	return Neutral, ratio, ""
}

// notFound says why floors were not found.
func notFound(processes []Process) string {
	const few = 10
	rounds := len(slices.MinFunc(processes, func(a, b Process) int { return cmp.Compare(len(a.RoundMin), len(b.RoundMin)) }).RoundMin)
	if rounds < few {
		return fmt.Sprintf("the floor was not found in %d rounds, which are all that so slow an operation gets", rounds)
	}
	return "the floor was not found: the machine was too busy"
}

// figure is the figure of some processes that is compared, in nanoseconds.
func figure(r rule, processes []Process) float64 {
	if r != layouts {
		return Floor(processes)
	}
	floors := make([]float64, len(processes))
	for i, p := range processes {
		floors[i] = p.floor()
	}
	return median(floors)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return stat.Mean([]float64{sorted[(len(sorted)-1)/2], sorted[len(sorted)/2]}, nil)
}

// slower is the rule for one binary on both sides: the floor of every new process,
// which are the first look and its confirmations, lies above the baseline's by more
// than the threshold, and above its third smallest round minimum, and the floor of each
// of its processes, by most of it: a process may be fast for its whole life, too.
func slower(old, new []Process, threshold float64) bool {
	first, third := ranked(old, 1), ranked(old, settledBy)
	for _, p := range old {
		third = max(third, p.floor())
	}
	return !slices.ContainsFunc(new, func(p Process) bool {
		return p.floor() <= (1+threshold)*first || p.floor() <= (1+settling*threshold)*third
	})
}

// slowerInEveryLayout is the rule for two binaries that were each linked in
// several random orders: the median floor lies above the baseline's by more than
// the threshold, and every single one above that median.
func slowerInEveryLayout(old, new []Process, threshold float64) bool {
	base := figure(layouts, old)
	return figure(layouts, new) > (1+threshold)*base &&
		!slices.ContainsFunc(new, func(p Process) bool { return p.floor() <= base })
}

// fasterInEveryLayout is its counterpart: the median floor lies below the baseline's
// by more than the threshold, and every single one below that median.
func fasterInEveryLayout(old, new []Process, threshold float64) bool {
	base := figure(layouts, old)
	return figure(layouts, new) < (1-threshold)*base &&
		!slices.ContainsFunc(new, func(p Process) bool { return p.floor() >= base })
}

// Bytes and allocations per call are exact, and judged without statistics: a call
// costs more memory when it allocates one object more, or more bytes than both of
// these.
const (
	memoryShare = 0.01
	memoryBytes = 16
)

// judgeMemory says in words what a call costs more than before, or "".
func judgeMemory(old, new *Result) string {
	if old.BytesPerOp == nil || new.BytesPerOp == nil || old.AllocsPerOp == nil || new.AllocsPerOp == nil {
		return ""
	}
	bytesBefore, bytesNow := float64(*old.BytesPerOp), float64(*new.BytesPerOp)
	switch {
	case *new.AllocsPerOp > *old.AllocsPerOp:
		return fmt.Sprintf("%d allocations per call, before %d", *new.AllocsPerOp, *old.AllocsPerOp)
	case bytesNow-bytesBefore > max(memoryShare*bytesBefore, memoryBytes):
		return fmt.Sprintf("%d bytes per call, before %d", *new.BytesPerOp, *old.BytesPerOp)
	}
	return ""
}
