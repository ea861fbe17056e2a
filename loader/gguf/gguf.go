// Package gguf reads the header of GGUF files, versions 1 to 3, of either byte
// order: keys, and the tensors' names, shapes, types and places. It never reads
// weights, and it leaves arrays (a vocabulary, say) in the file until asked.
//
// The rules are those of ggml's docs/gguf.md and of its own reader, gguf.cpp;
// what that reader refuses is refused here, each with a kind of its own. Two
// things differ: version 1 is read, which gguf.cpp no longer does, and so is the
// byte order that is not the machine's.
package gguf

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"math/bits"
	"slices"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/window"
)

// What this reader and the format allow. Real files stay far below the reader's
// own limits.
const (
	MaxKeys        = 1 << 16  // keys (ours)
	MaxTensors     = 1 << 20  // tensors (ours)
	MaxText        = 16 << 20 // bytes of all keys and strings held in memory (ours)
	MaxKeyBytes    = 65535    // bytes of one key (docs/gguf.md)
	MaxStringBytes = 1 << 30  // bytes of one string (gguf.cpp)
	MaxElements    = 1 << 30  // elements of one array (gguf.cpp)
	MaxNameBytes   = 63       // bytes of a tensor's name (GGML_MAX_NAME, with its NUL)
	MaxDims        = 4        // dimensions of a tensor (GGML_MAX_DIMS)

	DefaultAlignment = 32 // where general.alignment is missing
)

// The kinds of error of this format.
const (
	NotGGUF         fault.Kind = "not GGUF"                      // another magic
	OldFormat       fault.Kind = "older than GGUF"               // ggml, ggmf, ggjt or ggla
	BadVersion      fault.Kind = "unknown GGUF version"          // not 1, 2 or 3
	BadCount        fault.Kind = "impossible count"              // more keys or tensors than the file has room for
	EmptyKey        fault.Kind = "empty key"                     // a key without a name
	DuplicateKey    fault.Kind = "duplicate key"                 // two values under one name
	BadValueType    fault.Kind = "unknown value type"            // not 0 to 12
	NestedArray     fault.Kind = "array of arrays"               // which gguf.cpp refuses too
	ArrayTooLong    fault.Kind = "array too long"                // beyond MaxElements
	StringTooLong   fault.Kind = "string too long"               // beyond MaxStringBytes, or MaxKeyBytes for a key
	BadAlignment    fault.Kind = "alignment not a power of two"  // general.alignment
	NameTooLong     fault.Kind = "tensor name too long"          // beyond MaxNameBytes
	DuplicateTensor fault.Kind = "duplicate tensor"              // two tensors of one name
	TooManyDims     fault.Kind = "too many dimensions"           // beyond MaxDims
	NegativeDim     fault.Kind = "negative dimension"            // as a signed number, which it is to gguf.cpp
	SizeOverflow    fault.Kind = "tensor size overflows"         // in elements or in bytes
	UnknownType     fault.Kind = "unknown tensor type"           // no type of that number, yet
	RemovedType     fault.Kind = "removed tensor type"           // a type ggml has given up
	PartialBlock    fault.Kind = "row not a multiple of a block" // first dimension against the type's block
	BadOffset       fault.Kind = "tensor out of place"           // a hole, an overlap, or another order
)

// File is the header of one GGUF file.
type File struct {
	Path      string
	Size      int64 // bytes of the file
	Version   uint32
	ByteOrder binary.ByteOrder
	Alignment int64 // of each tensor's data, in bytes
	// DataOffset is the byte where the weights begin; a tensor's offset counts
	// from here.
	DataOffset int64
	// Partial says that reading stopped early: at a fault, or because ReadHead
	// had seen enough.
	Partial bool
	// Fetched is the number of bytes read from the file, without what Elements
	// reads.
	Fetched int64

	Tensors []Tensor // in the file's order

	src  io.ReaderAt
	keys []entry
	by   []int32 // indexes of keys, sorted by name
	text int     // bytes of keys and strings held
}

type entry struct {
	name  string
	value Value
}

// Tensor says what a tensor is and where it lies.
type Tensor struct {
	Name string
	// Dims are the dimensions, the fastest-running first (the reverse of
	// PyTorch's order); those beyond Rank are 1.
	Dims   [MaxDims]uint64
	Rank   int
	Type   Type
	Offset uint64 // from File.DataOffset
	Bytes  uint64 // without padding
}

