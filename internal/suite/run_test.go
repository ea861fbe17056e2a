package suite

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/outcome"
	"omniloader/steps"
)

// scenario returns the only scenario of a run.
func scenario(t *testing.T, run *outcome.Run) outcome.Scenario {
	t.Helper()
	require.Len(t, run.Features, 1)
	require.Len(t, run.Features[0].Scenarios, 1)
	return run.Features[0].Scenarios[0]
}

func TestAPassingScenario(t *testing.T) {
	run := runFeature(t, featureOf(t, "@top", "Feature: f", "  text", "  Scenario: a", "    Given a thing \"b\"", "    When it passes", "    Then all is well"))
	f := run.Features[0]
	assert.Equal(t, "a.feature", f.URI)
	assert.Equal(t, "f", f.Name)
	assert.Equal(t, 2, f.Line)
	assert.Equal(t, []outcome.Tag{{Name: "@top", Line: 1}}, f.Tags)
	s := scenario(t, run)
	assert.Equal(t, outcome.Passed, s.Status)
	assert.Equal(t, 4, s.Line)
	assert.Nil(t, s.Benchmark)
	require.Len(t, s.Steps, 3)
	for _, step := range s.Steps {
		assert.Equal(t, outcome.Passed, step.Status)
		assert.False(t, step.Started.IsZero())
		assert.NoError(t, step.Err)
	}
	assert.Equal(t, "fake.go:1", s.Steps[0].Definition)
	assert.NotEmpty(t, s.Steps[0].Pattern)
	assert.Contains(t, string(f.Source), s.Steps[0].Text, "a report can read the feature again")
	assert.GreaterOrEqual(t, s.Duration, s.Steps[0].Duration)
	assert.GreaterOrEqual(t, run.Duration, s.Duration)
	assert.False(t, run.Interrupted)
	assert.Equal(t, outcome.Totals{Scenarios: 1, Passed: 1, Steps: 3}, run.Totals())
}

func TestAFailedStepSkipsTheRest(t *testing.T) {
	s := scenario(t, runFeature(t, featureOf(t, "Feature: f", "  Scenario: a", "    Given a thing \"b\"", "    When it fails", "    Then all is well")))
	assert.Equal(t, outcome.Failed, s.Status)
	assert.Equal(t, []outcome.Status{outcome.Passed, outcome.Failed, outcome.Skipped}, []outcome.Status{s.Steps[0].Status, s.Steps[1].Status, s.Steps[2].Status})
	assert.ErrorIs(t, s.Steps[1].Err, errBroken)
	assert.Equal(t, "it: broken on purpose", s.Steps[1].Err.Error(), "the step's own message")
	assert.Same(t, s.FailedStep(), s.FailedStep())
	assert.Equal(t, 4, s.FailedStep().Line)
}

func TestAFirstStepThatFails(t *testing.T) {
	s := scenario(t, runFeature(t, featureOf(t, "Feature: f", "  Scenario: a", "    When it fails", "    Then all is well")))
	assert.Equal(t, outcome.Failed, s.Status)
	assert.Equal(t, outcome.Skipped, s.Steps[1].Status)
}

func TestAPanicIsAFailure(t *testing.T) {
	for text, want := range map[string]string{"panics": "kaboom", "dereferences nil": "nil pointer dereference"} {
		s := scenario(t, runFeature(t, featureOf(t, "Feature: f", "  Scenario: a", "    When it "+text, "    Then all is well")))
		assert.Equal(t, outcome.Failed, s.Status)
		var p *PanicError
		require.ErrorAs(t, s.Steps[0].Err, &p)
		assert.Contains(t, p.Error(), "the step panicked: ")
		assert.Contains(t, p.Error(), want)
		assert.Contains(t, p.Stack, "suite_test.go", "the stack is kept")
	}
}

