package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/quantity"
)

// Pretty writes a run for people: what failed and why, the benchmarks in a
// table, what was skipped, and the totals as the last line.
func Pretty(w io.Writer, run *outcome.Run, opts Options) error {
	p := &printer{w: w, opts: opts}
	p.failures(run)
	p.benchmarksTable(run)
	p.notes(run)
	p.line(p.totals(run))
	return p.err
}

// statusMarks are the characters of the progress format, the same as Cucumber's.
var statusMarks = map[outcome.Status]struct {
	mark  string
	style style
}{
	outcome.Passed:    {".", stylePassed},
	outcome.Failed:    {"F", styleFailed},
	outcome.Skipped:   {"-", styleFaint},
	outcome.Undefined: {"U", styleFailed},
	outcome.Ambiguous: {"A", styleFailed},
	outcome.Pending:   {"P", styleFailed},

	outcome.CouldNotJudge:   {"C", styleFailed},
	outcome.Flaky:           {"f", styleWarning},
	outcome.ExpectedFailure: {"x", stylePassed},
}

// Progress writes one character a scenario, then what failed, and the totals.
func Progress(w io.Writer, run *outcome.Run, opts Options) error {
	p := &printer{w: w, opts: opts}
	const perLine = 70
	var row strings.Builder
	n := 0
	for _, s := range scenarios(run) {
		m, ok := statusMarks[s.Status]
		if !ok {
			m.mark, m.style = "?", styleFailed
		}
		row.WriteString(p.styled(m.style, m.mark))
		n++
		if limit := opts.Width; n == perLine || limit > 0 && n == limit {
			p.line(row.String())
			row.Reset()
			n = 0
		}
	}
	if n > 0 {
		p.line(row.String())
	}
	if len(scenarios(run)) > 0 {
		p.line("")
	}
	p.failures(run)
	p.notes(run)
	p.line(p.totals(run))
	return p.err
}

// locatedScenario is a scenario with its feature.
type locatedScenario struct {
	*outcome.Scenario
	feature *outcome.Feature
}

// scenarios lists the scenarios of all features.
func scenarios(run *outcome.Run) []locatedScenario {
	var all []locatedScenario
	for i := range run.Features {
		f := &run.Features[i]
		for j := range f.Scenarios {
			all = append(all, locatedScenario{&f.Scenarios[j], f})
		}
	}
	return all
}

func (s locatedScenario) failed() bool {
	switch s.Status {
	case outcome.Passed, outcome.Skipped, outcome.NotOffered, outcome.Flaky, outcome.ExpectedFailure:
		return false
	}
	return true
}

// withoutStep says why a scenario did not pass of which no step failed.
func (s locatedScenario) withoutStep() string {
	switch {
	case len(s.Problems) > 0:
		return s.Problems.Error()
	case s.Err != nil:
		return s.Err.Error()
	}
	return fmt.Sprintf("the scenario is %s, though no step failed", s.Status)
}

// title is "Feature › Rule › Scenario" in one line.
func (s locatedScenario) title() string {
	parts := []string{s.feature.Name}
	if s.Rule != "" {
		parts = append(parts, s.Rule)
	}
	return oneLine(strings.Join(append(parts, s.Name), " › "))
}

// location is "file:line", with the scenario's line where line is 0.
func (s locatedScenario) location(line int) string {
	if line == 0 {
		line = s.Line
	}
	return fmt.Sprintf("%s:%d", oneLine(s.feature.URI), line)
}

func (p *printer) failures(run *outcome.Run) {
	number := 0
	for _, s := range scenarios(run) {
		if !s.failed() {
			continue
		}
		number++
		if number == 1 {
			p.line(p.styled(styleFailed, "Failures"))
			p.line("")
		}
		p.failure(number, s)
		p.line("")
	}
}

func (p *printer) failure(number int, s locatedScenario) {
	p.paragraph("", styleHeading, fmt.Sprintf("%d. %s", number, s.title()))
	p.line("   " + p.styled(styleFaint, s.location(s.Line)))
	step := s.FailedStep()
	if step == nil {
		p.paragraph("   ", styleFailed, s.withoutStep())
		return
	}
	p.paragraph("   ", style{}, fmt.Sprintf("%s%s", step.Keyword, oneLine(step.Text)))
	place := s.location(step.Line)
	p.line("   " + p.styled(styleFaint, place))
	p.paragraph("     ", styleFailed, failureReason(step))
	if advice := hintOf(step); advice != "" {
		p.paragraph("     ", styleHint, "hint: "+advice)
	}
}

// failureReason says why a step did not pass; it is never empty.
func failureReason(step *outcome.Step) string {
	if step.Err != nil {
		if text := step.Err.Error(); strings.TrimSpace(text) != "" {
			return text
		}
	}
	switch step.Status {
	case outcome.Undefined:
		return "no step is defined for this line"
	case outcome.Ambiguous:
		return "more than one step is defined for this line"
	case outcome.Pending:
		return "the step is not finished"
	}
	return "failed without a reason"
}

// hintOf gives the hint of a step's error; "" where it has none.
func hintOf(step *outcome.Step) string {
	var h interface{ Hint() string }
	if errors.As(step.Err, &h) {
		return h.Hint()
	}
	if step.Status == outcome.Undefined && step.Err == nil {
		return "omniloader steps lists all steps"
	}
	return ""
}

// notes writes what was skipped and the warnings on measurements.
func (p *printer) notes(run *outcome.Run) {
	all := remarks(run)
	for _, r := range all {
		p.paragraph("", r.style, r.text)
	}
	if len(all) > 0 {
		p.line("")
	}
}

