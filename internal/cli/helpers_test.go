package cli

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/internal/bench"
	"omniloader/internal/outcome"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// result is the exit code of a call of the program, and what it wrote.
type result struct {
	code     int
	out, err string
}

// call runs the program with nothing on its standard input.
func call(t *testing.T, args ...string) result {
	t.Helper()
	return callWithInput(t, "", args...)
}

// callWithInput runs the program with a text on its standard input.
func callWithInput(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	return callProgram(t, program{}, stdin, args...)
}

// callProgram runs a program that is set up for a test. It waits for nothing.
func callProgram(t *testing.T, p program, stdin string, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	p.out, p.err = newOutput(&out), newOutput(&err)
	if p.pause == nil {
		p.pause = func(context.Context, time.Duration) {}
	}
	code := p.execute(t.Context(), args, strings.NewReader(stdin))
	return result{code, out.String(), err.String()}
}

// callWithoutJudgingTime runs the program, and bounds on time are not judged: a busy machine may
// exceed one that is near to what the operation takes.
func callWithoutJudgingTime(t *testing.T, args ...string) result {
	t.Helper()
	return callProgram(t, program{timeNotJudged: "this is a test"}, "", args...)
}

// callInterrupted runs the program, and interrupts it when the scenario starts.
func callInterrupted(t *testing.T, scenario string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, err bytes.Buffer
	p := &program{out: newOutput(&out), err: newOutput(&err), listener: func(e outcome.Event) {
		if e.Started != nil && e.Started.Name == scenario {
			cancel()
		}
	}}
	code := p.execute(ctx, args, strings.NewReader(""))
	return result{code, out.String(), err.String()}
}

// golden compares a text with a file in testdata, or with -update writes the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "go test ./internal/cli -update writes it")
	assert.Equal(t, string(want), got)
}

// write writes a file into a directory of its own, and gives its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// writePreset writes a preset, changed, below a directory of the disk, and gives the
// directory of the checkpoint.
func writePreset(t *testing.T, root, preset, dir string, changes ...func(*fixtures.Checkpoint) error) string {
	t.Helper()
	c := fixtures.New(afero.NewBasePathFs(afero.NewOsFs(), root), dir)
	require.NoError(t, c.AddPreset(preset))
	for _, change := range changes {
		require.NoError(t, change(c))
	}
	return filepath.Join(root, filepath.FromSlash(dir))
}

// writeNewPreset is writePreset with a new directory.
func writeNewPreset(t *testing.T, preset string, changes ...func(*fixtures.Checkpoint) error) string {
	t.Helper()
	return writePreset(t, t.TempDir(), preset, preset, changes...)
}

// checkpoint writes a checkpoint without faults.
func checkpoint(t *testing.T) string {
	t.Helper()
	return writeNewPreset(t, "llama-3-8b")
}

// editResults changes a results file.
func editResults(t *testing.T, path string, change func(*bench.File)) {
	t.Helper()
	f, err := bench.ReadFile(path)
	require.NoError(t, err)
	change(f)
	require.NoError(t, f.Write(path))
}

// resultOf gives the measurements of one benchmark in a results file.
func resultOf(t *testing.T, path, benchmark string) *bench.Result {
	t.Helper()
	f, err := bench.ReadFile(path)
	require.NoError(t, err)
	r := f.Result(bench.Key{Benchmark: benchmark})
	require.NotNil(t, r, benchmark)
	return r
}

const llama = `
    Given a checkpoint with the config:
      """json
      {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
      """
    When the model info is read
`

// passingFeature is a feature that passes; one of its scenarios is measured.
const passingFeature = `@detection
Feature: Holds
  Scenario: plain` + llama + `    Then the architecture is "LlamaForCausalLM"

  @memory
  Scenario: measured one` + llama + `    Then the architecture is "LlamaForCausalLM"
    And the mean latency is below 10 s
`

// failingFeature is a feature of which one scenario fails and one is measured.
const failingFeature = `Feature: Breaks
  Scenario: wrong` + llama + `    Then the architecture is "GemmaForCausalLM"

  Scenario: measured one` + llama + `    Then the architecture is "LlamaForCausalLM"
    And the mean latency is below 10 s
`

// interruptedFeature is passingFeature with another measured scenario, "cut off", to be
// interrupted in.
var interruptedFeature = passingFeature + "\n" +
	strings.Replace(passingFeature[strings.Index(passingFeature, "  @memory"):], "measured one", "cut off", 1)