func TestASkippedStepSkipsTheScenario(t *testing.T) {
	for _, lines := range [][]string{
		{"    When it is skipped"},
		{"    When it is skipped", "    Then all is well"},
		{"    Given a thing \"b\"", "    When it is skipped"},
	} {
		s := scenario(t, runFeature(t, featureOf(t, append([]string{"Feature: f", "  Scenario: a"}, lines...)...)))
		assert.Equal(t, outcome.Skipped, s.Status)
		assert.Nil(t, s.FailedStep())
	}
}

func TestAnUnfinishedStepCannotBeJudged(t *testing.T) {
	run := runFeature(t, featureOf(t, "Feature: f", "  Scenario: a", "    When it is unfinished", "    Then all is well"))
	assert.Equal(t, outcome.Pending, scenario(t, run).Status)
	err := Unjudged(run)
	require.ErrorContains(t, err, `a.feature:3: pending step "it is unfinished"`)
	assert.True(t, IsProblem(err))
	assert.NoError(t, Unjudged(runFeature(t, featureOf(t, "Feature: f", "  Scenario: a", "    When it fails"))))
}

func TestAHookThatFailsIsAFailureOfTheLastStep(t *testing.T) {
	s := scenario(t, runFeature(t, featureOf(t, "Feature: f", "  Scenario: bad hook", "    When it passes", "    Then all is well")))
	assert.Equal(t, outcome.Failed, s.Status)
	assert.Equal(t, outcome.Failed, s.Steps[1].Status)
	assert.ErrorIs(t, s.Steps[1].Err, errBroken)
}

func TestScenariosComeInTheOrderOfTheFiles(t *testing.T) {
	files := map[string]string{}
	var want []string
	for i := range 5 {
		var b strings.Builder
		fmt.Fprintf(&b, "Feature: f%d\n", i)
		for j := range 7 {
			fmt.Fprintf(&b, "  Scenario: %d %d\n    When it passes\n", i, j)
			if j%2 == 0 {
				b.WriteString("    Then it is measured\n")
			}
			want = append(want, fmt.Sprintf("%d %d", i, j))
		}
		files[fmt.Sprintf("%d.feature", i)] = b.String()
	}
	for _, jobs := range []int{0, 1, 4} {
		y := newFakeSteps()
		run, err := y.run(t, features(t, files), Options{Jobs: jobs})
		require.NoError(t, err)
		var got []string
		for _, f := range run.Features {
			for _, s := range f.Scenarios {
				got = append(got, s.Name)
				assert.Equal(t, outcome.Passed, s.Status)
				assert.Equal(t, strings.HasSuffix(s.Steps[len(s.Steps)-1].Text, "measured"), s.Benchmark != nil)
			}
		}
		assert.Equal(t, want, got)
		assert.Zero(t, y.benchSide.Load(), "a measured scenario runs alone")
		assert.LessOrEqual(t, y.most.Load(), int64(max(1, jobs)))
	}
}

func TestAnOutlineRunsRowByRow(t *testing.T) {
	run := runFeature(t, features(t, map[string]string{"a.feature": outline}))
	got := map[string]string{}
	for _, s := range run.Features[0].Scenarios {
		got[fmt.Sprintf("%d %s", s.Line, s.Name)] = string(s.Status)
	}
	assert.Equal(t, map[string]string{
		"8 plain": "passed", "25 passes case": "passed", "26 fails case": "failed", "30 panics case": "failed", "33 last": "passed",
	}, got)
}

func TestOnlyWhatIsSelectedRuns(t *testing.T) {
	f := features(t, map[string]string{"a.feature": outline})
	p, err := Select(f, Selection{Tags: "@benchmark:first_fails"})
	require.NoError(t, err)
	p.steps = newFakeSteps().stepLibrary
	run, err := p.Run(t.Context(), Options{Setup: &steps.Setup{}})
	require.NoError(t, err)
	s := scenario(t, run)
	assert.Equal(t, "fails case", s.Name)
	assert.Equal(t, 26, s.Line)
	assert.Equal(t, 19, s.Steps[2].Line)
}

