package format

import (
	"slices"
	"sync"
)

// Insert adds a row to the table until restore is called. Other packages compute tables
// from the formats when they are first used: those keep the row.
func Insert(row Format) (restore func()) {
	before := formats
	formats = append(slices.Clone(formats), row)
	index = sync.OnceValue(makeTables)
	return func() {
		formats = before
		index = sync.OnceValue(makeTables)
	}
}
