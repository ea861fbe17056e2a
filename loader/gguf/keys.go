package gguf

import (
	"slices"
	"strings"

	"omniloader/loader/fault"
)

// keys reads n keys, or with head set those up to the first array of strings; stopped
// reports that it stopped there.
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
		size, err := p.length(maxKeyBytes, StringTooLong, "key")
		if err != nil {
			return false, err
		}
		if size == 0 {
			return false, p.Fault(EmptyKey, at, "key %d", len(f.keys)).WithHint(damaged)
		}
		name, err := p.readHeld(size)
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

// sortKeys builds the index by name. It returns the index of a key that occurs twice,
// or -1.
func (f *File) sortKeys() int {
	f.sorted = make([]int32, len(f.keys))
	for i := range f.sorted {
		f.sorted[i] = int32(i)
	}
	slices.SortFunc(f.sorted, func(a, b int32) int {
		if c := strings.Compare(f.keys[a].name, f.keys[b].name); c != 0 {
			return c
		}
		return int(a - b)
	})
	for i := 1; i < len(f.sorted); i++ {
		if f.keys[f.sorted[i]].name == f.keys[f.sorted[i-1]].name {
			return int(f.sorted[i])
		}
	}
	return -1
}

// value reads a value; of an array only the element type and the length.
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
		n, err := p.length(maxStringBytes, StringTooLong, "string")
		if err != nil {
			return Value{}, err
		}
		v.text, err = p.readHeld(n)
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
		if v.n > maxElements {
			return Value{}, p.Fault(ArrayTooLong, at, "key %s has %d elements, the limit is %d", quote(key), v.n, maxElements).WithHint(damaged)
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

// skipArray skips the elements of an array: at once where they have a fixed size,
// strings one by one, since each has a length of its own.
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
		n, err := p.length(maxStringBytes, StringTooLong, "string")
		if err != nil {
			return err
		}
		if err := p.Skip(n); err != nil {
			return err
		}
	}
	return nil
}

// alignment reads general.alignment from the keys.
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
		return fault.New(BadAlignment, p.f.Path, "general.alignment is "+v.uintText())
	}
	p.f.Alignment = int64(a)
	return nil
}
