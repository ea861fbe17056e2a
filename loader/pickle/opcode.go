package pickle

import (
	"slices"
	"strconv"

	"omniloader/loader/fault"
)

// The limits of this reader.
const (
	// maxOpcodeBytes bounds the opcodes of one pickle; long texts and byte strings,
	// which are skipped, do not count. The state dictionaries of the largest models
	// take 20 MB.
	maxOpcodeBytes = 64 << 20
	// maxText is the longest text kept; a longer one counts as an unknown name.
	maxText = 4 << 10
	// maxLine is the longest argument of protocol 0.
	maxLine = 1 << 20
	// maxProtocol is the newest protocol there is.
	maxProtocol = 5
)

// opStop ends a pickle.
const opStop = '.'

// opcode is one row of the table below: an opcode's name in pickletools.py, the
// argument that follows it in the file, and what it does to the machine.
type opcode struct {
	name     string
	argument argumentKind
	execute  func(m *machine, op *opcode, arg argument) error
}

// opcodes are the opcodes of protocols 0 to 5 by their byte, as Python's
// Lib/pickletools.py lists them. Only STOP has no function: run handles it.
var opcodes = [256]opcode{
	// Numbers and constants.
	'I':  {"INT", textLine, (*machine).pushIntLine},
	'K':  {"BININT1", unsigned1, (*machine).pushNumber},
	'M':  {"BININT2", unsigned2, (*machine).pushNumber},
	'J':  {"BININT", signed4, (*machine).pushNumber},
	'L':  {"LONG", textLine, (*machine).pushLongLine},
	0x8a: {"LONG1", bytes1, (*machine).pushLong},
	0x8b: {"LONG4", bytes4, (*machine).pushLong},
	'F':  {"FLOAT", textLine, (*machine).pushOpaque},
	'G':  {"BINFLOAT", unsigned8, (*machine).pushOpaque},
	'N':  {"NONE", noArgument, (*machine).pushNone},
	0x88: {"NEWTRUE", noArgument, (*machine).pushTrue},
	0x89: {"NEWFALSE", noArgument, (*machine).pushFalse},

	// Texts and bytes. BINSTRING is Python 2's str, which holds names as well.
	'S':  {"STRING", textLine, (*machine).pushQuoted},
	'U':  {"SHORT_BINSTRING", bytes1, (*machine).pushTextArgument},
	'T':  {"BINSTRING", bytes4, (*machine).pushTextArgument},
	'V':  {"UNICODE", textLine, (*machine).pushEscaped},
	0x8c: {"SHORT_BINUNICODE", bytes1, (*machine).pushTextArgument},
	'X':  {"BINUNICODE", bytes4, (*machine).pushTextArgument},
	0x8d: {"BINUNICODE8", bytes8, (*machine).pushTextArgument},
	'C':  {"SHORT_BINBYTES", bytes1, (*machine).pushOpaque},
	'B':  {"BINBYTES", bytes4, (*machine).pushOpaque},
	0x8e: {"BINBYTES8", bytes8, (*machine).pushOpaque},
	0x96: {"BYTEARRAY8", bytes8, (*machine).pushOpaque},
	0x97: {"NEXT_BUFFER", noArgument, (*machine).pushOpaque}, // a buffer passed outside of the pickle
	0x98: {"READONLY_BUFFER", noArgument, (*machine).needTop},

	// Containers. Sets are kept as lists: nothing here depends on the difference.
	')':  {"EMPTY_TUPLE", noArgument, (*machine).pushEmptyTuple},
	't':  {"TUPLE", noArgument, (*machine).tupleFromMark},
	0x85: {"TUPLE1", noArgument, func(m *machine, _ *opcode, _ argument) error { return m.smallTuple(1) }},
	0x86: {"TUPLE2", noArgument, func(m *machine, _ *opcode, _ argument) error { return m.smallTuple(2) }},
	0x87: {"TUPLE3", noArgument, func(m *machine, _ *opcode, _ argument) error { return m.smallTuple(3) }},
	']':  {"EMPTY_LIST", noArgument, (*machine).pushEmptyList},
	0x8f: {"EMPTY_SET", noArgument, (*machine).pushEmptyList},
	'}':  {"EMPTY_DICT", noArgument, (*machine).pushEmptyDict},
	'l':  {"LIST", noArgument, func(m *machine, _ *opcode, _ argument) error { return m.containerFromMark(list) }},
	0x91: {"FROZENSET", noArgument, func(m *machine, _ *opcode, _ argument) error { return m.containerFromMark(list) }},
	'd':  {"DICT", noArgument, func(m *machine, _ *opcode, _ argument) error { return m.containerFromMark(dict) }},
	'a':  {"APPEND", noArgument, func(m *machine, _ *opcode, _ argument) error { return m.add(1) }},
	's':  {"SETITEM", noArgument, func(m *machine, _ *opcode, _ argument) error { return m.add(2) }},
	'e':  {"APPENDS", noArgument, (*machine).extendFromMark},
	'u':  {"SETITEMS", noArgument, (*machine).extendFromMark},
	0x90: {"ADDITEMS", noArgument, (*machine).extendFromMark},

	// The stack and the memo.
	'(':  {"MARK", noArgument, (*machine).mark},
	'0':  {"POP", noArgument, (*machine).popOrMark},
	'1':  {"POP_MARK", noArgument, (*machine).dropMark},
	'2':  {"DUP", noArgument, (*machine).duplicate},
	'p':  {"PUT", textLine, (*machine).putLine},
	'q':  {"BINPUT", unsigned1, (*machine).putNumber},
	'r':  {"LONG_BINPUT", unsigned4, (*machine).putNumber},
	0x94: {"MEMOIZE", noArgument, (*machine).memoize},
	'g':  {"GET", textLine, (*machine).getLine},
	'h':  {"BINGET", unsigned1, (*machine).getNumber},
	'j':  {"LONG_BINGET", unsigned4, (*machine).getNumber},

	// Imports and calls.
	'c':  {"GLOBAL", twoLines, (*machine).global},
	0x93: {"STACK_GLOBAL", noArgument, (*machine).stackGlobal},
	0x82: {"EXT1", unsigned1, (*machine).extension},
	0x83: {"EXT2", unsigned2, (*machine).extension},
	0x84: {"EXT4", unsigned4, (*machine).extension},
	'i':  {"INST", twoLines, (*machine).inst},
	'o':  {"OBJ", noArgument, (*machine).obj},
	'R':  {"REDUCE", noArgument, (*machine).reduce},
	0x81: {"NEWOBJ", noArgument, (*machine).reduce},
	0x92: {"NEWOBJ_EX", noArgument, (*machine).newObjEx},
	'b':  {"BUILD", noArgument, (*machine).build},
	'P':  {"PERSID", textLine, (*machine).pushOpaque}, // torch writes no ids as text
	'Q':  {"BINPERSID", noArgument, (*machine).persistentID},

	// The pickle itself.
	0x80:   {"PROTO", unsigned1, (*machine).setProtocol},
	0x95:   {"FRAME", unsigned8, (*machine).ignore}, // only says how far to read ahead
	opStop: {name: "STOP"},
}

