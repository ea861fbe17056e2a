package steps_test

import (
	"context"
	"errors"
	"testing"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/builtin"
	"omniloader/internal/engine"
	"omniloader/internal/engine/enginetest"
	"omniloader/steps"
)

// full is an answer with a field of each kind, and one of each that may be missing.
func full() (any, error) {
	return map[string]any{
		"category": "transformers", "decided_by": "class name in config.json", "architectures": []string{"A<x>", "B"}, "custom_files": []string{},
		"size": 4080287250, "parameters": 6738415616, "pad_token_id": -1, "is_omni": false, "base_model": nil, "quantization": nil, "error": nil,
		"weights":        map[string]any{"files": []string{"one", "two"}, "dtypes": map[string]any{"BF16": 1}},
		"memory":         map[string]any{"weights": 4e9, "total": 16e9},
		"context_length": 8192, "context_length_source": "config.json: max_position_embeddings", "empty": "",
		"findings": []map[string]any{
			{"severity": "error", "code": "shard-missing", "file": "x-3.safetensors", "message": "it is not <here>"},
			{"severity": "note", "code": "pad-token-from-eos", "file": "", "message": "no pad token"},
		},
	}, nil
}

// Each step holds, and its counterpart fails and says why.
func TestStepsAboutFieldsAndTheirCounterparts(t *testing.T) {
	for _, c := range []struct{ holds, fails, why string }{
		{`the category is "transformers"`, `the category is not "transformers"`, `the category is "transformers", expected not "transformers" (decided by class name in config.json)`},
		{`the category is not "asr"`, `the category is "asr"`, `the category is "transformers", expected "asr" (decided by class name in config.json)`},
		{`the base model is not "gpt2"`, `the base model is "gpt2"`, `the base model is absent, expected "gpt2"`},
		{`the category is one of "asr", "transformers"`, `the category is not one of "asr", "transformers"`, `expected not one of "asr", "transformers"`},
		{`the category is not one of "asr" or "sae"`, `the category is one of "asr" or "sae"`, `the category is "transformers", expected one of "asr" or "sae"`},
		{`the context length is one of 4096, 8192, or 16384`, `the context length is one of 4096 or 16384`, `the context length is 8192, expected one of 4096 or 16384 (from config.json: max_position_embeddings)`},
		{`the category matches "^trans"`, `the category does not match "^trans"`, `the category is "transformers": it must not match "^trans"`},
		{`the architectures do not match "^C"`, `the architectures match "^C"`, `the architectures are "A<x>", "B": it does not match "^C"`},
		{`the architectures match "^A"`, `the architectures do not match "^A"`, `must not match`},
		{`the architectures contain "A<x>"`, `the architectures do not contain "A<x>"`, `the architectures are "A<x>", "B" and must not contain "A<x>"`},
		{`the architectures do not contain "C"`, `the architectures contain "C"`, `the architectures are "A<x>", "B" and do not contain "C"`},
		{`the category does not contain "asr"`, `the category contains "asr"`, `the category is "transformers" and does not contain "asr"`},
		{`the dtypes contain "BF16"`, `the dtypes contain "F32"`, `the dtypes is BF16`},
		{`the findings contain "shard-missing"`, `the findings do not contain "shard-missing"`, `must not contain "shard-missing"`},
		{`the architectures are "A<x>, B"`, `the architectures are not "A<x>, B"`, `the architectures are "A<x>, B", expected not "A<x>, B"`},
		{`the custom files are not "a.py"`, `the custom files are "a.py"`, `the custom files are an empty list, expected "a.py"`},
		{`the findings are "shard-missing, pad-token-from-eos"`, `the findings are "shard-missing"`, `the findings are "shard-missing, pad-token-from-eos", expected "shard-missing"`},
		{`the context length is 8192`, `the context length is not 8192`, `the context length is 8192, expected not 8192 (from config.json: max_position_embeddings)`},
		{`the size is 4.08 GB`, `the size is 4.09 GB`, `the size is 4.08 GB (4080287250 bytes), expected 4.09 GB`},
		{`the parameters are 6.74 billion`, `the parameters are 6.73 billion`, `the parameters is 6738415616, expected 6.73 billion`},
		{`the size is at least 3 GiB`, `the size is at least 16 GB`, `the size is 4.08 GB (4080287250 bytes), expected at least 16 GB`},
		{`the memory is at least 16 GB`, `the memory is more than 16 GB`, `the memory is 16 GB (16000000000 bytes), expected more than 16 GB`},
		{`the memory weights are less than 5 GB`, `the memory weights are less than 4 GB`, `expected less than 4 GB`},
		{`the pad token id is at least -1`, `the pad token id is at least 0`, `the pad token id is -1, expected at least 0`},
		{`the context length is at most 8192`, `the context length is at most 8191`, `expected at most 8191`},
		{`the parameters are between 6.5 billion and 7 billion`, `the parameters are not between 6.5 billion and 7 billion`, `expected not between 6.5 billion and 7 billion`},
		{`the context length is between 8192 and 8192`, `the context length is between 1 and 2`, `the context length is 8192, expected between 1 and 2`},
		{`there are at least 2 shards`, `there are at least 3 shards`, `there are 2 shards, expected at least 3: "one", "two"`},
		{`there is at most 2 weights files`, `there is at most 1 weights files`, `there are 2 weights files, expected at most 1`},
		{`there are fewer than 3 shards`, `there are fewer than 2 shards`, `expected fewer than 2`},
		{`there are exactly 2 shards`, `there are more than 2 shards`, `expected more than 2`},
		{`there is at least 1 finding`, `there is at most 1 finding`, `there are 2 findings, expected at most 1: code "shard-missing", file "x-3.safetensors"`},
		{`there is a category`, `there is no category`, `the category is not absent: "transformers" (decided by`},
		{`there are no custom files`, `there is a base model`, `there is no base model`},
		{`the base model is absent`, `the base model is present`, `there is no base model`},
		{`the category is present`, `the category is absent`, `the category is not absent: "transformers"`},
		{`the empty is not present`, `the category is not present`, `the category is not absent`},
		{`the category is not absent`, `the empty is not absent`, `there is no empty`},
		{`the is omni is no`, `the is omni is yes`, `the is omni is no, expected yes`},
		{`the detection used "config.json"`, `the detection did not use "config.json"`, `must not contain "config.json"`},
		{`detection did not use "x"`, `detection used "x"`, `the decided by is "class name in config.json" and does not contain "x"`},
	} {
		status, _, out := run(t, &steps.Setup{Loader: fake(full)}, feature(c.holds))
		assert.Zero(t, status, "%s: %s", c.holds, out)
		status, _, out = run(t, &steps.Setup{Loader: fake(full)}, feature(c.fails))
		assert.Equal(t, 1, status, c.fails)
		assert.Contains(t, out, c.why, c.fails)
	}
}

