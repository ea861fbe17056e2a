package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/steps"
)

// brokenCheckpoint writes a checkpoint whose config is not JSON.
func brokenCheckpoint(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte("{not json"), 0o644))
	return dir
}

func inspectJSON(t *testing.T, args ...string) (result, []answer.Info) {
	t.Helper()
	a := call(t, append([]string{"inspect", "--json"}, args...)...)
	var infos []answer.Info
	for line := range strings.Lines(a.out) {
		var info answer.Info
		require.NoError(t, json.Unmarshal([]byte(line), &info), line)
		infos = append(infos, info)
	}
	return a, infos
}

func TestInspectSaysWhatACheckpointIs(t *testing.T) {
	dir := checkpoint(t)
	a := call(t, "inspect", dir)
	assert.Equal(t, 0, a.code, a.out+a.err)
	assert.True(t, strings.HasPrefix(a.out, dir+"\n"), a.out)
	for _, want := range []string{"category      transformers, causal_lm", "architecture  LlamaForCausalLM", "supported     yes", "tokenizer     ", "weights       safetensors"} {
		assert.Contains(t, a.out, want)
	}
	assert.Empty(t, a.err)
}

func TestInspectGivesOneObjectALine(t *testing.T) {
	dir := checkpoint(t)
	a, infos := inspectJSON(t, dir, dir+"/")
	assert.Equal(t, 0, a.code, a.err)
	require.Len(t, infos, 2)
	assert.Equal(t, dir, infos[0].Path)
	assert.Equal(t, dir+"/", infos[1].Path, "as given")
	for _, info := range infos {
		assert.Equal(t, "llama-3-8b", info.Name)
		assert.Equal(t, answer.Transformers, info.Category)
		assert.Equal(t, dir, info.Tokenizer.Path, "a path that can be opened")
	}
}

func TestInspectTakesEverySpellingOfAPath(t *testing.T) {
	dir := checkpoint(t)
	t.Chdir(dir)
	for _, path := range []string{".", "./", "../llama-3-8b", "../llama-3-8b/", dir + "//", dir + "/../llama-3-8b"} {
		a, infos := inspectJSON(t, path)
		assert.Equal(t, 0, a.code, a.err)
		require.Len(t, infos, 1)
		assert.Equal(t, "llama-3-8b", infos[0].Name, path)
		assert.Equal(t, path, infos[0].Path)
		assert.Equal(t, "LlamaForCausalLM", infos[0].Architecture, path)
	}
}

func TestInspectFollowsLinks(t *testing.T) {
	// A Hugging Face cache keeps every file as a link to a blob elsewhere.
	dir := checkpoint(t)
	cache := t.TempDir()
	snapshot := filepath.Join(cache, "snapshots", "0123")
	require.NoError(t, os.MkdirAll(snapshot, 0o755))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		require.NoError(t, os.Symlink(filepath.Join(dir, e.Name()), filepath.Join(snapshot, e.Name())))
	}
	require.NoError(t, os.Symlink(snapshot, filepath.Join(cache, "main")))
	for _, path := range []string{snapshot, filepath.Join(cache, "main")} {
		a, infos := inspectJSON(t, path)
		assert.Equal(t, 0, a.code, a.out+a.err)
		require.Len(t, infos, 1)
		assert.Equal(t, "LlamaForCausalLM", infos[0].Architecture)
		assert.Equal(t, "safetensors", infos[0].Weights.Format)
	}
}

func TestAnErrorLevelFindingExitsWith1(t *testing.T) {
	dir := brokenCheckpoint(t)
	a := call(t, "inspect", dir)
	assert.Equal(t, 1, a.code)
	assert.Contains(t, a.out, "error    config.json: ")
	assert.Contains(t, a.out, "[config-unreadable]")
	assert.Empty(t, a.err)

	a, infos := inspectJSON(t, checkpoint(t), dir)
	assert.Equal(t, 1, a.code)
	require.Len(t, infos, 2)
	assert.NotEmpty(t, infos[1].Findings)
}

