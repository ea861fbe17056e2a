package check

import (
	"fmt"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/quantization"
	"omniloader/loader/internal/weights"
)

// The quantization that the config declares is compared with the types of the tensors and
// with other files that declare one.
var _ = register(Check{
	Name:  "quantization",
	Codes: []string{finding.QuantizationConflict, finding.QuantizationUnknown, finding.QuantizationUnstated},
	Run: func(f *Facts) (findings []answer.Finding) {
		q := f.Info.Quantization
		if q == nil {
			cast := f.Info.Category == answer.Diffusers // single files of diffusion models are cast to 8 bits, without scales
			if packed := f.Weights.QuantizedType(); packed != "" && !cast {
				return single(finding.QuantizationUnstated, "", "the weights have tensors of type "+packed+", and no file says how they were quantized", "")
			}
			return nil
		}
		if tensor, ok := strings.CutPrefix(q.Source, weights.TensorSource); ok {
			if f.Checkpoint.Doc.File != config.ConfigJSON {
				return nil
			}
			return single(finding.QuantizationUnstated, config.ConfigJSON, "the weights are quantized ("+q.Summary()+", by "+tensor+"), and no file says so", "")
		}
		file := quantization.SourceFile(q.Source)
		if _, ok := quantization.Methods()[q.Method]; !ok && q.Method != answer.UnknownName {
			findings = append(findings, finding.New(finding.QuantizationUnknown, file, fmt.Sprintf("the quantization method %q is on no list", q.Method), ""))
		} else if q.Method == answer.UnknownName && strings.Contains(q.Source, "quantization_config") {
			findings = append(findings, finding.New(finding.QuantizationUnknown, file, "the quantization section names no method", ""))
		}
		for _, name := range checkpoint.QuantizationFiles {
			other := quantization.FromFile(f.Checkpoint, name)
			if other == nil || file == name {
				continue
			}
			if other.Method != q.Method || other.Bits != nil && q.Bits != nil && *other.Bits != *q.Bits {
				findings = append(findings, finding.New(finding.QuantizationConflict, name, "it says "+other.Summary()+", and "+q.Source+" says "+q.Summary(), ""))
			}
		}
		return findings
	},
})
