package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/cucumber/godog"
	"github.com/stretchr/testify/assert"

	"omniloader/internal/bench"
	"omniloader/internal/cli"
	"omniloader/internal/suite"
	"omniloader/steps"
)

// Without a keyword of its own a step is what its definition says, under godog too: each
// bound is measured and judged.
func TestGodogJudgesBoundsWithAStarOrALeadingAnd(t *testing.T) {
	if suite.RaceDetector || testing.CoverMode() != "" {
		t.Skip("what it measures is not judged then")
	}
	loader, err := cli.OpenLoader(t.Context(), "")
	assert.NoError(t, err)
	defer func() { assert.NoError(t, loader.Close()) }()
	run := func(keyword, bound string) (int, *steps.Record, string) {
		setup := &steps.Setup{Loader: loader, Plan: bench.Plan{Iterations: 20}, Fresh: cli.FreshProcess, LaterRounds: true}
		feature := "Feature: f\n  Scenario: s\n    * the checkpoint \"qwen3-8b\"\n    * the model info is read\n    * the architecture is \"Qwen3ForCausalLM\"\n    * " + bound + "\n"
		var record *steps.Record
		var out bytes.Buffer
		code := godog.TestSuite{
			ScenarioInitializer: func(sc *godog.ScenarioContext) {
				scenario := setup.Register(sc)
				sc.Before(func(ctx context.Context, p *godog.Scenario) (context.Context, error) {
					return ctx, scenario.Begin(p, steps.Source{})
				})
				sc.After(func(ctx context.Context, _ *godog.Scenario, _ error) (context.Context, error) {
					record = scenario.Record()
					return ctx, scenario.End()
				})
			},
			Options: &godog.Options{
				Format: "pretty", Output: &out, Strict: true, NoColors: true,
				FeatureContents: []godog.Feature{{Name: "a.feature", Contents: []byte(strings.ReplaceAll(feature, "* ", keyword+" "))}},
			},
		}.Run()
		return code, record, out.String()
	}
	for _, c := range []struct{ held, exceeded string }{
		{"no more than 1 MB is allocated per call", "no more than 1 B is allocated per call"},
		{"no more than 10000 allocations are made per call", "no more than 1 allocations are made per call"},
		{"the memory delta is below 1.5 MB", "the memory delta is below 1 B"},
		{"the p95 latency is below 10 s", "the p95 latency is below 1 ns"},
		{"the peak resident memory is below 2 GB", "the peak resident memory is below 1 MB"},
	} {
		for _, keyword := range []string{"*", "And"} {
			code, record, out := run(keyword, c.held)
			assert.Zero(t, code, out)
			if assert.NotNil(t, record.Benchmark, c.held) {
				assert.True(t, record.Benchmark.Bounds[0].Held, c.held)
			}
			code, _, out = run(keyword, c.exceeded)
			assert.Equal(t, 1, code, "%s: %s", c.exceeded, out)
			assert.Contains(t, out, "bound: ", c.exceeded)
		}
	}
}
