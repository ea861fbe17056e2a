//go:build !linux

package bench

import "runtime"

// peakRSS says why the largest resident set of this process is not known.
func peakRSS() (resident uint64, why string) {
	return 0, "the peak of the resident memory is not read on " + runtime.GOOS
}
