package bench

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func agreesWith(want any) func(any) error {
	return func(answer any) error {
		if answer != want {
			return errors.New("another answer")
		}
		return nil
	}
}

func TestConcurrentCallersMakeTheCallsOfThePlan(t *testing.T) {
	var made atomic.Int64
	c, err := MeasureConcurrency(t.Context(), 4, 40_000, func() (any, error) { made.Add(1); return 7, nil }, agreesWith(7))
	require.NoError(t, err)
	assert.Equal(t, 4, c.Callers)
	assert.GreaterOrEqual(t, len(c.Calls), 40_000)
	assert.GreaterOrEqual(t, int(made.Load()), len(c.Calls), "plus those of one caller alone")
	assert.Positive(t, c.Throughput)
	assert.Positive(t, c.Alone)
	assert.InDelta(t, c.Throughput/c.Alone, c.Scaling(), 1e-12)
}

func TestOneCallerHasAScalingOfOne(t *testing.T) {
	c, err := MeasureConcurrency(t.Context(), 1, 10, func() (any, error) { return nil, nil }, agreesWith(nil))
	require.NoError(t, err)
	assert.InDelta(t, 1, c.Scaling(), 1e-12, "there are only the calls of one caller")
}

// Each caller waits until another one is in its call too.
func TestCallersRunAtTheSameTime(t *testing.T) {
	var mu sync.Mutex
	running, most := 0, 0
	_, err := MeasureConcurrency(t.Context(), 2, 1, func() (any, error) {
		count := func(n int) int {
			mu.Lock()
			defer mu.Unlock()
			running += n
			most = max(most, running)
			return most
		}
		count(1)
		defer count(-1)
		for range 1000 { // a single caller does not wait for ever
			if count(0) == 2 {
				break
			}
			runtime.Gosched()
		}
		return nil, nil
	}, agreesWith(nil))
	require.NoError(t, err)
	assert.Equal(t, 2, most)
}

func TestAWrongAnswerOfOneCallerIsFound(t *testing.T) {
	var busy atomic.Int64
	call := func() (any, error) { // the answer is right while only one call runs
		defer busy.Add(-1)
		if busy.Add(1) > 1 {
			return 8, nil
		}
		for range 1000 { // long enough for another caller to start
			runtime.Gosched()
		}
		return 7, nil
	}
	_, err := MeasureConcurrency(t.Context(), 8, 10, call, agreesWith(7))
	require.ErrorContains(t, err, "another answer")
}

func TestAFailureOfOneCallerEndsTheMeasurement(t *testing.T) {
	var calls atomic.Int64
	failing := func() (any, error) {
		if calls.Add(1) == 100 {
			return nil, errBad
		}
		return nil, nil
	}
	_, err := MeasureConcurrency(t.Context(), 3, 10, failing, agreesWith(nil))
	require.ErrorIs(t, err, errBad)
	var failed *CallError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, "concurrent", failed.Phase)

	calls.Store(0)
	_, err = MeasureConcurrency(t.Context(), 3, 10, func() (any, error) {
		if calls.Add(1) > 50 {
			panic("too many")
		}
		return nil, nil
	}, agreesWith(nil))
	require.ErrorContains(t, err, "panicked: too many")

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	_, err = MeasureConcurrency(ctx, 3, 10, func() (any, error) { return nil, nil }, agreesWith(nil))
	require.ErrorIs(t, err, ErrInterrupted)
	for _, callers := range []int{0, -1, MaxCallers + 1} {
		_, err = MeasureConcurrency(t.Context(), callers, 10, func() (any, error) { return nil, nil }, agreesWith(nil))
		require.ErrorContains(t, err, "callers at once")
	}
}

var errBad = errors.New("bad")
