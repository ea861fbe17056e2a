package format

import (
	"io"

	"omniloader/loader/internal/tree"
	"omniloader/loader/safetensors"
)

// readSafetensors reads the header of a safetensors file. Of a file that cannot be
// used no tensor counts: the header is nil then.
func readSafetensors(f *tree.File, h *tree.Handle, add func(Tensor)) (*Header, error) {
	summary, err := scanSafetensors(f.Name, h, h.Size, add)
	if err != nil {
		return nil, err
	}
	return &Header{Framework: summary.Metadata["format"]}, nil
}

func scanSafetensors(name string, r io.ReaderAt, size int64, add func(Tensor)) (safetensors.Summary, error) {
	return safetensors.Scan(name, r, size, func(e safetensors.Entry) error {
		add(Tensor{Name: e.Name, DType: e.DType.String(), Rows: rows(e.Shape), Elements: e.Elements, Bytes: e.End - e.Begin})
		return nil
	})
}
