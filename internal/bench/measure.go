// Package bench measures one operation and says what the figures are worth:
// sampling, statistics, bounds, the results file and the comparison of two of
// them. It prints nothing and knows nothing of models.
//
// Inside the program every time is kept in seconds as a float64, or, for raw
// samples, as a time.Duration; every size is kept in bytes.
package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Plan is how an operation is sampled.
type Plan struct {
	Iterations int  // timed calls, at least 1
	Warmup     int  // calls before the timed ones, 0 or more
	Memory     bool // also measure memory, in calls of its own
}

// DefaultPlan is the plan of a run that asks for nothing else.
func DefaultPlan() Plan { return Plan{Iterations: 100, Warmup: 10} }

// maxCalls bounds what a plan may ask for: its raw samples stay in memory.
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

// Measurement is what was sampled of one operation. The raw samples stay in it,
// so every figure can be computed again.
type Measurement struct {
	Plan          Plan
	Calls         []time.Duration // one timed call each, in the order they were made
	Memory        *Memory         // nil where the plan did not ask for it
	FirstDuration time.Duration   // the first call of all, which finds nothing prepared
	FirstAnswer   any             // the answer of the first call of all, warm-up included
	LastAnswer    any             // the answer of the last call of all

	Concurrency  *Concurrency  // of callers at once, nil where there were none
	Growth       *Growth       // over several sizes, nil where there was one
	FreshProcess *FreshProcess // in a process of its own, nil where there was none
}

// Memory is what one call costs in memory, where most calls cost the same: bytes and
// allocations are those of the call in the middle.
type Memory struct {
	BytesPerCall  uint64 `json:"bytes_per_call"`  // allocated on the heap, freed or not
	AllocsPerCall uint64 `json:"allocs_per_call"` // objects allocated on the heap
	LiveDelta     int64  `json:"live_delta"`      // bytes that one call's answer keeps alive after collection
	Calls         int    `json:"calls"`           // calls that were counted, each by itself
}

// ErrInterrupted is the kind of error Measure gives when its context ends.
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

// alone lets one measurement run at a time: it switches the collector off for
// the whole process, and counts allocations of the whole process.
var alone sync.Mutex

// Measure samples an operation: plan.Warmup calls that are not timed, then
// plan.Iterations calls, each timed on its own with the monotonic clock, then,
// where the plan asks for it, the memory pass, whose calls are not timed.
//
// Measure keeps the answers alive itself, so that no call can be optimised away
// and the live heap can be read with an answer in it; call must not keep them.
// Bytes and allocations count everything the process allocates meanwhile: nothing
// else should run.
//
// The first failing call ends the measurement with a *CallError. The end of the
// context is noticed between calls, and gives an error that is ErrInterrupted and
// the context's cause. In both cases there is no Measurement: figures of fewer
// calls than planned would pass for the planned ones.
func Measure(ctx context.Context, plan Plan, call func() (any, error)) (*Measurement, error) {
	if err := plan.Validate(); err != nil {
		return nil, err
	}
	alone.Lock()
	defer alone.Unlock()

	s := sampler{ctx: ctx, call: call}
	m := &Measurement{Plan: plan}
	for i := range plan.Warmup {
		start := time.Now()
		if err := s.once("warm-up", i); err != nil {
			return nil, err
		}
		if i == 0 {
			m.FirstDuration, m.FirstAnswer = time.Since(start), s.last
		}
	}

	runtime.GC() // every measurement starts from the same state of the collector
	m.Calls = make([]time.Duration, plan.Iterations)
	for i := range m.Calls {
		if err := s.interrupted(); err != nil {
			return nil, err
		}
		start := time.Now()
		answer, err := call()
		m.Calls[i] = time.Since(start)
		s.last = answer
		if err != nil {
			return nil, &CallError{Call: i + 1, Phase: "timed", Err: err}
		}
		if i == 0 && plan.Warmup == 0 {
			m.FirstDuration, m.FirstAnswer = m.Calls[0], answer
		}
	}

	if plan.Memory {
		memory, err := s.memory()
		if err != nil {
			return nil, err
		}
		m.Memory = memory
	}
	m.LastAnswer = s.last
	return m, nil
}

// sampler makes the calls and holds on to the last answer.
type sampler struct {
	ctx  context.Context
	call func() (any, error)
	last any
}

func (s *sampler) interrupted() error {
	if s.ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrInterrupted, context.Cause(s.ctx))
}

func (s *sampler) once(phase string, i int) error {
	if err := s.interrupted(); err != nil {
		return err
	}
	answer, err := s.call()
	s.last = answer
	if err != nil {
		return &CallError{Call: i + 1, Phase: phase, Err: err}
	}
	return nil
}

const (
	countedCalls   = 50          // calls of the memory pass
	countedAtMost  = 192_000_000 // bytes that these may allocate together, or
	countedAtLeast = 5           // they are fewer, but so many
	countedGarbage = 64_000_000  // bytes that may pile up while the collector is off
	liveLooks      = 3           // answers that are weighed, at most
)

// memory measures what a call allocates and what its answer keeps alive.
//
// ReadMemStats stops the world and is exact to the byte, unlike runtime/metrics,
// whose counters lag behind by what the processors have cached. Each call is counted
// by itself, and the figures are those of the call in the middle: a map allocates by
// the random seed of its hashes and a pool by what is left in it, so that a few calls
// cost more than the others, not the same few in every process. A mean would carry
// them; what most calls cost is the same to the byte. The collector is off so that
// its own allocations do not count.
func (s *sampler) memory() (*Memory, error) {
	m := &Memory{}

	// The live heap first, with no earlier answer in it. Now and then something else, of
	// the runtime, comes to live or dies meanwhile: an answer is weighed when it comes and
	// when it goes, and another one where the two differ.
	var deltas []int64
	s.last = nil
	without := liveHeap()
	for i := 0; i < liveLooks && (i == 0 || deltas[2*i-2] != deltas[2*i-1]); i++ {
		if err := s.once("memory", i); err != nil {
			return nil, err
		}
		with := liveHeap()
		runtime.KeepAlive(s.last)
		deltas = append(deltas, with-without)
		s.last = nil
		without = liveHeap()
		deltas = append(deltas, with-without)
	}
	m.LiveDelta = middle(deltas)

	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	bytes, allocs := make([]uint64, 0, countedCalls), make([]uint64, 0, countedCalls)
	var total, garbage uint64
	for len(bytes) < countedAtLeast || len(bytes) < countedCalls && total < countedAtMost {
		if garbage > countedGarbage {
			garbage, s.last = 0, nil
			runtime.GC()
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := s.once("memory", len(deltas)/2+len(bytes)); err != nil {
			return nil, err
		}
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		bytes, allocs = append(bytes, allocated), append(allocs, after.Mallocs-before.Mallocs)
		total, garbage = total+allocated, garbage+allocated
	}
	m.Calls = len(bytes)
	m.BytesPerCall, m.AllocsPerCall = middle(bytes), middle(allocs)
	return m, nil
}

// middle gives the value in the middle of some, the lower of two.
func middle[T cmp.Ordered](values []T) T {
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
