package steps

import (
	"context"
	"maps"
	"slices"

	"omniloader/loader/undertest"
)

// FakeLoader is a loader under test whose operations are these functions, by name.
type FakeLoader struct {
	Label string // its name, "" for that of the built-in loader
	Calls map[string]func(context.Context, undertest.Input) (any, error)
}

func (f FakeLoader) Name() string {
	if f.Label == "" {
		return undertest.Builtin
	}
	return f.Label
}
func (f FakeLoader) Version() string      { return "1" }
func (f FakeLoader) Operations() []string { return slices.Sorted(maps.Keys(f.Calls)) }
func (f FakeLoader) Close() error         { return nil }

func (f FakeLoader) Prepare(operation string, in undertest.Input) (undertest.Call, error) {
	call, ok := f.Calls[operation]
	if !ok {
		return nil, undertest.ErrNoOperation
	}
	return func(ctx context.Context) (any, error) { return call(ctx, in) }, nil
}

// OneAnswer is a FakeLoader whose operations model info and category return what answer
// returns.
func OneAnswer(answer func() (any, error)) FakeLoader {
	call := func(context.Context, undertest.Input) (any, error) { return answer() }
	return FakeLoader{Calls: map[string]func(context.Context, undertest.Input) (any, error){undertest.ModelInfo: call, undertest.CategoryOnly: call}}
}
