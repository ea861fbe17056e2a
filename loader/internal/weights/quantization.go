package weights

import (
	"fmt"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/gguf"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/quantization"
)

// InspectQuantization adds what only the weights and the other files say.
func InspectQuantization(c *checkpoint.Checkpoint, info *answer.Info, r *Reader) {
	if info.Quantization == nil {
		info.Quantization = deeperQuantization(c, r)
		info.IsQuantized = info.Quantization != nil
	}
	q := info.Quantization
	if q == nil {
		if packed := r.quantizedTypes(); packed != "" {
			info.Findings = append(info.Findings, finding.New(finding.QuantizationUnstated, "", "the weights have tensors of type "+packed+", and no file says how they were quantized", ""))
		}
		return
	}
	if _, ok := quantization.Methods()[q.Method]; !ok && q.Method != answer.UnknownName {
		info.Findings = append(info.Findings, finding.New(finding.QuantizationUnknown, quantization.FileOfSource(q.Source), fmt.Sprintf("the quantization method %q is on no list", q.Method), ""))
	} else if q.Method == answer.UnknownName && strings.Contains(q.Source, "quantization_config") {
		info.Findings = append(info.Findings, finding.New(finding.QuantizationUnknown, quantization.FileOfSource(q.Source), "the quantization section names no method", ""))
	}
	for _, name := range checkpoint.QuantFiles {
		other := quantization.FromFile(c, name)
		if other == nil || quantization.FileOfSource(q.Source) == name {
			continue
		}
		if other.Method != q.Method || other.Bits != nil && q.Bits != nil && *other.Bits != *q.Bits {
			info.Findings = append(info.Findings, finding.New(finding.QuantizationConflict, name, "it says "+other.Text()+", and "+q.Source+" says "+q.Text(), ""))
		}
	}
}

// unquantized are the types of GGUF in which weights are not compressed.
var unquantized = map[string]bool{"F32": true, "F16": true, "BF16": true, "F64": true}

// deeperQuantization asks GGUF's own types, Mistral's params.json and the
// configs of a pipeline's components.
func deeperQuantization(c *checkpoint.Checkpoint, r *Reader) *answer.Quantization {
	if r != nil && len(r.GGUF) > 0 {
		return ggufQuantization(r.GGUF[0], r.Info)
	}
	if c.Has(config.FileParams) && (c.Doc.File == "" || c.Doc.File == config.FileParams) {
		if params, err := config.ReadObject(c.FS, c.Dir, config.FileParams); err == nil {
			if q := params.Get("quantization"); q.IsObject() {
				out := &answer.Quantization{Method: "fp8", Source: config.FileParams + ": quantization", Detail: q.Get("qformat_weight").String()}
				if b, ok := quantization.BitsOf(q.Get("qformat_weight")); ok {
					out.Bits = &b
				}
				return out
			}
		}
	}
	if c.Doc.File == config.FileModelIndex {
		for _, name := range c.Names {
			if !c.HasDir(name) {
				continue
			}
			object, err := config.ReadObject(c.FS, c.Dir, name+"/"+config.FileConfig)
			if err != nil {
				continue
			}
			if q := object.Get("quantization_config"); q.IsObject() {
				return quantization.Parse(q, name+"/"+config.FileConfig+": quantization_config")
			}
		}
	}
	return nil
}

func ggufQuantization(f *gguf.File, w *answer.WeightsInfo) *answer.Quantization {
	usage := f.Usage()
	if len(usage) == 0 || unquantized[usage[0].Type.String()] {
		return nil
	}
	q := &answer.Quantization{Method: "gguf", Bits: w.BitsPerWeight, Detail: usage[0].Type.String(), Source: f.Path + ": tensor types"}
	if _, name, ok := f.FileType(); ok && name != "" {
		q.Detail, q.Source = name, f.Path+": general.file_type"
	}
	return q
}

// quantizedTypes names a type among the weights that only quantizing makes, ""
// where there is none.
func (r *Reader) quantizedTypes() string {
	if r == nil {
		return ""
	}
	for i := range r.List.Tensors {
		switch t := &r.List.Tensors[i]; {
		case strings.HasPrefix(t.DType, "F8") || strings.HasPrefix(t.DType, "F4"):
			return t.DType
		case (t.DType == "I32" || t.DType == "U32") && strings.HasSuffix(string(r.List.Name(i)), "weight") && t.Elements > 1<<10:
			return t.DType
		}
	}
	return ""
}
