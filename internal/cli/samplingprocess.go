package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"

	"omniloader/internal/bench"
)

// samplerMessage is what a sampling process writes to its standard output, as JSON: that
// it is ready, before each round, and its samples at the end. From its standard input it
// reads a sampleJob, and then any value as the permission for each round.
type samplerMessage struct {
	Ready   bool           `json:"ready,omitempty"`
	Samples *bench.Samples `json:"samples,omitempty"`
}

// samplingProcess is a sampling process that is not started yet.
type samplingProcess struct {
	name    string // of what it samples, for its errors
	command func(context.Context) (*exec.Cmd, error)
	job     sampleJob
}

// interleave carries jobs out in processes of their own, and gives their samples in the
// same order. Only one process runs at a time: a round of the first, a round of the
// second, and so on. A slow phase of the machine may last longer than all rounds of one
// process; interleaved, it affects every process alike.
func interleave(ctx context.Context, processes []samplingProcess) (all []*bench.Samples, err error) {
	var running []*runningProcess
	defer func() {
		for _, s := range running {
			err = errors.Join(err, s.close(err != nil))
		}
	}()
	for _, p := range processes {
		s, err := start(ctx, p)
		if err != nil {
			return nil, err
		}
		running = append(running, s)
		if err := s.receive(ctx); err != nil { // until it is ready: it measures memory first, while no other runs
			return nil, err
		}
	}
	done := func(s *runningProcess) bool { return s.samples != nil }
	for waiting := slices.DeleteFunc(slices.Clone(running), done); len(waiting) > 0; waiting = slices.DeleteFunc(waiting, done) {
		for _, s := range waiting {
			if err := s.runRound(ctx); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range running {
		if err := s.job.check(s.samples); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		all = append(all, s.samples)
	}
	return all, nil
}

// runningProcess is a sampling process that was started.
type runningProcess struct {
	samplingProcess
	process  *exec.Cmd
	stdin    io.WriteCloser
	stdout   io.ReadCloser
	messages *json.Decoder // of stdout
	stderr   bytes.Buffer
	samples  *bench.Samples // nil until it has sent them
	ended    bool           // Wait was called
}

func start(ctx context.Context, p samplingProcess) (*runningProcess, error) {
	c, err := p.command(ctx)
	if err != nil {
		return nil, err
	}
	s := &runningProcess{samplingProcess: p, process: c}
	c.Stderr = &s.stderr
	interruptOnCancel(c)
	if s.stdout, err = c.StdoutPipe(); err != nil {
		return nil, err
	}
	s.messages = json.NewDecoder(s.stdout)
	if s.stdin, err = c.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, explainExit(ctx, err, ""))
	}
	s.job.Version = bench.SamplingVersion
	if err := json.NewEncoder(s.stdin).Encode(s.job); err != nil {
		return nil, s.fail(ctx, err)
	}
	return s, nil
}

// runRound lets the process run one round, and waits for its end.
func (s *runningProcess) runRound(ctx context.Context) error {
	if err := json.NewEncoder(s.stdin).Encode(true); err != nil {
		return s.fail(ctx, err)
	}
	return s.receive(ctx)
}

// receive waits until the process is ready for its next round or has sent its samples.
func (s *runningProcess) receive(ctx context.Context) error {
	var message samplerMessage
	err := s.messages.Decode(&message)
	if err == nil && !message.Ready && message.Samples == nil {
		err = fmt.Errorf("its message is empty: %w", bench.ErrSamplingMismatch)
	}
	if err != nil {
		return s.fail(ctx, err)
	}
	s.samples = message.Samples
	return nil
}

// fail ends the process after an error of exchanging messages with it, and gives the
// error that explains the failure best: often how the process ended.
func (s *runningProcess) fail(ctx context.Context, err error) error {
	exitErr := s.end()
	var syntax *json.SyntaxError
	var form *json.UnmarshalTypeError
	switch {
	case ctx.Err() == nil && (errors.As(err, &syntax) || errors.As(err, &form)):
		err = fmt.Errorf("it does not answer as a program that samples: %w", err)
	case exitErr != nil:
		err = explainExit(ctx, exitErr, s.stderr.String())
	case errors.Is(err, io.EOF):
		err = errors.New("it ended without its samples")
	}
	return fmt.Errorf("%s: %w", s.name, err)
}

// close waits for the end of the process. With abort, because another process failed,
// it does not wait for the samples, and ignores how the process ends.
func (s *runningProcess) close(abort bool) error {
	if s.ended {
		return nil
	}
	if !abort {
		_, _ = io.Copy(io.Discard, s.stdout) // until it closes
	}
	if err := s.end(); err != nil && !abort {
		return fmt.Errorf("%s: %w: %s", s.name, err, s.stderr.String())
	}
	return nil
}

// end closes the pipes of the process, upon which it ends, and waits for that.
func (s *runningProcess) end() error {
	s.ended = true
	_ = s.stdin.Close()
	_ = s.stdout.Close()
	return s.process.Wait()
}
