package cli

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/outcome"
	"omniloader/internal/runfile"
)

const twoScenarios = `Feature: f
  Scenario: passes
    Given the checkpoint "gpt2"
    When the model info is read
    Then the architecture is "GPT2LMHeadModel"

  Scenario Outline: <class> is expected
    Given the checkpoint "gpt2"
    When the model info is read
    Then the architecture is "<class>"

    Examples:
      | class |
      | Other |
`

func TestRunKeepsWhatBecameOfEachScenario(t *testing.T) {
	feature := write(t, "a.feature", twoScenarios)
	path := filepath.Join(t.TempDir(), "sub", "run.json")
	a := call(t, "run", "--run-file", path, feature)
	require.Equal(t, 1, a.code, a.err)
	file, err := runfile.ReadFile(path)
	require.NoError(t, err)
	assert.Empty(t, file.Notes())
	require.Len(t, file.Scenarios, 2)
	byName := map[string]runfile.Scenario{}
	for _, s := range file.Scenarios {
		byName[s.Name] = s
	}
	assert.Equal(t, outcome.Passed, byName["passes"].Status)
	assert.Nil(t, byName["passes"].Evidence)
	failed := byName["Other is expected"]
	assert.Equal(t, outcome.Failed, failed.Status)
	assert.Equal(t, []runfile.Cell{{Column: "class", Value: "Other"}}, failed.Row)
	require.NotNil(t, failed.Evidence)
	assert.Equal(t, "model info", failed.Evidence.Operation)
	assert.NotEmpty(t, failed.Evidence.Tree.Files)
	assert.Contains(t, failed.Evidence.Answer.Text, "GPT2LMHeadModel")
	assert.Equal(t, runfile.Then, failed.Steps[2].Kind)
	require.NotNil(t, file.End)
	assert.Equal(t, 2, file.End.Scenarios)
	assert.Equal(t, 2, file.Header.Planned)
	assert.NotEmpty(t, file.Header.PlanHash)
}

func TestTheRunFileIsBesideTheFeatures(t *testing.T) {
	writesRunFile = true
	defer func() { writesRunFile = false }()
	feature := write(t, "a.feature", twoScenarios)
	path := filepath.Join(filepath.Dir(feature), filepath.FromSlash(runfile.DefaultPath))
	call(t, "run", "--no-run-file", feature)
	assert.NoFileExists(t, path)
	call(t, "run", feature)
	assert.FileExists(t, path)
	call(t, "run", "--dry-run", feature)
	assert.FileExists(t, path)
}

func TestARunFileThatCannotBeWrittenIsANoteUnlessItIsNamed(t *testing.T) {
	writesRunFile = true
	defer func() { writesRunFile = false }()
	feature := write(t, "a.feature", twoScenarios)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(feature), ".omniloader"), nil, 0o644)) // where the directory would be
	a := call(t, "run", feature)
	assert.Equal(t, 1, a.code)
	assert.Contains(t, a.err, "note: no run file is kept: ")
	a = call(t, "run", "--run-file", filepath.Join(filepath.Dir(feature), ".omniloader", "x.json"), feature)
	assert.Equal(t, 2, a.code)
}

func TestRunFileFlagsThatContradictExitWith2(t *testing.T) {
	feature := write(t, "a.feature", twoScenarios)
	for want, args := range map[string][]string{
		"--no-run-file asks for none": {"--run-file", "x.json", "--no-run-file"},
		"--run-file: empty":           {"--run-file", ""},
		"both name":                   {"--run-file", "x.json", "--output", "x.json"},
	} {
		a := call(t, append([]string{"run", feature}, args...)...)
		assert.Equal(t, 2, a.code, args)
		assert.Contains(t, a.err, want)
	}
}

