package bench

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// chance is how often an operation that just keeps a bound on a percentile may
	// fail it by bad luck, in one measurement.
	chance = 0.01
	// confidence is that of an upper bound on a percentile, see callsNeeded.
	confidence = 0.95
)

// failingCount gives the number of calls over a bound on the q-quantile from
// which on the bound fails. Where the quantile is at the bound, each of n calls
// exceeds it with the probability 1-q, and so many or more of them do with a
// probability of at most chance. All calls over the bound always fail it.
func failingCount(n int, q float64) int {
	over := distuv.Binomial{N: float64(n), P: 1 - q}
	k := sort.Search(n, func(k int) bool { // of k calls or more: 1 - P(at most k-1)
		return k > 0 && 1-over.CDF(float64(k-1)) <= chance
	})
	return max(1, min(k, n))
}

// callsNeeded gives how many calls it takes for the slowest of them to be an upper
// bound of the q-quantile at the confidence: the smallest n with q^n <= 1 -
// confidence. It is 59 for p95, 299 for p99.
func callsNeeded(q float64) int {
	return int(math.Ceil(math.Log(1-confidence) / math.Log(q)))
}
