package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"omniloader/features"
	"omniloader/internal/atomicfile"
	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/report"
	"omniloader/internal/suite"
	"omniloader/steps"
)

// runSettings are the flags of run, as given.
type runSettings struct {
	all             bool
	categories      []string
	tags            string
	iterations      count
	warmup          count
	concurrency     count
	memoryProfiling bool
	output          string
	baseline        string
	saveBaseline    string
	threshold       share
	failOn          failOn
	comparison      string
	formats         []string
	model           string
	architectures   string
	jobs            count
	dryRun          bool
}

const runEnvironment = `  BENCHMARK_ITERATIONS  stands in for --iterations
  BENCHMARK_WARMUP      stands in for --warmup
  TEST_MODEL_PATH       stands in for --model
  OMNILOADER_OUTPUT     stands in for --output
  NO_COLOR              switches colours off
A flag beats its variable, a variable beats the default.`

func (p *program) runCommand() *cobra.Command {
	s := &runSettings{}
	c := &cobra.Command{
		Use:   "run [FEATURE…]",
		Short: "Run scenarios: the built-in ones, or those of feature files and folders",
		Long: `Runs scenarios and says which promises hold. Without a path these are the built-in
ones. A scenario that bounds latency or memory is measured, alone on the machine,
after all others.

With --save-baseline or --baseline the benchmarks are sampled besides, for some
seconds: in rounds, in random order, in processes of their own. What then looks
slower than the baseline is sampled again in two more processes (half a minute later
where it is much at once, as machines have slow phases of that length), and is called
red only if it stays so: by 5 %, or --threshold, where the baseline's build had its
code at the same addresses, as a build of the same code has. From other code only
30 % can be told, because where the linker puts code alone can make that: what lies
between is not comparable, and "omniloader bench --against REV" can judge it. The run
says beforehand which of the two it will be.

A baseline that was not sampled, by --output or by the predecessor, is compared by
its mean times. On a shared machine they called 45 % of unchanged benchmarks changed:
red by means is no failure, unless even the fastest call is slower than the slowest
was, or --fail-on says means.

Steps that are undefined or ambiguous, scenarios without steps, two benchmarks of
one name and a selection that is empty stop the run before it starts.`,
		Example: `  omniloader run                                every built-in scenario
  omniloader run features/ my.feature           feature files and folders
  omniloader run my.feature:12                  the scenario or Examples row at line 12
  omniloader run --tags "@sae and not @slow"    a Cucumber tag expression
  omniloader run --all --output results.json    measure memory too, keep the figures
  omniloader run --concurrency 8                measure with eight callers at once, too
  omniloader run --save-baseline main.json      sample the benchmarks for comparisons to come
  omniloader run --baseline main.json           sample them again, and compare
  omniloader run --format junit:report.xml      a report for a CI server
  omniloader run --model ~/models/llama-3-8b --tags @real
                                                scenarios on a checkpoint of your own
  omniloader run --dry-run my.feature           check the steps, run nothing`,
		RunE: func(c *cobra.Command, args []string) error { return p.run(c, s, args) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"feature"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	p.runFlags(c, s)
	return c
}

// runFlags gives a command the flags and the help of run.
func (p *program) runFlags(c *cobra.Command, s *runSettings) {
	s.threshold, s.failOn = share{bench.DefaultThreshold}, failOnByDefault()
	s.iterations, s.warmup, s.jobs = count{bench.DefaultPlan().Iterations, 1}, count{bench.DefaultPlan().Warmup, 0}, count{runtime.NumCPU(), 1}
	s.concurrency = count{1, 1}
	f := c.Flags()
	f.SortFlags = false
	f.BoolVar(&s.all, "all", false, "every category, and memory measured for every benchmark")
	f.StringArrayVar(&s.categories, "category", nil, "only this `NAME` of category; repeat it for more:\n"+categoryHelp())
	f.StringVar(&s.tags, "tags", "", "only scenarios for which the tag `EXPR` holds:\n\"@sae and not (@slow or @real)\"")
	f.Var(&s.iterations, "iterations", "timed calls for each benchmark")
	f.Var(&s.warmup, "warmup", "calls before timing")
	f.Var(&s.concurrency, "concurrency", "measure each operation with so many callers at once, too")
	f.BoolVar(&s.memoryProfiling, "memory-profiling", false, "measure memory for every benchmark")
	f.StringVar(&s.output, "output", "", "write the figures to this results `FILE` (JSON)")
	f.StringVar(&s.baseline, "baseline", "", "compare with this results `FILE`; a regression is a failure")
	f.StringVar(&s.saveBaseline, "save-baseline", "", "sample the benchmarks, and write this results `FILE`")
	f.Var(&s.threshold, "threshold", "slower by more than this is a regression, where a scenario's\ntag @threshold:10% does not say otherwise")
	f.Var(&s.failOn, "fail-on", failOnHelp)
	f.StringVar(&s.comparison, "comparison", "", "write the comparison with the baseline as `NAME:FILE` too:\n"+strings.Join(report.ComparisonFormatNames(), ", "))
	f.StringArrayVar(&s.formats, "format", nil, "report as `NAME[:FILE]`; repeat it for more. Without a FILE it\ngoes to standard output, where pretty stands if no other does:\n"+formatHelp())
	f.StringVar(&s.model, "model", "", "a real checkpoint's `DIR` for scenarios tagged @real,\nwhich are skipped without it")
	f.StringVar(&s.architectures, "architectures", "", architecturesHelp)
	f.Var(&s.jobs, "jobs", "scenarios side by side (default: one for each CPU);\nmeasured ones always run alone")
	f.Lookup("jobs").DefValue = "0" // the number of CPUs differs between machines, and help does not
	f.BoolVar(&s.dryRun, "dry-run", false, "check that every step is defined and unambiguous, run nothing")
	c.Annotations = map[string]string{
		"environment": runEnvironment,
		"held":        "every scenario selected passed, every bound held, no regression",
		"broken":      "a scenario failed, a bound was exceeded, or a regression was found, whatever\n     else could not be done",
		"unable":      "could not judge: a wrong flag, a feature that does not parse, an undefined\n     step, nothing selected, a missing baseline, an interruption, or more than a\n     tenth of the benchmarks without a verdict",
	}
	for flag, words := range map[string]func() []string{
		"tags": builtinTags, "category": steps.Categories, "format": report.FormatNames,
	} {
		complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return words(), cobra.ShellCompDirectiveNoFileComp
		}
		if err := c.RegisterFlagCompletionFunc(flag, complete); err != nil {
			panic(err) // the flag was not added above
		}
	}
	_ = c.MarkFlagDirname("model")
	_ = c.MarkFlagFilename("architectures", "tsv")
	_ = c.MarkFlagFilename("baseline", "json")
	_ = c.MarkFlagFilename("save-baseline", "json")
}

// categoryHelp lists the categories in two lines, as all of them are too wide
// for one.
func categoryHelp() string {
	names := steps.Categories()
	half := (len(names) + 1) / 2
	return strings.Join(names[:half], ", ") + ",\n" + strings.Join(names[half:], ", ") + ",\nor any tag of your own without its @"
}

func formatHelp() string {
	var b strings.Builder
	for i, f := range report.Formats() {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "  %-10s %s", f.Name, f.Description)
	}
	return b.String()
}

