package tokenizer

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
	"omniloader/loader/regular"
)

// The side files.
const (
	fileTokenizer = "tokenizer.json"
	fileConfig    = "tokenizer_config.json"
	fileModel     = "config.json" // the model's
	fileSpecial   = "special_tokens_map.json"
	fileAdded     = "added_tokens.json"
	fileTemplate  = "chat_template.jinja"
	fileVocab     = "vocab.json"
	fileMerges    = "merges.txt"
)

// Limits on files, in bytes. The largest real tokenizer.json has 33 MB.
const (
	maxVocabularyFile = 256 << 20
	maxSideFile       = 32 << 20
	maxModelFile      = 8 << 20
)

// source is a file that holds a vocabulary, and how it is read where it is the best
// of a directory. The names are patterns of path.Match.
type source struct {
	pattern string
	format  string // where the name alone tells it
	read    func(l *loading, name string, data []byte) (*Tokenizer, error)
}

// sources are tried in this order: tokenizer.json says everything, the others are
// its forerunners.
var sources = []source{
	{fileTokenizer, fileTokenizer, (*loading).tokenizerJSON},
	{"tekken.json", "tekken", func(_ *loading, name string, data []byte) (*Tokenizer, error) { return fromTekken(name, data) }},
	{"tokenizer.model", "", (*loading).modelFile},
	{"tokenizer.model.v*", "", (*loading).modelFile},
	{"spiece.model", "", (*loading).modelFile},
	{"sentencepiece.bpe.model", "", (*loading).modelFile},
	{"sentencepiece.model", "", (*loading).modelFile},
	{"spm.model", "", (*loading).modelFile},
	{"tiktoken.model", "", (*loading).modelFile},
	{"*.tiktoken", "", (*loading).modelFile},
	{fileVocab, "", (*loading).vocabJSON},
	{"vocab.txt", "vocab.txt", (*loading).vocabText},
}

// loading is one directory while it is read.
type loading struct {
	fsys  fs.FS
	dir   string
	names []string
	side  side
	class string // that the files name
	model string // model_type of config.json
	files []string
}

// family is the class that decides what the files leave open, without "Fast" at its
// end: the one that is named, else that of the model type.
func (l *loading) family() string {
	if l.class != "" {
		return strings.TrimSuffix(l.class, "Fast")
	}
	return ModelClass(l.model)
}

// Load reads the tokenizer of the checkpoint at dir: of the files that hold a
// vocabulary the one that says most, and what tokenizer_config.json,
// special_tokens_map.json, added_tokens.json and chat_template.jinja add to it, as
// transformers applies them. The files count, and not the class that the config
// names; the class decides only what a file leaves open.
//
// The error is of the kind fault.NotFound where dir has no vocabulary, and otherwise
// names the file and the byte.
func Load(fsys fs.FS, dir string) (*Tokenizer, error) {
	l := &loading{fsys: fsys, dir: dir}
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		kind := fault.Unreadable
		if errors.Is(err, fs.ErrNotExist) {
			kind = fault.NotFound
		}
		return nil, fault.New(kind, dir, "").WithCause(err)
	}
	for _, e := range entries {
		l.names = append(l.names, e.Name())
	}
	if err := l.readSides(); err != nil {
		return nil, err
	}
	t, err := l.vocabulary()
	if err != nil {
		return nil, l.place(err)
	}
	if err := l.roles(t); err != nil {
		return nil, l.place(err)
	}
	if err := l.template(t); err != nil { // ids do not depend on it
		t.config.ChatTemplate, t.config.TemplateSource, t.config.TemplateError = "", "", l.place(err)
	}
	t.config.Class, t.config.ModelType, t.config.Files = l.class, l.model, l.files
	return t, nil
}

