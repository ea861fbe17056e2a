package bench

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"omniloader/internal/suggest"
)

// Bound is a limit on one metric of a measurement, as data.
type Bound struct {
	Metric Metric
	Limit  float64 // seconds, bytes, a count, or a factor, as the metric goes
	// Inclusive bounds allow the limit itself ("no more than"), others ask for
	// less ("below").
	Inclusive bool
	Reference string // the benchmark that a relative metric is relative to
}

// LatencyBelow is the bound "the p95 latency is below 2 ms". word is mean,
// median, p95, p99, max or min; limit is a time as ParseLatency reads it.
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
// a size as ParseSize reads it.
func AllocatedAtMost(limit string) (Bound, error) {
	return newBound(Bound{Metric: BytesPerCall, Inclusive: true}, limit)
}

// AllocationsAtMost is the bound "no more than 120 allocations are made per call".
func AllocationsAtMost(limit string) (Bound, error) {
	return newBound(Bound{Metric: AllocsPerCall, Inclusive: true}, limit)
}

// MemoryDeltaBelow is the bound "the memory delta is below 0.5 MB"; limit is a
// size as ParseSize reads it.
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

func newBound(b Bound, limit string) (Bound, error) {
	known, _ := b.Metric.known()
	value, err := known.quantity.parse(limit)
	if err != nil {
		return Bound{}, fmt.Errorf("bound on the %s: %w", b.Metric, err)
	}
	if value == 0 && !b.Inclusive {
		return Bound{}, fmt.Errorf("bound on the %s: nothing can be below %q", b.Metric, limit)
	}
	b.Limit = value
	return b, nil
}

// sentences are the ways a bound is written, each with what it makes of the parts.
var sentences = []struct {
	pattern *regexp.Regexp
	bound   func(parts []string) (Bound, error)
}{
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
}

// ParseBound reads a bound as a scenario says it, "the p95 latency is below 2 ms",
// and as String writes it, "p95 latency below 2 ms".
func ParseBound(text string) (Bound, error) {
	trimmed := strings.TrimSpace(text)
	for _, s := range sentences {
		if parts := s.pattern.FindStringSubmatch(trimmed); parts != nil {
			return s.bound(parts)
		}
	}
	return Bound{}, fmt.Errorf("%q is no bound: write it as %q, %q, %q, %q or %q", text,
		"p95 latency below 2 ms", "no more than 1 MB allocated per call", "no more than 120 allocations per call",
		"memory delta below 0.5 MB", `median latency below 3 times that of "name"`)
}

// String writes the bound in the short form of a scenario's sentence.
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
	return string(b.Metric) + " " + b.phrase(limit)
}

// phrase writes the bound without the metric: "below 2 ms".
func (b Bound) phrase(limit string) string {
	word := "below "
	if b.Inclusive {
		word = "no more than "
	}
	text := word + limit
	if b.Reference != "" {
		text += fmt.Sprintf(" that of %q", b.Reference)
	}
	return text
}

// Judgement is what a bound came to.
type Judgement struct {
	Bound  string  `json:"bound"`  // in words: "p95 latency below 2 ms"
	Metric Metric  `json:"metric"` // what was bounded
	Limit  float64 `json:"limit"`  // seconds, bytes, a count or a factor
	Figure float64 `json:"figure"` // what was measured, in the same unit
	Held   bool    `json:"held"`
	// Warning says why the figure is worth less than it seems, or is empty.
	Warning string `json:"warning,omitempty"`
}

// ErrExceeded is the kind of error of a bound that did not hold.
var ErrExceeded = errors.New("bound exceeded")

// ErrNotMeasured is the kind of error of a bound on a figure that was not measured.
var ErrNotMeasured = errors.New("not measured")

// ExceededError is a bound that did not hold, with what a reader needs to judge
// that: the figure, the bound, the number of samples and their spread.
type ExceededError struct {
	Judgement Judgement
	bound     Bound
	summary   Summary
	memory    *Memory
}

// Error reads "p95 latency is 3.2 ms, bound: below 2 ms (100 calls: min 0.9 ms,
// median 1.1 ms, max 12 ms, std dev 0.4 ms)".
func (e *ExceededError) Error() string {
	figure, limit := e.bound.Metric.formatApart(e.Judgement.Figure, e.Judgement.Limit)
	return fmt.Sprintf("%s is %s, bound: %s (%s)", e.bound.subject(), figure, e.bound.phrase(limit), e.spread())
}

