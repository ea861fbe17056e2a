package steps_test

import (
	"io/fs"
	"testing"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/builtin"
	"omniloader/internal/engine"
	"omniloader/steps"
)

// problems checks a scenario with one When step and one Then step.
func problems(t *testing.T, context steps.ArgumentContext, given, when, then string) []steps.ArgumentProblem {
	t.Helper()
	parsed, err := engine.Parse(t.Context(), "a.feature", []byte("Feature: f\n  Scenario: s\n    Given "+given+"\n    When "+when+"\n    Then "+then+"\n"))
	require.NoError(t, err)
	for s := range parsed.Scenarios() {
		return steps.CheckArguments(s.Pickle, context)
	}
	return nil
}

const inspected = "the checkpoint is inspected"

func TestMistakesInArgumentsAreKnownBeforeTheRun(t *testing.T) {
	context := steps.ArgumentContext{
		Vocabulary: steps.NewVocabulary(builtin.New("")),
		Source: steps.Source{ReadFixture: func(name string) ([]byte, error) {
			switch name {
			case "there.json":
				return []byte("{}"), nil
			case "list.json":
				return []byte("[]"), nil
			case "cut.json":
				return []byte("{"), nil
			}
			return nil, fs.ErrNotExist
		}},
	}
	for _, c := range []struct {
		given, when, then string
		rule              steps.ArgumentRule
		want              string
	}{
		{then: `the architectures do not "x"`}, // undefined: left to others
		{then: `the architekture is "x"`, rule: steps.UnknownField, want: `the answer of the inspection has no field "architekture", did you mean "architecture"?`},
		{then: `the architectures never contain "x"`, rule: steps.UnknownField, want: `because "never" is read as a part of the name: the steps that negate are "the X is not …"`},
		{then: `the architectures no longer are "x"`, rule: steps.UnknownField, want: `because "no" is read`},
		{when: "the category is detected", then: `the vocab size is 5`, rule: steps.UnknownField, want: `but that of the inspection has: write "When the checkpoint is inspected"`},
		{when: "the model info is read", then: `the vocab size is 5`, rule: steps.UnknownField, want: `but that of the inspection has: write "When the checkpoint is inspected"`},
		{when: "the category is detected by 4 callers at once", then: `the vocab size is 5`, rule: steps.UnknownField, want: "the answer of the category"},
		{then: `the wheel is "round"`, rule: steps.UnknownField, want: "known: name, path, size, layout, category, task, pipeline kind, architecture, architectures, model type, decided by, is supported and 23 more"},
		{then: `the architectures is "x"`, rule: steps.WrongFieldKind, want: `the architectures is a field of the kind "list", and this step is for "text": write 'the architectures are "a, b"'`},
		{then: `the architecture is at least 5`, rule: steps.WrongFieldKind, want: `of the kind "text", and this step is for "number"`},
		{then: `the is omni is "no"`, rule: steps.WrongFieldKind, want: `the answer has:`},
		{then: `there are 2 architecture`, rule: steps.WrongFieldKind, want: `this step is for "list" and "object"`},
		{then: `there are 2 warnings`, rule: steps.UnknownField, want: `write "no warning is reported" or "2 warnings are reported"`},
		{then: `there are no notes`, rule: steps.UnknownField, want: `"notes" is the severity of a finding`},
		{then: `a finding "shard-mising" is reported`, rule: steps.UnknownFinding, want: `there is no finding "shard-mising", did you mean "shard-missing"?`},
		{then: `no "shard-missing, wheel" is reported`, rule: steps.UnknownFinding, want: `there is no finding "wheel"; "omniloader findings WORD"`},
		{then: `the findings "shard missing" are reported`, rule: steps.UnknownFinding, want: `did you mean "shard-missing"?`},
		{then: `the findings do not contain "shard-mising"`, rule: steps.UnknownFinding, want: `did you mean "shard-missing"?`},
		{then: "exactly these findings are reported:\n      | code |\n      | shard-mising |", rule: steps.UnknownFinding, want: `did you mean "shard-missing"?`},
		{then: "exactly these findings are reported:\n      | cod |\n      | shard-missing |", rule: steps.BadTable, want: `did you mean "code"?`},
		{then: "the answer has:\n      | field | value |\n      | categry | x |", rule: steps.UnknownField, want: `did you mean "category"?`},
		{then: "the answer has:\n      | field | value |\n      | is omni | x |", rule: steps.BadTable, want: `"x" is neither: write yes or no`},
		{then: "the answer has:\n      | field | value |\n      | size | x |", rule: steps.BadTable, want: `"x" is not a number`},
		{then: "the answer has:\n      | field | value |\n      | weights | x |", rule: steps.BadTable, want: `fields of its own`},
		{then: `the size is at least 0`, rule: steps.NoLimit, want: "this checks nothing"},
		{then: `the size is less than 0 GB`, rule: steps.NoLimit, want: "this cannot hold"},
		{then: `the size is at most 16 gb`, rule: steps.NoLimit, want: `did you mean "GB"?`},
		{then: `the parameters are at least 7 B`, rule: steps.NoLimit, want: `not a size in bytes: leave the unit "B" out, or write a count as "7 billion"`},
		{then: `the size is between 2 GB and 1 GB`, rule: steps.NoLimit, want: "write the smaller one first"},
		{then: `there are at least 0 shards`, rule: steps.NoLimit, want: "this checks nothing"},
		{then: `the mean latency is below 0 s`, rule: steps.NoLimit, want: "nothing can be below"},
		{then: `the mean latency is below 1.2.3 s`, rule: steps.NoLimit, want: "is no number"},
		{then: `the throughput is at least 0 operations per second`, rule: steps.NoLimit, want: "everything is at least"},
		{then: `the category matches "("`, rule: steps.BadText, want: "missing closing )"},
		{then: `reading fails with "not fond"`, rule: steps.UnknownFailure, want: `did you mean "not found"?`},
		{then: `the answer is as in "nowhere.json"`, rule: steps.MissingFile, want: `write it with "omniloader run --update"`},
		{then: `the answer is as in "../there.json"`, rule: steps.BadText, want: `without ".."`},
		{then: `the answer is as in "there.txt"`, rule: steps.BadText, want: "must end in .json"},
		{then: `the answer is as in "list.json"`, rule: steps.UnreadableAnswer, want: "no JSON object"},
		{then: `the answer is as in "cut.json"`, rule: steps.UnreadableAnswer, want: "not JSON: unexpected EOF"},
		{then: `the answer is as in "there.json", apart from "paht"`, rule: steps.UnknownField, want: `did you mean "path"?`},
		{given: `the checkpoint "gtp2"`, rule: steps.UnknownPreset, want: `there is no preset "gtp2"`},
		{given: "the checkpoint \"gpt2\"\n    And in \"x\", the checkpoint \"wheel\"", rule: steps.UnknownPreset, want: `there is no preset "wheel"`},
		{given: `the recorded checkpoint "x.fixture"`, rule: steps.MissingFile, want: `there is no file "x.fixture" beside the feature`},
	} {
		given, when, then := c.given, c.when, c.then
		if given == "" {
			given = `the checkpoint "gpt2"`
		}
		if when == "" {
			when = inspected
		}
		if then == "" {
			then = `the category is "x"`
		}
		found := problems(t, context, given, when, then)
		if c.rule == "" {
			assert.Empty(t, found, then)
			continue
		}
		if assert.Len(t, found, 1, "%s %s", given, then) {
			assert.Equal(t, c.rule, found[0].Rule, then)
			assert.Contains(t, found[0].Err.Error(), c.want, then)
			assert.Less(t, len(found[0].Err.Error()), 400, then)
		}
	}
}

