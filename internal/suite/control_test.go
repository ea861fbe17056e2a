package suite

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/outcome"
	"omniloader/internal/runfile"
	"omniloader/steps"
)

// newHanging makes fake steps of which some hang until the test ends.
func newHanging(t *testing.T) *fakeSteps {
	y := newFakeSteps()
	y.release, y.grace = make(chan struct{}), time.Millisecond
	t.Cleanup(func() { close(y.release) })
	return y
}

const shortTime = 30 * time.Millisecond

func TestAScenarioThatHangsFailsWithItsStackAndTheOthersRun(t *testing.T) {
	synctest.Test(t, aScenarioThatHangsFailsWithItsStackAndTheOthersRun)
}

func aScenarioThatHangsFailsWithItsStackAndTheOthersRun(t *testing.T) {
	for _, how := range []string{"for ever", "until its time is up"} {
		y := newHanging(t)
		if how != "for ever" {
			y.grace = time.Minute
		}
		path := filepath.Join(t.TempDir(), "run.json")
		fs := featureOf(t, "Feature: f",
			"  Scenario: hangs", "    When it hangs "+how, "    Then all is well",
			"  Scenario: other", "    When it passes", "    Then all is well")
		file, err := runfile.Create(path, runfile.Header{}, selectAll(t, fs).RunFileFeatures(), func(err error) { t.Error(err) })
		require.NoError(t, err)
		run, err := y.run(t, fs, Options{Timeout: shortTime, RunFile: file})
		require.NoError(t, err)
		file.Close(&runfile.End{})
		hung, other := run.Features[0].Scenarios[0], run.Features[0].Scenarios[1]
		assert.Equal(t, outcome.Failed, hung.Status)
		assert.Equal(t, outcome.Skipped, hung.Steps[1].Status)
		assert.ErrorContains(t, hung.Steps[0].Err, "not done within the 30ms that the scenario has")
		if how == "for ever" { // else it may have come back before anyone looks
			assert.ErrorContains(t, hung.Steps[0].Err, "suite_test.go:", "where it hangs")
		}
		assert.Equal(t, outcome.Passed, other.Status)
		assert.False(t, run.Interrupted)
		assert.EqualValues(t, how == "for ever", y.abandoned.Load() == 1)

		read, err := runfile.ReadFile(path)
		require.NoError(t, err)
		i := 0
		if read.Scenarios[0].Name != "hangs" {
			i = 1
		}
		require.NotNil(t, read.Scenarios[i].Steps[0].Failure)
		if how == "for ever" {
			assert.Contains(t, read.Scenarios[i].Steps[0].Failure.Stack, "suite_test.go:")
		}
		assert.Contains(t, read.Scenarios[i].Steps[0].Failure.Hint, "--timeout")
	}
}

func TestTheTimeOfAScenario(t *testing.T) {
	p := selectAll(t, featureOf(t, "@timeout:1m30s", "Feature: f",
		"  Scenario: of the feature", "    When it passes",
		"  @timeout:5s", "  Scenario: its own", "    When it passes", "    Then it is measured"))
	p.steps = newFakeSteps().stepLibrary
	assert.Equal(t, 90*time.Second, p.timeout(p.Scenarios()[0], time.Second))
	assert.Equal(t, 5*time.Second, p.timeout(p.Scenarios()[1], time.Second))
	assert.Equal(t, 5*time.Second, p.LongestTimeout(time.Second))
	p = selectAll(t, featureOf(t, "Feature: f", "  Scenario: a", "    When it passes", "  Scenario: b", "    When it passes", "    Then it is measured"))
	p.steps = newFakeSteps().stepLibrary
	assert.Equal(t, time.Minute, p.timeout(p.Scenarios()[0], 0))
	assert.Equal(t, 10*time.Minute, p.timeout(p.Scenarios()[1], 0))
	assert.Equal(t, time.Second, p.timeout(p.Scenarios()[1], time.Second))
	assert.Equal(t, 10*time.Minute, p.LongestTimeout(0))
}