func TestStepsAboutFindingsAndTheirCounterparts(t *testing.T) {
	for _, c := range []struct{ holds, fails, why string }{
		{`an error "shard-missing" is reported`, `a note "shard-missing" is reported`, "expected note shard-missing, reported:\n  error shard-missing for \"x-3.safetensors\": it is not <here>\n  note pad-token-from-eos: no pad token"},
		{`the error "shard-missing" is reported`, `the error "shard-missing" is reported and nothing else`, "expected nothing else, reported as well:\n  note pad-token-from-eos: no pad token"},
		{`a finding "shard-missing" is reported for "x-3.safetensors"`, `a finding "shard-missing" is reported for "x-3.safetensors" and nothing else`, "reported as well"},
		{`the findings "pad-token-from-eos, shard-missing" are reported and nothing else`, `the findings "shard-missing" are reported and nothing else`, "reported as well"},
		{`the findings "shard-missing" are reported`, `the errors "shard-missing, pad-token-from-eos" are reported`, "expected error pad-token-from-eos, reported:"},
		{`no "index-stale" is reported`, `no "index-stale, shard-missing" is reported`, "expected none, reported:\n  error shard-missing for"},
		{`no note "shard-missing" is reported`, `no error "shard-missing" is reported`, "expected none, reported:"},
		{`no "shard-missing" is reported for "y"`, `no "shard-missing" is reported for "x-3.safetensors"`, "expected none, reported:"},
		{`no warning is reported`, `no note is reported`, "expected none, reported:\n  note pad-token-from-eos: no pad token\n"},
		{`no finding is reported for "y"`, `no finding is reported for "x-3.safetensors"`, "expected none, reported:\n  error shard-missing"},
		{`1 error is reported`, `2 errors are reported`, "1 error is reported, expected 2:\n  error shard-missing"},
		{`at least 2 findings are reported`, `at most 1 finding is reported`, "2 findings are reported, expected at most 1:"},
		{`0 warnings are reported`, `at least 1 warning is reported`, "0 warnings are reported, expected at least 1"},
		{"exactly these findings are reported:\n      | code |\n      | pad-token-from-eos |\n      | shard-missing |", "exactly these findings are reported:\n      | code | severity |\n      | shard-missing | error |\n      | index-stale | warning |",
			"expected and not reported:\n  warning index-stale\nreported and not expected:\n  note pad-token-from-eos: no pad token"},
		{"exactly these findings are reported:\n      | code | file |\n      | pad-token-from-eos | |\n      | shard-missing | x-3.safetensors |", "exactly these findings are reported:\n      | code | file |\n      | pad-token-from-eos | y |\n      | shard-missing | |",
			"expected and not reported:\n  pad-token-from-eos for \"y\"\n  shard-missing about no file\nreported and not expected:\n  error shard-missing for"},
		{"exactly these findings are reported:\n      | code |\n      | pad-token-from-eos |\n      | shard-missing |", "exactly these findings are reported:\n      | code |\n      | shard-missing |\n      | shard-missing |",
			"expected and not reported:\n  shard-missing\nreported and not expected:"},
	} {
		status, _, out := run(t, &steps.Setup{Loader: fake(full)}, feature(c.holds))
		assert.Zero(t, status, "%s: %s", c.holds, out)
		status, _, out = run(t, &steps.Setup{Loader: fake(full)}, feature(c.fails))
		assert.Equal(t, 1, status, c.fails)
		assert.Contains(t, out, c.why, c.fails)
	}
}

