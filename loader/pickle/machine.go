package pickle

import (
	"omniloader/loader/window"
)

// ref names a node of a machine. Zero is the opaque node.
type ref uint32

// nodeKind says what a node stands for. The comments say which fields of the node
// it uses.
type nodeKind uint8

const (
	opaque     nodeKind = iota // a value that is not kept: a float, a long text, bytes
	none                       // None
	boolean                    // n: 0 or 1
	integer                    // n: the value
	bigInteger                 // beyond 64 bits; a, b: start and length in machine.texts of its bytes or decimal digits
	text                       // a, b: start and length in machine.texts
	global                     // a: index of an import
	tuple                      // a, b: start and length in machine.tupleItems
	list                       // a: index in machine.lists, 0 while empty
	dict                       // as list, keys and values alternating
	object                     // a: callable, b: arguments, n: state, c: as list
	storage                    // a: index in machine.storages
	tensor                     // a: index in machine.tensors
	array                      // a numpy array whose state has not been read
)

// node is one value of the symbolic stack. No Python object is created and no
// function is called: a call is a node with its callable and arguments.
type node struct {
	n    int64
	a, b uint32
	c    uint32
	kind nodeKind
}

// The bytes of memory that the budget counts.
const (
	nodeBytes = 24
	refBytes  = 4
	listBytes = 64 // a list's header, and its first allocation
)

// machine executes the opcodes of one pickle symbolically.
type machine struct {
	in    *window.Reader
	found *imports

	nodes      nodeList
	stack      []ref
	marks      []uint32 // heights of the stack
	memo       []ref
	sparseMemo map[uint32]ref // memo entries whose numbers are not consecutive
	texts      []byte         // the bytes of all texts
	tupleItems []ref          // the elements of all tuples
	lists      [][]ref        // the elements of lists and dictionaries; entry 0 is not used
	storages   []rawStorage
	tensors    []rawTensor
	line       []byte // buffer for arguments of protocol 0

	start, skipped int64
	spent          int64 // bytes of memory, by the constants above
	importsOnly    bool  // the budget is used up: values are no longer kept
	protocol       int
}

// rawStorage is the persistent id of a storage, as torch writes it.
type rawStorage struct {
	key, location, kind ref
	elements            int64
}

// rawTensor holds the arguments of a function that rebuilds a tensor.
type rawTensor struct {
	storage ref // a storage, or 0
	offset  int64
	size    ref
	stride  ref
	dtype   string // where it differs from the storage's
	layout  string
}

// Nodes that every machine has, so that they are not created again.
const (
	refOpaque ref = iota
	refNone
	refFalse
	refTrue
	refEmpty // the empty tuple
	refInt0  // the integer 0; those up to 255 follow

	predefined = refInt0 + 256
)

// The budget in bytes of memory: it grows with the bytes of opcodes read, so that
// memory stays proportional to the file, up to a hard limit.
const (
	budgetBase    = 1 << 20
	budgetPerByte = 24
	budgetMax     = 256 << 20
)

// The limits of values that are open at one time. The pickler of Python appends to a list
// in batches of 1,000, and opens a mark for each level of nesting, of which Python allows
// 1,000; a tuple is on the stack as a whole.
const (
	maxStack = 1 << 20
	maxMarks = 1 << 16
)

func newMachine(in *window.Reader, found *imports) *machine {
	m := &machine{in: in, found: found, start: in.Offset(), lists: make([][]ref, 1)}
	m.nodes.first = make([]node, 0, 2*predefined)
	for _, n := range [...]node{refOpaque: {}, refNone: {kind: none}, refFalse: {kind: boolean}, refTrue: {kind: boolean, n: 1}, refEmpty: {kind: tuple}} {
		m.nodes.add(n)
	}
	for i := range int64(predefined) - int64(refInt0) {
		m.nodes.add(node{kind: integer, n: i})
	}
	return m
}

// spend takes n bytes from the budget. It returns false where the budget is used
// up, and drops all values the first time.
func (m *machine) spend(n int64) bool {
	if m.importsOnly {
		return false
	}
	m.spent += n
	if m.spent <= budgetBase || m.spent <= min(budgetMax, budgetBase+budgetPerByte*m.consumed()) {
		return true
	}
	m.dropValues()
	return false
}

// dropValues frees all values. Opcodes are then read for their imports alone.
func (m *machine) dropValues() {
	m.importsOnly = true
	m.nodes.cut(int(predefined))
	m.stack, m.marks, m.memo, m.sparseMemo = nil, nil, nil, nil
	m.tupleItems, m.lists, m.texts, m.storages, m.tensors = nil, make([][]ref, 1), nil, nil, nil
}

// consumed is the number of bytes read as opcodes, without skipped texts and bytes.
func (m *machine) consumed() int64 { return m.in.Offset() - m.start - m.skipped }

// node returns the node of a reference; references from before dropValues lead to
// the opaque node.
func (m *machine) node(r ref) *node {
	if n := m.nodes.at(r); n != nil {
		return n
	}
	return m.nodes.at(refOpaque)
}

// newNode adds a node; it returns the opaque one where the budget is used up.
func (m *machine) newNode(n node) ref {
	if !m.spend(nodeBytes) {
		return refOpaque
	}
	return m.nodes.add(n)
}

func (m *machine) push(r ref) {
	if len(m.stack) == maxStack {
		m.dropValues()
	}
	if !m.importsOnly && m.spend(refBytes) {
		m.stack = append(m.stack, r)
	}
}

func (m *machine) pushInt(n int64) {
	if n >= 0 && n < 256 {
		m.push(refInt0 + ref(n))
		return
	}
	m.push(m.newNode(node{kind: integer, n: n}))
}