// place puts the directory before the file that an error names.
func (l *loading) place(err error) error {
	var e *fault.Error
	if l.dir != "." && errors.As(err, &e) && e.Path != "" && e.Path != l.dir && !strings.HasPrefix(e.Path, l.dir+"/") {
		c := *e
		c.Path = path.Join(l.dir, e.Path)
		return &c
	}
	return err
}

func (l *loading) has(name string) bool { return slices.Contains(l.names, name) }

// VocabularyFile gives the file among the names of a directory that Load takes the
// vocabulary from, "" where none holds one.
func VocabularyFile(names []string) string {
	for _, s := range sources {
		for _, name := range names {
			if ok, _ := path.Match(s.pattern, name); ok {
				return name
			}
		}
	}
	return ""
}

// FilesOf gives those of a directory's files that Load reads, the vocabulary first:
// what has to be fetched to load a tokenizer, and nothing that it would not look at.
func FilesOf(names []string) []string {
	var out []string
	if name := VocabularyFile(names); name != "" {
		out = append(out, name)
		if name == fileVocab && slices.Contains(names, fileMerges) {
			out = append(out, fileMerges)
		}
	}
	for _, name := range []string{fileConfig, fileSpecial, fileAdded, fileTemplate} {
		if slices.Contains(names, name) {
			out = append(out, name)
		}
	}
	if len(out) > 0 && slices.Contains(names, fileModel) {
		out = append(out, fileModel)
	}
	return out
}

// file reads a file of the directory, no further than limit.
func (l *loading) file(name string, limit int64) ([]byte, error) {
	full := path.Join(l.dir, name)
	f, size, err := regular.Open(l.fsys, full, full)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	switch {
	case size > limit:
		return nil, fault.New(fault.TooLarge, full, strconv.FormatInt(size, 10)+" bytes, the limit is "+strconv.FormatInt(limit, 10))
	case size == 0:
		return nil, fault.New(fault.Empty, full, "").WithHint("the download may not have begun; fetch the file again")
	}
	data := make([]byte, size)
	if n, err := io.ReadFull(f, data); err != nil {
		return nil, fault.At(fault.Truncated, full, int64(n), "the file ends before its size").WithCause(err)
	}
	switch {
	case bytes.HasPrefix(data, []byte("version https://git-lfs")):
		return nil, fault.New(fault.LFSPointer, full, "").WithHint("run `git lfs pull`")
	case looksLikeHTML(data):
		return nil, fault.New(fault.HTMLPage, full, "").WithHint("the server sent a page in place of the file; fetch it again, logged in if need be")
	}
	l.files = append(l.files, name)
	return data, nil
}

