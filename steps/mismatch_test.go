package steps

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/outcome"
)

func TestAFieldThatIsNotAsExpectedIsAMismatch(t *testing.T) {
	a, err := newAnswer(map[string]any{"architecture": "<Llama>", "decided_by": "class name in architectures of config.json", "size": 3})
	require.NoError(t, err)
	w := world{answer: a, operation: "model info"}
	m := outcome.MismatchOf(w.fieldIs("architecture", "", "Qwen"))
	require.NotNil(t, m)
	assert.Equal(t, `"Qwen"`, m.Expected)
	assert.Equal(t, `"<Llama>"`, m.Got)
	assert.EqualError(t, m, `the architecture is "<Llama>", expected "Qwen" (decided by class name in architectures of config.json)`)
	assert.NotContains(t, a.text, `\u003c`)
}
