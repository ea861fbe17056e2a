// Package suggest finds the known word that is nearest to a mistyped one. It is used
// wherever people type a name: flags, tags, fields, units, formats.
package suggest

import (
	"slices"
	"strings"
)

// Nearest gives the known word closest to a mistyped one, and false where none is
// close enough to be a likely typing error. Case is ignored. The distance counts
// insertions, deletions, replacements and swaps of neighbouring letters (optimal string
// alignment); one for every three letters is allowed, and at least one. Among
// equally close words it gives the first in alphabetical order, so that the result does
// not depend on the order of known.
func Nearest(word string, known []string) (string, bool) {
	folded := []rune(strings.ToLower(word))
	best, bestDistance := "", max(1, len(folded)/3)+1
	for _, candidate := range slices.Sorted(slices.Values(known)) {
		d := distance(folded, []rune(strings.ToLower(candidate)))
		if d < bestDistance && d < max(len(folded), 1) {
			best, bestDistance = candidate, d
		}
	}
	return best, best != ""
}

// DidYouMean gives the clause that follows an error about an unknown word:
// `did you mean "p95"?` where a known word is near, else `known: a, b, c`, and the empty
// string where there are no known words.
func DidYouMean(word string, known []string) string {
	if near, ok := Nearest(word, known); ok {
		return "did you mean \"" + near + "\"?"
	}
	if len(known) == 0 {
		return ""
	}
	return "known: " + strings.Join(known, ", ")
}

// distance is the optimal string alignment distance of two words.
func distance(a, b []rune) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, ra := range a {
		next[0] = i + 1
		for j, rb := range b {
			cost := 1
			if ra == rb {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && ra == b[j-1] && a[i-1] == rb {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
