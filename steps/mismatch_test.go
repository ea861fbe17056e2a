package steps

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAMismatchSaysWhereTheValueComesFrom(t *testing.T) {
	a, err := newAnswer(map[string]any{
		"architecture": "<Llama>", "decided_by": "class name in architectures of config.json", "size": 3,
		"context_length": 8192, "context_length_source": "max_position_embeddings of config.json",
		"quantization": map[string]any{"method": "gptq", "source": "quant_method of quantize_config.json"},
	})
	require.NoError(t, err)
	for name, want := range map[string]string{
		"architecture":        "class name in architectures of config.json",
		"context length":      "max_position_embeddings of config.json",
		"quantization method": "quant_method of quantize_config.json",
		"method":              "quant_method of quantize_config.json",
		"size":                "",
		"no such field":       "",
	} {
		assert.Equal(t, want, a.decidedBy(name), name)
	}
	w := world{answer: a}
	m := w.mismatch("architecture", `"Qwen"`, `"<Llama>"`)
	assert.EqualError(t, m, `the architecture is "<Llama>", expected "Qwen"`)
	assert.Equal(t, "class name in architectures of config.json", m.DecidedBy)
	assert.NotContains(t, a.text, `\u003c`)
}
