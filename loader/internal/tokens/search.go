// Package tokens finds the tokenizer of a checkpoint, its own, that of its base
// model or a fallback, and describes or loads it.
package tokens

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"
	"unicode"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/registry"
)

// Fetch brings the tokenizer files of a model from elsewhere and says where they
// lie now; revision is a branch, a tag or a commit, "" for the main branch. The error
// is of the kind fault.NotFound where there is no such model.
type Fetch func(ctx context.Context, model, revision string) (fsys fs.FS, dir string, err error)

// readFunc takes the tokenizer of one directory. The error is of the kind
// NotFound where the directory has none.
type readFunc func(c *checkpoint.Directory) (*Description, error)

// Finder says where the tokenizer of a checkpoint may be, if it has none of
// its own.
type Finder struct {
	Roots     []string           // directories below which base models are looked for
	Fallbacks []string           // directories of tokenizers for checkpoints that have none
	Fetch     Fetch              // nil where the filesystem is all there is
	Registry  *registry.Registry // nil for the built-in names
}

// search is one search for a tokenizer.
type search struct {
	*Finder
	fsys  fs.FS
	dir   string // of the checkpoint
	read  readFunc
	tried []answer.Attempt
	start time.Time
	times answer.Durations
}

// Find takes the tokenizer of the checkpoint at dir, else that of its
// base model, else the first fallback that has one. A tokenizer that is there and
// brokenError ends the search: another one in its place would hide that.
func (l *Finder) Find(ctx context.Context, fsys fs.FS, dir string, read readFunc) (*Description, error) {
	s := &search{Finder: l, fsys: fsys, dir: dir, read: read, tried: []answer.Attempt{}, start: time.Now()}
	c, err := checkpoint.List(fsys, dir)
	if err != nil {
		return nil, err
	}
	c.CustomRegistry = l.Registry
	own, err := s.readTimed(c)
	if err == nil {
		return s.finish(own, answer.OriginCheckpoint), nil
	}
	if !mayTryNext(err) {
		return nil, err
	}
	s.tried = append(s.tried, answer.Attempt{Path: dir, Reason: reasonOf(err)})

	base := baseModelOf(c)
	if strings.ContainsFunc(base.name, unicode.IsControl) { // no place has such a name, and no terminal should see it
		base = baseModel{unknownReason: "the name of its base model has control characters"}
	}
	if t, err := s.findInBaseModel(ctx, base); t != nil || err != nil {
		return t, err
	}
	for _, p := range l.Fallbacks {
		t, err := s.tryLocation(fsys, location{path: p})
		if err != nil {
			return nil, s.brokenError(base, err)
		}
		if t != nil {
			return s.finish(t, answer.OriginFallback), nil
		}
	}
	if own != nil {
		own.Findings = append(own.Findings, finding.New(finding.TokenizerVocabulary, "", "the files of a tokenizer are here, and none holds its vocabulary", ""))
		return s.finish(own, answer.OriginCheckpoint), nil
	}
	return nil, &answer.SearchError{Path: dir, Base: base.name, Tried: s.tried}
}

// findInBaseModel takes the tokenizer of the base model, nil where no place has it. What is
// brokenError in a cache can be made whole by whoever filled the cache, so it is asked
// before that counts.
func (s *search) findInBaseModel(ctx context.Context, base baseModel) (*Description, error) {
	if base.name == "" {
		s.tried = append(s.tried, answer.Attempt{Path: s.dir, Reason: base.unknownReason})
		return nil, nil
	}
	exact, guessed := s.locations(s.fsys, base, s.dir)
	if len(exact) == 0 {
		s.tried = append(s.tried, answer.Attempt{Path: base.name, Reason: "a path that is not here, and no model's name", OutsideFS: true})
	}
	var broken error
	for _, p := range exact {
		t, err := s.tryLocation(s.fsys, p)
		switch {
		case t != nil:
			return s.finishInBaseModel(t, base, ""), nil
		case err != nil && p.inHubCache && s.Fetch != nil:
			broken = err
		case err != nil:
			return nil, s.brokenError(base, err)
		}
	}
	if s.Fetch != nil && !base.isPath() {
		t, err := s.fetchBaseModel(ctx, base)
		if t != nil || err != nil {
			return t, err
		}
	}
	if broken != nil {
		return nil, s.brokenError(base, broken)
	}
	for _, p := range guessed {
		t, err := s.tryLocation(s.fsys, p)
		if err != nil {
			return nil, s.brokenError(base, err)
		}
		if t != nil {
			return s.finishInBaseModel(t, base, "it has the last name of the base model "+base.name+", and lies beside the checkpoint"), nil
		}
	}
	return nil, nil
}

