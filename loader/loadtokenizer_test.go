package loader_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader"
	"omniloader/loader/fault"
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

// What Tokenizer says without building the tokenizer is what LoadTokenizer finds by
// building it.
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
		loaded.Times, described.Times = loader.Durations{}, loader.Durations{}
		loaded.Files, described.Files = nil, nil
		assert.Equal(t, described, loaded, dir)
	}
}

func TestAClassWithoutFilesHasAVocabularyOfBytes(t *testing.T) {
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

func TestGGUFCarriesItsTokenizer(t *testing.T) {
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
	loaded.Times, described.Times = loader.Durations{}, loader.Durations{}
	assert.Equal(t, described, loaded)
}

// A GGUF file without a tokenizer, or with one of a kind that is not known, names
// its base model by address.
func TestGGUFWithoutAUsableTokenizerTakesItsBaseModels(t *testing.T) {
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
		assert.Equal(t, loader.OriginBaseModel, info.Origin, name)
		assert.Contains(t, info.Tried[0].Reason, map[string]string{"none": "model.gguf has no tokenizer", "other kind": "rwkv"}[name])
	}
}

func TestAPipelineHasItsTokenizerInAPart(t *testing.T) {
	fsys := treeFS(map[string]string{"m/model_index.json": `{"_class_name":"X"}`, "m/tokenizer/tokenizer.json": smallBPE})
	_, loaded, err := loader.New().LoadTokenizer(fsys, "m")
	require.NoError(t, err)
	assert.Equal(t, "m/tokenizer", loaded.Path)
	described, err := loader.New().Tokenizer(fsys, "m")
	require.NoError(t, err)
	assert.Equal(t, loaded.Path, described.Path)
	assert.Equal(t, loader.OriginCheckpoint, described.Origin)
}

func TestABrokenTokenizerIsNotReplaced(t *testing.T) {
	fsys := treeFS(map[string]string{"m/tokenizer.json": `{"model":{"type":"Magic"}}`, "good/tokenizer.json": smallBPE})
	_, _, err := loader.New(loader.WithTokenizerFallbacks("good")).LoadTokenizer(fsys, "m")
	require.Error(t, err)
	assert.Equal(t, "tokenizer.json", fault.PathOf(err))
	assert.Contains(t, err.Error(), "Magic")
}

// The ids of another tokenizer would be wrong without a word.
func TestABrokenTokenizerOfABaseModelOrFallbackIsNotReplaced(t *testing.T) {
	for place, options := range map[string][]loader.Option{
		"org/base": {loader.WithTokenizerFallbacks("good")},
		"spare":    {loader.WithTokenizerFallbacks("spare", "good")},
	} {
		fsys := treeFS(map[string]string{"m/adapter_config.json": `{"base_model_name_or_path":"org/base"}`,
			place + "/tokenizer.json": "{", "good/tokenizer.json": smallBPE})
		_, _, err := loader.New(options...).LoadTokenizer(fsys, "m")
		require.ErrorIs(t, err, fault.Truncated, place)
		assert.Equal(t, place+"/tokenizer.json", fault.PathOf(err))
	}
}

func TestABaseModelMayBeAPath(t *testing.T) {
	for base, at := range map[string]string{"/data/models/base": "data/models/base", "../org/base": "runs/org/base", "./base": "runs/m/base"} {
		fsys := treeFS(map[string]string{"runs/m/adapter_config.json": `{"base_model_name_or_path":"` + base + `"}`, at + "/tokenizer.json": smallBPE})
		_, info, err := loader.New().LoadTokenizer(fsys, "runs/m")
		require.NoError(t, err, base)
		assert.Equal(t, at, info.Path, base)
		assert.Equal(t, loader.OriginBaseModel, info.Origin)
	}
	for base, reason := range map[string]string{
		"/home/someone/base": "home/someone/base (not found; a path of the machine that wrote adapter_config.json)",
		"../../../base":      "../../../base (a path that leads out of the filesystem)",
	} {
		_, _, err := loader.New().LoadTokenizer(treeFS(map[string]string{"runs/m/adapter_config.json": `{"base_model_name_or_path":"` + base + `"}`}), "runs/m")
		require.ErrorIs(t, err, fault.NotFound, base)
		assert.Contains(t, err.Error(), reason)
	}
}

func TestAVainSearchListsEveryTry(t *testing.T) {
	_, _, err := loader.New(loader.WithModelRoots("roots"), loader.WithTokenizerFallbacks("spare")).LoadTokenizer(treeFS(map[string]string{
		"m/adapter_config.json":   `{"base_model_name_or_path":"org/base"}`,
		"org/base/config.json":    "{}",
		"roots/base/README.md":    "",
		"m/tokenizer_config.json": "{}",
	}), "m")
	require.ErrorIs(t, err, fault.NotFound)
	for _, part := range []string{"m (no file that holds a vocabulary)", "org/base (no file that holds a vocabulary)", "roots/base (no file", "spare (not found)"} {
		assert.Contains(t, err.Error(), part)
	}
}

