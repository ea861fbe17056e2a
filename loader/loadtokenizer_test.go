package loader_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
)

// families are the real tokenizer files that the engine is tested with.
func families(t *testing.T) (fs.FS, []string) {
	t.Helper()
	fsys := os.DirFS("tokenizer/testdata")
	files, err := fs.Glob(fsys, "*/tokenizer.json")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 12)
	for i := range files {
		files[i] = path.Dir(files[i])
	}
	return fsys, files
}

// Tokenizer, which does not build the tokenizer, gives the same description as
// LoadTokenizer.
func TestDescribedAndLoadedTokenizersAgree(t *testing.T) {
	fsys, dirs := families(t)
	for _, dir := range dirs {
		described, err := loader.New().Tokenizer(fsys, dir)
		require.NoError(t, err, dir)
		tok, loaded, err := loader.New().LoadTokenizer(fsys, dir)
		require.NoError(t, err, dir)
		assert.Equal(t, described.Type, loaded.Type, dir)
		assert.Equal(t, described.Class, loaded.Class, dir)
		assert.Equal(t, described.VocabSize, loaded.VocabSize, dir)
		assert.Equal(t, described.SpecialTokens, loaded.SpecialTokens, dir)
		assert.Equal(t, described.PadToken, loaded.PadToken, dir)
		assert.Equal(t, described.PadTokenID, loaded.PadTokenID, dir)
		assert.Equal(t, described.PadTokenSource, loaded.PadTokenSource, dir)
		assert.Equal(t, described.Path, loaded.Path)
		ids, err := tok.IDs("hello", false)
		require.NoError(t, err)
		assert.NotEmpty(t, ids)
	}
}

func TestSizeOfVocabulariesWithoutTokenizerJSON(t *testing.T) {
	for dir, file := range map[string]string{"llama2": "tokenizer.model", "gemma": "tokenizer.model", "t5": "spiece.model"} {
		fsys := fstest.MapFS{}
		for _, name := range []string{file, "tokenizer_config.json"} {
			data, err := os.ReadFile("tokenizer/testdata/" + dir + "/" + name)
			require.NoError(t, err)
			fsys["m/"+name] = &fstest.MapFile{Data: data}
		}
		described, err := loader.New().Tokenizer(fsys, "m")
		require.NoError(t, err)
		_, loaded, err := loader.New().LoadTokenizer(fsys, "m")
		require.NoError(t, err)
		assert.Equal(t, "SentencePiece", loaded.Type)
		require.NotNil(t, described.VocabSize, dir)
		loaded.Times, described.Times = answer.Durations{}, answer.Durations{}
		loaded.Files, described.Files = nil, nil
		assert.Equal(t, described, loaded, dir)
	}
}

func TestByteTokenizerClassNeedsNoFiles(t *testing.T) {
	fsys := fstest.MapFS{"m/tokenizer_config.json": {Data: []byte(`{"tokenizer_class":"ByT5Tokenizer"}`)}}
	described, err := loader.New().Tokenizer(fsys, "m")
	require.NoError(t, err)
	_, loaded, err := loader.New().LoadTokenizer(fsys, "m")
	require.NoError(t, err)
	assert.Equal(t, "bytes", described.Type)
	assert.Equal(t, "bytes", loaded.Type)
	assert.Equal(t, loaded.VocabSize, described.VocabSize)
}

func TestLoadedTokenizerGivesThePadTokensID(t *testing.T) {
	fsys, _ := families(t)
	_, info, err := loader.New().LoadTokenizer(fsys, "bert_uncased")
	require.NoError(t, err)
	require.NotNil(t, info.PadTokenID)
	assert.Equal(t, "[PAD]", *info.PadToken)
	assert.Equal(t, int64(0), *info.PadTokenID)
	assert.Positive(t, info.Times.Parse)
	assert.Zero(t, info.Times.Download)
}

// ggufOf writes a GGUF file of keys: a string, a uint32, or a list of strings.
func ggufOf(keys ...any) string {
	le := binary.LittleEndian
	text := func(b []byte, s string) []byte { return append(le.AppendUint64(b, uint64(len(s))), s...) }
	b := append([]byte("GGUF"), 3, 0, 0, 0)
	b = le.AppendUint64(b, 0)
	b = le.AppendUint64(b, uint64(len(keys)/2))
	for i := 0; i < len(keys); i += 2 {
		b = text(b, keys[i].(string))
		switch v := keys[i+1].(type) {
		case string:
			b = text(le.AppendUint32(b, 8), v)
		case uint32:
			b = le.AppendUint32(le.AppendUint32(b, 4), v)
		case []string:
			b = le.AppendUint32(le.AppendUint32(b, 9), 8)
			b = le.AppendUint64(b, uint64(len(v)))
			for _, s := range v {
				b = text(b, s)
			}
		}
	}
	return string(b)
}

