// Package pickle reads PyTorch checkpoints (and other pickles) without unpickling
// them: it executes the opcodes symbolically, records which names would be imported
// and called and which tensors there are, and runs no code of the file.
//
// It reads torch's zip container, the older layout without one, and bare pickles of
// protocols 0 to 5. It never reads weights.
//
// The risk of an import comes from a table, imports.tsv; a name that the table lacks
// is suspicious. All opcodes that unpickling would execute are covered, but the
// result is no proof of safety: a file with a suspicious import must not be unpickled
// because this package found nothing dangerous in it.
package pickle

import (
	"bytes"
	"io"
	"slices"

	"omniloader/loader/fault"
	"omniloader/loader/internal/ndarray"
	"omniloader/loader/window"
)

// The kinds of error of this format.
const (
	NotPickle        fault.Kind = "not a pickle"                 // another format
	NotTorch         fault.Kind = "not a PyTorch archive"        // a zip without data.pkl
	BadOpcode        fault.Kind = "unknown opcode"               // no opcode of any protocol
	BadStack         fault.Kind = "pickle stack underflow"       // an opcode finds less on the stack than it takes
	BadMemo          fault.Kind = "unknown memo entry"           // read before it was written
	ZipBomb          fault.Kind = "zip bomb"                     // a member that unpacks to far more than its compressed size
	ChecksumMismatch fault.Kind = "checksum mismatch"            // data.pkl against the archive's CRC
	MissingStorage   fault.Kind = "missing storage"              // a tensor's data is not in the file
	WrongStorageSize fault.Kind = "storage of another size"      // than the pickle says
	OutOfStorage     fault.Kind = "tensor larger than its data"  // shape and stride reach beyond the storage
	BadLegacy        fault.Kind = "broken legacy PyTorch layout" // parts missing, or of the wrong type
)

const damaged = "the file is damaged or cut short: download it again"

// Container is how a file wraps its pickles.
type Container string

// The containers.
const (
	Zip    Container = "zip"    // torch 1.6 and later
	Legacy Container = "legacy" // torch before 1.6: pickles one after another, then the storages
	Bare   Container = "pickle" // a pickle alone, or several
)

// File describes the contents of a checkpoint.
type File struct {
	Path      string
	Size      int64
	Container Container
	Protocol  int    // the highest of its pickles
	Root      string // the directory inside a zip, "archive" or the file's stem
	ByteOrder string // "little" or "big", empty where the file does not say
	Version   string // of a zip container, "3"
	// TorchScript reports that the archive contains code, as torch.jit.save writes it.
	TorchScript bool
	// Class is the class of the outermost value where that is an object and not a
	// state dictionary: "torch.nn.modules.container.Sequential".
	Class   string
	Pickles int // pickles that were read to their end
	// Trailing is the offset of bytes after the last pickle that are no pickle, in a
	// file without a zip container; -1 where there are none.
	Trailing int64
	Fetched  int64 // bytes read, without what archive/zip reads for its directory

	Tensors  []Tensor
	Storages []Storage
	Imports  []Import // in the order of their first appearance
	// Problems are the errors that did not stop the reading, at most 100 of them.
	Problems []error

	byKey map[string]int // Storages by Key
}

// maxProblems bounds File.Problems.
const maxProblems = 100

// Tensor is one tensor of a checkpoint.
type Tensor struct {
	// Name is the key in the mapping that contains the tensor; In is the path to that
	// mapping: "" for the outermost, "state_dict", "optimizer.state.0".
	Name, In string
	// DType is the element type, spelled as in safetensors where that has the type,
	// "" where it is not known.
	DType string
	Shape []int64
	// Storage is an index into File.Storages, or -1.
	Storage int
	Offset  int64  // in elements of the storage
	Layout  string // "", or "sparse", "meta" (no data), "numpy"
}

// Elements is the product of the dimensions.
func (t *Tensor) Elements() int64 {
	n, _ := ndarray.Elements(t.Shape)
	return n
}

// Bytes is the size of the elements, 0 where the type is not known.
func (t *Tensor) Bytes() int64 { return t.Elements() * dtypeBytes()[t.DType] }

// Storage is a block of data; several tensors may be views of it.
type Storage struct {
	Key      string
	DType    string // "" for an untyped storage, whose elements are bytes
	Location string // "cpu", "cuda:0"
	Elements int64
	Bytes    int64
}

// Worst returns the highest risk among the imports.
func (f *File) Worst() Risk {
	worst := Allowed
	for i := range f.Imports {
		worst = max(worst, f.Imports[i].Risk)
	}
	return worst
}

// Parameters is the number of weights: the elements of all tensors, where tensors
// with the same data count once.
func (f *File) Parameters() int64 {
	type view struct {
		storage  int
		offset   int64
		elements int64
	}
	seen := make(map[view]bool, len(f.Tensors))
	var n int64
	for i := range f.Tensors {
		t := &f.Tensors[i]
		v := view{t.Storage, t.Offset, t.Elements()}
		if t.Storage >= 0 && seen[v] {
			continue
		}
		seen[v] = true
		n += v.elements
	}
	return n
}