func builtinTags() []string {
	loaded, err := suite.LoadFS(features.FS, "features")
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(suite.Tags(loaded), func(t string) bool { return strings.Contains(t, ":") })
}

// destination is where a report goes.
type destination struct {
	format report.Format
	file   string // "" for standard output
}

// forPeople tells whether the report is for people, and not for a program.
func (d destination) forPeople() bool {
	return d.format.Name == "pretty" || d.format.Name == "progress"
}

// parseComparison reads the value of --comparison: where the comparison with a
// baseline goes besides, nil where it does not.
func parseComparison(value string, given, compares bool) (*comparisonFile, error) {
	if !given {
		return nil, nil
	}
	if !compares {
		return nil, unable("name a --baseline FILE too", "--comparison %s: there is nothing to compare with", value)
	}
	name, file, _ := strings.Cut(value, ":")
	if file == "" {
		return nil, unable("write it as markdown:FILE", "--comparison %s: no file", value)
	}
	format, err := report.ComparisonFormatByName(name)
	if err != nil {
		return nil, fmt.Errorf("--comparison: %w", err)
	}
	return &comparisonFile{format, file}, writableFile("--comparison "+name, file)
}

// comparisonFile is a file that a comparison is written to.
type comparisonFile struct {
	format report.ComparisonFormat
	file   string
}

