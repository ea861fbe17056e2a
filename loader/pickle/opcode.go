package pickle

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
	"unicode/utf8"

	"omniloader/loader/fault"
)

// The limits of this reader.
const (
	// MaxBytes of opcodes in one pickle; long texts and byte strings, which are
	// skipped, do not count. The state dictionaries of the largest models take 20 MB.
	MaxBytes = 64 << 20
	// maxHeld is the longest text kept; a name beyond it counts as unreadable.
	maxHeld = 4 << 10
	// maxLine is the longest argument of protocol 0.
	maxLine = 1 << 20
	// maxProtocol is the newest protocol there is.
	maxProtocol = 5
)

func (m *machine) fault(kind fault.Kind, format string, args ...any) *fault.Error {
	return m.in.Fault(kind, m.in.Offset(), format, args...)
}

// run follows opcodes to STOP, and gives the value it leaves. The opcodes are
// those of Python's Lib/pickletools.py, protocols 0 to 5.
func (m *machine) run() (ref, error) {
	var line []byte
	for {
		if m.consumed() > MaxBytes {
			return refOpaque, m.fault(fault.TooLarge, "more than %d bytes of opcodes", MaxBytes)
		}
		b, err := m.in.Next(1)
		if err != nil {
			return refOpaque, m.fault(fault.Truncated, "no STOP before the end").WithHint(damaged)
		}
		switch op := b[0]; op {
		case '.':
			if m.blind {
				return refOpaque, m.fault(fault.TooLarge, "values of more than %d bytes; only imports were followed to the end", m.spent)
			}
			return m.pop()
		case 0x80: // PROTO
			n, err := m.unsigned(1)
			if err != nil {
				return refOpaque, err
			}
			if n > maxProtocol {
				return refOpaque, m.fault(fault.Unsupported, "protocol %d, the newest known is %d", n, maxProtocol)
			}
			m.protocol = max(m.protocol, int(n))
		case 0x95: // FRAME: only says how far to read ahead
			if _, err := m.in.Next(8); err != nil {
				return refOpaque, err
			}
		case 'c', 'i', 'I', 'L', 'S', 'V', 'F', 'P', 'g', 'p':
			if line, err = m.in.Line(line[:0], maxLine); err == nil {
				line, err = m.lineOp(op, line)
			}
		default:
			err = m.op(op)
		}
		if err != nil {
			return refOpaque, err
		}
	}
}

// unsigned reads a little-endian number of 1, 2, 4 or 8 bytes.
func (m *machine) unsigned(width int) (uint64, error) {
	b, err := m.in.Next(width)
	if err != nil {
		return 0, err
	}
	switch width {
	case 1:
		return uint64(b[0]), nil
	case 2:
		return uint64(binary.LittleEndian.Uint16(b)), nil
	case 4:
		return uint64(binary.LittleEndian.Uint32(b)), nil
	}
	return binary.LittleEndian.Uint64(b), nil
}

// payload reads a length of the given width, and that many bytes where they may
// be a name; longer ones are skipped, and b is nil.
func (m *machine) payload(width int) (b []byte, short bool, err error) {
	n, err := m.unsigned(width)
	if err != nil {
		return nil, false, err
	}
	if n <= maxHeld {
		b, err = m.in.Next(int(n))
		return b, true, err
	}
	if err = m.in.Skip(n); err == nil {
		m.skipped += int64(n)
	}
	return nil, false, err
}

// text reads a text with a length of the given width.
func (m *machine) text(width int) error {
	b, short, err := m.payload(width)
	if err != nil {
		return err
	}
	if !short {
		m.push(refOpaque)
		return nil
	}
	m.pushText(b)
	return nil
}

// blob reads bytes with a length of the given width, which are no name.
func (m *machine) blob(width int) error {
	_, _, err := m.payload(width)
	m.push(refOpaque)
	return err
}

