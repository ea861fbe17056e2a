package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestABenchmarkTextHasALineForEachProcess(t *testing.T) {
	feature := write(t, "a.feature", holds)
	dir := t.TempDir()
	a := sampling(t, "run", feature, "--save-baseline", dir+"/base.json", "--format", "benchfmt:"+dir+"/bench.txt")
	require.Equal(t, 0, a.code, a.err)
	text, err := os.ReadFile(dir + "/bench.txt")
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(string(text), "\nBenchmarkMemory/scenario=measured_one-"), "%s", text)
	assert.Contains(t, string(text), "\ntiming: floor-of-each-process\n")

	a = call(t, "run", feature, "--format", "benchfmt")
	require.Equal(t, 0, a.code, a.err)
	assert.Equal(t, 1, strings.Count(a.out, "\nBenchmarkMemory/scenario=measured_one-"), a.out)
	assert.Contains(t, a.out, "\ntiming: mean-of-single-calls\n")
}
