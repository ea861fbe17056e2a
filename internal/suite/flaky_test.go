package suite

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/outcome"
	"omniloader/internal/report"
	"omniloader/internal/runfile"
)

func TestTheRunFileAndTheMessagesHaveEachAttemptAtAFlakyScenario(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	features := featureOf(t, "Feature: f", "  Scenario: a", "    When it passes at attempt 3", "    Then all is well")
	w, err := runfile.Create(path, runfile.Header{}, selectAll(t, features).RunFileFeatures(), func(err error) { t.Error(err) })
	require.NoError(t, err)
	run, err := newFakeSteps().run(t, features, Options{Retries: 2, RunFile: w})
	require.NoError(t, err)
	w.Finish(run)

	file, err := runfile.ReadFile(path)
	require.NoError(t, err)
	s := file.Scenarios[0]
	assert.Equal(t, outcome.Flaky, s.Status)
	assert.Equal(t, map[outcome.Status]int{outcome.Flaky: 1}, file.End.Statuses)
	require.Len(t, s.Attempts, 3)
	for i, want := range []outcome.Status{outcome.Failed, outcome.Failed, outcome.Passed} {
		assert.Equal(t, want, s.Attempts[i].Status)
		assert.Equal(t, 1, s.Attempts[i].Worker)
		assert.LessOrEqual(t, s.Attempts[i].Start+s.Attempts[i].Duration, s.Duration)
		if want == outcome.Failed {
			require.Len(t, s.Attempts[i].Steps, 2)
			assert.Contains(t, s.Attempts[i].Steps[0].Failure.Message, "broken")
			assert.Equal(t, outcome.Skipped, s.Attempts[i].Steps[1].Status)
		}
	}
	assert.Nil(t, s.Steps[0].Failure, "those of the last attempt")

	for from, run := range map[string]*outcome.Run{"the run": run, "the run file": file.ToOutcome()} {
		var text bytes.Buffer
		require.NoError(t, report.Messages(&text, run, report.Options{}))
		var attempts []int64
		var again []bool
		var results []messages.TestStepResultStatus
		for d := json.NewDecoder(&text); d.More(); {
			var e messages.Envelope
			require.NoError(t, d.Decode(&e))
			switch {
			case e.TestCaseStarted != nil:
				attempts = append(attempts, e.TestCaseStarted.Attempt)
			case e.TestStepFinished != nil:
				results = append(results, e.TestStepFinished.TestStepResult.Status)
			case e.TestCaseFinished != nil:
				again = append(again, e.TestCaseFinished.WillBeRetried)
			}
		}
		assert.Equal(t, []int64{0, 1, 2}, attempts, from)
		assert.Equal(t, []bool{true, true, false}, again, from)
		const failed, skipped, passed = messages.TestStepResultStatus_FAILED, messages.TestStepResultStatus_SKIPPED, messages.TestStepResultStatus_PASSED
		assert.Equal(t, []messages.TestStepResultStatus{failed, skipped, failed, skipped, passed, passed}, results, from)
	}
}
