package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"omniloader/fixtures"
)

func TestVersionFlag(t *testing.T) {
	assert.Equal(t, call(t, "version"), call(t, "--version"))
	assert.Equal(t, 2, call(t, "run", "--version").code, "a flag of the bare command only")
}

// The text of a preset is the archive that it is made of.
func TestPresetsShow(t *testing.T) {
	a := call(t, "presets", "gpt2", "--show")
	require.Equal(t, 0, a.code, a.err)
	files := map[string]string{}
	for _, f := range txtar.Parse([]byte(a.out)).Files {
		files[f.Name] = string(f.Data)
	}
	fsys := fixtures.NewFs()
	require.NoError(t, fixtures.New(fsys, "m").AddPreset("gpt2"))
	config, err := afero.ReadFile(fsys, "m/config.json")
	require.NoError(t, err)
	assert.Equal(t, string(config), files["config.json"])
	assert.Contains(t, a.out, "\nsafetensors model.safetensors unpadded\n  wte.weight F32 50257 768\n")

	several := call(t, "presets", "gpt2", "--show", "--json")
	var entry presetEntry
	require.NoError(t, json.Unmarshal([]byte(several.out), &entry))
	assert.Equal(t, a.out, entry.Text)

	several = call(t, "presets", "missing-sh", "--show")
	assert.Contains(t, several.out, "from llama-3-8b\n  without")
	assert.NotContains(t, several.out, "broken-missing-shard\n", "one that matches is shown alone")
	several = call(t, "presets", "broken-missing", "--show")
	assert.Contains(t, several.out, "broken-missing-shard\n")
	assert.Equal(t, 2, call(t, "presets", "gpt2", "--show", "--write", "x").code)
}

func TestAMistypedWordIsSuggested(t *testing.T) {
	for _, c := range []struct {
		args []string
		hint string
	}{
		{[]string{"findings", "shard-mising"}, `did you mean "shard-missing"?`},
		{[]string{"findings", "--failures", "pointr"}, `did you mean "pointer"?`},
		{[]string{"steps", "latncy"}, `did you mean "latency"?`},
		{[]string{"steps", "mean", "latncy"}, `did you mean "mean latency"?`},
		{[]string{"presets", "gtp2"}, `did you mean "gpt2"?`},
		{[]string{"presets", "gtp2", "--show"}, `did you mean "gpt2"?`},
		{[]string{"steps", "tokenizer", "exponent"}, "not together"},
		{[]string{"steps", "zzzz"}, `"omniloader steps" without words`},
		{[]string{"steps", "unsuported"}, `"omniloader steps" without words`},
	} {
		a := call(t, c.args...)
		assert.Equal(t, 2, a.code, c.args)
		assert.Contains(t, a.err, c.hint, c.args)
	}
}

func TestProfilesAreCompleted(t *testing.T) {
	withConfig(t, "profiles:\n  nightly: {all: true}\n  quick: {iterations: 5}\n")
	assert.Contains(t, call(t, "__complete", "run", "--profile", "").out, "nightly\nquick\n")
	require.NoError(t, os.Remove("omniloader.yaml"))
	assert.NotContains(t, call(t, "__complete", "run", "--profile", "").out, "nightly")
}

func TestRevisionsAreCompleted(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git here")
	}
	t.Chdir(t.TempDir())
	assert.NotContains(t, call(t, "__complete", "bench", "--against", "").out, "HEAD", "not a repository")
	for _, args := range [][]string{
		{"init", "-q", "-b", "trunk"}, {"-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "first"}, {"tag", "v1.0"},
	} {
		out, err := exec.Command("git", args...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	assert.Contains(t, call(t, "__complete", "bench", "--against", "").out, "HEAD\nHEAD~1\ntrunk\nv1.0\n")
}
