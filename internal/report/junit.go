package report

import (
	"io"

	"omniloader/internal/outcome"
)

// JUnit writes JUnit XML.
func JUnit(w io.Writer, run *outcome.Run, _ Options) error { return nil }

// Cucumber writes Cucumber JSON.
func Cucumber(w io.Writer, run *outcome.Run, _ Options) error { return nil }

// Pretty writes for people.
func Pretty(w io.Writer, run *outcome.Run, opts Options) error { return nil }

// Progress writes for people.
func Progress(w io.Writer, run *outcome.Run, opts Options) error { return nil }
