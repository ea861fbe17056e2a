package loader_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
)

// stored is one tensor of a file that stored lays out.
type stored struct {
	name, dtype string
	shape       []int
	bytes       int // an element's
}

// storedFile is a safetensors file whose tensors are zeros.
func storedFile(list ...stored) string {
	var header strings.Builder
	header.WriteString("{")
	at := 0
	for i, s := range list {
		n := s.bytes
		for _, d := range s.shape {
			n *= d
		}
		if i > 0 {
			header.WriteString(",")
		}
		shape, _ := json.Marshal(s.shape)
		fmt.Fprintf(&header, `%q:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, s.name, s.dtype, shape, at, at+n)
		at += n
	}
	header.WriteString("}")
	return string(binary.LittleEndian.AppendUint64(nil, uint64(header.Len()))) + header.String() + strings.Repeat("\x00", at)
}

// The packings that the presets do not have: what an element holds follows from
// the method's own documentation.
func TestPackedWeightsAreCountedUnpacked(t *testing.T) {
	const llama = `{"architectures":["LlamaForCausalLM"],"model_type":"llama",`
	for _, c := range []struct {
		name, config string
		tensors      []stored
		parameters   int64 // -1 for not known
		stored       int64
	}{
		{"mlx of 4 bits", llama + `"quantization":{"group_size":64,"bits":4},"quantization_config":{"group_size":64,"bits":4}}`, []stored{
			{"a.weight", "U32", []int{128, 16}, 4}, {"a.scales", "F16", []int{128, 2}, 2}, {"a.biases", "F16", []int{128, 2}, 2}, {"n.weight", "F16", []int{10}, 2},
		}, 128*128 + 10, 128*16 + 2*128*2 + 10},
		{"mlx with one layer of 8 bits", llama + `"quantization":{"group_size":64,"bits":4,"a":{"group_size":64,"bits":8}}}`, []stored{
			{"a.weight", "U32", []int{128, 32}, 4}, {"a.scales", "F16", []int{128, 2}, 2}, {"a.biases", "F16", []int{128, 2}, 2},
		}, 128 * 128, 128*32 + 2*128*2},
		{"compressed tensors of 4 bits", llama + `"quantization_config":{"quant_method":"compressed-tensors","config_groups":{"group_0":{"weights":{"num_bits":4}}},"format":"pack-quantized"}}`, []stored{
			{"a.weight_packed", "I32", []int{8, 16}, 4}, {"a.weight_scale", "BF16", []int{8, 1}, 2}, {"a.weight_shape", "I64", []int{2}, 8},
		}, 8 * 128, 8*16 + 8 + 2},
		{"nvfp4 of compressed tensors", llama + `"quantization_config":{"quant_method":"compressed-tensors","format":"nvfp4-pack-quantized"}}`, []stored{
			{"a.weight_packed", "U8", []int{8, 16}, 1}, {"a.weight_scale", "F8_E4M3", []int{8, 2}, 1}, {"a.weight_global_scale", "F32", []int{1}, 4},
		}, 8 * 32, 8*16 + 16 + 1},
		{"mxfp4", llama + `"quantization_config":{"quant_method":"mxfp4"}}`, []stored{
			{"e.gate_up_proj_blocks", "U8", []int{4, 8, 2, 16}, 1}, {"e.gate_up_proj_scales", "U8", []int{4, 8, 2}, 1},
		}, 4 * 8 * 64, 4*8*32 + 64},
		{"fp8 in blocks", llama + `"quantization_config":{"quant_method":"fp8","weight_block_size":[128,128]}}`, []stored{
			{"a.weight", "F8_E4M3", []int{256, 256}, 1}, {"a.weight_scale_inv", "F32", []int{2, 2}, 4},
		}, 256 * 256, 256*256 + 4},
		{"bitsandbytes of 8 bits", llama + `"quantization_config":{"load_in_8bit":true}}`, []stored{
			{"a.weight", "I8", []int{8, 8}, 1}, {"a.SCB", "F32", []int{8}, 4}, {"a.weight_format", "U8", []int{}, 1},
		}, 64, 64 + 8 + 1},
		{"exl2, of a width that the headers do not tell", llama + `"quantization_config":{"quant_method":"exl2","bits":4.25}}`, []stored{
			{"a.q_weight", "I32", []int{8, 8}, 4}, {"a.q_scale", "I32", []int{8}, 4},
		}, -1, 64 + 8},
		{"a language model's I64 buffer", llama + `"x":1}`, []stored{{"a.position_ids", "I64", []int{1, 8}, 8}, {"a.weight", "F16", []int{3}, 2}}, 3, 11},
		{"running means, and a frozen normalization", llama + `"x":1}`, []stored{
			{"a.weight", "F32", []int{8}, 4}, {"a.bias", "F32", []int{8}, 4}, {"a.running_mean", "F32", []int{8}, 4}, {"a.running_var", "F32", []int{8}, 4}, {"a.num_batches_tracked", "I64", []int{}, 8},
			{"b.weight", "F32", []int{8}, 4}, {"b.running_mean", "F32", []int{8}, 4}, {"b.running_var", "F32", []int{8}, 4}, {"c.weight", "F32", []int{5}, 4},
		}, 8 + 8 + 5, 4*8 + 1 + 3*8 + 5},
		{"exl2, whose width the permutation tells", llama + `"quantization_config":{"quant_method":"exl2","bits":4.25}}`, []stored{
			{"a.q_weight", "I32", []int{17, 32}, 4}, {"a.q_scale", "I32", []int{4, 4}, 4}, {"a.q_scale_max", "F16", []int{4}, 2}, {"a.q_groups", "I16", []int{8}, 2}, {"a.q_invperm", "I32", []int{128}, 4},
		}, 128 * 32, 17*32 + 16 + 4 + 8 + 128},
		{"exl3", llama + `"quantization_config":{"quant_method":"exl3","bits":4}}`, []stored{
			{"a.trellis", "I16", []int{8, 4, 64}, 2}, {"a.suh", "F16", []int{128}, 2}, {"a.svh", "F16", []int{64}, 2},
		}, 128 * 64, 8*4*64 + 128 + 64},
		{"mlx with a module of other groups", llama + `"quantization":{"group_size":32,"bits":4,"mode":"mxfp4","a":{"group_size":64,"bits":8}}}`, []stored{
			{"a.weight", "U32", []int{128, 32}, 4}, {"a.scales", "F16", []int{128, 2}, 2}, {"a.biases", "F16", []int{128, 2}, 2},
			{"b.weight", "U32", []int{128, 16}, 4}, {"b.scales", "U8", []int{128, 4}, 1},
		}, 2 * 128 * 128, 128*32 + 2*128*2 + 128*16 + 128*4},
		{"quark of 4 bits", llama + `"quantization_config":{"quant_method":"quark","global_quant_config":{"weight":{"dtype":"fp4"}}}}`, []stored{
			{"a.weight", "U8", []int{64, 64}, 1}, {"a.weight_scale", "U8", []int{64, 4}, 1},
		}, 64 * 128, 64*64 + 64*4},
		{"experts of 4 bits in a model of 8", llama + `"expert_dtype":"fp4","quantization_config":{"quant_method":"fp8"}}`, []stored{
			{"a.weight", "F8_E4M3", []int{32, 64}, 1}, {"a.scale", "F8_E8M0", []int{1, 1}, 1}, {"e.weight", "I8", []int{64, 32}, 1}, {"e.scale", "F8_E8M0", []int{64, 2}, 1},
		}, 32*64 + 64*64, 32*64 + 1 + 64*32 + 64*2},
		{"two of four, by a mask", llama + `"quantization_config":{"quant_method":"compressed-tensors","format":"dense","sparsity_config":{"format":"sparse-24-bitmask"}}}`, []stored{
			{"a.weight.compressed", "BF16", []int{64, 32}, 2}, {"a.weight.bitmask", "U8", []int{64, 8}, 1}, {"a.weight.shape", "I64", []int{2}, 8},
		}, 64 * 64, 64*32 + 64*8 + 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := inspect(t, map[string]string{"m/config.json": c.config, "m/model.safetensors": storedFile(c.tensors...)}).Weights
			require.NotNil(t, w.StoredElements)
			assert.Equal(t, c.stored, *w.StoredElements)
			if c.parameters < 0 {
				assert.Nil(t, w.Parameters)
				return
			}
			require.NotNil(t, w.Parameters)
			assert.Equal(t, c.parameters, *w.Parameters)
			assert.InDelta(t, float64(w.TensorBytes)*8/float64(c.parameters), *w.BitsPerWeight, 1e-9)
		})
	}
}

func TestQuantizationFromEveryFile(t *testing.T) {
	const llama = `{"architectures":["LlamaForCausalLM"],"model_type":"llama",`
	for _, c := range []struct {
		name                   string
		files                  map[string]string
		method, detail, source string
		bits                   float64 // 0 for null
	}{
		{"mlx, whose section is there twice", map[string]string{"m/config.json": llama + `"quantization":{"group_size":64,"bits":6,"mode":"affine"},"quantization_config":{"group_size":64,"bits":6}}`}, "mlx", "affine", "config.json: quantization", 6},
		{"compressed tensors, spelled with an underscore", map[string]string{"m/config.json": llama + `"quantization_config":{"quant_method":"compressed_tensors"}}`}, "compressed-tensors", "", "config.json: quantization_config", 0},
		{"compression_config", map[string]string{"m/config.json": llama + `"compression_config":{"format":"float-quantized"}}`}, "compressed-tensors", "", "config.json: compression_config", 0},
		{"fbgemm keeps its underscore", map[string]string{"m/config.json": llama + `"quantization_config":{"quant_method":"fbgemm_fp8"}}`}, "fbgemm_fp8", "", "config.json: quantization_config", 8},
		{"a number in the config beats the method's own", map[string]string{"m/config.json": llama + `"quantization_config":{"quant_method":"mxfp4","bits":3}}`}, "mxfp4", "", "config.json: quantization_config", 3},
		{"no number of its own", map[string]string{"m/config.json": llama + `"quantization_config":{"quant_method":"vptq"}}`}, "vptq", "", "config.json: quantization_config", 0},
		{"intel's spelling", map[string]string{"m/config.json": llama + `"quantization_config":{"quant_method":"intel/auto-round","bits":2}}`}, "auto-round", "", "config.json: quantization_config", 2},
		{"a part of a part", map[string]string{"m/config.json": llama + `"thinker_config":{"text_config":{"quantization_config":{"quant_method":"awq","bits":4,"version":"gemm"}}}}`}, "awq", "gemm", "config.json: thinker_config.text_config.quantization_config", 4},
		{"exl2", map[string]string{"m/config.json": llama + `"quantization_config":{"quant_method":"exl2","bits":4.25}}`}, "exl2", "", "config.json: quantization_config", 4.25},
		{"quanto's text", map[string]string{"m/config.json": llama + `"quantization_config":{"quant_method":"quanto","weights":"int4"}}`}, "quanto", "int4", "config.json: quantization_config", 4},
		{"torchao's nested class", map[string]string{"m/config.json": llama + `"quantization_config":{"quant_method":"torchao","quant_type":{"default":{"_type":"Int8WeightOnlyConfig"}}}}`}, "torchao", "Int8WeightOnlyConfig", "config.json: quantization_config", 8},
		{"modelopt within", map[string]string{"m/config.json": llama + `"quantization_config":{"quant_algo":"FP8","producer":{"name":"modelopt"}}}`}, "modelopt", "FP8", "config.json: quantization_config", 8},
		{"modelopt beside", map[string]string{"m/config.json": llama + `"x":1}`, "m/hf_quant_config.json": `{"quantization":{"quant_algo":"NVFP4"}}`}, "modelopt", "NVFP4", "hf_quant_config.json", 4},
		{"awq in gptq's file", map[string]string{"m/config.json": llama + `"x":1}`, "m/quantize_config.json": `{"bits":4,"zero_point":true}`}, "awq", "", "quantize_config.json", 4},
		{"8 bits by value, not by presence", map[string]string{"m/config.json": llama + `"quantization_config":{"load_in_4bit":false,"load_in_8bit":true}}`}, "bitsandbytes", "", "config.json: quantization_config", 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			info, err := loader.New().ModelInfo(treeFS(c.files), "m")
			require.NoError(t, err)
			q := info.Quantization
			require.NotNil(t, q)
			assert.Equal(t, []string{c.method, c.detail, c.source}, []string{q.Method, q.Detail, q.Source})
			if c.bits == 0 {
				assert.Nil(t, q.Bits)
			} else if assert.NotNil(t, q.Bits) {
				assert.InDelta(t, c.bits, *q.Bits, 0)
			}
		})
	}
	none, err := loader.New().ModelInfo(treeFS(map[string]string{"m/config.json": llama + `"x":1}`, "m/quant_config.json": "{"}), "m")
	require.NoError(t, err)
	assert.Nil(t, none.Quantization, "a file that cannot be read says nothing")
}

func TestChoiceOfWeightFiles(t *testing.T) {
	for _, c := range []struct {
		name    string
		files   map[string]string
		taken   []string
		ignored int
	}{
		{"plain before the variant", map[string]string{"m/model.safetensors": tensors("a"), "m/model.fp16.safetensors": tensors("a")}, []string{"model.safetensors"}, 1},
		{"a plain pickle before a variant of safetensors", map[string]string{"m/pytorch_model.bin": "\x80\x02}.", "m/model.fp16.safetensors": tensors("a")}, []string{"pytorch_model.bin"}, 1},
		{"the model before the adapter beside it", map[string]string{"m/model.safetensors": tensors("a"), "m/adapter_model.safetensors": tensors("a")}, []string{"model.safetensors"}, 1},
		{"the state of a trainer is no weights", map[string]string{"m/model.safetensors": tensors("a"), "m/optimizer.pt": "\x80\x02}.", "m/training_args.bin": "\x80\x02}.", "m/rng_state_0.pth": "\x80\x02}."}, []string{"model.safetensors"}, 0},
		{"all ranks", map[string]string{"m/rank0.safetensors": tensors("a"), "m/rank1.safetensors": tensors("b")}, []string{"rank0.safetensors", "rank1.safetensors"}, 0},
		{"the checkpoint of a run within", map[string]string{"m/model.safetensors": tensors("a"), "m/checkpoint-500/model.safetensors": tensors("a")}, []string{"model.safetensors"}, 1},
		{"openvino's .bin is no pickle", map[string]string{"m/openvino_model.xml": "<?xml version=\"1.0\"?><net/>", "m/openvino_model.bin": "1234"}, []string{"openvino_model.bin"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.files["m/config.json"] = llamaJSON
			w := inspect(t, c.files).Weights
			require.NotNil(t, w)
			assert.Equal(t, c.taken, w.Files)
			assert.Len(t, w.Ignored, c.ignored)
		})
	}
	assert.Equal(t, "openvino", inspect(t, map[string]string{"m/config.json": llamaJSON, "m/openvino_model.xml": "<?xml?>", "m/openvino_model.bin": "1"}).Weights.Format)
}

func TestChatTemplatesAreFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		files  map[string]string
		source string
		names  []string
	}{
		{"inline", map[string]string{"m/tokenizer_config.json": `{"chat_template":"{{x}}","pad_token":"<p>"}`}, "tokenizer_config.json", []string{"default"}},
		{"a list", map[string]string{"m/tokenizer_config.json": `{"chat_template":[{"name":"default","template":"x"},{"name":"tool_use","template":"y"}]}`}, "tokenizer_config.json", []string{"default", "tool_use"}},
		{"a file of its own beats it", map[string]string{"m/chat_template.jinja": "{{x}}", "m/tokenizer_config.json": `{"chat_template":"y"}`}, "chat_template.jinja", []string{"default"}},
		{"more of them", map[string]string{"m/chat_template.jinja": "{{x}}", "m/additional_chat_templates/rag.jinja": "y"}, "chat_template.jinja", []string{"default", "rag"}},
		{"a processor's", map[string]string{"m/chat_template.json": `{"chat_template":"x"}`}, "chat_template.json", []string{"default"}},
	} {
		got := inspect(t, sound(c.files)).ChatTemplate
		require.NotNil(t, got, c.name)
		assert.Equal(t, answer.ChatTemplate{Source: c.source, Names: c.names}, *got, c.name)
	}
	assert.Nil(t, inspect(t, sound(nil)).ChatTemplate)
	assert.Nil(t, inspect(t, sound(map[string]string{"m/chat_template.jinja": pointer})).ChatTemplate, "a pointer is no template")
}

func TestCardGivesLicenseAndBaseModel(t *testing.T) {
	info := inspect(t, sound(map[string]string{"m/README.md": "---\nlicense: Apache-2.0\nlanguage:\n- en\n- de\nbase_model: [org/base, org/other]\nbase_model_relation: merge\n" +
		"pipeline_tag: text-generation\nlibrary_name: transformers\nmodel-index:\n- name: x\n---\n# Model\nlicense: mit\n"}))
	require.NotNil(t, info.Card)
	assert.Equal(t, "apache-2.0", info.Card.License)
	assert.Equal(t, []string{"org/base", "org/other"}, info.Card.BaseModels)
	assert.Equal(t, []string{"en", "de"}, info.Card.Languages)
	assert.Equal(t, "text-generation", info.Card.PipelineTag)
	require.NotNil(t, info.BaseModel)
	assert.Equal(t, "org/base", *info.BaseModel)
	assert.Nil(t, inspect(t, sound(map[string]string{"m/README.md": "# Only prose\n---\nlicense: mit\n---\n"})).Card)
	assert.Nil(t, inspect(t, sound(map[string]string{"m/README.md": "---\nlicense: mit\n"})).Card, "front matter that does not end")
	// Aliases that grow: nothing is expanded.
	bomb := "---\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\nlicense: mit\n---\n"
	info = inspect(t, sound(map[string]string{"m/README.md": bomb}))
	require.NotNil(t, info.Card)
	assert.Equal(t, "mit", info.Card.License)
}

func TestContextLengthAndItsSource(t *testing.T) {
	for config, want := range map[string]string{
		`"max_position_embeddings":4096`: "4096 config.json: max_position_embeddings",
		`"n_positions":1024`:             "1024 config.json: n_positions",
		`"text_config":{"max_position_embeddings":99},"max_position_embeddings":77`: "99 config.json: text_config.max_position_embeddings",
		`"thinker_config":{"text_config":{"max_position_embeddings":5}}`:            "5 config.json: thinker_config.text_config.max_position_embeddings",
		`"max_position_embeddings":1e30`:                                            "",
		`"max_position_embeddings":-1,"seq_length":2048`:                            "2048 config.json: seq_length",
		`"max_position_embeddings":"many"`:                                          "",
		`"vocab_size":32000`:                                                        "2048 default of the transformers library: max_position_embeddings of llama",
		`"max_position_embeddings":null`:                                            "",
		`"text_config":{"vocab_size":5}`:                                            "",
		`"text_config":{"model_type":"mistral"}`:                                    "131072 default of the transformers library: max_position_embeddings of mistral",
		`"vocab_size":151936.0,"max_position_embeddings":32768.0`:                   "32768 config.json: max_position_embeddings",
	} {
		info := inspect(t, sound(map[string]string{"m/config.json": `{"architectures":["LlamaForCausalLM"],"model_type":"llama",` + config + "}"}))
		got := ""
		if info.ContextLength != nil {
			got = fmt.Sprintf("%d %s", *info.ContextLength, info.ContextLengthSource)
		}
		assert.Equal(t, want, got, config)
	}
}

// FuzzInspectWeights checks that an inspection of any weight files neither panics nor
// fails.
func FuzzInspectWeights(f *testing.F) {
	for _, seed := range []string{tensors("model.embed_tokens.weight"), storedFile(stored{"a.qweight", "I32", []int{2, 2}, 4}, stored{"a.scales", "F16", []int{1, 2}, 2}), reduce, pointer, page, "GGUF\x03\x00\x00\x00", indexOf("a", "b.safetensors"), "---\nlicense: mit\n---\n"} {
		f.Add([]byte(seed), []byte(sparseConfig))
	}
	f.Add([]byte(`{"chat_template":[{"name":1}]}`), []byte(`{"num_hidden_layers":9e18,"kv_lora_rank":1e9,"num_attention_heads":0,"hidden_size":1,"layer_types":[1]}`))
	f.Fuzz(func(t *testing.T, data, config []byte) {
		files := map[string]string{"m/config.json": string(config)}
		for _, name := range []string{"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "x.gguf", "params.npz", "README.md", "tokenizer_config.json", "tokenizer.json", "quantize_config.json", "params.json"} {
			files["m/"+name] = string(data)
		}
		info, err := loader.New(loader.WithContext(1<<40)).Inspect(treeFS(files), "m")
		if err != nil || fault.KindOf(err) != "" {
			t.Fatal(err)
		}
		if _, err := json.Marshal(info); err != nil {
			t.Fatal(err)
		}
		for _, f := range info.Findings {
			if e, ok := finding.Explain(f.Code); !ok || f.Message == "" || f.Hint == "" && e.WayOut == "" {
				t.Fatalf("%+v", f)
			}
		}
		if m := info.Memory; m != nil && (m.Total < 0 || m.KVCache != nil && *m.KVCache < 0) {
			t.Fatalf("%+v", m)
		}
	})
}

// PyTorch's files have several extensions, and no order of a map may decide
// between them.
func TestChoiceOfWeightsInSubdirectoriesIsDeterministic(t *testing.T) {
	fsys := treeFS(map[string]string{"m/config.json": gptConfig, "m/a/b/pytorch_model.bin": "\x9c\xe1", "m/c/x.pt": "\x9c\xe1", "m/d/e.msgpack": "\x9c\xe1"})
	for range 30 {
		info, err := loader.New().Inspect(fsys, "m")
		require.NoError(t, err)
		require.NotNil(t, info.Weights)
		require.Equal(t, []string{"a/b/pytorch_model.bin", "c/x.pt"}, info.Weights.Files)
	}
}
