// Package builtin makes the loader of this module, package loader, a loader under test. It
// keeps nothing from one prepared call to the next.
package builtin

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/undertest"
)

// New returns the loader; version is what Version returns.
func New(version string) undertest.Loader { return builtin{version} }

// builtin has no state: what a scenario sets is in the input of each call.
type builtin struct{ version string }

func (b builtin) Name() string    { return undertest.Builtin }
func (b builtin) Version() string { return b.version }
func (b builtin) Close() error    { return nil }

func (b builtin) Operations() []string {
	return []string{
		undertest.ModelInfo, undertest.CategoryOnly, undertest.Support, undertest.OmniCheck, undertest.SAECheck,
		undertest.SAEBaseModel, undertest.Tokenizer, undertest.Inspection, undertest.Verification,
		undertest.TokenizerLoad, undertest.TokenizerCheck, undertest.Encoding, undertest.EncodingSize,
		undertest.Decoding, undertest.RoundTrip,
	}
}

// Prepare makes a loader with the options of the input. If the table of added classes is
// invalid, the returned call fails with the error of reading it.
func (b builtin) Prepare(operation string, in undertest.Input) (undertest.Call, error) {
	with := []loader.Option{
		loader.WithModelRoots(in.Options.ModelRoots...),
		loader.WithTokenizerFallbacks(in.Options.TokenizerFallbacks...),
	}
	var invalid error
	if in.Options.Architectures != "" {
		var added *loader.Architectures
		if added, invalid = loader.ReadArchitectures(registeredClasses, strings.NewReader(in.Options.Architectures)); invalid == nil {
			with = append(with, loader.WithArchitectures(added))
		}
	}
	call := callOf(loader.New(with...), operation, in)
	switch {
	case call == nil:
		return nil, fmt.Errorf("%w: %q", undertest.ErrNoOperation, operation)
	case invalid != nil:
		return func(context.Context) (any, error) { return nil, invalid }, nil
	}
	return call, nil
}

// callOf returns the call of an operation, and nil if there is no such operation.
func callOf(l *loader.Loader, operation string, in undertest.Input) undertest.Call {
	switch operation {
	case undertest.ModelInfo:
		return bind(in, l.ModelInfo)
	case undertest.CategoryOnly:
		return bind(in, l.Category)
	case undertest.Support:
		return bind(in, l.Support)
	case undertest.SAEBaseModel:
		return bind(in, l.SAEBaseModel)
	case undertest.Tokenizer:
		return bind(in, l.Tokenizer)
	case undertest.Inspection:
		return bind(in, l.Inspect)
	case undertest.OmniCheck:
		return bind(in, func(fsys fs.FS, dir string) (omni, error) {
			is, err := l.IsOmni(fsys, dir)
			return omni(is), err
		})
	case undertest.SAECheck:
		return bind(in, func(fsys fs.FS, dir string) (sae, error) {
			is, err := l.IsSAE(fsys, dir)
			return sae(is), err
		})
	case undertest.Verification:
		return func(ctx context.Context) (any, error) {
			info, err := l.Inspect(in.FS, in.Dir)
			if err == nil {
				var findings []answer.Finding
				info.Verified, findings, err = l.Verify(ctx, in.FS, in.Dir, nil)
				info.Findings = finding.Merge(info.Findings, findings)
			}
			return info, err
		}
	}
	return tokenizerCall(l, operation, in)
}

// bind makes a Call of a method of the loader.
func bind[A any](in undertest.Input, read func(fs.FS, string) (A, error)) undertest.Call {
	fsys, dir := in.FS, in.Dir
	return func(context.Context) (any, error) { return read(fsys, dir) }
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
