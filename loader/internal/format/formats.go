// Package format has the formats of weight files, one row each: the extensions and
// contents by which its files are found, whether several of them are one model, what
// they need beside them, and how their headers are read. The reader of a format is in
// the file of that name.
package format

import (
	"path"
	"slices"
	"sync"

	"omniloader/loader/internal/tree"
	"omniloader/loader/sniff"
)

// Format is one row of the table.
type Format struct {
	Name string
	// Extensions of its files, in the order in which they are preferred.
	Extensions []Extension
	// Contents that a file of the format must have, as package sniff names them; any,
	// where the reader tells. A format whose files have the extension of another, such
	// as .bin, is recognised by these, or by what is beside the file.
	Contents []sniff.Format
	// ByContent: a file of another format's extension that has one of Contents is of
	// this format.
	ByContent bool
	// Beside is the extension of a file of the same name whose presence says that a
	// .bin file is of this format.
	CompanionExtension string
	// Within is the extension of a directory whose weight files are of this format.
	DirectoryExtension string
	// Describes says whether a file tells by itself what model it holds.
	DescribedBy DescribedBy
	// Read reads the header of a file; nil where headers are not read, and then
	// NotRead says why.
	Read         func(f *tree.File, h *tree.Handle, add func(Tensor)) (*Header, error)
	UnreadReason string
}

// Extension is one extension of a format.
type Extension struct {
	Name string // ".safetensors"
	// Several says what several files of this extension in a directory are.
	Multiple MultipleFiles
	// NeedsConfig: diffusers and transformers write such a file beside a config.json
	// only, and cannot load it without one.
	NeedsConfig bool
}

// Several says what several files of one extension are, if no name tells.
type MultipleFiles int

// What several files are. The zero value is none of them, so that a test finds a
// forgotten column.
const (
	PartsOfOneModel MultipleFiles = iota + 1 // parts of one model
	Alternatives                             // versions of it, of which a loader takes one
)

// Describes says whether the files of a format describe their model.
type DescribedBy int

// Whether files describe their model. The zero value is none of them.
const (
	ByItself DescribedBy = iota + 1 // the file says what model it holds
	ByConfig                        // a config beside it does
)

// formats are in the order in which they are preferred where names do not decide.
var formats = []Format{
	{Name: "safetensors", Extensions: []Extension{{".safetensors", PartsOfOneModel, true}}, DescribedBy: ByConfig, Read: readSafetensors},
	{Name: "gguf", Extensions: []Extension{{".gguf", Alternatives, false}}, DescribedBy: ByItself, Read: readGGUF},
	{Name: "pytorch", Extensions: []Extension{{".bin", PartsOfOneModel, true}, {".pt", PartsOfOneModel, false}, {".pth", PartsOfOneModel, false}, {".ckpt", Alternatives, false}},
		DescribedBy: ByConfig, Read: readPyTorch},
	{Name: "numpy", Extensions: []Extension{{".npz", PartsOfOneModel, false}}, DescribedBy: ByConfig, Read: readNumPy},
	{Name: "nemo", Extensions: []Extension{{".nemo", Alternatives, false}}, Contents: []sniff.Format{sniff.Tar, sniff.Gzip}, DescribedBy: ByItself,
		UnreadReason: "a tar archive, in which the weights are a pickle"},
	{Name: "onnx", Extensions: []Extension{{".onnx", PartsOfOneModel, false}}, DescribedBy: ByItself, Read: readONNX},
	{Name: "tensorflow", Extensions: []Extension{{".h5", PartsOfOneModel, false}}, DescribedBy: ByItself, UnreadReason: "HDF5"},
	{Name: "keras", Extensions: []Extension{{".keras", Alternatives, false}}, Contents: []sniff.Format{sniff.Zip, sniff.HDF5}, DescribedBy: ByItself, UnreadReason: "HDF5"},
	{Name: "flax", Extensions: []Extension{{".msgpack", PartsOfOneModel, false}}, DescribedBy: ByConfig, UnreadReason: "MessagePack"},
	{Name: "rust", Extensions: []Extension{{".ot", PartsOfOneModel, false}}, DescribedBy: ByConfig, UnreadReason: "the format of tch-rs"},
	{Name: "tensorrt", Extensions: []Extension{{".engine", PartsOfOneModel, false}}, DescribedBy: ByItself, UnreadReason: "a serialized engine"},
	{Name: "dduf", Extensions: []Extension{{".dduf", Alternatives, false}}, DescribedBy: ByConfig, Read: readDDUF},
	{Name: "torchscript", Extensions: []Extension{{".jit", Alternatives, false}}, DescribedBy: ByItself, Read: readPyTorch},
	{Name: "tflite", Extensions: []Extension{{".tflite", Alternatives, false}}, Contents: []sniff.Format{sniff.TFLite}, DescribedBy: ByItself, UnreadReason: "FlatBuffers"},
	{Name: "litert", Extensions: []Extension{{".litertlm", Alternatives, false}}, DescribedBy: ByItself, UnreadReason: "FlatBuffers"},
	{Name: "rkllm", Extensions: []Extension{{".rkllm", Alternatives, false}}, DescribedBy: ByItself, UnreadReason: "not documented"},
	{Name: "core ml", DirectoryExtension: ".mlpackage", DescribedBy: ByItself, UnreadReason: "protocol buffers"},
	{Name: "ctranslate2", Contents: []sniff.Format{sniff.CTranslate2}, ByContent: true, DescribedBy: ByConfig, UnreadReason: "tensors without a header"},
	{Name: "whisper.cpp", Contents: []sniff.Format{sniff.WhisperCPP}, ByContent: true, DescribedBy: ByItself, UnreadReason: "tensors without a header"},
	{Name: "ggml", Contents: []sniff.Format{sniff.GGML}, ByContent: true, DescribedBy: ByConfig, UnreadReason: "tensors without a header"},
	{Name: "openvino", CompanionExtension: ".xml", DescribedBy: ByItself, UnreadReason: "the XML file describes the tensors"},
}

