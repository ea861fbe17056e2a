package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"omniloader/internal/bench"
	"omniloader/internal/suite"
	"omniloader/steps"
)

// sampleJob is what a process that samples is told, on its standard input.
type sampleJob struct {
	Version    int      `json:"version"` // bench.SamplingVersion of the program that asks
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

// sampleCommand is the program as it runs itself: it reads a job from standard input,
// waits there for each of its turns, and writes what fromSampler says to standard output.
func (p *program) sampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:    sampleProcess,
		Hidden: true,
		Args:   cobra.NoArgs,
		Short:  "Sample benchmarks in this process, as a run with a baseline asks for",
		RunE: func(c *cobra.Command, _ []string) error {
			const most = 4 * maxArchitectures
			var job sampleJob
			orders, answers := json.NewDecoder(io.LimitReader(c.InOrStdin(), most)), json.NewEncoder(p.out)
			if err := orders.Decode(&job); err != nil {
				return fmt.Errorf("standard input holds no job: %w", err)
			}
			if job.Version != bench.SamplingVersion {
				return fmt.Errorf("a job of version %d: %w, which is version %d", job.Version, bench.ErrAnotherSampling, bench.SamplingVersion)
			}
			samples, err := job.do(c.Context(), func() error {
				if err := answers.Encode(fromSampler{Ready: true}); err != nil {
					return err
				}
				var turn any
				if err := orders.Decode(&turn); err != nil {
					return fmt.Errorf("waiting for the next turn: %w", err)
				}
				return nil
			})
			if err != nil {
				return err
			}
			return standardOutput(answers.Encode(fromSampler{Samples: samples}))
		},
	}
}

// do samples; turn is called before each round.
func (j sampleJob) do(ctx context.Context, turn func() error) (*bench.Samples, error) {
	plan, err := planOf(j.Paths, suite.Selection{Tags: j.Tags, Categories: j.Categories})
	if err != nil {
		return nil, err
	}
	subjects, err := plan.MeasuredOperations(ctx, &steps.Setup{Loader: steps.BuiltinLoader, Plan: bench.DefaultPlan(), Model: j.Model, Architectures: j.Architectures})
	if err != nil {
		return nil, err
	}
	return bench.TakeSamples(ctx, j.Plan, subjects, bench.SampleOptions{Seed: j.Seed, Memory: j.Memory, Slowdown: j.Slowdown, Turn: turn})
}

// freshProcesses carries jobs out, each in a process that is started for it: one may
// be slow for its whole life, and only another one shows that. They take turns.
func (p *program) freshProcesses(ctx context.Context, jobs ...sampleJob) ([]*bench.Samples, error) {
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
	var processes []samplingProcess
	for i, job := range jobs {
		job.Seed = uint64(time.Now().UnixNano()) + uint64(i)
		processes = append(processes, samplingProcess{"sampling in a process of its own", command, job})
	}
	return inTurns(ctx, processes)
}