func TestWhenTheTimeOfTheRunIsUp(t *testing.T) { synctest.Test(t, whenTheTimeOfTheRunIsUp) }

func whenTheTimeOfTheRunIsUp(t *testing.T) {
	y := newHanging(t)
	p := selectAll(t, featureOf(t, "Feature: f",
		"  Scenario: fails", "    When it fails",
		"  Scenario: hangs", "    When it hangs for ever", "    Then all is well",
		"  Scenario: waits", "    When it passes",
		"  Scenario: is measured", "    When it passes", "    Then it is measured"))
	p.steps = y.stepLibrary
	ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, fmt.Errorf("%w: 300ms", ErrTimeUp))
	defer cancel()
	run, err := p.Run(ctx, Options{Setup: &steps.Setup{}, Grace: y.grace})
	require.NoError(t, err)
	assert.True(t, run.Interrupted)
	require.Len(t, run.Features[0].Scenarios, 2)
	hung := run.Features[0].Scenarios[1]
	assert.Equal(t, outcome.CouldNotJudge, hung.Status)
	assert.ErrorContains(t, hung.Steps[0].Err, "the time of the run was up: 300ms")
	assert.ErrorContains(t, hung.Steps[0].Err, "suite_test.go:", "where it hangs")
	assert.Equal(t, []outcome.LeftOut{{Reason: "not run when the time was up", Count: 2}}, run.LeftOut)
	assert.Equal(t, 1, run.Totals().Failed)
	err = Unjudged(run)
	require.True(t, IsProblem(err))
	assert.ErrorContains(t, err, "the time of the run was up: 300ms: 2 of 4 scenarios were not run")
	assert.ErrorContains(t, err, "a.feature:5: could not judge: the time of the run was up: 300ms")
}

func TestAScenarioThatPassesAtALaterAttemptIsFlaky(t *testing.T) {
	for name, c := range map[string]struct {
		tag     string
		retries int
		status  outcome.Status
		earlier int
	}{
		"with the option":                {"", 2, outcome.Flaky, 2},
		"with a tag":                     {"@retry:3", 0, outcome.Flaky, 2},
		"too few attempts":               {"", 1, outcome.Failed, 1},
		"a tag that overrules":           {"@retry:0", 5, outcome.Failed, 0},
		"an expected failure":            {"@fails:ISSUE-1", 5, outcome.ExpectedFailure, 0},
		"an expected failure with a tag": {"@fails:ISSUE-1 @retry:5", 5, outcome.ExpectedFailure, 0},
	} {
		t.Run(name, func(t *testing.T) {
			y := newFakeSteps()
			run, err := y.run(t, featureOf(t, "Feature: f", "  "+c.tag, "  Scenario: a", "    When it passes at attempt 3", "    Then all is well"), Options{Retries: c.retries})
			require.NoError(t, err)
			s := scenario(t, run)
			assert.Equal(t, c.status, s.Status)
			require.Len(t, s.Earlier, c.earlier)
			for i, a := range s.Earlier {
				assert.ErrorContains(t, a.Steps[0].Err, fmt.Sprintf("attempt %d: broken", i+1))
				assert.Equal(t, outcome.Skipped, a.Steps[1].Status)
				assert.False(t, a.Started.After(s.Started))
			}
			if c.status == outcome.Flaky {
				assert.Equal(t, outcome.Passed, s.Steps[0].Status)
				assert.Equal(t, 1, run.Totals().Flaky)
			}
		})
	}
}

