package bench

import (
	"errors"
	"time"
)

// LinkOrderFile makes a results file of samples alone, each process of a binary of
// its own: all of them built from one revision, and linked in the random order of
// its seed, which is above 0. The figures of single calls are those of all
// processes together. build names the revision's code.
func LinkOrderFile(origin Origin, build string, plan Sampling, processes []*Samples, seeds []int) (*File, error) {
	if len(processes) == 0 || len(processes) != len(seeds) {
		return nil, errors.New("each process that sampled needs the seed of its layout")
	}
	singles := map[string][]time.Duration{}
	for i, p := range processes {
		for j := range p.Benchmarks {
			p.Benchmarks[j].Process.LinkSeed = seeds[i]
			singles[p.Benchmarks[j].Name] = append(singles[p.Benchmarks[j].Name], p.Benchmarks[j].Singles...)
		}
	}
	var results []Result
	for _, sample := range processes[0].Benchmarks {
		m := &Measurement{Calls: singles[sample.Name]}
		results = append(results, *NewResult(sample.Name, sample.Category, m, nil))
	}
	f, err := NewFile(results, origin)
	if err != nil {
		return nil, err
	}
	f.Environment[BuildKey] = build
	f.Environment["funcalign"] = FunctionAlignment
	return f, f.AddSamples(plan, processes...)
}

// FunctionAlignment is the alignment in bytes that binaries to be compared are
// linked with: at the default of 32, one linked package more moved 37 % of the
// benchmarks by more than 5 %, at 64 it moved 2 %.
const FunctionAlignment = 64