// fetchBaseModel takes the tokenizer of the base model from where WithFetch asks.
func (s *search) fetchBaseModel(ctx context.Context, base baseModel) (*Description, error) {
	began := time.Now()
	there, at, err := s.Fetch(ctx, base.name, base.revision)
	s.times.Download = time.Since(began)
	if ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		s.tried = append(s.tried, answer.Attempt{Path: base.name, Reason: err.Error(), OutsideFS: true})
		return nil, nil
	}
	t, err := s.tryLocation(there, location{path: at})
	if err != nil {
		return nil, s.brokenError(base, err)
	}
	if t == nil {
		return nil, nil
	}
	return s.finishInBaseModel(t, base, ""), nil
}

// tryLocation takes the tokenizer of a place, nil where it has none. The error is that of a
// tokenizer that is there and broken, and names the file as the filesystem does.
func (s *search) tryLocation(fsys fs.FS, p location) (*Description, error) {
	c, err := checkpoint.List(fsys, p.path)
	if kind := fault.KindOf(err); kind == fault.NotFound || kind == fault.NotAFile {
		s.tried = append(s.tried, answer.Attempt{Path: p.path, Reason: finding.MessageOf(err), Root: p.root, Absent: kind == fault.NotFound})
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	t, err := s.readTimed(c)
	if err == nil {
		return t, nil
	}
	if !mayTryNext(err) {
		err = joinErrorDir(err, c.Dir)
		s.tried = append(s.tried, answer.Attempt{Path: p.path, Reason: err.Error()})
		return nil, err
	}
	s.tried = append(s.tried, answer.Attempt{Path: p.path, Reason: reasonOf(err)})
	return nil, nil
}

func (s *search) readTimed(c *checkpoint.Directory) (*Description, error) {
	began := time.Now()
	t, err := s.read(c)
	s.times.Parse += time.Since(began)
	return t, err
}

func (s *search) finish(t *Description, origin string) *Description {
	t.Origin, t.Tried = origin, s.tried
	s.times.Resolution = time.Since(s.start) - s.times.Parse - s.times.Download
	t.Times = s.times
	return t
}

// finishInBaseModel settles on the tokenizer of the base model. Where that is only likely the
// right one, doubt says why.
func (s *search) finishInBaseModel(t *Description, base baseModel, doubt string) *Description {
	if doubt == "" && base.uncertainSource != "" {
		doubt = "it is that of " + base.name + ", which " + base.uncertainSource + " names; tokens that were added since are not in it"
	}
	if doubt != "" {
		t.Findings = append(t.Findings, finding.New(finding.TokenizerGuessed, "", doubt, ""))
	}
	return s.finish(t, answer.OriginBaseModel)
}

func (s *search) brokenError(base baseModel, err error) error {
	return &answer.SearchError{Path: s.dir, Base: base.name, Tried: s.tried, Broken: err}
}

// mayTryNext tells whether a directory without a usable tokenizer may be passed
// over for another place: it has none, or only one in its GGUF file that this
// loader cannot use.
func mayTryNext(err error) bool {
	var unusable *unusableGGUFError
	return fault.KindOf(err) == fault.NotFound || errors.As(err, &unusable)
}

// reasonOf says why a directory's tokenizer was not taken.
func reasonOf(err error) string {
	var e *fault.Error
	if errors.As(err, &e) && e.Kind == fault.NotFound && e.Detail != "" {
		return e.Detail
	}
	return finding.MessageOf(err)
}

// joinErrorDir names the file of an error as the filesystem does, where it names it as
// seen from the directory.
func joinErrorDir(err error, dir string) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Path == dir || strings.HasPrefix(e.Path, dir+"/") {
		return err
	}
	at := *e
	at.Path = path.Join(dir, e.Path)
	return &at
}
