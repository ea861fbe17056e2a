package suite

import (
	"omniloader/internal/outcome"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const outline = `@top
Feature: F

  Background:
    Given a thing "base"

  @a
  Scenario: plain
    When it passes
    Then all is well

  Rule: R
    Background:
      Given a thing "rule"

    @b
    @c
    Scenario Outline: <what> case
      When it <what>
      Then all is well

      @benchmark:first_<what>
      Examples: good
        | what   |
        | passes |
        | fails  |

      Examples: bad
        | what   |
        | panics |

    # a comment
    Scenario: last
      Then all is well
`

func names(scenarios []*Scenario) []string {
	var n []string
	for _, s := range scenarios {
		n = append(n, s.Name)
	}
	return n
}

func TestScenariosHaveTheLinesAndTagsOfTheirFile(t *testing.T) {
	fs := features(t, map[string]string{"x/a.feature": outline})
	require.Len(t, fs, 1)
	require.Equal(t, []string{"plain", "passes case", "fails case", "panics case", "last"}, names(fs[0].Scenarios))

	plain := fs[0].Scenarios[0]
	assert.Equal(t, 8, plain.Line)
	assert.Zero(t, plain.Outline)
	assert.Equal(t, []string{"@top", "@a"}, plain.TagNames())
	assert.True(t, plain.Steps[0].Background)
	assert.Equal(t, 9, plain.Steps[1].Line)
	assert.Equal(t, "When ", plain.Steps[1].Keyword)

	fails := fs[0].Scenarios[2]
	assert.Equal(t, 26, fails.Line, "the Examples row")
	assert.Equal(t, 18, fails.Outline)
	assert.Equal(t, "R", fails.Rule)
	assert.Equal(t, []string{"@top", "@b", "@c", "@benchmark:first_fails"}, fails.TagNames(), "the row's value stands in the tag")
	assert.Equal(t, "it fails", fails.Steps[2].Text)
	assert.Equal(t, "x/a.feature", fails.URI)
}

func TestALineSelectsScenarios(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.feature")
	require.NoError(t, os.WriteFile(file, []byte(outline), 0o644))
	tests := []struct {
		name, suffix string
		want         []string
	}{
		{"a scenario by its keyword", ":8", []string{"plain"}},
		{"a scenario by its tag", ":7", []string{"plain"}},
		{"a scenario by a step", ":10", []string{"plain"}},
		{"a row", ":26", []string{"fails case"}},
		{"an outline by its keyword", ":18", []string{"passes case", "fails case", "panics case"}},
		{"an Examples block by its keyword", ":23", []string{"passes case", "fails case"}},
		{"an Examples block by its header", ":29", []string{"panics case"}},
		{"a rule", ":12", []string{"passes case", "fails case", "panics case", "last"}},
		{"the feature", ":2", []string{"plain", "passes case", "fails case", "panics case", "last"}},
		{"two lines", ":8:26", []string{"plain", "fails case"}},
		{"no line", "", []string{"plain", "passes case", "fails case", "panics case", "last"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fs, err := Load(t.Context(), []string{file + tt.suffix})
			require.NoError(t, err)
			assert.Equal(t, tt.want, names(selectAll(t, fs).Scenarios()))
		})
	}
}

func TestAFileNamedTwiceIsReadOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.feature")
	require.NoError(t, os.WriteFile(file, []byte(outline), 0o644))
	fs, err := Load(t.Context(), []string{file + ":8", file + ":26"})
	require.NoError(t, err)
	require.Len(t, fs, 1)
	assert.Equal(t, []string{"plain", "fails case"}, names(selectAll(t, fs).Scenarios()))

	fs, err = Load(t.Context(), []string{file + ":8", dir})
	require.NoError(t, err)
	require.Len(t, fs, 1)
	assert.Len(t, selectAll(t, fs).Scenarios(), 5, "the folder takes the whole file")

	_, err = Load(t.Context(), []string{dir, file + ":999"})
	assert.ErrorContains(t, err, "there is no scenario at line 999", "which the folder does not hide")
}

