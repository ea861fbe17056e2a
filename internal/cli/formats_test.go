package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/suite"
)

// messagesSuccess gives what the last message of a file of Cucumber Messages says of the run.
func messagesSuccess(t *testing.T, file string) bool {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var last struct{ TestRunFinished struct{ Success *bool } }
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &last))
	require.NotNil(t, last.TestRunFinished.Success)
	return *last.TestRunFinished.Success
}

func TestMessagesSaySuccessOnlyWhereTheExitCodeIs0(t *testing.T) {
	good, dir := write(t, "a.feature", passingFeature), t.TempDir()
	base, messages := filepath.Join(dir, "base.json"), filepath.Join(dir, "m.ndjson")
	require.Equal(t, 0, call(t, "run", good, "--output", base, "--format", "messages:"+messages).code)
	assert.True(t, messagesSuccess(t, messages))

	faster, other := filepath.Join(dir, "faster.json"), filepath.Join(dir, "other.json")
	scaleMeans(t, base, faster, 1e-9)
	require.NoError(t, os.WriteFile(other, []byte(`{"results": [{"name": "another", "mean_time": 1}]}`), 0o644))
	cpu := filepath.Join(dir, "cpu.json")
	require.NoError(t, os.Rename(base, cpu))
	editResults(t, cpu, func(f *bench.File) { f.Environment["cpu"] = "another" })
	for _, c := range []struct {
		baseline, failOn string
		code             int
	}{
		{faster, "red", 1}, {faster, "none", 0}, {other, "red", 2}, {cpu, "red,unjudged", 2}, {cpu, "red", 0},
	} {
		for range 2 { // the second run replaces what the first one said
			a := call(t, "run", good, "--baseline", c.baseline, "--fail-on", c.failOn, "--format", "messages:"+messages)
			require.Equal(t, c.code, a.code, a.err)
			assert.Equal(t, c.code == 0, messagesSuccess(t, messages), c)
		}
	}
	a := call(t, "run", good, "--baseline", faster, "--format", "messages")
	require.Equal(t, 1, a.code)
	assert.Contains(t, a.out, `"success":false`, "on standard output too")

	blocked := filepath.Join(dir, "r.xml")
	a = callProgram(t, program{listener: func(e outcome.Event) {
		if e.Ended != nil {
			_ = os.Mkdir(blocked, 0o755)
		}
	}}, "", "run", good, "--format", "messages:"+messages, "--format", "junit:"+blocked)
	require.Equal(t, 2, a.code)
	assert.Equal(t, 1, strings.Count(a.err, "is a directory"), a.err)
	assert.False(t, messagesSuccess(t, messages), "a report that was asked for is missing")
}

func TestABenchmarkTextHasALineForEachProcess(t *testing.T) {
	feature := write(t, "a.feature", passingFeature)
	dir := t.TempDir()
	a := callSampling(t, "run", feature, "--save-baseline", dir+"/base.json", "--format", "benchfmt:"+dir+"/bench.txt")
	require.Equal(t, 0, a.code, a.err)
	text, err := os.ReadFile(dir + "/bench.txt")
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(string(text), "\nBenchmarkMemory/scenario=measured_one-"), "%s", text)
	assert.Contains(t, string(text), "\ntiming: floor-of-each-process\n")

	a = call(t, "run", feature, "--format", "benchfmt")
	require.Equal(t, 0, a.code, a.err)
	assert.Equal(t, 1, strings.Count(a.out, "\nBenchmarkMemory/scenario=measured_one-"), a.out)
	assert.Contains(t, a.out, "\ntiming: mean-of-single-calls\n")
}

func TestAFormatOfFiguresNeedsABenchmark(t *testing.T) {
	a := call(t, "run", write(t, "a.feature", passingFeature), "--tags", "not @memory", "--format", "benchfmt")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "nothing selected is measured")
	assert.Contains(t, a.err, "@benchmark")
	assert.Empty(t, a.out)
}

