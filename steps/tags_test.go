package steps_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"omniloader/steps"
)

func TestTagsWithAValueThatWouldHaveNoEffectAreRefused(t *testing.T) {
	assert.ErrorContains(t, steps.CheckTags([]string{"@iteration:2"}), "@iterations:")
	assert.NoError(t, steps.CheckTags([]string{"@owner:me", "@iterations:2"}))
}
