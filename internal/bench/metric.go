package bench

import (
	"strconv"

	"omniloader/internal/quantity"
)

// Metric is the name of a figure of a measurement that can have a bound.
type Metric string

// The metrics.
const (
	MeanLatency    Metric = "mean latency"
	MedianLatency  Metric = "median latency"
	P95Latency     Metric = "p95 latency"
	P99Latency     Metric = "p99 latency"
	MaxLatency     Metric = "max latency"
	MinLatency     Metric = "min latency"
	BytesPerCall   Metric = "bytes per call"
	AllocsPerCall  Metric = "allocations per call"
	MemoryDelta    Metric = "memory delta"
	MedianRelative Metric = "median latency relative to another benchmark"
	Throughput     Metric = "throughput"
	Scaling        Metric = "scaling"
	GrowthExponent Metric = "growth exponent"
	FirstLatency   Metric = "first latency"
	ColdLatency    Metric = "cold latency"
	PeakMemory     Metric = "peak resident memory"
)

// notation is how values of a metric are read and written.
type notation struct {
	parse  func(string) (float64, error)
	format func(value float64, digits int) string
}

var (
	latency = notation{quantity.ParseDuration, quantity.FormatDurationDigits}
	size    = notation{quantity.ParseSize, quantity.FormatSizeDigits}
	count   = notation{quantity.ParseNumber, formatCount}
	factor  = notation{quantity.ParseNumber, formatFactor}
	number  = notation{quantity.ParseNumber, quantity.FormatNumber}
	rate    = notation{quantity.ParseNumber, formatRate}
)

// formatCount writes every digit: counts are exact.
func formatCount(n float64, _ int) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func formatFactor(v float64, digits int) string { return quantity.FormatNumber(v, digits) + " times" }

func formatRate(v float64, digits int) string {
	return quantity.FormatNumber(v, digits) + " operations per second"
}

// source is the kind of measurement that a metric comes from.
type source int

const (
	fromCalls             source = iota // calls that are timed one by one
	fromMemoryCalls                     // calls whose allocations are counted
	fromConcurrentCallers               // several callers at once, see MeasureConcurrency
	fromSizes                           // several sizes, see MeasureGrowth
	fromFreshProcess                    // a process of its own, see FirstCall
)

// metric defines a Metric.
type metric struct {
	name     Metric
	word     string // in the step "the p95 latency is below …"; "" where it has a step of its own
	notation notation
	source   source
	atLeast  bool    // a bound is the smallest allowed value, not the largest
	quantile float64 // of a percentile, else 0
	// minFactor is the smallest ratio of a bound to the fastest call at which a busy
	// machine rarely exceeds the bound by itself; 0 where there is no such rule. It is the
	// geometric mean of two ratios of this figure of 100 calls to the fastest call, for an
	// unchanged operation on a busy 2-core virtual machine: the median over many runs (mean
	// 2.2, median 1.8, p95 3.6, max 12) and the 99th percentile (21, 4, 36, 1421). About
	// one measurement in eight is above it, and a bound fails after three measurements in
	// different rounds: about twice in 1000 runs. A bound on the p99 of so few calls fails
	// where the p95 is over it, and has the same factor. The fastest call itself takes up
	// to twice as long where a slow phase lasts longer than all 100 calls.
	minFactor float64
	figure    func(*Measurement) float64 // in seconds, bytes or a count
}

