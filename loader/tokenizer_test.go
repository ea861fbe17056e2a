package loader_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/fault"
)

const smallBPE = `{"version":"1.0","truncation":null,"padding":null,
	"added_tokens":[{"id":5,"content":"<|endoftext|>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
	"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"<p>":3,"c":4},"merges":["a b"]}}`

func tokenizerOf(t *testing.T, files map[string]string, options ...loader.Option) *answer.TokenizerInfo {
	t.Helper()
	tok, err := loader.New(options...).Tokenizer(treeFS(files), "m")
	require.NoError(t, err)
	return tok
}

func TestTokenizerTypes(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		typ   string
		size  int
	}{
		"BPE":              {map[string]string{"m/tokenizer.json": smallBPE}, "BPE", 6},
		"untagged BPE":     {map[string]string{"m/tokenizer.json": `{"model":{"vocab":{"a":0},"merges":[]}}`}, "BPE", 1},
		"WordPiece":        {map[string]string{"m/tokenizer.json": `{"model":{"type":"WordPiece","vocab":{"[PAD]":0}}}`}, "WordPiece", 1},
		"old WordPiece":    {map[string]string{"m/tokenizer.json": `{"model":{"vocab":{"[PAD]":0},"max_input_chars_per_word":100}}`}, "WordPiece", 1},
		"WordLevel":        {map[string]string{"m/tokenizer.json": `{"model":{"vocab":{"x":9},"unk_token":"x"}}`}, "WordLevel", 10},
		"Unigram":          {map[string]string{"m/tokenizer.json": `{"model":{"vocab":[["<unk>",0],["a",-1.5],["b",-2]],"unk_id":0}}`}, "Unigram", 3},
		"vocab and merges": {map[string]string{"m/vocab.json": `{"a":0,"b":1,"ab":2}`, "m/merges.txt": "#version: 0.2\na b"}, "BPE", 3},
		"characters":       {map[string]string{"m/vocab.json": `{"a":0,"|":4}`}, "CTC", 5},
		"words":            {map[string]string{"m/vocab.txt": "[PAD]\n[UNK]\nthe\n"}, "WordPiece", 3},
		"tekken":           {map[string]string{"m/tekken.json": `{"config":{"pattern":".","default_vocab_size":131072,"default_num_special_tokens":1000},"vocab":[{"rank":0,"token_bytes":"YQ=="},{"rank":299,"token_bytes":"YWE="}]}`}, "tekken", 1300},
	} {
		tok := tokenizerOf(t, c.files)
		assert.Equal(t, c.typ, tok.Type, name)
		if assert.NotNil(t, tok.VocabSize, name) {
			assert.Equal(t, c.size, *tok.VocabSize, name)
		}
		assert.Equal(t, answer.OriginCheckpoint, tok.Origin)
	}
}

func TestTokenizerModelIsSentencePieceOrTiktoken(t *testing.T) {
	for content, want := range map[string]string{
		"\n\x0e\n\x05<unk>\x15\x00\x00\x00\x00\x18\x02": "SentencePiece",
		"IQ== 0\nIg== 1\n": "tiktoken",
	} {
		assert.Equal(t, want, tokenizerOf(t, map[string]string{"m/tokenizer.model": content}).Type)
	}
}

func TestBrokenTokenizerIsAnErrorAndNotReplaced(t *testing.T) {
	for name, c := range map[string]struct {
		file, content string
		kind          fault.Kind
	}{
		"cut":           {"tokenizer.json", smallBPE[:90], fault.Truncated},
		"no JSON":       {"tokenizer.json", "hello", fault.NotJSON},
		"empty":         {"tokenizer.json", "", fault.Empty},
		"pointer":       {"tokenizer.json", "version https://git-lfs.github.com/spec/v1\n", fault.LFSPointer},
		"model pointer": {"tokenizer.model", "version https://git-lfs.github.com/spec/v1\n", fault.LFSPointer},
		"page":          {"tokenizer.model", "<!DOCTYPE html>", fault.HTMLPage},
		"junk":          {"tokenizer.model", "\x80\x04junk", fault.Malformed},
		"config":        {"tokenizer_config.json", "[]", fault.WrongType},
		"vocabulary":    {"vocab.json", `["a"]`, fault.WrongType},
	} {
		_, err := loader.New(loader.WithTokenizerFallbacks("good")).Tokenizer(treeFS(map[string]string{
			"m/" + c.file: c.content, "good/tokenizer.json": smallBPE,
		}), "m")
		assert.Equal(t, c.kind, fault.KindOf(err), "%s: %v", name, err)
		assert.Equal(t, c.file, fault.PathOf(err), name)
	}
}

