package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
)

// a program that answers any job with the samples it was built with.
const canned = `package main

import (
	_ "embed"
	"os"
)

//go:embed samples.json
var samples []byte

func main() { os.Stdout.Write(samples) }
`

// repository makes a checkout whose program answers with floors, and commits it.
func repository(t *testing.T, floors map[string]float64) {
	t.Helper()
	if testing.Short() {
		t.Skip("links a program many times")
	}
	for _, tool := range []string{"git", "go"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not here")
		}
	}
	dir := t.TempDir()
	t.Chdir(dir)
	require.NoError(t, os.WriteFile("go.mod", []byte("module canned\n\ngo 1.26\n"), 0o644))
	require.NoError(t, os.WriteFile("main.go", []byte(canned), 0o644))
	answers(t, floors)
	for _, args := range [][]string{
		{"init", "-q"}, {"add", "."},
		{"-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "first"},
	} {
		out, err := exec.Command("git", args...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

func answers(t *testing.T, floors map[string]float64) {
	t.Helper()
	var s bench.Samples
	for _, name := range []string{"a", "b"} {
		f := floors[name]
		s.Benchmarks = append(s.Benchmarks, bench.Sample{
			Name: name, Category: "detection", Singles: []time.Duration{time.Duration(f) + 50},
			Process: bench.Process{BatchCalls: 10, RoundMin: slices.Repeat([]float64{f}, 40)},
		})
	}
	text, err := json.Marshal(s)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("samples.json", text, 0o644))
}

func TestBenchComparesTheTreeWithARevision(t *testing.T) {
	repository(t, map[string]float64{"a": 1000, "b": 1000})
	output := filepath.Join(t.TempDir(), "new.json")

	answers(t, map[string]float64{"a": 1200, "b": 1010})
	a := call(t, "bench", "--against", "HEAD", "--output", output)
	assert.Equal(t, 1, a.code, a.err)
	assert.Contains(t, a.out, "red      a               1 µs     1.2 µs  +20.0 %")
	assert.Contains(t, a.out, "neutral  b")
	assert.Contains(t, a.err, "judging again what looks slower, with 4 more layouts")
	f, err := bench.ReadFile(output)
	require.NoError(t, err)
	assert.Len(t, f.Result("a").Processes, 8)

	out, err := exec.Command("git", "status", "--porcelain").Output()
	require.NoError(t, err)
	assert.Equal(t, " M samples.json\n", string(out), "nothing is left behind in the checkout")
}

func TestBenchSaysWhatItLacks(t *testing.T) {
	a := call(t, "bench")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.err, "--against is missing")

	repository(t, map[string]float64{"a": 1000, "b": 1000})
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
