package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/child"
)

// scriptVariable makes the test binary a sampling process that follows a script, and
// appends what it does to the file that scriptLog names.
const (
	scriptVariable = "OMNILOADER_TEST_SCRIPT"
	scriptLog      = "OMNILOADER_TEST_SCRIPT_LOG"
)

// runScript is that process. A script is "name:step,step": "r" runs a round, "f" rounds
// for ever, "s" sends the samples, "x" exits without a message, "o" sends the samples of
// an older program, "n" sends more text than a pipe holds, "k" kills the process,
// and any other step is a message to exit with.
func runScript(script string) {
	name, steps, _ := strings.Cut(script, ":")
	_ = os.WriteFile(fmt.Sprintf("%s.%d", os.Getenv(scriptLog), os.Getpid()), nil, 0o600)
	var line string
	fmt.Scanln(&line) // the job
	round := func() {
		fmt.Println(`{"ready": true}`)
		if _, err := fmt.Scanln(&line); err != nil {
			logLine(name + " was ended")
			os.Exit(2)
		}
		logLine(name)
	}
	for step := range strings.SplitSeq(steps, ",") {
		switch step {
		case "r":
			round()
		case "f":
			for {
				round()
			}
		case "s":
			fmt.Printf("{\"samples\": {\"version\": %d, \"yardstick_ns\": %d}}\n", bench.SamplingVersion, len(name))
		case "o":
			fmt.Println(`{"version": 1}`)
		case "n":
			fmt.Println(strings.Repeat("This is another program. ", 100_000))
		case "k":
			killSelf()
		case "x":
			os.Exit(3)
		default:
			fmt.Fprintln(os.Stderr, step)
			os.Exit(2)
		}
	}
	os.Exit(0)
}

// killSelf ends this process as the operating system does when memory runs out.
func killSelf() {
	p, _ := os.FindProcess(os.Getpid())
	_ = p.Kill()
	select {}
}

// logLine appends a line to the log.
func logLine(text string) {
	f, err := os.OpenFile(os.Getenv(scriptLog), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		fmt.Fprintln(f, text)
		f.Close()
	}
}

// runScripts runs processes with these scripts, and gives their samples and the log of
// what they did.
func runScripts(t *testing.T, ctx context.Context, scripts ...string) ([]*bench.Samples, []string, error) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	logFile := filepath.Join(t.TempDir(), "log")
	var processes []samplingProcess
	for _, script := range scripts {
		processes = append(processes, samplingProcess{name: "process " + script, command: func() (child.Command, error) {
			c := interruptibleCommand(self)
			c.Env = append(os.Environ(), scriptVariable+"="+script, scriptLog+"="+logFile)
			return c, nil
		}})
	}
	all, err := interleave(ctx, processes)
	started, _ := filepath.Glob(logFile + ".*")
	for _, file := range started {
		id, err := strconv.Atoi(filepath.Ext(file)[1:])
		require.NoError(t, err)
		p, err := os.FindProcess(id)
		assert.True(t, err != nil || p.Signal(syscall.Signal(0)) != nil, "every process that was started has ended")
	}
	text, _ := os.ReadFile(logFile)
	return all, strings.Fields(strings.ReplaceAll(string(text), " ", "_")), err
}

func TestRoundsOfProcessesAreInterleaved(t *testing.T) {
	t.Parallel()
	all, log, err := runScripts(t, t.Context(), "a:r,r,r,s", "bb:r,r,r,s", "ccc:r,s", "dddd:s")
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "bb", "ccc", "a", "bb", "a", "bb"}, log)
	require.Len(t, all, 4)
	for i, samples := range all {
		assert.EqualValues(t, i+1, samples.Yardstick, "in the order of the jobs")
	}
}

func TestWhereOneProcessFailsTheOthersAreEnded(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"b:r,it broke": "process b:r,it broke: exit code 2: it broke",
		"b:it broke":   "process b:it broke: exit code 2: it broke",
		"b:r,x":        "process b:r,x: exit code 3",
		"b:r,k":        "process b:r,k: killed by signal SIGKILL, perhaps out of memory",
		"b:r":          "process b:r: it ended without its samples",
		"b:n":          "process b:n: it does not answer as a program that samples: invalid character 'T' looking for beginning of value",
	} {
		all, log, err := runScripts(t, t.Context(), "a:r,r,r,s", script)
		assert.Nil(t, all)
		assert.EqualError(t, err, want)
		require.NotEmpty(t, log)
		assert.Equal(t, "a_was_ended", log[len(log)-1], script)
	}
}

func TestSamplesOfAnotherProgramAreRefused(t *testing.T) {
	t.Parallel()
	_, _, err := runScripts(t, t.Context(), "a:r,o")
	assert.ErrorIs(t, err, bench.ErrSamplingMismatch)
}

func TestAnInterruptEndsAllProcesses(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{0, 100 * time.Millisecond} { // before they start, and while they run
		ctx, cancel := context.WithTimeout(t.Context(), after)
		defer cancel()
		_, _, err := runScripts(t, ctx, "a:f", "b:f")
		assert.ErrorIs(t, err, bench.ErrInterrupted)
	}
}
