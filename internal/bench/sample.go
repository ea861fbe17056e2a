package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

// Operation is an operation that can be sampled again and again, each time on a new copy
// of its fixture.
type Operation struct {
	Key      Key
	Category string
	// Prepare makes the fixture. call is the operation on it, and ends when ctx does; remove
	// takes the fixture away and may be nil.
	Prepare func(ctx context.Context) (call func() (any, error), remove func() error, err error)
}

// Process is what one process sampled of one benchmark. Times are in nanoseconds.
type Process struct {
	// LinkSeed is the seed that the linker ordered the binary's functions by, 0 where
	// they are in the default order.
	LinkSeed   int       `json:"link_seed,omitempty"`
	BatchCalls int       `json:"batch_n"`      // calls that were timed together
	RoundMin   []float64 `json:"round_min_ns"` // of each round the smallest time per call of a batch
	// Contention is the smallest and the third smallest round minimum of the contention
	// probe, which shows whether the process shared its core, see contention.go. It is
	// empty where that is not known.
	Contention []float64 `json:"contention_ns,omitempty"`
	// Yardstick is the least time of one multiplication of the yardstick in that process,
	// which shows the processor's clock; 0 where it is not known.
	Yardstick float64 `json:"yardstick_ns,omitempty"`
}

// Sample is one benchmark in the samples of a process.
type Sample struct {
	Name     string          `json:"name"`
	Loader   string          `json:"loader,omitempty"` // name of the loader under test; "" for the built-in one
	Model    string          `json:"model,omitempty"`  // label of the real checkpoint in a run with several; else ""
	Category string          `json:"category"`
	Process  Process         `json:"process"`
	Singles  []time.Duration `json:"singles"`          // calls timed one by one, in nanoseconds
	Memory   *Memory         `json:"memory,omitempty"` // nil where it was not asked for
}

// Key returns the key of the benchmark.
func (s *Sample) Key() Key { return Key{Loader: s.Loader, Benchmark: s.Name, Model: s.Model} }

// SamplingVersion is the version of how TakeSamples samples, and of the JSON of the job
// and its answer between two processes. It grows with every change that makes samples
// incomparable with earlier ones.
const SamplingVersion = 2

// Samples is what one process sampled.
type Samples struct {
	Version   int      `json:"version"` // SamplingVersion of the program that took them
	Plan      Sampling `json:"plan"`    // as it was carried out
	GoVersion string   `json:"go_version"`
	// Environment is what Host says in that process.
	Environment map[string]any `json:"environment"`

	Benchmarks   []Sample      `json:"benchmarks"` // in the order of the operations
	InOperations time.Duration `json:"inside"`     // time in measured operations
	Wall         time.Duration `json:"wall"`       // time of all rounds
	// Yardstick is the least time of one multiplication of the yardstick, in nanoseconds:
	// it shows the clock of the machine meanwhile.
	Yardstick float64 `json:"yardstick_ns"`
}

// Check tells whether the samples were taken by this plan and by this version of the
// sampling: only such samples can be compared. The error is ErrSamplingMismatch.
func (s *Samples) Check(plan Sampling) error {
	switch {
	case s.Version != SamplingVersion:
		return fmt.Errorf("samples of version %d: %w, which is version %d", s.Version, ErrSamplingMismatch, SamplingVersion)
	case s.Plan != plan:
		return fmt.Errorf("asked for the plan %+v, it carried out %+v: %w", plan, s.Plan, ErrSamplingMismatch)
	}
	return nil
}

// ErrSamplingMismatch is the error of samples that this program would have taken in
// another way. Its text is recognised in what an earlier revision writes, so that it
// never changes.
var ErrSamplingMismatch = errors.New("not sampled as this program samples")

// SampleOptions are what may differ between the processes of one plan.
type SampleOptions struct {
	Seed   uint64 // of the random order
	Memory bool   // measure memory too, before the rounds
	// Slowdown adds a fixed piece of work of so many seconds to each call, by the
	// name of the benchmark: a regression of known size.
	Slowdown map[string]float64
	// AwaitTurn is called before each round and returns when this process may run it;
	// nil where no other process samples at the same time.
	AwaitTurn func() error
	// Progress is called before each visit to an operation, from the goroutine of
	// TakeSamples, so that a caller can see that it goes on; nil where nobody asks.
	Progress func()
}

