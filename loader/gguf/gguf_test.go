package gguf_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
	"omniloader/loader/gguf"
)

func read(t testing.TB, data []byte) *gguf.File {
	t.Helper()
	f, err := gguf.Read(bytes.NewReader(data), int64(len(data)), "m.gguf")
	require.NoError(t, err)
	return f
}

func readErr(data []byte) (*gguf.File, error) {
	return gguf.Read(bytes.NewReader(data), int64(len(data)), "m.gguf")
}

func TestEveryVersionAndByteOrderReadsAlike(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for version := uint32(1); version <= 3; version++ {
			t.Run(fmt.Sprint(order, version), func(t *testing.T) {
				f := read(t, everything(order, version).build())
				assert.Equal(t, version, f.Version)
				assert.Equal(t, order, f.ByteOrder)
				assert.False(t, f.Partial)
				assert.Equal(t, "llama", f.Architecture())
				assert.Equal(t, "every kind", f.Name())
				assert.EqualValues(t, 64, f.Alignment)
				assert.EqualValues(t, 200, f.Key("k.u8").Uint())
				assert.EqualValues(t, -100, f.Key("k.i8").Int())
				assert.EqualValues(t, 65000, f.Key("k.u16").Uint())
				assert.EqualValues(t, -32000, f.Key("k.i16").Int())
				assert.EqualValues(t, 4e9, f.Key("k.u32").Uint())
				assert.EqualValues(t, -2e9, f.Key("k.i32").Int())
				assert.Equal(t, 0.15625, f.Key("k.f32").Float())
				assert.True(t, f.Key("k.bool").Bool())
				assert.EqualValues(t, uint64(math.MaxUint64), f.Key("k.u64").Uint())
				assert.EqualValues(t, int64(math.MinInt64), f.Key("k.i64").Int())
				assert.Equal(t, 1e-300, f.Key("k.f64").Float())
				assert.EqualValues(t, 8192, f.ModelKey("context_length").Uint())
				assert.Equal(t, []string{"<s>", "", "日本", repeat("x", 300)}, texts(t, f.Key("tokenizer.ggml.tokens")))
				assert.Equal(t, []float64{0, -1.5, 2}, floats(t, f.Key("tokenizer.ggml.scores")))
				assert.Equal(t, []float64{-1, 2}, floats(t, f.Key("k.i16s")))
				assert.Zero(t, f.Key("k.empty").Len())
				assert.True(t, f.Key("k.empty").Valid())

				require.Len(t, f.Tensors, 5)
				q := f.Tensors[1]
				assert.Equal(t, "blk.0.q", q.Name)
				assert.Equal(t, "Q4_K", q.Type.String())
				assert.Equal(t, []uint64{2, 2, 256}, q.Shape())
				assert.EqualValues(t, 1024, q.Elements())
				assert.EqualValues(t, 576, q.Bytes)
				assert.EqualValues(t, 192, q.Offset, "40 numbers of 4 bytes, padded to 64")
				assert.EqualValues(t, 1, f.Tensors[2].Elements(), "no dimensions: one number")
				assert.EqualValues(t, 0, f.Tensors[3].Elements())
				assert.Zero(t, f.DataOffset%64)
			})
		}
	}
}

func texts(t *testing.T, v gguf.Value) (all []string) {
	for e, err := range v.Elements() {
		require.NoError(t, err)
		all = append(all, e.Text())
	}
	return all
}

func floats(t *testing.T, v gguf.Value) (all []float64) {
	for e, err := range v.Elements() {
		require.NoError(t, err)
		all = append(all, e.Float())
	}
	return all
}

func TestMissingAndMistypedKeysGiveZero(t *testing.T) {
	f := read(t, everything(binary.LittleEndian, 3).build())
	missing := f.Key("no such key")
	assert.False(t, missing.Valid())
	assert.Zero(t, missing.Text())
	assert.Zero(t, missing.Uint())
	assert.Zero(t, missing.Len())
	for range missing.Elements() {
		t.Fatal("a missing key has no elements")
	}
	name := f.Key("general.name")
	assert.True(t, name.Valid())
	assert.Zero(t, name.Uint())
	assert.Zero(t, name.Float())
	assert.False(t, name.Bool())
	assert.Zero(t, f.Key("k.i8").Uint(), "negative")
	assert.Zero(t, f.Key("k.u64").Int(), "too large")
	assert.Zero(t, f.Key("k.u8").Text())
	assert.False(t, f.Key("k.u8").Bool())
	assert.Equal(t, 200.0, f.Key("k.u8").Float())
	assert.Equal(t, -100.0, f.Key("k.i8").Float())
}

