package bench

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// under gives processes of one floor each, in their weather.
func under(floor float64, weather ...float64) []Process {
	var all []Process
	for _, w := range weather {
		p := Process{RoundMin: []float64{floor, floor, floor, floor}}
		if w > 0 {
			p.Contention = []float64{w, w}
		}
		all = append(all, p)
	}
	return all
}

func TestAProcessWithoutACoreForItselfIsNoEvidence(t *testing.T) {
	for name, c := range map[string]struct {
		old, new []Process
		want     Verdict
		reason   string
	}{
		"clear":                       {under(100, 1, 1), under(120, 1, 1.04), Red, ""},
		"the clock is slower":         {under(100, 1, 1), under(120, 1.1, 1.1), Red, ""},
		"clouded, and slower":         {under(100, 1, 1), under(140, 1.4, 1.4), Unconverged, clouded},
		"clouded, and more than slow": {under(100, 1, 1), under(301, 1.4, 1.4), Red, ""},
		"clouded, and as fast":        {under(100, 1, 1), under(100, 1.4, 1.4), Unconverged, clouded},
		"one of two clouded":          {under(100, 1, 1), append(under(120, 1), under(140, 1.4)...), Unconverged, clouded},
		"cleared up":                  {under(100, 1, 1), append(under(140, 1.4, 1.4), under(101, 1, 1)...), Neutral, ""},
		"cleared up, and slower":      {under(100, 1, 1), append(under(140, 1.4, 1.4), under(110, 1, 1)...), Red, ""},
		"one of the baseline clouded": {append(under(100, 1), under(150, 1.5)...), under(120, 1, 1), Red, ""},
		"the baseline clouded":        {under(140, 1.4, 1.4), under(120, 1, 1), Unconverged, clouded},
		"not known on the old side":   {under(100, 0, 0), under(120, 1, 1), Red, ""},
		"three clear rounds are enough": {under(100, 1, 1), []Process{
			{RoundMin: []float64{120, 120, 120, 190}, Contention: []float64{1, 1.1}}, {RoundMin: []float64{120, 120, 120, 190}, Contention: []float64{1, 1.1}},
		}, Red, ""},
	} {
		v, _, reason := judgeFloors(sameBuild, c.old, c.new, DefaultThreshold)
		assert.Equal(t, c.want, v, name)
		assert.Equal(t, c.reason, reason, name)
	}
	v, _, _ := judgeFloors(layouts, under(100, 1, 1, 1, 1), under(120, 1.4, 1.4, 1.4, 1.4), DefaultThreshold)
	assert.Equal(t, Red, v, "sides that take turns have the same weather")
}

func TestCloudsAreLookedAtAgain(t *testing.T) {
	old, now := sampled("x", 100, 5, 1000), sampled("x", 140, 5, 1000)
	old.Results[0].Processes, now.Results[0].Processes = under(100, 1, 1), under(140, 1.4, 1.4)
	c, err := Compare(old, now, DefaultThreshold)
	require.NoError(t, err)
	assert.Equal(t, Unconverged, c.Changes[0].Verdict)
	assert.True(t, c.NeedsConfirmation())

	now.Results[0].Processes = append(now.Results[0].Processes, under(100, 1, 1)...)
	c, err = Compare(old, now, DefaultThreshold)
	require.NoError(t, err)
	assert.Equal(t, Neutral, c.Changes[0].Verdict)
	assert.False(t, c.NeedsConfirmation())
}

func TestTheWeatherIsSampled(t *testing.T) {
	s, err := TakeSamples(t.Context(), quick(), []Operation{new(layings).subject("a", nil)}, SampleOptions{})
	require.NoError(t, err)
	w := s.Benchmarks[0].Process.Contention
	require.Len(t, w, 2)
	assert.Positive(t, w[0])
	assert.GreaterOrEqual(t, w[1], w[0])

	_, err = Read(bytes.NewReader([]byte(`{"results":[{"name":"a","mean_time":1,"processes":[{"round_min_ns":[1],"weather_ns":[1]}]}]}`)), "a.json")
	assert.ErrorContains(t, err, "weather_ns of process 1 has 1 times")
	_, err = Read(bytes.NewReader([]byte(`{"results":[{"name":"a","mean_time":1,"processes":[{"round_min_ns":[1],"weather_ns":[1,-1]}]}]}`)), "a.json")
	assert.ErrorContains(t, err, "must be finite and not negative")
}
