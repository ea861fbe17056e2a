package missing

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
)

type nameList []string

func (l nameList) Len() int          { return len(l) }
func (l nameList) Name(i int) []byte { return []byte(l[i]) }

func modelOf(config string) Model {
	return Model{
		Class: gjson.Get(config, "architectures.0").Str, Type: gjson.Get(config, "model_type").Str,
		Config: func(path string) gjson.Result {
			if path == "" {
				return gjson.Parse(config)
			}
			return gjson.Get(config, path)
		},
	}
}

// found gives the gaps that are reported as more than a note.
func found(names nameList, m Model) []Gap {
	return slices.DeleteFunc(Find(names, m), func(g Gap) bool { return g.Variant })
}

// expand replaces {0..3} in names by the numbers.
func expand(names ...string) (all nameList) {
	for _, n := range names {
		from, to := 0, 0
		head, rest, ok := strings.Cut(n, "{")
		if !ok {
			all = append(all, n)
			continue
		}
		body, tail, _ := strings.Cut(rest, "}")
		_, err := fmt.Sscanf(body, "%d..%d", &from, &to)
		if err != nil {
			panic(n)
		}
		for i := from; i <= to; i++ {
			all = append(all, expand(head+fmt.Sprint(i)+tail)...)
		}
	}
	return all
}

var llamaLayer = []string{"input_layernorm", "mlp.down_proj", "mlp.gate_proj", "mlp.up_proj", "post_attention_layernorm", "self_attn.k_proj", "self_attn.o_proj", "self_attn.q_proj", "self_attn.v_proj"}

func llama() nameList {
	names := []string{"lm_head.weight", "model.embed_tokens.weight", "model.norm.weight"}
	for _, n := range llamaLayer {
		names = append(names, "model.layers.{0..3}."+n+".weight")
	}
	return expand(names...)
}

const llamaConfig = `{"architectures":["LlamaForCausalLM"],"model_type":"llama","num_hidden_layers":4,"tie_word_embeddings":false}`

func TestEveryTensorOfLlamaIsMissed(t *testing.T) {
	all, m := llama(), modelOf(llamaConfig)
	require.Empty(t, Find(all, m))
	for i, name := range all {
		gaps := Find(slices.Delete(slices.Clone(all), i, i+1), m)
		require.Len(t, gaps, 1, name)
		assert.Contains(t, gaps[0].Names, name)
		assert.True(t, gaps[0].Certain, name)
	}
}

func TestANameOfEveryLayerIsMissed(t *testing.T) {
	m := modelOf(llamaConfig)
	for _, gone := range llamaLayer {
		left := slices.DeleteFunc(llama(), func(n string) bool { return strings.HasSuffix(n, gone+".weight") })
		gaps := Find(left, m)
		require.Len(t, gaps, 1, gone)
		assert.Equal(t, []string{"model.layers.#." + gone + ".weight"}, gaps[0].Names)
		assert.True(t, gaps[0].Expected && gaps[0].Certain)
	}
}

func TestLayersAreMissed(t *testing.T) {
	m := modelOf(llamaConfig)
	for _, i := range []string{"0", "2", "3"} {
		gaps := Find(slices.DeleteFunc(llama(), func(n string) bool { return strings.HasPrefix(n, "model.layers."+i+".") }), m)
		require.NotEmpty(t, gaps, i)
		assert.True(t, gaps[0].Layers)
		assert.Equal(t, []string{"model.layers." + i + ".*"}, gaps[0].Names)
	}
}

