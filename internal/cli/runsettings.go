package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"omniloader/internal/bench"
	"omniloader/internal/report"
	"omniloader/internal/suite"
	"omniloader/steps"
)

// runSettings is what a run is to do: what the flags and the environment amount to,
// checked. No file that it writes is a feature file, names a missing folder, or is
// written or read twice.
type runSettings struct {
	setup     *steps.Setup // without the loader, which the run opens
	paths     []string     // of feature files and folders; none for the built-in features
	selection suite.Selection
	jobs      int
	dryRun    bool
	outputs   runOutputs

	control   runControl
	rerun     *rerun         // the earlier run whose failures run again, or nil
	emptyList string         // the file without a path that was named in the place of paths, or ""
	shard     *shardSettings // the part to run of a divided run, or nil

	runFile      string // path of the run file, "" for none
	runFileNamed bool   // by a flag
}

// runOutputs are the reports and files that a run writes, and how it is judged.
type runOutputs struct {
	reports      []reportDestination
	results      string           // path of a results file, "" for none
	saveBaseline string           // path of a results file with samples, "" for none
	baseline     *bench.File      // to compare with, or nil
	comparisons  []comparisonFile // where the comparison is written as well
	threshold    float64
	failOn       failOn
}

// reportDestination is a report and the file it goes to.
type reportDestination struct {
	format  report.Format
	file    string // "" for standard output
	verbose bool   // with every scenario and its steps
}

// forPeople tells whether the report is for people, and not for a program.
func (d reportDestination) forPeople() bool {
	return d.format.Name == "pretty" || d.format.Name == "progress"
}

// comparisonFile is a file that a comparison is written to.
type comparisonFile struct {
	format report.ComparisonFormat
	path   string
}

// needsFigures tells whether anything asked for is made of measurements.
func (o *runOutputs) needsFigures() bool {
	return o.writesResults() || slices.ContainsFunc(o.reports, func(d reportDestination) bool { return d.format.OnlyBenchmarks })
}

// writesResults tells whether there is a results file to write or to compare.
func (o *runOutputs) writesResults() bool {
	return o.results != "" || o.saveBaseline != "" || o.baseline != nil
}

// settings checks the flags and the environment. It reads everything that can be
// wrong before anything runs, so that no measurement is lost to a mistyped path.
func (f *runFlags) settings(paths []string) (*runSettings, error) {
	setup, env, output, err := f.setup()
	if err != nil {
		return nil, err
	}
	models, checkpoints, err := f.checkpoints.checkpoints(f.set, env)
	if err != nil {
		return nil, err
	}
	if f.all && len(f.categories) > 0 {
		return nil, errorWithHint("leave one of them out", "--all takes every category, and --category some")
	}
	control, err := f.control.control(f.given)
	if err != nil {
		return nil, err
	}
	paths, emptyList, err := expandLists(paths)
	if err != nil {
		return nil, err
	}
	if err := f.checkUpdate(); err != nil {
		return nil, err
	}
	setup.UpdateAnswers = f.update
	runFile, err := f.runFilePath(paths)
	if err != nil {
		return nil, err
	}
	var again *rerun
	if f.control.lastFailed {
		if again, err = readRerun(runFile); err != nil {
			return nil, err
		}
		if len(paths) == 0 && emptyList == "" {
			paths = again.paths
		}
	}
	outputs, err := f.outputs(output, runFile)
	if err != nil {
		return nil, err
	}
	shard, err := f.shard.settings()
	if err != nil {
		return nil, err
	}
	return &runSettings{
		runFile: runFile, runFileNamed: f.given("run-file"), shard: shard,
		setup: setup, paths: paths,
		selection: suite.Selection{Tags: f.tags, Categories: f.categories, Name: f.control.name, Models: models, Checkpoints: checkpoints},
		control:   control, rerun: again, emptyList: emptyList,
		jobs: f.jobs.n, dryRun: f.dryRun, outputs: outputs,
	}, nil
}

// setup is how scenarios are carried out and measured; env is the environment, and output
// the path of the results file, "" for none, which may come from it too.
func (f *runFlags) setup() (setup *steps.Setup, env Environment, output string, err error) {
	given := map[string]bool{}
	for flag, variable := range variableOf {
		given[variable] = f.given(flag)
	}
	if env, err = readEnvironment(func(variable string) bool { return given[variable] }); err != nil {
		return nil, env, "", err
	}
	setup = &steps.Setup{Plan: env.Plan, Fresh: FreshProcess, Callers: f.concurrency.n}
	setup.Plan.Memory = f.memoryProfiling || f.all
	if given[envIterations] {
		setup.Plan.Iterations = f.iterations.n
	}
	if given[envWarmup] {
		setup.Plan.Warmup = f.warmup.n
	}
	if f.concurrency.n > bench.MaxCallers {
		return nil, env, "", errorWithHint("more callers than processors get no more done", "--concurrency %d: at most %d callers are possible", f.concurrency.n, bench.MaxCallers)
	}
	if setup.Architectures, err = readArchitectures(f.architectures, f.given("architectures")); err != nil {
		return nil, env, "", err
	}
	if output = env.Output; f.given("output") {
		output = f.output
	}
	return setup, env, output, nil
}

