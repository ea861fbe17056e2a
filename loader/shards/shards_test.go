package shards_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
	"omniloader/loader/shards"
)

const (
	one   = "model-00001-of-00002.safetensors"
	two   = "model-00002-of-00002.safetensors"
	index = "model.safetensors.index.json"
)

// soundIndex is a valid index, and soundFiles is its directory.
const soundIndex = `{"metadata":{"total_size":300},"weight_map":{"a":"` + one + `","b":"` + one + `","c":"` + two + `"}}`

var soundFiles = []shards.File{{Name: "config.json", Size: 9}, {Name: index, Size: 99}, {Name: one, Size: 210}, {Name: two, Size: 190}}

func parse(t testing.TB, path, data string) *shards.Index {
	t.Helper()
	x, err := shards.Parse(path, []byte(data))
	require.NoError(t, err)
	return x
}

// header is the content of one shard's header.
type header struct {
	file    string
	bytes   int64
	tensors string
}

// problems returns the problems of a check as "kind: file: detail".
func problems(x *shards.Index, files []shards.File, read ...header) []string {
	var h *shards.Headers
	if read != nil {
		h = x.Headers()
		for _, shard := range read {
			h.Shard(shard.file, shard.bytes)
			for _, name := range strings.Fields(shard.tensors) {
				h.Tensor([]byte(name))
			}
		}
	}
	var texts []string
	for _, p := range x.Check(files, h) {
		texts = append(texts, fmt.Sprintf("%s: %s: %s", p.Kind, p.File, p.Detail))
	}
	return texts
}

func TestSoundCheckpointHasNoProblem(t *testing.T) {
	x := parse(t, index, soundIndex)
	assert.Empty(t, problems(x, soundFiles))
	assert.Empty(t, problems(x, soundFiles, header{one, 200, "a b"}, header{two, 100, "c"}))
	assert.Equal(t, []shards.Shard{{File: one, Tensors: 2}, {File: two, Tensors: 1}}, x.Shards)
	assert.EqualValues(t, 300, x.TotalSize)
	assert.Equal(t, 3, x.Len())
	file, ok := x.File("c")
	assert.True(t, ok)
	assert.Equal(t, two, file)
	_, ok = x.File("d")
	assert.False(t, ok)
}

func TestMissingShard(t *testing.T) {
	x := parse(t, index, soundIndex)
	assert.Equal(t, []string{"missing shard: " + two + ": the index names it, and it is not here"},
		problems(x, soundFiles[:3]))
	assert.Len(t, problems(x, nil), 2)
}

func TestEmptyShard(t *testing.T) {
	files := []shards.File{{Name: one, Size: 0}, {Name: two, Size: 400}}
	assert.Equal(t, []string{"empty file: " + one + ": the shard has 0 bytes"}, problems(parse(t, index, soundIndex), files))
}

func TestUnlistedShard(t *testing.T) {
	files := append(soundFiles, shards.File{Name: "model-00003-of-00003.safetensors"}, shards.File{Name: "pytorch_model-00001-of-00001.bin"},
		shards.File{Name: "tokenizer.json"})
	assert.Equal(t, []string{"shard not in the index: model-00003-of-00003.safetensors: its name is a shard's, and the index does not name it"},
		problems(parse(t, index, soundIndex), files))
}

func TestSingleFileBesideAnIndex(t *testing.T) {
	files := append(soundFiles, shards.File{Name: "model.safetensors", Size: 5})
	assert.Equal(t, []string{"single file beside an index: model.safetensors: most readers take the single file and leave the shards"},
		problems(parse(t, index, soundIndex), files))
	assert.Empty(t, problems(parse(t, "model.safetensors.index.fp16.json", soundIndex), files), "another variant's")
	files[len(files)-1].Name = "model.fp16.safetensors"
	assert.Len(t, problems(parse(t, "model.safetensors.index.fp16.json", soundIndex), files), 1)
}

