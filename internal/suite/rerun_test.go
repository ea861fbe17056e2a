package suite

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIDsSelectAScenarioOnEachModel(t *testing.T) {
	features := featureOf(t, realFeature...)
	whole, err := Select(features, Selection{})
	require.NoError(t, err)
	ids := map[string]bool{whole.IDs()[0]: true, whole.IDs()[2]: true}
	for _, test := range []struct{ models, want []string }{
		{nil, []string{"a", "c"}},
		{[]string{"x/m"}, []string{"a", "c"}},
		{[]string{"x/m", "y/n"}, []string{"a [m]", "a [n]", "c"}},
	} {
		p, err := Select(features, Selection{Models: test.models, IDs: ids})
		require.NoError(t, err)
		assert.Equal(t, test.want, names(p.Scenarios()))
	}
}
