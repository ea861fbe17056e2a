package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"omniloader/internal/bench"
	"omniloader/internal/child"
	"omniloader/internal/engine"
	"omniloader/internal/quantity"
	"omniloader/internal/suite"
	"omniloader/loader/undertest"
	"omniloader/steps"
)

// sampleJob tells a process what to sample, on its standard input.
type sampleJob struct {
	Version    int      `json:"version"`          // bench.SamplingVersion of the program that asks
	Loader     string   `json:"loader,omitempty"` // name of the loader under test; "" for the built-in one
	Paths      []string `json:"paths"`
	Tags       string   `json:"tags"`
	Categories []string `json:"categories"`
	Name       string   `json:"name,omitempty"` // a regular expression
	IDs        []string `json:"ids,omitempty"`  // of the only scenarios to sample; none for all
	// Timeout is how long a benchmark may take that has no tag for it; 0 for the default.
	Timeout time.Duration `json:"timeout_ns,omitempty"`
	Model   string        `json:"model"`                   // a single real checkpoint
	Models  []string      `json:"models,omitempty"`        // several
	Presets []string      `json:"presets,omitempty"`       // directories of a user's own presets
	Outside bool          `json:"allow_outside,omitempty"` // see steps.Checkpoints
	// Architectures is a table of class names, see undertest.Options.
	Architectures string             `json:"architectures,omitempty"`
	Plan          bench.Sampling     `json:"plan"`
	Seed          uint64             `json:"seed"`
	Memory        bool               `json:"memory"`
	Slowdown      map[string]float64 `json:"slowdown,omitempty"` // seconds added to each call, by benchmark
}

const sampleProcess = "sample-process"

// sampleCommand is the command that a sampling process runs: it reads a sampleJob from
// standard input, waits there for any value before each round, and writes
// samplerMessages to standard output.
func (p *program) sampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:    sampleProcess,
		Hidden: true,
		Args:   cobra.NoArgs,
		Short:  "Sample benchmarks in this process, as a run with a baseline asks for",
		RunE:   func(c *cobra.Command, _ []string) error { return p.serveSampling(c.Context(), c.InOrStdin()) },
	}
}

