package steps_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/builtin"
	"omniloader/internal/engine"
	"omniloader/internal/engine/enginetest"
	"omniloader/loader/undertest"
	"omniloader/steps"
)

// collected runs the built-in features with a loader and returns the operations to sample.
func collected(t *testing.T, l undertest.Loader) []bench.Operation {
	t.Helper()
	var operations []bench.Operation
	setup := &steps.Setup{Loader: l, Plan: bench.Plan{Iterations: 1}, Collect: func(s bench.Operation) { operations = append(operations, s) }}
	var sources []enginetest.Feature
	files, err := filepath.Glob("../features/*.feature")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		sources = append(sources, enginetest.Feature{URI: file, Text: string(text)})
	}
	status, _, out := runIn(t, setup, sources, 1, func(*engine.Scenario) steps.Source { return steps.Source{} })
	require.Zero(t, status, out)
	assert.Empty(t, setup.Results(), "nothing is measured")
	return operations
}

// The built-in scenarios pass here with a loader of whose answers and errors they get only
// what JSON keeps, as from a loader in another process.
func TestTheCheckpointOfEveryMeasuredScenarioCanBeCreatedAgain(t *testing.T) {
	operations := collected(t, throughJSON{builtin.New("")})
	require.GreaterOrEqual(t, len(operations), len(benchmarks(t)))
	for _, s := range operations {
		var answers []string
		for range 2 { // the second checkpoint must not depend on the first
			call, remove, err := s.Prepare(t.Context())
			require.NoError(t, err, s.Key.Benchmark)
			answer, err := call()
			require.NoError(t, err, s.Key.Benchmark)
			text, err := json.Marshal(answer)
			require.NoError(t, err, s.Key.Benchmark)
			answers = append(answers, string(text))
			require.NoError(t, remove())
		}
		assert.Equal(t, answers[0], answers[1], s.Key.Benchmark)
		assert.NotEmpty(t, s.Category, s.Key.Benchmark)
	}
}

func TestAThresholdIsReadFromATag(t *testing.T) {
	share := func(s float64) *float64 { return &s }
	for _, c := range []struct {
		tags []string
		want *float64
	}{
		{nil, nil}, {[]string{"@sae"}, nil}, {[]string{"@threshold:10%"}, share(0.1)}, {[]string{"@threshold:0%"}, share(0)},
		{[]string{"@threshold:10%", "@threshold:2.5%"}, share(0.025)},
	} {
		got, err := steps.Threshold(c.tags)
		require.NoError(t, err)
		assert.Equal(t, c.want, got)
	}
	for _, tag := range []string{"@threshold:", "@threshold:10", "@threshold:100%", "@threshold:-5%", "@threshold:NaN%", "@threshold:x%"} {
		_, err := steps.Threshold([]string{tag})
		assert.ErrorContains(t, err, tag)
	}
}