// Shape gives the dimensions in PyTorch's order, the slowest-running first.
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

// Read reads the header of a GGUF file of size bytes; path is what errors name.
//
// Where the fault lies behind the counts, it gives both: the error, and a File
// with Partial set that holds what was read, so that a model whose tensors are
// cut short, or of a type not known yet, can still be named.
func Read(r io.ReaderAt, size int64, path string) (*File, error) {
	p, tensors, keys, err := open(r, size, path)
	if err != nil {
		return nil, err
	}
	defer p.account()
	if _, err := p.keys(keys, false); err != nil {
		return p.f, err
	}
	if err := p.alignment(); err != nil {
		return p.f, err
	}
	if err := p.tensors(tensors); err != nil {
		return p.f, err
	}
	if err := p.place(); err != nil {
		return p.f, err
	}
	p.f.Partial = false
	return p.f, nil
}

// ReadHead is Read up to the first array of strings, which in practice is the
// vocabulary and stands behind the general keys and the model's own. It tells
// what a file is without walking megabytes of tokens, and reads no tensors:
// Partial is always set.
func ReadHead(r io.ReaderAt, size int64, path string) (*File, error) {
	p, _, keys, err := open(r, size, path)
	if err != nil {
		return nil, err
	}
	defer p.account()
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
		f:      &File{Path: path, Size: size, src: src, Alignment: DefaultAlignment, Partial: true},
	}
	tensors, keys, err = p.header()
	return p, tensors, keys, err
}

func (p *parser) account() { p.f.Fetched = p.Fetched() }

// oldMagics are the formats before GGUF, by their first four bytes in the file:
// the magic is a number, so its letters stand reversed.
var oldMagics = map[string]string{"lmgg": "ggml", "fmgg": "ggmf", "tjgg": "ggjt", "algg": "ggla (a LoRA)"}

// header reads magic, version and the two counts.
func (p *parser) header() (tensors, keys uint64, err error) {
	if p.f.Size <= 0 {
		return 0, 0, p.Fault(fault.Empty, 0, "no bytes")
	}
	magic, err := p.Peek(8)
	if err != nil {
		return 0, 0, err
	}
	if !strings.HasPrefix(string(magic), "GGUF") {
		return 0, 0, p.notGGUF(magic)
	}
	if len(magic) < 8 {
		return 0, 0, p.Fault(fault.Truncated, int64(len(magic)), "no version").WithHint(damaged)
	}
	p.MoveTo(8)

	// In the other byte order the version's low half reads as zero; gguf.cpp tells
	// them apart the same way.
	version := binary.LittleEndian.Uint32(magic[4:])
	p.order = binary.LittleEndian
	if version != 0 && version&0xFFFF == 0 {
		p.order = binary.BigEndian
		version = bits.ReverseBytes32(version)
	}
	p.f.Version, p.f.ByteOrder = version, p.order
	if version < 1 || version > 3 {
		return 0, 0, p.Fault(BadVersion, 4, "version %d, and 1 to 3 are known", version).
			WithHint("a newer version needs a newer reader; version 0 means the file is damaged")
	}
	p.wide = version > 1

	at := p.Offset()
	if tensors, err = p.count(); err != nil {
		return 0, 0, err
	}
	if keys, err = p.count(); err != nil {
		return 0, 0, err
	}
	// The least a key takes is its length, one letter, its type and one byte; the
	// least a tensor takes is an empty name, no dimensions, type and offset.
	word := uint64(4)
	if p.wide {
		word = 8
	}
	left := uint64(p.Left())
	if keys > left/(word+6) {
		return 0, 0, p.Fault(BadCount, at, "%d keys in %d bytes", keys, left).WithHint(damaged)
	}
	if tensors > left/(word+16) {
		return 0, 0, p.Fault(BadCount, at, "%d tensors in %d bytes", tensors, left).WithHint(damaged)
	}
	if keys > MaxKeys || tensors > MaxTensors {
		return 0, 0, p.Fault(fault.TooLarge, at, "%d keys and %d tensors, the limits are %d and %d", keys, tensors, MaxKeys, MaxTensors)
	}
	return tensors, keys, nil
}

const damaged = "the file is damaged or cut short: download it again"

