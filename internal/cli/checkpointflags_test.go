package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
)

const onEachModelFeature = `@detection
Feature: f
  @real @benchmark:read
  Scenario: r
    Given the real checkpoint
    When the model info is read
    Then the model is supported
    And the mean latency is below 10 s
`

// models writes two real checkpoints.
func models(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	require.Equal(t, 0, call(t, "presets", "gpt2", "t5-small", "--write", dir).code)
	return dir
}

func TestSeveralModelsAreMeasuredApart(t *testing.T) {
	dir, path := models(t), write(t, "a.feature", onEachModelFeature)
	out := filepath.Join(t.TempDir(), "r.json")
	a := call(t, "run", path, "--model", filepath.Join(dir, "gpt2"), "--model", filepath.Join(dir, "t5-small"), "--output", out, "--iterations", "3")
	require.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.out, "read [gpt2]")
	assert.Contains(t, a.out, "2 scenarios: 2 passed")
	f, err := bench.ReadFile(out)
	require.NoError(t, err)
	assert.Equal(t, "GPT2LMHeadModel", f.Result(bench.Key{Benchmark: "read", Model: "gpt2"}).Metadata["architecture"])
	assert.Equal(t, "T5ForConditionalGeneration", f.Result(bench.Key{Benchmark: "read", Model: "t5-small"}).Metadata["architecture"])

	a = call(t, "run", path, "--model", filepath.Join(dir, "gpt2"), "--output", out, "--iterations", "3")
	require.Equal(t, 0, a.code, a.err)
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.NotContains(t, string(text), `"model":`, "with one model a results file is as it was")

	a = call(t, "run", path, "--model", filepath.Join(dir, "gpt2"), "--model", filepath.Join(dir, "t5-small", "..", "gpt2"))
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "are one directory\n  hint: name each once")

	t.Setenv(envModel, filepath.Join(dir, "gpt2")+string(filepath.ListSeparator)+filepath.Join(dir, "t5-small"))
	a = call(t, "run", path, "--iterations", "3")
	assert.Contains(t, a.out, "2 scenarios: 2 passed", a.err)
}

// The processes that sample get the models, the presets and the permission of the run.
func TestSeveralModelsAndOwnPresetsAreSampled(t *testing.T) {
	dir, presets := models(t), presetsDir(t)
	text := onEachModelFeature + `
  @benchmark:acme
  Scenario: acme
    Given the checkpoint "acme-1b"
    When the model info is read
    Then the model is supported

  @benchmark:outside
  Scenario: outside
    Given the checkpoint at "` + filepath.ToSlash(filepath.Join(dir, "gpt2")) + `"
    When the model info is read
    Then the model is supported
`
	baseline := filepath.Join(t.TempDir(), "b.json")
	a := callSampling(t, "run", write(t, "a.feature", text), "--model", filepath.Join(dir, "gpt2"), "--model", filepath.Join(dir, "t5-small"),
		"--presets", presets, "--allow-outside", "--save-baseline", baseline, "--iterations", "3")
	require.Equal(t, 0, a.code, a.err)
	f, err := bench.ReadFile(baseline)
	require.NoError(t, err)
	for _, key := range []bench.Key{{Benchmark: "read", Model: "gpt2"}, {Benchmark: "read", Model: "t5-small"}, {Benchmark: "acme"}, {Benchmark: "outside"}} {
		r := f.Result(key)
		if assert.NotNil(t, r, key) {
			assert.NotEmpty(t, r.Processes, key)
		}
	}
}

// presetsDir makes a directory with a preset.
func presetsDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	text := "Acme 1B (acme/acme-1b)\n\n-- config.json --\n{\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\"}\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "acme-1b.txtar"), []byte(text), 0o644))
	return dir
}

func TestOwnPresets(t *testing.T) {
	dir := presetsDir(t)
	path := write(t, "a.feature", "Feature: f\n  Scenario: s\n    Given the checkpoint \"acme-1b\"\n    When the model info is read\n    Then the model is supported\n")
	a := call(t, "run", path, "--dry-run")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, `a.feature:3:5: there is no preset "acme-1b"`)
	assert.Equal(t, 0, call(t, "run", path, "--presets", dir).code)
	a = call(t, "presets", "acme", "--presets", dir)
	assert.Contains(t, a.out, "acme-1b\n  Acme 1B (acme/acme-1b)\n")
	out := t.TempDir()
	require.Equal(t, 0, call(t, "presets", "acme-1b", "--presets", dir, "--write", out).code)
	assert.FileExists(t, filepath.Join(out, "acme-1b", "config.json"))

	require.NoError(t, os.WriteFile(filepath.Join(dir, "gpt2.txtar"), []byte("Mine\n\nbinary a 1\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "z.txtar"), []byte("Mine\n\nbinry a 1\n"), 0o644))
	a = call(t, "run", path, "--presets", dir)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "--presets: "+filepath.ToSlash(dir)+`/gpt2.txtar: there is a preset "gpt2" already`)
	assert.Contains(t, a.err, `z.txtar:3: no directive "binry"; did you mean "binary"?`)
	assert.Equal(t, 2, strings.Count(a.err, "  hint: "))

	t.Setenv(envPresets, presetsDir(t))
	assert.Equal(t, 0, call(t, "run", path).code)
	a = call(t, "run", path, "--presets", filepath.Join(dir, "no"))
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "no such file or directory\n  hint: name a directory with .txtar files")
}

func TestACheckpointOutsideNeedsTheFlag(t *testing.T) {
	dir := models(t)
	path := write(t, "a.feature", "Feature: f\n  Scenario: s\n    Given the checkpoint at \""+filepath.ToSlash(filepath.Join(dir, "gpt2"))+"\"\n    When the model info is read\n    Then the model is supported\n    And the first latency is below 60 s\n")
	for _, dry := range [][]string{{"--dry-run"}, nil} {
		a := call(t, append([]string{"run", path}, dry...)...)
		assert.Equal(t, 2, a.code)
		assert.Contains(t, a.err, "a.feature:3:5: ")
		assert.Contains(t, a.err, "hint: move it there, or allow it: --allow-outside")
		assert.Equal(t, 0, call(t, append([]string{"run", path, "--allow-outside", "--iterations", "2"}, dry...)...).code)
	}
	t.Setenv(envOutside, "1")
	assert.Equal(t, 0, call(t, "run", path, "--dry-run").code)
	assert.Equal(t, 2, call(t, "run", path, "--dry-run", "--allow-outside=false").code)
	t.Setenv(envOutside, "yes")
	a := call(t, "run", path, "--dry-run")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, envOutside+`: "yes" is neither 1 nor 0`)
}