func TestRightArgumentsAreNoProblem(t *testing.T) {
	context := steps.ArgumentContext{Vocabulary: steps.NewVocabulary(builtin.New(""))}
	for _, then := range []string{
		`the architecture is "x"`, `the quantization method is not "gptq"`, `the bits are 4`, `the eos token is "x"`, `the special tokens image token is "x"`,
		`the dtypes bf16 is 5`, `the memory is at least 16 GB`, `the parameters are at least 7 billion`, `there are at least 2 shards`, `there is 1 finding`,
		`there is 1 weights file`, `the pad token id is at least 0`, `the pad token is "x"`, `the license is "x"`, `the files are "a"`, `the base models contain "x"`,
		`there are no memory notes`, `the answer is as in "nowhere.json"`, `the dtypes contain "BF16"`, `the class is "x"`, `the tokenizer is absent`,
		"the answer has:\n      | field | value |\n      | memory | 5 GB |\n      | weights | present |\n      | is omni | true |\n      | architectures | A, B |\n      | base model | |",
	} {
		assert.Empty(t, problems(t, context, `the checkpoint "gpt2"`, inspected, then), then)
	}
}

// Of a loader that does not say what its answers have, only what no answer has is refused.
func TestFieldsOfALoaderThatDoesNotDescribeThemAreNotChecked(t *testing.T) {
	assert.Nil(t, steps.NewVocabulary(fake(llama)))
	assert.Nil(t, steps.NewVocabulary(nil))
	for then, count := range map[string]int{
		`the wheel is "round"`: 0, `a finding "wheel" is reported`: 0, `the size is at least 0`: 0,
		`the wheels do not turn is "x"`: 1, `the mean latency is below 0 s`: 1, `there are at least 0 wheels`: 1,
	} {
		assert.Len(t, problems(t, steps.ArgumentContext{}, `the checkpoint "gpt2"`, inspected, then), count, then)
	}
}

// A When step that is not known leaves nothing to compare fields with.
func TestAScenarioWithoutAnOperationIsLeftToOthers(t *testing.T) {
	context := steps.ArgumentContext{Vocabulary: steps.NewVocabulary(builtin.New(""))}
	assert.Empty(t, problems(t, context, `the checkpoint "gpt2"`, "something is done", `the wheel is "round"`))
	assert.Empty(t, steps.CheckArguments(&messages.Pickle{}, context))
}

func TestAnAnswerFileThatWillBeWrittenNeedNotExist(t *testing.T) {
	context := steps.ArgumentContext{UpdateAnswers: true, Source: steps.Source{ReadFixture: func(string) ([]byte, error) { return nil, fs.ErrNotExist }}}
	assert.Empty(t, problems(t, context, `the checkpoint "gpt2"`, inspected, `the answer is as in "new.json"`))
}
