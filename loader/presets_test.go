package loader_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/finding"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func preset(t testing.TB, name string) fs.FS {
	t.Helper()
	fsys := fixtures.NewFs()
	require.NoError(t, fixtures.New(fsys, name).AddPreset(name))
	return afero.NewIOFS(fsys)
}

// The presets follow public repositories that load.
func TestSoundPresetsHaveNoErrors(t *testing.T) {
	for _, p := range fixtures.Presets() {
		info, err := loader.New().Inspect(preset(t, p.Name), p.Name)
		require.NoError(t, err)
		for _, f := range info.Findings {
			assert.NotEqual(t, answer.SeverityError, f.Severity, "%s: %+v", p.Name, f)
			switch f.Code {
			case finding.WeightPrefix, finding.WeightWithoutCounterpart, finding.ZeroFilled, finding.ParametersUnknown,
				finding.QuantizationUnknown, finding.QuantizationUnstated, finding.IndexTotalSize, finding.VocabExceedsEmbeddings:
				t.Errorf("%s: %+v", p.Name, f)
			}
		}
		require.NotNil(t, info.Weights, p.Name)
		assert.True(t, *info.Weights.Complete, p.Name)
		assert.NotNil(t, info.Weights.Parameters, p.Name)
	}
}

// The expected numbers are those that the models' makers give, without buffers; packed
// weights are counted unpacked.
func TestParametersOfPresets(t *testing.T) {
	for name, want := range map[string]int64{
		"llama-3-8b": 8_030_261_248, "llama-3-8b-bnb-4bit": 8_030_261_248, "llama-3-70b": 70_553_706_496,
		"llama-2-7b": 6_738_415_616, "llama-2-7b-chat-awq": 6_738_415_616, "llama-2-7b-gguf": 6_738_415_616,
		"mistral-7b-v0.1": 7_241_732_096, "mixtral-8x7b-v0.1": 46_702_792_704, "qwen2-7b": 7_615_616_512,
		"deepseek-v3": 684_489_830_400, "qwen3-30b-a3b": 30_532_122_624, "t5-small": 60_506_624,
		"whisper-small": 241_734_912, "clip-vit-base-patch32": 151_277_313,
	} {
		info, err := loader.New().Inspect(preset(t, name), name)
		require.NoError(t, err)
		require.NotNil(t, info.Weights.Parameters, name)
		assert.Equal(t, want, *info.Weights.Parameters, name)
	}
}

func TestMemoryOfPresets(t *testing.T) {
	for _, c := range []struct {
		name    string
		context int64
		cache   int64
		note    string
	}{
		{"llama-3-8b", 0, 2 * 32 * 8 * 128 * 8192 * 2, ""},
		{"llama-3-8b", 1000, 2 * 32 * 8 * 128 * 1000 * 2, ""},
		{"llama-3-8b", 100_000, 2 * 32 * 8 * 128 * 100_000 * 2, "made for 8192 tokens"},
		{"llama-2-7b-gguf", 4096, 2 * 32 * 32 * 128 * 4096 * 2, ""},
		{"deepseek-v3", 4096, 61 * (512 + 64) * 4096 * 2, "latent attention"},
		{"mistral-7b-v0.1", 32768, 2 * 32 * 8 * 128 * 4096 * 2, "sliding window"},
		{"gemma-2-2b", 8192, 13*2*4*256*8192*2 + 13*2*4*256*4096*2, "13 of 26 layers"},
		{"qwen2.5-omni-7b", 1024, 2 * 28 * 4 * 128 * 1024 * 2, ""},
		{"falcon-7b", 2048, 2 * 32 * 1 * 71 / 71 * 64 * 2048 * 2, ""},
		{"gpt2", 1024, 2 * 12 * 12 * 64 * 1024 * 2, ""},
		{"t5-small", 512, 2 * 6 * 8 * 64 * 512 * 2, "encoder's output"},
	} {
		info, err := loader.New(loader.WithContext(c.context)).Inspect(preset(t, c.name), c.name)
		require.NoError(t, err)
		require.NotNil(t, info.Memory, c.name)
		require.NotNil(t, info.Memory.KVCache, c.name)
		assert.Equal(t, c.cache, *info.Memory.KVCache, c.name)
		assert.Equal(t, info.Memory.Weights+c.cache, info.Memory.Total, c.name)
		assert.Contains(t, strings.Join(info.Memory.Notes, "\n"), c.note, c.name)
	}
	info, err := loader.New(loader.WithContext(512)).Inspect(preset(t, "bert-base-uncased"), "bert-base-uncased")
	require.NoError(t, err)
	assert.Nil(t, info.Memory.KVCache, "an encoder keeps no cache")
	assert.Equal(t, *info.Weights.Parameters*2, info.Memory.WeightsAs["bfloat16"])
}

