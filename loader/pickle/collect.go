package pickle

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"

	"omniloader/loader/fault"
	"omniloader/loader/internal/ndarray"
)

// The bounds of the search for tensors.
const (
	maxDepth = 64      // levels of nested containers
	maxDims  = 64      // dimensions of a tensor, as in torch
	maxPaths = 8 << 20 // bytes of all paths together
)

// collector finds the tensors of a value.
type collector struct {
	f       *File
	m       *machine
	seen    []bool         // by node: containers and objects that were visited
	storage map[int]int    // machine.storages to File.Storages
	paths   int            // bytes of all paths so far
	names   map[ref]string // keys of mappings, as text
	deep    bool           // a limit on the search was met
}

// collect lists the tensors and storages of a pickle whose opcodes were executed.
func (f *File) collect(m *machine, root ref) {
	if m == nil || m.importsOnly {
		return
	}
	c := &collector{f: f, m: m, seen: make([]bool, m.nodes.n), storage: map[int]int{}, names: map[ref]string{}}
	if n := m.node(root); n.kind == object {
		if g := m.globalOf(ref(n.a)); g != nil {
			f.Class = g.String()
		}
	}
	c.value(root, "", 0)
	if c.deep {
		f.problem(fault.New(fault.TooDeep, f.Path, fmt.Sprintf("values nested beyond %d, or paths beyond %d bytes, were not looked into", maxDepth, maxPaths)))
	}
}

// value visits a mapping, a list or an object; in is the path to it.
func (c *collector) value(r ref, in string, depth int) {
	n := c.m.node(r)
	switch n.kind {
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
	switch n.kind {
	case dict:
		c.pairs(of, in, depth)
	case object:
		// The entries of a subclass of dict, then the state of an object.
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

// holds reports whether a value may contain tensors; no path is built for others.
func (c *collector) holds(r ref) bool {
	switch c.m.node(r).kind {
	case tensor:
		return true
	case dict, list, tuple, object:
		return !c.seen[r]
	}
	return false
}

// key returns a mapping's key as text, made once for all mappings that share it.
func (c *collector) key(r ref) string {
	if s, have := c.names[r]; have {
		return s
	}
	var s string
	switch n := c.m.node(r); n.kind {
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

// unnamedParts are the members of a torch module's state that do not appear in the
// names of its parameters.
var unnamedParts = map[string]bool{"_parameters": true, "_buffers": true, "_modules": true}

// state visits an object's state. For a module, which pickles of whole models hold,
// it gives the names that its state dictionary would have.
func (c *collector) state(r ref, in string, depth int) {
	n := c.m.node(r)
	if n.kind == tuple { // (dict, slots)
		for _, r := range c.m.elements(r) {
			if c.m.node(r).kind == dict {
				c.state(r, in, depth+1)
			}
		}
		return
	}
	if n.kind != dict || c.seen[r] {
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
		if key := c.key(of[i]); unnamedParts[key] {
			c.value(of[i+1], in, depth+1)
		} else {
			c.entry(of[i+1], key, in, depth)
		}
	}
}

// entry handles one value of a container: a tensor is listed, a container visited.
func (c *collector) entry(r ref, key, in string, depth int) {
	n := c.m.node(r)
	if n.kind == tensor {
		c.tensor(n, key, in)
		return
	}
	if !c.holds(r) {
		return
	}
	path := key
	if in != "" {
		path = in + "." + key
	}
	if c.paths += len(path); c.paths > maxPaths {
		c.deep = true
		return
	}
	c.value(r, path, depth+1)
}

// tensor lists a tensor.
func (c *collector) tensor(n *node, name, in string) {
	raw := &c.m.tensors[n.a]
	t := Tensor{Name: name, In: in, DType: c.m.dtypeOf(raw), Offset: raw.offset, Storage: -1, Layout: raw.layout}
	of := c.m.elements(raw.size)
	if len(of) > maxDims || raw.size != refEmpty && c.m.node(raw.size).kind != tuple && c.m.node(raw.size).kind != list {
		c.f.problem(fault.New(fault.Malformed, c.f.Path, fmt.Sprintf("tensor %.80q has no shape", name)))
		return
	}
	t.Shape = make([]int64, len(of))
	for i, r := range of {
		d, ok := c.m.intOf(r)
		if !ok || d < 0 {
			c.f.problem(fault.New(fault.Malformed, c.f.Path, fmt.Sprintf("tensor %.80q has an invalid dimension", name)))
			return
		}
		t.Shape[i] = d
	}
	if _, ok := ndarray.Elements(t.Shape); !ok {
		c.f.problem(fault.New(fault.Malformed, c.f.Path, fmt.Sprintf("tensor %.80q of shape %v", name, t.Shape)))
		return
	}
	if s := c.m.node(raw.storage); s.kind == storage {
		t.Storage = c.storageIndex(int(s.a))
		if reach, ok := c.reach(t.Shape, raw); !ok || reach > c.capacity(t.Storage, t.DType) {
			c.f.problem(fault.New(OutOfStorage, c.f.Path, fmt.Sprintf("tensor %.80q of shape %v at %d, in a storage of %d", name, t.Shape, t.Offset, c.f.Storages[t.Storage].Elements)).WithHint(damaged))
		}
	}
	c.f.Tensors = append(c.f.Tensors, t)
}

// storageIndex returns the index in File.Storages of a storage, and adds it where it
// is new. Storages with the same key are one, however often the pickle names them.
func (c *collector) storageIndex(raw int) int {
	if i, have := c.storage[raw]; have {
		return i
	}
	s := &c.m.storages[raw]
	// Each tensor repeats the persistent id of its storage; the key identifies it.
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

// reach is the number of elements, from the storage's start, that a tensor spans;
// false where offset, shape and stride are not valid.
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

// capacity is the number of elements of a type that fit into a storage.
func (c *collector) capacity(storage int, dtype string) int64 {
	s := &c.f.Storages[storage]
	if s.DType != "" {
		return s.Elements
	}
	if size := dtypeBytes()[dtype]; size > 0 {
		return s.Elements / size
	}
	return s.Elements
}

// checkStorages reports storages whose size is not known.
func (f *File) checkStorages() {
	for i := range f.Storages {
		s := &f.Storages[i]
		if s.Bytes == 0 && s.Elements > 0 {
			f.problem(fault.New(fault.Malformed, f.Path, fmt.Sprintf("storage %.80q is of no known type, or too large", s.Key)))
		}
	}
}
