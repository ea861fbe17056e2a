package suite

import (
	"sync"
	"time"

	"omniloader/internal/outcome"
)

// events hands the events of a run to its listener, in order and in a goroutine of their
// own, so that a slow listener holds up no scenario. A nil *events drops them.
type events struct {
	listener outcome.Listener
	mu       sync.Mutex
	added    *sync.Cond
	queue    []outcome.Event
	busy     bool          // the listener has events of the queue
	idle     chan struct{} // closed when nothing is queued; nil where nobody waits
	closed   bool
	done     chan struct{}
}

func newEvents(listener outcome.Listener) *events {
	if listener == nil {
		return nil
	}
	e := &events{listener: listener, done: make(chan struct{})}
	e.added = sync.NewCond(&e.mu)
	go e.deliver()
	return e
}

func (e *events) add(event outcome.Event) {
	if e == nil {
		return
	}
	e.mu.Lock()
	e.queue = append(e.queue, event)
	e.mu.Unlock()
	e.added.Signal()
}

// close waits until the listener has had every event.
func (e *events) close() {
	if e == nil {
		return
	}
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.added.Signal()
	<-e.done
}

// settle waits until the listener has had every event, at most for settleTime: what it
// does must not disturb a measurement, and if it hangs it must not stop the run.
func (e *events) settle() {
	if e == nil {
		return
	}
	e.mu.Lock()
	if len(e.queue) == 0 && !e.busy {
		e.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	e.idle = idle
	e.mu.Unlock()
	select {
	case <-idle:
	case <-time.After(settleTime):
	}
}

const settleTime = 100 * time.Millisecond

func (e *events) deliver() {
	defer close(e.done)
	for {
		e.mu.Lock()
		e.busy = false
		for len(e.queue) == 0 && !e.closed {
			if e.idle != nil {
				close(e.idle)
				e.idle = nil
			}
			e.added.Wait()
		}
		batch := e.queue
		e.queue, e.busy = nil, true
		e.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for _, event := range batch {
			e.listener(event)
		}
	}
}
