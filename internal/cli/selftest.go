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
	"omniloader/internal/quantity"
	"omniloader/internal/report"
)

func (p *program) selftestCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "selftest",
		Short: "Measure how reliable this program's verdicts are on this machine",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.noiseCommand())
	return c
}

// noiseFlags are the flags of selftest noise, as given.
type noiseFlags struct {
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
	s := &noiseFlags{
		comparisons: count{30, 6}, rotations: count{2, 0}, busy: count{1, 0}, budget: 15 * time.Minute, threshold: share{bench.DefaultThreshold},
	}
	c := &cobra.Command{
		Use:   "noise",
		Short: "Count the false alarms and the slowdowns found, on this machine",
		Long: `Compares the built-in benchmarks with themselves, as run --baseline would, and
counts those that are called slower although nothing changed. Then it slows some of
them down by 5, 10 and 20 %, and counts those that are found. Beside each figure is
that of the naive rule, the mean of single calls, on the same data.

Comparisons are the ordered pairs of runs, and share runs with each other.`,
		Example: `  omniloader selftest noise
  omniloader selftest noise --comparisons 90 --output noise.json
  omniloader selftest noise --busy 0 --budget 2m`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.measureNoise(c.Context(), s) },
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
	c.Annotations = map[string]string{meaningOf2: "could not be measured: a wrong flag, nothing selected, or too small a budget"}
	return c
}

// A noise study slows slowedSize benchmarks by each of these shares.
var slowedShares = []float64{0.05, 0.10, 0.20}

const (
	slowedSize = 12
	minRuns    = 3 // of the unchanged program: a study needs them to judge
	busyRuns   = 3 // beside busy loops
)

// noiseStudy takes the runs of a noise study, one process after the other.
type noiseStudy struct {
	*bench.NoiseStudy
	p          *program
	ctx        context.Context
	flags      *noiseFlags
	job        sampleJob
	deadline   time.Time
	longest    time.Duration // of a run so far
	wantedRuns int           // how many runs of the unchanged program are wanted
}

func (p *program) measureNoise(ctx context.Context, flags *noiseFlags) error {
	if err := errors.Join(refuseUnwritable(namedFile{"--output", flags.output}), refuseFeatureFiles(flags.output)); err != nil {
		return err
	}
	s := &noiseStudy{
		p: p, ctx: ctx, flags: flags, deadline: time.Now().Add(flags.budget),
		job:        sampleJob{Loader: p.loader, Tags: flags.tags, Categories: flags.categories, Plan: p.samplingPlan(nil), Memory: true},
		wantedRuns: runsFor(flags.comparisons.n),
	}
	s.NoiseStudy = &bench.NoiseStudy{Plan: s.job.Plan, Threshold: flags.threshold.value}
	ended := s.takeAll()
	if len(s.Quiet) < minRuns {
		if ended != nil {
			return ended
		}
		return errorWithHint("give it a larger --budget, or fewer benchmarks", "the budget of %s was enough for %s, %d are needed", flags.budget,
			quantity.Count(len(s.Quiet), "run"), minRuns)
	}
	result, err := s.Judge()
	if err != nil {
		return err
	}
	s.noteMissingRuns(ended != nil)
	if err := standardOutput(report.Noise(p.out, result, p.out.options())); err != nil {
		return err
	}
	if flags.output != "" {
		ended = errors.Join(ended, atomicfile.Write(flags.output, func(w io.Writer) error { return report.NoiseJSON(w, result) }))
	}
	return ended
}

// runsFor gives how many runs have so many ordered pairs at least: n runs have n(n-1).
func runsFor(comparisons int) int {
	return max(minRuns, int(math.Ceil((1+math.Sqrt(1+4*float64(comparisons)))/2)))
}

// noteMissingRuns says how many of the runs that were asked for were taken, unless all.
func (s *noiseStudy) noteMissingRuns(interrupted bool) {
	slowed, busy := 2*s.flags.rotations.n, min(s.flags.busy.n, 1)*busyRuns
	if len(s.Quiet) >= s.wantedRuns && len(s.Slowed) >= slowed && len(s.Busy) >= busy {
		return
	}
	why := fmt.Sprintf("the budget of %s was used up", s.flags.budget)
	if interrupted {
		why = "it was ended early"
	}
	s.p.note("%s: %d of %d runs of the unchanged program, %d of %d slowed ones, %d of %d beside busy loops", why,
		len(s.Quiet), s.wantedRuns, len(s.Slowed), slowed, len(s.Busy), busy)
}

// takeAll takes the runs of the study: unchanged ones, slowed ones between them, and
// unchanged ones beside busy loops. A machine becomes slower and faster by a few per cent
// from minute to minute: were all slowed runs behind all unchanged ones, that would count
// as a change. Runs that ended before an error are in the study.
func (s *noiseStudy) takeAll() error {
	rotations := s.flags.rotations.n
	for rotation := range rotations {
		before := minRuns + rotation*(s.wantedRuns-minRuns)/rotations // unchanged runs before this slowed pair
		if err := s.take(&s.Quiet, before-len(s.Quiet), nil, nil); err != nil || len(s.Quiet) < minRuns {
			return err
		}
		names, floors := floorsOf(s.Quiet)
		slowdown, seconds := bench.SlowedSets(names, floors, slowedShares, slowedSize, rotation)
		var pair []bench.NoiseRun
		if err := s.take(&pair, 2, slowdown, seconds); err != nil {
			return err
		}
		if len(pair) == 2 {
			s.Slowed = append(s.Slowed, pair...)
		}
	}
	if err := s.take(&s.Quiet, s.wantedRuns-len(s.Quiet), nil, nil); err != nil || s.flags.busy.n == 0 || len(s.Quiet) < minRuns {
		return err
	}
	stop := startBusyLoops(s.flags.busy.n)
	defer stop()
	return s.take(&s.Busy, busyRuns, nil, nil)
}

// take adds n runs, or fewer where the budget ends. slowdown is the share that each
// benchmark is slowed by, and seconds what that is in seconds a call.
func (s *noiseStudy) take(runs *[]bench.NoiseRun, n int, slowdown, seconds map[string]float64) error {
	for range n {
		run, err := s.takeOne(slowdown, seconds)
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

// takeOne takes one run; it gives nil where the budget would end before the run does.
func (s *noiseStudy) takeOne(slowdown, seconds map[string]float64) (*bench.NoiseRun, error) {
	if s.longest > 0 && time.Now().Add(s.longest).After(s.deadline) {
		return nil, nil
	}
	run := &bench.NoiseRun{Slowdown: slowdown}
	job := s.job
	job.Slowdown = seconds
	start := time.Now()
	var err error
	run.Processes, err = s.p.sampleInProcesses(s.ctx, slices.Repeat([]sampleJob{job}, job.Plan.Processes)...)
	run.Duration = time.Since(start)
	s.longest = max(s.longest, run.Duration)
	return run, err
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

// startBusyLoops keeps n threads busy until stop is called.
func startBusyLoops(n int) (stop func()) {
	var over atomic.Bool
	var loops sync.WaitGroup
	before := runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), n+1)) // one more, for the goroutine that measures
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
