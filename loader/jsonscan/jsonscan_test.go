package jsonscan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
)

// members walks the top level of an object and gives its members in order.
func members(data string) (names, values []string, err error) {
	s := jsonscan.New([]byte(data))
	err = s.Object(func(name []byte) error {
		names = append(names, string(name))
		raw, err := s.Raw()
		values = append(values, string(raw))
		return err
	})
	if err == nil {
		err = s.End()
	}
	return names, values, err
}

func TestObjectGivesMembersInOrderWithDuplicates(t *testing.T) {
	names, values, err := members(` { "a" : [1, {"x":null}] ,"b":"q\"\u0041", "a": -1.5e+3 } `)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "a"}, names)
	assert.Equal(t, []string{`[1, {"x":null}]`, `"q\"\u0041"`, `-1.5e+3`}, values)
}

func TestTextIsUnescaped(t *testing.T) {
	for in, want := range map[string]string{
		`"plain"`:              "plain",
		`"\"\\\/\b\f\n\r\t"`:   "\"\\/\b\f\n\r\t",
		`"\u00e9\ud83d\ude00"`: "é😀",
		`"\ud83dx\ude00"`:      "\uFFFDx\uFFFD",
		`"\ud83d"`:             "\uFFFD",
		`""`:                   "",
		" \n\t\"spaced\"":      "spaced",
		`"日本\u0000"`:           "日本\x00",
	} {
		s := jsonscan.New([]byte(in))
		got, err := s.Text()
		require.NoError(t, err, in)
		assert.Equal(t, want, string(got), in)
	}
}

func TestPythonNumbersAndByteOrderMarkAreRecorded(t *testing.T) {
	s := jsonscan.New([]byte("\xEF\xBB\xBF[1, -Infinity, NaN]"))
	_, err := s.Raw()
	require.NoError(t, err)
	assert.True(t, s.BOM)
	assert.Equal(t, 7, s.NonFinite, "offsets count the byte order mark")

	s = jsonscan.New([]byte("[1]"))
	_, err = s.Raw()
	require.NoError(t, err)
	assert.Equal(t, -1, s.NonFinite)
}

func TestLoneSurrogatesAndDepthAreRecorded(t *testing.T) {
	for text, at := range map[string]int{
		`"\ud83d\ude00"`: -1, `"\u00e9"`: -1, `["a","b\ud83d"]`: 7, `"\ude00\ud83d"`: 1, `"\ud83d]ude00"`: 1, `"\ud83d\n"`: 1, `"\ud83d`: 1, "\xEF\xBB\xBF\"\\udfff\"": 4,
	} {
		s := jsonscan.New([]byte(text))
		_, _ = s.Raw()
		assert.Equal(t, at, s.LoneSurrogate, text)
	}
	for text, depth := range map[string]int{`1`: 0, `[]`: 1, `[1,[2,{"a":3}],4]`: 3, `{"a":[[{}]]}`: 4} {
		s := jsonscan.New([]byte(text))
		_, err := s.Raw()
		require.NoError(t, err)
		assert.Equal(t, depth, s.Deepest, text)
	}
}

func TestArrayAndKind(t *testing.T) {
	s := jsonscan.New([]byte(`["a", 1, null, true, {}, [], NaN]`))
	var kinds []string
	require.NoError(t, s.Array(func(i int) error {
		assert.Len(t, kinds, i)
		kinds = append(kinds, s.Kind().String())
		_, err := s.Raw()
		return err
	}))
	assert.Equal(t, []string{"a string", "a number", "null", "a boolean", "an object", "an array", "a number"}, kinds)
}

