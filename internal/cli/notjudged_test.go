package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// notJudged is a call of the program that ends in exit code 2.
type notJudged struct {
	name    string
	args    []string
	message string // part of what it writes to standard error
	hint    string // another part
}

// expectNotJudged makes the calls. None may write anything to standard output.
func expectNotJudged(t *testing.T, calls []notJudged) {
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) { assert.Empty(t, c.call(t).out) })
	}
}

// call makes the call, and checks all but its standard output.
func (c notJudged) call(t *testing.T) result {
	a := call(t, c.args...)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, c.message)
	assert.Contains(t, a.err, c.hint)
	return a
}

func TestFlagsThatCannotBeJudgedExitWith2(t *testing.T) {
	good := write(t, "good.feature", passingFeature)
	expectNotJudged(t, []notJudged{
		{"an unknown flag", []string{"run", "--itertions", "5"}, "unknown flag: --itertions", `did you mean "--iterations"?`},
		{"an unknown flag of the bare command", []string{"--tgas", "@sae"}, "unknown flag: --tgas", `did you mean "--tags"?`},
		{"an unknown flag near none", []string{"run", "--zzzzzzzzz"}, "unknown flag: --zzzzzzzzz", "run --help"},
		{"an unknown shorthand", []string{"run", "-z"}, "unknown shorthand flag: 'z'", ""},
		{"a flag without its value", []string{"run", "--tags"}, "flag needs an argument: --tags", ""},
		{"an unknown command", []string{"insepct", "x"}, `unknown command "insepct"`, `did you mean "inspect"?`},
		{"a feature without run", []string{good}, `unknown command "` + good, "omniloader run " + good},
		{"iterations of 0", []string{"run", good, "--iterations", "0"}, `"0" for "--iterations" flag: not a whole number from 1`, ""},
		{"iterations of abc", []string{"run", good, "--iterations", "abc"}, `"abc" for "--iterations" flag: not a whole number from 1`, ""},
		{"iterations of 1.5", []string{"run", good, "--iterations=1.5"}, `"1.5" for "--iterations" flag`, ""},
		{"iterations past every number", []string{"run", good, "--iterations=99999999999999999999"}, "--iterations", ""},
		{"a negative warm-up", []string{"run", good, "--warmup=-1"}, `"-1" for "--warmup" flag: not a whole number from 0`, ""},
		{"no jobs", []string{"run", good, "--jobs=0"}, `"0" for "--jobs" flag`, ""},
	})
}

func TestSelectionsThatCannotBeJudgedExitWith2(t *testing.T) {
	good := write(t, "good.feature", passingFeature)
	expectNotJudged(t, []notJudged{
		{"a mistyped tag", []string{"run", good, "--tags", "@detectoin"}, `unknown tag "@detectoin"`, `did you mean "@detection"?`},
		{"a mistyped tag behind not", []string{"run", good, "--tags", "not @memroy"}, `unknown tag "@memroy"`, `did you mean "@memory"?`},
		{"a broken tag expression", []string{"run", good, "--tags", "@memory and"}, "column 12: expected a tag", ""},
		{"godog's old tag syntax", []string{"run", good, "--tags", "~@memory"}, "is no tag", "and, or, not"},
		{"a mistyped category", []string{"run", "--category", "tokeniser"}, `unknown category "tokeniser"`, `did you mean "tokenizer"?`},
		{"nothing selected", []string{"run", good, "--tags", "@sae"}, "nothing selected", ""},
		{"nothing selected by two conditions", []string{"run", good, "--category", "memory", "--tags", "not @memory"}, "nothing selected", "joined with and"},
		{"all categories, and one", []string{"run", "--all", "--category", "sae"}, "--all takes every category", ""},
		{"only real scenarios, without a model", []string{"run", "--tags", "@real"}, "needs a real checkpoint", "--model DIR"},
	})
}

