package steps_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/internal/engine"
	"omniloader/internal/engine/enginetest"
	"omniloader/steps"
)

const recordedStep = "Feature: F\n  Scenario: s\n    Given the recorded checkpoint \"NAME\"\n    When the model info is read\n    Then the category is \"transformers\"\n"

func TestAFixtureLiesBesideItsFeature(t *testing.T) {
	var asked string
	feature := enginetest.Feature{Text: strings.ReplaceAll(recordedStep, "NAME", "sub/m.fixture")}
	status, _, out := runIn(t, &steps.Setup{Loader: fake(llama)}, []enginetest.Feature{feature}, 1, func(s *engine.Scenario) steps.Source {
		return steps.Source{ReadFixture: func(name string) ([]byte, error) {
			asked = s.Pickle.Uri + " " + name
			return []byte("recording 1\nname m\n"), nil
		}}
	})
	assert.Zero(t, status, out)
	assert.Equal(t, "a.feature sub/m.fixture", asked)
}

func TestAFixtureThatCannotBeReadFailsTheStep(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	require.NoError(t, os.WriteFile("links.fixture", (&fixtures.Recording{Name: "m", Files: []fixtures.RecordedFile{{Name: "a", Link: "b"}}}).Text(), 0o644))
	require.NoError(t, os.WriteFile("other.fixture", []byte("-- a --\n"), 0o644))
	require.NoError(t, os.Mkdir("dir.fixture", 0o755))
	for name, want := range map[string]string{
		"gone.fixture":  `the fixture "gone.fixture" beside the feature file: open gone.fixture: `,
		"../up.fixture": "not a slash path beside the feature file",
		"/etc/passwd":   "not a slash path beside the feature file",
		"dir.fixture":   "dir.fixture",
		"other.fixture": `no line "recording 1"`,
		"links.fixture": `put "Given a real temporary directory" before it`,
	} {
		status, _, out := run(t, &steps.Setup{Loader: fake(llama)}, strings.ReplaceAll(recordedStep, "NAME", name))
		assert.NotZero(t, status, name)
		assert.Contains(t, strings.ReplaceAll(out, "\\\"", "\""), want, name)
	}
}

func TestReadFixtureRefusesAFileThatIsTooLarge(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "m.fixture"))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(fixtures.MaxRecording+1))
	require.NoError(t, f.Close())
	_, err = steps.ReadFixture(os.DirFS(dir), "a.feature", "m.fixture")
	assert.ErrorContains(t, err, "the limit for a fixture")
}
