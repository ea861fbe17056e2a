// Package table reads the tables that are embedded in the loader (rows of columns that are
// separated by one tab), and matches names with the patterns in them.
package table

import (
	"iter"
	"strings"
)

// Columns is the number of columns of the widest table.
const Columns = 5

// Rows iterates over the rows of a table. A line that begins with "#" is a comment, "-" is
// an empty field, and columns that a table does not have are empty. The array is
// overwritten by the next row.
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

// CommonPrefixLen gives the length in bytes of the longest common prefix.
func CommonPrefixLen(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
