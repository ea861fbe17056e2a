package loader

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/tidwall/gjson"
)

//go:embed config_keys.tsv
var configKeysTSV string

// configKeys holds the keys by the quantity that they give.
var configKeys = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	for f := range tableRows(configKeysTSV) {
		m[f[0]] = append(m[f[0]], f[1])
	}
	return m
})

// WithContext asks Inspect for the memory that a context of so many tokens takes,
// in place of the model's own context length.
func WithContext(tokens int64) Option {
	return func(l *Loader) { l.context = tokens }
}

// dimensions reads quantities from a config, a section of it that describes the
// language model first.
type dimensions struct {
	file     string
	sections []section
}

type section struct {
	path  string // "" for the top level
	value gjson.Result
}

// dimensions gives the config's sections in the order in which they are asked.
func (c *checkpoint) dimensions() dimensions {
	d := dimensions{file: c.doc.file}
	if len(c.doc.data) == 0 {
		return d
	}
	root := gjson.ParseBytes(c.doc.data)
	for _, path := range configKeys()["section"] {
		if v := root.Get(path); v.IsObject() {
			d.sections = append(d.sections, section{path + ".", v})
		}
	}
	d.sections = append(d.sections, section{"", root})
	return d
}

// get gives a quantity and the key that has it. Numbers that no model has
// (negative, fractions, Python's 1e30 for "no limit") count as missing.
func (d dimensions) get(quantity string) (n int64, source string, ok bool) {
	const beyond = 1 << 31
	for _, s := range d.sections {
		for _, key := range configKeys()[quantity] {
			v := s.value.Get(key)
			if v.Type == gjson.Number && v.Num >= 1 && v.Num < beyond && v.Num == math.Trunc(v.Num) {
				return int64(v.Num), d.file + ": " + s.path + key, true
			}
		}
	}
	return 0, "", false
}

// value gives a raw key of the first section that has it.
func (d dimensions) value(key string) gjson.Result {
	for _, s := range d.sections {
		if v := s.value.Get(key); v.Exists() && v.Type != gjson.Null {
			return v
		}
	}
	return gjson.Result{}
}

// cacheShape is what a key-value cache depends on.
type cacheShape struct {
	layers   int64
	perToken int64 // bytes of one token in one layer
	windowed int64 // layers that keep no more than window tokens
	window   int64
	notes    []string
}

// cacheElement is the size of an element of the cache: bfloat16 or float16, as
// the usual servers keep it.
const cacheElement = 2

// bytes is the size of the cache for a context.
func (s cacheShape) bytes(context int64) (int64, bool) {
	full := float64(s.layers-s.windowed) * float64(s.perToken) * float64(context)
	part := float64(s.windowed) * float64(s.perToken) * float64(min(context, s.window))
	if full+part > math.MaxInt64/2 {
		return 0, false
	}
	return (s.layers-s.windowed)*s.perToken*context + s.windowed*s.perToken*min(context, s.window), true
}

// configCache reads the shape of the cache out of a config.
func configCache(d dimensions) (s cacheShape, ok bool) {
	layers, _, ok := d.get("layers")
	if !ok {
		return s, false
	}
	s.layers = layers
	if rank := d.value("kv_lora_rank"); rank.Type == gjson.Number && rank.Num >= 1 && rank.Num < 1<<20 {
		// Latent attention keeps one compressed vector and one rotated key a token.
		s.perToken = (int64(rank.Num) + boundedInt(d.value("qk_rope_head_dim"))) * cacheElement
		s.notes = append(s.notes, "latent attention: the cache holds one compressed vector a token and layer")
	} else {
		heads, _, okHeads := d.get("heads")
		kvHeads, _, okKV := d.get("kv_heads")
		if !okKV {
			kvHeads = heads
			if d.value("multi_query").Type == gjson.True && d.value("new_decoder_architecture").Type != gjson.True {
				kvHeads = 1
			}
		}
		size, _, okSize := d.get("head_size")
		if hidden, _, okHidden := d.get("hidden"); !okSize && okHidden && okHeads {
			size, okSize = hidden/heads, true
		}
		if kvHeads == 0 || !okSize || size == 0 || kvHeads > 1<<20 || size > 1<<20 {
			return s, false
		}
		s.perToken = 2 * kvHeads * size * cacheElement
	}
	s.windows(d)
	s.linear(d)
	if d.value("is_encoder_decoder").Type == gjson.True {
		s.notes = append(s.notes, "the cache of the encoder's output is not counted")
	}
	return s, true
}

func boundedInt(v gjson.Result) int64 {
	if v.Type != gjson.Number || v.Num < 1 || v.Num >= 1<<20 {
		return 0
	}
	return int64(v.Num)
}

