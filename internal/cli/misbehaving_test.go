package cli

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/builtin"
	"omniloader/internal/outcome"
	"omniloader/internal/runfile"
	"omniloader/loader/undertest"
)

// misbehavingLoader is a loader under test that answers as the built-in one, unless the
// directory of a checkpoint says otherwise: "hang", "panic" and "crash" are what its operations do,
// and "first" or "sampled" behind it in which processes only.
const (
	misbehavingLoader = "misbehaving"
	misbehavingLog    = "OMNILOADER_TEST_MISBEHAVING_LOG" // a file that gets the ids of processes that hang
)

func init() {
	loaders[misbehavingLoader] = func(context.Context) (undertest.Loader, error) { return &misbehaving{Loader: builtin.New("")}, nil }
}

type misbehaving struct {
	undertest.Loader
	hangsClosing bool
}

func (*misbehaving) Name() string { return misbehavingLoader }

func (m *misbehaving) Close() error {
	if m.hangsClosing {
		hang()
	}
	return m.Loader.Close()
}

// hanging is closed when what hangs in this process may come back.
var hanging struct {
	mu      sync.Mutex
	release chan struct{}
	calls   sync.WaitGroup
}

func hang() {
	hanging.mu.Lock()
	release := hanging.release
	if release != nil {
		hanging.calls.Add(1)
		defer hanging.calls.Done()
	}
	hanging.mu.Unlock()
	if f, err := os.OpenFile(os.Getenv(misbehavingLog), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
		_, _ = f.WriteString(strconv.Itoa(os.Getpid()) + "\n")
		f.Close()
	}
	<-release // of a nil channel in other processes than that of the test
}

func (m *misbehaving) Prepare(operation string, in undertest.Input) (undertest.Call, error) {
	what, where, _ := strings.Cut(in.Dir, "-")
	if where == "first" && !IsFreshProcess() || where == "sampled" && os.Getenv(samplerVariable) == "" {
		what = ""
	}
	call, err := m.Loader.Prepare(operation, in)
	return func(ctx context.Context) (any, error) {
		switch what {
		case "hang":
			hang()
		case "hangclose":
			m.hangsClosing = true
		case "panic":
			panic("kaboom in " + in.Dir)
		case "crash":
			killSelf()
		}
		return call(ctx)
	}, err
}

// callMisbehaving runs scenarios with the misbehaving loader.
func callMisbehaving(t *testing.T, args ...string) result {
	t.Helper()
	hanging.mu.Lock()
	if hanging.release == nil { // else an earlier call of the test has done this
		hanging.release = make(chan struct{})
		t.Cleanup(func() { // a measurement that hangs would hold up the tests behind this one
			hanging.mu.Lock()
			close(hanging.release)
			hanging.release = nil
			hanging.mu.Unlock()
			hanging.calls.Wait()
		})
	}
	hanging.mu.Unlock()
	loaderOfTest = misbehavingLoader
	defer func() { loaderOfTest = "" }()
	if graceOfTest == 0 {
		graceOfTest = 5 * time.Millisecond
		defer func() { graceOfTest = 0 }()
	}
	return callSampling(t, append([]string{"run"}, args...)...)
}

// misbehavingScenario is a scenario whose operation does what the word says.
func misbehavingScenario(name, what string, then ...string) string {
	text := "  Scenario: " + name + "\n    Given the directory \"" + what + "\" for the checkpoint\n    And the checkpoint \"gpt2\"\n    When the model info is read\n"
	for i, step := range append([]string{`the architecture is "GPT2LMHeadModel"`}, then...) {
		text += "    " + []string{"Then ", "And "}[min(i, 1)] + step + "\n"
	}
	return text
}

// hungProcesses are the processes that hung and are still there.
func hungProcesses(t *testing.T, log string) (hung, left int) {
	t.Helper()
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		require.NoError(t, err)
		hung++
		if p, err := os.FindProcess(pid); err == nil && pid != os.Getpid() && p.Signal(syscall.Signal(0)) == nil {
			left++
		}
	}
	return hung, left
}

