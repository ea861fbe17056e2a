package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"
)

// NoiseRun is one look at all benchmarks, as a run with a baseline takes it: so
// many processes as the plan says.
type NoiseRun struct {
	Processes []*Samples
	Slowdown  map[string]float64 // what was added on purpose, as a share, by benchmark
	Duration  time.Duration      // from the start of its processes to their end
}

// NoiseStudy is what a machine was found to do while nothing changed, and while
// something did.
type NoiseStudy struct {
	Plan      Sampling
	Threshold float64
	Quiet     []NoiseRun // of the unchanged program
	Busy      []NoiseRun // the same beside busy loops; may be empty
	// Slowed are looks at the program with known slowdowns, each followed by another
	// of the same slowdowns, which confirms it; may be empty.
	Slowed []NoiseRun
}

// Rate counts how often something happened.
type Rate struct {
	Count int `json:"count"`
	Of    int `json:"of"`
}

// Share is the rate as a share, 0 of nothing.
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

// FalseAlarms counts the verdicts on what did not change.
type FalseAlarms struct {
	Benchmarks Rate `json:"benchmarks"` // called red, of all judged
	Suites     Rate `json:"suites"`     // comparisons with any red
	Green      Rate `json:"green"`      // called faster
	// Reds says how often which benchmark was called slower.
	Reds        map[string]int `json:"red_benchmarks,omitempty"`
	Unconverged Rate           `json:"unconverged"`
	// What the rates are worth: comparisons share runs, and are not independent.
	StandardError          float64 `json:"benchmarks_standard_error"` // of the share of benchmarks, jackknifed over the runs; 0 where nothing was red
	IndependentComparisons int     `json:"independent_comparisons"`   // comparisons that share no run, at most
	SuitesAtMost           float64 `json:"suites_at_most,omitempty"`  // the share of suites with any red at 95 % confidence, where none was seen, from those alone
}

// Power counts the slowdowns of one size that were found.
type Power struct {
	Slowdown    float64 `json:"slowdown"` // the share that was added
	Measured    float64 `json:"realised"` // the median share by which the floors grew, over all pairs
	Found       Rate    `json:"found"`
	FoundByMean Rate    `json:"naive"` // by the mean of single calls, on the same data
}

