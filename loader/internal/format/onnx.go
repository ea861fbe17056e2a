package format

import (
	"omniloader/loader/answer"
	"omniloader/loader/internal/tree"
	"omniloader/loader/onnx"
)

// readONNX reads the tensors of an ONNX model, whose data may be in other files. Where
// the file is damaged, the tensors before the damage are added all the same.
func readONNX(f *tree.File, h *tree.Handle, add func(Tensor)) (Header, error) {
	tensors, err := onnx.Read(h, h.Size, f.Name)
	header := Header{}
	index := map[string]int{} // index in header.External, by file
	for i := range tensors {
		t := &tensors[i]
		if t.Constant && (t.DType == "I64" || t.DType == "I32" || t.DType == "BOOL" || t.DType == "") {
			continue // a shape or a list of axes, and no weights
		}
		// The operator MatMulNBits has blocks of 4-bit weights in tensors of this form.
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
		at, ok := index[e.File]
		if !ok {
			at = len(header.External)
			index[e.File] = at
			header.External = append(header.External, External{File: e.File})
		}
		header.External[at].Bytes = max(header.External[at].Bytes, saturatingAdd(e.Offset, length))
	}
	return header, err
}

// saturatingAdd adds two sizes that are not negative; the sum is at most the largest
// int64.
func saturatingAdd(a, b int64) int64 {
	if sum := a + b; sum >= a {
		return sum
	}
	return 1<<63 - 1
}
