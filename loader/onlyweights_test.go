package loader_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
)

func TestOnlyWeights(t *testing.T) {
	fsys := treeFS(sound(map[string]string{
		"m/sd3-Q8_0.gguf": ggufOfArchitecture("sd3"), "m/wan-Q8_0.gguf": ggufOfArchitecture("wan"),
		"m/other-00001-of-00002.safetensors": tensors("a"), "m/other-00002-of-00002.safetensors": tensors("b", "c"),
		"m/other-00001-of-00003.safetensors": tensors("d"),
	}))
	for file, want := range map[string][]string{
		"m/wan-Q8_0.gguf":                    {"wan-Q8_0.gguf"},
		"m/model.safetensors":                {"model.safetensors"},
		"m/other-00002-of-00002.safetensors": {"other-00001-of-00002.safetensors", "other-00002-of-00002.safetensors"},
	} {
		only, dir, ok := loader.OnlyWeights(fsys, file)
		require.True(t, ok, file)
		assert.Equal(t, "m", dir)
		info, err := loader.New().Inspect(only, dir)
		require.NoError(t, err, file)
		assert.Equal(t, want, info.Weights.Files, file)
		assert.Empty(t, info.Weights.Ignored, file)
		assert.NotNil(t, info.Tokenizer, "what lies beside the weights is seen")
	}
	for _, file := range []string{"m/config.json", "m/README.md", "m"} {
		_, _, ok := loader.OnlyWeights(fsys, file)
		assert.False(t, ok, file)
	}
}

// A file that an index names is inspected with the others that it names.
func TestOnlyWeightsOfAnIndex(t *testing.T) {
	files := shardsOf("model.safetensors.index.json", "model_00001-of-00002.safetensors", "model_mtp.safetensors")
	files["m/other.safetensors"] = tensors("a")
	files["m/broken.safetensors.index.json"] = "{"
	fsys := treeFS(files)
	for file, want := range map[string][]string{
		"m/model_00001-of-00002.safetensors": {"model_00001-of-00002.safetensors", "model_mtp.safetensors"},
		"m/model_mtp.safetensors":            {"model_00001-of-00002.safetensors", "model_mtp.safetensors"},
		"m/other.safetensors":                {"other.safetensors"},
	} {
		only, dir, ok := loader.OnlyWeights(fsys, file)
		require.True(t, ok, file)
		info, err := loader.New().Inspect(only, dir)
		require.NoError(t, err, file)
		assert.Equal(t, want, info.Weights.Files, file)
		assert.Empty(t, info.Weights.Ignored, file)
		assert.True(t, *info.Weights.Complete, file)
	}
}
