package loader

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"omniloader/loader/fault"
)

// The files of a tokenizer.
const (
	fileTokenizer       = "tokenizer.json"
	fileTokenizerConfig = "tokenizer_config.json"
	fileSpecialTokens   = "special_tokens_map.json"
)

// Limits on tokenizer files, in bytes. The largest real tokenizer.json, with
// 262,144 tokens and its merges as pairs, has 33 MB.
const (
	MaxTokenizerSize = 256 << 20
	maxSniff         = 4 << 10
)

// Where a tokenizer came from.
const (
	OriginCheckpoint = "checkpoint"
	OriginBaseModel  = "base model"
	OriginFallback   = "fallback"
)

// vocabularyFile is a file that holds a vocabulary, and how it is read where it
// is the best of a directory.
type vocabularyFile struct {
	name string
	read func(t *tokenizerSource, fsys fs.FS, dir, name string) error
}

// vocabularyFiles are tried in this order: the file of the fast tokenizers says
// everything, the others are its forerunners.
var vocabularyFiles = []vocabularyFile{
	{fileTokenizer, readTokenizerJSON},
	{"tekken.json", readTekken},
	{"tokenizer.model", readModelFile},
	{"spiece.model", readModelFile},
	{"sentencepiece.bpe.model", readModelFile},
	{"tiktoken.model", readModelFile},
	{"qwen.tiktoken", readModelFile},
	{"vocab.json", readVocabJSON},
	{"vocab.txt", readVocabText},
}

// Tokenizer describes the tokenizer of the checkpoint at dir. Where it has none,
// the tokenizer of its base model is taken (of a sparse autoencoder or an
// adapter), found beside it on the same filesystem; then the fallbacks, in their
// order. The error of a vain search lists each place and why it was not taken.
func (l *Loader) Tokenizer(fsys fs.FS, dir string) (*TokenizerInfo, error) {
	c, err := list(fsys, dir)
	if err != nil {
		return nil, err
	}
	t, err := readTokenizer(fsys, c.dir, c.names)
	if err == nil {
		t.Origin = OriginCheckpoint
		return t, nil
	}
	if fault.KindOf(err) != fault.NotFound {
		return nil, err // it is there, and broken: another one would hide that
	}
	tried := []Try{{dir, "no tokenizer file"}}

	base, reason := c.baseModel()
	places := []place{}
	switch {
	case base == "":
		tried = append(tried, Try{dir, reason})
	case !fs.ValidPath(base):
		tried = append(tried, Try{base, "names a path of another machine, and no model"})
	default:
		places = l.placesOf(fsys, base, dir)
	}
	for _, fallback := range l.fallbacks {
		places = append(places, place{fallback, OriginFallback})
	}
	for _, p := range places {
		t, reason := tokenizerAt(fsys, p.dir)
		if t != nil {
			t.Origin, t.Tried = p.origin, tried
			return t, nil
		}
		tried = append(tried, Try{p.dir, reason})
	}
	return nil, tokenizerNotFound(dir, base, tried)
}

// tokenizerNotFound lists everything that was tried.
func tokenizerNotFound(dir, base string, tried []Try) error {
	var b strings.Builder
	b.WriteString("no tokenizer, tried ")
	for i, t := range tried {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(t.Path + " (" + t.Reason + ")")
	}
	hint := "add tokenizer.json to the checkpoint, or configure a fallback"
	if base != "" {
		hint = "put the base model " + base + " beside the checkpoint, name a model root that has it, or configure a fallback"
	}
	return fault.New(fault.NotFound, dir, b.String()).WithHint(hint)
}

// place is a directory where a tokenizer may be.
type place struct{ dir, origin string }

// tokenizerAt reads the tokenizer of a directory that may not exist.
func tokenizerAt(fsys fs.FS, dir string) (t *TokenizerInfo, reason string) {
	c, err := list(fsys, dir)
	if err != nil {
		return nil, withoutPath(err)
	}
	if t, err = readTokenizer(fsys, c.dir, c.names); err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return nil, "no tokenizer file"
		}
		return nil, err.Error()
	}
	return t, ""
}

// baseModel names the model whose tokenizer a checkpoint without one uses.
func (c *checkpoint) baseModel() (name, reason string) {
	if err := c.read(); err != nil {
		return "", "its base model is not known: " + err.Error()
	}
	v := c.classify()
	switch {
	case v.sae != nil:
		if b := c.saeBaseModel(v.sae); b.BaseModel != nil {
			return *b.BaseModel, ""
		}
		return "", "a sparse autoencoder whose base model no file names"
	case c.doc.file == fileAdapter:
		if name := c.doc.text(keyBaseModelPath); name != "" {
			return name, ""
		}
		return "", "an adapter that does not name its base model"
	}
	return "", "it has no base model"
}

// maxAncestors bounds how far up a base model is looked for.
const maxAncestors = 4

// placesOf lists where a base model may be: below the directories above the
// checkpoint, nearest first, and below the model roots, as <root>/<org>/<name>,
// <root>/<name>, or in the Hugging Face cache.
func (l *Loader) placesOf(fsys fs.FS, model, dir string) (places []place) {
	roots := []string{}
	for up, i := dir, 0; up != "." && i < maxAncestors; i++ {
		up = path.Dir(up)
		roots = append(roots, up)
	}
	roots = append(roots, l.roots...)
	add := func(p string) {
		if p != dir && !slices.Contains(places, place{p, OriginBaseModel}) {
			places = append(places, place{p, OriginBaseModel})
		}
	}
	for _, root := range roots {
		add(path.Join(root, model))
		add(path.Join(root, path.Base(model)))
		for _, cache := range [...]string{root, path.Join(root, "hub")} {
			add(cachedSnapshot(fsys, cache, model))
		}
	}
	return places
}

// cachedSnapshot is where a model is in the layout of the Hugging Face cache:
// models--org--name/snapshots/<commit>, where refs/main names the commit. Where
// no ref does, a snapshot that stands alone is taken; where there is none, the
// place is the model's own directory in the cache.
func cachedSnapshot(fsys fs.FS, cache, model string) string {
	repo := path.Join(cache, "models--"+strings.ReplaceAll(model, "/", "--"))
	if ref, err := readFile(fsys, repo, "refs/main", maxSniff); err == nil {
		if commit := strings.TrimSpace(string(ref)); commit != "" && !strings.Contains(commit, "/") && fs.ValidPath(commit) {
			return path.Join(repo, "snapshots", commit)
		}
	}
	snapshots, err := fs.ReadDir(fsys, path.Join(repo, "snapshots"))
	if err != nil || len(snapshots) != 1 {
		return repo
	}
	return path.Join(repo, "snapshots", snapshots[0].Name())
}