func TestInspectReportsOnTheOtherPathsWhereOneIsMissing(t *testing.T) {
	dir := checkpoint(t)
	a, infos := inspectJSON(t, filepath.Join(dir, "no"), dir, filepath.Join(dir, "neither"))
	assert.Equal(t, 2, a.code)
	require.Len(t, infos, 1)
	assert.Equal(t, 2, strings.Count(a.err, "no such file or directory"))
}

func TestInspectFitsTheTerminal(t *testing.T) {
	for _, width := range []int{40, 60, 80} {
		var out bytes.Buffer
		p := &program{out: &output{w: &out, width: width}, err: &output{w: &out}}
		message := strings.Repeat("words of some length ", 20)
		p.describeCheckpoint(&answer.Info{Path: "x", Category: "transformers", DecidedBy: message, Findings: []answer.Finding{
			{Severity: answer.SeverityWarning, Code: "code", File: "config.json", Message: message, Hint: message}}})
		for line := range strings.Lines(out.String()) {
			assert.LessOrEqual(t, len(strings.TrimRight(line, "\n")), width, line)
		}
	}
}

func TestSeveritiesAreColouredOnATerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	var out bytes.Buffer
	p := &program{out: &output{w: &out, terminal: true, width: 80}}
	p.describeFindings([]answer.Finding{{Severity: answer.SeverityError, Code: "c", Message: "m"}})
	assert.Equal(t, "\n\x1b[31m  error    \x1b[0mm [c]\n", out.String())
}

func TestSupportSaysWhatLoadsACheckpoint(t *testing.T) {
	assert.Equal(t, "yes", supportText(&answer.Info{Architecture: "A", LoadsAs: "A"}))
	assert.Equal(t, "yes, as B, only by running its own code", supportText(&answer.Info{Architecture: "A", LoadsAs: "B", RemoteCode: true}))
}

func TestACheckpointCannotWriteToTheTerminal(t *testing.T) {
	var out bytes.Buffer
	p := &program{out: &output{w: &out}, err: &output{w: &out}}
	evil := "\x1b]0;owned\x07 \u202e\u0085"
	p.describeCheckpoint(&answer.Info{Path: evil, Category: "transformers", Architectures: []string{evil}, DecidedBy: evil,
		Findings: []answer.Finding{{Severity: answer.SeverityError, Code: "c", File: evil, Message: evil, Hint: evil}}})
	for _, r := range out.String() {
		assert.False(t, r != '\n' && unprintable(r), "%q", r)
	}
	assert.Contains(t, out.String(), `\x1b]0;owned\x07 \x202e\x85`)
}

func TestSizesAndCountsHaveThreeDigits(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.00 kB", 9995: "10.0 kB", 123456: "123 kB", 999_499: "999 kB", 999_500: "1.00 MB", 4_976_698_672: "4.98 GB", 1 << 62: "4.61 EB"} {
		assert.Equal(t, want, byteText(n))
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 124_439_808: "124M", 8_030_261_248: "8.03B", 1_000_000_000_000: "1.00T"} {
		assert.Equal(t, want, countText(n))
	}
}

