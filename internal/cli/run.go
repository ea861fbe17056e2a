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

Flags that are not given are taken from omniloader.yaml, a config file beside the
features or in a folder above them; its keys are the names of the flags.

A baseline that was not sampled, by --output or by the predecessor, has only mean
times. On a shared machine they called 45 % of unchanged benchmarks changed. So a
benchmark is red only where even the fastest call is slower than the slowest was,
also when it is measured again after a pause. Any other change of a mean is "not told
by means", and fails nothing, unless --fail-on lists means.

A scenario with an undefined or ambiguous step or none, a file that does not parse and
a second benchmark of the same name cannot be judged: the others run, and the run ends
in exit code 2, or 1 if one of them failed. A selection that is empty runs nothing.

A scenario whose operation does not come back in time has failed, with the calls that
were under way, and the run goes on. An operation that does not heed the end of its time
may still be running then, so that nothing is measured in this run any more.

@FILE in the place of a path stands for the paths in the lines of a file.`,
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
  omniloader run --last-failed                  what failed in the last run once more
  omniloader run --retry 2 --fail-on flaky      tell what fails now and then from what fails
  omniloader run --format rerun:failed.txt      write the places of what failed, and
  omniloader run @failed.txt                    run these
  omniloader run --profile nightly              the profile nightly of omniloader.yaml
  omniloader run --show-config                  the settings, and where each comes from
  omniloader run --shard 3/8 --run-file 3.json  the third of eight parts; see omniloader merge
  omniloader run --dry-run my.feature           check the steps, run nothing`,
		ValidArgsFunction: completeFiles("feature"),
	}
	flags := newRunFlags(c)
	p.completeRunFlags(c, flags)
	c.RunE = func(c *cobra.Command, paths []string) error { return p.runWithFlags(c.Context(), flags, paths) }
	return c
}

func (p *program) runWithFlags(ctx context.Context, flags *runFlags, paths []string) error {
	configured, err := p.configure(&flags.config, paths)
	if err != nil {
		return p.nothingRan(outputsNamed(p.args), err)
	}
	if flags.config.show {
		return p.showConfig(flags, configured)
	}
	settings, err := flags.settings(configured.paths)
	if err != nil {
		return p.nothingRan(outputsNamed(p.args), configured.explain(err))
	}
	p.noteConfig(configured)
	settings.setup.TimeNotJudged = p.timeNotJudged
	ctx, cancel := settings.control.bound(ctx)
	defer cancel()
	return p.run(ctx, settings)
}

// run runs the scenarios that the settings select, and writes and judges what they ask
// for.
func (p *program) run(ctx context.Context, s *runSettings) error {
	if s.emptyList != "" {
		p.note("%s names no scenario: there is nothing to run again", s.emptyList)
		return p.reportNothing(s)
	}
	loaded, err := loadFeatures(ctx, s.paths)
	if err == nil && s.rerun != nil {
		var nothing bool
		if nothing, err = p.prepareRerun(loaded, s); nothing {
			return err
		}
	}
	var plan *suite.Plan
	if err == nil {
		plan, err = suite.Select(loaded, s.selection)
	}
	if err == nil {
		plan.Expect(vocabularyOf(p.loader), s.setup.UpdateAnswers)
		p.noteAdded(plan)
		plan.ExpectCallers(s.setup.Callers)
	}
	var sampling runSampling
	if err == nil && !s.dryRun {
		sampling, err = p.prepareSampling(plan, s)
	}
	if err == nil {
		plan = p.divide(plan, s.shard)
	}
	if err == nil && s.dryRun {
		return p.dryRun(ctx, plan, s)
	}
	if err == nil {
		err = plan.LacksModel() // before the run file is replaced
	}
	if err == nil {
		err = p.replaceEarlierReports(&s.outputs)
	}
	var finished *outcome.Run
	var file *runfile.Writer
	if err == nil {
		finished, file, err = p.carryOut(ctx, plan, s)
	}
	if err != nil {
		return p.nothingRan(&s.outputs, err)
	}
	sampling.measureAgain = func(ctx context.Context, wanted map[bench.Key]bool) ([]bench.Result, error) {
		return p.measureAgain(ctx, plan, s, finished, wanted)
	}
	p.noteUpdatedAnswers(s.setup)
	err = p.finishRun(ctx, finished, &s.outputs, &sampling, selectionText(s.paths, s.selection, s.shard))
	file.Finish(finished)
	return err
}

