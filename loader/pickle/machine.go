package pickle

import (
	"omniloader/loader/window"
)

// ref names a node of a machine. Zero is the opaque node.
type ref uint32

// form is what a node stands for.
type form uint8

const (
	opaque form = iota // a value that is not followed: a float, a long text, bytes
	none
	truth   // n
	integer // n
	big     // an integer beyond 64 bits: its bytes, or its decimal digits
	text    // a, b: place and length in machine.held
	global  // a: index of an import
	tuple   // a, b: place and length in machine.items
	list    // a: index in machine.grown, 0 while empty
	dict    // as list, keys and values in turn
	object  // a: callable, b: arguments, n: state, c: as list
	storage // a: index in machine.storages
	tensor  // a: index in machine.tensors
	array   // a numpy array under construction; n: state
)

// node is one value of the symbolic stack. Nothing is built and nothing is
// called: a call is a node that remembers what would be called.
type node struct {
	n    int64
	a, b uint32
	c    uint32
	form form
}

// What nodes and references take in memory, for the budget.
const (
	nodeBytes = 24
	refBytes  = 4
	listBytes = 64 // a list's header, and its first growth
)

// machine follows one pickle.
type machine struct {
	in    *window.Reader
	found *imports

	nodes    []node
	stack    []ref
	marks    []int // heights of the stack
	memo     []ref
	sparse   map[uint32]ref // memo entries that do not follow one another
	held     []byte         // all texts
	items    []ref          // all tuples
	grown    [][]ref        // lists and dictionaries; entry 0 is not used
	storages []rawStorage
	tensors  []rawTensor

	start, skipped int64
	spent          int64 // bytes of memory, by the constants above
	blind          bool  // the budget is used up: only imports are still followed
	protocol       int
}

// rawStorage is a persistent id, as torch writes it.
type rawStorage struct {
	key, location, kind ref
	elements            int64
}

// rawTensor is a call of a rebuilding function.
type rawTensor struct {
	storage ref // a storage, or 0
	offset  int64
	size    ref
	stride  ref
	dtype   string // where it is not the storage's
	layout  string
}

// Nodes that need no memory of their own.
const (
	refOpaque ref = iota
	refNone
	refFalse
	refTrue
	refEmpty // the empty tuple
	refInt0  // and the 255 that follow
)

// The budget grows with what was read, so that memory stays in proportion to the
// file, and ends at a hard limit.
const (
	budgetBase    = 1 << 20
	budgetPerByte = 24
	budgetMost    = 256 << 20
)

func newMachine(in *window.Reader, found *imports) *machine {
	m := &machine{in: in, found: found, start: in.Offset(), grown: make([][]ref, 1)}
	m.nodes = make([]node, refInt0+256, 512)
	m.nodes[refNone].form = none
	m.nodes[refFalse] = node{form: truth}
	m.nodes[refTrue] = node{form: truth, n: 1}
	m.nodes[refEmpty].form = tuple
	for i := range 256 {
		m.nodes[int(refInt0)+i] = node{form: integer, n: int64(i)}
	}
	return m
}

// spend takes memory from the budget, and goes blind where it is used up.
func (m *machine) spend(n int64) bool {
	if m.blind {
		return false
	}
	m.spent += n
	if m.spent <= budgetBase || m.spent <= min(budgetMost, budgetBase+budgetPerByte*m.consumed()) {
		return true
	}
	m.goBlind()
	return false
}

// goBlind gives up the stack and keeps reading opcodes.
func (m *machine) goBlind() {
	m.blind = true
	m.nodes = m.nodes[:refInt0+256]
	m.stack, m.marks, m.memo, m.sparse = nil, nil, nil, nil
	m.items, m.grown, m.held, m.storages, m.tensors = nil, make([][]ref, 1), nil, nil, nil
}

// consumed is the number of bytes read as opcodes, without skipped payloads.
func (m *machine) consumed() int64 { return m.in.Offset() - m.start - m.skipped }

// node gives the opaque node for a reference from before the machine went blind.
func (m *machine) node(r ref) *node {
	if int(r) >= len(m.nodes) {
		r = refOpaque
	}
	return &m.nodes[r]
}

// make adds a node.
func (m *machine) make(n node) ref {
	if !m.spend(nodeBytes) {
		return refOpaque
	}
	m.nodes = append(m.nodes, n)
	return ref(len(m.nodes) - 1)
}

func (m *machine) push(r ref) {
	if !m.blind && m.spend(refBytes) {
		m.stack = append(m.stack, r)
	}
}

func (m *machine) pushInt(n int64) {
	if n >= 0 && n < 256 {
		m.push(refInt0 + ref(n))
		return
	}
	m.push(m.make(node{form: integer, n: n}))
}

// pushText keeps a text where it is short enough to be a name.
func (m *machine) pushText(b []byte) { m.push(m.hold(text, b)) }

func (m *machine) hold(f form, b []byte) ref {
	if len(b) > maxHeld || !m.spend(int64(len(b))) {
		return refOpaque
	}
	r := m.make(node{form: f, a: uint32(len(m.held)), b: uint32(len(b))})
	if r != refOpaque {
		m.held = append(m.held, b...)
	}
	return r
}

