package gguf

import (
	"encoding/binary"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/window"
)

// ValueType is the type of a key's value, numbered as in the file.
type ValueType uint32

// The types, in the order of docs/gguf.md.
const (
	Uint8 ValueType = iota
	Int8
	Uint16
	Int16
	Uint32
	Int32
	Float32
	Bool
	String
	Array
	Uint64
	Int64
	Float64
)

// valueTypes are the name of each type and its size in the file, 0 for strings and
// arrays.
var valueTypes = [...]struct {
	name  string
	bytes int
}{
	Uint8: {"uint8", 1}, Int8: {"int8", 1}, Uint16: {"uint16", 2}, Int16: {"int16", 2},
	Uint32: {"uint32", 4}, Int32: {"int32", 4}, Float32: {"float32", 4}, Bool: {"bool", 1},
	String: {"string", 0}, Array: {"array", 0}, Uint64: {"uint64", 8}, Int64: {"int64", 8}, Float64: {"float64", 8},
}

// String returns the type's name in docs/gguf.md, in lower case.
func (t ValueType) String() string {
	if int(t) < len(valueTypes) {
		return valueTypes[t].name
	}
	return "type " + strconv.Itoa(int(t))
}

func (t ValueType) signed() bool  { return t == Int8 || t == Int16 || t == Int32 || t == Int64 }
func (t ValueType) float() bool   { return t == Float32 || t == Float64 }
func (t ValueType) integer() bool { return t <= Int32 || t == Uint64 || t == Int64 }

// bits decodes a number into the representation of Value: integers sign-extended,
// floats as the bits of a float64.
func (t ValueType) bits(order binary.ByteOrder, b []byte) uint64 {
	switch t {
	case Int8:
		return uint64(int8(b[0]))
	case Uint16:
		return uint64(order.Uint16(b))
	case Int16:
		return uint64(int16(order.Uint16(b)))
	case Uint32:
		return uint64(order.Uint32(b))
	case Int32:
		return uint64(int32(order.Uint32(b)))
	case Float32:
		return math.Float64bits(float64(math.Float32frombits(order.Uint32(b))))
	case Uint64, Int64, Float64:
		return order.Uint64(b)
	}
	return uint64(b[0])
}

// Value is the value of a key. The zero Value is that of a missing key: Valid is
// false. An accessor of another type than the value's returns zero.
type Value struct {
	file  *File
	text  string
	bits  uint64
	n     uint64 // elements of an array
	at    int64  // offset of an array's first element
	typ   ValueType
	elem  ValueType
	valid bool
}

// Valid reports whether the key exists.
func (v Value) Valid() bool { return v.valid }

// Type is the value's type in the file.
func (v Value) Type() ValueType { return v.typ }

// Text returns a string.
func (v Value) Text() string { return v.text }

// Uint returns an integer of any width; 0 for a negative one.
func (v Value) Uint() uint64 {
	if !v.typ.integer() || v.typ.signed() && int64(v.bits) < 0 {
		return 0
	}
	return v.bits
}

// Int returns an integer of any width; 0 for one above 2^63-1.
func (v Value) Int() int64 {
	if !v.typ.integer() || !v.typ.signed() && v.bits > math.MaxInt64 {
		return 0
	}
	return int64(v.bits)
}

// Float returns a float, or an integer as a float.
func (v Value) Float() float64 {
	switch {
	case v.typ.float():
		return math.Float64frombits(v.bits)
	case v.typ.signed():
		return float64(int64(v.bits))
	case v.typ.integer():
		return float64(v.bits)
	}
	return 0
}

// Bool returns a boolean; any byte but zero is true, as for gguf.cpp.
func (v Value) Bool() bool { return v.typ == Bool && v.bits != 0 }

// Len is the number of an array's elements, 0 for anything else.
func (v Value) Len() int { return int(v.n) }

// ElementType is the type of an array's elements.
func (v Value) ElementType() ValueType { return v.elem }

// uintText returns an unsigned integer as text, for errors.
func (v Value) uintText() string { return strconv.FormatUint(v.Uint(), 10) }

// Elements reads an array's elements from the file, in order; it yields nothing for
// other values. An error is yielded last, once. The reader that Read was given must
// still be open.
func (v Value) Elements() iter.Seq2[Value, error] {
	return func(yield func(Value, error) bool) {
		if v.typ != Array || !v.valid || v.n == 0 {
			return
		}
		f := v.file
		p := &parser{Reader: window.New(f.src, f.Size, f.Path, 0), f: f, order: f.ByteOrder, wide: f.Version > 1}
		p.MoveTo(v.at)
		for range v.n {
			e, err := p.element(v.elem)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// element reads one element of an array.
func (p *parser) element(typ ValueType) (v Value, err error) {
	v = Value{typ: typ, valid: true}
	if typ == String {
		n, err := p.length(maxText, fault.TooLarge, "string")
		if err != nil {
			return Value{}, err
		}
		v.text, err = p.string(n)
		return v, err
	}
	b, err := p.Next(valueTypes[typ].bytes)
	if err != nil {
		return Value{}, err
	}
	v.bits = typ.bits(p.order, b)
	return v, nil
}

// Key returns the value of a key, the zero Value where it is missing. Of two keys with
// one name, which is an error, it returns one of the values.
func (f *File) Key(name string) Value {
	i, found := slices.BinarySearchFunc(f.sorted, name, func(i int32, name string) int {
		return strings.Compare(f.keys[i].name, name)
	})
	if !found {
		return Value{}
	}
	return f.keys[f.sorted[i]].value
}

// Keys yields all keys in the file's order.
func (f *File) Keys() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for i := range f.keys {
			if !yield(f.keys[i].name, f.keys[i].value) {
				return
			}
		}
	}
}

// ModelKey returns the value of a key of the model's architecture:
// ModelKey("context_length") is Key("llama.context_length") in a file of
// architecture llama.
func (f *File) ModelKey(name string) Value {
	arch := f.Architecture()
	if arch == "" {
		return Value{}
	}
	return f.Key(arch + "." + name)
}

// quote quotes a name from the file for an error, shortened to 80 bytes.
func quote[T string | []byte](name T) string {
	const most = 80
	if len(name) > most {
		return strconv.Quote(string(name[:most])) + "…"
	}
	return strconv.Quote(string(name))
}
