package quantization

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
)

// Modules has what the config says about single modules: in MLX's section an object for
// each module, in that of AutoRound the key extra_config.
type Modules struct {
	// Mixed: parts of the weights have other bits, and the config does not tell which by
	// the names of modules.
	Mixed   bool
	overall module
	byName  map[string]module
	parts   []string // what Describe tells besides the modules
}

// module is the quantization of a module; 0 where the config does not tell.
type module struct {
	bits  float64
	group int64
}

// maxModules is the number of modules beyond which a config is not read further.
const maxModules = 1 << 17

// mlxGroups are the group sizes of MLX's modes, where no group_size is given. Source:
// mlx, python/mlx/nn/layers/quantized.py.
var mlxGroups = map[string]int64{"affine": 64, "mxfp4": 32, "mxfp8": 32, "nvfp4": 16}

// ReadModules reads what config.json says about modules.
func ReadModules(c *checkpoint.Directory) *Modules {
	m := &Modules{byName: map[string]module{}}
	for _, key := range [...]config.Key{config.KeyQuantization, config.KeyQuantizationConfig} {
		m.readSection(c.Doc.Object(key))
	}
	for _, nested := range [...]config.Key{config.KeyTextConfig, config.KeyThinkerConfig, config.KeyLLMConfig} {
		m.readSection(c.Doc.Object(nested).Get("quantization_config"))
	}
	if expert := c.Quantities().Value("expert_dtype"); expert.Type == gjson.String { // DeepSeek-V4
		if bits, ok := ParseBits(expert); ok {
			m.Mixed = true
			m.parts = append(m.parts, fmt.Sprintf("%g bits in experts (%.20s)", bits, expert.Str))
		}
	}
	return m
}

// readSection reads a section of the config.
func (m *Modules) readSection(section gjson.Result) {
	if !section.IsObject() {
		return
	}
	if own := readModule(section); m.overall == (module{}) {
		m.overall = own
	}
	if group := config.PositiveInt(section.Get("quant_type.default._data.weight_granularity._data.group_size")); group > 0 { // torchao
		m.overall.group = group
	} else if group := config.PositiveInt(section.Get("quant_type.default._data.group_size")); group > 0 {
		m.overall.group = group
	}
	m.readModules(section)
	m.readModules(section.Get("extra_config")) // AutoRound
	m.readGroups(section.Get("config_groups"))
	for _, key := range [...]string{"dynamic", "layer_quant_config", "layer_type_quant_config", "quantized_layers"} { // GPTQModel, Quark, ModelOpt: by patterns
		section.Get(key).ForEach(func(pattern, v gjson.Result) bool {
			if v.IsObject() && v.Raw != "{}" {
				m.Mixed = true
				m.parts = append(m.parts, "other bits by "+key)
			}
			return !m.Mixed
		})
	}
}

// readModule reads bits and group_size of a module.
func readModule(v gjson.Result) (own module) {
	if b := v.Get("bits"); b.Type == gjson.Number && b.Num > 0 && b.Num <= 32 {
		own.bits = b.Num
	}
	if g := v.Get("group_size"); g.Type == gjson.Number && g.Num >= 1 && g.Num <= 1<<20 {
		own.group = int64(g.Num)
	} else if own.bits > 0 {
		own.group = mlxGroups[v.Get("mode").Str]
	}
	return own
}

// readModules reads the objects of a section that have bits of their own.
func (m *Modules) readModules(section gjson.Result) {
	if !section.IsObject() {
		return
	}
	section.ForEach(func(name, v gjson.Result) bool {
		if v.IsObject() {
			if own := readModule(v); own != (module{}) {
				m.byName[name.String()] = own
			}
		}
		return len(m.byName) < maxModules
	})
}

// readGroups reads the groups of compressed-tensors, which name modules by patterns.
func (m *Modules) readGroups(groups gjson.Result) {
	var bits []float64
	var sizes []int64
	groups.ForEach(func(_, v gjson.Result) bool {
		bits = append(bits, v.Get("weights.num_bits").Num)
		sizes = append(sizes, config.PositiveInt(v.Get("weights.group_size")))
		return len(bits) < 1000
	})
	if len(bits) == 0 {
		return
	}
	slices.Sort(sizes)
	if sizes = slices.Compact(sizes); len(sizes) == 1 {
		m.overall.group = sizes[0]
	} else {
		m.overall.group = 0
	}
	slices.Sort(bits)
	if bits = slices.Compact(bits); len(bits) > 1 {
		m.Mixed = true
		m.parts = append(m.parts, "groups of "+joinBits(bits)+" bits")
	}
}

// joinBits writes numbers of bits: "4, 8".
func joinBits(bits []float64) string {
	words := make([]string, len(bits))
	for i, b := range bits {
		words[i] = strconv.FormatFloat(b, 'g', -1, 64)
	}
	return strings.Join(words, ", ")
}

// Bits gives the bits of a module's weights, 0 where the config has none for it.
func (m *Modules) Bits(name string) float64 {
	if own := m.byName[name]; own.bits > 0 {
		return own.bits
	}
	return 0
}

// GroupSize gives the number of weights of a module that share a scale, 0 where it is not
// known.
func (m *Modules) GroupSize(name string) int64 {
	if own := m.byName[name]; own.group > 0 {
		return own.group
	}
	return m.overall.group
}

// Describe tells the parts of the weights that have other bits than q says: "8 bits in 26
// modules"; "" where there are none.
func (m *Modules) Describe(q *answer.Quantization) string {
	count := map[float64]int{}
	for _, own := range m.byName {
		if own.bits > 0 && (q.Bits == nil || own.bits != *q.Bits) {
			count[own.bits]++
		}
	}
	parts := slices.Clone(m.parts)
	for _, bits := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%g bits in %s", bits, finding.Plural(count[bits], "module")))
	}
	return strings.Join(parts, ", ")
}

// listKeys are the keys of the sections that are lists of modules, or null.
var listKeys = [...]string{"llm_int8_skip_modules", "modules_to_not_convert", "ignore", "exclude", "ignored_layers"}

// IllTyped gives the key of a section of the config that should be a list and is a text,
// and the text; ok is false where there is none.
func IllTyped(c *checkpoint.Directory) (key, text string, ok bool) {
	if !bytes.Contains(c.Doc.Data, []byte("quantization_config")) {
		return "", "", false
	}
	section := c.Doc.Object(config.KeyQuantizationConfig)
	for _, key := range listKeys {
		if v := section.Get(key); v.Type == gjson.String {
			return key, v.Str, true
		}
	}
	return "", "", false
}
