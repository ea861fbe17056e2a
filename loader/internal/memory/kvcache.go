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

// cacheShape is what a key-value cache depends on. Layers that keep a state of
// fixedBytes size, or share the cache of another, are in neither count.
type cacheShape struct {
	full, windowed       int64 // layers that keep every token, and no more than window tokens
	perFull, perWindowed int64 // bytes of one token in a layer of each kind
	window               int64
	fixedBytes           int64 // bytes that do not depend on the context
	notes                []string
}

// bytesPerElement is the size of an element of the cache: bfloat16 or float16, as
// the usual servers keep it.
const bytesPerElement = 2

func (s *cacheShape) addNote(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// perToken is what one token more takes, as long as no window is full.
func (s *cacheShape) perToken() int64 { return s.full*s.perFull + s.windowed*s.perWindowed }

// bytes is the size of the cache for a context; false where it is beyond all
// memory.
func (s *cacheShape) bytes(context int64) (int64, bool) {
	kept := min(context, s.window)
	size := float64(s.full)*float64(s.perFull)*float64(context) + float64(s.windowed)*float64(s.perWindowed)*float64(kept) + float64(s.fixedBytes)
	if size > math.MaxInt64/2 {
		return 0, false
	}
	return s.full*s.perFull*context + s.windowed*s.perWindowed*kept + s.fixedBytes, true
}

// cacheFromConfig reads the shape of the cache out of a config; false where there is
// no cache, or the config does not tell.
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
		// Whisper's encoder always sees 30 seconds.
		if n := config.PositiveInt(d.Value("max_source_positions")); n > 0 && n < 1<<13 && d.Value("model_type").Str == "whisper" {
			s.fixedBytes = layers * s.perFull * n
			s.addNote("with the cache of the encoder's %d positions", n)
		} else {
			s.addNote("the cache of the encoder's output is not counted")
		}
	}
	return s, true
}

// setBytesPerToken sizes one token in one layer.
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
	// Gemma 4 gives the layers that see everything heads of their own.
	if wide := config.PositiveInt(d.Value("global_head_dim")); wide > 0 && wide < 1<<16 {
		if n := config.PositiveInt(d.Value("num_global_key_value_heads")); n > 0 && n < 1<<16 && d.Value("attention_k_eq_v").Type == gjson.True {
			kvHeads = n
		}
		s.perFull = 2 * kvHeads * wide * bytesPerElement
	}
	return true
}

// layerCache is what a layer keeps of the tokens it has seen.
type layerCache byte

const (
	fullContext layerCache = iota
	slidingWindow
	fixedState // of fixed size, or nothing
)

// countLayers counts the layers of each kind.
func (s *cacheShape) countLayers(d config.Quantities, layers int64) {
	s.window = cmp.Or(config.PositiveInt(d.Value("sliding_window")), config.PositiveInt(d.Value("attention_window_size")), config.PositiveInt(d.Value("attention_chunk_size")))
	if d.Value("use_sliding_window").Type == gjson.False {
		s.window = 0
	}
	uses := layerCaches(d, layers)
	if shared := config.PositiveInt(d.Value("num_kv_shared_layers")); shared > 0 && shared < layers { // the last ones, of Gemma 3n and 4
		layers -= shared
		uses = uses[:min(len(uses), int(layers))]
		s.addNote("the last %d layers share the cache of others", shared)
	}
	if len(uses) == 0 {
		s.full = layers
		s.countWindowedByRule(d, layers)
	} else {
		layers = min(layers, int64(len(uses))) // some configs count other parts in
		var states int64
		for _, use := range uses[:layers] {
			switch {
			case use == fixedState:
				states++
			case use == slidingWindow && s.window > 0:
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

// countWindowedByRule counts the layers with a window where the config lists no kinds
// of layers: a pattern, or what the library does with the model type.
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

// layerCaches says what each layer keeps, as far as the config tells: the newer
// ones list the kinds, older ones have ways of their own. Empty where none is
// used. Source: configuration_*.py of transformers, each under its model's name.
func layerCaches(d config.Quantities, layers int64) (uses []layerCache) {
	for _, key := range config.KeyList("layer_kinds") {
		kinds := d.Value(key)
		if !kinds.IsArray() {
			continue
		}
		for _, kind := range kinds.Array() {
			uses = append(uses, cacheOfKind(kind.Str))
		}
		return uses
	}
	if pattern := d.Value("hybrid_override_pattern").Str; pattern != "" { // Nemotron-H: M, - and E hold no cache, * does
		for _, letter := range strings.ReplaceAll(pattern, "|", "") {
			use := fixedState
			if letter == '*' {
				use = fullContext
			}
			uses = append(uses, use)
		}
		return uses
	}
	if block := d.Value("block_types"); block.IsArray() && len(block.Array()) > 0 { // RecurrentGemma: repeated to the end
		kinds := block.Array()
		for i := range int(layers) {
			use := cacheOfKind(kinds[i%len(kinds)].Str)
			if use == fullContext {
				use = slidingWindow // its attention is always local
			}
			uses = append(uses, use)
		}
		return uses
	}
	attends := attentionLayers(d)
	if attends == nil {
		return nil
	}
	uses = make([]layerCache, layers)
	for i := range uses {
		if !attends(i) {
			uses[i] = fixedState
		}
	}
	return uses
}

// cacheOfKind reads the name of a kind of layer; what is not known counts as keeping
// all, which is never too little.
func cacheOfKind(kind string) layerCache {
	switch {
	case slices.Contains(config.KeyList("layer_window"), kind):
		return slidingWindow
	case slices.Contains(config.KeyList("layer_state"), kind):
		return fixedState
	}
	return fullContext
}

// attentionLayers tells of a layer, counted from 0, whether it has attention, in
// a model of which only some have; nil where nothing says so.
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
		there := map[int64]bool{}
		for _, n := range v.Array() {
			there[n.Int()-int64(list.first)] = true
		}
		return func(i int) bool { return there[int64(i)] }
	}
	if v := d.Value("attn_type_list"); v.IsArray() { // MiniMax: 1 is attention, 0 a linear one
		kinds := v.Array()
		return func(i int) bool { return i >= len(kinds) || kinds[i].Int() == 1 }
	}
	return nil
}

// cacheFromGGUF reads the shape of the cache out of GGUF's keys.
func cacheFromGGUF(r *weights.Headers) (s cacheShape, ok bool) {
	f := r.GGUF[0]
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
	if perLayer := r.KVHeads; len(perLayer) > 0 { // hybrids have 0 in the layers without attention
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
		s.countGGUFWindowed(f, layers, len(r.KVHeads) > 0)
	}
	return s, s.full+s.windowed > 0 && s.perFull > 0
}

func countAttention(heads []int64) (n int) {
	for _, h := range heads {
		if h > 0 {
			n++
		}
	}
	return n
}

// countGGUFWindowed counts the layers with a window, of the architectures of which it is
// known; the file does not say it. Source: llama.cpp, src/llama-model.cpp.
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