func TestKeysKeepTheFilesOrder(t *testing.T) {
	var names []string
	for name, v := range read(t, everything(binary.LittleEndian, 3).build()).Keys() {
		assert.True(t, v.Valid())
		names = append(names, name)
	}
	assert.Len(t, names, 21)
	assert.Equal(t, []string{"general.architecture", "general.name", "general.alignment"}, names[:3])
}

// One case for each kind of error. The writer is independent of the reader.
var errorCases = map[string]struct {
	kind   fault.Kind
	detail string
	data   []byte
	named  bool // a File with the architecture comes with the error
}{
	"Empty":           {fault.Empty, "", nil, false},
	"NotGGUF":         {gguf.NotGGUF, `"PK\x03\x04"`, []byte("PK\x03\x04 and so on"), false},
	"OldFormat ggml":  {gguf.OldFormat, "ggml", []byte("lmgg\x01\x02\x03\x04\x05"), false},
	"OldFormat ggmf":  {gguf.OldFormat, "ggmf", []byte("fmgg\x01\x02\x03\x04\x05"), false},
	"OldFormat ggjt":  {gguf.OldFormat, "ggjt", []byte("tjgg\x01\x02\x03\x04\x05"), false},
	"ZeroFilled":      {fault.ZeroFilled, "zeros", make([]byte, 4096), false},
	"BadVersion 0":    {gguf.BadVersion, "version 0", []byte("GGUF\x00\x00\x00\x00" + repeat("\x00", 16)), false},
	"BadVersion 4":    {gguf.BadVersion, "version 4", []byte("GGUF\x04\x00\x00\x00" + repeat("\x00", 16)), false},
	"BadVersion big":  {gguf.BadVersion, "version 4", []byte("GGUF\x00\x00\x00\x04" + repeat("\x00", 16)), false},
	"BadCount keys":   {gguf.BadCount, "keys", with(newBuilder(), func(b *builder) { b.keyCount = ptr(1 << 40) }), false},
	"BadCount signed": {gguf.BadCount, "tensors", with(newBuilder(), func(b *builder) { b.tensorCount = ptr(math.MaxUint64) }), false},
	"TooLarge":        {fault.TooLarge, "limits", with(newBuilder().text("x", repeat("x", 3<<20)), func(b *builder) { b.keyCount = ptr(200_000) }), false},
	"EmptyKey":        {gguf.EmptyKey, "key 1", newBuilder().text("", "x").build(), true},
	"DuplicateKey":    {gguf.DuplicateKey, `"a"`, newBuilder().text("a", "x").text("b", "").number("a", 4, uint32(1)).build(), true},
	"BadValueType":    {gguf.BadValueType, "type 13", newBuilder().number("a", 13, uint64(1)).build(), true},
	"BadValueType element": {gguf.BadValueType, "elements of type 99", newBuilder().key("a", 9, func(b *builder, out *bytes.Buffer) {
		b.num(out, uint32(99))
		b.num(out, uint64(1))
		b.num(out, uint64(1))
	}).build(), true},
	"NestedArray": {gguf.NestedArray, `"a"`, newBuilder().key("a", 9, func(b *builder, out *bytes.Buffer) {
		b.num(out, uint32(9))
		b.num(out, uint64(1))
		b.num(out, uint64(1))
	}).build(), true},
	"ArrayTooLong": {gguf.ArrayTooLong, "1073741825", newBuilder().key("a", 9, func(b *builder, out *bytes.Buffer) {
		b.num(out, uint32(0))
		b.num(out, uint64(1<<30+1))
	}).build(), true},
	"Truncated array": {fault.Truncated, "array", newBuilder().key("a", 9, func(b *builder, out *bytes.Buffer) {
		b.num(out, uint32(10))
		b.num(out, uint64(1<<30))
	}).build(), true},
	"Truncated string array": {fault.Truncated, "", newBuilder().key("a", 9, func(b *builder, out *bytes.Buffer) {
		b.num(out, uint32(8))
		b.num(out, uint64(1<<30))
	}).build(), true},
	"StringTooLong": {gguf.StringTooLong, "1073741825", newBuilder().key("a", 8, func(b *builder, out *bytes.Buffer) {
		b.num(out, uint64(1<<30+1))
	}).build(), true},
	"StringTooLong key": {gguf.StringTooLong, "65536", newBuilder().text(repeat("k", 65536), "").build(), true},
	"Truncated string": {fault.Truncated, "1000 bytes", newBuilder().key("a", 8, func(b *builder, out *bytes.Buffer) {
		b.num(out, uint64(1000))
	}).build(), true},
	"TooLarge text":        {fault.TooLarge, "", newBuilder().text("a", repeat("a", 16<<20)).build(), true},
	"BadAlignment":         {gguf.BadAlignment, "48", newBuilder().number("general.alignment", 4, uint32(48)).f32("a", 4).build(), true},
	"BadAlignment 0":       {gguf.BadAlignment, "0", newBuilder().number("general.alignment", 4, uint32(0)).f32("a", 4).build(), true},
	"WrongType alignment":  {fault.WrongType, "uint64", newBuilder().number("general.alignment", 10, uint64(32)).f32("a", 4).build(), true},
	"NameTooLong":          {gguf.NameTooLong, "64", newBuilder().f32(repeat("n", 64), 4).build(), true},
	"DuplicateTensor":      {gguf.DuplicateTensor, `"a"`, newBuilder().f32("a", 4).f32("b", 4).f32("a", 8).build(), true},
	"TooManyDims":          {gguf.TooManyDims, "5", newBuilder().f32("a", 1, 1, 1, 1, 1).build(), true},
	"NegativeDim":          {gguf.NegativeDim, "-4", newBuilder().tensor("a", 0, 0, math.MaxUint64-3).build(), true},
	"SizeOverflow":         {gguf.SizeOverflow, "", newBuilder().tensor("a", 0, 0, 1<<32, 1<<31).build(), true},
	"SizeOverflow bytes":   {gguf.SizeOverflow, "", newBuilder().tensor("a", 28, 0, 1<<31, 1<<30).build(), true},
	"SizeOverflow sum":     {gguf.SizeOverflow, "", newBuilder().tensor("a", 28, 1<<62, 1<<59).tensor("b", 28, 1<<62, 1<<59).build(), true},
	"UnknownType":          {gguf.UnknownType, "type 43", newBuilder().tensor("a", 43, 32, 32).build(), true},
	"UnknownType negative": {gguf.UnknownType, "", newBuilder().tensor("a", math.MaxUint32, 32, 32).build(), true},
	"RemovedType":          {gguf.RemovedType, "Q4_0_4_8", newBuilder().tensor("a", 32, 18, 32).build(), true},
	"PartialBlock":         {gguf.PartialBlock, "rows of 48", newBuilder().tensor("a", 2, 54, 48, 2).build(), true},
	"BadOffset hole": {gguf.BadOffset, "belongs at 32", with(newBuilder().f32("a", 4).f32("b", 4), func(b *builder) {
		b.tensors[1].offset = ptr(64)
	}), true},
	"BadOffset overlap": {gguf.BadOffset, "belongs at 32", with(newBuilder().f32("a", 4).f32("b", 4), func(b *builder) {
		b.tensors[1].offset = ptr(0)
	}), true},
	"Truncated data": {fault.Truncated, `"b"`, cut(newBuilder().f32("a", 4).f32("b", 4).build(), 17), true},
}