func (b Bound) subject() string {
	if b.Metric == MedianRelative {
		return string(MedianLatency)
	}
	return string(b.Metric)
}

func (e *ExceededError) spread() string {
	if e.bound.Metric.NeedsMemory() {
		if e.bound.Metric == MemoryDelta {
			return "1 answer kept alive, after collection"
		}
		return fmt.Sprintf("exact, smallest of %d batches of %d calls", batches, e.memory.Calls)
	}
	s := e.summary
	return fmt.Sprintf("%d calls: min %s, median %s, max %s, std dev %s", s.Samples,
		FormatLatency(s.Min), FormatLatency(s.Median), FormatLatency(s.Max), FormatLatency(s.StdDev))
}

// Unwrap gives ErrExceeded.
func (e *ExceededError) Unwrap() error { return ErrExceeded }

// Hint tells a busy machine from an operation that is slow in every call.
func (e *ExceededError) Hint() string {
	switch e.bound.Metric {
	case BytesPerCall, AllocsPerCall:
		return "allocations do not depend on the machine's load: the operation itself allocates more than the bound allows"
	case MemoryDelta:
		return "the answer of one call keeps this much alive: look for what it refers to"
	case MedianRelative:
		return "both benchmarks were measured in this run: compare what the two operations do"
	}
	if e.summary.Min < e.Judgement.Limit {
		return "the fastest call took " + FormatLatency(e.summary.Min) +
			", within the bound: the machine may have been busy; run it again alone, or with more --iterations"
	}
	return "even the fastest call is over the bound: the operation is slower than promised here"
}

// Check judges a measurement by the bound.
//
// reference gives the measurement of another benchmark of the same run by name,
// or nil; it is asked only for a bound that is relative to one, and may itself be
// nil otherwise. The error is nil when the bound held, an *ExceededError when it
// did not, and ErrNotMeasured when the figure is not there, in which case the
// Judgement is empty.
func (b Bound) Check(m *Measurement, reference func(name string) *Measurement) (Judgement, error) {
	known, ok := b.Metric.known()
	if !ok {
		return Judgement{}, fmt.Errorf("unknown metric %q", b.Metric)
	}
	figure, err := b.figure(known, m, reference)
	if err != nil {
		return Judgement{}, err
	}
	j := Judgement{
		Bound: b.String(), Metric: b.Metric, Limit: b.Limit, Figure: figure,
		Held:    figure < b.Limit || b.Inclusive && figure == b.Limit,
		Warning: b.warning(known, len(m.Calls)),
	}
	if j.Held {
		return j, nil
	}
	return j, &ExceededError{Judgement: j, bound: b, summary: m.Summary(), memory: m.Memory}
}

func (b Bound) figure(known metric, m *Measurement, reference func(string) *Measurement) (float64, error) {
	switch {
	case m == nil || len(m.Calls) == 0:
		return 0, fmt.Errorf("%s: no call was timed: %w", b.Metric, ErrNotMeasured)
	case known.memory && m.Memory == nil:
		return 0, fmt.Errorf("%s: the plan left memory out: %w", b.Metric, ErrNotMeasured)
	case b.Metric != MedianRelative:
		return known.figure(m), nil
	}
	var other *Measurement
	if reference != nil {
		other = reference(b.Reference)
	}
	if other == nil || len(other.Calls) == 0 {
		return 0, fmt.Errorf("benchmark %q, which the bound is relative to, has no figures in this run (it has to stand before this one): %w",
			b.Reference, ErrNotMeasured)
	}
	median := other.Summary().Median
	if median <= 0 {
		return 0, fmt.Errorf("benchmark %q, which the bound is relative to, is too short for the clock: %w", b.Reference, ErrNotMeasured)
	}
	return m.Summary().Median / median, nil
}

// warning says when there are too few calls for the percentile: nearest rank then
// gives the slowest call of all, so that a single slow call decides.
func (b Bound) warning(known metric, calls int) string {
	if known.quantile == 0 {
		return ""
	}
	needed := int(math.Round(1 / (1 - known.quantile)))
	if calls >= needed {
		return ""
	}
	return fmt.Sprintf("the %s of %d calls is the slowest call: at least %d iterations are needed", known.word, calls, needed)
}
