package report

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/quantity"
)

//go:embed html.tmpl
var htmlText string

var htmlTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("report").Parse(htmlText))
})

// HTML writes a run as one page without scripts and without any other file. What failed
// comes first, among the features and in each of them. The page is dark or light as the
// reader's system asks for. On a narrow screen and on paper the rows of wide tables are
// laid out as blocks, and paper shows what is folded too.
func HTML(w io.Writer, run *outcome.Run, _ Options) error {
	return htmlTemplate().Execute(w, htmlOf(run))
}

// The data of the template, in the order of the page. Texts are printable; the template
// escapes them.
type (
	htmlRun struct {
		Totals     string
		Place      string // where and when
		Problems   []htmlProblems
		Slower     []string
		Remarks    []string
		Benchmarks []htmlBenchmark
		Callers    []htmlCallers
		Comparison *htmlComparison
		Features   []htmlFeature
	}
	// htmlProblems is a section of what did not pass.
	htmlProblems struct {
		Heading string
		Entries []htmlEntry
	}
	htmlEntry struct {
		ID, Title, Place, Others string // ID is that of the scenario, "" where it is none

		htmlStatus
		Reasons      []htmlReason
		Attempts     []string
		Tree, Answer string
	}
	htmlReason struct {
		Step, Place, Text, Hint string
		Facts                   []htmlFact
	}
	htmlFact    struct{ Name, Text string }
	htmlFeature struct {
		Name, URI, Description, Counts string

		Open      bool
		Reasons   []htmlReason // of problems of the file
		Scenarios []htmlScenario
	}
	htmlScenario struct {
		ID, Title, Rule, Name, Place, Tags, SkipReason, Duration string

		htmlStatus
		Open     bool
		Steps    []htmlStep
		Reasons  []htmlReason // that belong to no step
		Attempts []string
		Warnings []string
	}
	htmlStep struct {
		Keyword, Text, Place, DocString string

		htmlStatus
		Table  [][]string
		Reason *htmlReason
	}
	// htmlStatus is a status with the class that colours it.
	htmlStatus    struct{ Status, Class string }
	htmlBenchmark struct {
		ID, Category, Name string

		htmlStatus // whether the bounds hold
		Figures    []htmlFact
		Bounds     []htmlBound
	}
	htmlBound   struct{ Verdict, Class, Text, Figure string }
	htmlCallers struct {
		Name  string
		Cells []htmlFact
	}
	htmlComparison struct {
		Totals, Basis string
		Notes         []string
		Changes       []htmlChange
	}
	htmlChange struct{ Verdict, Class, Name, Old, New, Change string }
)

func htmlOf(run *outcome.Run) htmlRun {
	plain := &printer{}
	out := htmlRun{Totals: plain.totals(run), Place: htmlPlace(run)}
	ids := map[*bench.Result]string{}
	failures, flaky := htmlProblems{Heading: "Failures"}, htmlProblems{Heading: "Flaky"}
	places := map[string]string{} // ids by place
	number := 0
	for i := range run.Features {
		f := &run.Features[i]
		feature := htmlFeature{Name: cmp.Or(oneLine(f.Name), "without a name"), URI: oneLine(f.URI), Description: printable(f.Description)}
		for _, p := range f.Problems {
			feature.Reasons = append(feature.Reasons, htmlReasonOf(ofProblem(p)))
		}
		for j := range f.Scenarios {
			number++
			s := locatedScenario{&f.Scenarios[j], f}
			scenario := htmlScenarioOf(s, "scenario-"+strconv.Itoa(number))
			places[s.location(0)] = scenario.ID
			if s.Benchmark != nil {
				ids[s.Benchmark] = scenario.ID
			}
			switch s.Status.Group() {
			case outcome.Failed:
				failures.Entries = append(failures.Entries, htmlEntryOf(s, scenario.ID))
			case outcome.Flaky:
				flaky.Entries = append(flaky.Entries, htmlEntry{
					ID: scenario.ID, Title: s.title(), Place: s.location(0), htmlStatus: htmlStatusOf(s.Status), Attempts: s.attempts(),
				})
			}
			feature.Scenarios = append(feature.Scenarios, scenario)
		}
		failuresFirst(feature.Scenarios, func(s htmlScenario) bool { return s.Open })
		feature.Open = len(f.Problems) > 0 || slices.ContainsFunc(feature.Scenarios, func(s htmlScenario) bool { return s.Open })
		feature.Counts = featureCounts(f)
		out.Features = append(out.Features, feature)
	}
	failuresFirst(out.Features, func(f htmlFeature) bool { return f.Open })
	for _, section := range []htmlProblems{failures, htmlUnjudged(run, places), flaky} {
		if len(section.Entries) > 0 {
			out.Problems = append(out.Problems, section)
		}
	}
	for _, change := range regressions(run.Comparison) {
		out.Slower = append(out.Slower, oneLine(change.Key().String())+": "+changeInWords(run.Comparison, change))
	}
	for _, r := range remarks(run) {
		out.Remarks = append(out.Remarks, r.text)
	}
	for _, r := range measuredResults(run) {
		out.Benchmarks = append(out.Benchmarks, htmlBenchmarkOf(r, ids[r]))
		if cells := callersCells(r); cells != nil {
			out.Callers = append(out.Callers, htmlCallersOf(r, cells))
		}
	}
	if run.Comparison != nil {
		out.Comparison = htmlComparisonOf(run.Comparison)
	}
	return out
}

