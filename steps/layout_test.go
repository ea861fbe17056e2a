package steps_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/builtin"
	"omniloader/steps"
)

// and joins Given steps that follow another.
func and(lines ...string) string { return strings.Join(lines, "\n    And ") }

const gpt2 = `the checkpoint "gpt2"`

// Given steps are carried out in memory before the run, so that what they need and is not
// there is the author's mistake, at their line.
func TestGivenStepsAreLaidOutBeforeTheRun(t *testing.T) {
	context := steps.ArgumentContext{Vocabulary: steps.NewVocabulary(builtin.New(""))}
	for _, c := range []struct {
		given string
		step  int
		rule  steps.ArgumentRule
		want  string // in the error or its hint
	}{
		{and(gpt2, `without "nofile"`), 1, steps.UnusableValue, `the checkpoint has no such file`},
		{and(gpt2, `without "vocab.jsn"`), 1, steps.UnusableValue, `did you mean "vocab.json"?`},
		{and(gpt2, `"nofile" is cut to 10 bytes`), 1, steps.UnusableValue, `the checkpoint has: README.md`},
		{and(gpt2, `"config.json" is cut to 10 GB`), 1, steps.UnusableValue, "write a smaller size"},
		{and(gpt2, `the config has no "nokey"`), 1, steps.UnusableValue, `it has no key "nokey"`},
		{and(gpt2, `without "vocab.json"`, `"vocab.json" is all zeros`), 2, steps.UnusableValue, "no such file"},
		{and(gpt2, `the checkpoint "bert-base-uncased"`), 1, steps.UnusableValue, "has its checkpoint already"},
		{and(gpt2, `a real temporary directory`), 1, steps.UnusableValue, "must come first"},
		{and(gpt2, `"vocab.json" is a link to "x"`), 1, steps.UnusableValue, ""},
		{and(gpt2, "the generated files:\n      \"\"\"\n      binary a 5MB\n      safetensor b\n      \"\"\""), 1, steps.UnusableValue, `line 2: no directive "safetensor"`},
		{and(gpt2, `the directories ""`), 1, steps.UnusableValue, "a name is empty"},
		{and(gpt2, `the directories "a, ,b"`), 1, steps.UnusableValue, "a name is empty"},
		{and(gpt2, `"../x" is empty`), 1, steps.UnusableValue, "not a slash path within the checkpoint"},
		{"a checkpoint with the tree:\n      \"\"\"\n      config.json\n      \"\"\"", 0, steps.UnusableValue, "the archive has no files"},
		{"a checkpoint with the files:\n      | file | contents |\n      | a | b |", 0, steps.BadTable, `did you mean "content"?`},
		{"a checkpoint with the files:\n      | name | content |\n      | a | b |", 0, steps.BadTable, `no column "name"`},
		{"a checkpoint with the files:\n      | content |\n      | b |", 0, steps.BadTable, `no column "file"`},
		{and(gpt2, "these classes are registered:\n      | clas | category |\n      | A | transformers |"), 1, steps.BadTable, `did you mean "class"?`},
		{and(gpt2, "these classes are registered:\n      | class |\n      | A |"), 1, steps.BadTable, `no column "category"`},
		{and(gpt2, "these classes are registered:\n      | class | category |\n      | A | transformerz |"), 1, steps.BadTable, `unknown category "transformerz"`},
		{and(gpt2, `"nodir" is a tokenizer fallback`), 1, steps.UnusableValue, `there is no directory "nodir"`},
		{and(gpt2, `in "library/gpt2", the checkpoint "gpt2"`, `"libary" is a model root`), 2, steps.UnusableValue, `did you mean "library"?`},
	} {
		found := problems(t, context, c.given, inspected, `the category is "x"`)
		if !assert.Len(t, found, 1, c.given) {
			continue
		}
		assert.Equal(t, c.step, found[0].Step, c.given)
		assert.Equal(t, c.rule, found[0].Rule, c.given)
		assert.Contains(t, found[0].Err.Error()+"\n"+hintOf(found[0].Err), c.want, c.given)
		assert.NotContains(t, found[0].Err.Error(), fs.ErrNotExist.Error(), c.given)
		assert.NotContains(t, found[0].Err.Error(), "fixtures:", c.given)
	}
}

func TestTheLineOfAGeneratedFileIsKnown(t *testing.T) {
	found := problems(t, steps.ArgumentContext{}, and(gpt2, "the generated files:\n      \"\"\"\n      binary a 5MB\n      safetensor b\n      \"\"\""), inspected, `the category is "x"`)
	require.Len(t, found, 1)
	assert.Equal(t, 2, found[0].Below)
}

