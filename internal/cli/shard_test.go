package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"omniloader/internal/runfile"
)

// shardedFeature has 12 rows, of which the fourth fails, and a measured scenario with one
// that is relative to it.
var shardedFeature = func() string {
	var b strings.Builder
	b.WriteString("@detection\nFeature: Divided\n  Scenario Outline: <n> is recognised\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the architecture is \"<class>\"\n\n    Examples:\n      | n | class |\n")
	for i := range 12 {
		class := "GPT2LMHeadModel"
		if i == 3 {
			class = "Other"
		}
		fmt.Fprintf(&b, "      | %d | %s |\n", i, class)
	}
	for _, name := range []string{"first", "second"} {
		fmt.Fprintf(&b, "\n  Scenario: %s\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the median latency is below %s\n", name,
			map[string]string{"first": "10 s", "second": `1000000 times that of "first"`}[name])
	}
	return b.String()
}()

// runShards runs all shards of a feature file, and gives the paths of their run files.
func runShards(t *testing.T, total int, args ...string) []string {
	t.Helper()
	dir := t.TempDir()
	paths := make([]string, total)
	for i := range paths {
		paths[i] = filepath.Join(dir, fmt.Sprintf("shard-%d.json", i+1))
		a := call(t, append([]string{"run", "--shard", fmt.Sprintf("%d/%d", i+1, total), "--run-file", paths[i]}, args...)...)
		require.NotEqual(t, 2, a.code, a.err)
		require.Contains(t, a.err, fmt.Sprintf("note: shard %d/%d", i+1, total))
	}
	return paths
}

// timesAndFigures match what differs from run to run in the report for people.
var timesAndFigures = regexp.MustCompile(`[0-9.]+ ([µnm]?s)\b|(median|mean) < .*| +`)

func TestShardsMergedAreTheRun(t *testing.T) {
	feature := write(t, "a.feature", shardedFeature)
	dir := t.TempDir()
	whole := call(t, "run", feature, "--run-file", filepath.Join(dir, "whole.json"))
	require.Equal(t, 1, whole.code)
	shards := runShards(t, 4, feature)
	out, junit := filepath.Join(dir, "new", "merged.json"), filepath.Join(dir, "junit.xml")
	merged := call(t, append(append([]string{"merge"}, shards...), "--run-file", out, "--format", "pretty", "--format", "junit:"+junit)...)
	assert.Equal(t, 1, merged.code, merged.err)
	assert.Equal(t, timesAndFigures.ReplaceAllString(whole.out, " "), timesAndFigures.ReplaceAllString(merged.out, " "))
	assert.Contains(t, merged.out, "14 scenarios: 13 passed, 1 failed · 2 benchmarks")
	text, err := os.ReadFile(junit)
	require.NoError(t, err)
	assert.Contains(t, string(text), `tests="14" failures="1"`)

	file, err := runfile.ReadFile(out)
	require.NoError(t, err)
	assert.Len(t, file.Header.Shards, 4)
	assert.Len(t, file.Scenarios, 14)
	again := call(t, "merge", out)
	assert.Equal(t, 1, again.code)
	assert.Equal(t, merged.out, again.out, "a single file is reported again")
}

func TestShardsAreDividedByTheDurationsOfAnEarlierRun(t *testing.T) {
	feature := write(t, "a.feature", shardedFeature)
	earlier := filepath.Join(t.TempDir(), "earlier.json")
	call(t, "run", feature, "--run-file", earlier)
	file, err := runfile.ReadFile(earlier)
	require.NoError(t, err)
	for i := range file.Scenarios {
		file.Scenarios[i].Duration = 1
		if file.Scenarios[i].Name == "5 is recognised" {
			file.Scenarios[i].Duration = 1000
		}
	}
	require.NoError(t, file.Write(earlier))
	shards := runShards(t, 2, feature, "--shard-durations", earlier)
	first, err := runfile.ReadFile(shards[0])
	require.NoError(t, err)
	require.Len(t, first.Scenarios, 1)
	assert.Equal(t, "5 is recognised", first.Scenarios[0].Name)
	assert.NotEmpty(t, first.Header.Selection.Shard.DurationsHash)
	assert.Equal(t, 1, call(t, append([]string{"merge"}, shards...)...).code)

	other := runShards(t, 2, feature)
	mixed := call(t, "merge", shards[0], other[1])
	assert.Equal(t, 2, mixed.code)
	assert.Contains(t, mixed.err, other[1]+": not a shard of the same run as "+shards[0]+": the shards were divided by other durations")
}

