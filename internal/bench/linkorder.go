package bench

import (
	"errors"
	"time"
)

// LinkOrderFile makes a results file of what several binaries of one revision sampled,
// one process each. The functions of a binary are linked in the random order that
// its seed gives; seeds are above 0. The figures of single calls are those of all
// processes together. build names the revision's code.
func LinkOrderFile(origin Origin, build string, plan Sampling, processes []*Samples, seeds []int) (*File, error) {
	if len(processes) == 0 || len(processes) != len(seeds) {
		return nil, errors.New("each process that sampled needs the seed of its link order")
	}
	singles := map[Key][]time.Duration{}
	for i, p := range processes {
		for j := range p.Benchmarks {
			sample := &p.Benchmarks[j]
			sample.Process.LinkSeed = seeds[i]
			singles[sample.Key()] = append(singles[sample.Key()], sample.Singles...)
		}
	}
	var results []Result
	for _, sample := range processes[0].Benchmarks {
		m := &Measurement{Calls: singles[sample.Key()]}
		results = append(results, *NewResult(sample.Key(), sample.Category, m, nil))
	}
	f, err := NewFile(results, origin)
	if err != nil {
		return nil, err
	}
	f.Environment[BuildKey] = build
	f.Environment["funcalign"] = FunctionAlignment
	return f, f.AddSamples(plan, processes...)
}

// FunctionAlignment is the alignment of functions in bytes that binaries to be compared
// are linked with: at the default of 32, one more linked package changed 37 % of the
// benchmarks by more than 5 %; at 64 it changed 2 % of them.
const FunctionAlignment = 64
