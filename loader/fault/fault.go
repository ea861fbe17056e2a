// Package fault is the vocabulary of errors that every reader of the loader
// shares: a kind, spelled as feature files spell it, and the place where it was
// met. It knows no file format; formats add kinds of their own.
package fault

import (
	"errors"
	"strconv"
	"strings"
)

// Kind is one class of failure. Its text is the word a feature file uses, so a
// Kind must never be renamed lightly. Kinds are compared with errors.Is.
type Kind string

func (k Kind) Error() string { return string(k) }

// The kinds that more than one reader reports. A format's own kinds stand in the
// format's package.
const (
	NotFound    Kind = "not found"           // the file or directory is not there
	Unreadable  Kind = "unreadable"          // it is there, and reading it failed
	NotAFile    Kind = "not a file"          // a directory stands where a file should
	Empty       Kind = "empty file"          // no bytes at all
	TooLarge    Kind = "too large"           // beyond the limit this reader sets itself
	TooDeep     Kind = "nested too deeply"   // beyond the limit on nesting
	Truncated   Kind = "truncated"           // the file ends before what it promises
	Malformed   Kind = "malformed"           // the bytes break the format's rules
	NotJSON     Kind = "not JSON"            // not a JSON text
	WrongType   Kind = "wrong type"          // well-formed, and of another type than the format asks
	Unsupported Kind = "unsupported"         // well-formed, and beyond what this reader knows
	Unsafe      Kind = "unsafe"              // following it would leave the checkpoint or run its code
	LFSPointer  Kind = "git-lfs pointer"     // the pointer file of Git LFS instead of the content
	HTMLPage    Kind = "HTML page"           // a web page saved in the content's place
	ZeroFilled  Kind = "zero-filled"         // allocated and never written
	Incomplete  Kind = "incomplete download" // a download that did not end
	Ambiguous   Kind = "ambiguous"           // more than one answer fits equally well
)

// Error is a failure with its place.
type Error struct {
	Path   string // the file, as the reader was given it
	Offset int64  // byte in the file, or NoOffset
	Kind   Kind   // the class of failure
	Detail string // what was found and what was needed, in one clause
	Advice string // the way out, or empty
	Cause  error  // the error underneath, or nil
}

// NoOffset stands for an error that has no byte to point at.
const NoOffset int64 = -1

// New returns an Error without an offset.
func New(kind Kind, path, detail string) *Error {
	return &Error{Path: path, Offset: NoOffset, Kind: kind, Detail: detail}
}

// At returns an Error at a byte of the file.
func At(kind Kind, path string, offset int64, detail string) *Error {
	return &Error{Path: path, Offset: offset, Kind: kind, Detail: detail}
}

// WithHint sets the way out and returns the error.
func (e *Error) WithHint(advice string) *Error {
	e.Advice = advice
	return e
}

// WithCause sets the error underneath and returns the error.
func (e *Error) WithCause(err error) *Error {
	e.Cause = err
	return e
}

// Error reads "path: byte 8: detail: kind".
func (e *Error) Error() string {
	var b strings.Builder
	if e.Path != "" {
		b.WriteString(e.Path)
		b.WriteString(": ")
	}
	if e.Offset >= 0 {
		b.WriteString("byte ")
		b.WriteString(strconv.FormatInt(e.Offset, 10))
		b.WriteString(": ")
	}
	if e.Detail != "" {
		b.WriteString(e.Detail)
		b.WriteString(": ")
	}
	b.WriteString(string(e.Kind))
	return b.String()
}

// Hint gives the way out, or the empty string. It is printed once, by whoever
// prints the error.
func (e *Error) Hint() string { return e.Advice }

// Unwrap gives the kind, and the cause where there is one.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// KindOf gives the kind of the outermost Error in err, and the empty Kind where
// there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	var k Kind
	if errors.As(err, &k) {
		return k
	}
	return ""
}

// PathOf gives the file that the outermost Error in err names, or "".
func PathOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Path
	}
	return ""
}

// HintOf gives the first hint found in err's chain, or "".
func HintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