func TestEveryFactOfACheckpointIsShown(t *testing.T) {
	text := func(s string) *string { return &s }
	bits, parameters, vocabulary := 4.0, int64(8_030_261_248), 128256
	facts := factsOf(&answer.Info{
		Category: "sae", Task: "features", IsOmni: true, HasTalker: true, DecidedBy: "a rule",
		Architectures: []string{"A", "B"}, ModelType: "m", Layout: "sae_lens", Error: text("no loader"),
		Quantization: &answer.Quantization{Method: "gptq", Bits: &bits, Source: "config.json"}, BaseModel: text("org/base"),
		SAE:            &answer.SAEInfo{Family: "gemma_scope", Sites: []string{"resid_post"}, Layers: []int{3, 9}},
		HasCustomFiles: true, CustomFiles: []string{"modeling_x.py"},
		Tokenizer: &answer.TokenizerInfo{Type: "BPE", Class: "C", VocabSize: &vocabulary, PadToken: text("<p>"), PadTokenSource: text("eos_token"), Origin: "base model", Path: "/b"},
		Weights:   &answer.WeightsInfo{Format: "safetensors", Files: []string{"a", "b"}, Parameters: &parameters, Bytes: 2000, DTypes: map[string]int64{"F32": 1, "BF16": 9}, Complete: new(false)},
		Size:      3000,
	})
	assert.Equal(t, []fact{
		{"category", "sae, features, omni, with a talker"}, {"decided by", "a rule"}, {"architecture", "A, B"}, {"model type", "m"},
		{"layout", "sae_lens"}, {"supported", "no: no loader"}, {"quantized", "gptq, 4 bits (config.json)"},
		{"SAE", "gemma_scope; resid_post; 2 layers from 3 to 9"}, {"base model", "org/base"}, {"custom code", "modeling_x.py"},
		{"tokenizer", "BPE, C, 128256 tokens, pad token <p> from eos_token, of the base model in /b"},
		{"weights", "safetensors, 2 files, 2.00 kB, 8.03B parameters, BF16 and F32, incomplete"}, {"size", "3.00 kB"},
	}, facts)
}

func TestUnknownParametersAreShownAsNotKnown(t *testing.T) {
	weights := func(info *answer.Info) string {
		for _, f := range factsOf(info) {
			if f.name == "weights" {
				return f.value
			}
		}
		return ""
	}
	assert.Equal(t, "tflite, 1 file, 9 B, parameters not known",
		weights(&answer.Info{Weights: &answer.WeightsInfo{Format: "tflite", Files: []string{"a"}, Bytes: 9, Complete: new(true)}}))
	assert.Equal(t, "tflite, 1 file, 9 B, parameters not known, not known whether complete",
		weights(&answer.Info{Weights: &answer.WeightsInfo{Format: "tflite", Files: []string{"a"}, Bytes: 9}}))
	program := answer.Info{IsSupported: true, Category: answer.Unknown, Layout: "core ml"}
	assert.Equal(t, "in the files of core ml, which are not read; parameters not known", weights(&program))
	program.Findings = []answer.Finding{{Code: finding.WeightsMissing}}
	assert.Empty(t, weights(&program))
}

func TestStepsListsTheCatalogue(t *testing.T) {
	a := call(t, "steps")
	assert.Equal(t, 0, a.code, a.err)
	for _, d := range steps.Catalogue() {
		assert.Contains(t, a.out, d.Pattern)
		assert.Contains(t, a.out, d.Location)
		assert.Contains(t, a.out, d.Group+"\n\n")
	}

	a = call(t, "steps", "--json")
	lines := strings.Split(strings.TrimSpace(a.out), "\n")
	require.Len(t, lines, len(steps.Catalogue()))
	var first map[string]string
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &first))
	for _, key := range []string{"keyword", "pattern", "meaning", "example", "group", "location"} {
		assert.NotEmpty(t, first[key], key)
	}
}

func TestStepsWithWordsListsThoseThatHaveThem(t *testing.T) {
	all, some := call(t, "steps", "--json"), call(t, "steps", "--json", "LATENCY", "p95")
	assert.Equal(t, 0, some.code)
	assert.Less(t, strings.Count(some.out, "\n"), strings.Count(all.out, "\n"))
	for line := range strings.Lines(some.out) {
		assert.Contains(t, strings.ToLower(line), "latency")
	}
}

