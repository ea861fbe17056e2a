package steps_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"omniloader/steps"
)

func TestTagsWithAValueThatWouldHaveNoEffectAreRefused(t *testing.T) {
	for _, tag := range []string{"@retry:2", "@timeout:5s", "@fails:ISSUE-1"} {
		assert.ErrorContains(t, steps.CheckTags([]string{"@sae", tag}), "tag "+tag+": it has no effect")
	}
	assert.ErrorContains(t, steps.CheckTags([]string{"@iteration:2"}), "@iterations:")
	assert.NoError(t, steps.CheckTags([]string{"@retry", "@owner:me", "@iterations:2"}))
}
