package starter

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"omniloader/steps"
)

func content(t *testing.T, o Options, path string) []byte {
	t.Helper()
	files, err := Files(o)
	require.NoError(t, err)
	for _, f := range files {
		assert.NotEmpty(t, f.About)
		if f.Path == path {
			return f.Content
		}
	}
	t.Fatalf("no file %s", path)
	return nil
}

// workflow is what the test looks at in a workflow of GitHub Actions.
type workflow struct {
	Name        string
	On          map[string]any
	Permissions map[string]string
	Env         map[string]string
	Jobs        map[string]struct {
		RunsOn  string `yaml:"runs-on"`
		Timeout int    `yaml:"timeout-minutes"`
		Steps   []step
	}
}

type step struct {
	Name, Uses, Run, Shell, If string
	With                       map[string]string
	WorkingDirectory           string `yaml:"working-directory"`
}

func jobSteps(t *testing.T, o Options) (workflow, []step) {
	t.Helper()
	var w workflow
	decoder := yaml.NewDecoder(strings.NewReader(string(content(t, o, Workflow))))
	var document yaml.Node
	require.NoError(t, decoder.Decode(&document))
	require.NoError(t, document.Decode(&w))
	require.Len(t, w.Jobs, 1)
	return w, w.Jobs["scenarios"].Steps
}

func TestTheCIJobIsAWorkflow(t *testing.T) {
	w, all := jobSteps(t, Options{})
	assert.Contains(t, w.On, "push")
	assert.Contains(t, w.On, "pull_request")
	assert.Equal(t, map[string]string{"contents": "read"}, w.Permissions, "no more than it needs")
	assert.Positive(t, w.Jobs["scenarios"].Timeout)
	position := map[string]int{}
	for i, s := range all {
		assert.NotEqual(t, s.Uses == "", s.Run == "", "step %d either uses an action or runs a command", i)
		if s.Uses != "" {
			assert.Regexp(t, `^actions/[a-z/-]+@v[0-9]+$`, s.Uses)
		}
		position[s.Name] = i + 1
	}
	order := []string{"Fetch omniloader", "Install omniloader", "Restore the last results of main", "Run the scenarios", "Show the summary", "Store the reports", "Store the results of main"}
	for i, name := range order {
		require.Positive(t, position[name], name)
		if i > 0 {
			assert.Greater(t, position[name], position[order[i-1]])
		}
	}
	for _, name := range []string{"Show the summary", "Store the reports"} {
		assert.Equal(t, "always()", all[position[name]-1].If, "needed most when something failed")
	}
	restored, saved := all[position["Restore the last results of main"]-1], all[position["Store the results of main"]-1]
	assert.Equal(t, restored.With["path"], saved.With["path"])
	assert.Equal(t, restored.With["key"], saved.With["key"])
	assert.True(t, strings.HasPrefix(saved.With["key"], restored.With["restore-keys"]), "the key under which main stored its results is found")
	assert.Contains(t, all[position["Run the scenarios"]-1].Run, "--save-baseline "+saved.With["path"])
	assert.Contains(t, all[position["Show the summary"]-1].Run, "GITHUB_STEP_SUMMARY")
}

func TestTheCIJobKnowsWhereTheProgramComesFrom(t *testing.T) {
	w, _ := jobSteps(t, Options{})
	assert.Equal(t, "${{ vars.OMNILOADER_REPOSITORY }}", w.Env["OMNILOADER_REPOSITORY"])
	w, _ = jobSteps(t, Options{Source: "example/omniloader", Revision: "0123abc"})
	assert.Equal(t, map[string]string{"OMNILOADER_REPOSITORY": "example/omniloader", "OMNILOADER_REF": "0123abc"}, w.Env)
}

func TestTheEditorFindsTheSteps(t *testing.T) {
	var settings map[string][]string
	require.NoError(t, json.Unmarshal(content(t, Options{}, Settings), &settings))
	assert.Equal(t, []string{Steps}, settings["cucumber.glue"])
	assert.Equal(t, []string{"features/**/*.feature"}, settings["cucumber.features"])
	assert.True(t, json.Valid(content(t, Options{}, Extensions)))

	text := string(content(t, Options{}, Steps))
	found := regexp.MustCompile(`(?m)^(Given|When|Then)\(/(.*)/, \(\) => \{\}\)$`).FindAllStringSubmatch(text, -1)
	catalogue := steps.Catalogue()
	require.Len(t, found, len(catalogue))
	for i, d := range catalogue {
		assert.Equal(t, d.Keyword, found[i][1])
		pattern, err := regexp.Compile(found[i][2])
		require.NoError(t, err)
		assert.Regexp(t, pattern, strings.Split(d.Example, "\n")[0])
	}
	for line := range strings.Lines(text) {
		assert.True(t, strings.TrimSpace(line) == "" || strings.HasPrefix(line, "// ") || strings.HasSuffix(line, "() => {})\n"), line)
	}
}

func TestASlashEndsNoExpression(t *testing.T) {
	text := stepsForEditors([]steps.Definition{{Keyword: "Given", Pattern: `^a/b$`, Meaning: "m", Example: "a/b\nmore"}})
	assert.Contains(t, string(text), "// Example: Given a/b\nGiven(/^a\\/b$/, () => {})\n")
}
