package bench

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"gonum.org/v1/gonum/stat/distuv"
)

func TestFailingCountIsTheTailOfTheBinomialDistribution(t *testing.T) {
	for q, want := range map[float64][]int{
		0.95: {12, 19, 32, 68},
		0.99: {5, 7, 10, 19},
		0.5:  {63, 117, 224, 538},
	} {
		for i, n := range []int{100, 200, 400, 1000} {
			assert.Equal(t, want[i], failingCount(n, q), "%v of %d calls", q, n)
		}
	}
}

func TestAllCallsOverABoundAlwaysFailIt(t *testing.T) {
	for _, q := range []float64{0.5, 0.95, 0.99} {
		for n := 1; n < 20; n++ {
			k := failingCount(n, q)
			assert.GreaterOrEqual(t, k, 1)
			assert.LessOrEqual(t, k, n)
		}
	}
	assert.Equal(t, 3, failingCount(3, 0.5), "3 calls are too few to fail the median otherwise")
}

func TestCallsNeededForAPercentile(t *testing.T) {
	assert.Equal(t, 5, callsNeeded(0.5))
	assert.Equal(t, 59, callsNeeded(0.95))
	assert.Equal(t, 299, callsNeeded(0.99))
}

// fails is how often a bound on the p95 of 100 calls fails, where a share of all
// calls is over the limit.
func fails(share float64, measurements int) float64 {
	over := distuv.Binomial{N: 100, P: share}
	return math.Pow(1-over.CDF(float64(failingCount(100, 0.95)-1)), float64(measurements))
}

func TestTheFailureRatesOfABoundAreAsDocumented(t *testing.T) {
	for _, c := range []struct{ over, one, three float64 }{ // in percent, as chance.go and the README say
		{5, 0.4, 0.00001}, {10, 30, 2.6}, {12, 55, 16}, {15, 84, 59}, {20, 99, 96},
	} {
		for measurements, want := range map[int]float64{1: c.one, 3: c.three} {
			got := 100 * fails(c.over/100, measurements)
			assert.InDelta(t, want, got, 0.03*want+0.05, "%v %% over, %d measurements", c.over, measurements)
		}
	}
	assert.Equal(t, 1.0, fails(1, 3), "slower than the limit in every call")
}

func TestAPercentileNeedsEnoughCalls(t *testing.T) {
	for metric, least := range map[Metric]int{MeanLatency: 1, MaxLatency: 1, MedianLatency: 5, P95Latency: 59, P99Latency: 299} {
		assert.True(t, metric.EnoughCalls(least), metric)
		assert.Equal(t, least == 1, metric.EnoughCalls(least-1), metric)
	}
}
