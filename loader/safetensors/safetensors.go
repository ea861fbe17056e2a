// Package safetensors reads the header of a safetensors file: what tensors it
// holds, of what type and shape, and where. It never reads a weight.
//
// The format is an unsigned 64-bit little-endian length, that many bytes of
// JSON, and the tensors' bytes without a gap. The checks, their order and their
// kinds are those of the reference implementation, the Rust crate safetensors.
// A few things it lets pass are refused here: a tensor named twice (its
// specification forbids that, its reader keeps one of the two), and a tensor's
// description or element type written in the shapes that only its JSON library
// would take for an object or a string.
package safetensors

import (
	"io"
	"iter"
	"slices"

	"omniloader/loader/fault"
)

// MaxHeader is the longest header, in bytes, that the reference reader takes,
// and this one.
const MaxHeader = 100_000_000

// The kinds of error, in the order of the checks. Each bears the name of the
// reference implementation's variant.
const (
	HeaderTooSmall               fault.Kind = "header too small"           // fewer bytes than the length takes
	HeaderTooLarge               fault.Kind = "header too large"           // more than MaxHeader
	InvalidHeaderLength          fault.Kind = "invalid header length"      // the header ends behind the file
	InvalidHeader                fault.Kind = "invalid UTF-8 in header"    // not a text
	InvalidHeaderDeserialization fault.Kind = "invalid JSON in header"     // not JSON, or not of the shape the format asks
	DuplicateTensor              fault.Kind = "duplicate tensor"           // one name, two tensors; ours alone
	InvalidOffset                fault.Kind = "invalid offset"             // a hole, an overlap, or an end before its begin
	ValidationOverflow           fault.Kind = "validation overflow"        // a size beyond 64 bits
	MisalignedSlice              fault.Kind = "misaligned slice"           // packed elements that do not fill whole bytes
	TensorInvalidInfo            fault.Kind = "invalid tensor info"        // offsets, shape and type disagree
	MetadataIncompleteBuffer     fault.Kind = "incomplete metadata buffer" // the tensors end before the file does, or behind it
)

// Tensor is one tensor of a file.
type Tensor struct {
	Name  string
	DType DType
	Shape []uint64 // empty for a scalar

	// Begin and End bound the tensor's bytes, counted from the end of the
	// header.
	Begin, End int64
	// Elements is the product of Shape.
	Elements int64
}

// Entry is a Tensor as Scan shows it. Name and Shape are valid until the
// visitor returns.
type Entry struct {
	Name       []byte
	DType      DType
	Shape      []uint64
	Begin, End int64
	Elements   int64
}

// Tensor gives a copy that may be kept.
func (e Entry) Tensor() Tensor {
	return Tensor{
		Name: string(e.Name), DType: e.DType, Shape: slices.Clone(e.Shape),
		Begin: e.Begin, End: e.End, Elements: e.Elements,
	}
}

// Count is a sum over tensors.
type Count struct {
	Tensors  int
	Elements int64
	Bytes    int64
}

// Summary is what a header says of the file as a whole. Summaries of several
// shards add up.
type Summary struct {
	// Metadata is the header's __metadata__, nil where it has none. Adding
	// summaries leaves it as it is.
	Metadata map[string]string
	// HeaderBytes is the length of the JSON with its padding: the data begins
	// at 8 + HeaderBytes.
	HeaderBytes int64
	// Total sums over all tensors. Its Elements are the parameters as stored:
	// a quantized checkpoint that packs several weights into one U32 has more.
	Total Count

	byDType [dtypeEnd]Count
}

// ByDType goes through the element types present, in the order of their
// constants.
func (s *Summary) ByDType() iter.Seq2[DType, Count] {
	return func(yield func(DType, Count) bool) {
		for d, c := range s.byDType {
			if c.Tensors > 0 && !yield(DType(d), c) {
				return
			}
		}
	}
}

// Of is the sum over the tensors of one element type.
func (s *Summary) Of(d DType) Count {
	if d >= dtypeEnd {
		return Count{}
	}
	return s.byDType[d]
}

// Add adds the counts of another file.
func (s *Summary) Add(other *Summary) {
	s.HeaderBytes += other.HeaderBytes
	s.Total.add(other.Total)
	for d := range s.byDType {
		s.byDType[d].add(other.byDType[d])
	}
}

func (c *Count) add(other Count) {
	c.Tensors += other.Tensors
	c.Elements += other.Elements
	c.Bytes += other.Bytes
}

// Header is all that a header says.
type Header struct {
	Summary
	Tensors []Tensor // in the order of their offsets
}

// Read reads the header of the file of size bytes that r gives; path is for the
// errors alone.
func Read(path string, r io.ReaderAt, size int64) (*Header, error) {
	h := &Header{}
	summary, err := Scan(path, r, size, func(e Entry) error {
		h.Tensors = append(h.Tensors, e.Tensor())
		return nil
	})
	if err != nil {
		return nil, err
	}
	h.Summary = summary
	return h, nil
}

// Names gives the tensors' names, sorted.
func (h *Header) Names() []string {
	names := make([]string, len(h.Tensors))
	for i := range h.Tensors {
		names[i] = h.Tensors[i].Name
	}
	slices.Sort(names)
	return names
}