func TestATableReportsEveryRowThatIsWrong(t *testing.T) {
	const table = `the answer has:
      | field          | value                 |
      | category       | transformers          |
      | category       | transformers          |`
	_, _, out := run(t, &steps.Setup{Loader: fake(full)}, feature(table))
	assert.Contains(t, out, `the table has two rows for the field "category"`)

	status, _, out := run(t, &steps.Setup{Loader: fake(full)}, feature(`the answer has:
      | field               | value                 |
      | category            | transformers          |
      | architectures       | A<x>, B               |
      | custom files        |                       |
      | size                | 4.08 GB               |
      | pad token id        | -1                    |
      | is omni             | no                    |
      | base model          | absent                |
      | context length      | present               |
      | memory              | 16 GB                 |
      | empty               | ""                    |
      | decided by          | "class name in config.json" |`))
	require.Zero(t, status, out)

	status, _, out = run(t, &steps.Setup{Loader: fake(full)}, feature(`the answer has:
      | field               | value   |
      | category            | asr     |
      | architectures       | A       |
      | custom files        | present |
      | size                | 5 GB    |
      | context length      | 8192    |
      | is omni             | true    |
      | base model          | gpt2    |
      | memory              | absent  |`))
	assert.Equal(t, 1, status)
	assert.Contains(t, out, `7 of 8 fields differ:
the category is "transformers", expected "asr" (decided by class name in config.json)
the architectures are "A<x>, B", expected "A"
the custom files are an empty list, expected something
the size is 4.08 GB (4080287250 bytes), expected 5 GB
the is omni is no, expected true (decided by class name in config.json)
the base model is absent, expected "gpt2"
the memory is total 16000000000, weights 4000000000, expected nothing`)
}