func TestTheStepsSeeTagsWithTheRowsValues(t *testing.T) {
	run := runFeature(t, featureOf(t, "Feature: f", "  @benchmark:of_<v>", "  Scenario Outline: a", "    Given a thing \"<v>\"", "    Then it is measured",
		"    Examples:", "      | v |", "      | 1 |", "      | 2 |"))
	var got []string
	for _, s := range run.Features[0].Scenarios {
		got = append(got, s.Benchmark.Name)
	}
	assert.Equal(t, []string{"of_1", "of_2"}, got)
}

func TestRealScenariosAreSkippedWithoutAModel(t *testing.T) {
	text := []string{"Feature: f", "  @real", "  Scenario: a", "    When it fails", "  Scenario: b", "    When it passes"}
	run := runFeature(t, featureOf(t, text...))
	totals := run.Totals()
	assert.Equal(t, 1, totals.Skipped)
	assert.Equal(t, 1, totals.Passed)
	assert.Equal(t, "needs a real checkpoint", run.Features[0].Scenarios[0].SkipReason)

	plan, err := Select(featureOf(t, text...), Selection{Models: []string{"somewhere"}})
	require.NoError(t, err)
	run, err = newFakeSteps().runPlan(t, plan, Options{})
	require.NoError(t, err)
	assert.Equal(t, 1, run.Totals().Failed, "with a model it runs")
}

func TestNothingButRealScenariosCannotBeJudgedWithoutAModel(t *testing.T) {
	_, err := newFakeSteps().run(t, featureOf(t, "Feature: f", "  @real", "  Scenario: a", "    When it passes"), Options{})
	require.ErrorContains(t, err, "each of 1 selected scenarios needs a real checkpoint")
	assert.True(t, IsProblem(err))
}

func TestAScenarioWithAProblemIsNotRunAndTheOthersAre(t *testing.T) {
	y := newFakeSteps()
	fs := features(t, map[string]string{
		"a.feature": "Feature: f\n  Scenario: a\n    When it fails\n  Scenario: b\n    When it passes\n    And nobody\n  Scenario: c\n",
		"b.feature": "Feature: f\n  Scenario: a\n    Nonsense\n    When it passes\n    Nonsense\n",
	})
	run, err := y.run(t, fs, Options{})
	require.NoError(t, err)
	assert.EqualValues(t, 1, y.most.Load())
	require.Len(t, run.Features, 2)
	a, b, c := run.Features[0].Scenarios[0], run.Features[0].Scenarios[1], run.Features[0].Scenarios[2]
	assert.Equal(t, outcome.Failed, a.Status)
	assert.Equal(t, outcome.Undefined, b.Status)
	assert.Equal(t, []outcome.Status{outcome.Skipped, outcome.Undefined}, []outcome.Status{b.Steps[0].Status, b.Steps[1].Status})
	assert.ErrorContains(t, b.Steps[1].Err, "undefined step")
	assert.Equal(t, outcome.CouldNotJudge, c.Status)
	require.Len(t, c.Problems, 1)
	assert.Contains(t, c.Problems[0].Message, "has no steps")
	assert.Empty(t, run.Features[1].Scenarios)
	require.Len(t, run.Features[1].Problems, 1)
	assert.Equal(t, 5, run.Features[1].Problems[0].Line)
	assert.Equal(t, 1, run.Totals().Failed)
	assert.Equal(t, 2, run.Totals().Unjudged)
	err = Unjudged(run)
	require.True(t, IsProblem(err))
	for _, want := range []string{"a.feature:6:5: undefined step", "a.feature:7:3: ", "b.feature:5:5: "} {
		assert.ErrorContains(t, err, want)
	}
}

func TestEveryThenIsJudged(t *testing.T) {
	fs := featureOf(t, "Feature: f", "  Scenario: a", "    When it passes", "    Then its mean is low at measurement 9", "    And all is well", "    And its mean is low at measurement 9")
	run, err := newFakeSteps().run(t, fs, Options{Pause: func(context.Context) {}})
	require.NoError(t, err)
	s := scenario(t, run)
	var statuses []outcome.Status
	for _, step := range s.Steps {
		statuses = append(statuses, step.Status)
	}
	assert.Equal(t, []outcome.Status{outcome.Passed, outcome.Failed, outcome.Passed, outcome.Failed}, statuses)
	assert.Len(t, s.FailedSteps(), 2)
}

