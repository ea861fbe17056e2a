// Package memory computes how much memory the weights and the key-value cache of a model
// need, from its config and the headers of the weights.
package memory

import (
	"fmt"
	"path"
	"slices"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/weights"
)

// Estimate sets the context length and the memory of info. context is the number of
// tokens to compute the cache for, 0 for the context length of the model; h is nil where
// there are no weights.
func Estimate(c *checkpoint.Directory, info *answer.Info, h *weights.Headers, context int64) {
	d := c.Quantities()
	fromGGUF := h != nil && len(h.GGUF) > 0
	if n := sentenceTransformersLength(c); n > 0 {
		info.ContextLength, info.ContextLengthSource = &n, sentenceTransformersFile+": max_seq_length"
	} else if n, source, ok := d.GetOrDefault("context"); ok && !fromGGUF {
		info.ContextLength, info.ContextLengthSource = &n, source.String()
	} else if fromGGUF {
		if n := h.GGUF[0].ModelKey("context_length").Int(); n > 0 && n < 1<<31 {
			info.ContextLength, info.ContextLengthSource = &n, h.GGUF[0].Path+": "+h.GGUF[0].Architecture()+".context_length"
		}
	} else if n := config.PositiveInt(c.MistralParam("max_seq_len")); n > 0 {
		info.ContextLength, info.ContextLengthSource = &n, config.ParamsJSON+": max_seq_len"
	}
	if h == nil || h.Info.StoredElements == nil {
		return
	}
	m := &answer.MemoryInfo{Weights: h.Info.TensorBytes, WeightsAs: map[string]int64{}, Notes: []string{}}
	if p := h.Info.Parameters; p != nil && *p < 1<<58 {
		for _, t := range [...]struct {
			name string
			bits int64
		}{{"float32", 32}, {"bfloat16", 16}, {"int8", 8}, {"int4", 4}} {
			m.WeightsAs[t.name] = *p * t.bits / 8
		}
	}
	m.Total = m.Weights
	if h.Incomplete {
		m.Notes = append(m.Notes, "the weights are incomplete: what is missing is not counted")
	}
	info.Memory = m
	if !slices.Contains(config.KeyList("task"), string(info.Task)) && !fromGGUF {
		return
	}
	if fromGGUF && slices.Contains(config.KeyList("gguf_without_cache"), string(info.Task)) {
		return
	}
	if c.Members().Get("block_configs").IsArray() { // DeciLM, whose blocks have heads of their own, or no attention
		m.Notes = append(m.Notes, "the layers differ (block_configs): their key-value cache is not computed")
		return
	}
	m.Context = info.ContextLength
	if context > 0 {
		m.Context = &context
		if info.ContextLength != nil && context > *info.ContextLength {
			m.Notes = append(m.Notes, fmt.Sprintf("the model was made for %d tokens, fewer than asked for", *info.ContextLength))
		}
	}
	shape, ok := cacheFromConfig(d)
	if fromGGUF {
		shape, ok = cacheFromGGUF(h)
	}
	if !ok || m.Context == nil {
		return
	}
	perToken := shape.perToken()
	m.KVBytesPerToken = &perToken
	m.Notes = append(m.Notes, shape.notes...)
	if bytes, ok := shape.bytes(*m.Context); ok {
		m.KVCache = &bytes
		m.Total += bytes
	}
}

// sentenceTransformersFile limits the tokens of a text, whatever the context length of
// the model inside. Source: sentence_transformers, models/Transformer.py.
const sentenceTransformersFile = "sentence_bert_config.json"

// sentenceTransformersLength gives the number of tokens at which sentence-transformers
// truncates texts, 0 where the checkpoint has no such limit.
func sentenceTransformersLength(c *checkpoint.Directory) int64 {
	if !c.Markers.Has(checkpoint.MarkerSentenceTransformers) {
		return 0
	}
	name := path.Join(path.Dir(c.Doc.File), sentenceTransformersFile) // in the directory of the config
	v, err := config.ReadJSON(c.FS, c.Dir, name)
	if err != nil {
		return 0
	}
	return config.PositiveInt(v.Get("max_seq_length"))
}
