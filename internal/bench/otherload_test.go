package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOtherLoadIsTheShareOfOtherProgramsAndOfTheHost(t *testing.T) {
	before, ok := parseCPUTimes("cpu  100 0 100 700 50 10 40 0 0 0\ncpu0 1 2 3\n")
	require.True(t, ok)
	now, ok := parseCPUTimes("cpu  500 0 200 1000 50 10 40 200 0 0\n")
	require.True(t, ok)
	before.at, now.at = time.Unix(100, 0), time.Unix(105, 0) // two processors, five seconds: 1000 ticks
	now.own = 2.5
	environment := map[string]any{}
	now.addLoadSince(before, environment)
	assert.Equal(t, map[string]any{StealKey: 0.2, OtherCPUKey: 0.5}, environment, "5 s were used, 2.5 s of them by this program")

	for _, text := range []string{"", "cpu", "cpu 1 2 3", "intr 5"} {
		_, ok := parseCPUTimes(text)
		assert.False(t, ok, text)
	}
}

func TestABusyMachineIsAWarning(t *testing.T) {
	now := sampled("x", 100, 5, 1000)
	now.Environment[StealKey], now.Environment[OtherCPUKey] = 0.25, 1.6
	c, err := Compare(sampled("x", 100, 5, 1000), now, DefaultThreshold)
	require.NoError(t, err)
	assert.Equal(t, []string{"new: the host gave 25 % of the processors' time to other machines", "new: other processes kept 1.6 processors busy meanwhile"}, c.Notes)
	assert.Equal(t, Neutral, c.Changes[0].Verdict)

	now.Environment[StealKey], now.Environment[OtherCPUKey] = 0.2, 1.5
	c, err = Compare(sampled("x", 100, 5, 1000), now, DefaultThreshold)
	require.NoError(t, err)
	assert.Empty(t, c.Notes)
}

func TestAnotherGOGCIsNotCompared(t *testing.T) {
	now := sampled("x", 100, 5, 1000)
	now.Environment["gogc"] = "off"
	change := verdictOf(t, sampled("x", 100, 5, 1000), now)
	assert.Equal(t, NotComparable, change.Verdict)
	assert.Equal(t, "GOGC: 100 and off", change.Reason)
	now.Environment["gogc"] = "100"
	assert.Equal(t, Neutral, verdictOf(t, sampled("x", 100, 5, 1000), now).Verdict, "the default value, written out")
}