func TestALoaderThatHangsPanicsOrIsKilledCostsOneVerdict(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	log := filepath.Join(t.TempDir(), "log")
	t.Setenv(misbehavingLog, log)
	const first = `the first latency is below 60 s`
	feature := write(t, "a.feature", "Feature: f\n"+
		misbehavingScenario("well", "models")+
		misbehavingScenario("panics", "panic")+
		misbehavingScenario("panics where it is measured", "panic", `the max latency is below 60 s`)+
		misbehavingScenario("panics in a process of its own", "panic-first", first)+
		misbehavingScenario("is killed in a process of its own", "crash-first", first)+
		"  @timeout:3s\n"+misbehavingScenario("hangs in a process of its own", "hang-first", first)+
		"  @timeout:2s\n"+misbehavingScenario("hangs where it is measured", "hang", `the max latency is below 60 s`)+
		misbehavingScenario("measured behind it", "models", `the max latency is below 60 s`, `no more than 1 GB is allocated per call`))
	file := filepath.Join(t.TempDir(), "run.json")
	messages := filepath.Join(t.TempDir(), "m.ndjson")
	graceOfTest = freshGrace + time.Second // so that a process that hangs is waited for
	defer func() { graceOfTest = 0 }()
	a := callMisbehaving(t, feature, "--run-file", file, "--format", "messages:"+messages)
	require.Equal(t, 1, a.code, a.out+a.err)
	read, err := runfile.ReadFile(file)
	require.NoError(t, err)
	require.NotNil(t, read.End, "the run ended")
	statuses, of := map[string]outcome.Status{}, map[string]*runfile.Scenario{}
	for i := range read.Scenarios {
		s := &read.Scenarios[i]
		statuses[s.Name], of[s.Name] = s.Status, s
	}
	assert.Equal(t, map[string]outcome.Status{
		"well": outcome.Passed, "panics": outcome.Failed, "panics where it is measured": outcome.Failed, "panics in a process of its own": outcome.Failed,
		"is killed in a process of its own": outcome.CouldNotJudge, "hangs in a process of its own": outcome.Failed,
		"hangs where it is measured": outcome.Failed, "measured behind it": outcome.Passed,
	}, statuses)
	failure := func(name string) runfile.Failure {
		for _, step := range of[name].Steps {
			if step.Failure != nil {
				return *step.Failure
			}
		}
		return runfile.Failure{}
	}
	for _, name := range []string{"panics", "panics where it is measured", "hangs where it is measured"} {
		assert.Contains(t, failure(name).Stack, "misbehaving_test.go:", name)
	}
	assert.Contains(t, failure("panics in a process of its own").Message, "panic: kaboom in panic-first")
	assert.Contains(t, failure("panics in a process of its own").Message, "misbehaving_test.go:")
	assert.Contains(t, failure("hangs in a process of its own").Message, "not done within the 3s that the scenario has")
	assert.Contains(t, failure("hangs in a process of its own").Message, "misbehaving_test.go:", "the process tells where it hangs")
	behind := of["measured behind it"]
	assert.Nil(t, behind.Benchmark)
	require.Len(t, behind.NotJudged, 2)
	assert.Contains(t, behind.NotJudged[0].Reason, "was abandoned")

	text, err := os.ReadFile(messages)
	require.NoError(t, err)
	assert.Contains(t, string(text), "kaboom in panic")
	assert.Contains(t, string(text), "misbehaving_test.go:")
	hung, left := hungProcesses(t, log)
	assert.Equal(t, 2, hung)
	assert.Zero(t, left)
}

func TestALoaderThatHangsOrPanicsWhileItIsSampled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	for what, want := range map[string]string{"hang-sampled": "not done within the 2s that the scenario has", "panic-sampled": "kaboom in panic-sampled"} {
		log := filepath.Join(t.TempDir(), "log")
		t.Setenv(misbehavingLog, log)
		feature := write(t, "a.feature", "Feature: f\n"+misbehavingScenario("a", what, `the max latency is below 60 s`))
		a := callMisbehaving(t, feature, "--timeout", "2s", "--save-baseline", filepath.Join(t.TempDir(), "b.json"))
		assert.Equal(t, 2, a.code, a.out+a.err)
		assert.Contains(t, a.err, "sampling in a process of its own: exit code 2: ")
		assert.Contains(t, a.err, want)
		assert.Contains(t, a.err, "misbehaving_test.go:")
		if what == "hang-sampled" {
			hung, left := hungProcesses(t, log)
			assert.Equal(t, 1, hung)
			assert.Zero(t, left)
		}
	}
}

func TestALoaderThatDoesNotCloseEndsTheRunAllTheSame(t *testing.T) {
	before := closeTime
	closeTime = 20 * time.Millisecond
	defer func() { closeTime = before }()
	a := callMisbehaving(t, write(t, "a.feature", "Feature: f\n"+misbehavingScenario("a", "hangclose")))
	assert.Equal(t, 0, a.code, a.out+a.err)
	assert.Contains(t, a.err, `note: closing the loader "misbehaving": `)
	assert.Contains(t, a.err, "not done within 20ms")
}

func TestTheTimeOfTheRunIsUp(t *testing.T) {
	feature := write(t, "a.feature", "Feature: f\n"+misbehavingScenario("well", "models")+misbehavingScenario("hangs", "hang")+
		misbehavingScenario("measured", "models", `the max latency is below 60 s`))
	file := filepath.Join(t.TempDir(), "run.json")
	results := filepath.Join(t.TempDir(), "r.json")
	a := callMisbehaving(t, feature, "--run-timeout", "1s", "--jobs", "1", "--run-file", file, "--output", results)
	assert.Equal(t, 2, a.code, a.out+a.err)
	assert.Contains(t, a.err, "the time of the run was up (--run-timeout 1s): 1 of 3 scenarios was not run")
	assert.Contains(t, a.err, "could not judge: the time of the run was up (--run-timeout 1s)")
	assert.Contains(t, a.err, "misbehaving_test.go:", "where it hangs")
	assert.NotContains(t, a.err, "interrupted")
	read, err := runfile.ReadFile(file)
	require.NoError(t, err)
	assert.Len(t, read.Scenarios, 2)
	assert.Len(t, read.Header.PlanIDs, 3)
	require.NotNil(t, read.End)
	assert.Equal(t, []runfile.LeftOut{{Reason: "not run when the time was up", Count: 1}}, read.End.LeftOut)

	again := callMisbehaving(t, feature, "--last-failed", "--run-file", file, "--run-timeout", "1s", "--jobs", "1")
	assert.Contains(t, again.err, "--last-failed: 2 scenarios: 1 could not be judged, 1 did not end")
	assert.Equal(t, 2, again.code)
}

func TestATimeThatIsNoneIsRefused(t *testing.T) {
	for _, flag := range []string{"--timeout", "--run-timeout"} {
		for _, value := range []string{"0", "0s", "-5s", "5", "soon", ""} {
			a := call(t, "run", flag+"="+value)
			assert.Equal(t, 2, a.code)
			assert.Contains(t, a.err, "not a time above 0 such as 30s", value)
		}
	}
	d := timeLimit(90 * time.Minute)
	assert.Equal(t, "1h30m", d.String())
	d = timeLimit(time.Hour)
	assert.Equal(t, "1h", d.String())
	assert.Error(t, d.Set("x"))
	assert.Equal(t, timeLimit(time.Hour), d)
}
