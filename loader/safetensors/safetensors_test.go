package safetensors_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
	"omniloader/loader/safetensors"
)

// file builds a file as the specification describes it: length, header, and so many
// bytes of data.
func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	return append(b, bytes.Repeat([]byte{0x3c}, data)...)
}

func read(b []byte) (*safetensors.Header, error) {
	return safetensors.Read("model.safetensors", bytes.NewReader(b), int64(len(b)))
}

// variants maps the errors of the reference implementation to the kinds of this package.
var variants = map[string]fault.Kind{
	"HeaderTooSmall":               safetensors.HeaderTooSmall,
	"HeaderTooLarge":               safetensors.HeaderTooLarge,
	"InvalidHeaderLength":          safetensors.InvalidHeaderLength,
	"InvalidHeader":                safetensors.InvalidHeader,
	"InvalidHeaderDeserialization": safetensors.InvalidHeaderDeserialization,
	"InvalidOffset":                safetensors.InvalidOffset,
	"ValidationOverflow":           safetensors.ValidationOverflow,
	"MisalignedSlice":              safetensors.MisalignedSlice,
	"TensorInvalidInfo":            safetensors.TensorInvalidInfo,
	"MetadataIncompleteBuffer":     safetensors.MetadataIncompleteBuffer,
}

type vector struct {
	Name   string
	Hex    string
	Len    int
	Expect string
}

func vectors(t testing.TB) []vector {
	data, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	var all []vector
	require.NoError(t, json.Unmarshal(data, &all))
	require.Len(t, all, 35)
	return all
}

func (v vector) bytes(t testing.TB) []byte {
	b, err := hex.DecodeString(v.Hex)
	require.NoError(t, err)
	require.Len(t, b, v.Len)
	return b
}

func TestVectorsGiveTheReferenceReadersAnswer(t *testing.T) {
	for _, v := range vectors(t) {
		_, err := read(v.bytes(t))
		if v.Expect == "ok" {
			assert.NoError(t, err, v.Name)
			continue
		}
		require.Contains(t, variants, v.Expect)
		assert.Equal(t, variants[v.Expect], fault.KindOf(err), "%s: %v", v.Name, err)
		assert.Equal(t, "model.safetensors", fault.PathOf(err), v.Name)
	}
}

// fails requires that reading b fails with the kind, and returns the error.
func fails(t *testing.T, kind fault.Kind, b []byte) *fault.Error {
	t.Helper()
	_, err := read(b)
	var e *fault.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, kind, e.Kind, "%v", err)
	return e
}

func TestHeaderTooSmall(t *testing.T) {
	e := fails(t, safetensors.HeaderTooSmall, []byte{1, 0, 0})
	assert.ErrorIs(t, e, fault.Truncated)
	assert.ErrorIs(t, fails(t, safetensors.HeaderTooSmall, nil), fault.Empty)
}

func TestHeaderTooLarge(t *testing.T) {
	b := binary.LittleEndian.AppendUint64(nil, safetensors.MaxHeader+1)
	e := fails(t, safetensors.HeaderTooLarge, append(b, "{}"...))
	assert.Contains(t, e.Error(), "header claims 100000001 bytes, the limit is 100000000")
	assert.NotEmpty(t, e.Hint())
}

func TestInvalidHeaderLength(t *testing.T) {
	b := file(`{"a":1}`, 0)
	e := fails(t, safetensors.InvalidHeaderLength, b[:len(b)-1])
	assert.ErrorIs(t, e, fault.Truncated)
}

func TestInvalidHeader(t *testing.T) {
	e := fails(t, safetensors.InvalidHeader, file("{\"\u00e9\xff\":1}", 0))
	assert.EqualValues(t, 8+4, e.Offset, "the first byte that is no UTF-8")
}

const good = `"dtype":"F32","shape":[2],"data_offsets":[0,8]`

