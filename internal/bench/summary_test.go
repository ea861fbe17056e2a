package bench

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// upTo gives 1 ms, 2 ms … n ms.
func upTo(n int) []time.Duration {
	calls := make([]time.Duration, n)
	for i := range calls {
		calls[i] = time.Duration(i+1) * time.Millisecond
	}
	return calls
}

func TestSummaryOfAHundredCalls(t *testing.T) {
	calls := upTo(100)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(calls), func(i, j int) { calls[i], calls[j] = calls[j], calls[i] })
	s := Summarize(calls)
	assert.Equal(t, 100, s.Samples)
	assert.Equal(t, 5.05, s.Total)
	assert.InDelta(t, 0.0505, s.Mean, 1e-15)
	assert.InDelta(t, 0.0505, s.Median, 1e-15, "the mean of the 50th and the 51st")
	assert.Equal(t, 0.001, s.Min)
	assert.Equal(t, 0.1, s.Max)
	assert.Equal(t, 0.095, s.P95, "the 95th call, not the 96th")
	assert.Equal(t, 0.099, s.P99, "the 99th call, not the slowest")
	// the variance of 1…n with divisor n-1 is n(n+1)/12
	assert.InDelta(t, 0.001*math.Sqrt(100*101/12.0), s.StdDev, 1e-15)
}

func TestSummaryOfOneCallAndOfNone(t *testing.T) {
	s := Summarize([]time.Duration{3 * time.Microsecond})
	assert.Equal(t, Summary{Samples: 1, Total: 3e-6, Mean: 3e-6, Median: 3e-6, StdDev: 0, Min: 3e-6, Max: 3e-6, P95: 3e-6, P99: 3e-6}, s)
	assert.Equal(t, Summary{}, Summarize(nil))
}

func TestSummaryDoesNotReorderTheRawSamples(t *testing.T) {
	calls := []time.Duration{3, 1, 2}
	_ = Summarize(calls)
	assert.Equal(t, []time.Duration{3, 1, 2}, calls)
}

// The rank is computed here with integers: p*n in floating point may round up
// past a whole number, and the rank would be one too high.
func TestPercentileIsTheNearestRankForEveryNumberOfCalls(t *testing.T) {
	ranks := make([]float64, 1000)
	for i := range ranks {
		ranks[i] = float64(i)
	}
	for n := 1; n <= len(ranks); n++ {
		sorted := ranks[:n]
		for _, percent := range []int{50, 95, 99, 100} {
			rank := (percent*n + 99) / 100
			if got := nearestRank(sorted, float64(percent)/100); got != float64(rank-1) {
				t.Fatalf("p%d of %d calls: rank %v, want %d", percent, n, got+1, rank)
			}
		}
	}
}

func TestPercentileOfNoCallsIsNotANumber(t *testing.T) {
	assert.True(t, math.IsNaN(Percentile(nil, 0.5)))
	for _, p := range []float64{0, -1, 1.01, math.NaN()} {
		assert.True(t, math.IsNaN(Percentile(upTo(3), p)), p)
	}
	assert.Equal(t, 0.002, Percentile(upTo(3), 0.5))
}

func TestSummaryIsTheSameInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		calls := make([]time.Duration, 1+random.IntN(200))
		for i := range calls {
			calls[i] = time.Duration(math.Exp(random.NormFloat64()*3) * 1000)
		}
		want := Summarize(calls)
		shuffled := slices.Clone(calls)
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		assert.Equal(t, want, Summarize(shuffled))
	}
}

func TestSummaryScalesWithItsSamples(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	calls, tripled := make([]time.Duration, 137), make([]time.Duration, 137)
	for i := range calls {
		calls[i] = time.Duration(random.IntN(1e6))
		tripled[i] = 3 * calls[i]
	}
	a, b := Summarize(calls), Summarize(tripled)
	for _, pair := range [][2]float64{{a.Mean, b.Mean}, {a.Median, b.Median}, {a.StdDev, b.StdDev}, {a.P95, b.P95}, {a.P99, b.P99}, {a.Min, b.Min}, {a.Max, b.Max}} {
		assert.InEpsilon(t, 3*pair[0], pair[1], 1e-12)
	}
}
