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

// A bound relative to another benchmark cannot be judged without it.
func TestTheBenchmarkThatABoundIsRelativeToIsSelectedToo(t *testing.T) {
	const text = "Feature: f\n" +
		"  Scenario: base\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the p95 latency is below 1 s\n" +
		"  Scenario: second\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the median latency is below 9 times that of \"base\"\n" +
		"  Scenario: third\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the median latency is below 9 times that of \"second\"\n" +
		"  Scenario: other\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the p95 latency is below 1 s\n"
	names := func(of []*Scenario) (names []string) {
		for _, s := range of {
			names = append(names, s.Name)
		}
		return names
	}
	for name, want := range map[string][2][]string{
		"third": {{"base", "second", "third"}, {"second", "base"}},
		"base":  {{"base"}, nil},
		"o":     {{"base", "second", "other"}, {"base"}},
		"":      {{"base", "second", "third", "other"}, nil},
	} {
		p, err := Select(features(t, map[string]string{"a.feature": text}), Selection{Name: name})
		require.NoError(t, err)
		assert.Equal(t, want[0], names(p.Scenarios()), name)
		assert.Equal(t, want[1], names(p.Added()), name)
	}
}
