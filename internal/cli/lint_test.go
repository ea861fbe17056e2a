package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/lint"
)

const lintedFeature = `@a @a
Feature: f
  Given that models are big, they are cut.

  Scenario: a
    given the checkpoint "gpt2"
    When the model info is read
    Then the architecture is "GPT2LMHeadModel"
      | Nope |
`

func TestLintSaysWhatIsNotRead(t *testing.T) {
	file := write(t, "x.feature", lintedFeature)
	a := call(t, "lint", file)
	assert.Equal(t, 2, a.code)
	for _, want := range []string{
		"x.feature:1:4: error: the tag @a is here twice [repeated-tag]\n  hint: ",
		"x.feature:3:3: warning: this line begins with the keyword \"Given\"",
		"x.feature:6:5: error: this step is read as a description",
		"x.feature:9:7: error: the step takes no table, and one stands below it [unused-argument]\n",
	} {
		assert.Contains(t, a.out, want)
	}
	assert.Equal(t, "omniloader: 3 errors and 1 warning in 1 of 1 file\n  hint: --fix mends 2 of them\n", a.err)

	for _, format := range []string{"json", "github", "sarif"} {
		a := call(t, "lint", "--format", format, file)
		assert.Equal(t, 2, a.code)
		assert.Contains(t, a.out, "unused-argument")
	}
	var first struct {
		File, Code, Severity string
		Line, Column         int
	}
	line, _, _ := strings.Cut(call(t, "lint", "--format=json", file).out, "\n")
	require.NoError(t, json.Unmarshal([]byte(line), &first))
	assert.Equal(t, "repeated-tag", first.Code)
	assert.Equal(t, []int{1, 4}, []int{first.Line, first.Column})
}

func TestTheBuiltInFeaturesAreClean(t *testing.T) {
	for _, args := range [][]string{{"lint", "--strict"}, {"lint", "--strict", "../../features"}} {
		a := call(t, args...)
		assert.Equal(t, 0, a.code, a.out+a.err)
		assert.Regexp(t, `^[0-9]+ files, [0-9]+ scenarios: nothing found\n$`, a.out)
		assert.Empty(t, a.err)
	}
}

func TestWarningsAloneAreNoErrorsUnlessStrict(t *testing.T) {
	text := strings.Replace(strings.Replace(strings.Replace(lintedFeature, "@a @a\n", "", 1), "given", "Given", 1), "      | Nope |\n", "", 1)
	file := write(t, "x.feature", text)
	a := call(t, "lint", file)
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.out, "[keyword-in-description]")
	assert.Equal(t, "note: 1 warning in 1 of 1 file\n", a.err)
	assert.Equal(t, 2, call(t, "lint", "--strict", file).code)
	assert.Equal(t, 0, call(t, "run", "--dry-run", file).code, "a run does not tell warnings")
}

func TestLintFixMendsWhatHasOneMeaning(t *testing.T) {
	text := "\ufeff" + strings.ReplaceAll(lintedFeature, "\n", "\r\n")
	file := write(t, "x.feature", text)
	a := call(t, "lint", "--fix", "--dry-run", file)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "x.feature:1\n  - @a @a\n  + @a\n")
	assert.Contains(t, a.err, "x.feature:6\n  - given the checkpoint \"gpt2\"\n  + Given the checkpoint \"gpt2\"\n")
	unchanged, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, text, string(unchanged))

	a = call(t, "lint", "--fix", file)
	assert.Equal(t, 2, a.code, "the table is left")
	assert.Contains(t, a.err, "omniloader: 1 error and 1 warning in 1 of 1 file\n")
	fixed, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(strings.Replace(text, "@a @a", "@a", 1), "given", "Given", 1), string(fixed))
	assert.NotContains(t, call(t, "lint", "--fix", file).err, "  + ", "nothing is left to mend")
}

func TestLintReadsStandardInput(t *testing.T) {
	a := callWithInput(t, lintedFeature, "lint", "-")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.out, "stdin.feature:9:7: error: ")
	a = callWithInput(t, "# Feature: f\n## Scenario: a\n* then the model is supported\n", "lint", "-", "--stdin-name", "dir/my.feature.md")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.out, "dir/my.feature.md:3:3: error: ")
}

func TestLintSaysWhatIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	text := "Feature: f\n  Scenario: a\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the model is supported\n  @wip\n  Scenario: b\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.feature"), []byte(text), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "B.FEATURE"), []byte(text), 0o644))
	a := call(t, "lint", dir)
	assert.Equal(t, 0, a.code, a.err)
	assert.Equal(t, "1 file, 1 scenario: nothing found; left out: 1 @wip, 1 file named *.FEATURE\n", a.out)
	assert.Contains(t, call(t, "run", "--dry-run", dir).out, "left out: 1 @wip, 1 file named *.FEATURE\n")
}

