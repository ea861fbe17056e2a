package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cucumber/godog"
	"github.com/stretchr/testify/require"

	"omniloader/features"
	"omniloader/internal/bench"
	"omniloader/internal/cli"
	"omniloader/internal/outcome"
	"omniloader/internal/suite"
	"omniloader/loader/undertest"
	"omniloader/steps"
)

// "godog run" builds a program around the two functions InitializeTestSuite and
// InitializeScenario. Without --strict, that program passes if a step is undefined, so the
// flag is added before the program reads its flags. The program, like the binary of "go
// test", starts itself to measure a first call in a new process.
func init() {
	if cli.IsFreshProcess() {
		os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	if !testing.Testing() && !slices.Contains(os.Args, "--strict") {
		os.Args = slices.Insert(os.Args, 1, "--strict")
	}
}

// shared is the state of one "godog run". It is global because godog calls the functions
// below by their names, without arguments of ours.
var shared struct {
	setup *steps.Setup
	ran   atomic.Int64
}

// InitializeTestSuite prepares "godog run". It reads the environment variables of
// omniloader, and makes a run without scenarios a failure.
func InitializeTestSuite(ctx *godog.TestSuiteContext) {
	env, err := cli.ReadEnvironment()
	if err != nil {
		exitUnable(err)
	}
	paths, err := godogPaths(os.Args[1:])
	if err == nil {
		err = checkForGodog(context.Background(), paths)
	}
	if err != nil {
		exitUnable(err)
	}
	loader, err := cli.OpenLoader(context.Background(), "")
	if err != nil {
		exitUnable(err)
	}
	shared.setup = newSetup(env, loader)
	shared.setup.Skip = godog.ErrSkip
	started := time.Now()
	ctx.AfterSuite(func() {
		if err := loader.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "omniloader:", err)
		}
		if shared.ran.Load() == 0 {
			exitUnable(fmt.Errorf("nothing selected: no scenario ran"))
		}
		if env.Output == "" {
			return
		}
		var results []bench.Result
		for _, r := range shared.setup.Results() {
			results = append(results, *r)
		}
		if err := cli.WriteResults(env.Output, started, results); err != nil {
			exitUnable(err)
		}
	})
}

// InitializeScenario registers the steps for one scenario.
func InitializeScenario(sc *godog.ScenarioContext) {
	shared.ran.Add(1) // not in a hook, because none is called for a scenario without steps
	sc.Before(func(ctx context.Context, p *godog.Scenario) (context.Context, error) {
		for _, tag := range p.Tags {
			if tag.Name == "@real" && shared.setup.Model == "" || tag.Name == "@wip" {
				return ctx, godog.ErrSkip
			}
		}
		return ctx, nil
	})
	scenario := shared.setup.Register(sc)
	sc.Before(func(ctx context.Context, p *godog.Scenario) (context.Context, error) {
		return ctx, scenario.Begin(p, steps.Source{})
	})
	sc.After(func(ctx context.Context, _ *godog.Scenario, _ error) (context.Context, error) {
		err := scenario.End()
		if r := scenario.Record().Benchmark; r != nil { // for reports made from godog's messages
			body, encodeErr := json.Marshal(r)
			err = errors.Join(err, encodeErr)
			ctx = godog.Attach(ctx, godog.Attachment{Body: body, FileName: r.Name + ".json", MediaType: "application/json"})
		}
		return ctx, err
	})
}

func newSetup(env cli.Environment, l undertest.Loader) *steps.Setup {
	return &steps.Setup{Loader: l, Plan: env.Plan, Model: env.Model, Fresh: cli.FreshProcess}
}

func exitUnable(err error) {
	fmt.Fprintln(os.Stderr, "omniloader:", err)
	os.Exit(2)
}

// TestFeatures runs the built-in scenarios, each as a subtest. With -short, scenarios with
// the tag @slow are left out.
func TestFeatures(t *testing.T) {
	env, err := cli.ReadEnvironment()
	require.NoError(t, err)
	loaded, err := suite.LoadFS(t.Context(), features.FS, "features")
	require.NoError(t, err)
	plan, err := suite.Select(loaded, suite.Selection{Short: testing.Short()})
	require.NoError(t, err)
	loader, err := cli.OpenLoader(t.Context(), "")
	require.NoError(t, err)
	defer func() { require.NoError(t, loader.Close()) }()
	run, err := plan.Run(t.Context(), suite.Options{Setup: newSetup(env, loader), Jobs: runtime.NumCPU()})
	require.NoError(t, err)
	var results []bench.Result
	for _, f := range run.Features {
		t.Run(f.Name, func(t *testing.T) {
			for _, s := range f.Scenarios {
				if s.Benchmark != nil {
					results = append(results, *s.Benchmark)
				}
				t.Run(s.Name, func(t *testing.T) { reportOutcome(t, f.URI, s) })
			}
		})
	}
	if env.Output != "" {
		require.NoError(t, cli.WriteResults(env.Output, run.Started, results))
	}
}

// reportOutcome gives a subtest the outcome of a scenario that has run.
func reportOutcome(t *testing.T, uri string, s outcome.Scenario) {
	switch s.Status {
	case outcome.Passed:
	case outcome.Skipped:
		t.Skipf("%s:%d: %s", uri, s.Line, s.SkipReason)
	default:
		step := s.FailedStep()
		t.Errorf("%s:%d: %s\n%s:%d: %s%s: %s: %v", uri, s.Line, s.Name, uri, step.Line, step.Keyword, step.Text, step.Status, step.Err)
	}
}