func looksLikeHTML(data []byte) bool {
	head := bytes.ToLower(bytes.TrimLeft(data[:min(len(data), 256)], " \t\r\n\xEF\xBB\xBF"))
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

func (l *loading) readSides() error {
	for _, f := range []struct {
		name string
		to   *object
	}{{fileConfig, &l.side.config}, {fileSpecial, &l.side.special}, {fileAdded, &l.side.added}} {
		if !l.has(f.name) {
			continue
		}
		data, err := l.file(f.name, maxSideFile)
		if err != nil {
			return err
		}
		n := node{path: path.Join(l.dir, f.name), raw: data}
		s := jsonscan.New(data)
		if _, err := s.Raw(); err != nil {
			return n.place(err)
		}
		if err := s.End(); err != nil {
			return n.place(err)
		}
		if *f.to, err = n.object("the file"); err != nil {
			return err
		}
	}
	l.side.hasConfig = l.has(fileConfig)
	l.class = l.side.text("tokenizer_class")
	l.readModel()
	return l.side.read()
}

// readModel takes from config.json the model type, and the class where the
// tokenizer's own config names none. It is the model's file: what is wrong with it
// is not the tokenizer's business.
func (l *loading) readModel() {
	if !l.has(fileModel) {
		return
	}
	n := len(l.files)
	data, err := l.file(fileModel, maxModelFile)
	l.files = l.files[:n]
	if err != nil {
		return
	}
	s := jsonscan.New(data)
	if _, err := s.Raw(); err != nil {
		return
	}
	config, err := node{path: path.Join(l.dir, fileModel), raw: data}.object("the file")
	if err != nil {
		return
	}
	l.model = textOf(config, "model_type")
	if l.class == "" {
		l.class = textOf(config, "tokenizer_class")
	}
}

// vocabulary reads the best file of the directory.
func (l *loading) vocabulary() (*Tokenizer, error) {
	for _, s := range sources {
		for _, name := range l.names {
			if ok, _ := path.Match(s.pattern, name); !ok {
				continue
			}
			data, err := l.file(name, maxVocabularyFile)
			if err != nil {
				return nil, err
			}
			n := len(l.files) - 1 // the vocabulary comes first
			l.files = slices.Insert(l.files[:n:n], 0, name)
			t, err := s.read(l, name, data)
			if err == nil && s.format != "" {
				t.config.Format = s.format
			}
			return t, err
		}
	}
	if t, ok, err := ForClass(l.family()); ok {
		if err == nil {
			t.config.Format = "bytes"
		}
		return t, err
	}
	return nil, fault.New(fault.NotFound, l.dir, "no file that holds a vocabulary").
		WithHint("add tokenizer.json, or tell where the base model is")
}

// tokenizerJSON reads tokenizer.json with the tokens that the side files add or give
// other flags.
func (l *loading) tokenizerJSON(name string, data []byte) (*Tokenizer, error) {
	t, tokens, err := parseJSON(name, data)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(tokens))
	for _, a := range tokens {
		known[a.Content] = true
	}
	more := func(list ...AddedToken) {
		for _, a := range list {
			if a.Content != "" && !known[a.Content] {
				known[a.Content] = true
				tokens = append(tokens, a)
			}
		}
	}
	for _, a := range l.side.decoder {
		known[a.Content] = true
		tokens = append(tokens, a) // again, with the flags of the config
	}
	if !l.side.hasDecoder {
		list, err := l.addedJSON()
		if err != nil {
			return nil, err
		}
		more(list...)
	}
	var unlisted []string
	for _, role := range roleNames {
		a, _, err := l.side.role(role)
		if err != nil {
			return nil, err
		}
		if _, inModel := t.model.lookup(a.Content); a.Content != "" && !inModel && !known[a.Content] {
			unlisted = append(unlisted, a.Content)
		}
		more(a)
	}
	more(l.side.extra...)
	l.override(t)
	if err := t.assemble(tokens); err != nil {
		return nil, err
	}
	for _, token := range unlisted {
		t.config.Unlisted = append(t.config.Unlisted, t.added.tokens[t.added.byID[t.added.byText[token]]])
	}
	return t, nil
}

// override applies the switches of tokenizer_config.json that fast tokenizers let
// change their file.
func (l *loading) override(t *Tokenizer) {
	if b, ok := t.preTokenizer.(*byteLevel); ok {
		if on, ok := l.side.flag("add_prefix_space"); ok {
			b.addPrefixSpace = on
		}
	}
	n, ok := t.normalizer.(bertNormalizer)
	if !ok {
		return
	}
	if on, ok := l.side.flag("do_lower_case"); ok && on != n.lower {
		if n.accents == n.lower {
			n.accents = on
		}
		n.lower = on
	}
	if on, ok := l.side.flag("strip_accents"); ok {
		n.accents = on
	}
	if on, ok := l.side.flag("tokenize_chinese_chars"); ok {
		n.chinese = on
	}
	t.normalizer = n
}

// addedJSON reads added_tokens.json, {"token": id}.
func (l *loading) addedJSON() ([]AddedToken, error) {
	var out []AddedToken
	for i, name := range l.side.added.names {
		id, err := l.side.added.values[i].uint("the id of "+strconv.Quote(clip(name)), 1<<32-1)
		if err != nil {
			return nil, err
		}
		out = append(out, AddedToken{ID: uint32(id), Content: name, Normalized: true})
	}
	slices.SortStableFunc(out, func(a, b AddedToken) int { return int(int64(a.ID) - int64(b.ID)) })
	return out, nil
}

