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

// ggufTexts is a GGUF file of keys alone, each a text: name, value, name, value …
func ggufTexts(pairs ...string) string {
	b := []byte("GGUF\x03\x00\x00\x00")
	b = binary.LittleEndian.AppendUint64(b, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(pairs)/2))
	text := func(s string) {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	for i := 0; i < len(pairs); i += 2 {
		text(pairs[i])
		b = binary.LittleEndian.AppendUint32(b, 8) // a text
		text(pairs[i+1])
	}
	return string(b)
}

func ggufOfArchitecture(architecture string) string {
	return ggufTexts("general.architecture", architecture)
}

func TestGGUFDirectories(t *testing.T) {
	for _, c := range []struct {
		name       string
		files      map[string]string
		layout     string
		category   answer.Category
		task       answer.Task
		supported  bool
		candidates []string
	}{
		{"a directory for each quantization", map[string]string{"m/Q4_K_M/x-Q4_K_M-00001-of-00002.gguf": ggufOfArchitecture("llama"), "m/Q4_K_M/x-Q4_K_M-00002-of-00002.gguf": ggufOfArchitecture("llama"), "m/Q8_0/x-Q8_0.gguf": ggufOfArchitecture("llama"), "m/README.md": "# x"},
			"gguf", answer.Transformers, "causal_lm", true, []string{}},
		{"a directory for each model", map[string]string{"m/a/a-Q4_K_M.gguf": ggufOfArchitecture("llama"), "m/b/b-Q4_K_M.gguf": ggufOfArchitecture("llama")},
			"several models", answer.Unknown, "", false, []string{"a", "b"}},
		{"versions of one", map[string]string{"m/x.IQ2_XXS.gguf": ggufOfArchitecture("llama"), "m/x-UD-Q4_K_XL.gguf": ggufOfArchitecture("llama"), "m/x-bf16.gguf": ggufOfArchitecture("llama"), "m/x-imatrix.gguf": ggufOfArchitecture("other")},
			"gguf", answer.Transformers, "causal_lm", true, []string{}},
		{"two models", map[string]string{"m/sd3.5-Q8_0.gguf": ggufOfArchitecture("sd3"), "m/wan2.2-Q4_K_M.gguf": ggufOfArchitecture("wan")},
			"several models", answer.Unknown, "", false, []string{"sd3.5-Q8_0.gguf", "wan2.2-Q4_K_M.gguf"}},
		{"an image model", map[string]string{"m/flux1-dev-Q4_0.gguf": ggufOfArchitecture("flux")},
			"gguf", answer.Diffusers, "diffusion_component", true, []string{}},
		{"an adapter", map[string]string{"m/l.gguf": ggufTexts("general.architecture", "llama", "general.type", "adapter")},
			"gguf", answer.Adapter, "adapter", true, []string{}},
		{"a model and its projector", map[string]string{"m/g-Q4_K_M.gguf": ggufOfArchitecture("llama"), "m/mmproj-f16.gguf": ggufTexts("general.architecture", "clip", "clip.projector_type", "mlp")},
			"gguf", answer.Transformers, "vision_language", true, []string{}},
		{"an architecture on no list", map[string]string{"m/n.gguf": ggufOfArchitecture("nova9moe")},
			"gguf", answer.Transformers, "", false, []string{}},
		{"no architecture", map[string]string{"m/n.gguf": ggufTexts()},
			"gguf", answer.Unknown, "", false, []string{}},
	} {
		info, err := loader.New().ModelInfo(treeFS(c.files), "m")
		require.NoError(t, err, c.name)
		assert.Equal(t, c.layout, info.Layout, c.name)
		assert.Equal(t, c.category, info.Category, c.name)
		assert.Equal(t, c.task, info.Task, c.name)
		assert.Equal(t, c.supported, info.IsSupported, "%s: %s", c.name, info.DecidedBy)
		assert.Equal(t, c.candidates, info.Candidates, c.name)
		for _, f := range info.Findings {
			if len(c.candidates) > 0 {
				assert.NotEqual(t, answer.SeverityError, f.Severity, "%s: several models are an answer", c.name)
			}
		}
		assert.Equal(t, !c.supported, len(info.Findings) > 0, "%s: %+v", c.name, info.Findings)
	}
}

// Files that are whole programs need no config.json, and one runtime runs them;
// of several formats side by side none wins.
func TestSelfDescribingFormatsNeedNoConfig(t *testing.T) {
	info := inspect(t, map[string]string{"m/nmp.mlpackage/Manifest.json": "{}", "m/nmp.mlpackage/Data/com.apple.CoreML/weights/weight.bin": "x"})
	assert.True(t, info.IsSupported)
	assert.Equal(t, "Core ML", info.LoadsAs)
	for _, f := range info.Findings {
		assert.Equal(t, answer.SeverityNote, f.Severity, "%+v", f)
	}
	info = inspect(t, map[string]string{"m/a.onnx": "x", "m/a.tflite": "\x1c\x00\x00\x00TFL3"})
	assert.Equal(t, "ambiguous", info.Layout)
	assert.Equal(t, []string{"tflite", "onnx"}, info.Candidates)
}

// A config.json is missed only where one belongs.
func TestMissingConfigIsReported(t *testing.T) {
	severity := func(files map[string]string) answer.Severity {
		found := answer.Severity("")
		for _, f := range inspect(t, files).Findings {
			assert.NotEqual(t, finding.NothingRecognized, f.Code, "said already: %+v", f)
			if f.Code == finding.ConfigMissing {
				found = f.Severity
			}
		}
		return found
	}
	assert.Equal(t, answer.SeverityError, severity(map[string]string{"m/model.safetensors": tensors("a")}))
	assert.Equal(t, answer.SeverityNote, severity(map[string]string{"m/model.safetensors": tensors("a"), "m/README.md": "---\nlibrary_name: f5-tts\n---\n"}))
	assert.Empty(t, severity(map[string]string{"m/pytorch_lora_weights.safetensors": tensors("unet.a")}))
	assert.Empty(t, severity(map[string]string{"m/flux1-dev.safetensors": tensors("double_blocks.0.img_attn.qkv.weight")}))
	assert.Empty(t, severity(map[string]string{"m/x.gguf": ggufOfArchitecture("llama")}))
}
