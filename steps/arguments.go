package steps

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/bench"
	"omniloader/internal/engine"
	"omniloader/internal/quantity"
	"omniloader/internal/suggest"
	"omniloader/loader/undertest"
)

// ArgumentRule is a rule that the literal arguments of a step must keep.
type ArgumentRule string

// The rules. Each is broken by a mistake in the scenario, whatever the checkpoint is.
const (
	UnknownField     ArgumentRule = "unknown-field"   // the answer has no such field
	WrongFieldKind   ArgumentRule = "wrong-kind"      // the field is a list, and the step is about a number
	UnknownFinding   ArgumentRule = "unknown-finding" // there is no finding with this code
	UnknownPreset    ArgumentRule = "unknown-preset"
	UnknownFailure   ArgumentRule = "unknown-failure"   // there is no kind of failure of this name
	MissingFile      ArgumentRule = "missing-file"      // a file that the step reads is not beside the feature
	UnreadableAnswer ArgumentRule = "unreadable-answer" // the file of an expected answer is no JSON object, or cannot be read
	NoLimit          ArgumentRule = "no-limit"          // "below 0 s", "below 1.2.3 s": not readable, always or never exceeded
	BadTable         ArgumentRule = "bad-table"         // a table with other columns or cells than the step takes
	BadText          ArgumentRule = "bad-text"          // another text that the step cannot take, such as a regular expression
	UnusableValue    ArgumentRule = "unusable-value"    // a Given step cannot be carried out on what the ones before it created
	ChecksNothing    ArgumentRule = "checks-nothing"    // whatever the answer is, the step holds, or never does
	MissingBlock     ArgumentRule = "missing-argument"  // several callers are to carry out a step that takes a text block
	UndefinedCall    ArgumentRule = "undefined-step"    // no When step has the text that several callers are to carry out
)

// ArgumentProblem is an argument of a step with which the scenario cannot be judged.
type ArgumentProblem struct {
	Step  int // index of the step in the scenario
	Below int // the line of the text below the step, from 1; 0 where it is not about one of these
	Rule  ArgumentRule
	Err   error // what is wrong and, where possible, what was meant; it may have a Hint
}

// ArgumentContext is what the arguments of a scenario's steps are checked with.
type ArgumentContext struct {
	// Vocabulary is that of the loader under test; with nil, names of fields and codes of
	// findings are not checked.
	Vocabulary *Vocabulary
	// Source reads the files beside the feature; without its ReadFixture they are not checked.
	Source Source
	// Checkpoints says which checkpoints Given steps may use.
	Checkpoints Checkpoints
	// Callers is the number of callers at once that a run measures each operation with; below
	// 2 means none.
	Callers int
	// Layouts remembers what the Given steps of other scenarios create; nil for no memory.
	Layouts *Layouts
	// UpdateAnswers says that the run writes the files of expected answers, so that they need
	// not exist.
	UpdateAnswers bool
}

// CheckArguments checks what a scenario's steps say, and calls no operation: names of fields
// in the answer of the scenario's operation, codes of findings, presets, kinds of failures,
// limits, tables, and files beside the feature. The Given steps are carried out in memory, so
// that a file or a key that is not there is found. Steps that are undefined, ambiguous or lack
// a table are left to others. The problems are in the order of the steps.
func CheckArguments(pickle *messages.Pickle, context ArgumentContext) []ArgumentProblem {
	if context.Layouts == nil {
		context.Layouts = new(Layouts)
	}
	c := &argumentCheck{ArgumentContext: context, match: Engine().Matches, entries: catalogue(), pickle: pickle, kinds: Engine().Kinds(pickle)}
	for i, step := range pickle.Steps {
		var only *entry
		if entries := matching(c.kinds[i], step.Text); len(entries) == 1 {
			only = entries[0]
			if operation := operationOf(only, step.Text); operation != "" {
				c.operation = operation
			}
			c.expectsFailure = c.expectsFailure || only.doc.expectsFailure
		}
		c.found = append(c.found, only)
	}
	isGiven := func(i int) bool { return c.kinds[i] == messages.PickleStepType_CONTEXT }
	c.each(isGiven, func(e *entry) check { return e.doc.check })
	c.givenSteps()
	c.each(isGiven, func(e *entry) check { return e.doc.checkLater })
	c.each(func(i int) bool { return !isGiven(i) }, func(e *entry) check { return e.doc.check })
	slices.SortStableFunc(c.problems, func(a, b ArgumentProblem) int { return a.Step - b.Step })
	return c.problems
}

