package loader

import (
	"cmp"
	_ "embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"omniloader/loader/gguf"
)

//go:embed quantization_methods.tsv
var quantizationMethodsTSV string

// quantMethod is one line of quantization_methods.tsv.
type quantMethod struct {
	name         string // the usual spelling
	bits, detail string // keys, by commas; bits may end in "=" and a number
}

var quantMethods = sync.OnceValue(func() map[string]quantMethod {
	m := map[string]quantMethod{}
	for f := range tableRows(quantizationMethodsTSV) {
		m[f[0]] = quantMethod{cmp.Or(f[1], f[0]), f[2], f[3]}
	}
	return m
})

// The files that say how weights were quantized where config.json does not:
// AutoGPTQ's, AutoAWQ's and NVIDIA ModelOpt's.
const (
	fileQuantizeConfig = "quantize_config.json"
	fileQuantConfig    = "quant_config.json"
	fileHFQuantConfig  = "hf_quant_config.json"
)

var quantFiles = [...]string{fileQuantizeConfig, fileQuantConfig, fileHFQuantConfig}

// quantization says how the weights were compressed, nil where nothing says that
// they were. The places are asked in the order in which loaders ask them.
func (c *checkpoint) quantization() *Quantization {
	if q := c.configQuantization(); q != nil {
		return q
	}
	if c.marks&markQuantFile != 0 {
		for _, name := range quantFiles {
			if q := c.quantizationOf(name); q != nil {
				return q
			}
		}
	}
	return nil
}

// configQuantization asks the config alone.
func (c *checkpoint) configQuantization() *Quantization {
	if !c.doc.any(keyQuantizationConfig, keyCompressionConfig, keyTextConfig, keyThinkerConfig, keyLLMConfig, keyQuantization, keyLoadIn8Bit, keyLoadIn4Bit) {
		return nil
	}
	if q := c.doc.object(keyQuantizationConfig); q.Exists() {
		// MLX writes its section twice, and this copy names no method.
		if mlx := c.doc.object(keyQuantization); !mlx.Exists() || q.Get("quant_method").Exists() {
			return describe(q, c.doc.file+": quantization_config")
		}
	}
	if q := c.doc.object(keyCompressionConfig); q.Exists() {
		found := describe(q, c.doc.file+": compression_config")
		if found.Method == None {
			found.Method = "compressed-tensors"
		}
		return found
	}
	for _, nested := range [...]struct {
		key  key
		path string
	}{{keyTextConfig, "quantization_config"}, {keyThinkerConfig, "quantization_config"}, {keyThinkerConfig, "text_config.quantization_config"}, {keyLLMConfig, "quantization_config"}} {
		if q := c.doc.object(nested.key).Get(nested.path); q.IsObject() {
			return describe(q, c.doc.file+": "+keyNames[nested.key]+"."+nested.path)
		}
	}
	if q := c.doc.object(keyQuantization); q.Exists() { // MLX
		return describe(q, c.doc.file+": quantization")
	}
	if c.doc.isTrue(keyLoadIn8Bit) {
		return bitsAndBytes(8, "", c.doc.file+": load_in_8bit")
	}
	if c.doc.isTrue(keyLoadIn4Bit) {
		return bitsAndBytes(4, "", c.doc.file+": load_in_4bit")
	}
	return nil
}

// quantizationOf asks one of the files beside the config; nil where it says
// nothing that can be read.
func (c *checkpoint) quantizationOf(name string) *Quantization {
	if !c.has(name) {
		return nil
	}
	q, err := readObject(c.fsys, c.dir, name)
	if err != nil {
		return nil
	}
	switch found := describe(q, name); {
	case found.Method != None:
		return found
	case name == fileHFQuantConfig:
		return describeAs("modelopt", q, name)
	case q.Get("zero_point").Exists() || q.Get("w_bit").Exists() || strings.EqualFold(q.Get("version").String(), "GEMM"):
		return describeAs("awq", q, name) // which is also found in GPTQ's file
	case q.Get("bits").Exists():
		return describeAs("gptq", q, name)
	}
	return nil
}

func bitsAndBytes(bits float64, detail, source string) *Quantization {
	return &Quantization{Method: "bitsandbytes", Bits: &bits, Detail: detail, Source: source}
}

// describe reads a quantization section. bitsandbytes is told by the value of
// its two switches, since older files name no method.
func describe(q gjson.Result, source string) *Quantization {
	switch {
	case q.Get("load_in_8bit").Type == gjson.True:
		return bitsAndBytes(8, "", source)
	case q.Get("load_in_4bit").Type == gjson.True:
		return bitsAndBytes(4, q.Get("bnb_4bit_quant_type").String(), source)
	}
	method := None
	if m := q.Get("quant_method"); m.Type == gjson.String && m.Str != "" {
		method = m.Str
	} else if m := q.Get("quant_algo"); m.Type == gjson.String {
		method = "modelopt"
	} else if q.Get("group_size").Exists() && q.Get("bits").Exists() && strings.HasSuffix(source, ": quantization") {
		method = "mlx"
	}
	return describeAs(method, q, source)
}