// op follows an opcode that does not take a line.
func (m *machine) op(op byte) error {
	switch op {
	// Numbers and constants.
	case 'N':
		m.push(refNone)
	case 0x88:
		m.push(refTrue)
	case 0x89:
		m.push(refFalse)
	case 'K', 'M', 'J':
		width := 1
		if op == 'M' {
			width = 2
		} else if op == 'J' {
			width = 4
		}
		n, err := m.unsigned(width)
		if err != nil {
			return err
		}
		if op == 'J' {
			n = uint64(int32(n))
		}
		m.pushInt(int64(n))
	case 0x8a, 0x8b:
		return m.long(op)
	case 'G':
		if _, err := m.in.Next(8); err != nil {
			return err
		}
		m.push(refOpaque)

	// Texts and bytes. BINSTRING is Python 2's str, which holds names as well.
	case 'U', 0x8c:
		return m.text(1)
	case 'T', 'X':
		return m.text(4)
	case 0x8d:
		return m.text(8)
	case 'C':
		return m.blob(1)
	case 'B':
		return m.blob(4)
	case 0x8e, 0x96:
		return m.blob(8)
	case 0x97: // NEXT_BUFFER: a buffer handed over beside the pickle
		m.push(refOpaque)
	case 0x98: // READONLY_BUFFER
		_, err := m.top()
		return err

	// Containers.
	case ')':
		m.push(refEmpty)
	case 't':
		of, err := m.popMark()
		if err != nil {
			return err
		}
		m.pushTuple(of)
	case 0x85, 0x86, 0x87:
		return m.smallTuple(int(op - 0x84))
	case ']', 0x8f:
		m.push(m.make(node{form: list}))
	case '}':
		m.push(m.make(node{form: dict}))
	case 'l', 0x91, 'd':
		of, err := m.popMark()
		if err != nil {
			return err
		}
		f := list
		if op == 'd' {
			f = dict
		}
		r := m.make(node{form: f})
		m.extend(r, of)
		m.push(r)
	case 'a':
		return m.add(1)
	case 's':
		return m.add(2)
	case 'e', 'u', 0x90:
		of, err := m.popMark()
		if err != nil {
			return err
		}
		to, err := m.top()
		if err != nil {
			return err
		}
		m.extend(to, of)

	// The stack and the memo.
	case '(':
		m.pushMark()
	case '0':
		if len(m.marks) > 0 && m.fence() == len(m.stack) {
			_, err := m.popMark()
			return err
		}
		_, err := m.pop()
		return err
	case '1':
		_, err := m.popMark()
		return err
	case '2':
		r, err := m.top()
		if err != nil {
			return err
		}
		m.push(r)
	case 0x94:
		return m.memoize()
	case 'q', 'r', 'h', 'j':
		width := 1
		if op == 'r' || op == 'j' {
			width = 4
		}
		i, err := m.unsigned(width)
		if err != nil {
			return err
		}
		if op == 'q' || op == 'r' {
			return m.put(uint32(i))
		}
		return m.get(uint32(i))

	// Imports and calls.
	case 0x82, 0x83, 0x84:
		i, err := m.unsigned(1 << (op - 0x82))
		if err != nil {
			return err
		}
		m.push(m.imported("EXT", "", "extension "+strconv.FormatUint(i, 10)))
	case 0x93:
		return m.stackGlobal()
	case 'R':
		return m.reduce()
	case 'b':
		return m.build()
	case 0x81:
		return m.construct(2)
	case 0x92:
		return m.construct(3)
	case 'o':
		of, err := m.popMark()
		if err != nil {
			return err
		}
		class := at(of, 0)
		var args []ref
		if len(of) > 0 {
			args = slices.Clone(of[1:])
		}
		m.push(m.call(class, m.tuple(args)))
	case 'Q':
		id, err := m.pop()
		if err != nil {
			return err
		}
		m.push(m.persistent(id))
	default:
		return m.in.Fault(BadOpcode, m.in.Offset()-1, "%#02x", op).WithHint(damaged)
	}
	return nil
}

