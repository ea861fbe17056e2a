package suite

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/engine"
	"omniloader/internal/outcome"
	"omniloader/steps"
)

// features loads feature files, given by name and text.
func features(t *testing.T, files map[string]string) []*Feature {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	loaded, err := LoadFS(t.Context(), fsys, "")
	require.NoError(t, err)
	return loaded
}

// featureOf loads a single feature, given by its lines.
func featureOf(t *testing.T, lines ...string) []*Feature {
	t.Helper()
	return features(t, map[string]string{"a.feature": strings.Join(lines, "\n") + "\n"})
}

func selectAll(t *testing.T, fs []*Feature) *Plan {
	t.Helper()
	p, err := Select(fs, Selection{})
	require.NoError(t, err)
	return p
}

// fakeSteps is a step library for testing the suite without the loader: each step does
// what its text says.
type fakeSteps struct {
	stepLibrary
	running, most atomic.Int64 // scenarios in parallel, now and at most
	abandoned     atomic.Int64
	release       chan struct{} // closed when what hangs may come back
	grace         time.Duration // see Options
	order         []string      // what was noted
	attempts      int
	benchSide     atomic.Int64 // scenarios that ran in parallel with a measured one
	cancel        context.CancelFunc
	judgedCount   map[string]int // how often each kind of bound was judged
	record        *steps.Record  // of the scenario measured last
}

// bound exceeds the bound text until it was judged this many times.
func (y *fakeSteps) bound(text string, until string) error {
	y.judgedCount[text]++
	n, err := strconv.Atoi(until)
	if err != nil {
		return err
	}
	if y.judgedCount[text] >= n {
		return nil
	}
	b, err := bench.ParseBound(text)
	if err != nil {
		return err
	}
	m := &bench.Measurement{Calls: []time.Duration{time.Duration(y.judgedCount[text]) * time.Second}, Memory: &bench.Memory{AllocsPerCall: 9}}
	_, err = b.Check(m, func(string) *bench.Measurement { return &bench.Measurement{Calls: []time.Duration{1}} })
	return err
}

// noteFragile notes a bound of the measured scenario as fragile until it was judged this
// many times.
func (y *fakeSteps) noteFragile(until string) error {
	y.judgedCount["seen"]++
	n, err := strconv.Atoi(until)
	j := bench.Judgement{Bound: "mean latency below 1 ms", Held: true}
	if y.judgedCount["seen"] < n {
		j.Note = "fragile"
	}
	y.record.Benchmark.Bounds = append(y.record.Benchmark.Bounds, j)
	return err
}

type fakeStep struct {
	keyword, pattern string
	handler          func(*fakeSteps, context.Context, string) error
}

var errBroken = errors.New("broken on purpose")

var fakeStepList = []fakeStep{
	{"Given", `^a thing "([^"]*)"$`, func(*fakeSteps, context.Context, string) error { return nil }},
	{"When", `^it (passes)$`, func(*fakeSteps, context.Context, string) error { return nil }},
	{"When", `^it (fails)$`, func(*fakeSteps, context.Context, string) error { return fmt.Errorf("it: %w", errBroken) }},
	{"When", `^it (panics)$`, func(*fakeSteps, context.Context, string) error { panic("kaboom") }},
	{"When", `^it (dereferences nil)$`, func(*fakeSteps, context.Context, string) error {
		var p *Plan
		return errors.New(p.features[0].URI)
	}},
	{"When", `^it (is unfinished)$`, func(*fakeSteps, context.Context, string) error { return engine.ErrPending }},
	{"When", `^it (is skipped)$`, func(*fakeSteps, context.Context, string) error { return engine.ErrSkip }},
	{"When", `^the user (interrupts)$`, func(y *fakeSteps, ctx context.Context, _ string) error {
		y.cancel()
		<-ctx.Done()
		return fmt.Errorf("measuring: %w", ctx.Err())
	}},
	{"When", `^the user (interrupts late)$`, func(y *fakeSteps, _ context.Context, _ string) error { y.cancel(); return nil }},
	{"Then", `^all is (well)$`, func(*fakeSteps, context.Context, string) error { return nil }},
	{"Then", `^it is (measured)$`, func(*fakeSteps, context.Context, string) error { return nil }},
	{"Then", `^a twin "([^"]*)"$`, func(*fakeSteps, context.Context, string) error { return nil }},
	{"Then", `^a twin "(.*)"$`, func(*fakeSteps, context.Context, string) error { return nil }},
	{"Then", `^its mean is low at measurement (\d+)$`, func(y *fakeSteps, _ context.Context, until string) error {
		return y.bound("mean latency below 1 ms", until)
	}},
	{"Then", `^its memory is low at measurement (\d+)$`, func(y *fakeSteps, _ context.Context, until string) error {
		return y.bound("no more than 1 allocations per call", until)
	}},
	{"Then", `^it is as fast as the first at measurement (\d+)$`, func(y *fakeSteps, _ context.Context, until string) error {
		return y.bound(`median latency below 2 times that of "the first"`, until)
	}},
	{"Then", `^its bound seems fragile until measurement (\d+)$`, func(y *fakeSteps, _ context.Context, until string) error { return y.noteFragile(until) }},
	{"Then", `^it is counted with (\d+)$`, func(y *fakeSteps, _ context.Context, _ string) error { y.judgedCount["counted"]++; return nil }},
	{"When", `^it hangs (for ever)$`, func(y *fakeSteps, _ context.Context, _ string) error { <-y.release; return nil }},
	{"When", `^it hangs (until its time is up)$`, func(_ *fakeSteps, ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }},
	{"When", `^it passes at attempt (\d+)$`, func(y *fakeSteps, _ context.Context, n string) error {
		if y.attempts++; strconv.Itoa(y.attempts) != n {
			return fmt.Errorf("attempt %d: %w", y.attempts, errBroken)
		}
		return nil
	}},
	{"When", `^it (cannot be judged)$`, func(y *fakeSteps, _ context.Context, _ string) error {
		y.attempts++
		return &steps.ScenarioError{Err: errBroken}
	}},
	{"When", `^"([^"]*)" is noted$`, func(y *fakeSteps, _ context.Context, name string) error { y.order = append(y.order, name); return nil }},
	{"Then", `^the median latency is below 2 times that of "([^"]*)"$`, func(*fakeSteps, context.Context, string) error { return nil }},
}

