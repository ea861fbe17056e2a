package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/quantity"
)

// The elements of JUnit XML. Texts are in CDATA, so that people can read them in the
// file too; they have to be printable, as nothing is escaped in CDATA. There is no
// official schema; these are the elements and attributes that GitLab, Jenkins,
// dorny/test-reporter and mikepenz/action-junit-report read.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		junitCounts
		Suites []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		File      string `xml:"file,attr,omitempty"`
		Timestamp string `xml:"timestamp,attr"`
		junitCounts
		Cases     []junitCase `xml:"testcase"`
		SystemOut *junitText  `xml:"system-out"`
	}
	junitCounts struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"` // always 0, as consumers show an error as a crash of the runner
		Skipped  int    `xml:"skipped,attr"`
		Time     string `xml:"time,attr"`
	}
	junitCase struct {
		ClassName string        `xml:"classname,attr"`
		Name      string        `xml:"name,attr"`
		File      string        `xml:"file,attr,omitempty"`
		Line      int           `xml:"line,attr,omitempty"`
		Time      string        `xml:"time,attr"`
		Failure   *junitFailure `xml:"failure"`
		Skipped   *junitSkipped `xml:"skipped"`
		SystemOut *junitText    `xml:"system-out"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",cdata"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr,omitempty"`
	}
	junitText struct {
		Text string `xml:",cdata"`
	}
)