func TestErrors(t *testing.T) {
	for name, c := range errorCases {
		t.Run(name, func(t *testing.T) {
			f, err := readErr(c.data)
			require.ErrorIs(t, err, c.kind)
			var e *fault.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.kind, e.Kind)
			assert.Contains(t, e.Detail, c.detail)
			assert.Equal(t, "m.gguf", e.Path)
			if !c.named {
				assert.Nil(t, f)
				return
			}
			require.NotNil(t, f)
			assert.True(t, f.Partial)
			assert.Equal(t, "llama", f.Architecture(), "what was read before the error is returned")
		})
	}
}

func with(b *builder, change func(b *builder)) []byte {
	change(b)
	return b.build()
}

func cut(data []byte, n int) []byte { return data[:len(data)-n] }

func TestPaddingBehindTheLastTensorMayBeMissing(t *testing.T) {
	data := newBuilder().f32("a", 4).f32("b", 4).build()
	read(t, cut(data, 16))
}

func TestReadHeadStopsAtTheVocabulary(t *testing.T) {
	b := newBuilder().number("llama.block_count", 4, uint32(2))
	tokens := make([]string, 20_000)
	for i := range tokens {
		tokens[i] = "token" + strconv.Itoa(i)
	}
	data := b.texts("tokenizer.ggml.tokens", tokens...).text("after", "x").f32("a", 4).build()
	f, err := gguf.ReadHead(bytes.NewReader(data), int64(len(data)), "m.gguf")
	require.NoError(t, err)
	assert.True(t, f.Partial)
	assert.EqualValues(t, 2, f.ModelKey("block_count").Uint())
	assert.Equal(t, 20_000, f.Key("tokenizer.ggml.tokens").Len())
	assert.Equal(t, tokens, texts(t, f.Key("tokenizer.ggml.tokens")))
	assert.False(t, f.Key("after").Valid())
	assert.LessOrEqual(t, f.Fetched, int64(64<<10))

	f = read(t, data)
	assert.True(t, f.Key("after").Valid())
}

