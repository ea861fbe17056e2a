package steps

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/internal/quantity"
	"omniloader/internal/suggest"
	"omniloader/loader/undertest"
)

// fieldSteps are the Then steps that assert any field of the answer, by its name in
// plain words. Their patterns take as few words as possible for the name, so that the words
// of a step, such as "not", are never a part of it.
func (w *world) fieldSteps(r stepRegistrar) {
	r.group("Any field of the answer, by its name in plain words")
	r.Then(`^the ([a-z][a-z0-9 ]*?) is (not )?"([^"]*)"$`, w.fieldIs, stepDoc{
		meaning: "A field is this text, or is not. A field inside another is named by both: \"quantization method\".",
		example: `the quantization method is "gptq"`,
		check:   checkField(undertest.KindText),
	})
	r.Then(`^the ([a-z][a-z0-9 ]*?) (?:is|are) (not )?one of ((?:"[^"]*"|-?[0-9.]+)(?:(?:, | or |, or )(?:"[^"]*"|-?[0-9.]+))*)$`, w.fieldIsOneOf, stepDoc{
		meaning: "A field is one of these texts or numbers, or is none of them.",
		example: `the quantization method is one of "gptq", "awq" or "fp8"`,
		check:   checkField(undertest.KindText, undertest.KindNumber),
	})
	r.Then(`^the ([a-z][a-z0-9 ]*?) (matches|match|does not match|do not match) "([^"]*)"$`, w.fieldMatches, stepDoc{
		meaning: "A text, or one entry of a list, has a part that this regular expression (RE2) matches; ^ and $ stand for its ends. Or it has none.",
		example: `the tokenizer class matches "^Llama|Fast$"`,
		check: func(c *argumentCheck, parts []string) {
			c.field(parts[0], undertest.KindText, undertest.KindList)
			c.add(checkExpression(parts[0], parts[2]))
		},
	})
	r.Then(`^the ([a-z][a-z0-9 ]*?) (contains|contain|does not contain|do not contain) "([^"]*)"$`, w.fieldContains, stepDoc{
		meaning: "A list has this text as one of its entries, a text contains it, or an object has a field of this name. Or it does not.",
		example: `the architectures contain "LlamaForCausalLM"`,
		check: func(c *argumentCheck, parts []string) {
			c.field(parts[0], undertest.KindText, undertest.KindList, undertest.KindObject)
			c.codesOfField(parts[0], parts[2])
			c.add(ChecksNothing, notEmpty(parts[2]))
		},
	})
	r.Then(`^the ([a-z][a-z0-9 ]*?) are (not )?"([^"]*)"$`, w.fieldAre, stepDoc{
		meaning: "A list has exactly these entries, in this order, separated by commas, or it does not. Of findings the codes are compared.",
		example: `the custom files are "configuration_x.py, modeling_x.py"`,
		check: func(c *argumentCheck, parts []string) {
			c.field(parts[0], undertest.KindList)
			c.codesOfField(parts[0], parts[2])
		},
	})
	w.fieldNumberSteps(r)
}

