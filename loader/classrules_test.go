package loader_test

import (
	"strings"
	"testing"

	"omniloader/loader/answer"

	"github.com/stretchr/testify/assert"
)

// An unlisted class whose name has no known shape.
const vagueConfig = `{"architectures":["Zqx9"],"model_type":"zqx9"}`

func TestProcessorConfigDecidesCategory(t *testing.T) {
	for name, c := range map[string]struct {
		processor string
		want      answer.Category
	}{
		"images":             {`{"image_processor_type":"ZqxImageProcessor"}`, answer.VisionEncoder},
		"images, older":      {`{"feature_extractor_type":"ZqxFeatureExtractor","image_mean":[0.5]}`, answer.VisionEncoder},
		"sound":              {`{"feature_extractor_type":"ZqxFeatureExtractor","sampling_rate":16000}`, answer.AudioEncoder},
		"neither":            {`{"do_resize":true}`, answer.Transformers},
		"broken":             {`{"image_processor_type":`, answer.Transformers},
		"of the wrong shape": {`[]`, answer.Transformers},
	} {
		info := infoOf(t, treeFS(map[string]string{"m/config.json": vagueConfig, "m/preprocessor_config.json": c.processor}))
		assert.Equal(t, c.want, info.Category, name)
	}
	info := infoOf(t, treeFS(map[string]string{"m/config.json": vagueConfig, "m/preprocessor_config.json": `{"image_processor_type":"X"}`, "m/tokenizer.json": "{}"}))
	assert.Equal(t, answer.Transformers, info.Category, "text goes in too")
}

// A head that many kinds of model have, with what its checkpoint says beside it.
func TestSpectrogramProcessorMeansSpeech(t *testing.T) {
	config := `{"architectures":["Zqx9ForConditionalGeneration"],"model_type":"zqx9"}`
	for processor, want := range map[string]answer.Task{
		`{"feature_extractor_type":"Zqx9FeatureExtractor","feature_size":80,"n_fft":400,"sampling_rate":16000}`: "asr",
		`{"feature_extractor_type":"Zqx9FeatureExtractor","feature_size":1,"sampling_rate":24000}`:              "seq2seq_lm", // a codec's, which listens in order to speak
		`{"image_processor_type":"Zqx9ImageProcessor"}`:                                                         "seq2seq_lm",
		`{"n_fft":`: "seq2seq_lm",
	} {
		info := infoOf(t, treeFS(map[string]string{"m/config.json": config, "m/preprocessor_config.json": processor, "m/tokenizer.json": "{}"}))
		assert.Equal(t, want, info.Task, processor)
	}
}

func TestTooLongNamesAreIgnored(t *testing.T) {
	long := strings.Repeat("A", maxName+1)
	for config, want := range map[string]string{
		`{"architectures":["` + long + `"]}`:                                     "unknown",
		`{"architectures":"` + long + `"}`:                                       "unknown",
		`{"architectures":["` + long + `","LlamaForCausalLM"]}`:                  "LlamaForCausalLM",
		`{"architectures":["` + long[:maxName] + `"]}`:                           long[:maxName],
		`{"architectures":["LlamaForCausalLM"],"model_type":"` + long + `"}`:     "LlamaForCausalLM",
		`{"auto_map":{"AutoModel":"m.` + long + `"}}`:                            "unknown",
		`{"_class_name":"` + long + `"}`:                                         "unknown",
		`{"_class_name":["m","` + long + `"]}`:                                   "unknown",
		`{"architecture":"` + long + `","num_features":1,"pretrained_cfg":null}`: "unknown",
	} {
		info := infoOf(t, treeFS(map[string]string{"m/config.json": config}))
		assert.Equal(t, want, info.Architecture, config[:40])
		assert.LessOrEqual(t, len(info.ModelType), maxName)
		for _, f := range info.Findings {
			assert.Less(t, len(f.Message), 2*maxName)
		}
	}
	info := infoOf(t, treeFS(map[string]string{"m/config.json": `{"architectures":["` + long + `"],"model_type":"` + long + `"}`}))
	codes := []string{}
	for _, f := range info.Findings {
		codes = append(codes, f.Code+": "+f.Message)
	}
	assert.Contains(t, codes, `config-architectures: "architectures" holds a name of 257 bytes among its names; it is ignored`)
	assert.Contains(t, codes, `config-model-type: "model_type" holds a name of 257 bytes; it is ignored`)
}

// maxName is the longest name of a class that is looked up, in bytes.
const maxName = 256

