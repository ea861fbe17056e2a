// Package quantization reads how the weights were quantized from config.json and the
// files that quantization tools write beside it. It does not read the weights; package
// weights looks at the types of tensors.
package quantization

import (
	"cmp"
	_ "embed"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/table"
)

//go:embed quantization_methods.tsv
var quantizationMethodsTSV string

// Method is one row of quantization_methods.tsv.
type Method struct {
	name         string // of answer.Quantization.Method
	bits, detail string // keys, separated by commas; bits may end with "=" and a number
}

// Methods gives the rows of quantization_methods.tsv by the name of the method.
var Methods = sync.OnceValue(func() map[string]Method {
	m := map[string]Method{}
	for f := range table.Rows(quantizationMethodsTSV) {
		m[f[0]] = Method{cmp.Or(f[1], f[0]), f[2], f[3]}
	}
	return m
})

// FromConfigs describes the quantization that the main file or one of
// checkpoint.QuantizationFiles declares, nil where none does.
func FromConfigs(c *checkpoint.Directory) *answer.Quantization {
	if q := fromConfig(c); q != nil {
		return q
	}
	if c.Markers.Has(checkpoint.MarkerQuantizationFile) {
		for _, name := range checkpoint.QuantizationFiles {
			if q := FromFile(c, name); q != nil {
				return q
			}
		}
	}
	return nil
}

// fromConfig reads the quantization from the main file.
func fromConfig(c *checkpoint.Directory) *answer.Quantization {
	if !c.Doc.ContainsAny(config.KeyQuantizationConfig, config.KeyCompressionConfig, config.KeyTextConfig, config.KeyThinkerConfig, config.KeyLLMConfig, config.KeyQuantization, config.KeyLoadIn8Bit, config.KeyLoadIn4Bit) {
		return nil
	}
	if q := c.Doc.Object(config.KeyQuantizationConfig); q.Exists() {
		// MLX writes the same section as quantization_config and quantization, without a method.
		if mlx := c.Doc.Object(config.KeyQuantization); !mlx.Exists() || q.Get("quant_method").Exists() {
			return Parse(q, c.Doc.File+": quantization_config")
		}
	}
	if q := c.Doc.Object(config.KeyCompressionConfig); q.Exists() {
		found := Parse(q, c.Doc.File+": compression_config")
		if found.Method == answer.UnknownName {
			found.Method = "compressed-tensors"
		}
		return found
	}
	for _, nested := range [...]struct {
		key  config.Key
		path string
	}{{config.KeyTextConfig, "quantization_config"}, {config.KeyThinkerConfig, "quantization_config"}, {config.KeyThinkerConfig, "text_config.quantization_config"}, {config.KeyLLMConfig, "quantization_config"}} {
		if q := c.Doc.Object(nested.key).Get(nested.path); q.IsObject() {
			return Parse(q, c.Doc.File+": "+nested.key.String()+"."+nested.path)
		}
	}
	if q := c.Doc.Object(config.KeyQuantization); q.Exists() { // MLX
		return Parse(q, c.Doc.File+": quantization")
	}
	if c.Doc.IsTrue(config.KeyLoadIn8Bit) {
		return bitsAndBytes(8, "", c.Doc.File+": load_in_8bit")
	}
	if c.Doc.IsTrue(config.KeyLoadIn4Bit) {
		return bitsAndBytes(4, "", c.Doc.File+": load_in_4bit")
	}
	return nil
}

// FromFile reads the quantization from one of checkpoint.QuantizationFiles, nil where
// the file is missing, cannot be read or declares none.
func FromFile(c *checkpoint.Directory, name string) *answer.Quantization {
	if !c.Has(name) {
		return nil
	}
	q, err := config.ReadJSON(c.FS, c.Dir, name)
	if err != nil {
		return nil
	}
	switch found := Parse(q, name); {
	case found.Method != answer.UnknownName:
		return found
	case name == checkpoint.ModelOptConfigFile:
		return parseAs("modelopt", q, name)
	case q.Get("zero_point").Exists() || q.Get("w_bit").Exists() || strings.EqualFold(q.Get("version").String(), "GEMM"):
		return parseAs("awq", q, name) // AWQ models with AutoGPTQ's file exist
	case q.Get("bits").Exists():
		return parseAs("gptq", q, name)
	}
	return nil
}