// isMistake says whether the scenario of a feature fails with a ScenarioError.
func isMistake(t *testing.T, feature string) bool {
	t.Helper()
	setup := &steps.Setup{Loader: fake(full), Plan: bench.Plan{Iterations: 1}}
	var mistake *steps.ScenarioError
	is := false
	enginetest.Run(t, steps.Engine(), []enginetest.Feature{{Text: feature}}, 1, func(scope *engine.Scope, _ *engine.Scenario) {
		scenario := setup.Register(scope)
		scope.Before(func(ctx context.Context, p *messages.Pickle) (context.Context, error) {
			return ctx, scenario.Begin(p, steps.Source{})
		})
		scope.After(func(ctx context.Context, _ *messages.Pickle, err error) (context.Context, error) {
			is = errors.As(err, &mistake)
			return ctx, scenario.End()
		})
	})
	return is
}

// Of a loader that says that it has the field, a field inside one that is null is null.
func TestAFieldInsideOneThatIsNullIsNull(t *testing.T) {
	text := func(then string) string {
		return "Feature: f\n  Scenario: s\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then " + then + "\n"
	}
	setup := &steps.Setup{Loader: builtin.New("")}
	for _, holds := range []string{`the quantization method is not "gptq"`, `the quantization bits are not 4`, `the quantization detail does not contain "x"`,
		`there are no quantization bits`, `the quantization method is absent`, "the answer has:\n      | field | value |\n      | quantization method | |"} {
		status, _, out := run(t, setup, text(holds))
		assert.Zero(t, status, out)
	}
	for fails, why := range map[string]string{
		`the quantization method is "gptq"`:                                         `the quantization method is absent, expected "gptq"`,
		`the quantization bits are 4`:                                               `there is no quantization bits: quantization is null`,
		"the answer has:\n      | field | value |\n      | quantization bits | 4 |": `the quantization bits is absent, expected "4"`,
		`the quantization methud is not "gptq"`:                                     `there is no quantization methud: quantization is null`,
	} {
		status, _, out := run(t, setup, text(fails))
		assert.Equal(t, 1, status, fails)
		assert.Contains(t, out, why, fails)
	}
}

// What the author of a scenario has written wrong is not a broken promise.
func TestMistakesInStepsAreNotFailuresOfTheLoader(t *testing.T) {
	for then, want := range map[string]string{
		`the category matches "("`:                                                                       "missing closing )",
		`the size is at least 1.2.3`:                                                                     `"1.2.3" is not a number`,
		`the size is at least 16 gb`:                                                                     `unknown unit "gb", did you mean "GB"?`,
		`the size is between 2 GB and 1 GB`:                                                              "write the smaller one first",
		`there are at least 0 shards`:                                                                    "this checks nothing",
		`there are fewer than 0 shards`:                                                                  "this cannot hold",
		`at least 0 errors are reported`:                                                                 "this checks nothing",
		`the categry is "x"`:                                                                             `did you mean "category"?`,
		`the architectures never is "x"`:                                                                 `because "never" is read as a part of the name`,
		"the answer has:\n      | field |\n      | category |":                                           `the table has no column "value"`,
		"the answer has:\n      | feld | value |\n      | category | x |":                                `did you mean "field"?`,
		"the answer has:\n      | field | value |":                                                       "no row below",
		"the answer has:\n      | field | value |\n      | is omni | maybe |":                            `"maybe" is neither yes nor no`,
		"the answer has:\n      | field | value |\n      | size | much |":                                `"much" is not a number`,
		"the answer has:\n      | field | value |\n      | weights | much |":                             "has fields of its own",
		"the answer has:\n      | field | value |\n      | categry | x |\n      | category | asr |":      `did you mean "category"?`,
		"exactly these findings are reported:\n      | code | severity |\n      | shard-missing | err |": `there is no severity "err"`,
		"exactly these findings are reported:\n      | code |\n      | shard-missing, index-stale |":     "write a row for each finding",
		"exactly these findings are reported:\n      | code | place |\n      | shard-missing | x |":      `the table has a column "place"`,
		"exactly these findings are reported:\n      | code |":                                           "no row below",
		`the max latency is below 0 s`:                                                                   "nothing can be below",
		`the max latency is below 1.2.3 s`:                                                               `"1.2.3" is no number`,
		`the throughput is at least 0 operations per second`:                                             "everything is at least",
	} {
		status, _, out := run(t, &steps.Setup{Loader: fake(full), Plan: bench.Plan{Iterations: 1}}, feature(then))
		assert.Equal(t, 1, status, then)
		assert.Contains(t, out, want, then)
		assert.True(t, isMistake(t, feature(then)), then)
	}
}

