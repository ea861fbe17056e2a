package report

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchfmt"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
)

// benchRead is what benchstat reads from a text: its results, and units by key.
type benchRead struct {
	results []*benchfmt.Result
	units   map[string]string
}

func readBench(t *testing.T, text string) benchRead {
	t.Helper()
	read := benchRead{units: map[string]string{}}
	r := benchfmt.NewReader(strings.NewReader(text), "run.txt")
	for r.Scan() {
		switch record := r.Result().(type) {
		case *benchfmt.Result:
			read.results = append(read.results, record.Clone())
		case *benchfmt.UnitMetadata:
			read.units[record.OrigUnit+" "+record.Key] = record.Value
		default:
			t.Fatalf("benchstat would complain: %v", record)
		}
	}
	require.NoError(t, r.Err())
	return read
}

// value gives a value of a result in the unit it was written in.
func value(t *testing.T, r *benchfmt.Result, unit string) float64 {
	t.Helper()
	for _, v := range r.Values {
		if v.Unit == unit {
			return v.Value
		}
		if v.OrigUnit == unit {
			return v.OrigValue
		}
	}
	t.Fatalf("%s has no %s: %v", r.Name, unit, r.Values)
	return 0
}

// sampled gives every benchmark of a run the samples of so many processes.
func sampled(run *outcome.Run, processes int) {
	for _, s := range scenarios(run) {
		if s.Benchmark != nil {
			for i := range processes {
				floor := 3071.4 + float64(i)
				s.Benchmark.Processes = append(s.Benchmark.Processes, bench.Process{BatchCalls: 17, RoundMin: []float64{floor + 5, floor, floor + 2}})
			}
		}
	}
}

func TestBenchfmt(t *testing.T) {
	golden(t, "benchfmt.golden.txt", []byte(render(t, Benchfmt, sample(t), Options{})))
	run := sample(t)
	sampled(run, 2)
	golden(t, "benchfmt_sampled.golden.txt", []byte(render(t, Benchfmt, run, Options{})))
}

func TestBenchstatReadsSingleCalls(t *testing.T) {
	run := sample(t)
	first := run.Features[0].Scenarios[0].Benchmark
	first.Concurrency = &bench.ConcurrencyResult{Callers: 8, Iterations: 800, Throughput: 61000, MeanTime: 120e-6, MedianTime: 100e-6, P95Time: 300e-6, P99Time: 1e-3}
	cold := bench.Seconds(2e-3)
	first.FreshProcess = &bench.FreshProcess{First: 1e-3, PeakRSS: 21_000_000, Cold: &cold}
	read := readBench(t, render(t, Benchfmt, run, Options{}))
	var names []string
	for _, r := range read.results {
		names = append(names, string(r.Name))
	}
	assert.Equal(t, []string{
		"Detection/scenario=architecture_detection_llama-2", "Detection/scenario=architecture_detection_llama/callers=8-2",
		"Detection/scenario=architecture_detection_llama/call=first-2", "Detection/scenario=architecture_detection_llama/call=cold-2",
		"Detection/scenario=architecture_detection_qwen-2", "Detection/scenario=category_detection_diffusers-2",
		"Sae/scenario=sae_detection_sae_resid_post-2",
	}, names)
	llama := read.results[0]
	assert.Equal(t, 100, llama.Iters)
	assert.InDelta(t, 50500, value(t, llama, "ns/op"), 1e-6, "the mean")
	assert.InDelta(t, 95000, value(t, llama, "p95-ns/op"), 1e-6)
	assert.Equal(t, 2128.0, value(t, llama, "B/op"))
	assert.Equal(t, 11.0, value(t, llama, "allocs/op"))
	assert.InDelta(t, 61000, value(t, read.results[1], "calls/s"), 1e-6)
	assert.InDelta(t, 300e3, value(t, read.results[1], "p95-ns/op"), 1e-6)
	assert.InDelta(t, 1e6, value(t, read.results[1], "p99-ns/op"), 1e-6, "800 calls can tell it, and 100 cannot")
	assert.Equal(t, 21e6, value(t, read.results[2], "peak-RSS-bytes"))
	assert.Equal(t, 1, read.results[3].Iters)
	for _, v := range append(llama.Values, read.results[4].Values...) {
		assert.NotEqual(t, "p99-ns/op", v.OrigUnit)
	}
	for _, v := range read.results[4].Values {
		assert.NotEqual(t, "p95-ns/op", v.OrigUnit, "20 calls cannot tell it")
	}
	for _, v := range read.results[5].Values {
		assert.NotEqual(t, "B/op", v.Unit, "not measured")
	}
	for key, want := range map[string]string{"goos": "linux", "goarch": "amd64", "pkg": "omniloader", "cpu": "AMD EPYC 7763", "timing": timingCalls, "commit": "", "date": ""} {
		assert.Equal(t, want, llama.GetConfig(key), key)
	}
	assert.Equal(t, "exact", read.units["B/op assume"])
	assert.Equal(t, "lower", read.units["p95-ns/op better"])
	assert.Equal(t, "higher", read.units["calls/s better"])
}