func TestInvalidHeaderDeserialization(t *testing.T) {
	for header, text := range map[string]string{
		``:                                 "end of the text",
		`[]`:                               "expected an object",
		`{} {}`:                            "goes on",
		`{"a":1}`:                          `tensor "a" is a number`,
		`{"a":{}}`:                         "no dtype",
		`{"a":{"dtype":"F32"}}`:            "no shape",
		`{"a":{"dtype":"F32","shape":[]}}`: "no data_offsets",
		`{"a":{"dtype":"f32","shape":[2],"data_offsets":[0,8]}}`:                    `unknown dtype "f32"`,
		`{"a":{"dtype":null,"shape":[2],"data_offsets":[0,8]}}`:                     "dtype is null",
		`{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}`:                      "shape is a number",
		`{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}`:                  `shape ["2"], whole numbers`,
		`{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}`:                  "shape [2.0], whole",
		`{"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}`:                  "shape [2e0], whole",
		`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`:                   "shape [-2], whole",
		`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}`:                      "data_offsets [0], two whole",
		`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}`:                  "data_offsets [0,8,8], two whole",
		`{"a":{"dtype":"F32","shape":[2],"data_offsets":{}}}`:                       "data_offsets is an object",
		`{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8]}}`: "shape [18446744073709551616], whole numbers of 64 bits",
		`{"a":{` + good + `,"dtype":"F32"}}`:                                        "dtype twice",
		`{"a":{` + good + `,"note":NaN}}`:                                           "not finite",
		"\xEF\xBB\xBF{}":                                                            "byte order mark",
		`{"__metadata__":[]}`:                                                       "__metadata__ is an array",
		`{"__metadata__":{"a":null}}`:                                               `holds null under "a"`,
		`{"__metadata__":{},"__metadata__":{}}`:                                     "occurs twice",
		`{"a":{` + good + `},}`:                                                     "expected a string",
		`{"a":{` + good + `}`:                                                       "end of the object",
	} {
		e := fails(t, safetensors.InvalidHeaderDeserialization, file(header, 8))
		assert.Contains(t, e.Error(), text, header)
		assert.GreaterOrEqual(t, e.Offset, int64(8), header)
		assert.NotErrorIs(t, e, fault.Truncated, "%s: the file is whole", header)
	}
}

// The reference implementation keeps the last of the tensors of one name, and then checks
// that the tensors cover the file.
func TestOfTensorsOfOneNameTheLastCounts(t *testing.T) {
	h, err := read(file(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]},"\u0061":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`, 8))
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, h.Repeated)
	assert.Equal(t, []string{"a", "b"}, h.Names())
	assert.EqualValues(t, 4, h.Tensors[0].End)
	assert.Equal(t, safetensors.Count{Tensors: 2, Elements: 8, Bytes: 8}, h.Total)

	e := fails(t, safetensors.InvalidOffset,
		file(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"\u0061":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}`, 8))
	assert.Contains(t, e.Error(), `the header has tensor "a" twice`)

	h, err = read(file(`{"a":{`+good+`}}`, 8))
	require.NoError(t, err)
	assert.Empty(t, h.Repeated)
}