func (p *parser) notGGUF(magic []byte) error {
	if len(magic) >= 4 {
		if old, is := oldMagics[string(magic[:4])]; is {
			return p.Fault(OldFormat, 0, "magic of %s, used before GGUF", old).
				WithHint("convert it with llama.cpp's convert_llama_ggml_to_gguf.py; whisper.cpp models keep this format")
		}
	}
	if strings.Trim(string(magic), "\x00") == "" {
		return p.Fault(fault.ZeroFilled, 0, "zeros where the magic should be").WithHint("an interrupted download: download it again")
	}
	if strings.HasPrefix("GGUF", string(magic)) {
		return p.Fault(fault.Truncated, int64(len(magic)), "the file ends inside its magic").WithHint(damaged)
	}
	return p.Fault(NotGGUF, 0, "begins with %q", magic[:min(4, len(magic))])
}

func (p *parser) u32() (uint32, error) {
	b, err := p.Next(4)
	if err != nil {
		return 0, err
	}
	return p.order.Uint32(b), nil
}

func (p *parser) u64() (uint64, error) {
	b, err := p.Next(8)
	if err != nil {
		return 0, err
	}
	return p.order.Uint64(b), nil
}

// count reads a number that version 1 stores in 4 bytes and later ones in 8.
func (p *parser) count() (uint64, error) {
	if p.wide {
		return p.u64()
	}
	n, err := p.u32()
	return uint64(n), err
}

// length reads the length of a string and checks it against a limit and the file.
func (p *parser) length(limit uint64, kind fault.Kind, what string) (uint64, error) {
	n, err := p.count()
	if err != nil {
		return 0, err
	}
	if n > limit {
		return 0, p.Fault(kind, p.Offset(), "%s of %d bytes, the limit is %d", what, n, limit).WithHint(damaged)
	}
	if n > uint64(p.Left()) {
		return 0, p.Fault(fault.Truncated, p.Offset(), "%s of %d bytes, %d are left", what, n, p.Left()).WithHint(damaged)
	}
	return n, nil
}

// hold reads n bytes of text into memory.
func (p *parser) hold(n uint64) (string, error) {
	if n > MaxText || p.f.text+int(n) > MaxText {
		return "", p.Fault(fault.TooLarge, p.Offset(), "keys and strings of more than %d bytes", MaxText)
	}
	p.f.text += int(n)
	return p.string(n)
}

// string reads n bytes, a number already checked against the bytes left.
func (p *parser) string(n uint64) (string, error) {
	if n <= window.Bytes {
		b, err := p.Next(int(n))
		return string(b), err
	}
	b, err := p.Append(make([]byte, 0, n), n)
	return string(b), err
}

// keys reads all keys, or with head set those up to the first array of strings.
func (p *parser) keys(n uint64, head bool) (stopped bool, err error) {
	f := p.f
	f.keys = make([]entry, 0, min(n, 128))
	defer func() {
		if dup := f.sortKeys(); dup >= 0 && err == nil {
			err = fault.New(DuplicateKey, f.Path, "two values of "+quote(f.keys[dup].name))
		}
	}()
	for range n {
		at := p.Offset()
		size, err := p.length(MaxKeyBytes, StringTooLong, "key")
		if err != nil {
			return false, err
		}
		if size == 0 {
			return false, p.Fault(EmptyKey, at, "key %d", len(f.keys)).WithHint(damaged)
		}
		name, err := p.hold(size)
		if err != nil {
			return false, err
		}
		value, err := p.value(name)
		if err != nil {
			return false, err
		}
		f.keys = append(f.keys, entry{name, value})
		if head && value.typ == Array && value.elem == String && value.n > 0 {
			return true, nil
		}
		if err = p.skipArray(name, value); err != nil {
			return false, err
		}
	}
	return false, nil
}

// sortKeys makes the index by name, and gives the index of a key that is there
// twice, or -1.
func (f *File) sortKeys() int {
	f.by = make([]int32, len(f.keys))
	for i := range f.by {
		f.by[i] = int32(i)
	}
	slices.SortFunc(f.by, func(a, b int32) int {
		if c := strings.Compare(f.keys[a].name, f.keys[b].name); c != 0 {
			return c
		}
		return int(a - b)
	})
	for i := 1; i < len(f.by); i++ {
		if f.keys[f.by[i]].name == f.keys[f.by[i-1]].name {
			return int(f.by[i])
		}
	}
	return -1
}