// remark is a note on a run for people.
type remark struct {
	style style
	text  string
}

// remarks gives what was skipped, each reason once, and the warnings on measurements.
func remarks(run *outcome.Run) []remark {
	skips := &groupedNotes{}
	warnings := &groupedNotes{}
	for _, s := range scenarios(run) {
		if s.Status == outcome.Skipped {
			skips.add(cmp.Or(oneLine(s.SkipReason), "no reason given"), s.benchmarkName())
		}
		for _, text := range s.allWarnings() {
			if !s.isBoundNote(text) { // one line for all of them, see fragileBounds
				warnings.add(text, s.benchmarkName())
			}
		}
	}
	var all []remark
	for _, n := range skips.notes {
		all = append(all, remark{styleFaint, fmt.Sprintf("%d skipped: %s", len(n.names), n.text)})
	}
	for _, n := range warnings.notes {
		all = append(all, remark{styleWarning, fmt.Sprintf("warning: %s (%s)", n.text, firstNames(n.names, maxRemarkNames))})
	}
	if fragile := fragileBounds(run); fragile != "" {
		all = append(all, remark{styleFaint, fragile})
	}
	return all
}

// fragileBounds says in one line which bounds are so near to the fastest call that a
// busy machine exceeds them by itself; "" where there are none.
func fragileBounds(run *outcome.Run) string {
	var names []string
	bounds := 0
	for _, s := range scenarios(run) {
		if s.Benchmark == nil {
			continue
		}
		n := 0
		for _, j := range s.Benchmark.Bounds {
			if j.Note != "" {
				n++
			}
		}
		if bounds += n; n > 0 {
			names = append(names, oneLine(s.Benchmark.Key().String()))
		}
	}
	if bounds == 0 {
		return ""
	}
	return fmt.Sprintf("fragile: %s may be exceeded on a busy machine, being near the fastest call: %s; a results file has the details",
		quantity.Count(bounds, "bound"), firstNames(names, maxRemarkNames))
}

// firstNames lists so many names, and the number of the others.
func firstNames(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// maxRemarkNames is the number of names in a remark.
const maxRemarkNames = 4

// benchmarkName is the name of a scenario's benchmark, or the title of the scenario where it
// has none.
func (s locatedScenario) benchmarkName() string {
	if s.Benchmark != nil {
		return oneLine(s.Benchmark.Key().String())
	}
	return s.title()
}

// isBoundNote tells whether a text is the note of one of the scenario's bounds.
func (s locatedScenario) isBoundNote(text string) bool {
	return s.Benchmark != nil && slices.ContainsFunc(s.Benchmark.Bounds, func(j bench.Judgement) bool { return oneLine(j.Note) == text })
}

// allWarnings gives the warnings and notes on a scenario's measurement, each once.
func (s locatedScenario) allWarnings() []string {
	var all []string
	add := func(t string) {
		if t = oneLine(t); t != "" && !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	for _, n := range s.NotJudged {
		add(n.String())
	}
	for _, t := range s.Warnings {
		add(t)
	}
	if s.Benchmark != nil {
		for _, j := range s.Benchmark.Bounds {
			add(j.Warning)
			add(j.Note)
		}
	}
	return all
}

// groupedNotes groups names by text, in the order of the first name of each.
type groupedNotes struct {
	notes []note
}

type note struct {
	text  string
	names []string
}

func (t *groupedNotes) add(text, name string) {
	for i := range t.notes {
		if t.notes[i].text == text {
			t.notes[i].names = append(t.notes[i].names, name)
			return
		}
	}
	t.notes = append(t.notes, note{text, []string{name}})
}

// totals gives the last line: "187 scenarios: 185 passed, 2 failed · …".
func (p *printer) totals(run *outcome.Run) string {
	t := run.Totals()
	outcomes := []string{}
	if t.Passed > 0 {
		outcomes = append(outcomes, p.styled(stylePassed, fmt.Sprintf("%d passed", t.Passed)))
	}
	if t.Failed > 0 {
		outcomes = append(outcomes, p.styled(styleFailed, fmt.Sprintf("%d failed", t.Failed)))
	}
	if t.Unjudged > 0 {
		outcomes = append(outcomes, p.styled(styleFailed, fmt.Sprintf("%d could not be judged", t.Unjudged)))
	}
	if t.Flaky > 0 {
		outcomes = append(outcomes, p.styled(styleWarning, fmt.Sprintf("%d flaky", t.Flaky)))
	}
	if t.ExpectedFailures > 0 {
		outcomes = append(outcomes, quantity.Count(t.ExpectedFailures, "expected failure"))
	}
	if t.Skipped > 0 {
		outcomes = append(outcomes, p.styled(styleFaint, fmt.Sprintf("%d skipped", t.Skipped)))
	}
	text := quantity.Count(t.Scenarios, "scenario")
	if len(outcomes) > 0 {
		text += ": " + strings.Join(outcomes, ", ")
	}
	parts := []string{text}
	if t.Benchmarks > 0 {
		parts = append(parts, quantity.Count(t.Benchmarks, "benchmark"))
	}
	if t.NotJudged > 0 {
		parts = append(parts, p.styled(styleWarning, quantity.Count(t.NotJudged, "bound")+" not judged"))
	}
	parts = append(parts, quantity.FormatDuration(run.Duration.Seconds()))
	line := strings.Join(parts, " · ")
	if run.Interrupted {
		line = p.styled(styleWarning, "interrupted") + " · " + line
	}
	return line
}
