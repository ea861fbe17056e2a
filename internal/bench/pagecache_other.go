//go:build !linux

package bench

import (
	"errors"
	"runtime"
)

// DropCache puts the content of every file below a directory out of the page cache.
// The error says why that is not so.
func DropCache(string) error {
	return errors.New("not allowed here: " + runtime.GOOS + " has no call for it")
}
