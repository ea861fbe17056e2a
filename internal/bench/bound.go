package bench

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"sync"
	"time"

	"omniloader/internal/quantity"
	"omniloader/internal/suggest"
)

// Bound is a limit on one metric of a measurement, as data.
type Bound struct {
	Metric Metric
	Limit  float64 // seconds, bytes, a count, a rate, or a factor, as the metric goes
	// Inclusive bounds allow the limit itself ("no more than"), others do not ("below").
	Inclusive bool
	Reference string // the benchmark that a relative metric is relative to
	// Default says that no scenario wrote the bound: it is that of every benchmark without one
	// of its own.
	Default bool
}

// DefaultMemoryDeltaLimit is the limit, in bytes, of the default bound on the memory delta.
const DefaultMemoryDeltaLimit = 5_000_000

// DefaultMemoryDelta is the bound on the memory delta of a benchmark that has none of its own,
// that of the predecessor: the answer of a call keeps less than 5 MB alive.
func DefaultMemoryDelta() Bound {
	return Bound{Metric: MemoryDelta, Limit: DefaultMemoryDeltaLimit, Default: true}
}

// LatencyBelow is the bound "the p95 latency is below 2 ms". word is mean,
// median, p95, p99, max, min, first or cold; limit is a time as quantity.ParseDuration reads
// it.
func LatencyBelow(word, limit string) (Bound, error) {
	var words []string
	for _, m := range metrics {
		if m.word == "" {
			continue
		}
		if m.word == word {
			return newBound(Bound{Metric: m.name}, limit)
		}
		words = append(words, m.word)
	}
	return Bound{}, fmt.Errorf("unknown latency figure %q, %s", word, suggest.DidYouMean(word, words))
}

// AllocatedAtMost is the bound "no more than 1 MB is allocated per call"; limit is
// a size as quantity.ParseSize reads it.
func AllocatedAtMost(limit string) (Bound, error) {
	return newBound(Bound{Metric: BytesPerCall, Inclusive: true}, limit)
}

// AllocationsAtMost is the bound "no more than 120 allocations are made per call".
func AllocationsAtMost(limit string) (Bound, error) {
	return newBound(Bound{Metric: AllocsPerCall, Inclusive: true}, limit)
}

// MemoryDeltaBelow is the bound "the memory delta is below 0.5 MB"; limit is a
// size as quantity.ParseSize reads it.
func MemoryDeltaBelow(limit string) (Bound, error) {
	return newBound(Bound{Metric: MemoryDelta}, limit)
}

// MedianBelowTimes is the bound `the median latency is below 3 times that of "x"`.
func MedianBelowTimes(limit, benchmark string) (Bound, error) {
	if benchmark == "" {
		return Bound{}, errors.New("the bound names no benchmark to compare with")
	}
	return newBound(Bound{Metric: MedianRelative, Reference: benchmark}, limit)
}

// ThroughputAtLeast is the bound "the throughput is at least 1000 operations per
// second".
func ThroughputAtLeast(limit string) (Bound, error) {
	return newBound(Bound{Metric: Throughput, Inclusive: true}, limit)
}

// ScalingAtLeast is the bound "the throughput is at least 1.2 times that of one
// caller".
func ScalingAtLeast(limit string) (Bound, error) {
	return newBound(Bound{Metric: Scaling, Inclusive: true}, limit)
}

// LatencyGrowthBelow is the bound "the latency grows with an exponent below 1.3": the
// exponent e where the latency is proportional to the size of the input to the power e.
func LatencyGrowthBelow(limit string) (Bound, error) {
	return newBound(Bound{Metric: GrowthExponent}, limit)
}

// PeakMemoryBelow is the bound "the peak resident memory is below 64 MB"; limit is a
// size as quantity.ParseSize reads it.
func PeakMemoryBelow(limit string) (Bound, error) {
	return newBound(Bound{Metric: PeakMemory}, limit)
}

