package undertest

import (
	"errors"
	"slices"

	"omniloader/loader/fault"
)

// Error is the failure of a call in a form that another process or another language can
// give: encoding/json writes and reads it, if its texts are UTF-8. Scenarios check its
// kind, its file and its hint.
//
// With errors.Is it is its kind, if it has one. With errors.As it is a *fault.Error with
// the same kind, file, offset and hint, so that the functions of package fault work on it.
type Error struct {
	// Kind is the class of the error, spelled as scenarios spell it; Kinds lists those that
	// a step can name. "" means that there is none.
	Kind fault.Kind `json:"kind,omitempty"`
	// File is the file that the error is about, a path in Input.FS; "" for none.
	File string `json:"file,omitempty"`
	// Offset is the byte in the file, counted from 0; nil for none.
	Offset *int64 `json:"offset,omitempty"`
	// Hint says what a user can do about it; it may be empty.
	Hint string `json:"hint,omitempty"`
	// Message is the whole text of the error, without the hint. If it is "", the text is
	// made of the file, the offset and the kind.
	Message string `json:"message,omitempty"`
}

// NewError returns err as an *Error: with the text of err and the kind, file, offset and
// hint that it wraps, as an *Error or as a *fault.Error. It returns nil for nil: so the type
// of the result is error, since a nil *Error in an error would not be equal to nil.
func NewError(err error) error {
	if err == nil {
		return nil
	}
	e := &Error{Kind: fault.KindOf(err), File: fault.PathOf(err), Hint: fault.HintOf(err), Message: err.Error()}
	var place *fault.Error
	if errors.As(err, &place) && place.Offset >= 0 {
		e.Offset = &place.Offset
	}
	return e
}

// Error returns the message.
func (e *Error) Error() string {
	if e.Message != "" {
		return e.Message
	}
	return e.place().Error()
}

// Unwrap returns a *fault.Error with the kind, file, offset and hint, and nil if there is
// none of them.
func (e *Error) Unwrap() error {
	if e.Kind == "" && e.File == "" && e.Hint == "" {
		return nil
	}
	return e.place()
}

func (e *Error) place() *fault.Error {
	place := fault.New(e.Kind, e.File, "").WithHint(e.Hint)
	if e.Offset != nil {
		place.Offset = *e.Offset
	}
	return place
}

// kinds are the kinds of error that a scenario can name. The last ones are the spellings of
// package answer and package tokenizer.
var kinds = []fault.Kind{
	fault.NotFound, fault.Unreadable, fault.NotAFile, fault.Empty, fault.TooLarge, fault.TooDeep, fault.Truncated,
	fault.Malformed, fault.NotJSON, fault.WrongType, fault.Unsupported, fault.Unsafe, fault.LFSPointer, fault.HTMLPage,
	fault.ZeroFilled, fault.Incomplete, fault.Ambiguous,
	"not an SAE", "unknown component", "missing field", "bad vocabulary", "bad pattern",
}

// Kinds returns the kinds of error that a step of a scenario can name.
func Kinds() []fault.Kind { return slices.Clone(kinds) }