// windows counts the layers with a sliding window. Newer configs list the kind
// of each layer; of older ones only those count whose library gives every layer
// the window.
func (s *cacheShape) windows(d dimensions) {
	window := boundedInt(d.value("sliding_window"))
	if window == 0 || d.value("use_sliding_window").Type == gjson.False {
		return
	}
	if kinds := d.value("layer_types"); kinds.IsArray() {
		for _, kind := range kinds.Array() {
			if kind.Str == "sliding_attention" {
				s.windowed++
			}
		}
		s.windowed = min(s.windowed, s.layers)
	} else if pattern := boundedInt(d.value("sliding_window_pattern")); pattern > 0 {
		s.windowed = s.layers - s.layers/pattern
	} else if modelType := d.value("model_type").Str; modelType == "gemma2" {
		s.windowed = (s.layers + 1) / 2 // every second layer, the first included
	} else if modelType == "mistral" || modelType == "mixtral" {
		s.windowed = s.layers
	} else if modelType == "gemma3_text" {
		s.windowed = s.layers - s.layers/6
	} else {
		s.notes = append(s.notes, "the config has a sliding window, and does not say in which layers: the cache may be smaller")
		return
	}
	s.window = window
	if s.windowed > 0 {
		s.notes = append(s.notes, fmt.Sprintf("%d of %d layers keep no more than %d tokens (sliding window)", s.windowed, s.layers, window))
	}
}

// linear leaves out the layers that keep no cache of every token.
func (s *cacheShape) linear(d dimensions) {
	kinds := d.value("layer_types")
	if !kinds.IsArray() {
		return
	}
	var without int64
	for _, kind := range kinds.Array() {
		if kind.Str == "linear_attention" || kind.Str == "mamba" || kind.Str == "recurrent" || kind.Str == "conv" {
			without++
		}
	}
	if without > 0 && without < s.layers {
		s.layers -= without
		s.notes = append(s.notes, fmt.Sprintf("%d layers keep a state of fixed size in place of a cache; it is not counted", without))
	}
}

// ggufCache reads the shape of the cache out of GGUF's keys.
func ggufCache(r *weightReader) (s cacheShape, ok bool) {
	f := r.gguf[0]
	number := func(key string) int64 {
		v := f.ModelKey(key)
		if n := v.Int(); n > 0 && n < 1<<31 {
			return n
		}
		return 0
	}
	s.layers = number("block_count")
	heads, kvHeads := number("attention.head_count"), number("attention.head_count_kv")
	if kvHeads == 0 {
		kvHeads = heads
	}
	keys, values := number("attention.key_length"), number("attention.value_length")
	if hidden := number("embedding_length"); heads > 0 && keys == 0 {
		keys = hidden / heads
	}
	if values == 0 {
		values = keys
	}
	if rank := number("attention.kv_lora_rank"); rank > 0 {
		s.perToken = (rank + number("rope.dimension_count")) * cacheElement
		s.notes = append(s.notes, "latent attention: the cache holds one compressed vector a token and layer")
		return s, s.layers > 0
	}
	if kvHeads > 1<<20 || keys+values > 1<<20 {
		return s, false
	}
	s.perToken = kvHeads * (keys + values) * cacheElement
	return s, s.layers > 0 && s.perToken > 0
}

// inspectMemory fills in the context length and the memory.
func (c *checkpoint) inspectMemory(info *Info, r *weightReader, asked int64) {
	d := c.dimensions()
	fromGGUF := r != nil && len(r.gguf) > 0
	if n, source, ok := d.get("context"); ok && !fromGGUF {
		info.ContextLength, info.ContextLengthSource = &n, source
	} else if fromGGUF {
		if n := r.gguf[0].ModelKey("context_length").Int(); n > 0 && n < 1<<31 {
			info.ContextLength, info.ContextLengthSource = &n, r.gguf[0].Path+": "+r.gguf[0].Architecture()+".context_length"
		}
	} else if n := boundedInt(c.params("max_seq_len")); n > 0 {
		info.ContextLength, info.ContextLengthSource = &n, fileParams+": max_seq_len"
	}
	if r == nil || r.info.StoredElements == nil {
		return
	}
	m := &MemoryInfo{Weights: r.info.TensorBytes, WeightsAs: map[string]int64{}, Notes: []string{}}
	if p := r.info.Parameters; p != nil && *p < 1<<58 {
		for _, t := range [...]struct {
			name string
			bits int64
		}{{"float32", 32}, {"bfloat16", 16}, {"int8", 8}, {"int4", 4}} {
			m.WeightsAs[t.name] = *p * t.bits / 8
		}
	}
	m.Total = m.Weights
	if !r.info.Complete {
		m.Notes = append(m.Notes, "the weights are incomplete: what is missing is not counted")
	}
	info.Memory = m
	if !slices.Contains(configKeys()["task"], string(info.Task)) && !fromGGUF {
		return
	}
	m.Context = info.ContextLength
	if asked > 0 {
		m.Context = &asked
		if info.ContextLength != nil && asked > *info.ContextLength {
			m.Notes = append(m.Notes, fmt.Sprintf("the model was made for %d tokens, fewer than asked for", *info.ContextLength))
		}
	}
	shape, ok := configCache(d)
	if fromGGUF {
		shape, ok = ggufCache(r)
	}
	if !ok || m.Context == nil {
		return
	}
	perToken := shape.layers * shape.perToken
	m.KVBytesPerToken = &perToken
	m.Notes = append(m.Notes, shape.notes...)
	if bytes, ok := shape.bytes(*m.Context); ok {
		m.KVCache = &bytes
		m.Total += bytes
	}
}

// params gives a key of Mistral's params.json.
func (c *checkpoint) params(key string) gjson.Result {
	if !c.has(fileParams) {
		return gjson.Result{}
	}
	v, err := readObject(c.fsys, c.dir, fileParams)
	if err != nil {
		return gjson.Result{}
	}
	return v.Get(key)
}
