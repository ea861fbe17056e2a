package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/builtin"
	"omniloader/loader/undertest"
)

// otherLoader is a second loader under test: it answers as the built-in one, and appends
// what it does to the file that otherLog names, in each process.
const (
	otherLoader = "other"
	otherLog    = "OMNILOADER_TEST_OTHER_LOG"
)

// loaderOfTest is the loader of the next callSampling.
var loaderOfTest string

type other struct{ undertest.Loader }

func openOther(context.Context) (undertest.Loader, error) {
	logOther("opened")
	return other{builtin.New("")}, nil
}

func (other) Name() string { return otherLoader }

func (o other) Close() error {
	logOther("closed")
	return o.Loader.Close()
}

func logOther(what string) {
	if f, err := os.OpenFile(os.Getenv(otherLog), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
		fmt.Fprintln(f, os.Getpid(), what)
		f.Close()
	}
}

func TestALoaderThatIsNotThereIsAnError(t *testing.T) {
	_, err := OpenLoader(t.Context(), "biultin")
	assert.ErrorContains(t, err, `there is no loader "biultin", did you mean "builtin"?`)
	l, err := OpenLoader(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, "builtin", l.Name())
	assert.NotEmpty(t, l.Version())
}

// A run, the processes that sample for it and those started for a first call open the same
// loader, each once, and close it.
func TestEveryProcessOfARunTakesTheSameLoader(t *testing.T) {
	log, dir := filepath.Join(t.TempDir(), "log"), t.TempDir()
	t.Setenv(otherLog, log)
	loaderOfTest = otherLoader
	t.Cleanup(func() { loaderOfTest = "" })
	feature := write(t, "a.feature", processBounds)
	results := filepath.Join(dir, "r.json")
	a := callSampling(t, "run", feature, "--save-baseline", results)
	require.Equal(t, 0, a.code, a.out+a.err)
	assert.Contains(t, a.out, "first_call of other")

	text, err := os.ReadFile(log)
	require.NoError(t, err)
	perProcess := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		pid, what, _ := strings.Cut(strings.TrimSpace(line), " ")
		perProcess[pid] = append(perProcess[pid], what)
	}
	for pid, lines := range perProcess {
		assert.Equal(t, []string{"opened", "closed"}, lines, pid)
	}
	assert.Len(t, perProcess, 1+2+2, "the run, two that sample, two for first calls")

	f, err := bench.ReadFile(results)
	require.NoError(t, err)
	r := f.Result(bench.Key{Loader: otherLoader, Benchmark: "first_call"})
	require.NotNil(t, r)
	assert.Len(t, r.Processes, 2)

	loaderOfTest = ""
	a = callSampling(t, "run", feature, "--baseline", results)
	assert.Equal(t, 2, a.code, "there is nothing to compare the built-in loader with")
	assert.Contains(t, a.err, "no benchmark in common")
}

// A program that knows no other loaders passes over the key, and samples its own.
func TestSamplesOfAnotherLoaderAreRefused(t *testing.T) {
	job := sampleJob{Loader: otherLoader}
	samples := &bench.Samples{Version: bench.SamplingVersion, Benchmarks: []bench.Sample{{Name: "a"}}}
	assert.ErrorIs(t, job.check(samples), bench.ErrSamplingMismatch)
	samples.Benchmarks[0].Loader = otherLoader
	assert.NoError(t, job.check(samples))
	job.Loader = ""
	assert.ErrorIs(t, job.check(samples), bench.ErrSamplingMismatch)
}

// What the program and an earlier one tell each other of the built-in loader has not changed.
func TestTheBuiltInLoaderIsNotNamedBetweenProcesses(t *testing.T) {
	for _, message := range []any{sampleJob{}, samplerMessage{Samples: &bench.Samples{Benchmarks: []bench.Sample{{Name: "a"}}}}} {
		text, err := json.Marshal(message)
		require.NoError(t, err)
		assert.NotContains(t, string(text), "oader")
	}
}