// each makes a check of each of these steps.
func (c *argumentCheck) each(chosen func(int) bool, of func(*entry) check) {
	for i, step := range c.pickle.Steps {
		if e := c.found[i]; e != nil && chosen(i) && of(e) != nil {
			c.step, c.argument = i, step.Argument
			of(e)(c, e.pattern.FindStringSubmatch(step.Text)[1:])
		}
	}
}

// check checks the arguments of a step before the scenario runs; parts is what the groups of
// the pattern matched.
type check func(c *argumentCheck, parts []string)

// partsOf returns what the groups of the pattern matched in the step with this example; nil
// if the scenario has no such step.
func (c *argumentCheck) partsOf(example string) []string {
	for i, e := range c.found {
		if e != nil && e.doc.example == example {
			return e.pattern.FindStringSubmatch(c.pickle.Steps[i].Text)[1:]
		}
	}
	return nil
}

// operationOf returns the operation that a When step carries out; "" for other steps.
func operationOf(e *entry, text string) string {
	if e.doc.bounds != concurrency || e.Keyword != "When" {
		return e.doc.operation
	}
	question := e.pattern.FindStringSubmatch(text)[1]
	for _, other := range matching(messages.PickleStepType_ACTION, question) {
		if other != e && other.doc.operation != "" {
			return other.doc.operation
		}
	}
	return ""
}

// argumentCheck collects the problems of one scenario. The stepDoc of a step has the function
// that checks its arguments.
type argumentCheck struct {
	ArgumentContext
	match          func(messages.PickleStepType, string) []engine.Match // that of the Engine, which the steps cannot refer to
	entries        []*entry                                             // the catalogue, for the same reason
	pickle         *messages.Pickle
	kinds          []messages.PickleStepType
	found          []*entry // by step; nil for one that is undefined or ambiguous
	operation      string   // of the scenario's When step, "" if it has none
	expectsFailure bool     // a step asserts that reading fails
	step           int
	argument       *messages.PickleStepArgument // below the step, or nil
	problems       []ArgumentProblem
}

// add adds a problem of the step, if err is not nil.
func (c *argumentCheck) add(rule ArgumentRule, err error) {
	if err != nil {
		c.problems = append(c.problems, ArgumentProblem{Step: c.step, Rule: rule, Err: err})
	}
}

// table returns the table below the step; nil if there is none.
func (c *argumentCheck) table() *engine.Table {
	if c.argument == nil {
		return nil
	}
	return c.argument.DataTable
}

// checkField returns a check of a step whose first part is the name of a field that is of
// one of these kinds, or of any if none is given.
func checkField(kinds ...undertest.FieldKind) func(*argumentCheck, []string) {
	return func(c *argumentCheck, parts []string) { c.field(parts[0], kinds...) }
}

// field checks the name of a field, and that it is of one of these kinds, or of any if none
// is given. It returns the field, and nil if it is not known or another than the step takes.
func (c *argumentCheck) field(name string, kinds ...undertest.FieldKind) *knownField {
	f, err := c.Vocabulary.field(c.operation, name)
	if err != nil || f == nil {
		c.add(UnknownField, err)
		return nil
	}
	if len(kinds) > 0 && !slices.Contains(kinds, f.Kind) {
		c.add(WrongFieldKind, fmt.Errorf("the %s is a field of the kind %q, and this step is for %s: %s", name, string(f.Kind), kindNames(kinds), spelling(name, f.Kind)))
		return nil
	}
	return f
}