// htmlUnjudged is the section of what could not be judged; places has the ids of scenarios by
// their places.
func htmlUnjudged(run *outcome.Run, places map[string]string) htmlProblems {
	section := htmlProblems{Heading: "Could not be judged"}
	for _, u := range unjudgedOf(run) {
		section.Entries = append(section.Entries, htmlEntry{
			ID: places[u.place], Title: u.title, Place: u.place, Others: u.othersText(), htmlStatus: htmlStatusOf(u.reasons[0].status), Reasons: htmlReasons(u.reasons, u.place),
		})
	}
	return section
}

func htmlCallersOf(r *bench.Result, cells []string) htmlCallers {
	row := htmlCallers{Name: oneLine(r.Key().String())}
	for i, cell := range cells {
		row.Cells = append(row.Cells, htmlFact{cmp.Or(callersTitles[i+1], "callers"), cell})
	}
	return row
}

// htmlPlace says where and when a run took place.
func htmlPlace(run *outcome.Run) string {
	var parts []string
	if !run.Started.IsZero() {
		parts = append(parts, run.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	for _, part := range []any{run.Origin.Platform, run.Origin.Environment["cpu"], run.Origin.GoVersion} {
		if text, ok := part.(string); ok && text != "" {
			parts = append(parts, oneLine(text))
		}
	}
	if commit, ok := run.Origin.Environment["commit"].(string); ok {
		parts = append(parts, "commit "+oneLine(commit))
	}
	return strings.Join(parts, " · ")
}

// failuresFirst moves what failed to the front and keeps the order otherwise.
func failuresFirst[T any](all []T, failed func(T) bool) {
	rank := func(t T) int {
		if failed(t) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b T) int { return cmp.Compare(rank(a), rank(b)) })
}

// htmlStatusNames are the statuses as people read them, where that is not the status itself.
var htmlStatusNames = map[outcome.Status]string{
	outcome.CouldNotJudge: "could not be judged", outcome.ExpectedFailure: "expected failure", outcome.NotOffered: "not offered",
	"": "skipped", // the run ended before it
}

func htmlStatusOf(s outcome.Status) htmlStatus {
	group := s.Group()
	if s == "" {
		group = outcome.Skipped
	}
	return htmlStatus{cmp.Or(htmlStatusNames[s], oneLine(string(s))), string(group)}
}

// featureCounts counts the scenarios of a feature, and those that did not pass.
func featureCounts(f *outcome.Feature) string {
	t := (&outcome.Run{Features: []outcome.Feature{*f}}).Totals()
	text := quantity.Count(t.Scenarios, "scenario")
	for _, c := range []struct {
		n    int
		what string
	}{{t.Failed, "failed"}, {t.Unjudged, "could not be judged"}, {t.Flaky, "flaky"}} {
		if c.n > 0 {
			text += fmt.Sprintf(", %d %s", c.n, c.what)
		}
	}
	return text
}

func htmlEntryOf(s locatedScenario, id string) htmlEntry {
	e := htmlEntry{
		ID: id, Title: s.title(), Place: s.location(0), htmlStatus: htmlStatusOf(s.Status), Reasons: htmlReasons(s.reasons(), s.location(0)), Attempts: s.attempts(),
		Answer: strings.Join(answerLines(s.Evidence), "\n"),
	}
	if s.Evidence != nil {
		e.Tree = strings.Join(s.evidenceLines(len(treeFiles(s.Evidence))), "\n")
	}
	return e
}

// htmlReasons gives reasons below a place, which is not repeated where no step has another.
func htmlReasons(all []located, above string) []htmlReason {
	out := make([]htmlReason, len(all))
	for i, r := range all {
		out[i] = htmlReasonOf(r)
		if r.step == "" && r.place == above {
			out[i].Place = ""
		}
	}
	return out
}

func htmlReasonOf(r located) htmlReason {
	out := htmlReason{Step: r.step, Place: r.place, Text: r.text, Hint: r.hint}
	for _, f := range r.facts {
		out.Facts = append(out.Facts, htmlFact{f.name, f.text})
	}
	return out
}

func htmlScenarioOf(s locatedScenario, id string) htmlScenario {
	tags := make([]string, len(s.Tags))
	for i, t := range s.Tags {
		tags[i] = oneLine(t.Name)
	}
	out := htmlScenario{
		ID: id, Title: s.title(), Rule: oneLine(s.Rule), Name: cmp.Or(oneLine(s.Name), oneLine(s.Keyword)), Place: s.location(s.Line),
		Tags: strings.Join(tags, " "), htmlStatus: htmlStatusOf(s.Status), Open: s.failed() || s.unjudged(), Warnings: s.allWarnings(), Attempts: s.attempts(),
	}
	switch s.Status.Group() {
	case outcome.Skipped:
		out.SkipReason = oneLine(s.SkipReason)
	case outcome.ExpectedFailure:
		out.SkipReason = "failed as expected, " + s.expectedReason()
	}
	if s.Duration > 0 {
		out.Duration = quantity.FormatDuration(s.Duration.Seconds())
	}
	reasonsOfSteps := map[*outcome.Step]*htmlReason{}
	if out.Open || s.Status == outcome.ExpectedFailure {
		for _, r := range s.reasons() {
			reason := htmlReasonOf(r)
			reason.Step, reason.Place = "", ""
			if r.at != nil {
				reasonsOfSteps[r.at] = &reason
				continue
			}
			out.Reasons = append(out.Reasons, reason)
		}
	}
	for i := range s.Steps {
		step := htmlStepOf(s, &s.Steps[i])
		step.Reason = reasonsOfSteps[&s.Steps[i]]
		out.Steps = append(out.Steps, step)
	}
	return out
}

func htmlStepOf(s locatedScenario, step *outcome.Step) htmlStep {
	out := htmlStep{Keyword: strings.TrimSpace(oneLine(step.Keyword)) + " ", Text: oneLine(step.Text), Place: s.location(step.Line), htmlStatus: htmlStatusOf(step.Status)}
	if step.DocString != nil {
		out.DocString = printable(step.DocString.Content)
	}
	for _, row := range step.Table {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = printable(c)
		}
		out.Table = append(out.Table, cells)
	}
	return out
}

