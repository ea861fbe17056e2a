// Package failures is the table of the common ways in which checkpoints fail their
// users, with the findings that report each, the presets that show it and the way
// out. It serves `omniloader findings --failures`, the documentation and tests; the
// loader does not read it.
package failures

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed failures.tsv
var table string

// Failure is one way in which checkpoints fail their users.
type Failure struct {
	Number  int      `json:"number"`  // from 1, in the order of the table
	Title   string   `json:"failure"` // what is wrong, in a few words
	Seen    string   `json:"seen"`    // what users see: a message of another library, or a wrong result
	Codes   []string `json:"codes"`   // of the findings that report it, the most specific first
	Presets []string `json:"presets"` // checkpoints for scenarios that fail in this way
	WayOut  string   `json:"way_out"` // what to do
}

// All lists the failures by number. The slice is the caller's own; the lists in its
// elements are shared and must not be changed.
func All() []Failure { return append([]Failure(nil), rows()...) }

var rows = sync.OnceValue(func() (all []Failure) {
	for line := range strings.Lines(table) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		column := strings.Split(line, "\t")
		all = append(all, Failure{
			Number: len(all) + 1, Title: column[0], Seen: column[1],
			Codes: strings.Split(column[2], ","), Presets: strings.Split(column[3], ","),
			WayOut: column[4],
		})
	}
	return all
})
