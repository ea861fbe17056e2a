package bench

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorded reads what one build measured twice, on two virtual cores that others
// used fully at the time (load average 13):
//
//	omniloader run --category regression --save-baseline testdata/recorded_1.json
func recorded(t *testing.T) (old, now *File) {
	t.Helper()
	old, err := ReadFile("testdata/recorded_1.json")
	require.NoError(t, err)
	now, err = ReadFile("testdata/recorded_2.json")
	require.NoError(t, err)
	return old, now
}

func TestARecordedRunAgainstAnotherIsNeutral(t *testing.T) {
	old, now := recorded(t)
	for _, pair := range [][2]*File{{old, now}, {now, old}, {old, old}} {
		c, err := Compare(pair[0], pair[1], DefaultThreshold)
		require.NoError(t, err)
		assert.Equal(t, 9, c.Counts[Neutral])
		assert.Empty(t, c.Notes)
	}
}

func TestASlowdownOfARecordedRunIsFound(t *testing.T) {
	for factor, want := range map[float64]Verdict{1.10: Red, 1.20: Red, 1.02: Neutral, 0.98: Neutral, 0.85: Green} {
		old, now := recorded(t)
		for i := range now.Results {
			for _, p := range now.Results[i].Processes {
				for j := range p.RoundMin {
					p.RoundMin[j] *= factor
				}
			}
		}
		c, err := Compare(old, now, DefaultThreshold)
		require.NoError(t, err)
		assert.Equal(t, 9, c.Counts[want], factor)
	}
}

func TestTheMeansOfTheSameRecordingsGiveFalseAlarms(t *testing.T) {
	old, now := recorded(t)
	for _, f := range []*File{old, now} {
		for i := range f.Results {
			f.Results[i].Processes = nil
		}
	}
	c, err := Compare(old, now, DefaultThreshold)
	require.NoError(t, err)
	assert.Less(t, c.Counts[Neutral], 9, "nothing changed between the two")
	assert.Contains(t, c.Notes[len(c.Notes)-1], "judged by mean times")
}
