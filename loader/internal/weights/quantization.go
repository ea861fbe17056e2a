package weights

import (
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/gguf"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/quantization"
)

// unquantizedTypes are the types of GGUF in which weights are not compressed.
var unquantizedTypes = map[string]bool{"F32": true, "F16": true, "BF16": true, "F64": true}

// Quantization says how the weights were compressed where the configs that are read
// first do not: it asks GGUF's own types, Mistral's params.json and the configs of a
// pipeline's components. It is nil where nothing says that they were; r may be nil.
func Quantization(c *checkpoint.Directory, r *Headers) *answer.Quantization {
	if r != nil && len(r.GGUF) > 0 {
		return ggufQuantization(r.GGUF[0], r.Info)
	}
	if c.Has(config.ParamsJSON) && (c.Doc.File == "" || c.Doc.File == config.ParamsJSON) {
		if params, err := config.ReadJSON(c.FS, c.Dir, config.ParamsJSON); err == nil {
			if q := params.Get("quantization"); q.IsObject() {
				out := &answer.Quantization{Method: "fp8", Source: config.ParamsJSON + ": quantization", Detail: q.Get("qformat_weight").String()}
				if b, ok := quantization.ParseBits(q.Get("qformat_weight")); ok {
					out.Bits = &b
				}
				return out
			}
		}
	}
	if c.Doc.File == config.ModelIndexJSON {
		for _, name := range c.Names {
			if !c.HasDir(name) {
				continue
			}
			object, err := config.ReadJSON(c.FS, c.Dir, name+"/"+config.ConfigJSON)
			if err != nil {
				continue
			}
			if q := object.Get("quantization_config"); q.IsObject() {
				return quantization.Parse(q, name+"/"+config.ConfigJSON+": quantization_config")
			}
		}
	}
	return nil
}

func ggufQuantization(f *gguf.File, w *answer.WeightsInfo) *answer.Quantization {
	usage := f.Usage()
	if len(usage) == 0 || unquantizedTypes[usage[0].Type.String()] {
		return nil
	}
	q := &answer.Quantization{Method: "gguf", Bits: w.BitsPerWeight, Detail: usage[0].Type.String(), Source: f.Path + ": tensor types"}
	if _, name, ok := f.FileType(); ok && name != "" {
		q.Detail, q.Source = name, f.Path+": general.file_type"
	}
	return q
}

// QuantizedType names a type among the weights that only quantizing makes, ""
// where there is none.
func (r *Headers) QuantizedType() string {
	if r == nil {
		return ""
	}
	for i := range r.Tensors.List {
		switch t := &r.Tensors.List[i]; {
		case strings.HasPrefix(t.DType, "F8") || strings.HasPrefix(t.DType, "F4"):
			return t.DType
		case (t.DType == "I32" || t.DType == "U32") && strings.HasSuffix(string(r.Tensors.Name(i)), "weight") && t.Elements > 1<<10:
			return t.DType
		}
	}
	return ""
}
