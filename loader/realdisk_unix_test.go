//go:build unix

package loader_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/fault"
)

// Opening a named pipe waits for its writer: nothing but a regular file is opened.
func TestNamedPipesAreNeverOpened(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"config.json", "tokenizer.json", "model.safetensors", "a.nemo"} {
		require.NoError(t, syscall.Mkfifo(filepath.Join(dir, name), 0o600))
	}
	l := loader.New()
	_, err := l.ModelInfo(os.DirFS(dir), ".")
	assert.ErrorIs(t, err, fault.NotAFile)
	_, err = l.Tokenizer(os.DirFS(dir), ".")
	assert.ErrorIs(t, err, fault.NotAFile)
	_, err = l.Inspect(os.DirFS(dir), ".")
	assert.NoError(t, err)
}

func TestLinksAreFollowedAndDeadOnesNamed(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "blobs"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "snapshot"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "blobs", "a"), []byte(`{"architectures":["LlamaForCausalLM"]}`), 0o600))
	require.NoError(t, os.Symlink("../blobs/a", filepath.Join(dir, "snapshot", "config.json")))
	require.NoError(t, os.Symlink("../blobs/b", filepath.Join(dir, "snapshot", "model.safetensors")))
	require.NoError(t, os.Symlink("..", filepath.Join(dir, "snapshot", "loop")))
	info, err := loader.New().Inspect(os.DirFS(dir), "snapshot")
	require.NoError(t, err)
	assert.Equal(t, "LlamaForCausalLM", info.Architecture)
	assert.Contains(t, codes(info.Findings), loader.CodeLinkBroken)
}

// Each stands alone, where nothing refuses the directory before it is come to.
func TestANamedPipeInAnyPlaceIsNeverOpened(t *testing.T) {
	for _, name := range []string{"a.nemo", "tokenizer.json", "vocab.json", "tokenizer.model", "README.md", "chat_template.jinja",
		"a.gguf", "a.pt", "cfg.json", "params.json", "model.safetensors.index.json", ".hidden.pkl"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, syscall.Mkfifo(filepath.Join(dir, name), 0o600))
			_, err := loader.New().Inspect(os.DirFS(dir), ".")
			assert.NoError(t, err)
			_, _, err = loader.New().LoadTokenizer(os.DirFS(dir), ".")
			assert.Error(t, err)
		})
	}
}
