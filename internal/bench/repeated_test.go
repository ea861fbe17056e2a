package bench

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exceeding checks a bound that calls which all take the same time exceed.
func exceeding(t *testing.T, text string, each time.Duration) *ExceededError {
	t.Helper()
	b, err := ParseBound(text)
	require.NoError(t, err)
	_, err = b.Check(&Measurement{Calls: slices.Repeat([]time.Duration{each}, 100)}, nil)
	var exceeded *ExceededError
	require.ErrorAs(t, err, &exceeded)
	return exceeded
}

func TestARepeatedlyExceededBoundNamesTheFigureOfEachMeasurement(t *testing.T) {
	exceeded := []*ExceededError{
		exceeding(t, "p95 latency below 2 ms", 3*time.Millisecond),
		exceeding(t, "p95 latency below 2 ms", 4*time.Millisecond),
		exceeding(t, "mean latency below 1 ms", 5*time.Millisecond),
	}
	err := &RepeatedError{exceeded}
	assert.EqualError(t, err, exceeded[0].Error()+"; measured 3 times, never within the bounds: p95 latency 3 ms with 100 calls over, p95 latency 4 ms with 100 calls over, mean latency 5 ms")
	assert.Equal(t, "measured 4 times, and within the bounds the last time only; before: p95 latency 3 ms with 100 calls over (bound: below 2 ms), "+
		"p95 latency 4 ms with 100 calls over (bound: below 2 ms), mean latency 5 ms (bound: below 1 ms)", err.RecoveryNote())
	assert.ErrorIs(t, err, ErrExceeded)
	var first *ExceededError
	require.ErrorAs(t, err, &first)
	assert.Same(t, exceeded[0], first)
	assert.Equal(t, "even the fastest call of 3 measurements took 3 ms: the operation is slower than the bound allows, or a machine of this kind is too slow for it", err.Hint())
	assert.EqualError(t, &RepeatedError{exceeded[:1]}, exceeded[0].Error())
}

func TestTheHintIsABusyMachineWhereOneMeasurementWasFast(t *testing.T) {
	slow := exceeding(t, "p95 latency below 2 ms", 3*time.Millisecond)
	b, err := ParseBound("p95 latency below 2 ms")
	require.NoError(t, err)
	_, err = b.Check(&Measurement{Calls: append(slices.Repeat([]time.Duration{3 * time.Millisecond}, 99), time.Millisecond)}, nil)
	var mixed *ExceededError
	require.True(t, errors.As(err, &mixed))
	assert.NotContains(t, (&RepeatedError{[]*ExceededError{slow, mixed}}).Hint(), "slower than the bound allows")
	assert.Contains(t, slow.Hint(), "one measurement of 300 ms does not tell", "a slow phase may last longer")
}

func TestABoundIsFragileOnlyIfEveryMeasurementSaysSo(t *testing.T) {
	measured := func(fastest time.Duration, bounds ...string) *Result {
		r := &Result{}
		for _, text := range bounds {
			b, err := ParseBound(text)
			require.NoError(t, err)
			j, err := b.Check(&Measurement{Calls: slices.Repeat([]time.Duration{fastest}, 100)}, nil)
			require.NoError(t, err)
			r.Bounds = append(r.Bounds, j)
		}
		return r
	}
	const near, far = "median latency below 4.5 ms", "p95 latency below 20 ms"
	r := measured(2*time.Millisecond, near, far)
	require.True(t, r.HasFragileBound())
	r.DropUnconfirmedNotes(measured(1600*time.Microsecond, near, far))
	assert.NotEmpty(t, r.Bounds[0].Note, "near in both")
	assert.Empty(t, r.Bounds[1].Note)
	r.DropUnconfirmedNotes(&Result{})
	assert.True(t, r.HasFragileBound(), "it failed before that bound was judged")
	r.DropUnconfirmedNotes(measured(time.Millisecond, near))
	assert.False(t, r.HasFragileBound())
}

func TestOnlyTimesAreMeasuredAgain(t *testing.T) {
	assert.True(t, exceeding(t, "p95 latency below 2 ms", 3*time.Millisecond).Repeatable())
	b, err := ParseBound("no more than 1 allocation per call")
	require.NoError(t, err)
	_, err = b.Check(&Measurement{Calls: upTo(1), Memory: &Memory{AllocsPerCall: 2}}, nil)
	var exceeded *ExceededError
	require.ErrorAs(t, err, &exceeded)
	assert.False(t, exceeded.Repeatable())
}