func TestAnEmptyShardIsNoFailure(t *testing.T) {
	feature := write(t, "a.feature", passingFeature)
	dir := t.TempDir()
	path, results := filepath.Join(dir, "run.json"), filepath.Join(dir, "results.json")
	a := call(t, "run", feature, "--shard", "5/5", "--run-file", path, "--output", results, "--format", "junit:"+filepath.Join(dir, "junit.xml"), "--format", "benchfmt:"+filepath.Join(dir, "bench.txt"))
	assert.Zero(t, a.code, a.err)
	assert.Contains(t, a.err, "note: shard 5/5 is empty: there are 2 scenarios to divide")
	for _, name := range []string{"results.json", "junit.xml", "bench.txt"} {
		assert.FileExists(t, filepath.Join(dir, name))
	}
	text, err := os.ReadFile(results)
	require.NoError(t, err)
	assert.Contains(t, string(text), "--shard 5/5", "it does not have all benchmarks")
	file, err := runfile.ReadFile(path)
	require.NoError(t, err)
	assert.NotNil(t, file.End)
	assert.Equal(t, &runfile.Shard{Index: 5, Total: 5}, file.Header.Selection.Shard)
	shards := runShards(t, 5, feature)
	assert.Zero(t, call(t, append([]string{"merge"}, shards...)...).code)

	a = call(t, "run", "--shard", "1/2", "--output", results, write(t, "b.feature", "Feature: f\n  Scenario: plain"+llama+"    Then the architecture is \"LlamaForCausalLM\"\n"))
	assert.Equal(t, 2, a.code, "no shard has a benchmark")
	assert.Contains(t, a.err, "nothing selected is measured")
}

func TestMergeKeepsWhatIsThere(t *testing.T) {
	feature := write(t, "a.feature", passingFeature)
	shards := runShards(t, 2, feature)
	out := filepath.Join(t.TempDir(), "merged.json")
	a := call(t, "merge", shards[1], "--run-file", out)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "shard 1 of 2: no run file")
	assert.Contains(t, a.err, "hint: name the run file of each shard")
	assert.Contains(t, a.out, "1 scenario: 1 passed")
	file, err := runfile.ReadFile(out)
	require.NoError(t, err)
	assert.Len(t, file.Scenarios, 1)
	assert.Equal(t, 2, call(t, "merge", out).code, "it is still said that a shard is missing")

	text, err := os.ReadFile(shards[0])
	require.NoError(t, err)
	text = []byte(regexp.MustCompile(`(?m)^\{"record":"end".*\n`).ReplaceAllString(string(text), ""))
	require.NoError(t, os.WriteFile(shards[0], text, 0o644))
	a = call(t, "merge", shards[0], shards[1], "--run-file", out)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "shard 1/2, "+shards[0]+": the run did not come to its end: 1 of 1 scenarios had ended")
	assert.Contains(t, a.out, "2 scenarios: 2 passed")

	report := filepath.Join(t.TempDir(), "report.xml")
	require.NoError(t, os.WriteFile(report, []byte("of an earlier run"), 0o644))
	a = call(t, "merge", shards[0], shards[0], "--format", "junit:"+report)
	assert.Equal(t, 2, a.code)
	text, err = os.ReadFile(report)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "of an earlier run")
}

func TestMergesThatCannotBeJudgedExitWith2(t *testing.T) {
	feature := write(t, "a.feature", passingFeature)
	shards := runShards(t, 2, feature)
	foreign := runShards(t, 2, write(t, "b.feature", passingFeature))
	undivided := filepath.Join(t.TempDir(), "whole.json")
	require.Zero(t, call(t, "run", feature, "--run-file", undivided).code)
	results := filepath.Join(t.TempDir(), "results.json")
	require.Zero(t, call(t, "run", feature, "--output", results).code)
	expectNotJudged(t, []notJudged{
		{"no file", []string{"merge"}, "takes run files, found none", "--run-file FILE"},
		{"a file twice", []string{"merge", shards[0], shards[1], shards[0]}, "both have shard 1/2: one run, twice", "leave one of them out"},
		{"a shard of another run", []string{"merge", shards[0], shards[1], foreign[0]}, foreign[0] + ": not a shard of the same run as " + shards[0] + ": the paths: ", "run the shards again"},
		{"an undivided run", []string{"merge", shards[0], shards[1], undivided}, undivided + ": this run was not divided into shards", "leave it out"},
		{"no run file", []string{"merge", shards[0], results}, "the first line is not the header of a run file", "omniloader run"},
		{"a missing file", []string{"merge", shards[0], "none.json"}, "none.json: there is no such file", ""},
		{"the merged file over one of them", []string{"merge", shards[0], shards[1], "--run-file", shards[1]}, "this file is to be merged", "name another file"},
		{"a report over one of them", []string{"merge", shards[0], shards[1], "--format", "junit:" + shards[0]}, "this file is to be merged", "name another file"},
		{"two outputs of one name", []string{"merge", shards[0], shards[1], "--run-file", "x.json", "--format", "html:x.json"}, "both name x.json", ""},
		{"an unknown format", []string{"merge", shards[0], shards[1], "--format", "junitt"}, `unknown format "junitt"`, ""},
		{"over a feature", []string{"merge", shards[0], shards[1], "--run-file", feature}, "is a feature file", ""},
	})
}

