package bench

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func points(seconds func(bytes float64) float64, sizes ...float64) []Point {
	var all []Point
	for _, s := range sizes {
		all = append(all, Point{Bytes: s, Floor: Seconds(seconds(s)), Calls: 9})
	}
	return all
}

func TestTheExponentOfAPowerLawIsFound(t *testing.T) {
	for _, power := range []float64{0, 0.5, 1, 1.3, 2, 3} {
		e, err := exponent(points(func(b float64) float64 { return 3e-9 * math.Pow(b, power) }, 1e6, 1e7, 5e7))
		require.NoError(t, err)
		assert.InDelta(t, power, e, 1e-9)
	}
}

func TestTheExponentDoesNotDependOnUnits(t *testing.T) {
	times := func(b float64) float64 { return 1e-3 + 2e-9*b + 1e-16*b*b }
	a, err := exponent(points(times, 1e6, 1e7, 5e7))
	require.NoError(t, err)
	b, err := exponent(points(func(b float64) float64 { return 1000 * times(b) }, 1e6, 1e7, 5e7))
	require.NoError(t, err)
	assert.InDelta(t, a, b, 1e-9)
	worse, err := exponent(points(func(b float64) float64 { return times(b) + 1e-15*b*b }, 1e6, 1e7, 5e7))
	require.NoError(t, err)
	assert.Greater(t, worse, a, "more work for large ones is a larger exponent")
}

func TestGrowthNeedsSizesThatDiffer(t *testing.T) {
	call := func() (any, error) { return nil, nil }
	for _, sizes := range [][]float64{{1e6}, {1e6, 1.5e6}, {1e7, 1e6}, {0, 1}, {math.NaN(), 1}} {
		var all []SizedOperation
		for _, s := range sizes {
			all = append(all, SizedOperation{s, call})
		}
		_, err := MeasureGrowth(t.Context(), all)
		assert.Error(t, err, sizes)
	}
	_, err := exponent(points(func(float64) float64 { return 0 }, 1, 2))
	assert.ErrorContains(t, err, "too short for the clock")
}

func TestGrowthIsMeasuredOverSizes(t *testing.T) {
	work := func(n int) func() (any, error) {
		return func() (any, error) { delay(n); return nil, nil }
	}
	g, err := MeasureGrowth(t.Context(), []SizedOperation{{1e4, work(1e4)}, {1e5, work(1e5)}, {1e6, work(1e6)}})
	require.NoError(t, err)
	require.Len(t, g.Points, 3)
	assert.GreaterOrEqual(t, g.Points[2].Calls, minGrowthCalls)
	assert.Contains(t, g.String(), "10 kB ")
	_, err = MeasureGrowth(t.Context(), []SizedOperation{{1, work(1)}, {2, func() (any, error) { return nil, errBad }}})
	require.ErrorIs(t, err, errBad)
	assert.ErrorContains(t, err, "at 2 B")
}