// pushText pushes a text, or the opaque node where it is too long for a name.
func (m *machine) pushText(b []byte) { m.push(m.keep(text, b)) }

// keep copies bytes and returns a node for them, the opaque one where there are
// more than maxText.
func (m *machine) keep(kind nodeKind, b []byte) ref {
	if len(b) > maxText || !m.spend(int64(len(b))) {
		return refOpaque
	}
	r := m.newNode(node{kind: kind, a: uint32(len(m.texts)), b: uint32(len(b))})
	if r != refOpaque {
		m.texts = append(m.texts, b...)
	}
	return r
}

// stackBottom is the height of the stack at the last mark: opcodes may not pop
// what lies below it.
func (m *machine) stackBottom() int {
	if len(m.marks) == 0 {
		return 0
	}
	return int(m.marks[len(m.marks)-1])
}

// pop removes the topmost value and returns it.
func (m *machine) pop() (ref, error) {
	if m.importsOnly {
		return refOpaque, nil
	}
	if len(m.stack) <= m.stackBottom() {
		return refOpaque, m.fault(BadStack, "the stack is empty")
	}
	r := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	m.spent -= refBytes
	return r, nil
}

// top returns the topmost value and leaves it.
func (m *machine) top() (ref, error) {
	if m.importsOnly {
		return refOpaque, nil
	}
	if len(m.stack) <= m.stackBottom() {
		return refOpaque, m.fault(BadStack, "the stack is empty")
	}
	return m.stack[len(m.stack)-1], nil
}

// popMark removes the last mark and the values above it, and returns those. The
// result is valid until the next push.
func (m *machine) popMark() ([]ref, error) {
	if m.importsOnly {
		return nil, nil
	}
	if len(m.marks) == 0 {
		return nil, m.fault(BadStack, "no mark")
	}
	h := m.stackBottom()
	m.marks = m.marks[:len(m.marks)-1]
	above := m.stack[h:]
	m.stack = m.stack[:h]
	m.spent -= refBytes * int64(len(above)+1)
	return above, nil
}

func (m *machine) pushMark() {
	if len(m.marks) == maxMarks {
		m.dropValues()
	}
	if !m.importsOnly && m.spend(refBytes) {
		m.marks = append(m.marks, uint32(len(m.stack)))
	}
}

func (m *machine) pushTuple(values []ref) {
	if len(values) == 0 {
		m.push(refEmpty)
		return
	}
	m.push(m.tuple(values))
}

func (m *machine) tuple(values []ref) ref {
	if !m.spend(refBytes * int64(len(values))) {
		return refOpaque
	}
	start := len(m.tupleItems)
	m.tupleItems = append(m.tupleItems, values...)
	return m.newNode(node{kind: tuple, a: uint32(start), b: uint32(len(values))})
}

// elements returns the values of a tuple, a list or a dictionary, and of an object
// the values that were added to it.
func (m *machine) elements(r ref) []ref {
	switch n := m.node(r); n.kind {
	case tuple:
		return m.tupleItems[n.a : n.a+n.b]
	case list, dict:
		return m.lists[n.a]
	case object:
		return m.lists[n.c]
	}
	return nil
}

// extend adds values to a list, a dictionary or an object.
func (m *machine) extend(container ref, values []ref) {
	n := m.node(container)
	index := &n.a
	switch n.kind {
	case object:
		index = &n.c
	case list, dict:
	default:
		return
	}
	if len(values) == 0 || !m.spend(2*refBytes*int64(len(values))) {
		return
	}
	if *index == 0 {
		if !m.spend(listBytes) {
			return
		}
		*index = uint32(len(m.lists))
		m.lists = append(m.lists, nil)
	}
	m.lists[*index] = append(m.lists[*index], values...)
}

// put stores the topmost value in the memo. Python numbers entries consecutively;
// other numbers are kept in a map.
func (m *machine) put(i uint32) error {
	r, err := m.top()
	if err != nil || m.importsOnly {
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
		if _, have := m.sparseMemo[i]; !have && !m.spend(40) {
			return nil
		}
		if m.sparseMemo == nil {
			m.sparseMemo = map[uint32]ref{}
		}
		m.sparseMemo[i] = r
	}
	return nil
}

// get pushes an entry of the memo.
func (m *machine) get(i uint32) error {
	if m.importsOnly {
		return nil
	}
	if int64(i) < int64(len(m.memo)) {
		m.push(m.memo[i])
		return nil
	}
	r, have := m.sparseMemo[i]
	if !have {
		return m.fault(BadMemo, "memo entry %d was never put", i)
	}
	m.push(r)
	return nil
}

// bytesOf returns the bytes of a text or of a big integer, nil for anything else.
func (m *machine) bytesOf(r ref) []byte {
	if n := m.node(r); n.kind == text || n.kind == bigInteger {
		return m.texts[n.a : n.a+n.b]
	}
	return nil
}

// textOf returns a text, "" for anything else.
func (m *machine) textOf(r ref) string {
	if m.node(r).kind != text {
		return ""
	}
	return string(m.bytesOf(r))
}

// intOf returns an integer; ok is false for anything else.
func (m *machine) intOf(r ref) (n int64, ok bool) {
	v := m.node(r)
	return v.n, v.kind == integer
}

// globalOf returns the import that a node stands for, or nil.
func (m *machine) globalOf(r ref) *Import {
	if n := m.node(r); n.kind == global {
		return &m.found.list[n.a]
	}
	return nil
}

// at returns values[i], the opaque node where there are fewer.
func at(values []ref, i int) ref {
	if i < len(values) {
		return values[i]
	}
	return refOpaque
}
