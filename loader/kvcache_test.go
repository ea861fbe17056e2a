package loader_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/internal/registry"
)

// The expected sizes are computed by hand: 2 (keys and values) × 2 bytes × heads × head
// size, for each token and layer that keeps it.
func TestKVCacheByKindOfLayer(t *testing.T) {
	const one = 2 * 2 // keys and values, of two bytes each
	sizes := `"hidden_size":1024,"num_attention_heads":16,"num_key_value_heads":2,"head_dim":64,`
	const each = one * 2 * 64
	for config, want := range map[string]struct {
		cache int64 // for 1,000 tokens
		note  string
	}{
		// grouped and shared heads
		sizes + `"model_type":"llama","num_hidden_layers":10`:                                                                           {10 * each * 1000, ""},
		`"model_type":"falcon","num_hidden_layers":10,"hidden_size":1024,"num_attention_heads":16,"num_kv_heads":16,"multi_query":true`: {10 * one * 64 * 1000, ""},
		// windows
		sizes + `"model_type":"mistral","num_hidden_layers":10,"sliding_window":100`:                                                                                                                        {10 * each * 100, "10 of 10 layers"},
		sizes + `"model_type":"phi3","num_hidden_layers":10,"sliding_window":100`:                                                                                                                           {10 * each * 100, "10 of 10 layers"},
		sizes + `"model_type":"qwen2","num_hidden_layers":10,"sliding_window":100,"max_window_layers":7,"use_sliding_window":true`:                                                                          {7*each*1000 + 3*each*100, "3 of 10 layers"},
		sizes + `"model_type":"qwen2","num_hidden_layers":10,"sliding_window":100,"max_window_layers":7`:                                                                                                    {10 * each * 1000, ""},
		sizes + `"model_type":"cohere2","num_hidden_layers":8,"sliding_window":100,"sliding_window_pattern":4`:                                                                                              {2*each*1000 + 6*each*100, "6 of 8 layers"},
		sizes + `"model_type":"llama4_text","num_hidden_layers":4,"attention_chunk_size":100,"layer_types":["chunked_attention","chunked_attention","chunked_attention","full_attention"]`:                  {each*1000 + 3*each*100, "3 of 4 layers"},
		sizes + `"model_type":"gemma3n_text","num_hidden_layers":4,"num_kv_shared_layers":2,"sliding_window":100,"layer_types":["sliding_attention","full_attention","sliding_attention","full_attention"]`: {each*1000 + each*100, "last 2 layers share"},
		sizes + `"model_type":"gemma4_text","num_hidden_layers":2,"sliding_window":100,"global_head_dim":512,"layer_types":["sliding_attention","full_attention"]`:                                          {one*2*512*1000 + each*100, "1 of 2 layers"},
		sizes + `"model_type":"nobody","num_hidden_layers":10,"sliding_window":100`:                                                                                                                         {10 * each * 1000, "does not say in which layers"},
		// hybrids
		sizes + `"model_type":"jamba","num_hidden_layers":16,"attn_layer_period":8,"attn_layer_offset":4`:                                  {2 * each * 1000, "14 layers keep a state"},
		sizes + `"model_type":"qwen3_next","num_hidden_layers":8,"full_attention_interval":4`:                                              {2 * each * 1000, "6 layers keep a state"},
		sizes + `"model_type":"bamba","num_hidden_layers":8,"attn_layer_indices":[2,5]`:                                                    {2 * each * 1000, "6 layers keep a state"},
		sizes + `"model_type":"kimi_linear","num_hidden_layers":4,"linear_attn_config":{"full_attn_layers":[4],"kda_layers":[1,2,3]}`:      {1 * each * 1000, "3 layers keep a state"},
		sizes + `"model_type":"nemotron_h","num_hidden_layers":6,"hybrid_override_pattern":"M-M*-M"`:                                       {1 * each * 1000, "5 layers keep a state"},
		sizes + `"model_type":"recurrent_gemma","num_hidden_layers":4,"attention_window_size":100,"block_types":["recurrent","attention"]`: {2 * each * 100, "2 layers keep a state"},
		sizes + `"model_type":"zamba2","num_hidden_layers":3,"layers_block_type":["mamba","hybrid","mamba"]`:                               {1 * each * 1000, "2 layers keep a state"},
		sizes + `"model_type":"minimax","num_hidden_layers":4,"attn_type_list":[0,0,1,0]`:                                                  {1 * each * 1000, "3 layers keep a state"},
		// latent attention
		`"model_type":"deepseek_v3","num_hidden_layers":2,"num_attention_heads":8,"kv_lora_rank":512,"qk_rope_head_dim":64,"qk_nope_head_dim":128,"v_head_dim":128`: {2 * (512 + 64) * 2 * 1000, "4.44 times as much"},
		// an encoder's output
		`"architectures":["WhisperForConditionalGeneration"],"model_type":"whisper","is_encoder_decoder":true,"d_model":64,"decoder_layers":2,"decoder_attention_heads":4,"max_source_positions":1500`: {2 * one * 64 * (1000 + 1500), "1500 positions"},
		`"architectures":["T5ForConditionalGeneration"],"model_type":"t5","is_encoder_decoder":true,"d_kv":8,"num_heads":4,"num_layers":9,"num_decoder_layers":2,"d_model":64`:                         {2 * one * 4 * 8 * 1000, "encoder's output is not counted"},
		// the library's defaults
		`"model_type":"gemma2","num_hidden_layers":2,"hidden_size":2304,"num_attention_heads":8`: {2 * one * 4 * 256 * 1000, ""}, // 4 key-value heads of 256,
	} {
		if !strings.HasPrefix(config, `"arch`) {
			config = `"architectures":["LlamaForCausalLM"],` + config
		}
		info, err := loader.New(loader.WithContext(1000)).Inspect(treeFS(sound(map[string]string{"m/config.json": "{" + config + "}"})), "m")
		require.NoError(t, err)
		require.NotNil(t, info.Memory, config)
		require.NotNil(t, info.Memory.KVCache, config)
		assert.Equal(t, want.cache, *info.Memory.KVCache, config)
		notes := strings.Join(info.Memory.Notes, "\n")
		assert.Contains(t, notes, want.note, config)
		if want.note == "" {
			assert.NotContains(t, notes, "layers", config)
		}
	}
}

