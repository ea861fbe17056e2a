package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/internal/record"
)

// recordAndRun records a checkpoint, removes it, runs the feature, and gives what was
// written. That is small, and without a path of this machine.
func recordAndRun(t *testing.T, dir string, flags ...string) (feature, fixture string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "recorded.feature")
	a := call(t, append([]string{"record", dir, "--output", out}, flags...)...)
	require.Equal(t, 0, a.code, a.err)
	assert.Empty(t, a.out)
	require.NoError(t, os.RemoveAll(dir))

	text, err := os.ReadFile(out)
	require.NoError(t, err)
	beside, err := os.ReadFile(strings.TrimSuffix(out, ".feature") + ".fixture")
	if err != nil {
		require.ErrorIs(t, err, os.ErrNotExist)
	}
	b := callWithoutJudgingTime(t, "run", "--iterations", "3", "--warmup", "1", out)
	assert.Equal(t, 0, b.code, "%s%s\n%s", b.out, b.err, text)
	feature, fixture = string(text), string(beside)
	assert.NotContains(t, feature+fixture, filepath.Dir(dir))
	assert.Less(t, len(fixture), 4<<20)
	return feature, fixture
}

// The presets are modelled on public checkpoints, of every layout that the tests below do
// not record.
func TestARecordedFeaturePassesWithoutTheCheckpoint(t *testing.T) {
	for _, preset := range []string{
		"all-minilm-l6-v2", "stable-diffusion-1.5", "gemma-scope-2b-res", "llama-2-7b-chat-gptq", "llama-2-7b-gguf",
		"mistral-7b-v0.3-native", "phi-3-mini", "t5-small", "wav2vec2-base-960h",
	} {
		t.Run(preset, func(t *testing.T) {
			feature, _ := recordAndRun(t, writeNewPreset(t, preset))
			assert.Contains(t, feature, "Feature: "+preset+"\n")
		})
	}
}

func TestABrokenCheckpointIsRecordedAsItIs(t *testing.T) {
	for name, c := range map[string]struct {
		preset string
		change func(*fixtures.Checkpoint) error
		want   string
	}{
		"a missing shard": {"llama-2-7b", func(c *fixtures.Checkpoint) error { return c.Without("model-00002-of-00002.safetensors") }, `an error "shard-missing" is reported for "model-00002-of-00002.safetensors"`},
		"a pointer":       {"gpt2", func(c *fixtures.Checkpoint) error { return c.AsLFSPointer("tokenizer.json") }, `reading fails with "git-lfs pointer" in "tokenizer.json"`},
		"a cut shard":     {"llama-2-7b", func(c *fixtures.Checkpoint) error { return c.Cut("model-00002-of-00002.safetensors", 100) }, "weights bytes"},
		"a web page":      {"gpt2", func(c *fixtures.Checkpoint) error { return c.AsHTML("config.json") }, `reading fails with "HTML page" in "config.json"`},
		"a pointer shard": {"llama-2-7b", func(c *fixtures.Checkpoint) error { return c.AsLFSPointer("model-00002-of-00002.safetensors") }, "weights bytes"},
		"a zeroed config": {"gpt2", func(c *fixtures.Checkpoint) error { return c.ZeroFill("config.json") }, `reading fails with "zero-filled" in "config.json"`},
		"a cut gguf":      {"llama-2-7b-gguf", func(c *fixtures.Checkpoint) error { return c.Cut("llama-2-7b.Q4_K_M.gguf", 5000) }, "weights bytes are"},
	} {
		t.Run(name, func(t *testing.T) {
			feature, _ := recordAndRun(t, writeNewPreset(t, c.preset, c.change))
			assert.Contains(t, feature, c.want)
		})
	}
}

// boundFigures depend on the machine.
var boundFigures = regexp.MustCompile(`(below|no more than) [0-9]+ [A-Za-zµ]+`)

func TestARecordedFeatureIsTheGoldenOne(t *testing.T) {
	for _, preset := range []string{"gpt2", "llama-2-7b-lora", "saelens-gpt2-small"} {
		feature, _ := recordAndRun(t, writeNewPreset(t, preset))
		got := boundFigures.ReplaceAllString(feature, "$1 N")
		golden(t, "recorded_"+preset+".txt", got)
	}
}

// tinyCheckpoint writes a checkpoint so small that its fixture is part of the feature.
func tinyCheckpoint(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tiny")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}`), 0o644))
	return dir
}

func TestWithoutAnOutputTheFeatureGoesToStandardOutput(t *testing.T) {
	for _, dir := range []string{tinyCheckpoint(t), writeNewPreset(t, "llama-3-8b")} {
		a := call(t, "record", dir)
		require.Equal(t, 0, a.code, a.err)
		assert.Empty(t, a.err)
		assert.Contains(t, a.out, "Given the recorded checkpoint:\n")
		require.NoError(t, os.RemoveAll(dir))
		b := callWithoutJudgingTime(t, "run", "--iterations", "3", write(t, "piped.feature", a.out))
		assert.Equal(t, 0, b.code, b.out+b.err)
	}
}

