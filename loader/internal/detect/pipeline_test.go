package detect

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/internal/table/tabletest"
)

// The first matching row is used, so a row whose pattern an earlier one includes would
// never be.
func TestPipelineKindRulesAreReachable(t *testing.T) {
	require.NotEmpty(t, tabletest.Names(t, "pipeline_kinds.tsv", pipelineKindsTSV, 2))
	for i, rule := range pipelineKinds() {
		text := strings.ReplaceAll(rule.pattern, "*", "")
		for _, earlier := range pipelineKinds()[:i] {
			inner := strings.Trim(earlier.pattern, "*")
			assert.NotEqual(t, earlier.pattern, rule.pattern, "twice")
			assert.False(t, strings.HasPrefix(earlier.pattern, "*") && !strings.Contains(inner, "*") && strings.Contains(text, inner), "%s comes before %s", earlier.pattern, rule.pattern)
		}
	}
}
