package loader_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	modelconfig "omniloader/loader/internal/config"
)

// tree lays out files from path to content; a path that ends in "/" is an empty
// directory.
func treeFS(files map[string]string) fs.FS {
	m := fstest.MapFS{}
	for name, content := range files {
		if dir, ok := strings.CutSuffix(name, "/"); ok {
			m[dir] = &fstest.MapFile{Mode: fs.ModeDir | 0o755}
			continue
		}
		m[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
	}
	return m
}

func config(text string) fs.FS { return treeFS(map[string]string{"m/config.json": text}) }

func infoOf(t *testing.T, fsys fs.FS) *answer.Info {
	t.Helper()
	info, err := loader.New().ModelInfo(fsys, "m")
	require.NoError(t, err)
	return info
}

func codes(findings []answer.Finding) (codes []string) {
	for _, f := range findings {
		codes = append(codes, f.Code)
	}
	return codes
}

func TestUnreadableConfigIsAnErrorOfItsKind(t *testing.T) {
	for name, c := range map[string]struct {
		fsys fs.FS
		kind fault.Kind
		file string
	}{
		"no directory":       {treeFS(map[string]string{"other/": ""}), fault.NotFound, "m"},
		"a file":             {treeFS(map[string]string{"m": "x"}), fault.NotAFile, "m"},
		"empty":              {config(""), fault.Empty, "config.json"},
		"blank":              {config(" \n"), fault.Truncated, "config.json"},
		"no JSON":            {config("architectures: [x]"), fault.NotJSON, "config.json"},
		"comment":            {config("{\n// x\n}"), fault.NotJSON, "config.json"},
		"cut":                {config(`{"architectures": ["Llama`), fault.Truncated, "config.json"},
		"null":               {config("null"), fault.WrongType, "config.json"},
		"list":               {config("[1]"), fault.WrongType, "config.json"},
		"string":             {config(`"LlamaForCausalLM"`), fault.WrongType, "config.json"},
		"two values":         {config("{} {}"), fault.NotJSON, "config.json"},
		"deep":               {config(`{"a":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + "}"), fault.TooDeep, "config.json"},
		"directory":          {treeFS(map[string]string{"m/config.json/": ""}), fault.NotAFile, "config.json"},
		"zeros":              {config("\x00\x00\x00\x00"), fault.ZeroFilled, "config.json"},
		"pointer":            {config("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"), fault.LFSPointer, "config.json"},
		"web page":           {config("<!DOCTYPE html><html>"), fault.HTMLPage, "config.json"},
		"pipeline's index":   {treeFS(map[string]string{"m/model_index.json": "["}), fault.Truncated, "model_index.json"},
		"adapter's config":   {treeFS(map[string]string{"m/adapter_config.json": "null"}), fault.WrongType, "adapter_config.json"},
		"UTF-16":             {config("\xff\xfe{\x00}\x00"), fault.NotJSON, "config.json"},
		"invalid UTF-8 text": {config("{\"model_type\":\"\xff\"}"), fault.NotJSON, "config.json"},
	} {
		l := loader.New()
		_, err := l.ModelInfo(c.fsys, "m")
		assert.Equal(t, c.kind, fault.KindOf(err), "%s: %v", name, err)
		assert.Equal(t, c.file, fault.PathOf(err), "%s: %v", name, err)
		for _, ask := range []func() error{
			func() error { _, err := l.Category(c.fsys, "m"); return err },
			func() error { _, err := l.Support(c.fsys, "m"); return err },
			func() error { _, err := l.IsOmni(c.fsys, "m"); return err },
			func() error { _, err := l.IsSAE(c.fsys, "m"); return err },
		} {
			assert.EqualError(t, ask(), err.Error(), "%s: every question gives the same error", name)
		}
	}
}

func TestConfigBeyondTheLimitIsRefusedUnread(t *testing.T) {
	fsys := hugeFS{config("{}"), modelconfig.MaxSize + 1}
	_, err := loader.New().ModelInfo(fsys, "m")
	assert.ErrorIs(t, err, fault.TooLarge)
	assert.Contains(t, err.Error(), "at most 67.1 MB are read")
}

// hugeFS says that every file has size bytes.
type hugeFS struct {
	fs.FS
	size int64
}

func (h hugeFS) Open(name string) (fs.File, error) {
	f, err := h.FS.Open(name)
	if dir, ok := f.(fs.ReadDirFile); ok {
		return dir, err
	}
	return hugeFile{f, h.size}, err
}

type hugeFile struct {
	fs.File
	size int64
}

func (h hugeFile) Stat() (fs.FileInfo, error) {
	info, err := h.File.Stat()
	return hugeInfo{info, h.size}, err
}

func (hugeFile) Read([]byte) (int, error) { panic("read, although it is too large") }

type hugeInfo struct {
	fs.FileInfo
	size int64
}

func (h hugeInfo) Size() int64 { return h.size }

func TestFileThatShrinksWhileReadIsTruncated(t *testing.T) {
	m := fstest.MapFS{"m/config.json": {Data: []byte(`{}`), Mode: 0o644}}
	_, err := loader.New().ModelInfo(shrinkingFS{m}, "m")
	assert.ErrorIs(t, err, fault.Truncated)
}

type shrinkingFS struct{ fs.FS }

func (s shrinkingFS) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if dir, ok := f.(fs.ReadDirFile); ok {
		return dir, err
	}
	return shrinkingFile{f}, err
}

type shrinkingFile struct{ fs.File }

func (s shrinkingFile) Stat() (fs.FileInfo, error) {
	info, err := s.File.Stat()
	return hugeInfo{info, info.Size() + 10}, err
}

func TestUnusualConfigsAreReadAndReported(t *testing.T) {
	for text, want := range map[string]struct {
		architecture, code string
	}{
		"\xEF\xBB\xBF" + `{"architectures":["LlamaForCausalLM"]}`:             {"LlamaForCausalLM", finding.ConfigBOM},
		`{"architectures":["LlamaForCausalLM"],"x":NaN}`:                      {"LlamaForCausalLM", finding.ConfigNonFinite},
		`{"architectures":["LlamaForCausalLM"],"x":{"y":[-Infinity]}}`:        {"LlamaForCausalLM", finding.ConfigNonFinite},
		`{"architectures":["BertModel"],"architectures":["GPT2LMHeadModel"]}`: {"GPT2LMHeadModel", finding.ConfigDuplicateKey},
		`{"architectures":"LlamaForCausalLM"}`:                                {"LlamaForCausalLM", finding.ConfigArchitectures},
		`{"architectures":[1,"LlamaForCausalLM"]}`:                            {"LlamaForCausalLM", finding.ConfigArchitectures},
		`{"architectures":7,"model_type":"llama"}`:                            {"unknown", finding.ConfigArchitectures},
		`{"architectures":{"a":1},"model_type":"llama"}`:                      {"unknown", finding.ConfigArchitectures},
		`{"architectures":["LlamaForCausalLM"],"model_type":["llama"]}`:       {"LlamaForCausalLM", finding.ConfigModelType},
	} {
		info := infoOf(t, config(text))
		assert.Equal(t, want.architecture, info.Architecture, text)
		assert.Contains(t, codes(info.Findings), want.code, text)
		assert.Equal(t, answer.Transformers, info.Category, text)
	}
}

func TestNoArchitecturesIsNoError(t *testing.T) {
	for _, text := range []string{`{"architectures":null,"model_type":"gpt2"}`, `{"architectures":[],"model_type":"gpt2"}`, `{"model_type":"gpt2"}`} {
		info := infoOf(t, config(text))
		assert.Equal(t, answer.UnknownName, info.Architecture, text)
		assert.Empty(t, info.Architectures)
		assert.Equal(t, answer.Transformers, info.Category)
		assert.Equal(t, "GPT2LMHeadModel", info.LoadsAs)
		assert.True(t, info.IsSupported)
		assert.Empty(t, info.Findings, text)
	}
}

func TestNumbersBeyondIntegersAreRead(t *testing.T) {
	info := infoOf(t, config(`{"architectures":["LlamaForCausalLM"],"rope_theta":1e6,"vocab_size":151936.0,"max_position_embeddings":1e30}`))
	assert.Equal(t, "LlamaForCausalLM", info.Architecture)
}

func TestCategoryByPriority(t *testing.T) {
	for name, c := range map[string]struct {
		files    map[string]string
		category answer.Category
		task     answer.Task
		by       string
	}{
		"pipeline beats SAE":      {map[string]string{"m/model_index.json": `{"_class_name":"StableDiffusionPipeline"}`, "m/resid_post/": ""}, answer.Diffusers, "diffusion_pipeline", "model_index.json"},
		"pipeline beats class":    {map[string]string{"m/model_index.json": `{"_class_name":["pipeline","MyPipeline"]}`, "m/config.json": `{"architectures":["LlamaForCausalLM"]}`}, answer.Diffusers, "diffusion_pipeline", "model_index.json"},
		"modular pipeline":        {map[string]string{"m/modular_model_index.json": `{"_class_name":"FluxModularPipeline"}`}, answer.Diffusers, "diffusion_modular_pipeline", "modular_model_index.json"},
		"SAE":                     {map[string]string{"m/config.json": "{}", "m/resid_post/": "", "m/attn_out/": ""}, answer.SAE, "sparse_autoencoder", "attn_out"},
		"SAE files beat class":    {map[string]string{"m/config.json": `{"architectures":["LlamaForCausalLM"]}`, "m/transcoder/layer_0/params.safetensors": "x"}, answer.SAE, "sparse_autoencoder", "transcoder"},
		"class beats bare folder": {map[string]string{"m/config.json": `{"architectures":["LlamaForCausalLM"]}`, "m/transcoder/": ""}, answer.Transformers, "causal_lm", "class name"},
		"tokenizer beats SAE":     {map[string]string{"m/config.json": `{"model_type":"llama"}`, "m/resid_post/layer_0/config.json": "{}", "m/tokenizer.json": "{}"}, answer.Transformers, "causal_lm", "model type"},
		"adapter":                 {map[string]string{"m/adapter_config.json": "{}", "m/config.json": `{"architectures":["LlamaForCausalLM"]}`, "m/adapter_model.safetensors": "x"}, answer.Adapter, "adapter", "adapter_config.json"},
		"merged adapter":          {map[string]string{"m/adapter_config.json": "{}", "m/config.json": `{"architectures":["LlamaForCausalLM"]}`, "m/model.safetensors": "x"}, answer.Transformers, "causal_lm", "class name"},
		"component":               {map[string]string{"m/config.json": `{"_class_name":"FluxTransformer2DModel"}`}, answer.Diffusers, "diffusion_component", "_class_name"},
		"vision":                  {map[string]string{"m/config.json": `{"architectures":["SiglipModel"]}`}, answer.VisionEncoder, "vision_text_dual_encoder", "class name"},
		"vision, misspelt":        {map[string]string{"m/config.json": `{"architectures":["SigLIPVisionModel"]}`}, answer.VisionEncoder, "vision_encoder", "class name"},
		"audio":                   {map[string]string{"m/config.json": `{"architectures":["HubertModel"]}`}, answer.AudioEncoder, "audio_encoder", "class name"},
		"speech with a CTC head":  {map[string]string{"m/config.json": `{"architectures":["Wav2Vec2ForCTC"]}`}, answer.ASR, "asr_ctc", "class name"},
		"speech":                  {map[string]string{"m/config.json": `{"architectures":["WhisperForConditionalGeneration"]}`}, answer.ASR, "asr", "class name"},
		"unknown class by suffix": {map[string]string{"m/config.json": `{"architectures":["FooBarForCTC"]}`}, answer.ASR, "asr_ctc", "name *ForCTC"},
		"unknown class by type":   {map[string]string{"m/config.json": `{"architectures":["FooBar"],"model_type":"hubert"}`}, answer.AudioEncoder, "audio_encoder", "model type"},
		"unknown class":           {map[string]string{"m/config.json": `{"architectures":["FooBar"]}`}, answer.Transformers, "", "default"},
		"only weights":            {map[string]string{"m/config.json": `{"vocab_size":1}`, "m/model.safetensors": "x"}, answer.Transformers, "", "default"},
		"a project's config":      {map[string]string{"m/config.json": `{"name":"my-app","scripts":{}}`}, answer.Unknown, "", "no rule"},
		"empty directory":         {map[string]string{"m/": ""}, answer.Unknown, "", "no rule"},
	} {
		d, err := loader.New().Category(treeFS(c.files), "m")
		require.NoError(t, err, name)
		assert.Equal(t, c.category, d.Category, name)
		assert.Equal(t, c.task, d.Task, name)
		assert.Contains(t, d.DecidedBy, c.by, name)
	}
}

func TestSupport(t *testing.T) {
	for name, c := range map[string]struct {
		files     map[string]string
		supported bool
		loadsAs   string
		reason    string
	}{
		"llama":            {map[string]string{"m/config.json": `{"architectures":["LlamaForCausalLM"],"model_type":"llama"}`}, true, "LlamaForCausalLM", ""},
		"mistral":          {map[string]string{"m/config.json": `{"architectures":["MistralForCausalLM"]}`}, true, "MistralForCausalLM", ""},
		"misspelt":         {map[string]string{"m/config.json": `{"architectures":["SigLIPModel"]}`}, true, "SiglipModel", ""},
		"misspelt, DINO":   {map[string]string{"m/config.json": `{"architectures":["DINOv2Model"]}`}, true, "Dinov2Model", ""},
		"glm4_moe_lite":    {map[string]string{"m/config.json": `{"model_type":"glm4_moe_lite"}`}, true, "Glm4MoeForCausalLM", ""},
		"a class beats it": {map[string]string{"m/config.json": `{"architectures":["Glm4MoeLiteForCausalLM"],"model_type":"glm4_moe_lite"}`}, true, "Glm4MoeLiteForCausalLM", ""},
		"step_robotics":    {map[string]string{"m/config.json": `{"model_type":"step_robotics"}`}, true, "Step3VL10BForCausalLM", ""},
		"qwen3":            {map[string]string{"m/config.json": `{"model_type":"qwen3"}`}, true, "Qwen3ForCausalLM", ""},
		"qwen3_moe":        {map[string]string{"m/config.json": `{"model_type":"qwen3_moe"}`}, true, "Qwen3ForCausalLM", ""},
		"agent_cpm":        {map[string]string{"m/config.json": `{"architectures":["AgentCPM"],"model_type":"agent_cpm"}`}, true, "Qwen3ForCausalLM", ""},
		"pipeline":         {map[string]string{"m/model_index.json": `{"_class_name":"FluxPipeline"}`}, true, "FluxPipeline", ""},
		"SAE":              {map[string]string{"m/mlp_out/": ""}, true, "unknown", ""},
		"unknown":          {map[string]string{"m/config.json": `{"architectures":["UnknownArch"],"model_type":"unknown"}`}, false, "unknown", `no loader is known for the class "UnknownArch" of model type "unknown"`},
		"unknown type":     {map[string]string{"m/config.json": `{"model_type":"tomorrow"}`}, false, "unknown", `no loader is known for the model type "tomorrow"`},
		"unknown pipeline": {map[string]string{"m/model_index.json": `{"_class_name":"MyOwnPipeline"}`}, false, "unknown", `"MyOwnPipeline"`},
		"empty index":      {map[string]string{"m/model_index.json": `{}`}, false, "unknown", "model_index.json names no class"},
		"nothing":          {map[string]string{"m/": ""}, false, "unknown", "nothing in the directory says what it is"},
		"code of its own":  {map[string]string{"m/config.json": `{"architectures":["UnknownArch"]}`, "m/modeling_unknown.py": ""}, true, "unknown", ""},
	} {
		s, err := loader.New().Support(treeFS(c.files), "m")
		require.NoError(t, err, name)
		assert.Equal(t, c.supported, s.IsSupported, name)
		assert.Equal(t, c.loadsAs, s.LoadsAs, name)
		assert.Equal(t, name == "code of its own", s.RemoteCode, name)
		if c.reason == "" {
			assert.Nil(t, s.Error, name)
		} else if assert.NotNil(t, s.Error, name) {
			assert.Contains(t, *s.Error, c.reason, name)
		}
	}
}

func TestOmniNeedsSpeechVisionAndText(t *testing.T) {
	for text, want := range map[string]bool{
		`{"model_type":"qwen2_5_omni","architectures":["Qwen2_5OmniForConditionalGeneration"]}`:            true,
		`{"model_type":"any-to-any","architectures":["SomeModel"]}`:                                        true,
		`{"model_type":"qwen3omni","architectures":["Qwen3OmniForConditionalGeneration"]}`:                 true,
		`{"model_type":"qwen2_5_omni"}`:                                                                    true,
		`{"architectures":["Gemma4ForConditionalGeneration"],"audio_config":{}}`:                           true,
		`{"architectures":["Gemma4ForConditionalGeneration"],"audio_config":null}`:                         false,
		`{"architectures":["MiMoV2ForCausalLM"],"vision_config":{},"audio_config":{}}`:                     true,
		`{"architectures":["MiMoV2ForCausalLM"]}`:                                                          false,
		`{"architectures":["TomorrowsModel"],"vision_config":{},"audio_config":{},"text_config":{}}`:       true,
		`{"architectures":["LlamaForCausalLM"],"model_type":"llama"}`:                                      false,
		`{"architectures":["Qwen2ForCausalLM"],"model_type":"qwen2"}`:                                      false,
		`{"architectures":["MistralForCausalLM"],"model_type":"mistral"}`:                                  false,
		`{"architectures":["Qwen2VLForConditionalGeneration"],"model_type":"qwen2_vl","vision_config":{}}`: false,
		`{"architectures":["OmDetTurboForObjectDetection"],"model_type":"omdet-turbo"}`:                    false,
		`{"architectures":["OmniLMMForCausalLM"],"model_type":"omnilmm"}`:                                  false,
	} {
		got, err := loader.New().IsOmni(config(text), "m")
		require.NoError(t, err)
		assert.Equal(t, want, got, text)
	}
}

func TestQuantization(t *testing.T) {
	eight, four, fraction := 8.0, 4.0, 4.25
	for text, want := range map[string]*answer.Quantization{
		`{}`:                           nil,
		`{"quantization_config":null}`: nil,
		`{"quantization_config":{}}`:   {Method: "unknown", Source: "config.json: quantization_config"},
		`{"quantization_config":{"quant_method":"gptq","bits":4}}`:           {Method: "gptq", Bits: &four, Source: "config.json: quantization_config"},
		`{"quantization_config":{"quant_method":"exl2","bits":4.25}}`:        {Method: "exl2", Bits: &fraction, Source: "config.json: quantization_config"},
		`{"quantization_config":{"load_in_4bit":true}}`:                      {Method: "bitsandbytes", Bits: &four, Source: "config.json: quantization_config"},
		`{"quantization_config":{"load_in_8bit":true,"load_in_4bit":false}}`: {Method: "bitsandbytes", Bits: &eight, Source: "config.json: quantization_config"},
		`{"compression_config":{"quant_method":"compressed_tensors"}}`:       {Method: "compressed-tensors", Source: "config.json: compression_config"},
		`{"text_config":{"quantization_config":{"quant_method":"fp8"}}}`:     {Method: "fp8", Bits: &eight, Source: "config.json: text_config.quantization_config"},
		`{"quantization":{"group_size":64,"bits":4}}`:                        {Method: "mlx", Bits: &four, Source: "config.json: quantization"},
		`{"load_in_8bit":true}`:                                              {Method: "bitsandbytes", Bits: &eight, Source: "config.json: load_in_8bit"},
		`{"quantization_config":"gptq"}`:                                     nil,
	} {
		info := infoOf(t, config(text))
		assert.Equal(t, want, info.Quantization, text)
		assert.Equal(t, want != nil, info.IsQuantized, text)
	}
}

func TestTalker(t *testing.T) {
	for text, want := range map[string]bool{
		`{"talker_config":{},"audio_config":{}}`: true,
		`{"audio_config":{"sample_rate":16000}}`: true,
		`{"talker_config":null}`:                 false,
		`{}`:                                     false,
	} {
		assert.Equal(t, want, infoOf(t, config(text)).HasTalker, text)
	}
}

func TestCustomCodeIsListedAndMissingPartsReported(t *testing.T) {
	info := infoOf(t, treeFS(map[string]string{
		"m/config.json": `{"architectures":["PhiX"],"auto_map":{"AutoConfig":"configuration_x.XConfig",
			"AutoModel":"modeling_x.X","AutoTokenizer":["tokenization_x.T",null],"AutoProcessor":"org/repo--processing_x.P","Bad":7}}`,
		"m/modeling_x.py": "", "m/setup.py": "",
	}))
	assert.True(t, info.HasCustomFiles)
	assert.Equal(t, []string{"configuration_x.py", "modeling_x.py", "org/repo--processing_x.py", "tokenization_x.py"}, info.CustomFiles)
	assert.Equal(t, []string{finding.CustomCodeElsewhere, finding.CustomCodeMissing, finding.CustomCodeMissing, finding.CustomCode}, codes(info.Findings))
	assert.True(t, info.IsSupported)
	assert.True(t, info.RemoteCode)
}

func TestClassAndModelTypeThatDisagreeAreReported(t *testing.T) {
	info := infoOf(t, config(`{"architectures":["Qwen2ForCausalLM"],"model_type":"whisper"}`))
	assert.Equal(t, answer.Transformers, info.Category, "the class decides")
	assert.Contains(t, codes(info.Findings), finding.ArchitectureMismatch)
	assert.NotContains(t, codes(infoOf(t, config(`{"architectures":["Qwen2ForCausalLM"],"model_type":"qwen2"}`)).Findings), finding.ArchitectureMismatch)
}

func TestInfoOfAnUnknownClassNamesTheNearest(t *testing.T) {
	info := infoOf(t, config(`{"architectures":["LlamaForTomorrow"]}`))
	require.NotNil(t, info.Error)
	require.Contains(t, codes(info.Findings), finding.ArchitectureUnknown)
	assert.Contains(t, info.Findings[0].Hint, "LlamaFor")
}

func TestPathsOutsideAreRefused(t *testing.T) {
	for _, dir := range []string{"", "/m", "../m", "m/", "m//x"} {
		_, err := loader.New().ModelInfo(config("{}"), dir)
		assert.ErrorIs(t, err, fault.NotFound, dir)
	}
}

func TestRootOfAFilesystemIsACheckpointToo(t *testing.T) {
	fsys := treeFS(map[string]string{"config.json": `{"architectures":["LlamaForCausalLM"]}`})
	info, err := loader.New().ModelInfo(fsys, ".")
	require.NoError(t, err)
	assert.Equal(t, "LlamaForCausalLM", info.Architecture)
	assert.Equal(t, ".", info.Path)
}
