// Package format has a table of the formats of weight files: their extensions and first
// bytes, whether several files are parts of one model, whether a config is needed beside
// them, and the function that reads their headers. The reader of a format is in the file
// of the format's name. The package does not choose among the files of a checkpoint.
package format

import (
	"path"
	"slices"
	"sync"

	"omniloader/loader/answer"
	"omniloader/loader/internal/tree"
	"omniloader/loader/sniff"
)

// Format is one row of the table.
type Format struct {
	Name string
	// Extensions of the files, the preferred one first.
	Extensions []Extension
	// Contents are those that the first bytes of a file of the format can show; nil where
	// Read checks the content, or Unchecked is set.
	Contents []sniff.Format
	// Unchecked: the content of a file is not checked, and the format is not read.
	Unchecked bool
	// ByContent: a .bin file with one of Contents is of this format.
	ByContent bool
	// CompanionExtension: a .bin file is of this format if there is a file of the same
	// name with this extension, ".xml" for OpenVINO.
	CompanionExtension string
	// DirectoryExtension: all files in a directory with this extension are of this format.
	DirectoryExtension string
	// DescribedBy says where the description of the model is.
	DescribedBy DescribedBy
	// Layout is that of a directory with files of the format.
	Layout Layout
	// Index says what maps the tensors of a sharded model to its files.
	Index IndexUse
	// Tokenizer says whether the files contain the tokenizer.
	Tokenizer TokenizerPlace
	// Tensors says by which convention the tensors are named and counted; zero for a format
	// that is not read.
	Tensors TensorConvention
	// Read reads the header of a file and calls add for each tensor. Where it is nil,
	// UnreadReason says why.
	Read         func(f *tree.File, h *tree.Handle, add func(Tensor)) (Header, error)
	UnreadReason string
}

// Extension is a file extension of a format.
type Extension struct {
	Name string // ".safetensors"
	// Multiple says what several files with this extension in a directory are.
	Multiple MultipleFiles
	// Config says whether diffusers and transformers need config.json beside such a file.
	Config ConfigUse
	// Zip says whether such a file that is a zip archive may have a pickle that is run when
	// the file is loaded.
	Zip ZipContent
}

// MultipleFiles says what several files with one extension are, where weight_names.tsv
// has no pattern for their names. Zero is not a valid value.
type MultipleFiles int

const (
	PartsOfOneModel MultipleFiles = iota + 1 // all of them are loaded
	Alternatives                             // versions of a model, one of which is loaded
)

// ConfigUse says whether diffusers and transformers write config.json beside a weight
// file, and cannot load the file without it. Zero is not a valid value.
type ConfigUse int

const (
	ConfigNeeded ConfigUse = iota + 1
	ConfigNotNeeded
)

// DescribedBy says where the description of the model is that a weight file belongs to.
// Zero is not a valid value.
type DescribedBy int

const (
	ByItself DescribedBy = iota + 1 // in the weight file
	ByConfig                        // in a config beside it
)

// Layout is what a directory with files of a format is classified as. None stands for an
// empty column.
type Layout struct {
	// Name is the layout where no file beside them describes the model, None where these
	// files alone do not make a layout. package detect may have a function that reads more
	// from the files of a layout.
	Name string
	// BesideConfig is the layout where there is config.json and no weights of transformers,
	// None where the layout is that of config.json.
	BesideConfig string
	// Category of the model, answer.Unknown where the content of the files or the model
	// card gives it, and Task, where the category is known. Runtime is the program that
	// runs the files whatever the model is. All are empty where Name is None.
	Category answer.Category
	Task     answer.Task
	Runtime  string
}

// IndexUse says what maps the tensors of a model to its shards, which are files with names
// such as model-00001-of-00003.safetensors. Zero is not a valid value.
type IndexUse int

const (
	NoIndex       IndexUse = iota + 1 // no index is known
	OptionalIndex                     // an index such as pytorch_model.bin.index.json, where there is one
	RequiredIndex                     // an index; it is reported where it is missing
	IndexInShards                     // no index: each shard has the number of shards, which its reader checks
)

