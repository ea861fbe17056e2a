package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
)

// lay lays a preset out on the disk, changed, and gives its directory.
func lay(t *testing.T, preset string, changes ...func(*fixtures.Checkpoint) error) string {
	t.Helper()
	root := t.TempDir()
	c := fixtures.New(afero.NewBasePathFs(afero.NewOsFs(), root), preset)
	require.NoError(t, c.AddPreset(preset))
	for _, change := range changes {
		require.NoError(t, change(c))
	}
	return filepath.Join(root, preset)
}

// recorded records a checkpoint, takes it away, runs the feature, and gives what
// was written.
func recorded(t *testing.T, dir string, flags ...string) (feature, fixture string) {
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
	b := call(t, "run", "--iterations", "3", "--warmup", "1", out)
	assert.Equal(t, 0, b.code, "%s%s\n%s", b.out, b.err, text)
	return string(text), string(beside)
}

// The presets stand for public checkpoints of every layout.
func TestARecordedCheckpointPassesWhenItIsGone(t *testing.T) {
	for _, preset := range []string{
		"all-minilm-l6-v2", "flux.1-dev", "gemma-2-2b", "gemma-scope-2b-res", "gpt2", "llama-2-7b", "llama-2-7b-chat-gptq", "llama-2-7b-gguf",
		"llama-2-7b-lora", "llama-3-8b", "mistral-7b-v0.3-native", "phi-3-mini", "qwen2-vl-7b", "saelens-gpt2-small", "t5-small", "wav2vec2-base-960h",
	} {
		t.Run(preset, func(t *testing.T) {
			dir := lay(t, preset)
			feature, fixture := recorded(t, dir)
			assert.NotContains(t, feature+fixture, filepath.Dir(dir), "a path of this machine")
			assert.Less(t, len(fixture), 4<<20)
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
		"a missing shard": {"llama-3-8b", func(c *fixtures.Checkpoint) error { return c.Without("model-00002-of-00004.safetensors") }, `an error "shard-missing" is reported for "model-00002-of-00004.safetensors"`},
		"a pointer":       {"gpt2", func(c *fixtures.Checkpoint) error { return c.AsLFSPointer("tokenizer.json") }, `reading fails with "git-lfs pointer" in "tokenizer.json"`},
		"a cut config":    {"gpt2", func(c *fixtures.Checkpoint) error { return c.Cut("config.json", 40) }, `reading fails with "truncated" in "config.json"`},
		"a cut shard":     {"llama-3-8b", func(c *fixtures.Checkpoint) error { return c.Cut("model-00002-of-00004.safetensors", 100) }, "weights bytes"},
		"a web page":      {"gpt2", func(c *fixtures.Checkpoint) error { return c.AsHTML("config.json") }, `reading fails with "HTML page" in "config.json"`},
		"a pointer shard": {"llama-3-8b", func(c *fixtures.Checkpoint) error { return c.AsLFSPointer("model-00002-of-00004.safetensors") }, "weights bytes"},
		"an empty config": {"gpt2", func(c *fixtures.Checkpoint) error { return c.AddFiles(fixtures.File{Name: "config.json"}) }, `reading fails with "empty file" in "config.json"`},
		"a zeroed config": {"gpt2", func(c *fixtures.Checkpoint) error { return c.ZeroFill("config.json") }, `reading fails with "zero-filled" in "config.json"`},
		"no weights":      {"gpt2", func(c *fixtures.Checkpoint) error { return c.Without("*.safetensors") }, "there are no weights"},
		"a cut gguf":      {"llama-2-7b-gguf", func(c *fixtures.Checkpoint) error { return c.Cut("llama-2-7b.Q4_K_M.gguf", 5000) }, "weights bytes are"},
	} {
		t.Run(name, func(t *testing.T) {
			feature, _ := recorded(t, lay(t, c.preset, c.change))
			assert.Contains(t, feature, c.want)
		})
	}
}
