package suite

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/steps"
)

// rounds runs a feature with fake steps. It returns these, the run, the scenarios for which
// the listener was told of the end, in order, and the number of pauses.
func rounds(t *testing.T, lines ...string) (*fakeSteps, *outcome.Run, []string, int) {
	t.Helper()
	y := newFakeSteps()
	var told []string
	pauses := 0
	run, err := y.run(t, featureOf(t, append([]string{"Feature: f"}, lines...)...), Options{
		Setup: &steps.Setup{},
		Pause: func(context.Context) { pauses++ },
		Listener: func(e outcome.Event) {
			if e.Ended != nil {
				told = append(told, e.Ended.Name+" "+string(e.Ended.Status))
			}
		},
	})
	require.NoError(t, err)
	return y, run, told, pauses
}

func TestAScenarioThatExceedsABoundIsMeasuredAgainAfterAllOthers(t *testing.T) {
	y, run, told, pauses := rounds(t,
		"  Scenario: busy", "    When it passes", "    Then it is measured", "    And its mean is low at measurement 2",
		"  Scenario: other", "    When it passes", "    Then it is measured", "    And it is counted with 1")
	s := run.Features[0].Scenarios[0]
	assert.Equal(t, outcome.Passed, s.Status)
	assert.Equal(t, 2, s.Benchmark.TimesMeasured)
	require.Len(t, s.Warnings, 1)
	assert.Contains(t, s.Warnings[0], "measured 2 times, and within the bounds the last time only; before: mean latency 1 s (bound: below 1 ms)")
	assert.Equal(t, []string{"other passed", "busy passed"}, told, "its end is reported once, after the others")
	assert.Equal(t, 1, pauses)
	assert.Equal(t, 1, y.judgedCount["counted"], "a scenario that kept its bounds is not run again")
}

func TestAScenarioThatExceedsABoundInEveryRoundFailsWithAllValues(t *testing.T) {
	y, run, told, pauses := rounds(t, "  Scenario: slow", "    When it passes", "    Then it is measured", "    And its mean is low at measurement 9")
	s := run.Features[0].Scenarios[0]
	assert.Equal(t, outcome.Failed, s.Status)
	assert.Equal(t, 3, y.judgedCount["mean latency below 1 ms"], "the first time and two more")
	assert.Equal(t, 2, pauses)
	err := s.FailedStep().Err
	require.ErrorIs(t, err, bench.ErrExceeded)
	assert.Contains(t, err.Error(), "mean latency is 1 s, bound: below 1 ms")
	assert.Contains(t, err.Error(), "measured 3 times, never within the bounds: mean latency 1 s, mean latency 2 s, mean latency 3 s")
	assert.Equal(t, 3, s.Benchmark.TimesMeasured)
	assert.Equal(t, []string{"slow failed"}, told)
}

func TestTwoBoundsShareTheLaterRounds(t *testing.T) {
	y, run, _, _ := rounds(t, "  Scenario: slow", "    When it passes", "    Then it is measured",
		"    And its mean is low at measurement 2", "    And it is as fast as the first at measurement 9")
	assert.Equal(t, outcome.Failed, run.Features[0].Scenarios[0].Status)
	assert.Equal(t, 3, y.judgedCount["mean latency below 1 ms"])
	assert.Contains(t, run.Features[0].Scenarios[0].FailedStep().Err.Error(), "mean latency 1 s, median latency 2000000000 times with 1 calls over")
}

func TestABoundThatSeemsFragileIsMeasuredOnceMore(t *testing.T) {
	for until, left := range map[string]string{"2": "", "3": "fragile"} {
		y, run, told, pauses := rounds(t, "  Scenario: near", "    When it passes", "    Then it is measured", "    And its bound seems fragile until measurement "+until)
		s := run.Features[0].Scenarios[0]
		assert.Equal(t, outcome.Passed, s.Status)
		assert.Equal(t, left, s.Benchmark.Bounds[0].Note)
		assert.Equal(t, 2, y.judgedCount["seen"], "once more, whatever the result")
		assert.Zero(t, s.Benchmark.TimesMeasured, "the first result stays")
		assert.Empty(t, s.Warnings)
		assert.Equal(t, 1, pauses)
		assert.Equal(t, []string{"near passed"}, told)
	}
}

func TestMemoryIsNotMeasuredAgain(t *testing.T) {
	y, run, told, pauses := rounds(t, "  Scenario: fat", "    When it passes", "    Then it is measured", "    And its memory is low at measurement 2")
	assert.Equal(t, outcome.Failed, run.Features[0].Scenarios[0].Status)
	assert.Equal(t, 1, y.judgedCount["no more than 1 allocations per call"])
	assert.Zero(t, pauses)
	assert.Equal(t, []string{"fat failed"}, told)
}

func TestTheBenchmarkThatABoundIsRelativeToIsMeasuredAgainToo(t *testing.T) {
	y, run, told, _ := rounds(t,
		"  Scenario: the first", "    When it passes", "    Then it is measured", "    And it is counted with 1",
		"  Scenario: another", "    When it passes", "    Then it is measured",
		"  Scenario: the second", "    When it passes", "    Then it is measured", "    And it is as fast as the first at measurement 2")
	for _, s := range run.Features[0].Scenarios {
		assert.Equal(t, outcome.Passed, s.Status, s.Name)
	}
	assert.Equal(t, 2, y.judgedCount["counted"], "both benchmarks")
	assert.Equal(t, []string{"the first passed", "another passed", "the second passed"}, told)
	assert.Zero(t, run.Features[0].Scenarios[0].Benchmark.TimesMeasured, "its own first result stays")
}

func TestAnInterruptionBeforeALaterRoundKeepsTheFailure(t *testing.T) {
	y := newFakeSteps()
	run, err := y.run(t, featureOf(t, "Feature: f", "  Scenario: slow", "    When it passes", "    Then it is measured", "    And its mean is low at measurement 2"), Options{
		Setup: &steps.Setup{}, Pause: func(context.Context) { y.cancel() },
	})
	require.NoError(t, err)
	assert.True(t, run.Interrupted)
	assert.Equal(t, 1, run.Totals().Failed)
}
