package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cucumber/godog"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/suite"
	"omniloader/steps"
)

// godogPaths returns the feature files and folders that "godog run" was given.
func godogPaths(args []string) ([]string, error) {
	var options godog.Options
	before := pflag.CommandLine
	defer func() { pflag.CommandLine = before }()
	pflag.CommandLine = pflag.NewFlagSet("godog", pflag.ContinueOnError)
	godog.BindCommandLineFlags("", &options)
	if err := pflag.CommandLine.Parse(args); err != nil {
		return nil, err
	}
	if paths := pflag.CommandLine.Args(); len(paths) > 0 {
		return paths, nil
	}
	return []string{"features"}, nil
}

// unsupportedTags change how often or how long a scenario runs, or what its failure means,
// which godog has no way to do.
var unsupportedTags = []string{"@retry", "@timeout", "@fails"}

// checkForGodog makes the checks of "omniloader run" on every scenario but those with @wip,
// whatever tags are selected, and refuses what godog cannot run as "omniloader run" does.
func checkForGodog(ctx context.Context, paths []string, checkpoints steps.Checkpoints) error {
	for _, path := range paths {
		if err := refuseMarkdown(path); err != nil {
			return err
		}
	}
	loaded, err := suite.Load(ctx, paths)
	if err != nil {
		return err
	}
	for _, f := range loaded {
		for _, s := range f.Scenarios {
			for _, tag := range s.TagNames() {
				name, _, _ := strings.Cut(tag, ":")
				if slices.Contains(unsupportedTags, name) {
					return fmt.Errorf("%s:%d: godog cannot do what the tag %s asks for\n  hint: leave the tag out", s.URI, s.Line, tag)
				}
			}
		}
	}
	plan, err := suite.Select(loaded, suite.Selection{Checkpoints: checkpoints})
	if err != nil {
		return err
	}
	return plan.Check(ctx)
}

// refuseMarkdown returns an error for a feature file in Markdown at or below a path, which
// godog would leave out without a word.
func refuseMarkdown(path string) error {
	return filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(name, ".feature.md") {
			return fmt.Errorf("%s: godog does not read features in Markdown\n  hint: run it with: omniloader run", name)
		}
		return nil // a path that cannot be read is reported when it is loaded
	})
}

func TestGodogRunRefusesWhatItCannotJudge(t *testing.T) {
	const good = "Feature: f\n  Scenario: s\n    Given the checkpoint \"gpt2\"\n    When the model info is read\n    Then the model is supported\n"
	for name, c := range map[string]struct{ file, text, want string }{
		"an undefined step":   {"a.feature", strings.Replace(good, "supported", "suported", 1), "undefined step"},
		"no Then":             {"a.feature", strings.Replace(good, "    Then the model is supported\n", "", 1), "checks nothing"},
		"a file that is cut":  {"a.feature", good + "  nonsense\n    Given\n", "a.feature:"},
		"an unread table":     {"a.feature", good + "      | x |\n", "a.feature:6:7: "},
		"an unread step":      {"a.feature", strings.Replace(good, "Given", "given", 1), "a.feature:3:5: "},
		"attempts":            {"a.feature", "@retry:2\n" + good, "@retry:2"},
		"a timeout":           {"a.feature", "@timeout:5s\n" + good, "@timeout:5s"},
		"an expected failure": {"a.feature", "@fails:ISSUE-1\n" + good, "@fails:ISSUE-1"},
		"an unknown preset":   {"a.feature", strings.Replace(good, "gpt2", "gpt22", 1), `there is no preset "gpt22"`},
		"outside":             {"a.feature", strings.Replace(good, `the checkpoint "gpt2"`, `the checkpoint at "../x"`, 1), "outside of the folder"},
		"Markdown":            {"a.feature.md", "# Feature: f\n", "Markdown"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o644))
			assert.ErrorContains(t, checkForGodog(t.Context(), []string{dir}, steps.Checkpoints{}), c.want)
		})
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.feature"), []byte(good), 0o644))
	assert.NoError(t, checkForGodog(t.Context(), []string{dir}, steps.Checkpoints{}))
}

func TestGodogPathsAreThoseOfItsCommandLine(t *testing.T) {
	for want, args := range map[string][]string{
		"features":          {"--strict", "--format", "progress", "--no-colors"},
		"a.feature b":       {"--strict", "a.feature", "--tags", "@x", "b"},
		"mine/some.feature": {"mine/some.feature"},
	} {
		got, err := godogPaths(args)
		require.NoError(t, err)
		assert.Equal(t, want, strings.Join(got, " "))
	}
}
