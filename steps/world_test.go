package steps_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/builtin"
	"omniloader/internal/engine"
	"omniloader/internal/engine/enginetest"
	"omniloader/loader/fault"
	"omniloader/loader/undertest"
	"omniloader/steps"
)

// run runs a feature with a setup. It returns 0 if everything passed or was skipped, else
// 1; the records of the scenarios by name; and a line for each step.
func run(t *testing.T, setup *steps.Setup, feature string) (status int, records map[string]*steps.Record, output string) {
	t.Helper()
	return runIn(t, setup, []enginetest.Feature{{Text: feature}}, 1, func(*engine.Scenario) steps.Source { return steps.Source{} })
}

// runIn is run for several features and scenarios in parallel, with the source of each.
func runIn(t *testing.T, setup *steps.Setup, features []enginetest.Feature, jobs int, source func(*engine.Scenario) steps.Source) (int, map[string]*steps.Record, string) {
	t.Helper()
	var mu sync.Mutex
	records := make(map[string]*steps.Record)
	status, output := enginetest.Run(t, steps.Engine(), features, jobs, func(scope *engine.Scope, s *engine.Scenario) {
		scenario := setup.Register(scope)
		scope.Before(func(ctx context.Context, p *messages.Pickle) (context.Context, error) {
			return ctx, scenario.Begin(p, source(s))
		})
		scope.After(func(ctx context.Context, p *messages.Pickle, _ error) (context.Context, error) {
			mu.Lock()
			records[p.Name] = scenario.Record()
			mu.Unlock()
			return ctx, scenario.End()
		})
	})
	return status, records, output
}

// fake returns a loader under test whose operations return what answer returns.
func fake(answer func() (any, error)) undertest.Loader { return steps.OneAnswer(answer) }

type info struct {
	Category     string            `json:"category"`
	ModelType    *string           `json:"model_type"`
	Classes      []string          `json:"architectures"`
	Quantization map[string]any    `json:"quantization"`
	Tokens       map[string]string `json:"special_tokens"`
	Findings     []map[string]any  `json:"findings"`
}

func llama() (any, error) {
	modelType := "llama"
	return &info{Category: "transformers", ModelType: &modelType, Classes: []string{"A", "B"},
		Quantization: map[string]any{"method": "gptq", "bits": 4},
		Tokens:       map[string]string{"eos_token": "</s>"},
		Findings:     []map[string]any{{"severity": "warning", "code": "odd-config", "file": "config.json"}},
	}, nil
}

// feature is the text of a feature with one scenario, which reads the model info and
// has these Then steps.
func feature(thens ...string) string {
	return "Feature: f\n  Scenario: s\n    Given an empty checkpoint directory\n    When the model info is read\n    Then " +
		strings.Join(thens, "\n    And ") + "\n"
}

func TestAnOperationThatNothingBoundsRunsOnce(t *testing.T) {
	calls := 0
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 5, Warmup: 2}, Loader: fake(func() (any, error) {
		calls++
		return llama()
	})}
	status, records, out := run(t, setup, feature(`the category is "transformers"`))
	require.Zero(t, status, out)
	assert.Equal(t, 1, calls)
	assert.Nil(t, records["s"].Benchmark)
	assert.Empty(t, setup.Results())
}

func TestABoundMakesTheOperationMeasured(t *testing.T) {
	calls := 0
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 5, Warmup: 2}, Loader: fake(func() (any, error) {
		calls++
		return llama()
	})}
	status, records, out := run(t, setup, "@sae\n"+feature(`the category is "transformers"`, `the mean latency is below 10 s`))
	require.Zero(t, status, out)
	assert.Equal(t, 7, calls)
	r := records["s"].Benchmark
	require.NotNil(t, r)
	assert.Equal(t, "s", r.Name)
	assert.Equal(t, "sae", r.Category)
	assert.Equal(t, 5, r.Iterations)
	assert.Nil(t, r.BytesPerOp, "no step bounds memory")
	assert.Equal(t, map[string]any{"operation": "model info", "category": "transformers", "model_type": "llama", "memory": "not measured"}, r.Metadata)
	require.Len(t, r.Bounds, 1)
	assert.True(t, r.Bounds[0].Held)
	assert.Same(t, r, setup.Results()[0])
}

