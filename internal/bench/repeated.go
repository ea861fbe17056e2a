package bench

import (
	"fmt"
	"slices"
	"strings"

	"omniloader/internal/quantity"
)

// Repeatable tells whether another measurement may keep the bound: the time of calls
// depends on what else the machine does, and what they allocate does not.
func (e *ExceededError) Repeatable() bool { return !e.bound.Metric.NeedsMemory() }

// Reference is the benchmark that the bound is relative to, "" where it is to none.
func (e *ExceededError) Reference() string { return e.bound.Reference }

// found is the figure in words: "p95 latency 3.2 ms".
func (e *ExceededError) found() string {
	text := e.bound.subject() + " " + e.bound.Metric.Format(e.Judgement.Figure)
	if e.Judgement.FailsFrom > 0 {
		text += fmt.Sprintf(" with %d calls over", e.Judgement.Over)
	}
	return text
}

// Fragile tells whether a bound of the result is noted as fragile.
func (r *Result) HasFragileBound() bool {
	return slices.ContainsFunc(r.Bounds, func(j Judgement) bool { return j.Note != "" })
}

// DropUnconfirmedNotes drops the notes that another measurement of the same operation does not bear
// out: a bound is near to the fastest call where it is so each time, and else the
// machine was slow.
func (r *Result) DropUnconfirmedNotes(again *Result) {
	for i, j := range r.Bounds {
		if slices.ContainsFunc(again.Bounds, func(a Judgement) bool { return a.Bound == j.Bound && a.Note == "" }) {
			r.Bounds[i].Note = ""
		}
	}
}

// RepeatedError is a measurement that was made several times, some seconds apart,
// and exceeded a bound each time: not always the same one.
type RepeatedError struct {
	Exceeded []*ExceededError // in the order of measuring, at least one
}

// Error is that of the first measurement, and what each of them gave.
func (e *RepeatedError) Error() string {
	if len(e.Exceeded) == 1 {
		return e.Exceeded[0].Error()
	}
	var each []string
	for _, look := range e.Exceeded {
		each = append(each, look.found())
	}
	return fmt.Sprintf("%s; measured %d times, never within the bounds: %s", e.Exceeded[0], len(e.Exceeded), strings.Join(each, ", "))
}

// RecoveryNote says of a measurement that was within its bounds in the end what those
// before it gave.
func (e *RepeatedError) RecoveryNote() string {
	var each []string
	for _, look := range e.Exceeded {
		each = append(each, fmt.Sprintf("%s (bound: %s)", look.found(), look.bound.phrase(look.bound.Metric.Format(look.bound.Limit))))
	}
	return fmt.Sprintf("measured %d times, and within the bounds the last time only; before: %s", len(e.Exceeded)+1, strings.Join(each, ", "))
}

// Unwrap gives the first measurement's error.
func (e *RepeatedError) Unwrap() error { return e.Exceeded[0] }

// Hint tells a busy machine from an operation that is slow in every call of every
// measurement.
func (e *RepeatedError) Hint() string {
	first := e.Exceeded[0]
	fastest := first.summary.Min
	for _, look := range e.Exceeded {
		fastest = min(fastest, look.summary.Min)
		if !look.bound.Metric.FromSingleCalls() || look.bound.Reference != "" {
			return first.Hint()
		}
	}
	switch {
	case len(e.Exceeded) == 1:
		return first.Hint()
	case fastest < first.Judgement.Limit:
		return busyHint(fastest)
	}
	return fmt.Sprintf("even the fastest call of %d measurements took %s: the operation is slower than promised here, or no machine of this kind is that fast",
		len(e.Exceeded), quantity.FormatDuration(fastest))
}
