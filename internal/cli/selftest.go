package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"omniloader/internal/atomicfile"
	"omniloader/internal/bench"
	"omniloader/internal/report"
)

func (p *program) selftestCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "selftest",
		Short: "Measure what this program's verdicts are worth on this machine",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.noiseCommand())
	return c
}

type noiseSettings struct {
	comparisons count
	rotations   count
	budget      time.Duration
	busy        count
	threshold   share
	categories  []string
	tags        string
	output      string
}

func (p *program) noiseCommand() *cobra.Command {
	s := &noiseSettings{
		comparisons: count{30, 6}, rotations: count{2, 0}, busy: count{1, 0}, budget: 15 * time.Minute, threshold: share{bench.DefaultThreshold},
	}
	c := &cobra.Command{
		Use:   "noise",
		Short: "Count the false alarms and the slowdowns found, on this machine",
		Long: `Compares the built-in benchmarks with themselves, as run --baseline would, and
counts what is called slower although nothing changed. Then it slows some of them
down by 5, 10 and 20 %, and counts what is found. Beside each figure stands that of
the naive rule, the mean of single calls, on the same data.

Comparisons are the ordered pairs of runs, and share runs with each other.`,
		Example: `  omniloader selftest noise
  omniloader selftest noise --comparisons 90 --output noise.json
  omniloader selftest noise --busy 0 --budget 2m`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.noise(c.Context(), s) },
	}
	f := c.Flags()
	f.SortFlags = false
	f.Var(&s.comparisons, "comparisons", "comparisons of the unchanged program with itself, at least:\nN runs make N × (N-1), 30 take 6 runs")
	f.Var(&s.rotations, "rotations", "sets of benchmarks that are slowed down, 0 for none")
	f.Var(&s.busy, "busy", "busy loops beside some of the runs, 0 for no such runs")
	f.DurationVar(&s.budget, "budget", s.budget, "start no run that would end after this `DURATION`")
	f.Var(&s.threshold, "threshold", "slower by more than this is red")
	f.StringArrayVar(&s.categories, "category", nil, "only benchmarks of this `NAME` of category; repeat it for more")
	f.StringVar(&s.tags, "tags", "", "only benchmarks for which the tag `EXPR` holds")
	f.StringVar(&s.output, "output", "", "write the figures to this `FILE` (JSON)")
	c.Annotations = map[string]string{"unable": "could not be measured: a wrong flag, nothing selected, or too small a budget"}
	return c
}

// The sizes of a study: shares that benchmarks are slowed by, and how many
// benchmarks each.
var slowedShares = []float64{0.05, 0.10, 0.20}

const slowedSize = 12

// study takes the runs of a noise study, one process after the other.
type study struct {
	p       *program
	ctx     context.Context
	job     sampleJob
	end     time.Time
	longest time.Duration // of a run so far
}

// run takes one run, or none where the budget would not last for it.
func (s *study) run(slowdown, seconds map[string]float64) (*bench.NoiseRun, error) {
	if s.longest > 0 && time.Now().Add(s.longest).After(s.end) {
		return nil, nil
	}
	run := &bench.NoiseRun{Slowdown: slowdown}
	job := s.job
	job.Slowdown = seconds
	start := time.Now()
	var err error
	run.Processes, err = s.p.freshProcesses(s.ctx, slices.Repeat([]sampleJob{job}, job.Plan.Processes)...)
	run.Duration = time.Since(start)
	s.longest = max(s.longest, run.Duration)
	return run, err
}