func TestMemoryIsMeasuredWhereAStepBoundsItOrThePlanAsksForIt(t *testing.T) {
	for _, c := range []struct {
		bound string
		plan  bool
		want  bool
	}{
		{"the mean latency is below 10 s", false, false},
		{"the mean latency is below 10 s", true, true},
		{"no more than 1 GB is allocated per call", false, true},
		{"the memory delta is below 1 GB", false, true},
		{"no more than 1000000 allocations are made per call", false, true},
	} {
		setup := &steps.Setup{Plan: bench.Plan{Iterations: 2, Memory: c.plan}, Loader: fake(llama)}
		status, records, out := run(t, setup, feature(c.bound))
		require.Zero(t, status, out)
		assert.Equal(t, c.want, records["s"].Benchmark.BytesPerOp != nil, "%+v", c)
	}
}

// heavy gives answers that keep 6 MB alive.
func heavy() (any, error) {
	return &struct {
		Category string `json:"category"`
		kept     []byte
	}{"transformers", make([]byte, 6_000_000)}, nil
}

func TestAnAnswerKeepsLessThanTheDefaultAlive(t *testing.T) {
	const category = `the category is "transformers"`
	for _, c := range []struct {
		name   string
		plan   bool // memory is measured in any case
		then   string
		status int
		bounds []bool // whether they are the default one
	}{
		{"memory is not measured", false, "the mean latency is below 10 s", 0, []bool{false}},
		{"the plan measures it", true, "the mean latency is below 10 s", 1, []bool{false, true}},
		{"another bound measures it", false, "no more than 1 GB is allocated per call", 1, []bool{false, true}},
		{"a bound of its own", true, "the memory delta is below 7 MB", 0, []bool{false}},
		{"a stricter one of its own", true, "the memory delta is below 4 MB", 1, []bool{false}},
	} {
		setup := &steps.Setup{Plan: bench.Plan{Iterations: 2, Memory: c.plan}, Loader: fake(heavy)}
		status, records, out := run(t, setup, feature(category, c.then))
		assert.Equal(t, c.status, status, "%s: %s", c.name, out)
		bounds := records["s"].Benchmark.Bounds
		require.Len(t, bounds, len(c.bounds), c.name)
		for i, isDefault := range c.bounds {
			assert.Equal(t, isDefault, bounds[i].Default, c.name)
		}
		if last := bounds[len(bounds)-1]; last.Default {
			assert.Equal(t, "memory delta below 5 MB (default)", last.Bound)
			assert.False(t, last.Held)
			assert.Contains(t, out, "memory delta is 6", c.name)
			assert.Contains(t, out, "MB, bound: below 5 MB, the default (", c.name)
		}
	}
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 2, Memory: true}, Loader: fake(llama)}
	status, records, out := run(t, setup, feature(category, "the mean latency is below 10 s"))
	require.Zero(t, status, out)
	require.Len(t, records["s"].Benchmark.Bounds, 2)
	assert.True(t, records["s"].Benchmark.Bounds[1].Held)

	setup = &steps.Setup{Plan: bench.Plan{Iterations: 2, Memory: true}, Loader: fake(heavy)}
	status, records, out = run(t, setup, strings.Replace(feature("the latency grows with an exponent below 100"), "an empty checkpoint directory", "a checkpoint with a config of 1 kB, 2 kB and 4 kB", 1))
	require.Zero(t, status, "what grows with its checkpoint is excepted: %s", out)
	assert.Len(t, records["s"].Benchmark.Bounds, 1)
}

func TestABoundThatIsExceededSaysFigureBoundAndSamples(t *testing.T) {
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 20}, Loader: fake(llama), LaterRounds: true}
	status, records, out := run(t, setup, feature(`the mean latency is below 0.001 ns`))
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "bound: below 0.001 ns (20 calls")
	require.Len(t, records["s"].Benchmark.Bounds, 1)
	assert.False(t, records["s"].Benchmark.Bounds[0].Held)
}

func TestAPercentileOfTooFewCallsGivesAWarning(t *testing.T) {
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 3}, Loader: fake(llama)}
	_, records, _ := run(t, setup, feature(`the p95 latency is below 10 s`))
	require.Len(t, records["s"].Benchmark.Bounds, 1)
	assert.Contains(t, records["s"].Benchmark.Bounds[0].Warning, "3 calls are few for the p95")
}