// fieldNumberSteps are those of fieldSteps about numbers, counts, and whether a field is
// there.
func (w *world) fieldNumberSteps(r stepRegistrar) {
	r.Then(`^the ([a-z][a-z0-9 ]*?) (?:is|are) (not )?(-?[0-9][0-9.]*(?: ?[A-Za-z]+)?)$`, w.fieldIsNumber, stepDoc{
		meaning: "A field is this number, or is not. With a unit (B, kB, MB, GB, KiB, MiB, GiB; thousand, million, billion, trillion) it is the number to the digits that are written.",
		example: `the vocab size is 50257`,
		check: func(c *argumentCheck, parts []string) {
			c.amount(parts[0], "", parts[2])
		},
	})
	r.Then(`^the ([a-z][a-z0-9 ]*?) (?:is|are) (at least|at most|more than|less than|over|under) (-?[0-9][0-9.]*(?: ?[A-Za-z]+)?)$`, w.fieldIsAt, stepDoc{
		meaning: "A field is a number within this limit, which may have a unit; \"over\" is more than, \"under\" less than. The memory stands for its total.",
		example: `the memory is at most 16 GB`,
		check:   func(c *argumentCheck, parts []string) { c.amount(parts[0], parts[1], parts[2]) },
	})
	r.Then(`^the ([a-z][a-z0-9 ]*?) (?:is|are) (not )?between (-?[0-9][0-9.]*(?: ?[A-Za-z]+)?) and (-?[0-9][0-9.]*(?: ?[A-Za-z]+)?)$`, w.fieldIsBetween, stepDoc{
		meaning: "A field is a number between these two, or one of them; or it is outside of them.",
		example: `the parameters are between 6.5 billion and 7 billion`,
		check: func(c *argumentCheck, parts []string) {
			c.amount(parts[0], "", parts[2])
			c.amount(parts[0], "", parts[3])
			_, _, err := readRange(parts[2], parts[3])
			c.add(NoLimit, err)
		},
	})
	r.Then(`^there (?:are|is) (?:(exactly|at least|at most|more than|fewer than) )?([0-9]+) ([a-z][a-z0-9 ]*)$`, w.fieldCounts, stepDoc{
		meaning: "A list or an object has this many entries. \"Shards\" are the weights files.",
		example: `there are at least 2 shards`,
		check: func(c *argumentCheck, parts []string) {
			c.add(NoLimit, checkCount(parts[0], parts[1]))
			c.counted(parts[1], parts[2])
		},
	})
	r.Then(`^there (?:are|is) (no|an?) ([a-z][a-z0-9 ]*)$`, w.fieldIsThere, stepDoc{
		meaning: "A field is null, empty text or an empty list, if the step says \"no\", else it is something.",
		example: `there is no base model`,
		check: func(c *argumentCheck, parts []string) {
			for words, instead := range map[string]string{"more than ": "at most", "fewer than ": "at least", "less than ": "at least"} {
				if count, ok := strings.CutPrefix(parts[1], words); ok && parts[0] == "no" {
					c.add(UnknownField, fmt.Errorf("no field begins with %q, %s", words, suggest.Question("there are "+instead+" "+count)))
					return
				}
			}
			if !c.countsFindings(parts[1]) {
				c.field(c.listName(parts[1]))
			}
		},
	})
	r.Then(`^the ([a-z][a-z0-9 ]*?) (?:is|are) (not )?(absent|present)$`, w.fieldIsPresent, stepDoc{
		meaning: "The same in other words: \"absent\" means null, empty text or an empty list.",
		example: `the chat template is present`,
		check:   checkField(),
	})
}

// codesOfField checks the codes in a step about the findings.
func (c *argumentCheck) codesOfField(name, list string) {
	if words(name) == "findings" {
		c.codes(list)
	}
}

// amount checks a field that is a number, and a limit on it.
func (c *argumentCheck) amount(name, relation, text string) {
	before := len(c.problems)
	f := c.field(name)
	if len(c.problems) > before {
		return // the limit may be one on another quantity
	}
	if f != nil && f.Kind == undertest.KindObject && c.Vocabulary.known(c.operation, f.name+" "+total) {
		f = c.field(f.name + " " + total)
	} else if f != nil && f.Kind != undertest.KindNumber {
		f = c.field(name, undertest.KindNumber)
	}
	_, err := readAmount(text, relation, f)
	c.add(NoLimit, err)
}

// counted checks the name of what is counted.
func (c *argumentCheck) counted(number, name string) {
	if c.countsFindings(name) {
		return
	}
	if many := plural(name); number == "1" && c.Vocabulary.known(c.operation, many) {
		name = many
	}
	c.field(c.listName(name), undertest.KindList, undertest.KindObject)
}

// listName returns the plural of a name if only that is a field: "shards" for "shard".
func (c *argumentCheck) listName(name string) string {
	if many := plural(name); !c.Vocabulary.known(c.operation, name) && c.Vocabulary.known(c.operation, many) {
		return many
	}
	return name
}

// listName is that of an argumentCheck, for the answer.
func (w *world) listName(name string) string {
	if _, err := w.field(name); err == nil {
		return name
	}
	if _, err := w.field(plural(name)); err == nil {
		return plural(name)
	}
	return name
}