// modelFile reads what is called tokenizer.model and the like: a SentencePiece model,
// or ranks of tiktoken.
func (l *loading) modelFile(name string, data []byte) (*Tokenizer, error) {
	line := data
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	if _, rank, ok := bytes.Cut(bytes.TrimRight(line, "\r"), []byte(" ")); ok && len(line) < 1000 {
		if _, isNumber := parseID(rank); isNumber {
			t, err := fromTiktoken(name, data, l.pattern(name), nil)
			if err != nil {
				return nil, err
			}
			t.config.Format = "tiktoken"
			return t, l.placeSides(t)
		}
	}
	m, err := parseSentencePiece(name, data)
	if err != nil {
		return nil, err
	}
	family := l.family()
	class := pieceClasses()[family]
	numbers := class.numbers
	if family == "" && name == "sentencepiece.bpe.model" {
		numbers = "fairseq"
	}
	if numbers == "own" || numbers == "" && name == "sentencepiece.bpe.model" {
		return nil, fault.New(fault.Unsupported, name, "the ids of "+family+" are not those of its SentencePiece model").
			WithHint("convert it to tokenizer.json with transformers")
	}
	more := m.renumber(numbers, classLanguages()[family])
	t, err := m.tokenizer()
	if err != nil {
		return nil, err
	}
	t.config.Format = "SentencePiece"
	if err := t.added.place(name, more); err != nil {
		return nil, err
	}
	if family == "T5Tokenizer" || family == "MT5Tokenizer" {
		if err := l.sentinels(t, len(m.pieces)); err != nil {
			return nil, err
		}
	}
	if err := l.placeSides(t); err != nil {
		return nil, err
	}
	l.clean(t, class.clean)
	if family == "" && numbers == "fairseq" {
		cls, _ := t.TokenID("<s>")
		sep, _ := t.TokenID("</s>")
		t.postProcessor = &frame{cls: special{"<s>", cls}, sep: special{"</s>", sep}, roberta: true}
		return t, nil
	}
	if form := classForms()[family].single; form != "" && form != "-" {
		return t, l.around(t)
	}
	return t, l.ends(t, class.ends)
}

// ends puts the first and the last token around texts where class or config say so.
func (l *loading) ends(t *Tokenizer, ends [2]bool) error {
	for i, name := range []string{"add_bos_token", "add_eos_token"} {
		if on, ok := l.side.flag(name); ok {
			ends[i] = on
		}
	}
	if !ends[0] && !ends[1] {
		return nil
	}
	id := func(role string) *uint32 {
		a, _, err := l.side.role(role)
		text := a.Content
		if err != nil || text == "" {
			text = t.config.Roles[role]
		}
		if id, ok := t.TokenID(text); ok {
			return &id
		}
		return nil
	}
	return t.surround(l.files[0], ends[0], ends[1], id("bos_token"), id("eos_token"))
}

// clean puts what a class does to a text before the normalizer of its file. Source:
// preprocess_text of the tokenizers of ALBERT and XLNet in transformers.
func (l *loading) clean(t *Tokenizer, what string) {
	var seq normalizerSequence
	on := func(step, flag string, value bool) bool {
		if set, ok := l.side.flag(flag); ok {
			value = set
		}
		return strings.Contains(what, step) && value
	}
	if strings.Contains(what, "quotes") {
		for _, mark := range []string{"``", "''"} {
			seq = append(seq, &replaceNormalizer{pattern: &pattern{literal: mark}, content: "\""})
		}
	}
	if strings.Contains(what, "accents") && !on("accents", "keep_accents", false) {
		seq = append(seq, unicodeForm{compat: true}, stripAccents{})
	}
	if on("lower", "do_lower_case", true) {
		seq = append(seq, lowercase{})
	}
	if len(seq) > 0 {
		t.normalizer = append(seq, t.normalizer)
	}
}