func (p *program) serveSampling(ctx context.Context, stdin io.Reader) error {
	const maxInput = 4 * maxArchitectures // bytes
	var job sampleJob
	requests, replies := json.NewDecoder(io.LimitReader(stdin, maxInput)), json.NewEncoder(p.out)
	if err := requests.Decode(&job); err != nil {
		return fmt.Errorf("standard input holds no job: %w", err)
	}
	if job.Version != bench.SamplingVersion {
		return fmt.Errorf("a job of version %d: %w, which is version %d", job.Version, bench.ErrSamplingMismatch, bench.SamplingVersion)
	}
	samples, err := job.sample(ctx, func() error {
		if err := replies.Encode(samplerMessage{Ready: true}); err != nil {
			return err
		}
		var next any
		if err := requests.Decode(&next); err != nil {
			return fmt.Errorf("waiting for the next round: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return standardOutput(replies.Encode(samplerMessage{Samples: samples}))
}

// sample samples in this process; beforeRound is called before each round.
func (j sampleJob) sample(ctx context.Context, beforeRound func() error) (*bench.Samples, error) {
	selection, err := j.selection()
	if err != nil {
		return nil, err
	}
	plan, err := checkedPlan(ctx, j.Paths, selection, j.Loader)
	if err != nil {
		return nil, err
	}
	var samples *bench.Samples
	err = withLoader(ctx, j.Loader, func(l undertest.Loader) error {
		operations, err := plan.MeasuredOperations(ctx, suite.Options{
			Setup:   &steps.Setup{Loader: l, Plan: bench.DefaultPlan(), Architectures: j.Architectures},
			Timeout: j.Timeout,
		})
		if err != nil {
			return err
		}
		samples, err = j.take(ctx, operations, plan.LongestTimeout(j.Timeout), beforeRound)
		return err
	})
	return samples, err
}

// setSelection says what is to be sampled. A single real checkpoint is named so that an
// earlier program, which knows no others, samples it.
func (j *sampleJob) setSelection(s suite.Selection) {
	j.Tags, j.Categories, j.Models = s.Tags, s.Categories, s.Models
	j.Name, j.IDs = s.Name, slices.Sorted(maps.Keys(s.IDs))
	if len(s.Models) == 1 {
		j.Model, j.Models = s.Models[0], nil
	}
	j.Presets, j.Outside = s.Checkpoints.Presets.Dirs(), s.Checkpoints.AllowOutside
}

// selection is what is to be sampled.
func (j sampleJob) selection() (suite.Selection, error) {
	s := suite.Selection{Tags: j.Tags, Categories: j.Categories, Name: j.Name, Models: j.Models}
	if len(j.IDs) > 0 {
		s.IDs = map[string]bool{}
		for _, id := range j.IDs {
			s.IDs[id] = true
		}
	}
	if j.Model != "" {
		s.Models = []string{j.Model}
	}
	library, err := loadPresets(j.Presets)
	s.Checkpoints = steps.Checkpoints{Presets: library, AllowOutside: j.Outside}
	return s, err
}

// take samples operations. It gives up where a visit to one takes longer than limit.
func (j sampleJob) take(ctx context.Context, operations []bench.Operation, limit time.Duration, beforeRound func() error) (*bench.Samples, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(limit, func() { cancel(fmt.Errorf("an operation did not come back within %s", (*timeLimit)(&limit))) })
	defer watch.Stop()
	var samples *bench.Samples
	err := engine.Call(ctx, samplingGrace, func(ctx context.Context) (err error) {
		samples, err = bench.TakeSamples(ctx, j.Plan, operations, bench.SampleOptions{
			Seed: j.Seed, Memory: j.Memory, Slowdown: j.Slowdown, Progress: func() { watch.Reset(limit) },
			AwaitTurn: func() error {
				watch.Stop() // while another process samples
				defer watch.Reset(limit)
				return beforeRound()
			},
		})
		return err
	})
	if err != nil {
		return nil, engine.WithStacks(err)
	}
	return samples, nil
}

// samplingGrace is how long sampling is waited for when it has to end.
const samplingGrace = time.Second

// check refuses samples that do not answer the job: taken in another way, or of another
// loader, as by a program that knows no others.
func (j sampleJob) check(samples *bench.Samples) error {
	if err := samples.Check(j.Plan); err != nil {
		return err
	}
	for i := range samples.Benchmarks {
		if key := samples.Benchmarks[i].Key(); key.Loader != j.Loader {
			return fmt.Errorf("asked for the loader %q, it sampled %q: %w", cmp.Or(j.Loader, undertest.Builtin), key, bench.ErrSamplingMismatch)
		}
	}
	return nil
}

// sampleInProcesses carries each job out in a process that is started for it, their
// rounds interleaved: one process may be slow for as long as it lives, which only
// another one shows.
func (p *program) sampleInProcesses(ctx context.Context, jobs ...sampleJob) ([]*bench.Samples, error) {
	command := p.sampler
	if command == nil {
		command = func() (child.Command, error) {
			self, err := os.Executable()
			if err != nil {
				return child.Command{}, fmt.Errorf("the program cannot run itself: %w", err)
			}
			return interruptibleCommand(self, sampleProcess), nil
		}
	}
	var processes []samplingProcess
	for i, job := range jobs {
		job.Seed = uint64(time.Now().UnixNano()) + uint64(i)
		processes = append(processes, samplingProcess{"sampling in a process of its own", command, job})
	}
	return interleave(ctx, processes)
}

// sampleAndNote samples a job in so many fresh processes, and notes how long that took
// and why it was done.
func (p *program) sampleAndNote(ctx context.Context, job sampleJob, processes int, why string) ([]*bench.Samples, error) {
	start := time.Now()
	jobs := slices.Repeat([]sampleJob{job}, processes)
	for i := range jobs[1:] {
		jobs[1+i].Memory = false // memory is exact: once is enough
	}
	all, err := p.sampleInProcesses(ctx, jobs...)
	if err != nil {
		return nil, err
	}
	var wall, inside, lasted time.Duration = 0, 0, time.Since(start)
	for _, samples := range all {
		wall, inside = wall+samples.Wall, inside+samples.InOperations
	}
	if wall > 0 {
		p.note("%s: %s in %s, %s, of which %.0f %% inside operations (%.0f %% of the rounds)", why,
			quantity.Count(len(all[0].Benchmarks), "benchmark"), quantity.Count(processes, "fresh process"), lasted.Round(100*time.Millisecond),
			100*inside.Seconds()/lasted.Seconds(), 100*inside.Seconds()/wall.Seconds())
	}
	return all, nil
}

// noteWhatCanBeCompared notes, before anything runs, which changes a comparison with a
// baseline can judge. plan is how the benchmarks would be sampled.
func (p *program) noteWhatCanBeCompared(baseline *bench.File, plan bench.Sampling, threshold float64) (bench.Preview, error) {
	if baseline.Plan == nil {
		p.note("the baseline was not sampled, and has only mean times, by which noise alone called 45 %% of unchanged benchmarks changed: only a benchmark whose fastest call is slower than the slowest of the baseline can be called red; write a baseline that tells more with --save-baseline")
		return bench.Preview{}, nil
	}
	now, err := newFile(time.Now(), nil)
	if err != nil {
		return bench.Preview{}, err
	}
	if err := addOwnBuild(now); err != nil {
		return bench.Preview{}, err
	}
	now.Plan = &plan
	f := bench.PreviewComparison(baseline, now, threshold)
	switch {
	case len(f.Differences)+len(f.UnknownConditions) > 0:
		p.note("times cannot be compared with the baseline's: %s", strings.Join(slices.Concat(f.Differences, f.UnknownConditions), "; "))
	case f.SmallestChange > threshold:
		p.note("the baseline is of a build with other code: only changes of more than %s will be judged; %s",
			(&share{f.SmallestChange}).String(), againstHint(baseline.Commit(), threshold))
	}
	return f, nil
}

// confirmations is in how many fresh processes benchmarks that seem slower are sampled
// again.
const confirmations = 2

// slowPhase is how long a slow phase of a machine lasts at most in most cases: a shared
// machine was observed to be slow for 20 to 40 s at a time.
const slowPhase = 30 * time.Second

func (p *program) wait(ctx context.Context, d time.Duration) {
	if p.pause != nil {
		p.pause(ctx, d)
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// compareAndConfirm compares a file that was sampled with its baseline. Where a
// benchmark looks red, all of them are sampled again: one that runs alone finds the
// caches warmer and is faster.
func (p *program) compareAndConfirm(ctx context.Context, baseline, file *bench.File, job sampleJob, threshold float64) (*bench.Comparison, error) {
	comparison, err := bench.Compare(baseline, file, threshold)
	if err != nil || !comparison.NeedsConfirmation() {
		return comparison, err
	}
	if comparison.ManyNeedConfirmation() {
		p.note("so many benchmarks seem slower that the machine may be the cause: waiting %s before sampling again", slowPhase)
		p.wait(ctx, slowPhase)
	}
	samples, err := p.sampleAndNote(ctx, job, confirmations, "sampled again, as some seem slower")
	if err != nil {
		return nil, err
	}
	if err := file.AddSamples(job.Plan, samples...); err != nil {
		return nil, err
	}
	return bench.Compare(baseline, file, threshold)
}