// parseFormats reads the values of --format. One report may go to standard
// output, and pretty does where none is sent there.
func parseFormats(values []string) ([]destination, error) {
	var all []destination
	taken := map[string]string{}
	for _, value := range values {
		name, file, toFile := strings.Cut(value, ":")
		if toFile && file == "" {
			return nil, unable("name a file behind the colon, or leave the colon out", "--format %s: no file", value)
		}
		format, err := report.FormatByName(name)
		if err != nil {
			return nil, unable("", "--format: %w", err)
		}
		place := file
		if toFile {
			place = filepath.Clean(file)
		}
		if first, double := taken[place]; double {
			where := "standard output"
			if toFile {
				where = file
			}
			return nil, unable(fmt.Sprintf("send one to a file: --format %s:FILE", name), "--format: both %s and %s go to %s", first, name, where)
		}
		taken[place] = name
		all = append(all, destination{format, file})
	}
	if _, used := taken[""]; !used {
		pretty, err := report.FormatByName("pretty")
		if err != nil {
			return nil, err
		}
		all = append(all, destination{pretty, ""})
	}
	return all, nil
}

// run is the command: it reads everything that can be wrong before it runs
// anything, so that no figures are lost to a mistyped path.
func (p *program) run(c *cobra.Command, s *runSettings, paths []string) error {
	overruled := map[string]bool{
		envIterations: c.Flags().Changed("iterations"), envWarmup: c.Flags().Changed("warmup"), envModel: c.Flags().Changed("model"),
	}
	env, err := readEnvironment(func(variable string) bool { return overruled[variable] })
	if err != nil {
		return err
	}
	setup := &steps.Setup{Loader: steps.BuiltinLoader, Plan: env.Plan, Model: env.Model, Fresh: FreshProcess, Callers: s.concurrency.n}
	setup.Plan.Memory = s.memoryProfiling || s.all
	if overruled[envIterations] {
		setup.Plan.Iterations = s.iterations.n
	}
	if overruled[envWarmup] {
		setup.Plan.Warmup = s.warmup.n
	}
	if overruled[envModel] {
		if setup.Model = s.model; s.model == "" {
			return unable("name the directory of a checkpoint", "--model: empty")
		}
		if err := isDirectory(s.model); err != nil {
			return unable("name the directory of a checkpoint", "--model: %w", err)
		}
	}
	if s.concurrency.n > bench.MaxCallers {
		return unable("more callers than processors get no more done", "--concurrency %d: at most %d callers are possible", s.concurrency.n, bench.MaxCallers)
	}
	if setup.Architectures, err = readArchitectures(s.architectures, c.Flags().Changed("architectures")); err != nil {
		return err
	}
	output := env.Output
	if c.Flags().Changed("output") {
		output = s.output
	}
	destinations, err := parseFormats(s.formats)
	if err != nil {
		return err
	}
	files := []namedFile{{"--baseline", s.baseline}, {"--save-baseline", s.saveBaseline}, {"--output", output}}
	if _, file, ok := strings.Cut(s.comparison, ":"); ok {
		files = append(files, namedFile{"--comparison", file})
	}
	for _, d := range destinations {
		files = append(files, namedFile{"--format", d.file})
	}
	if err := apart(files); err != nil {
		return err
	}
	if err := errors.Join(writable(output, destinations), writableFile("--save-baseline", s.saveBaseline)); err != nil {
		return err
	}
	if c.Flags().Changed("save-baseline") && s.saveBaseline == "" {
		return unable("name a results file, or leave the flag out", "--save-baseline: empty")
	}
	baseline, err := readBaseline(s.baseline, c.Flags().Changed("baseline"))
	if err != nil {
		return err
	}
	comparison, err := parseComparison(s.comparison, c.Flags().Changed("comparison"), baseline != nil)
	if err != nil {
		return err
	}
	if err := noFeatures(destinations, comparison, output, s.saveBaseline); err != nil {
		return err
	}
	if s.all && len(s.categories) > 0 {
		return unable("leave one of them out", "--all takes every category, and --category some")
	}
	plan, err := planOf(paths, suite.Selection{Tags: s.tags, Categories: s.categories})
	if err != nil {
		return err
	}
	if err := plan.Check(); err != nil {
		return err
	}
	if s.dryRun {
		p.describe(plan)
		return nil
	}
	wantsFigures := output != "" || s.saveBaseline != "" || baseline != nil ||
		slices.ContainsFunc(destinations, func(d destination) bool { return d.format.Figures })
	if wantsFigures && plan.Benchmarks() == 0 {
		return unable("a scenario is measured when it bounds latency or memory, or is tagged @benchmark",
			"nothing selected is measured, so there are no figures to keep or compare")
	}
	job := sampleJob{Paths: paths, Tags: s.tags, Categories: s.categories, Model: setup.Model, Architectures: setup.Architectures, Plan: p.samplingPlan(baseline)}
	var foresight bench.Foresight
	if baseline != nil {
		if foresight, err = p.foresee(baseline, job, s.threshold.value); err != nil {
			return err
		}
	}
	var live report.Live
	follow := &live
	if o := p.err.options(); p.out.terminal && o.Color {
		follow = report.NewLive(p.err, o)
	}
	listen := func(e outcome.Event) {
		follow.Listen(e)
		if p.watch != nil {
			p.watch(e)
		}
	}
	happened, err := plan.Run(c.Context(), suite.Options{Setup: setup, Jobs: s.jobs.n, Listener: listen})
	follow.Stop()
	if err != nil {
		return err
	}
	happened.Origin = originOf(happened.Started)
	if build, ok := debug.ReadBuildInfo(); ok {
		happened.Version = versionOf(build).Version
	}
	return p.conclude(c.Context(), happened, ending{
		destinations: destinations, output: output, baseline: baseline, saveBaseline: s.saveBaseline,
		threshold: s.threshold.value, failOn: s.failOn, selection: selection(paths, s.categories, s.tags),
		job: job, foresight: foresight, comparison: comparison,
	})
}