// sentinels adds <extra_id_0> and its like behind the vocabulary, the last first.
func (l *loading) sentinels(t *Tokenizer, size int) error {
	count := uint64(100)
	if n, ok := l.side.config.optional("extra_ids"); ok {
		var err error
		if count, err = n.uint(`"extra_ids"`, 1<<16); err != nil {
			return err
		}
	}
	var out []AddedToken
	for i := range int(count) {
		out = append(out, AddedToken{ID: uint32(size + i), Content: "<extra_id_" + strconv.Itoa(int(count)-1-i) + ">", Special: true})
	}
	return t.added.place(l.files[0], out)
}

// pattern gives the split pattern for ranks without one.
func (l *loading) pattern(name string) string {
	switch {
	case strings.HasPrefix(name, "qwen"), strings.HasPrefix(l.class, "QWen"):
		return "qwen2"
	case name == "gpt2.tiktoken", name == "multilingual.tiktoken", l.family() == "WhisperTokenizer":
		return "gpt-2"
	case strings.HasPrefix(l.class, "TikTokenTokenizer"):
		return "kimi-k2"
	case strings.HasPrefix(name, "o200k"):
		return "o200k"
	}
	return "cl100k"
}

// placeSides adds the tokens of the side files with the ids they have there.
func (l *loading) placeSides(t *Tokenizer) error {
	tokens := l.side.decoder
	if !l.side.hasDecoder {
		list, err := l.addedJSON()
		if err != nil {
			return err
		}
		tokens = append(slices.Clone(tokens), list...)
	}
	if err := t.added.place(l.files[0], tokens); err != nil {
		return err
	}
	var named []AddedToken
	byClass := make(map[string]bool)
	for _, role := range roleNames {
		a, file, err := l.named(role)
		if err != nil {
			return err
		}
		byClass[a.Content] = byClass[a.Content] || file == ""
		named = append(named, a)
	}
	next := uint32(t.MaxID() + 1)
	var placed []AddedToken
	seen := make(map[string]bool)
	for _, a := range append(named, l.side.extra...) {
		if a.Content == "" || seen[a.Content] {
			continue
		}
		if id, ok := t.added.byText[a.Content]; ok {
			if a.Special { // named as one, whatever the list said
				t.added.special[a.Content] = true
				t.added.tokens[t.added.byID[id]].Special = true
			}
			continue
		}
		id, ok := t.TokenID(a.Content)
		a.ID = id
		if !ok {
			if byClass[a.Content] {
				continue // nobody named it
			}
			a.ID = next
			next++
			t.config.Unlisted = append(t.config.Unlisted, a)
		}
		seen[a.Content] = true
		placed = append(placed, a)
	}
	return t.added.place(l.files[0], placed)
}

// vocabJSON reads vocab.json: with merges.txt that of a byte-level BPE, alone that of
// a speech recognizer.
func (l *loading) vocabJSON(name string, data []byte) (*Tokenizer, error) {
	if classForms()[l.family()].single == "own" {
		return nil, l.ownWay(name)
	}
	if l.has(fileMerges) {
		merges, err := l.file(fileMerges, maxVocabularyFile)
		if err != nil {
			return nil, err
		}
		t, err := FromVocabMerges(data, merges, l.family())
		if err != nil {
			return nil, err
		}
		t.config.Format = "vocab and merges"
		if b, ok := t.preTokenizer.(*byteLevel); ok {
			if on, ok := l.side.flag("add_prefix_space"); ok {
				b.addPrefixSpace = on
			}
		}
		if err := l.placeSides(t); err != nil {
			return nil, err
		}
		return t, l.aroundIfThere(t)
	}
	if _, ok := classForms()[l.family()]; ok {
		return nil, l.noMerges(name)
	}
	o := CTCOptions{Pad: l.side.text("pad_token"), Unknown: l.side.text("unk_token"), Delimiter: l.side.text("word_delimiter_token")}
	o.Upper, _ = l.side.flag("do_lower_case")
	t, err := FromCTC(data, o)
	if err != nil {
		return nil, err
	}
	t.config.Format = "CTC"
	if l.family() != "Wav2Vec2CTCTokenizer" && !t.model.(*wordLevel).vocab.ofCharacters() {
		return nil, l.noMerges(name)
	}
	return t, l.placeSides(t)
}