// JUnit writes JUnit XML: a testsuite for each feature, a testcase for each scenario. The
// classname is the feature, with the rule where there is one. Consumers identify test
// cases by classname and name and drop duplicates, so that equal names in one
// feature are numbered, and equal features get their file name. Figures are
// in system-out. A comparison with a baseline is a testsuite too.
func JUnit(w io.Writer, run *outcome.Run, _ Options) error {
	all := junitSuites{junitCounts: junitCounts{Name: "omniloader", Time: seconds(run.Duration)}}
	featureNames := map[string]int{}
	for i := range run.Features {
		featureNames[run.Features[i].Name]++
	}
	names := uniqueNames{}
	for i := range run.Features {
		f := &run.Features[i]
		class := cmp.Or(oneLine(f.Name), oneLine(f.URI))
		if featureNames[f.Name] > 1 {
			class += " (" + oneLine(f.URI) + ")"
		}
		suite := junitFeature(f, class, run.Started, names)
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Skipped += suite.Skipped
		all.Suites = append(all.Suites, suite)
	}
	if run.Comparison != nil {
		suite := junitComparison(run)
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Skipped += suite.Skipped
		all.Suites = append(all.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// junitComparison writes the comparison with a baseline as a suite of its own, a test
// case for each benchmark. A red one fails; one without a reliable verdict is skipped,
// with the reason.
func junitComparison(run *outcome.Run) junitSuite {
	const class = "comparison with the baseline"
	suite := junitSuite{junitCounts: junitCounts{Name: class, Time: seconds(0)}, Timestamp: run.Started.UTC().Format("2006-01-02T15:04:05")}
	if notes := run.Comparison.Notes; len(notes) > 0 {
		suite.SystemOut = &junitText{Text: printable(strings.Join(notes, "\n"))}
	}
	for _, change := range run.Comparison.Changes {
		if change.Verdict == bench.NotRun {
			continue // not selected
		}
		text := changeInWords(run.Comparison, change)
		c := junitCase{ClassName: class, Name: oneLine(change.Key().String()), Time: seconds(0)}
		switch {
		case change.Verdict == bench.Red && !change.Doubtful:
			c.Failure = &junitFailure{Message: text, Type: "regression", Text: text}
			suite.Failures++
		case change.Verdict == bench.Neutral || change.Verdict == bench.Green && !change.Doubtful:
			c.SystemOut = &junitText{Text: text}
		default:
			c.Skipped = &junitSkipped{Message: text}
			suite.Skipped++
		}
		suite.Tests++
		suite.Cases = append(suite.Cases, c)
	}
	return suite
}

func junitFeature(f *outcome.Feature, class string, started time.Time, names uniqueNames) junitSuite {
	suite := junitSuite{File: f.URI, junitCounts: junitCounts{Name: class}}
	var total time.Duration
	for i := range f.Scenarios {
		s := locatedScenario{&f.Scenarios[i], f}
		if i == 0 && !s.Started.IsZero() {
			started = s.Started
		}
		total += s.Duration
		suite.Tests++
		c := junitScenario(s, class, names)
		if c.Failure != nil {
			suite.Failures++
		}
		if c.Skipped != nil {
			suite.Skipped++
		}
		suite.Cases = append(suite.Cases, c)
	}
	suite.Time = seconds(total)
	suite.Timestamp = started.UTC().Format("2006-01-02T15:04:05")
	return suite
}

func junitScenario(s locatedScenario, class string, names uniqueNames) junitCase {
	if s.Rule != "" {
		class += " › " + oneLine(s.Rule)
	}
	c := junitCase{
		ClassName: class, Name: names.name(class, cmp.Or(oneLine(s.Name), s.Keyword)),
		File: s.feature.URI, Line: s.Line, Time: seconds(s.Duration),
	}
	switch {
	case s.Status == outcome.Skipped:
		c.Skipped = &junitSkipped{Message: oneLine(s.SkipReason)}
	case s.failed():
		c.Failure = failureOf(s)
	}
	if out := systemOut(s); out != "" {
		c.SystemOut = &junitText{Text: out}
	}
	return c
}

func failureOf(s locatedScenario) *junitFailure {
	f := &junitFailure{Type: string(s.Status)}
	step := s.FailedStep()
	if step == nil {
		f.Message = printable(s.withoutStep())
		f.Text = f.Message
		return f
	}
	why := printable(failureReason(step))
	f.Type = string(step.Status)
	f.Message, _, _ = strings.Cut(strings.TrimSpace(why), "\n")
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s\n%s", step.Keyword, oneLine(step.Text), s.location(step.Line))
	if step.Definition != "" {
		fmt.Fprintf(&b, " (%s)", oneLine(step.Definition))
	}
	fmt.Fprintf(&b, "\n\n%s\n", why)
	if advice := hintOf(step); advice != "" {
		fmt.Fprintf(&b, "\nhint: %s\n", printable(advice))
	}
	f.Text = b.String()
	return f
}

// systemOut writes the figures of a scenario, a line each.
func systemOut(s locatedScenario) string {
	var b strings.Builder
	if r := s.Benchmark; r != nil {
		fmt.Fprintf(&b, "benchmark %s: %s\n", oneLine(r.Key().String()), quantity.Count(r.Iterations, "call"))
		for _, f := range []struct {
			name    string
			seconds float64
		}{
			{"mean", r.MeanTime}, {"median", r.MedianTime}, {"std dev", r.StdDev}, {"min", r.MinTime},
			{"p95", r.P95Time}, {"p99", r.P99Time}, {"max", r.MaxTime},
		} {
			fmt.Fprintf(&b, "%s: %s\n", f.name, quantity.FormatDuration(f.seconds))
		}
		if r.BytesPerOp != nil && r.AllocsPerOp != nil {
			fmt.Fprintf(&b, "allocated per call: %s in %s\n", quantity.FormatSize(float64(*r.BytesPerOp)), quantity.Count(int(*r.AllocsPerOp), "allocation"))
			fmt.Fprintf(&b, "memory delta: %s\n", quantity.FormatSize(r.MemoryDeltaMB*1e6))
		}
		for _, j := range r.Bounds {
			held := "held"
			if !j.Held {
				held = "exceeded"
			}
			if j.FailsFrom > 0 && j.Over > 0 {
				held += fmt.Sprintf(", %s over it (fails from %d)", quantity.Count(j.Over, "call"), j.FailsFrom)
			}
			fmt.Fprintf(&b, "%s: %s, %s\n", oneLine(j.Bound), j.Metric.Format(j.Figure), held)
		}
	}
	for _, t := range s.allWarnings() {
		fmt.Fprintf(&b, "warning: %s\n", t)
	}
	return b.String()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }

// uniqueNames gives every test case of a class a name of its own.
type uniqueNames map[string]bool

// name gives the name itself the first time, then "name #2", "name #3". It does not use
// line numbers, so that a test keeps its name when the file changes above it.
func (u uniqueNames) name(class, name string) string {
	unique := name
	for n := 2; u[class+"\x00"+unique]; n++ {
		unique = fmt.Sprintf("%s #%d", name, n)
	}
	u[class+"\x00"+unique] = true
	return unique
}
