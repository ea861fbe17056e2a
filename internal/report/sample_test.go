package report

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to write it")
	assert.Equal(t, string(want), string(got))
}

func render(t *testing.T, r Renderer, run *outcome.Run, opts Options) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, r(&out, run, opts))
	return out.String()
}

// hinted is an error with a hint.
type hinted struct {
	error
	hint string
}

func (h hinted) Hint() string { return h.hint }

var began = time.Date(2026, 1, 30, 8, 0, 0, 0, time.UTC)

// measured is a result of so many calls, of 1 µs, 2 µs … each, with bounds judged.
func measured(t *testing.T, name, category string, calls int, bounds ...string) (*bench.Result, error) {
	t.Helper()
	m := &bench.Measurement{
		Plan: bench.Plan{Iterations: calls, Warmup: 10, Memory: true}, Calls: make([]time.Duration, calls),
		Memory: &bench.Memory{BytesPerCall: 2128, AllocsPerCall: 11, LiveDelta: 304, Calls: calls},
	}
	for i := range m.Calls {
		m.Calls[i] = time.Duration(i+1) * time.Microsecond
	}
	r := bench.NewResult(bench.Key{Benchmark: name}, category, m, map[string]any{"architecture": "llama"})
	var failure error
	for _, text := range bounds {
		b, err := bench.ParseBound(text)
		require.NoError(t, err)
		j, err := b.Check(m, nil)
		if err != nil {
			failure = err
		}
		r.Bounds = append(r.Bounds, j)
	}
	return r, failure
}

// detectionSource and saeSource are the feature files of the sample, with its scenarios at
// the lines that it names.
var (
	detectionSource = lines(map[int]string{
		1: "@detection", 2: "Feature: Architecture detection", 3: "  Names it.",
		20: "Scenario Outline: a family is recognised", 21: "  Given a checkpoint of <class>", 22: "  When the model info is read",
		23: "  Examples:", 24: "    | class |", 25: "    | Llama |", 26: "    | Qwen |",
		28: `Scenario: names with <angle> & "quotes"`, 29: "  Given an empty checkpoint", 30: `  Then the architecture is "LlamaForCausalLM"`,
		35: "Scenario: a mistyped line", 36: "  Given an empty checkpoint", 37: "  When the model is red",
		40: "Scenario: diffusers", 41: "  Given the files", 42: "    | path | size |", 43: "    | a\\|b.json | 3 |",
	})
	saeSource = lines(map[int]string{
		1: "Feature: SAE detection", 10: "Scenario: resid_post is a marker", 15: "  Given an empty checkpoint",
		16: "  When it is asked whether the model is an SAE", 17: "  Then the p95 latency is below 10 µs",
		49: "@real", 50: "Scenario: a real one", 51: "  Given the real checkpoint", 60: "Scenario: another real one",
	})
)

// lines gives a text with these lines, the others empty.
func lines(text map[int]string) string {
	all := make([]string, slices.Max(slices.Collect(maps.Keys(text))))
	for n, line := range text {
		all[n-1] = line
	}
	return strings.Join(all, "\n") + "\n"
}

