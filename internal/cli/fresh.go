package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"omniloader/internal/bench"
	"omniloader/steps"
)

const freshProcess = "fresh-process"

// freshVariable is set in the environment of a process that carries out one job and
// ends. Whatever program that is, a test binary too, it has to ask IsFreshProcess
// before it does anything else.
const freshVariable = "OMNILOADER_FRESH_PROCESS"

// IsFreshProcess tells whether this process was started by FreshProcess: it is then
// to call Run with its arguments and end.
func IsFreshProcess() bool { return os.Getenv(freshVariable) != "" }

// FreshProcess carries a job out in a process of this program that is started for
// it. The program has to ask IsFreshProcess at its start.
func FreshProcess(ctx context.Context, job steps.FreshJob) (*bench.Fresh, error) {
	if IsFreshProcess() {
		return nil, fmt.Errorf("%w: this one was started for a single job", steps.ErrNoProcess)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("%w: the program cannot find itself: %w", steps.ErrNoProcess, err)
	}
	c := exec.CommandContext(ctx, self, freshProcess)
	c.Env = append(os.Environ(), freshVariable+"=1")
	f := new(bench.Fresh)
	return f, exchange(ctx, c, job, f)
}

// exchange runs a command, with what it is told as JSON on its standard input, and
// takes its answer from its standard output.
func exchange(ctx context.Context, c *exec.Cmd, job, answer any) error {
	input, err := json.Marshal(job)
	if err != nil {
		return err
	}
	var out, complaint bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(input), &out, &complaint
	endGently(c)
	if err := c.Run(); err != nil {
		return endedBy(ctx, err, complaint.String())
	}
	if err := json.Unmarshal(out.Bytes(), answer); err != nil {
		return fmt.Errorf("%s answered with no JSON, as a program does that is not omniloader or does not ask IsFreshProcess at its start: %w", filepath.Base(c.Path), err)
	}
	return nil
}

// endGently lets a command that is cut off end by itself, and remove what it made.
func endGently(c *exec.Cmd) {
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 5 * time.Second
}

// endedBy says why a process of this program ended early, from what it complained of.
func endedBy(ctx context.Context, err error, complaint string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", bench.ErrInterrupted, context.Cause(ctx))
	}
	complaint = strings.TrimPrefix(strings.TrimSpace(complaint), "omniloader: ")
	if complaint == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, complaint)
}

// freshCommand is the program as it runs itself for one call: it reads a
// steps.FreshJob from standard input and writes a bench.Fresh to standard output.
func (p *program) freshCommand() *cobra.Command {
	return &cobra.Command{
		Use:    freshProcess,
		Hidden: true,
		Args:   cobra.NoArgs,
		Short:  "Call one operation in this process, as a bound on a first call asks for",
		RunE: func(c *cobra.Command, _ []string) error {
			const most = 512 << 20 // a job may have a text of 64 MiB in it, escaped
			var job steps.FreshJob
			if err := json.NewDecoder(io.LimitReader(c.InOrStdin(), most)).Decode(&job); err != nil {
				return fmt.Errorf("standard input holds no job: %w", err)
			}
			fresh, err := job.Do(steps.BuiltinLoader)
			if err != nil {
				return err
			}
			return standardOutput(json.NewEncoder(p.out).Encode(fresh))
		},
	}
}
