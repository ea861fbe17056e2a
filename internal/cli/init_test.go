package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/starter"
	"omniloader/internal/suite"
)

// tree lists the files below a directory, with slashes.
func filesBelow(t *testing.T, dir string) (paths []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			paths = append(paths, filepath.ToSlash(rel))
		}
		return err
	}))
	return paths
}

var starterFiles = []string{starter.Workflow, starter.Extensions, starter.Steps, starter.Settings, starter.Feature}

func TestInitWritesAFeatureThatPassesAndIsMeasured(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "checks")
	a := call(t, "init", dir)
	require.Equal(t, 0, a.code, a.err)
	assert.Empty(t, a.out)
	assert.Equal(t, starterFiles, filesBelow(t, dir), "whole files and nothing processBounds")
	for _, path := range starterFiles {
		assert.Contains(t, a.err, "wrote "+filepath.Join(dir, filepath.FromSlash(path))+": ")
	}
	assert.Contains(t, a.err, "cd "+dir+" && omniloader run features\n")

	if suite.RaceDetector {
		t.Skip("latencies are not judged under the race detector")
	}
	t.Chdir(dir)
	a = call(t, "run", "features", "--output", "results.json")
	assert.Equal(t, 0, a.code, a.out+a.err)
	assert.Contains(t, a.out, "3 scenarios: 3 passed · 1 benchmark")
	assert.Empty(t, a.err)
}

func TestInitDoesNotChangeExistingFiles(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, filepath.FromSlash(starter.Settings))
	require.NoError(t, os.MkdirAll(filepath.Dir(mine), 0o755))
	require.NoError(t, os.WriteFile(mine, []byte("mine"), 0o600))
	feature := filepath.Join(dir, filepath.FromSlash(starter.Feature))
	require.NoError(t, os.MkdirAll(filepath.Dir(feature), 0o755))
	require.NoError(t, os.Symlink("elsewhere", feature), "a broken link counts as a file")
	t.Chdir(dir)

	a := call(t, "init")
	assert.Equal(t, 0, a.code, a.err)
	for _, path := range []string{starter.Settings, starter.Feature} {
		assert.Contains(t, a.err, "left "+filepath.FromSlash(path)+" as it is: it exists already\n")
	}
	assert.Contains(t, a.err, `add to .vscode/settings.json: "cucumber.features": ["features/**/*.feature"], "cucumber.glue": [".vscode/omniloader-steps.js"]`)
	content, err := os.ReadFile(mine)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(content))
	assert.NoFileExists(t, filepath.Join(dir, "features", "elsewhere"))

	before := filesBelow(t, dir)
	a = call(t, "init", ".")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "omniloader: nothing was written: every file exists already\n  hint: ")
	assert.NotContains(t, a.err, "wrote")
	assert.Equal(t, before, filesBelow(t, dir))
}

func TestInitWritesTheOtherFilesWhereOneCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "features"), []byte("a file"), 0o644))
	a := call(t, "init", dir)
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, filepath.Join(dir, "features")+": not a directory")
	assert.FileExists(t, filepath.Join(dir, filepath.FromSlash(starter.Workflow)))
}

func TestInitNamesAnUnwritableDirectoryOnce(t *testing.T) {
	file := write(t, "file", "x")
	a := call(t, "init", filepath.Join(file, "below"))
	assert.Equal(t, 2, a.code)
	assert.Equal(t, 1, strings.Count(a.err, "not a directory"), a.err)
}

func TestInitRecognizesAnEditorThatIsSetUp(t *testing.T) {
	dir := t.TempDir()
	require.Equal(t, 0, call(t, "init", dir).code)
	require.NoError(t, os.Remove(filepath.Join(dir, filepath.FromSlash(starter.Steps))))
	a := call(t, "init", dir)
	assert.Equal(t, 0, a.code)
	assert.Contains(t, a.err, "wrote "+filepath.Join(dir, filepath.FromSlash(starter.Steps)))
	assert.NotContains(t, a.err, "for completion in the editor, add")
}

func TestInitBelowTheTopOfARepositorySaysWhereTheJobBelongs(t *testing.T) {
	top := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(top, ".git"), 0o755))
	a := call(t, "init", filepath.Join(top, "checks", "models"))
	assert.Contains(t, a.err, "move "+filepath.Join(top, "checks", "models", ".github")+" to the top of the repository, "+top+",")
	a = call(t, "init", top)
	assert.Equal(t, 0, a.code, a.err)
	assert.NotContains(t, a.err, "move ")
}

func TestInitReportsWhyItCannotWrite(t *testing.T) {
	file := write(t, "file", "x")
	for _, tt := range []struct {
		args          []string
		message, hint string
	}{
		{[]string{file}, file + ": not a directory", "name a directory"},
		{[]string{file + "/below"}, "not a directory", ""},
		{[]string{""}, "the name of the directory is empty", "name a directory"},
		{[]string{"a", "b"}, "init takes one directory, found 2 arguments", "omniloader init DIR"},
		{[]string{t.TempDir(), "--source", "https://github.com/a/b"}, "no repository", "OWNER/NAME"},
		{[]string{t.TempDir(), "--source", ""}, `--source "": no repository`, ""},
		{[]string{t.TempDir(), "--force"}, "unknown flag: --force", ""},
	} {
		a := call(t, append([]string{"init"}, tt.args...)...)
		assert.Equal(t, 2, a.code, tt.args)
		assert.Contains(t, a.err, tt.message)
		assert.Contains(t, a.err, tt.hint)
		assert.NotContains(t, a.err, "wrote")
	}
}

// The flags of the CI job are those of the program it installs.
func TestTheCIJobUsesFlagsThatExist(t *testing.T) {
	dir := t.TempDir()
	require.Equal(t, 0, call(t, "init", dir).code)
	job, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(starter.Workflow)))
	require.NoError(t, err)
	help := call(t, "run", "--help").out
	flags := regexp.MustCompile(`--[a-z-]+`).FindAllString(string(job), -1)
	assert.Subset(t, flags, []string{"--format", "--output", "--save-baseline", "--baseline", "--fail-on"})
	for _, flag := range slices.Compact(flags) {
		assert.Contains(t, help, "\n      "+flag+" ")
	}
	for _, format := range regexp.MustCompile(`--format ([a-z]+)`).FindAllStringSubmatch(string(job), -1) {
		assert.Contains(t, help, "  "+format[1]+" ")
	}
	assert.True(t, strings.Contains(string(job), "omniloader run features "))
}

func TestAPathIsQuotedForAShell(t *testing.T) {
	for path, want := range map[string]string{"a/b-1.x": "a/b-1.x", "my checks": "'my checks'", "it's": `'it'\''s'`, "$(rm)": "'$(rm)'", "modèles": "modèles"} {
		assert.Equal(t, want, shellQuote(path))
	}
}
