package loader

import (
	"context"
	"io"
	"io/fs"
	"sync"

	"omniloader/loader/internal/registry"
	"omniloader/loader/internal/tokens"
)

// tokenizerFinder finds tokenizers with the options of the loader.
func (l *Loader) tokenizerFinder() tokens.Finder {
	return tokens.Finder{Roots: l.roots, Fallbacks: l.fallbacks, Fetch: l.fetch, Registry: l.customRegistry()}
}

// Option changes a Loader that New makes.
type Option func(*Loader)

// WithModelRoots names directories in which base models are looked for: as
// <root>/<org>/<name>, as <root>/<name>, or in a Hugging Face cache. They are paths of
// the filesystem that the checkpoint is in.
func WithModelRoots(dirs ...string) Option {
	return func(l *Loader) { l.roots = append(l.roots, dirs...) }
}

// WithTokenizerFallbacks names directories with a tokenizer, in order, for checkpoints
// of which neither they nor their base models have one. They are paths of the filesystem
// that the checkpoint is in.
func WithTokenizerFallbacks(dirs ...string) Option {
	return func(l *Loader) { l.fallbacks = append(l.fallbacks, dirs...) }
}

// WithContext sets the number of tokens of the context that Inspect computes the memory
// for, in place of the model's own context length.
func WithContext(tokens int64) Option {
	return func(l *Loader) { l.context = tokens }
}

// WithArchitectures adds class names to those that are built in, for this Loader. It can
// be given more than once; of a name in two tables the first one counts.
func WithArchitectures(a *Architectures) Option {
	return func(l *Loader) {
		before := l.registry
		if before == nil {
			before = registry.Builtin
		}
		l.registry = sync.OnceValue(func() *registry.Registry { return before().WithClasses(a.table.Classes) })
	}
}

// WithFetch sets a function that downloads the tokenizer of a base model that is not on
// the filesystem. The loader itself does not use a network.
func WithFetch(fetch Fetch) Option {
	return func(l *Loader) { l.fetch = tokens.Fetch(fetch) }
}

// Architectures are class names to be added with WithArchitectures, as ReadArchitectures
// reads them. The zero value has none.
type Architectures struct{ table registry.Architectures }

// Len gives the number of class names.
func (a *Architectures) Len() int { return a.table.Len() }

// ReadArchitectures reads a table of class names in the form of the loader's own
// architectures.tsv: a line for each, its columns separated by one tab. These are the
// class name, its category, its task, the model type it usually comes with, and the
// class that loads it where that is another one. The first two are required; "-" stands
// for nothing in the others, and a line that begins with "#" is a comment.
//
// file is the table's name in errors, which are of the kind fault.Malformed or
// fault.TooLarge and name the line. A category that is not known, a name that occurs
// twice, and one that is built in are refused.
func ReadArchitectures(file string, r io.Reader) (*Architectures, error) {
	table, err := registry.ReadArchitectures(file, r)
	if err != nil {
		return nil, err
	}
	return &Architectures{*table}, nil
}

// Fetch downloads the tokenizer files of a model and gives their directory. revision is
// a branch, a tag or a commit, "" for the main branch. The kind of the error is
// fault.NotFound where the model does not exist.
type Fetch func(ctx context.Context, model, revision string) (fsys fs.FS, dir string, err error)