func newBound(b Bound, limit string) (Bound, error) {
	m, _ := b.Metric.lookup()
	value, err := m.notation.parse(limit)
	if err != nil {
		return Bound{}, fmt.Errorf("bound on the %s: %w", b.Metric, err)
	}
	if value == 0 && !b.Inclusive {
		return Bound{}, fmt.Errorf("bound on the %s: nothing can be below %q", b.Metric, limit)
	}
	if value == 0 && m.atLeast {
		return Bound{}, fmt.Errorf("bound on the %s: everything is at least %q", b.Metric, limit)
	}
	b.Limit = value
	return b, nil
}

// boundPatterns are the ways to write a bound, each with a function from its submatches
// to the bound.
var boundPatterns = sync.OnceValue(func() []boundPattern {
	return []boundPattern{
		{regexp.MustCompile(`^(?:the )?median latency (?:is )?below (\S+) times that of "([^"]+)"$`),
			func(p []string) (Bound, error) { return MedianBelowTimes(p[1], p[2]) }},
		{regexp.MustCompile(`^(?:the )?(\S+) latency (?:is )?below (.+)$`),
			func(p []string) (Bound, error) { return LatencyBelow(p[1], p[2]) }},
		{regexp.MustCompile(`^no more than (.+?) (?:is |are )?allocated per call$`),
			func(p []string) (Bound, error) { return AllocatedAtMost(p[1]) }},
		{regexp.MustCompile(`^no more than (\S+) allocations? (?:is |are )?(?:made )?per call$`),
			func(p []string) (Bound, error) { return AllocationsAtMost(p[1]) }},
		{regexp.MustCompile(`^(?:the )?memory delta (?:is )?below (.+)$`),
			func(p []string) (Bound, error) { return MemoryDeltaBelow(p[1]) }},
		{regexp.MustCompile(`^(?:the )?throughput (?:is )?at least (\S+) operations per second$`),
			func(p []string) (Bound, error) { return ThroughputAtLeast(p[1]) }},
		{regexp.MustCompile(`^(?:the )?(?:throughput (?:is )?at least (\S+) times that of one caller|scaling at least (\S+))$`),
			func(p []string) (Bound, error) { return ScalingAtLeast(p[1] + p[2]) }},
		{regexp.MustCompile(`^(?:the latency grows with an exponent|growth exponent) below (\S+)$`),
			func(p []string) (Bound, error) { return LatencyGrowthBelow(p[1]) }},
		{regexp.MustCompile(`^(?:the )?peak resident memory (?:is )?below (.+)$`),
			func(p []string) (Bound, error) { return PeakMemoryBelow(p[1]) }},
	}
})

// boundPattern is one way to write a bound.
type boundPattern struct {
	pattern *regexp.Regexp
	bound   func(parts []string) (Bound, error)
}

// ParseBound reads a bound as a scenario says it, "the p95 latency is below 2 ms",
// and as String writes it, "p95 latency below 2 ms".
func ParseBound(text string) (Bound, error) {
	trimmed := strings.TrimSpace(text)
	for _, s := range boundPatterns() {
		if parts := s.pattern.FindStringSubmatch(trimmed); parts != nil {
			return s.bound(parts)
		}
	}
	return Bound{}, fmt.Errorf("%q is no bound: write it as %q, %q, %q, %q, %q, %q, %q or %q", text,
		"p95 latency below 2 ms", "throughput at least 1000 operations per second", "growth exponent below 1.3", "peak resident memory below 64 MB", "no more than 1 MB allocated per call", "no more than 120 allocations per call",
		"memory delta below 0.5 MB", `median latency below 3 times that of "name"`)
}

// inWords is String, and says of a default bound that it is one.
func (b Bound) inWords() string {
	if b.Default {
		return b.String() + " (default)"
	}
	return b.String()
}

// String writes the bound in the short form that ParseBound reads.
func (b Bound) String() string {
	limit := b.Metric.Format(b.Limit)
	switch b.Metric {
	case BytesPerCall:
		return "no more than " + limit + " allocated per call"
	case AllocsPerCall:
		return "no more than " + limit + " allocations per call"
	case MedianRelative:
		return fmt.Sprintf("median latency below %s that of %q", limit, b.Reference)
	}
	b.Default = false // which limitText says
	return string(b.Metric) + " " + b.limitText(limit)
}

