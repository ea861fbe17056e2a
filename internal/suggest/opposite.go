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
	{"least", "most"}, {"minimum", "maximum"}, {"min", "max"}, {"below", "above"}, {"under", "over"},
	{"less", "more"}, {"fewer", "more"}, {"smaller", "larger"}, {"smaller", "greater"}, {"shorter", "longer"},
	{"slower", "faster"}, {"before", "after"}, {"first", "last"}, {"present", "absent"}, {"with", "without"},
	{"yes", "no"}, {"true", "false"}, {"encoded", "decoded"}, {"encode", "decode"}, {"pass", "fail"}, {"passes", "fails"},
	{"empty", "full"}, {"old", "new"}, {"sound", "broken"}, {"include", "exclude"}, {"starts", "ends"}, {"start", "end"},
}

// Opposite tells whether two texts, of one word or several, say the opposite of each
// other: one has a negation that the other has not, or a word has its antonym in the
// other ("at least 5" and "at most 5", "complete" and "incomplet"). Typing errors in the
// words are allowed for. A text that only looks like an opposite is taken for one: it is
// better to suggest nothing than the reverse of what was meant.
func Opposite(a, b string) bool {
	restA, restB := differentWords(wordsOf(a), wordsOf(b))
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