func TestAFileWithSeveralNamesIsReadOnce(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	require.NoError(t, os.WriteFile("a.feature", []byte(outline), 0o644))
	require.NoError(t, os.Mkdir("sub", 0o755))
	require.NoError(t, os.Symlink("a.feature", "link.feature"))
	require.NoError(t, os.Symlink(dir, "linked"))
	require.NoError(t, os.Link("a.feature", "sub/hard.feature"))
	for _, other := range []string{"a.feature", "./a.feature", "sub/../a.feature", filepath.Join(dir, "a.feature"), "link.feature", "linked/a.feature", "sub/hard.feature"} {
		fs, err := Load(t.Context(), []string{"a.feature:8", other + ":26"})
		require.NoError(t, err)
		require.Len(t, fs, 1, other)
		assert.Equal(t, "a.feature", fs[0].URI, "the first name stays")
		assert.Equal(t, []string{"plain", "fails case"}, names(selectAll(t, fs).Scenarios()), other)
	}
	for _, paths := range [][]string{{"."}, {".", "sub", "a.feature"}, {"linked", "."}} {
		fs, err := Load(t.Context(), paths)
		require.NoError(t, err)
		assert.Len(t, fs, 1, paths)
	}
	require.NoError(t, os.WriteFile("sub/copy.feature", []byte(outline), 0o644))
	fs, err := Load(t.Context(), []string{"."})
	require.NoError(t, err)
	assert.Len(t, fs, 2, "a copy is another file")

	require.NoError(t, os.WriteFile("a.feature", nil, 0o644))
	fs, err = Load(t.Context(), []string{"a.feature", "link.feature"})
	require.NoError(t, err)
	require.Len(t, fs, 1)
	assert.Len(t, fs[0].Problems, 1, "its problem is told once")
}

func TestFoldersAreReadInTheOrderOfPaths(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.feature", "a/z.feature", "a/README.md", ".git/old.feature"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("Feature: x\n  Scenario: y\n    Given z\n"), 0o644))
	}
	fs, err := Load(t.Context(), []string{dir + "/"})
	require.NoError(t, err)
	require.Len(t, fs, 2)
	assert.Equal(t, filepath.ToSlash(filepath.Join(dir, "a/z.feature")), fs[0].URI)
	assert.Equal(t, filepath.ToSlash(filepath.Join(dir, "b.feature")), fs[1].URI)
}

