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
// reader's system asks for.
func HTML(w io.Writer, run *outcome.Run, _ Options) error {
	return htmlTemplate().Execute(w, htmlOf(run))
}

// The data of the template, in the order of the page. Texts are printable; the template
// escapes them.
type (
	htmlRun struct {
		Totals     string
		Place      string // where and when
		Failures   []htmlScenario
		Remarks    []string
		Benchmarks []htmlBenchmark
		Callers    []htmlCallers
		Comparison *htmlComparison
		Features   []htmlFeature
	}
	htmlFeature struct {
		Name, URI, Description, Counts string

		Open      bool
		Scenarios []htmlScenario
	}
	htmlScenario struct {
		ID, Title, Rule, Name, Place, Tags, SkipReason, Duration string

		htmlStatus
		Open     bool
		Step     *htmlStep // the failed one, or nil
		Steps    []htmlStep
		Warnings []string
	}
	htmlStep struct {
		Keyword, Text, Place, DocString, Reason, Hint string

		htmlStatus
		Table [][]string
	}
	// htmlStatus is a status with the class that colours it.
	htmlStatus    struct{ Status, Class string }
	htmlBenchmark struct {
		ID, Category, Name string
		Figures            []string // one for each column of figures
		Bounds             []htmlBound
	}
	htmlBound   struct{ Verdict, Class, Text, Figure string }
	htmlCallers struct {
		Name  string
		Cells []string
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
	number := 0
	for i := range run.Features {
		f := &run.Features[i]
		feature := htmlFeature{Name: cmp.Or(oneLine(f.Name), "without a name"), URI: oneLine(f.URI), Description: printable(f.Description)}
		failed := 0
		for j := range f.Scenarios {
			number++
			s := locatedScenario{&f.Scenarios[j], f}
			scenario := htmlScenarioOf(s, "scenario-"+strconv.Itoa(number))
			if s.Benchmark != nil {
				ids[s.Benchmark] = scenario.ID
			}
			if s.failed() {
				failed++
				out.Failures = append(out.Failures, scenario)
			}
			feature.Scenarios = append(feature.Scenarios, scenario)
		}
		failuresFirst(feature.Scenarios, func(s htmlScenario) bool { return s.Open })
		feature.Open = failed > 0
		feature.Counts = quantity.Count(len(f.Scenarios), "scenario")
		if failed > 0 {
			feature.Counts += fmt.Sprintf(", %d failed", failed)
		}
		out.Features = append(out.Features, feature)
	}
	failuresFirst(out.Features, func(f htmlFeature) bool { return f.Open })
	for _, r := range remarks(run) {
		out.Remarks = append(out.Remarks, r.text)
	}
	for _, r := range measuredResults(run) {
		out.Benchmarks = append(out.Benchmarks, htmlBenchmarkOf(r, ids[r]))
		if cells := callersCells(r); cells != nil {
			out.Callers = append(out.Callers, htmlCallers{oneLine(r.Key().String()), cells})
		}
	}
	if run.Comparison != nil {
		out.Comparison = htmlComparisonOf(run.Comparison)
	}
	return out
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

func htmlStatusOf(s outcome.Status) htmlStatus {
	switch s {
	case outcome.Passed, outcome.Skipped:
		return htmlStatus{string(s), string(s)}
	case outcome.Flaky, outcome.ExpectedFailure, outcome.NotOffered:
		return htmlStatus{string(s), string(outcome.Passed)}
	case "": // the run ended before it
		return htmlStatus{string(outcome.Skipped), string(outcome.Skipped)}
	}
	return htmlStatus{oneLine(string(s)), string(outcome.Failed)}
}

func htmlScenarioOf(s locatedScenario, id string) htmlScenario {
	tags := make([]string, len(s.Tags))
	for i, t := range s.Tags {
		tags[i] = oneLine(t.Name)
	}
	out := htmlScenario{
		ID: id, Title: s.title(), Rule: oneLine(s.Rule), Name: cmp.Or(oneLine(s.Name), oneLine(s.Keyword)), Place: s.location(s.Line),
		Tags: strings.Join(tags, " "), htmlStatus: htmlStatusOf(s.Status), Open: s.failed(), Warnings: s.allWarnings(),
	}
	if s.Status == outcome.Skipped {
		out.SkipReason = oneLine(s.SkipReason)
	}
	if s.Duration > 0 {
		out.Duration = quantity.FormatDuration(s.Duration.Seconds())
	}
	for i := range s.Steps {
		out.Steps = append(out.Steps, htmlStepOf(s, &s.Steps[i]))
	}
	if failed := s.FailedStep(); failed != nil && s.failed() {
		step := htmlStepOf(s, failed)
		out.Step = &step
	}
	return out
}

func htmlStepOf(s locatedScenario, step *outcome.Step) htmlStep {
	out := htmlStep{Keyword: strings.TrimSpace(oneLine(step.Keyword)) + " ", Text: oneLine(step.Text), Place: s.location(step.Line), htmlStatus: htmlStatusOf(step.Status)}
	if out.Class == string(outcome.Failed) {
		out.Reason, out.Hint = printable(failureReason(step)), printable(hintOf(step))
	}
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
	out := htmlBenchmark{ID: id, Category: oneLine(r.Category), Name: oneLine(r.Key().String()), Figures: []string{strconv.Itoa(r.Iterations)}}
	for _, seconds := range []float64{r.MeanTime, r.MedianTime, r.P95Time, r.P99Time, r.MinTime, r.MaxTime} {
		out.Figures = append(out.Figures, quantity.FormatDuration(seconds))
	}
	allocations := ""
	if r.AllocsPerOp != nil {
		allocations = strconv.FormatUint(*r.AllocsPerOp, 10)
	}
	out.Figures = append(out.Figures, allocated(nil, r), allocations)
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
