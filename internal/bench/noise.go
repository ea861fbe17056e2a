package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"
)

// NoiseRun is one sampling of all benchmarks, as a run with a baseline does it, in as many
// processes as the plan says.
type NoiseRun struct {
	Processes []*Samples
	Slowdown  map[string]float64 // share by which a benchmark was slowed on purpose, by its name
	Duration  time.Duration      // from the start of its processes to their end
}

// NoiseStudy has the samples from which the error rates of verdicts are found: of the
// unchanged program, and of the program with known slowdowns.
type NoiseStudy struct {
	Plan      Sampling
	Threshold float64
	Quiet     []NoiseRun // of the unchanged program
	Busy      []NoiseRun // the same beside busy loops; may be empty
	// Slowed are runs with known slowdowns, each followed by another run with the same
	// slowdowns, which confirms it; may be empty.
	Slowed []NoiseRun
}

// Rate counts how often something happened.
type Rate struct {
	Count int `json:"count"`
	Of    int `json:"of"`
}

// Share is Count / Of; 0 if Of is 0.
func (r Rate) Share() float64 {
	if r.Of == 0 {
		return 0
	}
	return float64(r.Count) / float64(r.Of)
}

func (r *Rate) add(happened bool) {
	r.Of++
	if happened {
		r.Count++
	}
}

// FalseAlarms counts the verdicts on benchmarks that did not change.
type FalseAlarms struct {
	Benchmarks Rate `json:"benchmarks"` // called red, of all judged
	Suites     Rate `json:"suites"`     // comparisons with any red
	Green      Rate `json:"green"`      // called faster
	// Reds is how often each benchmark was called slower, by its name.
	Reds        map[string]int `json:"red_benchmarks,omitempty"`
	Unconverged Rate           `json:"unconverged"`
	// The uncertainty of the rates: comparisons share runs and are not independent.
	StandardError          float64 `json:"benchmarks_standard_error"` // of the share of benchmarks, by the jackknife over runs; 0 where nothing was red
	IndependentComparisons int     `json:"independent_comparisons"`   // largest number of comparisons of which no two share a run
	SuitesAtMost           float64 `json:"suites_at_most,omitempty"`  // upper bound on the share of suites with any red at 95 % confidence, from those comparisons; only where no suite had any
}

// Power is the statistical power at one slowdown: how often it was found.
type Power struct {
	Slowdown    float64 `json:"slowdown"` // relative
	Measured    float64 `json:"realised"` // median relative growth of the floors, over all pairs
	Found       Rate    `json:"found"`
	FoundByMean Rate    `json:"naive"` // by the mean of single calls, on the same data
}

// Noise has the error rates of verdicts on a machine.
type Noise struct {
	Plan               Sampling    `json:"plan"`
	Threshold          float64     `json:"threshold"`
	Benchmarks         int         `json:"benchmarks"`
	Processes          int         `json:"processes"`
	Runs               int         `json:"runs"`                    // of the unchanged program
	BusyRuns           int         `json:"busy_runs"`               // of the same beside busy loops
	InOperationsShare  float64     `json:"inside_share"`            // share of the time of the rounds that measured operations took
	ProcessSeconds     float64     `json:"seconds_for_one_process"` // time of its rounds
	RunSeconds         float64     `json:"seconds_for_a_run"`       // time from the start of its processes to their end; a confirmation takes as much again
	Unchanged          FalseAlarms `json:"unchanged"`               // the program against itself
	BeforeConfirmation Rate        `json:"unchanged_first_look"`    // benchmarks that were red before any confirmation
	ByMean             FalseAlarms `json:"naive"`                   // the same data by the mean of single calls
	Busy               FalseAlarms `json:"quiet_against_busy"`      // a quiet baseline against a run beside busy loops
	BusyByMean         FalseAlarms `json:"quiet_against_busy_naive"`
	Power              []Power     `json:"power"` // by slowdown, ascending
	// Exact counts the benchmarks whose bytes and allocations per call were the same
	// in every process that measured them.
	MemoryExact     Rate     `json:"memory_exact"`
	MemoryProcesses int      `json:"memory_processes"`         // processes that measured it
	MemoryInexact   []string `json:"memory_inexact,omitempty"` // the others
}