// limitText writes the bound without the metric: "below 2 ms".
func (b Bound) limitText(limit string) string {
	word := "below "
	switch {
	case b.Metric.AtLeast():
		word = "at least "
	case b.Inclusive:
		word = "no more than "
	}
	text := word + limit
	if b.Reference != "" {
		text += fmt.Sprintf(" that of %q", b.Reference)
	}
	if b.Default {
		text += ", the default"
	}
	return text
}

// NotJudged gives the bound as one that is not judged, for this reason.
func (b Bound) NotJudged(reason string) NotJudged {
	return NotJudged{Bound: b.inWords(), Reason: reason}
}

// NotJudged is a bound of which it was not decided whether it holds.
type NotJudged struct {
	Bound  string `json:"bound"`  // in words: "p95 latency below 2 ms"
	Reason string `json:"reason"` // for people: "the race detector slows every call"
}

// String reads "not judged: BOUND: REASON".
func (n NotJudged) String() string { return "not judged: " + n.Bound + ": " + n.Reason }

// Judgement is the result of checking a bound.
type Judgement struct {
	Bound  string  `json:"bound"`  // in words: "p95 latency below 2 ms"
	Metric Metric  `json:"metric"` // what was bounded
	Limit  float64 `json:"limit"`  // seconds, bytes, a count, a rate or a factor
	Figure float64 `json:"figure"` // what was measured, in the same unit
	Held   bool    `json:"held"`
	// For a bound on a percentile, Over is the number of calls at or over the limit and
	// FailsFrom the number from which on the bound fails; else both are 0.
	Over      int `json:"over,omitempty"`
	FailsFrom int `json:"fails_from,omitempty"`
	// Default says that no scenario wrote the bound; see DefaultMemoryDelta.
	Default bool `json:"default,omitempty"`
	// Note is about the bound itself, whatever was measured; it may be empty.
	Note string `json:"note,omitempty"`
	// Warning says why the figure is less reliable than it seems; it may be empty.
	Warning string `json:"warning,omitempty"`
}

// LimitShare is the figure by the limit, or the limit by the figure where the limit is the
// smallest allowed value: above 1 where the bound is exceeded.
func (j Judgement) LimitShare() float64 {
	switch {
	case j.Limit <= 0:
		return j.Figure
	case !j.Metric.AtLeast():
		return j.Figure / j.Limit
	case j.Figure <= 0:
		return math.Inf(1)
	}
	return j.Limit / j.Figure
}

// ErrExceeded is the kind of error of a bound that did not hold.
var ErrExceeded = errors.New("bound exceeded")

// ErrNotMeasured is the kind of error of a bound on a figure that was not measured.
var ErrNotMeasured = errors.New("not measured")

// ExceededError is a bound that did not hold, with the figure, the bound, the number of
// samples and their spread.
type ExceededError struct {
	Judgement   Judgement
	bound       Bound
	measurement *Measurement
	summary     Summary
	reference   float64 // the median that a relative bound is relative to, in seconds
}

// Error reads "p95 latency is 3.2 ms, bound: below 2 ms; 17 of 100 calls over
// it, chance explains 11 (floor 900 µs, median 1.1 ms, max 12 ms, std dev 400 µs)".
func (e *ExceededError) Error() string {
	j := e.Judgement
	figure, limit := e.bound.Metric.formatDistinct(j.Figure, j.Limit)
	text := fmt.Sprintf("%s is %s, bound: %s", e.bound.metricName(), figure, e.bound.limitText(limit))
	if e.bound.Reference != "" {
		text += fmt.Sprintf(" (%s)", quantity.FormatDuration(e.reference))
	}
	if j.FailsFrom > 0 {
		text += fmt.Sprintf("; %d of %s over it, chance explains %d", j.Over, quantity.Count(e.summary.Samples, "call"), j.FailsFrom-1)
	}
	return fmt.Sprintf("%s (%s)", text, e.context())
}

// metricName is the metric as an error names it.
func (b Bound) metricName() string {
	if b.Metric == MedianRelative {
		return string(MedianLatency)
	}
	return string(b.Metric)
}

