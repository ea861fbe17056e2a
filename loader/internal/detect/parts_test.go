package detect

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"omniloader/loader/answer"
)

func findPart(names ...string) *Part {
	return FindPart(func(yield func([]byte) bool) {
		for _, n := range names {
			if !yield([]byte(n)) {
				return
			}
		}
	})
}

// Each row is found by names that its patterns describe, unless a row above it has the same.
func TestEveryPartIsFoundByItsNames(t *testing.T) {
	for i := range parts() {
		p := &parts()[i]
		var names []string
		for _, n := range p.names {
			if !n.absent {
				names = append(names, n.text+map[bool]string{true: "0.weight"}[n.prefix || n.contains])
			}
		}
		got := findPart(names...)
		if assert.NotNil(t, got, p.What) {
			assert.Equal(t, p.Category, got.Category, names)
			assert.Equal(t, p.Task, got.Task, names)
		}
		assert.NotEmpty(t, p.What)
		assert.LessOrEqual(t, len(p.names), 8, "bits of a byte")
		assert.False(t, strings.Contains(p.Name, "!"), "the first name must exist: %s", p.What)
	}
}

func TestNamesThatMustNotExistDecide(t *testing.T) {
	assert.Equal(t, answer.Task("text_encoder"), findPart("shared.weight", "encoder.block.0.x.weight").Task)
	assert.Nil(t, findPart("shared.weight", "encoder.block.0.x.weight", "decoder.block.0.x.weight"), "a whole T5")
	assert.Nil(t, findPart("model.layers.0.self_attn.q_proj.weight", "model.embed_tokens.weight"))
}