func planOf(paths []string, selection suite.Selection) (*suite.Plan, error) {
	load := func() ([]*suite.Feature, error) { return suite.LoadFS(features.FS, "features") }
	if len(paths) > 0 {
		load = func() ([]*suite.Feature, error) { return suite.Load(paths) }
	}
	loaded, err := load()
	if err != nil {
		return nil, err
	}
	return suite.Select(loaded, selection)
}

// writable refuses files that cannot be written for want of a folder, before
// there is anything to lose.
func writable(output string, destinations []destination) error {
	if err := writableFile("--output", output); err != nil {
		return err
	}
	for _, d := range destinations {
		if err := writableFile("--format "+d.format.Name, d.file); err != nil {
			return err
		}
	}
	return nil
}

// writableFile refuses a file whose folder is not there or may not be written to, and
// one that is a folder.
func writableFile(flag, file string) error {
	if file == "" {
		return nil
	}
	if err := isDirectory(filepath.Dir(file)); err != nil {
		return unable("make the folder first", "%s %s: no folder for it: %w", flag, file, err)
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return unable("name a file in it", "%s %s: a folder", flag, file)
	}
	if err := atomicfile.Writable(file); err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return nil
}

// noFeatures refuses to write over a feature file, which nothing brings back.
func noFeatures(destinations []destination, comparison *comparisonFile, others ...string) error {
	for _, d := range destinations {
		others = append(others, d.file)
	}
	if comparison != nil {
		others = append(others, comparison.file)
	}
	for _, file := range others {
		if filepath.Ext(file) == featureSuffix {
			return unable("name another file; the features to run stand without a flag", "%s is a feature file: nothing is written over it", file)
		}
	}
	return nil
}

