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
	"unicode/utf8"

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
	fileTekken    = "tekken.json"
	fileVocab     = "vocab.json"
	fileVocabText = "vocab.txt"
	fileMerges    = "merges.txt"
)

// Formats that the name of a file alone does not tell.
const (
	formatMerges = "vocab and merges"
	formatCTC    = "CTC"
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
	outline func(l *loading, o *Outline, name string, data []byte) error // nil where only reading all of it tells
	newest  bool                                                         // of several the one of the highest version, else the first
}

// sources are tried in this order: tokenizer.json says everything, the others are
// its forerunners.
var sources = []source{
	{pattern: fileTokenizer, format: fileTokenizer, read: (*loading).tokenizerJSON, outline: (*loading).outlineJSON},
	{pattern: fileTekken, format: "tekken", outline: (*loading).outlineTekken,
		read: func(_ *loading, name string, data []byte) (*Tokenizer, error) { return fromTekken(name, data) }},
	{pattern: "tokenizer.model", read: (*loading).modelFile},
	{pattern: "tokenizer.model.v*", read: (*loading).modelFile, newest: true},
	{pattern: "spiece.model", read: (*loading).modelFile},
	{pattern: "sentencepiece.bpe.model", read: (*loading).modelFile},
	{pattern: "sentencepiece.model", read: (*loading).modelFile},
	{pattern: "spm.model", read: (*loading).modelFile},
	{pattern: "tiktoken.model", read: (*loading).modelFile},
	{pattern: "*.tiktoken", read: (*loading).modelFile},
	{pattern: fileVocab, read: (*loading).vocabJSON, outline: (*loading).outlineVocab},
	{pattern: fileVocabText, format: fileVocabText, read: (*loading).vocabText, outline: (*loading).outlineVocabText},
}

// loading is one directory while it is read.
type loading struct {
	fsys  fs.FS
	dir   string
	names []string
	side  side
	class string // that the files name
	model string // model_type of config.json
	pad   int64  // pad_token_id of config.json, -1 for none
	files []string

	found  []ChatTemplate
	faulty []error // why other templates were left out
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
	l, err := openDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	t, err := l.vocabulary()
	if err != nil {
		return nil, l.place(err)
	}
	return t, l.place(l.settle(t))
}

// openDir lists a directory and reads its side files.
func openDir(fsys fs.FS, dir string) (*loading, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		kind := fault.Unreadable
		if errors.Is(err, fs.ErrNotExist) {
			kind = fault.NotFound
		}
		return nil, fault.New(kind, dir, "").WithCause(err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return openNames(fsys, dir, names)
}

func openNames(fsys fs.FS, dir string, names []string) (*loading, error) {
	l := &loading{fsys: fsys, dir: dir, names: names, pad: -1}
	if err := l.readSides(); err != nil {
		return nil, err
	}
	return l, nil
}

// settle notes what the side files say beside the ids.
func (l *loading) settle(t *Tokenizer) error {
	if err := l.roles(t); err != nil {
		return err
	}
	l.found, l.faulty = l.templates() // what is wrong with them changes no id
	for _, c := range l.found {
		if c.Name == defaultTemplate {
			t.config.ChatTemplate, t.config.TemplateSource = c.Text, c.Source
			break
		}
	}
	t.config.Class, t.config.ModelType, t.config.Files = l.class, l.model, l.files
	return nil
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

// takes tells whether a file of this name is of the source.
func (s *source) takes(name string) bool {
	if name == s.pattern || !strings.Contains(s.pattern, "*") {
		return name == s.pattern
	}
	ok, _ := path.Match(s.pattern, name)
	return ok
}

// VocabularyFile gives the file among the names of a directory that Load takes the
// vocabulary from, "" where none holds one.
func VocabularyFile(names []string) string {
	name, _ := best(names)
	return name
}

// best gives the file that says most, and how it is read.
func best(names []string) (string, *source) {
	for i := range sources {
		s, found := &sources[i], ""
		for _, name := range names {
			if s.takes(name) && (found == "" || s.newest && laterVersion(name, found)) {
				found = name
			}
		}
		if found != "" {
			return found, s
		}
	}
	return "", nil
}

// best is the file that the vocabulary is taken from: where the config lists files of
// tokenizers by version, the latest of those that are there. Source:
// get_fast_tokenizer_file of transformers, tokenization_utils_base.py.
func (l *loading) best() (name string, s *source) {
	list, ok := l.side.config.optional("fast_tokenizer_files")
	if items, err := list.array("fast_tokenizer_files"); ok && err == nil {
		for _, item := range items {
			file, err := item.str("a file")
			if err == nil && versionedFile(file) && l.has(file) && (name == "" || laterVersion(file, name)) {
				name = file
			}
		}
	}
	if name != "" {
		return name, &sources[0]
	}
	return best(l.names)
}

// versionedFile tells the names of fast_tokenizer_files: tokenizer.4.0.json.
func versionedFile(name string) bool {
	version, ok := strings.CutPrefix(name, "tokenizer.")
	version, isJSON := strings.CutSuffix(version, ".json")
	return ok && isJSON && version != "" && strings.Trim(version, "0123456789.") == ""
}

// laterVersion compares names by the numbers in them.
func laterVersion(a, b string) bool {
	numbers := func(s string) (out []int) {
		for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
			n, _ := strconv.Atoi(f)
			out = append(out, n)
		}
		return out
	}
	return slices.Compare(numbers(a), numbers(b)) > 0
}

// FilesOf gives those of a directory's files that Load reads, the vocabulary first:
// what has to be fetched to load a tokenizer, and nothing that it would not look at.
func FilesOf(names []string) []string {
	var out []string
	for _, name := range names {
		if versionedFile(name) { // the config says which
			out = append(out, name)
		}
	}
	if name := VocabularyFile(names); name != "" {
		out = append(out, name)
		if name == fileVocab && slices.Contains(names, fileMerges) {
			out = append(out, fileMerges)
		}
	}
	for _, name := range []string{fileConfig, fileSpecial, fileAdded, fileTemplate, fileTemplateJSON} {
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
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Unreadable, full, "a link that leads nowhere").WithCause(err).WithHint("download the file again")
	} else if err != nil {
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
	case data[0] == 0 && len(bytes.Trim(data[:min(len(data), 4096)], "\x00")) == 0:
		return nil, fault.At(fault.ZeroFilled, full, 0, "the file was allocated and never written").WithHint("download the file again")
	case bytes.HasPrefix(data, []byte("version https://git-lfs")):
		return nil, fault.New(fault.LFSPointer, full, "").WithHint("run `git lfs pull`")
	case looksLikeHTML(data):
		return nil, fault.New(fault.HTMLPage, full, "").WithHint("the server sent a page in place of the file; fetch it again, logged in if need be")
	}
	l.files = append(l.files, name)
	return data, nil
}

