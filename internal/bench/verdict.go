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
	sameBuild       rule = iota // both sides have their code at the same addresses
	linkOrders                  // two builds, each linked in several random orders
	differentBuilds             // two builds, each linked in one order
)

const (
	// linkOrderAllowance is the relative change that the order of functions in a binary
	// can cause by itself: between builds that differ in one linked package, 37 % of the
	// benchmarks moved by more than 5 %, and the tenth most sensitive of them has a
	// standard deviation of 8 % over link orders. Only larger changes count.
	linkOrderAllowance = 0.30
	// minLinkOrders is the number of random link orders that a median is taken of: the
	// median of 2 still called 2.6 % of unchanged benchmarks slower, that of 4 0.06 %.
	minLinkOrders = 4
	// minProcesses is needed on each side: a process may be slow from its start to its
	// end, and only another one shows it.
	minProcesses = 2
)

// thirdMinimumShare is the share of the threshold by which a new floor must exceed the
// third smallest round minimum of the baseline: 3 % where the threshold is 5 %. Without
// it, two rounds of the baseline that were fast by luck would make everything after them
// look slower.
const thirdMinimumShare = 0.6

// sharedCoreReason is given where too few processes of a side had a core that was not
// shared.
const sharedCoreReason = "other programs shared the processor core all the time"

// clockReason is given where the processes ran at clocks that differ too much.
const clockReason = "the processor ran at another clock frequency"

// needsConfirmation tells whether sampling again may change a verdict by floors.
func needsConfirmation(v Verdict, reason string) bool {
	return v == Red && reason == "" || v == Unconverged && (reason == sharedCoreReason || reason == clockReason)
}

// judgeFloors judges the floors of one benchmark. ratio is the new compared time by the
// old one, both scaled to one clock of the processor; NaN where a side has none. reason
// says why the verdict is what it is, where the ratio does not show it.
func judgeFloors(r rule, old, new []Process, threshold float64) (v Verdict, ratio float64, reason string) {
	oneClock := true
	if r != linkOrders { // there the two sides run in alternation, at one clock
		old, new, oneClock = scaleToOneClock(old, new)
	}
	ratio = comparedTime(r, new) / comparedTime(r, old)
	if math.IsNaN(ratio) || math.IsInf(ratio, 0) || ratio == 0 {
		return Unconverged, math.NaN(), "a side has no floor"
	}
	if len(old) < minProcesses || len(new) < minProcesses {
		return Unconverged, ratio, fmt.Sprintf("sampled in fewer than %d processes on a side", minProcesses)
	}
	if r != linkOrders {
		unsharedOld, unsharedNew, why := usableProcesses(old, new, oneClock)
		switch {
		case why == "":
			old, new = unsharedOld, unsharedNew
		case slower(old, new, max(threshold, sharedCoreAllowance)):
			return Red, ratio, ""
		default:
			return Unconverged, ratio, why
		}
	}
	v, reason = r.judge(old, new, threshold)
	return v, ratio, reason
}

// usableProcesses gives the processes of each side whose core was not shared. why says
// that there are too few of them or that their clocks differ too much; it is empty
// where they can be judged.
func usableProcesses(old, new []Process, oneClock bool) (unsharedOld, unsharedNew []Process, why string) {
	least := leastContention(slices.Concat(old, new))
	unsharedOld, unsharedNew = withoutSharedCore(old, least), withoutSharedCore(new, least)
	switch {
	case len(unsharedOld) == 0 || len(unsharedNew) < minProcesses:
		return nil, nil, sharedCoreReason
	case !oneClock:
		return nil, nil, clockReason
	}
	return unsharedOld, unsharedNew, ""
}