// noMerges refuses the half of a vocabulary, of which characters alone would be made.
func (l *loading) noMerges(name string) error {
	return fault.New(BadVocabulary, name, "it is no vocabulary of characters, and merges.txt, which belongs to it, is not there").
		WithHint("download merges.txt too")
}

// ownWay refuses the files of a class that cuts or numbers in a way of its own.
func (l *loading) ownWay(name string) error {
	return fault.New(fault.Unsupported, name, l.family()+" makes of its files what they do not say").
		WithHint("convert it to tokenizer.json with transformers")
}

func (l *loading) vocabText(name string, data []byte) (*Tokenizer, error) {
	form := classForms()[l.family()]
	if form.single == "own" {
		return nil, l.ownWay(name)
	}
	var o BERTOptions
	if form.single != "" {
		unk, _, err := l.named("unk_token")
		if err != nil {
			return nil, err
		}
		o.Unknown = unk.Content
	}
	if lower, ok := l.side.flag("do_lower_case"); ok {
		o.Cased = !lower
	}
	if chinese, ok := l.side.flag("tokenize_chinese_chars"); ok {
		o.NoChinese = !chinese
	}
	if strip, ok := l.side.flag("strip_accents"); ok {
		o.StripAccents = &strip
	}
	t, err := FromVocabText(data, o)
	if err != nil {
		return nil, err
	}
	if err := l.placeSides(t); err != nil || form.single == "" {
		return t, err
	}
	return t, l.aroundIfThere(t)
}

// roles notes the named special tokens and the file that gave each.
func (l *loading) roles(t *Tokenizer) error {
	for _, role := range roleNames {
		a, file, err := l.side.role(role)
		if err != nil {
			return err
		}
		if a.Content != "" {
			t.config.setRole(role, a.Content, file)
		}
	}
	return nil
}

// template finds the chat template: the file of its own beats the member of
// tokenizer_config.json, and of a list of templates the one named default counts.
func (l *loading) template(t *Tokenizer) error {
	if l.has(fileTemplate) {
		data, err := l.file(fileTemplate, maxSideFile)
		if err != nil {
			return err
		}
		t.config.ChatTemplate, t.config.TemplateSource = string(data), fileTemplate
		return nil
	}
	n, ok := l.side.config.optional("chat_template")
	if !ok {
		return nil
	}
	if n.kind() == jsonscan.String {
		text, err := n.str(`"chat_template"`)
		t.config.ChatTemplate, t.config.TemplateSource = text, fileConfig
		return err
	}
	if n.kind() == jsonscan.Object { // {"default": "…"}
		o, err := n.object(`"chat_template"`)
		if err != nil {
			return err
		}
		if one, ok := o.optional("default"); ok {
			t.config.TemplateSource = fileConfig
			t.config.ChatTemplate, err = one.str(`"default"`)
		}
		return err
	}
	items, err := n.array(`"chat_template"`)
	if err != nil {
		return err
	}
	for _, item := range items {
		o, err := item.object("a chat template")
		if err != nil {
			return err
		}
		name, err := o.needStr("name")
		if err != nil {
			return err
		}
		if name != "default" {
			continue
		}
		if t.config.ChatTemplate, err = o.needStr("template"); err != nil {
			return err
		}
		t.config.TemplateSource = fileConfig
	}
	return nil
}
