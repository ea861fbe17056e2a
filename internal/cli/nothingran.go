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

// nothingRan writes the reports of a run that did nothing because of err, and gives err.
// Reports for people and figures on standard output are left out: err goes to standard
// error.
func (p *program) nothingRan(reports []reportDestination, err error) error {
	run := p.runWithout(problemsOf(err))
	failures := p.writeReports(run, reports, func(d reportDestination) bool {
		return d.file != "" || !d.forPeople() && !d.format.OnlyBenchmarks
	})
	return p.complainAllButLast(append(failures, err))
}

// runWithout is a run without scenarios.
func (p *program) runWithout(problems outcome.Problems) *outcome.Run {
	now := time.Now()
	return &outcome.Run{Started: now, Origin: originOf(now), Version: ownVersion(), Problems: problems}
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
	for _, c := range o.comparisons {
		if isRegular(c.path) {
			failures = append(failures, os.Remove(c.path))
		}
	}
	return p.complainAllButLast(failures)
}

// isRegular tells whether there is a regular file at a path.
func isRegular(path string) bool {
	info, err := os.Stat(path)
	return path != "" && err == nil && info.Mode().IsRegular()
}

// reportsNamed gives the files of reports that a command line of run names, for a command
// line that is wrong. Those are left out whose name is wrong, and those whose file is named by
// anything else on the command line, or is a feature file: it may be an input.
func reportsNamed(args []string) []reportDestination {
	var values []string
	others := []string{os.Getenv(envOutput)}
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		value, isFormat := strings.CutPrefix(args[i], "--format=")
		if args[i] == "--format" && i+1 < len(args) {
			i++
			value, isFormat = args[i], true
		}
		if isFormat {
			values = append(values, value)
			continue
		}
		_, assigned, _ := strings.Cut(args[i], "=")
		_, behindColon, _ := strings.Cut(args[i], ":")
		others = append(others, args[i], assigned, behindColon)
	}
	var reports []reportDestination
	for _, value := range values {
		name, file, toFile := strings.Cut(value, ":")
		format, err := report.FormatByName(name)
		if err != nil || !toFile || file == "" || suite.IsFeature(file) {
			continue
		}
		isTaken := slices.ContainsFunc(others, func(other string) bool { return other != "" && sameFile(file, other) })
		if !isTaken && refuseUnwritable(namedFile{"--format " + name, file}) == nil {
			reports = append(reports, reportDestination{format: format, file: file})
			others = append(others, file)
		}
	}
	return reports
}
