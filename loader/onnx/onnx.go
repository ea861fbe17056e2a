// Package onnx lists the tensors that an ONNX file stores: the initializers of its
// graphs and the tensors of its Constant nodes, with types, shapes, and the file that
// holds their data where that is another.
//
// It reads the fields of the protocol buffer and skips the data, so that little of a
// large file is read. It does not check the graph and runs nothing. Source: the ONNX
// project, onnx/onnx.proto and docs/ExternalData.md.
package onnx

import (
	"io"
	"math"
	"math/bits"
	"path"
	"strconv"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/internal/ndarray"
	"omniloader/loader/window"
)

// NotONNX is the kind of error for a file that holds no model.
const NotONNX fault.Kind = "not ONNX"

// The limits of this reader.
const (
	maxTensors = 1 << 20
	maxDepth   = 32      // levels of graphs within graphs
	maxText    = 4 << 10 // bytes kept of a name or a path
	maxDims    = 64      // dimensions of a tensor
)

// Tensor is one stored tensor.
type Tensor struct {
	Name  string
	DType string // spelled as in safetensors, "F32"; "" where the number of the type is not known
	Shape []int64
	// Bytes is the size of the data: as stored, or by shape and type where the data is
	// in another file.
	Bytes    int64
	Constant bool      // an attribute of a node, not an initializer
	External *External // the place of data in another file, else nil
}

// Elements is the product of the dimensions, 1 for a scalar.
func (t *Tensor) Elements() int64 {
	n, _ := ndarray.Elements(t.Shape)
	return n
}

// External is the place of a tensor's data outside the model's file.
type External struct {
	File   string // as the model writes it, relative to the model's directory
	Offset int64  // in bytes
	Length int64  // in bytes, 0 where the model gives none
}

