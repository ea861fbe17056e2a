package tokenizer

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
)

// must loads a tokenizer.json with these members.
func must(t testing.TB, members string) *Tokenizer {
	tok, err := fromJSON(fileTokenizer, []byte("{"+members+"}"))
	require.NoError(t, err)
	return tok
}

func TestLongWordsMergeInTheSameOrderAsShortOnes(t *testing.T) {
	tok := loadJSON(t, "testdata/llama2")
	m := tok.model.(*bpe)
	for _, v := range readVectors(t, "testdata/llama2/vectors.json").Vectors {
		var short, long symbols
		w := &scratch{budget: newBudget(len(v.Text))}
		require.NoError(t, m.characters(repair(v.Text), w))
		short.list = append(short.list, w.list...)
		long.list = append(long.list, w.list...)
		if len(short.list) < 2 {
			continue
		}
		short.mergeShort(m.merges)
		long.mergeLong(m.merges)
		require.Equal(t, short.appendTo(nil), long.appendTo(nil), "%q", v.Text)
	}
}

func TestOneWordOfAMillionCharactersIsMerged(t *testing.T) {
	tok := loadJSON(t, "testdata/llama2")
	ids, err := tok.IDs(strings.Repeat("abcdefghij", 100_000), false)
	require.NoError(t, err)
	assert.Greater(t, len(ids), 100_000)
}

func TestOverlappingAddedTokensAreFoundInLinearTime(t *testing.T) {
	long := strings.Repeat("a", 100_000)
	tok := must(t, `"added_tokens":[{"id":1,"content":"`+long+`b","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":false},
		{"id":2,"content":"aa","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":false}],
		"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0}}`)
	ids, err := tok.IDs(strings.Repeat("a", 1_000_001)+"c", false)
	require.NoError(t, err)
	assert.Len(t, ids, 500_001, "pairs of a, and a single one")
	ids, err = tok.IDs("c"+long+"b"+long+"b", false)
	require.NoError(t, err)
	assert.Equal(t, []uint32{0, 1, 1}, ids)
}

func TestForwardAndBackwardSearchAgree(t *testing.T) {
	var m matcher
	for i, s := range []string{"a", "ab", "abc", "bcd", "c", "aaab", "日本", "日", "本語"} {
		m.add(s, int32(i))
	}
	for _, s := range []string{"", "abcd", "aaaab", "aaac", "xbcdabcab", "日本語日", "cccc"} {
		var forward, backward []int
		m.each(s, func(a, b int, w int32) { forward = append(forward, a, b, int(w)) })
		m.eachBackward(s, 0, func(a, b int, w int32) { backward = append(backward, a, b, int(w)) })
		assert.Equal(t, forward, backward, s)
	}
}

func TestOverlappingVocabulariesHitALimit(t *testing.T) {
	long := strings.Repeat("a", 50_000)
	tok := must(t, `"model":{"type":"Unigram","unk_id":0,"vocab":[["u",0],["a",-1],["`+long+`",-2]]}`)
	_, err := tok.IDs(strings.Repeat("a", 100_000), false)
	assert.ErrorIs(t, err, fault.TooLarge)
	assert.NotEmpty(t, fault.HintOf(err))
}

func TestBacktrackingPatternsHitALimit(t *testing.T) {
	for _, regex := range []string{`(a*)*b`, `a*a*a*a*a*b`, `(?:a|aa)+$x`} {
		tok := must(t, `"pre_tokenizer":{"type":"Split","pattern":{"Regex":`+strconv.Quote(regex)+`},"behavior":"Isolated","invert":false},
			"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0}}`)
		_, err := tok.IDs(strings.Repeat("a", 3000), false)
		assert.ErrorIs(t, err, fault.TooLarge, regex)
	}
}