func TestErrorsHaveKindLineAndOffset(t *testing.T) {
	for in, want := range map[string]struct {
		kind   fault.Kind
		offset int64
		text   string
	}{
		"":                        {fault.NotJSON, 0, "end of the text"},
		"[]":                      {fault.NotJSON, 0, "expected an object"},
		`{"a":1`:                  {fault.Truncated, 6, "end of the object"},
		`{"a":"x`:                 {fault.Truncated, 7, "inside a string"},
		"{\"a\":1,\n  // no\n}":   {fault.NotJSON, 10, "line 2 column 3"},
		`{"a":1,}`:                {fault.NotJSON, 7, "expected a string"},
		`{"a" 1}`:                 {fault.NotJSON, 5, "expected a colon"},
		`{"a":01}`:                {fault.NotJSON, 6, "comma"},
		`{"a":1.}`:                {fault.NotJSON, 7, "digit after its point"},
		`{"a":1e}`:                {fault.NotJSON, 7, "exponent"},
		`{"a":tru}`:               {fault.NotJSON, 5, "expected true"},
		`{"a":+1}`:                {fault.NotJSON, 5, "expected a value"},
		`{"a":"\x"}`:              {fault.NotJSON, 6, "escape"},
		"{\"a\":\"\n\"}":          {fault.NotJSON, 6, "control character"},
		"{\"a\":\"\xff\"}":        {fault.NotJSON, 6, "UTF-8"},
		`{"a":1} x`:               {fault.NotJSON, 8, "goes on"},
		`{"a":` + deep(512) + `}`: {},
		`{"a":` + deep(513) + `}`: {fault.TooDeep, 5 + 512, "512 levels"},
	} {
		_, _, err := members(in)
		if want.kind == "" {
			assert.NoError(t, err, in)
			continue
		}
		var e *fault.Error
		if !assert.True(t, errors.As(err, &e), "%q: %v", in, err) {
			continue
		}
		assert.Equal(t, want.kind, e.Kind, "%q: %v", in, err)
		assert.Equal(t, want.offset, e.Offset, "%q: %v", in, err)
		assert.Contains(t, err.Error(), want.text, "%q", in)
	}
}

func deep(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func TestRawDoesNotAllocate(t *testing.T) {
	data := []byte(`{"a":[1,2,{"b":"c"}],"d":null,"e":"f"}`)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		s := jsonscan.New(data)
		if err := s.Object(func([]byte) error { _, err := s.Raw(); return err }); err != nil {
			t.Fatal(err)
		}
	}))
}

// FuzzRaw compares with encoding/json: we accept what it accepts, and texts that only
// we accept contain NaN or Infinity, or begin with a byte order mark.
func FuzzRaw(f *testing.F) {
	for _, seed := range []string{
		`{"architectures":["LlamaForCausalLM"],"model_type":"llama"}`, `[1,-2.5e-3,"\ud83d\ude00",null,true]`,
		`{"a":NaN}`, "\xEF\xBB\xBF{}", `{"a":{"a":[[]]}}`, `{"a":1,"a":2}`, ``, `"`, `[`, `{"a":"\u12`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := jsonscan.New(data)
		raw, err := s.Raw()
		if err == nil {
			err = s.End()
		}
		valid := json.Valid(data)
		switch {
		case err != nil:
			if fault.KindOf(err) == "" {
				t.Fatalf("an error without a kind: %v", err)
			}
			// encoding/json takes bytes that are not UTF-8, and deeper nesting.
			if valid && !strings.Contains(err.Error(), "UTF-8") && fault.KindOf(err) != fault.TooDeep {
				t.Fatalf("refused valid JSON %q: %v", data, err)
			}
		case !valid && s.NonFinite < 0 && !s.BOM:
			t.Fatalf("accepted %q", data)
		case !bytes.Contains(data, raw):
			t.Fatalf("%q is no part of %q", raw, data)
		}
	})
}

func BenchmarkConfig(b *testing.B) {
	data := []byte(`{"architectures":["LlamaForCausalLM"],"hidden_size":4096,"model_type":"llama","rope_scaling":{"factor":8.0,"type":"llama3"},"torch_dtype":"bfloat16","vocab_size":128256}`)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		s := jsonscan.New(data)
		if err := s.Object(func([]byte) error { _, err := s.Raw(); return err }); err != nil {
			b.Fatal(err)
		}
	}
}
