package suite

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/steps"
)

// features loads the files of a txtar-like map.
func features(t *testing.T, files map[string]string) []*Feature {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	loaded, err := LoadFS(fsys, "")
	require.NoError(t, err)
	return loaded
}

// one loads a single feature from its lines.
func one(t *testing.T, lines ...string) []*Feature {
	t.Helper()
	return features(t, map[string]string{"a.feature": strings.Join(lines, "\n") + "\n"})
}

func selectAll(t *testing.T, fs []*Feature) *Plan {
	t.Helper()
	p, err := Select(fs, Selection{})
	require.NoError(t, err)
	return p
}

// toy is a language of its own, so that the suite is tested without the loader:
// each step does what its text says.
type toy struct {
	language
	running, most atomic.Int64 // scenarios side by side
	benchSide     atomic.Int64 // scenarios that ran beside a measured one
	cancel        context.CancelFunc
	looks         map[string]int // how often each kind of bound was judged
	record        *steps.Record  // of what is measured last
}

// bound fails by a bound, until it was looked at so many times.
func (y *toy) bound(text string, until string) error {
	y.looks[text]++
	n, err := strconv.Atoi(until)
	if err != nil {
		return err
	}
	if y.looks[text] >= n {
		return nil
	}
	b, err := bench.ParseBound(text)
	if err != nil {
		return err
	}
	m := &bench.Measurement{Calls: []time.Duration{time.Duration(y.looks[text]) * time.Second}, Memory: &bench.Memory{AllocsPerCall: 9}}
	_, err = b.Check(m, func(string) *bench.Measurement { return &bench.Measurement{Calls: []time.Duration{1}} })
	return err
}

// seem notes a bound of what is measured as fragile, until it was looked at so many times.
func (y *toy) seem(until string) error {
	y.looks["seen"]++
	n, err := strconv.Atoi(until)
	j := bench.Judgement{Bound: "mean latency below 1 ms", Held: true}
	if y.looks["seen"] < n {
		j.Note = "fragile"
	}
	y.record.Benchmark.Bounds = append(y.record.Benchmark.Bounds, j)
	return err
}

type toyStep struct {
	keyword, pattern string
	handler          func(*toy, context.Context, string) error
}

var errBroken = errors.New("broken on purpose")

var toySteps = []toyStep{
	{"Given", `^a thing "([^"]*)"$`, func(*toy, context.Context, string) error { return nil }},
	{"When", `^it (passes)$`, func(*toy, context.Context, string) error { return nil }},
	{"When", `^it (fails)$`, func(*toy, context.Context, string) error { return fmt.Errorf("it: %w", errBroken) }},
	{"When", `^it (panics)$`, func(*toy, context.Context, string) error { panic("kaboom") }},
	{"When", `^it (dereferences nil)$`, func(*toy, context.Context, string) error {
		var p *Plan
		return errors.New(p.features[0].URI)
	}},
	{"When", `^it (is unfinished)$`, func(*toy, context.Context, string) error { return godog.ErrPending }},
	{"When", `^it (is skipped)$`, func(*toy, context.Context, string) error { return godog.ErrSkip }},
	{"When", `^the user (interrupts)$`, func(y *toy, ctx context.Context, _ string) error {
		y.cancel()
		<-ctx.Done()
		return fmt.Errorf("measuring: %w", ctx.Err())
	}},
	{"When", `^the user (interrupts late)$`, func(y *toy, _ context.Context, _ string) error { y.cancel(); return nil }},
	{"Then", `^all is (well)$`, func(*toy, context.Context, string) error { return nil }},
	{"Then", `^it is (measured)$`, func(*toy, context.Context, string) error { return nil }},
	{"Then", `^a twin "([^"]*)"$`, func(*toy, context.Context, string) error { return nil }},
	{"Then", `^a twin "(.*)"$`, func(*toy, context.Context, string) error { return nil }},
	{"Then", `^its mean is low at look (\d+)$`, func(y *toy, _ context.Context, until string) error { return y.bound("mean latency below 1 ms", until) }},
	{"Then", `^its memory is low at look (\d+)$`, func(y *toy, _ context.Context, until string) error {
		return y.bound("no more than 1 allocations per call", until)
	}},
	{"Then", `^it is as fast as the first at look (\d+)$`, func(y *toy, _ context.Context, until string) error {
		return y.bound(`median latency below 2 times that of "the first"`, until)
	}},
	{"Then", `^its bound seems fragile until look (\d+)$`, func(y *toy, _ context.Context, until string) error { return y.seem(until) }},
	{"Then", `^it is counted with (\d+)$`, func(y *toy, _ context.Context, _ string) error { y.looks["counted"]++; return nil }},
}

func newToy() *toy {
	y := &toy{looks: map[string]int{}}
	keyword := map[messages.PickleStepType]string{
		messages.PickleStepType_CONTEXT: "Given", messages.PickleStepType_ACTION: "When", messages.PickleStepType_OUTCOME: "Then",
	}
	y.language = language{
		grammar: func([]messages.PickleStepType) (int, error) { return 0, nil },
		catalogue: func() []steps.Definition {
			return []steps.Definition{
				{Keyword: "Given", Example: `a thing "stone"`}, {Keyword: "When", Example: "it passes"}, {Keyword: "Then", Example: "all is well"},
			}
		},
		match: func(kind messages.PickleStepType, text string) []steps.Definition {
			var found []steps.Definition
			for i, s := range toySteps {
				if k, ok := keyword[kind]; (!ok || k == s.keyword) && regexp.MustCompile(s.pattern).MatchString(text) {
					found = append(found, steps.Definition{Keyword: s.keyword, Pattern: s.pattern, Location: fmt.Sprintf("toy.go:%d", i+1)})
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
		register: func(setup *steps.Setup, sc *godog.ScenarioContext) *steps.Record {
			record := &steps.Record{}
			sc.Before(func(ctx context.Context, p *godog.Scenario) (context.Context, error) {
				y.most.Store(max(y.most.Load(), y.running.Add(1)))
				if slices.ContainsFunc(p.Steps, func(s *godog.Step) bool { return s.Text == "it is measured" }) {
					y.benchSide.Add(y.running.Load() - 1)
					tags, err := setup.Tags(p)
					y.record = record
					record.Benchmark = &bench.Result{Name: y.benchmarkName(tags, p.Name)}
					return ctx, err
				}
				return ctx, nil
			})
			sc.After(func(ctx context.Context, p *godog.Scenario, err error) (context.Context, error) {
				y.running.Add(-1)
				if p.Name == "bad hook" {
					return ctx, errBroken
				}
				return ctx, nil
			})
			for _, s := range toySteps {
				handler := func(ctx context.Context, arg string) error { return s.handler(y, ctx, arg) }
				switch s.keyword {
				case "Given":
					sc.Given(s.pattern, handler)
				case "When":
					sc.When(s.pattern, handler)
				default:
					sc.Then(s.pattern, handler)
				}
			}
			return record
		},
	}
	return y
}

// play runs features in the toy language.
func (y *toy) play(t *testing.T, fs []*Feature, options Options) (*outcome.Run, error) {
	t.Helper()
	p := selectAll(t, fs)
	p.language = y.language
	if options.Setup == nil {
		options.Setup = &steps.Setup{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	y.cancel = cancel
	return p.Run(ctx, options)
}

// play1 runs features that can be judged.
func play1(t *testing.T, fs []*Feature) *outcome.Run {
	t.Helper()
	run, err := newToy().play(t, fs, Options{})
	require.NoError(t, err)
	return run
}
