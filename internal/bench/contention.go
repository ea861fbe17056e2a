package bench

import (
	"context"
	"math"
	"slices"
	"strings"
)

// Contention is what other programs do on the same processor core. A virtual processor
// is one hardware thread of a core, and the other thread may run another machine's work,
// for a millisecond or for half a minute at a time. Everything measured then takes 1.2
// to 2 times as long, in every call, so that no statistics of those calls show it. The
// contention probe does: a fixed piece of work that is sampled like a benchmark and takes
// 1.35 times as long or more while the core is shared.

// probeText is about a kilobyte of the kind of text that loaders read.
var probeText = []byte(strings.Repeat(`{"architectures":["LlamaForCausalLM"],"hidden_size":4096,"rope_scaling":null},`, 13))

var probeClasses = func() (table [256]uint8) {
	for i := range table {
		table[i] = uint8(i*7) & 7
	}
	return table
}()

var probeResult int // keeps the compiler from removing the work

// prepareContentionProbe gives work that needs what the two threads of a core share: the
// execution units, the first-level cache, the store buffer. The yardstick, which mostly
// waits for its own results, hardly slows down on a shared core.
func prepareContentionProbe(context.Context) (func() (any, error), func() error, error) {
	return func() (any, error) {
		var classes [8]int
		for _, c := range probeText {
			classes[probeClasses[c]&7]++
		}
		probeResult += classes[0]
		return &probeResult, nil
	}, nil, nil
}

// sharedCoreFactor is the ratio of a probe's time to the smallest probe time from which on
// the core counts as shared. The processor's clock moves it by less than half of that.
const sharedCoreFactor = 1.15

// sharedCoreAllowance is the relative slowdown that a shared core alone can cause, with
// room to spare: 2.5 times as long was seen. What is slower by more is slower in itself.
const sharedCoreAllowance = 2.0

// leastContention gives the smallest time of the contention probe in some processes;
// +Inf where no process has one.
func leastContention(processes []Process) float64 {
	least := math.Inf(1)
	for _, p := range processes {
		if len(p.Contention) > 0 {
			least = min(least, p.Contention[0])
		}
	}
	return least
}

// withoutSharedCore gives those of the processes whose core was not shared in at least
// three rounds. least is the smallest time of the probe in all processes of a comparison.
// A process without a probe is kept.
func withoutSharedCore(processes []Process, least float64) []Process {
	return slices.DeleteFunc(slices.Clone(processes), func(p Process) bool {
		return len(p.Contention) == 2 && p.Contention[1] > sharedCoreFactor*least
	})
}
