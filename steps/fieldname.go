package steps

import (
	"fmt"
	"slices"
	"strings"

	"omniloader/internal/quantity"
	"omniloader/internal/suggest"
)

// fieldName is a field of an answer as steps name it.
type fieldName struct {
	keys []string // the JSON keys that lead to it
	name string   // in plain words, the names of the enclosing fields first: "weights tensor bytes"
	ends []string // name without the first enclosing field, without the first two …
}

func newFieldName(keys []string) fieldName {
	plain := make([]string, len(keys))
	for i, key := range keys {
		plain[i] = words(key)
	}
	f := fieldName{keys: keys, name: strings.Join(plain, " ")}
	for i := 1; i < len(plain); i++ {
		f.ends = append(f.ends, strings.Join(plain[i:], " "))
	}
	return f
}

// words converts a name such as "model_type" to plain words: lower case, separated by
// single spaces.
func words(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '_' || r == '.' || r == ' ' || r == '-' }), " ")
}

// otherNames are words that people use for a field which has another name.
var otherNames = map[string]string{
	"shards": "weights files",
}

// findField finds a field by its name in plain words: "model type" is model_type, and
// "quantization method" is quantization.method. If no field has the whole name, the fields
// whose names end with it are considered: "eos token" is special_tokens.eos_token. Of several,
// the one that is inside the fewest other fields is taken. The error, of which the caller
// writes the beginning, says what the name may have been meant for.
func findField(name string, fields []fieldName) (int, error) {
	wanted := words(name)
	found, err := matchField(wanted, fields)
	if other, known := otherNames[wanted]; err != nil && known {
		return matchField(other, fields)
	}
	return found, err
}

func matchField(wanted string, fields []fieldName) (int, error) {
	var candidates []int
	for i, f := range fields {
		if f.name == wanted {
			return i, nil
		}
		if slices.Contains(f.ends, wanted) {
			candidates = append(candidates, i)
		}
	}
	depth := func(i int) int { return len(fields[i].keys) }
	slices.SortStableFunc(candidates, func(a, b int) int { return depth(a) - depth(b) })
	switch {
	case len(candidates) == 0:
		return 0, unknownField(wanted, fields)
	case len(candidates) > 1 && depth(candidates[0]) == depth(candidates[1]):
		return 0, &ambiguousField{namesOf(candidates, fields)}
	}
	return candidates[0], nil
}

// ambiguousField says which fields a name may stand for.
type ambiguousField struct{ names []string }

func (e *ambiguousField) Error() string {
	return "which may be more than one field: " + strings.Join(e.names, ", ")
}

func namesOf(chosen []int, fields []fieldName) []string {
	list := make([]string, len(chosen))
	for i, at := range chosen {
		list[i] = fmt.Sprintf("%q", fields[at].name)
	}
	return list
}

// maxListed is the number of known names that a message lists.
const maxListed = 12

// unknownField returns the error for a name that no field has: what may have been meant,
// else some of the fields there are.
func unknownField(wanted string, fields []fieldName) error {
	if negation := negationIn(wanted); negation != "" {
		return fmt.Errorf("because %q is read as a part of the name: the steps that negate are %s", negation, negatedSteps)
	}
	var known []string
	for _, f := range fields {
		known = append(known, f.name)
		known = append(known, f.ends...)
	}
	if near, ok := suggest.Nearest(wanted, known); ok {
		return fmt.Errorf("%s", suggest.Question(near))
	}
	known = nil
	for _, f := range fields {
		if len(f.keys) == 1 {
			known = append(known, f.name)
		}
	}
	if more := len(known) - maxListed; more > 0 {
		return fmt.Errorf("known: %s and %d more", strings.Join(known[:maxListed], ", "), more)
	}
	return fmt.Errorf("known: %s", strings.Join(known, ", "))
}

// negatedSteps are the ways in which steps about a field negate, for people.
const negatedSteps = `"the X is not …", "the X are not …", "the X does not contain …" and "the X does not match …"`

// negations are words that no field has in its name. In the place of one, they are a step
// written in another way than the catalogue has it.
var negations = []string{"not", "no", "never", "cannot", "neither", "nor", "nowhere", "hardly",
	"dont", "doesnt", "didnt", "isnt", "arent", "wasnt", "cant", "wont", "lack", "lacks"}

// negationIn returns a word of a name that negates, or "".
func negationIn(name string) string {
	for word := range strings.FieldsSeq(name) {
		if slices.Contains(negations, word) {
			return word
		}
	}
	return ""
}

// singular returns the noun of which name is the plural, else the name itself: "shard" for
// "shards".
func singular(name string) string {
	for _, ending := range [][2]string{{"ies", "y"}, {"es", ""}, {"s", ""}} {
		if stem, ok := strings.CutSuffix(name, ending[0]); ok && plural(stem+ending[1]) == name {
			return stem + ending[1]
		}
	}
	return name
}

// ofCount returns a noun for so many of what a name says in the singular or plural.
func ofCount(n int, name string) string {
	if n == 1 {
		return singular(name)
	}
	if one := singular(name); one != name {
		return name
	}
	return plural(name)
}

// verb is "is" or "are", for so many.
func verb(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// plural returns the plural of a noun: "findings" for "finding".
func plural(noun string) string { return strings.TrimPrefix(quantity.Count(2, noun), "2 ") }
