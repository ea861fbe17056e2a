package pickle

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"

	"omniloader/loader/fault"
)

// The bounds of the search for tensors.
const (
	maxDepth = 64      // mappings in mappings
	maxDims  = 64      // of a tensor; torch itself stops there
	maxPaths = 8 << 20 // bytes of all paths together
)

// collector finds the tensors of a value.
type collector struct {
	f       *File
	m       *machine
	seen    []bool // mappings and objects walked already
	storage map[int]int
	paths   int
	names   map[ref]string
	deep    bool
}

// collect takes the tensors and storages out of a walked pickle.
func (f *File) collect(m *machine, root ref) {
	if m == nil || m.blind {
		return
	}
	c := &collector{f: f, m: m, seen: make([]bool, len(m.nodes)), storage: map[int]int{}, names: map[ref]string{}}
	if n := m.node(root); n.form == object {
		if g := m.globalOf(ref(n.a)); g != nil {
			f.Class = g.String()
		}
	}
	c.value(root, "", 0)
	if c.deep {
		f.problem(fault.New(fault.TooDeep, f.Path, fmt.Sprintf("values nested beyond %d, or paths beyond %d bytes, were not looked into", maxDepth, maxPaths)))
	}
}

// value walks a mapping, a list or an object; in is the way to it.
func (c *collector) value(r ref, in string, depth int) {
	n := c.m.node(r)
	switch n.form {
	case tensor:
		if depth == 0 {
			c.tensor(n, "", in)
		}
		return
	case dict, list, tuple, object:
	default:
		return
	}
	if c.seen[r] {
		return
	}
	if depth > maxDepth {
		c.deep = true
		return
	}
	c.seen[r] = true
	of := c.m.elements(r)
	switch n.form {
	case dict:
		c.pairs(of, in, depth)
	case object:
		// A dictionary's subclass, then the state of an object.
		c.pairs(of, in, depth)
		c.state(ref(n.n), in, depth)
	default:
		for i, r := range of {
			c.entry(r, strconv.Itoa(i), in, depth)
		}
	}
}

func (c *collector) pairs(of []ref, in string, depth int) {
	for i := 0; i+1 < len(of); i += 2 {
		if !c.holds(of[i+1]) {
			continue
		}
		c.entry(of[i+1], c.key(of[i]), in, depth)
	}
}

// holds tells whether a value may hold tensors, which spares the names of those
// that cannot.
func (c *collector) holds(r ref) bool {
	switch c.m.node(r).form {
	case tensor:
		return true
	case dict, list, tuple, object:
		return !c.seen[r]
	}
	return false
}

// key writes a mapping's key. One that many mappings share is made once.
func (c *collector) key(r ref) string {
	if s, have := c.names[r]; have {
		return s
	}
	var s string
	switch n := c.m.node(r); n.form {
	case text:
		s = c.m.textOf(r)
	case integer:
		s = strconv.FormatInt(n.n, 10)
	default:
		s = "?"
	}
	c.names[r] = s
	return s
}

// inside are the parts of a torch module's state that add nothing to a
// parameter's name.
var inside = map[string]bool{"_parameters": true, "_buffers": true, "_modules": true}

// state walks an object's state; of a module, as a whole-model pickle has it, the
// names come out as in its state dictionary.
func (c *collector) state(r ref, in string, depth int) {
	n := c.m.node(r)
	if n.form == tuple { // (dict, slots)
		for _, r := range c.m.elements(r) {
			if c.m.node(r).form == dict {
				c.state(r, in, depth+1)
			}
		}
		return
	}
	if n.form != dict || c.seen[r] {
		return
	}
	if depth > maxDepth {
		c.deep = true
		return
	}
	c.seen[r] = true
	of := c.m.elements(r)
	for i := 0; i+1 < len(of); i += 2 {
		if !c.holds(of[i+1]) {
			continue
		}
		if key := c.key(of[i]); inside[key] {
			c.value(of[i+1], in, depth+1)
		} else {
			c.entry(of[i+1], key, in, depth)
		}
	}
}

// entry takes one value of a container: a tensor is listed, a container walked.
func (c *collector) entry(r ref, key, in string, depth int) {
	n := c.m.node(r)
	if n.form == tensor {
		c.tensor(n, key, in)
		return
	}
	if !c.holds(r) {
		return
	}
	way := key
	if in != "" {
		way = in + "." + key
	}
	if c.paths += len(way); c.paths > maxPaths {
		c.deep = true
		return
	}
	c.value(r, way, depth+1)
}

