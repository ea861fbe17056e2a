package steps_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/engine"
	"omniloader/internal/engine/enginetest"
	"omniloader/steps"
)

// disk is where the features of a test have their files.
type disk map[string]string

func (d disk) source(*engine.Scenario) steps.Source {
	return steps.Source{
		Tags: []string{},
		ReadFixture: func(name string) ([]byte, error) {
			text, ok := d[name]
			if !ok {
				return nil, fs.ErrNotExist
			}
			return []byte(text), nil
		},
		WriteFixture: func(name string, content []byte) error {
			d[name] = string(content)
			return nil
		},
	}
}

func (d disk) run(t *testing.T, setup *steps.Setup, features ...string) (status int, out string) {
	t.Helper()
	var all []enginetest.Feature
	for _, text := range features {
		all = append(all, enginetest.Feature{URI: "dir/a.feature", Text: text})
	}
	status, _, out = runIn(t, setup, all, 1, d.source)
	return status, out
}

func TestTheAnswerIsComparedWithAFile(t *testing.T) {
	d := disk{"a.json": `{"category": "transformers", "model_type": "llama", "architectures": ["A", "B"], "quantization": {"bits": 4.0, "method": "gptq"},
		"special_tokens": {"eos_token": "</s>"}, "findings": [{"severity": "warning", "code": "odd-config", "file": "config.json"}]}`}
	status, out := d.run(t, &steps.Setup{Loader: fake(llama)}, feature(`the answer is as in "a.json"`))
	require.Zero(t, status, out)

	d["a.json"] = strings.NewReplacer("llama", "<gpt>", `"A", `, "", "4.0", "8").Replace(d["a.json"])
	status, out = d.run(t, &steps.Setup{Loader: fake(llama)}, feature(`the answer is as in "a.json"`))
	assert.Equal(t, 1, status)
	assert.Contains(t, out, `the answer differs from "a.json" in 3 places; if that is meant, write it with "omniloader run --update":
  architectures[0]: expected nothing, got "A"
  model_type: expected "<gpt>", got "llama"
  quantization.bits: expected 8, got 4`)

	status, out = d.run(t, &steps.Setup{Loader: fake(llama)}, feature(`the answer is as in "a.json", apart from "model type, architectures, quantization bits"`))
	assert.Zero(t, status, out)
}

func TestManyDifferencesAreNotAllListed(t *testing.T) {
	wide := map[string]any{}
	for _, a := range "abcdefghij" {
		for _, b := range "abcdefghij" {
			wide[string(a)+string(b)] = 1
		}
	}
	_, out := disk{"a.json": "{}"}.run(t, &steps.Setup{Loader: fake(func() (any, error) { return wide, nil })}, feature(`the answer is as in "a.json"`))
	assert.Contains(t, out, "in 100 places")
	assert.Contains(t, out, "\n  and 70 more")
	assert.Less(t, strings.Count(out, "\n"), 40)
}

func TestAnAnswerFileIsWrittenWhereTheAnswerIsAnotherOne(t *testing.T) {
	d := disk{}
	setup := &steps.Setup{Loader: fake(llama), UpdateAnswers: true}
	status, out := d.run(t, setup, feature(`the answer is as in "sub/a.json", apart from "model type"`))
	require.Zero(t, status, out)
	assert.Equal(t, []string{"dir/sub/a.json"}, setup.UpdatedAnswers())
	assert.Contains(t, d["sub/a.json"], "{\n  \"architectures\": [\n    \"A\",")
	assert.Contains(t, d["sub/a.json"], `"eos_token": "</s>"`)
	assert.NotContains(t, d["sub/a.json"], "llama")

	status, out = d.run(t, &steps.Setup{Loader: fake(llama)}, feature(`the answer is as in "sub/a.json", apart from "model type"`))
	assert.Zero(t, status, out)

	written := strings.ReplaceAll(d["sub/a.json"], "  ", " ") // the same answer in other words
	d["sub/a.json"] = written
	setup = &steps.Setup{Loader: fake(llama), UpdateAnswers: true}
	status, out = d.run(t, setup, feature(`the answer is as in "sub/a.json", apart from "model type"`))
	require.Zero(t, status, out)
	assert.Empty(t, setup.UpdatedAnswers())
	assert.Equal(t, written, d["sub/a.json"])
}

func TestAnAnswerFileThatCannotBeUsedIsNoFailureOfTheLoader(t *testing.T) {
	for then, want := range map[string]string{
		`the answer is as in "none.json"`:                    `there is no file "none.json" beside the feature`,
		`the answer is as in "../a.json"`:                    `without ".."`,
		`the answer is as in "/a.json"`:                      `is not a file in the directory`,
		`the answer is as in "a.feature"`:                    "must end in .json",
		`the answer is as in "cut.json"`:                     "is not JSON",
		`the answer is as in "a.json", apart from "catgory"`: `did you mean "category"?`,
	} {
		d := disk{"cut.json": "{", "a.json": "{}"}
		status, out := d.run(t, &steps.Setup{Loader: fake(llama)}, feature(then))
		assert.Equal(t, 1, status, then)
		assert.Contains(t, out, want, then)
	}
	d := disk{"cut.json": "{"}
	status, out := d.run(t, &steps.Setup{Loader: fake(llama), UpdateAnswers: true}, feature(`the answer is as in "cut.json"`))
	assert.Equal(t, 1, status, out)
	assert.Equal(t, "{", d["cut.json"], "a file that is not an answer is not overwritten")
}

func TestTwoAnswersInOneFileAreRefused(t *testing.T) {
	calls := 0
	setup := &steps.Setup{UpdateAnswers: true, Loader: fake(func() (any, error) {
		calls++
		return map[string]any{"n": calls}, nil
	})}
	text := feature(`the answer is as in "a.json"`)
	status, out := disk{}.run(t, setup, text, text)
	assert.Equal(t, 1, status)
	assert.Contains(t, out, `another scenario of this run has another answer for "a.json"`)
}

func TestAFeatureThatIsNotOnTheDiskWritesNoAnswer(t *testing.T) {
	d := disk{"a.json": "{}"}
	status, _, out := runIn(t, &steps.Setup{Loader: fake(llama), UpdateAnswers: true}, []enginetest.Feature{{Text: feature(`the answer is as in "a.json"`)}}, 1,
		func(s *engine.Scenario) steps.Source {
			source := d.source(s)
			source.WriteFixture = nil
			return source
		})
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "the feature is not a file on the disk")
}