func (f *File) problem(err error) {
	if len(f.Problems) < maxProblems {
		f.Problems = append(f.Problems, err)
	}
}

// otherFormats are the first bytes of other files that are found under the names of
// pickles.
var otherFormats = []struct {
	magic string
	kind  fault.Kind
	what  string
	hint  string
}{
	{"7z\xbc\xaf\x27\x1c", fault.Unsafe, "a 7z archive", "no tool writes checkpoints so; packing them hides pickles from scanners"},
	{"\x1f\x8b", NotPickle, "gzip", "unpack it first"},
	{"\x93NUMPY", NotPickle, "a numpy array", "rename it to .npy"},
	{"GGUF", NotPickle, "GGUF", "rename it to .gguf"},
	{"lmgg", NotPickle, "ggml, as whisper.cpp has it", ""},
	{"\x89HDF\r\n\x1a\n", NotPickle, "HDF5", "rename it to .h5"},
	{"Rar!", NotPickle, "a RAR archive", "unpack it first"},
	{"version https://git-lfs", fault.LFSPointer, "", "run `git lfs pull`"},
	{"<!DOCTYPE", fault.HTMLPage, "", "download it again, logged in where the model asks for it"},
	{"<!doctype", fault.HTMLPage, "", "download it again, logged in where the model asks for it"},
	{"<html", fault.HTMLPage, "", "download it again, logged in where the model asks for it"},
}

// Read reads a checkpoint of size bytes; errors name path.
//
// Where the pickle is broken it returns both the error and a File with what was found
// before it: unpickling would have executed that part too.
func Read(r io.ReaderAt, size int64, path string) (*File, error) {
	if size <= 0 {
		return nil, fault.New(fault.Empty, path, "no bytes")
	}
	r = window.Bounded(r, size)
	w := window.New(r, size, path, 0)
	head, err := w.Peek(512)
	if err != nil {
		return nil, err
	}
	for _, f := range otherFormats {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return nil, fault.At(f.kind, path, 0, f.what).WithHint(f.hint)
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return readZip(r, size, path)
	case len(bytes.Trim(head, "\x00")) == 0:
		return nil, fault.At(fault.ZeroFilled, path, 0, "zeros where the pickle should begin").WithHint("an interrupted download: download it again")
	case len(head) > 262 && string(head[257:262]) == "ustar":
		return nil, fault.At(fault.Unsupported, path, 0, "a tar archive, as torch wrote before version 0.2").WithHint("load it with an old torch and save it again")
	}
	f := &File{Path: path, Size: size, Container: Bare, Trailing: -1}
	err = f.readPickles(w, r)
	f.Fetched += w.Fetched()
	if err != nil && f.Pickles == 0 && len(f.Imports) == 0 && head[0] != 0x80 {
		return nil, fault.At(NotPickle, path, 0, "begins with neither a pickle nor a PyTorch archive").WithCause(err)
	}
	return f, err
}

// maxPickles bounds how many pickles of one file are read.
const maxPickles = 256

// readPickles reads the pickles of a file without a container.
func (f *File) readPickles(w *window.Reader, r io.ReaderAt) error {
	found := &imports{}
	defer func() { f.Imports = found.list }()
	first, root, err := f.walk(w, found)
	if err != nil {
		f.collect(first, root)
		return err
	}
	if isLegacyMagic(first.bytesOf(root)) {
		f.Container = Legacy
		return f.readLegacy(w, found)
	}
	f.collect(first, root)
	f.checkStorages()
	// torch.load does not read further pickles, other programs may: they are read for
	// their imports.
	for w.Left() > 0 && f.Pickles < maxPickles {
		at := w.Offset()
		head, err := w.Peek(1)
		if err != nil {
			return err
		}
		if head[0] != 0x80 {
			f.Trailing = at
			return nil
		}
		if _, _, err := f.walk(w, found); err != nil {
			f.Trailing = at
			return nil
		}
	}
	if w.Left() > 0 {
		f.Trailing = w.Offset()
	}
	return nil
}

// walk executes the opcodes of one pickle symbolically.
func (f *File) walk(w *window.Reader, found *imports) (*machine, ref, error) {
	m := newMachine(w, found)
	root, err := m.run()
	f.Protocol = max(f.Protocol, m.protocol)
	if err == nil {
		f.Pickles++
	}
	return m, root, err
}

// The number at the start of a legacy file, 0x1950a86a20f9469cfc6c: as the bytes of
// LONG1, and in decimal as protocol 0 writes it.
var legacyMagics = [][]byte{
	{0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19},
	[]byte("119547037146038801333356"),
}

func isLegacyMagic(b []byte) bool {
	return slices.ContainsFunc(legacyMagics, func(magic []byte) bool { return bytes.Equal(magic, b) })
}