func TestWhatTheFilesystemLacksIsFetched(t *testing.T) {
	there := treeFS(map[string]string{"snap/tokenizer.json": smallBPE})
	m := map[string]string{"m/adapter_config.json": `{"base_model_name_or_path":"org/base"}`}
	var asked []string
	fetch := func(_ context.Context, model string) (fs.FS, string, error) {
		asked = append(asked, model)
		return there, "snap", nil
	}
	_, info, err := loader.New(loader.WithFetch(fetch)).LoadTokenizer(treeFS(m), "m")
	require.NoError(t, err)
	assert.Equal(t, []string{"org/base"}, asked)
	assert.Equal(t, loader.OriginBaseModel, info.Origin)
	assert.Equal(t, "snap", info.Path)

	m["org/base/tokenizer.json"] = smallBPE
	_, info, err = loader.New(loader.WithFetch(fetch)).LoadTokenizer(treeFS(m), "m")
	require.NoError(t, err)
	assert.Equal(t, "org/base", info.Path)
	assert.Len(t, asked, 1, "what lies on the filesystem is not fetched")

	delete(m, "org/base/tokenizer.json")
	_, _, err = loader.New(loader.WithFetch(func(context.Context, string) (fs.FS, string, error) {
		return nil, "", errors.New("no route")
	})).LoadTokenizer(treeFS(m), "m")
	require.ErrorIs(t, err, fault.NotFound)
	assert.Contains(t, err.Error(), "org/base (no route)")
}

func TestFindingsAboutATokenizer(t *testing.T) {
	const words = `{"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0,"</s>":1,"<pad>":2,"x":9}}}`
	for name, c := range map[string]struct {
		side, config string
		codes        []string
	}{
		"sound":            {`{"pad_token":"<pad>","eos_token":"</s>"}`, `{"vocab_size":10,"pad_token_id":2,"eos_token_id":[1,5]}`, nil},
		"pad is eos":       {`{"pad_token":"</s>","eos_token":"</s>"}`, `{}`, []string{loader.CodePadTokenIsEOS}},
		"beyond":           {`{"pad_token":"x"}`, `{"vocab_size":9}`, []string{loader.CodePadIDBeyondEmbeddings}},
		"nested rows":      {`{"pad_token":"x"}`, `{"text_config":{"vocab_size":9,"pad_token_id":2}}`, []string{loader.CodePadIDBeyondEmbeddings, loader.CodeSpecialTokenMismatch}},
		"no such token":    {`{"pad_token":"[PAD]"}`, `{"vocab_size":4}`, []string{loader.CodePadIDBeyondEmbeddings, loader.CodeTokenNotInVocabulary}},
		"disagree":         {`{"pad_token":"<pad>","eos_token":"</s>"}`, `{"eos_token_id":7,"pad_token_id":1}`, []string{loader.CodeSpecialTokenMismatch, loader.CodeSpecialTokenMismatch}},
		"negative":         {`{"pad_token":"<pad>"}`, `{"pad_token_id":-1}`, []string{loader.CodePadIDNegative}},
		"only in config":   {`{"eos_token":"</s>"}`, `{"pad_token_id":2}`, []string{loader.CodePadTokenConfigOnly}},
		"class, and none":  {`{"tokenizer_class":"BertTokenizer"}`, `{}`, []string{loader.CodeTokenNotInVocabulary}},
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
	loader.CodePadIDBeyondEmbeddings: true, loader.CodePadIDNegative: true, loader.CodePadTokenConfigOnly: true,
	loader.CodePadTokenIsEOS: true, loader.CodeSpecialTokenMismatch: true, loader.CodeTokenNotInVocabulary: true,
}

// The description is made in one pass, without the tokenizer, and says the same.
func TestDescriptionAndTokenizerAgreeOnSideFiles(t *testing.T) {
	const file = `{"added_tokens":[{"id":4,"content":"<x>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0,"</s>":1,"<pad>":2,"b":9}}}`
	for name, side := range map[string]map[string]string{
		"none":            {},
		"decoder":         {"tokenizer_config.json": `{"added_tokens_decoder":{"500":{"content":"<y>"},"501":{"content":"<pad>"}},"pad_token":"<y>"}`},
		"decoder is null": {"tokenizer_config.json": `{"added_tokens_decoder":null,"pad_token":"a"}`, "special_tokens_map.json": `{"pad_token":"b"}`},
		"added":           {"added_tokens.json": `{"<y>":77,"<z>":78}`, "special_tokens_map.json": `{"pad_token":"<z>","eos_token":"</s>"}`},
		"extra":           {"tokenizer_config.json": `{"extra_special_tokens":{"image_token":"<img>"},"additional_special_tokens":["<v>"],"eos_token":"</s>"}`},
		"not listed":      {"tokenizer_config.json": `{"pad_token":"[PAD]","bos_token":"[BOS]"}`},
		"model type":      {"config.json": `{"model_type":"t5"}`},
	} {
		files := map[string]string{"m/tokenizer.json": file}
		for n, content := range side {
			files["m/"+n] = content
		}
		described, err := loader.New().Tokenizer(treeFS(files), "m")
		require.NoError(t, err, name)
		_, loaded, err := loader.New().LoadTokenizer(treeFS(files), "m")
		require.NoError(t, err, name)
		assert.Equal(t, loaded.VocabSize, described.VocabSize, name)
		assert.Equal(t, loaded.SpecialTokens, described.SpecialTokens, name)
		assert.Equal(t, loaded.PadToken, described.PadToken, name)
		assert.Equal(t, loaded.PadTokenID, described.PadTokenID, name)
		assert.Equal(t, loaded.PadTokenSource, described.PadTokenSource, name)
	}
}
