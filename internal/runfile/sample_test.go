package runfile

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
)

var began = time.Date(2026, 1, 30, 8, 0, 0, 123456789, time.UTC)

// hinted is an error with a way out.
type hinted struct {
	error
	hint string
}

func (h hinted) Hint() string { return h.hint }

// panicked is an error with a stack.
type panicked struct {
	error
	stack string
}

// errorsOfTest reads the errors of the sample.
var errorsOfTest = Errors{
	Explain: func(err error) Failure {
		var p panicked
		if errors.As(err, &p) {
			return Failure{Stack: Text(p.stack)}
		}
		return Failure{}
	},
}

// sampleSources are the feature files of the sample.
var sampleSources = []string{
	`@detection
Feature: Architecture detection
  Names "it" <b> & more.

  Background:
    Given an empty checkpoint

  Scenario Outline: <class> is recognised
    Given a checkpoint of <class>
    When the model info is read
    Then the p95 latency is below 1 ms

    @detection
    Examples:
      | class |
      | Llama |
      | Qwen  |

  Rule: Class names decide

    Scenario: a name with <angle> & "quotes"
      Given the files
        | path     | size |
        | a\|b.json | 3    |
      And the config:
        """json
        {"a": 1}
        """
      Then the architecture is "LlamaForCausalLM"
      And the category is "x"
      And it panics

    Scenario: a mistyped line
      When the model is red

    Scenario: twice
      When it is pending

    Scenario: twice
      When it is ambiguous
`,
	`Feature: SAE detection

  Scenario: a bound is exceeded
    When it is asked
    Then the p95 latency is below 10 µs

  @real
  Scenario: a real one
    Given the real checkpoint

  Scenario: a mistaken one
    Given a preset that is none

  Scenario: a failure outside of its steps
    Given an empty checkpoint

  Scenario: passes in the third attempt
    Given an empty checkpoint
    When it is asked

  Scenario: without a step
`,
	`Feature: nothing ran of this
  Scenario: left
    Given an empty checkpoint
`,
}

// lineOf gives the line of the nth occurrence of a text in a source, counted from 1.
func lineOf(t testing.TB, source, text string, n int) int {
	t.Helper()
	for i, line := range strings.Split(source, "\n") {
		if strings.Contains(line, text) {
			if n--; n == 0 {
				return i + 1
			}
		}
	}
	require.Fail(t, "not in the source", text)
	return 0
}

// benchmark is a result of so many calls of 1 µs, 2 µs and so on, with bounds judged, and
// the error of the bound that was exceeded.
func benchmark(t testing.TB, name string, calls int, bounds ...string) (*bench.Result, error) {
	t.Helper()
	m := &bench.Measurement{
		Plan: bench.Plan{Iterations: calls, Warmup: 10, Memory: true}, Calls: make([]time.Duration, calls),
		Memory: &bench.Memory{BytesPerCall: 2128, AllocsPerCall: 11, LiveDelta: 304, Calls: calls},
	}
	for i := range m.Calls {
		m.Calls[i] = time.Duration(i+1)*time.Microsecond + time.Duration(i)
	}
	r := bench.NewResult(bench.Key{Benchmark: name}, "detection", m, map[string]any{"architecture": "llama <3", "layers": 32})
	var exceeded error
	for _, text := range bounds {
		b, err := bench.ParseBound(text)
		require.NoError(t, err)
		j, err := b.Check(m, nil)
		exceeded = errors.Join(exceeded, err)
		r.Bounds = append(r.Bounds, j)
	}
	return r, exceeded
}

