package bench

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBoundsAreReadAsScenariosWriteThem(t *testing.T) {
	for _, c := range []struct {
		text  string
		want  Bound
		short string
	}{
		{"the mean latency is below 1 ms", Bound{Metric: MeanLatency, Limit: 0.001}, "mean latency below 1 ms"},
		{"median latency below 300 us", Bound{Metric: MedianLatency, Limit: 300e-6}, "median latency below 300 µs"},
		{"the p95 latency is below 2 ms", Bound{Metric: P95Latency, Limit: 0.002}, "p95 latency below 2 ms"},
		{"the p99 latency is below 2ms", Bound{Metric: P99Latency, Limit: 0.002}, "p99 latency below 2 ms"},
		{"the max latency is below 1 s", Bound{Metric: MaxLatency, Limit: 1}, "max latency below 1 s"},
		{"the min latency is below 40 ns", Bound{Metric: MinLatency, Limit: 40e-9}, "min latency below 40 ns"},
		{"no more than 1 MB is allocated per call", Bound{Metric: BytesPerCall, Limit: 1e6, Inclusive: true}, "no more than 1 MB allocated per call"},
		{"no more than 120 allocations are made per call", Bound{Metric: AllocsPerCall, Limit: 120, Inclusive: true}, "no more than 120 allocations per call"},
		{"no more than 0 allocations are made per call", Bound{Metric: AllocsPerCall, Limit: 0, Inclusive: true}, "no more than 0 allocations per call"},
		{"the memory delta is below 0.5 MB", Bound{Metric: MemoryDelta, Limit: 0.5e6}, "memory delta below 500 kB"},
		{`the median latency is below 3 times that of "architecture_detection_llama"`,
			Bound{Metric: MedianRelative, Limit: 3, Reference: "architecture_detection_llama"},
			`median latency below 3 times that of "architecture_detection_llama"`},
	} {
		got, err := ParseBound(c.text)
		require.NoError(t, err, c.text)
		assert.InDelta(t, c.want.Limit, got.Limit, 1e-12)
		got.Limit = c.want.Limit
		assert.Equal(t, c.want, got, c.text)
		assert.Equal(t, c.short, got.String())
		again, err := ParseBound(got.String())
		require.NoError(t, err)
		assert.Equal(t, got.Metric, again.Metric)
	}
}

func TestABoundThatCannotBeReadSaysWhy(t *testing.T) {
	for text, want := range map[string]string{
		"the p96 latency is below 2 ms":                     `unknown latency figure "p96", did you mean "p95"?`,
		"the average latency is below 2 ms":                 `unknown latency figure "average", known: mean, median, p95, p99, max, min, first, cold`,
		"the p95 latency is below 2":                        `bound on the p95 latency: "2" is no duration: it has no unit, as in "2 ms"`,
		"the p95 latency is below 0 ms":                     `bound on the p95 latency: nothing can be below "0 ms"`,
		"no more than 1 mb is allocated per call":           `bound on the bytes per call: "1 mb" is no size: unknown unit "mb", did you mean "MB"?`,
		"no more than few allocations are made per call":    `bound on the allocations per call: "few" is no number`,
		"no more than -3 allocations are made per call":     `bound on the allocations per call: "-3" is negative`,
		"no more than Inf allocations are made per call":    `bound on the allocations per call: "Inf" is no finite number`,
		`the median latency is below NaN times that of "x"`: `bound on the median latency relative to another benchmark: "NaN" is no finite number`,
	} {
		_, err := ParseBound(text)
		assert.EqualError(t, err, want)
	}
	_, err := ParseBound("it is fast")
	assert.ErrorContains(t, err, `"it is fast" is no bound: write it as "p95 latency below 2 ms"`)
	_, err = MedianBelowTimes("3", "")
	assert.Error(t, err)
}

func TestABoundThatHoldsGivesTheFigure(t *testing.T) {
	m := &Measurement{Calls: upTo(100), Memory: &Memory{BytesPerCall: 1000, AllocsPerCall: 12, LiveDelta: -8, Calls: 100}}
	for text, figure := range map[string]float64{
		"mean latency below 51 ms":             0.0505,
		"p95 latency below 95.1 ms":            0.095,
		"p99 latency below 100 ms":             0.099,
		"max latency below 101 ms":             0.1,
		"min latency below 2 ms":               0.001,
		"no more than 1 kB allocated per call": 1000,
		"no more than 12 allocations per call": 12,
		"memory delta below 1 B":               -8,
	} {
		b, err := ParseBound(text)
		require.NoError(t, err)
		j, err := b.Check(m, nil)
		require.NoError(t, err, text)
		assert.True(t, j.Held)
		assert.InDelta(t, figure, j.Figure, 1e-12, text)
		assert.Equal(t, text, j.Bound)
		assert.Equal(t, b.Limit, j.Limit)
	}
}