// Noise is what verdicts are worth on a machine.
type Noise struct {
	Plan               Sampling    `json:"plan"`
	Threshold          float64     `json:"threshold"`
	Benchmarks         int         `json:"benchmarks"`
	Processes          int         `json:"processes"`
	Runs               int         `json:"runs"`                    // of the unchanged program
	BusyRuns           int         `json:"busy_runs"`               // of the same beside busy loops
	InOperationsShare  float64     `json:"inside_share"`            // of the rounds, in measured operations
	ProcessSeconds     float64     `json:"seconds_for_one_process"` // of its rounds
	RunSeconds         float64     `json:"seconds_for_a_run"`       // of all its processes, from their start to their end; as much again where it is confirmed
	Unchanged          FalseAlarms `json:"unchanged"`               // the program against itself
	BeforeConfirmation Rate        `json:"unchanged_first_look"`    // red before any confirmation, of all benchmarks
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

// Judge computes what the study shows. Every ordered pair of runs is a comparison;
// what looks red in it is confirmed by the processes of a run that is in neither
// of the two. Pairs share runs: the rates are as good as the number of runs, not
// of pairs. It fails with fewer than three quiet runs.
func (s *NoiseStudy) Judge() (*Noise, error) {
	if len(s.Quiet) < 3 {
		return nil, fmt.Errorf("a study of noise needs 3 runs of the unchanged program or more, it has %d", len(s.Quiet))
	}
	n := &Noise{Plan: s.Plan, Threshold: s.Threshold, Runs: len(s.Quiet), BusyRuns: len(s.Busy), Power: []Power{}}
	s.cost(n)
	busy := s.Busy
	if len(busy) < 2 { // a run must not confirm itself
		busy = nil
	}
	var pairs, naive []pair
	for i, base := range s.Quiet {
		for j, now := range s.Quiet {
			if i == j {
				continue
			}
			third := s.Quiet[other(len(s.Quiet), i, j)]
			ours, means := n.Unchanged.Benchmarks, n.ByMean.Benchmarks
			s.unchanged(base, now, third, &n.Unchanged, &n.ByMean, &n.BeforeConfirmation)
			pairs = append(pairs, pair{i, j, n.Unchanged.Benchmarks.since(ours)})
			naive = append(naive, pair{i, j, n.ByMean.Benchmarks.since(means)})
		}
		for j, now := range busy {
			s.unchanged(base, now, busy[(j+1)%len(busy)], &n.Busy, &n.BusyByMean, nil)
		}
	}
	n.Unchanged.worth(pairs, len(s.Quiet))
	n.ByMean.worth(naive, len(s.Quiet))
	s.power(n)
	s.exact(n)
	return n, nil
}

// pair is a comparison of two runs, and what was red in it.
type pair struct {
	base, now int
	red       Rate
}

// since gives what a rate counted after an earlier state of it.
func (r Rate) since(before Rate) Rate { return Rate{r.Count - before.Count, r.Of - before.Of} }

// worth says how good the rates of all ordered pairs of some runs are. The jackknife
// leaves out one run at a time, with every pair it is in: an error of the textbook,
// from the number of pairs, would be several times too small.
func (f *FalseAlarms) worth(pairs []pair, runs int) {
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

// other gives the first index after j, going round, that is neither i nor j.
func other(n, i, j int) int {
	k := (j + 1) % n
	for k == i || k == j {
		k = (k + 1) % n
	}
	return k
}

func (s *NoiseStudy) cost(n *Noise) {
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

// confirmed judges one benchmark as a run with a baseline does. first is the
// verdict before any confirmation.
func (s *NoiseStudy) confirmed(base, now, confirming NoiseRun, index int) (first, last Verdict) {
	old, processes := base.processesOf(index), now.processesOf(index)
	first, _, reason := judgeFloors(sameBuild, old, processes, s.Threshold)
	if !suspicious(first, reason) {
		return first, first
	}
	last, _, _ = judgeFloors(sameBuild, old, slices.Concat(processes, confirming.processesOf(index)), s.Threshold)
	return first, last
}

func (s *NoiseStudy) unchanged(base, now, confirming NoiseRun, ours, naive *FalseAlarms, firstLook *Rate) {
	anyOurs, anyNaive := false, false
	for index := range base.Processes[0].Benchmarks {
		first, last := s.confirmed(base, now, confirming, index)
		if firstLook != nil {
			firstLook.add(first == Red)
		}
		ours.Benchmarks.add(last == Red)
		if last == Red {
			if ours.Reds == nil {
				ours.Reds = map[string]int{}
			}
			ours.Reds[base.Processes[0].Benchmarks[index].Name]++
		}
		ours.Green.add(last == Green)
		ours.Unconverged.add(last == Unconverged)
		anyOurs = anyOurs || last == Red

		byMean, _ := judgeMeans(base.mean(index), now.mean(index), s.Threshold)
		naive.Benchmarks.add(byMean == Red)
		naive.Green.add(byMean == Green)
		naive.Unconverged.add(false)
		anyNaive = anyNaive || byMean == Red
	}
	ours.Suites.add(anyOurs)
	naive.Suites.add(anyNaive)
}

func (s *NoiseStudy) power(n *Noise) {
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
				_, last := s.confirmed(base, now, confirming, index)
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

func (s *NoiseStudy) exact(n *Noise) {
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

// SlowedSets says how much each benchmark is slowed in one rotation of a study:
// each share for size benchmarks, and nothing for the others. Over the rotations
// every benchmark gets its turn. floors are those of the unchanged program in
// nanoseconds; the second answer is the same in seconds for each call.
func SlowedSets(names []string, floors map[string]float64, shares []float64, size, rotation int) (share, seconds map[string]float64) {
	share, seconds = map[string]float64{}, map[string]float64{}
	if len(names) == 0 {
		return share, seconds
	}
	size = min(size, len(names)/max(1, len(shares)))
	// neighbours in a list of scenarios are alike, so that a set takes every so manyth
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
