//go:build !race

package suite

// RaceDetector says that the program is built with Go's race detector.
const RaceDetector = false
