package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"omniloader/internal/bench"
	"omniloader/internal/suite"
	"omniloader/steps"
)

// sampleJob is what a process that samples is told, on its standard input.
type sampleJob struct {
	Paths      []string `json:"paths"`
	Tags       string   `json:"tags"`
	Categories []string `json:"categories"`
	Model      string   `json:"model"`
	// Architectures is a table of class names, see steps.Options.
	Architectures string             `json:"architectures,omitempty"`
	Plan          bench.Sampling     `json:"plan"`
	Seed          uint64             `json:"seed"`
	Memory        bool               `json:"memory"`
	Slowdown      map[string]float64 `json:"slowdown,omitempty"` // seconds a call, by benchmark
}

const sampleProcess = "sample-process"

// sampleCommand is the program as it runs itself: it reads a job from standard
// input and writes bench.Samples to standard output.
func (p *program) sampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:    sampleProcess,
		Hidden: true,
		Args:   cobra.NoArgs,
		Short:  "Sample benchmarks in this process, as a run with a baseline asks for",
		RunE: func(c *cobra.Command, _ []string) error {
			const most = 4 * maxArchitectures
			var job sampleJob
			if err := json.NewDecoder(io.LimitReader(c.InOrStdin(), most)).Decode(&job); err != nil {
				return fmt.Errorf("standard input holds no job: %w", err)
			}
			samples, err := job.do(c.Context())
			if err != nil {
				return err
			}
			return standardOutput(json.NewEncoder(p.out).Encode(samples))
		},
	}
}

func (j sampleJob) do(ctx context.Context) (*bench.Samples, error) {
	plan, err := planOf(j.Paths, suite.Selection{Tags: j.Tags, Categories: j.Categories})
	if err != nil {
		return nil, err
	}
	subjects, err := plan.Subjects(ctx, &steps.Setup{Subject: steps.Loader, Plan: bench.DefaultPlan(), Model: j.Model, Architectures: j.Architectures})
	if err != nil {
		return nil, err
	}
	return bench.TakeSamples(ctx, j.Plan, subjects, bench.SampleOptions{Seed: j.Seed, Memory: j.Memory, Slowdown: j.Slowdown})
}

// inFreshProcess carries a job out in a process of its own: one may be slow for
// its whole life, and only another one shows that.
func (p *program) inFreshProcess(ctx context.Context, job sampleJob) (*bench.Samples, error) {
	command := p.sampler
	if command == nil {
		command = func(ctx context.Context) (*exec.Cmd, error) {
			self, err := os.Executable()
			if err != nil {
				return nil, fmt.Errorf("the program cannot run itself: %w", err)
			}
			return exec.CommandContext(ctx, self, sampleProcess), nil
		}
	}
	c, err := command(ctx)
	if err != nil {
		return nil, err
	}
	samples := new(bench.Samples)
	if err := exchange(ctx, c, job, samples); err != nil {
		return nil, fmt.Errorf("sampling in a process of its own: %w", err)
	}
	return samples, nil
}