// TokenizerPlace says where the tokenizer is that belongs to a weight file. Zero is not a
// valid value.
type TokenizerPlace int

const (
	TokenizerInside TokenizerPlace = iota + 1 // in the weight file
	TokenizerBeside                           // in other files; it is reported where there are none
)

// TensorConvention says how the tensors of a format are named and counted.
type TensorConvention int

const (
	TensorsOfModel  TensorConvention = iota + 1 // names as in the class of the model; packed weights are counted by the tables of package weights
	TensorsOfFormat                             // names of the format's own; Elements of a Tensor counts weights, packed or not
)

// ZipContent says what a zip archive with the extension of a format contains. Zero is not
// a valid value.
type ZipContent int

const (
	ZipOfPickle ZipContent = iota + 1 // a pickle, whose imports are checked in files that no loader reads, too
	ZipOfOther                        // no pickle, or one that is checked only where the file is read
)

// None is the value of a text column that does not apply.
const None = "-"

// noLayout is the Layout of formats that occur in several layouts.
var noLayout = Layout{Name: None, BesideConfig: None}

// formats has the preferred formats first.
var formats = []Format{
	{
		Name: "safetensors", Extensions: []Extension{{".safetensors", PartsOfOneModel, ConfigNeeded, ZipOfOther}},
		DescribedBy: ByConfig, Layout: noLayout, Index: RequiredIndex, Tokenizer: TokenizerBeside, Tensors: TensorsOfModel,
		Read: readSafetensors,
	},
	{
		Name: "gguf", Extensions: []Extension{{".gguf", Alternatives, ConfigNotNeeded, ZipOfOther}},
		DescribedBy: ByItself, Layout: Layout{"gguf", "gguf", answer.Unknown, "", None}, Index: IndexInShards, Tokenizer: TokenizerInside, Tensors: TensorsOfFormat,
		Read: readGGUF,
	},
	{
		Name: "pytorch", Extensions: []Extension{
			{".bin", PartsOfOneModel, ConfigNeeded, ZipOfPickle}, {".pt", PartsOfOneModel, ConfigNotNeeded, ZipOfPickle},
			{".pth", PartsOfOneModel, ConfigNotNeeded, ZipOfPickle}, {".ckpt", Alternatives, ConfigNotNeeded, ZipOfPickle},
		},
		DescribedBy: ByConfig, Layout: noLayout, Index: OptionalIndex, Tokenizer: TokenizerBeside, Tensors: TensorsOfModel,
		Read: readPyTorch,
	},
	{
		Name: "numpy", Extensions: []Extension{{".npz", PartsOfOneModel, ConfigNotNeeded, ZipOfOther}},
		DescribedBy: ByConfig, Layout: noLayout, Index: OptionalIndex, Tokenizer: TokenizerBeside, Tensors: TensorsOfModel,
		Read: readNumPy,
	},
	{
		Name: "nemo", Extensions: []Extension{{".nemo", Alternatives, ConfigNotNeeded, ZipOfOther}}, Contents: []sniff.Format{sniff.Tar, sniff.Gzip},
		DescribedBy: ByItself, Layout: Layout{"nemo", "nemo", answer.Unknown, "", None}, Index: NoIndex, Tokenizer: TokenizerInside,
		UnreadReason: "a tar archive, in which the weights are a pickle",
	},
	{
		Name: "onnx", Extensions: []Extension{{".onnx", PartsOfOneModel, ConfigNotNeeded, ZipOfOther}},
		DescribedBy: ByItself, Layout: Layout{"onnx", "onnx", answer.Unknown, "", "ONNX Runtime"}, Index: NoIndex, Tokenizer: TokenizerBeside, Tensors: TensorsOfModel,
		Read: readONNX,
	},
	{
		Name: "tensorflow", Extensions: []Extension{{".h5", PartsOfOneModel, ConfigNotNeeded, ZipOfOther}}, Unchecked: true,
		DescribedBy: ByItself, Layout: noLayout, Index: OptionalIndex, Tokenizer: TokenizerBeside,
		UnreadReason: "HDF5",
	},
	{
		Name: "keras", Extensions: []Extension{{".keras", Alternatives, ConfigNotNeeded, ZipOfOther}}, Contents: []sniff.Format{sniff.Zip, sniff.HDF5},
		DescribedBy: ByItself, Layout: Layout{"keras", "keras", answer.Unknown, "", "Keras"}, Index: NoIndex, Tokenizer: TokenizerBeside,
		UnreadReason: "HDF5",
	},
	{
		Name: "flax", Extensions: []Extension{{".msgpack", PartsOfOneModel, ConfigNotNeeded, ZipOfOther}}, Unchecked: true,
		DescribedBy: ByConfig, Layout: noLayout, Index: OptionalIndex, Tokenizer: TokenizerBeside,
		UnreadReason: "MessagePack",
	},
	{
		Name: "rust", Extensions: []Extension{{".ot", PartsOfOneModel, ConfigNotNeeded, ZipOfOther}}, Unchecked: true,
		DescribedBy: ByConfig, Layout: noLayout, Index: NoIndex, Tokenizer: TokenizerBeside,
		UnreadReason: "the format of tch-rs",
	},
	{
		Name: "tensorrt", Extensions: []Extension{{".engine", PartsOfOneModel, ConfigNotNeeded, ZipOfOther}}, Unchecked: true,
		DescribedBy: ByItself, Layout: noLayout, Index: NoIndex, Tokenizer: TokenizerBeside,
		UnreadReason: "a serialized engine",
	},
	{
		Name: "dduf", Extensions: []Extension{{".dduf", Alternatives, ConfigNotNeeded, ZipOfOther}},
		DescribedBy: ByConfig, Layout: Layout{"dduf", None, answer.Diffusers, "diffusion_pipeline", None}, Index: NoIndex, Tokenizer: TokenizerBeside, Tensors: TensorsOfModel,
		Read: readDDUF,
	},
	{
		Name: "torchscript", Extensions: []Extension{{".jit", Alternatives, ConfigNotNeeded, ZipOfOther}},
		DescribedBy: ByItself, Layout: Layout{"torchscript", None, answer.Unknown, "", "TorchScript"}, Index: NoIndex, Tokenizer: TokenizerBeside, Tensors: TensorsOfModel,
		Read: readPyTorch,
	},
	{
		Name: "tflite", Extensions: []Extension{{".tflite", Alternatives, ConfigNotNeeded, ZipOfOther}}, Contents: []sniff.Format{sniff.TFLite},
		DescribedBy: ByItself, Layout: Layout{"tflite", "tflite", answer.Unknown, "", "LiteRT"}, Index: NoIndex, Tokenizer: TokenizerBeside,
		UnreadReason: "FlatBuffers",
	},
	{
		Name: "litert", Extensions: []Extension{{".litertlm", Alternatives, ConfigNotNeeded, ZipOfOther}}, Unchecked: true,
		DescribedBy: ByItself, Layout: Layout{"litert", "litert", answer.Unknown, "", "LiteRT"}, Index: NoIndex, Tokenizer: TokenizerBeside,
		UnreadReason: "FlatBuffers",
	},
	{
		Name: "rkllm", Extensions: []Extension{{".rkllm", Alternatives, ConfigNotNeeded, ZipOfOther}}, Unchecked: true,
		DescribedBy: ByItself, Layout: Layout{"rkllm", "rkllm", answer.Transformers, "causal_lm", None}, Index: NoIndex, Tokenizer: TokenizerBeside,
		UnreadReason: "not documented",
	},
	{
		Name: "core ml", DirectoryExtension: ".mlpackage", Unchecked: true,
		DescribedBy: ByItself, Layout: Layout{"core ml", "core ml", answer.Unknown, "", "Core ML"}, Index: NoIndex, Tokenizer: TokenizerBeside,
		UnreadReason: "protocol buffers",
	},
	{
		Name: "ctranslate2", Contents: []sniff.Format{sniff.CTranslate2}, ByContent: true,
		DescribedBy: ByConfig, Layout: noLayout, Index: NoIndex, Tokenizer: TokenizerBeside,
		UnreadReason: "tensors without a header",
	},
	{
		Name: "whisper.cpp", Contents: []sniff.Format{sniff.WhisperCPP}, ByContent: true,
		DescribedBy: ByItself, Layout: noLayout, Index: NoIndex, Tokenizer: TokenizerInside,
		UnreadReason: "tensors without a header",
	},
	{
		Name: "ggml", Contents: []sniff.Format{sniff.GGML}, ByContent: true,
		DescribedBy: ByConfig, Layout: noLayout, Index: NoIndex, Tokenizer: TokenizerBeside,
		UnreadReason: "tensors without a header",
	},
	{
		Name: "openvino", CompanionExtension: ".xml", Unchecked: true,
		DescribedBy: ByItself, Layout: noLayout, Index: NoIndex, Tokenizer: TokenizerBeside,
		UnreadReason: "the XML file describes the tensors",
	},
}

