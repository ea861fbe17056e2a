package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/suite"
)

// starSteps is a feature in which no keyword says what a step is: its definition does.
const starSteps = `Feature: Stars
  Scenario: star
    * the checkpoint "qwen3-8b"
    * the model info is read
    * the architecture is "Qwen3ForCausalLM"
    * no more than 1 MB is allocated per call
    * no more than 10000 allocations are made per call
    * the memory delta is below 1.5 MB
    * the p95 latency is below 10 s
    * the peak resident memory is below 2 GB

  Scenario: and
    And the checkpoint "qwen3-8b"
    And the model info is read
    But the architecture is "Qwen3ForCausalLM"
    And no more than 1 MB is allocated per call
    And no more than 10000 allocations are made per call
    And the memory delta is below 1.5 MB
    And the p95 latency is below 10 s
    But the peak resident memory is below 2 GB
`

func TestStepsWithAStarOrALeadingAndAreWhatTheirDefinitionSays(t *testing.T) {
	if suite.RaceDetector {
		t.Skip("it judges neither memory nor processes")
	}
	feature, file := write(t, "a.feature", starSteps), filepath.Join(t.TempDir(), "r.json")
	a := callSampling(t, "run", feature, "--save-baseline", file)
	require.Equal(t, 0, a.code, a.out+a.err)
	for _, name := range []string{"star", "and"} {
		r := resultOf(t, file, name)
		require.Len(t, r.Bounds, 5, name)
		for i, metric := range []bench.Metric{bench.BytesPerCall, bench.AllocsPerCall, bench.MemoryDelta, bench.P95Latency, bench.PeakMemory} {
			assert.Equal(t, metric, r.Bounds[i].Metric)
			assert.True(t, r.Bounds[i].Held)
		}
		assert.NotNil(t, r.BytesPerOp)
		assert.NotNil(t, r.FreshProcess)
		assert.NotEmpty(t, r.Processes, "it was sampled")
	}
	for _, strict := range [][2]string{
		{"1 MB is allocated", "1 B is allocated"}, {"10000 allocations", "1 allocations"}, {"delta is below 1.5 MB", "delta is below 1 B"},
		{"latency is below 10 s", "latency is below 1 ns"}, {"memory is below 2 GB", "memory is below 1 MB"},
	} {
		a := call(t, "run", write(t, "b.feature", strings.ReplaceAll(starSteps, strict[0], strict[1])))
		assert.Equal(t, 1, a.code, "%s: %s", strict[1], a.err)
		assert.Contains(t, a.out, "2 scenarios: 2 failed", strict[1])
	}
}
