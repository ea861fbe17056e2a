package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cucumber/godog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

	mu        sync.Mutex
	notJudged notJudgedCounts
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
		err = checkForGodog(context.Background(), paths, env.Checkpoints)
	}
	if err == nil && len(env.Models) > 1 {
		err = errors.New("TEST_MODEL_PATH names several checkpoints, and godog runs each scenario once\n  hint: name one of them, or run: omniloader run")
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
	if len(env.Models) > 0 {
		shared.setup.Model = env.Models[0]
	}
	if env.JudgeTime != nil && !*env.JudgeTime {
		shared.setup.TimeNotJudged = "OMNILOADER_JUDGE_TIME is 0"
	}
	shared.notJudged = notJudgedCounts{}
	started := time.Now()
	ctx.AfterSuite(func() {
		if err := loader.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "omniloader:", err)
		}
		if shared.ran.Load() == 0 {
			exitUnable(fmt.Errorf("nothing selected: no scenario ran"))
		}
		for _, line := range shared.notJudged.lines() {
			fmt.Fprintln(os.Stderr, line)
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
		shared.mu.Lock()
		shared.notJudged.add(scenario.Record().NotJudged)
		shared.mu.Unlock()
		if r := scenario.Record().Benchmark; r != nil { // for reports made from godog's messages
			body, encodeErr := json.Marshal(r)
			err = errors.Join(err, encodeErr)
			ctx = godog.Attach(ctx, godog.Attachment{Body: body, FileName: r.Name + ".json", MediaType: "application/json"})
		}
		return ctx, err
	})
}

func newSetup(env cli.Environment, l undertest.Loader) *steps.Setup {
	return &steps.Setup{Loader: l, Plan: env.Plan, Checkpoints: env.Checkpoints, Fresh: cli.FreshProcess}
}

func exitUnable(err error) {
	fmt.Fprintln(os.Stderr, "omniloader:", err)
	os.Exit(2)
}

// TestFeatures runs the built-in scenarios, each as a subtest: those that -run and -skip
// select, and no others. With -short, scenarios with the tag @slow are left out. Each
// bound that is not judged is a skipped subtest of its scenario.
func TestFeatures(t *testing.T) {
	env, err := cli.ReadEnvironment()
	require.NoError(t, err)
	loaded, err := suite.Load(t.Context(), []string{"features"}) // not the embedded ones: a scenario may read a checkpoint on the disk
	require.NoError(t, err)
	plan, err := suite.Select(loaded, suite.Selection{Short: testing.Short(), Models: env.Models, Checkpoints: env.Checkpoints})
	require.NoError(t, err)
	chosen := map[*suite.Scenario]bool{}
	outcomes := map[place]outcome.Scenario{}
	// A subtest that calls Parallel waits until the function of its parent has returned. So
	// the loop ends as soon as package testing has chosen the subtests, and they go on when
	// TestFeatures has run what was chosen.
	for _, f := range loaded {
		ofFeature := plan.Keep(func(s *suite.Scenario) bool { return s.URI == f.URI }).Scenarios()
		if len(ofFeature) == 0 {
			continue
		}
		t.Run(f.Name(), func(t *testing.T) {
			for _, s := range ofFeature {
				t.Run(s.Name, func(t *testing.T) {
					chosen[s] = true
					t.Parallel()
					reportOutcome(t, s.URI, outcomes[place{s.URI, s.Model, s.Line}])
				})
			}
			t.Parallel()
		})
	}
	require.NotEmpty(t, chosen, "nothing selected: -run and -skip leave no scenario")
	loader, err := cli.OpenLoader(t.Context(), "")
	require.NoError(t, err)
	defer func() { require.NoError(t, loader.Close()) }()
	run, err := plan.Keep(func(s *suite.Scenario) bool { return chosen[s] }).
		Run(t.Context(), suite.Options{Setup: newTestSetup(env, loader), Jobs: runtime.NumCPU()})
	require.NoError(t, err)
	var results []bench.Result
	counts := notJudgedCounts{}
	for _, f := range run.Features {
		if len(f.Problems) > 0 {
			t.Errorf("%v", f.Problems) // those of no scenario
		}
		for _, s := range f.Scenarios {
			outcomes[place{f.URI, s.Model, s.Line}] = s
			counts.add(s.NotJudged)
			if s.Benchmark != nil {
				results = append(results, *s.Benchmark)
			}
		}
	}
	t.Logf("%d of %d scenarios, %d benchmarks", len(chosen), len(plan.Scenarios()), len(results))
	for _, line := range counts.lines() {
		t.Log(line)
	}
	if env.Output != "" {
		require.NoError(t, cli.WriteResults(env.Output, run.Started, results))
	}
}

