package loader

import (
	"bytes"
	"cmp"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
	"omniloader/loader/tokenizer"
)

// tokenizerSource gathers what the files of one directory say.
type tokenizerSource struct {
	info          *TokenizerInfo
	has           func(name string) bool // in the directory's listing
	config        gjson.Result           // tokenizer_config.json
	special       gjson.Result           // special_tokens_map.json
	model         gjson.Result           // config.json, nothing where it cannot be read
	class         string                 // that is named, else that of the model type
	classPadToken string                 // of the class, or of the model type
	classSource   string                 // which of them
	paddingToken  string                 // tokenizer.json's padding.pad_token
	ids           tokenIDs
	beside        []string             // tokens of the lists beside the vocabulary
	listed        int                  // how many of them have an id there
	added         []string             // tokens of tokenizer.json's own list
	entries       int                  // of the vocabulary itself
	late          bool                 // a token was asked for behind the vocabulary
	vocabularyMax int                  // highest id seen, -1 where none was
	built         *tokenizer.Tokenizer // where only that tells what the files make together
}

// readTokenizer reads the tokenizer files of dir, whose listing is names. The
// error is of the kind NotFound where there are none.
func readTokenizer(fsys fs.FS, dir string, names []string) (*TokenizerInfo, error) {
	has := func(name string) bool {
		_, ok := slices.BinarySearch(names, name)
		return ok
	}
	t := &tokenizerSource{
		has:           has,
		info:          &TokenizerInfo{Type: None, Class: None, Path: dir, SpecialTokens: map[string]string{}, Tried: []Try{}, Files: []string{}},
		vocabularyMax: -1,
	}
	for _, name := range names {
		if isTokenizerFile(name) {
			t.info.Files = append(t.info.Files, name)
		}
	}
	if !slices.ContainsFunc(t.info.Files, func(name string) bool { return name != "merges.txt" && name != fileSpecialTokens }) {
		return nil, fault.New(fault.NotFound, dir, "no tokenizer file")
	}
	for _, side := range [...]struct {
		name string
		into *gjson.Result
	}{{fileTokenizerConfig, &t.config}, {fileSpecialTokens, &t.special}} {
		if !has(side.name) {
			continue
		}
		var err error
		if *side.into, err = readObject(fsys, dir, side.name); err != nil {
			return nil, err
		}
	}
	if has(fileConfig) {
		t.model, _ = readObject(fsys, dir, fileConfig) // the model's business, if it is broken
	}
	t.readClass()
	t.readLists(func() gjson.Result {
		if !has(fileAddedTokens) {
			return gjson.Result{}
		}
		added, _ := readObject(fsys, dir, fileAddedTokens)
		return added
	})
	t.wantIDs()
	vocabulary := tokenizer.VocabularyFile(names)
	t.info.vocabulary = vocabulary
	if err := t.readVocabulary(fsys, dir, vocabulary); err != nil {
		return nil, err
	}
	if t.late { // what was to be looked for stood behind the vocabulary
		t.info.findings, t.added, t.entries, t.vocabularyMax = nil, nil, 0, -1
		if err := t.readVocabulary(fsys, dir, vocabulary); err != nil {
			return nil, err
		}
	}
	t.finish()
	return t.info, nil
}

// readClass settles the class that decides what no file says: the one that is named,
// else that of the model type.
func (t *tokenizerSource) readClass() {
	class := t.config.Get("tokenizer_class")
	if class.Type != gjson.String || class.Str == "" {
		class = t.model.Get("tokenizer_class")
	}
	modelType := ""
	if v := t.model.Get("model_type"); v.Type == gjson.String {
		modelType = v.Str
	}
	named := ""
	if class.Type == gjson.String && class.Str != "" {
		named, t.info.Class = class.Str, class.Str
	}
	t.class = cmp.Or(named, tokenizer.ModelClass(modelType))
	t.classPadToken, t.classSource = tokenizer.PadTokenOf(named, modelType)
}

