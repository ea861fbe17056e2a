package loader_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"omniloader/loader"
)

// Each layer that the config names has tensors, and the embedding has its size.
func TestWeightsAgainstTheConfig(t *testing.T) {
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
			if f.Code == loader.CodeLayersMissing || f.Code == loader.CodeShapeMismatch {
				code, message = f.Code, f.Message
			}
		}
		assert.Equal(t, c.code, code, name)
		assert.Equal(t, c.message, message, name)
	}
}
