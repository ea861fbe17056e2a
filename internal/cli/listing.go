package cli

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"omniloader/internal/suggest"
)

// listing is what a command prints that lists things which have all of some words.
type listing[T any] struct {
	entries []T
	text    func(T) string // what the words are looked for in
	print   func(T)
	noMatch string // message for words that no entry has: a format with %s for them
	hint    string // for the same case
}

// show prints the entries that have all of the words, in any case, with an empty line
// between two, or as JSON, one line each.
func (l listing[T]) show(p *program, words []string, asJSON bool) error {
	found := slices.DeleteFunc(slices.Clone(l.entries), func(e T) bool { return !containsWords(l.text(e), words) })
	if len(found) == 0 {
		return errorWithHint(l.hintFor(words), l.noMatch, strings.Join(words, " and "))
	}
	if asJSON {
		return printJSON(p, found...)
	}
	for i, e := range found {
		if i > 0 {
			fmt.Fprintln(p.out)
		}
		l.print(e)
	}
	return nil
}

// hintFor is the hint for words that no entry has all of: the words that were meant where
// some are mistyped, else how to list everything.
func (l listing[T]) hintFor(words []string) string {
	known := map[string]bool{}
	for _, e := range l.entries {
		for _, w := range listedWord.FindAllString(l.text(e), -1) {
			known[w] = true
		}
	}
	all := slices.Sorted(maps.Keys(known))
	meant, changed := slices.Clone(words), false
	for i, w := range words {
		if slices.ContainsFunc(all, func(k string) bool { return containsWords(k, []string{w}) }) {
			continue
		}
		near, ok := suggest.Nearest(w, all)
		if !ok {
			return l.hint
		}
		meant[i], changed = near, true
	}
	found := slices.ContainsFunc(l.entries, func(e T) bool { return containsWords(l.text(e), meant) })
	switch {
	case changed && found:
		return suggest.Question(strings.Join(meant, " "))
	case !changed && len(words) > 1:
		return "each of the words is somewhere, but not together: leave one out"
	}
	return l.hint
}

// listedWord finds the words that can be meant by a mistyped one, with the hyphens, dots
// and underscores in codes and names.
var listedWord = regexp.MustCompile(`[\pL\pN]+(?:[-._][\pL\pN]+)*`)

// containsWords tells whether a text has all of the words, in any case.
func containsWords(text string, words []string) bool {
	text = strings.ToLower(text)
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, strings.ToLower(w)) })
}
