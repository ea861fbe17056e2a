package cli

import (
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"omniloader/internal/outcome"
	"omniloader/internal/report"
	"omniloader/internal/suite"
	"omniloader/loader/fault"
)

// A report of an earlier run must not be taken for one of this run. So every report that
// the command line names is written, whatever happens: a run that did nothing writes
// reports that say why, and where there are reports of an earlier run they are replaced
// before the first scenario, in case this run is killed.

// nothingRan writes the reports of a run that did nothing because of err, removes the
// comparisons of an earlier one, and gives err.
// Reports for people and figures on standard output are left out: err goes to standard
// error.
func (p *program) nothingRan(o *runOutputs, err error) error {
	run := p.runWithout(problemsOf(err))
	failures := p.writeReports(run, o.reports, func(d reportDestination) bool {
		return d.file != "" || !d.forPeople() && !d.format.OnlyBenchmarks
	})
	failures = append(failures, removeEarlierComparisons(o)...)
	return p.complainAllButLast(append(failures, err))
}

// runWithout is a run without scenarios.
func (p *program) runWithout(problems outcome.Problems) *outcome.Run {
	now := time.Now()
	return &outcome.Run{Started: now, Origin: originOf(now), Version: ownVersion(), Problems: problems, Unsuccessful: len(problems) > 0}
}

// problemsOf gives an error as problems.
func problemsOf(err error) outcome.Problems {
	var problems outcome.Problems
	if errors.As(err, &problems) {
		return problems
	}
	return outcome.Problems{{Message: err.Error(), Advice: fault.HintOf(err)}}
}

// replaceEarlierReports replaces the reports of an earlier run by reports that say that the
// run has not ended, and removes its comparison.
func (p *program) replaceEarlierReports(o *runOutputs) error {
	notEnded := p.runWithout(outcome.Problems{{Message: "the run has not ended", Advice: "it is going on, or was killed; run it again"}})
	failures := p.writeReports(notEnded, o.reports, func(d reportDestination) bool { return isRegular(d.file) })
	return p.complainAllButLast(append(failures, removeEarlierComparisons(o)...))
}

// removeEarlierComparisons removes the files of comparisons of an earlier run.
func removeEarlierComparisons(o *runOutputs) (failures []error) {
	for _, c := range o.comparisons {
		if isRegular(c.path) {
			failures = append(failures, os.Remove(c.path))
		}
	}
	return failures
}

// isRegular tells whether there is a regular file at a path.
func isRegular(path string) bool {
	info, err := os.Stat(path)
	return path != "" && err == nil && info.Mode().IsRegular()
}

// outputsNamed gives the files of reports and comparisons that a command line of run names,
// for a command line that is wrong. Those are left out whose name is wrong, and those whose
// file is named by anything else on the command line, or is a feature file: it may be an input.
func outputsNamed(args []string) *runOutputs {
	values := map[string][]string{}
	others := []string{os.Getenv(envOutput)}
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		flag, value, assigned := strings.Cut(args[i], "=")
		if flag == "--format" || flag == "--comparison" {
			if !assigned && i+1 < len(args) {
				i++
				value = args[i]
			}
			values[flag] = append(values[flag], value)
			continue
		}
		_, behindColon, _ := strings.Cut(args[i], ":")
		others = append(others, args[i], value, behindColon)
	}
	isFree := func(flag, file string) bool { // file is then taken
		isTaken := slices.ContainsFunc(others, func(other string) bool { return other != "" && sameFile(file, other) })
		free := file != "" && !suite.IsFeature(file) && !isTaken && refuseUnwritable(namedFile{flag, file}) == nil
		if free {
			others = append(others, file)
		}
		return free
	}
	o := new(runOutputs)
	for _, value := range values["--format"] {
		name, file, _ := strings.Cut(value, ":")
		if format, err := report.FormatByName(name); err == nil && isFree("--format "+name, file) {
			o.reports = append(o.reports, reportDestination{format: format, file: file})
		}
	}
	for _, value := range values["--comparison"] {
		name, file, _ := strings.Cut(value, ":")
		if format, err := report.ComparisonFormatByName(name); err == nil && isFree("--comparison "+name, file) {
			o.comparisons = append(o.comparisons, comparisonFile{format, file})
		}
	}
	return o
}