func TestTokenizerInGGUF(t *testing.T) {
	fsys := treeFS(map[string]string{"m/model-Q4_K_M.gguf": ggufOf(
		"general.architecture", "gpt2", "tokenizer.ggml.model", "gpt2", "tokenizer.ggml.pre", "gpt-2",
		"tokenizer.ggml.tokens", []string{"h", "e", "he", "<|end|>"}, "tokenizer.ggml.merges", []string{"h e"},
		"tokenizer.ggml.eos_token_id", uint32(3)), "m/mmproj-F16.gguf": "GGUF"})
	tok, loaded, err := loader.New().LoadTokenizer(fsys, "m")
	require.NoError(t, err)
	ids, err := tok.IDs("he", true)
	require.NoError(t, err)
	assert.Equal(t, []uint32{2}, ids)
	assert.Equal(t, []string{"model-Q4_K_M.gguf"}, loaded.Files)
	assert.Equal(t, "eos_token", *loaded.PadTokenSource)

	described, err := loader.New().Tokenizer(fsys, "m")
	require.NoError(t, err)
	loaded.Times, described.Times = answer.Durations{}, answer.Durations{}
	assert.Equal(t, described, loaded)
}

// A GGUF file without a tokenizer, or with one of a kind that is not known, names
// its base model by address.
func TestUnsupportedGGUFTokenizerUsesBaseModel(t *testing.T) {
	base := []any{"general.architecture", "llama", "general.base_model.count", uint32(1),
		"general.base_model.0.repo_url", "https://hub.example/meta-llama/Llama-3"}
	for name, keys := range map[string][]any{
		"none":       {},
		"other kind": {"tokenizer.ggml.model", "rwkv", "tokenizer.ggml.tokens", []string{"a"}},
	} {
		fsys := treeFS(map[string]string{"models/m/model.gguf": ggufOf(append(base, keys...)...), "models/meta-llama/Llama-3/tokenizer.json": smallBPE})
		_, info, err := loader.New().LoadTokenizer(fsys, "models/m")
		require.NoError(t, err, name)
		assert.Equal(t, "models/meta-llama/Llama-3", info.Path, name)
		assert.Equal(t, answer.OriginBaseModel, info.Origin, name)
		assert.Contains(t, info.Tried[0].Reason, map[string]string{"none": "model.gguf has no tokenizer", "other kind": "rwkv"}[name])
	}
}

func TestTokenizerOfPipeline(t *testing.T) {
	fsys := treeFS(map[string]string{"m/model_index.json": `{"_class_name":"X"}`, "m/tokenizer/tokenizer.json": smallBPE})
	_, loaded, err := loader.New().LoadTokenizer(fsys, "m")
	require.NoError(t, err)
	assert.Equal(t, "m/tokenizer", loaded.Path)
	described, err := loader.New().Tokenizer(fsys, "m")
	require.NoError(t, err)
	assert.Equal(t, loaded.Path, described.Path)
	assert.Equal(t, answer.OriginCheckpoint, described.Origin)
}

func TestUnreadableTokenizerIsNotReplaced(t *testing.T) {
	fsys := treeFS(map[string]string{"m/tokenizer.json": `{"model":{"type":"Magic"}}`, "good/tokenizer.json": smallBPE})
	_, _, err := loader.New(loader.WithTokenizerFallbacks("good")).LoadTokenizer(fsys, "m")
	require.Error(t, err)
	assert.Equal(t, "tokenizer.json", fault.PathOf(err))
	assert.Contains(t, err.Error(), "Magic")
}

