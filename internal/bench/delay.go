package bench

import (
	"context"
	"math"
	"time"
)

// multiplicationChain is a fixed piece of work: multiplications of which each needs the
// result of the one before, so that no processor can run two of them at a time.
//
//go:noinline
func multiplicationChain(length int, x uint64) uint64 {
	for range length {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

var chainResult uint64 // keeps the compiler from removing the chain

// delay takes the time of so many multiplications. A processor executes instructions out
// of order; between two fences the chain overlaps neither the end of one call nor the
// start of the next. Without them, a delay of 100 ns would cost about 60.
func delay(length int) {
	fence()
	chainResult = multiplicationChain(length, chainResult)
	fence()
}

// withDelay makes an operation slower by a delay after each call.
func withDelay(call func() (any, error), length int) func() (any, error) {
	return func() (any, error) {
		answer, err := call()
		delay(length)
		return answer, err
	}
}

// delayCost is the least time that a delay takes, in seconds: fixed + length *
// perMultiplication.
type delayCost struct{ fixed, perMultiplication float64 }

// lengthFor gives the length of the delay that takes so many seconds.
func (c delayCost) lengthFor(seconds float64) int {
	return max(1, int(math.Round((seconds-c.fixed)/c.perMultiplication)))
}

// measureDelayCost finds the least times of delays of two lengths.
func measureDelayCost() delayCost {
	const short, long, calls, attempts = 100, 1100, 20, 2000
	fastest := func(length int) float64 {
		least := time.Duration(math.MaxInt64)
		for range attempts {
			start := time.Now()
			for range calls {
				delay(length)
			}
			least = min(least, time.Since(start))
		}
		return least.Seconds() / calls
	}
	a, b := fastest(short), fastest(long)
	perMultiplication := (b - a) / (long - short)
	return delayCost{fixed: a - short*perMultiplication, perMultiplication: perMultiplication}
}

// yardstickLength is the number of multiplications of the yardstick, about a microsecond
// of them. The yardstick is sampled like a benchmark; as it takes a fixed number of
// cycles, its time shows the clock frequency of the processor.
const yardstickLength = 1000

func prepareYardstick(context.Context) (func() (any, error), func() error, error) {
	return func() (any, error) {
		delay(yardstickLength)
		return nil, nil
	}, nil, nil
}
