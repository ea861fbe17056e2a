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