func TestHugePiecesHitALimit(t *testing.T) {
	tok := must(t, `"model":{"type":"BPE","vocab":{"a":0},"merges":[]}`)
	_, err := tok.IDs(strings.Repeat("a", maxWord+1), false)
	assert.ErrorIs(t, err, fault.TooLarge)
	assert.NotEmpty(t, fault.HintOf(err))
}

func TestHugeIDsTakeNoMemory(t *testing.T) {
	tok := must(t, `"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":4294967295,"a":7}}`)
	assert.Equal(t, int64(4294967295), tok.MaxID())
	s, ok := tok.Token(4294967295)
	assert.True(t, ok)
	assert.Equal(t, "u", s)
	_, ok = tok.Token(8)
	assert.False(t, ok)
}

func TestOverflowIsBounded(t *testing.T) {
	tok := must(t, `"pre_tokenizer":{"type":"FixedLength","length":1},"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0}}`)
	text := strings.Repeat("a", 100_000)
	_, err := tok.Encode(text, EncodeOptions{Truncation: &Truncation{MaxLength: 1000, Stride: 999, Strategy: LongestFirst}})
	assert.ErrorIs(t, err, fault.TooLarge)
	_, err = tok.Encode(text, EncodeOptions{Truncation: &Truncation{MaxLength: 10, Stride: 10, Strategy: LongestFirst}})
	assert.ErrorIs(t, err, fault.Malformed, "the parts would not advance")
	_, err = tok.Encode(text, EncodeOptions{Padding: &Padding{Length: math.MaxInt32}})
	assert.ErrorIs(t, err, fault.TooLarge)
	tok = must(t, `"truncation":{"max_length":1000,"stride":999,"strategy":"LongestFirst","direction":"Left"},"pre_tokenizer":{"type":"FixedLength","length":1},"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"b":1}}`)
	ids, err := tok.IDs(text+"b", false)
	require.NoError(t, err, "ids alone need no overflow")
	assert.Len(t, ids, 1000)
	assert.EqualValues(t, 1, ids[999])
}

// The parts are those of the Rust library 0.23.3.
func TestOverflowKeepsAllOfATextOfSeveralPieces(t *testing.T) {
	for _, c := range []struct {
		left   bool
		stride int
		want   [][]uint32
	}{
		{false, 0, [][]uint32{{1, 2}, {3, 4}, {5, 6}, {7, 8}}},
		{true, 0, [][]uint32{{7, 8}, {5, 6}, {3, 4}, {1, 2}}},
		{false, 1, [][]uint32{{1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 6}, {6, 7}, {7, 8}}},
	} {
		tok := must(t, `"pre_tokenizer":{"type":"WhitespaceSplit"},"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8}}`)
		e, err := tok.Encode("a b c d e f g h", EncodeOptions{Truncation: &Truncation{MaxLength: 2, Stride: c.stride, Strategy: LongestFirst, Left: c.left}})
		require.NoError(t, err)
		got := [][]uint32{e.IDs}
		for _, o := range e.Overflow {
			got = append(got, o.IDs)
		}
		assert.Equal(t, c.want, got)
	}
}

func TestOneTokenizerServesManyGoroutines(t *testing.T) {
	for _, dir := range configurations(t) {
		tok := loadJSON(t, dir)
		v := readVectors(t, dir+"/vectors.json").Vectors
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for _, x := range v[:min(60, len(v))] {
					ids, err := tok.IDs(x.Text, true)
					if assert.NoError(t, err) {
						assert.Equal(t, empty(x.IDs), empty(ids))
					}
					assert.Equal(t, x.Decoded, tok.Decode(x.Bare, false))
				}
			})
		}
		wg.Wait()
	}
}

func TestTextThatIsNotUTF8CountsAsTheRepairedText(t *testing.T) {
	for in, want := range map[string]string{
		"a\xffb":             "a\uFFFDb",
		"\xe2\x82":           "\uFFFD",
		"\xf0\x9f\x98x":      "\uFFFDx",
		"\xc0\xaf":           "\uFFFD\uFFFD",
		"\xed\xa0\x80":       "\uFFFD\uFFFD\uFFFD",
		"\xf5\x80\x80\x80ok": "\uFFFD\uFFFD\uFFFD\uFFFDok",
	} {
		assert.Equal(t, want, repair(in), "%q", in)
	}
}

