package finding

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/answer"
)

func TestExplanationsAreSorted(t *testing.T) {
	all := Explanations()
	assert.True(t, slices.IsSortedFunc(all, func(a, b Explanation) int { return strings.Compare(a.Code, b.Code) }))
	e, ok := Explain("shard-missing")
	require.True(t, ok)
	assert.Equal(t, answer.SeverityError, e.Severity)
	_, ok = Explain("shard")
	assert.False(t, ok)
}

func TestAnUnknownCodePanics(t *testing.T) {
	assert.PanicsWithValue(t, `finding: the code "shard" is not in findings.tsv`, func() { New("shard", "", "message", "") })
	assert.PanicsWithValue(t, `finding: the code "" is not in findings.tsv`, func() { NewGraded(Mildest, "", "", "message", "hint") })
}