func TestFeatureFilesAreNotOverwritten(t *testing.T) {
	good := write(t, "a.feature", passingFeature)
	results := filepath.Join(t.TempDir(), "r.json")
	require.Equal(t, 0, call(t, "run", good, "--output", results).code)
	for _, flags := range [][]string{{"--format", "html:" + good}, {"--output", good}, {"--save-baseline", good}, {"--baseline", results, "--comparison", "markdown:" + good}} {
		a := call(t, append([]string{"run", "--category", "sae"}, flags...)...)
		assert.Equal(t, 2, a.code, flags)
		assert.Contains(t, a.err, good+" is a feature file, and is not overwritten\n  hint: name another file")
	}
	content, err := os.ReadFile(good)
	require.NoError(t, err)
	assert.Equal(t, passingFeature, string(content))
}

// everything is a feature with a background, an outline, a benchmark, a failure and a
// scenario that is skipped.
const fullFeature = `Feature: Everything
  Background:
    Given a checkpoint with the config:
      """json
      {"architectures": ["LlamaForCausalLM"]}
      """

  Rule: a rule
    @benchmark:of_<name>
    Scenario Outline: <name>
      When the model info is read
      Then the architecture is "<class>"
      And the mean latency is below 10 s
      Examples:
        | name  | class            |
        | llama | LlamaForCausalLM |
        | gemma | GemmaForCausalLM |

  @real
  Scenario: real
    Given the real checkpoint
    When the model info is read
    Then the model is supported
`

func TestMessagesReferOnlyToIDsThatAreDefined(t *testing.T) {
	a := call(t, "run", write(t, "a.feature", fullFeature), "--format", "messages")
	require.Equal(t, 1, a.code, a.err)
	defined, kinds := map[string]bool{}, map[string]int{}
	var statuses []string
	for line := range strings.Lines(a.out) {
		var message map[string]map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &message), line)
		for kind, content := range message {
			kinds[kind]++
			for _, id := range idsOf(content, "", true) {
				assert.False(t, defined[id], "%s is defined twice", id)
				defined[id] = true
			}
			for _, id := range idsOf(content, "", false) {
				assert.True(t, defined[id], "%s in %s", id, line)
			}
			if result, ok := content["testStepResult"].(map[string]any); ok {
				statuses = append(statuses, result["status"].(string))
			}
		}
	}
	want := map[string]int{"meta": 1, "source": 1, "gherkinDocument": 1, "pickle": 3, "stepDefinition": 6, "testRunStarted": 1, "testCase": 3,
		"testCaseStarted": 3, "testStepStarted": 12, "testStepFinished": 12, "attachment": 5, "testCaseFinished": 3, "testRunFinished": 1}
	if suite.RaceDetector {
		want["attachment"] += 2 // that the bounds are not judged
	}
	assert.Equal(t, want, kinds)
	assert.Equal(t, strings.Fields("PASSED PASSED PASSED PASSED PASSED PASSED FAILED PASSED SKIPPED SKIPPED SKIPPED SKIPPED"), statuses)
	assert.Equal(t, 12, strings.Count(a.out, `"stepDefinitionIds"`), "steps that were skipped have definitions too")
	assert.Contains(t, a.out, `{"name":"@benchmark:of_gemma",`)
}

// idsOf gives the ids that a message defines, or those that it refers to.
func idsOf(value any, key string, defined bool) (ids []string) {
	switch v := value.(type) {
	case map[string]any:
		for k, child := range v {
			ids = append(ids, idsOf(child, k, defined)...)
		}
	case []any:
		for _, child := range v {
			ids = append(ids, idsOf(child, key, defined)...)
		}
	case string:
		if defined && key == "id" || !defined && (strings.HasSuffix(key, "Id") || strings.HasSuffix(key, "Ids")) {
			ids = []string{v}
		}
	}
	return ids
}