// metrics defines all of them; a new metric is a line here.
var metrics = []metric{
	{MeanLatency, "mean", latency, fromCalls, false, 0, 7, func(m *Measurement) float64 { return m.Summary().Mean }},
	{MedianLatency, "median", latency, fromCalls, false, 0.5, 3, func(m *Measurement) float64 { return m.Summary().Median }},
	{P95Latency, "p95", latency, fromCalls, false, 0.95, 12, func(m *Measurement) float64 { return m.Summary().P95 }},
	{P99Latency, "p99", latency, fromCalls, false, 0.99, 12, func(m *Measurement) float64 { return m.Summary().P99 }},
	{MaxLatency, "max", latency, fromCalls, false, 0, 130, func(m *Measurement) float64 { return m.Summary().Max }},
	{MinLatency, "min", latency, fromCalls, false, 0, 2, func(m *Measurement) float64 { return m.Summary().Min }},
	{BytesPerCall, "", size, fromMemoryCalls, false, 0, 0, func(m *Measurement) float64 { return float64(m.Memory.BytesPerCall) }},
	{AllocsPerCall, "", count, fromMemoryCalls, false, 0, 0, func(m *Measurement) float64 { return float64(m.Memory.AllocsPerCall) }},
	{MemoryDelta, "", size, fromMemoryCalls, false, 0, 0, func(m *Measurement) float64 { return float64(m.Memory.LiveDelta) }},
	// the limit of a relative metric needs the other measurement, see Bound.limit
	{MedianRelative, "", factor, fromCalls, false, 0.5, 0, func(m *Measurement) float64 { return m.Summary().Median }},
	{Throughput, "", rate, fromConcurrentCallers, true, 0, 0, func(m *Measurement) float64 { return m.Concurrency.Throughput }},
	{Scaling, "", number, fromConcurrentCallers, true, 0, 0, func(m *Measurement) float64 { return m.Concurrency.Scaling() }},
	{GrowthExponent, "", number, fromSizes, false, 0, 0, func(m *Measurement) float64 { return m.Growth.Exponent }},
	{FirstLatency, "first", latency, fromFreshProcess, false, 0, 0, func(m *Measurement) float64 { return float64(m.FreshProcess.First) }},
	{ColdLatency, "cold", latency, fromFreshProcess, false, 0, 0, func(m *Measurement) float64 { return float64(*m.FreshProcess.Cold) }},
	{PeakMemory, "", size, fromFreshProcess, false, 0, 0, func(m *Measurement) float64 { return float64(m.FreshProcess.PeakRSS) }},
}

// lookup gives the definition of a metric.
func (m Metric) lookup() (metric, bool) {
	for _, k := range metrics {
		if k.name == m {
			return k, true
		}
	}
	return metric{}, false
}

// NeedsMemory tells whether the metric is only measured where the plan has Memory.
func (m Metric) NeedsMemory() bool {
	k, _ := m.lookup()
	return k.source == fromMemoryCalls
}

// OfTime tells whether the metric depends on how long calls take, and so on the speed of
// the machine and on what else runs there. All others are of memory.
func (m Metric) OfTime() bool { return !m.NeedsMemory() && m != PeakMemory }

// FromSingleCalls tells whether the metric comes from calls that are timed one by one.
func (m Metric) FromSingleCalls() bool {
	k, _ := m.lookup()
	return k.source == fromCalls
}

// EnoughCalls tells whether so many calls are enough for the metric: fewer calls give no
// upper bound on a percentile at 95 % confidence, see callsNeeded.
func (m Metric) EnoughCalls(calls int) bool {
	k, _ := m.lookup()
	return k.quantile == 0 || calls >= callsNeeded(k.quantile)
}

// NeedsFreshProcess tells whether the metric is only measured where the operation was
// called in a process that was started for it.
func (m Metric) NeedsFreshProcess() bool {
	k, _ := m.lookup()
	return k.source == fromFreshProcess
}

// AtLeast tells whether a bound on the metric is the smallest allowed value.
func (m Metric) AtLeast() bool {
	k, _ := m.lookup()
	return k.atLeast
}

// Format writes a figure of this metric for people: "1.2 ms", "3.4 kB", "120",
// "2.5 times".
func (m Metric) Format(figure float64) string {
	if k, ok := m.lookup(); ok {
		return k.notation.format(figure, quantity.Digits)
	}
	return quantity.FormatNumber(figure, quantity.Digits)
}

// formatDistinct writes two figures, with more digits where two different ones would
// otherwise look the same.
func (m Metric) formatDistinct(a, b float64) (string, string) {
	k, _ := m.lookup()
	for d := quantity.Digits; ; d++ {
		textA, textB := k.notation.format(a, d), k.notation.format(b, d)
		if textA != textB || a == b || d >= 15 {
			return textA, textB
		}
	}
}