func TestAnExceededBoundNamesFigureBoundSamplesAndSpread(t *testing.T) {
	m := &Measurement{Calls: upTo(100), Memory: &Memory{BytesPerCall: 1001, AllocsPerCall: 13, LiveDelta: 2e6, Calls: 100}}
	spread := "(100 calls: floor 1 ms, median 50.5 ms, max 100 ms, std dev 29 ms)"
	for text, want := range map[string]string{
		"p95 latency below 89 ms":              "p95 latency is 95 ms, bound: below 89 ms; 12 of 100 calls over it, chance explains 11 " + spread,
		"mean latency below 2 ms":              "mean latency is 50.5 ms, bound: below 2 ms " + spread,
		"min latency below 500 µs":             "min latency is 1 ms, bound: below 500 µs " + spread,
		"no more than 1 kB allocated per call": "bytes per call is 1.001 kB, bound: no more than 1 kB (exact, the median of 100 calls)",
		"no more than 12 allocations per call": "allocations per call is 13, bound: no more than 12 (exact, the median of 100 calls)",
		"memory delta below 0.5 MB":            "memory delta is 2 MB, bound: below 500 kB (the heap that one answer keeps alive, after garbage collection)",
	} {
		b, err := ParseBound(text)
		require.NoError(t, err)
		j, err := b.Check(m, nil)
		require.ErrorIs(t, err, ErrExceeded, text)
		assert.EqualError(t, err, want)
		assert.False(t, j.Held)
		var exceeded *ExceededError
		require.ErrorAs(t, err, &exceeded)
		assert.Equal(t, j, exceeded.Judgement)
		assert.NotEmpty(t, exceeded.Hint())
	}
}

func TestTheHintIsABusyMachineOrASlowOperation(t *testing.T) {
	m := &Measurement{Calls: upTo(100)}
	for text, want := range map[string]string{
		"p95 latency below 2 ms":   "the machine may have been busy",
		"p95 latency below 0.5 ms": "even the fastest call is over the bound",
	} {
		b, err := ParseBound(text)
		require.NoError(t, err)
		_, err = b.Check(m, nil)
		var exceeded *ExceededError
		require.ErrorAs(t, err, &exceeded)
		assert.Contains(t, exceeded.Hint(), want)
	}
}

func TestABoundRelativeToAnotherBenchmark(t *testing.T) {
	slow := &Measurement{Calls: []time.Duration{30, 30, 30}}
	fast := &Measurement{Calls: []time.Duration{10, 10, 10}}
	reference := func(name string) *Measurement {
		if name == "fast" {
			return fast
		}
		return nil
	}
	check := func(text string) (Judgement, error) {
		b, err := ParseBound(text)
		require.NoError(t, err)
		return b.Check(slow, reference)
	}
	j, err := check(`median latency below 3.1 times that of "fast"`)
	require.NoError(t, err)
	assert.InDelta(t, 3, j.Figure, 1e-12)
	assert.Contains(t, j.Warning, "3 calls are few for the median: with fewer than 5")

	_, err = check(`median latency below 2.5 times that of "fast"`)
	assert.EqualError(t, err, `median latency is 3 times, bound: below 2.5 times that of "fast" (10 ns); 3 of 3 calls over it, chance explains 2 (3 calls: floor 30 ns, median 30 ns, max 30 ns, std dev 0 ns)`)

	_, err = check(`median latency below 2 times that of "lost"`)
	assert.ErrorIs(t, err, ErrNotMeasured, "a bound relative to nothing must not pass")
	assert.ErrorContains(t, err, `benchmark "lost"`)

	b, err := ParseBound(`median latency below 2 times that of "fast"`)
	require.NoError(t, err)
	_, err = b.Check(slow, nil)
	assert.ErrorIs(t, err, ErrNotMeasured)
	_, err = b.Check(slow, func(string) *Measurement { return &Measurement{Calls: []time.Duration{0}} })
	assert.ErrorContains(t, err, "too short for the clock")
}

func TestABoundOnWhatWasNotMeasuredFails(t *testing.T) {
	for _, b := range []Bound{{Metric: BytesPerCall, Limit: 1}, {Metric: AllocsPerCall, Limit: 1}, {Metric: MemoryDelta, Limit: 1}} {
		assert.True(t, b.Metric.NeedsMemory())
		_, err := b.Check(&Measurement{Calls: upTo(1)}, nil)
		assert.ErrorIs(t, err, ErrNotMeasured)
	}
	_, err := Bound{Metric: MeanLatency, Limit: 1}.Check(&Measurement{}, nil)
	assert.ErrorIs(t, err, ErrNotMeasured)
	_, err = Bound{Metric: MeanLatency, Limit: 1}.Check(nil, nil)
	assert.ErrorIs(t, err, ErrNotMeasured)
	_, err = Bound{Metric: "speed", Limit: 1}.Check(&Measurement{Calls: upTo(1)}, nil)
	assert.ErrorContains(t, err, `unknown metric "speed"`)
}

