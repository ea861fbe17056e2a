package format

import (
	"fmt"
	"io"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/tree"
	"omniloader/loader/safetensors"
)

// readSafetensors reads the header of a safetensors file. Where it is damaged, no tensor
// counts, and the header is nil.
func readSafetensors(f *tree.File, h *tree.Handle, add func(Tensor)) (Header, error) {
	summary, err := scanSafetensors(f.Name, h, h.Size, add)
	if err != nil {
		return Header{Unusable: true}, err
	}
	return Header{Framework: summary.Metadata["format"], Findings: repeatedTensors(f.Name, &summary)}, nil
}

// repeatedTensors reports tensors that a header has more than once.
func repeatedTensors(file string, summary *safetensors.Summary) []answer.Finding {
	if len(summary.Repeated) == 0 {
		return nil
	}
	return []answer.Finding{finding.New(finding.TensorNameTwice, file, fmt.Sprintf("%s twice in the header: %.300s; the last one counts",
		finding.Plural(len(summary.Repeated), "tensor name"), finding.JoinFirst(summary.Repeated)), "")}
}

// scanSafetensors calls add for each tensor of a safetensors file in r; name is its name
// in errors.
func scanSafetensors(name string, r io.ReaderAt, size int64, add func(Tensor)) (safetensors.Summary, error) {
	return safetensors.Scan(name, r, size, func(e safetensors.Entry) error {
		add(Tensor{Name: e.Name, DType: e.DType.String(), Rows: rows(e.Shape), Elements: e.Elements, Bytes: e.End - e.Begin})
		return nil
	})
}