// describeAs reads the bits and the variety of a section of a known method.
func describeAs(method string, q gjson.Result, source string) *Quantization {
	m, ok := quantMethods()[method]
	if !ok {
		m = quantMethod{name: method, bits: "bits,w_bit"}
	}
	out := &Quantization{Method: m.name, Source: source}
	for key := range strings.SplitSeq(m.bits, ",") {
		if own, ok := strings.CutPrefix(key, "="); ok {
			if b, err := strconv.ParseFloat(own, 64); err == nil {
				out.Bits = &b
			}
			break
		}
		if b, ok := bitsOf(q.Get(key)); ok {
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

// bitsInText finds the bits in the names of element types and algorithms:
// "int4", "Int8WeightOnlyConfig", "float8", "NVFP4", "W4A16_AWQ".
var bitsInText = regexp.MustCompile(`(?i)(?:int|float|fp|w)(\d{1,2})`)

func bitsOf(v gjson.Result) (float64, bool) {
	switch v.Type {
	case gjson.Number:
		return v.Num, v.Num > 0 && v.Num <= 64
	case gjson.String:
		if m := bitsInText.FindStringSubmatch(v.Str); m != nil {
			n, err := strconv.ParseFloat(m[1], 64)
			return n, err == nil && n > 0 && n <= 64
		}
	}
	return 0, false
}

// groupSize is how many weights share a scale, 0 where the config does not say.
func (c *checkpoint) groupSize() int64 {
	for _, q := range [...]gjson.Result{c.doc.object(keyQuantization), c.doc.object(keyQuantizationConfig)} {
		if g := q.Get("group_size"); g.Type == gjson.Number && g.Num >= 1 && g.Num <= 1<<20 {
			return int64(g.Num)
		}
	}
	return 0
}

// inspectQuantization adds what only the weights and the other files say.
func (c *checkpoint) inspectQuantization(info *Info, r *weightReader) {
	if info.Quantization == nil {
		info.Quantization = c.deeperQuantization(r)
		info.IsQuantized = info.Quantization != nil
	}
	q := info.Quantization
	if q == nil {
		if packed := r.quantizedTypes(); packed != "" {
			info.Findings = append(info.Findings, finding(CodeQuantizationUnstated, "", "the weights have tensors of type "+packed+", and no file says how they were quantized", ""))
		}
		return
	}
	if _, ok := quantMethods()[q.Method]; !ok && q.Method != None {
		info.Findings = append(info.Findings, finding(CodeQuantizationUnknown, fileOfSource(q.Source), fmt.Sprintf("the quantization method %q is on no list", q.Method), ""))
	} else if q.Method == None && strings.Contains(q.Source, "quantization_config") {
		info.Findings = append(info.Findings, finding(CodeQuantizationUnknown, fileOfSource(q.Source), "the quantization section names no method", ""))
	}
	for _, name := range quantFiles {
		other := c.quantizationOf(name)
		if other == nil || fileOfSource(q.Source) == name {
			continue
		}
		if other.Method != q.Method || other.Bits != nil && q.Bits != nil && *other.Bits != *q.Bits {
			info.Findings = append(info.Findings, finding(CodeQuantizationConflict, name, "it says "+other.text()+", and "+q.Source+" says "+q.text(), ""))
		}
	}
}

// fileOfSource is the file in a source, "config.json: quantization_config".
func fileOfSource(source string) string {
	file, _, _ := strings.Cut(source, ":")
	return file
}

func (q *Quantization) text() string {
	if q.Bits == nil {
		return q.Method
	}
	return q.Method + " of " + strconv.FormatFloat(*q.Bits, 'g', -1, 64) + " bits"
}

// unquantized are the types of GGUF in which weights are not compressed.
var unquantized = map[string]bool{"F32": true, "F16": true, "BF16": true, "F64": true}

// deeperQuantization asks GGUF's own types, Mistral's params.json and the
// configs of a pipeline's components.
func (c *checkpoint) deeperQuantization(r *weightReader) *Quantization {
	if r != nil && len(r.gguf) > 0 {
		return ggufQuantization(r.gguf[0], r.info)
	}
	if c.has(fileParams) && (c.doc.file == "" || c.doc.file == fileParams) {
		if params, err := readObject(c.fsys, c.dir, fileParams); err == nil {
			if q := params.Get("quantization"); q.IsObject() {
				out := &Quantization{Method: "fp8", Source: fileParams + ": quantization", Detail: q.Get("qformat_weight").String()}
				if b, ok := bitsOf(q.Get("qformat_weight")); ok {
					out.Bits = &b
				}
				return out
			}
		}
	}
	if c.doc.file == fileModelIndex {
		for _, name := range c.names {
			if !c.hasDir(name) {
				continue
			}
			object, err := readObject(c.fsys, c.dir, name+"/"+fileConfig)
			if err != nil {
				continue
			}
			if q := object.Get("quantization_config"); q.IsObject() {
				return describe(q, name+"/"+fileConfig+": quantization_config")
			}
		}
	}
	return nil
}

func ggufQuantization(f *gguf.File, w *WeightsInfo) *Quantization {
	usage := f.Usage()
	if len(usage) == 0 || unquantized[usage[0].Type.String()] {
		return nil
	}
	q := &Quantization{Method: "gguf", Bits: w.BitsPerWeight, Detail: usage[0].Type.String(), Source: f.Path + ": tensor types"}
	if _, name, ok := f.FileType(); ok && name != "" {
		q.Detail, q.Source = name, f.Path+": general.file_type"
	}
	return q
}

// quantizedTypes names a type among the weights that only quantizing makes, ""
// where there is none.
func (r *weightReader) quantizedTypes() string {
	if r == nil {
		return ""
	}
	for i := range r.list.tensors {
		switch t := &r.list.tensors[i]; {
		case strings.HasPrefix(t.dtype, "F8") || strings.HasPrefix(t.dtype, "F4"):
			return t.dtype
		case (t.dtype == "I32" || t.dtype == "U32") && strings.HasSuffix(string(r.list.name(i)), "weight") && t.elements > 1<<10:
			return t.dtype
		}
	}
	return ""
}
