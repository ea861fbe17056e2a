package steps

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/internal/suggest"
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
	r.Then(`^the model has (a|no) talker$`, w.hasTalker, stepDoc{
		meaning: "The config describes a part that produces or takes in speech, or not.",
		example: `the model has a talker`,
	})
	r.Then(`^the model has (no )?custom files$`, w.hasCustomFiles, stepDoc{
		meaning: "The checkpoint contains Python code, or not.",
		example: `the model has custom files`,
	})
	r.Then(`^it loads as "([^"]*)"$`, w.loadsAs, stepDoc{
		meaning: "The class that loads the checkpoint, which may differ from the class in its config.",
		example: `it loads as "Glm4MoeForCausalLM"`,
	})
	r.Then(`^detection used "([^"]*)"$`, w.detectionUsed, stepDoc{
		meaning: "The description of the rule or file that determined the category contains this text.",
		example: `detection used "model_index.json"`,
	})
	r.Then(`^loading needs (no )?remote code$`, w.needsRemoteCode, stepDoc{
		meaning: "The checkpoint can be loaded only by running Python code that it contains, or without.",
		example: `loading needs no remote code`,
	})
	r.Then(`^the weights are (in)?complete$`, w.weightsComplete, stepDoc{
		meaning: "Every weight file that the checkpoint should have is there, or not.",
		example: `the weights are incomplete`,
	})
	r.Then(`^the (model info|category|support|inspection) says the same$`, w.sameAnswerFrom, stepDoc{
		meaning: "Another operation, called once on the same checkpoint, gives the same value in every field that both answers have.",
		example: `the model info says the same`,
	})
}

func (w *world) isSupported(not string) error    { return w.fieldIsTrue("is supported", not == "") }
func (w *world) isOmni(not string) error         { return w.fieldIsTrue("is omni", not == "") }
func (w *world) isQuantized(not string) error    { return w.fieldIsTrue("is quantized", not == "") }
func (w *world) isSAE(not string) error          { return w.fieldIsTrue("is sae", not == "") }
func (w *world) hasTalker(which string) error    { return w.fieldIsTrue("has talker", which == "a") }
func (w *world) hasCustomFiles(not string) error { return w.fieldIsTrue("has custom files", not == "") }
func (w *world) weightsComplete(in string) error { return w.fieldIsTrue("weights complete", in == "") }
func (w *world) needsRemoteCode(no string) error { return w.fieldIsTrue("remote code", no == "") }
func (w *world) detectionUsed(rule string) error { return w.fieldContains("decided by", rule) }
func (w *world) loadsAs(class string) error      { return w.fieldIs("loads as", class) }

// fieldIsTrue asserts that a boolean field has the value want. The failure quotes the
// fields that give a reason.
func (w *world) fieldIsTrue(name string, want bool) error {
	value, err := w.field(name)
	if err != nil {
		return err
	}
	if !value.IsBool() {
		return fmt.Errorf("%s is %s, not true or false", name, value.Raw)
	}
	if value.Bool() == want {
		return nil
	}
	failure := fmt.Sprintf("%s is %s, expected %s", name, yesNo(value.Bool()), yesNo(want))
	for _, reason := range []string{"error", "decided by"} {
		if r, err := w.answer.field(reason); err == nil && r.String() != "" {
			failure += fmt.Sprintf(" (%s: %s)", reason, r.String())
		}
	}
	return errors.New(failure)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
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
			difference = fmt.Errorf("the %s gives %s %s, the %s %s", w.operation, words(key.String()), value.Raw, operation, same.Raw)
		}
		return difference == nil
	})
	if compared == 0 {
		return fmt.Errorf("the answers to %s and %s have no field in common", w.operation, operation)
	}
	return difference
}

