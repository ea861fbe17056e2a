package steps

import (
	"context"
	"errors"
	"fmt"
	"time"

	"omniloader/internal/bench"
)

// MaxRemeasurements is how often a scenario whose measurement exceeds a bound is
// measured again at most, however many bounds it has. Other processes on the machine
// can only make an operation slower, so one measurement within the bounds shows that
// the operation keeps them; an operation that is too slow exceeds them every time.
const MaxRemeasurements = 2

// RemeasureDelay is the pause before a measurement is repeated. Phases in which a shared
// machine was slow lasted up to 1.3 s where they were measured.
const RemeasureDelay = 1500 * time.Millisecond

// WaitBeforeRemeasuring waits before a measurement is repeated, or until ctx is done.
func WaitBeforeRemeasuring(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(RemeasureDelay):
	}
}

// NextRound is called before scenarios that were measured run again: their new results
// replace those of the earlier round.
func (s *Setup) NextRound() { s.state().store.nextRound() }

// waitBeforeRemeasuring waits before a measurement is repeated within its scenario.
func (s *Setup) waitBeforeRemeasuring(ctx context.Context) {
	if s.pause != nil {
		s.pause()
		return
	}
	WaitBeforeRemeasuring(ctx)
}

// measureAgain repeats the measurement until one keeps every bound judged so far, which
// then replaces the first one; if none does, the first one stays. It is used when the
// caller runs no later rounds, as godog's own command. For a bound that is relative to
// another benchmark, only this side is measured again.
func (w *world) measureAgain(ctx context.Context, exceeded *bench.ExceededError) (held bool, err error) {
	failure := &bench.RepeatedError{Exceeded: []*bench.ExceededError{exceeded}}
	for ; w.remeasured < MaxRemeasurements; w.remeasured++ {
		w.setup.waitBeforeRemeasuring(ctx)
		m, err := w.sample(ctx)
		if err != nil {
			return false, fmt.Errorf("measuring the %s again: %w", w.operation, err)
		}
		first, last := m.FirstAnswer, m.LastAnswer
		m.FirstAnswer, m.LastAnswer = nil, nil
		if err := errors.Join(w.checkUnchanged(first), w.checkUnchanged(last)); err != nil {
			return false, err
		}
		judgements, err := w.judgedBy(m)
		var again *bench.ExceededError
		switch {
		case err == nil:
			w.remeasured++
			r := w.record.Benchmark
			fresh := bench.NewResult(r.Key(), r.Category, m, r.Metadata)
			fresh.Bounds, fresh.Threshold, fresh.TimesMeasured = judgements, r.Threshold, 1+w.remeasured
			w.setup.state().store.replace(r, fresh)
			w.measurement = m
			w.record.Warnings = append(w.record.Warnings, failure.RecoveryNote())
			return true, nil
		case errors.As(err, &again):
			failure.Exceeded = append(failure.Exceeded, again)
		default:
			return false, err
		}
	}
	w.record.Benchmark.TimesMeasured = 1 + w.remeasured
	return false, failure
}

// judgedBy judges a measurement by the bounds judged so far, and stops at the first that
// is exceeded.
func (w *world) judgedBy(m *bench.Measurement) ([]bench.Judgement, error) {
	judgements := make([]bench.Judgement, len(w.bounds))
	for i, bound := range w.bounds {
		var err error
		if judgements[i], err = bound.Check(m, w.reference); err != nil {
			return nil, err
		}
	}
	return judgements, nil
}
