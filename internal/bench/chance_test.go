package bench

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestABoundFailsFromACountThatChanceDoesNotReach(t *testing.T) {
	for q, want := range map[float64][]int{
		0.95: {12, 19, 32, 68},
		0.99: {5, 7, 10, 19},
		0.5:  {63, 117, 224, 538},
	} {
		for i, n := range []int{100, 200, 400, 1000} {
			assert.Equal(t, want[i], failingCount(n, q), "%v of %d calls", q, n)
		}
	}
}

func TestAllCallsOverABoundAlwaysFailIt(t *testing.T) {
	for _, q := range []float64{0.5, 0.95, 0.99} {
		for n := 1; n < 20; n++ {
			k := failingCount(n, q)
			assert.GreaterOrEqual(t, k, 1)
			assert.LessOrEqual(t, k, n)
		}
	}
	assert.Equal(t, 3, failingCount(3, 0.5), "3 calls are too few to fail the median otherwise")
}

func TestCallsNeededForAPercentile(t *testing.T) {
	assert.Equal(t, 5, callsNeeded(0.5))
	assert.Equal(t, 59, callsNeeded(0.95))
	assert.Equal(t, 299, callsNeeded(0.99))
}