// What a config or another way of saving leaves out is not missing.
func TestWhatIsNotMissing(t *testing.T) {
	const bert = `{"architectures":["BertModel"],"model_type":"bert","num_hidden_layers":2}`
	bertNames := expand("embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight", "embeddings.token_type_embeddings.weight",
		"embeddings.LayerNorm.gamma", "embeddings.LayerNorm.beta")
	for _, n := range []string{"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "intermediate.dense", "output.dense"} {
		bertNames = append(bertNames, expand("encoder.layer.{0..1}."+n+".weight", "encoder.layer.{0..1}."+n+".bias")...)
	}
	for _, n := range []string{"attention.output.LayerNorm", "output.LayerNorm"} {
		bertNames = append(bertNames, expand("encoder.layer.{0..1}."+n+".gamma", "encoder.layer.{0..1}."+n+".beta")...)
	}
	without := func(names nameList, gone string) nameList {
		return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.Contains(n, gone) })
	}
	prefixed := func(names nameList, prefix string) (all nameList) {
		for _, n := range names {
			all = append(all, prefix+n)
		}
		return all
	}
	for what, c := range map[string]struct {
		names  nameList
		config string
	}{
		"a tied head":                         {without(llama(), "lm_head"), strings.Replace(llamaConfig, "false", "true", 1)},
		"buffers of old versions":             {append(llama(), expand("model.layers.{0..3}.self_attn.rotary_emb.inv_freq")...), llamaConfig},
		"the old names of LayerNorm":          {bertNames, bert},
		"a base model with the head's prefix": {prefixed(bertNames, "bert."), bert},
		"the names of another library":        {expand("tok_embeddings.weight", "layers.{0..3}.attention.wq.weight", "output.weight"), llamaConfig},
		"biases that the config adds":         {append(llama(), expand("model.layers.{0..3}.self_attn.q_proj.bias")...), strings.Replace(llamaConfig, "{", `{"attention_bias":true,`, 1)},
		"a dense first layer": {append(expand("model.layers.{0..0}.mlp.up.weight"), expand("model.layers.{1..5}.mlp.experts.{0..7}.up.weight", "model.layers.{0..5}.a.weight", "model.layers.{0..5}.b.weight", "model.layers.{0..5}.c.weight", "model.layers.{0..5}.d.weight")...),
			`{"architectures":["UnknownForCausalLM"],"model_type":"unknown","num_hidden_layers":6,"first_k_dense_replace":1}`},
		"one layer": {expand("model.layers.0.a.weight"), `{}`},
		"none":      {nil, `{}`},
	} {
		assert.Empty(t, Find(c.names, modelOf(c.config)), what)
	}
}

// The layers of a class that no table has are compared with each other.
func TestAnUnknownClassIsComparedWithItself(t *testing.T) {
	config := strings.ReplaceAll(llamaConfig, "Llama", "Unknown")
	config = strings.ReplaceAll(config, "llama", "unknown")
	all, m := llama(), modelOf(config)
	require.Empty(t, Find(all, m))
	for _, name := range expand("model.layers.{1..2}.self_attn.k_proj.weight", "model.layers.{0..3}.mlp.up_proj.weight") {
		gaps := Find(slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == name }), m)
		require.Len(t, gaps, 1, name)
		assert.False(t, gaps[0].Certain, "it may be meant")
	}
}

func TestAnExpertIsComparedWithTheOthers(t *testing.T) {
	config := `{"architectures":["UnknownForCausalLM"],"model_type":"unknown","num_hidden_layers":4}`
	all := expand("model.layers.{0..3}.mlp.experts.{0..7}.up_proj.weight", "model.layers.{0..3}.mlp.experts.{0..7}.down_proj.weight", "model.layers.{0..3}.mlp.gate.weight",
		"model.layers.{0..3}.a.weight", "model.layers.{0..3}.b.weight", "model.layers.{0..3}.c.weight")
	require.Empty(t, Find(all, modelOf(config)))
	for _, name := range []string{"model.layers.0.mlp.experts.0.up_proj.weight", "model.layers.3.mlp.experts.7.down_proj.weight", "model.layers.2.mlp.experts.4.up_proj.weight"} {
		gaps := Find(slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == name }), modelOf(config))
		require.Len(t, gaps, 1, name)
		assert.Equal(t, []string{name}, gaps[0].Names)
	}
}

func TestATowerThatTheConfigHasIsMissed(t *testing.T) {
	config := `{"architectures":["LlavaForConditionalGeneration"],"model_type":"llava","text_config":{"model_type":"llama","num_hidden_layers":4},"vision_config":{"model_type":"clip_vision_model","num_hidden_layers":2}}`
	var names nameList
	for _, n := range llama() {
		names = append(names, "language_model."+n)
	}
	names = append(names, "multi_modal_projector.linear_1.bias", "multi_modal_projector.linear_1.weight", "multi_modal_projector.linear_2.bias", "multi_modal_projector.linear_2.weight")
	gaps := found(names, modelOf(config))
	require.NotEmpty(t, gaps)
	assert.Contains(t, fmt.Sprint(gaps), "vision_tower")
}

// Numbers in names are no reason to allocate by them.
func TestLargeNumbersInNames(t *testing.T) {
	names := nameList{"a.4095.b", "a.99999999999999999999.b", "a.4294967295.b", "0.1.2.3.4", "", ".", "..", "a..b.1.c"}
	assert.NotPanics(t, func() { Find(names, modelOf(`{"architectures":["LlamaForCausalLM"]}`)) })
}

func FuzzFind(f *testing.F) {
	f.Add("model.layers.0.a.weight\nmodel.layers.1.a.weight", llamaConfig)
	f.Add("a.0.b.1.c\na.1.b.0.c", `{"architectures":["T5Model"],"model_type":"t5","num_layers":3}`)
	f.Fuzz(func(_ *testing.T, names, config string) {
		Find(nameList(strings.Split(names, "\n")), modelOf(config))
	})
}
