package suite

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/loader/undertest"
	"omniloader/steps"
)

// heavyLoader is a loader under test whose answers keep 6 MB alive.
type heavyLoader struct{}

func (heavyLoader) Name() string         { return undertest.Builtin }
func (heavyLoader) Version() string      { return "1" }
func (heavyLoader) Operations() []string { return []string{undertest.ModelInfo} }
func (heavyLoader) Close() error         { return nil }
func (heavyLoader) Prepare(string, undertest.Input) (undertest.Call, error) {
	return func(context.Context) (any, error) {
		return &struct {
			Category string `json:"category"`
			kept     []byte
		}{"transformers", make([]byte, 6_000_000)}, nil
	}, nil
}

// The When step made the calls, and no Then step has the bound: all of these are judged.
func TestTheDefaultBoundFailsTheWhenStep(t *testing.T) {
	plan := selectAll(t, featureOf(t, "Feature: f", "  Scenario: s", "    Given an empty checkpoint directory", "    When the model info is read",
		`    Then the category is "transformers"`, "    And the mean latency is below 10 s"))
	run, err := plan.Run(t.Context(), Options{Setup: &steps.Setup{Loader: heavyLoader{}, Plan: bench.Plan{Iterations: 2, Memory: true}}})
	require.NoError(t, err)
	if RaceDetector {
		return // memory is not judged
	}
	s := run.Features[0].Scenarios[0]
	assert.Equal(t, outcome.Failed, s.Status)
	var statuses []outcome.Status
	for _, step := range s.Steps {
		statuses = append(statuses, step.Status)
	}
	assert.Equal(t, []outcome.Status{outcome.Passed, outcome.Failed, outcome.Passed, outcome.Passed}, statuses)
	var exceeded *bench.ExceededError
	require.ErrorAs(t, s.Steps[1].Err, &exceeded)
	assert.Contains(t, s.Steps[1].Err.Error(), "bound: below 5 MB, the default (")
	assert.Contains(t, exceeded.Hint(), `"Then the memory delta is below 20 MB" takes the place of the default bound`)
	assert.Equal(t, 1, run.Totals().Failed)
}
