package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"omniloader/internal/atomicfile"
	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/quantity"
	"omniloader/internal/report"
	"omniloader/internal/suite"
)

// finishRun writes everything that a run was asked for, and then judges it: a failure
// must not cost the figures. selection goes into the results file.
func (p *program) finishRun(ctx context.Context, run *outcome.Run, o *runOutputs, sampling *runSampling, selection string) error {
	run.RegressionsAllowed = o.failOn.allowsRegressions()
	failures := p.writeReports(run, o.reports, func(d reportDestination) bool {
		return d.file != "" || d.forPeople() // now, since sampling takes a while
	})
	unjudged := suite.Unjudged(run)
	comparison, sampled, figureFailures := p.writeFigures(ctx, run, o, sampling, selection)
	figureFailures = slices.DeleteFunc(figureFailures, func(err error) bool { return err == nil })
	failures = append(failures, figureFailures...)
	var verdict error
	if comparison != nil {
		verdict = p.judgeComparison(&o.failOn, comparison)
		if verdict != nil && !errors.Is(verdict, errFailed) {
			figureFailures = append(figureFailures, verdict)
		}
	}
	for _, err := range figureFailures {
		run.Problems = append(run.Problems, problemsOf(err)...)
	}
	if comparison != nil {
		failures = append(failures, p.renderComparison(comparison, o.comparisons, stdoutIsForPeople(o.reports)))
		if stdoutIsForPeople(o.reports) {
			fmt.Fprintln(p.out, report.Headline(run, p.out.options()))
		}
	}
	p.noteSkippedReal(run)
	if verdict == nil {
		verdict = p.judgeFlaky(run, &o.failOn)
	}
	moreKnown := sampled || comparison != nil || len(figureFailures) > 0
	failures = append(failures, p.writeFinalReports(run, o.reports, moreKnown, errors.Join(append(failures, verdict)...) != nil)...)
	if unjudged != nil && stdoutIsForPeople(o.reports) && p.out.sharesPlaceWith(p.err) {
		unjudged = unjudgedInShort(run) // the report above, in the same place, has all of it
	}
	return p.judge(run, append(failures, unjudged), verdict)
}

// judge says everything that could not be done or judged, and gives the error that a run
// ends with: verdict is that of its comparison, or nil.
func (p *program) judge(run *outcome.Run, failures []error, verdict error) error {
	last := p.complainAllButLast(failures)
	if run.Totals().Failed > 0 { // exit code 1, whatever else could not be done
		if last != nil {
			p.complain(last)
		}
		return errFailed
	}
	if last != nil {
		return last
	}
	return verdict
}

// judgeFlaky returns the error of a run with flaky scenarios where --fail-on lists them.
func (p *program) judgeFlaky(run *outcome.Run, failOn *failOn) error {
	n := run.Totals().Flaky
	if n == 0 || !failOn.has(failFlaky) {
		return nil
	}
	p.note("%s, which --fail-on makes a failure", quantity.Count(n, "flaky scenario"))
	return errFailed
}

// unjudgedInShort counts what could not be judged in a run.
func unjudgedInShort(run *outcome.Run) error {
	counts := countUnjudged(run.Totals())
	if counts == "" {
		return suite.Unjudged(run)
	}
	return errorWithHint("see the report above", "%s could not be judged", counts)
}

// countUnjudged counts what could not be judged: "2 scenarios and 1 file", or "".
func countUnjudged(t outcome.Totals) string {
	var counts []string
	if t.Unjudged > 0 {
		counts = append(counts, quantity.Count(t.Unjudged, "scenario"))
	}
	if t.UnjudgedFiles > 0 {
		counts = append(counts, quantity.Count(t.UnjudgedFiles, "file"))
	}
	return strings.Join(counts, " and ")
}

// writeFinalReports writes the reports when it is known how the run ends: those for programs
// that go to standard output, and the files again where more is known than before, or where
// the run is unsuccessful for a reason that is in no scenario.
func (p *program) writeFinalReports(run *outcome.Run, reports []reportDestination, moreKnown, unsuccessful bool) (failures []error) {
	files := func(d reportDestination) bool { return d.file != "" }
	run.Unsuccessful = unsuccessful
	if moreKnown || unsuccessful {
		failures = p.writeReports(run, reports, files)
	}
	if !unsuccessful && errors.Join(failures...) != nil { // one is missing now, which the others must not hide
		run.Unsuccessful = true
		p.writeReports(run, reports, files)
	}
	return append(failures, p.writeReports(run, reports, func(d reportDestination) bool { return !d.forPeople() && d.file == "" })...)
}

// writeReports writes the reports that are chosen, and gives an error for each that
// could not be written.
func (p *program) writeReports(run *outcome.Run, reports []reportDestination, choose func(reportDestination) bool) (failures []error) {
	for _, d := range reports {
		if choose(d) {
			failures = append(failures, p.writeReport(run, d))
		}
	}
	return failures
}