func TestTooFewCallsForThePercentileIsAWarning(t *testing.T) {
	for _, c := range []struct {
		text  string
		calls int
		want  string
	}{
		{"p99 latency below 1 s", 20, "20 calls are few for the p99: with fewer than 299 even the slowest may be below it, at 95 % confidence"},
		{"p99 latency below 1 s", 298, "298 calls are few for the p99: with fewer than 299 even the slowest may be below it, at 95 % confidence"},
		{"p99 latency below 1 s", 299, ""},
		{"p95 latency below 1 s", 58, "58 calls are few for the p95: with fewer than 59 even the slowest may be below it, at 95 % confidence"},
		{"p95 latency below 1 s", 59, ""},
		{"median latency below 1 s", 4, "4 calls are few for the median: with fewer than 5 even the slowest may be below it, at 95 % confidence"},
		{"mean latency below 1 s", 1, ""},
	} {
		b, err := ParseBound(c.text)
		require.NoError(t, err)
		j, err := b.Check(&Measurement{Calls: upTo(c.calls)}, nil)
		require.NoError(t, err)
		assert.Equal(t, c.want, j.Warning, "%s of %d", c.text, c.calls)
	}
}

func TestEveryWarningOfABoundIsKept(t *testing.T) {
	b, err := ParseBound("p99 latency below 2 ms")
	require.NoError(t, err)
	calls := append(slices.Repeat([]time.Duration{time.Millisecond}, 96), slices.Repeat([]time.Duration{9 * time.Millisecond}, 4)...)
	j, err := b.Check(&Measurement{Calls: calls}, nil)
	require.NoError(t, err)
	assert.Equal(t, "p99 latency is 9 ms, over the bound (below 2 ms), in 4 of 100 calls: chance explains up to 4; "+
		"100 calls are few for the p99: with fewer than 299 even the slowest may be below it, at 95 % confidence", j.Warning)
}

func TestABoundOnAPercentileIsJudgedByTheCallsOverIt(t *testing.T) {
	b, err := ParseBound("p95 latency below 2 ms")
	require.NoError(t, err)
	for over, held := range map[int]bool{0: true, 5: true, 6: true, 11: true, 12: false, 100: false} {
		calls := make([]time.Duration, 100)
		for i := range calls {
			calls[i] = time.Millisecond
			if i < over {
				calls[i] = 900 * time.Millisecond // how far over does not matter
			}
		}
		j, err := b.Check(&Measurement{Calls: calls}, nil)
		assert.Equal(t, held, err == nil, over)
		assert.Equal(t, held, j.Held, over)
		assert.Equal(t, over, j.Over)
		assert.Equal(t, 12, j.FailsFrom)
		if held && over > 5 {
			assert.Contains(t, j.Warning, "p95 latency is 900 ms, over the bound (below 2 ms)", "an excuse by chance is a warning")
		}
	}
}

func TestABoundNearTheFloorIsCalledFragile(t *testing.T) {
	for _, c := range []struct{ fragile, sound string }{
		{"median latency below 29 ms", "median latency below 30 ms"},
		{"p95 latency below 119 ms", "p95 latency below 120 ms"},
		{"mean latency below 69 ms", "mean latency below 70 ms"},
		{"p99 latency below 119 ms", "p99 latency below 120 ms"},
		{"min latency below 19 ms", "min latency below 20 ms"},
		{"max latency below 1.29 s", "max latency below 1.3 s"},
	} {
		calls := slices.Repeat([]time.Duration{10 * time.Millisecond}, 100)
		for _, text := range []string{c.fragile, c.sound} {
			b, err := ParseBound(text)
			require.NoError(t, err)
			j, err := b.Check(&Measurement{Calls: calls}, nil)
			require.NoError(t, err)
			if text == c.sound {
				assert.Empty(t, j.Note)
			} else {
				assert.Contains(t, j.Note, "fragile bound: "+text)
			}
		}
		broken := Bound{Metric: P95Latency, Limit: 0.01}
		j, err := broken.Check(&Measurement{Calls: calls}, nil)
		require.Error(t, err)
		assert.False(t, j.Held)
		assert.Empty(t, j.Note, "no call is below it: it is exceeded by more than noise")
	}
}

func FuzzBounds(f *testing.F) {
	for _, s := range []string{"p95 latency below 2 ms", "no more than 1 MB allocated per call", "throughput at least 1 operations per second", "1 \xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if b, err := ParseBound(text); err == nil {
			if again, err := ParseBound(b.String()); err != nil || again.Metric != b.Metric {
				t.Errorf("%q became %q, which reads as %+v, %v", text, b.String(), again, err)
			}
		}
	})
}
