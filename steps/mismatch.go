package steps

import "omniloader/internal/outcome"

// mismatch returns the error of a Then step that compared a field of the answer. The message
// is the whole sentence; expected and got are its parts that a report can show below each
// other. All are texts for people.
func (w *world) mismatch(f answerField, message, expected, got string) error {
	return &outcome.Mismatch{Message: message + w.origin(f), Expected: expected, Got: got}
}