func TestFetchIsCalledForMissingBaseModel(t *testing.T) {
	there := treeFS(map[string]string{"snap/tokenizer.json": smallBPE})
	m := map[string]string{"m/adapter_config.json": `{"base_model_name_or_path":"org/base"}`}
	var asked []string
	fetch := func(_ context.Context, model, _ string) (fs.FS, string, error) {
		asked = append(asked, model)
		return there, "snap", nil
	}
	_, info, err := loader.New(loader.WithFetch(fetch)).LoadTokenizer(treeFS(m), "m")
	require.NoError(t, err)
	assert.Equal(t, []string{"org/base"}, asked)
	assert.Equal(t, answer.OriginBaseModel, info.Origin)
	assert.Equal(t, "snap", info.Path)

	m["org/base/tokenizer.json"] = smallBPE
	_, info, err = loader.New(loader.WithFetch(fetch)).LoadTokenizer(treeFS(m), "m")
	require.NoError(t, err)
	assert.Equal(t, "org/base", info.Path)
	assert.Len(t, asked, 1, "what lies on the filesystem is not fetched")

	delete(m, "org/base/tokenizer.json")
	_, _, err = loader.New(loader.WithFetch(func(context.Context, string, string) (fs.FS, string, error) {
		return nil, "", errors.New("no route")
	})).LoadTokenizer(treeFS(m), "m")
	require.ErrorIs(t, err, fault.NotFound)
	assert.Contains(t, err.Error(), "\n  org/base: no route\n")
}

func TestFindingsAboutATokenizer(t *testing.T) {
	const words = `{"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0,"</s>":1,"<pad>":2,"x":9}}}`
	for name, c := range map[string]struct {
		side, config string
		codes        []string
	}{
		"sound":            {`{"pad_token":"<pad>","eos_token":"</s>"}`, `{"vocab_size":10,"pad_token_id":2,"eos_token_id":[1,5]}`, nil},
		"pad is eos":       {`{"pad_token":"</s>","eos_token":"</s>"}`, `{}`, []string{finding.PadTokenIsEOS}},
		"beyond":           {`{"pad_token":"x"}`, `{"vocab_size":9}`, []string{finding.PadIDBeyondEmbeddings}},
		"nested rows":      {`{"pad_token":"x"}`, `{"text_config":{"vocab_size":9,"pad_token_id":2}}`, []string{finding.PadIDBeyondEmbeddings, finding.SpecialTokenMismatch}},
		"no such token":    {`{"pad_token":"[PAD]"}`, `{"vocab_size":4}`, []string{finding.PadIDBeyondEmbeddings, finding.TokenNotInVocabulary}},
		"disagree":         {`{"pad_token":"<pad>","eos_token":"</s>"}`, `{"eos_token_id":7,"pad_token_id":1}`, []string{finding.SpecialTokenMismatch, finding.SpecialTokenMismatch}},
		"negative":         {`{"pad_token":"<pad>"}`, `{"pad_token_id":-1}`, []string{finding.PadIDNegative}},
		"only in config":   {`{"eos_token":"</s>"}`, `{"pad_token_id":2}`, []string{finding.PadTokenConfigOnly}},
		"class, and none":  {`{"tokenizer_class":"BertTokenizer"}`, `{}`, []string{finding.TokenNotInVocabulary}},
		"broken config":    {`{"pad_token":"<pad>"}`, `{`, nil},
		"eos stands in":    {`{"eos_token":"</s>"}`, `{"pad_token_id":null,"eos_token_id":1}`, nil},
		"eos in both ways": {`{"eos_token":"</s>"}`, `{"pad_token_id":1}`, nil},
	} {
		fsys := treeFS(map[string]string{"m/tokenizer.json": words, "m/tokenizer_config.json": c.side, "m/config.json": c.config})
		l := loader.New()
		tok, info, err := l.LoadTokenizer(fsys, "m")
		require.NoError(t, err, name)
		var codes []string
		for _, f := range l.TokenizerFindings(fsys, "m", tok, info) {
			codes = append(codes, f.Code)
			assert.NotEmpty(t, f.Hint, name)
			assert.NotEmpty(t, f.Message, name)
		}
		assert.Equal(t, c.codes, codes, name)

		// An inspection says the same without building the tokenizer, and adds only
		// that the end of text stands in, or the vocabulary is too large.
		inspected, err := l.Inspect(fsys, "m")
		require.NoError(t, err, name)
		for _, f := range l.TokenizerFindings(fsys, "m", tok, info) {
			assert.Contains(t, inspected.Findings, f, name)
		}
		for _, f := range inspected.Findings {
			if e := tokenizerCodes[f.Code]; e {
				assert.Contains(t, codes, f.Code, name)
			}
		}
	}
}

