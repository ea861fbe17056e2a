package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Concurrency is what several callers of one operation achieved at once, beside what one
// caller achieved alone.
type Concurrency struct {
	Callers    int             // at once
	Calls      []time.Duration // of all callers
	Throughput float64         // calls a second of all callers together, in their best round
	Alone      float64         // calls a second of one caller, in its best round
}

// Scaling is the throughput as a multiple of that of one caller alone.
func (c *Concurrency) Scaling() float64 { return c.Throughput / c.Alone }

// MaxCallers is the largest number of callers at once.
const MaxCallers = 1024

const (
	concurrencyRounds = 5                    // each of one caller, then of all of them
	roundTime         = 2 * time.Millisecond // that each caller works in a round, about
	maxRoundCalls     = 2000                 // of each caller in a round, where no plan asks for more
	maxAnswers        = 64                   // of each caller in a round that are checked
	maxSlowAnswers    = 8                    // the same of calls that take a millisecond or more
)

// MeasureConcurrency measures an operation that several callers make at once. Rounds of one
// caller alone and of all callers alternate, so that other work on the machine affects
// both; as it only lowers the throughput, the best round of each counts. All callers
// together make at least calls timed calls.
//
// When a round is over, check gets some of each caller's answers, evenly spread over the
// round; its first error ends the measurement, and so does the first failing call, with a
// *CallError. The end of the context gives an error that is ErrInterrupted.
func MeasureConcurrency(ctx context.Context, callers, calls int, call func() (any, error), check func(answer any) error) (*Concurrency, error) {
	if callers < 1 || callers > MaxCallers {
		return nil, fmt.Errorf("%d callers at once: from 1 to %d are possible", callers, MaxCallers)
	}
	exclusive.Lock()
	defer exclusive.Unlock()
	c := &Concurrency{Callers: callers}
	all := &concurrentCallers{ctx: ctx, call: call, check: check}
	if err := all.calibrate((calls + concurrencyRounds*callers - 1) / (concurrencyRounds * callers)); err != nil {
		return nil, err
	}
	for range concurrencyRounds {
		rate, timed, err := all.round(1)
		if err != nil {
			return nil, err
		}
		c.Alone = max(c.Alone, rate)
		if callers > 1 {
			if rate, timed, err = all.round(callers); err != nil {
				return nil, err
			}
		}
		c.Throughput = max(c.Throughput, rate)
		c.Calls = append(c.Calls, timed...)
	}
	return c, nil
}

// concurrentCallers makes the calls of several callers of one operation.
type concurrentCallers struct {
	ctx             context.Context
	call            func() (any, error)
	check           func(any) error
	callsPerRound   int // of each caller
	answersPerRound int // of each caller that are checked
}

// callerResult is what one caller did in a round.
type callerResult struct {
	calls   []time.Duration
	answers []any
	err     error
}

// calibrate finds how many calls a caller makes in a round; least is the smallest number.
func (c *concurrentCallers) calibrate(least int) error {
	fastest := time.Hour
	for range 3 {
		s := callRunner{ctx: c.ctx, call: c.call}
		start := time.Now()
		if err := s.callOnce("warm-up", 0); err != nil {
			return err
		}
		fastest = min(fastest, max(time.Since(start), 1))
	}
	c.callsPerRound = max(least, 1, min(maxRoundCalls, int(roundTime/fastest)))
	c.answersPerRound = min(c.callsPerRound, maxAnswers)
	if fastest >= time.Millisecond {
		c.answersPerRound = min(c.callsPerRound, maxSlowAnswers)
	}
	return nil
}

// round lets so many callers start at the same moment. It gives the calls a second of
// all of them together, and the time of each call.
func (c *concurrentCallers) round(callers int) (rate float64, calls []time.Duration, err error) {
	runtime.GC() // so that garbage of the round before does not count
	all := make([]callerResult, callers)
	begin := make(chan struct{})
	var ready, done sync.WaitGroup
	ready.Add(callers)
	for i := range all {
		done.Go(func() {
			one := callerResult{calls: make([]time.Duration, 0, c.callsPerRound), answers: make([]any, 0, c.answersPerRound+1)}
			ready.Done()
			<-begin
			one.err = c.makeCalls(&one)
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

// makeCalls makes one caller's calls of a round. A panic becomes an error: in a goroutine
// of its own it would end the program.
func (c *concurrentCallers) makeCalls(one *callerResult) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &CallError{Call: len(one.calls) + 1, Phase: "concurrent", Err: fmt.Errorf("the operation panicked: %v", value)}
		}
	}()
	stride := max(1, c.callsPerRound/c.answersPerRound)
	for i := range c.callsPerRound {
		if c.ctx.Err() != nil {
			return interrupted(c.ctx)
		}
		start := time.Now()
		answer, err := c.call()
		one.calls = append(one.calls, time.Since(start))
		if err != nil {
			return callError(c.ctx, "concurrent", i, err)
		}
		if i%stride == 0 || i == c.callsPerRound-1 {
			one.answers = append(one.answers, answer)
		}
	}
	return nil
}
