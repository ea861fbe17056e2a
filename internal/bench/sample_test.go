package bench

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// quickPlan takes milliseconds.
func quickPlan() Sampling {
	s := DefaultSampling()
	s.Rounds, s.RoundMS, s.VisitUS, s.BatchUS, s.SingleCalls = 3, 0, 20, 2, 2
	return s
}

// fixtureCounter counts how often a fixture was made and removed.
type fixtureCounter struct{ prepared, removed, calls int }

func (l *fixtureCounter) operation(name string, fail error) Operation {
	return Operation{Key: Key{Benchmark: name}, Prepare: func(context.Context) (func() (any, error), func() error, error) {
		l.prepared++
		return func() (any, error) { l.calls++; return make([]byte, 100), fail }, func() error { l.removed++; return nil }, nil
	}}
}

func TestEachVisitUsesANewFixture(t *testing.T) {
	a, b := new(fixtureCounter), new(fixtureCounter)
	plan := quickPlan()
	plan.VisitUS = 5000 // making the fixture takes less, whatever the machine does
	s, err := TakeSamples(t.Context(), plan, []Operation{a.operation("a", nil), b.operation("b", nil)}, SampleOptions{})
	require.NoError(t, err)
	for i, l := range []*fixtureCounter{a, b} {
		assert.Equal(t, 3, l.prepared, "once a round")
		assert.Equal(t, 3, l.removed)
		sample := s.Benchmarks[i]
		assert.Len(t, sample.Process.RoundMin, 3)
		assert.Len(t, sample.Singles, 6)
		assert.Positive(t, sample.Process.BatchCalls)
		assert.Nil(t, sample.Memory)
	}
	assert.Equal(t, "a", s.Benchmarks[0].Name, "in the order of the operations")
	assert.Positive(t, s.Yardstick)
	assert.LessOrEqual(t, s.InOperations, s.Wall)
}

func TestAFixtureThatIsSlowToMakeIsKeptForAFewVisits(t *testing.T) {
	l := new(fixtureCounter)
	of := l.operation("a", nil)
	prepare := of.Prepare
	plan := quickPlan()
	plan.Rounds = 30
	of.Prepare = func(ctx context.Context) (func() (any, error), func() error, error) {
		for start := time.Now(); time.Since(start) < 3*time.Duration(plan.VisitUS)*time.Microsecond; {
		}
		return prepare(ctx)
	}
	s, err := TakeSamples(t.Context(), plan, []Operation{of}, SampleOptions{})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, l.prepared, 3, "it is made again now and then")
	assert.LessOrEqual(t, l.prepared, 30/4+1)
	assert.Equal(t, l.prepared, l.removed, "the last one too")
	assert.Len(t, s.Benchmarks[0].Process.RoundMin, 30)
}

func TestSamplingRestoresTheGarbageCollectorSetting(t *testing.T) {
	before := debug.SetGCPercent(77)
	defer debug.SetGCPercent(before)
	_, err := TakeSamples(t.Context(), quickPlan(), []Operation{new(fixtureCounter).operation("a", nil)}, SampleOptions{})
	require.NoError(t, err)
	assert.Equal(t, 77, debug.SetGCPercent(77))
}

func TestMemoryOfAnOperationIsExact(t *testing.T) {
	for range 3 {
		s, err := TakeSamples(t.Context(), quickPlan(), []Operation{new(fixtureCounter).operation("a", nil)}, SampleOptions{Memory: true})
		require.NoError(t, err)
		require.NotNil(t, s.Benchmarks[0].Memory)
		assert.EqualValues(t, 112+24, s.Benchmarks[0].Memory.BytesPerCall, "100 bytes in their size class, and a slice header")
		assert.EqualValues(t, 2, s.Benchmarks[0].Memory.AllocsPerCall)
	}
}

func TestAFailingOperationEndsSamplingAndIsNamed(t *testing.T) {
	broken, l := errors.New("config.json is gone"), new(fixtureCounter)
	_, err := TakeSamples(t.Context(), quickPlan(), []Operation{l.operation("a", broken)}, SampleOptions{})
	assert.ErrorIs(t, err, broken)
	assert.ErrorContains(t, err, "sampling a: ")
	assert.Equal(t, l.prepared, l.removed, "its fixture is removed all the same")

	left := errors.New("directory not empty")
	_, err = TakeSamples(t.Context(), quickPlan(), []Operation{{Key: Key{Benchmark: "a"}, Prepare: func(context.Context) (func() (any, error), func() error, error) {
		return func() (any, error) { return nil, nil }, func() error { return left }, nil
	}}}, SampleOptions{})
	assert.ErrorIs(t, err, left)
	assert.ErrorContains(t, err, "sampling a: ")
	_, err = TakeSamples(t.Context(), quickPlan(), []Operation{{Key: Key{Benchmark: "b"}, Prepare: func(context.Context) (func() (any, error), func() error, error) { return nil, nil, broken }}}, SampleOptions{})
	assert.ErrorIs(t, err, broken)
}

func TestSamplingStopsWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	_, err := TakeSamples(ctx, quickPlan(), []Operation{new(fixtureCounter).operation("a", nil)}, SampleOptions{})
	assert.ErrorIs(t, err, ErrInterrupted)
	assert.ErrorContains(t, err, "enough")
}

func TestASamplingPlanThatCannotBeCarriedOutIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Sampling){
		"rounds": func(s *Sampling) { s.Rounds = 2 }, "visit_us": func(s *Sampling) { s.VisitUS = 0 },
		"batch_us": func(s *Sampling) { s.BatchUS = -1 }, "processes": func(s *Sampling) { s.Processes = 0 },
		"single_calls": func(s *Sampling) { s.SingleCalls = -1 }, "round_ms": func(s *Sampling) { s.RoundMS = 1 << 30 },
	} {
		plan := quickPlan()
		spoil(&plan)
		_, err := TakeSamples(t.Context(), plan, nil, SampleOptions{})
		assert.ErrorContains(t, err, name)
	}
	assert.NoError(t, DefaultSampling().Validate())
}

func TestTheChainDependsOnEveryMultiplication(t *testing.T) {
	assert.NotEqual(t, multiplicationChain(10, 1), multiplicationChain(11, 1))
	assert.Equal(t, multiplicationChain(5, multiplicationChain(6, 1)), multiplicationChain(11, 1))
}

func TestADelayIsAsLongAsAsked(t *testing.T) {
	cost := delayCost{fixed: 5e-9, perMultiplication: 1.25e-9}
	assert.Equal(t, 76, cost.lengthFor(100e-9))
	assert.Equal(t, 1, cost.lengthFor(2e-9), "no delay is shorter than one multiplication")

	assert.Positive(t, measureDelayCost().perMultiplication)
}

func TestSamplesAreKeptInTheResultsFile(t *testing.T) {
	f, err := NewFile([]Result{{Name: "a", Category: "c", MeanTime: 1}, {Name: "unsampled", MeanTime: 1}}, Origin{GoVersion: "go1.26.8", Platform: "linux/amd64"})
	require.NoError(t, err)
	first := &Samples{Yardstick: 0.9, Benchmarks: []Sample{{
		Name: "a", Process: Process{BatchCalls: 17, RoundMin: []float64{101.5, 100.25, 103}},
		Singles: []time.Duration{300, 100, 200}, Memory: &Memory{BytesPerCall: 2128, AllocsPerCall: 11, LiveDelta: 3000, Calls: 100},
	}}}
	second := &Samples{Yardstick: 0.8, Benchmarks: []Sample{{Name: "a", Process: Process{BatchCalls: 16, RoundMin: []float64{99, 100}}}}}
	require.NoError(t, f.AddSamples(DefaultSampling(), first, second))

	var text bytes.Buffer
	require.NoError(t, f.Encode(&text))
	read, err := Read(&text, "a.json")
	require.NoError(t, err)
	assert.Equal(t, DefaultSampling(), *read.Plan)
	assert.Equal(t, 0.8, read.Environment["yardstick_floor_ns"])
	r := read.Result(Key{Benchmark: "a"})
	assert.Equal(t, []Process{first.Benchmarks[0].Process, second.Benchmarks[0].Process}, r.Processes)
	assert.Equal(t, 99.0, r.FloorNS)
	assert.EqualValues(t, 2128, *r.BytesPerOp)
	assert.EqualValues(t, 11, *r.AllocsPerOp)
	assert.Equal(t, 0.003, r.MemoryDeltaMB)
	assert.NotContains(t, r.Metadata, "memory")
	assert.Equal(t, &Sketch{N: 3, Deciles: []int64{100, 100, 100, 100, 200, 200, 200, 300, 300, 300, 300}, Top: []int64{100, 200, 300}}, r.Singles)
	assert.Nil(t, read.Result(Key{Benchmark: "unsampled"}).Processes)

	assert.ErrorContains(t, f.AddSamples(DefaultSampling(), &Samples{Benchmarks: []Sample{{Name: "b"}}}), `"b" was sampled and has no result`)
}

func TestImpossibleSamplesAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`[{"round_min_ns":[]}]`:     "process 1 has no round_min_ns",
		`[{"round_min_ns":[1,-2]}]`: "a time must be finite and not negative",
	} {
		_, err := Read(bytes.NewReader([]byte(`{"results":[{"name":"a","mean_time":1,"processes":`+text+`}]}`)), "a.json")
		assert.ErrorContains(t, err, want)
	}
}

func TestASketchDoesNotDependOnTheOrder(t *testing.T) {
	var calls []time.Duration
	for i := range 200 {
		calls = append(calls, time.Duration(i+1))
	}
	want := sketch(calls)
	assert.Equal(t, []int64{1, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200}, want.Deciles)
	assert.Equal(t, []int64{191, 192, 193, 194, 195, 196, 197, 198, 199, 200}, want.Top)
	shuffled := slices.Clone(calls)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	assert.Equal(t, want, sketch(shuffled))
	assert.Nil(t, sketch(nil))
}