func TestTensorInTwoShards(t *testing.T) {
	x := parse(t, index, `{"weight_map":{"a":"`+one+`","b":"`+one+`","a":"`+two+`","b":"`+one+`"}}`)
	assert.Equal(t, []string{"tensor in two shards: " + index + `: more than one file is given for tensor "a"`}, problems(x, soundFiles))
	file, _ := x.File("a")
	assert.Equal(t, two, file, "the last one counts")
	assert.Equal(t, []shards.Shard{{File: one, Tensors: 1}, {File: two, Tensors: 1}}, x.Shards)
	assert.Equal(t, 2, x.Len())

	x = parse(t, index, soundIndex)
	got := x.Check(soundFiles, func() *shards.Headers {
		h := x.Headers()
		h.Shard(one, 200)
		h.Tensor([]byte("a"))
		h.Tensor([]byte("b"))
		h.Shard(two, 100)
		h.Tensor([]byte("c"))
		h.Tensor([]byte("b"))
		return h
	}())
	require.Len(t, got, 1)
	assert.Equal(t, shards.TensorTwice, got[0].Kind)
	assert.Equal(t, []string{"b"}, got[0].Tensors)
	assert.ErrorIs(t, got[0].Fault(), shards.TensorTwice)
}

func TestTensorMissingFromItsShard(t *testing.T) {
	x := parse(t, index, soundIndex)
	assert.Equal(t, []string{"tensor missing from its shard: " + one + `: the index assigns to it 2 tensors ("a", "b")`},
		problems(x, soundFiles, header{one, 200, ""}, header{two, 100, "c"}))
	assert.Equal(t, []string{"tensor missing from its shard: " + one + `: the index assigns to it tensor "b", found in ` + two},
		problems(x, soundFiles, header{one, 200, "a"}, header{two, 100, "c b"}))
	assert.Empty(t, problems(x, soundFiles, header{one, 200, "a b"}), "the other shard was not read")
}

func TestTensorNotInTheIndex(t *testing.T) {
	assert.Equal(t, []string{
		`tensor in two shards: model.safetensors.index.json: more than one shard holds tensor "x"`,
		"tensor not in the index: " + one + `: it holds, and the index does not name, 4 tensors ("x", "y", "z", …)`,
		"tensor not in the index: " + two + `: it holds, and the index does not name, tensor "x"`,
	}, problems(parse(t, index, soundIndex), soundFiles, header{one, 200, "a b x y z zz"}, header{two, 100, "c x"}))
}

func TestStaleIndex(t *testing.T) {
	x := parse(t, index, soundIndex)
	files := []shards.File{{Name: "model-00001-of-00003.safetensors"}, {Name: "model-00002-of-00003.safetensors"}, {Name: "model-00003-of-00003.safetensors"}}
	assert.Equal(t, []string{"stale index: " + index + ": 2 of the 2 shards it names are not here, and a whole set that it does not name is: model-*-of-00003.safetensors"},
		problems(x, files))
	assert.Len(t, problems(x, files[:2]), 4, "no whole set: each file by itself")

	assert.Equal(t, []string{"stale index: " + index + ": none of the 3 tensors it names is in the shards that were read, which hold 2 others"},
		problems(x, soundFiles, header{one, 1, "m.a"}, header{two, 1, "m.b"}))

	assert.Equal(t, []string{"stale index: " + index + ": the index names no tensor"}, problems(parse(t, index, `{"weight_map":{}}`), nil))
}

func TestWrongTotalSize(t *testing.T) {
	x := parse(t, index, soundIndex)
	assert.Equal(t, []string{"wrong total size: " + index + ": metadata.total_size is 300, the shards have 299 bytes"},
		problems(x, []shards.File{{Name: one, Size: 200}, {Name: two, Size: 99}}))
	assert.Equal(t, []string{"wrong total size: " + index + ": metadata.total_size is 300, the shards have 9000099 bytes"},
		problems(x, []shards.File{{Name: one, Size: 9_000_000}, {Name: two, Size: 99}}))
	assert.Equal(t, []string{"wrong total size: " + index + ": metadata.total_size is 300, the shards' tensors take 301 bytes"},
		problems(x, soundFiles, header{one, 200, "a b"}, header{two, 101, "c"}), "headers are exact")

	for size, want := range map[string]int64{"3.0e2": 300, "null": shards.Unknown, `"300"`: shards.Unknown, "1.5": shards.Unknown, "-3": shards.Unknown, "NaN": shards.Unknown, "1e400": shards.Unknown} {
		x := parse(t, index, `{"metadata":{"total_size":`+size+`},"weight_map":{"a":"`+one+`","c":"`+two+`"}}`)
		assert.Equal(t, want, x.TotalSize, size)
		if want == shards.Unknown && size != "null" {
			got := problems(x, soundFiles)
			require.Len(t, got, 1, size)
			assert.Contains(t, got[0], "a whole number is needed")
		} else {
			assert.Empty(t, problems(x, soundFiles), size)
		}
	}
}

