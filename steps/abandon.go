package steps

import (
	"context"
	"fmt"
	"os"
	"sync"

	"omniloader/internal/bench"
	"omniloader/internal/engine"
	"omniloader/loader/undertest"
)

// whyAbandoned says why nothing can be measured after an operation was abandoned.
const whyAbandoned = "an operation that was abandoned, as it did not come back, may still be running in this process"

// Abandon is called instead of End for a scenario whose step did not come back in time.
// It may be called while the step is still under way; Record and Evidence may not. From
// then on nothing is measured with the setup of the scenario, or with one that shares
// results with it: an operation is called once, and bounds are not judged.
func (s *Scenario) Abandon() {
	s.w.setup.state().abandoned.Store(true)
	s.w.lock.abandon()
	bench.Abandon()
}

// RemoveTemporary removes what scenarios that were abandoned have left on the real disk. It
// is called after the last scenario.
func (s *Setup) RemoveTemporary() { s.state().temporary.removeAll() }

// callLock is the lock that a scenario holds while it calls or measures its operation.
// It can be taken from the scenario. The zero value holds none.
type callLock struct {
	mu        sync.Mutex
	abandoned bool
	unlock    func() // nil while nothing is held
}

// hold locks, and gives what unlocks. The error is that of an abandoned scenario.
func (l *callLock) hold(lock, unlock func()) (release func(), err error) {
	lock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.abandoned {
		unlock()
		return nil, fmt.Errorf("%w: the scenario was abandoned", bench.ErrInterrupted)
	}
	l.unlock = unlock
	return l.release, nil
}

func (l *callLock) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unlock != nil {
		l.unlock()
		l.unlock = nil
	}
}

// abandon unlocks, and lets nothing lock again.
func (l *callLock) abandon() {
	l.mu.Lock()
	l.abandoned = true
	l.mu.Unlock()
	l.release()
}

// directories are temporary directories that have not been removed.
type directories struct {
	mu    sync.Mutex
	paths map[string]bool
}

func (d *directories) add(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.paths == nil {
		d.paths = map[string]bool{}
	}
	d.paths[path] = true
}

// remove removes a directory with all that is in it.
func (d *directories) remove(path string) error {
	d.mu.Lock()
	delete(d.paths, path)
	d.mu.Unlock()
	return os.RemoveAll(path)
}

// removeAll removes what is left. Where that fails, it stays.
func (d *directories) removeAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for path := range d.paths {
		_ = os.RemoveAll(path)
	}
	d.paths = nil
}

// callUnmeasurable calls the operation of a measured scenario where nothing can be
// measured: once, or once by each of its callers.
func (w *world) callUnmeasurable(ctx context.Context, call undertest.Call) error {
	w.unmeasured = whyAbandoned
	if err := w.callOnce(ctx, call); err != nil || w.callers < 2 {
		return err
	}
	if w.expectsFailure {
		call = failureAsAnswer(call)
	}
	answers, failures := make([]any, w.callers), make([]error, w.callers)
	var callers sync.WaitGroup
	for i := range w.callers {
		callers.Go(func() { answers[i], failures[i] = panicAsError(call)(ctx) })
	}
	callers.Wait()
	first := world{answer: w.answer, err: w.err}
	for i, answer := range answers {
		if failures[i] != nil {
			return fmt.Errorf("%d callers at once: %w", w.callers, failures[i])
		}
		if err := first.checkUnchanged(answer); err != nil {
			return fmt.Errorf("%d callers at once: %w", w.callers, err)
		}
	}
	return nil
}

// panicAsError makes a call whose panic is an error, for calls in goroutines that a step
// starts: a panic there would end the program.
func panicAsError(call undertest.Call) undertest.Call {
	return func(ctx context.Context) (value any, err error) {
		defer func() {
			if v := recover(); v != nil {
				value, err = nil, engine.Recovered(v)
			}
		}()
		return call(ctx)
	}
}
