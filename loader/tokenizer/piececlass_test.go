package tokenizer

import (
	"encoding/binary"
	"math"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
)

// pieceModel writes a Unigram ModelProto of these pieces, the unknown one first and
// control pieces in angle or square brackets.
func pieceModel(pieces ...string) []byte {
	field := func(number byte, value []byte) []byte {
		return append(binary.AppendUvarint([]byte{number<<3 | 2}, uint64(len(value))), value...)
	}
	var out []byte
	for i, text := range pieces {
		kind, score := byte(pieceNormal), float32(-1-i)
		switch {
		case i == 0:
			kind = pieceUnknown
		case text[0] == '<' || text[0] == '[':
			kind = pieceControl
		}
		p := append(field(1, []byte(text)), 2<<3|5)
		p = binary.LittleEndian.AppendUint32(p, math.Float32bits(score))
		out = append(out, field(1, append(p, 3<<3, kind))...)
	}
	return append(out, field(3, []byte{3 << 3, 1})...)
}

func classFS(class, more string, pieces ...string) fstest.MapFS {
	return fstest.MapFS{
		"m/spiece.model":          {Data: pieceModel(pieces...)},
		"m/tokenizer_config.json": {Data: []byte(`{"tokenizer_class":"` + class + `"` + more + `}`)},
	}
}

func TestALBERTPutsItsTokensAroundCleanedTexts(t *testing.T) {
	pieces := []string{"<unk>", "<pad>", "[CLS]", "[SEP]", "▁a", "▁cafe", "▁\"", "▁A"}
	tok, err := Load(classFS("AlbertTokenizer", "", pieces...), "m")
	require.NoError(t, err)
	ids, err := tok.IDs("A Café ``", true)
	require.NoError(t, err)
	assert.Equal(t, []uint32{2, 4, 5, 6, 3}, ids)
	pair, err := tok.EncodePair("a", "a", EncodeOptions{})
	require.NoError(t, err)
	assert.Equal(t, []uint32{2, 4, 3, 4, 3}, pair.IDs)
	assert.Equal(t, []uint32{0, 0, 0, 1, 1}, pair.TypeIDs)

	tok, err = Load(classFS("AlbertTokenizer", `,"do_lower_case":false`, pieces...), "m")
	require.NoError(t, err)
	ids, err = tok.IDs("A", false)
	require.NoError(t, err)
	assert.Equal(t, []uint32{7}, ids)
}

func TestXLNetPutsItsTokensBehindTexts(t *testing.T) {
	tok, err := Load(classFS("XLNetTokenizerFast", "", "<unk>", "<s>", "<cls>", "<sep>", "▁a", "▁b"), "m")
	require.NoError(t, err)
	e, err := tok.Encode("a", EncodeOptions{})
	require.NoError(t, err)
	assert.Equal(t, []uint32{4, 3, 2}, e.IDs)
	assert.Equal(t, []uint32{0, 0, 2}, e.TypeIDs)
	e, err = tok.EncodePair("a", "b", EncodeOptions{})
	require.NoError(t, err)
	assert.Equal(t, []uint32{4, 3, 5, 3, 2}, e.IDs)
	assert.Equal(t, []uint32{0, 0, 1, 1, 2}, e.TypeIDs)
}

func TestAClassWithoutTheTokensItPutsAroundIsAnError(t *testing.T) {
	_, err := Load(classFS("AlbertTokenizer", "", "<unk>", "▁a"), "m")
	assert.ErrorIs(t, err, BadVocabulary)
}

// The ids follow from the numbers of the pieces as each class has it.
func TestClassesThatRenumberTheirPieces(t *testing.T) {
	pieces := []string{"<unk>", "<s>", "</s>", "▁a", "▁b"}
	for class, want := range map[string][]uint32{
		"XLMRobertaTokenizer": {0, 4, 2}, "CamembertTokenizer": {5, 7, 6}, "XGLMTokenizer": {2, 4},
		"NllbTokenizer": {53, 4, 2}, "MBartTokenizer": {4, 2, 9}, "MBart50Tokenizer": {9, 4, 2},
		"BarthezTokenizer": {1, 3, 2},
	} {
		tok, err := Load(classFS(class, "", pieces...), "m")
		require.NoError(t, err, class)
		ids, err := tok.IDs("a", true)
		require.NoError(t, err, class)
		assert.Equal(t, want, ids, class)
	}
}

// The ids of these are not the numbers of the pieces; taking those would be wrong
// without a word.
func TestClassesThatNumberTokensTheirOwnWayAreRefused(t *testing.T) {
	for _, class := range []string{"M2M100Tokenizer", "PLBartTokenizer", "SeamlessM4TTokenizer", "Speech2TextTokenizerFast", "XLMProphetNetTokenizer"} {
		_, err := Load(classFS(class, "", "<unk>", "▁a"), "m")
		require.ErrorIs(t, err, fault.Unsupported, class)
		assert.Contains(t, fault.HintOf(err), "tokenizer.json")
	}
}

func TestFilesOfNamesWhatLoadReads(t *testing.T) {
	for _, c := range []struct{ there, read []string }{
		{[]string{"README.md", "model.safetensors", "special_tokens_map.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json"},
			[]string{"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"}},
		{[]string{"added_tokens.json", "merges.txt", "vocab.json"}, []string{"vocab.json", "merges.txt", "added_tokens.json"}},
		{[]string{"qwen.tiktoken"}, []string{"qwen.tiktoken"}},
		{[]string{"tokenizer_config.json"}, []string{"tokenizer_config.json"}},
		{[]string{"config.json"}, nil},
	} {
		assert.Equal(t, c.read, FilesOf(c.there))
	}
}

func TestNamedTokensWithoutAPlaceAreSaid(t *testing.T) {
	const file = `{"model":{"type":"WordLevel","vocab":{"a":0,"</s>":1},"unk_token":"a"},"added_tokens":[{"id":1,"content":"</s>","special":true,"single_word":false,"lstrip":false,"rstrip":false,"normalized":false}]}`
	for _, sides := range []string{
		`{"eos_token":"</s>","pad_token":"<pad>"}`,
		`{"eos_token":"</s>","pad_token":"<pad>","added_tokens_decoder":{}}`,
	} {
		tok, err := Load(fstest.MapFS{"m/tokenizer.json": {Data: []byte(file)}, "m/tokenizer_config.json": {Data: []byte(sides)}}, "m")
		require.NoError(t, err)
		require.Len(t, tok.Config().Unlisted, 1)
		assert.Equal(t, "<pad>", tok.Config().Unlisted[0].Content)
		assert.Equal(t, uint32(2), tok.Config().Unlisted[0].ID)
	}
}
