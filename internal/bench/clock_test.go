package bench

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// clocked gives processes of one floor each, at their yardsticks.
func clocked(floor float64, yardsticks ...float64) []Process {
	var all []Process
	for _, y := range yardsticks {
		all = append(all, Process{RoundMin: []float64{floor, floor, floor, floor}, Yardstick: y})
	}
	return all
}

func TestFloorsAreComparedAtOneClock(t *testing.T) {
	for name, c := range map[string]struct {
		old, new []Process
		want     Verdict
		ratio    float64
	}{
		"one clock":                        {clocked(100, 1, 1), clocked(108, 1, 1), Red, 1.08},
		"a slower clock explains it":       {clocked(100, 1, 1), clocked(108, 1.04, 1.04), Neutral, 1.08 / 1.04},
		"or does not":                      {clocked(100, 1, 1), clocked(112, 1.04, 1.04), Red, 1.12 / 1.04},
		"a faster clock hid it":            {clocked(100, 1, 1), clocked(104, 0.96, 0.96), Red, 1.04 / 0.96},
		"and makes nothing green":          {clocked(100, 1, 1), clocked(94, 0.96, 0.96), Neutral, 0.94 / 0.96},
		"each process at its own":          {clocked(100, 1, 1), append(clocked(108, 1.04), clocked(104, 1)...), Neutral, 1.08 / 1.04},
		"a yardstick that is not known":    {clocked(100, 1, 0), clocked(108, 1.04, 1.04), Red, 1.08},
		"clocks that are too far apart":    {clocked(100, 1, 1), clocked(115, 1.15, 1.15), Unconverged, 1},
		"which do not explain three times": {clocked(100, 1, 1), clocked(400, 1.15, 1.15), Red, 4 / 1.15},
	} {
		v, ratio, reason := judgeFloors(sameBuild, c.old, c.new, DefaultThreshold)
		assert.Equal(t, c.want, v, name)
		assert.InDelta(t, c.ratio, ratio, 1e-9, name)
		assert.Equal(t, c.want == Unconverged, reason == clockReason, name)
	}
	old := clocked(100, 1, 1.02)
	_, _, _ = judgeFloors(sameBuild, old, clocked(100, 1, 1), DefaultThreshold)
	assert.Equal(t, clocked(100, 1, 1.02), old, "the measured values are not changed")
	v, ratio, _ := judgeFloors(linkOrders, clocked(100, 1, 1, 1, 1), clocked(108, 1.04, 1.04, 1.04, 1.04), DefaultThreshold)
	assert.Equal(t, Red, v, "sides that alternate have the same clock")
	assert.InDelta(t, 1.08, ratio, 1e-9)
}

func TestSamplesHaveTheYardstickOfTheirProcess(t *testing.T) {
	s, err := TakeSamples(t.Context(), quickPlan(), []Operation{new(fixtureCounter).operation("a", nil)}, SampleOptions{})
	require.NoError(t, err)
	assert.Equal(t, s.Yardstick, s.Benchmarks[0].Process.Yardstick)

	_, err = Read(bytes.NewReader([]byte(`{"results":[{"name":"a","mean_time":1,"processes":[{"round_min_ns":[1],"yardstick_ns":-1}]}]}`)), "a.json")
	assert.ErrorContains(t, err, "must be finite and not negative")
}
