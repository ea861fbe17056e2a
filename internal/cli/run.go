package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"omniloader/features"
	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/quantity"
	"omniloader/internal/report"
	"omniloader/internal/runfile"
	"omniloader/internal/suite"
	"omniloader/steps"
)

func (p *program) runCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "run [FEATURE…]",
		Short: "Run scenarios: the built-in ones, or those of feature files and folders",
		Long: `Runs scenarios and says which promises hold. Without a path these are the built-in
ones. A scenario that bounds latency or memory is measured, alone on the machine,
after all others.

With --save-baseline or --baseline the benchmarks are sampled as well, for some
seconds: in rounds, in random order, in processes of their own. Those that then look
slower than the baseline are sampled again in two more processes (half a minute later
where there are many, as machines have slow phases of that length), and are called
red only if they stay slower: by 5 %, or --threshold, where the baseline's build had
its code at the same addresses, as a build of the same code has. From other code only
changes of 30 % can be told, because the places where the linker puts code can make
smaller ones: what is between is not comparable, and "omniloader bench --against REV"
can judge it. The run says beforehand which of the two it will be.

A baseline that was not sampled, by --output or by the predecessor, is compared by
its mean times. On a shared machine they called 45 % of unchanged benchmarks changed:
red by means is no failure, unless even the fastest call is slower than the slowest
was, or --fail-on lists means.

A scenario with an undefined or ambiguous step or none, a file that does not parse and
a second benchmark of the same name cannot be judged: the others run, and the run ends
in exit code 2, or 1 if one of them failed. A selection that is empty runs nothing.`,
		Example: `  omniloader run                                every built-in scenario
  omniloader run features/ my.feature           feature files and folders
  omniloader run my.feature:12                  the scenario or Examples row at line 12
  omniloader run --tags "@sae and not @slow"    a Cucumber tag expression
  omniloader run --all --output results.json    measure memory too, keep the figures
  omniloader run --concurrency 8                measure with eight callers at once, too
  omniloader run --save-baseline main.json      sample the benchmarks for later comparisons
  omniloader run --baseline main.json           sample them again, and compare
  omniloader run --format junit:report.xml      a report for a CI server
  omniloader run --model ~/models/llama-3-8b --tags @real
                                                scenarios on a checkpoint of your own
  omniloader run --dry-run my.feature           check the steps, run nothing`,
		ValidArgsFunction: completeFiles("feature"),
	}
	flags := newRunFlags(c)
	c.RunE = func(c *cobra.Command, paths []string) error { return p.runWithFlags(c.Context(), flags, paths) }
	return c
}

func (p *program) runWithFlags(ctx context.Context, flags *runFlags, paths []string) error {
	settings, err := flags.settings(paths)
	if err != nil {
		return err
	}
	settings.setup.TimeNotJudged = p.timeNotJudged
	return p.run(ctx, settings)
}

// run runs the scenarios that the settings select, and writes and judges what they ask
// for.
func (p *program) run(ctx context.Context, s *runSettings) error {
	plan, err := planOf(ctx, s.paths, s.selection)
	if err != nil {
		return err
	}
	if s.dryRun {
		if err := check(ctx, plan); err != nil {
			return err
		}
		p.describePlan(plan)
		return nil
	}
	if s.outputs.needsFigures() && plan.Benchmarks() == 0 {
		return errNothingMeasured("there are no figures to keep or compare")
	}
	sampling := runSampling{
		baseline: s.outputs.baseline, threshold: s.outputs.threshold, wanted: s.outputs.saveBaseline != "",
		job: sampleJob{
			Loader: p.loader, Paths: s.paths, Tags: s.selection.Tags, Categories: s.selection.Categories, Model: s.setup.Model,
			Architectures: s.setup.Architectures, Plan: p.samplingPlan(s.outputs.baseline),
		},
	}
	if sampling.baseline != nil {
		if sampling.preview, err = p.noteWhatCanBeCompared(sampling.baseline, sampling.job.Plan, sampling.threshold); err != nil {
			return err
		}
	}
	finished, file, err := p.carryOut(ctx, plan, s)
	if err != nil {
		return err
	}
	err = p.finishRun(ctx, finished, &s.outputs, &sampling, selectionText(s.paths, s.selection))
	finishRunFile(file, finished)
	return err
}

// errNothingMeasured is the error for a selection without a benchmark; consequence
// says why one is needed.
func errNothingMeasured(consequence string) error {
	return errorWithHint("a scenario is measured when it bounds latency or memory, or is tagged @benchmark",
		"nothing selected is measured, so %s", consequence)
}

