package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// modelSteps are the Then steps about the kind of model and what it takes to load it.
func (w *world) modelSteps(r stepRegistrar) {
	r.group("The model and how it loads")
	r.Then(`^the model is (not )?supported$`, w.isSupported, stepDoc{
		meaning: "A loader for the checkpoint is known, or not.",
		example: `the model is supported`,
	})
	r.Then(`^the model is (not )?omni$`, w.isOmni, stepDoc{
		meaning: "One model handles speech, vision and text, or not.",
		example: `the model is not omni`,
	})
	r.Then(`^the model is (not )?quantized$`, w.isQuantized, stepDoc{
		meaning: "The weights were compressed, or were not.",
		example: `the model is quantized`,
	})
	r.Then(`^the model is (not )?an SAE$`, w.isSAE, stepDoc{
		meaning: "The checkpoint is a sparse autoencoder, or not.",
		example: `the model is an SAE`,
	})
	r.Then(`^the model (has a|has no|does not have a) talker$`, w.hasTalker, stepDoc{
		meaning: "The config describes a part that produces or takes in speech, or not.",
		example: `the model has a talker`,
	})
	r.Then(`^the model (has|has no|does not have) custom files$`, w.hasCustomFiles, stepDoc{
		meaning: "The checkpoint contains Python code, or not.",
		example: `the model has custom files`,
	})
	r.Then(`^it loads as "([^"]*)"$`, w.loadsAs, stepDoc{
		meaning: "The class that loads the checkpoint, which may differ from the class in its config.",
		example: `it loads as "Glm4MoeForCausalLM"`,
	})
	r.Then(`^(?:the )?detection (used|did not use) "([^"]*)"$`, w.detectionUsed, stepDoc{
		meaning: "The description of the rule or file that determined the category contains this text, or does not.",
		example: `the detection used "model_index.json"`,
		check:   someText(1),
	})
	r.Then(`^(?:the model|loading) needs (no )?remote code$`, w.needsRemoteCode, stepDoc{
		meaning: "The checkpoint can be loaded only by running Python code that it contains, or without.",
		example: `the model needs no remote code`,
	})
	r.Then(`^the weights are (in|not )?complete$`, w.weightsComplete, stepDoc{
		meaning: "Every weight file that the checkpoint should have is there, or not. Fails, and says why, where nothing tells.",
		example: `the weights are incomplete`,
	})
	r.Then(`^the (model info|category|support|inspection) says the same$`, w.sameAnswerFrom, stepDoc{
		meaning: "Another operation, called once on the same checkpoint, gives the same value in every field that both answers have.",
		example: `the model info says the same`,
		check:   anotherOperation,
	})
}

func (w *world) isSupported(not string) error { return w.fieldIsTrue("is supported", not == "") }
func (w *world) isOmni(not string) error      { return w.fieldIsTrue("is omni", not == "") }
func (w *world) isQuantized(not string) error { return w.fieldIsTrue("is quantized", not == "") }
func (w *world) isSAE(not string) error       { return w.fieldIsTrue("is sae", not == "") }
func (w *world) hasTalker(which string) error { return w.fieldIsTrue("has talker", which == "has a") }
func (w *world) hasCustomFiles(which string) error {
	return w.fieldIsTrue("has custom files", which == "has")
}
func (w *world) needsRemoteCode(no string) error { return w.fieldIsTrue("remote code", no == "") }
func (w *world) loadsAs(class string) error      { return w.fieldIs("loads as", "", class) }
func (w *world) detectionUsed(verb, rule string) error {
	return w.fieldContains("decided by", map[string]string{"used": "contains", "did not use": "does not contain"}[verb], rule)
}

// weightsComplete asserts that the weights are complete, or not. It fails where the answer
// is that this is not known.
func (w *world) weightsComplete(in string) error {
	f, err := w.field("weights complete")
	if err != nil {
		return err
	}
	reason, err := w.answer.field("weights complete reason")
	if err != nil || reason.value.String() == "" {
		return w.fieldIsTrue("weights complete", in == "") // of a loader that gives no reason
	}
	if f.value.Type == gjson.Null {
		return fmt.Errorf("it is not known whether the weights are complete: %s", cut(reason.value.String(), maxShownText))
	}
	if f.value.IsBool() && f.value.Bool() != (in == "") {
		return fmt.Errorf("weights complete is %s, expected %s (%s)", yesNo(f.value.Bool()), yesNo(in == ""), cut(reason.value.String(), maxShownText))
	}
	return w.fieldIsTrue("weights complete", in == "")
}

// fieldIsTrue asserts that a boolean field has the value want. The failure quotes the
// fields that give a reason.
func (w *world) fieldIsTrue(name string, want bool) error {
	f, err := w.field(name)
	if err != nil {
		return err
	}
	if !f.value.IsBool() {
		return fmt.Errorf("%s is %s, not yes or no", name, shown(f.value))
	}
	if f.value.Bool() == want {
		return nil
	}
	failure := fmt.Sprintf("%s is %s, expected %s", name, yesNo(f.value.Bool()), yesNo(want))
	for _, reason := range []string{"error", "decided by"} {
		if r, err := w.answer.field(reason); err == nil && r.value.String() != "" {
			failure += fmt.Sprintf(" (%s: %s)", reason, cut(r.value.String(), maxShownText))
		}
	}
	return errors.New(failure)
}

// sameAnswerFrom asserts that another operation gives the same answer, in the fields
// that both have.
func (w *world) sameAnswerFrom(ctx context.Context, operation string) error {
	if w.operation == "" || w.err != nil {
		return errors.New("there is no answer to compare with")
	}
	call, err := w.call(operation)
	if err != nil {
		return err
	}
	value, err := w.callUnmeasured(ctx, call)
	if err != nil {
		return fmt.Errorf("reading the %s: %w", operation, err)
	}
	other, err := newAnswer(value)
	if err != nil {
		return err
	}
	compared := 0
	var difference error
	w.answer.root.ForEach(func(key, value gjson.Result) bool {
		same := other.root.Get(key.String())
		if !same.Exists() {
			return true
		}
		compared++
		if value.Raw != same.Raw {
			difference = fmt.Errorf("the %s gives %s %s, the %s %s", w.operation, words(key.String()), shown(value), operation, shown(same))
		}
		return difference == nil
	})
	if compared == 0 {
		return fmt.Errorf("the answers to %s and %s have no field in common", w.operation, operation)
	}
	return difference
}

// tokenizerSteps are the Then steps about the places in which a tokenizer was looked for.
func (w *world) tokenizerSteps(r stepRegistrar) {
	r.group("Places in which a tokenizer was looked for")
	r.Then(`^"([^"]*)" was tried before$`, w.placeTried, stepDoc{
		meaning: "The answer lists this place among those that were looked at and had no tokenizer.",
		example: `"models/google/gemma-2b-it" was tried before`,
	})
	r.Then(`^no other place was tried$`, w.noPlaceTried, stepDoc{
		meaning: "The tokenizer was found in the first place it was looked for.",
		example: `no other place was tried`,
	})
}

func (w *world) placeTried(place string) error {
	tried, err := w.field("tried")
	if err != nil {
		return err
	}
	places := entryTexts(tried.value)
	if slices.Contains(places, place) {
		return nil
	}
	return fmt.Errorf("%q was not tried; tried: %s", place, cmp.Or(strings.Join(places, ", "), "no place"))
}

func (w *world) noPlaceTried() error { return w.presence("tried", false) }