// long reads an integer of any size, kept where it has 8 bytes or fewer.
func (m *machine) long(op byte) error {
	width := 1
	if op == 0x8b {
		width = 4
	}
	b, short, err := m.payload(width)
	if err != nil {
		return err
	}
	switch {
	case !short:
		m.push(refOpaque)
	case len(b) > 8:
		m.push(m.hold(big, b))
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

func (m *machine) smallTuple(n int) error {
	if m.blind {
		return nil
	}
	if len(m.stack)-n < m.fence() {
		return m.fault(BadStack, "a tuple of %d, and %d values", n, len(m.stack)-m.fence())
	}
	of := m.stack[len(m.stack)-n:]
	r := m.tuple(of)
	if m.blind {
		return nil
	}
	m.stack = m.stack[:len(m.stack)-n]
	m.spent -= refBytes * int64(n)
	m.push(r)
	return nil
}

// add appends one value to the list, or a key and its value to the dictionary,
// below them.
func (m *machine) add(n int) error {
	if m.blind {
		return nil
	}
	if len(m.stack)-n <= m.fence() {
		return m.fault(BadStack, "nothing to add to")
	}
	of := m.stack[len(m.stack)-n:]
	m.extend(m.stack[len(m.stack)-n-1], of)
	if !m.blind {
		m.stack = m.stack[:len(m.stack)-n]
		m.spent -= refBytes * int64(n)
	}
	return nil
}

// lineOp follows an opcode of protocol 0, whose argument is a line; it gives the
// buffer of the line back.
func (m *machine) lineOp(op byte, line []byte) ([]byte, error) {
	switch op {
	case 'c', 'i':
		module := string(line)
		line, err := m.in.Line(line[:0], maxLine)
		if err != nil {
			return line, err
		}
		how := "GLOBAL"
		if op == 'i' {
			how = "INST"
		}
		r := m.imported(how, module, string(line))
		if op == 'i' {
			of, err := m.popMark()
			if err != nil {
				return line, err
			}
			r = m.call(r, m.tuple(slices.Clone(of)))
		}
		m.push(r)
		return line, nil
	case 'I':
		switch s := string(bytes.TrimSpace(line)); s {
		case "00":
			m.push(refFalse)
		case "01":
			m.push(refTrue)
		default:
			m.pushDecimal(s)
		}
	case 'L':
		m.pushDecimal(string(bytes.TrimSuffix(bytes.TrimSpace(line), []byte("L"))))
	case 'F':
		m.push(refOpaque)
	case 'S':
		m.pushText(unquote(line))
	case 'V':
		m.pushText(unescapeUnicode(line))
	case 'P':
		m.push(refOpaque)
	case 'g', 'p':
		i, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 10, 32)
		if err != nil {
			return line, m.fault(BadMemo, "entry %q", line[:min(len(line), 40)])
		}
		if op == 'p' {
			return line, m.put(uint32(i))
		}
		return line, m.get(uint32(i))
	}
	return line, nil
}

func (m *machine) pushDecimal(s string) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		m.push(m.hold(big, []byte(s)))
		return
	}
	m.pushInt(n)
}

// unquote takes the quotes and the escapes off a STRING, in place. The escapes
// matter: 'o\x73' is the module os.
func unquote(b []byte) []byte {
	b = bytes.TrimSpace(b)
	if len(b) >= 2 && (b[0] == '\'' || b[0] == '"') && b[len(b)-1] == b[0] {
		b = b[1 : len(b)-1]
	}
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		if plain := bytes.IndexByte([]byte(`abfnrtv\'"`), b[i]); plain >= 0 {
			out = append(out, "\a\b\f\n\r\t\v\\'\""[plain])
			continue
		}
		if b[i] == 'x' && i+2 < len(b) {
			if n, err := strconv.ParseUint(string(b[i+1:i+3]), 16, 8); err == nil {
				out = append(out, byte(n))
				i += 2
				continue
			}
		}
		if b[i] >= '0' && b[i] <= '7' {
			n, end := 0, i
			for ; end < len(b) && end < i+3 && b[end] >= '0' && b[end] <= '7'; end++ {
				n = n*8 + int(b[end]-'0')
			}
			out = append(out, byte(n))
			i = end - 1
			continue
		}
		out = append(out, '\\', b[i])
	}
	return out
}

// unescapeUnicode decodes Python's raw-unicode-escape: \uXXXX and \UXXXXXXXX, all
// other bytes being Latin-1.
func unescapeUnicode(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+1 < len(b) && (b[i+1] == 'u' || b[i+1] == 'U') {
			digits := 4
			if b[i+1] == 'U' {
				digits = 8
			}
			if i+2+digits <= len(b) {
				if n, err := strconv.ParseUint(string(b[i+2:i+2+digits]), 16, 32); err == nil {
					out = utf8.AppendRune(out, rune(n))
					i += 1 + digits
					continue
				}
			}
		}
		out = utf8.AppendRune(out, rune(b[i]))
	}
	return out
}