// judge applies the rule to processes that can be compared.
func (r rule) judge(old, new []Process, threshold float64) (v Verdict, reason string) {
	isSlower, isFaster := slower, func(old, new []Process, threshold float64) bool { return slower(new, old, threshold) }
	if r == linkOrders {
		isSlower, isFaster = slowerInEveryLinkOrder, fasterInEveryLinkOrder
	}
	limit := threshold
	if r == differentBuilds {
		limit = max(threshold, linkOrderAllowance)
	}
	switch {
	case isSlower(old, new, limit):
		return Red, ""
	case !converged(old) || !converged(new):
		return Unconverged, unconvergedReason(slices.Concat(old, new))
	case isFaster(old, new, limit):
		return Green, ""
	case r == differentBuilds && (isSlower(old, new, threshold) || isFaster(old, new, threshold)):
		return NotComparable, fmt.Sprintf("different builds: the order in which the linker places code can alone change a time by %.0f %%", linkOrderAllowance*100)
	}
	return Neutral, ""
}

// unconvergedReason says why the floors of some processes were not found.
func unconvergedReason(processes []Process) string {
	const few = 10
	rounds := len(slices.MinFunc(processes, func(a, b Process) int { return cmp.Compare(len(a.RoundMin), len(b.RoundMin)) }).RoundMin)
	if rounds < few {
		return fmt.Sprintf("the floor was not found in %d rounds, which is all that such a slow operation is given", rounds)
	}
	return "the floor was not found: the machine was too busy"
}

// comparedTime gives the time that some processes are compared by, in nanoseconds per
// call: the median of their floors under the rule linkOrders, else their smallest floor.
func comparedTime(r rule, processes []Process) float64 {
	if r != linkOrders {
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

// slower is the test where each side is one binary. The floor of every new process,
// those that confirm included, must exceed the baseline's floor by more than the
// threshold. It must also exceed the baseline's third smallest round minimum, and the
// floor of each of its processes, by more than thirdMinimumShare of the threshold: a
// process may be fast from its start to its end, too.
func slower(old, new []Process, threshold float64) bool {
	first, third := kthSmallest(old, 1), kthSmallest(old, floorRank)
	for _, p := range old {
		third = max(third, p.floor())
	}
	return !slices.ContainsFunc(new, func(p Process) bool {
		return p.floor() <= (1+threshold)*first || p.floor() <= (1+thirdMinimumShare*threshold)*third
	})
}

// slowerInEveryLinkOrder is the test for two builds that were each linked in
// several random orders: the median floor must exceed the baseline's by more than
// the threshold, and every single floor must exceed that median.
func slowerInEveryLinkOrder(old, new []Process, threshold float64) bool {
	base := comparedTime(linkOrders, old)
	return comparedTime(linkOrders, new) > (1+threshold)*base &&
		!slices.ContainsFunc(new, func(p Process) bool { return p.floor() <= base })
}

// fasterInEveryLinkOrder is the same in the other direction: the median floor must lie
// below the baseline's by more than the threshold, and every single floor below that
// median.
func fasterInEveryLinkOrder(old, new []Process, threshold float64) bool {
	base := comparedTime(linkOrders, old)
	return comparedTime(linkOrders, new) < (1-threshold)*base &&
		!slices.ContainsFunc(new, func(p Process) bool { return p.floor() >= base })
}

// Bytes and allocations per call are exact and judged without statistics: a call costs
// more memory where it makes one allocation more, or where its bytes grow by more than
// both of these.
const (
	memoryAllowanceShare = 0.01
	memoryAllowanceBytes = 16
)

// judgeMemory says by what a call costs more memory than before; "" where it does not.
func judgeMemory(old, new *Result) string {
	if old.BytesPerOp == nil || new.BytesPerOp == nil || old.AllocsPerOp == nil || new.AllocsPerOp == nil {
		return ""
	}
	bytesBefore, bytesNow := float64(*old.BytesPerOp), float64(*new.BytesPerOp)
	switch {
	case *new.AllocsPerOp > *old.AllocsPerOp:
		return fmt.Sprintf("%d allocations per call, before %d", *new.AllocsPerOp, *old.AllocsPerOp)
	case bytesNow-bytesBefore > max(memoryAllowanceShare*bytesBefore, memoryAllowanceBytes):
		return fmt.Sprintf("%d bytes per call, before %d", *new.BytesPerOp, *old.BytesPerOp)
	}
	return ""
}