// tokenizerCodes are the codes of findings that compare a tokenizer with its model.
var tokenizerCodes = map[string]bool{
	finding.PadIDBeyondEmbeddings: true, finding.PadIDNegative: true, finding.PadTokenConfigOnly: true,
	finding.PadTokenIsEOS: true, finding.SpecialTokenMismatch: true, finding.TokenNotInVocabulary: true,
}

// words is a tokenizer.json whose vocabulary has the ids 0 to 107.
func words() string {
	var b strings.Builder
	b.WriteString(`{"version":"1.0","added_tokens":[],"model":{"type":"WordLevel","unk_token":"<unk>","vocab":{"<unk>":0,"a":1,"b":2`)
	for i := 3; i < 108; i++ {
		fmt.Fprintf(&b, `,"w%d":%d`, i, i)
	}
	return b.String() + "}}}"
}

// agreements are directories whose tokenizer is described without being built; what
// is said of it must be what building it finds, be it an error.
var agreements = map[string]map[string]string{
	"no side files":             {"tokenizer.json": words()},
	"added_tokens_decoder":      {"tokenizer.json": words(), "tokenizer_config.json": `{"added_tokens_decoder":{"500":{"content":"<x>"},"501":{"content":"<y>"}},"pad_token":"<y>"}`},
	"decoder is null":           {"tokenizer.json": words(), "tokenizer_config.json": `{"added_tokens_decoder":null,"pad_token":"a"}`, "special_tokens_map.json": `{"pad_token":"b"}`},
	"decoder is empty":          {"tokenizer.json": words(), "tokenizer_config.json": `{"added_tokens_decoder":{},"pad_token":"a"}`, "special_tokens_map.json": `{"pad_token":"b"}`},
	"decoder with a bad id":     {"tokenizer.json": words(), "tokenizer_config.json": `{"added_tokens_decoder":{"x":{"content":"<x>"}}}`},
	"decoder is a list":         {"tokenizer.json": words(), "tokenizer_config.json": `{"added_tokens_decoder":[]}`},
	"added_tokens.json":         {"tokenizer.json": words(), "added_tokens.json": `{"<x>":103,"<y>":700}`},
	"bad added_tokens.json":     {"tokenizer.json": words(), "added_tokens.json": `{"<x>":"y"}`},
	"extra special tokens":      {"tokenizer.json": words(), "tokenizer_config.json": `{"extra_special_tokens":["<e1>",{"content":"<e2>"}]}`},
	"extra as an object":        {"tokenizer.json": words(), "tokenizer_config.json": `{"extra_special_tokens":{"image_token":"<img>"}}`},
	"unlisted pad":              {"tokenizer.json": words(), "tokenizer_config.json": `{"pad_token":"[PAD]","eos_token":"[EOS]"}`},
	"key twice":                 {"tokenizer.json": words(), "tokenizer_config.json": `{"pad_token":"a","pad_token":"b"}`},
	"pad of the class":          {"tokenizer.json": words(), "tokenizer_config.json": `{"tokenizer_class":"BertTokenizerFast"}`},
	"pad of the model type":     {"tokenizer.json": words(), "config.json": `{"model_type":"bert"}`},
	"pad is a number":           {"tokenizer.json": words(), "tokenizer_config.json": `{"pad_token":5,"eos_token":["a"]}`},
	"broken side file":          {"tokenizer.json": words(), "special_tokens_map.json": `[]`},
	"template is a number":      {"tokenizer.json": words(), "tokenizer_config.json": `{"chat_template":5}`},
	"template is an object":     {"tokenizer.json": words(), "tokenizer_config.json": `{"chat_template":{"default":"D"}}`},
	"template is empty":         {"tokenizer.json": words(), "chat_template.jinja": ""},
	"model before added tokens": {"tokenizer.json": `{"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0,"b":1}},"added_tokens":[{"id":9,"content":"<x>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},{"id":1,"content":"b","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],"padding":{"strategy":"BatchLongest","direction":"Right","pad_id":1,"pad_type_id":0,"pad_token":"b"}}`},
	"bad added token":           {"tokenizer.json": `{"added_tokens":[{"id":9}],"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0}}}`},
	"bad padding":               {"tokenizer.json": `{"padding":{"pad_token":"a"},"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0}}}`},
	"no vocabulary":             {"tokenizer.json": `{"model":{"type":"WordLevel","unk_token":"a"}}`},
	"id is no number":           {"tokenizer.json": `{"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":"x"}}}`},
	"file of a version":         {"tokenizer.4.0.json": words(), "tokenizer.10.0.json": smallBPE, "tokenizer.json": words(), "tokenizer_config.json": `{"fast_tokenizer_files":["tokenizer.4.0.json","tokenizer.10.0.json","tokenizer.11.0.json"]}`},
	"unlisted file of version":  {"tokenizer.4.0.json": smallBPE, "tokenizer.json": words()},
	"vocab and merges":          {"vocab.json": `{"a":0,"b":1,"ab":7}`, "merges.txt": "#version: 0.2\na b\n", "tokenizer_config.json": `{"eos_token":"<e>","pad_token":"b"}`},
	"vocab without merges":      {"vocab.json": `{"a":0,"b":1,"ab":2,"|":3}`, "tokenizer_config.json": `{"tokenizer_class":"GPT2Tokenizer"}`},
	"characters":                {"vocab.json": `{"<pad>":0,"[UNK]":1,"|":2,"ä":3}`},
	"characters of a class":     {"vocab.json": `{"<pad>":0,"ab":1}`, "tokenizer_config.json": `{"tokenizer_class":"Wav2Vec2CTCTokenizer"}`},
	"characters of a language":  {"vocab.json": `{"eng":{"a":0,"|":1,"<pad>":2},"fra":{"b":0,"<pad>":5}}`, "tokenizer_config.json": `{"tokenizer_class":"Wav2Vec2CTCTokenizer","target_lang":"fra","pad_token":"<pad>"}`},
	"language that is not here": {"vocab.json": `{"eng":{"a":0},"fra":{"b":0}}`, "tokenizer_config.json": `{"tokenizer_class":"Wav2Vec2CTCTokenizer","target_lang":"deu"}`},
	"no language":               {"vocab.json": `{"eng":{"a":0},"fra":{"b":0}}`, "tokenizer_config.json": `{"tokenizer_class":"Wav2Vec2CTCTokenizer"}`},
	"words":                     {"vocab.txt": "[PAD]\n[UNK]\nhe\n##llo\n\n", "tokenizer_config.json": `{"pad_token":"[PAD]","mask_token":"[MASK]"}`},
	"tekken":                    {"tekken.json": `{"config":{"pattern":".","default_vocab_size":300,"default_num_special_tokens":20},"vocab":[{"rank":0,"token_bytes":"YQ=="},{"rank":1,"token_bytes":"YWE="},{"rank":999,"token_bytes":"YmI="}]}`, "tokenizer_config.json": `{"pad_token":"<pad>","eos_token":"aa"}`},
	"tekken without tokens":     {"tekken.json": `{"config":{"pattern":".","default_vocab_size":300,"default_num_special_tokens":20},"vocab":[]}`},
	"bytes":                     {"tokenizer_config.json": `{"tokenizer_class":"ByT5Tokenizer"}`},
	"bytes, fewer sentinels":    {"tokenizer_config.json": `{"tokenizer_class":"ByT5Tokenizer","extra_ids":5}`},
	"bytes by model type":       {"tokenizer_config.json": `{"eos_token":"</s>"}`, "config.json": `{"model_type":"byt5"}`},
	"two versions":              {"tokenizer.model.v3": "IQ== 0\nIg== 1\n", "tokenizer.model.v10": "IQ== 0\nIg== 1\nIw== 2\n", "tokenizer.model.v2": "IQ== 0\n"},
	"link that leads nowhere":   {"vocab.txt": "a\n", "tokenizer.json": ""},
}

