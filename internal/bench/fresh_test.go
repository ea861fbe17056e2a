package bench

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheFirstCallIsTimedApartFromTheWarmOnes(t *testing.T) {
	calls := 0
	f, err := FirstCall(func() (any, error) {
		if calls++; calls == 1 {
			delay(5_000_000)
		}
		return nil, nil
	})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, calls, 2)
	assert.LessOrEqual(t, calls, 1+warmCalls)
	assert.Positive(t, f.Warm)
	assert.Less(t, f.Warm, f.First)
	if runtime.GOOS == "linux" {
		assert.Empty(t, f.PeakMissing)
		assert.Positive(t, f.StartRSS)
		assert.GreaterOrEqual(t, f.PeakRSS, f.StartRSS)
	} else {
		assert.NotEmpty(t, f.PeakMissing)
	}
	_, err = FirstCall(func() (any, error) { return nil, errBad })
	require.ErrorIs(t, err, errBad)
}

func TestThePeakIncludesFreedMemory(t *testing.T) {
	before, why := peakRSS()
	if why != "" {
		t.Skip(why)
	}
	const size = 96 << 20
	block := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		block[i] = 1
	}
	runtime.KeepAlive(block)
	block = nil
	runtime.GC()
	after, _ := peakRSS()
	assert.GreaterOrEqual(t, after, uint64(size), "before: %d", before)
}

// Where DropCache gives no error, nothing of the file is in the cache.
func TestDropCacheEmptiesThePageCacheOfFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "weights")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("x", 1<<20)), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "empty"), nil, 0o644))
	if err := DropCache(dir); err != nil {
		t.Skipf("not here: %v", err)
	}
	_, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, DropCache(dir), "a file that was read again is dropped again")
	require.Error(t, DropCache(filepath.Join(dir, "missing")))
}

func TestBoundsOnConcurrencyGrowthAndAFreshProcess(t *testing.T) {
	cold := Seconds(0.03)
	m := &Measurement{
		Calls:        upTo(100),
		Concurrency:  &Concurrency{Callers: 8, Calls: upTo(100), Throughput: 1500, Alone: 1000},
		Growth:       &Growth{Points: points(func(b float64) float64 { return b * 1e-9 }, 1e6, 1e7), Exponent: 1.1},
		FreshProcess: &FreshProcess{StartRSS: 10e6, PeakRSS: 30e6, First: 0.02, Warm: 0.001, Cold: &cold},
	}
	for _, c := range []struct {
		held, exceeded, says string
	}{
		{"throughput at least 1500 operations per second", "throughput at least 1501 operations per second",
			"throughput is 1500 operations per second, bound: at least 1501 operations per second (8 callers at once, in the best of 5 rounds"},
		{"scaling at least 1.5", "the throughput is at least 1.6 times that of one caller", "scaling is 1.5, bound: at least 1.6"},
		{"growth exponent below 1.2", "the latency grows with an exponent below 1.1", "growth exponent is 1.1, bound: below 1.1 (fastest call at 1 MB 1 ms (of 9), at 10 MB 10 ms (of 9))"},
		{"first latency below 21 ms", "first latency below 20 ms", "first latency is 20 ms, bound: below 20 ms (a process of its own: first call 20 ms, warm 1 ms, cold 30 ms, peak 30 MB of which 10 MB before the call)"},
		{"cold latency below 31 ms", "cold latency below 20 ms", "cold latency is 30 ms"},
		{"peak resident memory below 31 MB", "the peak resident memory is below 20 MB", "peak resident memory is 30 MB, bound: below 20 MB"},
	} {
		b, err := ParseBound(c.held)
		require.NoError(t, err)
		assert.Equal(t, c.held, b.String())
		j, err := b.Check(m, nil)
		require.NoError(t, err)
		assert.True(t, j.Held)
		assert.LessOrEqual(t, j.LimitShare(), 1.0)
		b, err = ParseBound(c.exceeded)
		require.NoError(t, err)
		j, err = b.Check(m, nil)
		require.ErrorIs(t, err, ErrExceeded)
		require.ErrorContains(t, err, c.says)
		assert.False(t, j.Held)
		assert.GreaterOrEqual(t, j.LimitShare(), 1.0)
		var exceeded *ExceededError
		require.ErrorAs(t, err, &exceeded)
		assert.NotEmpty(t, exceeded.Hint())
		_, err = b.Check(&Measurement{Calls: upTo(3)}, nil)
		require.ErrorIs(t, err, ErrNotMeasured)
	}
	_, err := ThroughputAtLeast("0")
	require.ErrorContains(t, err, `everything is at least "0"`)

	m.FreshProcess = &FreshProcess{ColdMissing: "not allowed here", PeakMissing: "not told"}
	for text, why := range map[string]string{"cold latency below 1 s": "not allowed here", "peak resident memory below 1 GB": "not told"} {
		b, err := ParseBound(text)
		require.NoError(t, err)
		_, err = b.Check(m, nil)
		require.ErrorContains(t, err, why)
	}
}

func TestConcurrencyGrowthAndAFreshProcessHaveTheirKeys(t *testing.T) {
	cold := Seconds(0.03)
	m := &Measurement{
		Plan: Plan{Iterations: 2}, Calls: upTo(2),
		Concurrency:  &Concurrency{Callers: 8, Calls: upTo(100), Throughput: 1500, Alone: 1000},
		Growth:       &Growth{Points: []Point{{Bytes: 1e6, Floor: 0.001, Calls: 3, Median: 0.002}}, Exponent: 1.1},
		FreshProcess: &FreshProcess{StartRSS: 10e6, PeakRSS: 30e6, First: 0.02, Warm: 0.001, Cold: &cold},
	}
	f, err := NewFile([]Result{*NewResult(Key{Benchmark: "a"}, "x", m, nil)}, origin())
	require.NoError(t, err)
	f.Selection, f.Interrupted = "--category x", true
	var out strings.Builder
	require.NoError(t, f.Encode(&out))
	golden(t, "measurements.golden.json", []byte(out.String()))
	again, err := Read(strings.NewReader(out.String()), "f")
	require.NoError(t, err)
	assert.True(t, again.Interrupted)
	assert.Equal(t, "--category x", again.Selection)
	want, _ := json.Marshal(f.Results[0])
	got, _ := json.Marshal(again.Results[0])
	assert.JSONEq(t, string(want), string(got))
}