func TestBenchstatReadsALineForEachProcess(t *testing.T) {
	run := sample(t)
	sampled(run, 3)
	read := readBench(t, render(t, Benchfmt, run, Options{}))
	require.Len(t, read.results, 12, "four benchmarks in three processes")
	for i := range 3 {
		assert.Equal(t, "Detection/scenario=architecture_detection_llama-2", string(read.results[i].Name))
		assert.Equal(t, 3, read.results[i].Iters)
		assert.InDelta(t, 3071.4+float64(i), value(t, read.results[i], "ns/op"), 1e-6)
		assert.Equal(t, 2128.0, value(t, read.results[i], "B/op"))
	}
	assert.Equal(t, timingFloors, read.results[0].GetConfig("timing"))
}

func TestBenchmarkNamesForBenchstatAreUnique(t *testing.T) {
	run := sample(t)
	names := []string{"a b", "a_b", "a/b", `a\x2fb`}
	for i, s := range []int{0, 1, 4} {
		run.Features[0].Scenarios[s].Benchmark.Name = names[i]
	}
	run.Features[1].Scenarios[0].Benchmark.Name, run.Features[1].Scenarios[0].Benchmark.Category = names[3], "detection"
	var got []string
	for _, r := range readBench(t, render(t, Benchfmt, run, Options{})).results {
		got = append(got, strings.TrimPrefix(string(r.Name), "Detection/scenario="))
	}
	assert.Equal(t, []string{"a_b-2", "a_b#01-2", `a\x2fb-2`, `a\x2fb#01-2`}, got)
}

func TestSpecialCharactersInNamesAreEscapedForBenchstat(t *testing.T) {
	for _, s := range append(specialTexts, "ünlaut", "3d", "日本", "a-3", "-", "Unit", "x=y") {
		run := sample(t)
		run.Origin.Environment["cpu"] = s
		for _, f := range run.Features {
			for _, sc := range f.Scenarios {
				if sc.Benchmark != nil {
					sc.Benchmark.Name, sc.Benchmark.Category = s, s
				}
			}
		}
		read := readBench(t, render(t, Benchfmt, run, Options{}))
		require.Len(t, read.results, 4, "%q", s)
		for _, r := range read.results {
			base, parts := r.Name.Parts()
			first, _ := utf8.DecodeRune(base)
			assert.True(t, unicode.IsUpper(first), "%q", base)
			require.Len(t, parts, 2, "%q", r.Name)
			assert.Equal(t, "-2", string(parts[1]))
			assert.Contains(t, string(parts[0]), "/scenario=")
		}
	}
}

func TestBenchfmtSaysWhenNothingWasMeasured(t *testing.T) {
	text := render(t, Benchfmt, &outcome.Run{Started: began}, Options{})
	assert.Contains(t, text, "# nothing was measured\n")
	assert.Empty(t, readBench(t, text).results)
	unmeasured := sample(t)
	for _, s := range scenarios(unmeasured) {
		if s.Benchmark != nil {
			s.Benchmark.Iterations = 0
		}
	}
	assert.Empty(t, readBench(t, render(t, Benchfmt, unmeasured, Options{})).results)
}
