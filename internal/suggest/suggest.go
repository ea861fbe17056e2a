// Package suggest finds the known word that is nearest to a mistyped one. It is used
// wherever people type a name: flags, tags, fields, units, formats.
package suggest

import (
	"fmt"
	"slices"
	"strings"
)

// Nearest gives the known word closest to a mistyped one, and false where none is
// close enough to be a likely typing error. Case is ignored. The distance counts
// insertions, deletions, replacements and swaps of neighbouring letters (optimal string
// alignment); one for every three letters is allowed, and at least one. Among
// equally close words it gives the first in alphabetical order, so that the result does
// not depend on the order of known. A word that says the opposite is never given, see
// Opposite.
func Nearest(word string, known []string) (string, bool) {
	return NearestWithin(word, known, max(1, len([]rune(word))/3))
}

// NearestWithin is Nearest with another limit on the distance.
func NearestWithin(word string, known []string, limit int) (string, bool) {
	return NewWords(known).nearestWithin(word, limit)
}

// Words are known words that many mistyped ones are compared with.
type Words []knownWord

type knownWord struct {
	text    string
	folded  []rune
	letters *letters
}

// NewWords prepares known words.
func NewWords(known []string) Words {
	words := make(Words, 0, len(known))
	for _, text := range slices.Sorted(slices.Values(known)) {
		folded := []rune(strings.ToLower(text))
		words = append(words, knownWord{text, folded, countLetters(folded)})
	}
	return words
}

// Nearest is the function Nearest for these words.
func (w Words) Nearest(word string) (string, bool) {
	return w.nearestWithin(word, max(1, len([]rune(word))/3))
}

func (w Words) nearestWithin(word string, limit int) (string, bool) {
	folded := []rune(strings.ToLower(word))
	best, bestDistance := "", limit+1
	letters := countLetters(folded)
	for _, candidate := range w {
		if candidate.letters.distance(letters) >= bestDistance {
			continue // most are told apart by their letters alone, at a hundredth of the cost
		}
		d := distance(folded, candidate.folded, bestDistance)
		if d < bestDistance && d < max(len(folded), 1) && !(d > 0 && (Opposite(word, candidate.text) || losesDirection(word, candidate.text))) {
			best, bestDistance = candidate.text, d
		}
	}
	return best, best != ""
}

// Question gives the clause that suggests a text: `did you mean "p95"?`. It is for callers
// that have more to say than DidYouMean, such as the place of the word.
func Question(text string) string { return fmt.Sprintf("did you mean %q?", text) }

// DidYouMean gives the clause that follows an error about an unknown word:
// `did you mean "p95"?` where a known word is near, else `known: a, b, c`, and the empty
// string where there are no known words.
func DidYouMean(word string, known []string) string {
	if near, ok := Nearest(word, known); ok {
		return Question(near)
	}
	if len(known) == 0 {
		return ""
	}
	return "known: " + strings.Join(known, ", ")
}

// letters counts the letters of a word, several in one place.
type letters [64]int16

func countLetters(word []rune) *letters {
	var l letters
	for _, r := range word {
		l[r%64]++
	}
	return &l
}

// distance is at most that of the words: a slip adds a letter, takes one away or
// does both.
func (l *letters) distance(other *letters) int {
	more, fewer := 0, 0
	for i := range l {
		if d := int(l[i] - other[i]); d > 0 {
			more += d
		} else {
			fewer -= d
		}
	}
	return max(more, fewer)
}

// distance is the optimal string alignment distance of two words, or any number
// from limit on where it is no smaller.
func distance(a, b []rune, limit int) int {
	a, b = withoutCommonEnds(a, b)
	if difference := len(a) - len(b); max(difference, -difference) >= limit {
		return limit
	}
	const usual = 128 // letters; for longer texts memory is allocated
	var buffer [3 * usual]int
	rows := buffer[:]
	if len(b) >= usual {
		rows = make([]int, 3*(len(b)+1))
	}
	n := len(b) + 1
	before, row, next := rows[:n], rows[n:2*n], rows[2*n:3*n]
	for j := range row {
		row[j] = j
	}
	smallest := 0 // of the row before
	for i, ra := range a {
		next[0] = i + 1
		least := next[0]
		for j, rb := range b {
			cost := 1
			if ra == rb {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && ra == b[j-1] && a[i-1] == rb {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
			least = min(least, next[j+1])
		}
		if min(least, smallest+1) >= limit {
			return limit // a row is made of the two before it
		}
		smallest = least
		before, row, next = row, next, before
	}
	return row[len(b)]
}

// withoutCommonEnds gives two texts without the letters that both begin with and both end
// with, which no edit between them needs to touch.
func withoutCommonEnds(a, b []rune) (restA, restB []rune) {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	a, b = a[n:], b[n:]
	for n = 0; n < min(len(a), len(b)) && a[len(a)-1-n] == b[len(b)-1-n]; n++ {
	}
	return a[:len(a)-n], b[:len(b)-n]
}

// Distance counts the slips that make one word of another: insertions, deletions,
// replacements and swaps of neighbouring letters. Case is ignored. From limit on, any number
// not below limit is returned.
func Distance(a, b string, limit int) int {
	return distance([]rune(strings.ToLower(a)), []rune(strings.ToLower(b)), limit)
}
