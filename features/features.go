// Package features has the built-in scenarios about a model loader, as feature files that
// can be read without knowing Go. They are embedded, so that the program can run them
// from any directory. The package has no code.
package features

import "embed"

// FS has the feature files and their fixtures in its root, and the checkpoints that they
// read below checkpoints.
//
//go:embed *.feature *.fixture *.json checkpoints
var FS embed.FS