// sample is a run with everything a report has to show.
func sample(t *testing.T) *outcome.Run {
	t.Helper()
	held, err := measured(t, "architecture_detection_llama", "detection", 100, "the mean latency is below 1 ms", "no more than 1 MB is allocated per call")
	require.NoError(t, err)
	few, err := measured(t, "architecture_detection_qwen", "detection", 20, "the p99 latency is below 1 ms")
	require.NoError(t, err)
	over, exceeded := measured(t, "sae_detection_sae_resid_post", "sae", 100, "the p95 latency is below 10 µs")
	require.Error(t, exceeded)
	unbounded, err := measured(t, "category_detection_diffusers", "detection", 100)
	require.NoError(t, err)
	unbounded.BytesPerOp, unbounded.AllocsPerOp = nil, nil

	step := func(keyword, text string, line int, status outcome.Status) outcome.Step {
		return outcome.Step{Keyword: keyword, Text: text, Line: line, Status: status, Started: began, Duration: 1500 * time.Microsecond, Definition: "steps/model.go:12", Pattern: "^" + regexp.QuoteMeta(text) + "$"}
	}
	background := step("Given ", "an empty checkpoint", 6, outcome.Passed)
	background.Background = true
	config := step("Given ", "a checkpoint with the config:", 11, outcome.Passed)
	config.DocString = &outcome.DocString{MediaType: "json", Content: `{"architectures": ["LlamaForCausalLM"]}`, Line: 12}
	files := step("Given ", "the files", 11, outcome.Passed)
	files.Table = [][]string{{"path", "size"}, {"a|b.json", "3"}}
	latency := step("Then ", "the p95 latency is below 10 µs", 17, outcome.Failed)
	latency.Err = exceeded
	broken := step("Then ", `the architecture is "LlamaForCausalLM"`, 30, outcome.Failed)
	broken.Err = hinted{errors.New("architecture is \"Lama\x1b[31m\",\nwanted \"LlamaForCausalLM\": <a & b>\x00"), "look at config.json"}
	undefined := outcome.Step{Keyword: "When ", Text: "the model is red", Line: 29, Status: outcome.Undefined}
	row := func(line int) outcome.Scenario {
		return outcome.Scenario{
			Keyword: "Scenario Outline", Name: "a family is recognised", Line: line, Outline: 20, Status: outcome.Passed,
			Tags:    []outcome.Tag{{Name: "@detection", Line: 1}},
			Started: began, Duration: 2 * time.Millisecond, Steps: []outcome.Step{config, step("When ", "the model info is read", 15, outcome.Passed)},
		}
	}
	llama, qwen := row(25), row(26)
	llama.Benchmark, qwen.Benchmark = held, few
	return &outcome.Run{
		Started: began, Duration: 3123 * time.Millisecond,
		Origin: bench.Origin{Time: began, GoVersion: "go1.26.8", Platform: "linux/amd64", Environment: map[string]any{
			"cpu": "AMD EPYC 7763", "cores": 4, "gomaxprocs": 2, "commit": "0123456789abcdef"}},
		Features: []outcome.Feature{
			{
				Source: []byte(detectionSource),
				URI:    "features/detection.feature", Keyword: "Feature", Name: "Architecture detection", Description: "  Names it.", Line: 2,
				Tags: []outcome.Tag{{Name: "@detection", Line: 1}},
				Scenarios: []outcome.Scenario{
					llama, qwen,
					{
						Keyword: "Scenario", Name: `names with <angle> & "quotes"`, Rule: "Class names decide", Line: 28, Status: outcome.Failed,
						Started: began, Duration: time.Millisecond, Steps: []outcome.Step{background, broken},
					},
					{
						Keyword: "Scenario", Name: "a mistyped line", Line: 35, Status: outcome.Undefined,
						Started: began, Steps: []outcome.Step{background, undefined},
					},
					{
						Keyword: "Scenario", Name: "diffusers", Line: 40, Status: outcome.Passed, Started: began, Duration: 5 * time.Millisecond,
						Steps: []outcome.Step{files}, Benchmark: unbounded,
					},
				},
			},
			{
				Source: []byte(saeSource),
				URI:    "features/sae.feature", Keyword: "Feature", Name: "SAE detection", Line: 1,
				Scenarios: []outcome.Scenario{
					{
						Keyword: "Scenario", Name: "resid_post is a marker", Line: 10, Status: outcome.Failed, Started: began, Duration: 9 * time.Millisecond,
						Steps: []outcome.Step{background, step("When ", "it is asked whether the model is an SAE", 16, outcome.Passed), latency}, Benchmark: over,
						Warnings: []string{"the machine was busy"},
					},
					{
						Keyword: "Scenario", Name: "a real one", Line: 50, Status: outcome.Skipped, SkipReason: "@real: no --model given", Started: began,
						Tags:  []outcome.Tag{{Name: "@real", Line: 49}},
						Steps: []outcome.Step{step("Given ", "the real checkpoint", 51, outcome.Skipped)},
					},
					{Keyword: "Scenario", Name: "another real one", Line: 60, Status: outcome.Skipped, SkipReason: "@real: no --model given"},
				},
			},
		},
	}
}
