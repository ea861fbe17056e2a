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

// tokenizerReader takes the tokenizer of one directory. The error is of the kind
// NotFound where the directory has none.
type tokenizerReader func(c *checkpoint.Checkpoint) (*Description, error)

// Search says where the tokenizer of a checkpoint may be, if it has none of
// its own.
type Search struct {
	Roots     []string           // directories below which base models are looked for
	Fallbacks []string           // directories of tokenizers for checkpoints that have none
	Fetch     Fetch              // nil where the filesystem is all there is
	Names     *registry.Registry // nil for the built-in names
}

// search is one search for a tokenizer.
type search struct {
	*Search
	fsys  fs.FS
	dir   string // of the checkpoint
	read  tokenizerReader
	tried []answer.Try
	start time.Time
	times answer.Durations
}

// Find takes the tokenizer of the checkpoint at dir, else that of its
// base model, else the first fallback that has one. A tokenizer that is there and
// broken ends the search: another one in its place would hide that.
func (l *Search) Find(ctx context.Context, fsys fs.FS, dir string, read tokenizerReader) (*Description, error) {
	s := &search{Search: l, fsys: fsys, dir: dir, read: read, tried: []answer.Try{}, start: time.Now()}
	c, err := checkpoint.List(fsys, dir)
	if err != nil {
		return nil, err
	}
	c.Registered = l.Names
	own, err := s.readTimed(c)
	if err == nil {
		return s.found(own, answer.OriginCheckpoint), nil
	}
	if !passedOver(err) {
		return nil, err
	}
	s.tried = append(s.tried, answer.Try{Path: dir, Reason: reasonOf(err)})

	base := baseModelOf(c)
	if strings.ContainsFunc(base.name, unicode.IsControl) { // no place has such a name, and no terminal should see it
		base = baseModel{missing: "the name of its base model has control characters"}
	}
	if t, err := s.ofBase(ctx, base); t != nil || err != nil {
		return t, err
	}
	for _, p := range l.Fallbacks {
		t, err := s.tryPlace(fsys, place{path: p})
		if err != nil {
			return nil, s.broken(base, err)
		}
		if t != nil {
			return s.found(t, answer.OriginFallback), nil
		}
	}
	if own != nil {
		own.Findings = append(own.Findings, finding.New(finding.TokenizerVocabulary, "", "the files of a tokenizer are here, and none holds its vocabulary", ""))
		return s.found(own, answer.OriginCheckpoint), nil
	}
	return nil, &answer.SearchError{Path: dir, Base: base.name, Tried: s.tried}
}

// ofBase takes the tokenizer of the base model, nil where no place has it. What is
// broken in a cache can be made whole by whoever filled the cache, so it is asked
// before that counts.
func (s *search) ofBase(ctx context.Context, base baseModel) (*Description, error) {
	if base.name == "" {
		s.tried = append(s.tried, answer.Try{Path: s.dir, Reason: base.missing})
		return nil, nil
	}
	exact, guessed := s.placesOf(s.fsys, base, s.dir)
	if len(exact) == 0 {
		s.tried = append(s.tried, answer.Try{Path: base.name, Reason: "a path that is not here, and no model's name", Elsewhere: true})
	}
	var broken error
	for _, p := range exact {
		t, err := s.tryPlace(s.fsys, p)
		switch {
		case t != nil:
			return s.foundInBase(t, base, ""), nil
		case err != nil && p.cached && s.Fetch != nil:
			broken = err
		case err != nil:
			return nil, s.broken(base, err)
		}
	}
	if s.Fetch != nil && !base.isPath() {
		t, err := s.fetched(ctx, base)
		if t != nil || err != nil {
			return t, err
		}
	}
	if broken != nil {
		return nil, s.broken(base, broken)
	}
	for _, p := range guessed {
		t, err := s.tryPlace(s.fsys, p)
		if err != nil {
			return nil, s.broken(base, err)
		}
		if t != nil {
			return s.foundInBase(t, base, "it has the last name of the base model "+base.name+", and lies beside the checkpoint"), nil
		}
	}
	return nil, nil
}

// fetched takes the tokenizer of the base model from where WithFetch asks.
func (s *search) fetched(ctx context.Context, base baseModel) (*Description, error) {
	began := time.Now()
	there, at, err := s.Fetch(ctx, base.name, base.revision)
	s.times.Download = time.Since(began)
	if ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		s.tried = append(s.tried, answer.Try{Path: base.name, Reason: err.Error(), Elsewhere: true})
		return nil, nil
	}
	t, err := s.tryPlace(there, place{path: at})
	if err != nil {
		return nil, s.broken(base, err)
	}
	if t == nil {
		return nil, nil
	}
	return s.foundInBase(t, base, ""), nil
}

// tryPlace takes the tokenizer of a place, nil where it has none. The error is that of a
// tokenizer that is there and broken, and names the file as the filesystem does.
func (s *search) tryPlace(fsys fs.FS, p place) (*Description, error) {
	c, err := checkpoint.List(fsys, p.path)
	if kind := fault.KindOf(err); kind == fault.NotFound || kind == fault.NotAFile {
		s.tried = append(s.tried, answer.Try{Path: p.path, Reason: finding.WithoutPath(err), Root: p.root, Absent: kind == fault.NotFound})
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	t, err := s.readTimed(c)
	if err == nil {
		return t, nil
	}
	if !passedOver(err) {
		err = placedBelow(err, c.Dir)
		s.tried = append(s.tried, answer.Try{Path: p.path, Reason: err.Error()})
		return nil, err
	}
	s.tried = append(s.tried, answer.Try{Path: p.path, Reason: reasonOf(err)})
	return nil, nil
}

func (s *search) readTimed(c *checkpoint.Checkpoint) (*Description, error) {
	began := time.Now()
	t, err := s.read(c)
	s.times.Parse += time.Since(began)
	return t, err
}

func (s *search) found(t *Description, origin string) *Description {
	t.Origin, t.Tried = origin, s.tried
	s.times.Resolution = time.Since(s.start) - s.times.Parse - s.times.Download
	t.Times = s.times
	return t
}

// foundInBase settles on the tokenizer of the base model. Where that is only likely the
// right one, doubt says why.
func (s *search) foundInBase(t *Description, base baseModel, doubt string) *Description {
	if doubt == "" && base.guess != "" {
		doubt = "it is that of " + base.name + ", which " + base.guess + " names; tokens that were added since are not in it"
	}
	if doubt != "" {
		t.Findings = append(t.Findings, finding.New(finding.TokenizerGuessed, "", doubt, ""))
	}
	return s.found(t, answer.OriginBaseModel)
}

func (s *search) broken(base baseModel, err error) error {
	return &answer.SearchError{Path: s.dir, Base: base.name, Tried: s.tried, Broken: err}
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
	return finding.WithoutPath(err)
}

// placedBelow names the file of an error as the filesystem does, where it names it as
// seen from the directory.
func placedBelow(err error, dir string) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Path == dir || strings.HasPrefix(e.Path, dir+"/") {
		return err
	}
	at := *e
	at.Path = path.Join(dir, e.Path)
	return &at
}