func TestFeaturesThatCannotBeJudgedExitWith2(t *testing.T) {
	good := write(t, "good.feature", passingFeature)
	folder := t.TempDir()
	file := func(text string) string { return write(t, "x.feature", text) }
	for _, c := range []notJudged{
		{"two benchmarks of one name", []string{"run", good, write(t, "copy.feature", passingFeature)}, `a second benchmark called "measured_one"; the first is at`, "@benchmark:NAME"},
		{"a mistyped step", []string{"run", file(strings.Replace(passingFeature, "When the model info is read", "When the model inf is read", 1))}, `x.feature:8:5: undefined step "When the model inf is read"`, `did you mean "When the model info is read"?`},
		{"a step under the wrong keyword", []string{"run", file(strings.Replace(passingFeature, "When the model info is read", "Then the model info is read", 1))}, "undefined step", "this is a When step"},
		{"a scenario without steps", []string{"run", file("Feature: f\n  Scenario: s\n")}, `x.feature:2:3: "s" has no steps`, "@wip"},
		{"a feature that does not parse", []string{"run", file("Feature: f\n  Scenario: s\n    Given a\n    nonsense\n")}, `x.feature:4:5: "nonsense" is not possible here`, ""},
		{"an empty feature file", []string{"run", file("")}, "no feature in this file", ""},
		{"a feature that is not there", []string{"run", filepath.Join(folder, "no.feature")}, "no such feature file or folder", ""},
		{"a folder without features", []string{"run", folder}, "no feature file in this folder", ""},
		{"a line without a scenario", []string{"run", good + ":4000"}, "there is no scenario at line 4000", "the nearest is"},
		{"a Given behind the When", []string{"run", file("Feature: f\n  Scenario: s" + llama + "    Given without \"config.json\"\n    Then the model is supported\n")}, "a Given step after the When step", ""},
		{"two Whens", []string{"run", "--dry-run", file("Feature: f\n  Scenario: s" + llama + "    When support is checked\n    Then the model is supported\n")}, "2 When steps", ""},
		{"no When", []string{"run", "--dry-run", file("Feature: f\n  Scenario: s\n    Given an empty checkpoint directory\n    Then the model is supported\n")}, "0 When steps", ""},
		{"no Then", []string{"run", "--dry-run", file("Feature: f\n  Scenario: s" + llama)}, "checks nothing", ""},
		{"a mistyped step in a dry run", []string{"run", "--dry-run", file("Feature: f\n  Scenario: s\n    Given nobody\n")}, "undefined step", ""},
	} {
		t.Run(c.name, func(t *testing.T) { c.call(t) }) // the other scenarios run, and are reported
	}
}

func TestFilesThatCannotBeJudgedExitWith2(t *testing.T) {
	good := write(t, "good.feature", passingFeature)
	folder := t.TempDir()
	expectNotJudged(t, []notJudged{
		{"a missing baseline", []string{"run", good, "--baseline", filepath.Join(folder, "no.json")}, "--baseline: " + filepath.Join(folder, "no.json") + ": there is no such file", "run --save-baseline " + filepath.Join(folder, "no.json")},
		{"a baseline without a name", []string{"run", good, "--baseline", ""}, "--baseline: empty", ""},
		{"a baseline that is no JSON", []string{"run", good, "--baseline", good}, "--baseline: ", ""},
		{"figures of nothing measured", []string{"run", good, "--tags", "not @memory", "--output", filepath.Join(folder, "r.json")}, "nothing selected is measured", "@benchmark"},
		{"an unknown format", []string{"run", good, "--format", "junti"}, `unknown format "junti"`, ""},
		{"a format without its file", []string{"run", good, "--format", "junit:"}, "no file", ""},
		{"two formats to standard output", []string{"run", good, "--format", "pretty", "--format", "junit"}, "both pretty and junit go to standard output", "--format junit:FILE"},
		{"two formats to one file", []string{"run", good, "--format", "pretty:" + folder + "/a", "--format", "junit:" + folder + "/./a"}, "both pretty and junit go to", ""},
		{"a format and the figures in one file", []string{"run", good, "--format", "junit:" + folder + "/a", "--output", folder + "/a"}, "--output and --format junit both name", ""},
		{"a format in a folder that is a file", []string{"run", good, "--format", "junit:" + good + "/no/a.xml"}, "--format junit: " + good + "/no/a.xml: " + good + " is no directory", "choose another place"},
		{"figures in a folder that is a file", []string{"run", good, "--output", good + "/r.json"}, "--output: " + good + "/r.json: " + good + " is no directory", "choose another place"},
		{"figures to a new folder", []string{"run", good, "--output", folder + "/new/"}, "--output: " + folder + "/new/: names a directory", "name a file in it"},
		{"a file that is to be a folder too", []string{"run", good, "--output", folder + "/a", "--format", "junit:" + folder + "/a/b.xml"}, "one of them would be a file and a folder", "name two files"},
		{"figures to a folder", []string{"run", good, "--output", folder}, "--output " + folder + ": a folder", ""},
		{"a model that is not there", []string{"run", good, "--model", folder + "/no"}, "--model: " + folder + "/no", "directory of a checkpoint"},
		{"a model that is a file", []string{"run", good, "--model", good}, "--model: " + good + ": not a directory", ""},
		{"a model without a name", []string{"run", good, "--model", ""}, "--model: empty", ""},
	})
}

