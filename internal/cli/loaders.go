package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"omniloader/internal/builtin"
	"omniloader/internal/engine"
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
	var l undertest.Loader
	err := engine.Call(ctx, loaderGrace, func(ctx context.Context) (err error) {
		l, err = open(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening the loader %q: %w", name, engine.WithStacks(err))
	}
	return l, nil
}

// loaderGrace is how long a loader may take to open behind the end of the context.
const loaderGrace = 2 * time.Second

// closeTime is how long a loader may take to close.
var closeTime = 10 * time.Second

// closeLoader closes a loader, or gives up where it takes too long.
func closeLoader(l undertest.Loader) error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), closeTime, fmt.Errorf("not done within %s", (*timeLimit)(&closeTime)))
	defer cancel()
	if err := engine.Call(ctx, 0, func(context.Context) error { return l.Close() }); err != nil {
		return fmt.Errorf("closing the loader %q: %w", l.Name(), engine.WithStacks(err))
	}
	return nil
}

// withLoader opens a loader, and closes it after use has returned.
func withLoader(ctx context.Context, name string, use func(undertest.Loader) error) (err error) {
	l, err := OpenLoader(ctx, name)
	if err != nil {
		return err
	}
	defer func() {
		if failed := closeLoader(l); failed != nil {
			err = errors.Join(err, failed)
		}
	}()
	return use(l)
}