// fieldSteps are the Then steps that assert any field of the answer, by its name in
// plain words.
func (w *world) fieldSteps(r stepRegistrar) {
	r.group("Any field of the answer, by its name in plain words")
	r.Then(`^the ([a-z][a-z0-9 ]*) is "([^"]*)"$`, w.fieldIs, stepDoc{
		meaning: "A field is this text. A field inside another is named by both: \"quantization method\".",
		example: `the quantization method is "gptq"`,
	})
	r.Then(`^the ([a-z][a-z0-9 ]*) (?:is|are) (-?[0-9][0-9.]*)$`, w.fieldIsNumber, stepDoc{
		meaning: "A field is this number.",
		example: `the vocab size is 50257`,
	})
	r.Then(`^the ([a-z][a-z0-9 ]*) is at (least|most) (-?[0-9][0-9.]*)$`, w.fieldIsAt, stepDoc{
		meaning: "A field is a number and at least, or at most, this one.",
		example: `the size is at least 1000`,
	})
	r.Then(`^the ([a-z][a-z0-9 ]*) contains? "([^"]*)"$`, w.fieldContains, stepDoc{
		meaning: "A list has this text as one of its entries, or a text contains it.",
		example: `the architectures contain "LlamaForCausalLM"`,
	})
	r.Then(`^the ([a-z][a-z0-9 ]*) are "([^"]*)"$`, w.fieldAre, stepDoc{
		meaning: "A list has exactly these entries, in this order, separated by commas.",
		example: `the custom files are "configuration_x.py, modeling_x.py"`,
	})
	r.Then(`^there (?:are|is) ([0-9]+) ([a-z][a-z0-9 ]*)$`, w.fieldCounts, stepDoc{
		meaning: "A list or an object has this many entries.",
		example: `there are 2 architectures`,
	})
	r.Then(`^there (?:are|is) no ([a-z][a-z0-9 ]*)$`, w.fieldIsAbsent, stepDoc{
		meaning: "A field is null, empty text or an empty list.",
		example: `there is no base model`,
	})
}

// field returns a field of the answer.
func (w *world) field(name string) (gjson.Result, error) {
	switch {
	case w.operation == "":
		return gjson.Result{}, errors.New("no operation was called yet")
	case w.err != nil:
		return gjson.Result{}, fmt.Errorf("there is no answer: reading the %s failed: %w", w.operation, w.err)
	}
	return w.answer.field(name)
}

func (w *world) fieldIs(name, want string) error {
	value, err := w.field(name)
	if err != nil {
		return err
	}
	if value.Type == gjson.String && value.Str == want {
		return nil
	}
	return w.mismatch(name, strconv.Quote(want), value.Raw)
}

func (w *world) fieldIsNumber(name, want string) error {
	value, number, err := w.number(name, want)
	if err != nil {
		return err
	}
	if value != number {
		return fmt.Errorf("the %s is %s, expected %s", name, plainNumber(value), want)
	}
	return nil
}

func (w *world) fieldIsAt(name, side, limit string) error {
	value, number, err := w.number(name, limit)
	if err != nil {
		return err
	}
	if side == "least" && value < number || side == "most" && value > number {
		return fmt.Errorf("the %s is %s, expected at %s %s", name, plainNumber(value), side, limit)
	}
	return nil
}

// number returns a numeric field and the number in the step's text.
func (w *world) number(name, text string) (value, number float64, err error) {
	v, err := w.field(name)
	if err != nil {
		return 0, 0, err
	}
	if v.Type != gjson.Number {
		return 0, 0, fmt.Errorf("the %s is %s, not a number", name, v.Raw)
	}
	if number, err = strconv.ParseFloat(text, 64); err != nil {
		return 0, 0, fmt.Errorf("%q is not a number", text)
	}
	return v.Num, number, nil
}

func (w *world) fieldIsYesNo(name, want string) error {
	value, err := w.field(name)
	if err != nil {
		return err
	}
	if !value.IsBool() || value.Bool() != (want == "yes") {
		return fmt.Errorf("the %s is %s, expected %s", name, value.Raw, want)
	}
	return nil
}

func (w *world) fieldContains(name, want string) error {
	value, err := w.field(name)
	if err != nil {
		return err
	}
	switch {
	case value.Type == gjson.String:
		if strings.Contains(value.Str, want) {
			return nil
		}
	case value.IsArray():
		for _, entry := range value.Array() {
			if entry.String() == want {
				return nil
			}
		}
	default:
		return fmt.Errorf("the %s is %s, not a list or a text", name, value.Raw)
	}
	return fmt.Errorf("the %s is %s and does not contain %q", name, value.Raw, want)
}