func (p *program) noise(ctx context.Context, settings *noiseSettings) error {
	if err := errors.Join(writable(settings.output, nil), noFeatures(nil, nil, settings.output)); err != nil {
		return err
	}
	s := &study{
		p: p, ctx: ctx, end: time.Now().Add(settings.budget),
		job: sampleJob{Tags: settings.tags, Categories: settings.categories, Plan: p.samplingPlan(nil), Memory: true},
	}
	found := &bench.NoiseStudy{Plan: s.job.Plan, Threshold: settings.threshold.value}
	quiet := max(3, int(math.Ceil((1+math.Sqrt(1+4*float64(settings.comparisons.n)))/2))) // r(r-1) ordered pairs
	ended := s.takeAll(found, quiet, settings)
	if len(found.Quiet) < 3 {
		if ended != nil {
			return ended
		}
		return unable("give it a larger --budget, or fewer benchmarks", "the budget of %s lasted for %d %s, 3 are needed", settings.budget,
			len(found.Quiet), plural(len(found.Quiet), "run", "runs"))
	}
	result, err := found.Judge()
	if err != nil {
		return err
	}
	busy := min(settings.busy.n, 1) * busyRuns
	if len(found.Quiet) < quiet || len(found.Slowed) < 2*settings.rotations.n || len(found.Busy) < busy {
		why := fmt.Sprintf("the budget of %s was used up", settings.budget)
		if ended != nil {
			why = "it was ended early"
		}
		p.note("%s: %d of %d runs of the unchanged program, %d of %d slowed ones, %d of %d beside busy loops", why,
			len(found.Quiet), quiet, len(found.Slowed), 2*settings.rotations.n, len(found.Busy), busy)
	}
	if err := standardOutput(report.Noise(p.out, result, p.out.options())); err != nil {
		return err
	}
	if settings.output != "" {
		ended = errors.Join(ended, atomicfile.Write(settings.output, func(w io.Writer) error { return report.NoiseJSON(w, result) }))
	}
	return ended
}

// busyRuns is how many runs are taken beside busy loops.
const busyRuns = 3

// takeAll takes the runs of a study: unchanged ones, slowed ones between them, and
// unchanged ones beside busy loops. A machine drifts by a few per cent from minute to
// minute, and what comes all before or all behind would seem faster or slower by that.
// What was taken before an error is in the study.
func (s *study) takeAll(found *bench.NoiseStudy, quiet int, settings *noiseSettings) error {
	const least = 3 // of which the first slowdown takes its floors
	for rotation := range settings.rotations.n {
		so := least + rotation*(quiet-least)/settings.rotations.n
		if err := s.take(&found.Quiet, so-len(found.Quiet), nil, nil); err != nil || len(found.Quiet) < least {
			return err
		}
		names, floors := floorsOf(found.Quiet)
		slowdown, seconds := bench.SlowedSets(names, floors, slowedShares, slowedSize, rotation)
		var pair []bench.NoiseRun
		if err := s.take(&pair, 2, slowdown, seconds); err != nil {
			return err
		}
		if len(pair) == 2 {
			found.Slowed = append(found.Slowed, pair...)
		}
	}
	if err := s.take(&found.Quiet, quiet-len(found.Quiet), nil, nil); err != nil || settings.busy.n == 0 || len(found.Quiet) < least {
		return err
	}
	stop := busyLoops(settings.busy.n)
	defer stop()
	return s.take(&found.Busy, busyRuns, nil, nil)
}

// take takes so many runs, or fewer where the budget ends.
func (s *study) take(runs *[]bench.NoiseRun, n int, slowdown, seconds map[string]float64) error {
	for range n {
		run, err := s.run(slowdown, seconds)
		if err != nil {
			return err
		}
		if run == nil {
			return nil
		}
		*runs = append(*runs, *run)
	}
	return nil
}

// floorsOf gives the benchmarks in order, and the floor of each over all runs.
func floorsOf(runs []bench.NoiseRun) (names []string, floors map[string]float64) {
	floors = map[string]float64{}
	for index, sample := range runs[0].Processes[0].Benchmarks {
		names = append(names, sample.Name)
		var all []bench.Process
		for _, r := range runs {
			for _, p := range r.Processes {
				all = append(all, p.Benchmarks[index].Process)
			}
		}
		floors[sample.Name] = bench.Floor(all)
	}
	return names, floors
}

// busyLoops keeps so many threads busy until the answer is called.
func busyLoops(n int) (stop func()) {
	var over atomic.Bool
	var loops sync.WaitGroup
	before := runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), n+1)) // this goroutine must get a turn too
	for range n {
		loops.Go(func() {
			for x := uint64(1); !over.Load(); {
				for range 100_000 {
					x = x*6364136223846793005 + 1442695040888963407
				}
				runtime.KeepAlive(x)
			}
		})
	}
	return func() {
		over.Store(true)
		loops.Wait()
		runtime.GOMAXPROCS(before)
	}
}
