package finding

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
)

// FromError makes a finding with the message and the hint of an error.
func FromError(code, file string, err error) answer.Finding {
	return New(code, file, MessageOf(err), HintOf(err))
}

// HintOf gives the hint of an error, "" where it has none.
func HintOf(err error) string { return fault.HintOf(err) }

// MessageOf gives an error's text without the path in front.
func MessageOf(err error) string {
	return strings.TrimPrefix(err.Error(), fault.PathOf(err)+": ")
}

// CodeForKind gives the code that findings.tsv has for a kind of error, "" where it has
// none.
func CodeForKind(kind fault.Kind) string { return codeTable().byKind[kind] }

// CodeForError gives the code for the kind of an error or of one of its causes, or else
// the fallback. Of several, the code of the innermost cause counts: that a file is a Git
// LFS pointer says more than that its header cannot be parsed.
func CodeForError(err error, fallback string) string {
	code := ""
	for _, kind := range kindsOf(err) {
		if c := CodeForKind(kind); c != "" {
			code = c
		}
	}
	return cmp.Or(code, fallback)
}

// kindsOf lists the kinds of an error and of its causes, the outermost first.
func kindsOf(err error) (kinds []fault.Kind) {
	for err != nil {
		var e *fault.Error
		if !errors.As(err, &e) {
			return kinds
		}
		kinds = append(kinds, e.Kind)
		var kind fault.Kind
		if errors.As(e.Cause, &kind) && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
		err = e.Cause
	}
	return kinds
}