// place is where a scenario stands.
type place struct {
	uri   string
	model string // label of the real checkpoint, in a run with several
	line  int
}

// newTestSetup is the setup of "go test". The machine of a test may be busy, and packages
// are tested beside each other: time is judged only if the environment asks for it, and
// measured with few calls otherwise.
func newTestSetup(env cli.Environment, loader undertest.Loader) *steps.Setup {
	setup := newSetup(env, loader)
	if env.JudgeTime == nil || !*env.JudgeTime {
		setup.TimeNotJudged = "go test judges answers and allocations; OMNILOADER_JUDGE_TIME=1 judges time too"
		if env.Plan == bench.DefaultPlan() && env.Output == "" {
			setup.Plan = bench.Plan{Iterations: 3, Warmup: 1}
		}
	}
	if testing.CoverMode() != "" {
		setup.MemoryNotJudged = "-cover changes what a call does"
	}
	return setup
}

// reportOutcome gives a subtest the outcome of a scenario that has run.
func reportOutcome(t *testing.T, uri string, s outcome.Scenario) {
	for _, w := range s.Warnings {
		t.Log(w)
	}
	switch s.Status {
	case outcome.Passed, outcome.Flaky:
		for _, a := range s.Earlier {
			for _, step := range a.FailedSteps() {
				t.Logf("%s:%d: flaky: an attempt failed: %s%s: %v", uri, step.Line, step.Keyword, step.Text, step.Err)
			}
		}
		for _, n := range s.NotJudged {
			t.Run(n.Bound, func(t *testing.T) { t.Skip("not judged:", n.Reason) })
		}
	case outcome.Skipped:
		t.Skipf("%s:%d: %s", uri, s.Line, s.SkipReason)
	case outcome.ExpectedFailure:
		t.Skipf("%s:%d: failed as expected", uri, s.Line)
	case "":
		t.Error("it did not run")
	default:
		if len(s.Problems) > 0 {
			t.Errorf("%s:%d: %s: %v", uri, s.Line, s.Name, s.Problems)
			return
		}
		for _, step := range s.FailedSteps() {
			t.Errorf("%s:%d: %s\n%s:%d: %s%s: %s: %v", uri, s.Line, s.Name, uri, step.Line, step.Keyword, step.Text, step.Status, step.Err)
		}
		if s.Err != nil {
			t.Errorf("%s:%d: %s: %v", uri, s.Line, s.Name, s.Err)
		}
	}
}

// notJudgedCounts counts bounds that were not judged, by the reason.
type notJudgedCounts map[string]int

func (c notJudgedCounts) add(bounds []bench.NotJudged) {
	for _, n := range bounds {
		c[n.Reason]++
	}
}

// lines gives a line for each reason.
func (c notJudgedCounts) lines() []string {
	var lines []string
	for _, reason := range slices.Sorted(maps.Keys(c)) {
		lines = append(lines, fmt.Sprintf("not judged: %d bounds: %s", c[reason], reason))
	}
	return lines
}

// A scenario that is not selected is not run, and not only left out of the report.
func TestRunSelectsScenarios(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		selected string
		passes   bool
		want     []string
	}{
		{"^TestFeatures$/^Memory$/^Support$", true, []string{": 1 of ", " scenarios, 1 benchmarks\n", "--- PASS: TestFeatures/Memory/Support ("}},
		{"^TestFeatures$/^Memory$/^The", true, []string{": 3 of ", "--- PASS: TestFeatures/Memory/The_SAE_check ("}},
		{"^TestFeatures$/^No_such_feature$", false, []string{"nothing selected: -run and -skip leave no scenario"}},
		{"^TestFeatures$/^A_real_checkpoint$", false, []string{"nothing to run: each of 2 selected scenarios needs a real checkpoint", "it did not run"}},
	} {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run="+c.selected)
		command.Env = append(os.Environ(), "TEST_MODEL_PATH=", "OMNILOADER_OUTPUT=")
		out, err := command.CombinedOutput()
		assert.Equal(t, c.passes, err == nil, "%s: %s", c.selected, out)
		for _, want := range c.want {
			assert.Contains(t, string(out), want, c.selected)
		}
	}
}
