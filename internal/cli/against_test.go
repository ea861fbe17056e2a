package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
)

// cannedProgram answers any sampleJob with the samples it was built with, after two rounds.
// It is built and linked many times, and so imports little.
const cannedProgram = `package main

import (
	_ "embed"
	"os"
)

//go:embed samples.json
var samples []byte

// readRequest reads a line: each request is one.
func readRequest() {
	for b := make([]byte, 1); b[0] != '\n'; {
		if _, err := os.Stdin.Read(b); err != nil {
			return
		}
	}
}

func main() {
	readRequest()
	for range 2 {
		os.Stdout.WriteString("{\"ready\": true}\n")
		readRequest()
	}
	os.Stdout.Write(samples)
}
`

// checkoutWithProgram makes a repository with cannedProgram, which measures these floors
// (nanoseconds, by benchmark), commits it, and makes it the current directory.
func checkoutWithProgram(t *testing.T, floors map[string]float64) {
	t.Helper()
	if testing.Short() {
		t.Skip("links a program many times")
	}
	for _, tool := range []string{"git", "go"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed")
		}
	}
	dir := t.TempDir()
	t.Chdir(dir)
	require.NoError(t, os.WriteFile("go.mod", []byte("module canned\n\ngo 1.26\n"), 0o644))
	require.NoError(t, os.WriteFile("main.go", []byte(cannedProgram), 0o644))
	writeFloors(t, floors)
	out, err := exec.Command("git", "init", "-q").CombinedOutput()
	require.NoError(t, err, string(out))
	commit(t)
}

// commit commits all files of the current directory.
func commit(t *testing.T) {
	t.Helper()
	for _, args := range [][]string{
		{"add", "."}, {"-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "a commit"},
	} {
		out, err := exec.Command("git", args...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

// writeFloors makes these floors the samples of cannedProgram.
func writeFloors(t *testing.T, floors map[string]float64) {
	t.Helper()
	s := bench.Samples{Version: bench.SamplingVersion, Plan: bench.DefaultSampling(), GoVersion: "go1.99", Environment: map[string]any{"goamd64": "v9"}}
	s.Plan.Processes = 4
	for _, name := range []string{"a", "b"} {
		f := floors[name]
		s.Benchmarks = append(s.Benchmarks, bench.Sample{
			Name: name, Category: "detection", Singles: []time.Duration{time.Duration(f) + 50},
			Process: bench.Process{BatchCalls: 10, RoundMin: slices.Repeat([]float64{f}, 40)},
		})
	}
	writeSamples(t, s)
}

func writeSamples(t *testing.T, s bench.Samples) {
	t.Helper()
	text, err := json.Marshal(samplerMessage{Samples: &s})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("samples.json", text, 0o644))
}

func TestBenchComparesTheTreeWithARevision(t *testing.T) {
	checkoutWithProgram(t, map[string]float64{"a": 1000, "b": 1000})
	output := filepath.Join(t.TempDir(), "new.json")

	writeFloors(t, map[string]float64{"a": 1200, "b": 1010})
	a := call(t, "bench", "--against", "HEAD", "--category", "detection", "--output", output)
	assert.Equal(t, 1, a.code, a.err)
	assert.Contains(t, a.out, "red      a               1 µs     1.2 µs  +20.0 %")
	assert.Contains(t, a.out, "neutral  b")
	assert.Contains(t, a.err, "some benchmarks seem changed or are still unclear: measuring 4 more builds of both sides")
	f, err := bench.ReadFile(output)
	require.NoError(t, err)
	assert.Len(t, f.Result(bench.Key{Benchmark: "a"}).Processes, 8)
	assert.Equal(t, "go1.99", f.GoVersion, "the version that built the sampled program, not that of this one")
	assert.Equal(t, "v9", f.Environment["goamd64"])
	head, err := exec.Command("git", "rev-parse", "HEAD").Output()
	require.NoError(t, err)
	assert.Equal(t, strings.TrimSpace(string(head)), f.Commit())
	assert.Equal(t, true, f.Environment["dirty"])
	assert.Equal(t, "--category detection", f.Selection)
	assert.Contains(t, a.out, "with changes")
	assert.Regexp(t, "^"+f.Commit()+" with changes [0-9a-f]{40}$", f.Environment[bench.BuildKey])

	out, err := exec.Command("git", "status", "--porcelain").Output()
	require.NoError(t, err)
	assert.Equal(t, " M samples.json\n", string(out), "nothing else is written into the checkout")
}

func TestAWorkingTreeIsIdentifiedByItsFiles(t *testing.T) {
	checkoutWithProgram(t, map[string]float64{"a": 1000, "b": 1000})
	identify := func() (commit, changes string) {
		commit, changes, err := workingTree(t.Context(), ".", t.TempDir())
		require.NoError(t, err)
		return commit, changes
	}
	commit, changes := identify()
	assert.Empty(t, changes, "as it was committed")

	require.NoError(t, os.WriteFile("added.go", []byte("package main\n"), 0o644))
	same, added := identify()
	assert.Equal(t, commit, same)
	assert.NotEmpty(t, added, "an untracked file is built too")
	_, again := identify()
	assert.Equal(t, added, again)

	require.NoError(t, os.WriteFile("added.go", []byte("package main // other\n"), 0o644))
	_, other := identify()
	assert.NotEqual(t, added, other)
}

func TestBenchRefusesSamplesOfAnotherPlanOrVersion(t *testing.T) {
	checkoutWithProgram(t, map[string]float64{"a": 1000, "b": 1000})
	for _, samples := range []bench.Samples{
		{Plan: bench.DefaultSampling()},
		{Version: bench.SamplingVersion, Plan: bench.Sampling{Rounds: 3}},
	} {
		writeSamples(t, samples)
		commit(t)
		a := call(t, "bench", "--against", "HEAD")
		assert.Equal(t, 2, a.code)
		assert.Contains(t, a.err, "not sampled as this program samples")
		assert.Contains(t, a.err, "hint: both sides are sampled in one way")
	}
}

func TestBenchReportsWhatIsMissing(t *testing.T) {
	a := call(t, "bench")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "--against is missing")

	checkoutWithProgram(t, map[string]float64{"a": 1000, "b": 1000})
	a = call(t, "bench", "--against", "no-such-branch")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, `revision "no-such-branch"`)

	require.NoError(t, os.WriteFile("main.go", []byte("package main\n\nfunc main() { broken }\n"), 0o644))
	a = call(t, "bench", "--against", "HEAD")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "the current directory does not build")

	t.Setenv("PATH", t.TempDir())
	a = call(t, "bench", "--against", "HEAD")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "hint: install")
}
