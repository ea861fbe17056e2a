package steps

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"omniloader/internal/outcome"
	"omniloader/loader/fault"
)

// failureSteps are the Then steps that expect an operation to fail.
func (w *world) failureSteps(r stepRegistrar) {
	r.group("Failures, by kind and by file")
	r.Then(`^reading fails with "([^"]*)"$`, w.fails, stepDoc{
		meaning:        "Reading fails with an error of this kind.",
		example:        `reading fails with "not found"`,
		expectsFailure: true,
		check:          checkFailureKind,
	})
	r.Then(`^reading fails with "([^"]*)" in "([^"]*)"$`, w.failsIn, stepDoc{
		meaning:        "Reading fails with an error of this kind about this file of the checkpoint.",
		example:        `reading fails with "not JSON" in "config.json"`,
		expectsFailure: true,
		check:          checkFailureKind,
	})
	r.Then(`^the failure names "([^"]*)"$`, w.failureNames, stepDoc{
		meaning:        "The text of the error contains this: a file, a directory or a number, for example.",
		example:        `the failure names "models/openai/gpt2"`,
		check:          someText(0),
		expectsFailure: true,
	})
	r.Then(`^the hint mentions "([^"]*)"$`, w.hintMentions, stepDoc{
		meaning:        "The hint that comes with the error, which says what to do, contains this text.",
		example:        `the hint mentions "git lfs pull"`,
		check:          someText(0),
		expectsFailure: true,
	})
}

// failed returns an error if the operation was not called or did not fail.
func (w *world) failed() error {
	switch {
	case w.operation == "":
		return errors.New("no operation was called yet")
	case w.err == nil:
		return fmt.Errorf("reading the %s did not fail; the answer is: %s", w.operation, shown(w.answer.root))
	}
	return nil
}

// failureMismatch returns the error of a Then step about the failure of the operation.
func (w *world) failureMismatch(message, expected, got string) error {
	return &outcome.Mismatch{Message: message + ": " + w.err.Error(), Expected: expected, Got: got, DecidedBy: w.relative(fault.PathOf(w.err)), Cause: w.err}
}

func (w *world) fails(kind string) error {
	if err := failureKindExists(kind); err != nil {
		return &ScenarioError{err}
	}
	if err := w.failed(); err != nil {
		return err
	}
	if !errors.Is(w.err, fault.Kind(kind)) {
		got := string(fault.KindOf(w.err))
		return w.failureMismatch(fmt.Sprintf("reading failed with %q, expected %q", got, kind), kind, got)
	}
	return nil
}

func (w *world) failsIn(kind, file string) error {
	if err := w.fails(kind); err != nil {
		return err
	}
	if got := w.relative(fault.PathOf(w.err)); got != file {
		return w.failureMismatch(fmt.Sprintf("reading failed in %q, expected %q", got, file), file, got)
	}
	return nil
}

// relative returns name relative to the checkpoint's directory if it is inside it, and
// unchanged if not.
func (w *world) relative(name string) string {
	if rest, ok := strings.CutPrefix(path.Clean(name), path.Clean(w.dir)+"/"); ok {
		return rest
	}
	return name
}

func (w *world) failureNames(text string) error {
	if err := w.failed(); err != nil {
		return err
	}
	if !strings.Contains(w.err.Error(), text) {
		return w.failureMismatch(fmt.Sprintf("the error does not contain %q", text), text, w.err.Error())
	}
	return nil
}

func (w *world) hintMentions(text string) error {
	if err := w.failed(); err != nil {
		return err
	}
	if hint := fault.HintOf(w.err); !strings.Contains(hint, text) {
		return w.failureMismatch(fmt.Sprintf("the hint is %q and does not contain %q", hint, text), text, hint)
	}
	return nil
}