// ByName finds a format, nil where there is none of that name.
func ByName(name string) *Format { return index().names[name] }

// ByExtension finds what a file name's extension says of it; ok is false where it is
// that of no format.
func ByExtension(name string) (m ExtensionMatch, ok bool) {
	m, ok = index().extensions[path.Ext(name)]
	return m, ok
}

// Match is the extension of a format.
type ExtensionMatch struct {
	Format *Format
	Extension
	Rank int // of the extension among those of all formats, from the most preferred
}

// IsWeights tells by the extension that a file holds weights.
func IsWeights(name string) bool {
	_, ok := ByExtension(name)
	return ok
}

// NeedsConfig tells by the extension that a file holds weights that cannot be loaded
// without a config.json beside them.
func NeedsConfig(name string) bool {
	m, ok := ByExtension(name)
	return ok && m.NeedsConfig
}

// Recognise finds the format of a file that has the extension of another one: by its
// content, by the file beside it, or by the directory that it is in. It is nil where
// the extension says it all.
func Recognise(f *tree.File, files []tree.File) *Format {
	for _, i := range index().recognised {
		switch r := &formats[i]; {
		case r.DirectoryExtension != "" && r.holds(f.Name):
			return r
		case path.Ext(f.Name) != ".bin":
		case r.ByContent && slices.Contains(r.Contents, f.Format),
			r.CompanionExtension != "" && tree.HasFile(files, f.Name[:len(f.Name)-len(".bin")]+r.CompanionExtension):
			return r
		}
	}
	return nil
}

// holds tells whether a file is in a directory of the format.
func (r *Format) holds(name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if path.Ext(dir) == r.DirectoryExtension {
			return true
		}
	}
	return false
}

// Rank is the order in which the format is preferred, from 0: that of the first of its
// extensions; those without an extension come last.
func (r *Format) Rank() int {
	if len(r.Extensions) == 0 {
		return len(index().extensions)
	}
	return index().extensions[r.Extensions[0].Name].Rank
}

type tables struct {
	names      map[string]*Format
	extensions map[string]ExtensionMatch
	recognised []int // the formats that are recognised by more than an extension
}

var index = sync.OnceValue(func() *tables {
	t := &tables{names: map[string]*Format{}, extensions: map[string]ExtensionMatch{}}
	for i := range formats {
		r := &formats[i]
		t.names[r.Name] = r
		for _, e := range r.Extensions {
			t.extensions[e.Name] = ExtensionMatch{r, e, len(t.extensions)}
		}
		if r.ByContent || r.CompanionExtension != "" || r.DirectoryExtension != "" {
			t.recognised = append(t.recognised, i)
		}
	}
	return t
})