func TestLintsThatCannotBeDone(t *testing.T) {
	file := write(t, "x.feature", passingFeature)
	expectNotJudged(t, []notJudged{
		{"an unknown format", []string{"lint", "--format", "jsn", file}, `unknown format "jsn"`, `did you mean "json"?`},
		{"a dry run of nothing", []string{"lint", "--dry-run", file}, "--dry-run needs --fix", ""},
		{"fixing standard input", []string{"lint", "--fix", "-"}, "--fix cannot change standard input", "name the file"},
		{"fixing the built-in features", []string{"lint", "--fix"}, "built-in", "name files"},
		{"standard input and a file", []string{"lint", "-", file}, "standard input", ""},
		{"a name without standard input", []string{"lint", "--stdin-name", "a.feature", file}, "--stdin-name needs standard input", "add the argument -"},
		{"a name that is no feature", []string{"lint", "--stdin-name", "a.txt", "-"}, "not a feature file", ".feature"},
		{"a file that is not there", []string{"lint", filepath.Join(filepath.Dir(file), "y.feature")}, "no such feature file", `x.feature"?`},
	})
}

// Every way to run scenarios refuses what is not read.
func TestWhatIsNotReadCannotBeJudged(t *testing.T) {
	file := write(t, "x.feature", "Feature: f\n  Scenario: a\n    then the architecture is \"X\"\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the model is supported\n")
	for _, args := range [][]string{{"run", file}, {"run", "--dry-run", file}, {"lint", file}} {
		a := call(t, args...)
		assert.Equal(t, 2, a.code, "%v", args)
		assert.Contains(t, a.out+a.err, "x.feature:3:5: ", "%v", args)
	}
}

// lintRulesTable is the table of the rules in the manual.
func lintRulesTable(*testing.T) string {
	var b strings.Builder
	b.WriteString("| code | severity | fix | what it means |\n|---|---|---|---|\n")
	for _, r := range lint.Rules() {
		fix := string(r.Fix)
		if r.Fix == lint.NoFix {
			fix = "–"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.Code, r.Severity, fix, inProse(r.Meaning))
	}
	return b.String()
}

func TestLintKnowsTheFieldsAndFindingsOfTheLoader(t *testing.T) {
	for then, want := range map[string]string{
		`the categry is "asr"`:                 "[unknown-field]",
		`a finding "shard-mising" is reported`: "[unknown-finding]",
	} {
		file := write(t, "a.feature", "Feature: f\n  Scenario: s\n    Given the checkpoint \"gpt2\"\n    When the checkpoint is inspected\n    Then "+then+"\n")
		a := call(t, "lint", file)
		assert.Equal(t, 2, a.code)
		assert.Contains(t, a.out, want)
	}
}

func TestLintKnowsTheCheckpointsThatARunMayUse(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"presets/our-model.txtar": "Our model\n\n-- config.json --\n{\"model_type\": \"gpt2\"}\n",
		"models/ours/config.json": "{}",
		"f/x.feature": "Feature: f\n  Scenario: a\n    Given the checkpoint \"our-model\"\n    When the model info is read\n    Then the model is supported\n" +
			"  Scenario: b\n    Given the checkpoint at \"../models/ours\"\n    When the model info is read\n    Then the model is supported\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666))
	}
	file, presets := filepath.Join(dir, "f/x.feature"), filepath.Join(dir, "presets")

	a := call(t, "lint", file)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.out, `x.feature:3:5: error: there is no preset "our-model" [unknown-preset]`)
	assert.Contains(t, a.out, `x.feature:7:5: error: the checkpoint at "../models/ours" is outside`)
	assert.Equal(t, 0, call(t, "lint", "--presets", presets, "--allow-outside", file).code)

	t.Setenv(envPresets, presets)
	t.Setenv(envOutside, "1")
	a = call(t, "lint", file)
	assert.Equal(t, 0, a.code, a.out+a.err)
	assert.Equal(t, 2, call(t, "lint", "--allow-outside=false", file).code, "a flag takes precedence over its variable")
	t.Setenv(envOutside, "yes")
	assert.Contains(t, call(t, "lint", file).err, `"yes" is neither 1 nor 0`)
	t.Setenv(envOutside, "")
	t.Setenv("OMNILOADER_PRESET", presets)
	assert.Contains(t, call(t, "lint", file).err, "OMNILOADER_PRESET: it is not read")
}
