package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"omniloader/internal/bench"
	"omniloader/internal/child"
	"omniloader/internal/quantity"
	"omniloader/internal/report"
	"omniloader/internal/suite"
	"omniloader/loader/undertest"
	"omniloader/steps"
)

// againstFlags are the flags of bench, as given.
type againstFlags struct {
	revision   string
	pkg        string
	linkOrders count
	categories []string
	tags       string
	checkpoint checkpointFlags
	threshold  share
	failOn     failOn
	format     string
	output     string
}

func (p *program) benchCommand() *cobra.Command {
	flags := &againstFlags{
		pkg: ".", linkOrders: count{4, 4}, threshold: share{bench.DefaultThreshold}, failOn: failOnOfBench(), format: "text",
	}
	c := &cobra.Command{
		Use:   "bench --against REV [FEATURE…]",
		Short: "Compare the benchmarks of this source tree with those of another revision",
		Long: `Builds the program in the current directory twice, as it is and as it was at a
revision, and compares their benchmarks side by side. Where the linker puts functions
is enough to change a benchmark by 5 % and more. Each side is therefore linked several
times, with its functions in random order and aligned to 64 bytes, and judged by the
median of these builds. The rounds of one build of each side alternate, so that
a slow phase of the machine affects both. Where a benchmark looks slower or faster, or
its floor was not found, as many builds more are measured.

It needs Go, git, and a checkout; both revisions must support being sampled.`,
		Example: `  omniloader bench --against main
  omniloader bench --against HEAD~1 --format markdown >> "$GITHUB_STEP_SUMMARY"`,
		RunE: func(c *cobra.Command, args []string) error {
			selection, err := flags.selection(c.Flags())
			if err != nil {
				return err
			}
			return p.compareRevisions(c.Context(), flags, selection, args)
		},
		ValidArgsFunction: completeFiles("feature"),
		Annotations: map[string]string{
			meaningOf0: "no benchmark is red",
			meaningOf1: "a benchmark is red",
			meaningOf2: "could not judge: no Go toolchain or git, a revision that does not exist or\n     does not build, nothing to compare, or more than a tenth without a verdict",
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&flags.revision, "against", "", "the revision `REV` to compare with, as git names it")
	f.StringVar(&flags.pkg, "package", flags.pkg, "the `PACKAGE` of the program, from the current directory")
	f.Var(&flags.linkOrders, "layouts", "builds of each side, each linked in another random order")
	f.StringArrayVar(&flags.categories, "category", nil, "only benchmarks of this `NAME` of category; repeat it for more")
	f.StringVar(&flags.tags, "tags", "", "only benchmarks for which the tag `EXPR` holds")
	flags.checkpoint.define(f)
	f.Var(&flags.threshold, "threshold", "slower by more than this is red")
	f.Var(&flags.failOn, "fail-on", failOnHelp)
	f.StringVar(&flags.format, "format", flags.format, "report as `NAME`: "+strings.Join(report.ComparisonFormatNames(), ", "))
	f.StringVar(&flags.output, "output", "", "write the figures of the current tree to this results `FILE`")
	_ = c.MarkFlagDirname("model")
	p.completeRevisions(c, "against")
	p.completeFlag(c, "tags", builtinTags)
	p.completeFlag(c, "category", steps.Categories)
	p.completeFlag(c, "format", report.ComparisonFormatNames)
	p.completeFailOn(c, &flags.failOn)
	_ = c.MarkFlagDirname("presets")
	return c
}

// revision is the source of one of the two programs that are compared, and what was
// sampled of it.
type revision struct {
	name    string // for messages
	dir     string // of its source
	commit  string
	changes string // git's id of the tree with changes that are not committed, "" for none
	seeds   []int  // of the link orders of its builds
	samples []*bench.Samples
}

// compareRevisions is the command bench.
func (p *program) compareRevisions(ctx context.Context, f *againstFlags, selection suite.Selection, paths []string) (err error) {
	format, err := f.check()
	if err != nil {
		return err
	}
	b := &revisionBench{
		p: p, flags: f, selection: selection,
		job: sampleJob{Loader: p.loader, Plan: p.samplingPlan(nil)},
	}
	b.job.setSelection(selection)
	b.job.Plan.Processes = f.linkOrders.n
	for _, path := range paths {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		b.job.Paths = append(b.job.Paths, absolute)
	}
	if err := b.refuseEmptySelection(ctx); err != nil {
		return err
	}
	if b.tempDir, err = os.MkdirTemp("", "omniloader-bench-"); err != nil {
		return errorWithHint("set TMPDIR to a directory that can be written", "there is no place for the builds: %w", err)
	}
	defer func() {
		if err != nil && ctx.Err() != nil && !errors.Is(err, bench.ErrInterrupted) { // a tool was interrupted too
			err = fmt.Errorf("%w: %w", bench.ErrInterrupted, context.Cause(ctx))
		}
		err = errors.Join(err, os.RemoveAll(b.tempDir))
	}()
	if b.old, b.new, err = findRevisions(ctx, f.revision, b.tempDir); err != nil {
		return err
	}
	comparison, file, err := b.measure(ctx)
	if err != nil {
		return err
	}
	file.Selection = selectionText(paths, selection, nil)
	if f.output != "" {
		if err := file.Write(f.output); err != nil {
			return err
		}
	}
	f.failOn.withhold(comparison)
	if err := standardOutput(format.Render(p.out, comparison, p.out.options())); err != nil {
		return err
	}
	return p.judgeComparison(&f.failOn, comparison)
}

// selection is what is to be compared, with which checkpoints. Of the environment nothing
// is used.
func (f *againstFlags) selection(set *pflag.FlagSet) (suite.Selection, error) {
	models, checkpoints, err := f.checkpoint.checkpoints(set, Environment{})
	return suite.Selection{Tags: f.tags, Categories: f.categories, Models: models, Checkpoints: checkpoints}, err
}

// check refuses flags that cannot be right, and a machine without the tools, before
// anything is built.
func (f *againstFlags) check() (report.ComparisonFormat, error) {
	var none report.ComparisonFormat
	if f.revision == "" {
		return none, errorWithHint("omniloader bench --against main", "bench compares with a revision: --against is missing")
	}
	format, err := report.ComparisonFormatByName(f.format)
	if err != nil {
		return none, fmt.Errorf("--format: %w", err)
	}
	if err := errors.Join(refuseUnwritable(namedFile{"--output", f.output}), refuseFeatureFiles(f.output)); err != nil {
		return none, err
	}
	for _, tool := range []string{"go", "git"} {
		if err := child.Available(tool); err != nil {
			return none, errorWithHint("install it; two runs of one build are compared without it: omniloader run --baseline FILE", "bench builds both revisions, and there is no %s here: %w", tool, err)
		}
	}
	return format, nil
}

// revisionBench measures two revisions against each other.
type revisionBench struct {
	p         *program
	flags     *againstFlags
	selection suite.Selection
	job       sampleJob
	tempDir   string // for sources and builds
	old, new  *revision
}

// refuseEmptySelection refuses a selection in which nothing is measured, before minutes
// are spent on building. It can tell for feature files and for the scenarios of this
// program, which are taken for those of the current directory; not for the program that
// --package names.
func (b *revisionBench) refuseEmptySelection(ctx context.Context) error {
	if len(b.job.Paths) == 0 && b.flags.pkg != "." {
		return nil
	}
	plan, err := checkedPlan(ctx, b.job.Paths, b.selection, undertest.Builtin)
	if err != nil {
		return err
	}
	if plan.Benchmarks() == 0 {
		return errNothingMeasured("there is nothing to compare")
	}
	return nil
}

// measure samples builds of both revisions and compares them; file has the measurements
// of the current directory. Where the comparison leaves anything unsure, as many builds
// more are sampled.
func (b *revisionBench) measure(ctx context.Context) (comparison *bench.Comparison, file *bench.File, err error) {
	start := time.Now()
	noteContention := bench.WatchOtherLoad()
	perPass := b.flags.linkOrders.n
	for pass, passes := 0, 1; pass < passes; pass++ {
		if pass > 0 {
			b.p.note("some benchmarks seem changed or are still unclear: measuring %d more builds of both sides", perPass)
		}
		for i := range perPass {
			build := pass*perPass + i
			b.p.note("build %d of %d: linking and sampling both sides", build+1, passes*perPass)
			// no seed is used for both sides: the same code would get the same link order
			if err := b.sampleBuilds(ctx, 1+2*build, 2+2*build); err != nil {
				return nil, nil, err
			}
		}
		if comparison, file, err = b.compare(noteContention); err != nil {
			return nil, nil, err
		}
		if pass == 0 && comparison.NeedsMoreSamples() {
			passes = 2
		}
	}
	b.p.note("sampled %d builds of each side: %s, %s", len(b.new.samples),
		quantity.Count(len(b.new.samples[0].Benchmarks), "benchmark"), time.Since(start).Round(time.Second))
	return comparison, file, nil
}

// compare compares the samples so far; noteContention adds to a results file how busy
// the machine was.
func (b *revisionBench) compare(noteContention func(environment map[string]any)) (*bench.Comparison, *bench.File, error) {
	files := [2]*bench.File{}
	for i, r := range []*revision{b.old, b.new} {
		var err error
		origin := bench.Origin{Time: time.Now(), GoVersion: r.samples[0].GoVersion, Platform: bench.Platform(), Environment: r.environment()}
		if files[i], err = bench.LinkOrderFile(origin, r.buildName(), b.job.Plan, r.samples, r.seeds); err != nil {
			return nil, nil, err
		}
		noteContention(files[i].Environment)
	}
	comparison, err := bench.Compare(files[0], files[1], b.flags.threshold.value)
	return comparison, files[1], err
}

// buildName identifies the code of a revision.
func (r *revision) buildName() string {
	if r.changes == "" {
		return r.commit
	}
	return r.commit + " with changes " + r.changes
}

// environment describes where the revision was sampled and what of it. That comes from
// its samples, as this program may be of another commit and version of Go.
func (r *revision) environment() map[string]any {
	environment := fingerprint()
	for key := range bench.Host() {
		delete(environment, key)
	}
	maps.Copy(environment, r.samples[0].Environment)
	environment["commit"], environment["dirty"] = r.commit, r.changes != ""
	return environment
}

// sampleBuilds links each side in the order of a seed of its own, and samples both, their
// rounds interleaved.
func (b *revisionBench) sampleBuilds(ctx context.Context, oldSeed, newSeed int) error {
	sides, seeds := []*revision{b.old, b.new}, []int{oldSeed, newSeed}
	var processes []samplingProcess
	for i, r := range sides {
		binary, err := r.link(ctx, b.flags.pkg, b.tempDir, seeds[i])
		if err != nil {
			return err
		}
		job := b.job
		job.Seed, job.Memory = uint64(time.Now().UnixNano()), len(r.samples) == 0
		sampler := func() (child.Command, error) { return interruptibleCommand(binary, sampleProcess), nil }
		processes = append(processes, samplingProcess{r.name, sampler, job})
		defer os.Remove(binary) // now, as builds are large; its directory is removed at the end
	}
	samples, err := interleave(ctx, processes)
	switch {
	case errors.Is(err, bench.ErrInterrupted):
		return err
	case errors.Is(err, bench.ErrSamplingMismatch) || err != nil && strings.Contains(err.Error(), bench.ErrSamplingMismatch.Error()): // found here, or by the process
		return errorWithHint("both sides are sampled in one way or not compared: run the omniloader of the current directory, go run . bench, and name a revision that samples as it does", "%w", err)
	case err != nil && strings.Contains(err.Error(), sampleProcess): // unknown command
		return errorWithHint("a revision that can be sampled has the command "+sampleProcess, "%w", err)
	case err != nil:
		return err
	}
	for i, r := range sides {
		r.samples, r.seeds = append(r.samples, samples[i]), append(r.seeds, seeds[i])
	}
	return nil
}

// link builds the program of a revision, its functions in the order of a seed, and gives
// the path of the executable.
func (r *revision) link(ctx context.Context, pkg, dir string, seed int) (executable string, err error) {
	executable = filepath.Join(dir, fmt.Sprintf("build-%d", seed))
	if runtime.GOOS == "windows" {
		executable += ".exe"
	}
	_, err = tool{dir: r.dir}.output(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		fmt.Sprintf("-ldflags=-funcalign=%d -randlayout=%d", bench.FunctionAlignment, seed), "-o", executable, pkg)
	if err != nil && !errors.Is(err, bench.ErrInterrupted) {
		err = fmt.Errorf("%s does not build: %w", r.name, err)
	}
	return executable, err
}