func TestFindingsAreExplained(t *testing.T) {
	a := call(t, "findings", "lfs-pointer")
	assert.Equal(t, 0, a.code)
	assert.Contains(t, a.out, "lfs-pointer  error, Git LFS pointer in the file's place\n")
	assert.Contains(t, a.out, "way out: Run `git lfs pull`")
	assert.Equal(t, 1, strings.Count(a.out, "way out: "))

	assert.Contains(t, call(t, "findings", "headertoolarge").out, "lfs-pointer")
	assert.Equal(t, 2, call(t, "findings", "no such thing").code)

	a = call(t, "findings", "--json")
	assert.Equal(t, len(finding.Explanations()), strings.Count(a.out, "\n"))
	var e finding.Explanation
	require.NoError(t, json.Unmarshal([]byte(strings.SplitN(a.out, "\n", 2)[0]), &e))
	assert.NotEmpty(t, e.WayOut)
}

func TestInspectSizesTheCacheForAContext(t *testing.T) {
	dir := checkpoint(t)
	_, infos := inspectJSON(t, "--context", "1024", dir)
	require.Len(t, infos, 1)
	assert.EqualValues(t, 2*32*8*128*2*1024, *infos[0].Memory.KVCache)
	assert.Contains(t, call(t, "inspect", "--context", "1024", dir).out, "key-value cache of 134 MB for 1024 tokens")
	a := call(t, "inspect", "--context", "-1", dir)
	assert.Equal(t, 2, a.code)
}

func TestVersion(t *testing.T) {
	a := call(t, "version")
	assert.Equal(t, 0, a.code)
	assert.True(t, strings.HasPrefix(a.out, "omniloader "), a.out)
	assert.Contains(t, a.out, bench.Platform())

	a = call(t, "version", "--json")
	var v versionInfo
	require.NoError(t, json.Unmarshal([]byte(a.out), &v))
	assert.True(t, strings.HasPrefix(v.GoVersion, "go1."), v.GoVersion)
}

func TestVersionSaysWhatTheBuildRecorded(t *testing.T) {
	build := &debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123abc"}, {Key: "vcs.modified", Value: "true"}}}
	var out bytes.Buffer
	p := &program{out: &output{w: &out}}
	require.NoError(t, p.printVersion(versionOf(build), false))
	assert.Equal(t, "omniloader v1.2.3\ncommit 0123abc, with changes that were not committed\ngo1.26.8 "+bench.Platform()+"\n", out.String())
	assert.Equal(t, "(devel)", versionOf(nil).Version)
}

func TestHelp(t *testing.T) {
	for name, args := range map[string][]string{
		"root": {"--help"}, "run": {"run", "--help"}, "inspect": {"help", "inspect"}, "record": {"record", "--help"}, "init": {"init", "--help"}, "compare": {"compare", "-h"},
		"steps": {"steps", "--help"}, "version": {"version", "--help"}, "findings": {"findings", "--help"},
		"tokenize": {"tokenize", "--help"},
		"selftest": {"selftest", "--help"}, "bench": {"bench", "--help"}, "lint": {"lint", "--help"}, "selftest_noise": {"selftest", "noise", "--help"},
	} {
		t.Run(name, func(t *testing.T) {
			a := call(t, args...)
			assert.Equal(t, 0, a.code, a.err)
			assert.Empty(t, a.err)
			golden(t, "help_"+name+".txt", a.out)
			for line := range strings.Lines(a.out) {
				assert.LessOrEqual(t, len([]rune(line)), 101, "fits 100 columns: %s", line)
				assert.Equal(t, strings.TrimRight(line, " \n")+"\n", line, "no blanks at the end")
			}
		})
	}
}

