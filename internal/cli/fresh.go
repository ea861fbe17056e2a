package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"omniloader/internal/bench"
	"omniloader/internal/child"
	"omniloader/loader/undertest"
	"omniloader/steps"
)

const freshProcess = "fresh-process"

// freshVariable is set in the environment of a process that FreshProcess starts. Every
// program that calls FreshProcess, a test binary too, has to call IsFreshProcess before
// it does anything else.
const freshVariable = "OMNILOADER_FRESH_PROCESS"

// IsFreshProcess tells whether this process was started by FreshProcess: it then has
// to call Run with its arguments, and to exit with what that gives.
func IsFreshProcess() bool { return os.Getenv(freshVariable) != "" }

// FreshProcess carries a job out in a process of this program that is started for
// it. The program has to call IsFreshProcess at its start. The error is
// steps.ErrNoProcess where no process can be started, and steps.ErrProcessFailed where it
// was killed or stopped.
func FreshProcess(ctx context.Context, job steps.FreshJob) (*bench.FreshProcess, error) {
	if IsFreshProcess() {
		return nil, fmt.Errorf("%w: this one was started for a single job", steps.ErrNoProcess)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("%w: the program cannot find itself: %w", steps.ErrNoProcess, err)
	}
	c := interruptibleCommand(self, freshProcess)
	c.Env = append(os.Environ(), freshVariable+"=1")
	c.Grace = freshGrace
	f := new(bench.FreshProcess)
	if err = runJSON(ctx, c, job, f); errors.As(err, new(*child.FailedError)) {
		err = fmt.Errorf("%w: %w", steps.ErrProcessFailed, err)
	}
	return f, err
}

// freshGrace is how long a process that was started for one call may take to end when its
// time is up: long enough to tell what it was doing, and shorter than the steps wait.
const freshGrace = 2 * time.Second

// interruptibleCommand makes a command that is interrupted when its context is cancelled,
// so that it can remove its temporary files: the go command does not on other signals.
func interruptibleCommand(path string, args ...string) child.Command {
	return child.Command{Path: path, Args: args, StopSignal: os.Interrupt}
}

// runJSON runs a command with input as JSON on its standard input, and decodes the JSON
// on its standard output into result.
func runJSON(ctx context.Context, c child.Command, input, result any) error {
	const maxOutput = 512 << 20 // bytes; the answer may repeat the text of a job
	encoded, err := json.Marshal(input)
	if err != nil {
		return err
	}
	output, err := c.Output(ctx, encoded, maxOutput)
	if err != nil {
		return explainExit(ctx, err)
	}
	if err := json.Unmarshal(output, result); err != nil {
		return fmt.Errorf("the output of %s is not JSON; it is not omniloader, or does not call IsFreshProcess at its start: %w", filepath.Base(c.Path), err)
	}
	return nil
}

// explainExit gives the reason why a process ended with an error: an interrupt, else
// how it ended and what it wrote to standard error.
func explainExit(ctx context.Context, err error) error {
	var failed *child.FailedError
	switch stopped := errors.As(err, &failed) && failed.Kind == child.ErrTimeout; {
	case ctx.Err() != nil && stopped && failed.Stderr != "": // it says where it hangs
		return fmt.Errorf("%w: %w: %s", bench.ErrInterrupted, context.Cause(ctx), failed.Stderr)
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", bench.ErrInterrupted, context.Cause(ctx))
	}
	var exit *child.ExitError
	if errors.As(err, &exit) {
		exit.Stderr = strings.TrimPrefix(exit.Stderr, "omniloader: ")
	}
	return err
}

// freshCommand is the command that a fresh process runs for one call: it reads a
// steps.FreshJob from standard input and writes a bench.FreshProcess to standard output.
func (p *program) freshCommand() *cobra.Command {
	return &cobra.Command{
		Use:    freshProcess,
		Hidden: true,
		Args:   cobra.NoArgs,
		Short:  "Call one operation in this process, as a bound on a first call asks for",
		RunE: func(c *cobra.Command, _ []string) error {
			const maxInput = 512 << 20 // bytes; a job may contain a text of 64 MiB, escaped
			var job steps.FreshJob
			if err := json.NewDecoder(io.LimitReader(c.InOrStdin(), maxInput)).Decode(&job); err != nil {
				return fmt.Errorf("standard input holds no job: %w", err)
			}
			return withLoader(c.Context(), job.Loader, func(l undertest.Loader) error {
				fresh, err := job.Do(c.Context(), l)
				if err != nil {
					return err
				}
				return standardOutput(json.NewEncoder(p.out).Encode(fresh))
			})
		},
	}
}
