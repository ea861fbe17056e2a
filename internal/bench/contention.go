package bench

import (
	"math"
	"slices"
	"strings"
)

// The weather is what others do on the core that a process runs on. A virtual
// processor is a thread of a core, and the other thread may belong to somebody else,
// for a millisecond or for half a minute on end: what is measured then takes 1.2 to 2 times
// as long, in every call, and no statistics of these calls show it. A fixed piece of
// work does, which is sampled like a benchmark: it takes 1.35 times as long and more.

// weatherText is about a kilobyte of what loaders read.
var weatherText = []byte(strings.Repeat(`{"architectures":["LlamaForCausalLM"],"hidden_size":4096,"rope_scaling":null},`, 13))

var weatherClasses = func() (table [256]uint8) {
	for i := range table {
		table[i] = uint8(i*7) & 7
	}
	return table
}()

var weathered int // keeps the work from being optimised away

// layWeather is work that needs what the two threads of a core share: its units, its
// first cache, its stores. The yardstick, which mostly waits for its own results, hardly
// takes longer.
func layWeather() (func() (any, error), func() error, error) {
	return func() (any, error) {
		var classes [8]int
		for _, c := range weatherText {
			classes[weatherClasses[c]&7]++
		}
		weathered += classes[0]
		return &weathered, nil
	}, nil, nil
}

// cloud is the factor of the best weather from which on a round had its core not for
// itself. The clock of a processor moves it by less than half of that.
const cloud = 1.15

// cloudAllowance is more than others on the same core can make of a benchmark: 2.5 times
// as long was seen.
const cloudAllowance = 2.0

// bestWeather gives the smallest weather of some processes; +Inf where it is not known.
func bestWeather(processes []Process) float64 {
	best := math.Inf(1)
	for _, p := range processes {
		if len(p.Contention) > 0 {
			best = min(best, p.Contention[0])
		}
	}
	return best
}

// inClearWeather gives those of the processes that had their core for themselves in
// three rounds at least, measured by the best weather of all that they are compared
// with; a process that does not know its weather is one of them.
func inClearWeather(processes []Process, best float64) []Process {
	return slices.DeleteFunc(slices.Clone(processes), func(p Process) bool {
		return len(p.Contention) == 2 && p.Contention[1] > cloud*best
	})
}