func TestABenchmarkTagAloneMeasuresAndNames(t *testing.T) {
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 2}, Loader: fake(llama)}
	_, records, out := run(t, setup, "Feature: f\n  @benchmark:my_name\n"+strings.TrimPrefix(feature(`the category is "transformers"`), "Feature: f\n"))
	require.NotNil(t, records["s"].Benchmark, out)
	assert.Equal(t, "my_name", records["s"].Benchmark.Name)
}

func TestAnAnswerThatChangesIsAFailure(t *testing.T) {
	calls := 0
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 3}, Loader: fake(func() (any, error) {
		calls++
		return map[string]any{"category": fmt.Sprint("c", calls)}, nil
	})}
	status, _, out := run(t, setup, feature(`the category is "c1"`, `the mean latency is below 10 s`))
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "the answer changed between the first call and the last")
}

func TestAFailureThatNoStepExpectsFailsTheWhenStep(t *testing.T) {
	for _, bound := range []string{`the category is "x"`, `the mean latency is below 10 s`} {
		setup := &steps.Setup{Plan: bench.Plan{Iterations: 2}, Loader: fake(func() (any, error) {
			return nil, fault.New(fault.Truncated, "config.json", "cut off")
		})}
		status, _, out := run(t, setup, feature(bound))
		assert.Equal(t, 1, status)
		assert.Contains(t, out, "reading the model info: config.json: cut off: truncated")
		assert.Contains(t, out, "s: failed")
	}
}

func TestTheCostOfAFailureCanBeMeasured(t *testing.T) {
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 3}, Loader: fake(func() (any, error) {
		return nil, fault.New(fault.TooLarge, "models/checkpoint/config.json", "200 MB").WithHint("delete it")
	})}
	status, records, out := run(t, setup, feature(`reading fails with "too large" in "config.json"`,
		`the failure names "200 MB"`, `the hint mentions "delete"`, `the max latency is below 10 s`))
	require.Zero(t, status, out)
	assert.NotNil(t, records["s"].Benchmark)
}

func TestAnAnswerInsteadOfAnExpectedFailureIsAFailure(t *testing.T) {
	for _, then := range []string{`reading fails with "not found"`, `the failure names "x"`, `the hint mentions "x"`} {
		status, _, out := run(t, &steps.Setup{Loader: fake(llama)}, feature(then))
		assert.Equal(t, 1, status)
		assert.Contains(t, out, `did not fail; the answer is: category "transformers"`)
	}
}

// Each Then step fails, with a message that says why.
func TestStepsThatDoNotHoldSayWhy(t *testing.T) {
	failing := func() (any, error) {
		return nil, fault.New(fault.NotFound, "models/checkpoint/config.json", "").WithHint("look elsewhere")
	}
	for _, c := range []struct {
		answer func() (any, error)
		then   string
		want   string
	}{
		{llama, `the category is "asr"`, `the category is "transformers", expected "asr"`},
		{llama, `the categry is "asr"`, `the answer has no field "categry", did you mean "category"?`},
		{llama, `the wheel is "round"`, `the answer has no field "wheel", known: category, model type, architectures,`},
		{llama, `the quantization bits is 8`, `the quantization bits is 4, expected 8`},
		{llama, `the category is 8`, `the category is "transformers", not a number`},
		{llama, `the bits is at least 5`, `the bits is 4, expected at least 5`},
		{llama, `the bits is at most 3`, `the bits is 4, expected at most 3`},
		{llama, `the category is yes`, `the category is "transformers", expected yes`},
		{llama, `the architectures contain "C"`, `the architectures are "A", "B" and do not contain "C"`},
		{llama, `the bits contain "C"`, `the bits is 4, not a list or a text`},
		{llama, `the architectures are "B, A"`, `the architectures are "A, B", expected "B, A"`},
		{llama, `the category are "B, A"`, `the category is "transformers", not a list`},
		{llama, `there are 3 architectures`, `there are 2 architectures, expected 3`},
		{llama, `there are 3 category`, `the category is "transformers", not a list or an object`},
		{llama, `there is no category`, `the category is not absent: "transformers"`},
		{llama, `a note "odd-config" is reported`, "expected note odd-config, reported:\n  warning odd-config for \"config.json\""},
		{llama, `a warning "odd-confg" is reported`, `did you mean "odd-config"?`},
		{llama, `a warning "odd-config" is reported for "x"`, `expected warning odd-config for "x", reported:`},
		{llama, `no finding is reported`, "expected none, reported:\n  warning odd-config"},
		{llama, `the model is supported`, `the answer has no field "is supported"`},
		{llama, `no other place was tried`, `the answer has no field "tried"`},
		{llama, `the support says the same`, `the loader under test has no operation "support"`},
		{failing, `reading fails with "not fond"`, `there is no kind of failure "not fond", did you mean "not found"?`},
		{failing, `reading fails with "truncated"`, `reading failed with "not found", expected "truncated"`},
		{failing, `reading fails with "not found" in "x.json"`, `reading failed in "config.json", expected "x.json"`},
		{failing, `the failure names "x"`, `the error does not contain "x"`},
		{failing, `the hint mentions "pull"`, `the hint is "look elsewhere" and does not contain "pull"`},
		{llama, `the mean latency is below 2 sec`, `unknown unit "sec"`},
		{llama, `the median latency is below 3 times that of "nobody"`, `"nobody", which was not measured before this in the run`},
		{llama, `the max latency is below 0 ms`, `nothing can be below`},
	} {
		setup := &steps.Setup{Plan: bench.Plan{Iterations: 2}, Loader: fake(c.answer)}
		status, _, out := run(t, setup, feature(c.then))
		assert.Equal(t, 1, status, c.then)
		assert.Contains(t, out, c.want, c.then)
	}
}

