package cli

import (
	"fmt"
	"slices"
	"strings"
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
	found := slices.DeleteFunc(l.entries, func(e T) bool { return !containsWords(l.text(e), words) })
	if len(found) == 0 {
		return errorWithHint(l.hint, l.noMatch, strings.Join(words, " and "))
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

// containsWords tells whether a text has all of the words, in any case.
func containsWords(text string, words []string) bool {
	text = strings.ToLower(text)
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, strings.ToLower(w)) })
}
