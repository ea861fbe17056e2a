package tokenizer

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"omniloader/loader/fault"
)

// The files of a tokenizer.
const (
	fileTokenizer = "tokenizer.json"
	fileConfig    = "tokenizer_config.json"
	fileModel     = "config.json" // of the model
	fileSpecial   = "special_tokens_map.json"
	fileAdded     = "added_tokens.json"
	fileTekken    = "tekken.json"
	fileVocab     = "vocab.json"
	fileVocabText = "vocab.txt"
	fileMerges    = "merges.txt"
)

// Formats that do not follow from the name of the file alone.
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

// vocabularySource is a name of vocabulary files, a pattern of path.Match, and how they
// are read.
type vocabularySource struct {
	pattern string
	format  string // where it follows from the name alone
	read    func(l *directoryLoader, name string, data []byte) (*Tokenizer, error)
	outline func(l *directoryLoader, o *Outline, name string, data []byte) error // nil where the whole file must be read
	newest  bool                                                                 // of several files take that of the highest version, not the first
}

// vocabularySources are tried in this order: tokenizer.json is complete, the others need
// information from further files.
var vocabularySources = []vocabularySource{
	{pattern: fileTokenizer, format: fileTokenizer, read: (*directoryLoader).tokenizerJSON, outline: (*directoryLoader).outlineJSON},
	{pattern: fileTekken, format: "tekken", outline: (*directoryLoader).outlineTekken,
		read: func(_ *directoryLoader, name string, data []byte) (*Tokenizer, error) { return fromTekken(name, data) }},
	{pattern: "tokenizer.model", read: (*directoryLoader).modelFile},
	{pattern: "tokenizer.model.v*", read: (*directoryLoader).modelFile, newest: true},
	{pattern: "spiece.model", read: (*directoryLoader).modelFile},
	{pattern: "sentencepiece.bpe.model", read: (*directoryLoader).modelFile},
	{pattern: "sentencepiece.model", read: (*directoryLoader).modelFile},
	{pattern: "spm.model", read: (*directoryLoader).modelFile},
	{pattern: "tiktoken.model", read: (*directoryLoader).modelFile},
	{pattern: "*.tiktoken", read: (*directoryLoader).modelFile},
	{pattern: fileVocab, read: (*directoryLoader).vocabJSON, outline: (*directoryLoader).outlineVocab},
	{pattern: fileVocabText, format: fileVocabText, read: (*directoryLoader).vocabText, outline: (*directoryLoader).outlineVocabText},
}

// directoryLoader loads the tokenizer of one directory.
type directoryLoader struct {
	fsys  fs.FS
	dir   string
	names []string
	side  sideFiles
	class string // the tokenizer class that the files name
	model string // model_type of config.json
	pad   int64  // pad_token_id of config.json, -1 for none
	files []string

	chatTemplates []ChatTemplate
	templateErrs  []error // errors of templates that could not be read
}

// family is the tokenizer class without "Fast" at its end: the one that the files name,
// else that of the model type. It decides what the files do not contain.
func (l *directoryLoader) family() string {
	if l.class != "" {
		return strings.TrimSuffix(l.class, "Fast")
	}
	return modelClass(l.model)
}

// Load reads the tokenizer of the checkpoint at dir: the most complete of its vocabulary
// files, and as in transformers tokenizer_config.json, special_tokens_map.json,
// added_tokens.json and chat_template.jinja. The files have precedence over the class
// that the config names, which only decides what the files do not contain.
//
// The error is of the kind fault.NotFound where dir has no vocabulary; other errors name
// the file and the byte.
func Load(fsys fs.FS, dir string) (*Tokenizer, error) {
	l, err := openDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	t, err := l.vocabulary()
	if err != nil {
		return nil, l.inDirectory(err)
	}
	return t, l.inDirectory(l.setConfig(t))
}

// openDir lists a directory and reads its config files.
func openDir(fsys fs.FS, dir string) (*directoryLoader, error) {
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

func openNames(fsys fs.FS, dir string, names []string) (*directoryLoader, error) {
	l := &directoryLoader{fsys: fsys, dir: dir, names: names, pad: -1}
	if err := l.readSideFiles(); err != nil {
		return nil, err
	}
	return l, nil
}

// setConfig sets the Config of a tokenizer.
func (l *directoryLoader) setConfig(t *Tokenizer) error {
	if err := l.roles(t); err != nil {
		return err
	}
	l.chatTemplates, l.templateErrs = l.templates() // errors of templates do not concern the ids
	for _, c := range l.chatTemplates {
		if c.Name == defaultTemplate {
			t.config.ChatTemplate, t.config.TemplateSource = c.Text, c.Source
			break
		}
	}
	t.config.Class, t.config.ModelType, t.config.Files = l.class, l.model, l.files
	return nil
}

// inDirectory puts the directory before the name of the file in an error.
func (l *directoryLoader) inDirectory(err error) error {
	var e *fault.Error
	if l.dir != "." && errors.As(err, &e) && e.Path != "" && e.Path != l.dir && !strings.HasPrefix(e.Path, l.dir+"/") {
		c := *e
		c.Path = path.Join(l.dir, e.Path)
		return &c
	}
	return err
}

// vocabulary reads the vocabulary file of the directory.
func (l *directoryLoader) vocabulary() (*Tokenizer, error) {
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

// withoutFile returns the tokenizer of a class that needs no vocabulary file.
func (l *directoryLoader) withoutFile() (*Tokenizer, error) {
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
	return t, l.placeSideTokens(t)
}

// errorPath is the file for errors that concern the tokenizer as a whole.
func (l *directoryLoader) errorPath() string {
	if len(l.files) == 0 {
		return l.dir
	}
	return l.files[0]
}
