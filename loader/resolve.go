package loader

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"omniloader/loader/fault"
)

// Fetch brings the tokenizer files of a model from elsewhere and says where they
// lie now. The error is of the kind fault.NotFound where there is no such model.
type Fetch func(ctx context.Context, model string) (fsys fs.FS, dir string, err error)

// WithFetch names a place beyond the filesystem, such as a hub, that is asked for
// a base model's tokenizer where no place on the filesystem has it. The loader
// itself never uses a network.
func WithFetch(fetch Fetch) Option {
	return func(l *Loader) { l.fetch = fetch }
}

// Durations say where the time of finding and loading a tokenizer went.
type Durations struct {
	Resolution time.Duration // deciding whose tokenizer it is, and where
	Download   time.Duration // fetching it, 0 where that was not needed
	Parse      time.Duration // reading the files and building the tokenizer
}

// tokenizerReader takes the tokenizer of one directory. The error is of the kind
// NotFound where the directory has none.
type tokenizerReader func(c *checkpoint) (*TokenizerInfo, error)

// findTokenizer takes the tokenizer of the checkpoint at dir, else that of its
// base model, else the first fallback that has one.
func (l *Loader) findTokenizer(ctx context.Context, fsys fs.FS, dir string, read tokenizerReader) (*TokenizerInfo, error) {
	start := time.Now()
	var times Durations
	timed := func(c *checkpoint) (*TokenizerInfo, error) {
		began := time.Now()
		t, err := read(c)
		times.Parse += time.Since(began)
		return t, err
	}
	settle := func(t *TokenizerInfo, origin string, tried []Try) *TokenizerInfo {
		t.Origin, t.Tried = origin, tried
		times.Resolution = time.Since(start) - times.Parse - times.Download
		t.Times = times
		return t
	}

	c, err := list(fsys, dir)
	if err != nil {
		return nil, err
	}
	t, err := timed(c)
	if err == nil {
		return settle(t, OriginCheckpoint, []Try{}), nil
	}
	if !passedOver(err) {
		return nil, err // it is there, and broken: another one would hide that
	}
	tried := []Try{{dir, reasonOf(err)}}

	base, reason := c.baseModel()
	var places []string
	isModel := false
	switch {
	case base == "":
		tried = append(tried, Try{dir, reason})
	case !fs.ValidPath(base) && c.doc.file != fileAdapter:
		tried = append(tried, Try{base, "a path, and no name of a model"})
	case !fs.ValidPath(base): // adapters name the directory that they were trained from
		if places = pathsOf(base, dir); len(places) == 0 {
			tried = append(tried, Try{base, "a path that leads out of the filesystem"})
		}
	default:
		places, isModel = l.placesOf(fsys, base, dir), true
	}
	for _, p := range places {
		if t, reason, err = tokenizerAt(fsys, p, timed); t != nil {
			return settle(t, OriginBaseModel, tried), nil
		} else if err != nil {
			return nil, err
		}
		if !isModel && reason == string(fault.NotFound) {
			reason = "not found; a path of the machine that wrote " + c.doc.file
		}
		tried = append(tried, Try{p, reason})
	}
	if isModel && l.fetch != nil {
		began := time.Now()
		there, at, err := l.fetch(ctx, base)
		times.Download = time.Since(began)
		if err == nil {
			if t, reason, err = tokenizerAt(there, at, timed); t != nil {
				return settle(t, OriginBaseModel, tried), nil
			} else if err != nil {
				return nil, err
			}
			tried = append(tried, Try{at, reason})
		} else if ctx.Err() != nil {
			return nil, err
		} else {
			tried = append(tried, Try{base, err.Error()})
		}
	}
	for _, p := range l.fallbacks {
		if t, reason, err = tokenizerAt(fsys, p, timed); t != nil {
			return settle(t, OriginFallback, tried), nil
		} else if err != nil {
			return nil, err
		}
		tried = append(tried, Try{p, reason})
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

// passedOver tells whether a directory without a usable tokenizer may be passed
// over for another place: it has none, or only one in its GGUF file that this
// loader cannot use.
func passedOver(err error) bool {
	var unusable *ggufUnusable
	return fault.KindOf(err) == fault.NotFound || errors.As(err, &unusable)
}

// reasonOf says why a directory's tokenizer was not taken.
func reasonOf(err error) string {
	var e *fault.Error
	if errors.As(err, &e) && e.Kind == fault.NotFound && e.Detail != "" {
		return e.Detail
	}
	return withoutPath(err)
}

// tokenizerAt takes the tokenizer of a directory that may not exist. A reason says
// why there is none; a tokenizer that is there and broken is an error, for another one
// in its place would give other ids without a word.
func tokenizerAt(fsys fs.FS, dir string, read tokenizerReader) (t *TokenizerInfo, reason string, err error) {
	c, err := list(fsys, dir)
	if err != nil {
		return nil, withoutPath(err), nil
	}
	t, err = read(c)
	if err == nil {
		return t, "", nil
	}
	if passedOver(err) {
		return nil, reasonOf(err), nil
	}
	var e *fault.Error
	if errors.As(err, &e) && !strings.HasPrefix(e.Path, dir+"/") {
		at := *e
		at.Path = path.Join(dir, e.Path)
		err = &at
	}
	return nil, "", err
}

// pathsOf gives where a path leads on the filesystem: an absolute one from its root,
// any other one from the checkpoint. One that leads out of the filesystem gives none.
func pathsOf(base, dir string) []string {
	p := path.Join(dir, base)
	if path.IsAbs(base) {
		p = strings.TrimPrefix(path.Clean(base), "/")
	}
	if !fs.ValidPath(p) || p == dir {
		return nil
	}
	return []string{p}
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
	case v.baseModel != "":
		return repositoryOf(v.baseModel), ""
	}
	return "", "it has no base model"
}

// repositoryOf gives the <org>/<name> of a repository that is named by its
// address, as GGUF files do; anything else stays as it is.
func repositoryOf(name string) string {
	_, rest, isAddress := strings.Cut(name, "://")
	if !isAddress {
		return name
	}
	_, repo, _ := strings.Cut(rest, "/")
	return strings.TrimRight(repo, "/")
}

// maxAncestors bounds how far up a base model is looked for.
const maxAncestors = 4

// placesOf lists where a base model may be: below the directories above the
// checkpoint, nearest first, and below the model roots, as <root>/<org>/<name>,
// <root>/<name>, or in the Hugging Face cache.
func (l *Loader) placesOf(fsys fs.FS, model, dir string) (places []string) {
	roots := []string{}
	for up, i := dir, 0; up != "." && i < maxAncestors; i++ {
		up = path.Dir(up)
		roots = append(roots, up)
	}
	roots = append(roots, l.roots...)
	add := func(p string) {
		if p != dir && !slices.Contains(places, p) {
			places = append(places, p)
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
