//go:build !amd64 && !arm64

package bench

// fence does nothing where it is not known how: see fence_asm.go.
func fence() {}