// serde, the JSON library of the reference implementation, takes three more forms of a
// description: an array of its members, a type as an object, and both at once.
func TestOtherFormsOfADescription(t *testing.T) {
	want, err := read(file(`{"a":{`+good+`}}`, 8))
	require.NoError(t, err)
	for _, description := range []string{
		`["F32",[2],[0,8]]`, `{"dtype":{"F32":null},"shape":[2],"data_offsets":[0,8]}`, `[{"F32":null},[2],[0,8]]`,
	} {
		h, err := read(file(`{"a":`+description+`}`, 8))
		require.NoError(t, err, description)
		assert.Equal(t, want.Tensors, h.Tensors, description)
	}
	for description, text := range map[string]string{
		`["F32",[2]]`:         "no data_offsets",
		`[]`:                  "no dtype",
		`["F32",[2],[0,8],1]`: "more than 3 elements",
		`["F32",[0,8],[2]]`:   "two whole numbers",
		`{"dtype":{"F32":{}},"shape":[2],"data_offsets":[0,8]}`:                          "other content than a type's name and null",
		`{"dtype":{"F32":null,"F32":null},"shape":[2],"data_offsets":[0,8]}`:             "other content",
		`{"dtype":{},"shape":[2],"data_offsets":[0,8]}`:                                  "empty object",
		`{"dtype":{"f32":null},"shape":[2],"data_offsets":[0,8]}`:                        `unknown dtype "f32"`,
		`{"dtype":["F32"],"shape":[2],"data_offsets":[0,8]}`:                             "dtype is an array",
		`{` + good + `,"x":` + strings.Repeat("[", 126) + strings.Repeat("]", 126) + `}`: "more than 127 levels",
		`{` + good + `,"x":["1e999",1e999]}`:                                             "1e999 is out of range",
	} {
		e := fails(t, safetensors.InvalidHeaderDeserialization, file(`{"a":`+description+`}`, 8))
		assert.Contains(t, e.Error(), text, description)
	}
	for _, value := range []string{strings.Repeat("[", 125) + strings.Repeat("]", 125), `"1e999"`, `"\"1e999"`, `99999999999999999999`, `[1e-999]`, `{"x":1,"x":2}`} {
		_, err := read(file(`{"a":{`+good+`,"x":`+value+`}}`, 8))
		assert.NoError(t, err, value)
	}
}

// Half of a surrogate pair is refused wherever it is, as by the reference implementation.
func TestLoneSurrogatesAreRefused(t *testing.T) {
	for _, header := range []string{
		`{"a\ud800":{` + good + `}}`, `{"a\udc00":{` + good + `}}`, `{"a\ud800\u0041":{` + good + `}}`, `{"a\udc00\ud800":{` + good + `}}`,
		`{"a":{` + good + `,"x":"\ud800"}}`, `{"a":{` + good + `,"\ud800":[]}}`, `{"__metadata__":{"a":"\udfff"},"a":{` + good + `}}`, `{"a":{` + good + `,"x":[{"\udbff":1}]}}`,
	} {
		assert.Contains(t, fails(t, safetensors.InvalidHeaderDeserialization, file(header, 8)).Error(), "surrogate", header)
	}
	h, err := read(file(`{"a\ud83d\ude00":{`+good+`}}`, 8))
	require.NoError(t, err)
	assert.Equal(t, []string{"a😀"}, h.Names())
}

