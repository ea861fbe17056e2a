package bench

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to write it")
	assert.Equal(t, string(want), string(got))
}

func origin() Origin {
	return Origin{
		Time:      time.Date(2026, 1, 30, 9, 0, 0, 0, time.FixedZone("", 3600)),
		GoVersion: "go1.26.8", Platform: "linux/amd64",
		Environment: map[string]any{"cpu": "AMD <EPYC> & co", "cores": 2},
	}
}

func sampleResults() []Result {
	m := &Measurement{
		Plan: Plan{Iterations: 4, Warmup: 2, Memory: true}, Calls: []time.Duration{4560, 3120, 12340, 4320},
		Memory: &Memory{BytesPerCall: 2128, AllocsPerCall: 11, LiveDelta: 52_000, Calls: 4},
	}
	llama := NewResult(Key{Benchmark: "architecture_detection_llama"}, "detection", m, map[string]any{"architecture": "llama"})
	llama.Bounds = []Judgement{{Bound: "mean latency below 1 ms", Metric: MeanLatency, Limit: 0.001, Figure: llama.MeanTime, Held: true}}
	sae := NewResult(Key{Benchmark: "sae_detection_sae_resid_post"}, "sae", &Measurement{Plan: Plan{Iterations: 1}, Calls: []time.Duration{456}}, nil)
	return []Result{*sae, *llama}
}

func TestTheResultsFileMatchesItsGoldenFile(t *testing.T) {
	f, err := NewFile(sampleResults(), origin())
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, f.Encode(&out))
	golden(t, "results.golden.json", out.Bytes())
}

func TestEveryKeyOfTheContractIsWrittenWhateverItsValue(t *testing.T) {
	f, err := NewFile(nil, Origin{})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, f.Encode(&out))
	var doc map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &doc))
	for _, key := range []string{"name", "schema", "timestamp", "platform", "environment", "results", "summary"} {
		assert.NotNil(t, doc[key], key)
	}
	assert.Equal(t, map[string]any{"total_benchmarks": 0.0, "categories": []any{}}, doc["summary"])

	data, err := json.Marshal(Result{})
	require.NoError(t, err)
	var result map[string]any
	require.NoError(t, json.Unmarshal(data, &result))
	for _, key := range strings.Fields("name category iterations total_time mean_time median_time std_dev min_time max_time p95_time p99_time memory_delta_mb metadata") {
		assert.Contains(t, result, key)
	}
}

func TestAWrittenFileIsReadBackTheSame(t *testing.T) {
	f, err := NewFile(sampleResults(), origin())
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "results.json")
	require.NoError(t, f.Write(path))
	got, err := ReadFile(path)
	require.NoError(t, err)
	assert.Empty(t, got.Notes)
	for i := range f.Results {
		f.Results[i].Measurement = nil
	}
	got.Environment["cores"] = 2 // JSON has one kind of number
	assert.Equal(t, f, got)
	assert.Equal(t, uint64(11), *got.Result(Key{Benchmark: "architecture_detection_llama"}).AllocsPerOp)
	assert.Nil(t, got.Result(Key{Benchmark: "sae_detection_sae_resid_post"}).AllocsPerOp, "not measured is not zero")
	assert.Nil(t, got.Result(Key{Benchmark: "lost"}))
}

func TestMemoryThatWasNotMeasuredIsNoFigure(t *testing.T) {
	metadata := map[string]any{"operation": "model info"}
	without := &Measurement{Calls: []time.Duration{1000}}
	with := &Measurement{Calls: []time.Duration{1000}, Memory: &Memory{BytesPerCall: 100, AllocsPerCall: 2, LiveDelta: 7_000_000}}
	r := NewResult(Key{Benchmark: "a"}, "", without, metadata)
	assert.Zero(t, r.MemoryDeltaMB)
	assert.Equal(t, map[string]any{"operation": "model info", "memory": "not measured"}, r.Metadata)
	assert.Equal(t, map[string]any{"operation": "model info"}, metadata, "the metadata given stay as they are")
	measured := NewResult(Key{Benchmark: "a"}, "", with, r.Metadata)
	assert.Equal(t, 7.0, measured.MemoryDeltaMB)
	assert.NotContains(t, measured.Metadata, "memory", "measured again, with memory")

	now, err := NewFile([]Result{*measured}, origin())
	require.NoError(t, err)
	for name, baseline := range map[string]string{
		"ours":        `{"schema": 2, "results": [{"name": "a", "mean_time": 0.000001, "memory_delta_mb": 0, "metadata": {"memory": "not measured"}}]}`,
		"predecessor": `{"python_version": "3.11", "results": [{"name": "a", "mean_time": 0.000001, "memory_delta_mb": 0.0, "metadata": {}}]}`,
	} {
		old, err := Read(strings.NewReader(baseline), name)
		require.NoError(t, err)
		for _, sides := range [][2]*File{{old, now}, {now, old}} {
			c, err := Compare(sides[0], sides[1], DefaultThreshold)
			require.NoError(t, err)
			assert.Equal(t, Neutral, c.Changes[0].Verdict, name)
		}
	}
	_, err = (Bound{Metric: MemoryDelta, Limit: 1}).Check(without, nil)
	assert.ErrorIs(t, err, ErrNotMeasured)
}

func TestImpossibleResultsAreNotWritten(t *testing.T) {
	two := sampleResults()
	two[1].Name = two[0].Name
	_, err := NewFile(two, origin())
	assert.EqualError(t, err, `two results are named "sae_detection_sae_resid_post"`)

	bad := sampleResults()
	bad[0].P99Time = math.NaN()
	_, err = NewFile(bad, origin())
	assert.EqualError(t, err, `result "sae_detection_sae_resid_post": p99_time is NaN, it must be a finite number`)
}

func TestHeldIsFalseIfAnyBoundFailed(t *testing.T) {
	assert.True(t, (&Result{}).Held())
	assert.True(t, (&Result{Bounds: []Judgement{{Held: true}}}).Held())
	assert.False(t, (&Result{Bounds: []Judgement{{Held: true}, {}}}).Held())
}

func TestHostHasNoEmptyValue(t *testing.T) {
	host := Host()
	assert.Positive(t, host["cores"])
	for key, value := range host {
		assert.NotEqual(t, "", value, key)
	}
	_, err := json.Marshal(host)
	assert.NoError(t, err)
	assert.Contains(t, Platform(), "/")
}
