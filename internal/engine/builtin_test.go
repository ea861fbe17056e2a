package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"testing"
	"unsafe"

	"github.com/cucumber/godog"
	"github.com/cucumber/godog/formatters"
	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/features"
	"omniloader/internal/bench"
	"omniloader/internal/engine"
	"omniloader/steps"
)

// registerOnEngine registers on the engine what a scenario of godog's was given. The
// steps take a godog.ScenarioContext by its type, which only godog can fill; its
// fields are read for that reason, and no other.
func registerOnEngine(s *engine.Scope, register func(*godog.ScenarioContext)) {
	var sc godog.ScenarioContext
	suite := reflect.ValueOf(&sc).Elem().Field(0)
	writable(suite).Set(reflect.New(suite.Type().Elem()))
	register(&sc)
	field := func(name string) reflect.Value { return writable(suite.Elem().FieldByName(name)) }
	for _, hook := range field("beforeScenarioHandlers").Interface().([]godog.BeforeScenarioHook) {
		s.Before(func(ctx context.Context, p *messages.Pickle) (context.Context, error) {
			ctx, err := hook(ctx, p)
			return ctx, translated(err)
		})
	}
	for _, hook := range field("afterScenarioHandlers").Interface().([]godog.AfterScenarioHook) {
		s.After(engine.AfterHook(hook))
	}
	definitions := field("steps")
	for i := range definitions.Len() {
		d := definitions.Index(i).Elem().FieldByName("StepDefinition").Interface().(formatters.StepDefinition)
		switch d.Keyword {
		case formatters.Given:
			s.Given(d.Expr, translatedStep(d.Handler))
		case formatters.When:
			s.When(d.Expr, translatedStep(d.Handler))
		case formatters.Then:
			s.Then(d.Expr, translatedStep(d.Handler))
		default:
			s.Step(d.Expr, translatedStep(d.Handler))
		}
	}
}

// writable gives a field that is not exported as if it were.
func writable(field reflect.Value) reflect.Value {
	return reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
}

// translated gives the engine's error for godog's.
func translated(err error) error {
	switch {
	case errors.Is(err, godog.ErrSkip):
		return fmt.Errorf("%w: %w", engine.ErrSkip, err)
	case errors.Is(err, godog.ErrPending):
		return fmt.Errorf("%w: %w", engine.ErrPending, err)
	}
	return err
}

func translatedStep(handler any) any {
	f := reflect.ValueOf(handler)
	if n := f.Type().NumOut(); n == 0 || f.Type().Out(n-1) != reflect.TypeFor[error]() {
		return handler
	}
	return reflect.MakeFunc(f.Type(), func(arguments []reflect.Value) []reflect.Value {
		results := f.Call(arguments)
		last := &results[len(results)-1]
		if err, failed := last.Interface().(error); failed {
			err = translated(err)
			*last = reflect.ValueOf(&err).Elem()
		}
		return results
	}).Interface()
}

// place is where a scenario stands.
type place struct {
	uri  string
	line int64
}

// TestBuiltInSuiteAsInGodog carries out every scenario of ours once with each, with
// measured operations called once.
func TestBuiltInSuiteAsInGodog(t *testing.T) {
	if testing.Short() {
		t.Skip("carries out some 900 scenarios twice")
	}
	var loaded []*engine.Feature
	var sources []godog.Feature
	tags := map[place][]string{}
	names, err := fs.Glob(features.FS, "*.feature")
	require.NoError(t, err)
	for _, name := range names {
		f, err := engine.Read(t.Context(), features.FS, name, name)
		require.NoError(t, err)
		loaded = append(loaded, f)
		sources = append(sources, godog.Feature{Name: name, Contents: f.Source})
		for s := range f.Scenarios() {
			tags[place{name, s.Pickle.Location.Line}] = s.Tags()
		}
	}
	setup := func() *steps.Setup {
		return &steps.Setup{
			Loader:      steps.BuiltinLoader,
			Collect:     func(bench.Operation) {},
			Tags:        func(p *godog.Scenario) ([]string, error) { return tags[place{p.Uri, p.Location.Line}], nil },
			ReadFixture: func(_ *godog.Scenario, name string) ([]byte, error) { return fs.ReadFile(features.FS, name) },
		}
	}

	theirs := map[place]engine.Status{}
	forGodog := setup()
	godog.TestSuite{
		ScenarioInitializer: func(sc *godog.ScenarioContext) {
			var at place
			skipped := false
			sc.StepContext().After(func(ctx context.Context, _ *godog.Step, status godog.StepResultStatus, _ error) (context.Context, error) {
				skipped = skipped || status == godog.StepSkipped
				return ctx, nil
			})
			sc.Before(func(ctx context.Context, p *godog.Scenario) (context.Context, error) {
				at = place{p.Uri, p.Location.Line}
				return ctx, nil
			})
			forGodog.Register(sc)
			sc.After(func(ctx context.Context, _ *godog.Scenario, err error) (context.Context, error) {
				switch {
				case err == nil && !skipped:
					theirs[at] = engine.Passed
				case err == nil || errors.Is(err, godog.ErrSkip):
					theirs[at] = engine.Skipped
				default:
					theirs[at] = engine.Failed
					t.Logf("godog: %v: %v", at, err)
				}
				return ctx, nil
			})
		},
		Options: &godog.Options{Format: "progress", Output: io.Discard, NoColors: true, Strict: true, FeatureContents: sources},
	}.Run()

	forUs := setup()
	register := func(s *engine.Scope) {
		registerOnEngine(s, func(sc *godog.ScenarioContext) { forUs.Register(sc) })
	}
	e, err := engine.New(register)
	require.NoError(t, err, "every step of ours has a signature that the engine takes")
	catalogue := steps.Catalogue()
	require.Len(t, e.Definitions(), len(catalogue))
	for i, d := range e.Definitions() {
		assert.Equal(t, catalogue[i].Pattern, d.Pattern, "the order is the catalogue's")
	}
	ours := map[place]engine.Status{}
	for _, f := range loaded {
		for s := range f.Scenarios() {
			for _, step := range s.Pickle.Steps {
				assert.Len(t, steps.Match(step.Type, step.Text), len(e.Matches(step.Type, step.Text)), step.Text)
			}
			result := e.Run(t.Context(), s.Pickle, register, engine.Options{})
			ours[place{f.URI, s.Pickle.Location.Line}] = result.Status
			for i, r := range result.Steps() {
				if r.Status == engine.Failed {
					t.Logf("engine: %s:%d: %s: %v", f.URI, s.Pickle.Location.Line, s.Pickle.Steps[i].Text, r.Err)
				}
			}
		}
	}
	require.Greater(t, len(tags), 500)
	for at := range tags {
		assert.NotEmpty(t, ours[at], at)
		assert.Equal(t, theirs[at], ours[at], "godog, then the engine: %v", at)
	}
	t.Log(len(tags), "scenarios")
}