// Tokenizer, which does not build the tokenizer, and LoadTokenizer agree, also in the
// error.
func TestDescriptionAgreesWithLoading(t *testing.T) {
	for name, files := range agreements {
		tree := map[string]string{}
		for file, content := range files {
			tree["m/"+file] = content
		}
		described, err := loader.New().Tokenizer(treeFS(tree), "m")
		_, loaded, loadErr := loader.New().LoadTokenizer(treeFS(tree), "m")
		if loadErr != nil {
			require.Error(t, err, name)
			assert.Equal(t, fault.KindOf(loadErr), fault.KindOf(err), name)
			assert.Equal(t, fault.PathOf(loadErr), fault.PathOf(err), name)
			assert.Equal(t, loadErr.Error(), err.Error(), name)
			continue
		}
		require.NoError(t, err, name)
		found := map[string]any{}
		for i, info := range []*answer.TokenizerInfo{described, loaded} {
			info.Times, info.Files = answer.Durations{}, nil
			data, err := json.Marshal(info)
			require.NoError(t, err)
			found[[]string{"described", "loaded"}[i]] = string(data)
		}
		assert.Equal(t, found["loaded"], found["described"], name)
	}
}

func TestTokenizerConfigWithoutVocabulary(t *testing.T) {
	size := func(name string) int {
		tree := map[string]string{}
		for file, content := range agreements[name] {
			tree["m/"+file] = content
		}
		_, info, err := loader.New().LoadTokenizer(treeFS(tree), "m")
		require.NoError(t, err, name)
		return *info.VocabSize
	}
	for name, want := range map[string]int{
		"added_tokens_decoder": 110, "unlisted pad": 110, "file of a version": 6, "unlisted file of version": 108,
		"bytes": 384, "bytes, fewer sentinels": 264, "two versions": 3, "words": 6, "characters of a language": 6,
	} {
		assert.Equal(t, want, size(name), name)
	}
}

