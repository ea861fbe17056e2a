package steps

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"omniloader/internal/suggest"
	"omniloader/loader"
	"omniloader/loader/fault"
	"omniloader/loader/tokenizer"
)

// kinds are the failures that a scenario can name. A feature file spells a kind
// as the kind spells itself, so this is a list and not a translation.
var kinds = []fault.Kind{
	fault.NotFound, fault.Unreadable, fault.NotAFile, fault.Empty, fault.TooLarge, fault.TooDeep, fault.Truncated,
	fault.Malformed, fault.NotJSON, fault.WrongType, fault.Unsupported, fault.Unsafe, fault.LFSPointer, fault.HTMLPage,
	fault.ZeroFilled, fault.Incomplete, fault.Ambiguous, loader.NotAnSAE,
	tokenizer.UnknownComponent, tokenizer.MissingField, tokenizer.BadVocabulary, tokenizer.BadPattern,
}

// FailureKinds gives the kinds of failure that a step can name.
func FailureKinds() []fault.Kind { return slices.Clone(kinds) }

// failureSteps are the Then steps about reading that fails.
func (w *world) failureSteps(v stepRegistrar) {
	v.group("Failures: by kind and by file")
	v.Then(`^reading fails with "([^"]*)"$`, w.fails, stepDoc{
		meaning:        "There is no answer but an error of this kind.",
		example:        `reading fails with "not found"`,
		expectsFailure: true,
	})
	v.Then(`^reading fails with "([^"]*)" in "([^"]*)"$`, w.failsIn, stepDoc{
		meaning:        "There is no answer but an error of this kind about this file of the checkpoint.",
		example:        `reading fails with "not JSON" in "config.json"`,
		expectsFailure: true,
	})
	v.Then(`^the failure names "([^"]*)"$`, w.failureNames, stepDoc{
		meaning:        "The error names a file, a place or a figure that the reader needs to know.",
		example:        `the failure names "models/openai/gpt2"`,
		expectsFailure: true,
	})
	v.Then(`^the hint mentions "([^"]*)"$`, w.hintMentions, stepDoc{
		meaning:        "The error's hint at the way out has this text in it.",
		example:        `the hint mentions "git lfs pull"`,
		expectsFailure: true,
	})
}

// failed gives the error of the operation, or an error that there was none.
func (w *world) failed() error {
	switch {
	case w.operation == "":
		return errors.New("nothing was read yet")
	case w.err == nil:
		return fmt.Errorf("reading the %s did not fail; the answer is %s", w.operation, shortened(w.answer.text))
	}
	return nil
}

func (w *world) fails(kind string) error {
	var known []string
	for _, k := range kinds {
		known = append(known, string(k))
		if string(k) != kind {
			continue
		}
		if err := w.failed(); err != nil {
			return err
		}
		if !errors.Is(w.err, k) {
			return fmt.Errorf("reading failed with %q, expected %q: %w", fault.KindOf(w.err), kind, w.err)
		}
		return nil
	}
	return scenarioErrorf("no failure is called %q, %s", kind, suggest.DidYouMean(kind, known))
}

func (w *world) failsIn(kind, file string) error {
	if err := w.fails(kind); err != nil {
		return err
	}
	if got := w.relative(fault.PathOf(w.err)); got != file {
		return fmt.Errorf("reading failed in %q, expected %q: %w", got, file, w.err)
	}
	return nil
}

// relative writes a path as the checkpoint sees it, where it lies in it.
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
		return fmt.Errorf("the failure does not name %q: %w", text, w.err)
	}
	return nil
}

func (w *world) hintMentions(text string) error {
	if err := w.failed(); err != nil {
		return err
	}
	if hint := fault.HintOf(w.err); !strings.Contains(hint, text) {
		return fmt.Errorf("the hint is %q, without %q: %w", hint, text, w.err)
	}
	return nil
}

// shortened cuts an answer to what fits a line or two of a report.
func shortened(text string) string {
	const most = 160
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
