// Package bench measures one operation and judges the figures: sampling, statistics,
// bounds, the results file and the comparison of two results files. It prints nothing and
// knows nothing of models.
//
// Times are seconds as a float64, or, for raw samples, a time.Duration; sizes are in
// bytes. A field or key that ends in NS is in nanoseconds, and so are round minima.
package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Plan is how an operation is sampled.
type Plan struct {
	Iterations int  // timed calls, at least 1
	Warmup     int  // calls before the timed ones, 0 or more
	Memory     bool // also measure memory, in further calls
}

// DefaultPlan is the plan of a run that asks for nothing else.
func DefaultPlan() Plan { return Plan{Iterations: 100, Warmup: 10} }

// maxCalls bounds the calls of a plan, as the raw samples stay in memory.
const maxCalls = 100_000_000

// Validate tells whether the plan can be carried out.
func (p Plan) Validate() error {
	switch {
	case p.Iterations < 1:
		return fmt.Errorf("%d iterations: at least 1 is needed", p.Iterations)
	case p.Iterations > maxCalls:
		return fmt.Errorf("%d iterations: at most %d are possible", p.Iterations, maxCalls)
	case p.Warmup < 0:
		return fmt.Errorf("%d warm-up iterations: the number must not be negative", p.Warmup)
	case p.Warmup > maxCalls:
		return fmt.Errorf("%d warm-up iterations: at most %d are possible", p.Warmup, maxCalls)
	}
	return nil
}

// Measurement is what was measured of one operation. It keeps the raw samples, so that
// every figure can be computed again.
type Measurement struct {
	Plan          Plan
	Calls         []time.Duration // one timed call each, in the order they were made
	Memory        *Memory         // nil where the plan did not ask for it
	FirstDuration time.Duration   // of the very first call, warm-up included, when caches are empty
	FirstAnswer   any             // of the very first call, warm-up included
	LastAnswer    any             // of the very last call

	Concurrency  *Concurrency  // of callers at once, nil where there were none
	Growth       *Growth       // over several sizes, nil where there was one
	FreshProcess *FreshProcess // in a process of its own, nil where there was none
}

// Memory is what one call costs in memory. Bytes and allocations are medians over the
// counted calls, which is exact where most calls cost the same.
type Memory struct {
	BytesPerCall  uint64 `json:"bytes_per_call"`  // allocated on the heap, freed or not
	AllocsPerCall uint64 `json:"allocs_per_call"` // objects allocated on the heap
	LiveDelta     int64  `json:"live_delta"`      // bytes that one call's answer keeps alive after collection
	Calls         int    `json:"calls"`           // calls that were counted one by one
}

// ErrInterrupted is the kind of error of a measurement whose context ended.
var ErrInterrupted = errors.New("measurement interrupted")

// CallError is the failure of one call of the operation under measurement.
type CallError struct {
	Call  int    // counted from 1 within its phase
	Phase string // "warm-up", "timed" or "memory"
	Err   error
}

// Error reads "timed call 3: …".
func (e *CallError) Error() string { return fmt.Sprintf("%s call %d: %v", e.Phase, e.Call, e.Err) }

// Unwrap gives the error of the operation.
func (e *CallError) Unwrap() error { return e.Err }

// callError is the error of call i, counted from 0, of a phase: that of the context if it
// has ended, as the call may have failed because of that.
func callError(ctx context.Context, phase string, i int, err error) error {
	if ctx.Err() != nil {
		return interrupted(ctx)
	}
	return &CallError{Call: i + 1, Phase: phase, Err: err}
}

// interrupted is the error of a measurement whose context has ended.
func interrupted(ctx context.Context) error {
	return fmt.Errorf("%w: %w", ErrInterrupted, context.Cause(ctx))
}

// exclusive lets one measurement run at a time: it switches the garbage collector off for
// the whole process, and counts allocations of the whole process.
var exclusive sync.Mutex

// Measure samples an operation: plan.Warmup calls that are not timed, then
// plan.Iterations calls, each timed by itself with the monotonic clock, then,
// where the plan asks for memory, calls whose allocations are counted, which are not timed:
// as many as iterations, but from 5 to 50.
//
// Measure keeps the answers alive itself, so that the compiler cannot remove a call
// and the live heap can be read with an answer in it; call must not keep them.
// Bytes and allocations count everything the process allocates meanwhile: nothing
// else should run.
//
// The first failing call ends the measurement with a *CallError. The end of the
// context is noticed between calls and after the last one, and gives an error that is
// ErrInterrupted and the context's cause. In both cases there is no Measurement, as figures of fewer calls
// would look like those of the plan.
func Measure(ctx context.Context, plan Plan, call func() (any, error)) (*Measurement, error) {
	if err := plan.Validate(); err != nil {
		return nil, err
	}
	exclusive.Lock()
	defer exclusive.Unlock()

	r := callRunner{ctx: ctx, call: call, memoryCalls: max(minMemoryCalls, min(plan.Iterations, maxMemoryCalls))}
	m := &Measurement{Plan: plan}
	for i := range plan.Warmup {
		start := time.Now()
		if err := r.callOnce("warm-up", i); err != nil {
			return nil, err
		}
		if i == 0 {
			m.FirstDuration, m.FirstAnswer = time.Since(start), r.last
		}
	}

	runtime.GC() // every measurement starts from the same state of the collector
	m.Calls = make([]time.Duration, plan.Iterations)
	for i := range m.Calls {
		if err := r.checkInterrupted(); err != nil {
			return nil, err
		}
		start := time.Now()
		answer, err := call()
		m.Calls[i] = time.Since(start)
		r.last = answer
		if err != nil {
			return nil, callError(ctx, "timed", i, err)
		}
		if i == 0 && plan.Warmup == 0 {
			m.FirstDuration, m.FirstAnswer = m.Calls[0], answer
		}
	}

	if plan.Memory {
		memory, err := r.measureMemory()
		if err != nil {
			return nil, err
		}
		m.Memory = memory
	}
	if err := r.checkInterrupted(); err != nil { // the last answer may be that of a call that was ended
		return nil, err
	}
	m.LastAnswer = r.last
	return m, nil
}