// tokenizerFileNames are the files that belong to a tokenizer.
var tokenizerFileNames = []string{
	fileTokenizer, fileTokenizerConfig, fileSpecialTokens, "tekken.json", "tokenizer.model", "spiece.model",
	"sentencepiece.bpe.model", "tiktoken.model", "qwen.tiktoken", "vocab.json", "vocab.txt", "merges.txt", "added_tokens.json",
}

// isTokenizerFile tells whether a file belongs to a tokenizer by its name.
func isTokenizerFile(name string) bool {
	return slices.Contains(tokenizerFileNames, name) || tokenizer.VocabularyFile([]string{name}) != ""
}

// readVocabulary reads the file that holds the vocabulary. A directory without one
// has a vocabulary only where its class needs none.
func (t *tokenizerSource) readVocabulary(fsys fs.FS, dir, name string) error {
	if name == "" {
		if built, ok, _ := tokenizer.ForClass(t.class); ok {
			t.info.Type = "bytes"
			t.note(int(built.MaxID()))
		}
		return nil
	}
	if read := vocabularyReaders[name]; read != nil {
		return read(t, fsys, dir, name)
	}
	switch name {
	case "vocab.txt":
		t.info.Type = "WordPiece"
	case "vocab.json":
		t.info.Type = "CTC" // a vocabulary of characters, unless merges stand beside it
		if t.has("merges.txt") {
			t.info.Type = "BPE"
		}
	default:
		if err := readModelFile(t, fsys, dir, name); err != nil {
			return err
		}
	}
	// Size and special tokens follow from the file, the class and the side files
	// together: only the tokenizer itself knows them.
	built, err := tokenizer.Load(fsys, dir)
	if kind := fault.KindOf(err); kind == fault.Unsupported || kind == tokenizer.UnknownComponent {
		return nil
	}
	if err != nil {
		return inDirectory(err, dir)
	}
	t.built = built
	t.info.Type = typeOf(built)
	return nil
}

// specialRoles are the tokens that have a part to play.
var specialRoles = [...]string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}

// finish settles class, special tokens and pad token.
func (t *tokenizerSource) finish() {
	if t.built != nil {
		i := loadedInfo(t.built, t.info.Path)
		t.info.SpecialTokens, t.info.VocabSize = i.SpecialTokens, i.VocabSize
		t.info.PadToken, t.info.PadTokenID, t.info.PadTokenSource = i.PadToken, i.PadTokenID, i.PadTokenSource
		t.info.tokens, t.info.unlisted = t.built, t.built.Config().Unlisted
		return
	}
	if t.vocabularyMax < 0 {
		t.ids = tokenIDs{id: -1} // the vocabulary was not read, and what it lacks is not known
	} else {
		t.info.tokens = &t.ids
		t.place()
	}
	for _, role := range specialRoles {
		if token := t.specialToken(role); token != "" {
			t.info.SpecialTokens[role] = token
		}
	}
	if t.vocabularyMax >= 0 {
		n := t.vocabularyMax + 1
		t.info.VocabSize = &n
	}
	token, source := t.padToken()
	if token != "" {
		t.info.PadToken, t.info.PadTokenSource = &token, &source
		t.info.SpecialTokens["pad_token"] = token
		if id, ok := t.ids.TokenID(token); ok {
			n := int64(id)
			t.info.PadTokenID = &n
		}
	}
}

// specialToken reads one role, in the order of the transformers library: the
// map of special tokens beats the tokenizer's config only where the latter has
// no added_tokens_decoder.
func (t *tokenizerSource) specialToken(role string) string {
	fromConfig := tokenText(t.config.Get(role))
	if !t.config.Get("added_tokens_decoder").IsObject() {
		if s := tokenText(t.special.Get(role)); s != "" {
			return s
		}
	}
	if fromConfig == "" {
		return tokenText(t.special.Get(role))
	}
	return fromConfig
}

// tokenText reads a token that is a string, or an object with its content.
func tokenText(v gjson.Result) string {
	if v.IsObject() {
		v = v.Get("content")
	}
	if v.Type != gjson.String {
		return ""
	}
	return v.Str
}