// tensor lists a tensor.
func (c *collector) tensor(n *node, name, in string) {
	raw := &c.m.tensors[n.a]
	t := Tensor{Name: name, In: in, DType: c.m.dtypeOf(raw), Offset: raw.offset, Storage: -1, Layout: raw.layout}
	of := c.m.elements(raw.size)
	if len(of) > maxDims || raw.size != refEmpty && c.m.node(raw.size).form != tuple && c.m.node(raw.size).form != list {
		c.f.problem(fault.New(fault.Malformed, c.f.Path, fmt.Sprintf("tensor %.80q has no shape", name)))
		return
	}
	t.Shape = make([]int64, len(of))
	for i, r := range of {
		d, ok := c.m.intOf(r)
		if !ok || d < 0 {
			c.f.problem(fault.New(fault.Malformed, c.f.Path, fmt.Sprintf("tensor %.80q has a dimension that is none", name)))
			return
		}
		t.Shape[i] = d
	}
	if _, ok := product(t.Shape); !ok {
		c.f.problem(fault.New(fault.Malformed, c.f.Path, fmt.Sprintf("tensor %.80q of shape %v", name, t.Shape)))
		return
	}
	if s := c.m.node(raw.storage); s.form == storage {
		t.Storage = c.storageIndex(int(s.a))
		if reach, ok := c.reach(t.Shape, raw); !ok || reach > c.room(t.Storage, t.DType) {
			c.f.problem(fault.New(OutOfStorage, c.f.Path, fmt.Sprintf("tensor %.80q of shape %v at %d, in a storage of %d", name, t.Shape, t.Offset, c.f.Storages[t.Storage].Elements)).WithHint(damaged))
		}
	}
	c.f.Tensors = append(c.f.Tensors, t)
}

// storageIndex lists a storage. The same key is one storage, however often the
// pickle names it.
func (c *collector) storageIndex(raw int) int {
	if i, have := c.storage[raw]; have {
		return i
	}
	s := &c.m.storages[raw]
	// A persistent id is written again for each tensor; the key is what counts.
	key := c.m.textOf(s.key)
	if n, ok := c.m.intOf(s.key); ok {
		key = strconv.FormatInt(n, 10)
	}
	typ := c.m.storageType(s)
	i, have := c.f.byKey[key]
	if !have {
		i = len(c.f.Storages)
		if c.f.byKey == nil {
			c.f.byKey = map[string]int{}
		}
		c.f.byKey[key] = i
		c.f.Storages = append(c.f.Storages, Storage{
			Key: key, DType: typ.dtype, Location: c.m.textOf(s.location), Elements: s.elements,
		})
		hi, size := bits.Mul64(uint64(s.elements), uint64(typ.bytes))
		if hi == 0 && size <= math.MaxInt64 {
			c.f.Storages[i].Bytes = int64(size)
		}
	}
	c.storage[raw] = i
	return i
}

// reach is the number of elements, from the storage's start, that a tensor looks
// into.
func (c *collector) reach(shape []int64, raw *rawTensor) (int64, bool) {
	if raw.offset < 0 {
		return 0, false
	}
	stride := c.m.elements(raw.stride)
	if len(stride) != len(shape) {
		return 0, false
	}
	last := uint64(raw.offset)
	for i, d := range shape {
		if d == 0 {
			return raw.offset, true
		}
		s, ok := c.m.intOf(stride[i])
		hi, lo := bits.Mul64(uint64(d-1), uint64(s))
		if !ok || s < 0 || hi != 0 || lo > math.MaxInt64 {
			return 0, false
		}
		if last += lo; last >= math.MaxInt64 {
			return 0, false
		}
	}
	return int64(last) + 1, true
}

// room is the number of elements of a type that a storage has room for.
func (c *collector) room(storage int, dtype string) int64 {
	s := &c.f.Storages[storage]
	if s.DType != "" {
		return s.Elements
	}
	if size := dtypeBytes()[dtype]; size > 0 {
		return s.Elements / size
	}
	return s.Elements
}

// checkStorages looks at storages whose type is not known.
func (f *File) checkStorages() {
	for i := range f.Storages {
		s := &f.Storages[i]
		if s.Bytes == 0 && s.Elements > 0 {
			f.problem(fault.New(fault.Malformed, f.Path, fmt.Sprintf("storage %.80q is of no known type, or too large", s.Key)))
		}
	}
}

// product multiplies the dimensions; ok is false beyond 2^63-1.
func product(shape []int64) (n int64, ok bool) {
	n = 1
	for _, d := range shape {
		if d == 0 {
			return 0, true
		}
	}
	for _, d := range shape {
		hi, lo := bits.Mul64(uint64(n), uint64(d))
		if hi != 0 || lo > math.MaxInt64 {
			return 0, false
		}
		n = int64(lo)
	}
	return n, true
}