// sample is a run with everything that a run can have.
func sample(t testing.TB) *outcome.Run {
	t.Helper()
	held, err := benchmark(t, "detection_llama", 100, "the mean latency is below 1 ms", "no more than 1 MB is allocated per call")
	require.NoError(t, err)
	held.Concurrency = &bench.ConcurrencyResult{Callers: 4, Iterations: 400, Throughput: 1e5 / 3, ThroughputAlone: 3e4, Scaling: 10.0 / 9, MeanTime: 1e-5, P95Time: 2e-5, MaxTime: 1}
	held.Growth = &bench.Growth{Points: []bench.Point{{Bytes: 1e3, Floor: 1e-6, Calls: 3, Median: 2e-6}, {Bytes: 1e6, Floor: 1e-3, Calls: 3, Median: 2e-3}}, Exponent: 1.0000001}
	cold := bench.Seconds(0.25)
	held.FreshProcess = &bench.FreshProcess{StartRSS: 1 << 20, PeakRSS: 1<<40 + 1, First: 0.1, Warm: 0.01, Cold: &cold}
	held.Processes = []bench.Process{{RoundMin: []float64{101.25, 1e9 / 3}}}
	held.FloorNS = 101.25
	few, err := benchmark(t, "detection_qwen", 20, "the p99 latency is below 1 ms")
	require.NoError(t, err)
	over, exceeded := benchmark(t, "sae", 100, "the p95 latency is below 10 µs")
	require.Error(t, exceeded)

	detection, sae := sampleSources[0], sampleSources[1]
	step := func(source, keyword, text string, status outcome.Status, err error) outcome.Step {
		return outcome.Step{
			Keyword: keyword, Text: text, Line: lineOf(t, source, strings.TrimSuffix(text, " of Llama"), 1), Status: status,
			Started: began.Add(time.Second + time.Millisecond), Duration: 1500*time.Microsecond + 7, Err: err,
			Definition: "steps/then.go:31", Pattern: `^` + strings.ReplaceAll(text, `"LlamaForCausalLM"`, `"([^"]*)"`) + `$`,
		}
	}
	background := step(detection, "Given ", "an empty checkpoint", outcome.Passed, nil)
	background.Background = true
	row := func(class string, b *bench.Result) outcome.Scenario {
		given := step(detection, "Given ", "a checkpoint of", outcome.Passed, nil)
		given.Text = "a checkpoint of " + class
		return outcome.Scenario{
			Keyword: "Scenario Outline", Name: class + " is recognised", Line: lineOf(t, detection, "| "+class, 1), Outline: lineOf(t, detection, "Outline", 1),
			Tags: []outcome.Tag{{Name: "@detection", Line: 1}, {Name: "@detection", Line: 13}}, Status: outcome.Passed,
			Started: began, Duration: 20 * time.Millisecond, Benchmark: b, Warnings: []string{"measured 2 times", "a \xff byte"},
			NotJudged: []bench.NotJudged{{Bound: "cold latency below 60 ms", Reason: "the page cache cannot be dropped here"}},
			Steps:     []outcome.Step{background, given, step(detection, "When ", "the model info is read", outcome.Passed, nil), step(detection, "Then ", "the p95 latency is below 1 ms", outcome.Passed, nil)},
		}
	}
	files := step(detection, "Given ", "the files", outcome.Passed, nil)
	files.Table = [][]string{{"path", "size"}, {"a|b.json", "3"}}
	config := step(detection, "And ", "the config:", outcome.Passed, nil)
	config.DocString = &outcome.DocString{MediaType: "json", Content: `{"a": 1}`, Line: config.Line + 1}
	scenario := func(source, name string, nth int, status outcome.Status, steps ...outcome.Step) outcome.Scenario {
		return outcome.Scenario{Keyword: "Scenario", Name: name, Line: lineOf(t, source, "Scenario: "+name, nth), Status: status, Started: began.Add(time.Second), Duration: 5 * time.Millisecond, Steps: steps}
	}
	wrong := scenario(detection, `a name with <angle> & "quotes"`, 1, outcome.Failed, background, files, config,
		step(detection, "Then ", `the architecture is "LlamaForCausalLM"`, outcome.Failed,
			fmt.Errorf("wrapped: %w", hinted{errors.New("architecture is \"Lama\x1b[31m\xff\",\nexpected <a & b>\x00\u2028\ufffd"), "look at config.json"})),
		step(detection, "And ", `the category is "x"`, outcome.Failed, errors.New(" ")),
		step(detection, "And ", `the category is "x"`, outcome.Failed, hinted{&outcome.Mismatch{Subject: "the category", Expected: `"x"`, Got: `"<y>"`, DecidedBy: "config.json"}, "look"}),
		step(detection, "And ", `the category is "x"`, outcome.Failed, &outcome.Mismatch{Message: "the findings differ", Expected: "a\nb", Got: "a"}),
		step(detection, "And ", "it panics", outcome.Failed, panicked{errors.New("the step panicked: nil"), "main.go:1\n"}))
	wrong.Rule = "Class names decide"
	mistyped := scenario(detection, "a mistyped line", 1, outcome.Undefined, background, outcome.Step{Keyword: "When ", Text: "the model is red", Line: lineOf(t, detection, "is red", 1), Status: outcome.Undefined})
	mistyped.Rule = wrong.Rule
	pending := scenario(detection, "twice", 1, outcome.Pending, step(detection, "When ", "it is pending", outcome.Pending, nil))
	pending.Rule = wrong.Rule
	ambiguous := scenario(detection, "twice", 2, outcome.Ambiguous, step(detection, "When ", "it is ambiguous", outcome.Ambiguous, errors.New("2 definitions")))
	ambiguous.Rule = wrong.Rule

	slow := scenario(sae, "a bound is exceeded", 1, outcome.Failed, step(sae, "When ", "it is asked", outcome.Passed, nil), step(sae, "Then ", "the p95 latency is below 10 µs", outcome.Failed, exceeded))
	slow.Benchmark = over
	realOne := scenario(sae, "a real one", 1, outcome.Skipped)
	realOne.Started, realOne.Duration, realOne.SkipReason, realOne.Tags = time.Time{}, 0, "needs a real checkpoint", []outcome.Tag{{Name: "@real", Line: 7}}
	mistaken := scenario(sae, "a mistaken one", 1, outcome.CouldNotJudge, step(sae, "Given ", "a preset that is none", outcome.CouldNotJudge, errors.New("no preset is called x")))
	outside := scenario(sae, "a failure outside of its steps", 1, outcome.Failed, outcome.Step{Keyword: "Given ", Text: "an empty checkpoint", Line: lineOf(t, sae, "an empty", 1)})
	outside.Err = fmt.Errorf("ended: %w", hinted{panicked{errors.New("the hook panicked"), "hook.go:1\n"}, "look at the hook"})
	flaky := scenario(sae, "passes in the third attempt", 1, outcome.Flaky, step(sae, "Given ", "an empty checkpoint", outcome.Passed, nil), step(sae, "When ", "it is asked", outcome.Passed, nil))
	first := outcome.Attempt{Started: began.Add(time.Second), Duration: time.Millisecond, Steps: slices.Clone(flaky.Steps)}
	first.Steps[0].Status, first.Steps[0].Err = outcome.Failed, panicked{errors.New("it panicked"), "step.go:1\n"}
	first.Steps[1].Status, first.Steps[1].Started, first.Steps[1].Duration = outcome.Skipped, time.Time{}, 0
	second := outcome.Attempt{Started: began.Add(2 * time.Second), Duration: 3 * time.Millisecond, Steps: slices.Clone(flaky.Steps), Err: hinted{errors.New("the hook failed"), "wait"}}
	flaky.Earlier, flaky.Started = []outcome.Attempt{first, second}, began.Add(2500*time.Millisecond)
	stepless := scenario(sae, "without a step", 1, outcome.CouldNotJudge)
	stepless.Started, stepless.Duration = time.Time{}, 0
	stepless.Problems = outcome.Problems{{URI: "features/sae.feature", Line: stepless.Line, Column: 3, Code: "no-steps", Message: "\"without a step\" has no steps\xff", Advice: "add <steps>"}}

	run := &outcome.Run{
		Started: began, Duration: 3123456789, Version: "v1.2.3",
		Origin: bench.Origin{Time: began.Add(-time.Second), GoVersion: "go1.26.8", Platform: "linux/amd64", Environment: map[string]any{
			"cpu": "AMD EPYC 7763", "cores": 4, "gomaxprocs": 2, "commit": "0123456789abcdef", "dirty": true, "modules": map[string]any{"a/b": "v1"}}},
		Features: []outcome.Feature{
			{URI: "features/detection.feature", Keyword: "Feature", Name: "Architecture detection", Description: "  Names \"it\" <b> & more.", Line: 2,
				Tags: []outcome.Tag{{Name: "@detection", Line: 1}}, Source: []byte(detection),
				Scenarios: []outcome.Scenario{row("Llama", held), row("Qwen", few), wrong, mistyped, pending, ambiguous}},
			{URI: "features/sae.feature", Keyword: "Feature", Name: "SAE detection", Line: 1, Source: []byte(sae),
				Scenarios: []outcome.Scenario{slow, realOne, mistaken, outside, flaky, stepless},
				Problems:  outcome.Problems{{URI: "features/sae.feature", Line: 30, Message: "\"Scenaro:\" is not a keyword", Advice: "did you mean Scenario:?"}}},
			{URI: "features/torn\xff.feature", Source: []byte("Feature: torn\n  Nonsense\n"),
				Problems: outcome.Problems{{URI: "features/torn\xff.feature", Line: 2, Column: 3, Code: "syntax", Message: "not Gherkin"}, {Message: "and more"}}},
		},
		Problems: outcome.Problems{{Message: "what measures was killed", Advice: "look at the memory"}},
		LeftOut:  []outcome.LeftOut{{Reason: "@wip", Count: 3}, {Reason: "link to a folder", Count: 1}},
	}
	slower, faster := *held, *few
	slower.MeanTime, faster.MeanTime = held.MeanTime/3, few.MeanTime*2
	old, err := bench.NewFile([]bench.Result{slower, faster, {Name: "gone", Iterations: 1, MeanTime: 1}}, bench.Origin{Time: began.Add(-time.Hour), Platform: "linux/amd64", Environment: map[string]any{"commit": "fedcba"}})
	require.NoError(t, err)
	now, err := bench.NewFile([]bench.Result{*held, *few, *over}, run.Origin)
	require.NoError(t, err)
	comparison, err := bench.Compare(old, now, bench.DefaultThreshold)
	require.NoError(t, err)
	setComparison(run, comparison)
	addEvidence(run)
	return run
}

