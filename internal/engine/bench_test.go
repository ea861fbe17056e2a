package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/require"

	"omniloader/internal/engine"
)

// writeScenarios writes n scenarios of four steps, 100 a file, and gives the
// directory: $ENGINE_FEATURES where it is set, so that another program can be
// given the same files.
func writeScenarios(b *testing.B, n int) string {
	dir := os.Getenv("ENGINE_FEATURES")
	if dir == "" {
		dir = b.TempDir()
	}
	dir = filepath.Join(dir, fmt.Sprint(n))
	require.NoError(b, os.MkdirAll(dir, 0o755))
	for file := range (n + 99) / 100 {
		var s strings.Builder
		fmt.Fprintf(&s, "Feature: feature %d\n", file)
		for i := file * 100; i < min(n, file*100+100); i++ {
			fmt.Fprintf(&s, "\n  Scenario: scenario %d\n    Given a checkpoint of %d layers\n    When the model info of \"m%d\" is read\n    Then the category is \"text %d\"\n    And it has %d layers\n", i, i, i, i, i)
		}
		require.NoError(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%03d.feature", file)), []byte(s.String()), 0o644))
	}
	return dir
}

// emptySteps registers the four steps that do nothing, and as many beside them as
// a real vocabulary has.
func emptySteps(s *engine.Scope) {
	s.Given(`^a checkpoint of (\d+) layers$`, func(int) {})
	s.When(`^the model info of "([^"]*)" is read$`, func(string) {})
	s.Then(`^the category is "([^"]*)"$`, func(string) {})
	s.Then(`^it has (\d+) layers$`, func(int) {})
	for _, pattern := range otherPatterns {
		s.Step(pattern, func(string) {})
	}
}

var otherPatterns = func() (patterns []string) {
	for i := range 100 {
		patterns = append(patterns, fmt.Sprintf(`^the (?:other )?thing %c%d is "([^"]*)"$`, 'a'+i%26, i))
	}
	return patterns
}()

// runAll reads and runs every feature file of a directory, and keeps the results.
func runAll(b *testing.B, e *engine.Engine, dir string) []engine.Result {
	fsys := os.DirFS(dir)
	entries, err := os.ReadDir(dir)
	require.NoError(b, err)
	var results []engine.Result
	for _, entry := range entries {
		f, err := engine.Read(b.Context(), fsys, entry.Name(), entry.Name())
		require.NoError(b, err)
		for s := range f.Scenarios() {
			results = append(results, e.Run(b.Context(), s.Pickle, emptySteps, engine.Options{}))
		}
	}
	return results
}

// BenchmarkScenarios reads and runs scenarios of four empty steps.
func BenchmarkScenarios(b *testing.B) {
	for _, n := range []int{3_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := writeScenarios(b, n)
			b.ReportAllocs()
			for b.Loop() {
				e, err := engine.New(emptySteps)
				require.NoError(b, err)
				results := runAll(b, e, dir)
				require.Len(b, results, n)
				for _, r := range results {
					require.Equal(b, engine.Passed, r.Status)
				}
			}
			b.ReportMetric(peak(), "MB-peak")
		})
	}
}

// peak gives the most memory that this process has had, in MB, and 0 where the
// system does not say.
func peak() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kB float64
	fmt.Sscan(after, &kB)
	return kB / 1000
}

// BenchmarkMatchRows parses an outline and matches the steps of its rows, as a dry
// run does.
func BenchmarkMatchRows(b *testing.B) {
	e, err := engine.New(func(s *engine.Scope) { toy(ourHooks{s}) })
	require.NoError(b, err)
	for _, rows := range []int{10_000, 40_000} {
		source := []byte(outline(rows))
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := engine.Parse(b.Context(), "a.feature", source)
				require.NoError(b, err)
				for s := range f.Scenarios() {
					for _, step := range s.Pickle.Steps {
						_, err := e.Resolve(step)
						require.NoError(b, err)
					}
				}
			}
		})
	}
}

// BenchmarkUndefined matches steps that nothing defines, each with another text.
func BenchmarkUndefined(b *testing.B) {
	e, err := engine.New(emptySteps)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		for i := range 10_000 {
			require.Empty(b, e.Matches(messages.PickleStepType_OUTCOME, fmt.Sprintf("the thing x%d of nobody is \"%d\"", i, i)))
		}
	}
}
