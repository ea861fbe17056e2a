package engine_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"testing"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/features"
	"omniloader/internal/bench"
	"omniloader/internal/builtin"
	"omniloader/internal/engine"
	"omniloader/steps"
)

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
		s := &steps.Setup{
			Loader:  builtin.New(""),
			Collect: func(bench.Operation) {},
		}
		t.Cleanup(s.RemoveTemporary)
		return s
	}

	source := func(p *messages.Pickle) steps.Source {
		return steps.Source{
			Tags:        tags[place{p.Uri, p.Location.Line}],
			ReadFixture: func(name string) ([]byte, error) { return fs.ReadFile(features.FS, name) },
		}
	}

	theirs := map[place]engine.Status{}
	forGodog := setup()
	forGodog.Skip = godog.ErrSkip
	godog.TestSuite{
		ScenarioInitializer: func(sc *godog.ScenarioContext) {
			var at place
			skipped := false
			sc.StepContext().After(func(ctx context.Context, _ *godog.Step, status godog.StepResultStatus, _ error) (context.Context, error) {
				skipped = skipped || status == godog.StepSkipped
				return ctx, nil
			})
			scenario := forGodog.Register(sc)
			sc.Before(func(ctx context.Context, p *godog.Scenario) (context.Context, error) {
				at = place{p.Uri, p.Location.Line}
				return ctx, scenario.Begin(p, source(p))
			})
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
		scenario := forUs.Register(s)
		s.Before(func(ctx context.Context, p *messages.Pickle) (context.Context, error) {
			return ctx, scenario.Begin(p, source(p))
		})
	}
	e := steps.Engine()
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

// place tells scenarios apart by their line.
type place struct {
	uri  string
	line int64
}