// All iterates over the formats, in the order of preference.
func All(yield func(*Format) bool) {
	for i := range formats {
		if !yield(&formats[i]) {
			return
		}
	}
}

// AllExtensions gives the extensions of the files and of the directories of the format.
func (r *Format) AllExtensions() (all []string) {
	for _, e := range r.Extensions {
		all = append(all, e.Name)
	}
	if r.DirectoryExtension != "" {
		all = append(all, r.DirectoryExtension)
	}
	return all
}

// ByName gives the format of a name, nil where there is none.
func ByName(name string) *Format { return index().names[name] }

// ByExtension gives the format of a file name's extension; ok is false where no format
// has it.
func ByExtension(name string) (m ExtensionMatch, ok bool) {
	m, ok = index().extensions[path.Ext(name)]
	return m, ok
}

// ExtensionMatch is an extension with its format.
type ExtensionMatch struct {
	Format *Format
	Extension
	Rank int // among the extensions of all formats, 0 for the most preferred
}

// IsWeights tells whether a file name has the extension of a weight format.
func IsWeights(name string) bool {
	_, ok := ByExtension(name)
	return ok
}

// NeedsConfig tells whether a file name has the extension of weights that cannot be
// loaded without a config.json beside them.
func NeedsConfig(name string) bool {
	m, ok := ByExtension(name)
	return ok && m.Config == ConfigNeeded
}