// fence is the height below which the stack may not be popped.
func (m *machine) fence() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

// pop takes the topmost value.
func (m *machine) pop() (ref, error) {
	if m.blind {
		return refOpaque, nil
	}
	if len(m.stack) <= m.fence() {
		return refOpaque, m.fault(BadStack, "the stack is empty")
	}
	r := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	m.spent -= refBytes
	return r, nil
}

// top gives the topmost value and leaves it.
func (m *machine) top() (ref, error) {
	if m.blind {
		return refOpaque, nil
	}
	if len(m.stack) <= m.fence() {
		return refOpaque, m.fault(BadStack, "the stack is empty")
	}
	return m.stack[len(m.stack)-1], nil
}

// popMark takes everything above the last mark, and the mark. The result is valid
// until the next push.
func (m *machine) popMark() ([]ref, error) {
	if m.blind {
		return nil, nil
	}
	if len(m.marks) == 0 {
		return nil, m.fault(BadStack, "no mark")
	}
	h := m.fence()
	m.marks = m.marks[:len(m.marks)-1]
	above := m.stack[h:]
	m.stack = m.stack[:h]
	m.spent -= refBytes * int64(len(above)+1)
	return above, nil
}

func (m *machine) pushMark() {
	if !m.blind && m.spend(refBytes) {
		m.marks = append(m.marks, len(m.stack))
	}
}

func (m *machine) pushTuple(of []ref) {
	if len(of) == 0 {
		m.push(refEmpty)
		return
	}
	m.push(m.tuple(of))
}

func (m *machine) tuple(of []ref) ref {
	if !m.spend(refBytes * int64(len(of))) {
		return refOpaque
	}
	start := len(m.items)
	m.items = append(m.items, of...)
	return m.make(node{form: tuple, a: uint32(start), b: uint32(len(of))})
}

// elements gives the values of a tuple, a list, a dictionary, or what was added
// to an object.
func (m *machine) elements(r ref) []ref {
	switch n := m.node(r); n.form {
	case tuple:
		return m.items[n.a : n.a+n.b]
	case list, dict:
		return m.grown[n.a]
	case object:
		return m.grown[n.c]
	}
	return nil
}

// extend adds values to a list, a dictionary or an object.
func (m *machine) extend(to ref, with []ref) {
	n := m.node(to)
	at := &n.a
	switch n.form {
	case object:
		at = &n.c
	case list, dict:
	default:
		return
	}
	if len(with) == 0 || !m.spend(2*refBytes*int64(len(with))) {
		return
	}
	if *at == 0 {
		if !m.spend(listBytes) {
			return
		}
		*at = uint32(len(m.grown))
		m.grown = append(m.grown, nil)
	}
	m.grown[*at] = append(m.grown[*at], with...)
}

// put remembers the topmost value. Python numbers entries in order; others work
// too, and cost more.
func (m *machine) put(i uint32) error {
	r, err := m.top()
	if err != nil || m.blind {
		return err
	}
	switch {
	case int64(i) < int64(len(m.memo)):
		m.memo[i] = r
	case int64(i) == int64(len(m.memo)):
		if m.spend(refBytes) {
			m.memo = append(m.memo, r)
		}
	default:
		if _, have := m.sparse[i]; !have && !m.spend(40) {
			return nil
		}
		if m.sparse == nil {
			m.sparse = map[uint32]ref{}
		}
		m.sparse[i] = r
	}
	return nil
}

// memoize remembers the topmost value under the number of entries so far.
func (m *machine) memoize() error { return m.put(uint32(len(m.memo) + len(m.sparse))) }

func (m *machine) get(i uint32) error {
	if m.blind {
		return nil
	}
	if int64(i) < int64(len(m.memo)) {
		m.push(m.memo[i])
		return nil
	}
	r, have := m.sparse[i]
	if !have {
		return m.fault(BadMemo, "memo entry %d was never put", i)
	}
	m.push(r)
	return nil
}

// bytesOf gives a text's bytes, nil for anything else.
func (m *machine) bytesOf(r ref) []byte {
	if n := m.node(r); n.form == text || n.form == big {
		return m.held[n.a : n.a+n.b]
	}
	return nil
}

func (m *machine) textOf(r ref) string {
	if m.node(r).form != text {
		return ""
	}
	return string(m.bytesOf(r))
}

// intOf gives an integer; ok is false for anything else.
func (m *machine) intOf(r ref) (n int64, ok bool) {
	v := m.node(r)
	return v.n, v.form == integer
}

// globalOf gives the import that a node is, or nil.
func (m *machine) globalOf(r ref) *Import {
	if n := m.node(r); n.form == global {
		return &m.found.list[n.a]
	}
	return nil
}

// at gives the i-th of some values, the opaque one where there are fewer.
func at(values []ref, i int) ref {
	if i < len(values) {
		return values[i]
	}
	return refOpaque
}
