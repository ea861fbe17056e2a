package bench

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKeysOfEarlierVersionsAreRead(t *testing.T) {
	const earlier = `{"environment": {"layout": "abc"}, "results": [{"name": "a", "mean_time": 1, "looks": 3,
		"processes": [{"layout_seed": 7, "batch_n": 2, "round_min_ns": [5], "weather_ns": [1, 2], "yardstick_ns": 0.5}]}]}`
	f, err := Read(strings.NewReader(earlier), "earlier.json")
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"link_order": "abc"}, f.Environment)
	assert.Equal(t, 3, f.Results[0].TimesMeasured)
	want := Process{LinkSeed: 7, BatchCalls: 2, RoundMin: []float64{5}, Contention: []float64{1, 2}, Yardstick: 0.5}
	assert.Equal(t, []Process{want}, f.Results[0].Processes)

	var written strings.Builder
	require.NoError(t, f.Encode(&written))
	for _, key := range []string{"weather_ns", "layout_seed", "looks", "layout"} {
		assert.NotContains(t, written.String(), `"`+key+`"`)
	}
	again, err := Read(strings.NewReader(written.String()), "written.json")
	require.NoError(t, err)
	assert.Equal(t, f.Environment, again.Environment)
	assert.Equal(t, f.Results[0].TimesMeasured, again.Results[0].TimesMeasured)
	assert.Equal(t, f.Results[0].Processes, again.Results[0].Processes)
}

func TestSamplesOfAnEarlierProgramAreRead(t *testing.T) {
	var s Samples
	require.NoError(t, json.Unmarshal([]byte(`{"version": 2, "benchmarks": [{"name": "a", "process": {"batch_n": 2, "round_min_ns": [5], "weather_ns": [1, 2]}}]}`), &s))
	assert.Equal(t, Process{BatchCalls: 2, RoundMin: []float64{5}, Contention: []float64{1, 2}}, s.Benchmarks[0].Process)
	assert.Error(t, json.Unmarshal([]byte(`{"benchmarks": [{"process": {"round_min_ns": "fast"}}]}`), &s))
}

func TestThePresentKeyIsReadWhereBothAreThere(t *testing.T) {
	const both = `{"environment": {"layout": "abc", "link_order": "def"}, "results": [{"name": "a", "mean_time": 1, "looks": 3, "times_measured": 2,
		"processes": [{"layout_seed": 7, "link_seed": 8, "round_min_ns": [5], "weather_ns": [1, 2], "contention_ns": [3, 4]}]}]}`
	f, err := Read(strings.NewReader(both), "both.json")
	require.NoError(t, err)
	assert.Equal(t, "def", f.Environment[LinkOrderKey])
	assert.Equal(t, 2, f.Results[0].TimesMeasured)
	assert.Equal(t, []Process{{LinkSeed: 8, RoundMin: []float64{5}, Contention: []float64{3, 4}}}, f.Results[0].Processes)
}
