package format

import (
	"omniloader/loader/answer"
	"omniloader/loader/internal/tree"
	"omniloader/loader/onnx"
)

// readONNX reads the tensors of an ONNX model, whose data may be in files beside it.
// What was read before an error counts.
func readONNX(f *tree.File, h *tree.Handle, add func(Tensor)) (*Header, error) {
	tensors, err := onnx.Read(h, h.Size, f.Name)
	header := &Header{}
	place := map[string]int{} // of a file in header.External
	for i := range tensors {
		t := &tensors[i]
		if t.Constant && (t.DType == "I64" || t.DType == "I32" || t.DType == "BOOL" || t.DType == "") {
			continue // shapes and axes, and no weights
		}
		// Blocks of weights of four bits, as the operator MatMulNBits has them.
		header.PackedBlocks = header.PackedBlocks || t.DType == "U8" && len(t.Shape) == 3
		add(Tensor{Name: []byte(t.Name), DType: answer.OrUnknown(t.DType), Rows: rows(t.Shape), Elements: t.Elements(), Bytes: t.Bytes})
		e := t.External
		if e == nil {
			continue
		}
		if e.Unsafe() {
			header.External = []External{{File: e.File, Unsafe: true}}
			return header, nil
		}
		length := e.Length
		if length == 0 {
			length = t.Bytes
		}
		at, ok := place[e.File]
		if !ok {
			at = len(header.External)
			place[e.File] = at
			header.External = append(header.External, External{File: e.File})
		}
		header.External[at].Bytes = max(header.External[at].Bytes, saturatingAdd(e.Offset, length))
	}
	return header, err
}

func saturatingAdd(a, b int64) int64 {
	if sum := a + b; sum >= a {
		return sum
	}
	return 1<<63 - 1
}