// value reads a value, and of an array only its head.
func (p *parser) value(key string) (Value, error) {
	at := p.Offset()
	typ, err := p.u32()
	if err != nil {
		return Value{}, err
	}
	if typ >= uint32(len(valueTypes)) {
		return Value{}, p.Fault(BadValueType, at, "key %s has type %d", quote(key), typ).WithHint(damaged)
	}
	v := Value{file: p.f, typ: ValueType(typ), valid: true}
	switch v.typ {
	case String:
		n, err := p.length(MaxStringBytes, StringTooLong, "string")
		if err != nil {
			return Value{}, err
		}
		v.text, err = p.hold(n)
		return v, err
	case Array:
		if typ, err = p.u32(); err != nil {
			return Value{}, err
		}
		if typ == uint32(Array) {
			return Value{}, p.Fault(NestedArray, at, "key %s", quote(key))
		}
		if typ >= uint32(len(valueTypes)) {
			return Value{}, p.Fault(BadValueType, at, "key %s has elements of type %d", quote(key), typ).WithHint(damaged)
		}
		v.elem = ValueType(typ)
		if v.n, err = p.count(); err != nil {
			return Value{}, err
		}
		if v.n > MaxElements {
			return Value{}, p.Fault(ArrayTooLong, at, "key %s has %d elements, the limit is %d", quote(key), v.n, MaxElements).WithHint(damaged)
		}
		v.at = p.Offset()
		return v, nil
	default:
		b, err := p.Next(valueTypes[typ].bytes)
		if err != nil {
			return Value{}, err
		}
		v.bits = v.typ.bits(p.order, b)
		return v, nil
	}
}

// skipArray passes the elements of an array. Those of a fixed size are jumped
// over; strings have to be walked, since each carries its own length.
func (p *parser) skipArray(key string, v Value) error {
	if v.typ != Array {
		return nil
	}
	if v.elem != String {
		need := v.n * uint64(valueTypes[v.elem].bytes)
		if need > uint64(p.Left()) {
			return p.Fault(fault.Truncated, v.at, "array of %s needs %d bytes, %d are left", quote(key), need, p.Left()).WithHint(damaged)
		}
		return p.Skip(need)
	}
	for range v.n {
		n, err := p.length(MaxStringBytes, StringTooLong, "string")
		if err != nil {
			return err
		}
		if err := p.Skip(n); err != nil {
			return err
		}
	}
	return nil
}

// alignment takes general.alignment.
func (p *parser) alignment() error {
	v := p.f.Key("general.alignment")
	if !v.Valid() {
		return nil
	}
	if v.Type() != Uint32 {
		return fault.New(fault.WrongType, p.f.Path, "general.alignment is "+v.Type().String()+", not uint32")
	}
	a := v.Uint()
	if a == 0 || a&(a-1) != 0 {
		return fault.New(BadAlignment, p.f.Path, "general.alignment is "+v.show())
	}
	p.f.Alignment = int64(a)
	return nil
}

// tensors reads the tensors' descriptions.
func (p *parser) tensors(n uint64) error {
	f := p.f
	f.Tensors = make([]Tensor, 0, min(n, 1024))
	// All names go into one string, so that a file of thousands costs one allocation.
	names := make([]byte, 0, min(n, 1024)*24)
	ends := make([]int32, 0, min(n, 1024))
	defer func() {
		all := string(names)
		start := int32(0)
		for i, end := range ends {
			f.Tensors[i].Name = all[start:end]
			start = end
		}
	}()
	for range n {
		at := p.Offset()
		size, err := p.length(MaxNameBytes, NameTooLong, "tensor name")
		if err != nil {
			return err
		}
		b, err := p.Next(int(size))
		if err != nil {
			return err
		}
		start := len(names)
		names = append(names, b...)
		var t Tensor
		if err := p.tensor(&t, names[start:], at); err != nil {
			return err
		}
		f.Tensors = append(f.Tensors, t)
		ends = append(ends, int32(len(names)))
	}
	return duplicates(f.Path, names, ends)
}

