package cli

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/suite"
	"omniloader/steps"
)

const besides = `@memory
Feature: Besides

  Scenario: first call
    Given the checkpoint "gpt2"
    When the model info is read
    Then the architecture is "GPT2LMHeadModel"
    And the first latency is below 1 minute
    And the cold latency is below 1 minute
    And the peak resident memory is below 2 GB

  Scenario: callers
    Given the checkpoint "gpt2"
    When the model info is read by 4 callers at once
    Then the architecture is "GPT2LMHeadModel"
    And the throughput is at least 1 operations per second
`

func figures(t *testing.T, path, name string) *bench.Result {
	t.Helper()
	f, err := bench.ReadFile(path)
	require.NoError(t, err)
	r := f.Result(name)
	require.NotNil(t, r, name)
	return r
}

func TestAProgramThatDoesNotAskWhetherItIsAFreshProcessIsTold(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	err = exchange(t.Context(), exec.CommandContext(t.Context(), self, "-test.run=^$"), struct{}{}, new(bench.FreshProcess))
	assert.ErrorContains(t, err, filepath.Base(self)+" answered with no JSON, as a program does that is not omniloader or does not ask IsFreshProcess")
}

func TestAFirstCallIsMadeInAProcessOfItsOwn(t *testing.T) {
	path, out := write(t, "a.feature", strings.ReplaceAll(besides, "1 minute", "60 s")), filepath.Join(t.TempDir(), "r.json")
	a := call(t, "run", path, "--output", out)
	require.Equal(t, 0, a.code, a.out+a.err)
	f := figures(t, out, "first_call").FreshProcess
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
	c := figures(t, out, "callers").Concurrency
	require.NotNil(t, c)
	assert.Equal(t, 4, c.Callers)
	assert.Contains(t, a.out, "callers at once")
}

func TestABoundOnAProcessThatIsExceededFails(t *testing.T) {
	if suite.RaceDetector {
		t.Skip("a process under the race detector is not judged")
	}
	feature := strings.ReplaceAll(strings.ReplaceAll(besides, "1 minute", "60 s"), "below 2 GB", "below 1 MB")
	a := call(t, "run", write(t, "a.feature", feature))
	if strings.Contains(a.out, "not judged: peak resident memory") {
		t.Skip(a.out)
	}
	assert.Equal(t, 1, a.code)
	assert.Contains(t, a.out, "before the call")
}

func TestAProcessForOneJobStartsNoOther(t *testing.T) {
	t.Setenv(freshVariable, "1")
	_, err := FreshProcess(t.Context(), steps.FreshJob{})
	require.ErrorIs(t, err, steps.ErrNoProcess)
}

func TestEveryOperationIsMeasuredWithCallersAtOnceWhereTheFlagAsks(t *testing.T) {
	out := filepath.Join(t.TempDir(), "r.json")
	a := call(t, "run", write(t, "a.feature", holds), "--concurrency", "3", "--output", out)
	require.Equal(t, 0, a.code, a.err)
	r := figures(t, out, "measured_one")
	require.NotNil(t, r.Concurrency)
	assert.Equal(t, 3, r.Concurrency.Callers)
	assert.Equal(t, 100, r.Iterations, "the latency stays that of one caller")
	assert.Equal(t, 2, call(t, "run", write(t, "a.feature", holds), "--concurrency", "0").code)
	assert.Equal(t, 2, call(t, "run", write(t, "a.feature", holds), "--concurrency", "100000").code)
}

