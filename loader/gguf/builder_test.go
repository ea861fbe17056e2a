package gguf_test

import (
	"bytes"
	"encoding/binary"
	"math"
)

// builder writes GGUF files according to docs/gguf.md. Counts and lengths can be
// overridden to write files that are not valid.
type builder struct {
	order   binary.ByteOrder
	version uint32
	keys    []rawKey
	tensors []rawTensor
	align   uint64

	keyCount, tensorCount *uint64 // instead of the true counts
}

type rawKey struct {
	name string
	typ  uint32
	body func(b *builder, out *bytes.Buffer)
}

type rawTensor struct {
	name   string
	dims   []uint64
	typ    uint32
	bytes  uint64  // of data
	offset *uint64 // instead of the running sum
}

func newBuilder() *builder {
	b := &builder{order: binary.LittleEndian, version: 3, align: 32}
	return b.text("general.architecture", "llama")
}

func (b *builder) num(out *bytes.Buffer, v any) { _ = binary.Write(out, b.order, v) }

// count writes a number that version 1 keeps in four bytes.
func (b *builder) count(out *bytes.Buffer, n uint64) {
	if b.version == 1 {
		b.num(out, uint32(n))
		return
	}
	b.num(out, n)
}

func (b *builder) str(out *bytes.Buffer, s string) {
	b.count(out, uint64(len(s)))
	out.WriteString(s)
}

func (b *builder) key(name string, typ uint32, body func(b *builder, out *bytes.Buffer)) *builder {
	b.keys = append(b.keys, rawKey{name, typ, body})
	return b
}

func (b *builder) text(name, value string) *builder {
	return b.key(name, 8, func(b *builder, out *bytes.Buffer) { b.str(out, value) })
}

// number adds a key of a fixed-size type; value's Go type must fit typ.
func (b *builder) number(name string, typ uint32, value any) *builder {
	return b.key(name, typ, func(b *builder, out *bytes.Buffer) { b.num(out, value) })
}

func (b *builder) texts(name string, values ...string) *builder {
	return b.key(name, 9, func(b *builder, out *bytes.Buffer) {
		b.num(out, uint32(8))
		b.count(out, uint64(len(values)))
		for _, v := range values {
			b.str(out, v)
		}
	})
}

func (b *builder) numbers(name string, typ uint32, n int, values any) *builder {
	return b.key(name, 9, func(b *builder, out *bytes.Buffer) {
		b.num(out, typ)
		b.count(out, uint64(n))
		b.num(out, values)
	})
}

func (b *builder) tensor(name string, typ uint32, bytes uint64, dims ...uint64) *builder {
	b.tensors = append(b.tensors, rawTensor{name: name, dims: dims, typ: typ, bytes: bytes})
	return b
}

// f32 adds a tensor of type F32.
func (b *builder) f32(name string, dims ...uint64) *builder {
	n := uint64(4)
	for _, d := range dims {
		n *= d
	}
	return b.tensor(name, 0, n, dims...)
}

func (b *builder) build() []byte {
	var out bytes.Buffer
	out.WriteString("GGUF")
	b.num(&out, b.version)
	nt, nk := uint64(len(b.tensors)), uint64(len(b.keys))
	if b.tensorCount != nil {
		nt = *b.tensorCount
	}
	if b.keyCount != nil {
		nk = *b.keyCount
	}
	b.count(&out, nt)
	b.count(&out, nk)
	for _, k := range b.keys {
		b.str(&out, k.name)
		b.num(&out, k.typ)
		k.body(b, &out)
	}
	offset := uint64(0)
	for _, t := range b.tensors {
		b.str(&out, t.name)
		b.num(&out, uint32(len(t.dims)))
		for _, d := range t.dims {
			b.count(&out, d)
		}
		b.num(&out, t.typ)
		if t.offset != nil {
			b.num(&out, *t.offset)
		} else {
			b.num(&out, offset)
		}
		offset += (t.bytes + b.align - 1) / b.align * b.align
	}
	if len(b.tensors) == 0 {
		return out.Bytes()
	}
	for uint64(out.Len())%b.align != 0 {
		out.WriteByte(0)
	}
	if offset < 1<<20 {
		out.Write(bytes.Repeat([]byte{0x3c}, int(offset)))
	}
	return out.Bytes()
}

func ptr(n uint64) *uint64 { return &n }

func repeat(s string, n int) string { return string(bytes.Repeat([]byte(s), n)) }

// everything is a file with each kind of value and some tensors.
func everything(order binary.ByteOrder, version uint32) *builder {
	b := &builder{order: order, version: version, align: 64}
	return b.text("general.architecture", "llama").
		text("general.name", "every kind").
		number("general.alignment", 4, uint32(64)).
		number("general.file_type", 4, uint32(15)).
		number("k.u8", 0, uint8(200)).number("k.i8", 1, int8(-100)).
		number("k.u16", 2, uint16(65000)).number("k.i16", 3, int16(-32000)).
		number("k.u32", 4, uint32(4e9)).number("k.i32", 5, int32(-2e9)).
		number("k.f32", 6, float32(0.15625)).number("k.bool", 7, uint8(1)).
		number("k.u64", 10, uint64(math.MaxUint64)).number("k.i64", 11, int64(math.MinInt64)).
		number("k.f64", 12, 1e-300).
		number("llama.context_length", 4, uint32(8192)).
		texts("tokenizer.ggml.tokens", "<s>", "", "日本", repeat("x", 300)).
		numbers("tokenizer.ggml.scores", 6, 3, []float32{0, -1.5, 2}).
		numbers("k.empty", 11, 0, []int64{}).
		numbers("k.i16s", 3, 2, []int16{-1, 2}).
		text("tokenizer.chat_template", repeat("{{ x }}", 40)).
		f32("token_embd.weight", 8, 5).
		tensor("blk.0.q", 12, 144*4, 256, 2, 2).
		f32("scalar").
		f32("empty", 0, 7).
		tensor("last", 8, 34, 32)
}