func (p *program) writeReport(run *outcome.Run, d reportDestination) error {
	if d.file == "" {
		options := p.out.options()
		options.Verbose = d.verbose
		return standardOutput(d.format.Render(p.out, run, options))
	}
	return atomicfile.Write(d.file, func(w io.Writer) error { return d.format.Render(w, run, report.Options{Verbose: d.verbose}) })
}

// stdoutIsForPeople tells whether the report on standard output is for people, so that
// a comparison may follow it there.
func stdoutIsForPeople(reports []reportDestination) bool {
	return slices.ContainsFunc(reports, func(d reportDestination) bool { return d.file == "" && d.forPeople() })
}

// writeFigures makes the results file of a run: it samples and compares where that is
// asked for, writes the file, and adds what was sampled and compared to the run. The
// comparison is nil where there is none.
func (p *program) writeFigures(ctx context.Context, run *outcome.Run, o *runOutputs, sampling *runSampling, selection string) (comparison *bench.Comparison, sampled bool, failures []error) {
	if !o.writesResults() {
		return nil, false, nil
	}
	file, err := newFile(run.Started, resultsOf(run))
	if err != nil {
		return nil, false, []error{err}
	}
	file.Selection, file.Interrupted = selection, run.Interrupted
	if !run.Interrupted && (o.baseline != nil || o.saveBaseline != "") {
		comparison, err = p.sampleAndCompare(ctx, run, file, sampling)
		if errors.Is(err, bench.ErrInterrupted) {
			file.Interrupted = file.Plan == nil // its floors are missing
			lost := "nothing was compared"
			if o.saveBaseline != "" && file.Plan == nil {
				lost += ", and no baseline written"
			}
			err = errorWithHint(lost, "%s while sampling", whyEnded(ctx))
		}
		failures = append(failures, err)
	}
	sampled = file.Plan != nil
	if o.results != "" {
		failures = append(failures, p.writeResultsFile(file, o.results))
	}
	if sampled && o.saveBaseline != "" {
		failures = append(failures, file.Write(o.saveBaseline))
	}
	if sampled {
		run.SetSamples(file)
	}
	if comparison != nil {
		failures = append(failures, p.confirmMeans(ctx, comparison, o, sampling.measureAgain))
		o.failOn.withhold(comparison)
		run.SetComparison(comparison)
	}
	return comparison, sampled, failures
}

// sampleAndCompare samples the benchmarks where that is needed, adds the samples to the
// file, and compares it with the baseline; the comparison is nil where there is none.
func (p *program) sampleAndCompare(ctx context.Context, run *outcome.Run, file *bench.File, s *runSampling) (*bench.Comparison, error) {
	if s.needed() {
		switch t := run.Totals(); {
		case t.Failed > 0:
			return nil, errorWithHint("fix the scenarios first", "not sampled, because %s failed", quantity.Count(t.Failed, "scenario"))
		case t.Unjudged > 0:
			return nil, errorWithHint("fix the scenarios first", "not sampled, because %s could not be judged", quantity.Count(t.Unjudged, "scenario"))
		}
		if err := addOwnBuild(file); err != nil {
			return nil, err
		}
		job := s.job
		job.Memory = true
		noteContention := bench.WatchOtherLoad()
		samples, err := p.sampleAndNote(ctx, job, job.Plan.Processes, "sampled for the comparison")
		if err != nil {
			return nil, err
		}
		noteContention(file.Environment)
		if err := file.AddSamples(job.Plan, samples...); err != nil {
			return nil, err
		}
	}
	if s.baseline == nil {
		return nil, nil
	}
	return p.compareAndConfirm(ctx, s.baseline, file, s.job, s.threshold)
}

// writeResultsFile writes a results file. That of an interrupted run does not replace
// an earlier one, and is written beside it.
func (p *program) writeResultsFile(file *bench.File, path string) error {
	if _, err := os.Stat(path); file.Interrupted && err == nil {
		partial := path + ".interrupted"
		p.note("%s is not replaced; what was measured is in %s", path, partial)
		path = partial
	}
	return file.Write(path)
}

// resultsOf gives the measurements of a run.
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

// noteSkippedReal says how many scenarios were skipped for want of a real checkpoint.
func (p *program) noteSkippedReal(run *outcome.Run) {
	skipped := 0
	for _, f := range run.Features {
		for _, s := range f.Scenarios {
			if s.Status == outcome.Skipped && slices.ContainsFunc(s.Tags, func(t outcome.Tag) bool { return t.Name == "@real" }) {
				skipped++
			}
		}
	}
	switch {
	case skipped == 1:
		p.note("1 scenario tagged @real was skipped; --model DIR gives it a checkpoint")
	case skipped > 1:
		p.note("%d scenarios tagged @real were skipped; --model DIR gives them a checkpoint", skipped)
	}
}