func TestClassNamesOfAFileAreAdded(t *testing.T) {
	const acme = `@detection
Feature: Ours

  Scenario: ours
    Given a checkpoint with the config:
      """json
      {"architectures": ["AcmeForCausalLM"]}
      """
    When support is checked
    Then the model is supported
`
	path, names := write(t, "a.feature", acme), write(t, "names.tsv", "AcmeForCausalLM\ttransformers\tcausal_lm")
	assert.Equal(t, 1, call(t, "run", path).code)
	assert.Equal(t, 0, call(t, "run", path, "--architectures", names).code)

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"architectures": ["AcmeForCausalLM"]}`), 0o644))
	assert.Contains(t, call(t, "inspect", "--json", dir, "--architectures", names).out, `"is_supported":true`)

	for content, want := range map[string]string{
		"AcmeModel\tvision\n": `names.tsv: line 1: unknown category "vision"`,
		"":                    "no class name in it",
		"# only a comment\n":  "no class name in it",
	} {
		for _, command := range [][]string{{"run", path}, {"inspect", dir}} {
			a := call(t, append(command, "--architectures", write(t, "names.tsv", content))...)
			assert.Equal(t, 2, a.code)
			assert.Contains(t, a.err, want)
		}
	}
	for _, file := range []string{"", filepath.Join(dir, "missing"), dir} {
		assert.Equal(t, 2, call(t, "run", path, "--architectures", file).code, file)
	}
}

func TestABaselineIsNotOverwrittenByTheRunThatIsComparedWithIt(t *testing.T) {
	path, file := write(t, "a.feature", holds), filepath.Join(t.TempDir(), "r.json")
	require.Equal(t, 0, call(t, "run", path, "--output", file).code)
	link := filepath.Join(t.TempDir(), "link.json")
	require.NoError(t, os.Symlink(file, link))
	before, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, flags := range [][]string{
		{"--baseline", file, "--output", file}, {"--baseline", file, "--output", link},
		{"--baseline", file, "--save-baseline", file}, {"--output", file, "--save-baseline", file},
		{"--baseline", file, "--comparison", "markdown:" + file}, {"--baseline", file, "--format", "junit:" + link},
		{"--save-baseline", file, "--format", "junit:" + file},
	} {
		a := call(t, append([]string{"run", path}, flags...)...)
		assert.Equal(t, 2, a.code, flags)
		assert.Contains(t, a.err, "both name")
	}
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestAnInterruptedRunSaysSoAndKeepsAnEarlierFile(t *testing.T) {
	endless := strings.Replace(holds[strings.Index(holds, "  @memory"):], "measured one", "cut off", 1)
	path, out := write(t, "a.feature", holds+"\n"+endless), filepath.Join(t.TempDir(), "r.json")
	interrupted := func() string {
		ctx, cancel := context.WithCancel(t.Context())
		var stdout, stderr bytes.Buffer
		p := &program{out: newSink(&stdout), err: newSink(&stderr), watch: func(e outcome.Event) {
			if e.Started != nil && e.Started.Name == "cut off" {
				cancel()
			}
		}}
		assert.Equal(t, 2, p.execute(ctx, []string{"run", path, "--output", out}, strings.NewReader("")))
		assert.Contains(t, stdout.String(), "interrupted")
		return stderr.String()
	}
	interrupted()
	f, err := bench.ReadFile(out)
	require.NoError(t, err)
	assert.True(t, f.Interrupted)
	assert.Equal(t, path, f.Selection)

	require.Equal(t, 0, call(t, "run", write(t, "b.feature", holds), "--output", out).code)
	assert.Contains(t, interrupted(), "stays as it was")
	f, err = bench.ReadFile(out)
	require.NoError(t, err)
	assert.False(t, f.Interrupted)
	f, err = bench.ReadFile(out + ".interrupted")
	require.NoError(t, err)
	assert.True(t, f.Interrupted)
}

func TestABenchmarkThatWasNotSelectedIsNotCalledRemoved(t *testing.T) {
	two := holds + "\n" + strings.Replace(holds[strings.Index(holds, "  @memory"):], "measured one", "another", 1)
	two = strings.Replace(two, "  @memory\n  Scenario: another", "  @memory @other:one\n  Scenario: another", 1)
	path, dir := write(t, "a.feature", two), t.TempDir()
	whole, part := filepath.Join(dir, "whole.json"), filepath.Join(dir, "part.json")
	require.Equal(t, 0, call(t, "run", path, "--output", whole).code)
	require.Equal(t, 0, call(t, "run", path, "--tags", "not @other:one", "--output", part).code)
	a := call(t, "compare", "--fail-on", "none", whole, part)
	assert.Contains(t, a.out, "1 not run")
	assert.NotContains(t, a.out, "removed")
}
