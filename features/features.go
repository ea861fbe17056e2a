// Package features holds what is promised about a model loader, as feature files
// that anyone who knows models can read. They are embedded, so that the program
// can run them from anywhere. It holds no code.
package features

import "embed"

// FS has the feature files, and the fixtures that lie beside some, in its root.
//
//go:embed *.feature *.fixture
var FS embed.FS
