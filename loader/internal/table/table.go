// Package table reads the tables that are built into the loader, and matches the
// patterns in them.
package table

import (
	"iter"
	"strings"
)

// Columns is the width of the widest table; narrower ones leave the rest
// empty.
const Columns = 5

// Rows gives the rows of a table: "#" begins a comment, "-" is an empty
// field. The array is reused from row to row.
func Rows(table string) iter.Seq[*[Columns]string] {
	return func(yield func(*[Columns]string) bool) {
		var fields [Columns]string
		for line := range strings.Lines(table) {
			line = strings.TrimSuffix(line, "\n")
			if line == "" || line[0] == '#' {
				continue
			}
			for i := range fields {
				fields[i], line, _ = strings.Cut(line, "\t")
				if fields[i] == "-" {
					fields[i] = ""
				}
			}
			if !yield(&fields) {
				return
			}
		}
	}
}

func CommonPrefixLen(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