func (m *machine) fault(kind fault.Kind, format string, args ...any) *fault.Error {
	return m.in.Fault(kind, m.in.Offset(), format, args...)
}

// run executes opcodes up to STOP, and returns the value it leaves.
func (m *machine) run() (ref, error) {
	for {
		if m.consumed() > maxOpcodeBytes {
			return refOpaque, m.fault(fault.TooLarge, "more than %d bytes of opcodes", maxOpcodeBytes)
		}
		b, err := m.in.Next(1)
		if err != nil {
			return refOpaque, m.fault(fault.Truncated, "no STOP before the end").WithHint(damaged)
		}
		code := b[0]
		if code == opStop {
			return m.stop()
		}
		op := &opcodes[code]
		if op.execute == nil {
			return refOpaque, m.in.Fault(BadOpcode, m.in.Offset()-1, "%#02x", code).WithHint(damaged)
		}
		var arg argument
		if op.argument != noArgument {
			if arg, err = m.readArgument(op.argument); err != nil {
				return refOpaque, err
			}
		}
		if err := op.execute(m, op, arg); err != nil {
			return refOpaque, err
		}
	}
}

// stop returns the value of the pickle.
func (m *machine) stop() (ref, error) {
	if m.importsOnly {
		return refOpaque, m.fault(fault.TooLarge, "values of more than %d bytes; only imports were followed to the end", m.spent)
	}
	return m.pop()
}

func (m *machine) ignore(*opcode, argument) error { return nil }

func (m *machine) setProtocol(_ *opcode, arg argument) error {
	if arg.number > maxProtocol {
		return m.fault(fault.Unsupported, "protocol %d, the newest known is %d", arg.number, maxProtocol)
	}
	m.protocol = max(m.protocol, int(arg.number))
	return nil
}

// Numbers and constants.

func (m *machine) pushOpaque(*opcode, argument) error {
	m.push(refOpaque)
	return nil
}

func (m *machine) pushNone(*opcode, argument) error {
	m.push(refNone)
	return nil
}

func (m *machine) pushTrue(*opcode, argument) error {
	m.push(refTrue)
	return nil
}