// A download that ended before merges.txt must not pass for a speech recognizer's
// vocabulary.
func TestAVocabularyOfBPEWithoutItsMergesIsAnError(t *testing.T) {
	for _, class := range []string{`{"tokenizer_class":"GPT2Tokenizer","unk_token":"<|endoftext|>"}`, "{}"} {
		tree := map[string]string{"m/vocab.json": `{"h":0,"e":1,"he":2,"<|endoftext|>":3,"|":4}`, "m/tokenizer_config.json": class}
		_, _, err := loader.New().LoadTokenizer(treeFS(tree), "m")
		require.ErrorIs(t, err, fault.Incomplete, class)
		assert.Equal(t, "merges.txt", fault.PathOf(err))
		info, err := loader.New().Inspect(treeFS(tree), "m")
		require.NoError(t, err)
		assert.Contains(t, codesOf(info), finding.TokenizerUnreadable)
	}
	_, _, err := loader.New().LoadTokenizer(treeFS(map[string]string{"m/vocab.json": `{"ab":0}`, "m/source.spm": "", "m/tokenizer_config.json": `{"tokenizer_class":"MarianTokenizer"}`}), "m")
	assert.ErrorIs(t, err, fault.Unsupported)
}

func TestATokenizerWithoutAVocabularyIsAFinding(t *testing.T) {
	tree := map[string]string{"m/tokenizer_config.json": `{"pad_token":"<p>"}`, "m/config.json": `{"architectures":["LlamaForCausalLM"],"model_type":"llama"}`}
	info, err := loader.New().Inspect(treeFS(tree), "m")
	require.NoError(t, err)
	require.NotNil(t, info.Tokenizer)
	assert.Equal(t, "<p>", *info.Tokenizer.PadToken)
	assert.Contains(t, codesOf(info), finding.TokenizerVocabulary)
	_, _, err = loader.New().LoadTokenizer(treeFS(tree), "m")
	require.ErrorIs(t, err, fault.NotFound)

	// Its base model has one.
	tree["m/adapter_config.json"], tree["org/base/tokenizer.json"] = `{"base_model_name_or_path":"org/base"}`, smallBPE
	delete(tree, "m/config.json")
	described, err := loader.New().Tokenizer(treeFS(tree), "m")
	require.NoError(t, err)
	assert.Equal(t, "org/base", described.Path)
}

func TestAChatTemplateThatCannotBeUsedIsAFinding(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"number":             {"m/tokenizer_config.json": `{"chat_template":5}`},
		"nameless":           {"m/tokenizer_config.json": `{"chat_template":[{"template":"T"}]}`},
		"chat_template.json": {"m/chat_template.json": `[]`},
	} {
		files["m/tokenizer.json"] = smallBPE
		_, _, err := loader.New().LoadTokenizer(treeFS(files), "m")
		require.NoError(t, err, name)
		info, err := loader.New().Inspect(treeFS(files), "m")
		require.NoError(t, err, name)
		assert.Contains(t, codesOf(info), finding.ChatTemplateUnreadable, name)
		assert.Nil(t, info.ChatTemplate, name)
	}
	info, err := loader.New().Inspect(treeFS(map[string]string{"m/tokenizer_config.json": `{"chat_template":{"default":"D","tool":"T"}}`, "m/tokenizer.json": smallBPE}), "m")
	require.NoError(t, err)
	assert.Equal(t, &answer.ChatTemplate{Source: "tokenizer_config.json", Names: []string{"default", "tool"}}, info.ChatTemplate)
	assert.NotContains(t, codesOf(info), finding.ChatTemplateUnreadable)
}
