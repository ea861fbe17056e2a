package bench

import (
	"math"
	"slices"
)

// A floor is the smallest time per call that was seen. Other work on the machine only
// ever adds time, so that the smallest time is the one that depends least on it. A
// round minimum is the smallest time per call of one round of sampling.

// floorRank is the rank of the round minimum that a floor is checked against: the
// third smallest, so that two rounds that were fast by luck do not decide anything.
const floorRank = 3

// floor gives the smallest round minimum in nanoseconds; +Inf where there is none.
func (p Process) floor() float64 {
	if len(p.RoundMin) == 0 {
		return math.Inf(1)
	}
	return slices.Min(p.RoundMin)
}

// kthSmallest gives the k-th smallest round minimum of some processes together,
// counted from 1; +Inf where there are fewer.
func kthSmallest(processes []Process, k int) float64 {
	var all []float64
	for _, p := range processes {
		all = append(all, p.RoundMin...)
	}
	if len(all) < k {
		return math.Inf(1)
	}
	slices.Sort(all)
	return all[k-1]
}

// Floor gives the smallest round minimum of some processes in nanoseconds; +Inf
// where there is none.
func Floor(processes []Process) float64 { return kthSmallest(processes, 1) }

// maxFloorSpread is the largest ratio of the third smallest round minimum of a process
// to its smallest: where it is larger, the process has not found its floor.
const maxFloorSpread = 1.05

// converged tells whether enough processes found their floor: at most one in four may
// have missed it, or one where there are fewer than four. The time that is compared is
// the minimum or the median of their floors, which one such process does not change.
func converged(processes []Process) bool {
	missed := 0
	for _, p := range processes {
		if kthSmallest([]Process{p}, floorRank) > maxFloorSpread*p.floor() {
			missed++
		}
	}
	return missed <= max(1, len(processes)/4) && len(processes) > missed
}