// sampled takes samples in so many fresh processes, and says what that took.
func (p *program) sampled(ctx context.Context, job sampleJob, processes int, why string) ([]*bench.Samples, error) {
	start := time.Now()
	jobs := slices.Repeat([]sampleJob{job}, processes)
	for i := range jobs[1:] {
		jobs[1+i].Memory = false // exact: once is enough
	}
	all, err := p.freshProcesses(ctx, jobs...)
	if err != nil {
		return nil, err
	}
	var wall, inside, lasted time.Duration = 0, 0, time.Since(start)
	for _, samples := range all {
		wall, inside = wall+samples.Wall, inside+samples.Inside
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

// foresee says before anything runs what a comparison with a baseline can tell, and
// gives that. job is how the benchmarks would be sampled.
func (p *program) foresee(baseline *bench.File, job sampleJob, threshold float64) (bench.Foresight, error) {
	if baseline.Plan == nil {
		p.note("the baseline was not sampled, and is compared by mean times, which called 45 %% of unchanged benchmarks changed; write one to act on with --save-baseline")
		return bench.Foresight{}, nil
	}
	now, err := newFile(time.Now(), nil)
	if err != nil {
		return bench.Foresight{}, err
	}
	if err := nameBuild(now); err != nil {
		return bench.Foresight{}, err
	}
	now.Plan = &job.Plan
	f := bench.Foresee(baseline, now, threshold)
	switch {
	case len(f.Reasons)+len(f.Unknown) > 0:
		p.note("times cannot be compared with the baseline's: %s", strings.Join(slices.Concat(f.Reasons, f.Unknown), "; "))
	case f.Least > threshold:
		p.note("the baseline is of a build with other code: only changes of more than %s will be judged; %s",
			(&share{f.Least}).String(), againstHint(baseline.Commit(), threshold))
	}
	return f, nil
}

// nameBuild notes in a file which build this program is.
func nameBuild(f *bench.File) error {
	executable, err := os.Executable()
	if err != nil {
		return fmt.Errorf("the program cannot find itself: %w", err)
	}
	return addBuild(f, executable)
}

// confirmations is in how many fresh processes what looks red is sampled again.
const confirmations = 2

// slowPhase is the time in which a slow phase of a machine mostly ends: one that others
// share was seen to be slow for 20 to 40 s on end.
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

// compareSampled compares a file that was sampled with its baseline. What looks
// red is confirmed: all benchmarks are sampled again, as they were, because a
// benchmark that runs alone finds the caches warmer and is faster.
func (p *program) compareSampled(ctx context.Context, baseline, file *bench.File, job sampleJob, threshold float64) (*bench.Comparison, error) {
	comparison, err := bench.Compare(baseline, file, threshold)
	if err != nil || !comparison.Suspects() {
		return comparison, err
	}
	if comparison.Widely() {
		p.note("so much seems slower at once that it may be the machine: waiting %s before looking again", slowPhase)
		p.wait(ctx, slowPhase)
	}
	samples, err := p.sampled(ctx, job, confirmations, "looking again at what seems slower")
	if err != nil {
		return nil, err
	}
	if err := file.AddSamples(job.Plan, samples...); err != nil {
		return nil, err
	}
	return bench.Compare(baseline, file, threshold)
}

// failOn is the value of --fail-on: what of a comparison ends in which exit code.
type failOn struct{ words []string }

// What --fail-on may list. The first two end in exit code 1, the others in 2.
const (
	failRed           = "red"            // a benchmark is red, for more than noise explains
	failMeans         = "means"          // one is red by mean times, which noise alone may explain
	failUnjudged      = "unjudged"       // too many have no verdict, see unjudgedShare
	failNotComparable = "not-comparable" // any benchmark is
	failUnconverged   = "unconverged"    // any benchmark is
	failRemoved       = "removed"        // any benchmark is only in the old file
)

var failWords = []string{failRed, failMeans, failUnjudged, failNotComparable, failUnconverged, failRemoved}

// failOnHelp is the help of --fail-on.
const failOnHelp = "what fails: red, means (red by mean times, which noise alone\nmay explain), with exit code 1; unjudged (more than a tenth\nhave no verdict), not-comparable, unconverged, removed (any\none is), with exit code 2; or none"

// unjudgedShare is the share of the benchmarks of a comparison that may be left
// without a verdict. A machine that others use leaves one or two now and then, and
// so does another build; where it is more, the comparison has not judged.
const unjudgedShare = 0.1

// A run could have sampled, and takes no verdict by means for a regression; a
// comparison of two files has nothing but what they say.
func failOnByDefault() failOn    { return failOn{[]string{failRed, failUnjudged}} }
func failOnBetweenFiles() failOn { return failOn{[]string{failRed, failMeans, failUnjudged}} }

func (f *failOn) Type() string { return "LIST" }

func (f *failOn) String() string {
	if len(f.words) == 0 {
		return "none"
	}
	return strings.Join(f.words, ",")
}

func (f *failOn) Set(text string) error {
	f.words = nil
	if text == "none" {
		return nil
	}
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		if word == "none" {
			return errors.New("none stands alone, as it is no verdict")
		}
		if !slices.Contains(failWords, word) {
			return errors.New(didYouMean(word, append([]string{"none"}, failWords...)))
		}
		f.words = append(f.words, word)
	}
	return nil
}

func (f *failOn) has(word string) bool { return slices.Contains(f.words, word) }

// judge turns a comparison into the end of a command: errBroken for a regression,
// an error for what could not be judged, nil where neither is asked for.
func (f *failOn) judge(c *bench.Comparison) error {
	sure, doubtful := c.Regressions()
	if f.has(failRed) && sure > 0 || f.has(failMeans) && doubtful > 0 {
		return errBroken
	}
	if f.has(failMeans) {
		doubtful = 0
	}
	notComparable, unconverged, removed := c.Counts[bench.NotComparable], c.Counts[bench.Unconverged], c.Counts[bench.Removed]
	tooMany := float64(notComparable+unconverged+doubtful) > unjudgedShare*float64(c.InBoth())
	total := 0
	var unjudged []string
	for _, part := range []struct {
		count int
		what  string
		fails bool
	}{
		{notComparable, "not comparable", f.has(failNotComparable) || f.has(failUnjudged) && tooMany},
		{unconverged, "unconverged", f.has(failUnconverged) || f.has(failUnjudged) && tooMany},
		{doubtful, "red by mean times alone", f.has(failUnjudged) && tooMany},
		{removed, "removed", f.has(failRemoved)},
	} {
		if part.count > 0 && part.fails {
			total += part.count
			unjudged = append(unjudged, fmt.Sprintf("%d %s", part.count, part.what))
		}
	}
	if len(unjudged) == 0 {
		return nil
	}
	all := c.InBoth()
	if f.has(failRemoved) {
		all += removed
	}
	return unable(wayOut(c)+"; --fail-on chooses what fails", "could not judge %d of %d %s: %s", total, all, plural(all, "benchmark", "benchmarks"), strings.Join(unjudged, ", "))
}

// wayOut says how what a comparison could not judge can be judged.
func wayOut(c *bench.Comparison) string {
	byMean := slices.ContainsFunc(c.Changes, func(change bench.Change) bool { return change.Basis == bench.ByMean })
	const together = "sample both sides on one machine, with one version of Go and one plan: omniloader run --save-baseline FILE"
	switch {
	case len(c.Foresight.Reasons) > 0:
		return together
	case byMean:
		return "write both files with `omniloader run --save-baseline FILE`, which samples the benchmarks: noise alone moves means by more"
	case c.Counts[bench.NotComparable] > 0 && c.Foresight.Least > c.Threshold && len(c.Foresight.Unknown) == 0:
		return againstHint(c.Old.Commit, c.Threshold)
	case c.Counts[bench.NotComparable] > 0 && len(c.Foresight.Unknown) > 0:
		return together
	case c.Counts[bench.NotComparable] > 0:
		return "the comparison says why; where the change was made on purpose, save a new baseline"
	case c.Counts[bench.Unconverged] > 0:
		return "the machine was too busy, or looked too briefly: sample again"
	}
	return "where a benchmark is gone on purpose, save a new baseline"
}

// againstHint says how two builds are compared.
func againstHint(revision string, threshold float64) string {
	return fmt.Sprintf("`omniloader bench --against %s`, in a checkout, builds both revisions and judges changes of %s", cmp.Or(revision, "REV"), (&share{threshold}).String())
}

// share is the value of a flag that takes a share: 5% or 0.05.
type share struct{ value float64 }

func (s *share) Type() string   { return "SHARE" }
func (s *share) String() string { return fmt.Sprintf("%.4g%%", s.value*100) }

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