// padToken settles the pad token and says where it came from. Where no file and
// no class gives one, the end-of-text token stands in, which is how training
// scripts do it, and the source says so.
func (t *tokenizerSource) padToken() (token, source string) {
	if !t.config.Get("added_tokens_decoder").IsObject() {
		if s := tokenText(t.special.Get("pad_token")); s != "" {
			return s, fileSpecialTokens
		}
	}
	if s := tokenText(t.config.Get("pad_token")); s != "" {
		return s, fileTokenizerConfig
	}
	if s := tokenText(t.special.Get("pad_token")); s != "" {
		return s, fileSpecialTokens
	}
	if t.paddingToken != "" {
		return t.paddingToken, fileTokenizer
	}
	if t.classPadToken != "" {
		return t.classPadToken, t.classSource
	}
	if s := t.info.SpecialTokens["eos_token"]; s != "" {
		return s, sourceEOS
	}
	return "", ""
}

// readObject reads a JSON object and checks it.
func readObject(fsys fs.FS, dir, name string) (gjson.Result, error) {
	data, err := readFile(fsys, dir, name, MaxConfigSize)
	if err != nil {
		return gjson.Result{}, err
	}
	var doc document
	if err := parseDocument(name, data, &doc); err != nil {
		return gjson.Result{}, err
	}
	return gjson.ParseBytes(bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))), nil
}

// note keeps the highest id.
func (t *tokenizerSource) note(id int) { t.vocabularyMax = max(t.vocabularyMax, id) }

// readTokenizerJSON reads tokenizer.json in one pass, without a tree of it.
// Source of the format: the serialization of Hugging Face's tokenizers library.
func readTokenizerJSON(t *tokenizerSource, fsys fs.FS, dir, name string) error {
	data, err := readFile(fsys, dir, name, MaxTokenizerSize)
	if err != nil {
		return err
	}
	s := jsonscan.New(data)
	return walkObject(name, data, &s, func(key []byte) error {
		switch string(key) {
		case "added_tokens":
			return arrayOf(&s, func() error { return t.readAddedToken(&s) })
		case "model":
			return t.readModel(&s, name)
		case "padding":
			raw, err := s.Raw()
			t.paddingToken = gjson.GetBytes(raw, "pad_token").Str
			t.wantLate(t.paddingToken)
			return err
		case "normalizer", "pre_tokenizer", "post_processor", "decoder":
			part := string(key) // which is gone once the value is read
			raw, err := s.Raw()
			if err == nil {
				t.checkPart(name, part, gjson.ParseBytes(raw))
			}
			return err
		}
		_, err := s.Raw()
		return err
	})
}

// arrayOf walks an array; anything else is passed over.
func arrayOf(s *jsonscan.Scanner, element func() error) error {
	if s.Kind() != jsonscan.Array {
		_, err := s.Raw()
		return err
	}
	return s.Array(func(int) error { return element() })
}

func (t *tokenizerSource) readAddedToken(s *jsonscan.Scanner) error {
	raw, err := s.Raw()
	if err != nil {
		return err
	}
	if id := gjson.GetBytes(raw, "id"); id.Type == gjson.Number && id.Num >= 0 && id.Num < maxTokenID {
		token := gjson.GetBytes(raw, "content").Str
		t.added = append(t.added, token)
		t.wantLate(token)
	}
	return nil
}

// wantLate adds a token that is looked for, and notes where the vocabulary has gone
// by already.
func (t *tokenizerSource) wantLate(token string) {
	if _, ok := t.ids.ids[token]; !ok && token != "" {
		t.ids.want(token)
		t.late = t.late || t.entries > 0
	}
}

// maxTokenID is beyond any real vocabulary; ids are 32 bits wide in the format.
const maxTokenID = 1 << 31

