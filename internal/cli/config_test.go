package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/configfile"
)

// withConfig makes a directory with passingFeature as a.feature and a config file beside
// it, and goes there.
func withConfig(t *testing.T, config string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range []string{envIterations, envWarmup, envModel, envOutput} {
		t.Setenv(name, "")
	}
	require.NoError(t, os.WriteFile("a.feature", []byte(passingFeature), 0o644))
	require.NoError(t, os.WriteFile(configfile.Name, []byte(config), 0o644))
}

func TestAConfigFileSetsWhatNoFlagSets(t *testing.T) {
	withConfig(t, "paths: [a.feature]\niterations: 7\noutput: x.json\n")
	a := callWithoutJudgingTime(t, "run")
	require.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.err, "note: settings of omniloader.yaml\n")
	assert.Equal(t, 7, resultOf(t, "x.json", "measured_one").Iterations)

	a = callWithoutJudgingTime(t, "--iterations", "8", "--output", "y.json") // without the command
	require.Equal(t, 0, a.code, a.err)
	assert.Equal(t, 8, resultOf(t, "y.json", "measured_one").Iterations)

	a = callWithoutJudgingTime(t, "run", "--no-config", "a.feature", "--output", "z.json", "--iterations", "9")
	require.Equal(t, 0, a.code, a.err)
	assert.NotContains(t, a.err, "settings of")
}

// Flags beat variables, variables the profile, the profile the file, the file the defaults.
func TestPrecedenceOfSettings(t *testing.T) {
	withConfig(t, "iterations: 2\nwarmup: 2\nconcurrency: 2\nthreshold: 2%\nprofiles:\n  p:\n    iterations: 3\n    warmup: 3\n    concurrency: 3\n")
	t.Setenv(envIterations, "4")
	t.Setenv(envWarmup, "4")
	show := func(args ...string) string {
		t.Helper()
		a := call(t, append([]string{"run", "--show-config"}, args...)...)
		require.Equal(t, 0, a.code, a.err)
		return strings.Join(strings.Fields(a.out), " ")
	}
	shown := show("--profile", "p", "--iterations", "5")
	for _, want := range []string{"# profile in use: p", "iterations: 5 # command line", "warmup: 4 # BENCHMARK_WARMUP", "concurrency: 3 # omniloader.yaml:9:5",
		"threshold: 2% # omniloader.yaml:4:1", "memory-profiling: false # default", "# model: # default"} {
		assert.Contains(t, shown, want)
	}
	assert.Contains(t, show(), "concurrency: 2 # omniloader.yaml:3:1")
	assert.Contains(t, show("--no-config"), "concurrency: 1 # default")
	assert.Contains(t, show("--no-config"), "# no config file")

	a := callWithoutJudgingTime(t, "run", "a.feature", "--profile", "p", "--iterations", "5", "--output", "x.json")
	require.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.err, "note: settings of omniloader.yaml, profile p\n")
	assert.Equal(t, 5, resultOf(t, "x.json", "measured_one").Iterations)
}

// A list of a profile or the command line takes the place of another list.
func TestListsReplaceEachOther(t *testing.T) {
	withConfig(t, "category: [detection, memory]\nprofiles:\n  p:\n    category: [memory]\n")
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "category: [detection, memory]"}, {[]string{"--profile", "p"}, "category: [memory]"},
		{[]string{"--profile", "p", "--category", "sae"}, "category: [sae]"}, {[]string{"--all"}, "# category:"},
	} {
		a := call(t, append([]string{"run", "--show-config"}, c.args...)...)
		require.Equal(t, 0, a.code, a.err)
		assert.Contains(t, a.out, c.want, c.args)
	}
}

