package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"

	"omniloader/internal/builtin"
	"omniloader/internal/suggest"
	"omniloader/loader/undertest"
)

// loaders opens the loaders under test, by name. A run, a sampling process and a process
// started for a first call open their loader here, by the same name.
var loaders = map[string]undertest.Opener{
	undertest.Builtin: func(context.Context) (undertest.Loader, error) {
		build, _ := debug.ReadBuildInfo()
		return builtin.New(versionOf(build).Version), nil
	},
}

// OpenLoader opens the loader under test of this name; "" means the built-in one. The
// caller closes it.
func OpenLoader(ctx context.Context, name string) (undertest.Loader, error) {
	name = cmp.Or(name, undertest.Builtin)
	open, known := loaders[name]
	if !known {
		return nil, fmt.Errorf("there is no loader %q, %s", name, suggest.DidYouMean(name, slices.Sorted(maps.Keys(loaders))))
	}
	l, err := open(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the loader %q: %w", name, err)
	}
	return l, nil
}

// withLoader opens a loader, and closes it after use has returned.
func withLoader(ctx context.Context, name string, use func(undertest.Loader) error) (err error) {
	l, err := OpenLoader(ctx, name)
	if err != nil {
		return err
	}
	defer func() {
		if failed := l.Close(); failed != nil {
			err = errors.Join(err, fmt.Errorf("closing the loader %q: %w", l.Name(), failed))
		}
	}()
	return use(l)
}