func looksLikeHTML(data []byte) bool {
	head := bytes.TrimLeft(data[:min(len(data), 256)], " \t\r\n\xEF\xBB\xBF")
	if len(head) == 0 || head[0] != '<' {
		return false // nearly always
	}
	head = bytes.ToLower(head)
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// object reads a side file that holds one object.
func (l *loading) object(name string) (object, error) {
	data, err := l.file(name, maxSideFile)
	if err != nil {
		return object{}, err
	}
	n := node{path: path.Join(l.dir, name), raw: data}
	s := jsonscan.New(data)
	if _, err := s.Raw(); err != nil {
		return object{}, n.place(err)
	}
	if err := s.End(); err != nil {
		return object{}, n.place(err)
	}
	return n.object("the file")
}

func (l *loading) readSides() error {
	for _, f := range []struct {
		name string
		to   *object
	}{{fileConfig, &l.side.config}, {fileSpecial, &l.side.special}, {fileAdded, &l.side.added}} {
		if !l.has(f.name) {
			continue
		}
		var err error
		if *f.to, err = l.object(f.name); err != nil {
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
	config, err := node{path: path.Join(l.dir, fileModel), raw: data}.pick("the file", "model_type", "tokenizer_class", "pad_token_id", "text_config")
	if err != nil {
		return
	}
	l.model = textOf(config, "model_type")
	if l.class == "" {
		l.class = textOf(config, "tokenizer_class")
	}
	pad, ok := config.lookup("pad_token_id")
	if text, isThere := config.optional("text_config"); !ok && isThere && text.kind() == jsonscan.Object {
		if o, err := text.pick("text_config", "pad_token_id"); err == nil {
			pad, ok = o.lookup("pad_token_id")
		}
	}
	if id, isID := parseID(pad.raw); ok && isID {
		l.pad = int64(id)
	}
}

// vocabulary reads the best file of the directory.
func (l *loading) vocabulary() (*Tokenizer, error) {
	name, s := l.best()
	if s == nil {
		return l.withoutFile()
	}
	data, err := l.vocabularyFile(name)
	if err != nil {
		return nil, err
	}
	t, err := s.read(l, name, data)
	if err == nil && s.format != "" {
		t.config.Format = s.format
	}
	return t, err
}

func (l *loading) vocabularyFile(name string) ([]byte, error) {
	data, err := l.file(name, maxVocabularyFile)
	if err == nil {
		n := len(l.files) - 1 // the vocabulary comes first
		l.files = slices.Insert(l.files[:n:n], 0, name)
	}
	return data, err
}

// withoutFile makes the tokenizer of a class that needs no vocabulary.
func (l *loading) withoutFile() (*Tokenizer, error) {
	extra := -1
	if n, ok := l.side.config.optional("extra_ids"); ok {
		count, err := n.uint(`"extra_ids"`, 1<<16)
		if err != nil {
			return nil, err
		}
		extra = int(count)
	}
	t, ok, err := forClass(l.family(), extra)
	if !ok {
		return nil, fault.New(fault.NotFound, l.dir, "no file that holds a vocabulary").
			WithHint("add tokenizer.json, or tell where the base model is")
	}
	if err != nil {
		return nil, err
	}
	t.config.Format = "bytes"
	return t, l.placeSides(t)
}

// source names the file that errors about the whole are about.
func (l *loading) source() string {
	if len(l.files) == 0 {
		return l.dir
	}
	return l.files[0]
}

// tokenizerJSON reads tokenizer.json with the tokens that the side files add or give
// other flags.
func (l *loading) tokenizerJSON(name string, data []byte) (*Tokenizer, error) {
	t, tokens, err := parseJSON(name, data)
	if err != nil {
		return nil, err
	}
	l.override(t)
	return t, l.addSides(t, tokens, t.assemble)
}

// addSides gives the tokens of the side files to a tokenizer that has a list of its
// own; add takes them all.
func (l *loading) addSides(t *Tokenizer, tokens []AddedToken, add func([]AddedToken) error) error {
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
			return err
		}
		more(list...)
	}
	var unlisted []string
	for _, role := range roleNames {
		a, _, err := l.side.role(role)
		if err != nil {
			return err
		}
		if _, inModel := t.model.lookup(a.Content); a.Content != "" && !inModel && !known[a.Content] {
			unlisted = append(unlisted, a.Content)
		}
		more(a)
	}
	more(l.side.extra...)
	if err := add(tokens); err != nil {
		return err
	}
	for _, token := range unlisted {
		t.config.Unlisted = append(t.config.Unlisted, t.added.tokens[t.added.byID[t.added.byText[token]]])
	}
	return nil
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
	if err := t.added.place(l.source(), tokens); err != nil {
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
	return t.added.place(l.source(), placed)
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
		t.config.Format = formatMerges
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
	if err := l.checkCTC(name, data); err != nil {
		return nil, err
	}
	o := CTCOptions{Pad: l.side.text("pad_token"), Unknown: l.side.text("unk_token"), Delimiter: l.delimiter(), Language: l.side.text("target_lang")}
	o.Upper, _ = l.side.flag("do_lower_case")
	t, err := FromCTC(data, o)
	if err != nil {
		return nil, err
	}
	t.config.Format = formatCTC
	return t, l.placeSides(t)
}

func (l *loading) delimiter() string {
	if d := l.side.text("word_delimiter_token"); d != "" {
		return d
	}
	return "|"
}

// checkCTC refuses a vocab.json that stands alone and is not that of a speech
// recognizer: taken for one, a half of a BPE would give wrong ids without a word. It
// is one if the class says so, or if it has single characters and a mark between
// words.
func (l *loading) checkCTC(name string, data []byte) error {
	if family := l.family(); strings.Contains(family, "CTC") || family == "Wav2Vec2Tokenizer" {
		return nil
	}
	delimiter, characters, marked := l.delimiter(), true, false
	file := node{path: name, raw: data}
	s := jsonscan.New(data)
	if err := file.want(jsonscan.Object, "the file"); err != nil {
		return err
	}
	err := s.Object(func(token []byte) error {
		marked = marked || string(token) == delimiter
		isMark := len(token) > 2 && (token[0] == '<' && token[len(token)-1] == '>' || token[0] == '[' && token[len(token)-1] == ']')
		characters = characters && (isMark || utf8.RuneCount(token) <= 1 || string(token) == delimiter)
		_, err := s.Raw()
		return err
	})
	switch {
	case err != nil:
		return file.place(err)
	case characters && marked:
		return nil
	case slices.ContainsFunc(l.names, func(n string) bool { return path.Ext(n) == ".spm" }):
		return fault.New(fault.Unsupported, name, "the ids of "+l.family()+" follow from several files").
			WithHint("convert it to tokenizer.json with transformers")
	}
	return fault.New(fault.Incomplete, fileMerges, "vocab.json has the tokens of a BPE, and its merges.txt is not there").
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
