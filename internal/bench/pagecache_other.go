//go:build !linux

package bench

import (
	"errors"
	"runtime"
)

// DropCache gives an error: files can be removed from the page cache only on Linux.
func DropCache(string) error {
	return errors.New("not allowed here: " + runtime.GOOS + " has no call for it")
}
