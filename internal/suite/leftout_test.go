package suite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/outcome"
	"omniloader/steps"
)

func TestWhatIsLeftOutOfAFolderIsCounted(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	text := []byte("Feature: f\n  Scenario: a\n    When it passes\n    Then all is well\n  @wip\n  Scenario: b\n    When it passes\n")
	for _, name := range []string{"a.feature", "B.FEATURE", "c.Feature", "d.feature.MD", "sub/e.feature", ".hidden/f.feature", ".git/g.feature", ".empty/notes.txt"} {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, text, 0o644))
	}
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(dir, "link")))
	require.NoError(t, os.Symlink(filepath.Join(dir, "a.feature"), filepath.Join(dir, "notes.txt")))
	for _, paths := range [][]string{{dir}, {dir, dir}, {filepath.Join(dir, "a.feature"), filepath.Join(dir, "sub/e.feature"), dir}} {
		loaded, err := Load(t.Context(), paths)
		require.NoError(t, err)
		plan := selectAll(t, loaded)
		want := []outcome.LeftOut{{Reason: "@wip", Count: 2}, {Reason: "link to a folder", Count: 1}, {Reason: "hidden folder with features", Count: 1}, {Reason: "files named *.FEATURE", Count: 3}}
		assert.Equal(t, want, plan.LeftOut())
		assert.Equal(t, "left out: 2 @wip, 1 link to a folder, 1 hidden folder with features, 3 files named *.FEATURE", outcome.LeftOutText(plan.LeftOut()))

		plan.steps = newFakeSteps().stepLibrary
		run, err := plan.Run(t.Context(), Options{Setup: &steps.Setup{}})
		require.NoError(t, err)
		assert.Equal(t, want, run.LeftOut)
	}
}

func TestAFolderWithNothingThatIsReadSaysWhatIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "A.FEATURE"), nil, 0o644))
	_, err := Load(t.Context(), []string{dir})
	require.ErrorContains(t, err, "no feature file in this folder")
	assert.ErrorContains(t, err, "left out: 1 file named *.FEATURE")
}

func TestRealScenariosAreLeftOutWithoutAModel(t *testing.T) {
	run := runFeature(t, featureOf(t, "Feature: f", "  @real", "  Scenario: a", "    When it passes", "  Scenario: b", "    When it passes"))
	assert.Equal(t, []outcome.LeftOut{{Reason: "@real", Count: 1}}, run.LeftOut)
}