// countsFindings refuses the severities of findings as names of what is counted, in the plural
// or, but for the field "error", in the singular: these are no fields, or other ones.
func (c *argumentCheck) countsFindings(name string) bool {
	switch name {
	case "errors", "warnings", "warning", "notes", "note":
		c.add(UnknownField, fmt.Errorf("%q is the severity of a finding, and no field: write \"no %s is reported\" or \"2 %ss are reported\"", name, strings.TrimSuffix(name, "s"), strings.TrimSuffix(name, "s")))
		return true
	}
	return false
}

// answered returns an error if there is no answer to look at.
func (w *world) answered() error {
	switch {
	case w.operation == "":
		return errors.New("no operation was called yet")
	case w.err != nil:
		return fmt.Errorf("there is no answer: reading the %s failed: %w", w.operation, w.err)
	}
	return nil
}

// field returns a field of the answer.
func (w *world) field(name string) (answerField, error) {
	if err := w.answered(); err != nil {
		return answerField{}, err
	}
	return w.answer.field(name)
}

// fieldOrNull is field for a step that compares null with what it expects: if the enclosing
// field is null, it returns null, provided that the loader is known to have a field of this
// name.
func (w *world) fieldOrNull(name string) (answerField, error) {
	f, err := w.field(name)
	absent := new(absentError)
	if errors.As(err, &absent) && NewVocabulary(w.setup.Loader).known(w.operation, name) {
		return answerField{fieldName: newFieldName([]string{name}), value: gjson.Result{Type: gjson.Null}}, nil
	}
	return f, err
}

// fieldFor is field, or fieldOrNull for a step that negates.
func (w *world) fieldFor(name string, negated bool) (answerField, error) {
	if negated {
		return w.fieldOrNull(name)
	}
	return w.field(name)
}

// unequal is the failure of a field that is not as expected; expected is what the step says.
func (w *world) unequal(name string, f answerField, expected string) error {
	got := shown(f.value)
	return w.mismatch(f, fmt.Sprintf("the %s %s %s, expected %s", name, is(f.value), got, expected), expected, got)
}

// not puts "not" before what a step expects, if it negates.
func not(negated bool, expected string) string {
	if negated {
		return "not " + expected
	}
	return expected
}

func (w *world) fieldIs(name, negation, want string) error {
	f, err := w.fieldOrNull(name)
	if err != nil {
		return err
	}
	switch {
	case f.value.IsArray(), f.value.IsObject():
		return fmt.Errorf("the %s %s %s, not a text, expected %s", name, is(f.value), shown(f.value), not(negation != "", strconv.Quote(want)))
	case (f.value.Type == gjson.String && f.value.Str == want) == (negation == ""):
		return nil
	}
	return w.unequal(name, f, not(negation != "", strconv.Quote(want)))
}

var oneOfEntry = regexp.MustCompile(`"[^"]*"|-?[0-9.]+`)

func (w *world) fieldIsOneOf(name, negation, list string) error {
	f, err := w.fieldOrNull(name)
	if err != nil {
		return err
	}
	found := false
	for _, entry := range oneOfEntry.FindAllString(list, -1) {
		if text, quoted := strings.CutPrefix(entry, `"`); quoted {
			found = found || f.value.Type == gjson.String && f.value.Str == strings.TrimSuffix(text, `"`)
			continue
		}
		number, err := quantity.ParseAmount(entry)
		if err != nil {
			return &ScenarioError{err}
		}
		found = found || f.value.Type == gjson.Number && number.Is(f.value.Num)
	}
	if f.value.IsArray() || f.value.IsObject() {
		return fmt.Errorf("the %s %s %s, not a text or a number", name, is(f.value), shown(f.value))
	}
	if found == (negation == "") {
		return nil
	}
	return w.unequal(name, f, not(negation != "", "one of "+list))
}