func TestPadTokenAndItsSource(t *testing.T) {
	for name, c := range map[string]struct {
		files         map[string]string
		token, source string
	}{
		"config":               {map[string]string{"m/tokenizer_config.json": `{"pad_token":"<p>","eos_token":"<e>"}`}, "<p>", "tokenizer_config.json"},
		"config, object":       {map[string]string{"m/tokenizer_config.json": `{"pad_token":{"__type":"AddedToken","content":"<p>"}}`}, "<p>", "tokenizer_config.json"},
		"map beats config":     {map[string]string{"m/tokenizer_config.json": `{"pad_token":"<p>"}`, "m/special_tokens_map.json": `{"pad_token":"<m>"}`}, "<m>", "special_tokens_map.json"},
		"decoder beats map":    {map[string]string{"m/tokenizer_config.json": `{"pad_token":"<p>","added_tokens_decoder":{}}`, "m/special_tokens_map.json": `{"pad_token":"<m>"}`}, "<p>", "tokenizer_config.json"},
		"padding section":      {map[string]string{"m/tokenizer.json": `{"padding":{"strategy":"BatchLongest","direction":"Right","pad_id":0,"pad_type_id":0,"pad_token":"<q>"},"model":{"vocab":{}}}`}, "<q>", "tokenizer.json"},
		"class":                {map[string]string{"m/tokenizer_config.json": `{"tokenizer_class":"BertTokenizerFast"}`}, "[PAD]", "tokenizer_class BertTokenizerFast"},
		"class in the config":  {map[string]string{"m/tokenizer.json": smallBPE, "m/config.json": `{"tokenizer_class":"T5Tokenizer","model_type":"bert"}`}, "<pad>", "tokenizer_class T5Tokenizer"},
		"model type":           {map[string]string{"m/tokenizer.json": smallBPE, "m/config.json": `{"model_type":"bert"}`}, "[PAD]", "model_type bert"},
		"end of text":          {map[string]string{"m/tokenizer_config.json": `{"eos_token":"<e>","pad_token":null}`}, "<e>", "eos_token"},
		"empty counts as none": {map[string]string{"m/tokenizer_config.json": `{"eos_token":"<e>","pad_token":""}`}, "<e>", "eos_token"},
	} {
		tok := tokenizerOf(t, c.files)
		if assert.NotNil(t, tok.PadToken, name) {
			assert.Equal(t, c.token, *tok.PadToken, name)
			assert.Equal(t, c.source, *tok.PadTokenSource, name)
			assert.Equal(t, c.token, tok.SpecialTokens["pad_token"], name)
		}
	}
	assert.Nil(t, tokenizerOf(t, map[string]string{"m/tokenizer.json": `{"model":{"vocab":{}}}`}).PadToken)
}

// The base model of an SAE is found in the directories near it, in model roots and in a
// Hugging Face cache.
func TestTokenizerOfTheBaseModelIsFoundBesideIt(t *testing.T) {
	sae := "models/google/gemma-scope"
	for name, base := range map[string]string{
		"org and name":      "models/google/gemma-2b-it",
		"further up":        "google/gemma-2b-it",
		"name alone":        "models/gemma-2b-it",
		"cache with ref":    "models/models--google--gemma-2b-it/snapshots/abc",
		"cache in hub":      "models/hub/models--google--gemma-2b-it/snapshots/abc",
		"configured root":   "elsewhere/google/gemma-2b-it",
		"fallback, the end": "spare",
	} {
		files := map[string]string{
			sae + "/resid_post/layer_0/config.json": `{"model_name":"google/gemma-2b-it"}`,
			base + "/tokenizer.json":                smallBPE,
		}
		if repo, _, ok := strings.Cut(base, "/snapshots"); ok {
			files[repo+"/refs/main"] = "abc"
			files[repo+"/snapshots/old/tokenizer.json"] = "{"
		}
		tok, err := loader.New(loader.WithModelRoots("elsewhere"), loader.WithTokenizerFallbacks("spare")).Tokenizer(treeFS(files), sae)
		require.NoError(t, err, name)
		assert.Equal(t, base, tok.Path, name)
		want := answer.OriginBaseModel
		if base == "spare" {
			want = answer.OriginFallback
		}
		assert.Equal(t, want, tok.Origin, name)
		assert.NotEmpty(t, tok.Tried, name)
	}
}

func TestTokenizerErrorOfCheckpointWithUnreadableConfig(t *testing.T) {
	_, err := loader.New().Tokenizer(treeFS(map[string]string{"m/config.json": "{"}), "m")
	require.ErrorIs(t, err, fault.NotFound)
	assert.Contains(t, err.Error(), "config.json")
}

func FuzzTokenizer(f *testing.F) {
	for _, seed := range []string{smallBPE, `{"model":{"vocab":[["a",0]]}}`, `{"added_tokens":{},"padding":7,"model":[]}`, "\n\x0e", "IQ== 0\n", ""} {
		f.Add([]byte(seed), []byte(`{"pad_token":{"content":"x"},"added_tokens_decoder":{}}`))
	}
	f.Fuzz(func(t *testing.T, tokenizer, side []byte) {
		fsys := treeFS(map[string]string{"m/tokenizer.json": string(tokenizer), "m/tokenizer_config.json": string(side),
			"n/tokenizer.model": string(tokenizer), "n/special_tokens_map.json": string(side), "o/vocab.json": string(tokenizer)})
		for _, dir := range []string{"m", "n", "o"} {
			tok, err := loader.New().Tokenizer(fsys, dir)
			if (tok == nil) == (err == nil) || err != nil && fault.KindOf(err) == "" {
				t.Fatalf("%v, %v", tok, err)
			}
		}
	})
}
