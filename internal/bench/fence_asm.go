//go:build amd64 || arm64

package bench

// fence waits until all instructions before it have been carried out, and lets none
// behind it begin before that.
func fence()
