package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"omniloader/internal/bench"
	"omniloader/internal/child"
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
	command func() (child.Command, error)
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
	process  *child.Process
	messages *json.Decoder  // of its standard output
	samples  *bench.Samples // nil until it has sent them
	ended    bool           // its end was waited for
}

func start(ctx context.Context, p samplingProcess) (*runningProcess, error) {
	const maxOutput = 256 << 20 // bytes; the samples of all benchmarks take a few MB
	c, err := p.command()
	if err != nil {
		return nil, err
	}
	process, err := c.Start(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, explainExit(ctx, err))
	}
	s := &runningProcess{samplingProcess: p, process: process, messages: json.NewDecoder(io.LimitReader(process.Stdout, maxOutput))}
	s.job.Version = bench.SamplingVersion
	if err := json.NewEncoder(process.Stdin).Encode(s.job); err != nil {
		return nil, s.fail(ctx, err)
	}
	return s, nil
}

// runRound lets the process run one round, and waits for its end.
func (s *runningProcess) runRound(ctx context.Context) error {
	if err := json.NewEncoder(s.process.Stdin).Encode(true); err != nil {
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
	s.ended = true
	var syntax *json.SyntaxError
	var form *json.UnmarshalTypeError
	if ctx.Err() == nil && (errors.As(err, &syntax) || errors.As(err, &form)) {
		s.process.Stop()
		return fmt.Errorf("%s: it does not answer as a program that samples: %w", s.name, err)
	}
	if exitErr := s.process.Close(); exitErr != nil {
		err = explainExit(ctx, exitErr)
	} else if errors.Is(err, io.EOF) {
		err = errors.New("it ended without its samples")
	}
	return fmt.Errorf("%s: %w", s.name, err)
}

// close waits for the end of the process. With abort, because another process failed,
// it does not wait for the samples, and ignores how the process ends.
func (s *runningProcess) close(abort bool) error {
	switch {
	case s.ended:
		return nil
	case abort:
		_ = s.process.Close()
		return nil
	}
	if err := s.process.Wait(); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}