// heapLimit is the heap size at which the garbage collector runs although it is off: a
// visit to an operation that allocates much must not exhaust the machine.
const heapLimit = 2 << 30

const (
	// slowTimeLimit bounds the time that one slow benchmark takes of a process: it is
	// sampled in fewer rounds, but in floorRank at least.
	slowTimeLimit = time.Second
	// slowCall is the length of a call from which on a visit makes one batch of one call,
	// and one single call: such a call lasts longer than most fast phases of a machine.
	slowCall = 20 * time.Millisecond
)

// TakeSamples samples the operations in this process, as the plan says: rounds in
// random order; each benchmark's fixture made anew for each visit, or for every
// few where that takes longer than the visit; the garbage collector off but for one
// forced collection at the start of each round.
//
// The first failing call ends it with an error that names the benchmark, the end
// of the context with one that is ErrInterrupted. Nothing else should run in the
// process meanwhile.
func TakeSamples(ctx context.Context, plan Sampling, operations []Operation, options SampleOptions) (samples *Samples, err error) {
	if err := plan.Validate(); err != nil {
		return nil, err
	}
	exclusive.Lock()
	defer exclusive.Unlock()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	s := newSamplingState(plan, operations, options)
	if options.Memory {
		for _, o := range s.operations {
			s.progress()
			if err := o.measureMemory(ctx); err != nil {
				return nil, err
			}
		}
	}
	defer func() {
		if failed := s.removeFixtures(); failed != nil {
			samples, err = nil, errors.Join(err, failed)
		}
	}()

	defer switchCollectorOff()()
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(heapLimit))
	for round := range plan.Rounds {
		if options.AwaitTurn != nil {
			if err := options.AwaitTurn(); err != nil {
				return nil, err
			}
		}
		if err := s.round(ctx, round); err != nil {
			return nil, err
		}
	}
	return s.samples(), nil
}

// samplingState is the state of TakeSamples.
type samplingState struct {
	plan         Sampling
	random       *rand.Rand
	operations   []*sampledOperation
	yardstick    *sampledOperation
	contention   *sampledOperation // the contention probe
	inOperations time.Duration
	wall         time.Duration // of the rounds so far
	progress     func()        // see SampleOptions
}

func newSamplingState(plan Sampling, operations []Operation, options SampleOptions) *samplingState {
	s := &samplingState{
		plan: plan, random: rand.New(rand.NewPCG(options.Seed, 0)), progress: options.Progress,
		contention: &sampledOperation{Operation: Operation{Key: Key{Benchmark: "contention probe"}, Prepare: prepareContentionProbe}},
		yardstick:  &sampledOperation{Operation: Operation{Key: Key{Benchmark: "yardstick"}, Prepare: prepareYardstick}},
	}
	if s.progress == nil {
		s.progress = func() {}
	}
	var cost delayCost
	if len(options.Slowdown) > 0 {
		cost = measureDelayCost()
	}
	for _, operation := range operations {
		o := &sampledOperation{Operation: operation}
		if seconds := options.Slowdown[operation.Key.Benchmark]; seconds > 0 {
			o.delayLength = cost.lengthFor(seconds)
		}
		s.operations = append(s.operations, o)
	}
	return s
}

// samples gives what all rounds sampled.
func (s *samplingState) samples() *Samples {
	yardstick := slices.Min(s.yardstick.roundMinima) / yardstickLength
	samples := &Samples{
		Version: SamplingVersion, Plan: s.plan, GoVersion: runtime.Version(), Environment: Host(),
		InOperations: s.inOperations, Wall: s.wall, Yardstick: yardstick,
	}
	contention := slices.Sorted(slices.Values(s.contention.roundMinima))
	for _, o := range s.operations {
		process := Process{BatchCalls: o.batchCalls, RoundMin: o.roundMinima, Contention: []float64{contention[0], contention[floorRank-1]}, Yardstick: yardstick}
		samples.Benchmarks = append(samples.Benchmarks, Sample{Name: o.Key.Benchmark, Loader: o.Key.Loader, Model: o.Key.Model, Category: o.Category, Process: process, Singles: o.singles, Memory: o.memory})
	}
	return samples
}