func (w *world) fieldMatches(name, verb, expression string) error {
	negated := strings.HasPrefix(verb, "do")
	re, err := regexp.Compile(expression)
	if err != nil {
		return &ScenarioError{err}
	}
	f, err := w.fieldFor(name, negated)
	if err != nil {
		return err
	}
	matched := false
	switch {
	case f.value.Type == gjson.String:
		matched = re.MatchString(f.value.Str)
	case f.value.IsArray():
		matched = slices.ContainsFunc(entryTexts(f.value), re.MatchString)
	case f.value.Type != gjson.Null:
		return fmt.Errorf("the %s is %s, not a text or a list", name, shown(f.value))
	}
	if matched != negated {
		return nil
	}
	return fmt.Errorf("the %s %s %s: it %s match %q%s", name, is(f.value), shown(f.value), map[bool]string{true: "must not", false: "does not"}[negated], expression, w.origin(f))
}

func (w *world) fieldContains(name, verb, want string) error {
	negated := strings.HasPrefix(verb, "do")
	f, err := w.fieldFor(name, negated)
	if err != nil {
		return err
	}
	found := false
	switch {
	case f.value.Type == gjson.String:
		found = strings.Contains(f.value.Str, want)
	case f.value.IsArray():
		found = slices.Contains(entryTexts(f.value), want)
	case f.value.IsObject():
		found = f.value.Get(gjson.Escape(want)).Exists()
	case f.value.Type == gjson.Null && negated:
	default:
		return fmt.Errorf("the %s is %s, not a list or a text%s", name, shown(f.value), w.origin(f))
	}
	switch {
	case found != negated:
		return nil
	case negated:
		return fmt.Errorf("the %s %s %s and must not contain %q%s", name, is(f.value), shown(f.value), want, w.origin(f))
	}
	return fmt.Errorf("the %s %s %s and %s not contain %q%s", name, is(f.value), shown(f.value), map[string]string{"is": "does", "are": "do"}[is(f.value)], want, w.origin(f))
}

func (w *world) fieldAre(name, negation, want string) error {
	f, err := w.fieldFor(name, negation != "")
	if err != nil {
		return err
	}
	if f.value.Type == gjson.Null && negation != "" {
		return nil
	}
	if !f.value.IsArray() {
		return fmt.Errorf("the %s is %s, not a list%s", name, shown(f.value), w.origin(f))
	}
	got := strings.Join(entryTexts(f.value), ", ")
	if (got == want) == (negation == "") {
		return nil
	}
	expected := not(negation != "", strconv.Quote(want))
	return w.mismatch(f, fmt.Sprintf("the %s are %s, expected %s", name, shownList(got), expected), expected, shownList(got))
}

// shownList writes the entries of a list as a step has them.
func shownList(joined string) string {
	if joined == "" {
		return "an empty list"
	}
	return strconv.Quote(cut(joined, maxShown))
}

func (w *world) fieldIsNumber(name, negation, want string) error {
	f, limit, err := w.number(name, want, negation != "")
	if err != nil {
		return err
	}
	if (f.value.Type == gjson.Number && limit.Is(f.value.Num)) == (negation == "") {
		return nil
	}
	return w.outside(name, f, limit, not(negation != "", want))
}

func (w *world) fieldIsAt(name, relation, text string) error {
	f, limit, err := w.number(name, text, false)
	if err != nil {
		return err
	}
	if within(f.value.Num, relation, limit.Value) {
		return nil
	}
	return w.outside(name, f, limit, relation+" "+text)
}

// within says whether a number keeps a limit.
func within(number float64, relation string, limit float64) bool {
	switch relation {
	case "at least":
		return number >= limit
	case "at most":
		return number <= limit
	case "more than", "over":
		return number > limit
	case "less than", "fewer than", "under":
		return number < limit
	}
	return number == limit
}

func (w *world) fieldIsBetween(name, negation, lower, upper string) error {
	low, high, err := readRange(lower, upper)
	if err != nil {
		return &ScenarioError{err}
	}
	f, _, err := w.number(name, lower, negation != "")
	if err != nil {
		return err
	}
	if (f.value.Type == gjson.Number && f.value.Num >= low.Value && f.value.Num <= high.Value) == (negation == "") {
		return nil
	}
	return w.outside(name, f, high, not(negation != "", "between "+lower+" and "+upper))
}

