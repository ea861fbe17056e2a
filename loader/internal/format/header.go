package format

import (
	"omniloader/loader/answer"
	"omniloader/loader/gguf"
)

// Tensor is a tensor as the header of a file describes it.
type Tensor struct {
	Name     []byte // valid only until add returns
	DType    string // "BF16", "Q4_K"; "unknown" where the type is not known
	Rows     int64  // the first dimension, 1 for a scalar
	Elements int64
	Bytes    int64 // size of its data
}

// Header is what the header of a file contains besides its tensors.
type Header struct {
	// Unusable: nothing of the file counts, not even the tensors that were read before
	// the error.
	Unusable     bool
	Framework    string     // for which the file was written: "pt", "mlx"; "" where not known
	GGUF         *gguf.File // nil for other formats
	PackedBlocks bool       // weights are packed in blocks, and the header does not tell how many weights these are
	External     []External // other files that hold the data of tensors
	Findings     []answer.Finding
	Problems     []error // errors in parts of the file
}

// External is a file that holds the data of tensors whose header is in another file.
type External struct {
	File  string // its path, relative to the directory of the header's file
	Bytes int64  // the size it must have at least
	// Unsafe: the path leads out of the directory. The rest of the header was not read.
	Unsafe bool
}

// rows gives the first dimension of a shape, 1 for a scalar.
func rows[T int | int64 | uint64](shape []T) int64 {
	if len(shape) == 0 {
		return 1
	}
	return int64(shape[0])
}
