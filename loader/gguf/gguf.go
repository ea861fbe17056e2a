// Package gguf reads the header of GGUF files, versions 1 to 3, of either byte order:
// the keys, and the names, shapes, types and offsets of the tensors. It never reads
// weights, and reads arrays (such as a vocabulary) only when Elements is called.
//
// It follows ggml's docs/gguf.md and ggml's reader, gguf.cpp: what that refuses is an
// error here too, of a kind of its own. There are two differences: version 1, which
// gguf.cpp no longer reads, is accepted, and so are files of the byte order that the
// machine does not have.
package gguf

import (
	"encoding/binary"
	"io"
	"slices"

	"omniloader/loader/fault"
	"omniloader/loader/window"
)

// The limits of this reader (ours) and of the format. Real files are far below ours.
const (
	maxKeys        = 1 << 16  // keys (ours)
	maxTensors     = 1 << 20  // tensors (ours)
	maxText        = 16 << 20 // bytes of all keys and strings held in memory (ours)
	maxKeyBytes    = 65535    // bytes of one key (docs/gguf.md)
	maxStringBytes = 1 << 30  // bytes of one string (gguf.cpp)
	maxElements    = 1 << 30  // elements of one array (gguf.cpp)
	maxNameBytes   = 63       // bytes of a tensor's name (GGML_MAX_NAME, with its NUL)
	MaxDims        = 4        // dimensions of a tensor (GGML_MAX_DIMS)

	defaultAlignment = 32 // where general.alignment is missing
)

// The kinds of error of this format.
const (
	NotGGUF         fault.Kind = "not GGUF"                      // another magic number
	OldFormat       fault.Kind = "older than GGUF"               // ggml, ggmf, ggjt or ggla
	BadVersion      fault.Kind = "unknown GGUF version"          // not 1, 2 or 3
	BadCount        fault.Kind = "impossible count"              // more keys or tensors than the file has room for
	EmptyKey        fault.Kind = "empty key"                     // a key without a name
	DuplicateKey    fault.Kind = "duplicate key"                 // two values under one name
	BadValueType    fault.Kind = "unknown value type"            // not 0 to 12
	NestedArray     fault.Kind = "array of arrays"               // which gguf.cpp refuses too
	ArrayTooLong    fault.Kind = "array too long"                // beyond maxElements
	StringTooLong   fault.Kind = "string too long"               // beyond maxStringBytes, or maxKeyBytes for a key
	BadAlignment    fault.Kind = "alignment not a power of two"  // general.alignment
	NameTooLong     fault.Kind = "tensor name too long"          // beyond maxNameBytes
	DuplicateTensor fault.Kind = "duplicate tensor"              // two tensors of one name
	TooManyDims     fault.Kind = "too many dimensions"           // beyond MaxDims
	NegativeDim     fault.Kind = "negative dimension"            // read as a signed number, as gguf.cpp does
	SizeOverflow    fault.Kind = "tensor size overflows"         // in elements or in bytes
	UnknownType     fault.Kind = "unknown tensor type"           // no type of that number, yet
	RemovedType     fault.Kind = "removed tensor type"           // a type that ggml no longer has
	PartialBlock    fault.Kind = "row not a multiple of a block" // the first dimension, by the block size of the type
	BadOffset       fault.Kind = "tensor out of place"           // a gap, an overlap, or another order
)

// File is the header of one GGUF file.
type File struct {
	Path      string
	Size      int64 // bytes of the file
	Version   uint32
	ByteOrder binary.ByteOrder
	Alignment int64 // of each tensor's data, in bytes
	// DataOffset is the byte where the weights begin; offsets of tensors count from
	// there.
	DataOffset int64
	// Partial reports that reading stopped early: at an error, or because ReadHead
	// reached its end.
	Partial bool
	// Fetched is the number of bytes read from the file, without those that Elements
	// reads.
	Fetched int64

	Tensors []Tensor // in the file's order

	src       io.ReaderAt
	keys      []entry
	sorted    []int32 // indexes of keys, sorted by name
	heldBytes int     // bytes of keys and strings in memory
}

type entry struct {
	name  string
	value Value
}

// The names of the byte orders.
const (
	LittleEndian = "little-endian"
	BigEndian    = "big-endian"
)

// ByteOrderName is LittleEndian or BigEndian.
func (f *File) ByteOrderName() string {
	if f.ByteOrder == binary.BigEndian {
		return BigEndian
	}
	return LittleEndian
}

// Tensor describes a tensor and where its data is.
type Tensor struct {
	Name string
	// Dims are the dimensions, the fastest-varying first (the reverse of PyTorch's
	// order); those beyond Rank are 1.
	Dims   [MaxDims]uint64
	Rank   int
	Type   Type
	Offset uint64 // from File.DataOffset
	Bytes  uint64 // without padding
}

// Shape returns the dimensions in PyTorch's order, the slowest-varying first.
func (t *Tensor) Shape() []uint64 {
	shape := slices.Clone(t.Dims[:t.Rank])
	slices.Reverse(shape)
	return shape
}

// Elements is the product of the dimensions.
func (t *Tensor) Elements() uint64 {
	n, _ := product(t.Dims)
	return n
}

// Read reads the header of a GGUF file of size bytes; errors name path.
//
// Where the error is after the counts of keys and tensors, it returns both the error
// and a File with what was read and Partial set, so that a model can be identified
// even if its tensors are cut short or of an unknown type.
func Read(r io.ReaderAt, size int64, path string) (*File, error) {
	p, tensors, keys, err := open(r, size, path)
	if err != nil {
		return nil, err
	}
	defer p.countFetched()
	if _, err := p.keys(keys, false); err != nil {
		return p.f, err
	}
	if err := p.alignment(); err != nil {
		return p.f, err
	}
	if err := p.tensors(tensors); err != nil {
		return p.f, err
	}
	if err := p.checkLayout(); err != nil {
		return p.f, err
	}
	p.f.Partial = false
	return p.f, nil
}

// ReadHead is Read up to the first array of strings. In practice that is the
// vocabulary, which follows the general keys and those of the model: so it identifies
// a file without reading megabytes of tokens. It reads no tensors, and always sets
// Partial.
func ReadHead(r io.ReaderAt, size int64, path string) (*File, error) {
	p, _, keys, err := open(r, size, path)
	if err != nil {
		return nil, err
	}
	defer p.countFetched()
	_, err = p.keys(keys, true)
	return p.f, err
}

// parser reads the parts of the header in their order.
type parser struct {
	*window.Reader
	f     *File
	order binary.ByteOrder
	wide  bool // counts and lengths of 8 bytes: every version but the first
}

func open(src io.ReaderAt, size int64, path string) (p *parser, tensors, keys uint64, err error) {
	p = &parser{
		Reader: window.New(src, size, path, 0),
		f:      &File{Path: path, Size: size, src: src, Alignment: defaultAlignment, Partial: true},
	}
	tensors, keys, err = p.header()
	return p, tensors, keys, err
}

// countFetched sets File.Fetched.
func (p *parser) countFetched() { p.f.Fetched = p.Fetched() }