func (m *machine) pushFalse(*opcode, argument) error {
	m.push(refFalse)
	return nil
}

func (m *machine) pushNumber(_ *opcode, arg argument) error {
	m.pushInt(int64(arg.number))
	return nil
}

// pushLong pushes an integer of any size: its value where it has at most 8 bytes,
// else the bytes.
func (m *machine) pushLong(_ *opcode, arg argument) error {
	b := arg.bytes
	switch {
	case arg.skipped:
		m.push(refOpaque)
	case len(b) > 8:
		m.push(m.keep(bigInteger, b))
	default:
		var n uint64
		for i, c := range b {
			n |= uint64(c) << (8 * i)
		}
		if len(b) > 0 && len(b) < 8 && b[len(b)-1] >= 0x80 {
			n |= ^uint64(0) << (8 * len(b))
		}
		m.pushInt(int64(n))
	}
	return nil
}

// pushIntLine follows INT, which also writes booleans: as 00 and 01.
func (m *machine) pushIntLine(_ *opcode, arg argument) error {
	switch s := arg.trimmed(); s {
	case "00":
		m.push(refFalse)
	case "01":
		m.push(refTrue)
	default:
		m.pushDecimal(s)
	}
	return nil
}

func (m *machine) pushLongLine(_ *opcode, arg argument) error {
	s := arg.trimmed()
	if len(s) > 0 && s[len(s)-1] == 'L' {
		s = s[:len(s)-1]
	}
	m.pushDecimal(s)
	return nil
}

func (m *machine) pushDecimal(s string) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		m.push(m.keep(bigInteger, []byte(s)))
		return
	}
	m.pushInt(n)
}

// Texts.

func (m *machine) pushTextArgument(_ *opcode, arg argument) error {
	if arg.skipped {
		m.push(refOpaque)
		return nil
	}
	m.pushText(arg.bytes)
	return nil
}

func (m *machine) pushQuoted(_ *opcode, arg argument) error {
	m.pushText(unquote(arg.bytes))
	return nil
}

func (m *machine) pushEscaped(_ *opcode, arg argument) error {
	m.pushText(unescapeUnicode(arg.bytes))
	return nil
}

// Containers.

func (m *machine) pushEmptyTuple(*opcode, argument) error {
	m.push(refEmpty)
	return nil
}

func (m *machine) pushEmptyList(*opcode, argument) error {
	m.push(m.newNode(node{kind: list}))
	return nil
}

func (m *machine) pushEmptyDict(*opcode, argument) error {
	m.push(m.newNode(node{kind: dict}))
	return nil
}

func (m *machine) tupleFromMark(*opcode, argument) error {
	values, err := m.popMark()
	if err != nil {
		return err
	}
	m.pushTuple(values)
	return nil
}

// smallTuple makes a tuple of the n topmost values.
func (m *machine) smallTuple(n int) error {
	if m.importsOnly {
		return nil
	}
	if len(m.stack)-n < m.stackBottom() {
		return m.fault(BadStack, "a tuple of %d, and %d values", n, len(m.stack)-m.stackBottom())
	}
	values := m.stack[len(m.stack)-n:]
	r := m.tuple(values)
	if m.importsOnly {
		return nil
	}
	m.stack = m.stack[:len(m.stack)-n]
	m.spent -= refBytes * int64(n)
	m.push(r)
	return nil
}

func (m *machine) containerFromMark(kind nodeKind) error {
	values, err := m.popMark()
	if err != nil {
		return err
	}
	r := m.newNode(node{kind: kind})
	m.extend(r, values)
	m.push(r)
	return nil
}

// add appends one value to the list, or a key and its value to the dictionary,
// below them.
func (m *machine) add(n int) error {
	if m.importsOnly {
		return nil
	}
	if len(m.stack)-n <= m.stackBottom() {
		return m.fault(BadStack, "nothing to add to")
	}
	values := m.stack[len(m.stack)-n:]
	m.extend(m.stack[len(m.stack)-n-1], values)
	if !m.importsOnly {
		m.stack = m.stack[:len(m.stack)-n]
		m.spent -= refBytes * int64(n)
	}
	return nil
}

func (m *machine) extendFromMark(*opcode, argument) error {
	values, err := m.popMark()
	if err != nil {
		return err
	}
	container, err := m.top()
	if err != nil {
		return err
	}
	m.extend(container, values)
	return nil
}

// The stack and the memo.

func (m *machine) needTop(*opcode, argument) error {
	_, err := m.top()
	return err
}

func (m *machine) mark(*opcode, argument) error {
	m.pushMark()
	return nil
}

