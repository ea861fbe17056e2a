package classtensors

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rows are the lines of a table without its comments.
func rows(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// Both tables are looked up by bisection.
func TestTheTablesAreSorted(t *testing.T) {
	for _, text := range []string{classTensorsTSV, layerTensorsTSV} {
		assert.True(t, slices.IsSorted(rows(text)))
		assert.Greater(t, len(rows(text)), 400)
	}
}

func TestEveryClassIsFoundWithItsStacks(t *testing.T) {
	for _, line := range rows(classTensorsTSV) {
		f := strings.Split(line, "\t")
		require.Len(t, f, 8, f[0])
		c, ok := Lookup(f[0], f[1])
		require.True(t, ok, f[0])
		assert.Equal(t, [2]string{f[0], f[1]}, [2]string{c.Name, c.ModelType})
		for _, s := range c.Stacks {
			l := s.Layers
			assert.NotZero(t, len(l.All)+len(l.NotFirst)+len(l.NotLast)+len(l.First)+len(l.Last)+len(l.Some), "%s: %s", c.Name, s.Prefix)
		}
	}
}

func TestLookup(t *testing.T) {
	c, ok := Lookup("LlamaForCausalLM", "llama")
	require.True(t, ok)
	assert.Equal(t, []string{"lm_head.weight", "model.embed_tokens.weight", "model.norm.weight"}, c.Outside)
	require.Len(t, c.Stacks, 1)
	assert.Equal(t, "model.layers", c.Stacks[0].Prefix)
	assert.Equal(t, []string{"num_hidden_layers"}, c.Stacks[0].Keys)
	assert.Contains(t, c.Stacks[0].Layers.All, "self_attn.k_proj.weight")

	c, ok = Lookup("LlamaForCausalLM", "a type that it has not")
	require.True(t, ok, "the first row of the class")
	assert.Equal(t, "LlamaForCausalLM", c.Name)

	c, ok = Lookup("T5ForConditionalGeneration", "t5")
	require.True(t, ok)
	var first []string
	for _, s := range c.Stacks {
		first = append(first, s.Layers.First...)
	}
	assert.Contains(t, first, "layer.#.SelfAttention.relative_attention_bias.weight")

	for _, name := range []string{"", "Llama", "LlamaForCausalLMX", "ZZZ", "#", "\t"} {
		_, ok := Lookup(name, "")
		assert.False(t, ok, name)
	}
}