func htmlBenchmarkOf(r *bench.Result, id string) htmlBenchmark {
	out := htmlBenchmark{ID: id, Category: oneLine(r.Category), Name: oneLine(r.Key().String())}
	if len(r.Bounds) > 0 {
		out.htmlStatus = htmlStatus{"ok", string(outcome.Passed)}
		if !r.Held() {
			out.htmlStatus = htmlStatus{"exceeded", string(outcome.Failed)}
		}
	}
	figure := func(name, text string) { out.Figures = append(out.Figures, htmlFact{name, text}) }
	figure("calls", strconv.Itoa(r.Iterations))
	for _, f := range []struct {
		name    string
		seconds float64
	}{{"mean", r.MeanTime}, {"median", r.MedianTime}, {"p95", r.P95Time}, {"p99", r.P99Time}, {"fastest", r.MinTime}, {"slowest", r.MaxTime}} {
		figure(f.name, quantity.FormatDuration(f.seconds))
	}
	allocations := ""
	if r.AllocsPerOp != nil {
		allocations = strconv.FormatUint(*r.AllocsPerOp, 10)
	}
	figure("allocated", allocated(nil, r))
	figure("allocations", allocations)
	for _, j := range r.Bounds {
		b := htmlBound{"ok", string(outcome.Passed), oneLine(j.Bound), j.Metric.Format(j.Figure)}
		if !j.Held {
			b.Verdict, b.Class = "exceeded", string(outcome.Failed)
		}
		out.Bounds = append(out.Bounds, b)
	}
	return out
}

// verdictClasses colour the verdicts of a comparison; the others have no colour.
var verdictClasses = map[bench.Verdict]outcome.Status{
	bench.Red: outcome.Failed, bench.Green: outcome.Passed, bench.NotComparable: outcome.Skipped, bench.Unconverged: outcome.Skipped, bench.NotTold: outcome.Skipped, bench.Removed: outcome.Skipped,
}

func htmlComparisonOf(c *bench.Comparison) *htmlComparison {
	out := &htmlComparison{Totals: (&printer{}).comparisonTotals(c), Basis: basis(c)}
	for _, n := range slices.Concat(reasons(c), c.Notes) {
		out.Notes = append(out.Notes, oneLine(n))
	}
	for _, change := range c.Changes {
		if change.Verdict == bench.NotRun {
			continue // not selected
		}
		out.Changes = append(out.Changes, htmlChange{
			string(change.Verdict), string(verdictClasses[change.Verdict]), oneLine(change.Key().String()),
			oldFigure(c, change), newFigure(c, change), percent(c, change),
		})
	}
	return out
}
