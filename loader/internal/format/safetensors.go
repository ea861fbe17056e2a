package format

import (
	"io"

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
	return Header{Framework: summary.Metadata["format"]}, nil
}

// scanSafetensors calls add for each tensor of a safetensors file in r; name is its name
// in errors.
func scanSafetensors(name string, r io.ReaderAt, size int64, add func(Tensor)) (safetensors.Summary, error) {
	return safetensors.Scan(name, r, size, func(e safetensors.Entry) error {
		add(Tensor{Name: e.Name, DType: e.DType.String(), Rows: rows(e.Shape), Elements: e.Elements, Bytes: e.End - e.Begin})
		return nil
	})
}
