package bench

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withContention gives processes of one floor, each with a time of the contention probe;
// 0 stands for a process without one.
func withContention(floor float64, probes ...float64) []Process {
	var all []Process
	for _, probe := range probes {
		p := Process{RoundMin: []float64{floor, floor, floor, floor}}
		if probe > 0 {
			p.Contention = []float64{probe, probe}
		}
		all = append(all, p)
	}
	return all
}

func TestAProcessOnASharedCoreIsNotJudged(t *testing.T) {
	for name, c := range map[string]struct {
		old, new []Process
		want     Verdict
		reason   string
	}{
		"not shared":                               {withContention(100, 1, 1), withContention(120, 1, 1.04), Red, ""},
		"the clock is slower":                      {withContention(100, 1, 1), withContention(120, 1.1, 1.1), Red, ""},
		"shared, and slower":                       {withContention(100, 1, 1), withContention(140, 1.4, 1.4), Unconverged, sharedCoreReason},
		"shared, and slower than sharing explains": {withContention(100, 1, 1), withContention(301, 1.4, 1.4), Red, ""},
		"shared, and as fast":                      {withContention(100, 1, 1), withContention(100, 1.4, 1.4), Unconverged, sharedCoreReason},
		"one of two shared":                        {withContention(100, 1, 1), append(withContention(120, 1), withContention(140, 1.4)...), Unconverged, sharedCoreReason},
		"later not shared":                         {withContention(100, 1, 1), append(withContention(140, 1.4, 1.4), withContention(101, 1, 1)...), Neutral, ""},
		"later not shared, and slower":             {withContention(100, 1, 1), append(withContention(140, 1.4, 1.4), withContention(110, 1, 1)...), Red, ""},
		"one of the baseline shared":               {append(withContention(100, 1), withContention(150, 1.5)...), withContention(120, 1, 1), Red, ""},
		"the baseline shared":                      {withContention(140, 1.4, 1.4), withContention(120, 1, 1), Unconverged, sharedCoreReason},
		"not known on the old side":                {withContention(100, 0, 0), withContention(120, 1, 1), Red, ""},
		"three rounds without sharing are enough": {withContention(100, 1, 1), []Process{
			{RoundMin: []float64{120, 120, 120, 190}, Contention: []float64{1, 1.1}}, {RoundMin: []float64{120, 120, 120, 190}, Contention: []float64{1, 1.1}},
		}, Red, ""},
	} {
		v, _, reason := judgeFloors(sameBuild, c.old, c.new, DefaultThreshold)
		assert.Equal(t, c.want, v, name)
		assert.Equal(t, c.reason, reason, name)
	}
	v, _, _ := judgeFloors(linkOrders, withContention(100, 1, 1, 1, 1), withContention(120, 1.4, 1.4, 1.4, 1.4), DefaultThreshold)
	assert.Equal(t, Red, v, "sides that alternate share the core alike")
}

func TestASharedCoreNeedsConfirmation(t *testing.T) {
	old, now := sampled("x", 100, 5, 1000), sampled("x", 140, 5, 1000)
	old.Results[0].Processes, now.Results[0].Processes = withContention(100, 1, 1), withContention(140, 1.4, 1.4)
	c, err := Compare(old, now, DefaultThreshold)
	require.NoError(t, err)
	assert.Equal(t, Unconverged, c.Changes[0].Verdict)
	assert.True(t, c.NeedsConfirmation())

	now.Results[0].Processes = append(now.Results[0].Processes, withContention(100, 1, 1)...)
	c, err = Compare(old, now, DefaultThreshold)
	require.NoError(t, err)
	assert.Equal(t, Neutral, c.Changes[0].Verdict)
	assert.False(t, c.NeedsConfirmation())
}

func TestContentionIsSampled(t *testing.T) {
	s, err := TakeSamples(t.Context(), quickPlan(), []Operation{new(fixtureCounter).operation("a", nil)}, SampleOptions{})
	require.NoError(t, err)
	times := s.Benchmarks[0].Process.Contention
	require.Len(t, times, 2)
	assert.Positive(t, times[0])
	assert.GreaterOrEqual(t, times[1], times[0])

	_, err = Read(bytes.NewReader([]byte(`{"results":[{"name":"a","mean_time":1,"processes":[{"round_min_ns":[1],"contention_ns":[1]}]}]}`)), "a.json")
	assert.ErrorContains(t, err, "contention_ns of process 1 has 1 times")
	_, err = Read(bytes.NewReader([]byte(`{"results":[{"name":"a","mean_time":1,"processes":[{"round_min_ns":[1],"contention_ns":[1,-1]}]}]}`)), "a.json")
	assert.ErrorContains(t, err, "must be finite and not negative")
}