func TestStatefulModelHasNoKVCache(t *testing.T) {
	config := `{"architectures":["Mamba2ForCausalLM"],"model_type":"mamba2","num_hidden_layers":4,"num_heads":128,"head_dim":64,"hidden_size":4096}`
	info, err := loader.New(loader.WithContext(1000)).Inspect(treeFS(sound(map[string]string{"m/config.json": config})), "m")
	require.NoError(t, err)
	require.NotNil(t, info.Memory)
	assert.Nil(t, info.Memory.KVCache)
	assert.Equal(t, info.Memory.Weights, info.Memory.Total)
}

func TestLibraryDefaultsTable(t *testing.T) {
	data := readTable(t, "library_defaults.tsv")
	last := ""
	for line := range strings.Lines(data) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		require.Len(t, f, 4, line)
		assert.Contains(t, []string{"context", "full_every", "head_size", "kv_heads"}, f[1], line)
		n, err := strconv.Atoi(f[3])
		assert.NoError(t, err, line)
		assert.GreaterOrEqual(t, n, 0, line)
		_, ok := registry.LookupFamily(f[0])
		assert.True(t, ok, "no such model type: %s", line)
		assert.Less(t, last, f[0]+"\t"+f[1], "keep the lines sorted, each model type and quantity once: %s", line)
		last = f[0] + "\t" + f[1]
	}
}

// max_seq_length of a sentence-transformers model takes precedence over the context
// length of the model inside.
func TestContextLengthOfSentenceTransformers(t *testing.T) {
	files := map[string]string{
		"m/config.json":               `{"architectures":["BertModel"],"model_type":"bert","max_position_embeddings":512}`,
		"m/modules.json":              `[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"}]`,
		"m/sentence_bert_config.json": `{"max_seq_length":256,"do_lower_case":false}`,
	}
	info := inspect(t, sound(files))
	require.NotNil(t, info.ContextLength)
	assert.EqualValues(t, 256, *info.ContextLength)
	assert.Equal(t, "sentence_bert_config.json: max_seq_length", info.ContextLengthSource)
	files["m/sentence_bert_config.json"] = `{"max_seq_length":null}`
	info = inspect(t, sound(files))
	require.NotNil(t, info.ContextLength)
	assert.EqualValues(t, 512, *info.ContextLength)
}
