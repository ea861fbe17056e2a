// Package safetensors reads the header of a safetensors file: the names, types, shapes
// and offsets of its tensors. It never reads weights.
//
// The format is an unsigned 64-bit little-endian length, that many bytes of JSON, and
// the bytes of the tensors without gaps. The checks, their order and their kinds are
// those of the reference implementation, the Rust crate safetensors 0.8, and so is what
// counts: of several tensors of one name, which the specification forbids, the last
// (Summary.Repeated has the name); a tensor's description may be an array of its three
// members, and its type an object such as {"F32":null}.
package safetensors

import (
	"io"
	"iter"
	"slices"

	"omniloader/loader/fault"
)

// MaxHeader is the longest header, in bytes, that the reference implementation and
// this package accept.
const MaxHeader = 100_000_000

// The kinds of error, in the order of the checks. Each has the name of the variant in
// the reference implementation.
const (
	HeaderTooSmall               fault.Kind = "header too small"           // the file is shorter than the length itself
	HeaderTooLarge               fault.Kind = "header too large"           // more than MaxHeader
	InvalidHeaderLength          fault.Kind = "invalid header length"      // the header ends beyond the file
	InvalidHeader                fault.Kind = "invalid UTF-8 in header"    // not UTF-8
	InvalidHeaderDeserialization fault.Kind = "invalid JSON in header"     // not JSON, or not what the format needs
	InvalidOffset                fault.Kind = "invalid offset"             // a gap, an overlap, or an end before its begin
	ValidationOverflow           fault.Kind = "validation overflow"        // a size beyond 64 bits
	MisalignedSlice              fault.Kind = "misaligned slice"           // packed elements that do not fill whole bytes
	TensorInvalidInfo            fault.Kind = "invalid tensor info"        // offsets, shape and type disagree
	MetadataIncompleteBuffer     fault.Kind = "incomplete metadata buffer" // the tensors end before or beyond the end of the file
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

// Entry is a Tensor as Scan passes it to visit. Name and Shape are valid until visit
// returns.
type Entry struct {
	Name       []byte
	DType      DType
	Shape      []uint64
	Begin, End int64
	Elements   int64
}

// tensor returns a copy that may be kept.
func (e Entry) tensor() Tensor {
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

// Summary is what a header says of the file as a whole. Add sums those of several
// shards.
type Summary struct {
	// Metadata is the header's __metadata__, nil where it has none. Add does not change
	// it.
	Metadata map[string]string
	// HeaderBytes is the length of the JSON with its padding: the data begins
	// at 8 + HeaderBytes.
	HeaderBytes int64
	// Repeated are the names that the header has more than once, each once, in the order
	// of the header. Of such tensors only the last is counted and passed to visit. Add does
	// not change it.
	Repeated []string
	// Total sums over all tensors. Its Elements are the parameters as stored:
	// a quantized checkpoint that packs several weights into one U32 has more.
	Total Count

	byDType [dtypeEnd]Count
}

// ByDType yields the element types that occur, in the order of their constants.
func (s *Summary) ByDType() iter.Seq2[DType, Count] {
	return func(yield func(DType, Count) bool) {
		for d, c := range s.byDType {
			if c.Tensors > 0 && !yield(DType(d), c) {
				return
			}
		}
	}
}

// Of returns the sum over the tensors of one element type.
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

// Header is the whole content of a header.
type Header struct {
	Summary
	Tensors []Tensor // in the order of their offsets
}

// Read reads the header of a file of size bytes; errors name path. Its errors are those
// of Scan.
func Read(path string, r io.ReaderAt, size int64) (*Header, error) {
	h := &Header{}
	summary, err := Scan(path, r, size, func(e Entry) error {
		h.Tensors = append(h.Tensors, e.tensor())
		return nil
	})
	if err != nil {
		return nil, err
	}
	h.Summary = summary
	return h, nil
}

// Names returns the tensors' names, sorted.
func (h *Header) Names() []string {
	names := make([]string, len(h.Tensors))
	for i := range h.Tensors {
		names[i] = h.Tensors[i].Name
	}
	slices.Sort(names)
	return names
}
