package suggest

import (
	"slices"
	"strings"
	"unicode"
)

// negations are the words that reverse what is said.
var negations = []string{"not", "no", "never", "none", "neither", "nor", "cannot", "without", "isnt", "arent", "doesnt", "dont", "cant", "nt"}

// negatingPrefixes make a word of the word behind them that says the opposite.
var negatingPrefixes = []string{"un", "in", "im", "ir", "il", "non", "dis", "not", "no"}

// antonyms are pairs of words that say the opposite of each other and are not made with a
// prefix.
var antonyms = [][2]string{
	{"min", "max"}, {"slower", "faster"}, {"before", "after"}, {"first", "last"}, {"present", "absent"}, {"with", "without"},
	{"yes", "no"}, {"true", "false"}, {"encoded", "decoded"}, {"encode", "decode"}, {"pass", "fail"}, {"passes", "fails"},
	{"empty", "full"}, {"old", "new"}, {"sound", "broken"}, {"include", "exclude"}, {"starts", "ends"}, {"start", "end"},
}

// The words that say in which direction a limit is: "at most", "under" and "fewer" all say
// that a value is not above it. A word of one class is the opposite of each word of the other.
var (
	downwards = []string{"below", "under", "most", "less", "fewer", "smaller", "shorter", "lower", "maximum", "beneath"}
	upwards   = []string{"above", "over", "least", "more", "greater", "larger", "longer", "higher", "minimum", "exceeds", "exceed"}
)

// losesDirection tells whether a typed text has a word of direction for which a known one has
// none: "is at least 5" is not meant by "is absent".
func losesDirection(typed, known string) bool {
	hasDirection := func(words []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(downwards, w) || slices.Contains(upwards, w) })
	}
	return hasDirection(wordsOf(typed)) && !hasDirection(wordsOf(known))
}

// Opposite tells whether two texts, of one word or several, say the opposite of each
// other: one has a negation that the other has not, or a word has its antonym in the
// other ("at least 5" and "at most 5", "complete" and "incomplet"). Typing errors in the
// words are allowed for. A text that only looks like an opposite is taken for one: it is
// better to suggest nothing than the reverse of what was meant.
func Opposite(a, b string) bool {
	wordsA, wordsB := wordsOf(a), wordsOf(b)
	restA, restB := differentWords(splitNegated(wordsA, wordsB), splitNegated(wordsB, wordsA))
	if countNegations(restA) != countNegations(restB) {
		return true
	}
	for _, x := range restA {
		for _, y := range restB {
			if areAntonyms(x, y) {
				return true
			}
		}
	}
	return false
}

// splitNegated writes a word with a negating prefix as two, if the others have the word without
// it and a negation: "unsupported" beside "not supported" is the same.
func splitNegated(words, others []string) []string {
	const shortest = 4 // letters, as in negates
	if !slices.ContainsFunc(others, func(w string) bool { return slices.Contains(negations, w) }) {
		return words
	}
	var split []string
	for _, w := range words {
		parts := []string{w}
		for _, prefix := range negatingPrefixes {
			if rest, ok := strings.CutPrefix(w, prefix); ok && len(rest) >= shortest && slices.Contains(others, rest) && !slices.Contains(others, w) {
				parts = []string{"not", rest}
			}
		}
		split = append(split, parts...)
	}
	return split
}

// wordsOf splits a text into words of letters and digits, in lower case, without
// apostrophes.
func wordsOf(text string) []string {
	text = apostrophes.Replace(strings.ToLower(text))
	return strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

var apostrophes = strings.NewReplacer("'", "", "’", "")

// differentWords gives the words of each list that the other does not have: first equal
// words are taken away, then those that may be the same word with a typing error.
func differentWords(a, b []string) (restA, restB []string) {
	restB = slices.Clone(b)
	take := func(words []string, same func(x, y string) bool) (rest []string) {
		for _, x := range words {
			if i := slices.IndexFunc(restB, func(y string) bool { return same(x, y) }); i >= 0 {
				restB = slices.Delete(restB, i, i+1)
			} else {
				rest = append(rest, x)
			}
		}
		return rest
	}
	restA = take(a, func(x, y string) bool { return x == y })
	restA = take(restA, func(x, y string) bool {
		isNegation, otherIs := slices.Contains(negations, x), slices.Contains(negations, y)
		mayBeSame := !isNegation && !otherIs || slices.Contains(noNegations, x) || slices.Contains(noNegations, y)
		return mayBeSame && !areAntonyms(x, y) && isSlip(x, y)
	})
	return restA, restB
}

// isSlip tells whether a word may be another one with a typing error.
func isSlip(x, y string) bool {
	most := max(1, len(x)/3)
	return distance([]rune(x), []rune(y), most+1) <= most
}

func countNegations(words []string) (n int) {
	for _, w := range words {
		if isNegation(w) {
			n++
		}
	}
	return n
}

// isNegation tells whether a word is a negation, or one with a single typing error, such
// as "nto".
func isNegation(word string) bool {
	if len(word) < 2 {
		return false
	}
	return slices.ContainsFunc(negations, func(n string) bool {
		return word == n || len(word) >= 3 && len(n) >= 3 && word[0] == n[0] && !slices.Contains(noNegations, word) && distance([]rune(word), []rune(n), 2) <= 1
	})
}

// noNegations are words that are near a negation and are none.
var noNegations = []string{"note", "node", "now", "nose", "norm", "nine"}

// areAntonyms tells whether a word is the opposite of another, be it with a typing error.
func areAntonyms(x, y string) bool {
	near := func(typed, known string) bool {
		if typed == known {
			return true
		}
		return len(known) >= 4 && distance([]rune(typed), []rune(known), 2) <= 1
	}
	for _, pair := range antonyms {
		if near(x, pair[0]) && near(y, pair[1]) || near(x, pair[1]) && near(y, pair[0]) {
			return true
		}
	}
	in := func(word string, class []string) bool {
		return slices.ContainsFunc(class, func(known string) bool { return near(word, known) })
	}
	if in(x, downwards) && in(y, upwards) || in(x, upwards) && in(y, downwards) {
		return true
	}
	return negates(x, y) || negates(y, x)
}

// negates tells whether a word is another one behind a negating prefix, be it with a
// typing error.
func negates(x, y string) bool {
	const shortest = 4 // letters: "input" is not the opposite of "put"
	if len(y) < shortest || len(x) <= len(y)-1 {
		return false
	}
	for _, prefix := range negatingPrefixes {
		most := 0
		if len(y) > shortest {
			most = 1
		}
		if !strings.HasPrefix(y, prefix) && distance([]rune(x), []rune(prefix+y), most+1) <= most {
			return true
		}
	}
	return false
}
