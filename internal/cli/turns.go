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

// A process that samples and the one that started it exchange JSON values. The first
// gets its job, then says before each round that it is ready, and waits for any value;
// at last it gives its samples.
type fromSampler struct {
	Ready   bool           `json:"ready,omitempty"`
	Samples *bench.Samples `json:"samples,omitempty"`
}

// samplingProcess is a process that samples, and is to be started.
type samplingProcess struct {
	name    string // of what it samples, for its errors
	command func(context.Context) (*exec.Cmd, error)
	job     sampleJob
}

// inTurns carries jobs out in processes of their own, and gives what they sampled in
// the same order. They take turns: a round of the first, a round of the second, and so
// on. A slow phase of the machine may last for longer than all rounds of a process;
// this way it falls on each of them, and each gets its share of the fast ones.
func inTurns(ctx context.Context, processes []samplingProcess) (all []*bench.Samples, err error) {
	var running []*runningProcess
	defer func() {
		for _, s := range running {
			err = errors.Join(err, s.dismiss(err != nil))
		}
	}()
	for _, p := range processes {
		s, err := begin(ctx, p)
		if err != nil {
			return nil, err
		}
		running = append(running, s)
		if err := s.next(ctx); err != nil { // memory first, while no other is at work
			return nil, err
		}
	}
	done := func(s *runningProcess) bool { return s.samples != nil }
	for waiting := slices.DeleteFunc(slices.Clone(running), done); len(waiting) > 0; waiting = slices.DeleteFunc(waiting, done) {
		for _, s := range waiting {
			if err := s.turn(ctx); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range running {
		if err := s.samples.Check(s.job.Plan); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		all = append(all, s.samples)
	}
	return all, nil
}

// runningProcess is one that was started, and what is known of it.
type runningProcess struct {
	samplingProcess
	process   *exec.Cmd
	orders    io.WriteCloser // its standard input
	output    io.ReadCloser  // its standard output,
	answers   *json.Decoder  // which holds these
	complaint bytes.Buffer
	samples   *bench.Samples // nil until it has ended
	over      bool           // it was waited for
}

func begin(ctx context.Context, p samplingProcess) (*runningProcess, error) {
	c, err := p.command(ctx)
	if err != nil {
		return nil, err
	}
	s := &runningProcess{samplingProcess: p, process: c}
	c.Stderr = &s.complaint
	endGently(c)
	answers, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.output, s.answers = answers, json.NewDecoder(answers)
	if s.orders, err = c.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, endedBy(ctx, err, ""))
	}
	s.job.Version = bench.SamplingVersion
	if err := json.NewEncoder(s.orders).Encode(s.job); err != nil {
		return nil, s.failed(ctx, err)
	}
	return s, nil
}

// turn lets the process make one round.
func (s *runningProcess) turn(ctx context.Context) error {
	if err := json.NewEncoder(s.orders).Encode(true); err != nil {
		return s.failed(ctx, err)
	}
	return s.next(ctx)
}

// next waits until the process is ready for its next round or has given its samples.
func (s *runningProcess) next(ctx context.Context) error {
	var answer fromSampler
	err := s.answers.Decode(&answer)
	if err == nil && !answer.Ready && answer.Samples == nil {
		err = fmt.Errorf("its answer says nothing: %w", bench.ErrSamplingMismatch)
	}
	if err != nil {
		return s.failed(ctx, err)
	}
	s.samples = answer.Samples
	return nil
}

// failed says why the process ended, or why it was ended, for an error that came of
// talking with it.
func (s *runningProcess) failed(ctx context.Context, err error) error {
	ended := s.end()
	var syntax *json.SyntaxError
	var form *json.UnmarshalTypeError
	switch {
	case ctx.Err() == nil && (errors.As(err, &syntax) || errors.As(err, &form)):
		err = fmt.Errorf("it does not answer as a program that samples: %w", err)
	case ended != nil:
		err = endedBy(ctx, ended, s.complaint.String())
	case errors.Is(err, io.EOF):
		err = errors.New("it ended without its samples")
	}
	return fmt.Errorf("%s: %w", s.name, err)
}

// dismiss waits for the end of the process. Where another one failed, it is sent away
// before it is done, and its own complaint of that is nobody's concern.
func (s *runningProcess) dismiss(early bool) error {
	if s.over {
		return nil
	}
	if !early {
		_, _ = io.Copy(io.Discard, s.output) // to its very end
	}
	if err := s.end(); err != nil && !early {
		return fmt.Errorf("%s: %w: %s", s.name, err, s.complaint.String())
	}
	return nil
}

// end waits until the process has ended, which gets no more turns, and has nobody any
// more to talk to.
func (s *runningProcess) end() error {
	s.over = true
	_ = s.orders.Close()
	_ = s.output.Close()
	return s.process.Wait()
}
