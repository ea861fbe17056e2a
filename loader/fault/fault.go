// Package fault defines the errors of all readers of the loader: a kind, spelled as in
// feature files, and the place in the file. It is independent of file formats; the
// package of a format adds kinds of its own.
package fault

import (
	"errors"
	"strconv"
	"strings"
)

// Kind is one class of error. Feature files and scripts refer to kinds by their text,
// so changing the text breaks them. Kinds are compared with errors.Is.
type Kind string

func (k Kind) Error() string { return string(k) }

// The kinds that more than one reader reports. Those of one format are in the
// package of that format.
const (
	NotFound    Kind = "not found"           // the file or directory does not exist
	Unreadable  Kind = "unreadable"          // it exists, and reading it failed
	NotAFile    Kind = "not a file"          // a directory or a special file in place of a file
	Empty       Kind = "empty file"          // no bytes at all
	TooLarge    Kind = "too large"           // beyond a limit of the reader
	TooDeep     Kind = "nested too deeply"   // beyond the limit on nesting
	Truncated   Kind = "truncated"           // the file ends before the data it declares
	Malformed   Kind = "malformed"           // the bytes violate the format
	NotJSON     Kind = "not JSON"            // not a JSON text
	WrongType   Kind = "wrong type"          // well-formed, but not of the type that the format needs
	Unsupported Kind = "unsupported"         // well-formed, but not known to this reader
	Unsafe      Kind = "unsafe"              // loading it would leave the checkpoint or run code of it
	LFSPointer  Kind = "git-lfs pointer"     // the pointer file of Git LFS in place of the content
	HTMLPage    Kind = "HTML page"           // a web page in place of the content
	ZeroFilled  Kind = "zero-filled"         // space that was allocated and never written
	Incomplete  Kind = "incomplete download" // an unfinished download
	Ambiguous   Kind = "ambiguous"           // more than one answer is equally right
)

// Error is an error with its place.
type Error struct {
	Path   string // the file, as it was named to the reader
	Offset int64  // byte in the file, or NoOffset
	Kind   Kind   // the class of error
	Detail string // what was found and what was needed, in one clause
	Advice string // the hint: what the user can do about it, or empty
	Cause  error  // the underlying error, or nil
}

// NoOffset is the offset of an error that concerns no single byte.
const NoOffset int64 = -1

// New returns an Error without an offset.
func New(kind Kind, path, detail string) *Error {
	return &Error{Path: path, Offset: NoOffset, Kind: kind, Detail: detail}
}

// At returns an Error at a byte of the file.
func At(kind Kind, path string, offset int64, detail string) *Error {
	return &Error{Path: path, Offset: offset, Kind: kind, Detail: detail}
}

// WithHint sets the hint, what the user can do about the error, and returns e.
func (e *Error) WithHint(advice string) *Error {
	e.Advice = advice
	return e
}

// WithCause sets the underlying error and returns e.
func (e *Error) WithCause(err error) *Error {
	e.Cause = err
	return e
}

// Error returns "path: byte 8: detail: kind".
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

// Hint returns the hint, or "". It is not a part of Error: whoever prints the error
// prints it once.
func (e *Error) Hint() string { return e.Advice }

// Unwrap returns the kind, and the cause where there is one.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// KindOf returns the kind of the outermost Error in err, and the empty Kind where
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

// PathOf returns the file that the outermost Error in err names, or "".
func PathOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Path
	}
	return ""
}

// HintOf returns the first hint in err's chain, or "".
func HintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