func TestFieldsAreFoundByTheirNamesInPlainWords(t *testing.T) {
	status, _, out := run(t, &steps.Setup{Loader: fake(llama)}, feature(
		`the model type is "llama"`, `the quantization method is "gptq"`, `the method is "gptq"`, `the eos token is "</s>"`,
		`the special tokens eos token is "</s>"`, `the bits is 4`, `the bits is at most 4.5`, `the architectures are "A, B"`,
		`the architectures contain "B"`, `there are 2 architectures`, `there is 1 finding`, `the category contains "form"`,
		`a finding "odd-config" is reported for "config.json"`, `no error is reported`))
	require.Zero(t, status, out)
}

func TestAFieldOfSomethingThatIsNullSaysSo(t *testing.T) {
	_, _, out := run(t, &steps.Setup{Loader: fake(func() (any, error) {
		return map[string]any{"quantization": nil}, nil
	})}, feature(`the quantization method is "gptq"`))
	assert.Contains(t, out, "there is no quantization method: quantization is null")
}

func TestAnAmbiguousFieldListsWhatItMayMean(t *testing.T) {
	_, _, out := run(t, &steps.Setup{Loader: fake(func() (any, error) {
		return map[string]any{"a": map[string]any{"x": 1}, "b": map[string]any{"x": 2}}, nil
	})}, feature(`the x is 1`))
	assert.Contains(t, out, `no field "x", which may be more than one field: "a x", "b x"`)
}

func TestAnAnswerWithoutFieldsIsRefused(t *testing.T) {
	_, _, out := run(t, &steps.Setup{Loader: fake(func() (any, error) { return 3, nil })}, feature(`the x is 1`))
	assert.Contains(t, out, "the answer is 3: an object with named fields was expected")
}

func TestAScenarioHasOneWhenStepAndSomeThenSteps(t *testing.T) {
	setup := &steps.Setup{Loader: fake(llama)}
	_, _, out := run(t, setup, "Feature: f\n  Scenario: s\n    Given an empty checkpoint directory\n    When the model info is read\n")
	assert.Contains(t, out, "the scenario checks nothing")
	_, _, out = run(t, setup, "Feature: f\n  Scenario: s\n    Given an empty checkpoint directory\n    Then the category is \"x\"\n")
	assert.Contains(t, out, "the scenario has 0 When steps")
	_, _, out = run(t, setup, "Feature: f\n  Scenario: s\n    When the model info is read\n    And the category is detected\n    Then the category is \"x\"\n")
	assert.Contains(t, out, "the scenario has 2 When steps")
}

