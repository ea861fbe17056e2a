package suite

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnEachModelAReferenceComesFirst(t *testing.T) {
	p, err := Select(featureOf(t, "Feature: f",
		"  @real @benchmark:b", "  Scenario: b", "    When the model info is read",
		"  @real", "  Scenario: relative", "    When the model info is read", `    Then the median latency is below 2 times that of "b"`),
		Selection{Models: []string{"x/m", "y/n"}})
	require.NoError(t, err)
	for seed := range uint64(50) {
		order := names(p.runOrder(&seed))
		require.Len(t, order, 4)
		for _, model := range []string{" [m]", " [n]"} {
			assert.Less(t, slices.Index(order, "b"+model), slices.Index(order, "relative"+model), "seed %d", seed)
		}
	}
}

func TestAReferenceOnTheOnlyModelIsSelectedToo(t *testing.T) {
	p, err := Select(featureOf(t, "Feature: f",
		"  @real @benchmark:b", "  Scenario: b", "    When the model info is read",
		"  Scenario: relative", "    When the model info is read", `    Then the median latency is below 2 times that of "b"`),
		Selection{Name: "relative", Models: []string{"x/m"}})
	require.NoError(t, err)
	assert.Equal(t, []string{"b", "relative"}, names(p.Scenarios()))
}
