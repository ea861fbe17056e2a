package bench

import (
	"fmt"
	"slices"
	"strings"

	"omniloader/internal/quantity"
)

// Repeatable tells whether another measurement may keep the bound: the time of calls
// depends on what else the machine does, the memory they allocate does not.
func (e *ExceededError) Repeatable() bool { return !e.bound.Metric.NeedsMemory() }

// Reference is the benchmark that the bound is relative to, "" where there is none.
func (e *ExceededError) Reference() string { return e.bound.Reference }

// figureText is the figure in words: "p95 latency 3.2 ms".
func (e *ExceededError) figureText() string {
	text := e.bound.metricName() + " " + e.bound.Metric.Format(e.Judgement.Figure)
	if e.Judgement.FailsFrom > 0 {
		text += fmt.Sprintf(" with %d calls over", e.Judgement.Over)
	}
	return text
}

// HasFragileBound tells whether a bound of the result has a note, see Judgement.Note.
func (r *Result) HasFragileBound() bool {
	return slices.ContainsFunc(r.Bounds, func(j Judgement) bool { return j.Note != "" })
}

// DropUnconfirmedNotes drops the notes that another measurement of the same operation does
// not give: a bound is too near to the fastest call only where it is so each time; else
// the machine was slow.
func (r *Result) DropUnconfirmedNotes(again *Result) {
	for i, j := range r.Bounds {
		if slices.ContainsFunc(again.Bounds, func(a Judgement) bool { return a.Bound == j.Bound && a.Note == "" }) {
			r.Bounds[i].Note = ""
		}
	}
}

// RepeatedError is a measurement that was made several times, some seconds apart,
// and exceeded a bound each time, not always the same one.
type RepeatedError struct {
	Exceeded []*ExceededError // one for each measurement, in order; at least one
}

// Error is the error of the first measurement, followed by the figure of each of them.
func (e *RepeatedError) Error() string {
	if len(e.Exceeded) == 1 {
		return e.Exceeded[0].Error()
	}
	var each []string
	for _, x := range e.Exceeded {
		each = append(each, x.figureText())
	}
	return fmt.Sprintf("%s; measured %d times, never within the bounds: %s", e.Exceeded[0], len(e.Exceeded), strings.Join(each, ", "))
}

// RecoveryNote is a note for the measurement after those of the error, which was within
// its bounds.
func (e *RepeatedError) RecoveryNote() string {
	var each []string
	for _, x := range e.Exceeded {
		each = append(each, fmt.Sprintf("%s (bound: %s)", x.figureText(), x.bound.limitText(x.bound.Metric.Format(x.bound.Limit))))
	}
	return fmt.Sprintf("measured %d times, and within the bounds the last time only; before: %s", len(e.Exceeded)+1, strings.Join(each, ", "))
}

// Unwrap gives the first measurement's error.
func (e *RepeatedError) Unwrap() error { return e.Exceeded[0] }

// Hint says whether to look at the machine or at the operation.
func (e *RepeatedError) Hint() string {
	first := e.Exceeded[0]
	fastest := first.summary.Min
	for _, x := range e.Exceeded {
		fastest = min(fastest, x.summary.Min)
		if !x.bound.Metric.FromSingleCalls() || x.bound.Reference != "" {
			return first.Hint()
		}
	}
	switch {
	case len(e.Exceeded) == 1:
		return first.Hint()
	case fastest < first.Judgement.Limit:
		return busyHint(fastest)
	}
	return fmt.Sprintf("even the fastest call of %d measurements took %s: the operation is slower than the bound allows, or a machine of this kind is too slow for it",
		len(e.Exceeded), quantity.FormatDuration(fastest))
}