func TestOtherCommandsThatCannotBeJudgedExitWith2(t *testing.T) {
	good := write(t, "good.feature", passingFeature)
	results := filepath.Join(t.TempDir(), "r.json")
	require.Equal(t, 0, call(t, "run", good, "--output", results).code)
	folder := t.TempDir()
	expectNotJudged(t, []notJudged{
		{"inspect without a path", []string{"inspect"}, "found none", "omniloader inspect PATH"},
		{"inspect of what is not there", []string{"inspect", folder + "/no"}, folder + "/no: no such file", "config.json"},
		{"inspect of a file", []string{"inspect", good}, good + ": not a directory", "name its directory: " + filepath.Dir(good)},
		{"compare with one file", []string{"compare", results}, "found 1", "compare OLD NEW"},
		{"compare with a missing file", []string{"compare", results, folder + "/no.json"}, folder + "/no.json", ""},
		{"compare with no JSON", []string{"compare", good, results}, good, ""},
		{"compare in an unknown format", []string{"compare", results, results, "--format", "txet"}, `unknown format "txet"`, ""},
		{"steps with words that none has", []string{"steps", "zzzzzz"}, "no step has zzzzzz", "without words"},
		{"version with an argument", []string{"version", "x"}, "takes no arguments", "version --help"},
	})
}

// What only running shows to be the author's mistake is reported as a failure and
// ends in exit code 2: nothing was learnt about the loader. What can be known before is
// refused then.
func TestMistakesInAScenarioCannotBeJudged(t *testing.T) {
	for text, want := range map[string][2]string{
		"Feature: f\n  Scenario: s\n    Given the checkpoint \"gpt2\"\n    When the checkpoint is inspected\n    Then the files are \"x\"\n": {`could not judge: the answer has no field "files", which may be more than one field: "tokenizer files", "weights files"`, ""},
		"Feature: f\n  Scenario: s" + llama + "    Then the categry is \"asr\"\n":                                                            {`x.feature:8:5: the answer of the model info has no field "categry"`, `did you mean "category"?`},
		"Feature: f\n  Scenario: s\n    Given the checkpoint \"gtp2\"\n    When the model info is read\n    Then the model is supported\n":   {`x.feature:3:5: there is no preset "gtp2"`, `did you mean "gpt2"?`},
		"Feature: f\n  Scenario: s" + llama + "    Then reading fails with \"not fond\"\n":                                                   {`x.feature:8:5: there is no kind of failure "not fond"`, `did you mean "not found"?`},
	} {
		a := call(t, "run", write(t, "x.feature", text))
		assert.Equal(t, exitNotJudged, a.code, a.out)
		assert.Contains(t, a.err, want[0])
		assert.Contains(t, a.err, want[1])
	}
}