func TestLoadReportsProblems(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		return file
	}
	good := write("good.feature", outline)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "empty"), 0o755))
	tests := []struct{ name, path, message, hint string }{
		{"a path that is not there", filepath.Join(dir, "god.feature"), "no such feature file or folder", `did you mean "` + filepath.ToSlash(good) + `"?`},
		{"a folder that is not there", filepath.Join(dir, "nowhere", "deep"), "no such feature file or folder", "built-in"},
		{"no feature file", write("notes.txt", "x"), "not a feature file", ".feature"},
		{"a folder without features", filepath.Join(dir, "empty"), "no feature file in this folder", ".feature"},
		{"a line of a folder", dir + ":3", "a line can be selected in a file", "feature file"},
		{"a line that is not there", good + ":999", "there is no scenario at line 999", `"last" at line 33`},
		{"a line past every number", good + ":99999999999999999999", "there is no line 99999999999999999999, the number is too large", "FILE:12"},
		{"line 0", good + ":0", good + ":0: there is no line 0, lines are counted from 1", "FILE:12"},
		{"line 0 behind a good one", good + ":8:00", "there is no line 00", "FILE:12"},
		{"a colon without a line", good + ":", good + ":: there is no line number behind the colon", "FILE:12"},
		{"a line, and a colon without one", good + ":8:", "there is no line number behind the colon", "FILE:12"},
		{"a line of a file that is not there", filepath.Join(dir, "god.feature:0"), "god.feature: no such feature file or folder", `did you mean "` + filepath.ToSlash(good) + `"?`},
		{"a blank line", good + ":11", "there is no scenario at line 11", `"plain" at line 8`},
		{"a mistyped keyword", write("k.feature", "Feature: x\n  Scenario: y\n    When z\n    Gven z\n"), `k.feature:4:5: "Gven z" is not possible here`, `did you mean "Given"?`},
		{"a mistyped heading", write("h.feature", "Feature: x\n\n  It is.\n  Scenaro: y\n    When z\n  Scenario: y\n    When z\n"), `h.feature:4:3: "Scenaro:" is not a keyword`, `did you mean "Scenario:"?`},
		{"text where none can be", write("t.feature", "Feature: x\n  Scenario: y\n    Given z\n    zzzzzz\n"), `t.feature:4:5: "zzzzzz" is not possible here`, "possible here: "},
		{"a file that ends too early", write("d.feature", "Feature: x\n  Scenario: y\n    Given z\n      \"\"\"\n      open\n"), "the file ends too early", `"""`},
		{"an unknown language", write("l.feature", "#language: xx\nFeature: x\n"), "there is no language \"xx\"", ""},
		{"an uneven table", write("u.feature", "Feature: x\n  Scenario: y\n    Given z\n      | a | b |\n      | c |\n"), "u.feature:5:7: inconsistent cell count", ""},
		{"an empty file", write("e.feature", ""), "no feature in this file", "Feature: "},
		{"a comment alone", write("c.feature", "# hello\n"), "no feature in this file", "Feature: "},
		{"a feature without scenarios", write("n.feature", "Feature: x\n"), `n.feature:1:1: the feature "x" has no scenario`, "add one"},
		{"an outline without rows", write("o.feature", "Feature: x\n  Scenario Outline: y\n    Given <z>\n    Examples:\n      | z |\n"), `o.feature:4:5: these examples have no row`, "add a row"},
		{"another encoding", write("utf.feature", "Feature: x\n  Scenario: \xff\n    Given z\n"), "utf.feature:2:13: not UTF-8", "UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fs, err := Load(t.Context(), []string{tt.path})
			if err == nil {
				err = selectAll(t, fs).Check(t.Context())
			}
			var problems outcome.Problems
			require.ErrorAs(t, err, &problems)
			assert.Contains(t, problems[0].Error(), tt.message)
			assert.Contains(t, problems[0].Hint(), tt.hint)
			assert.True(t, IsProblem(err))
		})
	}
}

func TestAllBadPathsAreReportedAtOnce(t *testing.T) {
	_, err := Load(t.Context(), []string{"nowhere/a.feature", "nowhere/b.feature"})
	var problems outcome.Problems
	require.ErrorAs(t, err, &problems)
	assert.Len(t, problems, 2)
	assert.Contains(t, err.Error(), "\n  hint: ")
}

func TestALongLineIsRead(t *testing.T) {
	text := "Feature: x\n  Scenario: y\n    Given "
	text += strings.Repeat("z", 1<<20) + "\n"
	fs := features(t, map[string]string{"a.feature": text})
	assert.Len(t, fs[0].Scenarios[0].Steps, 1)
}

func TestAByteOrderMarkIsIgnored(t *testing.T) {
	fs := features(t, map[string]string{"a.feature": "\ufeff" + outline})
	assert.Len(t, fs[0].Scenarios, 5)
	assert.Equal(t, 8, fs[0].Scenarios[0].Line)
}

func FuzzParseAndSelect(f *testing.F) {
	f.Add([]byte(outline), uint64(5))
	f.Add([]byte(strings.ReplaceAll(outline, "\n", "\r\n")), uint64(9))
	f.Add([]byte("Feature: x\n  @a @b\n  # c\n  @d\n  Scenario Outline: <a>\n  text\n    * <a>\n      \"\"\"\n      Scenario: no\n      \"\"\"\n  @e\n  Examples:\n  | a |\n  # c\n  | 1 |\n\n  | 2 |\n  Scenario: b\n"), uint64(2))
	f.Add([]byte("# language: de\nFunktionalität: x\n  Szenario: y\n    Angenommen z\n"), uint64(1))
	f.Fuzz(func(t *testing.T, source []byte, _ uint64) {
		fs, err := LoadFS(t.Context(), fstest.MapFS{"a.feature": {Data: source}}, "p")
		if err != nil {
			require.True(t, IsProblem(err), err)
			return
		}
		p, err := Select(fs, Selection{})
		if err != nil {
			require.True(t, IsProblem(err), err)
			return
		}
		_ = p.Check(t.Context())
	})
}
