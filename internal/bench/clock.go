package bench

import "slices"

// The clock frequency of a processor depends on what all of its cores do and drifts by
// some per cent from minute to minute: by 4 % in eight runs within five minutes, and all
// benchmarks drift with it. The yardstick, a fixed piece of work that takes a fixed
// number of cycles, shows the drift (correlation 0.86). With floors scaled by it, a tenth
// as many of these runs had a false alarm, and 99 % of slowdowns of 10 % were found
// instead of 95 %.

// maxClockDifference is the largest relative difference of two clocks at which floors are
// still compared: work that waits for memory does not scale with the clock.
const maxClockDifference = 0.10

// scaleToOneClock gives the processes of both sides with the times they would have had
// at the clock of the old side's fastest process. Where the yardstick of any process is
// not known, all are left as they are. comparable is false where the clocks differ by
// more than maxClockDifference.
func scaleToOneClock(old, new []Process) (scaledOld, scaledNew []Process, comparable bool) {
	var clocks []float64
	for _, p := range slices.Concat(old, new) {
		if !(p.Yardstick > 0) {
			return old, new, true
		}
		clocks = append(clocks, p.Yardstick)
	}
	if len(old) == 0 {
		return old, new, true
	}
	clock := slices.Min(clocks[:len(old)])
	return scaleToClock(old, clock), scaleToClock(new, clock), slices.Max(clocks) <= (1+maxClockDifference)*slices.Min(clocks)
}

// scaleToClock gives processes with the round minima that they would have had at a
// clock, which is given as the yardstick's time.
func scaleToClock(processes []Process, clock float64) []Process {
	all := slices.Clone(processes)
	for i, p := range all {
		all[i].RoundMin = slices.Clone(p.RoundMin)
		for j := range p.RoundMin {
			all[i].RoundMin[j] *= clock / p.Yardstick
		}
	}
	return all
}
