package loader

import (
	"strings"

	"github.com/tidwall/gjson"
)

// quantization says how the weights were compressed, nil where nothing says that
// they were. The places are asked in the order in which loaders ask them.
func (c *checkpoint) quantization() *Quantization {
	if !c.doc.any(keyQuantizationConfig, keyCompressionConfig, keyTextConfig, keyQuantization, keyLoadIn8Bit, keyLoadIn4Bit) {
		return nil
	}
	if q := c.doc.object(keyQuantizationConfig); q.Exists() {
		return describe(q, c.doc.file+": quantization_config")
	}
	if q := c.doc.object(keyCompressionConfig); q.Exists() {
		return describe(q, c.doc.file+": compression_config")
	}
	if q := c.doc.object(keyTextConfig).Get("quantization_config"); q.IsObject() {
		return describe(q, c.doc.file+": text_config.quantization_config")
	}
	if q := c.doc.object(keyQuantization); q.Exists() { // MLX
		return describe(q, c.doc.file+": quantization")
	}
	if c.doc.isTrue(keyLoadIn8Bit) {
		return bitsAndBytes(8, c.doc.file+": load_in_8bit")
	}
	if c.doc.isTrue(keyLoadIn4Bit) {
		return bitsAndBytes(4, c.doc.file+": load_in_4bit")
	}
	return nil
}

func bitsAndBytes(bits float64, source string) *Quantization {
	return &Quantization{Method: "bitsandbytes", Bits: &bits, Source: source}
}

// describe reads a quantization section. bitsandbytes is told by the value of
// its two switches, since older files name no method.
func describe(q gjson.Result, source string) *Quantization {
	switch {
	case q.Get("load_in_8bit").Type == gjson.True:
		return bitsAndBytes(8, source)
	case q.Get("load_in_4bit").Type == gjson.True:
		return bitsAndBytes(4, source)
	}
	out := &Quantization{Method: None, Source: source}
	if m := q.Get("quant_method"); m.Type == gjson.String && m.Str != "" {
		out.Method = strings.ReplaceAll(m.Str, "_", "-")
	} else if q.Get("group_size").Exists() && q.Get("bits").Exists() && strings.HasSuffix(source, ": quantization") {
		out.Method = "mlx"
	}
	for _, name := range [...]string{"bits", "w_bit"} {
		if b := q.Get(name); b.Type == gjson.Number && b.Num > 0 && b.Num <= 64 {
			out.Bits = &b.Num
			break
		}
	}
	return out
}