func newFakeSteps() *fakeSteps {
	y := &fakeSteps{judgedCount: map[string]int{}}
	keyword := map[messages.PickleStepType]string{
		messages.PickleStepType_CONTEXT: "Given", messages.PickleStepType_ACTION: "When", messages.PickleStepType_OUTCOME: "Then",
	}
	y.stepLibrary = stepLibrary{
		checkOrder:     func([]messages.PickleStepType) (int, error) { return 0, nil },
		checkArguments: func(*messages.Pickle, steps.ArgumentContext) []steps.ArgumentProblem { return nil },
		catalogue: func() []steps.Definition {
			return []steps.Definition{
				{Keyword: "Given", Example: `a thing "stone"`}, {Keyword: "When", Example: "it passes"}, {Keyword: "Then", Example: "all is well"},
			}
		},
		match: func(kind messages.PickleStepType, text string) []steps.Definition {
			var found []steps.Definition
			for i, s := range fakeStepList {
				if k, ok := keyword[kind]; (!ok || k == s.keyword) && regexp.MustCompile(s.pattern).MatchString(text) {
					found = append(found, steps.Definition{Keyword: s.keyword, Pattern: s.pattern, Location: fmt.Sprintf("fake.go:%d", i+1)})
				}
			}
			return found
		},
		measured: func(tags, texts []string) bool { return slices.Contains(texts, "it is measured") },
		benchmarkName: func(tags []string, scenario string) string {
			for _, t := range tags {
				if name, ok := strings.CutPrefix(t, "@benchmark:"); ok {
					return name
				}
			}
			return scenario
		},
		register: y.registerSteps,
		engine: sync.OnceValue(func() *engine.Engine {
			e, err := engine.New(func(s *engine.Scope) { y.registerSteps(nil, s) })
			if err != nil {
				panic(err)
			}
			return e
		}),
	}
	return y
}

// fakeScenario counts scenarios in parallel.
type fakeScenario struct {
	y        *fakeSteps
	record   *steps.Record
	failsEnd bool
}

func (f *fakeScenario) Begin(p *messages.Pickle, source steps.Source) error {
	f.failsEnd = p.Name == "bad hook"
	f.y.most.Store(max(f.y.most.Load(), f.y.running.Add(1)))
	if slices.ContainsFunc(p.Steps, func(s *messages.PickleStep) bool { return s.Text == "it is measured" }) {
		f.y.benchSide.Add(f.y.running.Load() - 1)
		f.y.record = f.record
		f.record.Benchmark = &bench.Result{Name: f.y.benchmarkName(source.Tags, p.Name)}
	}
	return nil
}

func (f *fakeScenario) End() error {
	f.y.running.Add(-1)
	if f.failsEnd {
		return errBroken
	}
	return nil
}

func (f *fakeScenario) Abandon() {
	f.y.abandoned.Add(1)
	f.y.running.Add(-1)
}

func (f *fakeScenario) Evidence() steps.Evidence { return steps.Evidence{Operation: "fake"} }

func (f *fakeScenario) Record() *steps.Record { return f.record }

// registerSteps registers the fake steps.
func (y *fakeSteps) registerSteps(_ *steps.Setup, r engine.Registrar) scenarioSteps {
	for _, s := range fakeStepList {
		handler := func(ctx context.Context, arg string) error { return s.handler(y, ctx, arg) }
		switch s.keyword {
		case "Given":
			r.Given(s.pattern, handler)
		case "When":
			r.When(s.pattern, handler)
		default:
			r.Then(s.pattern, handler)
		}
	}
	return &fakeScenario{y: y, record: &steps.Record{}}
}

// run runs features with the fake steps.
func (y *fakeSteps) run(t *testing.T, fs []*Feature, options Options) (*outcome.Run, error) {
	t.Helper()
	return y.runPlan(t, selectAll(t, fs), options)
}

// runPlan runs a plan with the fake steps.
func (y *fakeSteps) runPlan(t *testing.T, p *Plan, options Options) (*outcome.Run, error) {
	t.Helper()
	p.steps = y.stepLibrary
	if options.Setup == nil {
		options.Setup = &steps.Setup{}
	}
	options.Grace = y.grace
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	y.cancel = cancel
	return p.Run(ctx, options)
}

// runFeature runs features with new fake steps and without options.
func runFeature(t *testing.T, fs []*Feature) *outcome.Run {
	t.Helper()
	run, err := newFakeSteps().run(t, fs, Options{})
	require.NoError(t, err)
	return run
}