func TestVocabularyStaysInTheFile(t *testing.T) {
	b := newBuilder()
	tokens := make([]string, 150_000)
	for i := range tokens {
		tokens[i] = "tok" + strconv.Itoa(i)
	}
	data := b.texts("tokenizer.ggml.tokens", tokens...).f32("a", 4).build()
	allocated := allocation(func() { read(t, data) })
	assert.Less(t, allocated, uint64(100<<10), "the file has %d bytes", len(data))
}

// allocation returns the number of bytes that f allocates.
func allocation(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// The files of testdata were written by the GGUFWriter of gguf-py 0.19.0 (a part of
// llama.cpp), and the .txt of the same name by its GGUFReader: a line for each key
// with type and value, and one for each tensor with type, dimensions, elements, bytes
// and offset.
func TestAgreesWithReferenceReader(t *testing.T) {
	for _, name := range []string{"little", "big"} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", name+".gguf"))
			require.NoError(t, err)
			f := read(t, data)
			want, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
			require.NoError(t, err)
			assert.Equal(t, string(want), describe(t, f))
		})
	}
}

func describe(t *testing.T, f *gguf.File) string {
	var out strings.Builder
	for name, v := range f.Keys() {
		typ, text := v.Type().String(), show(v)
		if v.Type() == gguf.Array {
			typ += "/" + v.ElementType().String()
			var all []string
			for e, err := range v.Elements() {
				require.NoError(t, err)
				all = append(all, show(e))
			}
			text = strings.Join(all, " ")
		}
		fmt.Fprintf(&out, "key\t%s\t%s\t%s\n", name, typ, text)
	}
	for _, x := range f.Tensors {
		fmt.Fprintf(&out, "tensor\t%s\t%s\t%s\t%d\t%d\t%d\n", x.Name, x.Type, strings.Trim(fmt.Sprint(x.Dims[:x.Rank]), "[]"), x.Elements(), x.Bytes, f.DataOffset+int64(x.Offset))
	}
	return out.String()
}

