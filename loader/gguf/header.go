package gguf

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/window"
)

// oldMagics are the formats before GGUF by their first four bytes. The magic is a
// little-endian number, so its letters are reversed in the file.
var oldMagics = map[string]string{"lmgg": "ggml", "fmgg": "ggmf", "tjgg": "ggjt", "algg": "ggla (a LoRA)"}

// header reads magic, version and the two counts.
func (p *parser) header() (tensors, keys uint64, err error) {
	if p.f.Size <= 0 {
		return 0, 0, p.Fault(fault.Empty, 0, "no bytes")
	}
	magic, err := p.Peek(8)
	if err != nil {
		return 0, 0, err
	}
	if !strings.HasPrefix(string(magic), "GGUF") {
		return 0, 0, p.notGGUF(magic)
	}
	if len(magic) < 8 {
		return 0, 0, p.Fault(fault.Truncated, int64(len(magic)), "no version").WithHint(damaged)
	}
	p.MoveTo(8)

	// In the other byte order the lower 16 bits of the version are zero; gguf.cpp uses
	// the same test.
	version := binary.LittleEndian.Uint32(magic[4:])
	p.order = binary.LittleEndian
	if version != 0 && version&0xFFFF == 0 {
		p.order = binary.BigEndian
		version = bits.ReverseBytes32(version)
	}
	p.f.Version, p.f.ByteOrder = version, p.order
	if version < 1 || version > 3 {
		return 0, 0, p.Fault(BadVersion, 4, "version %d, and 1 to 3 are known", version).
			WithHint("a newer version needs a newer reader; version 0 means the file is damaged")
	}
	p.wide = version > 1

	at := p.Offset()
	if tensors, err = p.count(); err != nil {
		return 0, 0, err
	}
	if keys, err = p.count(); err != nil {
		return 0, 0, err
	}
	// The smallest key is a length, one letter, a type and one byte of value; the
	// smallest tensor is an empty name, no dimensions, type and offset.
	word := uint64(4)
	if p.wide {
		word = 8
	}
	left := uint64(p.Left())
	if keys > left/(word+6) {
		return 0, 0, p.Fault(BadCount, at, "%d keys in %d bytes", keys, left).WithHint(damaged)
	}
	if tensors > left/(word+16) {
		return 0, 0, p.Fault(BadCount, at, "%d tensors in %d bytes", tensors, left).WithHint(damaged)
	}
	if keys > maxKeys || tensors > maxTensors {
		return 0, 0, p.Fault(fault.TooLarge, at, "%d keys and %d tensors, the limits are %d and %d", keys, tensors, maxKeys, maxTensors)
	}
	return tensors, keys, nil
}

const damaged = "the file is damaged or cut short: download it again"

func (p *parser) notGGUF(magic []byte) error {
	if len(magic) >= 4 {
		if old, is := oldMagics[string(magic[:4])]; is {
			return p.Fault(OldFormat, 0, "magic of %s, used before GGUF", old).
				WithHint("convert it with llama.cpp's convert_llama_ggml_to_gguf.py; whisper.cpp models keep this format")
		}
	}
	if strings.Trim(string(magic), "\x00") == "" {
		return p.Fault(fault.ZeroFilled, 0, "zeros where the magic should be").WithHint("an interrupted download: download it again")
	}
	if strings.HasPrefix("GGUF", string(magic)) {
		return p.Fault(fault.Truncated, int64(len(magic)), "the file ends inside its magic").WithHint(damaged)
	}
	return p.Fault(NotGGUF, 0, "begins with %q", magic[:min(4, len(magic))])
}

func (p *parser) u32() (uint32, error) {
	b, err := p.Next(4)
	if err != nil {
		return 0, err
	}
	return p.order.Uint32(b), nil
}

func (p *parser) u64() (uint64, error) {
	b, err := p.Next(8)
	if err != nil {
		return 0, err
	}
	return p.order.Uint64(b), nil
}

// count reads a number that version 1 stores in 4 bytes and later versions in 8.
func (p *parser) count() (uint64, error) {
	if p.wide {
		return p.u64()
	}
	n, err := p.u32()
	return uint64(n), err
}

// length reads the length of a string and checks it against a limit and the file.
func (p *parser) length(limit uint64, kind fault.Kind, what string) (uint64, error) {
	n, err := p.count()
	if err != nil {
		return 0, err
	}
	if n > limit {
		return 0, p.Fault(kind, p.Offset(), "%s of %d bytes, the limit is %d", what, n, limit).WithHint(damaged)
	}
	if n > uint64(p.Left()) {
		return 0, p.Fault(fault.Truncated, p.Offset(), "%s of %d bytes, %d are left", what, n, p.Left()).WithHint(damaged)
	}
	return n, nil
}

// readHeld reads n bytes of text that stay in memory.
func (p *parser) readHeld(n uint64) (string, error) {
	if n > maxText || p.f.heldBytes+int(n) > maxText {
		return "", p.Fault(fault.TooLarge, p.Offset(), "keys and strings of more than %d bytes", maxText)
	}
	p.f.heldBytes += int(n)
	return p.string(n)
}

// string reads n bytes, a number already checked against the bytes left.
func (p *parser) string(n uint64) (string, error) {
	if n <= window.Bytes {
		b, err := p.Next(int(n))
		return string(b), err
	}
	b, err := p.Append(make([]byte, 0, n), n)
	return string(b), err
}