// Recognise gives the format of a file whose extension belongs to another format or to
// several: by its content, a companion file in files, or the directory it is in. It
// gives nil where none of these applies, and the extension decides.
func Recognise(f *tree.File, files []tree.File) *Format {
	for _, i := range index().byContext {
		switch r := &formats[i]; {
		case r.DirectoryExtension != "" && r.contains(f.Name):
			return r
		case path.Ext(f.Name) != ".bin":
		case r.ByContent && slices.Contains(r.Contents, f.Format),
			r.CompanionExtension != "" && tree.HasFile(files, f.Name[:len(f.Name)-len(".bin")]+r.CompanionExtension):
			return r
		}
	}
	return nil
}

// contains tells whether a file is in a directory of the format.
func (r *Format) contains(name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if path.Ext(dir) == r.DirectoryExtension {
			return true
		}
	}
	return false
}

// Rank is the rank of the format's first extension, 0 for the most preferred. Formats
// without an extension come last.
func (r *Format) Rank() int {
	if len(r.Extensions) == 0 {
		return len(index().extensions)
	}
	return index().extensions[r.Extensions[0].Name].Rank
}

type tables struct {
	names      map[string]*Format
	extensions map[string]ExtensionMatch
	byContext  []int    // the formats that Recognise can find
	indexed    []string // the extensions of shards that an index may map
}

var index = sync.OnceValue(makeTables)

func makeTables() *tables {
	t := &tables{names: map[string]*Format{}, extensions: map[string]ExtensionMatch{}}
	for i := range formats {
		r := &formats[i]
		t.names[r.Name] = r
		for _, e := range r.Extensions {
			t.extensions[e.Name] = ExtensionMatch{r, e, len(t.extensions)}
			if r.Index == OptionalIndex || r.Index == RequiredIndex {
				t.indexed = append(t.indexed, e.Name)
			}
		}
		if r.ByContent || r.CompanionExtension != "" || r.DirectoryExtension != "" {
			t.byContext = append(t.byContext, i)
		}
	}
	return t
}