func TestInvalidOffset(t *testing.T) {
	two := `{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[%s]}}`
	for offsets, text := range map[string]string{
		"5,9": `"b" at 5 to 9 leaves a hole behind "a", which ends at 4`,
		"3,7": `"b" at 3 to 7 overlaps "a", which ends at 4`,
		"4,0": `"b" at 4 to 0 ends before it begins`,
	} {
		e := fails(t, safetensors.InvalidOffset, file(fmt.Sprintf(two, offsets), 8))
		assert.Contains(t, e.Error(), text)
	}
	e := fails(t, safetensors.InvalidOffset, file(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[1,5]}}`, 5))
	assert.Contains(t, e.Error(), "does not begin at 0")
}

func TestValidationOverflow(t *testing.T) {
	for _, shape := range []string{"[2,18446744073709551615]", "[4294967296,4294967296,0]", "[4611686018427387904]"} {
		e := fails(t, safetensors.ValidationOverflow, file(`{"a":{"dtype":"F32","shape":`+shape+`,"data_offsets":[0,8]}}`, 8))
		assert.Contains(t, e.Error(), shape)
	}
}

func TestMisalignedSlice(t *testing.T) {
	for _, of := range []string{`"F4","shape":[3]`, `"F6_E2M3","shape":[2]`, `"F6_E3M2","shape":[5]`} {
		fails(t, safetensors.MisalignedSlice, file(`{"a":{"dtype":`+of+`,"data_offsets":[0,2]}}`, 2))
	}
}

func TestTensorInvalidInfo(t *testing.T) {
	e := fails(t, safetensors.TensorInvalidInfo, file(`{"a":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,11]}}`, 11))
	assert.Contains(t, e.Error(), `tensor "a": BF16 [2,3] takes 12 bytes, its offsets span 11`)
}

func TestMetadataIncompleteBuffer(t *testing.T) {
	whole := file(`{"a":{`+good+`}}`, 8)
	e := fails(t, safetensors.MetadataIncompleteBuffer, whole[:len(whole)-3])
	assert.ErrorIs(t, e, fault.Truncated)
	assert.Contains(t, e.Error(), "3 are missing")

	e = fails(t, safetensors.MetadataIncompleteBuffer, append(whole, "extra"...))
	assert.NotErrorIs(t, e, fault.Truncated)
	assert.Contains(t, e.Error(), "5 belong to none")
}

// Of several errors the one is reported that the reference implementation finds first:
// JSON before offsets, and offsets in ascending order, not in that of the header.
func TestChecksComeInTheReferencesOrder(t *testing.T) {
	fails(t, safetensors.InvalidHeaderDeserialization,
		file(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[9,4]},"b":{"dtype":"?","shape":[],"data_offsets":[0,1]}}`, 0))
	e := fails(t, safetensors.MisalignedSlice,
		file(`{"b":{"dtype":"U8","shape":[4],"data_offsets":[9,4]},"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}`, 0))
	assert.Contains(t, e.Error(), `"a"`)
	fails(t, safetensors.TensorInvalidInfo, file(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,5]}}`, 0))
}

func TestEveryDTypeIsReadAndSized(t *testing.T) {
	bits := map[string]int{
		"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
		"F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
		"C64": 64, "F64": 64, "I64": 64, "U64": 64,
	}
	seen := map[safetensors.DType]bool{}
	for name, size := range bits {
		h, err := read(file(fmt.Sprintf(`{"a":{"dtype":%q,"shape":[2,4],"data_offsets":[0,%d]}}`, name, size), size))
		require.NoError(t, err, name)
		d := h.Tensors[0].DType
		assert.Equal(t, name, d.String())
		assert.Equal(t, size, d.Bits())
		assert.Equal(t, safetensors.Count{Tensors: 1, Elements: 8, Bytes: int64(size)}, h.Of(d))
		seen[d] = true
	}
	assert.Len(t, seen, len(bits))
	_, ok := safetensors.ParseDType("")
	assert.False(t, ok)
	assert.Empty(t, safetensors.DType(0).String())
	assert.Empty(t, safetensors.DType(200).String())
	assert.Zero(t, safetensors.DType(200).Bits())
	assert.Zero(t, (&safetensors.Summary{}).Of(200))
}

// The format allows the header and the data to have different orders.
func TestTensorsComeInTheOrderOfTheirOffsets(t *testing.T) {
	h, err := read(file(`{"__metadata__":{"format":"mlx","\u0061":"\u00e9"},
		"z":{"data_offsets":[0,4],"shape":[ 2 , 1 ],"dtype":"F16","later":{"x":[1,{}]}},
		"a":{"dtype":"F32","shape":[],"data_offsets":[8,12]},
		"m":{"dtype":"F16","shape":[0,18446744073709551615],"data_offsets":[4,4]},
		"n\n\u00e9":{"dtype":"F4","shape":[8],"data_offsets":[4,8]}}  `, 12))
	require.NoError(t, err)
	assert.Equal(t, []safetensors.Tensor{
		{Name: "z", DType: safetensors.F16, Shape: []uint64{2, 1}, Begin: 0, End: 4, Elements: 2},
		{Name: "m", DType: safetensors.F16, Shape: []uint64{0, 1<<64 - 1}, Begin: 4, End: 4},
		{Name: "n\né", DType: safetensors.F4, Shape: []uint64{8}, Begin: 4, End: 8, Elements: 8},
		{Name: "a", DType: safetensors.F32, Shape: []uint64{}, Begin: 8, End: 12, Elements: 1},
	}, h.Tensors)
	assert.Equal(t, map[string]string{"format": "mlx", "a": "é"}, h.Metadata)
	assert.Equal(t, []string{"a", "m", "n\né", "z"}, h.Names())
	assert.Equal(t, safetensors.Count{Tensors: 4, Elements: 11, Bytes: 12}, h.Total)
	var types []string
	for d, c := range h.ByDType() {
		types = append(types, fmt.Sprint(d, " ", c))
	}
	assert.Equal(t, []string{"F4 {1 8 4}", "F16 {2 2 4}", "F32 {1 1 4}"}, types)

	var both safetensors.Summary
	both.Add(&h.Summary)
	both.Add(&h.Summary)
	assert.Equal(t, safetensors.Count{Tensors: 8, Elements: 22, Bytes: 24}, both.Total)
	assert.Equal(t, safetensors.Count{Tensors: 4, Elements: 4, Bytes: 8}, both.Of(safetensors.F16))
}

func TestMetadataMayBeNullOrMissing(t *testing.T) {
	for _, header := range []string{`{"__metadata__":null}`, `{}`} {
		h, err := read(file(header, 0))
		require.NoError(t, err)
		assert.Nil(t, h.Metadata)
	}
}

// Files of other kinds are recognized, and their kind is in the error's chain.
func TestOtherFilesAreRecognized(t *testing.T) {
	for _, c := range []struct {
		data string
		kind fault.Kind
		also fault.Kind
		text string
	}{
		{"version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("4d", 32) + "\nsize 9888888888\n",
			safetensors.HeaderTooLarge, fault.LFSPointer, "expected 9.9 GB"},
		{"<!DOCTYPE html><title>401</title>", safetensors.HeaderTooLarge, fault.HTMLPage, `"401"`},
		{strings.Repeat("\x00", 100), safetensors.InvalidHeaderDeserialization, fault.ZeroFilled, "all 100 bytes are zero"},
		{"GGUF\x03\x00\x00\x00" + strings.Repeat("\x00", 80), safetensors.HeaderTooLarge, "", "looks like gguf"},
		{"PK\x03\x04" + strings.Repeat("\x08", 80), safetensors.HeaderTooLarge, "", "looks like zip"},
		{"Entry not found", safetensors.HeaderTooLarge, "server reply", "Entry not found"},
	} {
		e := fails(t, c.kind, []byte(c.data))
		assert.Contains(t, e.Error(), c.text)
		assert.NotEmpty(t, e.Hint())
		if c.also != "" {
			assert.ErrorIs(t, e, c.also)
		}
	}
}

func TestVisitIsNotCalledForABrokenFile(t *testing.T) {
	b := file(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[5,9]}}`, 9)
	_, err := safetensors.Scan("", bytes.NewReader(b), int64(len(b)), func(safetensors.Entry) error {
		t.Error("shown")
		return nil
	})
	assert.ErrorIs(t, err, safetensors.InvalidOffset)
}

