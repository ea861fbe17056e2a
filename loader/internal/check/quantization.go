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
	Codes: []string{finding.QuantizationConflict, finding.QuantizationUnknown, finding.QuantizationUnstated, finding.QuantizationMalformed, finding.TensorMissing},
	Run: func(f *Facts) (findings []answer.Finding) {
		q := f.Info.Quantization
		findings = append(findings, checkScales(f)...)
		if q == nil {
			cast := f.Info.Category == answer.Diffusers // single files of diffusion models are cast to 8 bits, without scales
			if packed := f.Weights.QuantizedType(); packed != "" && !cast {
				return append(findings, finding.New(finding.QuantizationUnstated, "", "the weights have tensors of type "+packed+", and no file says how they were quantized", ""))
			}
			return findings
		}
		if tensor, ok := strings.CutPrefix(q.Source, weights.TensorSource); ok {
			if f.Checkpoint.Doc.File != config.ConfigJSON {
				return findings
			}
			return append(findings, finding.New(finding.QuantizationUnstated, config.ConfigJSON, "the weights are quantized ("+q.Summary()+", by "+tensor+"), and no file says so", ""))
		}
		file := quantization.SourceFile(q.Source)
		if key, text, ok := quantization.IllTyped(f.Checkpoint); ok {
			findings = append(findings, finding.New(finding.QuantizationMalformed, file, fmt.Sprintf("quantization_config.%s is the text %.40q, not a list", key, text), ""))
		}
		findings = append(findings, checkBits(f, file)...)
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

// checkScales reports quantized weights without the tensors that they need.
func checkScales(f *Facts) []answer.Finding {
	names := f.lackingScales()
	if len(names) == 0 {
		return nil
	}
	return single(finding.TensorMissing, f.Weights.Info.Files[0], "no tensor "+finding.JoinFirst(names)+"; the quantized weights cannot be read without", "")
}

// lackingScales lists the tensors that quantized weights need and that are not there, nil
// where not every header was read.
func (f *Facts) lackingScales() []string {
	if f.available()&Headers == 0 || len(f.Weights.GGUF) > 0 || !unsplitLayouts[f.Info.Layout] {
		return nil
	}
	return f.Weights.LackingScales(f.Info.Quantization)
}

// checkBits reports weights that are packed in other bits than the config says.
func checkBits(f *Facts, file string) []answer.Finding {
	if f.available()&Headers == 0 || len(f.Weights.GGUF) > 0 || !unsplitLayouts[f.Info.Layout] {
		return nil
	}
	conflicts := f.Weights.BitConflicts(f.Checkpoint, f.Info.Quantization)
	if len(conflicts) == 0 {
		return nil
	}
	c := conflicts[0]
	message := fmt.Sprintf("it says %g bits, and %s is packed in %g", c.Configured, c.Tensor, c.Stored)
	if more := len(conflicts) - 1; more > 0 {
		message += fmt.Sprintf(", as are %d others in other bits than it says", more)
	}
	return single(finding.QuantizationConflict, file, message, "correct bits and group_size of the config, or get the weights that belong to it")
}
