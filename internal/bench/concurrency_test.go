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

func TestCallersAtOnceMakeTheCallsOfThePlan(t *testing.T) {
	var made atomic.Int64
	c, err := MeasureConcurrency(t.Context(), 4, 40_000, func() (any, error) { made.Add(1); return 7, nil }, agreesWith(7))
	require.NoError(t, err)
	assert.Equal(t, 4, c.Callers)
	assert.GreaterOrEqual(t, len(c.Calls), 40_000)
	assert.GreaterOrEqual(t, int(made.Load()), len(c.Calls), "those of one caller alone come besides")
	assert.Positive(t, c.Throughput)
	assert.Positive(t, c.Alone)
	assert.InDelta(t, c.Throughput/c.Alone, c.Scaling(), 1e-12)
}

func TestOneCallerIsNoCrowd(t *testing.T) {
	c, err := MeasureConcurrency(t.Context(), 1, 10, func() (any, error) { return nil, nil }, agreesWith(nil))
	require.NoError(t, err)
	assert.InDelta(t, 1, c.Scaling(), 1e-12, "the calls of one caller alone are all there are")
}

// The callers have to be at work at one moment: each waits for the other.
func TestCallersAreThereAtOnce(t *testing.T) {
	var mu sync.Mutex
	inside, most := 0, 0
	_, err := MeasureConcurrency(t.Context(), 2, 1, func() (any, error) {
		count := func(n int) int {
			mu.Lock()
			defer mu.Unlock()
			inside += n
			most = max(most, inside)
			return most
		}
		count(1)
		defer count(-1)
		for range 1000 { // alone, nobody comes
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

func TestAWrongAnswerAmongCallersIsFound(t *testing.T) {
	var busy atomic.Int64
	call := func() (any, error) { // right while it is alone
		defer busy.Add(-1)
		if busy.Add(1) > 1 {
			return 8, nil
		}
		for range 1000 { // long enough for another caller to come
			runtime.Gosched()
		}
		return 7, nil
	}
	_, err := MeasureConcurrency(t.Context(), 8, 10, call, agreesWith(7))
	require.ErrorContains(t, err, "another answer")
}

func TestWhatFailsAmongCallersEndsTheMeasurement(t *testing.T) {
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
