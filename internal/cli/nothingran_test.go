package cli

import (
	"context"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/outcome"
)

// reportFiles gives --format flags for a report of every kind in a folder where reports of
// an earlier run lie.
func reportFiles(t *testing.T) (flags []string, read func() map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"pretty", "progress", "junit", "cucumber", "messages", "markdown", "html", "benchfmt"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte("of an earlier run"), 0o600))
		flags = append(flags, "--format", name+":"+path)
	}
	return flags, func() map[string]string {
		all := map[string]string{}
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			require.NoError(t, err)
			all[e.Name()] = string(text)
		}
		require.Len(t, all, 8)
		return all
	}
}

func TestReportsOfARunThatDidNothingSayWhy(t *testing.T) {
	good := write(t, "good.feature", passingFeature)
	missing := filepath.Join(t.TempDir(), "missing.json")
	for _, c := range []struct {
		name string
		args []string
		why  string
	}{
		{"a mistyped tag", []string{"run", good, "--tags", "@detectoin"}, "detectoin"},
		{"nothing selected", []string{"run", good, "--tags", "@sae"}, "nothing selected"},
		{"a file that is not there", []string{"run", missing + ".feature"}, "missing.json.feature"},
		{"a missing baseline", []string{"run", good, "--baseline", missing}, "there is no such file"},
		{"only real scenarios", []string{"run", "--tags", "@real"}, "needs a real checkpoint"},
		{"a mistyped flag", []string{"run", good, "--itertions", "5"}, "unknown flag: --itertions"},
		{"a mistyped flag of the bare command", []string{"--tgas", "@sae"}, "unknown flag: --tgas"},
		{"a wrong value", []string{"run", good, "--iterations", "0"}, "not a whole number"},
		{"two formats to standard output", []string{"run", good, "--format", "junit", "--format", "html"}, "standard output"},
	} {
		t.Run(c.name, func(t *testing.T) {
			flags, read := reportFiles(t)
			a := call(t, append(c.args, flags...)...)
			assert.Equal(t, 2, a.code, a.err)
			assert.Empty(t, a.out)
			for name, text := range read() {
				assert.NotContains(t, text, "of an earlier run", name)
				assert.Contains(t, text, "nothing was run", name)
				if name != "benchfmt" {
					assert.Contains(t, text, c.why, name)
				}
			}
		})
	}
}

func TestAFileThatMayBeAnInputIsNoReport(t *testing.T) {
	good := write(t, "good.feature", passingFeature)
	baseline := write(t, "base.json", "of an earlier run")
	for _, args := range [][]string{
		{"run", good, "--baseline", baseline, "--format", "junit:" + baseline},
		{"run", good, "--format", "junit:" + baseline, "--bogus", "--baseline=" + baseline},
		{"run", good, "--bogus", "--format", "junit:" + good},
	} {
		assert.Equal(t, 2, call(t, args...).code)
		text, err := os.ReadFile(baseline)
		require.NoError(t, err)
		assert.Equal(t, "of an earlier run", string(text))
		text, err = os.ReadFile(good)
		require.NoError(t, err)
		assert.Equal(t, passingFeature, string(text))
	}
}

func TestOneUndefinedStepCostsNoReport(t *testing.T) {
	good := write(t, "good.feature", passingFeature)
	bad := write(t, "bad.feature", "Feature: b\n  Scenario: mistyped\n    When the model inf is read\n    Then the model is supported\n")
	broken := write(t, "broken.feature", "Feature: f\n  Scenario: s\n    Given a\n    nonsense\n")
	flags, read := reportFiles(t)
	a := call(t, append([]string{"run", good, bad, broken}, flags...)...)
	assert.Equal(t, 2, a.code, a.err)
	assert.Contains(t, a.err, `bad.feature:3:5: undefined step`)
	assert.Contains(t, a.err, `broken.feature:4:5: `)
	for name, text := range read() {
		assert.NotContains(t, text, "of an earlier run", name)
		if name == "junit" {
			assert.Contains(t, text, `errors="2"`)
		} else if name != "cucumber" { // it has a headline where the features do not say all
			assert.Contains(t, text, "1 could not be judged", name)
			assert.Contains(t, text, "1 file could not be judged", name)
		}
		if name != "benchfmt" {
			assert.Contains(t, text, "undefined step", name)
			assert.Contains(t, text, "is not possible here", name)
		}
	}
}

func TestADryRunWritesReportsInWhichAllIsSkipped(t *testing.T) {
	good := write(t, "good.feature", passingFeature)
	flags, read := reportFiles(t)
	a := call(t, append([]string{"run", "--dry-run", good}, flags...)...)
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.out, "every step is defined")
	for name, text := range read() {
		assert.NotContains(t, text, "of an earlier run", name)
		assert.NotContains(t, text, " passed", name)
		if name != "benchfmt" && name != "cucumber" { // which has base64
			assert.Contains(t, text, "dry run", name)
		}
	}
	a = call(t, "run", "--dry-run", good, "--format", "junit")
	var suites struct {
		Tests   int `xml:"tests,attr"`
		Skipped int `xml:"skipped,attr"`
	}
	require.NoError(t, xml.Unmarshal([]byte(a.out), &suites), a.out)
	assert.Positive(t, suites.Tests)
	assert.Equal(t, suites.Tests, suites.Skipped)
}

func TestReportsOfAnEarlierRunAreReplacedBeforeTheFirstScenario(t *testing.T) {
	flags, read := reportFiles(t)
	p := &program{out: newOutput(new(strings.Builder)), err: newOutput(new(strings.Builder))}
	var seen map[string]string
	p.listener = func(e outcome.Event) {
		if e.Selected != nil {
			seen = read()
		}
	}
	assert.Equal(t, 0, p.execute(context.Background(), append([]string{"run", write(t, "good.feature", passingFeature)}, flags...), strings.NewReader("")))
	require.NotEmpty(t, seen)
	for name, text := range seen {
		assert.Contains(t, text, "nothing was run", name)
		if name != "benchfmt" {
			assert.Contains(t, text, "the run has not ended", name)
		}
	}
	for name, text := range read() {
		assert.NotContains(t, text, "the run has not ended", name)
	}
}

func TestWhatTheReportAboveSaysIsNotRepeatedInTheSamePlace(t *testing.T) {
	bad := write(t, "bad.feature", "Feature: b\n  Scenario: mistyped\n    When the model inf is read\n    Then the model is supported\n")
	for format, wants := range map[string]string{
		"pretty": "omniloader: 1 scenario could not be judged\n  hint: see the report above\n",
		"junit":  `bad.feature:3:5: undefined step "When the model inf is read"`,
	} {
		same, err := os.Create(filepath.Join(t.TempDir(), "out"))
		require.NoError(t, err)
		assert.Equal(t, 2, run(context.Background(), []string{"run", bad, "--format", format}, strings.NewReader(""), same, same))
		text, err := os.ReadFile(same.Name())
		require.NoError(t, err)
		assert.Contains(t, string(text), wants)
		if format == "pretty" {
			assert.Equal(t, 1, strings.Count(string(text), "undefined step"), "%s", text)
			assert.Contains(t, string(text), "bad.feature:3:5\n")
		}
		require.NoError(t, same.Close())
	}
}
