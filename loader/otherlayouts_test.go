package loader_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/finding"
)

// ct2Of is the head of a CTranslate2 model: the binary version, the specification
// with its closing zero, the revision.
func ct2Of(spec string) string {
	b := binary.LittleEndian.AppendUint32(nil, 6)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(spec)+1))
	b = append(append(b, spec...), 0)
	return string(binary.LittleEndian.AppendUint32(b, 7)) + "variables"
}

func TestLayoutsOfOtherLibraries(t *testing.T) {
	vocabulary := "m/vocabulary.json"
	for _, c := range []struct {
		files          map[string]string
		layout         string
		category       answer.Category
		task           answer.Task
		class, loadsAs string
	}{
		{map[string]string{"m/model.bin": ct2Of("TransformerDecoderSpec"), vocabulary: "[]"}, "ctranslate2", answer.Transformers, "causal_lm", "unknown", "CTranslate2"},
		{map[string]string{"m/model.bin": ct2Of("TransformerEncoderSpec"), vocabulary: "[]"}, "ctranslate2", answer.Transformers, "text_encoder", "unknown", "CTranslate2"},
		{map[string]string{"m/model.bin": ct2Of("TransformerSpec"), vocabulary: "[]"}, "ctranslate2", answer.Transformers, "seq2seq_lm", "unknown", "CTranslate2"},
		{map[string]string{"m/ggml-model-q4_0.bin": "tjgg\x03\x00\x00\x00 and so on"}, "ggml", answer.Unknown, "", "unknown", "unknown"},
		{map[string]string{"m/config.json": `{"version":"0.13","pretrained_config":{"architecture":"LlamaForCausalLM"},"build_config":{}}`, "m/rank0.engine": "x"}, "tensorrt-llm", answer.Transformers, "causal_lm", "LlamaForCausalLM", "LlamaForCausalLM"},
		{map[string]string{"m/config.json": `{"module":"keras_hub.src.models.bert","class_name":"BertBackbone"}`, "m/model.weights.h5": "\x89HDF\r\n\x1a\n"}, "keras hub", answer.Unknown, "", "unknown", "Keras"},
		{map[string]string{"m/vad.jit": "x"}, "torchscript", answer.Unknown, "", "unknown", "TorchScript"},
		{map[string]string{"m/canary.nemo": "x", "m/README.md": "---\npipeline_tag: automatic-speech-recognition\n---\n"}, "nemo", answer.ASR, "asr", "unknown", "unknown"},
	} {
		info, err := loader.New().ModelInfo(treeFS(c.files), "m")
		require.NoError(t, err)
		assert.Equal(t, c.layout, info.Layout)
		assert.Equal(t, c.category, info.Category, c.layout)
		assert.Equal(t, c.task, info.Task, c.layout)
		assert.Equal(t, c.class, info.Architecture, c.layout)
		assert.Equal(t, c.loadsAs, info.LoadsAs, c.layout)
	}
}

// The one model in a directory is named, and its config is not missed above it.
func TestModelInSubdirectory(t *testing.T) {
	files := map[string]string{}
	for name, text := range sound(nil) {
		files["m/inner/"+name[2:]] = text
	}
	info := inspect(t, files)
	require.Len(t, info.Findings, 1, "%+v", info.Findings)
	assert.Equal(t, answer.Finding{Severity: answer.SeverityWarning, Code: finding.LayoutAmbiguous,
		Message: "the model lies in a directory of its own: inner", Hint: "give the directory inner"}, info.Findings[0])
}

// A pipeline's index beside a whole model: neither wins.
func TestPipelineBesideModelIsAmbiguous(t *testing.T) {
	info, err := loader.New().ModelInfo(treeFS(sound(map[string]string{"m/model_index.json": `{"_class_name":"FluxPipeline"}`})), "m")
	require.NoError(t, err)
	assert.Equal(t, []string{"diffusers: diffusers", "transformers: transformers"}, info.Candidates)
	assert.Equal(t, answer.Unknown, info.Category)
	assert.False(t, info.IsSupported)
}

func TestUnfinishedModelScopeDownload(t *testing.T) {
	assert.Contains(t, codes(inspect(t, sound(map[string]string{"m/._____temp/model.safetensors": "x"})).Findings), finding.IncompleteDownload)
}

func TestMissingRankIsReported(t *testing.T) {
	files := map[string]string{
		"m/config.json":       `{"architecture":"LlamaForCausalLM","mapping":{"world_size":2,"tp_size":2}}`,
		"m/rank0.safetensors": tensors("a"),
	}
	info := inspect(t, files)
	assert.Contains(t, codes(info.Findings), finding.ShardMissing)
	assert.Equal(t, []string{"rank1.safetensors"}, info.Weights.Missing)
	assert.False(t, *info.Weights.Complete)
	files["m/rank1.safetensors"] = tensors("b")
	info = inspect(t, files)
	assert.NotContains(t, codes(info.Findings), finding.ShardMissing)
	assert.True(t, *info.Weights.Complete)
}
