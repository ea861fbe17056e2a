package report

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
)

// The built-in loader is in no report; the name of another stands beside its benchmark.
func TestABenchmarkOfAnotherLoaderNamesIt(t *testing.T) {
	run := sample(t)
	first := run.Features[0].Scenarios[0].Benchmark
	name := first.Name
	for format, want := range map[string]string{"pretty": name + " of acme", "markdown": name + ` of acme`, "html": name + " of acme", "benchfmt": "/scenario=" + name + "/loader=acme"} {
		f, err := FormatByName(format)
		require.NoError(t, err)
		first.Loader = ""
		assert.NotContains(t, render(t, f.Render, run, Options{}), "acme", format)
		first.Loader = "acme"
		assert.Contains(t, unescaped(render(t, f.Render, run, Options{})), want, format)
	}

	old, err := bench.NewFile([]bench.Result{*first}, bench.Origin{})
	require.NoError(t, err)
	c, err := bench.Compare(old, old, 0.05)
	require.NoError(t, err)
	for _, compare := range ComparisonFormats() {
		var out bytes.Buffer
		require.NoError(t, compare.Render(&out, c, Options{}))
		assert.Contains(t, out.String(), "acme", compare.Name)
	}
}

// unescaped removes the backslashes of Markdown.
func unescaped(text string) string { return string(bytes.ReplaceAll([]byte(text), []byte(`\`), nil)) }
