package loader

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"
	"unicode"

	"omniloader/loader/fault"
)

// Fetch brings the tokenizer files of a model from elsewhere and says where they
// lie now; revision is a branch, a tag or a commit, "" for the main branch. The error
// is of the kind fault.NotFound where there is no such model.
type Fetch func(ctx context.Context, model, revision string) (fsys fs.FS, dir string, err error)

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
type tokenizerReader func(c *checkpoint) (*tokenizerDescription, error)

// tokenizerSearch says where the tokenizer of a checkpoint may be, if it has none of
// its own.
type tokenizerSearch struct {
	roots     []string  // directories below which base models are looked for
	fallbacks []string  // directories of tokenizers for checkpoints that have none
	fetch     Fetch     // nil where the filesystem is all there is
	names     *registry // nil for the built-in names
}

// search is one search for a tokenizer.
type search struct {
	*tokenizerSearch
	fsys  fs.FS
	dir   string // of the checkpoint
	read  tokenizerReader
	tried []Try
	start time.Time
	times Durations
}

// find takes the tokenizer of the checkpoint at dir, else that of its
// base model, else the first fallback that has one. A tokenizer that is there and
// broken ends the search: another one in its place would hide that.
func (l *tokenizerSearch) find(ctx context.Context, fsys fs.FS, dir string, read tokenizerReader) (*tokenizerDescription, error) {
	s := &search{tokenizerSearch: l, fsys: fsys, dir: dir, read: read, tried: []Try{}, start: time.Now()}
	c, err := list(fsys, dir)
	if err != nil {
		return nil, err
	}
	c.own = l.names
	own, err := s.timed(c)
	if err == nil {
		return s.settle(own, OriginCheckpoint), nil
	}
	if !passedOver(err) {
		return nil, err
	}
	s.tried = append(s.tried, Try{Path: dir, Reason: reasonOf(err)})

	base := c.baseModel()
	if strings.ContainsFunc(base.name, unicode.IsControl) { // no place has such a name, and no terminal should see it
		base = baseModel{missing: "the name of its base model has control characters"}
	}
	if t, err := s.ofBase(ctx, base); t != nil || err != nil {
		return t, err
	}
	for _, p := range l.fallbacks {
		t, err := s.at(fsys, place{path: p})
		if err != nil {
			return nil, s.broken(base, err)
		}
		if t != nil {
			return s.settle(t, OriginFallback), nil
		}
	}
	if own != nil {
		own.Findings = append(own.Findings, finding(CodeTokenizerVocabulary, "", "the files of a tokenizer are here, and none holds its vocabulary", ""))
		return s.settle(own, OriginCheckpoint), nil
	}
	return nil, &SearchError{Path: dir, Base: base.name, Tried: s.tried}
}

// ofBase takes the tokenizer of the base model, nil where no place has it. What is
// broken in a cache can be made whole by whoever filled the cache, so it is asked
// before that counts.
func (s *search) ofBase(ctx context.Context, base baseModel) (*tokenizerDescription, error) {
	if base.name == "" {
		s.tried = append(s.tried, Try{Path: s.dir, Reason: base.missing})
		return nil, nil
	}
	exact, guessed := s.placesOf(s.fsys, base, s.dir)
	if len(exact) == 0 {
		s.tried = append(s.tried, Try{Path: base.name, Reason: "a path that is not here, and no model's name", Elsewhere: true})
	}
	var broken error
	for _, p := range exact {
		t, err := s.at(s.fsys, p)
		switch {
		case t != nil:
			return s.ofModel(t, base, ""), nil
		case err != nil && p.cached && s.fetch != nil:
			broken = err
		case err != nil:
			return nil, s.broken(base, err)
		}
	}
	if s.fetch != nil && !base.isPath() {
		t, err := s.fetched(ctx, base)
		if t != nil || err != nil {
			return t, err
		}
	}
	if broken != nil {
		return nil, s.broken(base, broken)
	}
	for _, p := range guessed {
		t, err := s.at(s.fsys, p)
		if err != nil {
			return nil, s.broken(base, err)
		}
		if t != nil {
			return s.ofModel(t, base, "it has the last name of the base model "+base.name+", and lies beside the checkpoint"), nil
		}
	}
	return nil, nil
}

// fetched takes the tokenizer of the base model from where WithFetch asks.
func (s *search) fetched(ctx context.Context, base baseModel) (*tokenizerDescription, error) {
	began := time.Now()
	there, at, err := s.fetch(ctx, base.name, base.revision)
	s.times.Download = time.Since(began)
	if ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		s.tried = append(s.tried, Try{Path: base.name, Reason: err.Error(), Elsewhere: true})
		return nil, nil
	}
	t, err := s.at(there, place{path: at})
	if err != nil {
		return nil, s.broken(base, err)
	}
	if t == nil {
		return nil, nil
	}
	return s.ofModel(t, base, ""), nil
}

// at takes the tokenizer of a place, nil where it has none. The error is that of a
// tokenizer that is there and broken, and names the file as the filesystem does.
func (s *search) at(fsys fs.FS, p place) (*tokenizerDescription, error) {
	c, err := list(fsys, p.path)
	if kind := fault.KindOf(err); kind == fault.NotFound || kind == fault.NotAFile {
		s.tried = append(s.tried, Try{Path: p.path, Reason: withoutPath(err), Root: p.root, Absent: kind == fault.NotFound})
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	t, err := s.timed(c)
	if err == nil {
		return t, nil
	}
	if !passedOver(err) {
		err = placedBelow(err, c.dir)
		s.tried = append(s.tried, Try{Path: p.path, Reason: err.Error()})
		return nil, err
	}
	s.tried = append(s.tried, Try{Path: p.path, Reason: reasonOf(err)})
	return nil, nil
}

func (s *search) timed(c *checkpoint) (*tokenizerDescription, error) {
	began := time.Now()
	t, err := s.read(c)
	s.times.Parse += time.Since(began)
	return t, err
}

func (s *search) settle(t *tokenizerDescription, origin string) *tokenizerDescription {
	t.Origin, t.Tried = origin, s.tried
	s.times.Resolution = time.Since(s.start) - s.times.Parse - s.times.Download
	t.Times = s.times
	return t
}

// ofModel settles on the tokenizer of the base model. Where that is only likely the
// right one, doubt says why.
func (s *search) ofModel(t *tokenizerDescription, base baseModel, doubt string) *tokenizerDescription {
	if doubt == "" && base.guess != "" {
		doubt = "it is that of " + base.name + ", which " + base.guess + " names; tokens that were added since are not in it"
	}
	if doubt != "" {
		t.Findings = append(t.Findings, finding(CodeTokenizerGuessed, "", doubt, ""))
	}
	return s.settle(t, OriginBaseModel)
}

func (s *search) broken(base baseModel, err error) error {
	return &SearchError{Path: s.dir, Base: base.name, Tried: s.tried, Broken: err}
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
