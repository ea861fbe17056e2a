package tokenizer

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
)

// only returns a directory with some files of a configuration.
func only(t testing.TB, dir string, names ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join("testdata", dir, name))
		require.NoError(t, err)
		fsys["m/"+name] = &fstest.MapFile{Data: data}
	}
	return fsys
}

func files(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys["m/"+pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fsys
}

// agreement counts the vectors for which a tokenizer returns the right ids.
func agreement(t testing.TB, tok *Tokenizer, dir string) (right, all int, first string) {
	for _, v := range readVectors(t, filepath.Join("testdata", dir, "vectors.json")).Vectors {
		ids, err := tok.IDs(v.Text, true)
		require.NoError(t, err)
		if all++; slices.Equal(ids, v.IDs) {
			right++
		} else if first == "" {
			first = fmt.Sprintf("%q: %v, want %v", v.Text, ids, v.IDs)
		}
	}
	return right, all, first
}

func TestLoadReadsOlderFormats(t *testing.T) {
	for _, c := range []struct {
		dir   string
		files []string
		kind  string
		may   int // texts that the C++ library itself encodes differently from tokenizer.json
	}{
		{"gpt2", []string{"vocab.json", "merges.txt", "tokenizer_config.json"}, "BPE", 0},
		{"bert_uncased", []string{"vocab.txt", "tokenizer_config.json"}, "WordPiece", 0},
		{"llama2", []string{"tokenizer.model", "tokenizer_config.json"}, "BPE", 9},
		{"gemma", []string{"tokenizer.model", "tokenizer_config.json"}, "BPE", 6},
		{"t5", []string{"spiece.model", "tokenizer_config.json"}, "Unigram", 2},
	} {
		t.Run(c.dir, func(t *testing.T) {
			tok, err := Load(only(t, c.dir, c.files...), "m")
			require.NoError(t, err)
			assert.Equal(t, c.kind, tok.Kind())
			assert.Equal(t, c.files[0], tok.Config().Files[0])
			right, all, first := agreement(t, tok, c.dir)
			assert.LessOrEqual(t, all-right, c.may, first)
		})
	}
}

func TestLoadAppliesSideFilesToTokenizerJSON(t *testing.T) {
	fsys := only(t, "gpt2", "tokenizer.json")
	fsys["m/tokenizer_config.json"] = &fstest.MapFile{Data: []byte(`{"tokenizer_class":"GPT2Tokenizer","add_prefix_space":true,
		"bos_token":{"__type":"AddedToken","content":"<|endoftext|>","lstrip":false,"normalized":true,"rstrip":false,"single_word":false},
		"pad_token":"<pad>","chat_template":[{"name":"tool","template":"x"},{"name":"default","template":"inline"}],
		"added_tokens_decoder":{"1156":{"content":"<|endoftext|>","lstrip":true,"normalized":false,"rstrip":false,"single_word":false,"special":true},
		"1157":{"content":"<new>","lstrip":false,"normalized":false,"rstrip":false,"single_word":false,"special":false}},"extra_special_tokens":{"image_token":"<image>"}}`)}
	fsys["m/special_tokens_map.json"] = &fstest.MapFile{Data: []byte(`{"pad_token":"[IGNORED]","eos_token":"<|endoftext|>"}`)}
	tok, err := Load(fsys, "m")
	require.NoError(t, err)
	c := tok.Config()
	assert.Equal(t, "GPT2Tokenizer", c.Class)
	assert.Equal(t, "<pad>", c.Roles["pad_token"], "with an added_tokens_decoder the config has precedence over the map")
	assert.Equal(t, "<|endoftext|>", c.Roles["eos_token"])
	assert.Equal(t, "inline", c.ChatTemplate)
	id, ok := tok.TokenID("<image>")
	require.True(t, ok)
	assert.EqualValues(t, 1159, id, "after <new> and <pad>")
	ids, err := tok.IDs("a  <|endoftext|><new>", false)
	require.NoError(t, err)
	space, _ := tok.TokenID("Ġa")
	assert.Equal(t, []uint32{space, 1156, 1157}, ids, "prefix space, lstrip and the new token")
	pad, ok := tok.PadToken()
	require.True(t, ok)
	assert.Equal(t, PadToken{"<pad>", 1158, "tokenizer_config.json"}, pad)

	fsys["m/chat_template.jinja"] = &fstest.MapFile{Data: []byte("own file")}
	tok, err = Load(fsys, "m")
	require.NoError(t, err)
	assert.Equal(t, "own file", tok.Config().ChatTemplate)
	assert.Equal(t, "chat_template.jinja", tok.Config().TemplateSource)
}

func TestSourceOfThePadToken(t *testing.T) {
	base := `{"version":"1.0","added_tokens":[],"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"p":1,"e":2,"[PAD]":3}}`
	for _, c := range []struct {
		padding, config, special string
		want                     PadToken
	}{
		{``, `{"pad_token":"p"}`, `{"pad_token":"e"}`, PadToken{"e", 2, "special_tokens_map.json"}},
		{``, `{"pad_token":"p","added_tokens_decoder":{}}`, `{"pad_token":"e"}`, PadToken{"p", 1, "tokenizer_config.json"}},
		{``, `{"pad_token":"","added_tokens_decoder":{}}`, `{"pad_token":"e"}`, PadToken{"e", 2, "special_tokens_map.json"}},
		{`"strategy":"BatchLongest","direction":"Right","pad_id":1,"pad_type_id":0,"pad_token":"p"`, `{"pad_token":null}`, `{}`, PadToken{"p", 1, "tokenizer.json"}},
		{``, `{"tokenizer_class":"BertTokenizerFast"}`, `{}`, PadToken{"[PAD]", 3, "tokenizer_class BertTokenizerFast"}},
		{``, `{"eos_token":"e"}`, `{}`, PadToken{"e", 2, "eos_token"}},
		{``, `{"pad_token":"new"}`, `{}`, PadToken{"new", 4, "tokenizer_config.json"}},
		{``, `{}`, `{}`, PadToken{"", -1, ""}},
	} {
		file := base + "}"
		if c.padding != "" {
			file = base + `,"padding":{` + c.padding + `}}`
		}
		tok, err := Load(files("tokenizer.json", file, "tokenizer_config.json", c.config, "special_tokens_map.json", c.special), "m")
		require.NoError(t, err)
		pad, ok := tok.PadToken()
		assert.Equal(t, c.want, pad, c.config)
		assert.Equal(t, c.want.Token != "", ok)
	}
}

func TestErrorsOfLoad(t *testing.T) {
	for name, c := range map[string]struct {
		fsys fstest.MapFS
		kind fault.Kind
		path string
	}{
		"nothing":           {files("README.md", "x"), fault.NotFound, "m"},
		"empty":             {files("tokenizer.json", ""), fault.Empty, "m/tokenizer.json"},
		"lfs":               {files("tokenizer.json", "version https://git-lfs.github.com/spec/v1\n"), fault.LFSPointer, "m/tokenizer.json"},
		"page":              {files("tokenizer.json", "\n<!DOCTYPE html><p>"), fault.HTMLPage, "m/tokenizer.json"},
		"cut":               {files("tokenizer.json", `{"version":"1.0","model":{"type":"BPE"`), fault.Truncated, "m/tokenizer.json"},
		"broken config":     {files("tokenizer.json", "{}", "tokenizer_config.json", "[]"), fault.WrongType, "m/tokenizer_config.json"},
		"no model":          {files("tokenizer.json", `{"version":"1.0"}`), MissingField, "m/tokenizer.json"},
		"not sentencepiece": {files("tokenizer.model", "\xff\xff\xff"), fault.Malformed, "m/tokenizer.model"},
		"a directory":       {fstest.MapFS{"m/tokenizer.json/x": {Data: []byte("x")}}, fault.NotAFile, "m/tokenizer.json"},
		"camembert":         {fstest.MapFS{"m/sentencepiece.bpe.model": only(t, "llama2", "tokenizer.model")["m/tokenizer.model"], "m/tokenizer_config.json": {Data: []byte(`{"tokenizer_class":"PLBartTokenizer"}`)}}, fault.Unsupported, "m/sentencepiece.bpe.model"},
	} {
		_, err := Load(c.fsys, "m")
		assert.Equal(t, c.kind, fault.KindOf(err), "%s: %v", name, err)
		assert.Equal(t, c.path, fault.PathOf(err), "%s: %v", name, err)
	}
	_, err := Load(fstest.MapFS{}, "nowhere")
	assert.ErrorIs(t, err, fault.NotFound)
}

func TestUnknownComponentsAreNamedWithTheirPlace(t *testing.T) {
	model := `"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0}}`
	for _, c := range []struct {
		file string
		kind fault.Kind
		text string
	}{
		{`{"normalizer":{"type":"Magic"},` + model + `}`, UnknownComponent, `byte 22: normalizer "Magic" is none of`},
		{`{"normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"NFX"}]},` + model + `}`, UnknownComponent, `"NFX"`},
		{`{"pre_tokenizer":{"type":"Magic"},` + model + `}`, UnknownComponent, `pre_tokenizer "Magic"`},
		{`{"post_processor":{"type":"Magic","sep":["a",1],"cls":["a",1]},` + model + `}`, UnknownComponent, `post_processor "Magic"`},
		{`{"decoder":{"type":"Magic"},` + model + `}`, UnknownComponent, `decoder "Magic"`},
		{`{"model":{"type":"Magic"}}`, UnknownComponent, `model "Magic"`},
		{`{"extra":1,` + model + `}`, UnknownComponent, `"extra"`},
		{`{"version":"2.0",` + model + `}`, fault.Unsupported, `version "2.0"`},
		{`{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated","invert":false},` + model + `}`, BadPattern, `group without an end`},
		{`{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"\\p{Klingon}"},"behavior":"Isolated","invert":false},` + model + `}`, BadPattern, `"Klingon"`},
		{`{"pre_tokenizer":{"type":"Split","pattern":{"String":"x"},"behavior":"Glued","invert":false},` + model + `}`, UnknownComponent, `"Glued"`},
		{`{"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true},` + model + `}`, MissingField, `"trim_offsets"`},
		{`{"truncation":{"max_length":3,"strategy":"LongestFirst"},` + model + `}`, MissingField, `"stride"`},
		{`{"added_tokens":[{"id":1,"content":"x","single_word":false,"lstrip":false,"rstrip":false,"special":false}],` + model + `}`, MissingField, `"normalized"`},
		{`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}`, BadVocabulary, `"b" is not in the vocabulary`},
		{`{"model":{"type":"BPE","vocab":{"a":0}}}`, MissingField, `"merges"`},
		{`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a"]}}`, BadVocabulary, `two tokens`},
		{`{"model":{"type":"WordLevel","unk_token":"u","vocab":{"a":-1}}}`, fault.WrongType, `the id of "a"`},
		{`{"model":{"type":"Unigram","unk_id":1,"vocab":[["a",0]]}}`, BadVocabulary, `unk_id 1`},
		{`{"model":{"type":"Unigram","unk_id":0,"vocab":[["a"]]}}`, fault.WrongType, `[text, score]`},
		{`{"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x","type_id":0}}],"pair":[],"special_tokens":{}},` + model + `}`, MissingField, `"x"`},
	} {
		_, err := fromJSON(fileTokenizer, []byte(c.file))
		assert.Equal(t, c.kind, fault.KindOf(err), "%s: %v", c.file, err)
		assert.ErrorContains(t, err, c.text, c.file)
		assert.ErrorContains(t, err, "byte ", c.file)
	}
}

// ranks builds a tiktoken file: the bytes, then the tokens of the merges of a byte-level
// vocabulary.
func ranks(t testing.TB, dir string) (file []byte, tokens [][]byte) {
	tok := loadJSON(t, dir)
	var b strings.Builder
	m := tok.model.(*bpe)
	for id := range uint32(m.vocab.count) {
		text, ok := m.vocab.token(id)
		require.True(t, ok)
		var raw []byte
		for _, r := range string(text) {
			raw = append(raw, byte(charByte(r)))
		}
		tokens = append(tokens, raw)
		fmt.Fprintf(&b, "%s %d\n", base64.StdEncoding.EncodeToString(raw), id)
	}
	return []byte(b.String()), tokens
}

func TestTiktokenRanksGiveTheIDsOfTheSameVocabulary(t *testing.T) {
	file, _ := ranks(t, "testdata/llama3")
	special := loadJSON(t, "testdata/llama3").AddedTokens()
	tok, err := fromTiktoken("tokenizer.model", file, "llama3", special)
	require.NoError(t, err)
	for _, v := range readVectors(t, "testdata/llama3/vectors.json").Vectors {
		ids, err := tok.IDs(v.Text, false)
		require.NoError(t, err)
		require.Equal(t, empty(v.Bare), empty(ids), "%q", v.Text)
		require.Equal(t, v.Decoded, tok.Decode(v.Bare, false))
	}
	config := `{"added_tokens_decoder":{"1156":{"content":"<|begin_of_text|>","special":true,"normalized":false}},"bos_token":"<|begin_of_text|>"}`
	tok, err = Load(files("tokenizer.model", string(file), "tokenizer_config.json", config), "m")
	require.NoError(t, err)
	ids, err := tok.IDs("<|begin_of_text|>the", true)
	require.NoError(t, err)
	assert.EqualValues(t, 1156, ids[0])
	_, err = fromTiktoken("tokenizer.model", []byte("IQ== 0\nnot base64 1\n"), "llama3", nil)
	assert.ErrorContains(t, err, "byte 7")
}

func TestTekkenPutsSpecialTokensFirst(t *testing.T) {
	_, tokens := ranks(t, "testdata/llama3")
	type entry struct {
		Rank  int    `json:"rank"`
		Bytes string `json:"token_bytes"`
	}
	var vocab []entry
	for i, b := range tokens {
		vocab = append(vocab, entry{i, base64.StdEncoding.EncodeToString(b)})
	}
	file, err := json.Marshal(map[string]any{
		"config": map[string]any{"pattern": splitPatterns()["llama3"][0], "default_vocab_size": len(tokens) + 10, "default_num_special_tokens": 10, "version": "v7"},
		"vocab":  vocab, "special_tokens": []map[string]any{{"rank": 1, "token_str": "<s>", "is_control": true}},
	})
	require.NoError(t, err)
	tok, err := Load(files("tekken.json", string(file)), "m")
	require.NoError(t, err)
	for _, v := range readVectors(t, "testdata/llama3/vectors.json").Vectors {
		if strings.Contains(v.Text, "<") {
			continue
		}
		ids, err := tok.IDs(v.Text, false)
		require.NoError(t, err)
		var want []uint32
		for _, id := range v.Bare {
			want = append(want, id+10)
		}
		require.Equal(t, empty(want), empty(ids), "%q", v.Text)
	}
	id, ok := tok.TokenID("<s>")
	assert.True(t, ok)
	assert.EqualValues(t, 1, id)
	assert.Equal(t, len(tokens)+10, tok.VocabSize())
}

func TestCTCVocabulary(t *testing.T) {
	tok, err := Load(files("vocab.json", `{"<pad>":0,"<s>":1,"</s>":2,"<unk>":3,"|":4,"A":5,"B":6}`, "tokenizer_config.json", `{"tokenizer_class":"Wav2Vec2CTCTokenizer","do_lower_case":true}`), "m")
	require.NoError(t, err)
	ids, err := tok.IDs("ab b!", true)
	require.NoError(t, err)
	assert.Equal(t, []uint32{5, 6, 4, 6, 3}, ids)
	assert.Equal(t, "ab b", tok.Decode([]uint32{5, 5, 0, 6, 4, 4, 6, 0}, true))
}

func TestByteLevelModelsNeedNoFile(t *testing.T) {
	tok, err := Load(files("tokenizer_config.json", `{"tokenizer_class":"ByT5Tokenizer"}`), "m")
	require.NoError(t, err)
	assert.Equal(t, 384, tok.VocabSize())
	ids, err := tok.IDs("hé", true)
	require.NoError(t, err)
	assert.Equal(t, []uint32{'h' + 3, 0xC3 + 3, 0xA9 + 3, 1}, ids)
	assert.Equal(t, "hé", tok.Decode(ids, true))
	tok, ok, err := forClass("PerceiverTokenizer", -1)
	require.NoError(t, err)
	require.True(t, ok)
	ids, err = tok.IDs("a", true)
	require.NoError(t, err)
	assert.Equal(t, []uint32{4, 'a' + 6, 5}, ids)
}

// ggufOf returns the keys that a converter writes for a configuration.
func ggufOf(t testing.TB, dir, model, pre string) GGUF {
	tok := loadJSON(t, dir)
	g := GGUF{Path: dir + ".gguf", Model: model, Pre: pre}
	for id := range uint32(tok.MaxID() + 1) {
		s, _ := tok.Token(id)
		kind := int32(pieceNormal)
		if at, ok := tok.added.byID[id]; ok {
			kind = pieceUserDefined
			if tok.added.tokens[at].Special {
				kind = pieceControl
			}
		} else if _, isByte := byteToken(s); isByte && model == "llama" {
			kind = pieceByte
		}
		g.Tokens, g.Types = append(g.Tokens, s), append(g.Types, kind)
	}
	return g
}

func TestGGUFKeysGiveTheIDsOfTheSameVocabulary(t *testing.T) {
	g := ggufOf(t, "testdata/llama3", "gpt2", "llama-bpe")
	var file struct {
		Model struct {
			Merges []string
			Vocab  map[string]uint32
		}
	}
	data, err := os.ReadFile("testdata/llama3/tokenizer.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &file))
	g.Merges = file.Model.Merges
	bos, yes := uint32(1156), true
	g.BOS, g.AddBOS = &bos, &yes
	tok, err := FromGGUF(g)
	require.NoError(t, err)
	right, all, first := agreement(t, tok, "llama3")
	assert.Equal(t, all, right, first)
	assert.Equal(t, "<|begin_of_text|>", tok.Config().Roles["bos_token"])

	sp, err := os.ReadFile("testdata/llama2/tokenizer.model")
	require.NoError(t, err)
	m, err := parseSentencePiece("x", sp)
	require.NoError(t, err)
	g = GGUF{Model: "llama"}
	for _, p := range m.pieces {
		g.Tokens, g.Scores, g.Types = append(g.Tokens, p.text), append(g.Scores, p.score), append(g.Types, int32(p.kind))
	}
	bos, eos := uint32(1), uint32(2)
	g.BOS, g.EOS = &bos, &eos
	tok, err = FromGGUF(g)
	require.NoError(t, err)
	model, err := Load(only(t, "llama2", "tokenizer.model", "tokenizer_config.json"), "m")
	require.NoError(t, err)
	for _, v := range readVectors(t, "testdata/llama2/vectors.json").Vectors {
		want, err := model.IDs(v.Text, true)
		require.NoError(t, err)
		got, err := tok.IDs(v.Text, true)
		require.NoError(t, err)
		require.Equal(t, want, got, "%q", v.Text)
	}

	g.Pre, g.Model = "no such thing", "gpt2"
	_, err = FromGGUF(g)
	assert.ErrorIs(t, err, UnknownComponent)
	g.Scores = g.Scores[1:]
	_, err = FromGGUF(g)
	assert.ErrorIs(t, err, BadVocabulary)
}

func TestGGUFKeysThatAreMissingOrInvalidHaveDefaults(t *testing.T) {
	id := func(n uint32) *uint32 { return &n }
	pieces := []string{"<unk>", "<s>", "</s>", "a", "b", "ab"}
	merges := []string{"a b"}
	words := make([]string, 104)
	for i := range words {
		words[i] = "▁w" + strconv.Itoa(i)
	}
	words[100], words[101], words[102] = "[UNK]", "[CLS]", "[SEP]"
	off := false
	for name, c := range map[string]struct {
		g    GGUF
		text string
		want []uint32
	}{
		"llama, no ids":          {GGUF{Model: "llama", Tokens: pieces, Scores: make([]float32, len(pieces)), AddSpacePrefix: &off}, "a", []uint32{1, 3}},
		"llama, id beyond":       {GGUF{Model: "llama", Tokens: pieces, Scores: make([]float32, len(pieces)), AddSpacePrefix: &off, BOS: id(99), Unknown: id(77), Pad: id(55)}, "a", []uint32{1, 3}},
		"bert":                   {GGUF{Model: "bert", Tokens: words}, "w7", []uint32{101, 7, 102}},
		"BPE that begins a text": {GGUF{Model: "gpt2", Pre: "llama-bpe", Tokens: pieces, Merges: merges, BOS: id(1)}, "a", []uint32{1, 3}},
		"the same, said not to":  {GGUF{Model: "gpt2", Pre: "llama-bpe", Tokens: pieces, Merges: merges, BOS: id(1), AddBOS: &off}, "a", []uint32{3}},
		"BPE that does not":      {GGUF{Model: "gpt2", Pre: "qwen2", Tokens: pieces, Merges: merges, BOS: id(1)}, "a", []uint32{3}},
		"BPE without the id":     {GGUF{Model: "gpt2", Pre: "lfm2", Tokens: pieces, Merges: merges}, "a", []uint32{3}},
		"pattern of another":     {GGUF{Model: "gpt2", Pre: "modern-bert", Tokens: pieces, Merges: merges, BOS: id(1)}, "a", []uint32{3}},
	} {
		tok, err := FromGGUF(c.g)
		require.NoError(t, err, name)
		ids, err := tok.IDs(c.text, true)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, ids, name)
		assert.NotContains(t, tok.Config().Roles, "pad_token", name)
	}
}

// Some models take a word that is a token as a whole, although no merges produce it.
func TestGGUFPreTokenizersHaveOptions(t *testing.T) {
	g := GGUF{Model: "gpt2", Tokens: []string{"a", "b", "c", "ab", "abc"}, Merges: []string{"a b"}}
	for pre, want := range map[string][]uint32{"falcon-h1": {4}, "minicpm5": {4}, "gpt-4o": {3, 2}, "llama4": {3, 2}, "exaone4": {3, 2}} {
		g.Pre = pre
		tok, err := FromGGUF(g)
		require.NoError(t, err, pre)
		ids, err := tok.IDs("abc", false)
		require.NoError(t, err, pre)
		assert.Equal(t, want, ids, pre)
	}
	for name, h := range ggufPre() {
		assert.Contains(t, splitPatterns(), h.pattern, name)
	}
}

func TestSplitPatternTableIsSortedAndCompiles(t *testing.T) {
	last := ""
	for _, f := range rows(splitPatternsTSV) {
		require.Len(t, f, 2, f)
		assert.LessOrEqual(t, last, f[0], "sorted in byte order")
		last = f[0]
		if f[1] == "digits" || f[1] == "gpt2" {
			continue
		}
		p, err := newRegex(f[1])
		require.NoError(t, err, f[0])
		assert.NotNil(t, p.prog, "%s needs the backtracking engine", f[0])
	}
	for _, table := range []string{ggufPreTSV, classTokensTSV, modelTokenizersTSV, sentencePieceClassesTSV} {
		last := ""
		for _, f := range rows(table) {
			assert.Less(t, last, f[0])
			last = f[0]
		}
	}
}
