package bench

import (
	"math"
	"slices"
)

// settledBy is the rank of the round minimum that says whether a floor is settled:
// the third smallest. Two lucky rounds do not move it.
const settledBy = 3

// floor gives the smallest round minimum in nanoseconds; +Inf where there is none.
func (p Process) floor() float64 {
	if len(p.RoundMin) == 0 {
		return math.Inf(1)
	}
	return slices.Min(p.RoundMin)
}

// ranked gives the k-th smallest round minimum of some processes together,
// counted from 1; +Inf where there are fewer.
func ranked(processes []Process, k int) float64 {
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
func Floor(processes []Process) float64 { return ranked(processes, 1) }

// unsettled is the factor between the smallest and the third smallest round
// minimum from which on a process has not found its floor.
const unsettled = 1.05

// converged tells whether at most one of four processes, or one of fewer, did not find
// its floor: the figure compared is the smallest or the median of them, which stand that.
func converged(processes []Process) bool {
	lost := 0
	for _, p := range processes {
		if ranked([]Process{p}, settledBy) > unsettled*p.floor() {
			lost++
		}
	}
	return lost <= max(1, len(processes)/4) && len(processes) > lost
}
