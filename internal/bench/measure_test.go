package bench

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// counter gives its number of calls as its answer.
func counter() (func() (any, error), *int) {
	calls := new(int)
	return func() (any, error) { *calls++; return *calls, nil }, calls
}

func TestMeasureWarmsUpThenTimesEachCall(t *testing.T) {
	call, calls := counter()
	m, err := Measure(t.Context(), Plan{Iterations: 7, Warmup: 3}, call)
	require.NoError(t, err)
	assert.Len(t, m.Calls, 7)
	assert.Equal(t, 10, *calls)
	assert.Equal(t, 1, m.FirstAnswer, "the answer of the first call of all")
	assert.Equal(t, 10, m.LastAnswer)
	assert.Positive(t, m.FirstDuration, "the first call is timed by itself")
	assert.Nil(t, m.Memory)
	for _, d := range m.Calls {
		assert.GreaterOrEqual(t, d.Nanoseconds(), int64(0))
	}
}

func TestWithoutWarmUpTheFirstAnswerIsThatOfTheFirstTimedCall(t *testing.T) {
	call, _ := counter()
	m, err := Measure(t.Context(), Plan{Iterations: 2}, call)
	require.NoError(t, err)
	assert.Equal(t, 1, m.FirstAnswer)
	assert.Equal(t, m.Calls[0], m.FirstDuration)
	assert.Equal(t, 2, m.LastAnswer)
}

func TestAPlanThatCannotBeCarriedOutIsRefusedBeforeAnyCall(t *testing.T) {
	for _, plan := range []Plan{{}, {Iterations: -1}, {Iterations: 1, Warmup: -1}, {Iterations: maxCalls + 1}, {Iterations: 1, Warmup: maxCalls + 1}} {
		call, calls := counter()
		_, err := Measure(t.Context(), plan, call)
		assert.Error(t, err, plan)
		assert.Zero(t, *calls)
	}
	assert.NoError(t, DefaultPlan().Validate())
}

func TestTheFirstFailingCallEndsTheMeasurement(t *testing.T) {
	broken := errors.New("config.json is gone")
	for _, c := range []struct {
		failAt int
		want   string
	}{
		{2, "warm-up call 2: config.json is gone"},
		{5, "timed call 2: config.json is gone"},
		{8, "memory call 1: config.json is gone"},
		{9, "memory call 2: config.json is gone"},
		{11, "memory call 4: config.json is gone"},
	} {
		calls := 0
		m, err := Measure(t.Context(), Plan{Iterations: 4, Warmup: 3, Memory: true}, func() (any, error) {
			if calls++; calls == c.failAt {
				return nil, broken
			}
			return nil, nil
		})
		assert.Nil(t, m)
		assert.EqualError(t, err, c.want)
		assert.ErrorIs(t, err, broken)
		assert.Equal(t, c.failAt, calls, "no call after the failing one")
	}
}

func TestTheEndOfTheContextIsNoticedBetweenCalls(t *testing.T) {
	for name, at := range map[string]int{"warm-up": 1, "timed": 6, "memory": 11} {
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("the user pressed Ctrl-C")
		calls := 0
		m, err := Measure(ctx, Plan{Iterations: 5, Warmup: 5, Memory: true}, func() (any, error) {
			if calls++; calls == at {
				cancel(reason)
			}
			return nil, nil
		})
		assert.Nil(t, m, name)
		assert.ErrorIs(t, err, ErrInterrupted, name)
		assert.ErrorIs(t, err, reason, name)
		assert.Equal(t, at, calls, name)
	}
}

var sink [][]byte

func TestBytesAndAllocationsPerCallAreExact(t *testing.T) {
	for _, allocations := range []int{0, 1, 7} {
		call := func() (any, error) {
			sink = sink[:0]
			for range allocations {
				sink = append(sink, make([]byte, 1024))
			}
			return nil, nil
		}
		m, err := Measure(t.Context(), Plan{Iterations: 50, Warmup: 1, Memory: true}, call)
		require.NoError(t, err)
		assert.Equal(t, uint64(allocations), m.Memory.AllocsPerCall)
		assert.Equal(t, uint64(allocations*1024), m.Memory.BytesPerCall)
		assert.Equal(t, maxMemoryCalls, m.Memory.Calls, "whatever the plan says")
	}
	sink = nil
}

func TestTheLiveHeapDeltaIsWhatTheAnswerKeepsAlive(t *testing.T) {
	const kept = 4 << 20
	m, err := Measure(t.Context(), Plan{Iterations: 2, Warmup: 1, Memory: true}, func() (any, error) {
		garbage := make([]byte, kept)
		runtime.KeepAlive(garbage)
		return make([]byte, kept), nil
	})
	require.NoError(t, err)
	assert.InDelta(t, kept, m.Memory.LiveDelta, kept/10, "neither the garbage nor the answers before count")
	assert.InDelta(t, 2*kept, m.Memory.BytesPerCall, kept/10)
}

func TestFewerCallsAreCountedWhereEachAllocatesMuch(t *testing.T) {
	for large, calls := range map[int]int{24 << 20: 8, 80 << 20: minMemoryCalls} {
		m, err := Measure(t.Context(), Plan{Iterations: 10, Memory: true}, func() (any, error) { return make([]byte, large), nil })
		require.NoError(t, err)
		assert.Equal(t, calls, m.Memory.Calls)
		assert.EqualValues(t, 2, m.Memory.AllocsPerCall, "the slice and the interface that holds it")
	}
}

func TestAsManyCallsAreCountedAsIterations(t *testing.T) {
	for iterations, calls := range map[int]int{1: 5, 5: 5, 20: 20, 50: 50, 70: 50} {
		m, err := Measure(t.Context(), Plan{Iterations: iterations, Memory: true}, func() (any, error) { return 1, nil })
		require.NoError(t, err)
		assert.Equal(t, calls, m.Memory.Calls)
	}
}

func TestAFewCallsThatAllocateMoreDoNotChangeTheResult(t *testing.T) {
	calls := 0
	m, err := Measure(t.Context(), Plan{Iterations: 50, Memory: true}, func() (any, error) {
		size := 1024
		if calls++; calls%7 == 0 { // like a map whose hash seed causes collisions
			size = 4096
		}
		sink = append(sink[:0], make([]byte, size))
		return nil, nil
	})
	require.NoError(t, err)
	assert.EqualValues(t, 1024, m.Memory.BytesPerCall)
	assert.EqualValues(t, 1, m.Memory.AllocsPerCall)
	sink = nil
}

func TestMeasureRestoresTheGarbageCollectorSetting(t *testing.T) {
	before := debug.SetGCPercent(73)
	defer debug.SetGCPercent(before)
	_, err := Measure(t.Context(), Plan{Iterations: 1, Memory: true}, func() (any, error) { return nil, nil })
	require.NoError(t, err)
	assert.Equal(t, 73, debug.SetGCPercent(73))

	calls := 0
	_, err = Measure(t.Context(), Plan{Iterations: 1, Memory: true}, func() (any, error) {
		if calls++; calls == 4 {
			return nil, errors.New("fails while the collector is off")
		}
		return nil, nil
	})
	require.Error(t, err)
	assert.Equal(t, 73, debug.SetGCPercent(73))
}

func TestTheLastAnswerOutlivesLargeBatches(t *testing.T) {
	const large = 2_000_000 // so that collections come between the batches
	m, err := Measure(t.Context(), Plan{Iterations: 100, Memory: true}, func() (any, error) { return make([]byte, large), nil })
	require.NoError(t, err)
	assert.Len(t, m.LastAnswer, large)
}
