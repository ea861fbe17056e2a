package pickle

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"unicode/utf8"
)

// argumentKind says what follows an opcode in the file.
type argumentKind uint8

const (
	noArgument argumentKind = iota
	unsigned1               // an unsigned number of so many bytes, little-endian
	unsigned2               //
	unsigned4               //
	unsigned8               //
	signed4                 // a signed number of 4 bytes
	bytes1                  // a length of so many bytes, and that many bytes
	bytes4                  //
	bytes8                  //
	textLine                // text up to a line feed
	twoLines                // a module and a name, each up to a line feed
)

// argument is what was read behind an opcode. Its bytes are valid until the next
// read.
type argument struct {
	number uint64 // of numbers; of two lines the length of the first
	bytes  []byte // of lines and bytes; of two lines both without a separator
	// skipped says that the bytes were more than maxText, and were not read.
	skipped bool
}

func (a argument) trimmed() string { return string(bytes.TrimSpace(a.bytes)) }

func (a argument) twoLines() (first, second string) {
	return string(a.bytes[:a.number]), string(a.bytes[a.number:])
}

// readArgument reads the argument of an opcode.
func (m *machine) readArgument(kind argumentKind) (arg argument, err error) {
	switch kind {
	case unsigned1:
		arg.number, err = m.unsigned(1)
	case unsigned2:
		arg.number, err = m.unsigned(2)
	case unsigned4:
		arg.number, err = m.unsigned(4)
	case unsigned8:
		arg.number, err = m.unsigned(8)
	case signed4:
		arg.number, err = m.unsigned(4)
		arg.number = uint64(int32(arg.number))
	case bytes1:
		return m.sizedBytes(1)
	case bytes4:
		return m.sizedBytes(4)
	case bytes8:
		return m.sizedBytes(8)
	case textLine, twoLines:
		if m.line, err = m.in.Line(m.line[:0], maxLine); err == nil && kind == twoLines {
			arg.number = uint64(len(m.line))
			m.line, err = m.in.Line(m.line, maxLine)
		}
		arg.bytes = m.line
	}
	return arg, err
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

// sizedBytes reads a length of the given width, and that many bytes where they may
// be a name; longer ones are skipped.
func (m *machine) sizedBytes(width int) (arg argument, err error) {
	n, err := m.unsigned(width)
	if err != nil {
		return arg, err
	}
	if n <= maxText {
		arg.bytes, err = m.in.Next(int(n))
		return arg, err
	}
	arg.skipped = true
	if err = m.in.Skip(n); err == nil {
		m.skipped += int64(n)
	}
	return arg, err
}

// unquote removes the quotes and the escapes of a STRING. The escapes matter:
// 'o\x73' is the module os.
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