// show formats a value as Python does.
func show(v gguf.Value) string {
	switch v.Type() {
	case gguf.String:
		return v.Text()
	case gguf.Bool:
		return map[bool]string{true: "True", false: "False"}[v.Bool()]
	case gguf.Float32, gguf.Float64:
		s := strconv.FormatFloat(v.Float(), 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	case gguf.Uint64:
		return strconv.FormatUint(v.Uint(), 10)
	}
	return strconv.FormatInt(v.Int(), 10)
}

func TestSplitFilesOfReferenceWriter(t *testing.T) {
	names, err := filepath.Glob("testdata/split-*.gguf")
	require.NoError(t, err)
	var shards []*gguf.File
	for i, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		f := read(t, data)
		f.Path = filepath.Base(name)
		shards = append(shards, f)
		s, ok := f.Split()
		require.True(t, ok)
		assert.Equal(t, gguf.Split{Index: i, Count: 3, Tensors: 5}, s)
		prefix, index, count, ok := gguf.ParseShardName(f.Path)
		assert.True(t, ok)
		assert.Equal(t, f.Path, gguf.ShardName(prefix, index, count))
		assert.Equal(t, i, index)
	}
	require.Len(t, shards, 3)
	assert.Empty(t, gguf.CheckShards(shards))

	kinds := func(shards ...*gguf.File) (kinds []fault.Kind) {
		for _, err := range gguf.CheckShards(shards) {
			kinds = append(kinds, fault.KindOf(err))
		}
		return kinds
	}
	assert.Equal(t, []fault.Kind{gguf.MissingShard}, kinds(shards[0], shards[2]))
	assert.Equal(t, []fault.Kind{gguf.SplitConflict, gguf.SharedTensor, gguf.SharedTensor, gguf.MissingShard}, kinds(shards[0], shards[0], shards[2]))
	whole := read(t, newBuilder().f32("a", 4).build())
	assert.Equal(t, []fault.Kind{gguf.NotSplit}, kinds(whole))
	assert.Equal(t, []fault.Kind{gguf.NotSplit}, kinds(shards[0], shards[1], shards[2], whole))
	short := read(t, newBuilder().number("split.no", 2, uint16(2)).number("split.count", 2, uint16(3)).build())
	assert.Equal(t, []fault.Kind{gguf.TensorCount}, kinds(shards[0], shards[1], short))
	other := read(t, newBuilder().number("split.no", 2, uint16(2)).number("split.count", 2, uint16(4)).build())
	assert.Equal(t, []fault.Kind{gguf.SplitConflict, gguf.MissingShard}, kinds(shards[0], shards[1], other))
	beyond := read(t, newBuilder().number("split.no", 2, uint16(3)).number("split.count", 2, uint16(3)).build())
	assert.Equal(t, []fault.Kind{gguf.SplitConflict, gguf.MissingShard}, kinds(shards[0], shards[1], beyond))
}

func TestShardNames(t *testing.T) {
	for _, name := range []string{"m.gguf", "m-00000-of-00003.gguf", "m-00004-of-00003.gguf", "m-0001-of-0003.gguf",
		"-00001-of-00003.gguf", "m-00001-of-00003.bin", "m-+0001-of-00003.gguf", "m_00001-of-00003.gguf"} {
		_, _, _, ok := gguf.ParseShardName(name)
		assert.False(t, ok, name)
	}
	prefix, index, count, ok := gguf.ParseShardName("Q4/a-b-00002-of-00010.gguf")
	assert.Equal(t, []any{"Q4/a-b", 1, 10, true}, []any{prefix, index, count, ok})
}

func TestContent(t *testing.T) {
	data, err := os.ReadFile("testdata/mmproj-tiny.gguf")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		data []byte
		want gguf.Content
		by   string
	}{
		"mmproj":        {data, gguf.Projector, "general.type"},
		"model":         {newBuilder().text("general.type", "model").build(), gguf.Model, "general.type"},
		"old model":     {newBuilder().f32("a", 4).build(), gguf.Model, "general.architecture"},
		"adapter":       {newBuilder().text("general.type", "adapter").build(), gguf.Adapter, "general.type"},
		"old adapter":   {newBuilder().text("adapter.type", "lora").build(), gguf.Adapter, "adapter.type"},
		"old projector": {(&builder{order: binary.LittleEndian, version: 3, align: 32}).text("general.architecture", "clip").build(), gguf.Projector, "general.architecture"},
		"vocabulary":    {newBuilder().texts("tokenizer.ggml.tokens", "a").build(), gguf.Vocab, "tokenizer.ggml.tokens"},
		"first shard":   {newBuilder().texts("tokenizer.ggml.tokens", "a").number("split.count", 2, uint16(2)).build(), gguf.Model, "general.architecture"},
		"tomorrow's":    {newBuilder().text("general.type", "Sorcery").build(), "sorcery", "general.type"},
	} {
		content, by := read(t, c.data).Content()
		assert.Equal(t, c.want, content, name)
		assert.Equal(t, c.by, by, name)
	}
}

func TestSums(t *testing.T) {
	f := read(t, newBuilder().f32("a", 32).tensor("b", 12, 288, 256, 2).tensor("c", 12, 144, 256).build())
	assert.EqualValues(t, 32+512+256, f.Parameters())
	assert.EqualValues(t, 128+288+144, f.TensorBytes())
	assert.InDelta(t, 5.6, f.BitsPerWeight(), 1e-9)
	usage := f.Usage()
	require.Len(t, usage, 2)
	assert.Equal(t, "Q4_K 2 768 432", fmt.Sprint(usage[0].Type, usage[0].Tensors, usage[0].Elements, usage[0].Bytes))
	assert.Equal(t, "F32 1 32 128", fmt.Sprint(usage[1].Type, usage[1].Tensors, usage[1].Elements, usage[1].Bytes))
	assert.Zero(t, read(t, newBuilder().build()).BitsPerWeight())
}