// readModel reads the model section. Files of old versions have no type; it
// then shows in the other keys.
func (t *tokenizerSource) readModel(s *jsonscan.Scanner, file string) error {
	var seen []string
	listed, pairs := false, false
	err := s.Object(func(key []byte) error {
		switch string(key) {
		case "type":
			raw, err := s.Raw()
			kind := gjson.ParseBytes(raw)
			t.info.Type = kind.String()
			t.checkType(file, "model", kind)
			return err
		case "merges":
			seen = append(seen, "merges")
			return arrayOf(s, func() error {
				pairs = pairs || s.Kind() == jsonscan.Array
				_, err := s.Raw()
				return err
			})
		case "vocab":
			if s.Kind() == jsonscan.Array { // Unigram: [token, score] in the order of the ids
				listed = true
				return s.Array(func(i int) error { t.note(i); t.entries++; return t.seePiece(s, i) })
			}
			return s.Object(func(token []byte) error { return t.seeEntry(s, token) })
		}
		seen = append(seen, string(key))
		_, err := s.Raw()
		return err
	})
	if pairs {
		t.info.findings = append(t.info.findings, finding(CodeTokenizerMergePairs, file, "its merges are pairs of texts", ""))
	}
	if t.info.Type == None {
		switch {
		case listed:
			t.info.Type = "Unigram"
		case slices.Contains(seen, "merges"):
			t.info.Type = "BPE"
		case slices.Contains(seen, "max_input_chars_per_word"):
			t.info.Type = "WordPiece"
		default:
			t.info.Type = "WordLevel"
		}
	}
	return err
}

func readTekken(t *tokenizerSource, fsys fs.FS, dir, name string) error {
	t.info.Type = "tekken"
	root, err := readObject(fsys, dir, name)
	if n := root.Get("config.default_vocab_size"); n.Type == gjson.Number && n.Num > 0 && n.Num < maxTokenID {
		t.note(int(n.Num) - 1)
	}
	return err
}

// readModelFile tells SentencePiece's binary file from tiktoken's text, which
// stands under the same name in some repositories.
func readModelFile(t *tokenizerSource, fsys fs.FS, dir, name string) error {
	head, err := readHead(fsys, dir, name, 256)
	if err != nil {
		return err
	}
	if err := checkContent(name, head); err != nil {
		return err
	}
	switch {
	case head[0] == '\n': // field 1 of ModelProto, length-delimited: a piece
		t.info.Type = "SentencePiece"
	case isTiktokenLine(head):
		t.info.Type = "tiktoken"
		if !strings.Contains(name, "tiktoken") {
			t.info.findings = append(t.info.findings, finding(CodeTokenizerTiktoken, name, "it holds tiktoken's lines of a token and a rank", ""))
		}
	default:
		return fault.At(fault.Malformed, name, 0, "neither a SentencePiece model nor tiktoken's lines").
			WithHint("download the file again")
	}
	return nil
}

// isTiktokenLine tells whether the text begins with a token in base64 and its
// rank.
func isTiktokenLine(head []byte) bool {
	line, _, ok := bytes.Cut(head, []byte("\n"))
	token, rank, found := bytes.Cut(line, []byte(" "))
	if !ok || !found || len(token) == 0 {
		return false
	}
	_, err := strconv.Atoi(string(bytes.TrimSpace(rank)))
	return err == nil && len(bytes.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")) == 0
}

// checkContent tells a text file from what is often found in its place.
func checkContent(name string, data []byte) error {
	if len(data) == 0 {
		return fault.New(fault.Empty, name, "").WithHint("download the file again")
	}
	if data[0] == '{' {
		return nil // what is expected, at once
	}
	if data[0] == 0 && len(bytes.Trim(data[:min(len(data), maxSniff)], "\x00")) == 0 {
		return fault.At(fault.ZeroFilled, name, 0, "the file was allocated and never written").WithHint("download the file again")
	}
	if bytes.HasPrefix(data, []byte("version https://git-lfs.github.com/spec/")) {
		return fault.At(fault.LFSPointer, name, 0, "the pointer stands in the place of the content").WithHint("run `git lfs pull`")
	}
	if bytes.HasPrefix(data, []byte("\xFF\xFE")) || bytes.HasPrefix(data, []byte("\xFE\xFF")) || len(data) > 1 && (data[0] == 0) != (data[1] == 0) {
		return fault.At(fault.NotJSON, name, 0, "the text is UTF-16").WithHint("save the file as UTF-8")
	}
	if head := bytes.ToLower(bytes.TrimSpace(data[:min(len(data), 64)])); bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html")) {
		return fault.At(fault.HTMLPage, name, 0, "a web page was saved in the place of the content").WithHint("download the file again, with a login where the model asks for one")
	}
	return nil
}
