package weights

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"path"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/internal/tree"
	"omniloader/loader/onnx"
	"omniloader/loader/safetensors"
	"omniloader/loader/sniff"
	"omniloader/loader/window"
)

// onnxFile reads the tensors of an ONNX model, whose data may lie in files beside
// it.
func (r *Reader) onnxFile(f *tree.File, h *tree.Handle) bool {
	tensors, err := onnx.Read(h, h.Size, f.Name)
	elsewhere := map[string]int64{} // how far each other file has to reach
	for i := range tensors {
		t := &tensors[i]
		if t.Constant && (t.DType == "I64" || t.DType == "I32" || t.DType == "BOOL" || t.DType == "") {
			continue // shapes and axes, and no weights
		}
		rows := int64(1)
		if len(t.Shape) > 0 {
			rows = t.Shape[0]
		}
		// Blocks of weights of four bits, as the operator MatMulNBits has them.
		r.packedBlocks = r.packedBlocks || t.DType == "U8" && len(t.Shape) == 3
		r.List.add([]byte(t.Name), storedTensor{file: len(r.Info.Files), DType: answer.OrNone(t.DType), Elements: t.Elements(), bytes: t.Bytes, Rows: rows})
		if e := t.External; e != nil {
			length := e.Length
			if length == 0 {
				length = t.Bytes
			}
			elsewhere[e.File] = max(elsewhere[e.File], saturating(e.Offset, length))
			if e.Unsafe() {
				r.Info.Complete = false
				r.report(finding.IndexUnsafe, f.Name, fmt.Sprintf("the data of a tensor is said to lie in %.80q", e.File), "")
				return false
			}
		}
	}
	if err != nil {
		r.broken(f.Name, err, finding.WeightsUnreadable)
		return false
	}
	for name, reach := range elsewhere {
		r.externalData(path.Join(f.Dir(), name), reach)
	}
	return true
}

func saturating(a, b int64) int64 {
	if sum := a + b; sum >= a {
		return sum
	}
	return 1<<63 - 1
}

// externalData looks at a file that holds data of a model beside it.
func (r *Reader) externalData(name string, reach int64) {
	for i := range r.files {
		f := &r.files[i]
		if f.Name != name {
			continue
		}
		r.Info.Bytes += f.Size
		switch {
		case f.Problem != nil: // reported as such
			r.Info.Complete = false
		case f.Size < reach:
			r.Info.Complete = false
			r.report(finding.WeightsTruncated, name, fmt.Sprintf("it has %s, and the model's tensors reach to %s", finding.ExactBytes(f.Size), finding.ExactBytes(reach)), "")
		}
		return
	}
	r.Info.Complete = false
	r.Info.Missing = append(r.Info.Missing, name)
	r.report(finding.ShardMissing, name, "the model keeps the data of its tensors in this file, which is not here", r.c.HowToGet(name))
}

// maxMembers bounds how many files of an archive are looked at.
const maxMembers = 10_000

// ddufFile reads the safetensors files in an archive of a whole pipeline, which
// are stored as they are. Source: huggingface_hub, docs/hub/dduf.
func (r *Reader) ddufFile(f *tree.File, h *tree.Handle) bool {
	archive, err := zip.NewReader(window.Bounded(h, h.Size), h.Size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		r.broken(f.Name, fault.New(fault.Truncated, f.Name, "a zip archive without its directory, which stands at the end").WithCause(err).WithHint("download the file again"), finding.WeightsUnreadable)
		return false
	}
	if len(archive.File) > maxMembers {
		r.broken(f.Name, fault.New(fault.TooLarge, f.Name, fmt.Sprintf("%d files in the archive, the limit is %d", len(archive.File), maxMembers)), finding.WeightsUnreadable)
		return false
	}
	for _, member := range archive.File {
		if path.Ext(member.Name) != ".safetensors" {
			continue
		}
		at, err := member.DataOffset()
		size := int64(member.UncompressedSize64)
		if err == nil && (member.Method != zip.Store || size < 0 || at > h.Size || size > h.Size-at) {
			err = fault.New(fault.Malformed, f.Name, fmt.Sprintf("%.80q in the archive is packed, or longer than the file", member.Name))
		}
		before := len(r.List.Tensors)
		if err == nil {
			_, err = safetensors.Scan(f.Name, io.NewSectionReader(h, at, size), size, func(e safetensors.Entry) error {
				rows := int64(1)
				if len(e.Shape) > 0 {
					rows = int64(e.Shape[0])
				}
				r.List.add(append([]byte(path.Dir(member.Name)+"/"), e.Name...), storedTensor{file: len(r.Info.Files), DType: e.DType.String(), Elements: e.Elements, bytes: e.End - e.Begin, Rows: rows})
				return nil
			})
		}
		if err != nil {
			r.List.Tensors = r.List.Tensors[:before]
			r.broken(f.Name, err, finding.WeightsUnreadable)
			return false
		}
	}
	return true
}

// contentsOf are the contents that files of a format have whose headers are not
// read, or not always.
var contentsOf = map[string][]sniff.Format{
	"nemo":   {sniff.Tar, sniff.Gzip},
	"keras":  {sniff.Zip, sniff.HDF5},
	"tflite": {sniff.TFLite},
}