// The token is a space that includes white space around it: every space of a run matches.
func TestTokensThatIncludeWhiteSpaceTakeLinearTime(t *testing.T) {
	for _, file := range []string{
		`{"added_tokens":[{"id":1,"content":" ","single_word":false,"lstrip":false,"rstrip":true,"normalized":false,"special":false}],"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}}`,
		`{"added_tokens":[{"id":1,"content":"\n","single_word":false,"lstrip":true,"rstrip":true,"normalized":false,"special":false},{"id":2,"content":"\t","single_word":false,"lstrip":true,"rstrip":true,"normalized":false,"special":false}],"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}}`,
	} {
		tok, err := fromJSON(fileTokenizer, []byte(file))
		require.NoError(t, err)
		for _, space := range []string{" ", "\t"} {
			ids, err := tok.IDs(strings.Repeat(space, 1<<20), true)
			require.NoError(t, err)
			assert.NotEmpty(t, ids)
		}
	}
}

func TestTextsThatBecomeTooLongAreRefused(t *testing.T) {
	double := strings.TrimSuffix(strings.Repeat(`{"type":"Replace","pattern":{"String":"a"},"content":"aa"},`, 29), ",")
	const model = `"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}`
	for name, file := range map[string]string{
		"normalizer":   `{"normalizer":{"type":"Sequence","normalizers":[` + double + `]},` + model + `}`,
		"bytes":        `{"normalizer":{"type":"Sequence","normalizers":[` + strings.TrimSuffix(strings.Repeat(`{"type":"ByteLevel"},`, 40), ",") + `]},` + model + `}`,
		"prepended":    `{"normalizer":{"type":"Prepend","prepend":"` + strings.Repeat("x", 1<<20) + `"},` + model + `}`,
		"fixed length": `{"padding":{"strategy":{"Fixed":16777216},"direction":"Right","pad_to_multiple_of":null,"pad_id":0,"pad_type_id":0,"pad_token":"a"},` + model + `}`,
		"overflow":     `{"truncation":{"direction":"Right","max_length":1,"strategy":"LongestFirst","stride":0},"padding":{"strategy":{"Fixed":65536},"direction":"Right","pad_to_multiple_of":null,"pad_id":0,"pad_type_id":0,"pad_token":"a"},"model":{"type":"BPE","vocab":{"a":0," ":1,"é":2},"merges":[]}}`,
	} {
		tok, err := fromJSON(fileTokenizer, []byte(file))
		require.NoError(t, err, name)
		_, err = tok.Encode("aé "+strings.Repeat("a ", 500), EncodeOptions{})
		assert.Equal(t, fault.TooLarge, fault.KindOf(err), name)
		assert.NotEmpty(t, fault.HintOf(err), name)
	}
	tok, err := fromJSON(fileTokenizer, []byte(`{"decoder":{"type":"Sequence","decoders":[`+double+`]},`+model+`}`))
	require.NoError(t, err)
	_, err = tok.DecodeText([]uint32{0}, false)
	assert.Equal(t, fault.TooLarge, fault.KindOf(err))

	// The normalized forms of added tokens are computed when the file is loaded.
	var added []string
	for i := range 500 {
		added = append(added, fmt.Sprintf(`{"id":%d,"content":"t%d","single_word":false,"lstrip":false,"rstrip":false,"normalized":true,"special":false}`, i+1, i))
	}
	_, err = fromJSON(fileTokenizer, []byte(`{"normalizer":{"type":"Prepend","prepend":"`+strings.Repeat("x", 100_000)+`"},"added_tokens":[`+strings.Join(added, ",")+`],`+model+`}`))
	assert.Equal(t, fault.TooLarge, fault.KindOf(err))
}

