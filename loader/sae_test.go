package loader_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
)

func TestEachIndicatorDirectoryMakesAnSAE(t *testing.T) {
	for _, dir := range []string{"resid_post", "mlp_out", "attn_out", "transcoder", "resid_post_all", "mlp_out_all", "attn_out_all", "transcoder_all", "crosscoder", "clt"} {
		is, err := loader.New().IsSAE(treeFS(map[string]string{"m/config.json": "{}", "m/" + dir + "/": ""}), "m")
		require.NoError(t, err)
		assert.True(t, is, dir)
	}
}

func TestDirectoriesThatAreNoSAE(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"a tokenizer":      {"m/resid_post/": "", "m/tokenizer.json": "{}"},
		"a vocabulary":     {"m/resid_post/": "", "m/vocab.txt": "a"},
		"a file":           {"m/resid_post": "x"},
		"another name":     {"m/resid_mid/": ""},
		"nothing":          {"m/": ""},
		"a class, no SAE":  {"m/config.json": `{"architectures":["LlamaForCausalLM"]}`, "m/transcoder/notes.txt": "x"},
		"a language model": {"m/config.json": `{"architectures":["LlamaForCausalLM"]}`},
	} {
		is, err := loader.New().IsSAE(treeFS(files), "m")
		require.NoError(t, err)
		assert.False(t, is, name)
	}
}

func baseModel(t *testing.T, files map[string]string) *answer.BaseModel {
	t.Helper()
	b, err := loader.New().SAEBaseModel(treeFS(files), "m")
	require.NoError(t, err)
	return b
}

func TestBaseModelComesFromAnyIndicatorDirectory(t *testing.T) {
	for _, dir := range []string{"resid_post", "mlp_out", "transcoder_all"} {
		b := baseModel(t, map[string]string{"m/" + dir + "/layer_17_width_16k/config.json": `{"model_name":"google/gemma-2b-it"}`})
		require.NotNil(t, b.Name, dir)
		assert.Equal(t, "google/gemma-2b-it", *b.Name)
		assert.Equal(t, dir+"/layer_17_width_16k/config.json", *b.Source)
		assert.Equal(t, []int{17}, b.Layers)
	}
}

func TestMalformedSAEConfigIsReported(t *testing.T) {
	b := baseModel(t, map[string]string{
		"m/resid_post/layer_0/config.json": `{"model_name":`,
		"m/resid_post/layer_1/config.json": `{}`,
		"m/resid_post/layer_2/config.json": `{"model_name":7}`,
		"m/resid_post/layer_3/config.json": `{"model_name":"google/gemma-2-2b"}`,
		"m/resid_post/layer_4/params.npz":  "x",
		"m/resid_post/README.md":           "x",
	})
	require.NotNil(t, b.Name)
	assert.Equal(t, "google/gemma-2-2b", *b.Name)
	assert.Equal(t, []int{0, 1, 2, 3, 4}, b.Layers)
	require.Equal(t, []string{finding.SAEConfigMalformed}, codes(b.Findings))
	assert.Equal(t, "resid_post/layer_0/config.json", b.Findings[0].File)
}

func TestBaseModelThatNoFileNames(t *testing.T) {
	b := baseModel(t, map[string]string{"m/resid_post/": ""})
	assert.Nil(t, b.Name)
	info := infoOf(t, treeFS(map[string]string{"m/resid_post/": ""}))
	assert.True(t, info.IsSAE)
	assert.Equal(t, []string{"resid_post"}, info.SAE.Sites)
	assert.Equal(t, []string{finding.SAEBareDirectories, finding.SAEBaseModelUnknown}, codes(info.Findings))
}

func TestBaseModelOfAnythingElseIsAnError(t *testing.T) {
	_, err := loader.New().SAEBaseModel(config(`{"architectures":["LlamaForCausalLM"]}`), "m")
	assert.Equal(t, answer.NotAnSAE, fault.KindOf(err))
}
