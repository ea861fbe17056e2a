package loader_test

import (
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/internal/registry"
)

// llamaConfig has the keys of a real one, in their order.
const llamaConfig = `{
  "architectures": [
    "LlamaForCausalLM"
  ],
  "attention_bias": false,
  "attention_dropout": 0.0,
  "bos_token_id": 128000,
  "eos_token_id": 128001,
  "hidden_act": "silu",
  "hidden_size": 4096,
  "initializer_range": 0.02,
  "intermediate_size": 14336,
  "max_position_embeddings": 8192,
  "model_type": "llama",
  "num_attention_heads": 32,
  "num_hidden_layers": 32,
  "num_key_value_heads": 8,
  "pretraining_tp": 1,
  "rms_norm_eps": 1e-05,
  "rope_scaling": null,
  "rope_theta": 500000.0,
  "tie_word_embeddings": false,
  "torch_dtype": "bfloat16",
  "transformers_version": "4.40.0.dev0",
  "use_cache": true,
  "vocab_size": 128256
}
`

// llamaDir is a directory of the usual ten files on the in-memory filesystem.
func llamaDir(t testing.TB) fs.FS {
	mem := afero.NewMemMapFs()
	for name, content := range map[string]string{
		"config.json":                      llamaConfig,
		"generation_config.json":           "{}",
		"tokenizer.json":                   "{}",
		"tokenizer_config.json":            "{}",
		"special_tokens_map.json":          "{}",
		"model.safetensors.index.json":     "{}",
		"model-00001-of-00002.safetensors": "x",
		"model-00002-of-00002.safetensors": "x",
		"README.md":                        "# Llama",
		"LICENSE":                          "…",
	} {
		require.NoError(t, afero.WriteFile(mem, path.Join("meta-llama/Meta-Llama-3-8B", name), []byte(content), 0o644))
	}
	return afero.NewIOFS(mem)
}

// floor is the least that any answer about a directory needs: its listing, its
// config, and one pass over that.
func floor(fsys fs.FS, dir string) int {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return 0
	}
	data, err := fs.ReadFile(fsys, path.Join(dir, "config.json"))
	if err != nil {
		return 0
	}
	n := len(entries)
	gjson.ParseBytes(data).ForEach(func(_, _ gjson.Result) bool { n++; return true })
	return n
}

const llamaPath = "meta-llama/Meta-Llama-3-8B"

var (
	sinkInt  int
	sinkInfo *answer.Info
)

// BenchmarkModelInfo measures ModelInfo and its floor, the listing and reading alone:
// compare the two of one run.
func BenchmarkModelInfo(b *testing.B) {
	l := loader.New()
	for _, c := range []struct {
		name string
		fsys fs.FS
		dir  string
	}{
		{"config_only", bareDir(b, llamaConfig), "model"},
		{"two_keys", bareDir(b, `{"architectures":["LlamaForCausalLM"],"model_type":"llama"}`), "model"},
		{"ten_files", llamaDir(b), llamaPath},
	} {
		b.Run(c.name+"/floor", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sinkInt = floor(c.fsys, c.dir)
			}
		})
		b.Run(c.name+"/info", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				info, err := l.ModelInfo(c.fsys, c.dir)
				if err != nil {
					b.Fatal(err)
				}
				sinkInfo = info
			}
		})
	}
}

// bareDir is a directory called model that holds a config.json and nothing else.
func bareDir(t testing.TB, config string) fs.FS {
	mem := afero.NewMemMapFs()
	require.NoError(t, afero.WriteFile(mem, "model/config.json", []byte(config), 0o644))
	return afero.NewIOFS(mem)
}

// The in-memory filesystem spends two allocations on each entry of a listing;
// what we add to the floor does not depend on the directory.
func TestModelInfoAllocatesLittle(t *testing.T) {
	l := loader.New()
	for _, c := range []struct {
		fsys       fs.FS
		dir        string
		most, over float64
	}{
		{bareDir(t, llamaConfig), "model", 25, 4},
		{llamaDir(t), llamaPath, 45, 4},
	} {
		least := testing.AllocsPerRun(200, func() { sinkInt = floor(c.fsys, c.dir) })
		got := testing.AllocsPerRun(200, func() {
			info, err := l.ModelInfo(c.fsys, c.dir)
			if err != nil {
				t.Fatal(err)
			}
			sinkInfo = info
		})
		t.Logf("%s: %v allocations, floor %v", c.dir, got, least)
		assert.LessOrEqual(t, got, c.most)
		assert.LessOrEqual(t, got-least, c.over)
	}
}

// countingFS counts the files that are opened and the directories that are listed.
type countingFS struct {
	fs.FS
	opened []string
}

func (c *countingFS) Open(name string) (fs.File, error) {
	c.opened = append(c.opened, name)
	return c.FS.Open(name)
}

// Stat is no opening.
func (c *countingFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(c.FS, name) }

func TestCategoryOfAPipelineReadsItsIndexAlone(t *testing.T) {
	fsys := &countingFS{FS: preset(t, "stable-diffusion-xl-1.0")}
	for name, ask := range map[string]func() error{
		"category": func() error { _, err := loader.New().Category(fsys, "stable-diffusion-xl-1.0"); return err },
		"support":  func() error { _, err := loader.New().Support(fsys, "stable-diffusion-xl-1.0"); return err },
		"sae":      func() error { _, err := loader.New().IsSAE(fsys, "stable-diffusion-xl-1.0"); return err },
	} {
		fsys.opened = nil
		require.NoError(t, ask())
		assert.Equal(t, []string{"stable-diffusion-xl-1.0/model_index.json"}, fsys.opened, name)
	}
}

func TestModelInfoListsOnceAndReadsOneFile(t *testing.T) {
	fsys := &countingFS{FS: llamaDir(t)}
	_, err := loader.New().ModelInfo(fsys, llamaPath)
	require.NoError(t, err)
	assert.Equal(t, []string{llamaPath, llamaPath + "/config.json"}, fsys.opened)
}

func TestLookupDoesNotAllocate(t *testing.T) {
	name := strings.Clone("LlamaForCausalLM")
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if _, ok := registry.LookupClass(name); !ok {
			t.Fatal("not known")
		}
	}))
}