// The time limit of the backtracking engine is for the whole call, for any number of
// pieces.
func TestPatternsThatBacktrackAreBoundedForTheWholeCall(t *testing.T) {
	tok, err := fromJSON(fileTokenizer, []byte(`{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Split","pattern":{"Regex":"(a+)+b"},"behavior":"Isolated","invert":false}]},"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}}`))
	require.NoError(t, err)
	_, err = tok.IDs(strings.Repeat(strings.Repeat("a", 19)+" ", 100), true)
	assert.Equal(t, fault.TooLarge, fault.KindOf(err))
}

func TestOfTwoTokensWithTheSameFormTheFirstIsMatched(t *testing.T) {
	tok, err := fromJSON(fileTokenizer, []byte(`{"normalizer":{"type":"Lowercase"},"added_tokens":[{"id":1,"content":"<t>","single_word":false,"lstrip":false,"rstrip":false,"normalized":true,"special":false},{"id":2,"content":"<T>","single_word":false,"lstrip":false,"rstrip":false,"normalized":true,"special":false}],"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}}`))
	require.NoError(t, err)
	ids, err := tok.IDs("<t><T>", true)
	require.NoError(t, err)
	assert.Equal(t, []uint32{1, 1}, ids)
}

// The characters that a step may begin with are computed once, for any number of branches
// that lead to it.
func TestPatternsOfManyBranchesLoadAtOnce(t *testing.T) {
	tok, err := fromJSON(fileTokenizer, []byte(`{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"`+strings.Repeat("(?:a?|b?)", 60)+`z"},"behavior":"Isolated","invert":false},"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}}`))
	require.NoError(t, err)
	_, err = tok.IDs("z", true) // matching exceeds a limit
	assert.Equal(t, fault.TooLarge, fault.KindOf(err))
}

func TestComponentsNestedTooDeepAreRefused(t *testing.T) {
	deep := strings.Repeat(`{"type":"Sequence","normalizers":[`, 60) + `{"type":"Lowercase"}` + strings.Repeat("]}", 60)
	_, err := fromJSON(fileTokenizer, []byte(`{"normalizer":`+deep+`,"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}}`))
	assert.Equal(t, fault.TooLarge, fault.KindOf(err))
	_, err = fromJSON(fileTokenizer, []byte(`{"normalizer":{"type":"Replace","pattern":{"String":"`+strings.Repeat(`[\"`, 99)+`"},"content":""},"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}}`))
	assert.NoError(t, err, "brackets in strings do not count")
}

func TestManyTokensOfSideFilesArePlacedAtOnce(t *testing.T) {
	var extra []string
	for i := range 20_000 {
		extra = append(extra, fmt.Sprintf(`"<extra_%d>"`, i))
	}
	tok, err := Load(fstest.MapFS{"m/tokenizer.model": {Data: []byte("YQ== 0\nYg== 1\n")},
		"m/tokenizer_config.json": {Data: []byte(`{"extra_special_tokens":[` + strings.Join(extra, ",") + `]}`)}}, "m")
	require.NoError(t, err)
	id, ok := tok.TokenID("<extra_19999>")
	assert.True(t, ok)
	assert.EqualValues(t, 20_001, id)
}

func TestVocabularyWithoutItsMergesIsRefused(t *testing.T) {
	for name, config := range map[string]string{"class": `{"tokenizer_class":"GPT2Tokenizer"}`, "no class": `{}`} {
		_, err := Load(fstest.MapFS{"m/vocab.json": {Data: []byte(`{"he":0,"llo":1,"wor":2,"a":3}`)}, "m/tokenizer_config.json": {Data: []byte(config)}}, "m")
		require.ErrorIs(t, err, fault.Incomplete, name)
		assert.Contains(t, err.Error(), "merges.txt", name)
	}
}