func TestWhatCannotBeJudgedAndWhatIsMeasuredIsNotTriedAgain(t *testing.T) {
	y := newFakeSteps()
	run, err := y.run(t, featureOf(t, "Feature: f", "  Scenario: a", "    When it cannot be judged"), Options{Retries: 3})
	require.NoError(t, err)
	assert.Equal(t, outcome.CouldNotJudge, scenario(t, run).Status)
	assert.Equal(t, 1, y.attempts)

	y = newFakeSteps()
	run, err = y.run(t, featureOf(t, "Feature: f", "  Scenario: a", "    When it passes at attempt 2", "    Then it is measured"), Options{Retries: 3})
	require.NoError(t, err)
	assert.Equal(t, outcome.Failed, scenario(t, run).Status)
	assert.Equal(t, 1, y.attempts)

	p := selectAll(t, featureOf(t, "@retry:2", "Feature: f", "  Scenario: a", "    When it passes", "    Then it is measured",
		"  @retry:0", "  Scenario: b", "    When it passes", "    Then it is measured"))
	p.steps = newFakeSteps().stepLibrary
	err = p.Check(t.Context())
	require.ErrorContains(t, err, "a.feature:1:1: tag @retry:2 on a scenario that is measured")
	assert.NotContains(t, err.Error(), "a.feature:7")
}

func TestAnExpectedFailure(t *testing.T) {
	run := runFeature(t, featureOf(t, "Feature: f",
		"  @fails:ISSUE-12", "  Scenario: fails", "    When it fails",
		"  @fails:ISSUE-12", "  Scenario: panics", "    When it panics",
		"  @fails:ISSUE-12", "  Scenario: passes", "    When it passes",
		"  @fails:ISSUE-12", "  Scenario: undefined", "    When nobody",
		"  @fails:ISSUE-12", "  Scenario: wrong", "    When it cannot be judged"))
	statuses := map[string]outcome.Status{}
	for _, s := range run.Features[0].Scenarios {
		statuses[s.Name] = s.Status
	}
	assert.Equal(t, map[string]outcome.Status{"fails": outcome.ExpectedFailure, "panics": outcome.ExpectedFailure, "passes": outcome.Failed,
		"undefined": outcome.Undefined, "wrong": outcome.CouldNotJudge}, statuses)
	assert.Equal(t, outcome.Failed, run.Features[0].Scenarios[0].Steps[0].Status, "its steps say what failed")
	assert.ErrorContains(t, run.Features[0].Scenarios[2].Err, "it passed, and its tag @fails:ISSUE-12 says that it fails")
	assert.Equal(t, 1, run.Totals().Failed)
	assert.Equal(t, 2, run.Totals().ExpectedFailures)
}

func TestAMeasuredScenarioThatIsExpectedToExceedABound(t *testing.T) {
	y, run, told, _ := rounds(t, "  @fails:ISSUE-1", "  Scenario: slow", "    When it passes", "    Then it is measured", "    And its mean is low at measurement 9")
	assert.Equal(t, outcome.ExpectedFailure, scenario(t, run).Status)
	assert.Equal(t, []string{"slow expected-failure"}, told)
	assert.Equal(t, 3, y.judgedCount["mean latency below 1 ms"])
	_, run, _, _ = rounds(t, "  @fails:ISSUE-1", "  Scenario: slow", "    When it passes", "    Then it is measured", "    And its mean is low at measurement 2")
	assert.Equal(t, outcome.Failed, scenario(t, run).Status, "it kept its bounds once")
}

func TestAfterSoManyFailuresNoFurtherScenarioStarts(t *testing.T) {
	lines := []string{"Feature: f", "  Scenario: unjudged", "    When it cannot be judged"}
	for i := range 4 {
		lines = append(lines, fmt.Sprintf("  Scenario: %d", i), "    When it fails")
	}
	lines = append(lines, "  Scenario: measured", "    When it passes", "    Then it is measured")
	for most, want := range map[int]int{1: 2, 3: 4, 4: 5, 9: 6} {
		run, err := newFakeSteps().run(t, featureOf(t, lines...), Options{MaxFailures: most})
		require.NoError(t, err)
		assert.Len(t, run.Features[0].Scenarios, want, most)
		assert.False(t, run.Interrupted)
		if want == 6 {
			assert.Empty(t, run.LeftOut)
			continue
		}
		require.Len(t, run.LeftOut, 1)
		assert.Equal(t, 6-want, run.LeftOut[0].Count)
		assert.Contains(t, run.LeftOut[0].Reason, fmt.Sprintf("not run after %d failure", most))
	}
}

