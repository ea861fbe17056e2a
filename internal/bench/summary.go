package bench

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"
)

// Summary has the statistics of a set of timed calls. All times are in seconds.
type Summary struct {
	Samples int
	Total   float64
	Mean    float64
	Median  float64 // of an even number of calls, the mean of the middle two
	StdDev  float64 // of the sample, divisor n-1; 0 of a single call
	Min     float64
	Max     float64
	P95     float64 // nearest rank, see Percentile
	P99     float64 // nearest rank, see Percentile
}

// Summary computes the statistics of the timed calls. Without calls everything is zero.
func (m *Measurement) Summary() Summary { return Summarize(m.Calls) }

// Summarize computes the statistics of a set of timed calls, in any order.
func Summarize(calls []time.Duration) Summary {
	n := len(calls)
	if n == 0 {
		return Summary{}
	}
	sorted := sortedSeconds(calls)
	var total time.Duration // an integer: the sum does not depend on the order
	for _, c := range calls {
		total += c
	}
	s := Summary{
		Samples: n,
		Total:   total.Seconds(),
		Mean:    total.Seconds() / float64(n),
		Median:  (sorted[(n-1)/2] + sorted[n/2]) / 2,
		Min:     sorted[0],
		Max:     sorted[n-1],
		P95:     nearestRank(sorted, 0.95),
		P99:     nearestRank(sorted, 0.99),
	}
	if n > 1 {
		s.StdDev = stat.StdDev(sorted, nil)
	}
	return s
}

// Percentile gives the p-quantile of the timed calls in seconds by nearest rank:
// with the calls sorted ascending and counted from 0, the call at ceil(p*n)-1. It
// is always the time of a call, never a value between two. p lies in (0, 1]; without calls,
// or for another p, the answer is NaN.
func Percentile(calls []time.Duration, p float64) float64 {
	if len(calls) == 0 || !(p > 0 && p <= 1) {
		return math.NaN()
	}
	return nearestRank(sortedSeconds(calls), p)
}

// nearestRank is the quantile of the empirical distribution, the smallest value
// at or below which a share of at least p of the samples lies.
func nearestRank(sorted []float64, p float64) float64 {
	return stat.Quantile(p, stat.Empirical, sorted, nil)
}

func sortedSeconds(calls []time.Duration) []float64 {
	sorted := make([]float64, len(calls))
	for i, c := range calls {
		sorted[i] = c.Seconds()
	}
	slices.Sort(sorted)
	return sorted
}
