package report

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"omniloader/internal/outcome"
)

// A step with a problem is placed as dry-run and lint place it.
func TestThePlaceOfAStepHasTheColumnOfItsProblem(t *testing.T) {
	s := locatedScenario{&outcome.Scenario{Line: 2}, &outcome.Feature{URI: "a.feature"}}
	for _, c := range []struct {
		err  error
		want string
	}{
		{outcome.Problem{Line: 5, Column: 7, Message: "undefined step"}, "a.feature:5:7"},
		{outcome.Problem{Line: 5, Message: "undefined step"}, "a.feature:5"},
		{errors.New("got 1"), "a.feature:5"},
		{nil, "a.feature:5"},
	} {
		assert.Equal(t, c.want, s.stepPlace(&outcome.Step{Line: 5, Err: c.err}))
	}
}