func TestMetadataIsOptional(t *testing.T) {
	for _, metadata := range []string{"", `"metadata":null,`, `"metadata":{},`, `"metadata":[1],`, `"metadata":{"total_parameters":7,"total_size":null},`} {
		x := parse(t, index, `{`+metadata+`"weight_map":{"a":"`+one+`","c":"`+two+`"},"format":"pt"}`)
		assert.Equal(t, shards.Unknown, x.TotalSize)
		assert.Empty(t, problems(x, soundFiles))
	}
}

func TestNamesThatLeaveTheDirectory(t *testing.T) {
	for _, name := range []string{
		"", "/etc/model.safetensors", `\model.safetensors`, `C:\model.safetensors`, "C:model.safetensors", `\\host\share\m.safetensors`,
		"../model.safetensors", `..\model.safetensors`, "a/../../model.safetensors", "a/..", ".. /model.safetensors", ".../model.safetensors",
		"model.safetensors:stream", "a\x00b.safetensors", "a\nb.safetensors", "model*.safetensors",
	} {
		assert.True(t, shards.Escapes(name), "%q", name)
		raw, err := json.Marshal(name)
		require.NoError(t, err)
		x := parse(t, index, `{"weight_map":{"a":`+string(raw)+`}}`)
		assert.True(t, x.Shards[0].Unsafe)
		got := x.Check(nil, nil)
		require.Len(t, got, 1, "%q is not missing, it must not be looked for", name)
		assert.Equal(t, fault.Unsafe, got[0].Kind)
	}
	for _, name := range []string{one, "sub/" + one, `sub\` + one, "./" + one, "..model.safetensors", "a..b/m.safetensors", ".hidden"} {
		assert.False(t, shards.Escapes(name), "%q", name)
	}
	assert.Equal(t, []string{"unsafe: " + index + `: the path of the shard "../x" leads outside the directory`},
		problems(parse(t, index, `{"weight_map":{"a":"../x"}}`), nil))
	assert.Equal(t, []string{"unsafe: " + index + `: the paths of 2 shards ("../x", "/y") lead outside the directory`},
		problems(parse(t, index, `{"weight_map":{"a":"../x","b":"/y"}}`), nil))
	x := parse(t, index, `{"weight_map":{"a":"./`+one+`","b":"sub/x.safetensors"}}`)
	assert.Empty(t, problems(x, []shards.File{{Name: one, Size: 4}, {Name: "sub/x.safetensors", Size: 3}})[1:], "only the gap in the numbers")
}

func TestShardOfAnotherFormat(t *testing.T) {
	x := parse(t, index, `{"weight_map":{"a":"pytorch_model.bin","b":"x.SafeTensors","c":"y"}}`)
	assert.Equal(t, []string{
		"shard of another format: " + index + `: the names should end in ".safetensors": 2 shards ("pytorch_model.bin", "y") do not`,
	}, problems(x, []shards.File{{Name: "pytorch_model.bin", Size: 1}, {Name: "x.SafeTensors", Size: 1}, {Name: "y", Size: 1}}))
	assert.Equal(t, []string{
		"shard of another format: " + index + `: the names should end in ".safetensors": the shard "y" does not`,
	}, problems(parse(t, index, `{"weight_map":{"a":"y"}}`), []shards.File{{Name: "y", Size: 1}}))
	assert.Len(t, parse(t, "my.json", `{"weight_map":{"a":"a.bin","b":"b.pt"}}`).Check([]shards.File{{Name: "a.bin", Size: 1}, {Name: "b.pt", Size: 1}}, nil), 1,
		"a name that tells nothing: all as the first")
}

func TestOddZeroPadding(t *testing.T) {
	x := parse(t, index, `{"weight_map":{"a":"model-00001-of-000002.safetensors","b":"model-00002-of-000002.safetensors"}}`)
	files := []shards.File{{Name: "model-00001-of-000002.safetensors", Size: 1}, {Name: "model-00002-of-000002.safetensors", Size: 1}}
	assert.Equal(t, []string{"odd zero padding: model-00001-of-000002.safetensors: the numbers of 2 of the 2 names are not of five digits"}, problems(x, files))
}

func TestGapInTheShardNumbers(t *testing.T) {
	x := parse(t, index, `{"weight_map":{"a":"model-00002-of-00004.safetensors"}}`)
	assert.Equal(t, []string{"gap in the shard numbers: " + index + ": model-*-of-00004.safetensors is of 4 shards, the index uses 1; not 1, 3, 4"},
		problems(x, []shards.File{{Name: "model-00002-of-00004.safetensors", Size: 1}}))
	x = parse(t, index, `{"weight_map":{"a":"model-00002-of-999999999.safetensors"}}`)
	assert.Contains(t, problems(x, nil)[1], "and 999999988 more", "and no time or memory for them")
}

func TestErrorsOfReading(t *testing.T) {
	for data, kind := range map[string]fault.Kind{
		"":                                  fault.Empty,
		" \n":                               fault.Empty,
		"[]":                                fault.WrongType,
		`"x"`:                               fault.WrongType,
		"<html>":                            fault.NotJSON,
		"{}":                                fault.Malformed,
		`{"weight_map":[]}`:                 fault.WrongType,
		`{"weight_map":{"a":1}}`:            fault.WrongType,
		`{"weight_map":{"a":null}}`:         fault.WrongType,
		`{"weight_map":{},"weight_map":{}}`: fault.Malformed,
		`{"weight_map":{"a":"b"`:            fault.Truncated,
		`{"weight_map":{"a":"b"}} x`:        fault.NotJSON,
		`{"x":` + strings.Repeat("[", 600):  fault.TooDeep,
	} {
		_, err := shards.Parse("dir/"+index, []byte(data))
		assert.Equal(t, kind, fault.KindOf(err), "%q: %v", data, err)
		assert.Equal(t, "dir/"+index, fault.PathOf(err))
	}
	_, err := shards.Read(index, strings.NewReader(""), shards.MaxIndex+1)
	assert.Equal(t, fault.TooLarge, fault.KindOf(err))
	_, err = shards.Read(index, strings.NewReader("{"), 100)
	assert.Equal(t, fault.Truncated, fault.KindOf(err))
	_, err = shards.Read(index, broken{}, 100)
	assert.Equal(t, fault.Unreadable, fault.KindOf(err))
	_, err = shards.Read(index, broken{}, 0)
	assert.Equal(t, fault.Empty, fault.KindOf(err))
	x, err := shards.Read(index, strings.NewReader(soundIndex), int64(len(soundIndex)))
	require.NoError(t, err)
	assert.Equal(t, 3, x.Len())
}

type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error) { return 0, os.ErrPermission }

func TestParseName(t *testing.T) {
	for file, want := range map[string]shards.Name{
		one:                                 {Stem: "model", Suffix: ".safetensors", Number: 1, Count: 2, NumberDigits: 5, CountDigits: 5},
		"model-00001-of-000004.safetensors": {Stem: "model", Suffix: ".safetensors", Number: 1, Count: 4, NumberDigits: 5, CountDigits: 6},
		"model.fp16-00002-of-00002.bin":     {Stem: "model.fp16", Suffix: ".bin", Number: 2, Count: 2, NumberDigits: 5, CountDigits: 5},
		"a/model-00001-of-00002.fp16.bin":   {Stem: "a/model", Suffix: ".fp16.bin", Number: 1, Count: 2, NumberDigits: 5, CountDigits: 5},
		"x-of-y-1-of-2":                     {Stem: "x-of-y", Number: 1, Count: 2, NumberDigits: 1, CountDigits: 1},
		"Q4_K_M-00001-of-00003.gguf":        {Stem: "Q4_K_M", Suffix: ".gguf", Number: 1, Count: 3, NumberDigits: 5, CountDigits: 5},
	} {
		got, ok := shards.ParseName(file)
		assert.True(t, ok, file)
		assert.Equal(t, want, got, file)
	}
	for _, file := range []string{
		"", "model.safetensors", "-00001-of-00002.bin", "model-of-00002.bin", "model-1-of-.bin", "model00001-of-00002.bin",
		"one-of-many.bin", "model-00001-of-00002x.bin", "model-1-of-1234567890.bin",
	} {
		_, ok := shards.ParseName(file)
		assert.False(t, ok, file)
	}
	n, _ := shards.ParseName("m-000001-of-123456.bin")
	assert.True(t, n.Padded(), "six digits where the count has six")
}

func TestSeriesAreFoundWithTheirGaps(t *testing.T) {
	got := shards.FindSeries([]shards.File{
		{Name: "b-00002-of-00003.bin"}, {Name: "a-00003-of-00005.bin"}, {Name: "b-00001-of-00003.bin"}, {Name: "config.json"},
		{Name: "b-00003-of-00003.bin"}, {Name: "z-00000-of-00002.bin"}, {Name: "z-00001-of-00002.bin"}, {Name: "z-00001-of-00002.bin"},
	})
	require.Len(t, got, 3)
	assert.Equal(t, "a-*-of-00005.bin", got[0].String())
	assert.Equal(t, []int{1, 2, 4, 5}, got[0].Missing)
	assert.False(t, got[0].Complete())
	assert.True(t, got[1].Complete())
	assert.Equal(t, "b-00001-of-00003.bin", got[1].Files[0].Name)
	assert.True(t, got[2].Complete(), "counted from 0, one twice")
}

func TestIndexedExtension(t *testing.T) {
	for name, want := range map[string]string{
		index: ".safetensors", "dir/pytorch_model.bin.index.json": ".bin", "model.safetensors.index.fp16.json": ".safetensors",
		"model.safetensors.fp16.index.json": ".safetensors", "tf_model.h5.index.json": ".h5", "model.index.json": "",
		"model_index.json": "", "model.safetensors": "", "a.bin.index.txt": "",
	} {
		assert.Equal(t, want, shards.IndexedExtension(name), name)
	}
	assert.Equal(t, ".foo", shards.IndexedExtensionOf("model.foo.index.json", []string{".bar", ".foo"}))
	assert.Empty(t, shards.IndexedExtensionOf("model.bin.index.json", []string{".bar", ".foo"}))
	assert.True(t, shards.IsIndex("model.index.json"))
	assert.False(t, shards.IsIndex("model_index.json"))
	assert.False(t, shards.IsIndex("a.index.d/config.json"))
}

func TestBuilder(t *testing.T) {
	var b shards.Builder
	b.Tensor([]byte("before any shard"))
	b.Shard(two, 100)
	b.Tensor([]byte("c"))
	b.Shard(one, 200)
	b.Tensor([]byte("b"))
	b.Tensor([]byte(`a"é`))
	x := b.Index(index)
	assert.Empty(t, problems(x, soundFiles))
	text, err := json.Marshal(x)
	require.NoError(t, err)
	assert.Equal(t, `{"metadata":{"total_size":300},"weight_map":{"a\"é":"`+one+`","b":"`+one+`","c":"`+two+`"}}`, string(text))
	again := parse(t, index, string(text))
	assert.Equal(t, x.Shards, again.Shards)
	assert.Equal(t, x.TotalSize, again.TotalSize)

	b.Shard(one, 1)
	b.Tensor([]byte("a"))
	b.Shard(two, 1)
	b.Tensor([]byte("a"))
	got := problems(b.Index(index), soundFiles)
	require.NotEmpty(t, got)
	assert.Contains(t, got[0], "tensor in two shards")
}

func TestDamagedIndexesGiveErrorsWithKind(t *testing.T) {
	for _, whole := range []string{soundIndex, sample(20, false)} {
		for i := 0; i < len(whole); i += 7 {
			_, err := shards.Parse(index, []byte(whole[:i]))
			assert.NotEmpty(t, fault.KindOf(err), "cut at %d", i)
			for _, bit := range []byte{0x01, 0x20, 0x80} {
				b := []byte(whole)
				b[i] ^= bit
				if x, err := shards.Parse(index, b); err != nil {
					assert.NotEmpty(t, fault.KindOf(err), "flipped at %d", i)
				} else {
					x.Check(soundFiles, x.Headers())
				}
			}
			b := []byte(whole)
			clear(b[i:])
			_, err = shards.Parse(index, b)
			assert.NotEmpty(t, fault.KindOf(err), "zeroed from %d", i)
		}
	}
}

// sample is an index of so many tensors, fifty in each shard, in the order of their
// names or shuffled.
func sample(tensors int, shuffled bool) string {
	order := rand.New(rand.NewPCG(1, 2)).Perm(tensors)
	var b strings.Builder
	b.WriteString(`{"metadata":{"total_size":1},"weight_map":{`)
	for i, n := range order {
		if !shuffled {
			n = i
		}
		if i > 0 {
			b.WriteString(",\n    ")
		}
		fmt.Fprintf(&b, `"model.layers.%05d.mlp.gate_proj.weight": "model-%05d-of-%05d.safetensors"`, n, n/50+1, (tensors+49)/50)
	}
	b.WriteString("}}")
	return b.String()
}

func TestMemoryIsBoundedByTheIndex(t *testing.T) {
	var many strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&many, `,"%x":"%x"`, i, i)
	}
	for name, data := range map[string]string{
		"usual": sample(10_000, true), "short names, each a shard": `{"weight_map":{` + many.String()[1:] + `}}`,
		"deep": `{"weight_map":` + strings.Repeat("[", 1<<20),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := shards.Parse(index, []byte(data))
		runtime.ReadMemStats(&after)
		used := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: %d bytes for an index of %d (%v)", name, used, len(data), err)
		assert.Less(t, used, uint64(40*len(data)+64<<10), name)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(soundIndex))
	f.Add([]byte(sample(3, false)))
	f.Add([]byte(`{"metadata":{"total_size":3e2},"weight_map":{"a":"../x","a":"C:\\y","\u0061":"z-1-of-9.bin"}}`))
	f.Add([]byte(`{"weight_map":{"":""}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := shards.Parse(index, data)
		if err != nil {
			var e *fault.Error
			if !errors.As(err, &e) {
				t.Fatalf("not a fault.Error with kind and path: %v", err)
			}
			return
		}
		h := x.Headers()
		sum := 0
		for _, s := range x.Shards {
			sum += s.Tensors
			h.Shard(s.File, 1)
		}
		count := 0
		for tensor, file := range x.All {
			if got, ok := x.File(tensor); !ok || got != file {
				t.Fatalf("%q: %q and %q", tensor, got, file)
			}
			h.Tensor([]byte(tensor))
			count++
		}
		if count != x.Len() || sum != x.Len() {
			t.Fatalf("%d tensors, %d gone through, %d in shards", x.Len(), count, sum)
		}
		for _, p := range x.Check(soundFiles, h) {
			if p.Kind == "" || p.Detail == "" {
				t.Fatalf("%+v", p)
			}
		}
		// After writing and reading it is the same.
		text, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := shards.Parse(index, text); err != nil || again.Len() != x.Len() {
			t.Fatalf("%s: %v", text, err)
		}
	})
}

// BenchmarkParse compares with its lower bound: reading the same bytes and scanning the
// JSON without interpreting it.
func BenchmarkParse(b *testing.B) {
	for _, tensors := range []int{300, 10_000} {
		for _, order := range []string{"sorted", "shuffled"} {
			data := []byte(sample(tensors, order == "shuffled"))
			r := bytes.NewReader(data)
			name := fmt.Sprintf("tensors=%d/%s/", tensors, order)
			b.Run(name+"floor", func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					buffer := make([]byte, len(data))
					if _, err := r.ReadAt(buffer, 0); err != nil {
						b.Fatal(err)
					}
					s := jsonscan.New(buffer)
					if _, err := s.Raw(); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(name+"parse", func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := shards.Read(index, r, int64(len(data))); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
