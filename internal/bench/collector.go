package bench

import (
	"runtime/debug"
	"sync"
)

// collector remembers how the garbage collector was set before a measurement switched it off.
var collector struct {
	mu      sync.Mutex
	off     bool
	percent int
}

// switchCollectorOff switches the garbage collector of the process off. What it gives
// switches it on again.
func switchCollectorOff() (on func()) {
	collector.mu.Lock()
	defer collector.mu.Unlock()
	collector.off, collector.percent = true, debug.SetGCPercent(-1)
	return switchCollectorOn
}

func switchCollectorOn() {
	collector.mu.Lock()
	defer collector.mu.Unlock()
	if collector.off {
		debug.SetGCPercent(collector.percent)
		collector.off = false
	}
}

// Abandon is called when nobody waits any more for a measurement that does not come back:
// it switches the garbage collector on again. Nothing can be measured in this process from
// then on: see Measure, which would wait for the abandoned measurement.
func Abandon() { switchCollectorOn() }
