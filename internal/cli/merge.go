package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"omniloader/internal/outcome"
	"omniloader/internal/report"
	"omniloader/internal/runfile"
	"omniloader/internal/suite"
	"omniloader/loader/fault"
)

// mergeFlags are the flags of merge as given.
type mergeFlags struct {
	formats []string
	runFile string
	failOn  failOn
}

func (p *program) mergeCommand() *cobra.Command {
	flags := mergeFlags{failOn: failOnOfRun()}
	c := &cobra.Command{
		Use:   "merge FILE…",
		Short: "Make one run file, and reports, of the shards of a run",
		Long: `Puts together the run files of all shards of a run, which "omniloader run --shard"
wrote: into one run file, and into the same reports as the undivided run would have
written. The exit code is that of the undivided run.

A shard that is missing, or whose run did not come to its end, is said, and the
others are kept. Two files of one shard, and a shard of another run, are refused:
of other features, other flags, another version or another division.

The single run file of a run that was not divided is reported again.`,
		Example: `  omniloader merge shard-*.json --run-file merged.json --format junit:report.xml
  omniloader merge shard-*.json --format markdown >> "$GITHUB_STEP_SUMMARY"
  omniloader merge .omniloader/last-run.json --format html:report.html`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return p.nothingRan(outputsNamed(p.args), errorWithHint("name the run file of each shard, as run --run-file FILE wrote it", "%s takes run files, found none", c.CommandPath()))
			}
			return nil
		},
		RunE:              func(c *cobra.Command, paths []string) error { return p.merge(c.Context(), paths, &flags) },
		ValidArgsFunction: completeFiles("json"),
		Annotations: map[string]string{
			meaningOf0: "every scenario of all shards passed",
			meaningOf1: "a scenario failed, or the run found a regression, whatever else could not be done",
			meaningOf2: "could not judge: a shard that is missing, there twice, of another run or not at\n     its end, a scenario that could not be judged, or a file that is no run file",
		},
	}
	c.Flags().SortFlags = false
	c.Flags().StringVar(&flags.runFile, "run-file", "", "write one run `FILE` of all shards")
	c.Flags().StringArrayVar(&flags.formats, "format", nil, "report as `NAME[:FILE]`; repeat it for more. Without a FILE it\ngoes to standard output, which gets pretty if no other does:\n"+formatHelp())
	c.Flags().Var(&flags.failOn, "fail-on", failOnHelpOfRun)
	p.completeFlag(c, "format", report.FormatNames)
	p.completeFailOn(c, &flags.failOn)
	return c
}

// merge makes one run of run files, and reports and judges it.
func (p *program) merge(ctx context.Context, paths []string, flags *mergeFlags) error {
	reports, err := flags.outputs(paths)
	if err != nil {
		return p.nothingRan(outputsNamed(p.args), err)
	}
	// A report of an earlier run must not stay as if it were this one's.
	refuse := func(problems outcome.Problems) error {
		run := &outcome.Run{Version: ownVersion(), Problems: problems, Unsuccessful: true}
		failures := p.writeReports(run, reports, func(d reportDestination) bool { return d.file != "" })
		return p.judge(run, append(failures, suite.Unjudged(run)), nil)
	}
	var parts []runfile.Part
	var unreadable outcome.Problems
	for _, path := range paths {
		file, err := runInterruptible(ctx, func() (*runfile.File, error) { return runfile.ReadFile(path) })
		if ctx.Err() != nil {
			return err
		}
		if err != nil {
			unreadable = append(unreadable, outcome.Problem{Message: err.Error(), Advice: fault.HintOf(err)})
		}
		parts = append(parts, runfile.Part{Path: path, File: file})
	}
	if len(unreadable) > 0 {
		return refuse(unreadable)
	}
	merged, err := runfile.Merge(parts)
	var problems outcome.Problems
	if errors.As(err, &problems) {
		return refuse(problems)
	} else if err != nil {
		return err
	}
	run := merged.ToOutcome()
	run.RegressionsAllowed = flags.failOn.allowsRegressions()
	unjudged := suite.Unjudged(run)
	var verdict error
	if run.Comparison != nil {
		verdict = p.judgeComparison(&flags.failOn, run.Comparison)
	}
	if verdict == nil {
		verdict = p.judgeFlaky(run, &flags.failOn)
	}
	run.Unsuccessful = unjudged != nil || verdict != nil
	failures := p.writeReports(run, reports, func(reportDestination) bool { return true })
	if flags.runFile != "" {
		failures = append(failures, merged.Write(flags.runFile))
	}
	if unjudged != nil && stdoutIsForPeople(reports) && p.out.sharesPlaceWith(p.err) {
		unjudged = unjudgedInShort(run) // the report above, in the same place, has all of it
	}
	return p.judge(run, append(failures, unjudged), verdict)
}

// outputs checks the files and reports that are to be written. None is one of those that
// are merged.
func (f *mergeFlags) outputs(paths []string) ([]reportDestination, error) {
	reports, err := parseFormats(f.formats)
	if err != nil {
		return nil, err
	}
	written := []namedFile{{"--run-file", f.runFile}}
	for _, d := range reports {
		file := namedFile{"--format " + d.format.Name, d.file}
		if err := refuseUnwritable(file); err != nil {
			return nil, err
		}
		written = append(written, file)
	}
	if err := refuseSameFile(written); err != nil {
		return nil, err
	}
	for _, file := range written {
		for _, path := range paths {
			if file.path != "" && sameFile(path, file.path) {
				return nil, errorWithHint("name another file", "%s %s: this file is to be merged", file.flag, file.path)
			}
		}
		if err := refuseFeatureFiles(file.path); err != nil {
			return nil, err
		}
	}
	return reports, nil
}
