package report

import (
	"io"

	"omniloader/internal/bench"
)

// ComparisonRenderer writes a comparison.
type ComparisonRenderer func(w io.Writer, c *bench.Comparison, opts Options) error

// ComparisonFormat is a way to render a comparison.
type ComparisonFormat struct {
	Name        string
	Description string // in one line, for help
	Render      ComparisonRenderer
}