// context says what the figure was taken from.
func (e *ExceededError) context() string {
	if e.bound.Metric.NeedsMemory() {
		if e.bound.Metric == MemoryDelta {
			return "the heap that one answer keeps alive, after garbage collection"
		}
		return fmt.Sprintf("exact, the median of %d calls", e.measurement.Memory.Calls)
	}
	switch known, _ := e.bound.Metric.lookup(); known.source {
	case fromConcurrentCallers:
		c := e.measurement.Concurrency
		return fmt.Sprintf("%s at once, in the best of %d rounds: %s; one alone: %s", quantity.Count(c.Callers, "caller"), concurrencyRounds,
			Throughput.Format(c.Throughput), Throughput.Format(c.Alone))
	case fromSizes:
		return e.measurement.Growth.String()
	case fromFreshProcess:
		return e.measurement.FreshProcess.String()
	}
	s := e.summary
	return fmt.Sprintf("%d calls: floor %s, median %s, max %s, std dev %s", s.Samples,
		quantity.FormatDuration(s.Min), quantity.FormatDuration(s.Median), quantity.FormatDuration(s.Max), quantity.FormatDuration(s.StdDev))
}

// Unwrap gives ErrExceeded.
func (e *ExceededError) Unwrap() error { return ErrExceeded }

// Hint says whether to look at the machine or at the operation.
func (e *ExceededError) Hint() string {
	switch e.bound.Metric {
	case BytesPerCall, AllocsPerCall:
		return "allocations do not depend on the machine's load: the operation itself allocates more than the bound allows"
	case MemoryDelta:
		const advice = "the answer of one call keeps this much memory alive: look for what it refers to"
		if e.bound.Default {
			return advice + `; where it has to, a step such as "Then the memory delta is below 20 MB" takes the place of the default bound`
		}
		return advice
	case MedianRelative:
		return "both benchmarks were measured in this run: compare what the two operations do"
	case Throughput, Scaling:
		return "callers at once need processors: a machine that is busy, or has few of them, gets less done"
	case GrowthExponent:
		return "an exponent of 1 is proportional to the size, 2 grows with its square: look for work that is repeated for each part"
	case PeakMemory:
		return "a part of it is the program itself: compare it with the peak before the call"
	case FirstLatency, ColdLatency:
		return "a first call also fills caches for later ones: compare it with the warm call"
	}
	if e.summary.Min < e.Judgement.Limit {
		return busyHint(e.summary.Min)
	}
	return fmt.Sprintf("even the fastest call is over the bound: the operation is slower than the bound allows, or the machine was slow all the time, which one measurement of %s does not tell",
		quantity.FormatDuration(e.summary.Total))
}

// busyHint is the hint where the fastest call was within the bound.
func busyHint(fastest float64) string {
	return "the fastest call took " + quantity.FormatDuration(fastest) +
		", within the bound: the machine may have been busy; run it again alone, or with more --iterations"
}

// Check judges a measurement by the bound.
//
// A bound on the median, p95 or p99 fails where more calls are over it than random
// variation explains, see failingCount; one on the mean, min or max where that figure
// is over it. Memory is exact.
//
// reference gives the measurement of another benchmark of the same run by name, or nil
// where there is none; it is called only for a bound that is relative to one, and may be
// nil otherwise. The error is nil where the bound held, an *ExceededError where it
// did not, and ErrNotMeasured where the figure was not measured, in which case the
// Judgement is empty.
func (b Bound) Check(m *Measurement, reference func(name string) *Measurement) (Judgement, error) {
	known, ok := b.Metric.lookup()
	if !ok {
		return Judgement{}, fmt.Errorf("unknown metric %q", b.Metric)
	}
	limit, err := b.limitFor(known, m, reference)
	if err != nil {
		return Judgement{}, err
	}
	figure := known.figure(m)
	summary := m.Summary()
	j := Judgement{
		Bound: b.inWords(), Metric: b.Metric, Limit: b.Limit, Default: b.Default,
		Figure: figure / limit * b.Limit, // as a factor where the bound is relative to another benchmark
		Held:   figure < limit || b.Inclusive && figure == limit,
	}
	if known.atLeast {
		j.Held = figure >= limit
	}
	if b.Reference == "" {
		j.Figure = figure // without the rounding of the division
	}
	if known.source == fromCalls {
		j.Note = b.fragileNote(known, limit, summary.Min)
	}
	if known.quantile != 0 {
		j.Over, j.FailsFrom = callsOver(m.Calls, limit), failingCount(len(m.Calls), known.quantile)
		if !j.Held && j.Over < j.FailsFrom {
			j.Held = true
			j.warn(fmt.Sprintf("%s is %s, over the bound (%s), in %d of %d calls: chance explains up to %d",
				b.metricName(), b.Metric.Format(j.Figure), b.limitText(b.Metric.Format(b.Limit)), j.Over, len(m.Calls), j.FailsFrom-1))
		}
		j.warn(b.fewCallsWarning(known, len(m.Calls)))
	}
	if j.Held {
		return j, nil
	}
	return j, &ExceededError{Judgement: j, bound: b, summary: summary, measurement: m, reference: limit / b.Limit}
}

