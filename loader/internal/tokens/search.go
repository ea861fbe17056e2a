// Package tokens finds the tokenizer of a checkpoint (its own, else that of its base model,
// else a fallback), and describes or loads it. Building a tokenizer and encoding texts is
// the task of package tokenizer.
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

// Fetch downloads the tokenizer files of a model and gives their directory. revision is
// a branch, a tag or a commit, "" for the main branch. The kind of the error is
// fault.NotFound where the model does not exist.
type Fetch func(ctx context.Context, model, revision string) (fsys fs.FS, dir string, err error)

// readFunc reads the tokenizer of a directory. The kind of the error is fault.NotFound
// where it has none.
type readFunc func(c *checkpoint.Directory) (*Description, error)

// Finder has the places where the tokenizer of a checkpoint is looked for.
type Finder struct {
	Roots     []string           // directories in which base models are looked for
	Fallbacks []string           // directories of tokenizers for checkpoints that have none
	Fetch     Fetch              // nil where base models are looked for on the filesystem only
	Registry  *registry.Registry // nil for the built-in one
}

// search is the state of Find.
type search struct {
	Finder
	fsys  fs.FS
	dir   string // of the checkpoint
	read  readFunc
	tried []answer.Attempt
	start time.Time
	times answer.Durations
}

// Find reads the tokenizer of the checkpoint at dir; where it has none, that of its base
// model; else that of the first fallback with one. A tokenizer that exists and cannot be
// read is an error, so that another one does not replace it unnoticed.
func (f Finder) Find(ctx context.Context, fsys fs.FS, dir string, read readFunc) (*Description, error) {
	s := &search{Finder: f, fsys: fsys, dir: dir, read: read, tried: []answer.Attempt{}, start: time.Now()}
	c, err := checkpoint.List(fsys, dir)
	if err != nil {
		return nil, err
	}
	c.CustomRegistry = f.Registry
	own, err := s.readTimed(c)
	if err == nil {
		return s.finish(own, answer.OriginCheckpoint), nil
	}
	if !mayTryNext(err) {
		return nil, err
	}
	s.tried = append(s.tried, answer.Attempt{Path: dir, Reason: reasonOf(err)})

	base := baseModelOf(c)
	if strings.ContainsFunc(base.name, unicode.IsControl) { // such a name is of no use, and must not be printed
		base = baseModel{unknownReason: "the name of its base model has control characters"}
	}
	if t, err := s.findInBaseModel(ctx, base); t != nil || err != nil {
		return t, err
	}
	for _, p := range f.Fallbacks {
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

// findInBaseModel reads the tokenizer of the base model, nil where no location has one.
// The Fetch function is called before an incomplete directory of the Hugging Face cache
// is an error, as a download may complete it.
func (s *search) findInBaseModel(ctx context.Context, base baseModel) (*Description, error) {
	if base.name == "" {
		s.tried = append(s.tried, answer.Attempt{Path: s.dir, Reason: base.unknownReason})
		return nil, nil
	}
	exact, uncertain := s.locations(s.fsys, base, s.dir)
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
	for _, p := range uncertain {
		t, err := s.tryLocation(s.fsys, p)
		if err != nil {
			return nil, s.brokenError(base, err)
		}
		if t != nil {
			return s.finishInBaseModel(t, base, "its name is the last part of the base model's name "+base.name+", and it is beside the checkpoint"), nil
		}
	}
	return nil, nil
}

// fetchBaseModel reads the tokenizer of the base model from the directory that the Fetch
// function gives, nil where it gives none.
func (s *search) fetchBaseModel(ctx context.Context, base baseModel) (*Description, error) {
	start := time.Now()
	fetched, dir, err := s.Fetch(ctx, base.name, base.revision)
	s.times.Download = time.Since(start)
	if ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		s.tried = append(s.tried, answer.Attempt{Path: base.name, Reason: err.Error(), OutsideFS: true})
		return nil, nil
	}
	t, err := s.tryLocation(fetched, location{path: dir})
	if err != nil {
		return nil, s.brokenError(base, err)
	}
	if t == nil {
		return nil, nil
	}
	return s.finishInBaseModel(t, base, ""), nil
}

// tryLocation reads the tokenizer at a location, nil where it has none. The error is for
// a tokenizer that exists and cannot be read; its path is one of the filesystem.
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

// readTimed calls read, and adds the time to Durations.Parse.
func (s *search) readTimed(c *checkpoint.Directory) (*Description, error) {
	start := time.Now()
	t, err := s.read(c)
	s.times.Parse += time.Since(start)
	return t, err
}

// finish completes the description of the tokenizer that was found.
func (s *search) finish(t *Description, origin string) *Description {
	t.Origin, t.Tried = origin, s.tried
	s.times.Resolution = time.Since(s.start) - s.times.Parse - s.times.Download
	t.Times = s.times
	return t
}

// finishInBaseModel completes the description of a tokenizer of the base model. doubt
// says why it may be of another model, "" where it is not in doubt.
func (s *search) finishInBaseModel(t *Description, base baseModel, doubt string) *Description {
	if doubt == "" && base.uncertainSource != "" {
		doubt = "it is that of " + base.name + ", which " + base.uncertainSource + " names; tokens that were added since are not in it"
	}
	if doubt != "" {
		t.Findings = append(t.Findings, finding.New(finding.TokenizerGuessed, "", doubt, ""))
	}
	return s.finish(t, answer.OriginBaseModel)
}

// brokenError makes the error for a tokenizer that exists outside the checkpoint and
// cannot be read.
func (s *search) brokenError(base baseModel, err error) error {
	return &answer.SearchError{Path: s.dir, Base: base.name, Tried: s.tried, Broken: err}
}

// mayTryNext tells whether the search may go on after an error: where the directory has
// no tokenizer, or only one in a GGUF file that package tokenizer does not support.
func mayTryNext(err error) bool {
	var unusable *unusableGGUFError
	return fault.KindOf(err) == fault.NotFound || errors.As(err, &unusable)
}

// reasonOf gives the reason of an Attempt.
func reasonOf(err error) string {
	var e *fault.Error
	if errors.As(err, &e) && e.Kind == fault.NotFound && e.Detail != "" {
		return e.Detail
	}
	return finding.MessageOf(err)
}

// joinErrorDir makes the path of a fault.Error, which is relative to dir, one of the
// filesystem.
func joinErrorDir(err error, dir string) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Path == dir || strings.HasPrefix(e.Path, dir+"/") {
		return err
	}
	joined := *e
	joined.Path = path.Join(dir, e.Path)
	return &joined
}