func TestTwoBenchmarksOfOneNameAreAnError(t *testing.T) {
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 1}, Loader: fake(llama)}
	one := strings.TrimPrefix(feature(`the mean latency is below 10 s`), "Feature: f\n")
	status, _, out := run(t, setup, "Feature: f\n"+one+one)
	assert.Equal(t, 1, status)
	assert.Contains(t, out, `two benchmarks of this run are called "s"`)
	assert.Len(t, setup.Results(), 1)
}

func TestABoundMayReferToABenchmarkMeasuredBefore(t *testing.T) {
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 3}, Loader: fake(llama)}
	first := strings.ReplaceAll(strings.TrimPrefix(feature(`the mean latency is below 10 s`), "Feature: f\n"), "Scenario: s", "Scenario: first")
	status, records, out := run(t, setup, "Feature: f\n"+first+strings.TrimPrefix(feature(`the median latency is below 100000 times that of "first"`), "Feature: f\n"))
	require.Zero(t, status, out)
	assert.Len(t, records["s"].Benchmark.Bounds, 1)

	setup = &steps.Setup{Plan: bench.Plan{Iterations: 3}, Loader: fake(llama)}
	status, _, out = run(t, setup, "Feature: f\n"+first+strings.TrimPrefix(feature(`the median latency is below 3 times that of "frist"`), "Feature: f\n"))
	assert.Equal(t, 1, status)
	assert.Contains(t, out, `did you mean "first"?`)
}

func TestWithoutARealCheckpointItsScenariosAreSkippedWithAReason(t *testing.T) {
	const real = "Feature: f\n  Scenario: s\n    Given the real checkpoint\n    When the model info is read\n    Then the name is \"mine\"\n"
	status, records, out := run(t, &steps.Setup{Loader: builtin.New("")}, real)
	assert.Zero(t, status, out)
	assert.Contains(t, out, "s: skipped")
	assert.Contains(t, records["s"].SkipReason, "--model")

	dir := filepath.Join(t.TempDir(), "mine")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"model_type":"llama"}`), 0o644))
	status, _, out = run(t, &steps.Setup{Loader: builtin.New(""), Model: dir}, real)
	assert.Zero(t, status, out)
	assert.Contains(t, out, "s: passed")

	status, _, out = run(t, &steps.Setup{Loader: builtin.New(""), Model: filepath.Join(dir, "nowhere")}, real)
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "nowhere")
}

func TestTheTemporaryDirectoryIsRemovedWithItsScenario(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var seen []string
	setup := &steps.Setup{Loader: fake(func() (any, error) {
		entries, err := os.ReadDir(os.TempDir())
		for _, e := range entries {
			seen = append(seen, e.Name())
		}
		return map[string]any{"x": 1}, err
	})}
	status, _, out := run(t, setup, "Feature: f\n  Scenario: s\n    Given a real temporary directory\n    And an empty checkpoint directory\n    When the model info is read\n    Then the x is 1\n")
	require.Zero(t, status, out)
	require.Len(t, seen, 1)
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestGivenStepsThatContradictEachOtherSayWhy(t *testing.T) {
	for given, want := range map[string]string{
		"without \"config.json\"": "there is no checkpoint to change yet",
		"an empty checkpoint directory\n    And an empty checkpoint directory":          "has its checkpoint already",
		"an empty checkpoint directory\n    And a real temporary directory":             "the temporary directory must come first",
		"an empty checkpoint directory\n    And the directory \"x\" for the checkpoint": "the directory must come before the checkpoint",
		"the checkpoint \"gtp2\"": "did you mean \"gpt2\"?",
		"a checkpoint with the files:\n      | fil | content |\n      | a   | b       |": `no column "fil", did you mean "file"?`,
		"a checkpoint with the files:\n      | file | content |":                         "the table has no files",
		"a checkpoint with the files:\n      | file | size |\n      | a | 3 parsecs |":   "parsecs",
		"an empty checkpoint directory\n    And \"a\" is grown to 10 lightyears":         "lightyears",
	} {
		status, _, out := run(t, &steps.Setup{Loader: fake(llama)},
			"Feature: f\n  Scenario: s\n    Given "+given+"\n    When the model info is read\n    Then the category is \"transformers\"\n")
		assert.Equal(t, 1, status, given)
		assert.Contains(t, out, want, given)
	}
}

// A measured operation waits until the operations of other scenarios have ended, and
// none starts before it has ended.
func TestMeasuredOperationsRunAlone(t *testing.T) {
	var measuring, functional atomic.Bool
	var overlaps atomic.Int32
	starting := make(chan struct{}) // closed when the measured scenario is about to start
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 20}}
	setup.Loader = steps.FakeLoader{Calls: map[string]func(context.Context, undertest.Input) (any, error){
		undertest.CategoryOnly: func(context.Context, undertest.Input) (any, error) {
			functional.Store(true)
			<-starting
			for range 200_000 { // enough time for the other to start, if it could
				runtime.Gosched()
			}
			if measuring.Load() {
				overlaps.Add(1)
			}
			functional.Store(false)
			return llama()
		},
		undertest.ModelInfo: func(context.Context, undertest.Input) (any, error) {
			measuring.Store(true)
			if functional.Load() {
				overlaps.Add(1)
			}
			return llama()
		},
	}}
	source := func(s *engine.Scenario) steps.Source {
		if s.Pickle.Name == "measured" {
			for !functional.Load() {
				runtime.Gosched()
			}
			close(starting)
		}
		return steps.Source{}
	}
	status, _, out := runIn(t, setup, []enginetest.Feature{{Text: `Feature: f
  Scenario: functional
    When the category is detected
    Then the category is "transformers"
  Scenario: measured
    When the model info is read
    Then the max latency is below 10 s