func TestARandomOrderCanBeHadAgainAndKeepsReferencesFirst(t *testing.T) {
	lines := []string{"Feature: f"}
	for i := range 8 {
		lines = append(lines, fmt.Sprintf("  Scenario: s%d", i), fmt.Sprintf("    When \"s%d\" is noted", i), "    Then it is measured")
		if i > 0 {
			lines = append(lines, fmt.Sprintf("    And the median latency is below 2 times that of \"s%d\"", i-1))
		}
	}
	for i := range 20 {
		lines = append(lines, fmt.Sprintf("  Scenario: f%d", i), fmt.Sprintf("    When \"f%d\" is noted", i))
	}
	order := func(seed *uint64) string {
		y := newFakeSteps()
		run, err := y.run(t, featureOf(t, lines...), Options{Seed: seed})
		require.NoError(t, err)
		assert.Equal(t, "s0", run.Features[0].Scenarios[0].Name, "reports have the order of the file")
		return strings.Join(y.order, " ")
	}
	one, two := uint64(1), uint64(2)
	first := order(&one)
	assert.Equal(t, first, order(&one))
	assert.NotEqual(t, first, order(&two))
	assert.True(t, strings.HasSuffix(first, " s0 s1 s2 s3 s4 s5 s6 s7"), first)
	assert.NotEqual(t, order(nil), first)
	assert.True(t, strings.HasPrefix(order(nil), "f0 f1 f2 "))
}

func TestASelectionByNameAndByID(t *testing.T) {
	fs := featureOf(t, "Feature: f", "  Scenario: one", "    When it passes", "  Scenario: two", "    When it passes",
		"  Scenario: one", "    When it fails", "  @wip", "  Scenario: three", "    When it passes")
	p, err := Select(fs, Selection{Name: "^t.o$"})
	require.NoError(t, err)
	require.Len(t, p.Scenarios(), 1)
	assert.Equal(t, "two", p.Scenarios()[0].Name)
	_, err = Select(fs, Selection{Name: "four"})
	assert.ErrorContains(t, err, `nothing selected: none of 4 scenarios has a name that matches "four"`)
	_, err = Select(fs, Selection{Name: "("})
	assert.ErrorContains(t, err, `the name "(" is no regular expression`)
	assert.True(t, IsProblem(err))

	all := selectAll(t, fs).IDs()
	require.Len(t, all, 3)
	p, err = Select(fs, Selection{IDs: map[string]bool{all[2]: true}})
	require.NoError(t, err)
	require.Len(t, p.Scenarios(), 1)
	assert.Equal(t, 6, p.Scenarios()[0].Line, "the second one of the same name")
	assert.Equal(t, []string{all[2]}, p.IDs(), "whatever is selected")
	assert.Len(t, IDs(fs), 4)
	_, err = Select(fs, Selection{IDs: map[string]bool{}})
	assert.ErrorContains(t, err, "nothing selected")
}

func TestATagWithoutItsValueIsToldOnce(t *testing.T) {
	for _, tag := range []string{"@retry", "@timeout", "@fails", "@threshold"} {
		plan := selectAll(t, featureOf(t, "Feature: f", "  "+tag, "  Scenario: a", "    Given the checkpoint \"gpt2\"", "    When the model info is read", "    Then the model is supported"))
		problems, err := plan.Lint(t.Context())
		require.NoError(t, err)
		assert.Len(t, problems, 1, tag)
	}
}
