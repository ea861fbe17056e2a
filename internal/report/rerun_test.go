package report

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"omniloader/internal/outcome"
)

func TestRerun(t *testing.T) {
	golden(t, "rerun.golden.txt", []byte(render(t, Rerun, everyStatus(t), Options{})))
}

func TestAFileWithProblemsIsRunAgainAsAWhole(t *testing.T) {
	run := &outcome.Run{Features: []outcome.Feature{{
		URI: "a.feature", Line: 1, Problems: outcome.Problems{{URI: "a.feature", Line: 2, Message: `the rule "r" has no scenario`}},
		Scenarios: []outcome.Scenario{{Line: 4, Status: outcome.Passed}, {Line: 7, Status: outcome.Failed}},
	}}}
	assert.Equal(t, "a.feature\n", render(t, Rerun, run, Options{}))
}

func TestWhatWasNotRunIsRunAgain(t *testing.T) {
	run := &outcome.Run{Interrupted: true, NotRun: []string{"a.feature:9", "b.feature:2"}, Features: []outcome.Feature{{
		URI: "a.feature", Scenarios: []outcome.Scenario{{Line: 4, Status: outcome.Passed}, {Line: 7, Status: outcome.Failed}},
	}}}
	assert.Equal(t, "a.feature:7\na.feature:9\nb.feature:2\n", render(t, Rerun, run, Options{}))
}

func TestARunThatDidNothingIsNotOneInWhichNothingFailed(t *testing.T) {
	run := &outcome.Run{Problems: outcome.Problems{{Message: "unknown tag\n\"@typo\""}}}
	assert.Equal(t, "# unknown tag \"@typo\"\n", render(t, Rerun, run, Options{}))
	run.NotRun = []string{"a.feature:9"}
	assert.Equal(t, "a.feature:9\n", render(t, Rerun, run, Options{}), "what can be run says enough")
	assert.Empty(t, render(t, Rerun, &outcome.Run{}, Options{}))
}

func TestAPathThatBeginsAsARemark(t *testing.T) {
	run := &outcome.Run{NotRun: []string{"#a.feature:9"}, Features: []outcome.Feature{{URI: "#a.feature", Scenarios: []outcome.Scenario{{Line: 4, Status: outcome.Failed}}}}}
	assert.Equal(t, "./#a.feature:4\n./#a.feature:9\n", render(t, Rerun, run, Options{}))
}

func TestTheListOfARunWithoutFailuresIsEmptyThoughTheRunHasAProblem(t *testing.T) {
	run := &outcome.Run{Problems: outcome.Problems{{Message: "could not judge 1 of 2 benchmarks"}},
		Features: []outcome.Feature{{URI: "a.feature", Scenarios: []outcome.Scenario{{Line: 2, Status: outcome.Passed}}}}}
	assert.Empty(t, render(t, Rerun, run, Options{}))
}