// What --show-config prints can be used as a config file, and gives the same settings.
func TestShowConfigCanBeReadAgain(t *testing.T) {
	withConfig(t, "paths: [a.feature]\ntags: \"@memory or @detection\"\nformat: [pretty, \"junit:r x.xml\"]\nall: true\nfail-on: [red, removed]\noutput: \"a: b.json\"\n")
	first := call(t, "run", "--show-config")
	require.Equal(t, 0, first.code, first.err)
	require.NoError(t, os.WriteFile("again.yaml", []byte(first.out), 0o644))
	again := call(t, "run", "--show-config", "--config", "again.yaml")
	require.Equal(t, 0, again.code, again.err)
	withoutComments := func(text string) (lines []string) {
		for line := range strings.Lines(text) {
			if line, _, _ = strings.Cut(line, "  #"); !strings.HasPrefix(line, "#") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		return lines
	}
	assert.Equal(t, withoutComments(first.out), withoutComments(again.out))
}

func TestAWrongConfigFileIsNotJudged(t *testing.T) {
	for _, c := range []struct {
		config        string
		args          []string
		message, hint string
	}{
		{"itertions: 5\n", nil, "omniloader.yaml:1:1: unknown key \"itertions\"", `did you mean "iterations"?`},
		{"threshold: x\n", nil, `omniloader.yaml:1:12: threshold: "x": not a share`, ""},
		{"fail-on: [red, gren]\n", nil, `omniloader.yaml:1:11: fail-on: "red,gren": "gren" is unknown`, ""},
		{"profiles:\n  p:\n    jobs: 0\n", nil, `omniloader.yaml:3:11: jobs: "0": not a whole number`, ""},
		{"profiles:\n  nightly: {all: true}\n", []string{"--profile", "nigthly"}, `--profile: omniloader.yaml: there is no profile "nigthly"`, `did you mean "nightly"?`},
		{"all: true\n", []string{"--profile", "x"}, `there is no profile "x"`, "below the key profiles"},
		{"format: jnit\n", nil, `--format: unknown format "jnit"`, "--format is set at omniloader.yaml:1:1"},
		{"baseline: none.json\n", nil, "--baseline: none.json: there is no such file", "--baseline is set at omniloader.yaml:1:1"},
		{"output: ../x.json\n", nil, `omniloader.yaml:1:9: output: "../x.json" is outside of the folder`, "--config"},
		{"show-config: true\n", nil, "the flag --show-config cannot be set in a config file", ""},
		{"", []string{"--no-config", "--config", "x"}, "--config names a file, and --no-config asks for none", "leave one of them out"},
		{"", []string{"--no-config", "--profile", "x"}, "--profile needs a config file", "leave one of them out"},
		{"", []string{"--config", "none.yaml"}, "none.yaml: there is no such config file", ""},
		{"", []string{"--config", ""}, "--config: empty", ""},
		{"", []string{"--profile", ""}, "--profile: empty", ""},
	} {
		withConfig(t, c.config)
		a := call(t, append([]string{"run", "a.feature"}, c.args...)...)
		assert.Equal(t, 2, a.code, c.config)
		assert.Empty(t, a.out, c.config)
		assert.Contains(t, a.err, c.message, c.config)
		assert.Contains(t, a.err, c.hint, c.config)
	}
}

// A flag puts a setting out of force that it cannot be used together with.
func TestAFlagReplacesItsContraryInTheConfigFile(t *testing.T) {
	withConfig(t, "all: true\nrun-file: x.json\n")
	a := callWithoutJudgingTime(t, "run", "a.feature", "--category", "memory", "--no-run-file", "--iterations", "5")
	assert.Equal(t, 0, a.code, a.err)
	assert.NoFileExists(t, "x.json")
	withConfig(t, "all: true\ncategory: memory\n")
	a = call(t, "run", "a.feature")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "leave one of them out; --all is set at omniloader.yaml:1:1, --category is set at omniloader.yaml:2:1")
}

// A named config file may write outside of its folder.
func TestANamedConfigFileMayWriteElsewhere(t *testing.T) {
	withConfig(t, "output: x.json\n")
	elsewhere := filepath.Join(t.TempDir(), "y.json")
	require.NoError(t, os.WriteFile("named.yaml", []byte("iterations: 5\noutput: "+elsewhere+"\n"), 0o644))
	a := callWithoutJudgingTime(t, "run", "a.feature", "--config", "named.yaml")
	require.Equal(t, 0, a.code, a.err)
	assert.FileExists(t, elsewhere)
}

// Every flag of run is a key, but for those that say which file is read, and --update, which
// is for one run.
func TestEveryFlagOfRunIsAKey(t *testing.T) {
	set := newRunFlags(&cobra.Command{}).set
	keys := configfile.Keys(set)
	set.VisitAll(func(f *pflag.Flag) {
		switch f.Name {
		case "config", "no-config", "profile", "show-config", "update":
			assert.NotContains(t, keys, f.Name)
		default:
			assert.Contains(t, keys, f.Name)
		}
		if strings.Contains(f.Usage, "repeat it") {
			assert.Implements(t, (*pflag.SliceValue)(nil), f.Value, "--%s: a list in a config file sets it", f.Name)
		}
	})
	for flag, variable := range variableOf {
		require.NotNil(t, set.Lookup(flag), flag)
		assert.Regexp(t, variable+` +used where --`+flag+` is not given`, runEnvironment)
	}
}

func TestLintKnowsThePresetsAndPathsOfTheConfigFile(t *testing.T) {
	const preset = "a title\n-- config.json --\n{\"model_type\": \"llama\"}\n"
	const feature = "Feature: f\n  Scenario: s\n    Given the checkpoint \"mine\"\n    When the model info is read\n    Then the model is supported\n"
	withConfig(t, "paths: [own.feature]\npresets: [own]\noutput: x.json\niterations: 7\nprofiles:\n  other:\n    paths: [a.feature]\n")
	require.NoError(t, os.Mkdir("own", 0o755))
	require.NoError(t, os.WriteFile("own/mine.txtar", []byte(preset), 0o644))
	require.NoError(t, os.WriteFile("own.feature", []byte(feature), 0o644))

	a := call(t, "lint")
	assert.Equal(t, 0, a.code, a.err)
	assert.Equal(t, "1 file, 1 scenario: nothing found\n", a.out)
	assert.Equal(t, "note: settings of omniloader.yaml\n", a.err)
	assert.Equal(t, 0, callWithInput(t, feature, "lint", "-").code)
	a = call(t, "lint", "--profile", "other")
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.err, "profile other")

	a = call(t, "lint", "--no-config", "own.feature")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.out, `there is no preset "mine"`)

	require.NoError(t, os.WriteFile(configfile.Name, []byte("format: [junit:x.xml]\n"), 0o644))
	a = call(t, "lint", "a.feature")
	assert.Equal(t, 0, a.code)
	assert.Empty(t, a.err, "nothing of the file is used")
	require.NoError(t, os.WriteFile(configfile.Name, []byte("pathes: [a.feature]\n"), 0o644))
	a = call(t, "lint", "a.feature")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, `did you mean "paths"?`)
}