func TestAnInterruptionKeepsTheScenariosThatEnded(t *testing.T) {
	run, err := newFakeSteps().run(t, featureOf(t, "Feature: f",
		"  Scenario: before", "    When it passes",
		"  Scenario: measured before", "    When it passes", "    Then it is measured",
		"  Scenario: cut off", "    When the user interrupts", "    Then it is measured",
		"  Scenario: never", "    When it passes", "    Then it is measured"), Options{})
	require.NoError(t, err)
	assert.True(t, run.Interrupted)
	var got []string
	for _, s := range run.Features[0].Scenarios {
		got = append(got, s.Name)
	}
	assert.Equal(t, []string{"before", "measured before"}, got)
	assert.Zero(t, run.Totals().Failed)
	assert.Equal(t, 1, run.Totals().Benchmarks)
}

func TestAnInterruptionBeforeTheMeasuredScenariosLeavesThemOut(t *testing.T) {
	run, err := newFakeSteps().run(t, featureOf(t, "Feature: f",
		"  Scenario: measured", "    Then it is measured",
		"  Scenario: last unmeasured one", "    When the user interrupts late"), Options{})
	require.NoError(t, err)
	assert.True(t, run.Interrupted)
	assert.Equal(t, "last unmeasured one", scenario(t, run).Name)
}

func TestAnInterruptionAfterTheLastScenarioChangesNothing(t *testing.T) {
	run, err := newFakeSteps().run(t, featureOf(t, "Feature: f", "  Scenario: a", "    When the user interrupts late"), Options{})
	require.NoError(t, err)
	assert.False(t, run.Interrupted)
	assert.Equal(t, outcome.Passed, scenario(t, run).Status)
}

func TestARunThatIsInterruptedBeforeItStartsIsEmpty(t *testing.T) {
	p := selectAll(t, featureOf(t, "Feature: f", "  Scenario: a", "    When it passes"))
	p.steps = newFakeSteps().stepLibrary
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	run, err := p.Run(ctx, Options{Setup: &steps.Setup{}})
	require.NoError(t, err)
	assert.True(t, run.Interrupted)
	assert.Empty(t, run.Features)
}

func TestTheListenerIsToldOfEachStartAndEnd(t *testing.T) {
	var seen []string
	inside := 0
	listener := func(e outcome.Event) {
		inside++
		assert.Equal(t, 1, inside, "one at a time")
		switch {
		case e.Selected != nil:
			seen = append(seen, fmt.Sprintf("selected %d", e.Selected.Scenarios))
		case e.Started != nil:
			seen = append(seen, "started "+e.Started.Name)
		default:
			seen = append(seen, fmt.Sprintf("ended %s %s", e.Ended.Name, e.Ended.Status))
		}
		inside--
	}
	_, err := newFakeSteps().run(t, featureOf(t, "Feature: f", "  Scenario: a", "    When it fails", "  @real", "  Scenario: b", "    When it fails",
		"  Scenario: c", "    Then it is measured"), Options{Listener: listener})
	require.NoError(t, err)
	assert.Equal(t, []string{"selected 3", "ended b skipped", "started a", "ended a failed", "started c", "ended c passed"}, seen)
}

func TestParallelRunsDoNotMix(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			f := featureOf(t, "Feature: f", fmt.Sprintf("  Scenario: only %d", i), "    When it passes")
			run, err := newFakeSteps().run(t, f, Options{Jobs: 2})
			if assert.NoError(t, err) {
				assert.Equal(t, fmt.Sprintf("only %d", i), run.Features[0].Scenarios[0].Name)
			}
		})
	}
	wg.Wait()
}
