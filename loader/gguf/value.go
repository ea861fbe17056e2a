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

// valueTypes gives each type its name and its size in the file; the size of
// strings and arrays is in the file.
var valueTypes = [...]struct {
	name  string
	bytes int
}{
	Uint8: {"uint8", 1}, Int8: {"int8", 1}, Uint16: {"uint16", 2}, Int16: {"int16", 2},
	Uint32: {"uint32", 4}, Int32: {"int32", 4}, Float32: {"float32", 4}, Bool: {"bool", 1},
	String: {"string", 0}, Array: {"array", 0}, Uint64: {"uint64", 8}, Int64: {"int64", 8}, Float64: {"float64", 8},
}

// String gives the type's name in docs/gguf.md, in lower case.
func (t ValueType) String() string {
	if int(t) < len(valueTypes) {
		return valueTypes[t].name
	}
	return "type " + strconv.Itoa(int(t))
}

func (t ValueType) signed() bool  { return t == Int8 || t == Int16 || t == Int32 || t == Int64 }
func (t ValueType) float() bool   { return t == Float32 || t == Float64 }
func (t ValueType) integer() bool { return t <= Int32 || t == Uint64 || t == Int64 }

// bits reads a number as Value keeps it: integers sign-extended, floats as
// float64.
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
// false and every accessor gives zero, as it does for a value of another type.
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

// Valid reports that the key is there.
func (v Value) Valid() bool { return v.valid }

// Type is the value's type in the file.
func (v Value) Type() ValueType { return v.typ }

// Text gives a string.
func (v Value) Text() string { return v.text }

// Uint gives an integer of any width that is not negative.
func (v Value) Uint() uint64 {
	if !v.typ.integer() || v.typ.signed() && int64(v.bits) < 0 {
		return 0
	}
	return v.bits
}

// Int gives an integer of any width that fits.
func (v Value) Int() int64 {
	if !v.typ.integer() || !v.typ.signed() && v.bits > math.MaxInt64 {
		return 0
	}
	return int64(v.bits)
}

// Float gives a float, or an integer as one.
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

// Bool gives a truth value; any byte but zero is true, as for gguf.cpp.
func (v Value) Bool() bool { return v.typ == Bool && v.bits != 0 }

// Len is the number of an array's elements, 0 for anything else.
func (v Value) Len() int { return int(v.n) }

// ElementType is the type of an array's elements.
func (v Value) ElementType() ValueType { return v.elem }

// show writes an unsigned integer for an error.
func (v Value) show() string { return strconv.FormatUint(v.Uint(), 10) }

// Elements reads an array's elements from the file, in order; it yields nothing
// for anything else. An error is yielded once, last. The reader that Read was
// given must still be open.
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
		n, err := p.length(MaxText, fault.TooLarge, "string")
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

// Key gives the value of a key, the zero Value where it is missing. Of two values
// under one name, which is an error, it gives one of them.
func (f *File) Key(name string) Value {
	i, found := slices.BinarySearchFunc(f.by, name, func(i int32, name string) int {
		return strings.Compare(f.keys[i].name, name)
	})
	if !found {
		return Value{}
	}
	return f.keys[f.by[i]].value
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

// ModelKey gives the value of a key of the model's architecture:
// ModelKey("context_length") is Key("llama.context_length") in a file of
// architecture llama.
func (f *File) ModelKey(name string) Value {
	arch := f.Architecture()
	if arch == "" {
		return Value{}
	}
	return f.Key(arch + "." + name)
}

// quote cuts a name from the file to what an error can show.
func quote[T string | []byte](name T) string {
	const most = 80
	if len(name) > most {
		return strconv.Quote(string(name[:most])) + "…"
	}
	return strconv.Quote(string(name))
}
