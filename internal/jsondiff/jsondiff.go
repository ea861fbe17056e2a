// Package jsondiff compares two JSON documents, and says for each place where they differ
// what was expected there and what was found.
package jsondiff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Difference is one place where two documents differ. A value is decoded as encoding/json
// does with UseNumber.
type Difference struct {
	Path                  string // "weights.files[2]"; "" for the document as a whole
	Expected, Got         any
	OnlyExpected, OnlyGot bool // the other document has nothing at this place
}

// maxValue is the number of characters to which a value is shortened in a line.
const maxValue = 120

// String returns the difference in one line: `weights.tensors: expected 290, got 291`.
func (d Difference) String() string {
	expected, got := "nothing", "nothing"
	if !d.OnlyGot {
		expected = text(d.Expected)
	}
	if !d.OnlyExpected {
		got = text(d.Got)
	}
	place := d.Path
	if place == "" {
		place = "the whole document"
	}
	return fmt.Sprintf("%s: expected %s, got %s", place, expected, got)
}

// text writes a value as JSON in one line, shortened if it is long.
func text(value any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return fmt.Sprint(value) // a decoded value can be encoded
	}
	line := strings.TrimSuffix(b.String(), "\n")
	if utf8.RuneCountInString(line) <= maxValue {
		return line
	}
	return string([]rune(line)[:maxValue-1]) + "…"
}

// Decode reads a document of exactly one JSON value. Numbers are kept as they are written.
func Decode(document []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("after the value, at byte %d, there is something else", d.InputOffset())
	}
	return value, nil
}

// Compare compares two decoded documents. The differences are in the order of their paths:
// the keys of an object sorted, the entries of a list from first to last. Numbers are equal
// if their values are, however they are written. Of two lists of different length, entries
// that both have in the same order are not reported.
func Compare(expected, got any) []Difference {
	c := new(comparison)
	c.values("", expected, got)
	return c.differences
}

type comparison struct{ differences []Difference }

func (c *comparison) values(path string, expected, got any) {
	switch e := expected.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			c.objects(path, e, g)
			return
		}
	case []any:
		if g, ok := got.([]any); ok {
			c.lists(path, e, g)
			return
		}
	}
	if !equal(expected, got) {
		c.differences = append(c.differences, Difference{Path: path, Expected: expected, Got: got})
	}
}

func (c *comparison) objects(path string, expected, got map[string]any) {
	keys := make(map[string]any, len(expected)+len(got))
	maps.Copy(keys, expected)
	maps.Copy(keys, got)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		e, isExpected := expected[key]
		g, isThere := got[key]
		below := member(path, key)
		switch {
		case !isThere:
			c.differences = append(c.differences, Difference{Path: below, Expected: e, OnlyExpected: true})
		case !isExpected:
			c.differences = append(c.differences, Difference{Path: below, Got: g, OnlyGot: true})
		default:
			c.values(below, e, g)
		}
	}
}

// maxAligned bounds the work of finding the entries that two lists of different length have
// in common: the product of their lengths. Longer ones are compared position by position.
const maxAligned = 1 << 20

func (c *comparison) lists(path string, expected, got []any) {
	at := func(i int) string { return path + "[" + strconv.Itoa(i) + "]" }
	missing := func(i int) {
		c.differences = append(c.differences, Difference{Path: at(i), Expected: expected[i], OnlyExpected: true})
	}
	extra := func(i int) {
		c.differences = append(c.differences, Difference{Path: at(i), Got: got[i], OnlyGot: true})
	}
	if len(expected) == len(got) || len(expected)*len(got) > maxAligned {
		for i := range max(len(expected), len(got)) {
			switch {
			case i >= len(got):
				missing(i)
			case i >= len(expected):
				extra(i)
			default:
				c.values(at(i), expected[i], got[i])
			}
		}
		return
	}
	common := commonLengths(expected, got)
	for e, g := 0, 0; e < len(expected) || g < len(got); {
		switch {
		case e < len(expected) && g < len(got) && equal(expected[e], got[g]):
			e, g = e+1, g+1
		case g == len(got) || e < len(expected) && common[e+1][g] >= common[e][g+1]:
			missing(e)
			e++
		default:
			extra(g)
			g++
		}
	}
}

// commonLengths returns the length of the longest common subsequence of a[i:] and b[j:], for
// every i and j.
func commonLengths(a, b []any) [][]int {
	lengths := make([][]int, len(a)+1)
	for i := range lengths {
		lengths[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if equal(a[i], b[j]) {
				lengths[i][j] = lengths[i+1][j+1] + 1
			} else {
				lengths[i][j] = max(lengths[i+1][j], lengths[i][j+1])
			}
		}
	}
	return lengths
}

// equal says whether two decoded values are equal.
func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key, value := range a {
			if other, ok := b[key]; !ok || !equal(value, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case json.Number:
		b, ok := b.(json.Number)
		return ok && equalNumbers(a, b)
	}
	return a == b
}

// equalNumbers compares whole numbers digit by digit, and others as floating-point numbers.
func equalNumbers(a, b json.Number) bool {
	if a == b {
		return true
	}
	whole := func(n json.Number) bool { return !strings.ContainsAny(string(n), ".eE") }
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && x == y && !(whole(a) && whole(b) && a != "-0" && b != "-0")
}

// member is the path of a member of an object: "a.b", or a["b c"] where the key is no name.
func member(path, key string) string {
	isName := key != "" && !strings.ContainsFunc(key, func(r rune) bool { return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	switch {
	case !isName:
		return path + "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}