// Judge computes the error rates. Every ordered pair of runs is a comparison;
// a red in it is confirmed by the processes of a third run. As pairs share runs, the
// number of runs and not that of pairs decides how exact the rates are. It fails with
// fewer than three quiet runs.
func (s *NoiseStudy) Judge() (*Noise, error) {
	if len(s.Quiet) < 3 {
		return nil, fmt.Errorf("a study of noise needs 3 runs of the unchanged program or more, it has %d", len(s.Quiet))
	}
	n := &Noise{Plan: s.Plan, Threshold: s.Threshold, Runs: len(s.Quiet), BusyRuns: len(s.Busy), Power: []Power{}}
	s.addCosts(n)
	busy := s.Busy
	if len(busy) < 2 { // another run is needed to confirm
		busy = nil
	}
	var byFloor, byMean []pair
	for i, base := range s.Quiet {
		for j, now := range s.Quiet {
			if i == j {
				continue
			}
			third := s.Quiet[thirdIndex(len(s.Quiet), i, j)]
			floorsBefore, meansBefore := n.Unchanged.Benchmarks, n.ByMean.Benchmarks
			s.compareUnchanged(base, now, third, &n.Unchanged, &n.ByMean, &n.BeforeConfirmation)
			byFloor = append(byFloor, pair{i, j, n.Unchanged.Benchmarks.minus(floorsBefore)})
			byMean = append(byMean, pair{i, j, n.ByMean.Benchmarks.minus(meansBefore)})
		}
		for j, now := range busy {
			s.compareUnchanged(base, now, busy[(j+1)%len(busy)], &n.Busy, &n.BusyByMean, nil)
		}
	}
	n.Unchanged.estimateErrors(byFloor, len(s.Quiet))
	n.ByMean.estimateErrors(byMean, len(s.Quiet))
	s.addPower(n)
	s.addMemory(n)
	return n, nil
}

// pair is a comparison of two runs, by their indices, and how many benchmarks were red.
type pair struct {
	base, now int
	red       Rate
}

// minus gives what was counted since an earlier state of the rate.
func (r Rate) minus(before Rate) Rate { return Rate{r.Count - before.Count, r.Of - before.Of} }

// estimateErrors computes the uncertainty of rates over all ordered pairs of some runs. The
// jackknife leaves out one run at a time, with every pair it is in: the usual standard
// error, from the number of pairs, would be several times too small.
func (f *FalseAlarms) estimateErrors(pairs []pair, runs int) {
	without := make([]float64, runs)
	for run := range without {
		var rate Rate
		for _, p := range pairs {
			if p.base != run && p.now != run {
				rate.Count, rate.Of = rate.Count+p.red.Count, rate.Of+p.red.Of
			}
		}
		without[run] = rate.Share()
	}
	n := float64(runs)
	f.StandardError = math.Sqrt((n - 1) * (n - 1) / n * stat.Variance(without, nil))
	f.IndependentComparisons = runs / 2
	if f.Suites.Count == 0 {
		f.SuitesAtMost = 1 - math.Pow(1-confidence, 1/float64(f.IndependentComparisons))
	}
}

// thirdIndex gives the first index below n after j, starting again at 0, that is neither i
// nor j.
func thirdIndex(n, i, j int) int {
	k := (j + 1) % n
	for k == i || k == j {
		k = (k + 1) % n
	}
	return k
}

// addCosts computes how long sampling takes.
func (s *NoiseStudy) addCosts(n *Noise) {
	var inside, wall float64
	for _, runs := range [][]NoiseRun{s.Quiet, s.Busy, s.Slowed} {
		for _, r := range runs {
			for _, p := range r.Processes {
				n.Processes++
				inside += p.InOperations.Seconds()
				wall += p.Wall.Seconds()
			}
		}
	}
	var lasted []float64
	for _, r := range s.Quiet {
		lasted = append(lasted, r.Duration.Seconds())
	}
	n.RunSeconds = median(lasted)
	n.Benchmarks = len(s.Quiet[0].Processes[0].Benchmarks)
	if wall > 0 {
		n.InOperationsShare, n.ProcessSeconds = inside/wall, wall/float64(n.Processes)
	}
}

// processesOf gives the processes of one benchmark of a run.
func (r NoiseRun) processesOf(index int) []Process {
	var all []Process
	for _, p := range r.Processes {
		all = append(all, p.Benchmarks[index].Process)
	}
	return all
}

// mean is the mean of the single calls of a run's first process.
func (r NoiseRun) mean(index int) float64 {
	singles := r.Processes[0].Benchmarks[index].Singles
	values := make([]float64, len(singles))
	for i, d := range singles {
		values[i] = d.Seconds()
	}
	return stat.Mean(values, nil)
}

// judgeWithConfirmation judges one benchmark as a run with a baseline does. first is the
// verdict before any confirmation.
func (s *NoiseStudy) judgeWithConfirmation(base, now, confirming NoiseRun, index int) (first, last Verdict) {
	old, processes := base.processesOf(index), now.processesOf(index)
	first, _, reason := judgeFloors(sameBuild, old, processes, s.Threshold)
	if !needsConfirmation(first, reason) {
		return first, first
	}
	last, _, _ = judgeFloors(sameBuild, old, slices.Concat(processes, confirming.processesOf(index)), s.Threshold)
	return first, last
}