// Unsafe reports whether the file is outside the model's directory.
func (e *External) Unsafe() bool {
	p := strings.ReplaceAll(e.File, `\`, "/")
	return path.IsAbs(p) || strings.Contains(p, ":") || p == ".." || strings.HasPrefix(path.Clean(p), "../")
}

// types maps the numbers of TensorProto.DataType to our names and to bits.
var types = map[uint64]struct {
	name string
	bits int64
}{
	1: {"F32", 32}, 2: {"U8", 8}, 3: {"I8", 8}, 4: {"U16", 16}, 5: {"I16", 16}, 6: {"I32", 32}, 7: {"I64", 64},
	9: {"BOOL", 8}, 10: {"F16", 16}, 11: {"F64", 64}, 12: {"U32", 32}, 13: {"U64", 64}, 14: {"C64", 64}, 15: {"C128", 128},
	16: {"BF16", 16}, 17: {"F8_E4M3", 8}, 18: {"F8_E4M3FNUZ", 8}, 19: {"F8_E5M2", 8}, 20: {"F8_E5M2FNUZ", 8},
	21: {"U4", 4}, 22: {"I4", 4}, 23: {"F4", 4}, 24: {"F8_E8M0", 8},
}

// Read lists the tensors of a model of size bytes, in the file's order; errors name
// path. With an error it returns the tensors that were read before it.
func Read(r io.ReaderAt, size int64, path string) ([]Tensor, error) {
	if size <= 0 {
		return nil, fault.New(fault.Empty, path, "no bytes")
	}
	w := &walker{Reader: window.New(window.Bounded(r, size), size, path, 0)}
	graphs := 0
	err := w.message(size, func(field, wire, length int64) error {
		const graph = 7
		if field != graph || wire != bytesWire {
			return w.skip(wire, length)
		}
		graphs++
		return w.graph(length, 0)
	})
	if err == nil && graphs == 0 {
		err = fault.At(NotONNX, path, 0, "no graph in the file").WithHint("the file is damaged, or no ONNX model: download it again")
	}
	return w.tensors, err
}

type walker struct {
	*window.Reader
	tensors []Tensor
}

// The wire types of protocol buffers.
const (
	varintWire = 0
	fixed64    = 1
	bytesWire  = 2
	fixed32    = 5
)

// varint reads a number of up to ten bytes.
func (w *walker) varint() (uint64, error) {
	var n uint64
	for shift := 0; ; shift += 7 {
		b, err := w.Next(1)
		if err != nil {
			return 0, err
		}
		if shift >= 64 || shift == 63 && b[0] > 1 {
			return 0, w.Fault(fault.Malformed, w.Offset()-1, "a number of more than 64 bits")
		}
		n |= uint64(b[0]&0x7F) << shift
		if b[0] < 0x80 {
			return n, nil
		}
	}
}

// message reads the fields of a message of length bytes. field must consume a value
// of any wire type but bytes; of bytes, whose number is length, it may read some.
func (w *walker) message(length int64, field func(number, wire, length int64) error) error {
	end := w.Offset() + length
	for w.Offset() < end {
		at := w.Offset()
		tag, err := w.varint()
		if err != nil {
			return err
		}
		number, wire := int64(tag>>3), int64(tag&7)
		if number == 0 || tag>>3 > math.MaxInt32 {
			return w.Fault(fault.Malformed, at, "a field without a number")
		}
		size := int64(0)
		if wire == bytesWire {
			n, err := w.varint()
			if err != nil {
				return err
			}
			if left := end - w.Offset(); n > uint64(max(left, 0)) {
				kind := fault.Malformed
				if n > uint64(max(w.Left(), 0)) {
					kind = fault.Truncated
				}
				return w.Fault(kind, at, "field %d claims %d bytes, %d are left", number, n, left)
			}
			size = int64(n)
		}
		start := w.Offset()
		if err := field(number, wire, size); err != nil {
			return err
		}
		if wire == bytesWire && w.Offset() != start+size {
			w.MoveTo(start + size)
		}
	}
	if w.Offset() > end {
		return w.Fault(fault.Malformed, end, "a field runs over the end of its message")
	}
	return nil
}

// skip passes over a value without reading bytes.
func (w *walker) skip(wire, length int64) error {
	switch wire {
	case varintWire:
		_, err := w.varint()
		return err
	case fixed64:
		_, err := w.Next(8)
		return err
	case fixed32:
		_, err := w.Next(4)
		return err
	case bytesWire:
		w.MoveTo(w.Offset() + length)
		return nil
	}
	return w.Fault(fault.Malformed, w.Offset(), "a field of wire type %d, which no model has", wire)
}

// graph reads a GraphProto: its initializers, and the tensors in its nodes.
func (w *walker) graph(length int64, depth int) error {
	const node, initializer = 1, 5
	if depth > maxDepth {
		return w.Fault(fault.TooDeep, w.Offset(), "more than %d graphs within each other", maxDepth)
	}
	return w.message(length, func(field, wire, length int64) error {
		switch {
		case wire == bytesWire && field == initializer:
			return w.tensor(length, false)
		case wire == bytesWire && field == node:
			return w.node(length, depth)
		}
		return w.skip(wire, length)
	})
}

// node reads a NodeProto's attributes: tensors, and graphs such as the branches of
// an If.
func (w *walker) node(length int64, depth int) error {
	const attribute, tensor, graph, tensors, graphs = 5, 5, 6, 10, 11
	return w.message(length, func(field, wire, length int64) error {
		if field != attribute || wire != bytesWire {
			return w.skip(wire, length)
		}
		return w.message(length, func(field, wire, length int64) error {
			switch {
			case wire == bytesWire && (field == tensor || field == tensors):
				return w.tensor(length, true)
			case wire == bytesWire && (field == graph || field == graphs):
				return w.graph(length, depth+1)
			}
			return w.skip(wire, length)
		})
	})
}

// text reads at most maxText bytes of a text.
func (w *walker) text(length int64) (string, error) {
	b, err := w.Next(int(min(length, maxText)))
	return string(b), err // message skips the rest
}

// tensorProto is what a TensorProto says of one tensor.
type tensorProto struct {
	Tensor
	at       int64  // offset of the message
	dataType uint64 // TensorProto.DataType
	location uint64 // TensorProto.DataLocation
	external External
}

// externalLocation is the DataLocation of data in another file.
const externalLocation = 1

// tensor reads a TensorProto.
func (w *walker) tensor(length int64, constant bool) error {
	if len(w.tensors) == maxTensors {
		return w.Fault(fault.TooLarge, w.Offset(), "more than %d tensors", maxTensors)
	}
	t := &tensorProto{Tensor: Tensor{Constant: constant}, at: w.Offset()}
	err := w.message(length, func(field, wire, length int64) error { return w.tensorField(t, field, wire, length) })
	if err != nil {
		return err
	}
	if err := w.checkTensor(t); err != nil {
		return err
	}
	w.tensors = append(w.tensors, t.Tensor)
	return nil
}

// tensorField reads one field of a TensorProto. Of fields that hold data it adds up
// the bytes and skips them.
func (w *walker) tensorField(t *tensorProto, field, wire, length int64) (err error) {
	const (
		dims, dataType, name, external, location      = 1, 2, 8, 13, 14
		floats, int32s, int64s, raw, doubles, uint64s = 4, 5, 7, 9, 10, 11
	)
	switch {
	case field == dims && wire == varintWire:
		return w.dimension(t)
	case field == dims && wire == bytesWire:
		for end := w.Offset() + length; w.Offset() < end; {
			if err := w.dimension(t); err != nil {
				return err
			}
		}
		return nil
	case field == dataType && wire == varintWire:
		t.dataType, err = w.varint()
		return err
	case field == location && wire == varintWire:
		t.location, err = w.varint()
		return err
	case field == name && wire == bytesWire:
		t.Name, err = w.text(length)
		return err
	case field == external && wire == bytesWire:
		return w.external(length, &t.external)
	case wire == bytesWire && (field == floats || field == int32s || field == int64s || field == raw || field == doubles || field == uint64s):
		t.Bytes += length
	}
	return w.skip(wire, length)
}

func (w *walker) dimension(t *tensorProto) error {
	n, err := w.varint()
	if err != nil {
		return err
	}
	if len(t.Shape) == maxDims || n > math.MaxInt64 {
		return w.Fault(fault.Malformed, t.at, "a tensor of impossible shape")
	}
	t.Shape = append(t.Shape, int64(n))
	return nil
}

// checkTensor sets what follows from the fields, and checks shape, type and size
// against each other.
func (w *walker) checkTensor(t *tensorProto) error {
	elements, ok := ndarray.Elements(t.Shape)
	if !ok {
		return w.Fault(fault.Malformed, t.at, "the tensor %.80q has a shape beyond all memory", t.Name)
	}
	typ := types[t.dataType]
	t.DType = typ.name
	isExternal := t.location == externalLocation
	if isExternal {
		external := t.external
		t.External = &external
	}
	if typ.bits > 0 && (isExternal || t.Bytes == 0) {
		high, low := bits.Mul64(uint64(elements), uint64(typ.bits))
		if high != 0 || low > math.MaxInt64 {
			return w.Fault(fault.Malformed, t.at, "the tensor %.80q has a shape beyond all memory", t.Name)
		}
		if isExternal {
			t.Bytes = int64((low + 7) / 8)
		}
	}
	if !isExternal && typ.bits >= 8 && t.Bytes == 0 && elements > 0 {
		return w.Fault(fault.Truncated, t.at, "the tensor %.80q has %d elements and no data", t.Name, elements)
	}
	return nil
}

// external reads one key and value of external_data.
func (w *walker) external(length int64, e *External) error {
	var key, value string
	err := w.message(length, func(field, wire, length int64) (err error) {
		switch {
		case field == 1 && wire == bytesWire:
			key, err = w.text(length)
			return err
		case field == 2 && wire == bytesWire:
			value, err = w.text(length)
			return err
		}
		return w.skip(wire, length)
	})
	if err != nil {
		return err
	}
	switch key {
	case "location":
		e.File = value
	case "offset":
		e.Offset, err = number(value)
	case "length":
		e.Length, err = number(value)
	}
	if err != nil {
		return w.Fault(fault.Malformed, w.Offset(), "%.40q is no %s", value, key)
	}
	return nil
}

func number(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && n < 0 {
		err = strconv.ErrRange
	}
	return n, err
}