func TestPipelineTagOfCardDecidesCategory(t *testing.T) {
	card := "---\nlicense: mit\npipeline_tag: automatic-speech-recognition\n---\n# Zqx\n"
	info := infoOf(t, treeFS(map[string]string{"m/config.json": vagueConfig, "m/README.md": card}))
	assert.Equal(t, answer.ASR, info.Category)
	assert.Contains(t, info.DecidedBy, "card")
	info = infoOf(t, treeFS(map[string]string{"m/config.json": gptConfig, "m/README.md": card}))
	assert.Equal(t, answer.Transformers, info.Category, "a class that is listed beats the card")
	info = infoOf(t, treeFS(map[string]string{"m/README.md": card, "m/asr.yaml": "x"}))
	assert.Equal(t, answer.ASR, info.Category)
	assert.False(t, info.IsSupported)
	info = infoOf(t, treeFS(map[string]string{"m/config.json": "{}", "m/model.safetensors": "", "m/README.md": strings.ReplaceAll(card, "\n", "\r\n")}))
	assert.Equal(t, answer.ASR, info.Category)
}

func TestCardWithoutPipelineTagIsIgnored(t *testing.T) {
	for name, card := range map[string]string{
		"no front matter": "# Zqx\npipeline_tag: automatic-speech-recognition\n",
		"not closed":      "---\npipeline_tag: automatic-speech-recognition\n",
		"no YAML":         "---\n{pipeline_tag: [\n---\n",
		"a list":          "---\n- pipeline_tag\n---\n",
		"unknown tag":     "---\npipeline_tag: telepathy\n---\n",
		"beyond reach":    "---\n" + strings.Repeat("a: 1\n", 20000) + "pipeline_tag: automatic-speech-recognition\n---\n",
		"empty":           "",
	} {
		info := infoOf(t, treeFS(map[string]string{"m/config.json": vagueConfig, "m/README.md": card}))
		assert.Equal(t, answer.Transformers, info.Category, name)
	}
}

func TestClassNameFromAutoMap(t *testing.T) {
	for config, want := range map[string]string{
		`{"auto_map":{"AutoModel":"m.A","AutoModelForCausalLM":"m.B"}}`:                 "B",
		`{"auto_map":{"AutoModelForCausalLM":"m.B","AutoModel":"m.A"}}`:                 "B",
		`{"auto_map":{"AutoModel":"org/repo--m.A"}}`:                                    "A",
		`{"auto_map":{"AutoModel":["m.A",null]}}`:                                       "A",
		`{"auto_map":{"AutoConfig":"m.C","AutoTokenizer":["m.T",null]}}`:                "unknown",
		`{"auto_map":{"AutoModel":7}}`:                                                  "unknown",
		`{"auto_map":"m.A"}`:                                                            "unknown",
		`{"architectures":["LlamaForCausalLM"],"auto_map":{"AutoModel":"m.A"}}`:         "LlamaForCausalLM",
		`{"architectures":[],"auto_map":{"AutoModelForCausalLM":"m.LlamaForCausalLM"}}`: "LlamaForCausalLM",
	} {
		info := infoOf(t, treeFS(map[string]string{"m/config.json": config}))
		assert.Equal(t, want, info.Architecture, config)
	}
}

func TestUnreadableModulesJSONKeepsLayout(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"no list":        {"modules.json": `{}`},
		"broken":         {"modules.json": `[{"path":`},
		"no such path":   {"modules.json": `[{"path":"0_Transformer","type":"x.Transformer"}]`},
		"leads outside":  {"modules.json": `[{"path":"../other","type":"x.Transformer"}]`},
		"no config":      {"modules.json": `[{"path":"0_Transformer","type":"x.Transformer"}]`, "0_Transformer/a": ""},
		"broken config":  {"modules.json": `[{"path":"0_Transformer","type":"x.Transformer"}]`, "0_Transformer/config.json": "{"},
		"no transformer": {"modules.json": `[{"path":"0_WordEmbeddings","type":"x.WordEmbeddings"}]`, "0_WordEmbeddings/config.json": gptConfig},
	} {
		laid := map[string]string{}
		for file, content := range files {
			laid["m/"+file] = content
		}
		info := infoOf(t, treeFS(laid))
		assert.Equal(t, "sentence-transformers", info.Layout, name)
		assert.Equal(t, answer.Task("text_embedding"), info.Task, name)
		assert.Equal(t, "unknown", info.Architecture, name)
	}
}