// prepareSampling says how the benchmarks of a plan are sampled and compared. It refuses
// outputs that need a benchmark where the plan has none.
func (p *program) prepareSampling(plan *suite.Plan, s *runSettings) (runSampling, error) {
	sampling := runSampling{
		baseline: s.outputs.baseline, threshold: s.outputs.threshold, wanted: s.outputs.saveBaseline != "",
		job: sampleJob{
			Loader: p.loader, Paths: s.paths, Timeout: s.control.timeout, Architectures: s.setup.Architectures, Plan: p.samplingPlan(s.outputs.baseline),
		},
	}
	sampling.job.setSelection(s.selection)
	if s.outputs.needsFigures() && plan.Benchmarks() == 0 {
		return sampling, errNothingMeasured("there are no figures to keep or compare")
	}
	var err error
	if sampling.baseline != nil {
		sampling.preview, err = p.noteWhatCanBeCompared(sampling.baseline, sampling.job.Plan, sampling.threshold)
	}
	return sampling, err
}

// dryRun checks the scenarios of a plan and writes the reports, in which all of them are
// skipped. On standard output a report for people is one sentence.
func (p *program) dryRun(ctx context.Context, plan *suite.Plan, s *runSettings) error {
	err := check(ctx, plan)
	if ctx.Err() != nil {
		return p.nothingRan(&s.outputs, err)
	}
	run := plan.DryRun(ctx)
	run.Origin, run.Version = originOf(run.Started), ownVersion()
	failures := p.writeReports(run, s.outputs.reports, func(d reportDestination) bool { return d.file != "" || !d.forPeople() })
	if stdoutIsForPeople(s.outputs.reports) {
		p.describePlan(plan, run)
	}
	return p.complainAllButLast(append(failures, err))
}

// noteAdded names the scenarios that run though they were not asked for.
func (p *program) noteAdded(plan *suite.Plan) {
	for _, s := range plan.Added() {
		p.note("%s:%d runs too: a bound is relative to the benchmark of %q", printable(s.URI), s.Line, printable(s.Name))
	}
}

// errNothingMeasured is the error for a selection without a benchmark; consequence
// says why one is needed.
func errNothingMeasured(consequence string) error {
	return errorWithHint("a scenario is measured when it bounds latency or memory, or is tagged @benchmark",
		"nothing selected is measured, so %s", consequence)
}

// checkedPlan is planOf with every scenario checked against what a loader says.
func checkedPlan(ctx context.Context, paths []string, selection suite.Selection, loader string) (*suite.Plan, error) {
	plan, err := planOf(ctx, paths, selection)
	if err != nil {
		return nil, err
	}
	plan.Expect(vocabularyOf(loader), false)
	return plan, check(ctx, plan)
}

// check checks every scenario of a plan.
func check(ctx context.Context, plan *suite.Plan) error {
	err := plan.Check(ctx)
	if ctx.Err() != nil {
		return errorWithHint("nothing was run", "%s", whyEnded(ctx))
	}
	return err
}

// planOf selects among the scenarios of feature files, or of the built-in features
// where no path is given.
func planOf(ctx context.Context, paths []string, selection suite.Selection) (*suite.Plan, error) {
	loaded, err := loadFeatures(ctx, paths)
	if err != nil {
		return nil, err
	}
	return suite.Select(loaded, selection)
}

// loadFeatures loads feature files, or the built-in features where no path is given.
func loadFeatures(ctx context.Context, paths []string) ([]*suite.Feature, error) {
	load := func() ([]*suite.Feature, error) { return suite.LoadFS(ctx, features.FS, "features") }
	if len(paths) > 0 {
		load = func() ([]*suite.Feature, error) { return suite.Load(ctx, paths) }
	}
	loaded, err := load()
	if ctx.Err() != nil {
		return nil, errorWithHint("nothing was run", "%s", whyEnded(ctx))
	}
	return loaded, err
}

// describePlan is what a dry run prints.
func (p *program) describePlan(plan *suite.Plan, run *outcome.Run) {
	scenarios, lines := 0, 0
	for _, s := range plan.Scenarios() {
		scenarios++
		lines += len(s.Steps)
	}
	verdict := "every step is defined and unambiguous"
	if t := run.Totals(); t.Unjudged+t.UnjudgedFiles > 0 {
		verdict = countUnjudged(t) + " could not be judged"
	}
	fmt.Fprintf(p.out, "%s, %s, %s: %s\n", quantity.Count(scenarios, "scenario"),
		quantity.Count(lines, "step"), quantity.Count(plan.Benchmarks(), "benchmark"), verdict)
	if left := report.LeftOut(run); left != "" {
		fmt.Fprintln(p.out, left)
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
		if failed := closeLoader(l); failed != nil {
			p.note("%v", failed) // what it answered stays judged
		}
	}()
	if name, seed := s.control.orderName(); seed != "" {
		p.note("%s order: --order %s:%s has it again", name, name, seed)
	}
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
		Grace: p.grace, Timeout: s.control.timeout, Retries: s.control.retries, MaxFailures: s.control.maxFailures, Seed: s.control.seed,
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

	// measureAgain measures these benchmarks of the run once more.
	measureAgain func(ctx context.Context, wanted map[bench.Key]bool) ([]bench.Result, error)
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