// outputs are the files and reports that the flags name, with results as the path of
// the results file and runFile as that of the run file, "" for none.
func (f *runFlags) outputs(results, runFile string) (o runOutputs, err error) {
	o = runOutputs{results: results, saveBaseline: f.saveBaseline, threshold: f.threshold.value, failOn: f.failOn}
	if o.reports, err = parseFormats(f.formats); err != nil {
		return o, err
	}
	if f.verbose {
		if err := makeVerbose(o.reports); err != nil && !f.config.applied["verbose"] { // a config file says it for every run
			return o, err
		}
	}
	if err := f.checkFiles(&o, runFile); err != nil {
		return o, err
	}
	if f.given("save-baseline") && f.saveBaseline == "" {
		return o, errorWithHint("name a results file, or leave the flag out", "--save-baseline: empty")
	}
	if f.given("baseline") {
		if o.baseline, err = readBaseline(f.baseline); err != nil {
			return o, err
		}
	}
	for _, value := range f.comparisons {
		comparison, err := parseComparison(value, o.baseline != nil)
		if err != nil {
			return o, err
		}
		o.comparisons = append(o.comparisons, *comparison)
	}
	overwritten := []string{o.results, o.saveBaseline, f.runFile}
	for _, d := range o.reports {
		overwritten = append(overwritten, d.file)
	}
	for _, c := range o.comparisons {
		overwritten = append(overwritten, c.path)
	}
	return o, refuseFeatureFiles(overwritten...)
}

// checkFiles refuses files that are named twice or could not be written.
func (f *runFlags) checkFiles(o *runOutputs, runFile string) error {
	written := []namedFile{{"--output", o.results}, {"--save-baseline", o.saveBaseline}}
	for _, d := range o.reports {
		written = append(written, namedFile{"--format " + d.format.Name, d.file})
	}
	named := append([]namedFile{{"--baseline", f.baseline}, {"--shard-durations", f.shard.durations}, {"--run-file", runFile}}, written...)
	for _, value := range f.comparisons {
		_, path, _ := strings.Cut(value, ":")
		named = append(named, namedFile{"--comparison", path})
	}
	if err := refuseSameFile(named); err != nil {
		return err
	}
	for _, file := range written {
		if err := refuseUnwritable(file); err != nil {
			return err
		}
	}
	return nil
}

// parseFormats reads the values of --format. One report may go to standard output;
// where none does, pretty goes there.
func parseFormats(values []string) ([]reportDestination, error) {
	var all []reportDestination
	formatOf := map[string]string{} // by path of the file, "" for standard output
	for _, value := range values {
		name, file, toFile := strings.Cut(value, ":")
		if toFile && file == "" {
			return nil, errorWithHint("name a file behind the colon, or leave the colon out", "--format %s: no file", value)
		}
		format, err := report.FormatByName(name)
		if err != nil {
			return nil, fmt.Errorf("--format: %w", err)
		}
		path, where := "", "standard output"
		if toFile {
			path, where = filepath.Clean(file), file
		}
		if first, twice := formatOf[path]; twice {
			return nil, errorWithHint(fmt.Sprintf("send one to a file: --format %s:FILE", name), "--format: both %s and %s go to %s", first, name, where)
		}
		formatOf[path] = name
		all = append(all, reportDestination{format: format, file: file})
	}
	if _, used := formatOf[""]; !used {
		pretty, err := report.FormatByName("pretty")
		if err != nil {
			return nil, err
		}
		all = append(all, reportDestination{format: pretty})
	}
	return all, nil
}

// makeVerbose carries out --verbose, which changes the report pretty.
func makeVerbose(reports []reportDestination) error {
	found := false
	for i := range reports {
		if reports[i].format.Name == "pretty" {
			reports[i].verbose, found = true, true
		}
	}
	if !found {
		return errorWithHint("leave the flag out, or ask for pretty too: --format pretty:FILE", "--verbose changes the report pretty, and there is none")
	}
	return nil
}

// parseComparison reads the value of --comparison.
func parseComparison(value string, hasBaseline bool) (*comparisonFile, error) {
	if !hasBaseline {
		return nil, errorWithHint("name a --baseline FILE too", "--comparison %s: there is nothing to compare with", value)
	}
	name, path, _ := strings.Cut(value, ":")
	if path == "" {
		return nil, errorWithHint("write it as markdown:FILE", "--comparison %s: no file", value)
	}
	format, err := report.ComparisonFormatByName(name)
	if err != nil {
		return nil, fmt.Errorf("--comparison: %w", err)
	}
	return &comparisonFile{format, path}, refuseUnwritable(namedFile{"--comparison " + name, path})
}

// readBaseline reads the results file of --baseline.
func readBaseline(path string) (*bench.File, error) {
	if path == "" {
		return nil, errorWithHint("name a results file, or leave the flag out", "--baseline: empty")
	}
	file, err := bench.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errorWithHint("write one with: omniloader run --save-baseline "+path, "--baseline: %s: there is no such file", path)
	case err != nil:
		return nil, fmt.Errorf("--baseline: %w", err)
	}
	if file.Plan != nil {
		if err := file.Plan.Validate(); err != nil {
			return nil, errorWithHint("sample a baseline with this program: --save-baseline FILE", "--baseline: %s: %w", path, err)
		}
	}
	return file, nil
}

// selectionText writes which benchmarks were asked for, "" for all: a results file
// keeps it, see bench.File.
func selectionText(paths []string, s suite.Selection, shard *shardSettings) string {
	words := slices.Clone(paths)
	for _, c := range s.Categories {
		words = append(words, "--category "+c)
	}
	if s.Tags != "" {
		words = append(words, "--tags "+strconv.Quote(s.Tags))
	}
	if s.Name != "" {
		words = append(words, "--name "+strconv.Quote(s.Name))
	}
	if s.IDs != nil {
		words = append(words, "--last-failed")
	}
	if shard != nil {
		words = append(words, "--shard "+shard.String())
	}
	return strings.Join(words, " ")
}