func (w *world) fieldAre(name, want string) error {
	value, err := w.field(name)
	if err != nil {
		return err
	}
	if !value.IsArray() {
		return fmt.Errorf("the %s is %s, not a list", name, value.Raw)
	}
	var entries []string
	for _, entry := range value.Array() {
		entries = append(entries, entry.String())
	}
	if got := strings.Join(entries, ", "); got != want {
		return fmt.Errorf("the %s are %q, expected %q", name, got, want)
	}
	return nil
}

func (w *world) fieldCounts(want int, name string) error {
	if want == 1 { // "there is 1 finding"
		if _, err := w.field(name + "s"); err == nil {
			name += "s"
		}
	}
	value, err := w.field(name)
	if err != nil {
		return err
	}
	count := 0
	switch {
	case value.IsArray():
		count = len(value.Array())
	case value.IsObject():
		count = len(value.Map())
	default:
		return fmt.Errorf("the %s is %s, not a list or an object", name, value.Raw)
	}
	if count != want {
		return fmt.Errorf("there are %d %s, expected %d: %s", count, name, want, value.Raw)
	}
	return nil
}

func (w *world) fieldIsAbsent(name string) error {
	value, err := w.field(name)
	if err != nil {
		return err
	}
	if value.Type == gjson.Null || value.Raw == `""` || value.Raw == `[]` || value.Raw == `{}` {
		return nil
	}
	return fmt.Errorf("the %s is not absent: %s", name, value.Raw)
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
	for _, try := range tried.Array() {
		if try.Get("path").String() == place {
			return nil
		}
	}
	return fmt.Errorf("%q was not tried; tried: %s", place, tried.Raw)
}

func (w *world) noPlaceTried() error { return w.fieldIsAbsent("tried") }

// findingSteps are the Then steps about findings: what is wrong with a checkpoint, or
// notable.
func (w *world) findingSteps(r stepRegistrar) {
	r.group("Findings")
	r.Then(`^an? (finding|error|warning|note) "([^"]*)" is reported$`, w.reports, stepDoc{
		meaning: "A finding with this code is reported: with this severity, or with any if the step says \"finding\".",
		example: `a warning "weights-missing" is reported`,
	})
	r.Then(`^an? (finding|error|warning|note) "([^"]*)" is reported for "([^"]*)"$`, w.reportsFor, stepDoc{
		meaning: "The same, about one file of the checkpoint.",
		example: `a warning "sae-config-malformed" is reported for "resid_post/layer_0/config.json"`,
	})
	r.Then(`^no (finding|error|warning|note) is reported$`, w.reportsNone, stepDoc{
		meaning: "No finding of this severity is reported, or none at all if the step says \"finding\".",
		example: `no finding is reported`,
	})
}

func (w *world) reports(severity, code string) error { return w.findFinding(severity, code, "") }

func (w *world) reportsFor(severity, code, file string) error {
	return w.findFinding(severity, code, file)
}

// findFinding asserts that a finding is reported. The severity "finding" stands for any
// severity, the file "" for any file.
func (w *world) findFinding(severity, code, file string) error {
	findings, err := w.field("findings")
	if err != nil {
		return err
	}
	var codes []string
	for _, f := range findings.Array() {
		codes = append(codes, f.Get("code").String())
		if f.Get("code").String() == code &&
			(severity == "finding" || f.Get("severity").String() == severity) &&
			(file == "" || f.Get("file").String() == file) {
			return nil
		}
	}
	if len(codes) == 0 {
		return fmt.Errorf("no finding is reported, expected %q", code)
	}
	if near, ok := suggest.Nearest(code, codes); ok && near != code {
		return fmt.Errorf("no finding %q is reported, %s Reported: %s", code, suggest.Question(near), findings.Raw)
	}
	return fmt.Errorf("no finding %q like this is reported, only: %s", code, findings.Raw)
}

func (w *world) reportsNone(severity string) error {
	findings, err := w.field("findings")
	if err != nil {
		return err
	}
	for _, f := range findings.Array() {
		if severity == "finding" || f.Get("severity").String() == severity {
			return fmt.Errorf("reported: %s", f.Raw)
		}
	}
	return nil
}

// plainNumber writes a number without an exponent.
func plainNumber(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
