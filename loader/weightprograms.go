package loader

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"path"

	"omniloader/loader/fault"
	"omniloader/loader/onnx"
	"omniloader/loader/safetensors"
	"omniloader/loader/sniff"
	"omniloader/loader/window"
)

// onnxFile reads the tensors of an ONNX model, whose data may lie in files beside
// it.
func (r *weightReader) onnxFile(f *fileInfo, h *handle) bool {
	tensors, err := onnx.Read(h, h.size, f.name)
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
		r.list.add([]byte(t.Name), storedTensor{file: len(r.info.Files), dtype: orNone(t.DType), elements: t.Elements(), bytes: t.Bytes, rows: rows})
		if e := t.External; e != nil {
			length := e.Length
			if length == 0 {
				length = t.Bytes
			}
			elsewhere[e.File] = max(elsewhere[e.File], saturating(e.Offset, length))
			if e.Unsafe() {
				r.info.Complete = false
				r.report(CodeIndexUnsafe, f.name, fmt.Sprintf("the data of a tensor is said to lie in %.80q", e.File), "")
				return false
			}
		}
	}
	if err != nil {
		r.broken(f.name, err, CodeWeightsUnreadable)
		return false
	}
	for name, reach := range elsewhere {
		r.externalData(path.Join(f.dir(), name), reach)
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
func (r *weightReader) externalData(name string, reach int64) {
	for i := range r.files {
		f := &r.files[i]
		if f.name != name {
			continue
		}
		r.info.Bytes += f.size
		switch {
		case f.problem != nil: // reported as such
			r.info.Complete = false
		case f.size < reach:
			r.info.Complete = false
			r.report(CodeWeightsTruncated, name, fmt.Sprintf("it has %s, and the model's tensors reach to %s", exactBytes(f.size), exactBytes(reach)), "")
		}
		return
	}
	r.info.Complete = false
	r.info.Missing = append(r.info.Missing, name)
	r.report(CodeShardMissing, name, "the model keeps the data of its tensors in this file, which is not here", r.c.howToGet(name))
}

// maxMembers bounds how many files of an archive are looked at.
const maxMembers = 10_000

// ddufFile reads the safetensors files in an archive of a whole pipeline, which
// are stored as they are. Source: huggingface_hub, docs/hub/dduf.
func (r *weightReader) ddufFile(f *fileInfo, h *handle) bool {
	archive, err := zip.NewReader(window.Bounded(h, h.size), h.size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		r.broken(f.name, fault.New(fault.Truncated, f.name, "a zip archive without its directory, which stands at the end").WithCause(err).WithHint("download the file again"), CodeWeightsUnreadable)
		return false
	}
	if len(archive.File) > maxMembers {
		r.broken(f.name, fault.New(fault.TooLarge, f.name, fmt.Sprintf("%d files in the archive, the limit is %d", len(archive.File), maxMembers)), CodeWeightsUnreadable)
		return false
	}
	for _, member := range archive.File {
		if path.Ext(member.Name) != ".safetensors" {
			continue
		}
		at, err := member.DataOffset()
		size := int64(member.UncompressedSize64)
		if err == nil && (member.Method != zip.Store || size < 0 || at > h.size || size > h.size-at) {
			err = fault.New(fault.Malformed, f.name, fmt.Sprintf("%.80q in the archive is packed, or longer than the file", member.Name))
		}
		before := len(r.list.tensors)
		if err == nil {
			_, err = safetensors.Scan(f.name, io.NewSectionReader(h, at, size), size, func(e safetensors.Entry) error {
				rows := int64(1)
				if len(e.Shape) > 0 {
					rows = int64(e.Shape[0])
				}
				r.list.add(append([]byte(path.Dir(member.Name)+"/"), e.Name...), storedTensor{file: len(r.info.Files), dtype: e.DType.String(), elements: e.Elements, bytes: e.End - e.Begin, rows: rows})
				return nil
			})
		}
		if err != nil {
			r.list.tensors = r.list.tensors[:before]
			r.broken(f.name, err, CodeWeightsUnreadable)
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
