// Package memory computes how much memory the weights and the key-value cache of a
// model take.
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

// Estimate fills in the context length and the memory.
func Estimate(c *checkpoint.Directory, info *answer.Info, r *weights.Headers, asked int64) {
	d := c.Quantities()
	fromGGUF := r != nil && len(r.GGUF) > 0
	if n := sentenceTransformersLength(c); n > 0 {
		info.ContextLength, info.ContextLengthSource = &n, sentenceTransformersFile+": max_seq_length"
	} else if n, source, ok := d.GetOrDefault("context"); ok && !fromGGUF {
		info.ContextLength, info.ContextLengthSource = &n, source
	} else if fromGGUF {
		if n := r.GGUF[0].ModelKey("context_length").Int(); n > 0 && n < 1<<31 {
			info.ContextLength, info.ContextLengthSource = &n, r.GGUF[0].Path+": "+r.GGUF[0].Architecture()+".context_length"
		}
	} else if n := config.PositiveInt(c.MistralParam("max_seq_len")); n > 0 {
		info.ContextLength, info.ContextLengthSource = &n, config.ParamsJSON+": max_seq_len"
	}
	if r == nil || r.Info.StoredElements == nil {
		return
	}
	m := &answer.MemoryInfo{Weights: r.Info.TensorBytes, WeightsAs: map[string]int64{}, Notes: []string{}}
	if p := r.Info.Parameters; p != nil && *p < 1<<58 {
		for _, t := range [...]struct {
			name string
			bits int64
		}{{"float32", 32}, {"bfloat16", 16}, {"int8", 8}, {"int4", 4}} {
			m.WeightsAs[t.name] = *p * t.bits / 8
		}
	}
	m.Total = m.Weights
	if !r.Info.Complete {
		m.Notes = append(m.Notes, "the weights are incomplete: what is missing is not counted")
	}
	info.Memory = m
	if !slices.Contains(config.KeyList("task"), string(info.Task)) && !fromGGUF {
		return
	}
	m.Context = info.ContextLength
	if asked > 0 {
		m.Context = &asked
		if info.ContextLength != nil && asked > *info.ContextLength {
			m.Notes = append(m.Notes, fmt.Sprintf("the model was made for %d tokens, fewer than asked for", *info.ContextLength))
		}
	}
	shape, ok := cacheFromConfig(d)
	if fromGGUF {
		shape, ok = cacheFromGGUF(r)
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

// sentenceTransformersFile bounds the texts of a sentence-transformers model: it cuts them
// there, whatever the model inside could take. Source: sentence_transformers,
// models/Transformer.py.
const sentenceTransformersFile = "sentence_bert_config.json"

// sentenceTransformersLength is the number of tokens at which a sentence-transformers model
// cuts texts, 0 where no file says it.
func sentenceTransformersLength(c *checkpoint.Directory) int64 {
	if !c.Markers.Has(checkpoint.MarkerSentenceTransformers) {
		return 0
	}
	name := path.Join(path.Dir(c.Doc.File), sentenceTransformersFile) // beside the config of the model inside
	v, err := config.ReadJSON(c.FS, c.Dir, name)
	if err != nil {
		return 0
	}
	return config.PositiveInt(v.Get("max_seq_length"))
}
