package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/runfile"
)

// rerunFeature has two scenarios that fail, one that cannot be judged and one that passes.
const rerunFeature = "Feature: f\n" +
	"  Scenario: bad one" + llama + "    Then the category is \"asr\"\n" +
	"  Scenario: bad two" + llama + "    Then the category is \"asr\"\n" +
	"  Scenario: mistaken" + llama + "    Then the categry is \"asr\"\n" +
	"  Scenario: good" + llama + "    Then the model is supported\n"

// lastLineOf returns the last line of a text.
func lastLineOf(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

func TestLastFailedRunsWhatDidNotPass(t *testing.T) {
	feature := write(t, "a.feature", rerunFeature)
	file := filepath.Join(t.TempDir(), "run.json")
	run := func(args ...string) result {
		return call(t, append([]string{"run", feature, "--run-file", file}, args...)...)
	}
	a := run("--last-failed")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "there is no such file")
	require.Equal(t, 1, run().code)

	a = run("--last-failed")
	assert.Equal(t, 1, a.code)
	assert.Contains(t, a.err, "--last-failed: 3 scenarios: 2 failed, 1 could not be judged")
	assert.Contains(t, lastLineOf(a.out), "3 scenarios: 2 failed, 1 could not be judged")

	a = run("--last-failed", "--name", "one$")
	assert.Contains(t, lastLineOf(a.out), "1 scenario: 1 failed")
	a = run("--last-failed")
	assert.Contains(t, lastLineOf(a.out), "3 scenarios: 2 failed, 1 could not be judged", "a narrower selection forgets nothing")

	mended := strings.NewReplacer("category is \"asr\"", "model is supported", "categry is \"asr\"", "model is supported", "bad two", "renamed").Replace(rerunFeature)
	require.NoError(t, os.WriteFile(feature, []byte(mended), 0o644))
	a = run("--last-failed")
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, a.err, "not there any more, or now in another file: "+filepath.ToSlash(feature)+": bad two")
	assert.Contains(t, lastLineOf(a.out), "2 scenarios: 2 passed")
	a = run("--last-failed")
	assert.Equal(t, 0, a.code)
	assert.Contains(t, a.err, "nothing failed in the run of "+file)
	assert.Empty(t, a.out)
}

func TestAListOfPathsIsRunAgain(t *testing.T) {
	feature := write(t, "a.feature", rerunFeature)
	list := filepath.Join(t.TempDir(), "failed.txt")
	require.Equal(t, 1, call(t, "run", feature, "--format", "rerun:"+list).code)
	text, err := os.ReadFile(list)
	require.NoError(t, err)
	uri := filepath.ToSlash(feature)
	assert.Equal(t, uri+":2\n"+uri+":9\n"+uri+":16\n", string(text))
	a := call(t, "run", "@"+list)
	assert.Equal(t, 1, a.code)
	assert.Contains(t, lastLineOf(a.out), "3 scenarios: 2 failed, 1 could not be judged")

	require.NoError(t, os.WriteFile(list, nil, 0o644))
	a = call(t, "run", "@"+list)
	assert.Equal(t, 0, a.code, "nothing failed, and nothing else was asked for")
	assert.Contains(t, a.err, "names no scenario")
	a = call(t, "run", "@"+list+".gone")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "there is no such file")
}

func TestARunEndsAfterSoManyFailures(t *testing.T) {
	feature := write(t, "a.feature", rerunFeature)
	for _, c := range []struct{ flag, want string }{
		{"--fail-fast", "left out: 2 not run after 1 failure"},
		{"--max-failures=2", "left out: 1 not run after 2 failures"},
		{"--max-failures=0", "4 scenarios: 1 passed, 2 failed, 1 could not be judged · "},
	} {
		a := call(t, "run", feature, "--jobs", "1", c.flag)
		assert.Equal(t, 1, a.code)
		assert.Contains(t, lastLineOf(a.out), c.want, c.flag)
	}
	a := call(t, "run", feature, "--fail-fast", "--max-failures", "2")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "leave one of them out")
}

func TestARandomOrderIsSaidAndKept(t *testing.T) {
	feature := write(t, "a.feature", rerunFeature)
	file := filepath.Join(t.TempDir(), "run.json")
	a := call(t, "run", feature, "--order", "random:7", "--run-file", file)
	assert.Contains(t, a.err, "--order random:7 has it again")
	read, err := runfile.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, []string{"random", "7"}, []string{read.Header.Order, read.Header.Seed})
	for _, order := range []string{"randm", "random:x", "random:"} {
		assert.Equal(t, 2, call(t, "run", feature, "--order", order).code, order)
	}
}

func TestScenariosAreSelectedByName(t *testing.T) {
	feature := write(t, "a.feature", rerunFeature)
	a := call(t, "run", feature, "--name", "^go+d$")
	assert.Equal(t, 0, a.code, a.err)
	assert.Contains(t, lastLineOf(a.out), "1 scenario: 1 passed")
	for _, name := range []string{"nobody", "(", ""} {
		assert.Equal(t, 2, call(t, "run", feature, "--name", name).code, name)
	}
}
