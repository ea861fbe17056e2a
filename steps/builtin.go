package steps

import (
	"context"
	"io/fs"
	"maps"
	"strings"

	"omniloader/loader"
	loaded "omniloader/loader/answer"
	"omniloader/loader/finding"
)

// BuiltinLoader is the package loader of this module, as a loader under test.
func BuiltinLoader(options Options) map[string]Operation {
	with := []loader.Option{
		loader.WithModelRoots(options.ModelRoots...),
		loader.WithTokenizerFallbacks(options.TokenizerFallbacks...),
	}
	var refused error // why the table of added classes is invalid
	if options.Architectures != "" {
		var added *loader.Architectures
		if added, refused = loader.ReadArchitectures("registered classes", strings.NewReader(options.Architectures)); refused == nil {
			with = append(with, loader.WithArchitectures(added))
		}
	}
	l := loader.New(with...)
	operations := map[string]Operation{
		ModelInfo:    operation(l.ModelInfo),
		CategoryOnly: operation(l.Category),
		Support:      operation(l.Support),
		SAEBaseModel: operation(l.SAEBaseModel),
		Tokenizer:    operation(l.Tokenizer),
		Inspection:   operation(l.Inspect),
		Verification: func(fsys fs.FS, dir string) (any, error) {
			info, err := l.Inspect(fsys, dir)
			if err == nil {
				var findings []loaded.Finding
				info.Verified, findings, err = l.Verify(context.Background(), fsys, dir, nil)
				info.Findings = finding.Merge(info.Findings, findings)
			}
			return info, err
		},
		OmniCheck: func(fsys fs.FS, dir string) (any, error) {
			is, err := l.IsOmni(fsys, dir)
			return omni(is), err
		},
		SAECheck: func(fsys fs.FS, dir string) (any, error) {
			is, err := l.IsSAE(fsys, dir)
			return sae(is), err
		},
	}
	maps.Copy(operations, tokenizerOperations(l, options.Input))
	if refused != nil { // every operation fails, with the same error
		for name := range operations {
			operations[name] = func(fs.FS, string) (any, error) { return nil, refused }
		}
	}
	return operations
}

// operation makes an Operation of a method of the loader.
func operation[A any](read func(fs.FS, string) (A, error)) Operation {
	return func(fsys fs.FS, dir string) (any, error) { return read(fsys, dir) }
}

// omni and sae are boolean answers whose JSON is an object with the field that the
// inspection has for them. They are bools, because converting a bool to any does not
// allocate.
type (
	omni bool
	sae  bool
)

func (b omni) MarshalJSON() ([]byte, error) { return object("is_omni", bool(b)), nil }
func (b sae) MarshalJSON() ([]byte, error)  { return object("is_sae", bool(b)), nil }

func object(key string, value bool) []byte {
	if value {
		return []byte(`{"` + key + `":true}`)
	}
	return []byte(`{"` + key + `":false}`)
}
