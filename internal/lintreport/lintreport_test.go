package lintreport

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/lint"
	"omniloader/internal/outcome"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var problems = outcome.Problems{
	{URI: "features/a b.feature", Line: 3, Column: 5, Code: "step-in-description", Message: `this step is read as a description: "then ..."`, Advice: "100 % sure: did you mean \"Then ...\"?"},
	{URI: "/x/b.feature", Line: 2, Code: "keyword-in-description", Message: "a line\nand \x1b[31manother, with <b>"},
	{URI: "c.feature", Code: "no-feature", Message: "no feature in this file"},
	{Message: "nothing selected"},
}

func TestFormats(t *testing.T) {
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			var b strings.Builder
			require.NoError(t, Write(&b, format, problems, Options{Version: "1.2"}))
			file := filepath.Join("testdata", format+".golden")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err, "go test ./internal/lintreport -update writes it")
			assert.Equal(t, string(want), b.String())
		})
	}
	assert.ErrorContains(t, Write(&strings.Builder{}, "xml", problems, Options{}), "xml")
}

func TestSARIFIsValid(t *testing.T) {
	for _, list := range []outcome.Problems{problems, nil} {
		var b strings.Builder
		require.NoError(t, Write(&b, "sarif", list, Options{}))
		report, err := sarif.FromString(b.String(), sarif.WithStrictValidation())
		require.NoError(t, err)
		require.NoError(t, report.Validate(), "against the schema of SARIF 2.1.0")
		require.Len(t, report.Runs, 1)
		assert.Len(t, report.Runs[0].Results, len(list))
		assert.Len(t, report.Runs[0].Tool.Driver.Rules, len(lint.Rules()))
		assert.Contains(t, b.String(), `"results": [`, "GitHub refuses a log without the key")
	}
}

func TestJSONIsAnObjectALine(t *testing.T) {
	var b strings.Builder
	require.NoError(t, Write(&b, "json", problems, Options{}))
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	require.Len(t, lines, len(problems))
	for _, line := range lines {
		var v map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &v))
		assert.Contains(t, v, "severity")
	}
}

func TestNoFormatWritesControlCharactersOfAFile(t *testing.T) {
	for _, format := range Formats() {
		var b strings.Builder
		require.NoError(t, Write(&b, format, problems, Options{}))
		assert.NotContains(t, b.String(), "\x1b", format)
	}
}