// readRange reads two limits, of which the first must not be above the second.
func readRange(lower, upper string) (low, high quantity.Amount, err error) {
	if low, err = quantity.ParseAmount(lower); err != nil {
		return low, high, err
	}
	if high, err = quantity.ParseAmount(upper); err != nil {
		return low, high, err
	}
	if low.Value > high.Value {
		return low, high, fmt.Errorf("nothing is between %s and %s: write the smaller one first", lower, upper)
	}
	return low, high, nil
}

// outside is the failure of a number that does not keep a limit.
func (w *world) outside(name string, f answerField, limit quantity.Amount, expected string) error {
	got := shownAmount(f.value, limit)
	return w.mismatch(f, fmt.Sprintf("the %s is %s, expected %s", name, got, expected), expected, got)
}

// total is the field of an object that stands for the object in a step about a number.
const total = "total"

// number returns a field that is a number, and the number in the step's text. With null
// allowed, the field may be null.
func (w *world) number(name, text string, nullAllowed bool) (answerField, quantity.Amount, error) {
	f, err := w.fieldFor(name, nullAllowed)
	if err != nil {
		return f, quantity.Amount{}, err
	}
	limit, err := quantity.ParseAmount(text)
	if err != nil {
		return f, limit, &ScenarioError{err}
	}
	if sum := f.value.Get(total); f.value.IsObject() && sum.Type == gjson.Number {
		f = answerField{newFieldName(append(slices.Clone(f.keys), total)), sum, f.value}
	}
	if f.value.Type == gjson.Number || f.value.Type == gjson.Null && nullAllowed {
		return f, limit, nil
	}
	return f, limit, fmt.Errorf("the %s %s %s, not a number%s", name, is(f.value), shown(f.value), w.origin(f))
}

func (w *world) fieldCounts(relation, number, name string) error {
	if err := checkCount(relation, number); err != nil {
		return &ScenarioError{err}
	}
	want, err := strconv.Atoi(number)
	if err != nil {
		return scenarioErrorf("%q is too large a number", number)
	}
	if want == 1 { // "there is 1 finding"
		if _, err := w.field(plural(name)); err == nil {
			name = plural(name)
		}
	}
	name = w.listName(name)
	f, err := w.field(name)
	if err != nil {
		return err
	}
	count := 0
	switch {
	case f.value.IsArray():
		count = len(f.value.Array())
	case f.value.IsObject():
		count = len(f.value.Map())
	default:
		return fmt.Errorf("the %s is %s, not a list or an object", name, shown(f.value))
	}
	if within(float64(count), relation, float64(want)) {
		return nil
	}
	expected := number
	if relation != "" {
		expected = relation + " " + number
	}
	if count == 0 {
		return fmt.Errorf("there are 0 %s, expected %s%s", name, expected, w.origin(f))
	}
	return fmt.Errorf("there %s %d %s, expected %s: %s%s", verb(count), count, ofCount(count, name), expected, shown(f.value), w.origin(f))
}

// checkCount returns an error for a number of entries that every list has, or none.
func checkCount(relation, number string) error {
	if strings.Trim(number, "0") != "" {
		return nil
	}
	switch relation {
	case "at least":
		return errors.New("every list has at least 0 entries: this checks nothing")
	case "fewer than":
		return errors.New("no list has fewer than 0 entries: this cannot hold")
	}
	return nil
}

func (w *world) fieldIsThere(article, name string) error {
	return w.presence(w.listName(name), article != "no")
}

func (w *world) fieldIsPresent(name, negation, state string) error {
	return w.presence(name, (state == "present") == (negation == ""))
}

// presence asserts that a field is there, or that it is absent.
func (w *world) presence(name string, want bool) error {
	f, err := w.fieldFor(name, !want)
	if err != nil {
		return err
	}
	switch there := !isAbsent(f.value); {
	case there == want:
		return nil
	case there:
		return fmt.Errorf("the %s %s not absent: %s%s", name, is(f.value), shown(f.value), w.origin(f))
	}
	return fmt.Errorf("there is no %s%s", name, w.origin(f))
}
