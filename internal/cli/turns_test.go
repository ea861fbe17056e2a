package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
)

// scriptVariable makes the test binary a process that samples as the script says; each
// thing that it does is noted in the file of scriptLog.
const (
	scriptVariable = "OMNILOADER_TEST_SCRIPT"
	scriptLog      = "OMNILOADER_TEST_SCRIPT_LOG"
)

// play is that process: "r" is a round, "f" rounds for ever, "s" its samples, "x" an end
// without a word, "o" the samples of an older program, "n" noise that fills any pipe, and
// any other word a complaint it ends with.
func play(script string) {
	name, steps, _ := strings.Cut(script, ":")
	var line string
	fmt.Scanln(&line) // the job
	round := func() {
		fmt.Println(`{"ready": true}`)
		if _, err := fmt.Scanln(&line); err != nil {
			note(name + " was sent away")
			os.Exit(2)
		}
		note(name)
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
		case "x":
			os.Exit(3)
		default:
			fmt.Fprintln(os.Stderr, step)
			os.Exit(2)
		}
	}
	os.Exit(0)
}

func note(text string) {
	f, err := os.OpenFile(os.Getenv(scriptLog), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		fmt.Fprintln(f, text)
		f.Close()
	}
}

// played starts processes with these scripts; the second answer is what they did.
func played(t *testing.T, ctx context.Context, scripts ...string) ([]*bench.Samples, []string, error) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	log := filepath.Join(t.TempDir(), "log")
	var processes []samplingProcess
	var commands []*exec.Cmd
	for _, script := range scripts {
		processes = append(processes, samplingProcess{name: "process " + script, command: func(ctx context.Context) (*exec.Cmd, error) {
			c := exec.CommandContext(ctx, self)
			c.Env = append(os.Environ(), scriptVariable+"="+script, scriptLog+"="+log)
			commands = append(commands, c)
			return c, nil
		}})
	}
	all, err := inTurns(ctx, processes)
	for _, c := range commands {
		assert.True(t, c.Process == nil || c.ProcessState != nil, "none that was started is left behind")
	}
	text, _ := os.ReadFile(log)
	return all, strings.Fields(strings.ReplaceAll(string(text), " ", "_")), err
}

func TestProcessesTakeTurns(t *testing.T) {
	all, did, err := played(t, t.Context(), "a:r,r,r,s", "bb:r,r,r,s", "ccc:r,s", "dddd:s")
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "bb", "ccc", "a", "bb", "a", "bb"}, did)
	require.Len(t, all, 4)
	for i, samples := range all {
		assert.EqualValues(t, i+1, samples.Yardstick, "in the order of the jobs")
	}
}

func TestWhereOneProcessFailsTheOthersAreSentAway(t *testing.T) {
	for script, want := range map[string]string{
		"b:r,it broke": "process b:r,it broke: exit status 2: it broke",
		"b:it broke":   "process b:it broke: exit status 2: it broke",
		"b:r,x":        "process b:r,x: exit status 3",
		"b:r":          "process b:r: it ended without its samples",
		"b:n":          "process b:n: it does not answer as a program that samples: invalid character 'T' looking for beginning of value",
	} {
		all, did, err := played(t, t.Context(), "a:r,r,r,s", script)
		assert.Nil(t, all)
		assert.EqualError(t, err, want)
		require.NotEmpty(t, did)
		assert.Equal(t, "a_was_sent_away", did[len(did)-1], script)
	}
}

func TestSamplesOfAnotherProgramAreRefused(t *testing.T) {
	_, _, err := played(t, t.Context(), "a:r,o")
	assert.ErrorIs(t, err, bench.ErrSamplingMismatch)
}

func TestAnInterruptionEndsAllProcesses(t *testing.T) {
	for _, after := range []time.Duration{0, 100 * time.Millisecond} { // before they begin, and behind
		ctx, cancel := context.WithTimeout(t.Context(), after)
		defer cancel()
		_, _, err := played(t, ctx, "a:f", "b:f")
		assert.ErrorIs(t, err, bench.ErrInterrupted)
	}
}
