package memory

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/gguf"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/weights"
)

// cacheShape is what the size of a key-value cache depends on. Layers that keep a state
// of fixed size, or share the cache of another layer, are not counted.
type cacheShape struct {
	full, windowed       int64 // number of layers that keep every token, and the last window tokens
	perFull, perWindowed int64 // bytes of one token in a layer of each kind
	window               int64 // tokens
	fixedBytes           int64 // independent of the context
	notes                []string
}

// bytesPerElement is the size of an element of the cache: bfloat16 or float16, the
// default of common servers.
const bytesPerElement = 2

func (s *cacheShape) addNote(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// perToken is the bytes of one token in all layers.
func (s *cacheShape) perToken() int64 { return s.full*s.perFull + s.windowed*s.perWindowed }

// bytes is the size of the cache for a context; false where it does not fit into 63
// bits.
func (s *cacheShape) bytes(context int64) (int64, bool) {
	kept := min(context, s.window)
	size := float64(s.full)*float64(s.perFull)*float64(context) + float64(s.windowed)*float64(s.perWindowed)*float64(kept) + float64(s.fixedBytes)
	if size > math.MaxInt64/2 {
		return 0, false
	}
	return s.full*s.perFull*context + s.windowed*s.perWindowed*kept + s.fixedBytes, true
}

// cacheFromConfig gives the shape of the cache by a config; false where the model has no
// cache, or the config does not have the numbers.
func cacheFromConfig(d config.Quantities) (s cacheShape, ok bool) {
	if slices.Contains(config.KeyList("stateful"), d.Value("model_type").Str) {
		return s, false
	}
	layers, _, ok := d.Get("layers")
	if !ok || layers > config.MaxLayers || !s.setBytesPerToken(d) {
		return s, false
	}
	s.countLayers(d, layers)
	if d.Value("is_encoder_decoder").Type == gjson.True {
		// Whisper's encoder always has input of 30 seconds.
		if n := config.PositiveInt(d.Value("max_source_positions")); n > 0 && n < 1<<13 && d.Value("model_type").Str == "whisper" {
			s.fixedBytes = layers * s.perFull * n
			s.addNote("with the cache of the encoder's %d positions", n)
		} else {
			s.addNote("the cache of the encoder's output is not counted")
		}
	}
	return s, true
}

// setBytesPerToken sets perFull and perWindowed; false where the config does not have
// the numbers.
func (s *cacheShape) setBytesPerToken(d config.Quantities) bool {
	heads, _, okHeads := d.Get("heads")
	if rank := config.PositiveInt(d.Value("kv_lora_rank")); rank > 0 {
		// Latent attention keeps one compressed vector and one rotated key a token.
		rotated := config.PositiveInt(d.Value("qk_rope_head_dim"))
		s.perFull = (rank + rotated) * bytesPerElement
		s.addNote("latent attention: the cache holds one compressed vector a token and layer")
		if plain, value := config.PositiveInt(d.Value("qk_nope_head_dim")), config.PositiveInt(d.Value("v_head_dim")); okHeads && heads < 1<<20 && plain > 0 && value > 0 {
			s.addNote("a library that keeps its heads unpacked, as transformers does, needs %.3g times as much", float64(heads*(plain+rotated+value)*bytesPerElement)/float64(s.perFull))
		}
		s.perWindowed = s.perFull
		return true
	}
	kvHeads, _, okKV := d.GetOrDefault("kv_heads")
	if !okKV {
		kvHeads = heads
	}
	if d.Value("multi_query").Type == gjson.True && d.Value("new_decoder_architecture").Type != gjson.True {
		kvHeads = 1 // Falcon's configs give num_kv_heads as well, which is not used then
	}
	size, _, okSize := d.GetOrDefault("head_size")
	if hidden, _, okHidden := d.Get("hidden"); !okSize && okHidden && okHeads {
		size, okSize = hidden/heads, true
	}
	if kvHeads == 0 || !okSize || size == 0 || kvHeads > 1<<16 || size > 1<<16 {
		return false
	}
	s.perWindowed = 2 * kvHeads * size * bytesPerElement
	s.perFull = s.perWindowed
	// The layers of Gemma 4 without a window have another number and size of heads.
	if wide := config.PositiveInt(d.Value("global_head_dim")); wide > 0 && wide < 1<<16 {
		if n := config.PositiveInt(d.Value("num_global_key_value_heads")); n > 0 && n < 1<<16 && d.Value("attention_k_eq_v").Type == gjson.True {
			kvHeads = n
		}
		s.perFull = 2 * kvHeads * wide * bytesPerElement
	}
	return true
}

// layerCache is what a layer keeps of the tokens before the current one.
type layerCache byte

const (
	fullContext   layerCache = iota // every token
	slidingWindow                   // the last tokens
	fixedState                      // a state of fixed size, or nothing
)

// countLayers sets full, windowed and window.
func (s *cacheShape) countLayers(d config.Quantities, layers int64) {
	s.window = cmp.Or(config.PositiveInt(d.Value("sliding_window")), config.PositiveInt(d.Value("attention_window_size")), config.PositiveInt(d.Value("attention_chunk_size")))
	if d.Value("use_sliding_window").Type == gjson.False {
		s.window = 0
	}
	caches := layerCaches(d, layers)
	if shared := config.PositiveInt(d.Value("num_kv_shared_layers")); shared > 0 && shared < layers { // the last ones, of Gemma 3n and 4
		layers -= shared
		caches = caches[:min(len(caches), int(layers))]
		s.addNote("the last %d layers share the cache of others", shared)
	}
	if len(caches) == 0 {
		s.full = layers
		s.countWindowedByRule(d, layers)
	} else {
		layers = min(layers, int64(len(caches))) // the number of layers may include those of other parts
		var states int64
		for _, c := range caches[:layers] {
			switch {
			case c == fixedState:
				states++
			case c == slidingWindow && s.window > 0:
				s.windowed++
			default:
				s.full++
			}
		}
		if states > 0 {
			s.addNote("%d layers keep a state of fixed size, or nothing, in place of a cache; it is not counted", states)
		}
	}
	if s.windowed > 0 {
		s.addNote("%d of %d layers keep no more than %d tokens (sliding window)", s.windowed, layers, s.window)
	}
}

// countWindowedByRule sets full and windowed where the config has a window and no list
// of the kinds of layers: by a key that gives a pattern, or by library_defaults.tsv.
func (s *cacheShape) countWindowedByRule(d config.Quantities, layers int64) {
	if s.window == 0 {
		return
	}
	full := layers
	if first := d.Value("max_window_layers"); first.Type == gjson.Number { // Qwen: a window only where it is switched on
		if d.Value("use_sliding_window").Type != gjson.True {
			return
		}
		full = min(config.PositiveInt(first), layers)
	} else if every := config.PositiveInt(d.Value("sliding_window_pattern")); every > 0 {
		full = layers / every
	} else if every, _, ok := d.LibraryDefault("full_every"); ok {
		full = 0
		if every > 0 {
			full = layers / every
		}
	} else {
		s.addNote("the config has a sliding window, and does not say in which layers: the cache may be smaller")
		return
	}
	s.full, s.windowed = full, layers-full
}

// layerCaches gives what each layer keeps, by the keys of the config that tell; nil
// where none does. Source: configuration_*.py of transformers for each model.
func layerCaches(d config.Quantities, layers int64) (caches []layerCache) {
	for _, key := range config.KeyList("layer_kinds") {
		kinds := d.Value(key)
		if !kinds.IsArray() {
			continue
		}
		for _, kind := range kinds.Array() {
			caches = append(caches, cacheOfKind(kind.Str))
		}
		return caches
	}
	if pattern := d.Value("hybrid_override_pattern").Str; pattern != "" { // Nemotron-H: M, - and E hold no cache, * does
		for _, letter := range strings.ReplaceAll(pattern, "|", "") {
			c := fixedState
			if letter == '*' {
				c = fullContext
			}
			caches = append(caches, c)
		}
		return caches
	}
	if block := d.Value("block_types"); block.IsArray() && len(block.Array()) > 0 { // RecurrentGemma: repeated to the end
		kinds := block.Array()
		for i := range int(layers) {
			c := cacheOfKind(kinds[i%len(kinds)].Str)
			if c == fullContext {
				c = slidingWindow // its attention is always local
			}
			caches = append(caches, c)
		}
		return caches
	}
	hasAttention := attentionLayers(d)
	if hasAttention == nil {
		return nil
	}
	caches = make([]layerCache, layers)
	for i := range caches {
		if !hasAttention(i) {
			caches[i] = fixedState
		}
	}
	return caches
}

// cacheOfKind gives what a layer of a kind keeps. A kind that is not listed counts as
// fullContext, so that the cache is not underestimated.
func cacheOfKind(kind string) layerCache {
	switch {
	case slices.Contains(config.KeyList("layer_window"), kind):
		return slidingWindow
	case slices.Contains(config.KeyList("layer_state"), kind):
		return fixedState
	}
	return fullContext
}

// attentionLayers gives a function that tells whether layer i, from 0, has attention,
// for models in which only some layers have; nil for others.
func attentionLayers(d config.Quantities) func(i int) bool {
	if period := config.PositiveInt(d.Value("attn_layer_period")); period > 0 { // Jamba
		offset := config.PositiveInt(d.Value("attn_layer_offset"))
		return func(i int) bool { return int64(i)%period == offset }
	}
	if every := config.PositiveInt(d.Value("full_attention_interval")); every > 0 { // Qwen3-Next
		return func(i int) bool { return int64(i+1)%every == 0 }
	}
	for _, list := range [...]struct {
		key   string
		first int // what the first layer is called
	}{{"attn_layer_indices", 0}, {"full_attn_idxs", 0}, {"linear_attn_config.full_attn_layers", 1}} { // Bamba, LFM2, Kimi Linear
		v := d.Value(list.key)
		if !v.IsArray() {
			continue
		}
		present := map[int64]bool{}
		for _, n := range v.Array() {
			present[n.Int()-int64(list.first)] = true
		}
		return func(i int) bool { return present[int64(i)] }
	}
	if v := d.Value("attn_type_list"); v.IsArray() { // MiniMax: 1 is attention, 0 a linear one
		kinds := v.Array()
		return func(i int) bool { return i >= len(kinds) || kinds[i].Int() == 1 }
	}
	return nil
}

// cacheFromGGUF gives the shape of the cache by the keys of a GGUF file; false where the
// model has no cache, or the file does not have the numbers.
func cacheFromGGUF(h *weights.Headers) (s cacheShape, ok bool) {
	f := h.GGUF[0]
	number := func(key string) int64 {
		if n := f.ModelKey(key).Int(); n > 0 && n < 1<<31 {
			return n
		}
		return 0
	}
	if slices.Contains(config.KeyList("stateful"), f.Architecture()) {
		return s, false
	}
	layers := number("block_count")
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
	s.full = layers
	if rank := number("attention.kv_lora_rank"); rank > 0 {
		s.perFull = (rank + number("rope.dimension_count")) * bytesPerElement
		s.addNote("latent attention: the cache holds one compressed vector a token and layer")
		return s, layers > 0 && layers <= config.MaxLayers
	}
	if layers > config.MaxLayers || kvHeads > 1<<16 || keys+values > 1<<16 {
		return s, false
	}
	if perLayer := h.KVHeads; len(perLayer) > 0 { // hybrids have 0 in the layers without attention
		kvHeads, s.full = 1, 0
		for _, n := range perLayer {
			s.full += n
		}
		if states := len(perLayer) - countAttention(perLayer); states > 0 {
			s.addNote("%d layers keep a state of fixed size, or nothing, in place of a cache; it is not counted", states)
		}
	}
	s.perFull = kvHeads * (keys + values) * bytesPerElement
	s.perWindowed = s.perFull
	if s.window = number("attention.sliding_window"); s.window > 0 {
		s.countGGUFWindowed(f, layers, len(h.KVHeads) > 0)
	}
	return s, s.full+s.windowed > 0 && s.perFull > 0
}

// countAttention counts the layers that have key-value heads.
func countAttention(heads []int64) (n int) {
	for _, h := range heads {
		if h > 0 {
			n++
		}
	}
	return n
}

// countGGUFWindowed sets full and windowed for architectures whose pattern of layers
// with a window is known; the file does not have it. Source: llama.cpp,
// src/llama-model.cpp.
func (s *cacheShape) countGGUFWindowed(f *gguf.File, layers int64, perLayer bool) {
	every := map[string]int64{"gemma2": 2, "gemma3": 6, "gpt-oss": 2, "cohere2": 4}[f.Architecture()]
	if every == 0 || perLayer {
		s.addNote("the file has a sliding window, and does not say in which layers: the cache may be smaller")
		return
	}
	s.full = layers / every
	s.windowed = layers - s.full
	s.addNote("%d of %d layers keep no more than %d tokens (sliding window)", s.windowed, layers, s.window)
}