`}}, 2, source)
	require.Zero(t, status, out)
	assert.Zero(t, overlaps.Load())
	assert.Len(t, setup.Results(), 1)
}

// Measured scenarios side by side keep their results apart.
func TestResultsAreKeptSafelyByScenariosSideBySide(t *testing.T) {
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 5}, Loader: fake(llama)}
	var b strings.Builder
	b.WriteString("Feature: f\n")
	for i := range 20 {
		fmt.Fprintf(&b, "  Scenario: measured %d\n    When the model info is read\n    Then the max latency is below 10 s\n", i)
		fmt.Fprintf(&b, "  Scenario: functional %d\n    When the category is detected\n    Then the category is \"transformers\"\n", i)
	}
	status, _, out := runIn(t, setup, []enginetest.Feature{{Text: b.String()}}, 4, func(*engine.Scenario) steps.Source { return steps.Source{} })
	require.Zero(t, status, out)
	names := make(map[string]bool)
	for _, r := range setup.Results() {
		names[r.Name] = true
		assert.Len(t, r.Bounds, 1)
	}
	assert.Len(t, names, 20)
}

func TestAnInterruptedMeasurementLeavesNoResult(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 1000}, Loader: fake(func() (any, error) {
		cancel(errors.New("stopped by hand"))
		return llama()
	})}
	parsed, err := engine.Parse(ctx, "a.feature", []byte(feature(`the mean latency is below 10 s`)))
	require.NoError(t, err)
	for s := range parsed.Scenarios() {
		var scenario *steps.Scenario
		result := steps.Engine().Run(ctx, s.Pickle, func(scope *engine.Scope) {
			scenario = setup.Register(scope)
			scope.Before(func(ctx context.Context, p *messages.Pickle) (context.Context, error) {
				return ctx, scenario.Begin(p, steps.Source{})
			})
		}, engine.Options{})
		assert.True(t, result.Interrupted)
		assert.ErrorContains(t, result.Steps()[1].Err, "stopped by hand")
		assert.Nil(t, scenario.Record().Benchmark)
	}
	assert.Empty(t, setup.Results())
}

func TestAnExamplesRowNamesItsBenchmark(t *testing.T) {
	outline := strings.Replace(feature(`the category is "<category>"`, `the max latency is below 10 s`), "  Scenario: s\n",
		"  @benchmark:of_<name>\n  Scenario Outline: the <category>\n", 1) +
		"\n    Examples:\n      | name | category     |\n      | one  | transformers |\n"
	file := filepath.Join(t.TempDir(), "a.feature")
	require.NoError(t, os.WriteFile(file, []byte(outline), 0o644))
	for _, path := range []string{file, file + ":3"} {
		setup := &steps.Setup{Plan: bench.Plan{Iterations: 1}, Loader: fake(llama)}
		status, _, out := runIn(t, setup, []enginetest.Feature{{URI: path, Text: outline}}, 1, func(*engine.Scenario) steps.Source { return steps.Source{} })
		require.Zero(t, status, out)
		require.Len(t, setup.Results(), 1, out)
		assert.Equal(t, "of_one", setup.Results()[0].Name)
	}
}

func TestRowsThatCannotBeToldApartAreRefused(t *testing.T) {
	outline := strings.Replace(feature(`the category is "transformers"`), "  Scenario: s\n", "  @benchmark:of_<name>\n  Scenario Outline: o\n", 1) +
		"\n    Examples:\n      | name |\n      | one  |\n      | two  |\n"
	file := filepath.Join(t.TempDir(), "a.feature")
	require.NoError(t, os.WriteFile(file, []byte(outline), 0o644))
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 1}, Loader: fake(llama)}
	status, _, out := runIn(t, setup, []enginetest.Feature{{URI: file, Text: outline}}, 1, func(*engine.Scenario) steps.Source { return steps.Source{} })
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "two Examples rows give the same scenario")
}

func TestTagsOfTheSourceAreUsed(t *testing.T) {
	setup := &steps.Setup{Plan: bench.Plan{Iterations: 1}, Loader: fake(llama)}
	_, records, out := runIn(t, setup, []enginetest.Feature{{Text: feature(`the category is "transformers"`)}}, 1, func(*engine.Scenario) steps.Source {
		return steps.Source{Tags: []string{"@memory", "@benchmark:given"}}
	})
	require.NotNil(t, records["s"].Benchmark, out)
	assert.Equal(t, "given", records["s"].Benchmark.Name)
	assert.Equal(t, "memory", records["s"].Benchmark.Category)
}

func TestTheCategoryIsTheLastTagThatIsOne(t *testing.T) {
	for want, tags := range map[string][]string{
		"sae":       {"@detection", "@sae", "@slow"},
		"detection": {"@mine", "@detection", "@wip"},
		"mine":      {"@slow", "@mine", "@real", "@benchmark:x"},
		"":          {"@slow", "@benchmark:x", "@benchmark"},
	} {
		assert.Equal(t, want, steps.Category(tags), tags)
	}
}

func TestABenchmarkIsNamedByItsTagOrItsScenario(t *testing.T) {
	assert.Equal(t, "given", steps.BenchmarkName([]string{"@sae", "@benchmark:given"}, "Some scenario"))
	assert.Equal(t, "inner", steps.BenchmarkName([]string{"@benchmark:outer", "@benchmark:inner"}, "x"))
	assert.Equal(t, "a_llama_with_4_bits", steps.BenchmarkName([]string{"@benchmark", "@benchmark:"}, "A Llama, with 4 bits!"))
	assert.Equal(t, "ein_mäßiges_modell", steps.BenchmarkName(nil, "Ein mäßiges Modell"))
}

func TestMeasuredIsTrueForBoundsAndBenchmarkTags(t *testing.T) {
	assert.True(t, steps.Measured([]string{"@benchmark"}, nil))
	assert.True(t, steps.Measured([]string{"@benchmark:x"}, nil))
	assert.True(t, steps.Measured(nil, []string{"the memory delta is below 1 MB"}))
	assert.False(t, steps.Measured([]string{"@benchmarking"}, []string{"the model is supported"}))
}

// Where an answer says that it is not known whether the weights are complete, both steps
// fail, and give the reason.
func TestCompletenessThatIsNotKnownFailsWithItsReason(t *testing.T) {
	answer := func(complete any, reason string) *steps.Setup {
		return &steps.Setup{Plan: bench.Plan{Iterations: 1}, Loader: fake(func() (any, error) {
			return map[string]any{"weights": map[string]any{"complete": complete, "complete_reason": reason}}, nil
		})}
	}
	for _, step := range []string{`the weights are complete`, `the weights are incomplete`} {
		status, _, out := run(t, answer(nil, "nothing says what should be there"), feature(step))
		assert.Equal(t, 1, status, step)
		assert.Contains(t, out, "it is not known whether the weights are complete: nothing says what should be there", step)
	}
	status, _, out := run(t, answer(false, "b.bin is missing"), feature(`the weights are complete`))
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "weights complete is no, expected yes (b.bin is missing)")
	status, _, out = run(t, answer(true, "compared: sizes"), feature(`the weights are complete`))
	assert.Zero(t, status, out)
}
