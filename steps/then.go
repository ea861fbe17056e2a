package steps

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/internal/suggest"
)

// modelSteps are the Then steps that say what the model is.
func (w *world) modelSteps(v stepRegistrar) {
	v.group("What the model is")
	v.Then(`^the model is (not )?supported$`, w.isSupported, stepDoc{
		meaning: "A loader for the checkpoint is known, or is not.",
		example: `the model is supported`,
	})
	v.Then(`^the model is (not )?omni$`, w.isOmni, stepDoc{
		meaning: "The model handles speech, vision and text in one, or does not.",
		example: `the model is not omni`,
	})
	v.Then(`^the model is (not )?quantized$`, w.isQuantized, stepDoc{
		meaning: "The weights were compressed, or were not.",
		example: `the model is quantized`,
	})
	v.Then(`^the model is (not )?an SAE$`, w.isSAE, stepDoc{
		meaning: "The checkpoint is a sparse autoencoder, or is not.",
		example: `the model is an SAE`,
	})
	v.Then(`^the model has (a|no) talker$`, w.hasTalker, stepDoc{
		meaning: "The config describes a part that speaks or hears, or does not.",
		example: `the model has a talker`,
	})
	v.Then(`^the model has (no )?custom files$`, w.hasCustomFiles, stepDoc{
		meaning: "The checkpoint brings code of its own, or does not.",
		example: `the model has custom files`,
	})
	v.Then(`^it loads as "([^"]*)"$`, w.loadsAs, stepDoc{
		meaning: "The class that loads it, which may have another name than the checkpoint's own.",
		example: `it loads as "Glm4MoeForCausalLM"`,
	})
	v.Then(`^it was decided by "([^"]*)"$`, w.decidedBy, stepDoc{
		meaning: "The rule or the file that decided the category has this text in its description.",
		example: `it was decided by "model_index.json"`,
	})
	v.Then(`^loading it runs (no )?code of its own$`, w.runsCode, stepDoc{
		meaning: "The checkpoint can be loaded only by running the code it brings, or without.",
		example: `loading it runs no code of its own`,
	})
	v.Then(`^the weights are (in)?complete$`, w.weightsComplete, stepDoc{
		meaning: "Every weight file that the checkpoint should have is there, or is not.",
		example: `the weights are incomplete`,
	})
	v.Then(`^the (model info|category|support|inspection) says the same$`, w.sameAnswerFrom, stepDoc{
		meaning: "Another question, asked once of the same checkpoint, is answered alike in every field that both answers have.",
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
func (w *world) runsCode(no string) error        { return w.fieldIsTrue("remote code", no == "") }
func (w *world) decidedBy(rule string) error     { return w.fieldContains("decided by", rule) }
func (w *world) loadsAs(class string) error      { return w.fieldIs("loads as", class) }

// fieldIsTrue asserts a yes-or-no field, and says in the failure what else the answer
// knows of the matter.
func (w *world) fieldIsTrue(name string, want bool) error {
	value, err := w.field(name)
	if err != nil {
		return err
	}
	if !value.IsBool() {
		return fmt.Errorf("%s is %s, neither yes nor no", name, value.Raw)
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

// sameAnswerFrom asserts that another operation answers alike.
func (w *world) sameAnswerFrom(operation string) error {
	if w.operation == "" || w.err != nil {
		return errors.New("there is no answer to compare with")
	}
	call, err := w.call(operation)
	if err != nil {
		return err
	}
	w.setup.exclusive.RLock()
	value, err := call()
	w.setup.exclusive.RUnlock()
	if err != nil {
		return fmt.Errorf("reading the %s: %w", operation, err)
	}
	other, err := newAnswer(value)
	if err != nil {
		return err
	}
	compared := 0
	var differ error
	w.answer.root.ForEach(func(key, value gjson.Result) bool {
		same := other.root.Get(key.String())
		if !same.Exists() {
			return true
		}
		compared++
		if value.Raw != same.Raw {
			differ = fmt.Errorf("the %s gives %s %s, the %s %s", w.operation, words(key.String()), value.Raw, operation, same.Raw)
		}
		return differ == nil
	})
	if compared == 0 {
		return fmt.Errorf("the answers to %s and %s have no field in common", w.operation, operation)
	}
	return differ
}

// fieldSteps are the Then steps that assert any field of the answer by its plain
// name.
func (w *world) fieldSteps(v stepRegistrar) {
	v.group("Any field of the answer, by its plain name")
	v.Then(`^the ([a-z][a-z0-9 ]*) is "([^"]*)"$`, w.fieldIs, stepDoc{
		meaning: "A field is this text. Fields within fields are named by both: \"quantization method\".",
		example: `the quantization method is "gptq"`,
	})
	v.Then(`^the ([a-z][a-z0-9 ]*) (?:is|are) (-?[0-9][0-9.]*)$`, w.fieldIsNumber, stepDoc{
		meaning: "A field is this number.",
		example: `the vocab size is 50257`,
	})
	v.Then(`^the ([a-z][a-z0-9 ]*) is at (least|most) (-?[0-9][0-9.]*)$`, w.fieldIsAt, stepDoc{
		meaning: "A field is a number within a limit.",
		example: `the size is at least 1000`,
	})
	v.Then(`^the ([a-z][a-z0-9 ]*) is (yes|no)$`, w.fieldIsYesNo, stepDoc{
		meaning: "A field is true or false.",
		example: `the remote code is no`,
	})
	v.Then(`^the ([a-z][a-z0-9 ]*) contains? "([^"]*)"$`, w.fieldContains, stepDoc{
		meaning: "A list has this text as one of its entries, or a text has it somewhere.",
		example: `the architectures contain "LlamaForCausalLM"`,
	})
	v.Then(`^the ([a-z][a-z0-9 ]*) are "([^"]*)"$`, w.fieldAre, stepDoc{
		meaning: "A list has exactly these entries, in this order, separated by commas.",
		example: `the custom files are "configuration_x.py, modeling_x.py"`,
	})
	v.Then(`^there (?:are|is) ([0-9]+) ([a-z][a-z0-9 ]*)$`, w.fieldCounts, stepDoc{
		meaning: "A list or an object has this many entries.",
		example: `there are 2 architectures`,
	})
	v.Then(`^there (?:are|is) no ([a-z][a-z0-9 ]*)$`, w.fieldIsAbsent, stepDoc{
		meaning: "A field is null, empty text or an empty list.",
		example: `there is no base model`,
	})
}

// field gives a field of what was read.
func (w *world) field(name string) (gjson.Result, error) {
	switch {
	case w.operation == "":
		return gjson.Result{}, errors.New("nothing was read yet")
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
	return fmt.Errorf("the %s is %s, expected %q", name, value.Raw, want)
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

// number gives a numeric field and the number that a step wrote.
func (w *world) number(name, text string) (value, number float64, err error) {
	v, err := w.field(name)
	if err != nil {
		return 0, 0, err
	}
	if v.Type != gjson.Number {
		return 0, 0, fmt.Errorf("the %s is %s, not a number", name, v.Raw)
	}
	if number, err = strconv.ParseFloat(text, 64); err != nil {
		return 0, 0, fmt.Errorf("%q is no number", text)
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
		return fmt.Errorf("the %s is %s, neither a list nor a text", name, value.Raw)
	}
	return fmt.Errorf("the %s is %s, without %q", name, value.Raw, want)
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
		return fmt.Errorf("the %s is %s, nothing to count", name, value.Raw)
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
	return fmt.Errorf("the %s is there: %s", name, value.Raw)
}

// tokenizerSteps are the Then steps about where a tokenizer was found.
func (w *world) tokenizerSteps(v stepRegistrar) {
	v.group("Where a tokenizer was looked for")
	v.Then(`^"([^"]*)" was tried before$`, w.placeTried, stepDoc{
		meaning: "A place was looked at for a tokenizer, had none, and is reported.",
		example: `"models/google/gemma-2b-it" was tried before`,
	})
	v.Then(`^no other place was tried$`, w.noPlaceTried, stepDoc{
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

// findingSteps are the Then steps about what is wrong or notable.
func (w *world) findingSteps(v stepRegistrar) {
	v.group("Findings")
	v.Then(`^an? (finding|error|warning|note) "([^"]*)" is reported$`, w.reports, stepDoc{
		meaning: "Something wrong or notable is reported, by its code and, if it matters, its severity.",
		example: `a warning "weights-missing" is reported`,
	})
	v.Then(`^an? (finding|error|warning|note) "([^"]*)" is reported for "([^"]*)"$`, w.reportsFor, stepDoc{
		meaning: "The same, about one file of the checkpoint.",
		example: `a warning "sae-config-malformed" is reported for "resid_post/layer_0/config.json"`,
	})
	v.Then(`^no (finding|error|warning|note) is reported$`, w.reportsNone, stepDoc{
		meaning: "Nothing of this severity is reported, or nothing at all.",
		example: `no finding is reported`,
	})
}

func (w *world) reports(severity, code string) error { return w.findFinding(severity, code, "") }

func (w *world) reportsFor(severity, code, file string) error {
	return w.findFinding(severity, code, file)
}

// findFinding looks for a finding; the severity "finding" is any, the file ""
// too.
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
		return fmt.Errorf("no finding %q is reported, did you mean %q? Reported: %s", code, near, findings.Raw)
	}
	return fmt.Errorf("no such finding %q is reported, only: %s", code, findings.Raw)
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
