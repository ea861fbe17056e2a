package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Concurrency is what several callers of one operation got done at once, beside
// what one of them got done alone.
type Concurrency struct {
	Callers    int             // at once
	Calls      []time.Duration // of all callers, as each of them saw it
	Throughput float64         // calls a second of all callers together, in their best round
	Alone      float64         // calls a second of one caller, in its best round
}

// Scaling is the throughput as a multiple of that of one caller alone.
func (c *Concurrency) Scaling() float64 { return c.Throughput / c.Alone }

// MaxCallers is the largest number of callers at once.
const MaxCallers = 1024

const (
	contentionRounds = 5                    // each of one caller, then of all of them
	contentionWork   = 2 * time.Millisecond // of each caller in a round, about
	contentionCalls  = 2000                 // of each caller in a round, at most, where no plan asks for more
	comparedAnswers  = 64                   // of each caller in a round, at most
	comparedSlow     = 8                    // the same of calls that take a millisecond and more
)

// MeasureConcurrency measures an operation that several callers make at once. Rounds of one
// caller alone and of all callers alternate, so that both meet the same weather;
// what else runs on the machine only takes throughput away, so that the best round
// of each counts. All callers together make calls timed calls at least.
//
// Each caller's answers are handed to check when a round is over, evenly spread and
// not all of them where there are many; its first error ends the measurement, and
// so does the first failing call, with a *CallError. The end of the context gives
// an error that is ErrInterrupted.
func MeasureConcurrency(ctx context.Context, callers, calls int, call func() (any, error), check func(answer any) error) (*Concurrency, error) {
	if callers < 1 || callers > MaxCallers {
		return nil, fmt.Errorf("%d callers at once: from 1 to %d are possible", callers, MaxCallers)
	}
	alone.Lock()
	defer alone.Unlock()
	c := &Concurrency{Callers: callers}
	crowd := &crowd{ctx: ctx, call: call, check: check}
	if err := crowd.calibrate((calls + contentionRounds*callers - 1) / (contentionRounds * callers)); err != nil {
		return nil, err
	}
	for range contentionRounds {
		rate, timed, err := crowd.round(1)
		if err != nil {
			return nil, err
		}
		c.Alone = max(c.Alone, rate)
		if callers > 1 {
			if rate, timed, err = crowd.round(callers); err != nil {
				return nil, err
			}
		}
		c.Throughput = max(c.Throughput, rate)
		c.Calls = append(c.Calls, timed...)
	}
	return c, nil
}

// crowd is the callers of one operation.
type crowd struct {
	ctx   context.Context
	call  func() (any, error)
	check func(any) error
	each  int // calls of each caller in a round
	keep  int // answers of each caller in a round that are compared
}

// caller is what one of them came back with.
type caller struct {
	calls   []time.Duration
	answers []any
	err     error
}

// calibrate finds how many calls a caller makes in a round.
func (c *crowd) calibrate(least int) error {
	fastest := time.Hour
	for range 3 {
		s := sampler{ctx: c.ctx, call: c.call}
		start := time.Now()
		if err := s.once("warm-up", 0); err != nil {
			return err
		}
		fastest = min(fastest, max(time.Since(start), 1))
	}
	c.each = max(least, 1, min(contentionCalls, int(contentionWork/fastest)))
	c.keep = min(c.each, comparedAnswers)
	if fastest >= time.Millisecond {
		c.keep = min(c.each, comparedSlow)
	}
	return nil
}

// round lets so many callers begin at one moment. It gives the calls a second of
// all of them together, and each call.
func (c *crowd) round(callers int) (rate float64, calls []time.Duration, err error) {
	runtime.GC() // no round pays for the one before
	all := make([]caller, callers)
	begin := make(chan struct{})
	var ready, done sync.WaitGroup
	ready.Add(callers)
	for i := range all {
		done.Go(func() {
			one := caller{calls: make([]time.Duration, 0, c.each), answers: make([]any, 0, c.keep+1)}
			ready.Done()
			<-begin
			one.err = c.work(&one)
			all[i] = one
		})
	}
	ready.Wait()
	start := time.Now()
	close(begin)
	done.Wait()
	elapsed := time.Since(start)
	for _, one := range all {
		if one.err != nil {
			return 0, nil, one.err
		}
		calls = slices.Concat(calls, one.calls)
		for _, answer := range one.answers {
			if err := c.check(answer); err != nil {
				return 0, nil, err
			}
		}
	}
	return float64(len(calls)) / max(elapsed, 1).Seconds(), calls, nil
}

// work makes one caller's calls of a round. A panic is its error: it must not end
// the program, as it would outside of the step that asked for it.
func (c *crowd) work(one *caller) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &CallError{Call: len(one.calls) + 1, Phase: "concurrent", Err: fmt.Errorf("the operation panicked: %v", value)}
		}
	}()
	stride := max(1, c.each/c.keep)
	for i := range c.each {
		if c.ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ErrInterrupted, context.Cause(c.ctx))
		}
		start := time.Now()
		answer, err := c.call()
		one.calls = append(one.calls, time.Since(start))
		if err != nil {
			return &CallError{Call: i + 1, Phase: "concurrent", Err: err}
		}
		if i%stride == 0 || i == c.each-1 {
			one.answers = append(one.answers, answer)
		}
	}
	return nil
}