func TestSoundGivenStepsAreNoProblem(t *testing.T) {
	context := steps.ArgumentContext{
		Vocabulary: steps.NewVocabulary(builtin.New("")),
		Source:     steps.Source{Folder: folderWith(t, map[string]string{"tiny/config.json": tinyConfig})},
	}
	for _, given := range []string{
		and(`the checkpoint at "tiny"`, `"a.json" is empty`, `without "config.json"`),
		and(`a real temporary directory`, gpt2, `"x.json" is a link to "vocab.json"`, `"x.json" is empty`),
		and(`the real checkpoint`, `without "nofile"`), // known when it runs
		and(`a checkpoint with a config of 1 MB`, `"config.json" is cut to 5 kB`),
		and(`no checkpoint directory`, `in "library/gpt2", the checkpoint "gpt2"`, `"nodir" is a tokenizer fallback`, `"library/gpt2" is a tokenizer fallback`),
	} {
		assert.Empty(t, problems(t, context, given, inspected, `the category is "x"`), given)
	}
	for then, given := range map[string]string{
		`reading fails with "malformed"`:          and(gpt2, "these classes are registered:\n      | class | category |\n      | A | transformerz |"),
		`the failure names "nodir"`:               and(gpt2, `"nodir" is a tokenizer fallback`),
		`no error is reported for "vocab.json"`:   and(gpt2, `without "vocab.json"`),
		`no error is reported for "config.json"`:  gpt2,
		`no finding is reported for "nofile"`:     `the checkpoint at "tiny"`,
		`the config key "n_ctx" is not "1024"`:    `the checkpoint at "tiny"`,
		`the config key "n_ctx" is not "many"`:    gpt2,
		`the config key "n_ctx" is not 5`:         gpt2,
		`the config key "model_type" is not "x"`:  gpt2,
		`the key "a.b" of "none.json" is present`: gpt2,
	} {
		assert.Empty(t, problems(t, context, given, inspected, then), then)
	}
	missing := `no error is reported for "model-00003-of-00004.safetensors"`
	assert.Empty(t, problems(t, context, `the checkpoint "broken-missing-shard"`, inspected, missing), "the index names it")
	entries, err := os.ReadDir(context.Source.Folder + "/tiny")
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing was changed")
}

func TestConditionsThatCannotFailAreRefused(t *testing.T) {
	context := steps.ArgumentContext{Vocabulary: steps.NewVocabulary(builtin.New(""))}
	for then, want := range map[string]struct {
		rule steps.ArgumentRule
		text string
	}{
		`the architecture matches ""`:                           {steps.ChecksNothing, `write "the architecture is present"`},
		`the architecture matches ".*"`:                         {steps.ChecksNothing, "checks nothing"},
		`the architecture matches "^.*$"`:                       {steps.ChecksNothing, "checks nothing"},
		`the architectures do not match "x?"`:                   {steps.ChecksNothing, "checks nothing"},
		`the architecture contains ""`:                          {steps.ChecksNothing, "checks nothing"},
		`the architectures do not contain ""`:                   {steps.ChecksNothing, "checks nothing"},
		`detection used ""`:                                     {steps.ChecksNothing, "checks nothing"},
		`the failure names ""`:                                  {steps.ChecksNothing, "checks nothing"},
		`the hint mentions ""`:                                  {steps.ChecksNothing, "checks nothing"},
		`the inspection says the same`:                          {steps.ChecksNothing, "compared with itself"},
		`the config key "" is absent`:                           {steps.BadText, "the name of the key is empty"},
		`the key "a" of "../a.json" is absent`:                  {steps.BadText, "is no file of the checkpoint"},
		`the config key "n_ctx" is {"a"}`:                       {steps.BadText, "is not JSON"},
		`the config key "n_ctx" is not "1024"`:                  {steps.BadText, "write 'is not 1024'"},
		`no error is reported for "model.safetensorz"`:          {steps.MissingFile, `did you mean "model.safetensors"?`},
		`no "shard-missing" is reported for "x.gguf"`:           {steps.MissingFile, `no file "x.gguf"`},
		`the latency grows with an exponent below 1.3`:          {steps.NoLimit, "there is one size"},
		`the throughput is at least 2 times that of one caller`: {steps.NoLimit, "by 8 callers at once"},
	} {
		found := problems(t, context, gpt2, inspected, then)
		if assert.Len(t, found, 1, then) {
			assert.Equal(t, want.rule, found[0].Rule, then)
			assert.Contains(t, found[0].Err.Error()+"\n"+hintOf(found[0].Err), want.text, then)
		}
	}
	for _, then := range []string{`the architecture matches "^.+$"`, `the architecture matches "^[A-Z]*$"`, `the model info says the same`} {
		assert.Empty(t, problems(t, context, gpt2, inspected, then), then)
	}
	context.Callers = 8
	assert.Empty(t, problems(t, context, gpt2, inspected, `the throughput is at least 2 times that of one caller`))
}

