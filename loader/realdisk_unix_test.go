//go:build unix

package loader_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
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

func TestANamedPipeInPlaceOfTheDirectoryIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "m"), 0o600))
	_, err := loader.New().Category(os.DirFS(dir), "m")
	assert.ErrorIs(t, err, fault.NotAFile)
}

func TestLinksAreFollowedAndBrokenOnesReported(t *testing.T) {
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
	assert.Contains(t, codes(info.Findings), finding.LinkBroken)
}

// Each stands alone, where nothing refuses the directory before it is come to.
func TestNamedPipeWithAnyNameIsNeverOpened(t *testing.T) {
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

// writeFiles writes files below a directory of its own, and gives it.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		full := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte(content), 0o600))
	}
	return dir
}

func messagesOf(info *answer.Info, code string) (files []string) {
	for _, f := range info.Findings {
		if f.Code == code {
			files = append(files, f.File+": "+f.Message)
		}
	}
	return files
}

func TestLinkedComponentDirectoriesAreRead(t *testing.T) {
	weights := storedFile(stored{"a.weight", "F32", []int{4}, 4})
	dir := writeFiles(t, map[string]string{
		"p/model_index.json":                             `{"_class_name":"FluxPipeline","vae":["diffusers","AutoencoderKL"],"transformer":["diffusers","FluxTransformer2DModel"]}`,
		"shared/vae/config.json":                         `{"_class_name":"AutoencoderKL"}`,
		"shared/dit/config.json":                         `{"_class_name":"FluxTransformer2DModel"}`,
		"shared/dit/model.rename":                        "",
		"shared/vae/diffusion_pytorch_model.safetensors": weights,
		"shared/dit/diffusion_pytorch_model.safetensors": weights,
	})
	require.NoError(t, os.Symlink("../shared/dit", filepath.Join(dir, "p", "transformer")))
	require.NoError(t, os.Symlink(filepath.Join(dir, "shared", "vae"), filepath.Join(dir, "p", "vae")))
	info, err := loader.New().Inspect(os.DirFS(dir), "p")
	require.NoError(t, err)
	require.NotNil(t, info.Weights)
	assert.Equal(t, []string{"transformer/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors"}, info.Weights.Files)
	assert.Equal(t, int64(8), *info.Weights.Parameters)
	assert.Empty(t, messagesOf(info, finding.ComponentMissing))

	require.NoError(t, os.WriteFile(filepath.Join(dir, "shared", "dit", "diffusion_pytorch_model.safetensors"), []byte(weights[:len(weights)-4]), 0o600))
	info, err = loader.New().Inspect(os.DirFS(dir), "p")
	require.NoError(t, err)
	assert.False(t, *info.Weights.Complete, "what is behind a link is checked like the rest")

	require.NoError(t, os.RemoveAll(filepath.Join(dir, "shared", "dit")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "shared", "dit"), 0o755))
	info, err = loader.New().Inspect(os.DirFS(dir), "p")
	require.NoError(t, err)
	assert.Len(t, messagesOf(info, finding.ComponentMissing), 1, "an empty directory is no component")
}

func TestLinksToAncestorsAreNotFollowed(t *testing.T) {
	dir := writeFiles(t, map[string]string{"p/config.json": `{"architectures":["LlamaForCausalLM"]}`, "other/a.txt": "a"})
	for name, target := range map[string]string{
		"p/up": "..", "p/self": ".", "p/absolute": dir, "p/there": "../other", "other/back": "../p", "other/itself": "../other",
	} {
		require.NoError(t, os.Symlink(target, filepath.Join(dir, name)))
	}
	// From the root of the disk it is known where each link leads.
	info, err := loader.New().Inspect(os.DirFS("/"), dir[1:]+"/p")
	require.NoError(t, err)
	assert.Len(t, messagesOf(info, finding.LinkNotFollowed), 5)
	assert.Equal(t, int64(len(`{"architectures":["LlamaForCausalLM"]}`)+len("a")), info.Size, "the config, and other/a.txt once")

	// Elsewhere an absolute link may be one that leads back: it is followed so far.
	for _, c := range [][2]string{{dir, "p"}, {filepath.Join(dir, "p"), "."}} {
		info, err := loader.New().Inspect(os.DirFS(c[0]), c[1])
		require.NoError(t, err)
		assert.NotEmpty(t, messagesOf(info, finding.LinkNotFollowed))
		assert.NotContains(t, codes(info.Findings), finding.TooManyFiles)
	}
}

func TestFilesBehindLinksAreBounded(t *testing.T) {
	fsys := fstest.MapFS{
		"p/config.json": {Data: []byte(`{"architectures":["LlamaForCausalLM"]}`)},
		"p/a":           {Data: []byte("../data"), Mode: fs.ModeSymlink},
		"p/b":           {Data: []byte("../data"), Mode: fs.ModeSymlink},
	}
	for i := range 10_100 {
		fsys[fmt.Sprint("data/", i)] = &fstest.MapFile{}
	}
	info, err := loader.New().Inspect(fsys, "p")
	require.NoError(t, err)
	assert.Len(t, messagesOf(info, finding.LinkNotFollowed), 2)
}

// Pickles are scanned in every directory and under every name.
func TestHiddenPicklesAreScanned(t *testing.T) {
	const evil = "\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R."
	dir := writeFiles(t, map[string]string{"config.json": `{"architectures":["LlamaForCausalLM"],"model_file":".evil.pt"}`,
		".evil.pt": evil, ".x/a.pt": evil, ".gitdata.pkl": evil, ".github/b.bin": evil, ".hidden/deep/c": evil,
		".cache/huggingface/download/a.lock": "", ".git/objects/ab": "x", ".notes": "<html></html>", ".DS_Store": "\x00\x00"})
	info, err := loader.New().Inspect(os.DirFS(dir), ".")
	require.NoError(t, err)
	var found []string
	for _, f := range info.Findings {
		if f.Code == finding.PickleDangerous {
			found = append(found, f.File)
		}
	}
	assert.Equal(t, []string{".evil.pt", ".gitdata.pkl", ".github/b.bin", ".hidden/deep/c", ".x/a.pt"}, found)
	assert.NotContains(t, codes(info.Findings), finding.HTMLPage, "a hidden file's content is nobody's loss")
}