func TestErrorOfVisitEndsTheScan(t *testing.T) {
	enough := errors.New("enough")
	b := sample(10, false)
	seen := 0
	_, err := safetensors.Scan("", bytes.NewReader(b), int64(len(b)), func(safetensors.Entry) error {
		seen++
		return enough
	})
	assert.Equal(t, enough, err)
	assert.Equal(t, 1, seen)
}

// short ends before the size that it was given, with an error or without one, as files
// of some in-memory filesystems do.
type short struct {
	data   []byte
	silent bool
}

func (s short) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	if off < int64(len(s.data)) {
		n = copy(p, s.data[off:])
	}
	if n < len(p) && !s.silent {
		return n, io.EOF
	}
	return n, nil
}

type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error) { return 0, os.ErrPermission }

func TestReaderThatEndsEarly(t *testing.T) {
	b := sample(3, false)
	for _, silent := range []bool{false, true} {
		for _, cut := range []int{0, 5, 8, 50} {
			_, err := safetensors.Scan("m", short{b[:cut], silent}, int64(len(b)), nil)
			assert.Equal(t, fault.Truncated, fault.KindOf(err), "%v", err)
		}
	}
	_, err := safetensors.Scan("m", broken{}, 100, nil)
	assert.Equal(t, fault.Unreadable, fault.KindOf(err))
	assert.ErrorIs(t, err, os.ErrPermission)
}

