package steps_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/steps"
)

func TestTagsThatControlARun(t *testing.T) {
	tags := []string{"@retry:2", "@timeout:1m", "@fails:OLD-1", "@sae", "@retry:0", "@timeout:1m30s", "@fails:ISSUE-12"}
	require.NoError(t, steps.CheckTags(tags))
	n, given, err := steps.Retries(tags)
	assert.Equal(t, []any{0, true, nil}, []any{n, given, err}, "the scenario's own counts, not that of its feature")
	timeout, err := steps.Timeout(tags)
	assert.Equal(t, []any{90 * time.Second, nil}, []any{timeout, err})
	issue, err := steps.ExpectedFailure(tags)
	assert.Equal(t, []any{"ISSUE-12", nil}, []any{issue, err})

	n, given, err = steps.Retries([]string{"@sae"})
	assert.Equal(t, []any{0, false, nil}, []any{n, given, err})
	assert.Equal(t, "sae", steps.Category(tags), "they are no category")
}

func TestTagsThatControlARunAreRefusedWithAnInvalidValue(t *testing.T) {
	for tag, want := range map[string]string{
		"@retry:":         "@retry:2, a whole number from 0 to 10",
		"@retry:-1":       "@retry:2",
		"@retry:11":       "@retry:2",
		"@retry:twice":    "@retry:2",
		"@retry":          "@retry has no effect without a value: write it as @retry:2",
		"@timeout:":       "@timeout:5s",
		"@timeout:5":      "@timeout:5s",
		"@timeout:0s":     "@timeout:5s",
		"@timeout:-3s":    "@timeout:5s",
		"@timeout:1ns":    "at least 1ms",
		"@timeout":        "@timeout has no effect without a value",
		"@fails:":         "name the issue",
		"@fails":          "@fails has no effect without a value",
		"@retries:2":      "@retry:",
		"@timeot:5s":      "@timeout:",
		"@timeout:1e99h":  "@timeout:5s",
		"@timeout:5s @x:": "@timeout:5s",
	} {
		assert.ErrorContains(t, steps.CheckTags([]string{"@sae", tag}), want, tag)
	}
}
