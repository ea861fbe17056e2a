package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
)

func TestPresetsLists(t *testing.T) {
	r := call(t, "presets", "missing", "shard")
	assert.Equal(t, 0, r.code)
	assert.Contains(t, r.out, "broken-missing-shard\n")
	assert.NotContains(t, r.out, "gpt2\n")

	r = call(t, "presets", "--json")
	assert.Equal(t, 0, r.code)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	assert.Len(t, lines, len((*fixtures.PresetLibrary)(nil).All()))
	var e presetEntry
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &e))
	assert.NotEmpty(t, e.From, "the last one is broken on purpose")

	r = call(t, "presets", "no-such-words")
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, "no preset has no-such-words in its name or title")
}

func TestPresetsWritesWhatInspectReads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "models")
	r := call(t, "presets", "gpt2", "broken-missing-shard", "--write", dir)
	require.Equal(t, 0, r.code, r.err)
	assert.Empty(t, r.out)
	assert.Contains(t, r.err, "wrote "+filepath.Join(dir, "broken-missing-shard"))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "no temporary directory is left")
	r = call(t, "inspect", filepath.Join(dir, "broken-missing-shard"))
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.out, "[shard-missing]")
	assert.Equal(t, 0, call(t, "inspect", filepath.Join(dir, "gpt2")).code)

	r = call(t, "presets", "gpt2", "--write", dir)
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, "it exists already")
}

func TestPresetsRefusesToWrite(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	for message, args := range map[string][]string{
		`no preset "gpt3"`:                           {"gpt2", "gpt3"},
		"name a preset":                              {},
		"gpt2 is named twice":                        {"gpt2", "gpt2"},
		"not a directory":                            {"gpt2", "--write", file},
		"directory is empty":                         {"gpt2", "--write", ""},
		"--json and --write cannot be used together": {"gpt2", "--json"},
	} {
		if !strings.Contains(strings.Join(args, " "), "--write") {
			args = append(args, "--write", dir)
		}
		r := call(t, append([]string{"presets"}, args...)...)
		assert.Equal(t, 2, r.code, message)
		assert.Contains(t, r.err, message)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing was written")
}