func TestMistakesInAWhenStepAreKnownBeforeTheRun(t *testing.T) {
	context := steps.ArgumentContext{Vocabulary: steps.NewVocabulary(builtin.New(""))}
	for when, want := range map[string]string{
		`100000000 copies of "hello world " are encoded`:                   "copies are more than",
		`the ids "31373, x" are decoded`:                                   `"x" is not an id`,
		`the ids "" are decoded without special tokens`:                    `"" is not an id`,
		`the model info is read by 0 callers at once`:                      "write from 2 to",
		`the model info is read by 1 callers at once`:                      "write from 2 to",
		`the model info is read by 99999999 callers at once`:               "write from 2 to",
		`the model info is red by 8 callers at once`:                       `did you mean "the model info is read"?`,
		`nobody knows this by 8 callers at once`:                           `there is no When step "nobody knows this"`,
		`this text is encoded: by 8 callers at once`:                       "cannot be given a text block",
		`the ids "x" are decoded by 8 callers at once`:                     `"x" is not an id`,
		`the model info is read by 2 callers at once by 8 callers at once`: "there is no When step",
		`99999999999999999999 copies of "hello world " are encoded`:        "", // told by others
		`the texts "a" and "b" are encoded as a pair by 2 callers at once`: "",
		`the tokenizer is compared with the model`:                         "",
	} {
		found := problems(t, context, gpt2, when, `the failure names "x"`)
		if want == "" {
			assert.Empty(t, found, when)
		} else if assert.Len(t, found, 1, when) {
			assert.Contains(t, found[0].Err.Error(), want, when)
		}
	}
}

func TestFindingsNeedAnOperationThatReportsThem(t *testing.T) {
	context := steps.ArgumentContext{Vocabulary: steps.NewVocabulary(builtin.New(""))}
	for _, then := range []string{
		`no error is reported`, `a note "pad-token-from-eos" is reported`, `the notes "pad-token-from-eos" are reported`, `2 warnings are reported`,
		`no "shard-missing" is reported`, `a note "pad-token-from-eos" is reported for "config.json"`, "exactly these findings are reported:\n      | code |\n      | shard-missing |",
	} {
		found := problems(t, context, gpt2, "the tokenizer is read", then)
		if assert.Len(t, found, 1, then) {
			assert.Contains(t, found[0].Err.Error(), `write "When the checkpoint is inspected"`, then)
		}
	}
}

// The same Given steps are laid out once; what stands below them counts.
func TestLayoutsAreRememberedByTheirText(t *testing.T) {
	reads := 0
	context := steps.ArgumentContext{
		Layouts: new(steps.Layouts),
		Source: steps.Source{ReadFixture: func(string) ([]byte, error) {
			reads++
			return nil, errors.New("broken disk")
		}},
	}
	file := func(size string) string {
		return and("a checkpoint with the files:\n      | file | size |\n      | a | "+size+" |", `"a" is cut to 5 bytes`)
	}
	for range 2 {
		assert.Len(t, problems(t, context, file("3"), inspected, `the category is "x"`), 1)
		assert.Empty(t, problems(t, context, file("9"), inspected, `the category is "x"`))
	}
	assert.Zero(t, reads)
}

func TestCountsAreWrittenInTheSingularAndThePlural(t *testing.T) {
	context := steps.ArgumentContext{Vocabulary: steps.NewVocabulary(builtin.New(""))}
	for then, want := range map[string]string{
		`there is at least 1 shard`: "", `there is 1 shard`: "", `there is exactly 1 shard`: "", `there are at least 1 shards`: "", `there is a shard`: "",
		`there is no custom file`: "", `there are at least 2 shard`: `there is 1 shard, expected at least 2`, `there is no shard`: "the shards are not absent",
		`there is at least 1 finding`: "", `there is no finding`: "the findings are not absent", `the memory is under 16 GB`: "", `the memory is over 16 GB`: "expected over 16 GB",
	} {
		assert.Empty(t, problems(t, context, gpt2, inspected, then), then)
		status, out := runFrom(t, &steps.Setup{Loader: builtin.New("")}, steps.Source{}, "Given "+gpt2, "When "+inspected, "Then "+then)
		if want == "" {
			assert.Zero(t, status, out)
			continue
		}
		assert.Contains(t, out, want, then)
	}
}

func TestFiguresThatAreMeasuredAreNoFields(t *testing.T) {
	context := steps.ArgumentContext{Vocabulary: steps.NewVocabulary(builtin.New(""))}
	for then, want := range map[string]string{
		`the p95 latency is at most 1 ms`:          `did you mean "the p95 latency is below 2 ms"?`,
		`the cold latency is at most 1 ms`:         `did you mean "the cold latency is below 20 ms"?`,
		`the peak resident memory is at most 1 GB`: `did you mean "the peak resident memory is below 64 MB"?`,
		`the throughput is more than 100`:          `did you mean "the throughput is at least 1000 operations per second"?`,
		`there are no more than 2 shards`:          `did you mean "there are at most 2 shards"?`,
		`the architectures dont contain "x"`:       `because "dont" is read as a part of the name`,
		`the architectures lack the word are "x"`:  `because "lack" is read as a part of the name`,
		`the architecture isnt present is "x"`:     `because "isnt" is read as a part of the name`,
	} {
		found := problems(t, context, gpt2, inspected, then)
		if assert.Len(t, found, 1, then) {
			assert.Contains(t, found[0].Err.Error(), want, then)
		}
	}
}