// No text with a negation is read as a step about a field whose name has the negation, and
// none matches two steps.
func TestNegationsAreNeverReadAsAPartOfAName(t *testing.T) {
	for text, parts := range map[string][]string{
		`the category is not "x"`:                               {"category", "not ", "x"},
		`the base model source is not "a is b"`:                 {"base model source", "not ", "a is b"},
		`the architectures do not contain "x"`:                  {"architectures", "do not contain", "x"},
		`the category does not contain "is not"`:                {"category", "does not contain", "is not"},
		`the architectures are not "a, b"`:                      {"architectures", "not ", "a, b"},
		`the category does not match "x"`:                       {"category", "does not match", "x"},
		`the category is not one of "x", "y"`:                   {"category", "not ", `"x", "y"`},
		`the context length is not 5`:                           {"context length", "not ", "5"},
		`the context length is not between 5 and 6`:             {"context length", "not ", "5", "6"},
		`the is omni is not "x"`:                                {"is omni", "not ", "x"},
		`the category is not present`:                           {"category", "not ", "present"},
		`the category is not absent`:                            {"category", "not ", "absent"},
		`there is no base model`:                                {"no", "base model"},
		`the model does not have a talker`:                      {"does not have a"},
		`the weights are not complete`:                          {"not "},
		`the model needs no remote code`:                        {"no "},
		`no "x" is reported`:                                    {"", "x", ""},
		`no error "x" is reported for "y"`:                      {"error", "x", "y"},
		`the memory delta is below 0.5 MB`:                      {"0.5 MB"},
		`the throughput is at least 1000 operations per second`: {"1000"},
	} {
		matches := steps.Engine().Matches(messages.PickleStepType_OUTCOME, text)
		if assert.Len(t, matches, 1, text) {
			assert.Equal(t, parts, matches[0].Parts(text), text)
		}
	}
	// Spellings that no step has are undefined, or a name that no field has.
	for _, text := range []string{
		`the category isn't "x"`, `the architectures don't contain "x"`, `the category is never "x"`, `the category must not be "x"`,
		`the size is not at least 5`, `the size is below 5 MB`, `the category is not "x" or "y"`, `there are not 2 shards`, `there are no 2 shards`,
		`the category is not "x" but "y"`, `the findings do not contain any error`, `the category is neither "x" nor "y"`,
	} {
		for _, m := range steps.Engine().Matches(messages.PickleStepType_OUTCOME, text) {
			pickle := &messages.Pickle{Steps: []*messages.PickleStep{{Text: text, Type: messages.PickleStepType_OUTCOME}}}
			problems := steps.CheckArguments(pickle, steps.ArgumentContext{})
			if assert.Len(t, problems, 1, "%s is read as %v", text, m.Parts(text)) {
				assert.Contains(t, problems[0].Err.Error(), "is read as a part of the name", text)
			}
		}
	}
}