func readBaseline(path string, given bool) (*bench.File, error) {
	if !given {
		return nil, nil
	}
	if path == "" {
		return nil, unable("name a results file, or leave the flag out", "--baseline: empty")
	}
	file, err := bench.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, unable("write one with: omniloader run --save-baseline "+path, "--baseline: %s: there is no such file", path)
	case err != nil:
		return nil, fmt.Errorf("--baseline: %w", err)
	}
	if file.Plan != nil {
		if err := file.Plan.Validate(); err != nil {
			return nil, unable("sample a baseline with this program: --save-baseline FILE", "--baseline: %s: %w", path, err)
		}
	}
	return file, nil
}

// describe says what a dry run found.
func (p *program) describe(plan *suite.Plan) {
	scenarios, lines := 0, 0
	for _, s := range plan.Scenarios() {
		scenarios++
		lines += len(s.Steps)
	}
	fmt.Fprintf(p.out, "%d scenarios, %d steps, %d benchmarks: every step is defined and unambiguous\n", scenarios, lines, plan.Benchmarks())
}

// ending is what a run ends in.
type ending struct {
	destinations []destination
	output       string
	baseline     *bench.File // nil where nothing is compared
	saveBaseline string
	threshold    float64
	failOn       failOn
	selection    string    // which benchmarks were asked for, see bench.File
	job          sampleJob // how the benchmarks are sampled, where that is needed
	foresight    bench.Foresight
	comparison   *comparisonFile // where the comparison goes besides, or nil
}