// sampled takes samples in so many fresh processes, and says what that took.
func (p *program) sampled(ctx context.Context, job sampleJob, processes int, why string) ([]*bench.Samples, error) {
	var all []*bench.Samples
	var wall, inside, lasted time.Duration
	for i := range processes {
		start := time.Now()
		job.Seed = uint64(start.UnixNano()) + uint64(i)
		samples, err := p.inFreshProcess(ctx, job)
		if err != nil {
			return nil, err
		}
		all = append(all, samples)
		lasted += time.Since(start)
		wall += samples.Wall
		inside += samples.Inside
		job.Memory = false // exact: once is enough
	}
	if wall > 0 {
		n := len(all[0].Benchmarks)
		p.note("%s: %d %s in %d fresh %s, %s, of which %.0f %% inside operations (%.0f %% of the rounds)", why,
			n, plural(n, "benchmark", "benchmarks"), processes, plural(processes, "process", "processes"), lasted.Round(100*time.Millisecond),
			100*inside.Seconds()/lasted.Seconds(), 100*inside.Seconds()/wall.Seconds())
	}
	return all, nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// confirmations is how often what looks red is sampled again, each time in a fresh
// process.
const confirmations = 2

// compareSampled compares a file that was sampled with its baseline. What looks
// red is confirmed: all benchmarks are sampled again, as they were, because a
// benchmark that runs alone finds the caches warmer and is faster.
func (p *program) compareSampled(ctx context.Context, baseline, file *bench.File, job sampleJob, threshold float64) (*bench.Comparison, error) {
	for confirmed := 0; ; confirmed++ {
		comparison, err := bench.Compare(baseline, file, threshold)
		if err != nil || !comparison.Suspects() || confirmed == confirmations {
			return comparison, err
		}
		samples, err := p.sampled(ctx, job, 1, fmt.Sprintf("confirming what looks slower, %d of at most %d", confirmed+1, confirmations))
		if err != nil {
			return nil, err
		}
		if err := file.AddSamples(job.Plan, samples...); err != nil {
			return nil, err
		}
	}
}

// addBuild notes in a file which build sampled it: two builds of the same source
// may differ in the layout of their code, which alone moves figures.
func addBuild(f *bench.File, executable string) error {
	program, err := os.Open(executable)
	if err != nil {
		return fmt.Errorf("the program cannot read itself: %w", err)
	}
	defer program.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, program); err != nil {
		return fmt.Errorf("the program cannot read itself: %w", err)
	}
	f.Environment["build"] = hex.EncodeToString(sum.Sum(nil)[:8])
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-ldflags" {
				f.Environment["ldflags"] = s.Value
			}
		}
	}
	return nil
}

// failOn is the value of --fail-on.
type failOn struct{ verdicts []bench.Verdict }

var failOnWords = map[string]bench.Verdict{
	"red": bench.Red, "not-comparable": bench.NotComparable, "unconverged": bench.Unconverged,
}

func defaultFailOn() failOn {
	return failOn{[]bench.Verdict{bench.Red, bench.NotComparable}}
}

func (f *failOn) Type() string { return "LIST" }

func (f *failOn) String() string {
	if len(f.verdicts) == 0 {
		return "none"
	}
	words := make([]string, len(f.verdicts))
	for i, v := range f.verdicts {
		words[i] = strings.ReplaceAll(string(v), " ", "-")
	}
	return strings.Join(words, ",")
}

func (f *failOn) Set(text string) error {
	f.verdicts = nil
	if text == "none" {
		return nil
	}
	for word := range strings.SplitSeq(text, ",") {
		v, ok := failOnWords[strings.TrimSpace(word)]
		if !ok {
			return errors.New(didYouMean(word, []string{"none", "not-comparable", "red", "unconverged"}))
		}
		f.verdicts = append(f.verdicts, v)
	}
	return nil
}

// judge turns a comparison into the end of a command: errBroken for a regression,
// an error for what could not be judged, nil where neither is asked for.
func (f *failOn) judge(c *bench.Comparison) error {
	var unjudged []string
	for _, v := range f.verdicts {
		switch n := c.Counts[v]; {
		case n == 0:
		case v == bench.Red:
			return errBroken
		default:
			unjudged = append(unjudged, fmt.Sprintf("%d %s", n, v))
		}
	}
	if len(unjudged) == 0 {
		return nil
	}
	return unable("sample both sides again, on one machine and with one build; --fail-on chooses what fails",
		"could not judge every benchmark: %s", strings.Join(unjudged, ", "))
}

// share is the value of a flag that takes a share: 5% or 0.05.
type share struct{ value float64 }

func (s *share) Type() string   { return "SHARE" }
func (s *share) String() string { return fmt.Sprintf("%g%%", s.value*100) }

func (s *share) Set(text string) error {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	var value float64
	if _, err := fmt.Sscanf(number+"\n", "%g\n", &value); err != nil {
		return errors.New("not a share such as 5%")
	}
	if percent {
		value /= 100
	}
	if !(value >= 0 && value < 1) {
		return errors.New("a share lies from 0% to below 100%")
	}
	s.value = value
	return nil
}
