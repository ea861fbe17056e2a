package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
