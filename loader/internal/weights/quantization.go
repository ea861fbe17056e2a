package weights

import (
	"bytes"
	_ "embed"
	"strconv"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/gguf"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/quantization"
	"omniloader/loader/internal/table"
)

// unquantizedTypes are the tensor types of GGUF that are not quantized.
var unquantizedTypes = map[string]bool{"F32": true, "F16": true, "BF16": true, "F64": true}

// Quantization describes the quantization where quantization.FromConfigs finds none: by
// the tensor types of GGUF, params.json of Mistral's layout, the configs of a pipeline's
// components, or the names of tensors. It is nil where none of these declares one; h may be nil.
func Quantization(c *checkpoint.Directory, h *Headers) *answer.Quantization {
	if h != nil && len(h.GGUF) > 0 {
		return ggufQuantization(h.GGUF[0], h.Info)
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
	return h.quantizationOfTensors()
}

//go:embed tensor_quantization.tsv
var tensorQuantizationTSV string

// quantizationOfTensors describes the quantization that the names of tensors tell, nil
// where they tell none. h may be nil.
func (h *Headers) quantizationOfTensors() *answer.Quantization {
	if h == nil {
		return nil
	}
	for f := range table.Rows(tensorQuantizationTSV) {
		for i := range h.Tensors.List {
			name := h.Tensors.Name(i)
			if !bytes.HasSuffix(name, []byte(f[0])) || !strings.HasPrefix(h.Tensors.List[i].DType, f[1]) {
				continue
			}
			q := &answer.Quantization{Method: f[2], Detail: f[4], Source: TensorSource + string(name)}
			if b, err := strconv.ParseFloat(f[3], 64); err == nil {
				q.Bits = &b
			}
			return q
		}
	}
	return nil
}

// TensorSource is the beginning of Quantization.Source where no file declares it.
const TensorSource = "tensors: "

// ggufQuantization describes the quantization of a GGUF file by its most frequent tensor
// type.
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

// QuantizedType gives an element type of the tensors that only quantized weights have,
// "" where there is none. h may be nil.
func (h *Headers) QuantizedType() string {
	if h == nil {
		return ""
	}
	for i := range h.Tensors.List {
		switch t := &h.Tensors.List[i]; {
		case strings.HasPrefix(t.DType, "F8") || strings.HasPrefix(t.DType, "F4"):
			return t.DType
		case (t.DType == "I32" || t.DType == "U32") && strings.HasSuffix(string(h.Tensors.Name(i)), "weight") && t.Elements > 1<<10:
			return t.DType
		}
	}
	return ""
}
