package cli

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"omniloader/internal/bench"
	"omniloader/internal/report"
	"omniloader/internal/suite"
	"omniloader/steps"
)

// runFlags are the flags of run as given. Only their form has been checked; see
// runSettings for what they amount to.
type runFlags struct {
	set *pflag.FlagSet // where they are defined

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
	comparisons     []string
	formats         []string
	checkpoints     checkpointFlags
	architectures   string
	jobs            count
	runFile         string
	noRunFile       bool
	shard           shardFlags
	dryRun          bool
	control         controlFlags
	update          bool
	verbose         bool
	config          configFlags
}

// given tells whether a flag is on the command line, be it with an empty value.
func (f *runFlags) given(flag string) bool { return f.set.Changed(flag) }

const runEnvironment = `  BENCHMARK_ITERATIONS      used where --iterations is not given
  BENCHMARK_WARMUP          used where --warmup is not given
  TEST_MODEL_PATH           used where --model is not given; a list, as PATH is one
  OMNILOADER_PRESETS        used where --presets is not given; a list, as PATH is one
  OMNILOADER_ALLOW_OUTSIDE  used where --allow-outside is not given; 1 allows it
  OMNILOADER_OUTPUT         used where --output is not given
  OMNILOADER_JUDGE_TIME     1: go test judges time too; 0: godog run does not
  CI                        where it is set, --update is refused
  NO_COLOR                  switches colours off
  CI_NODE_INDEX             used by --shard env: the part, from 1
  CI_NODE_TOTAL             used by --shard env: how many parts there are
  JOB_COMPLETION_INDEX      used by --shard env/N: the part, from 0
A flag takes precedence over its variable, a variable over the config file, and that
over the default.`

// newRunFlags gives a command the flags and the help of run.
func newRunFlags(c *cobra.Command) *runFlags {
	plan := bench.DefaultPlan()
	f := &runFlags{
		set:        c.Flags(),
		iterations: count{plan.Iterations, 1}, warmup: count{plan.Warmup, 0}, concurrency: count{1, 1}, jobs: count{runtime.NumCPU(), 1},
		threshold: share{bench.DefaultThreshold}, failOn: failOnOfRun(),
	}
	f.define()
	c.Annotations = map[string]string{
		"environment": runEnvironment,
		meaningOf0:    "every scenario selected passed, every bound held, no regression",
		meaningOf1:    "a scenario failed, a bound was exceeded, or a regression was found, whatever\n     else could not be done",
		meaningOf2:    "could not judge: a wrong flag, a feature that does not parse, an undefined\n     step, nothing selected, a missing baseline, an interruption, or more than a\n     tenth of the benchmarks without a verdict",
	}
	return f
}

// completeRunFlags completes the flags of run.
func (p *program) completeRunFlags(c *cobra.Command, f *runFlags) {
	p.completeFlag(c, "tags", builtinTags)
	p.completeFlag(c, "category", steps.Categories)
	p.completeFlag(c, "format", report.FormatNames)
	p.completeFailOn(c, &f.failOn)
	p.completeComparison(c)
	p.completeFlag(c, "profile", f.config.profileNames)
	_ = c.MarkFlagFilename("config", "yaml")
	_ = c.MarkFlagDirname("model")
	_ = c.MarkFlagDirname("presets")
	_ = c.MarkFlagFilename("architectures", "tsv")
	_ = c.MarkFlagFilename("baseline", "json")
	_ = c.MarkFlagFilename("shard-durations", "json")
	_ = c.MarkFlagFilename("save-baseline", "json")
}

func (f *runFlags) define() {
	set := f.set
	set.SortFlags = false
	set.BoolVar(&f.all, "all", false, "every category, and memory measured for every benchmark")
	set.StringArrayVar(&f.categories, "category", nil, "only this `NAME` of category; repeat it for more:\n"+categoryHelp())
	set.StringVar(&f.tags, "tags", "", "only scenarios for which the tag `EXPR` holds:\n\"@sae and not (@slow or @real)\"")
	set.Var(&f.iterations, "iterations", "timed calls for each benchmark")
	set.Var(&f.warmup, "warmup", "calls before timing")
	set.Var(&f.concurrency, "concurrency", "measure each operation with so many callers at once, too")
	set.BoolVar(&f.memoryProfiling, "memory-profiling", false, "measure memory for every benchmark")
	set.StringVar(&f.output, "output", "", "write the figures to this results `FILE` (JSON)")
	set.StringVar(&f.baseline, "baseline", "", "compare with this results `FILE`; a regression is a failure")
	set.StringVar(&f.saveBaseline, "save-baseline", "", "sample the benchmarks, and write this results `FILE`")
	set.Var(&f.threshold, "threshold", "slower by more than this is a regression, where a scenario's\ntag @threshold:10% does not say otherwise")
	set.Var(&f.failOn, "fail-on", failOnHelpOfRun)
	set.StringArrayVar(&f.comparisons, "comparison", nil, "write the comparison with the baseline as `NAME:FILE` too;\nrepeat it for more: "+strings.Join(report.ComparisonFormatNames(), ", "))
	set.StringArrayVar(&f.formats, "format", nil, "report as `NAME[:FILE]`; repeat it for more. Without a FILE it\ngoes to standard output, which gets pretty if no other does:\n"+formatHelp())
	f.checkpoints.define(set)
	set.StringVar(&f.architectures, "architectures", "", architecturesHelp)
	set.Var(&f.jobs, "jobs", "scenarios side by side (default: one for each CPU);\nmeasured ones always run alone")
	set.Lookup("jobs").DefValue = "0" // not printed: the help must not differ between machines
	f.control.define(set)
	set.StringVar(&f.runFile, "run-file", "", "keep what became of each scenario in this `FILE` (default:\n.omniloader/last-run.json beside the features)")
	set.BoolVar(&f.noRunFile, "no-run-file", false, "keep no run file")
	f.shard.define(set)
	updateFlag(set, &f.update)
	set.BoolVar(&f.dryRun, "dry-run", false, "check that every step is defined and unambiguous, run nothing;\nin the reports everything is skipped")
	set.BoolVar(&f.verbose, "verbose", false, "show rules, scenarios and steps with their durations in the\nreport pretty")
	f.config.define(set)
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

// builtinTags lists the tags of the built-in scenarios but those with a value.
func builtinTags() []string {
	loaded, err := loadFeatures(context.Background(), nil)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(suite.Tags(loaded), func(t string) bool { return strings.Contains(t, ":") })
}