// TestGolden compares the whole answers; -update rewrites them.
func TestGolden(t *testing.T) {
	for _, name := range []string{"llama-3-8b", "llama-2-7b-gguf", "stable-diffusion-1.5", "saelens-gpt2-small", "llama-3-8b-bnb-4bit", "qwen2.5-omni-7b"} {
		info, err := loader.New().Inspect(preset(t, name), name)
		require.NoError(t, err)
		var got bytes.Buffer
		encoder := json.NewEncoder(&got)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		require.NoError(t, encoder.Encode(info))
		golden := filepath.Join("testdata", "inspect", name+".golden.json")
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
			require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err, "go test ./loader -run TestGolden -update writes it")
		assert.Equal(t, string(want), got.String(), name)
	}
}

// TestDamagedFilesAreFindings cuts each file of some presets, flips its bytes and
// zeroes it: an inspection never fails, never panics, and the weights, config and
// tokenizer that were cut never go unnoticed.
func TestDamagedFilesAreFindings(t *testing.T) {
	for _, name := range []string{"gpt2", "llama-2-7b-lora", "llama-2-7b-gguf", "wav2vec2-base", "saelens-gpt2-small", "gemma-scope-2b-res", "all-minilm-l6-v2"} {
		fsys := fixtures.NewFs()
		require.NoError(t, fixtures.New(fsys, name).AddPreset(name))
		before, err := loader.New().Inspect(afero.NewIOFS(fsys), name)
		require.NoError(t, err)
		var files []string
		require.NoError(t, afero.Walk(fsys, name, func(p string, info fs.FileInfo, err error) error {
			if err == nil && !info.IsDir() {
				files = append(files, strings.TrimPrefix(p, name+"/"))
			}
			return err
		}))
		for _, file := range files {
			damage(t, fsys, name, file, before)
		}
	}
}

func damage(t *testing.T, fsys afero.Fs, name, file string, before *answer.Info) {
	t.Helper()
	full := name + "/" + file
	all := fixtures.New(fsys, ".")
	restore := func() { require.NoError(t, fixtures.New(fsys, name).AddPreset(name)) }
	look := func() *answer.Info {
		got, err := loader.New().Inspect(afero.NewIOFS(fsys), name)
		require.NoError(t, err)
		_, err = json.Marshal(got)
		require.NoError(t, err)
		return got
	}
	info, err := fsys.Stat(full)
	require.NoError(t, err)
	used := slices.Contains(before.Weights.Files, file)
	isError := func(f answer.Finding) bool { return f.Severity == answer.SeverityError }

	// Cut from the end, so that nothing has to be restored between: eleven cuts
	// over the whole, and every 14th byte of the first 700.
	var cuts []int64
	for i := range int64(11) {
		cuts = append(cuts, info.Size()*i/11)
	}
	for at := int64(0); at < min(700, info.Size()); at += 14 {
		cuts = append(cuts, at)
	}
	slices.Sort(cuts)
	for _, at := range slices.Backward(slices.Compact(cuts)) {
		require.NoError(t, all.Cut(full, at))
		got := look()
		if used {
			assert.False(t, got.Weights != nil && *got.Weights.Complete, "%s cut to %d bytes", full, at)
			assert.True(t, slices.ContainsFunc(got.Findings, isError), "%s cut to %d bytes: %+v", full, at, got.Findings)
		}
	}
	restore()
	f, err := fsys.OpenFile(full, os.O_RDWR, 0)
	require.NoError(t, err)
	for _, start := range []int64{0, max(0, info.Size()-140)} {
		for at := start; at < min(start+420, info.Size()); at += 14 {
			var b [1]byte
			_, err := f.ReadAt(b[:], at)
			require.NoError(t, err)
			_, err = f.WriteAt([]byte{b[0] ^ 0x81}, at)
			require.NoError(t, err)
			look()
			_, err = f.WriteAt(b[:], at)
			require.NoError(t, err)
		}
	}
	require.NoError(t, f.Close())
	assert.Equal(t, before.Findings, look().Findings, "%s as it was", full)
	require.NoError(t, all.ZeroFill(full))
	if got := look(); used {
		assert.True(t, slices.ContainsFunc(got.Findings, func(f answer.Finding) bool { return f.Code == finding.ZeroFilled && f.File == file }), full)
	}
	restore()
}