func TestAMergeThatIsRefusedLeavesNoReportOfAnEarlierRun(t *testing.T) {
	shards := runShards(t, 2, write(t, "a.feature", passingFeature))
	report := filepath.Join(t.TempDir(), "m.ndjson")
	for _, args := range [][]string{{}, {shards[0], shards[0]}, {shards[0], "--run-file", shards[0]}, {shards[0], "--no-such-flag"}, {shards[0], "missing.json"}} {
		require.NoError(t, os.WriteFile(report, []byte("of an earlier run"), 0o644))
		require.Equal(t, 2, call(t, append([]string{"merge", "--format", "messages:" + report}, args...)...).code, args)
		text, err := os.ReadFile(report)
		require.NoError(t, err)
		assert.Contains(t, string(text), `"success":false`, args)
	}
	require.Equal(t, 2, call(t, "merge", shards[0], "--format", "messages:"+report).code, "one is missing")
	text, err := os.ReadFile(report)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"success":false`)
	require.Equal(t, 0, call(t, "merge", shards[0], shards[1], "--format", "messages:"+report).code)
	text, err = os.ReadFile(report)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"success":true`)
}

func TestShardFlagsThatCannotBeJudgedExitWith2(t *testing.T) {
	feature := write(t, "a.feature", passingFeature)
	expect := func(name string, message, hint string, args ...string) notJudged {
		return notJudged{name, append([]string{"run", feature}, args...), message, hint}
	}
	expectNotJudged(t, []notJudged{
		expect("part 0", "--shard 0/4: there is no part 0 of 4", "parts count from 1: 1/4 to 4/4", "--shard", "0/4"),
		expect("a part too far", "--shard 5/4: there is no part 5 of 4", "1/4 to 4/4", "--shard", "5/4"),
		expect("of nothing", "--shard 1/0: the number of parts is from 1 to 10000", "", "--shard", "1/0"),
		expect("of far too many", "the number of parts is from 1 to 10000", "", "--shard", "1/99999999999999999999"),
		expect("one number", "--shard 3: not a part such as 3/8", "--shard 3/8", "--shard", "3"),
		expect("no number", "--shard a/b: not a part", "--shard 3/8", "--shard", "a/b"),
		expect("a sign", "--shard -1/4: not a part", "", "--shard=-1/4"),
		expect("nothing", "--shard : not a part", "", "--shard", ""),
		expect("durations alone", "--shard-durations: the run is not divided", "--shard 1/4", "--shard-durations", "x.json"),
		expect("durations of nothing", "--shard-durations: empty", "", "--shard", "1/2", "--shard-durations", ""),
		expect("missing durations", "--shard-durations: none.json: there is no such file", "in all shards alike", "--shard", "1/2", "--shard-durations", "none.json"),
		expect("durations that are no run file", "--shard-durations: "+feature+": line 1", "", "--shard", "1/2", "--shard-durations", feature),
		expect("durations that would be replaced", "both name x.json", "", "--shard", "1/2", "--shard-durations", "x.json", "--run-file", "x.json"),
		expect("a baseline", "--shard and --save-baseline", "without --shard", "--shard", "1/2", "--save-baseline", "x.json"),
		expect("no environment", "--shard env: neither CI_NODE_INDEX nor JOB_COMPLETION_INDEX is set", "completionMode: Indexed", "--shard", "env"),
	})
}

