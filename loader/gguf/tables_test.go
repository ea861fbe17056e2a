package gguf

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func rows(t *testing.T, table string, columns int) [][]string {
	var all [][]string
	require.True(t, strings.HasSuffix(table, "\n"))
	for line := range strings.Lines(table) {
		row := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		require.Len(t, row, columns, line)
		all = append(all, row)
	}
	return all[1:]
}

func TestTablesAreSortedWithoutDoubles(t *testing.T) {
	for _, table := range []string{typesTSV, fileTypesTSV} {
		last := -1
		for line := range strings.Lines(table[strings.Index(table, "\n")+1:]) {
			id, _, _ := strings.Cut(line, "\t")
			assert.Greater(t, number(id), last, line)
			last = number(id)
			assert.Regexp(t, `^\d+\t[A-Z0-9_]+\t`, line)
		}
	}
	var names []string
	for _, row := range rows(t, architecturesTSV, 4) {
		names = append(names, row[0])
		assert.Contains(t, []string{"transformers", "vision_encoder", "audio_encoder", "diffusers"}, row[1], row)
		assert.Regexp(t, `^[a-z0-9_]+$`, row[2])
		assert.Contains(t, []string{"llama.cpp", "ollama", "comfyui-gguf"}, row[3])
	}
	assert.True(t, slices.IsSorted(names))
	assert.Len(t, slices.Compact(names), len(architectures()))
}

func TestBlocks(t *testing.T) {
	for _, row := range rows(t, typesTSV, 4) {
		typ := Type(number(row[0]))
		assert.True(t, typ.Known())
		assert.Equal(t, row[1], typ.String())
		elements, bytes := typ.Block()
		assert.Equal(t, typ.Removed(), elements == 0)
		assert.Equal(t, elements == 0, bytes == 0)
		// The first digit of a name is the bits of a weight without scales.
		if i := strings.IndexAny(row[1], "0123456789"); i >= 0 && elements > 0 && !strings.HasPrefix(row[1], "TQ") {
			assert.GreaterOrEqual(t, bitsPerWeight(typ), float64(row[1][i]-'0'), row[1])
		}
	}
	for typ, want := range map[Type]float64{0: 32, 1: 16, 2: 4.5, 12: 4.5, 14: 6.5625, 39: 4.25} {
		assert.Equal(t, want, bitsPerWeight(typ), typ)
	}
	for _, typ := range []Type{3000, 4} { // unknown, and removed
		elements, bytes := typ.Block()
		assert.Zero(t, elements+bytes, typ)
	}
	assert.False(t, Type(43).Known())
	assert.Equal(t, "type 43", Type(43).String())
	assert.True(t, Type(33).Removed())
}

func TestArchitectures(t *testing.T) {
	for name, want := range map[string]string{
		"llama":            "transformers causal_lm",
		"clip":             "vision_encoder projector",
		"t5":               "transformers seq2seq_lm",
		"t5encoder":        "transformers text_encoder",
		"nomic-bert":       "transformers text_encoder",
		"gemma-embedding":  "transformers text_embedding",
		"wavtokenizer-dec": "audio_encoder vocoder",
		"qwen3tts":         "transformers tts_audio_generation",
		"qwen2vl":          "transformers vision_language",
		"eagle3":           "transformers speculative_draft",
	} {
		a, ok := LookupArchitecture(name)
		assert.True(t, ok, name)
		assert.Equal(t, want, a.Category+" "+a.Task, name)
	}
	_, ok := LookupArchitecture("LlamaForCausalLM")
	assert.False(t, ok)
}

func bitsPerWeight(t Type) float64 {
	elements, bytes := t.Block()
	return float64(bytes) * 8 / float64(elements)
}
