package loader_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"

	"omniloader/loader/finding"
)

// ggufInOrder is a GGUF file of a byte order with the given tensors of 32 F32 elements, and
// numbers and texts under keys.
func ggufInOrder(order binary.AppendByteOrder, keys map[string]any, tensors ...string) string {
	text := func(b []byte, s string) []byte { return append(order.AppendUint64(b, uint64(len(s))), s...) }
	b := order.AppendUint32([]byte("GGUF"), 3)
	b = order.AppendUint64(b, uint64(len(tensors)))
	b = order.AppendUint64(b, uint64(len(keys)))
	for k, v := range keys {
		b = text(b, k)
		switch v := v.(type) {
		case string:
			b = text(order.AppendUint32(b, 8), v)
		case int:
			b = order.AppendUint32(order.AppendUint32(b, 4), uint32(v))
		}
	}
	for i, name := range tensors {
		b = order.AppendUint32(text(b, name), 1)
		b = order.AppendUint32(order.AppendUint64(b, 32), 0)
		b = order.AppendUint64(b, uint64(i)*128)
	}
	for len(b)%32 != 0 {
		b = append(b, 0)
	}
	return string(append(b, make([]byte, 128*len(tensors))...))
}

func TestGGUFFilesAreComparedWithTheirArchitecture(t *testing.T) {
	llama := map[string]any{"general.architecture": "llama", "llama.block_count": 3}
	whole := []string{"token_embd.weight", "output_norm.weight", "blk.0.attn_norm.weight", "blk.1.attn_norm.weight", "blk.2.attn_norm.weight",
		"blk.0.ffn_norm.weight", "blk.1.ffn_norm.weight", "blk.2.ffn_norm.weight"}
	without := func(i int) []string { return append(append([]string{}, whole[:i]...), whole[i+1:]...) }
	with := func(names ...string) []string { return append(append([]string{}, whole...), names...) }
	for _, c := range []struct {
		name    string
		keys    map[string]any
		tensors []string
		code    string // "" for none
		says    string
	}{
		{"a whole model", llama, whole, "", ""},
		{"no embedding", llama, without(0), finding.TensorMissing, "token_embd.weight"},
		{"no final norm", llama, without(1), finding.TensorMissing, "output_norm.weight"},
		{"a tensor of a block", llama, without(6), finding.TensorMissing, "blk.1.ffn_norm.weight"},
		{"a tensor that another needs", llama, with("blk.0.attn_k.weight", "blk.1.attn_k.weight", "blk.2.attn_k.weight"), finding.TensorMissing, "blk.0.attn_q.weight"},
		{"a first layer of another kind", map[string]any{"general.architecture": "deepseek2", "deepseek2.block_count": 3, "deepseek2.leading_dense_block_count": 1}, with("blk.1.exp_probs_b.bias", "blk.2.exp_probs_b.bias"), "", ""},
		{"a block with tensors of its own is of another kind", llama, append(without(6), "blk.1.ssm_a"), "", ""},
		{"nextn blocks that are not there", map[string]any{"general.architecture": "glm4moe", "glm4moe.block_count": 4, "glm4moe.nextn_predict_layers": 1}, whole, finding.LayersMissing, "nextn_predict_layers"},
	} {
		info := inspect(t, map[string]string{"m/x.gguf": ggufInOrder(binary.LittleEndian, c.keys, c.tensors...)})
		assert.Equal(t, "little-endian", info.Weights.ByteOrder, c.name)
		found := ""
		for _, f := range info.Findings {
			if f.Code == finding.TensorMissing || f.Code == finding.LayersMissing {
				found += f.Code + " " + f.Message
			}
		}
		if c.code == "" {
			assert.Empty(t, found, c.name)
		} else if c.says != "" {
			assert.Contains(t, found, c.code, c.name)
			assert.Contains(t, found, c.says, c.name)
		}
	}
}

func TestTheByteOrderOfGGUFIsSaid(t *testing.T) {
	info := inspect(t, map[string]string{"m/x.gguf": ggufInOrder(binary.BigEndian, map[string]any{"general.architecture": "llama"}, "token_embd.weight")})
	assert.Equal(t, "big-endian", info.Weights.ByteOrder)
	codes := ""
	for _, f := range info.Findings {
		codes += f.Code + " "
	}
	assert.Contains(t, codes, finding.GGUFByteOrder)
}