// checkedPlan is planOf with every scenario checked.
func checkedPlan(ctx context.Context, paths []string, selection suite.Selection) (*suite.Plan, error) {
	plan, err := planOf(ctx, paths, selection)
	if err != nil {
		return nil, err
	}
	return plan, check(ctx, plan)
}

// check checks every scenario of a plan.
func check(ctx context.Context, plan *suite.Plan) error {
	err := plan.Check(ctx)
	if ctx.Err() != nil {
		return errorWithHint("nothing was run", "interrupted")
	}
	return err
}

// planOf selects among the scenarios of feature files, or of the built-in features
// where no path is given.
func planOf(ctx context.Context, paths []string, selection suite.Selection) (*suite.Plan, error) {
	load := func() ([]*suite.Feature, error) { return suite.LoadFS(ctx, features.FS, "features") }
	if len(paths) > 0 {
		load = func() ([]*suite.Feature, error) { return suite.Load(ctx, paths) }
	}
	loaded, err := load()
	if ctx.Err() != nil {
		return nil, errorWithHint("nothing was run", "interrupted")
	}
	if err != nil {
		return nil, err
	}
	return suite.Select(loaded, selection)
}

// describePlan is what a dry run prints.
func (p *program) describePlan(plan *suite.Plan) {
	scenarios, lines := 0, 0
	for _, s := range plan.Scenarios() {
		scenarios++
		lines += len(s.Steps)
	}
	fmt.Fprintf(p.out, "%s, %s, %s: every step is defined and unambiguous\n", quantity.Count(scenarios, "scenario"),
		quantity.Count(lines, "step"), quantity.Count(plan.Benchmarks(), "benchmark"))
	if text := outcome.LeftOutText(plan.LeftOut()); text != "" {
		fmt.Fprintln(p.out, text)
	}
}

// carryOut runs the scenarios of a plan and shows its progress on a terminal. The run
// file is started, and nil where none is written.
func (p *program) carryOut(ctx context.Context, plan *suite.Plan, s *runSettings) (*outcome.Run, *runfile.Writer, error) {
	l, err := OpenLoader(ctx, p.loader)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if failed := l.Close(); failed != nil {
			p.note("closing the loader %q: %v", l.Name(), failed) // what it answered stays judged
		}
	}()
	file, err := p.createRunFile(ctx, plan, s, l)
	if err != nil {
		return nil, nil, err
	}
	started := time.Now()
	progress := &report.ProgressLine{} // shows nothing
	if o := p.err.options(); p.out.terminal && o.Color {
		progress = report.NewProgressLine(p.err, o)
	}
	listen := func(e outcome.Event) {
		progress.Listen(e)
		if p.listener != nil {
			p.listener(e)
		}
	}
	run, err := plan.Run(ctx, suite.Options{
		Setup: s.setup.Derive(func(setup *steps.Setup) { setup.Loader = l }), Jobs: s.jobs, Listener: listen, RunFile: file,
		Pause: func(ctx context.Context) { p.wait(ctx, steps.RemeasureDelay) },
	})
	progress.Stop()
	if err != nil {
		file.Close(&runfile.End{Ended: time.Now(), Duration: time.Since(started), Error: runfile.Text(strings.TrimSpace(err.Error()))})
		return nil, nil, err
	}
	run.Origin = originOf(run.Started)
	run.Version = ownVersion()
	return run, file, nil
}

// runSampling is how the benchmarks of a run are sampled and compared.
type runSampling struct {
	job       sampleJob
	wanted    bool          // whether or not there is something to compare with
	baseline  *bench.File   // or nil
	preview   bench.Preview // what a comparison with the baseline can judge
	threshold float64
}

// needed tells whether the benchmarks have to be sampled. For a comparison that
// cannot judge times they need not be.
func (s *runSampling) needed() bool {
	return s.wanted || s.baseline != nil && s.baseline.Plan != nil && len(s.preview.Differences) == 0
}

// samplingPlan is the plan of the baseline, or the default one.
func (p *program) samplingPlan(baseline *bench.File) bench.Sampling {
	plan := bench.DefaultSampling()
	if p.sampling != nil {
		plan = *p.sampling
	}
	if baseline != nil && baseline.Plan != nil {
		processes := plan.Processes
		plan = *baseline.Plan
		plan.Processes = processes
	}
	return plan
}