func TestEveryExampleInTheHelpIsACommand(t *testing.T) {
	root := (&program{out: &output{w: &bytes.Buffer{}}, err: &output{w: &bytes.Buffer{}}}).rootCommand()
	for _, c := range append(root.Commands(), root) {
		for line := range strings.Lines(c.Example) {
			words := strings.Fields(line)
			if len(words) < 2 || words[0] != "omniloader" {
				continue
			}
			found, _, err := root.Find(words[1:])
			require.NoError(t, err, line)
			for _, w := range words {
				if flag, ok := strings.CutPrefix(w, "--"); ok {
					assert.NotNil(t, found.Flags().Lookup(flag), line)
				}
			}
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		a := call(t, "completion", shell)
		assert.Equal(t, 0, a.code, a.err)
		assert.Contains(t, a.out, "omniloader")
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"ins"}, "inspect\t"},
		{[]string{"run", "--tags", "@s"}, "@sae\n"},
		{[]string{"run", "--category", ""}, "tokenizer\n"},
		{[]string{"--category", ""}, "tokenizer\n"},
		{[]string{"run", "--format", ""}, "junit\n"},
		{[]string{"compare", "--format", ""}, "markdown\n"},
		{[]string{"run", "--fail-on", ""}, "none\nred\n"},
		{[]string{"run", "--fail-on", "red,un"}, "red,unjudged\nred,unconverged\n"},
		{[]string{"run", "--comparison", ""}, "markdown:\n"},
		{[]string{"compare", "--fail-on", "re"}, "red\nremoved\n"},
		{[]string{"bench", "--format", ""}, "markdown\n"},
		{[]string{"presets", "gpt"}, "gpt2\tGPT-2 small"},
		{[]string{"run", "--config", ""}, "yaml\n:8"},
		{[]string{"run", ""}, "feature\n:8"},
		{[]string{"inspect", ""}, ":16"},
	} {
		a := call(t, append([]string{"__complete"}, tt.args...)...)
		assert.Contains(t, a.out, tt.want, tt.args)
	}
	own := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(own, "mine.txtar"), []byte("a title\n-- config.json --\n{}\n"), 0o644))
	assert.Contains(t, call(t, "__complete", "presets", "--presets", own, "mi").out, "mine\ta title\n")
	assert.Contains(t, call(t, "__complete", "run", "--output", "x.json", "--format", "ju").out, "junit\n", "behind a flag that counts once")
	a := call(t, "completion", "ksh")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, `no completion for the shell "ksh"`)
}

// Files are read completely only with --verify, and a changed byte is an error.
func TestInspectVerifies(t *testing.T) {
	dir := checkpoint(t)
	config, err := os.ReadFile(filepath.Join(dir, "config.json"))
	require.NoError(t, err)
	sum := sha256.Sum256(config)
	record := filepath.Join(dir, ".cache", "huggingface", "download", "config.json.metadata")
	require.NoError(t, os.MkdirAll(filepath.Dir(record), 0o755))
	require.NoError(t, os.WriteFile(record, []byte("abc\n"+hex.EncodeToString(sum[:])+"\n1.0\n"), 0o644))
	assert.Contains(t, call(t, "inspect", "--verify", dir).out, "1 of 1 file with a recorded hash match it")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), append(config, '\n'), 0o644))
	assert.NotContains(t, call(t, "inspect", dir).out, "hash-mismatch")
	a := call(t, "inspect", "--verify", "--json", dir)
	assert.Equal(t, exitFailed, a.code)
	var info answer.Info
	require.NoError(t, json.Unmarshal([]byte(a.out), &info))
	assert.Equal(t, []string{"config.json"}, info.Verified.Mismatched)
	assert.Equal(t, finding.HashMismatch, info.Findings[0].Code)
	assert.Empty(t, a.err, "no progress where there is no terminal")
}

// Several paths are inspected at the same time, and reported in the order given.
func TestInspectKeepsTheOrderOfMany(t *testing.T) {
	root := t.TempDir()
	var paths []string
	for i := range 50 {
		dir := filepath.Join(root, fmt.Sprintf("model-%02d", i))
		require.NoError(t, os.Mkdir(dir, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"architectures":["BertModel"],"model_type":"bert"}`), 0o644))
		paths = append(paths, dir)
	}
	paths = append(paths[:20:20], append([]string{filepath.Join(root, "none")}, paths[20:]...)...)
	a, infos := inspectJSON(t, paths...)
	assert.Equal(t, exitNotJudged, a.code)
	require.Len(t, infos, 50)
	for i, info := range infos {
		assert.Equal(t, fmt.Sprintf("model-%02d", i), info.Name)
	}
	assert.Contains(t, a.err, "none: no such file")
}
