package loader

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"omniloader/loader/internal/table"
)

//go:embed failures.tsv
var failuresTSV string

// Failure is one of the ways in which checkpoints fail their users.
type Failure struct {
	Number  int      `json:"number"`  // from 1 to 20
	Title   string   `json:"failure"` // what is wrong, in a few words
	Seen    string   `json:"seen"`    // what users see of it: a message of another library, or a wrong result
	Codes   []string `json:"codes"`   // of the findings that say so, the most telling first
	Presets []string `json:"presets"` // checkpoints for scenarios that are broken so
	WayOut  string   `json:"way_out"` // what to do
}

// Failures lists them by their numbers.
func Failures() []Failure { return slices.Clone(failuresKnown()) }

var failuresKnown = sync.OnceValue(func() (all []Failure) {
	for f := range table.Rows(failuresTSV) {
		all = append(all, Failure{len(all) + 1, f[0], f[1], strings.Split(f[2], ","), strings.Split(f[3], ","), f[4]})
	}
	return all
})