// setComparison keeps a comparison in a run, with the change of each benchmark.
func setComparison(run *outcome.Run, c *bench.Comparison) {
	run.Comparison = c
	for _, f := range run.Features {
		for i := range f.Scenarios {
			if b := f.Scenarios[i].Benchmark; b != nil {
				at := slices.IndexFunc(c.Changes, func(change bench.Change) bool { return change.Name == b.Name })
				f.Scenarios[i].Change = &c.Changes[at]
			}
		}
	}
}

// addEvidence gives the failed scenarios of a run what they were judged on.
func addEvidence(run *outcome.Run) {
	for _, f := range run.Features {
		for i := range f.Scenarios {
			if s := &f.Scenarios[i]; s.Status == outcome.Failed {
				s.Evidence = &outcome.Evidence{
					Tree:      &outcome.Tree{Root: "models/checkpoint", Files: []outcome.TreeFile{{Path: "config.json", Size: 12}, {Path: "\xff", Size: math.MaxInt64, Problem: "a link"}}},
					Operation: "model info", Answer: `{"category": "x"}`, DecidedBy: "config.json",
				}
			}
		}
	}
}

// sampleDetails knows everything that can be known of the sample's scenarios.
func sampleDetails(f *outcome.Feature, s *outcome.Scenario) Details {
	d := Details{Errors: errorsOfTest, Worker: 2}
	if s.Outline > 0 {
		class, _, _ := strings.Cut(s.Name, " ")
		d.Identity.Row = []Cell{{"class", class}}
		d.Kinds = []string{Given, Given, When, Then}
	}
	return d
}

// sampleHeader is what a run does not know of itself.
func sampleHeader() Header {
	return Header{
		RunID: "00112233", Workers: 2, Order: "random", Seed: "18446744073709551615",
		Loaders:   []Loader{{Name: "builtin", Version: "v1.2.3"}},
		Selection: Selection{Paths: []Text{"features"}, Tags: "not @slow", Categories: []string{"sae"}, Name: "a.*", Models: []Text{"/models/x"}, Shard: &Shard{1, 2, "0123"}, RerunOf: "abc"},
		PlanHash:  PlanHash(slices.Values([]string{"a", "b"})),
		LeftOut:   []LeftOut{{Reason: "@wip", Count: 3}},
	}
}
