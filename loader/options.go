package loader

import (
	"io"
	"sync"

	"omniloader/loader/internal/registry"
	"omniloader/loader/internal/tokens"
)

// tokenizerFinder is where the loader looks for tokenizers.
func (l *Loader) tokenizerFinder() *tokens.Finder {
	return &tokens.Finder{Roots: l.roots, Fallbacks: l.fallbacks, Fetch: l.fetch, Registry: l.customRegistry()}
}

// Option changes a Loader when it is made.
type Option func(*Loader)

// WithModelRoots names directories of the checkpoint's filesystem below which
// base models are looked for, as <root>/<org>/<name>, <root>/<name>, or in the
// layout of the Hugging Face cache.
func WithModelRoots(dirs ...string) Option {
	return func(l *Loader) { l.roots = append(l.roots, dirs...) }
}

// WithTokenizerFallbacks names directories of the checkpoint's filesystem whose
// tokenizer is taken where neither a checkpoint nor its base model has one, in
// the order given.
func WithTokenizerFallbacks(dirs ...string) Option {
	return func(l *Loader) { l.fallbacks = append(l.fallbacks, dirs...) }
}

// WithContext asks Inspect for the memory that a context of so many tokens takes,
// in place of the model's own context length.
func WithContext(tokens int64) Option {
	return func(l *Loader) { l.context = tokens }
}

// WithArchitectures adds class names to those that are built in, for this Loader
// only. It may be given more than once; of a name in two tables the first counts.
func WithArchitectures(a *Architectures) Option {
	return func(l *Loader) {
		before := l.registry
		if before == nil {
			before = registry.Builtin
		}
		l.registry = sync.OnceValue(func() *registry.Registry { return before().WithClasses(a.Classes) })
	}
}

// WithFetch names a place beyond the filesystem, such as a hub, that is asked for
// a base model's tokenizer where no place on the filesystem has it. The loader
// itself never uses a network.
func WithFetch(fetch Fetch) Option {
	return func(l *Loader) { l.fetch = fetch }
}

// Architectures are class names that a user adds to the built-in ones, see
// WithArchitectures.
type Architectures = registry.Architectures

// ReadArchitectures reads a table of class names in the form of the loader's own
// architectures.tsv: a line for each, its columns separated by one tab. These are the
// class name, its category, its task, the model type it usually comes with, and the
// class that loads it where that is another one. The first two are required; "-" stands
// for nothing in the others, and "#" begins a comment.
//
// file is the table's name in errors, which are of the kind fault.Malformed or
// fault.TooLarge and name the line. A category that is not known, a name that occurs
// twice, and one that is built in are refused.
func ReadArchitectures(file string, r io.Reader) (*Architectures, error) {
	return registry.ReadArchitectures(file, r)
}

// Fetch brings the tokenizer files of a model from elsewhere and says where they are
// now; revision is a branch, a tag or a commit, "" for the main branch. The error is of
// the kind fault.NotFound where there is no such model.
type Fetch = tokens.Fetch