func kindNames(kinds []undertest.FieldKind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = fmt.Sprintf("%q", string(k))
	}
	return strings.Join(names, " and ")
}

// spelling is a step about a field of a kind, for people.
func spelling(name string, kind undertest.FieldKind) string {
	switch kind {
	case undertest.KindText:
		return fmt.Sprintf("write 'the %s is \"…\"'", name)
	case undertest.KindNumber:
		return fmt.Sprintf("write 'the %s is 1' or 'the %s is at least 1'", name, name)
	case undertest.KindList:
		return fmt.Sprintf("write 'the %s are \"a, b\"' or 'the %s contain \"a\"'", name, name)
	case undertest.KindBoolean:
		return fmt.Sprintf("write a table below 'the answer has:' with the row %q", "| "+name+" | yes |")
	}
	return "name a field inside it"
}

// codes checks the codes of findings in a list that is separated by commas.
func (c *argumentCheck) codes(list string) {
	for _, code := range splitList(list) {
		c.add(UnknownFinding, c.Vocabulary.checkCode(code))
	}
}

// checkCodes returns a check of a step with a list of codes of findings in this part.
func checkCodes(part int) func(*argumentCheck, []string) {
	return func(c *argumentCheck, parts []string) { c.codes(parts[part]) }
}

// splitList splits a list that is separated by commas.
func splitList(list string) []string {
	entries := strings.Split(list, ",")
	for i := range entries {
		entries[i] = strings.TrimSpace(entries[i])
	}
	return entries
}

// checkPreset returns a check of a step with the name of a preset in this part.
func checkPreset(part int) func(*argumentCheck, []string) {
	return func(c *argumentCheck, parts []string) { c.add(UnknownPreset, c.Checkpoints.Presets.Check(parts[part])) }
}

// checkFailureKind checks a step whose first part is a kind of failure.
func checkFailureKind(c *argumentCheck, parts []string) {
	c.add(UnknownFailure, failureKindExists(parts[0]))
}

func failureKindExists(kind string) error {
	var known []string
	for _, k := range undertest.Kinds() {
		if string(k) == kind {
			return nil
		}
		known = append(known, string(k))
	}
	return fmt.Errorf("there is no kind of failure %q, %s", kind, suggest.DidYouMean(kind, known))
}

// checkBound returns a check of a step that is a bound on a measurement.
func checkBound(read func(parts []string) (bench.Bound, error)) func(*argumentCheck, []string) {
	return func(c *argumentCheck, parts []string) {
		_, err := read(parts)
		c.add(NoLimit, err)
	}
}

// file checks that a file exists beside the feature.
func (c *argumentCheck) file(name, advice string) {
	if c.Source.ReadFixture == nil {
		return
	}
	_, err := c.Source.ReadFixture(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.add(MissingFile, fmt.Errorf("there is no file %q beside the feature: %s", name, advice))
	case err != nil:
		c.add(MissingFile, fmt.Errorf("%q cannot be read: %w", name, err))
	}
}

// readAmount reads a limit on a field and checks that it can be exceeded and kept. f is what is
// known of the field, or nil.
func readAmount(text, relation string, f *knownField) (quantity.Amount, error) {
	limit, err := quantity.ParseAmount(text)
	if err != nil {
		return limit, err
	}
	if f == nil {
		return limit, nil
	}
	switch {
	case limit.IsSize && !f.Bytes && f.Kind == undertest.KindNumber:
		return limit, fmt.Errorf("the %s is not a size in bytes: leave the unit %q out, or write a count as \"7 billion\"", f.name, strings.TrimLeft(text, "0123456789.- "))
	case f.Signed || f.Kind != undertest.KindNumber:
	case relation == "at least" && limit.Value <= 0:
		return limit, fmt.Errorf("every number is at least %s: this checks nothing", text)
	case (relation == "less than" || relation == "fewer than" || relation == "under") && limit.Value <= 0, limit.Value < 0:
		return limit, fmt.Errorf("the %s is never negative: this cannot hold", f.name)
	}
	return limit, nil
}