// samples tells whether the benchmarks have to be sampled. For a comparison that
// cannot judge times whatever they are, they need not.
func (e ending) samples() bool {
	return e.saveBaseline != "" || e.baseline != nil && e.baseline.Plan != nil && len(e.foresight.Reasons) == 0
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

// conclude writes what was asked for and gives the verdict. Everything is
// written before anything is judged: a failure must not cost the figures.
func (p *program) conclude(ctx context.Context, run *outcome.Run, e ending) error {
	var failures []error
	rendered := func(d destination) {
		failures = append(failures, p.render(run, d))
	}
	for _, d := range e.destinations { // files at once: sampling takes a while
		if d.file != "" || d.forPeople() {
			rendered(d)
		}
	}
	var comparison *bench.Comparison
	sampled := false
	if e.output != "" || e.saveBaseline != "" || e.baseline != nil {
		file, err := newFile(run.Started, resultsOf(run))
		if file != nil {
			file.Selection, file.Interrupted = e.selection, run.Interrupted
		}
		if err == nil && !run.Interrupted && (e.baseline != nil || e.saveBaseline != "") {
			comparison, err = p.sampleAndCompare(ctx, run, file, e)
			if errors.Is(err, bench.ErrInterrupted) {
				file.Interrupted = file.Plan == nil // its floors are missing
				lost := "nothing was compared"
				if e.saveBaseline != "" && file.Plan == nil {
					lost += ", and no baseline written"
				}
				err = unable(lost, "interrupted while sampling")
			}
		}
		failures = append(failures, err)
		if file != nil && e.output != "" {
			failures = append(failures, p.keep(file, e.output))
		}
		sampled = file != nil && file.Plan != nil
		if sampled && e.saveBaseline != "" {
			failures = append(failures, file.Write(e.saveBaseline))
		}
		if sampled {
			run.Sampled(file)
		}
	}
	if comparison != nil {
		run.Compared(comparison)
	}
	for _, d := range e.destinations {
		if !d.forPeople() && (d.file == "" || sampled || comparison != nil) {
			rendered(d) // a file again, with what was sampled and compared
		}
	}
	if comparison != nil {
		failures = append(failures, p.renderComparison(comparison, e.comparison, toTerminal(e.destinations)))
	}
	switch skipped := skippedReal(run); {
	case skipped == 1:
		p.note("1 scenario tagged @real was skipped; --model DIR gives it a checkpoint")
	case skipped > 1:
		p.note("%d scenarios tagged @real were skipped; --model DIR gives them a checkpoint", skipped)
	}
	if run.Interrupted {
		failures = append(failures, unable("what had ended by then is kept", "interrupted"))
	}
	failures = append(failures, suite.UnjudgedSteps(run))
	if suite.CountBroken(run) > 0 { // whatever else could not be done: a promise is broken
		for _, err := range failures {
			if err != nil {
				p.complain(err)
			}
		}
		return errBroken
	}
	if err := p.last(failures); err != nil {
		return err
	}
	if comparison != nil {
		return e.failOn.judge(comparison)
	}
	return nil
}

// keep writes a results file. One of a run that was interrupted does not take the
// place of an earlier one.
func (p *program) keep(file *bench.File, path string) error {
	if _, err := os.Stat(path); file.Interrupted && err == nil {
		partial := path + ".interrupted"
		p.note("%s stays as it was; what was measured is in %s", path, partial)
		path = partial
	}
	return file.Write(path)
}

// selection says in words which benchmarks are asked for, "" for all.
func selection(paths, categories []string, tags string) string {
	words := slices.Clone(paths)
	for _, c := range categories {
		words = append(words, "--category "+c)
	}
	if tags != "" {
		words = append(words, "--tags "+strconv.Quote(tags))
	}
	return strings.Join(words, " ")
}

// namedFile is a file that a flag names, "" where it names none.
type namedFile struct{ flag, file string }

// apart refuses files that are read and written, or written twice, by two flags:
// the second would destroy what the first is for.
func apart(files []namedFile) error {
	for i, a := range files {
		for _, b := range files[i+1:] {
			if a.file != "" && b.file != "" && sameFile(a.file, b.file) {
				return unable("name two files", "%s and %s both name %s", a.flag, b.flag, b.file)
			}
		}
	}
	return nil
}

func sameFile(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// sampleAndCompare samples the benchmarks where that is asked for, puts the
// samples into the file, and compares it with the baseline; the comparison is nil
// where there is none.
func (p *program) sampleAndCompare(ctx context.Context, run *outcome.Run, file *bench.File, e ending) (*bench.Comparison, error) {
	if e.samples() {
		if failed := run.Totals().Failed; failed > 0 {
			return nil, unable("mend the scenarios first", "not sampled, because %d %s failed", failed, plural(failed, "scenario", "scenarios"))
		}
		if err := nameBuild(file); err != nil {
			return nil, err
		}
		job := e.job
		job.Memory = true
		busy := bench.Watch()
		samples, err := p.sampled(ctx, job, job.Plan.Processes, "sampled for the comparison")
		if err != nil {
			return nil, err
		}
		busy(file.Environment)
		if err := file.AddSamples(job.Plan, samples...); err != nil {
			return nil, err
		}
	}
	if e.baseline == nil {
		return nil, nil
	}
	return p.compareSampled(ctx, e.baseline, file, e.job, e.threshold)
}

// last complains about every failure but the last, which it returns for the
// caller to complain about; nil where there is none.
func (p *program) last(failures []error) error {
	failures = slices.DeleteFunc(failures, func(err error) bool { return err == nil })
	if len(failures) == 0 {
		return nil
	}
	for _, err := range failures[:len(failures)-1] {
		p.complain(err)
	}
	return failures[len(failures)-1]
}

func (p *program) render(run *outcome.Run, d destination) error {
	if d.file == "" {
		return standardOutput(d.format.Render(p.out, run, p.out.options()))
	}
	return atomicfile.Write(d.file, func(w io.Writer) error { return d.format.Render(w, run, report.Options{}) })
}

// toTerminal says whether what stands on standard output is for people, so that
// a comparison may follow it.
func toTerminal(destinations []destination) bool {
	return slices.ContainsFunc(destinations, func(d destination) bool { return d.file == "" && d.forPeople() })
}

func resultsOf(run *outcome.Run) []bench.Result {
	var results []bench.Result
	for _, f := range run.Features {
		for _, s := range f.Scenarios {
			if s.Benchmark != nil {
				results = append(results, *s.Benchmark)
			}
		}
	}
	return results
}

func skippedReal(run *outcome.Run) int {
	n := 0
	for _, f := range run.Features {
		for _, s := range f.Scenarios {
			if s.Status == outcome.Skipped && slices.ContainsFunc(s.Tags, func(t outcome.Tag) bool { return t.Name == "@real" }) {
				n++
			}
		}
	}
	return n
}
