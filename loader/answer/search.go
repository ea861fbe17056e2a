package answer

import (
	"errors"
	"slices"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/internal/repo"
)

// SearchError is a search for a tokenizer that found none, or one that is broken.
// Its paths are those of the filesystem that was searched. It has the kind, the path
// and the hint of the fault.Error within.
type SearchError struct {
	Path   string    // the checkpoint's directory
	Base   string    // the model whose tokenizer would do, "" where none is known
	Tried  []Attempt // every place, in order
	Broken error     // of a tokenizer outside the checkpoint that is there and broken, nil where none was found
}

// Error says where no tokenizer is, one place a line; places of the base model that
// are not there share one.
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

// form is a place as seen from the directory it was looked for in.
func (t *Attempt) pathBelowRoot() string {
	return strings.TrimPrefix(strings.TrimPrefix(t.Path, t.Root), "/")
}

func appendUnique(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// Summary is the error in one line, without places.
func (e *SearchError) Summary() string {
	if e.Base == "" {
		return "no tokenizer file"
	}
	return "no tokenizer file, and that of the base model " + e.Base + " is not near"
}

// Unwrap gives the fault.Error that the search ended with.
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

// Placed gives the error with its paths as outside writes them.
func (e *SearchError) MapPaths(outside func(string) string) *SearchError {
	p := &SearchError{Path: outside(e.Path), Base: e.Base, Tried: mapPaths(e.Tried, outside), Broken: e.Broken}
	var broken *fault.Error
	if errors.As(e.Broken, &broken) {
		at := *broken
		at.Path = outside(at.Path)
		p.Broken = &at
	}
	return p
}

// Placed writes the paths of the description as outside does.
func (t *TokenizerInfo) MapPaths(outside func(string) string) {
	t.Path, t.Tried = outside(t.Path), mapPaths(t.Tried, outside)
}

func mapPaths(tried []Attempt, outside func(string) string) []Attempt {
	tried = slices.Clone(tried)
	for i := range tried {
		t := &tried[i]
		if t.OutsideFS {
			continue
		}
		t.Path = outside(t.Path)
		if t.Root != "" {
			t.Root = outside(t.Root)
		}
	}
	return tried
}