// warn adds a warning to those there are; "" adds none.
func (j *Judgement) warn(text string) {
	switch {
	case j.Warning == "":
		j.Warning = text
	case text != "":
		j.Warning += "; " + text
	}
}

// callsOver counts the calls that are not below a limit in seconds.
func callsOver(calls []time.Duration, limit float64) int {
	n := 0
	for _, c := range calls {
		if c.Seconds() >= limit {
			n++
		}
	}
	return n
}

// limitFor gives the limit in the unit of the figure: for a bound relative to another
// benchmark that is in seconds. The error is ErrNotMeasured.
func (b Bound) limitFor(known metric, m *Measurement, reference func(string) *Measurement) (float64, error) {
	switch {
	case m == nil || len(m.Calls) == 0:
		return 0, fmt.Errorf("%s: no call was timed: %w", b.Metric, ErrNotMeasured)
	case known.source == fromMemoryCalls && m.Memory == nil:
		return 0, fmt.Errorf("%s: memory was not measured, as the plan does not ask for it: %w", b.Metric, ErrNotMeasured)
	case known.source == fromConcurrentCallers && m.Concurrency == nil:
		return 0, fmt.Errorf("%s: there was only one caller: %w", b.Metric, ErrNotMeasured)
	case known.source == fromSizes && m.Growth == nil:
		return 0, fmt.Errorf("%s: there was only one size: %w", b.Metric, ErrNotMeasured)
	case known.source == fromFreshProcess && m.FreshProcess.missingReason(b.Metric) != "":
		return 0, fmt.Errorf("%s: %s: %w", b.Metric, m.FreshProcess.missingReason(b.Metric), ErrNotMeasured)
	case b.Metric != MedianRelative:
		return b.Limit, nil
	}
	var other *Measurement
	if reference != nil {
		other = reference(b.Reference)
	}
	if other == nil || len(other.Calls) == 0 {
		return 0, fmt.Errorf("benchmark %q, which the bound is relative to, was not measured in this run (it has to come before this one): %w",
			b.Reference, ErrNotMeasured)
	}
	median := other.Summary().Median
	if median <= 0 {
		return 0, fmt.Errorf("benchmark %q, which the bound is relative to, is too short for the clock: %w", b.Reference, ErrNotMeasured)
	}
	return b.Limit * median, nil
}

// fragileNote is a note on a bound so near to the fastest call that a shared machine
// exceeds it by itself; "" where it is not, or is below the fastest call.
func (b Bound) fragileNote(known metric, limit, floor float64) string {
	if known.minFactor == 0 || floor <= 0 || b.Reference != "" || limit <= floor || limit >= known.minFactor*floor {
		return ""
	}
	return fmt.Sprintf("fragile bound: %s is %s times the fastest call (%s); on a shared machine the %s needs %s times",
		b, quantity.FormatNumber(limit/floor, 2), quantity.FormatDuration(floor), known.word, quantity.FormatNumber(known.minFactor, quantity.Digits))
}

// fewCallsWarning is a warning where there are so few calls that even the slowest of
// them may be below the percentile; "" where there are enough.
func (b Bound) fewCallsWarning(known metric, calls int) string {
	needed := callsNeeded(known.quantile)
	if calls >= needed {
		return ""
	}
	return fmt.Sprintf("%d calls are few for the %s: with fewer than %d even the slowest may be below it, at 95 %% confidence",
		calls, cmp.Or(known.word, "median"), needed)
}
