//go:build !race

package suite

// raceDetector says that the program is built with Go's race detector.
const raceDetector = false
