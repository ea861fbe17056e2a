package loader_test

import (
	"fmt"
	"testing"

	"omniloader/loader/finding"

	"github.com/stretchr/testify/assert"
)

// Each layer that the config names has tensors, and the embedding has its size.
func TestWeightsThatDisagreeWithConfig(t *testing.T) {
	config := func(more string) string {
		return `{"architectures":["LlamaForCausalLM"],"model_type":"llama","tie_word_embeddings":true,"vocab_size":6,"hidden_size":4` + more + `}`
	}
	weights := func(rows, width int, layers ...int) string {
		list := []stored{{"model.embed_tokens.weight", "F32", []int{rows, width}, 4}}
		for _, n := range layers {
			list = append(list, stored{fmt.Sprintf("model.layers.%d.mlp.up_proj.weight", n), "F32", []int{1}, 4})
		}
		list = append(list, stored{"vision_tower.layers.7.weight", "F32", []int{1}, 4}) // a stack of its own
		return storedFile(list...)
	}
	for name, c := range map[string]struct{ config, weights, code, message string }{
		"sound":          {config(`,"num_hidden_layers":3`), weights(6, 4, 0, 1, 2), "", ""},
		"padded rows":    {config(``), weights(8, 4, 0), "", ""},
		"one more layer": {config(`,"num_hidden_layers":3`), weights(6, 4, 0, 1, 2, 3), "", ""}, // for predicting several tokens
		"narrow":         {config(`,"embedding_size":2`), weights(6, 2, 0), "", ""},
		"last missing":   {config(`,"num_hidden_layers":4`), weights(6, 4, 0, 1), "layers-missing", "no tensor model.layers.{2-3}.*; config.json: num_hidden_layers gives 4 layers"},
		"a gap":          {config(``), weights(6, 4, 0, 2), "layers-missing", "no tensor model.layers.1.*"},
		"few rows":       {config(``), weights(5, 4, 0), "shape-mismatch", "model.embed_tokens.weight is 5 by 4, and config.json: vocab_size gives 6 rows"},
		"other width":    {config(``), weights(6, 8, 0), "shape-mismatch", "model.embed_tokens.weight is 6 by 8, and config.json: hidden_size gives a width of 4"},
	} {
		code, message := "", ""
		for _, f := range inspect(t, sound(map[string]string{"m/config.json": c.config, "m/model.safetensors": c.weights})).Findings {
			if f.Code == finding.LayersMissing || f.Code == finding.ShapeMismatch {
				code, message = f.Code, f.Message
			}
		}
		assert.Equal(t, c.code, code, name)
		assert.Equal(t, c.message, message, name)
	}
}

// What a sound checkpoint has is not called missing: the stacks of other parts, a
// decoder that has fewer layers than its encoder, layers that share their tensors.
func TestWeightsThatAgreeWithConfig(t *testing.T) {
	stack := func(prefix string, tensors int, layers ...int) (list []stored) {
		for _, n := range layers {
			for i := range tensors {
				list = append(list, stored{fmt.Sprintf("%s.%d.part%d.weight", prefix, n, i), "F32", []int{1}, 4})
			}
		}
		return list
	}
	embedding := func(name string, rows, width int) []stored {
		return []stored{{name, "F32", []int{rows, width}, 4}}
	}
	const llama = `{"architectures":["LlamaForCausalLM"],"model_type":"llama","tie_word_embeddings":true,"vocab_size":6,"hidden_size":4,"num_hidden_layers":4`
	for name, c := range map[string]struct {
		config  string
		tensors [][]stored
		want    string // severity and code
	}{
		"a smaller stack beside a larger one": {`{"architectures":["MiniCPMO"],"model_type":"minicpmo","vocab_size":6,"hidden_size":4,"num_hidden_layers":2}`,
			[][]stored{embedding("llm.model.embed_tokens.weight", 6, 4), stack("llm.model.layers", 1, 0, 1), stack("apm.layers", 5, 0), stack("resampler.layers", 3, 0)}, ""},
		"two decoder layers": {`{"architectures":["BartForConditionalGeneration"],"model_type":"bart","vocab_size":6,"d_model":4,"num_hidden_layers":3,"encoder_layers":3,"decoder_layers":2}`,
			[][]stored{embedding("model.shared.weight", 6, 4), stack("model.encoder.layers", 2, 0, 1, 2), stack("model.decoder.layers", 3, 0, 1)}, ""},
		"a gap beyond the layers":     {llama + `}`, [][]stored{stack("model.layers", 1, 0, 1, 2, 3, 5)}, ""},
		"shared layers":               {llama + `,"layer_sharing":true}`, [][]stored{stack("model.layers", 1, 0, 1)}, ""},
		"layers laid out singly":      {llama + `,"block_configs":[{}]}`, [][]stored{stack("model.layers", 1, 0, 2, 3)}, ""},
		"two stacks, no embedding":    {llama + `}`, [][]stored{stack("a.layers", 1, 0), stack("b.layers", 1, 0)}, ""},
		"rank of a parallel engine":   {`{"architecture":"LlamaForCausalLM","vocab_size":6,"hidden_size":4,"num_hidden_layers":4,"mapping":{"world_size":1}}`, [][]stored{stack("transformer.layers", 1, 0, 1)}, ""},
		"a query transformer's words": {llama + `}`, [][]stored{embedding("qformer.embeddings.word_embeddings.weight", 3, 2), stack("model.layers", 1, 0, 1, 2, 3)}, ""},
		"a class on no list":          {`{"architectures":["ZuluForCausalLM"],"model_type":"zulu","vocab_size":6,"hidden_size":4,"num_hidden_layers":4}`, [][]stored{stack("model.layers", 1, 0)}, "warning layers-missing"},
		"packed rows":                 {llama + `}`, [][]stored{{{"model.embed_tokens.weight", "U32", []int{6, 1}, 4}}, stack("model.layers", 1, 0, 1, 2, 3)}, ""},
		"another part's width": {`{"architectures":["LlavaForConditionalGeneration"],"model_type":"llava","hidden_size":9,"vocab_size":99,"text_config":{"model_type":"llama"},"vision_config":{}}`,
			[][]stored{embedding("language_model.model.embed_tokens.weight", 6, 4), stack("language_model.model.layers", 1, 0)}, ""},
	} {
		var all []stored
		for _, list := range c.tensors {
			all = append(all, list...)
		}
		got := ""
		for _, f := range inspect(t, sound(map[string]string{"m/config.json": c.config, "m/model.safetensors": storedFile(all...)})).Findings {
			if f.Code == finding.LayersMissing || f.Code == finding.ShapeMismatch {
				got += string(f.Severity) + " " + f.Code
			}
		}
		assert.Equal(t, c.want, got, name)
	}
}