func TestRecordSaysWhatItWroteAndHowToRunIt(t *testing.T) {
	t.Chdir(t.TempDir())
	a := call(t, "record", tinyCheckpoint(t), "--output", "a.feature", "--name", "another name")
	require.Equal(t, 0, a.code, a.err)
	assert.Equal(t, "wrote a.feature; to run it: omniloader run a.feature\n", a.err)
	text, err := os.ReadFile("a.feature")
	require.NoError(t, err)
	assert.Contains(t, string(text), "Feature: another name\n")
	assert.NoFileExists(t, "a.fixture")

	a = call(t, "record", writeNewPreset(t, "gpt2"), "--output", "b.feature")
	require.Equal(t, 0, a.code, a.err)
	assert.Regexp(t, `^wrote b\.feature and b\.fixture \([0-9.]+ kB\); to run it: omniloader run b\.feature\n$`, a.err)
	names, err := filepath.Glob("*")
	require.NoError(t, err)
	assert.Equal(t, []string{"a.feature", "b.feature", "b.fixture"}, names, "and no other file")
}

func TestExistingFilesAreReplacedOnlyWithForce(t *testing.T) {
	dir := writeNewPreset(t, "gpt2")
	for _, existing := range []string{"x.feature", "x.fixture"} {
		out := t.TempDir()
		file := filepath.Join(out, existing)
		require.NoError(t, os.WriteFile(file, []byte("mine"), 0o644))
		a := call(t, "record", dir, "--output", filepath.Join(out, "x.feature"))
		assert.Equal(t, 2, a.code)
		assert.Contains(t, a.err, existing+" exists already\n  hint: choose another name, or replace it with --force")
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, "mine", string(text))
		assert.Equal(t, 0, call(t, "record", dir, "--force", "--output", filepath.Join(out, "x.feature")).code)
	}
}

func TestWhatCannotBeRecordedExitsWith2AndWritesNothing(t *testing.T) {
	dir := tinyCheckpoint(t)
	linked := tinyCheckpoint(t)
	require.NoError(t, os.Symlink(filepath.Join(dir, "config.json"), filepath.Join(linked, "tokenizer.json")))
	out := t.TempDir()
	feature := filepath.Join(out, "x.feature")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{}, "record takes the directory of one checkpoint, found 0 arguments"},
		{[]string{dir, dir}, "found 2 arguments"},
		{[]string{filepath.Join(dir, "gone"), "--output", feature}, "gone: no such file or directory\n  hint: name the directory that has the checkpoint's config.json"},
		{[]string{filepath.Join(dir, "config.json"), "--output", feature}, "hint: name its directory: " + dir},
		{[]string{dir, "--output", filepath.Join(out, "x.txt")}, "a feature file ends in .feature"},
		{[]string{dir, "--output", filepath.Join(out, ".feature")}, "a feature file ends in .feature"},
		{[]string{dir, "--output", filepath.Join(dir, "config.json", "x.feature")}, "config.json is no directory"},
		{[]string{dir, "--output", filepath.Join(dir, "new", "x.feature")}, "it is in the checkpoint itself"},
		{[]string{dir, "--output", filepath.Join(dir, "x.feature")}, "it is in the checkpoint itself"},
		{[]string{dir, "--output", feature, "--name", "a/b"}, `"a/b" is not a valid name for a recorded checkpoint` + "\n  hint: give it another: --name NAME"},
		{[]string{linked, "--output", feature}, "tokenizer.json: a link that leads out of the checkpoint"},
		{[]string{dir, "--ouput", feature}, `did you mean "--output"?`},
	} {
		a := call(t, append([]string{"record"}, c.args...)...)
		assert.Equal(t, 2, a.code, c.args)
		assert.Empty(t, a.out, c.args)
		assert.Contains(t, a.err, c.want, c.args)
	}
	left, err := os.ReadDir(out)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestAFeatureThatWouldNotPassIsNotWritten(t *testing.T) {
	r := &record.Recorded{Name: "m", Feature: []byte("Feature: F\n  Scenario: s\n    Given the recorded checkpoint:\n      \"\"\"\n      recording 1\n      name m\n      \"\"\"\n" +
		"    When the model info is read\n    Then the architecture is \"LlamaForCausalLM\"\n")}
	err := checkPasses(t.Context(), r, "")
	assert.ErrorContains(t, err, `the feature does not pass: Then the architecture is "LlamaForCausalLM"`)
}

func TestNotesNameTheFilesWithHiddenText(t *testing.T) {
	dir := tinyCheckpoint(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "generation_config.json"), []byte(`{"_name_or_path": "/home/jane/llama"}`), 0o644))
	a := call(t, "record", dir)
	require.Equal(t, 0, a.code, a.err)
	assert.Equal(t, "note: user names, paths of this machine, e-mail addresses or secrets are replaced by xxx in generation_config.json\n", a.err)
	assert.NotContains(t, a.out, "jane")
}