// A run that is killed leaves every scenario that had ended.
func TestAKilledRunLeavesWhatHadEnded(t *testing.T) {
	var b strings.Builder
	b.WriteString("Feature: f\n")
	for range 5_000 {
		b.WriteString("  Scenario: s\n    Given a checkpoint with a config of 100 kB\n    When the model info is read\n    Then the model type is \"llama\"\n")
	}
	feature := write(t, "a.feature", b.String())
	path := filepath.Join(t.TempDir(), "run.json")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(ctx, self, "run", "--run-file", path, feature)
	cmd.Env = append(os.Environ(), samplerVariable+"=1")
	var out bytes.Buffer
	cmd.Stderr = &out
	require.NoError(t, cmd.Start())
	for { // until some scenarios have ended
		if data, err := os.ReadFile(path); err == nil && bytes.Count(data, []byte(`"record":"scenario"`)) > 50 {
			break
		}
		if ctx.Err() != nil {
			_ = cmd.Wait() // before reading what it wrote
			require.NoError(t, ctx.Err(), out.String())
		}
		time.Sleep(time.Millisecond)
	}
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	file, err := runfile.ReadFile(path)
	require.NoError(t, err)
	assert.Nil(t, file.End)
	assert.NotEmpty(t, file.Notes())
	assert.Greater(t, len(file.Scenarios), 50)
	assert.Less(t, len(file.Scenarios), 5_000)
	for _, s := range file.Scenarios {
		assert.NotEmpty(t, s.Status)
	}
}

func TestTheRunFileHasSamplesAndComparison(t *testing.T) {
	feature := write(t, "a.feature", passingFeature)
	dir := t.TempDir()
	path, baseline := filepath.Join(dir, "run.json"), filepath.Join(dir, "base.json")
	a := callSampling(t, "run", feature, "--run-file", path, "--save-baseline", baseline)
	require.Zero(t, a.code, a.err)
	file, err := runfile.ReadFile(path)
	require.NoError(t, err)
	require.NotEmpty(t, file.Scenarios)
	sampled := 0
	for _, s := range file.Scenarios {
		if s.Benchmark != nil && len(s.Benchmark.Processes) > 0 {
			sampled++
		}
	}
	assert.Positive(t, sampled)
	assert.Nil(t, file.Comparison)
	require.NotNil(t, file.End)
	assert.Equal(t, len(file.Scenarios), file.End.Scenarios)

	a = callSampling(t, "run", feature, "--run-file", path, "--baseline", baseline)
	require.NotEmpty(t, a.out, a.err)
	file, err = runfile.ReadFile(path)
	require.NoError(t, err)
	require.NotNil(t, file.Comparison)
	assert.Len(t, file.Comparison.Changes, sampled)
}

func TestARunFileDoesNotReplaceAFeature(t *testing.T) {
	feature := write(t, "a.feature", twoScenarios)
	for _, name := range []string{"b.feature", "b.feature.md"} {
		a := call(t, "run", feature, "--run-file", filepath.Join(t.TempDir(), name))
		assert.Equal(t, 2, a.code)
		assert.Contains(t, a.err, "is a feature file, and is not overwritten")
	}
}

func TestTheUsualRunFileIsNoOtherOutput(t *testing.T) {
	writesRunFile = true
	defer func() { writesRunFile = false }()
	feature := write(t, "a.feature", twoScenarios)
	path := filepath.Join(filepath.Dir(feature), filepath.FromSlash(runfile.DefaultPath))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	a := call(t, "run", feature, "--output", path)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "both name")
	assert.NoFileExists(t, path)
}

func TestTheRunFileKeepsWhatCouldNotBeJudged(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"torn.feature":      "Feature: f\n  Scenario: s\n    Given x\n    Nonsense\n",
		"undefined.feature": "Feature: f\n  Scenario: without a step\n\n  Scenario: undefined\n    Given nobody\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	path := filepath.Join(t.TempDir(), "run.json")
	a := call(t, "run", dir, "--run-file", path)
	require.Equal(t, 2, a.code)
	file, err := runfile.ReadFile(path)
	require.NoError(t, err)
	assert.Empty(t, file.Notes())
	run := file.ToOutcome()
	require.Len(t, run.Features, 2)
	require.NotEmpty(t, run.Features[0].Problems)
	assert.Equal(t, 4, run.Features[0].Problems[0].Line)
	without, undefined := run.Features[1].Scenarios[0], run.Features[1].Scenarios[1]
	assert.Equal(t, outcome.CouldNotJudge, without.Status)
	require.Len(t, without.Problems, 1)
	assert.Contains(t, without.Problems[0].Message, "has no steps")
	assert.Equal(t, outcome.Undefined, undefined.Status)
	assert.ErrorContains(t, undefined.Steps[0].Err, "undefined step")
}
