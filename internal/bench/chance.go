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

// What a bound on a percentile is worth, for "the p95 latency is below LIMIT" judged
// by 100 calls, which fails from 12 calls over the limit on, and only if it is
// exceeded in each of three measurements: how often it fails where so many of all
// calls are over the limit, in one measurement and in all three.
//
//	calls over   one      all three
//	 5 %          0.4 %    0.00001 %   the promise is just kept: a false alarm
//	10 %         30 %      2.6 %
//	12 %         55 %     16 %
//	15 %         84 %     59 %
//	20 %         99 %     96 %
//
// So it tells an operation that is too slow from one that keeps its promise, and
// not one that breaks it a little: for that there are more calls (--iterations), or a
// baseline. One that is slower than the limit in every call fails always.
//
// The calls of one measurement are no independent trials: a machine that others use
// is slow for up to a second or more at a time. That is why one failure is none, and
// why the others are measured in a later round.

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