func TestTheShardOfTheEnvironment(t *testing.T) {
	for name, tt := range map[string]struct {
		flag        string
		environment map[string]string
		want        string // the shard, or the error
	}{
		"GitLab":                       {"env", map[string]string{envNodeIndex: "3", envNodeTotal: "8"}, "3/8"},
		"GitLab, with the number":      {"env/8", map[string]string{envNodeIndex: "8", envNodeTotal: "8"}, "8/8"},
		"only an index":                {"env/8", map[string]string{envNodeIndex: "1"}, "1/8"},
		"Kubernetes counts from 0":     {"env/8", map[string]string{envCompletionIndex: "0"}, "1/8"},
		"Kubernetes, the last":         {"env/8", map[string]string{envCompletionIndex: "7"}, "8/8"},
		"Kubernetes, one too far":      {"env/8", map[string]string{envCompletionIndex: "8"}, "--shard env/8: the environment says 9/8, and there is no part 9 of 8"},
		"Kubernetes, without a number": {"env", map[string]string{envCompletionIndex: "1"}, "JOB_COMPLETION_INDEX does not say how many parts there are"},
		"Kubernetes, no number":        {"env/8", map[string]string{envCompletionIndex: "x"}, `JOB_COMPLETION_INDEX: "x"`},
		"an index from 0":              {"env", map[string]string{envNodeIndex: "0", envNodeTotal: "8"}, "there is no part 0 of 8"},
		"no total":                     {"env", map[string]string{envNodeIndex: "1"}, "CI_NODE_TOTAL is not set"},
		"another total":                {"env/8", map[string]string{envNodeIndex: "1", envNodeTotal: "4"}, "CI_NODE_TOTAL is 4"},
		"both":                         {"env/8", map[string]string{envNodeIndex: "1", envCompletionIndex: "1"}, "both CI_NODE_INDEX and JOB_COMPLETION_INDEX are set"},
		"no total in the flag":         {"env/", map[string]string{envCompletionIndex: "1"}, "not a part such as 3/8"},
		"a word in the flag":           {"env/x", map[string]string{envCompletionIndex: "1"}, "not a part such as 3/8"},
		"not asked":                    {"2/3", map[string]string{envNodeIndex: "1", envNodeTotal: "8"}, "2/3"},
	} {
		t.Run(name, func(t *testing.T) {
			shard, err := parseShard(tt.flag, func(name string) string { return tt.environment[name] })
			if err != nil {
				assert.ErrorContains(t, err, tt.want)
				return
			}
			assert.Equal(t, tt.want, shard.String())
		})
	}
}

// The manifests on the page on sharding are YAML, and their numbers of shards agree.
func TestDocsManifestsOfShards(t *testing.T) {
	page := docsPageNamed(t, "docs/sharding.md")
	manifests, divided := 0, 0
	for _, b := range page.blocks {
		if b.language != "yaml" {
			continue
		}
		d := yaml.NewDecoder(strings.NewReader(b.text))
		for {
			var document map[string]any
			err := d.Decode(&document)
			if err == io.EOF {
				break
			}
			require.NoError(t, err, b.text)
			manifests++
			spec, _ := document["spec"].(map[string]any)
			if spec["completionMode"] != "Indexed" {
				continue
			}
			total := spec["completions"]
			assert.Equal(t, total, spec["parallelism"])
			text, err := yaml.Marshal(document)
			require.NoError(t, err)
			assert.Contains(t, string(text), fmt.Sprintf("--shard env/%v ", total))
			for index := range total.(int) {
				shard, err := parseShard(fmt.Sprintf("env/%v", total), func(name string) string {
					return map[string]string{"JOB_COMPLETION_INDEX": fmt.Sprint(index)}[name]
				})
				require.NoError(t, err)
				assert.Equal(t, runfile.Shard{Index: index + 1, Total: total.(int)}, shard)
			}
		}
		for _, m := range regexp.MustCompile(`--shard (.+?) --run-file`).FindAllStringSubmatch(b.text, -1) {
			divided++
			value := strings.ReplaceAll(m[1], "${{ matrix.shard }}", "8")
			shard, err := parseShard(value, func(name string) string {
				return map[string]string{envNodeIndex: "8", envNodeTotal: "8"}[name]
			})
			require.NoError(t, err, m[1])
			assert.Equal(t, runfile.Shard{Index: 8, Total: 8}, shard)
		}
	}
	assert.Equal(t, []int{5, 3}, []int{manifests, divided})
}