// sample is a file of so many tensors, named as those of a decoder; with backwards set
// the data is in the reverse order of the header.
func sample(tensors int, backwards bool) []byte {
	var b strings.Builder
	b.WriteString(`{"__metadata__":{"format":"pt"}`)
	for i := range tensors {
		at := i
		if backwards {
			at = tensors - 1 - i
		}
		fmt.Fprintf(&b, `,"model.layers.%d.self_attn.q_proj.weight":{"dtype":"BF16","shape":[2,4],"data_offsets":[%d,%d]}`, i, at*16, at*16+16)
	}
	b.WriteString(`}`)
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	return file(b.String(), tensors*16)
}

func TestBackwardsLayoutGivesTheSame(t *testing.T) {
	forth, err := read(sample(500, false))
	require.NoError(t, err)
	back, err := read(sample(500, true))
	require.NoError(t, err)
	slices.Reverse(back.Tensors)
	for i := range back.Tensors {
		assert.Equal(t, forth.Tensors[i].Name, back.Tensors[i].Name)
	}
	assert.Equal(t, forth.Total, back.Total)
}

// Scanning one shard after the other allocates the map of the metadata and nothing else.
func TestScanAllocatesNothingForATensor(t *testing.T) {
	allocations := func(b []byte) float64 {
		r := bytes.NewReader(b)
		return testing.AllocsPerRun(50, func() {
			if _, err := safetensors.Scan("", r, int64(len(b)), func(safetensors.Entry) error { return nil }); err != nil {
				t.Fatal(err)
			}
		})
	}
	few, many := allocations(sample(2, false)), allocations(sample(2000, false))
	// With the race detector sync.Pool drops entries at random.
	assert.LessOrEqual(t, many, few+20)
}

// sound reports whether err is nil or a fault.Error with kind and path.
func sound(err error) bool {
	var e *fault.Error
	return err == nil || errors.As(err, &e)
}

// Files cut, flipped and zeroed at every seventh byte give a fault.Error or, where a
// name or padding was hit, a result.
func TestDamagedFilesGiveErrorsWithKind(t *testing.T) {
	samples := [][]byte{sample(12, false), sample(5, true), file(`{"a":{`+good+`}}`, 8)}
	for _, v := range vectors(t) {
		samples = append(samples, v.bytes(t))
	}
	for _, whole := range samples {
		_, intact := read(whole)
		for i := 0; i < len(whole); i += 7 {
			_, err := read(whole[:i])
			assert.True(t, sound(err), "cut at %d: %v", i, err)
			assert.True(t, err != nil || intact != nil, "cut at %d, and taken for whole", i)
			for _, bit := range []byte{0x01, 0x20, 0x80} {
				flipped := bytes.Clone(whole)
				flipped[i] ^= bit
				_, err = read(flipped)
				assert.True(t, sound(err), "flipped at %d: %v", i, err)
			}
			zeroed := bytes.Clone(whole)
			clear(zeroed[i:])
			_, err = read(zeroed)
			assert.True(t, sound(err), "zeroed from %d: %v", i, err)
			if i < 8 {
				assert.Error(t, err)
			}
		}
	}
}

// allocated is the number of bytes that f allocates, including those freed since.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

