package engine

import (
	"errors"
	"fmt"
)

// WithStacks adds the stacks of a panic, or of a call that was abandoned, to the text of
// its error, for whoever gets no more than the text.
func WithStacks(err error) error {
	var panicked *PanicError
	if errors.As(err, &panicked) {
		return fmt.Errorf("%w\n%s", err, panicked.Stack)
	}
	var abandoned *AbandonedError
	if errors.As(err, &abandoned) {
		return fmt.Errorf("%w\n%s", err, abandoned.Stacks)
	}
	return err
}
