package format

import (
	"omniloader/loader/answer"
	"omniloader/loader/gguf"
)

// Tensor is a tensor as a header describes it.
type Tensor struct {
	Name     []byte // only valid until the function that it is handed to returns
	DType    string // "BF16", "Q4_K"; "unknown" where the header names none that is known
	Rows     int64  // the first dimension, 1 for a scalar
	Elements int64
	Bytes    int64 // in the file
}

// Header is what the header of a file says beside its tensors.
type Header struct {
	Framework    string     // that wrote the file: "pt", "mlx"; "" where it does not say
	GGUF         *gguf.File // nil for other formats
	PackedBlocks bool       // weights packed in blocks, whose number the header does not tell
	External     []External // files beside this one that hold tensor data
	Findings     []answer.Finding
	Problems     []error // parts of the file that cannot be used
}

// External is a file that holds the data of tensors described elsewhere.
type External struct {
	File  string // as the header names it
	Bytes int64  // that it has to have at least
	// Unsafe: the name leads out of the directory. Nothing more of the header is read.
	Unsafe bool
}

// rows is the first dimension of a shape, 1 for that of a scalar.
func rows[T int | int64 | uint64](shape []T) int64 {
	if len(shape) == 0 {
		return 1
	}
	return int64(shape[0])
}
