package answer

import (
	"errors"
	"slices"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/internal/repo"
)

// SearchError is the error of a search for a tokenizer that found none, or one that
// cannot be read. Paths are those of the filesystem that was searched. Kind, path and
// hint are those of the fault.Error that it unwraps to.
type SearchError struct {
	Path   string    // the checkpoint's directory
	Base   string    // its base model, whose tokenizer was looked for, "" where it is not known
	Tried  []Attempt // the places searched, in order
	Broken error     // why the tokenizer found outside the checkpoint cannot be read, nil where none was found
}

// Error lists the places that were searched, one a line. Directories that do not exist,
// in which a base model was looked for, share a line.
func (e *SearchError) Error() string {
	if e.Broken != nil {
		return e.Broken.Error()
	}
	var b strings.Builder
	b.WriteString(e.Path + ": no tokenizer, neither in the checkpoint nor elsewhere: " + string(fault.NotFound))
	roots, forms := []string{}, []string{}
	for _, t := range e.Tried {
		if t.Absent && t.Root != "" {
			roots, forms = appendUnique(roots, t.Root), appendUnique(forms, t.pathBelowRoot())
		} else {
			b.WriteString("\n  " + t.Path + ": " + t.Reason)
		}
	}
	if len(roots) > 0 {
		b.WriteString("\n  not there: " + strings.Join(forms, ", "))
		b.WriteString("\n    below " + strings.Join(roots, ", "))
	}
	return b.String()
}

// pathBelowRoot gives the path relative to Root.
func (t *Attempt) pathBelowRoot() string {
	return strings.TrimPrefix(strings.TrimPrefix(t.Path, t.Root), "/")
}

// appendUnique appends s where the list does not contain it.
func appendUnique(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// Summary gives the error in one line, without the places.
func (e *SearchError) Summary() string {
	if e.Base == "" {
		return "no tokenizer file"
	}
	return "no tokenizer file, and that of the base model " + e.Base + " is not near"
}

// Unwrap gives Broken, else a fault.Error of the kind fault.NotFound.
func (e *SearchError) Unwrap() error {
	if e.Broken != nil {
		return e.Broken
	}
	hint := "add tokenizer.json to the checkpoint, or configure a fallback"
	if repo.IsPath(e.Base) {
		hint = "correct the path of the base model, " + e.Base + ", or configure a fallback"
	} else if e.Base != "" {
		hint = "put the base model " + e.Base + " beside the checkpoint, name a model root that has it, or configure a fallback"
	}
	return fault.New(fault.NotFound, e.Path, "no tokenizer").WithHint(hint)
}

// MapPaths gives a copy of the error in which mapPath was applied to every path.
func (e *SearchError) MapPaths(mapPath func(string) string) *SearchError {
	p := &SearchError{Path: mapPath(e.Path), Base: e.Base, Tried: mapPaths(e.Tried, mapPath), Broken: e.Broken}
	var broken *fault.Error
	if errors.As(e.Broken, &broken) {
		at := *broken
		at.Path = mapPath(at.Path)
		p.Broken = &at
	}
	return p
}

// MapPaths applies mapPath to every path of the description.
func (t *TokenizerInfo) MapPaths(mapPath func(string) string) {
	t.Path, t.Tried = mapPath(t.Path), mapPaths(t.Tried, mapPath)
}

// mapPaths gives a copy of the attempts in which mapPath was applied to every path.
func mapPaths(tried []Attempt, mapPath func(string) string) []Attempt {
	tried = slices.Clone(tried)
	for i := range tried {
		t := &tried[i]
		if t.OutsideFS {
			continue
		}
		t.Path = mapPath(t.Path)
		if t.Root != "" {
			t.Root = mapPath(t.Root)
		}
	}
	return tried
}