// callRunner makes the calls of an operation and keeps the last answer alive.
type callRunner struct {
	ctx         context.Context
	call        func() (any, error)
	last        any
	memoryCalls int // whose allocations are counted, at most
}

// checkInterrupted gives an error that is ErrInterrupted where the context has ended.
func (r *callRunner) checkInterrupted() error {
	if r.ctx.Err() == nil {
		return nil
	}
	return interrupted(r.ctx)
}

// callOnce makes call i, counted from 0, of a phase.
func (r *callRunner) callOnce(phase string, i int) error {
	if err := r.checkInterrupted(); err != nil {
		return err
	}
	answer, err := r.call()
	r.last = answer
	if err != nil {
		return callError(r.ctx, phase, i, err)
	}
	return nil
}

const (
	minMemoryCalls  = 5           // calls whose allocations are counted, at least
	maxMemoryCalls  = 50          // the same, at most
	maxMemoryBytes  = 192_000_000 // bytes that these calls may allocate together, after the first few
	maxGarbage      = 64_000_000  // bytes that may be garbage while the collector is off
	maxLiveAttempts = 3           // answers whose live heap is measured, at most
)

// measureMemory measures what a call allocates and what its answer keeps alive.
func (r *callRunner) measureMemory() (*Memory, error) {
	delta, liveCalls, err := r.measureLiveDelta()
	if err != nil {
		return nil, err
	}
	m, err := r.countAllocations(liveCalls)
	if err != nil {
		return nil, err
	}
	m.LiveDelta = delta
	return m, nil
}

// measureLiveDelta gives the bytes that the answer of a call keeps alive, and the number
// of calls it made. Now and then the runtime itself allocates or frees something
// meanwhile: the heap is read before, with and after an answer, and where the two
// differences are not equal, another answer is measured.
func (r *callRunner) measureLiveDelta() (delta int64, calls int, err error) {
	var deltas []int64
	r.last = nil
	without := liveHeap()
	for calls < maxLiveAttempts && (calls == 0 || deltas[2*calls-2] != deltas[2*calls-1]) {
		if err := r.callOnce("memory", calls); err != nil {
			return 0, 0, err
		}
		with := liveHeap()
		runtime.KeepAlive(r.last)
		deltas = append(deltas, with-without)
		r.last = nil
		without = liveHeap()
		deltas = append(deltas, with-without)
		calls++
	}
	return lowerMedian(deltas), calls, nil
}

// countAllocations counts what calls allocate, each call by itself; callsBefore is the
// number of calls that measured memory before.
//
// ReadMemStats stops the world and is exact to the byte, unlike runtime/metrics, whose
// counters lack what the processors have cached. The result is the median: a map
// allocates by the random seed of its hashes and a pool by what is left in it, so that a
// few calls cost more than the others, and not the same few in every process. They would
// change a mean; most calls cost the same to the byte. The collector is off so that its
// own allocations do not count.
func (r *callRunner) countAllocations(callsBefore int) (*Memory, error) {
	defer switchCollectorOff()()
	bytes, allocs := make([]uint64, 0, r.memoryCalls), make([]uint64, 0, r.memoryCalls)
	var total, garbage uint64
	for len(bytes) < minMemoryCalls || len(bytes) < r.memoryCalls && total < maxMemoryBytes {
		if garbage > maxGarbage {
			garbage, r.last = 0, nil
			runtime.GC()
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := r.callOnce("memory", callsBefore+len(bytes)); err != nil {
			return nil, err
		}
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		bytes, allocs = append(bytes, allocated), append(allocs, after.Mallocs-before.Mallocs)
		total, garbage = total+allocated, garbage+allocated
	}
	return &Memory{BytesPerCall: lowerMedian(bytes), AllocsPerCall: lowerMedian(allocs), Calls: len(bytes)}, nil
}

// lowerMedian gives the median of some values, and of an even number of them the lower
// one of the middle two. It sorts the values.
func lowerMedian[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[(len(values)-1)/2]
}

// liveHeap gives the bytes of live heap objects after two collections: the first
// empties pools into their victim caches, the second frees those.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