// removeFixtures removes the fixtures that are still there.
func (s *samplingState) removeFixtures() error {
	var failed []error
	for _, o := range s.operations {
		if err := o.removeFixture(); err != nil {
			failed = append(failed, fmt.Errorf("sampling %s: %w", o.Key, err))
		}
	}
	return errors.Join(failed...)
}

// sampledOperation is an operation with what was sampled of it.
type sampledOperation struct {
	Operation
	delayLength   int  // of the delay that is added to each call, 0 for none
	batchCalls    int  // calls in a batch; 0 before the first visit
	slow          bool // one call takes slowCall or more
	roundInterval int  // it is sampled in every so manyth round
	roundMinima   []float64
	singles       []time.Duration
	memory        *Memory
	fixture       fixture
}

// fixture is what a benchmark's calls are made on.
type fixture struct {
	call       func() (any, error)
	remove     func() error
	visitsLeft int // visits that it is still kept for
}

// prepareFixture makes the fixture anew, so that its address in memory does not decide
// the times. Where that takes longer than a visit, the fixture is kept for several
// visits: most of the time should go into calls.
func (o *sampledOperation) prepareFixture(ctx context.Context, visit time.Duration) error {
	if o.fixture.call != nil && o.fixture.visitsLeft > 0 {
		o.fixture.visitsLeft--
		return nil
	}
	if err := o.removeFixture(); err != nil {
		return err
	}
	start := time.Now()
	call, remove, err := o.Prepare(ctx)
	if err != nil {
		return err
	}
	const maxVisits = 10 // so that a process makes several fixtures
	o.fixture = fixture{call, remove, min(int(time.Since(start)/visit), maxVisits-1)}
	if o.delayLength > 0 {
		o.fixture.call = withDelay(call, o.delayLength)
	}
	return nil
}

// removeFixture removes the fixture, if there is one.
func (o *sampledOperation) removeFixture() error {
	remove := o.fixture.remove
	o.fixture = fixture{}
	if remove == nil {
		return nil
	}
	return remove()
}

// round visits every operation once, and again until the round has lasted long enough.
func (s *samplingState) round(ctx context.Context, round int) error {
	start := time.Now()
	defer func() { s.wall += time.Since(start) }()
	order := append(slices.Clone(s.operations), s.yardstick, s.contention)
	for pass := 0; pass == 0 || time.Since(start) < time.Duration(s.plan.RoundMS)*time.Millisecond; pass++ {
		s.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		if pass == 0 {
			runtime.GC()
		}
		for _, o := range order {
			if o.roundInterval > 0 && round%o.roundInterval != 0 {
				continue
			}
			if ctx.Err() != nil {
				return interrupted(ctx)
			}
			if err := s.visit(ctx, o, pass == 0); ctx.Err() != nil {
				return interrupted(ctx)
			} else if err != nil {
				return fmt.Errorf("sampling %s: %w", o.Key, err)
			}
		}
	}
	return nil
}

// visit samples one benchmark: a call that is not timed, batches, single calls.
func (s *samplingState) visit(ctx context.Context, o *sampledOperation, firstOfRound bool) error {
	visit := time.Duration(s.plan.VisitUS) * time.Microsecond
	s.progress()
	if err := o.prepareFixture(ctx, visit); err != nil {
		return err
	}
	start := time.Now()
	if _, err := timeCalls(o.fixture.call, 1); err != nil {
		return err
	}
	if o.batchCalls == 0 {
		if err := s.calibrate(o, o.fixture.call, time.Duration(s.plan.BatchUS)*time.Microsecond); err != nil {
			return err
		}
	}
	least, err := o.timeBatches(visit)
	if err != nil {
		return err
	}
	if firstOfRound {
		single, err := o.timeSingles(s.plan.SingleCalls)
		if err != nil {
			return err
		}
		if o.batchCalls == 1 {
			least = min(least, single)
		}
	}
	s.inOperations += time.Since(start)
	o.addMinimum(least, firstOfRound)
	return nil
}

// timeBatches times batches for as long as a visit lasts, and gives the least time of one
// call in nanoseconds.
func (o *sampledOperation) timeBatches(visit time.Duration) (least float64, err error) {
	batches := 2
	if o.slow {
		batches = 1
	}
	least = math.Inf(1)
	for n, began := 0, time.Now(); n < batches || time.Since(began) < visit; n++ {
		elapsed, err := timeCalls(o.fixture.call, o.batchCalls)
		if err != nil {
			return 0, err
		}
		least = min(least, float64(elapsed)/float64(o.batchCalls))
	}
	return least, nil
}

