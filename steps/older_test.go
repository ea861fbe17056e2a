package steps_test

import (
	"testing"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/steps"
)

// Each older spelling passes and fails as the current one does, and is in no list.
func TestOlderSpellingsWorkAndAreNotListed(t *testing.T) {
	setup := &steps.Setup{Loader: fake(func() (any, error) {
		return map[string]any{"decided_by": "model_index.json", "remote_code": false}, nil
	})}
	for current, older := range map[string]string{
		`detection used "model_index"`: `it was decided by "model_index"`,
		`loading needs no remote code`: `loading it runs no code of its own`,
	} {
		status, _, out := run(t, setup, feature(current, older))
		assert.Zero(t, status, out)
	}
	status, _, out := run(t, setup, feature(`the remote code is no`))
	assert.Zero(t, status, out)
	for _, wrong := range []string{
		`detection used "config.json"`, `it was decided by "config.json"`,
		`loading needs remote code`, `loading it runs code of its own`, `the remote code is yes`,
	} {
		status, _, _ := run(t, setup, feature(wrong))
		assert.Equal(t, 1, status, wrong)
	}
	for _, older := range []string{`it was decided by "x"`, `loading it runs code of its own`, `the remote code is no`} {
		matched := steps.Match(messages.PickleStepType_OUTCOME, older)
		require.Len(t, matched, 1, older)
		assert.NotContains(t, steps.Catalogue(), matched[0], older)
	}
}
