package report

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
)

func TestNoise(t *testing.T) {
	n := &bench.Noise{
		Plan: bench.DefaultSampling(), Threshold: 0.05, Benchmarks: 62, Processes: 16, Runs: 6, BusyRuns: 2, MemoryProcesses: 12, InOperationsShare: 0.9, ProcessSeconds: 4.25, RunSeconds: 11.6,
		Unchanged:          bench.FalseAlarms{Benchmarks: bench.Rate{Count: 1, Of: 1860}, Suites: bench.Rate{Count: 1, Of: 30}, Green: bench.Rate{Of: 1860}, Unconverged: bench.Rate{Count: 3, Of: 1860}, StandardError: 0.0005, IndependentComparisons: 3, Reds: map[string]int{"b": 1, "a": 3, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1}},
		ByMean:             bench.FalseAlarms{Benchmarks: bench.Rate{Count: 837, Of: 1860}, Suites: bench.Rate{Count: 30, Of: 30}, Green: bench.Rate{Count: 830, Of: 1860}},
		BeforeConfirmation: bench.Rate{Count: 2, Of: 1860},
		Power:              []bench.Power{{Slowdown: 0.1, Measured: 0.103, Found: bench.Rate{Count: 143, Of: 144}, FoundByMean: bench.Rate{Count: 80, Of: 144}}},
		MemoryExact:        bench.Rate{Count: 61, Of: 62}, MemoryInexact: []string{"a: 100 to 101 B, 2 to 2 allocations"},
	}
	var out bytes.Buffer
	require.NoError(t, Noise(&out, n, Options{}))
	golden(t, "noise.golden.txt", out.Bytes())
	out.Reset()
	require.NoError(t, NoiseJSON(&out, n))
	golden(t, "noise.golden.json", out.Bytes())
}