// tensor reads what follows a tensor's name, and checks it in gguf.cpp's order.
// Errors point at the tensor's start.
func (p *parser) tensor(t *Tensor, name []byte, at int64) error {
	rank, err := p.u32()
	if err != nil {
		return err
	}
	if rank > MaxDims {
		return p.Fault(TooManyDims, at, "tensor %s has %d, the limit is %d", quote(name), rank, MaxDims).WithHint(damaged)
	}
	t.Rank = int(rank)
	t.Dims = [MaxDims]uint64{1, 1, 1, 1}
	for i := range t.Rank {
		if t.Dims[i], err = p.count(); err != nil {
			return err
		}
		if t.Dims[i] > math.MaxInt64 {
			return p.Fault(NegativeDim, at, "tensor %s: %d", quote(name), int64(t.Dims[i])).WithHint(damaged)
		}
	}
	elements, ok := product(t.Dims)
	if !ok {
		return p.Fault(SizeOverflow, at, "tensor %s of shape %v", quote(name), t.Dims[:t.Rank]).WithHint(damaged)
	}

	id, err := p.u32()
	if err != nil {
		return err
	}
	t.Type = Type(id)
	if !t.Type.Known() {
		return p.Fault(UnknownType, at, "tensor %s has type %d", quote(name), id).
			WithHint("the file is damaged, or written by a ggml newer than this reader")
	}
	if t.Type.Removed() {
		return p.Fault(RemovedType, at, "tensor %s is %s", quote(name), t.Type).
			WithHint("quantize the model again: current ggml repacks Q4_0 and IQ4_NL while loading")
	}
	blockElements, blockBytes := t.Type.Block()
	if t.Dims[0]%blockElements != 0 {
		return p.Fault(PartialBlock, at, "tensor %s is %s, in blocks of %d, with rows of %d", quote(name), t.Type, blockElements, t.Dims[0]).WithHint(damaged)
	}
	hi, size := bits.Mul64(elements/blockElements, blockBytes)
	if hi != 0 || size > math.MaxInt64 {
		return p.Fault(SizeOverflow, at, "tensor %s of shape %v in %s", quote(name), t.Dims[:t.Rank], t.Type).WithHint(damaged)
	}
	t.Bytes = size
	t.Offset, err = p.u64()
	return err
}

// product multiplies the dimensions; ok is false at 2^63-1 and above. A dimension
// of zero makes any others harmless, as for gguf.cpp.
func product(dims [MaxDims]uint64) (n uint64, ok bool) {
	if slices.Contains(dims[:], 0) {
		return 0, true
	}
	n = 1
	for _, d := range dims {
		hi, lo := bits.Mul64(n, d)
		if hi != 0 || lo >= math.MaxInt64 {
			return 0, false
		}
		n = lo
	}
	return n, true
}

// duplicates finds two tensors of one name by sorting indexes, which costs four
// bytes a tensor where a map would cost ten times that.
func duplicates(path string, names []byte, ends []int32) error {
	name := func(i int32) []byte {
		if i == 0 {
			return names[:ends[0]]
		}
		return names[ends[i-1]:ends[i]]
	}
	by := make([]int32, len(ends))
	for i := range by {
		by[i] = int32(i)
	}
	slices.SortFunc(by, func(a, b int32) int { return bytes.Compare(name(a), name(b)) })
	for i := 1; i < len(by); i++ {
		if a := name(by[i]); bytes.Equal(a, name(by[i-1])) {
			return fault.New(DuplicateTensor, path, quote(a))
		}
	}
	return nil
}

// place checks that the tensors' data follow one another, padded to the
// alignment, from the data's start to the end of the file. The padding behind the
// last one may be missing.
func (p *parser) place() error {
	f := p.f
	pad := func(n uint64) uint64 {
		a := uint64(f.Alignment) - 1
		return (n + a) &^ a // n < 2^63 and a < 2^32: no overflow
	}
	start := pad(uint64(p.Offset()))
	f.DataOffset = int64(start)
	var sum uint64
	for i := range f.Tensors {
		t := &f.Tensors[i]
		if t.Offset != sum {
			return p.Fault(BadOffset, p.Offset(), "tensor %s is said to begin at byte %d of the data, and belongs at %d", quote(t.Name), t.Offset, sum).WithHint(damaged)
		}
		if sum += pad(t.Bytes); sum > math.MaxInt64-start {
			return p.Fault(SizeOverflow, p.Offset(), "all tensors up to %s", quote(t.Name)).WithHint(damaged)
		}
	}
	for i := range f.Tensors {
		t := &f.Tensors[i]
		if end := start + t.Offset + t.Bytes; end > uint64(f.Size) {
			return p.Fault(fault.Truncated, f.Size, "tensor %s ends at byte %d, %d of %d tensors are whole", quote(t.Name), end, i, len(f.Tensors)).
				WithHint("the download did not end, or the file was cut: download it again")
		}
	}
	return nil
}
