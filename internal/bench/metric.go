package bench

import (
	"strconv"

	"omniloader/internal/quantity"
)

// Metric is one figure of a measurement that can be bounded, by its name.
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

// source is what a metric is measured by.
type source int

const (
	byCalls   source = iota // calls timed one by one
	byMemory                // the memory pass
	byCallers               // callers at once, see MeasureConcurrency
	bySizes                 // several sizes, see MeasureGrowth
	byProcess               // a process of its own, see FirstCall
)

// metric is everything that is known of a Metric.
type metric struct {
	name     Metric
	word     string // how a scenario names it where it names several: "p95"
	notation notation
	source   source
	atLeast  bool    // a bound is the least that is allowed, not the most
	quantile float64 // of a percentile, else 0
	// room is the smallest multiple of the fastest call that a bound should leave; 0
	// where there is no such rule. It lies halfway, in logarithms, between what the
	// figure of 100 calls of an unchanged operation was in half of the runs (mean 2.2,
	// median 1.8, p95 3.6, max 12) and what it was at most in 99 of 100 runs on a busy
	// 2-core virtual machine (21, 4, 36, 1421). About one look of eight is above that,
	// and a bound fails after three looks in different rounds: about twice in 1000
	// runs. A bound on the p99 of so few fails where the p95 is over it, and needs as
	// much. The fastest call itself is up to twice as long where a slow phase outlasts
	// all 100.
	room   float64
	figure func(*Measurement) float64 // in seconds, bytes or a count
}

// metrics is the one table of them; a new metric is a line here.
var metrics = []metric{
	{MeanLatency, "mean", latency, byCalls, false, 0, 7, func(m *Measurement) float64 { return m.Summary().Mean }},
	{MedianLatency, "median", latency, byCalls, false, 0.5, 3, func(m *Measurement) float64 { return m.Summary().Median }},
	{P95Latency, "p95", latency, byCalls, false, 0.95, 12, func(m *Measurement) float64 { return m.Summary().P95 }},
	{P99Latency, "p99", latency, byCalls, false, 0.99, 12, func(m *Measurement) float64 { return m.Summary().P99 }},
	{MaxLatency, "max", latency, byCalls, false, 0, 130, func(m *Measurement) float64 { return m.Summary().Max }},
	{MinLatency, "min", latency, byCalls, false, 0, 2, func(m *Measurement) float64 { return m.Summary().Min }},
	{BytesPerCall, "", size, byMemory, false, 0, 0, func(m *Measurement) float64 { return float64(m.Memory.BytesPerCall) }},
	{AllocsPerCall, "", count, byMemory, false, 0, 0, func(m *Measurement) float64 { return float64(m.Memory.AllocsPerCall) }},
	{MemoryDelta, "", size, byMemory, false, 0, 0, func(m *Measurement) float64 { return float64(m.Memory.LiveDelta) }},
	// the limit of a relative metric needs the other measurement, see Bound.limit
	{MedianRelative, "", factor, byCalls, false, 0.5, 0, func(m *Measurement) float64 { return m.Summary().Median }},
	{Throughput, "", rate, byCallers, true, 0, 0, func(m *Measurement) float64 { return m.Concurrency.Throughput }},
	{Scaling, "", number, byCallers, true, 0, 0, func(m *Measurement) float64 { return m.Concurrency.Scaling() }},
	{GrowthExponent, "", number, bySizes, false, 0, 0, func(m *Measurement) float64 { return m.Growth.Exponent }},
	{FirstLatency, "first", latency, byProcess, false, 0, 0, func(m *Measurement) float64 { return float64(m.FreshProcess.First) }},
	{ColdLatency, "cold", latency, byProcess, false, 0, 0, func(m *Measurement) float64 { return float64(*m.FreshProcess.Cold) }},
	{PeakMemory, "", size, byProcess, false, 0, 0, func(m *Measurement) float64 { return float64(m.FreshProcess.PeakRSS) }},
}

func (m Metric) known() (metric, bool) {
	for _, k := range metrics {
		if k.name == m {
			return k, true
		}
	}
	return metric{}, false
}

// NeedsMemory tells whether the metric is only there when the plan has Memory.
func (m Metric) NeedsMemory() bool {
	k, _ := m.known()
	return k.source == byMemory
}

// FromSingleCalls tells whether the metric is a figure of calls timed one by one.
func (m Metric) FromSingleCalls() bool {
	k, _ := m.known()
	return k.source == byCalls
}

// EnoughCalls tells whether so many calls are enough for the metric: a percentile of
// fewer has no upper bound at the confidence of callsNeeded.
func (m Metric) EnoughCalls(calls int) bool {
	k, _ := m.known()
	return k.quantile == 0 || calls >= callsNeeded(k.quantile)
}

// NeedsFreshProcess tells whether the metric is only there where an operation was called
// in a process of its own.
func (m Metric) NeedsFreshProcess() bool {
	k, _ := m.known()
	return k.source == byProcess
}

// AtLeast tells whether a bound on the metric is the least that is allowed.
func (m Metric) AtLeast() bool {
	k, _ := m.known()
	return k.atLeast
}

// Format writes a figure of this metric for people: "1.2 ms", "3.4 kB", "120",
// "2.5 times".
func (m Metric) Format(figure float64) string {
	if k, ok := m.known(); ok {
		return k.notation.format(figure, quantity.Digits)
	}
	return quantity.FormatNumber(figure, quantity.Digits)
}

// formatApart writes two different figures with as many digits as it takes to see
// that they differ.
func (m Metric) formatApart(a, b float64) (string, string) {
	k, _ := m.known()
	for d := quantity.Digits; ; d++ {
		textA, textB := k.notation.format(a, d), k.notation.format(b, d)
		if textA != textB || a == b || d >= 15 {
			return textA, textB
		}
	}
}