func TestFileTypeIsNamedInLlamasNumbering(t *testing.T) {
	for id, want := range map[uint32]string{0: "F32", 7: "Q8_0", 15: "Q4_K_M", 18: "Q6_K", 24: "IQ1_S", 32: "BF16", 5000: ""} {
		_, name, ok := read(t, newBuilder().number("general.file_type", 4, id).build()).FileType()
		assert.True(t, ok)
		assert.Equal(t, want, name)
	}
	_, _, ok := read(t, newBuilder().build()).FileType()
	assert.False(t, ok)
	_, _, ok = read(t, newBuilder().text("general.file_type", "Q4_K_M").build()).FileType()
	assert.False(t, ok)
}

func TestBaseModels(t *testing.T) {
	f := read(t, newBuilder().number("general.base_model.count", 4, uint32(3)).
		text("general.base_model.0.repo_url", "https://a/b").text("general.base_model.2.repo_url", "https://c/d").build())
	assert.Equal(t, []string{"https://a/b", "https://c/d"}, f.BaseModels())
}

// However a file is damaged, the result is a File or an error of this package, and
// memory is proportional to the file.
func TestDamagedFilesGiveErrorsWithKind(t *testing.T) {
	little, err := os.ReadFile("testdata/little.gguf")
	require.NoError(t, err)
	samples := [][]byte{everything(binary.LittleEndian, 1).build(), everything(binary.BigEndian, 3).build(), little[:2200]}
	for _, data := range samples {
		budget := uint64(16*len(data) + 256<<10)
		try := func(what string, i int, data []byte, mustFail bool) {
			var err error
			if used := allocation(func() { _, err = readErr(data) }); used > budget {
				t.Errorf("%s at %d: %d bytes allocated for a file of %d", what, i, used, len(data))
			}
			if mustFail && err == nil {
				t.Errorf("%s at %d: no error", what, i)
			}
			checkError(t, err)
		}
		for i := 0; i < len(data); i += 7 {
			try("cut", i, data[:i], i < len(data)-64)
			for _, flip := range []byte{0xFF, 0x01, 0x80} {
				b := bytes.Clone(data)
				b[i] ^= flip
				try("flip", i, b, false)
			}
			b := bytes.Clone(data)
			clear(b[i:])
			try("zero", i, b, false)
			clear(b)
			copy(b[i:], data[i:])
			try("zero before", i, b, i > 0)
		}
	}
}

// checkError fails for an error that is no fault.Error, or has no kind or path.
func checkError(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	var e *fault.Error
	if !errors.As(err, &e) || e.Kind == "" || e.Path == "" {
		t.Errorf("not a fault.Error with kind and path: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for version := uint32(1); version <= 3; version++ {
			f.Add(everything(order, version).build())
		}
	}
	names, _ := filepath.Glob("testdata/*.gguf")
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		head, err := gguf.ReadHead(bytes.NewReader(data), int64(len(data)), "m.gguf")
		checkError(t, err)
		file, err := readErr(data)
		checkError(t, err)
		if (file == nil) != (head == nil) {
			t.Fatal("ReadHead and Read disagree on whether this is GGUF")
		}
		if file == nil {
			return
		}
		file.Content()
		file.Split()
		file.BaseModels()
		file.FileType()
		file.BitsPerWeight()
		gguf.CheckShards([]*gguf.File{file, file})
		for _, v := range file.Keys() {
			n := 0
			for e, err := range v.Elements() {
				checkError(t, err)
				_, _, _, _ = e.Text(), e.Uint(), e.Int(), e.Float()
				n++
			}
			if err == nil && n != v.Len() {
				t.Fatalf("%d elements of %d", n, v.Len())
			}
		}
		if err != nil {
			return
		}
		var sum uint64
		for _, u := range file.Usage() {
			sum += u.Bytes
		}
		if sum != file.TensorBytes() || int64(sum) > file.Size {
			t.Fatalf("%d bytes of tensors in a file of %d", sum, file.Size)
		}
	})
}
