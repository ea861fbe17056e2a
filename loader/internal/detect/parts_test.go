package detect

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"omniloader/loader/answer"
)

func findPart(names ...string) *Part {
	return FindPart("a.safetensors", func(yield func([]byte) bool) {
		for _, n := range names {
			if !yield([]byte(n)) {
				return
			}
		}
	})
}

// namesOf gives names that the patterns of a row describe, one each.
func namesOf(t *partTable, row int) (names []string) {
	add := func(patterns []partPattern, more string) {
		for _, p := range patterns {
			if p.row == row && t.rows[row].absent&p.bit == 0 {
				names = append(names, string(p.text)+more)
			}
		}
	}
	for _, patterns := range t.exact {
		add(patterns, "")
	}
	for _, patterns := range t.prefixes {
		add(patterns, "0.x")
	}
	add(t.contains, "0.x")
	return names
}

// Each row is found by names that its patterns describe, unless a row above it has them too:
// then that one says the same of them. No pattern has an asterisk in the middle.
func TestEveryPartIsFoundByItsNames(t *testing.T) {
	table := parts()
	for i := range table.rows {
		p := &table.rows[i]
		names := namesOf(table, i)
		got := findPart(names...)
		if assert.NotNil(t, got, p.What) {
			assert.Equal(t, p.Category, got.Category, names)
			assert.Equal(t, p.Task, got.Task, names)
		}
		assert.NotEmpty(t, p.What)
		assert.LessOrEqual(t, p.patterns, 8, "bits of a byte")
		assert.NotEmpty(t, p.Name, "a name must exist: %s", p.What)
		for _, n := range names {
			assert.NotContains(t, n, "*", p.What)
		}
	}
}

func TestNamesThatMustNotExistDecide(t *testing.T) {
	assert.Equal(t, answer.Task("text_encoder"), findPart("shared.weight", "encoder.block.0.x.weight").Task)
	assert.Nil(t, findPart("shared.weight", "encoder.block.0.x.weight", "decoder.block.0.x.weight"), "a whole T5")
	assert.Nil(t, findPart("model.layers.0.self_attn.q_proj.weight", "model.embed_tokens.weight", "lm_head.weight"), "a language model")
}

// The names of a model are known under the prefixes of wrappers, too.
func TestPartsUnderWrappers(t *testing.T) {
	for _, c := range []struct{ what, names string }{
		{"the transformer of Flux", "double_blocks.0.img_attn.qkv.weight single_blocks.0.linear1.weight img_in.weight"},
		{"the transformer of Flux 2", "double_stream_modulation_img.lin.weight double_blocks.0.img_attn.qkv.weight"},
		{"the transformer of Chroma", "distilled_guidance_layer.layers.0.in_layer.weight double_blocks.0.img_attn.qkv.weight"},
		{"the transformer of Wan", "patch_embedding.weight blocks.0.self_attn.q.weight head.head.weight"},
		{"the transformer of LTX-2", "patchify_proj.weight audio_patchify_proj.weight transformer_blocks.0.attn1.to_q.weight"},
		{"the transformer of HunyuanVideo", "txt_in.individual_token_refiner.blocks.0.norm1.weight double_blocks.0.img_attn.qkv.weight"},
		{"the transformer of Qwen-Image", "txt_norm.weight img_in.weight transformer_blocks.0.img_mod.1.weight"},
		{"the transformer of Z-Image", "cap_pad_token noise_refiner.0.attention.qkv.weight context_refiner.0.attention.qkv.weight cap_embedder.1.weight"},
		{"the transformer of AuraFlow", "init_x_linear.weight double_layers.0.attn.w1q.weight single_layers.0.attn.w1q.weight"},
		{"the transformer of Stable Diffusion 3", "joint_blocks.0.x_block.attn.qkv.weight context_embedder.weight"},
	} {
		for _, wrapper := range append([]string{""}, wrappers[:]...) {
			names := strings.Fields(c.names)
			for i := range names {
				names[i] = wrapper + names[i]
			}
			if got := findPart(names...); assert.NotNil(t, got, names) {
				assert.Equal(t, c.what, got.What, names)
			}
		}
	}
}

// A language model under a name of its own may be a text encoder; under that of transformers
// it is a model without its config.
func TestTheNameOfTheFileDecides(t *testing.T) {
	names := func(yield func([]byte) bool) {
		_ = yield([]byte("model.embed_tokens.weight")) && yield([]byte("model.layers.0.self_attn.q_proj.weight"))
	}
	assert.Equal(t, answer.Task("text_encoder"), FindPart("qwen_3_4b.safetensors", names).Task)
	assert.Nil(t, FindPart("model.safetensors", names))
	assert.Nil(t, FindPart("model-00001-of-00002.safetensors", names))
}

// What stands beside each other in one file is told by the more telling name.
func TestTellingNamesComeFirst(t *testing.T) {
	for _, c := range []struct{ task, names string }{
		{"ip_adapter", "image_proj.proj.weight ip_adapter.0.to_q_lora.down.weight ip_adapter.1.to_k_ip.weight"},
		{"adapter", "double_blocks.0.processor.proj_lora1.down.weight double_blocks.0.processor.proj_lora1.up.weight"},
		{"controlnet", "controlnet_blocks.0.weight transformer_blocks.0.attn.to_q.weight txt_norm.weight img_in.weight"},
		{"controlnet", "body.0.block1.weight body.0.block2.weight conv_in.weight"},
		{"textual_inversion", "<cat-toy>"},
		{"upscaler", "body.0.weight body.0.bias body.1.weight body.2.weight body.2.bias"},
	} {
		if got := findPart(strings.Fields(c.names)...); assert.NotNil(t, got, c.names) {
			assert.Equal(t, answer.Task(c.task), got.Task, c.names)
		}
	}
	assert.Nil(t, findPart("body.0.weight", "body.0.bias", "body.1.weight", "body.1.bias", "body.2.weight", "body.2.bias"), "without PReLU")
}

func BenchmarkFindPart(b *testing.B) {
	var names [][]byte
	for _, layer := range strings.Fields(strings.Repeat("0 1 2 3 4 5 6 7 8 9 ", 10)) {
		for _, n := range []string{"img_attn.qkv.weight", "img_attn.proj.weight", "img_mlp.0.weight", "txt_attn.qkv.weight", "txt_mod.lin.weight"} {
			names = append(names, []byte("double_blocks."+layer+"."+n))
		}
	}
	for b.Loop() {
		if FindPart("a.safetensors", slices.Values(names)) == nil {
			b.Fatal("no part")
		}
	}
}