func bitsAndBytes(bits float64, detail, source string) *answer.Quantization {
	return &answer.Quantization{Method: "bitsandbytes", Bits: &bits, Detail: detail, Source: source}
}

// Parse reads a quantization section of a config. source is what Quantization.Source
// becomes. bitsandbytes is recognized by load_in_8bit and load_in_4bit, since older
// versions of it do not write quant_method.
func Parse(q gjson.Result, source string) *answer.Quantization {
	switch {
	case q.Get("load_in_8bit").Type == gjson.True:
		return bitsAndBytes(8, "", source)
	case q.Get("load_in_4bit").Type == gjson.True:
		return bitsAndBytes(4, q.Get("bnb_4bit_quant_type").String(), source)
	}
	method := answer.UnknownName
	if m := q.Get("quant_method"); m.Type == gjson.String && m.Str != "" {
		method = m.Str
	} else if m := q.Get("quant_algo"); m.Type == gjson.String {
		method = "modelopt"
	} else if q.Get("group_size").Exists() && q.Get("bits").Exists() && strings.HasSuffix(source, ": quantization") {
		method = "mlx"
	}
	return parseAs(method, q, source)
}

// parseAs reads bits and detail of a section of a method.
func parseAs(method string, q gjson.Result, source string) *answer.Quantization {
	m, ok := Methods()[method]
	if !ok {
		m = Method{name: method, bits: "bits,w_bit"}
	}
	out := &answer.Quantization{Method: m.name, Source: source}
	for key := range strings.SplitSeq(m.bits, ",") {
		if own, ok := strings.CutPrefix(key, "="); ok {
			if b, err := strconv.ParseFloat(own, 64); err == nil {
				out.Bits = &b
			}
			break
		}
		if b, ok := ParseBits(q.Get(key)); ok {
			out.Bits = &b
			break
		}
	}
	for key := range strings.SplitSeq(m.detail, ",") {
		if v := q.Get(key); key != "" && v.Type == gjson.String && v.Str != "" {
			out.Detail = v.Str
			break
		}
	}
	return out
}

// bitsInText finds the number of bits in the name of an element type or an algorithm:
// "int4", "Int8WeightOnlyConfig", "float8", "NVFP4", "W4A16_AWQ".
var bitsInText = regexp.MustCompile(`(?i)(?:int|float|fp|w)(\d{1,2})`)

// weightBitsInText finds the bits of the weights in a name that has those of the
// activations as well: "Int8DynamicActivationInt4WeightConfig".
var weightBitsInText = regexp.MustCompile(`(?i)(?:int|float|fp)(\d{1,2})_?weight`)

// openBits matches names that leave the bits of the weights to another key:
// "Int8DynamicActivationIntxWeightConfig", "UIntXWeightOnlyConfig".
var openBits = regexp.MustCompile(`(?i)intx_?weight`)

// ParseBits gives the bits per weight of a number, or of a name such as "int4"; false
// for anything else.
func ParseBits(v gjson.Result) (float64, bool) {
	switch v.Type {
	case gjson.Number:
		return v.Num, v.Num > 0 && v.Num <= 64
	case gjson.String:
		if openBits.MatchString(v.Str) {
			return 0, false
		}
		if m := weightBitsInText.FindStringSubmatch(v.Str); m != nil {
			n, err := strconv.ParseFloat(m[1], 64)
			return n, err == nil && n > 0 && n <= 64
		}
		if m := bitsInText.FindStringSubmatch(v.Str); m != nil {
			n, err := strconv.ParseFloat(m[1], 64)
			return n, err == nil && n > 0 && n <= 64
		}
	}
	return 0, false
}

// SourceFile gives the file of a Quantization.Source: "config.json" of "config.json:
// quantization_config".
func SourceFile(source string) string {
	file, _, _ := strings.Cut(source, ":")
	return file
}