// popOrMark follows POP, which takes a mark where that is on top.
func (m *machine) popOrMark(*opcode, argument) error {
	if len(m.marks) > 0 && m.stackBottom() == len(m.stack) {
		_, err := m.popMark()
		return err
	}
	_, err := m.pop()
	return err
}

func (m *machine) dropMark(*opcode, argument) error {
	_, err := m.popMark()
	return err
}

func (m *machine) duplicate(*opcode, argument) error {
	r, err := m.top()
	if err != nil {
		return err
	}
	m.push(r)
	return nil
}

func (m *machine) putNumber(_ *opcode, arg argument) error { return m.put(uint32(arg.number)) }
func (m *machine) getNumber(_ *opcode, arg argument) error { return m.get(uint32(arg.number)) }

// memoize stores the topmost value under the number of entries so far.
func (m *machine) memoize(*opcode, argument) error {
	return m.put(uint32(len(m.memo) + len(m.sparseMemo)))
}

func (m *machine) putLine(_ *opcode, arg argument) error {
	i, err := m.memoIndex(arg)
	if err != nil {
		return err
	}
	return m.put(i)
}

func (m *machine) getLine(_ *opcode, arg argument) error {
	i, err := m.memoIndex(arg)
	if err != nil {
		return err
	}
	return m.get(i)
}

func (m *machine) memoIndex(arg argument) (uint32, error) {
	i, err := strconv.ParseUint(arg.trimmed(), 10, 32)
	if err != nil {
		return 0, m.fault(BadMemo, "entry %q", arg.bytes[:min(len(arg.bytes), 40)])
	}
	return uint32(i), nil
}

// Imports and calls; see rebuild.go for what a call results in.

// imported records an import and returns its node.
func (m *machine) imported(opcodeName, module, name string) ref {
	i := m.found.add(opcodeName, module, name, m.in.Offset())
	return m.newNode(node{kind: global, a: uint32(i)})
}

func (m *machine) global(op *opcode, arg argument) error {
	module, name := arg.twoLines()
	m.push(m.imported(op.name, module, name))
	return nil
}

// stackGlobal imports what the two topmost texts name.
func (m *machine) stackGlobal(op *opcode, _ argument) error {
	name, err := m.pop()
	if err != nil {
		return err
	}
	module, err := m.pop()
	if err != nil {
		return err
	}
	if m.node(name).kind != text || m.node(module).kind != text {
		// The name is computed while unpickling, or longer than any real one.
		m.push(m.imported(op.name, "", "a name made while unpickling"))
		return nil
	}
	m.push(m.imported(op.name, m.textOf(module), m.textOf(name)))
	return nil
}

func (m *machine) extension(_ *opcode, arg argument) error {
	m.push(m.imported("EXT", "", "extension "+strconv.FormatUint(arg.number, 10)))
	return nil
}

func (m *machine) inst(op *opcode, arg argument) error {
	module, name := arg.twoLines()
	class := m.imported(op.name, module, name)
	args, err := m.popMark()
	if err != nil {
		return err
	}
	m.push(m.call(class, m.tuple(slices.Clone(args))))
	return nil
}

func (m *machine) obj(*opcode, argument) error {
	values, err := m.popMark()
	if err != nil {
		return err
	}
	class := at(values, 0)
	var args []ref
	if len(values) > 0 {
		args = slices.Clone(values[1:])
	}
	m.push(m.call(class, m.tuple(args)))
	return nil
}

// reduce follows REDUCE and NEWOBJ: the callable below, its arguments on top.
func (m *machine) reduce(*opcode, argument) error {
	args, err := m.pop()
	if err != nil {
		return err
	}
	callable, err := m.pop()
	if err != nil {
		return err
	}
	m.push(m.call(callable, args))
	return nil
}

// newObjEx is reduce with keyword arguments on top, which are not used.
func (m *machine) newObjEx(op *opcode, arg argument) error {
	if _, err := m.pop(); err != nil {
		return err
	}
	return m.reduce(op, arg)
}

// build follows BUILD: a state for the object below it.
func (m *machine) build(*opcode, argument) error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	target, err := m.top()
	if err != nil || m.importsOnly {
		return err
	}
	n := m.node(target)
	switch n.kind {
	case object:
		m.markCalled(ref(n.a))
		n.n = int64(state)
	case array:
		// (version, shape, dtype, is_fortran, data)
		if s := m.elements(state); len(s) >= 3 {
			m.setTensor(target, rawTensor{size: s[1], dtype: m.numpyType(s[2]), layout: "numpy"})
		}
	}
	return nil
}

func (m *machine) persistentID(*opcode, argument) error {
	id, err := m.pop()
	if err != nil {
		return err
	}
	m.push(m.persistent(id))
	return nil
}