// timeSingles times calls one by one, keeps their times, and gives the least of them in
// nanoseconds; +Inf of none.
func (o *sampledOperation) timeSingles(calls int) (least float64, err error) {
	if o.slow {
		calls = min(calls, 1)
	}
	least = math.Inf(1)
	for range calls {
		elapsed, err := timeCalls(o.fixture.call, 1)
		if err != nil {
			return 0, err
		}
		o.singles = append(o.singles, elapsed)
		least = min(least, float64(elapsed))
	}
	return least, nil
}

// addMinimum keeps the least time of a visit as that of its round.
func (o *sampledOperation) addMinimum(least float64, firstOfRound bool) {
	least = math.Round(least*100) / 100 // no batch is exact to a hundredth of a nanosecond
	if firstOfRound {
		o.roundMinima = append(o.roundMinima, least)
	} else if last := len(o.roundMinima) - 1; last >= 0 {
		o.roundMinima[last] = min(o.roundMinima[last], least)
	}
}

// timeCalls makes some calls and gives the time of all of them. The answers are kept
// alive, and the compiler does not know the operation: no call is removed by it.
func timeCalls(call func() (any, error), calls int) (time.Duration, error) {
	var answer any
	var err error
	start := time.Now()
	for range calls {
		if answer, err = call(); err != nil {
			return 0, err
		}
	}
	elapsed := time.Since(start)
	runtime.KeepAlive(answer)
	return elapsed, nil
}

// calibrate finds how many calls a batch takes, from the fastest of a few batches: in a
// slow phase of the machine, one batch would be chosen too short.
func (s *samplingState) calibrate(o *sampledOperation, call func() (any, error), batch time.Duration) error {
	o.batchCalls = 1
	for {
		const attempts = 5
		fastest := time.Duration(math.MaxInt64)
		for range attempts {
			elapsed, err := timeCalls(call, o.batchCalls)
			if err != nil {
				return err
			}
			fastest = min(fastest, elapsed)
			if o.slow = o.batchCalls == 1 && fastest >= slowCall; o.slow {
				break
			}
		}
		if fastest >= batch || o.batchCalls >= int(batch) {
			o.roundInterval = s.roundInterval(fastest, o.batchCalls)
			return nil
		}
		grown := float64(o.batchCalls) * 1.1 * float64(batch) / float64(max(fastest, 1))
		o.batchCalls = max(o.batchCalls+1, min(int(math.Ceil(grown)), 100*o.batchCalls))
	}
}

// roundInterval gives in every how manyth round an operation is sampled whose batch of so
// many calls takes a time, so that it stays within slowTimeLimit but is sampled in
// floorRank rounds at least.
func (s *samplingState) roundInterval(batch time.Duration, calls int) int {
	visit := max(time.Duration(s.plan.VisitUS)*time.Microsecond, 2*batch) + time.Duration(s.plan.SingleCalls+1)*batch/time.Duration(calls)
	rounds := min(s.plan.Rounds, max(floorRank, int(slowTimeLimit/visit)))
	interval := (s.plan.Rounds + rounds - 1) / rounds
	for interval > 1 && (s.plan.Rounds+interval-1)/interval < floorRank {
		interval--
	}
	return interval
}

// measureMemory measures what a call allocates, on a fixture of its own. What is made
// once, at the first call, is not counted.
func (o *sampledOperation) measureMemory(ctx context.Context) (err error) {
	call, remove, err := o.Prepare(ctx)
	if err != nil {
		return fmt.Errorf("sampling %s: %w", o.Key, err)
	}
	if remove != nil {
		defer func() { err = errors.Join(err, remove()) }()
	}
	r := callRunner{ctx: ctx, call: call, memoryCalls: maxMemoryCalls}
	if err := r.callOnce("memory", 0); err != nil {
		return fmt.Errorf("sampling %s: %w", o.Key, err)
	}
	if o.memory, err = r.measureMemory(); err != nil {
		return fmt.Errorf("sampling %s: %w", o.Key, err)
	}
	return nil
}
