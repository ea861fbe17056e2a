package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/suite"
	"omniloader/steps"
)

// processBounds is a feature with bounds on processes and on several callers.
const processBounds = `@memory
Feature: Bounds

  Scenario: first call
    Given the checkpoint "gpt2"
    When the model info is read
    Then the architecture is "GPT2LMHeadModel"
    And the first latency is below 60 s
    And the cold latency is below 60 s
    And the peak resident memory is below 2 GB

  Scenario: callers
    Given the checkpoint "gpt2"
    When the model info is read by 4 callers at once
    Then the architecture is "GPT2LMHeadModel"
    And the throughput is at least 1 operations per second
`

func TestAProgramThatDoesNotCallIsFreshProcessGetsAnError(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	err = runJSON(t.Context(), interruptibleCommand(self, "-test.run=^$"), struct{}{}, new(bench.FreshProcess))
	assert.ErrorContains(t, err, "the output of "+filepath.Base(self)+" is not JSON; it is not omniloader, or does not call IsFreshProcess")
}

func TestAFirstCallIsMadeInAProcessOfItsOwn(t *testing.T) {
	path, out := write(t, "a.feature", processBounds), filepath.Join(t.TempDir(), "r.json")
	a := call(t, "run", path, "--output", out)
	require.Equal(t, 0, a.code, a.out+a.err)
	f := resultOf(t, out, "first_call").FreshProcess
	require.NotNil(t, f)
	assert.Positive(t, f.First)
	if f.PeakMissing == "" {
		assert.Greater(t, f.PeakRSS, uint64(1e6))
		assert.GreaterOrEqual(t, f.PeakRSS, f.StartRSS)
	} else if !suite.RaceDetector {
		assert.Contains(t, a.out, "not judged: peak resident memory")
	}
	if f.Cold == nil {
		assert.Contains(t, a.out, "not judged: cold latency below 60 s: the page cache cannot be dropped here")
	} else {
		assert.Positive(t, *f.Cold)
	}
	c := resultOf(t, out, "callers").Concurrency
	require.NotNil(t, c)
	assert.Equal(t, 4, c.Callers)
	assert.Contains(t, a.out, "callers at once")
}

func TestABoundOnAProcessThatIsExceededFails(t *testing.T) {
	if suite.RaceDetector {
		t.Skip("a process under the race detector is not judged")
	}
	feature := strings.ReplaceAll(processBounds, "below 2 GB", "below 1 MB")
	a := call(t, "run", write(t, "a.feature", feature))
	if strings.Contains(a.out, "not judged: peak resident memory") {
		t.Skip(a.out)
	}
	assert.Equal(t, 1, a.code)
	assert.Contains(t, a.out, "before the call")
}

// killVariable makes a fresh process of the test binary kill itself.
const killVariable = "OMNILOADER_TEST_KILL_FRESH"

func TestAMeasuringProcessThatIsKilledJudgesNothing(t *testing.T) {
	t.Setenv(killVariable, "1")
	a := call(t, "run", write(t, "a.feature", processBounds))
	assert.Equal(t, 2, a.code, a.out+a.err)
	assert.Contains(t, a.err, "could not judge: calling the model info in a process started for it: the process for the call has failed: killed by signal SIGKILL, perhaps out of memory")
	assert.Contains(t, a.err, "hint: Linux kills the largest process when memory is short")
}

func TestWithoutATemporaryDirectoryNothingIsJudged(t *testing.T) {
	directory := write(t, "b.feature", "Feature: f\n  Scenario: s\n    Given a real temporary directory\n    And the checkpoint \"gpt2\"\n    When the model info is read\n    Then the model is supported\n")
	feature := write(t, "a.feature", processBounds)
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "gone"))
	a := call(t, "run", feature)
	assert.Equal(t, 2, a.code, a.out+a.err)
	assert.Contains(t, a.err, "could not judge: copying the checkpoint to the disk: no temporary directory can be made, set TMPDIR to a directory that can be written: ")

	t.Setenv("TMPDIR", feature) // a file
	a = call(t, "run", feature)
	assert.Equal(t, 2, a.code, a.out+a.err)
	assert.Contains(t, a.err, "could not judge: copying the checkpoint to the disk: no temporary directory can be made, set TMPDIR")

	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "gone"))
	a = call(t, "run", directory)
	assert.Equal(t, 2, a.code, a.out+a.err)
	assert.Contains(t, a.err, "could not judge: no temporary directory can be made, set TMPDIR")

	a = call(t, "bench", "--against", "HEAD")
	assert.Equal(t, 2, a.code, a.out+a.err)
	assert.Contains(t, a.err, "there is no place for the builds: ")
	assert.Contains(t, a.err, "hint: set TMPDIR to a directory that can be written")
}

func TestAFreshProcessCannotStartAnother(t *testing.T) {
	t.Setenv(freshVariable, "1")
	_, err := FreshProcess(t.Context(), steps.FreshJob{})
	require.ErrorIs(t, err, steps.ErrNoProcess)
}
