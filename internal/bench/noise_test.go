package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// noisyRun samples benchmarks that are slowed by known shares.
func noisyRun(r *rand.Rand, n noiseModel, benchmarks int, slowdown map[string]float64) NoiseRun {
	run := NoiseRun{Slowdown: slowdown, Duration: 20 * time.Second}
	for range 2 {
		s := &Samples{InOperations: 9 * time.Second, Wall: 10 * time.Second}
		for i := range benchmarks {
			name := fmt.Sprint(i)
			floor := float64(1000+i) * (1 + slowdown[name])
			sample := Sample{Name: name, Process: processes(r, 1, floor, n)[0], Memory: &Memory{BytesPerCall: 100, AllocsPerCall: 2}}
			for range 100 {
				sample.Singles = append(sample.Singles, time.Duration(n(r, floor, 0)))
			}
			s.Benchmarks = append(s.Benchmarks, sample)
		}
		run.Processes = append(run.Processes, s)
	}
	return run
}

func TestANoiseStudyCountsFalseAlarmsAndFoundSlowdowns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	n := noiseModels["outliers"]
	const benchmarks = 36
	names, floors := []string{}, map[string]float64{}
	for i := range benchmarks {
		names = append(names, fmt.Sprint(i))
		floors[names[i]] = float64(1000 + i)
	}
	share, seconds := SlowedSets(names, floors, []float64{0.1, 0.2}, 12, 0)
	assert.Len(t, share, 24)
	assert.InDelta(t, 100e-9, seconds["0"], 1e-12, "a tenth of 1000 ns")

	s := &NoiseStudy{Plan: DefaultSampling(), Threshold: DefaultThreshold}
	for range 4 {
		s.Quiet = append(s.Quiet, noisyRun(r, n, benchmarks, nil))
	}
	s.Busy = []NoiseRun{noisyRun(r, n, benchmarks, nil), noisyRun(r, n, benchmarks, nil)}
	s.Slowed = []NoiseRun{noisyRun(r, n, benchmarks, share), noisyRun(r, n, benchmarks, share)}
	got, err := s.Judge()
	require.NoError(t, err)

	assert.Equal(t, Rate{0, 12 * benchmarks}, got.Unchanged.Benchmarks, "every ordered pair of 4 runs")
	assert.Equal(t, Rate{0, 12}, got.Unchanged.Suites)
	assert.Equal(t, Rate{0, 8 * benchmarks}, got.Busy.Benchmarks)
	assert.Equal(t, 4, got.Runs)
	assert.Equal(t, 2, got.BusyRuns)
	assert.Zero(t, got.Unchanged.StandardError)
	assert.Equal(t, 2, got.Unchanged.IndependentComparisons)
	assert.InDelta(t, 1-math.Sqrt(0.05), got.Unchanged.SuitesAtMost, 1e-12, "none of two")
	assert.Positive(t, got.ByMean.StandardError)
	assert.Zero(t, got.ByMean.SuitesAtMost)
	assert.Equal(t, 12, got.MemoryProcesses, "processes that measured memory")
	assert.Greater(t, got.ByMean.Benchmarks.Share(), 0.1, "outliers change means")
	assert.Equal(t, 12, got.ByMean.Suites.Count)
	require.Len(t, got.Power, 2)
	for i, want := range []float64{0.1, 0.2} {
		p := got.Power[i]
		assert.Equal(t, want, p.Slowdown)
		assert.InDelta(t, want, p.Measured, 0.01)
		assert.Equal(t, Rate{48, 48}, p.Found, "12 benchmarks against 4 baselines")
	}
	assert.Equal(t, Rate{benchmarks, benchmarks}, got.MemoryExact)
	assert.InDelta(t, 0.9, got.InOperationsShare, 1e-12)
	assert.Equal(t, 16, got.Processes)
	assert.InDelta(t, 20, got.RunSeconds, 1e-12)

	s.Quiet[2].Processes[1].Benchmarks[5].Memory.BytesPerCall = 101
	got, err = s.Judge()
	require.NoError(t, err)
	assert.Equal(t, []string{"5: 100 to 101 B, 2 to 2 allocations"}, got.MemoryInexact)

	s.Busy = s.Busy[:1]
	got, err = s.Judge()
	require.NoError(t, err)
	assert.Zero(t, got.Busy.Benchmarks.Of, "a run beside busy loops does not confirm itself")

	s.Quiet = s.Quiet[:2]
	_, err = s.Judge()
	assert.ErrorContains(t, err, "3 runs")
}

func TestEveryBenchmarkIsSlowedInSomeRotation(t *testing.T) {
	var names []string
	floors := map[string]float64{}
	for i := range 62 {
		names = append(names, fmt.Sprint(i))
		floors[names[i]] = 1000
	}
	shares := []float64{0.05, 0.1, 0.2}
	slowed := map[string]bool{}
	for rotation := range 6 {
		share, _ := SlowedSets(names, floors, shares, 12, rotation)
		assert.Len(t, share, 36)
		for name := range share {
			slowed[name] = true
		}
	}
	assert.Len(t, slowed, 62)
	share, _ := SlowedSets(names[:2], floors, shares, 12, 0)
	assert.Empty(t, share, "too few benchmarks for three sizes")
	share, _ = SlowedSets(nil, nil, shares, 12, 0)
	assert.Empty(t, share)
}

func TestTheStandardErrorIsEstimatedOverRuns(t *testing.T) {
	// One run of four is slow: red in each of its 3 comparisons as the new one.
	var pairs []pair
	for i := range 4 {
		for j := range 4 {
			if i == j {
				continue
			}
			red := Rate{0, 10}
			if j == 0 {
				red.Count = 10
			}
			pairs = append(pairs, pair{i, j, red})
		}
	}
	f := FalseAlarms{Suites: Rate{3, 12}}
	f.estimateErrors(pairs, 4)
	// without run 0 the share is 0, without another one it is 1/3
	assert.InDelta(t, math.Sqrt(3.0/4*(3*math.Pow(1.0/12, 2)+math.Pow(1.0/4, 2))), f.StandardError, 1e-12)
	assert.Greater(t, f.StandardError, math.Sqrt(0.25*0.75/120), "more than that of 120 independent ones")
	assert.Zero(t, f.SuitesAtMost)
}
