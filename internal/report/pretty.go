package report

import (
	"cmp"
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
	if opts.Verbose {
		p.tree(run)
	}
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
	outcome.NotOffered:      {"-", styleFaint},
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

func (s locatedScenario) failed() bool { return s.Status.Group() == outcome.Failed }

func (s locatedScenario) unjudged() bool { return s.Status.Group() == outcome.CouldNotJudge }

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

// failures writes the scenarios that failed, what could not be judged, and the scenarios
// that passed only in a later attempt, each under a heading of its own.
func (p *printer) failures(run *outcome.Run) {
	number := 0
	entry := func(heading string, s style) {
		if number++; number == 1 {
			p.line(p.styled(s, heading))
			p.line("")
		}
	}
	for _, s := range scenarios(run) {
		if s.failed() {
			entry("Failures", styleFailed)
			p.failure(number, s)
			p.line("")
		}
	}
	number = 0
	for _, u := range unjudgedOf(run) {
		entry("Could not be judged", styleFailed)
		p.unjudged(number, u)
		p.line("")
	}
	number = 0
	for _, s := range scenarios(run) {
		if s.Status.Group() == outcome.Flaky {
			entry("Flaky", styleWarning)
			p.title(number, s.title(), s.location(0))
			p.paragraph("   ", style{}, strings.Join(s.attempts(), "\n"))
			p.line("")
		}
	}
	if slower := regressions(run.Comparison); len(slower) > 0 {
		p.line(p.styled(styleFailed, "Slower than the baseline"))
		p.line("")
		for _, change := range slower {
			p.paragraph("   ", style{}, oneLine(change.Key().String())+": "+changeInWords(run.Comparison, change))
		}
		p.line("")
	}
}

// maxTreeLines is the number of files of a checkpoint that a failure shows on a terminal.
const maxTreeLines = 12

func (p *printer) title(number int, title, place string) {
	p.paragraph("", styleHeading, fmt.Sprintf("%d. %s", number, title))
	if place != "" {
		p.line("   " + p.styled(styleFaint, place))
	}
}

func (p *printer) failure(number int, s locatedScenario) {
	p.title(number, s.title(), s.location(0))
	p.reasons(s.reasons(), s.location(0))
	if lines := s.attempts(); len(lines) > 0 {
		p.paragraph("   ", style{}, strings.Join(lines, "\n"))
	}
	for _, line := range s.evidenceLines(maxTreeLines) {
		p.paragraph("   ", styleFaint, line)
	}
}

func (p *printer) unjudged(number int, u unjudged) {
	p.title(number, u.title, u.place)
	if others := u.othersText(); others != "" {
		p.paragraph("   ", styleFaint, others)
	}
	p.reasons(u.reasons, u.place)
}

// reasons writes why something did not pass. A place that is the one above is not written
// again.
func (p *printer) reasons(all []located, above string) {
	const indent = "     "
	for _, r := range all {
		if r.step != "" {
			p.paragraph("   ", style{}, r.step)
		}
		if r.place != "" && (r.place != above || r.step != "") {
			p.line("   " + p.styled(styleFaint, r.place))
		}
		p.paragraph(indent, styleFailed, r.text)
		for _, f := range r.facts {
			if strings.Contains(f.text, "\n") {
				p.paragraph(indent+"  ", style{}, f.name+":")
				p.paragraph(indent+"    ", style{}, f.text)
				continue
			}
			p.paragraph(indent+"  ", style{}, fmt.Sprintf("%-10s  %s", f.name, f.text))
		}
		if r.hint != "" {
			p.paragraph(indent, styleHint, "hint: "+r.hint)
		}
	}
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

// remarks gives what was skipped and what failed as expected, each reason once, and the warnings on measurements.
func remarks(run *outcome.Run) []remark {
	skips, expected := &groupedNotes{}, &groupedNotes{}
	warnings := &groupedNotes{}
	for _, s := range scenarios(run) {
		if s.Status == outcome.ExpectedFailure {
			expected.add(s.expectedReason(), s.title())
		}
		if s.Status.Group() == outcome.Skipped {
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
	for _, n := range expected.notes {
		all = append(all, remark{style{}, fmt.Sprintf("%d failed as expected, %s: %s", len(n.names), n.text, firstNames(n.names, maxRemarkNames))})
	}
	for _, n := range warnings.notes {
		all = append(all, remark{styleWarning, fmt.Sprintf("warning: %s (%s)", n.text, firstNames(n.names, maxRemarkNames))})
	}
	if fragile := fragileBounds(run); fragile != "" {
		all = append(all, remark{styleFaint, fragile})
	}
	return all
}

// expectedReason names the tag that says that the scenario fails.
func (s locatedScenario) expectedReason() string {
	for _, t := range s.Tags {
		if strings.HasPrefix(t.Name, "@fails") {
			return oneLine(t.Name)
		}
	}
	return "as its tags say"
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
