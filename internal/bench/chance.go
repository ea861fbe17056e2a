package bench

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// falseFailureRate is the largest probability with which an operation that just keeps a
	// bound on a percentile fails it in one measurement.
	falseFailureRate = 0.01
	// confidence is that of an upper bound on a percentile, see callsNeeded.
	confidence = 0.95
)

// How often a bound on a percentile fails. "the p95 latency is below LIMIT", judged
// by 100 calls, fails from 12 calls over the limit on, and the scenario fails where
// that happens in each of three measurements. The first column is the share of all
// calls of the operation that are over the limit, the others are the probability to fail
// in one measurement and in all three.
//
//	calls over   one      all three
//	 5 %          0.4 %    0.00001 %   the promise is just kept: a false alarm
//	10 %         30 %      2.6 %
//	12 %         55 %     16 %
//	15 %         84 %     59 %
//	20 %         99 %     96 %
//
// So an operation that is clearly too slow is found, and one that exceeds the limit a
// little is not: for that, take more calls (--iterations) or a baseline. One that
// is slower than the limit in every call always fails.
//
// The calls of one measurement are not independent: a shared machine is slow for a second
// or more at a time. That is why one failure does not count, and why the measurement is
// repeated in a later round.

// failingCount gives the number of calls over a bound on the q-quantile from
// which on the bound fails. Where the quantile is at the bound, each of n calls
// exceeds it with the probability 1-q, and so many or more of them do with a
// probability of at most falseFailureRate. Where all calls are over the bound, it fails.
func failingCount(n int, q float64) int {
	over := distuv.Binomial{N: float64(n), P: 1 - q}
	k := sort.Search(n, func(k int) bool { // of k calls or more: 1 - P(at most k-1)
		return k > 0 && 1-over.CDF(float64(k-1)) <= falseFailureRate
	})
	return max(1, min(k, n))
}

// callsNeeded gives how many calls it takes for the slowest of them to be an upper
// bound of the q-quantile at the confidence: the smallest n with q^n <= 1 -
// confidence. It is 59 for p95, 299 for p99.
func callsNeeded(q float64) int {
	return int(math.Ceil(math.Log(1-confidence) / math.Log(q)))
}
