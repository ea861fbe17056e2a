package gguf

import (
	"bytes"
	"math"
	"math/bits"
	"slices"

	"omniloader/loader/fault"
)

// tensors reads the tensors' descriptions.
func (p *parser) tensors(n uint64) error {
	f := p.f
	f.Tensors = make([]Tensor, 0, min(n, 1024))
	// All names are slices of one string, so that thousands cost one allocation.
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
		size, err := p.length(maxNameBytes, NameTooLong, "tensor name")
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

// tensor reads what follows a tensor's name, and checks it in the order of gguf.cpp.
// The offset of its errors is at, where the tensor's description begins.
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

// product multiplies the dimensions; ok is false at 2^63-1 and above. With a
// dimension of zero the others may be of any size, as for gguf.cpp.
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

// duplicates finds two tensors of one name by sorting indexes: four bytes for each
// tensor, where a map takes ten times that.
func duplicates(path string, names []byte, ends []int32) error {
	name := func(i int32) []byte {
		if i == 0 {
			return names[:ends[0]]
		}
		return names[ends[i-1]:ends[i]]
	}
	order := make([]int32, len(ends))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return bytes.Compare(name(a), name(b)) })
	for i := 1; i < len(order); i++ {
		if a := name(order[i]); bytes.Equal(a, name(order[i-1])) {
			return fault.New(DuplicateTensor, path, quote(a))
		}
	}
	return nil
}

// checkLayout checks that the data of the tensors is contiguous, each padded to the
// alignment, from the start of the data to the end of the file. The padding after the
// last tensor may be missing.
func (p *parser) checkLayout() error {
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