// compareUnchanged compares two runs of the unchanged program and counts the false alarms
// by floors and by means; beforeConfirmation may be nil.
func (s *NoiseStudy) compareUnchanged(base, now, confirming NoiseRun, byFloor, byMean *FalseAlarms, beforeConfirmation *Rate) {
	anyByFloor, anyByMean := false, false
	for index := range base.Processes[0].Benchmarks {
		first, last := s.judgeWithConfirmation(base, now, confirming, index)
		if beforeConfirmation != nil {
			beforeConfirmation.add(first == Red)
		}
		byFloor.Benchmarks.add(last == Red)
		if last == Red {
			if byFloor.Reds == nil {
				byFloor.Reds = map[string]int{}
			}
			byFloor.Reds[base.Processes[0].Benchmarks[index].Name]++
		}
		byFloor.Green.add(last == Green)
		byFloor.Unconverged.add(last == Unconverged)
		anyByFloor = anyByFloor || last == Red

		verdict, _ := judgeMeans(base.mean(index), now.mean(index), s.Threshold)
		byMean.Benchmarks.add(verdict == Red)
		byMean.Green.add(verdict == Green)
		byMean.Unconverged.add(false)
		anyByMean = anyByMean || verdict == Red
	}
	byFloor.Suites.add(anyByFloor)
	byMean.Suites.add(anyByMean)
}

// addPower counts how often the slowdowns were found.
func (s *NoiseStudy) addPower(n *Noise) {
	found := map[float64]*Power{}
	grown := map[float64][]float64{}
	for i := 0; i+1 < len(s.Slowed); i += 2 {
		now, confirming := s.Slowed[i], s.Slowed[i+1]
		for index, sample := range now.Processes[0].Benchmarks {
			share := now.Slowdown[sample.Name]
			if share == 0 {
				continue
			}
			p := found[share]
			if p == nil {
				p = &Power{Slowdown: share}
				found[share] = p
			}
			for _, base := range s.Quiet {
				_, last := s.judgeWithConfirmation(base, now, confirming, index)
				p.Found.add(last == Red)
				byMean, _ := judgeMeans(base.mean(index), now.mean(index), s.Threshold)
				p.FoundByMean.add(byMean == Red)
				_, ratio, _ := judgeFloors(sameBuild, base.processesOf(index), now.processesOf(index), s.Threshold)
				grown[share] = append(grown[share], ratio-1)
			}
		}
	}
	for share, p := range found {
		p.Measured = median(grown[share])
		n.Power = append(n.Power, *p)
	}
	slices.SortFunc(n.Power, func(a, b Power) int { return cmp.Compare(a.Slowdown, b.Slowdown) })
}

// addMemory counts the benchmarks whose memory was the same in every process.
func (s *NoiseStudy) addMemory(n *Noise) {
	for index, sample := range s.Quiet[0].Processes[0].Benchmarks {
		var bytes, allocs []uint64
		for _, runs := range [][]NoiseRun{s.Quiet, s.Busy} {
			for _, r := range runs {
				for _, p := range r.Processes {
					if m := p.Benchmarks[index].Memory; m != nil {
						bytes, allocs = append(bytes, m.BytesPerCall), append(allocs, m.AllocsPerCall)
					}
				}
			}
		}
		if len(bytes) == 0 {
			continue
		}
		same := slices.Min(bytes) == slices.Max(bytes) && slices.Min(allocs) == slices.Max(allocs)
		n.MemoryExact.add(same)
		n.MemoryProcesses = len(bytes)
		if !same {
			n.MemoryInexact = append(n.MemoryInexact, fmt.Sprintf("%s: %d to %d B, %d to %d allocations", sample.Name,
				slices.Min(bytes), slices.Max(bytes), slices.Min(allocs), slices.Max(allocs)))
		}
	}
}

// SlowedSets chooses the benchmarks that are slowed in one rotation of a study, and by how
// much: each share for size benchmarks, and nothing for the others. Over the rotations
// every benchmark is slowed. floors are those of the unchanged program in
// nanoseconds. share has the relative slowdown by name, seconds the same in seconds a call.
func SlowedSets(names []string, floors map[string]float64, shares []float64, size, rotation int) (share, seconds map[string]float64) {
	share, seconds = map[string]float64{}, map[string]float64{}
	if len(names) == 0 {
		return share, seconds
	}
	size = min(size, len(names)/max(1, len(shares)))
	// scenarios next to each other are alike, so that a set takes every step-th one
	step := max(1, len(names)/max(1, size))
	for i, s := range shares {
		for k := range size {
			name := names[(i+k*step+rotation*len(shares))%len(names)]
			if _, taken := share[name]; taken || math.IsInf(floors[name], 0) {
				continue
			}
			share[name], seconds[name] = s, s*floors[name]/1e9
		}
	}
	return share, seconds
}