func TestMemoryIsBoundedByTheFile(t *testing.T) {
	var many strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&many, `,"%x":{"dtype":"F4","shape":[],"data_offsets":[0,1]}`, i)
	}
	for name, b := range map[string][]byte{
		"long shape":   file(`{"a":{"dtype":"U8","shape":[`+strings.Repeat("0,", 1<<20)+`0],"data_offsets":[0,0]}}`, 0),
		"deep":         file(`{"a":`+strings.Repeat("[", 1<<20), 0),
		"many tensors": file("{"+many.String()[1:]+"}", 0),
		"claims":       binary.LittleEndian.AppendUint64(nil, safetensors.MaxHeader),
	} {
		used := allocated(func() {
			_, err := safetensors.Scan("", bytes.NewReader(b), int64(len(b)), func(safetensors.Entry) error { return nil })
			assert.True(t, sound(err))
		})
		t.Logf("%s: %d bytes for a file of %d", name, used, len(b))
		assert.Less(t, used, int64(16*len(b)+64<<10), name)
	}
}

func FuzzScan(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.bytes(f))
	}
	f.Add(sample(3, false))
	f.Add(sample(3, true))
	f.Add(file(`{"a":{`+good+`},"a":{`+good+`}}`, 8))
	f.Add(file(`{"__metadata__":{"format":"pt"},"\u00e9":{"dtype":"F6_E2M3","shape":[4,0],"data_offsets":[0,0]}}`, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := read(data)
		if err != nil {
			if !sound(err) {
				t.Fatalf("not a fault.Error with kind and path: %v", err)
			}
			return
		}
		// The tensors of a valid file cover it exactly, and the sums are right.
		var end, elements int64
		names := map[string]bool{}
		for _, x := range h.Tensors {
			if x.Begin != end || x.End < x.Begin || names[x.Name] {
				t.Fatalf("%+v after %d", x, end)
			}
			product := uint64(1)
			for _, dim := range x.Shape {
				product *= dim
			}
			if int64(product) != x.Elements || (x.End-x.Begin)*8 != x.Elements*int64(x.DType.Bits()) {
				t.Fatalf("%+v", x)
			}
			end, names[x.Name], elements = x.End, true, elements+x.Elements
		}
		if 8+h.HeaderBytes+end != int64(len(data)) || h.Total != (safetensors.Count{Tensors: len(h.Tensors), Elements: elements, Bytes: end}) {
			t.Fatalf("%+v of %d bytes", h.Summary, len(data))
		}
		// encoding/json finds the same tensors.
		var members map[string]json.RawMessage
		if err := json.Unmarshal(data[8:8+h.HeaderBytes], &members); err != nil {
			t.Fatal(err)
		}
		delete(members, "__metadata__")
		if len(members) != len(h.Tensors) {
			t.Fatalf("%d tensors of %d", len(h.Tensors), len(members))
		}
	})
}

// BenchmarkScan compares with its lower bound: reading the same bytes and scanning the
// JSON without interpreting it.
func BenchmarkScan(b *testing.B) {
	for _, tensors := range []int{10, 300, 5000} {
		data := sample(tensors, false)
		n := int(binary.LittleEndian.Uint64(data))
		bench := func(name string, data []byte, do func(*bytes.Reader) error) {
			b.Run(fmt.Sprintf("tensors=%d/%s", tensors, name), func(b *testing.B) {
				r := bytes.NewReader(data)
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					if err := do(r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		size := int64(len(data))
		buffer := make([]byte, n)
		bench("floor", data, func(r *bytes.Reader) error {
			if _, err := r.ReadAt(buffer, 8); err != nil {
				return err
			}
			s := jsonscan.New(buffer)
			_, err := s.Raw()
			return err
		})
		scan := func(r *bytes.Reader) error {
			_, err := safetensors.Scan("", r, size, func(safetensors.Entry) error { return nil })
			return err
		}
		bench("scan", data, scan)
		bench("backwards", sample(tensors, true), scan)
		bench("read", data, func(r *bytes.Reader) error {
			_, err := safetensors.Read("", r, size)
			return err
		})
	}
}
