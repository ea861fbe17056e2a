package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
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
	junitProperties struct {
		Properties []junitProperty `xml:"property"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitSuite struct {
		File      string `xml:"file,attr,omitempty"`
		Timestamp string `xml:"timestamp,attr"`
		junitCounts
		Properties *junitProperties `xml:"properties"`
		Cases      []junitCase      `xml:"testcase"`
		SystemOut  *junitText       `xml:"system-out"`
	}
	junitCounts struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"` // what could not be judged
		Skipped  int    `xml:"skipped,attr"`
		Time     string `xml:"time,attr"`
	}
	junitCase struct {
		ClassName  string           `xml:"classname,attr"`
		Name       string           `xml:"name,attr"`
		File       string           `xml:"file,attr,omitempty"`
		Line       int              `xml:"line,attr,omitempty"`
		Time       string           `xml:"time,attr"`
		Properties *junitProperties `xml:"properties"`
		Failure    *junitFailure    `xml:"failure"`
		Error      *junitFailure    `xml:"error"`
		Skipped    *junitSkipped    `xml:"skipped"`
		// Earlier attempts, as Maven's Surefire writes them: of a case that passed later, and
		// of one that failed in the last attempt too.
		Flaky     []junitAttempt `xml:"flakyFailure"`
		Reruns    []junitAttempt `xml:"rerunFailure"`
		SystemOut *junitText     `xml:"system-out"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",cdata"`
	}
	junitAttempt struct {
		Message    string    `xml:"message,attr"`
		Type       string    `xml:"type,attr"`
		StackTrace junitText `xml:"stackTrace"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr,omitempty"`
		Type    string `xml:"type,attr,omitempty"`
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
//
// A scenario that failed has a failure, one that could not be judged an error, and so has a
// file with problems and the run as a whole. An expected failure is skipped, as in the
// reports of pytest, with a type; a flaky scenario passed, with its earlier attempts. What
// is neither passed, failed nor skipped has its status as a property.
func JUnit(w io.Writer, run *outcome.Run, _ Options) error {
	all := junitSuites{junitCounts: junitCounts{Name: "omniloader", Time: seconds(run.Duration)}}
	if suite, needed := junitRun(run); needed {
		all.add(suite)
	}
	featureNames := map[string]int{}
	for i := range run.Features {
		featureNames[run.Features[i].Name]++
	}
	names := uniqueNames{}
	for i := range run.Features {
		f := &run.Features[i]
		class := cmp.Or(oneLine(f.Name), oneLine(f.URI))
		if f.Name != "" && featureNames[f.Name] > 1 {
			class += " (" + oneLine(f.URI) + ")"
		}
		all.add(junitFeature(f, class, run.Started, names))
	}
	if run.Comparison != nil {
		all.add(junitComparison(run))
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

func (all *junitSuites) add(suite junitSuite) {
	all.Tests += suite.Tests
	all.Failures += suite.Failures
	all.Errors += suite.Errors
	all.Skipped += suite.Skipped
	all.Suites = append(all.Suites, suite)
}

// add adds a case and counts it.
func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// junitRun is a suite for what belongs to no feature: the headline and the problems of the
// run. It is needed where the counts of the other suites do not say all.
func junitRun(run *outcome.Run) (suite junitSuite, needed bool) {
	const class = "omniloader"
	suite = junitSuite{junitCounts: junitCounts{Name: class, Time: seconds(0)}, Timestamp: junitTime(run.Started)}
	properties := []junitProperty{{"headline", oneLine(Headline(run, Options{}))}}
	for _, l := range run.LeftOut {
		properties = append(properties, junitProperty{"left out: " + oneLine(l.Reason), strconv.Itoa(l.Count)})
	}
	suite.Properties = &junitProperties{properties}
	if len(run.Problems) > 0 {
		suite.add(junitCase{ClassName: class, Name: "the run", Time: seconds(0), Error: junitProblems(run.Problems)})
	}
	slower, perhaps := 0, 0
	if run.Comparison != nil {
		slower, perhaps = run.Comparison.Regressions()
	}
	return suite, len(run.Problems)+len(run.LeftOut)+slower+perhaps > 0 || run.Interrupted
}

func junitTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }

func junitProblems(problems outcome.Problems) *junitFailure {
	reasons := make([]located, len(problems))
	for i, p := range problems {
		reasons[i] = ofProblem(p)
	}
	return junitFailureOf(reasons, outcome.CouldNotJudge)
}

// junitComparison writes the comparison with a baseline as a suite of its own, a test
// case for each benchmark. A red one fails, and is skipped where regressions are allowed; one
// without a reliable verdict is skipped, with the reason.
func junitComparison(run *outcome.Run) junitSuite {
	const class = "comparison with the baseline"
	suite := junitSuite{junitCounts: junitCounts{Name: class, Time: seconds(0)}, Timestamp: junitTime(run.Started)}
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
		case change.Verdict == bench.Red && !change.Doubtful && run.RegressionsAllowed:
			c.Skipped = &junitSkipped{Message: text + ", which does not fail this run", Type: "regression"}
		case change.Verdict == bench.Red && !change.Doubtful:
			c.Failure = &junitFailure{Message: text, Type: "regression", Text: text}
		case change.Verdict == bench.Neutral || change.Verdict == bench.Green && !change.Doubtful:
			c.SystemOut = &junitText{Text: text}
		default:
			c.Skipped = &junitSkipped{Message: text}
		}
		suite.add(c)
	}
	return suite
}

func junitFeature(f *outcome.Feature, class string, started time.Time, names uniqueNames) junitSuite {
	suite := junitSuite{File: f.URI, junitCounts: junitCounts{Name: class}}
	if len(f.Problems) > 0 {
		suite.add(junitCase{
			ClassName: class, Name: names.name(class, "the feature file"), File: f.URI, Line: f.Problems[0].Line, Time: seconds(0),
			Error: junitProblems(f.Problems),
		})
	}
	var total time.Duration
	for i := range f.Scenarios {
		s := locatedScenario{&f.Scenarios[i], f}
		if i == 0 && !s.Started.IsZero() {
			started = s.Started
		}
		total += s.Duration
		suite.add(junitScenario(s, class, names))
	}
	suite.Time = seconds(total)
	suite.Timestamp = junitTime(started)
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
	group := s.Status.Group()
	switch group {
	case outcome.Skipped:
		c.Skipped = &junitSkipped{Message: oneLine(s.SkipReason)}
	case outcome.ExpectedFailure:
		c.Skipped = &junitSkipped{Message: "failed as expected, " + s.expectedReason(), Type: string(outcome.ExpectedFailure)}
	case outcome.CouldNotJudge:
		c.Error = junitFailureOf(s.reasons(), s.Status)
	case outcome.Failed:
		c.Failure = junitFailureOf(s.reasons(), s.Status)
		c.Failure.Text += s.judgedOn()
	}
	if group != outcome.Passed && group != outcome.Failed && group != outcome.Skipped {
		c.Properties = &junitProperties{[]junitProperty{{"status", oneLine(string(s.Status))}}}
	}
	for i := range s.Earlier {
		attempt := junitAttemptOf(s, i)
		if group == outcome.Flaky {
			c.Flaky = append(c.Flaky, attempt)
		} else {
			c.Reruns = append(c.Reruns, attempt)
		}
	}
	out := systemOut(s)
	if group == outcome.ExpectedFailure {
		out = plainReasons(s.reasons()) + out
	}
	if out != "" {
		c.SystemOut = &junitText{Text: out}
	}
	return c
}

// junitAttemptOf writes the nth earlier attempt.
func junitAttemptOf(s locatedScenario, n int) junitAttempt {
	a := &s.Earlier[n]
	reasons := s.reasonsOf(a.FailedSteps())
	if a.Err != nil {
		reasons = append(reasons, located{reason: reasonOfError(a.Err), place: s.location(0)})
	}
	out := junitAttempt{Message: fmt.Sprintf("attempt %d failed", n+1), Type: string(outcome.Failed)}
	if len(reasons) > 0 {
		out.Message, out.StackTrace.Text = reasons[0].firstLine(), plainReasons(reasons)
	}
	return out
}

// junitFailureOf writes all reasons; the type is the status of the scenario.
func junitFailureOf(reasons []located, status outcome.Status) *junitFailure {
	f := &junitFailure{Type: oneLine(string(status)), Message: reasons[0].firstLine(), Text: plainReasons(reasons)}
	if more := len(reasons) - 1; more > 0 {
		f.Message += fmt.Sprintf(" (and %d more)", more)
	}
	return f
}

// plainReasons writes reasons as text, each with its step and place above it.
func plainReasons(reasons []located) string {
	var b strings.Builder
	for i, r := range reasons {
		if i > 0 {
			b.WriteByte('\n')
		}
		if r.step != "" {
			b.WriteString(r.step + "\n")
		}
		if r.place != "" {
			b.WriteString(r.place)
			if r.at != nil && r.at.Definition != "" {
				b.WriteString(" (" + oneLine(r.at.Definition) + ")")
			}
			b.WriteString("\n\n")
		}
		b.WriteString(r.plain() + "\n")
	}
	return b.String()
}

// judgedOn writes what a failed scenario was judged on, as text; "" where it is not known.
func (s locatedScenario) judgedOn() string {
	if s.Evidence == nil {
		return ""
	}
	var b strings.Builder
	for _, l := range s.evidenceLines(len(treeFiles(s.Evidence))) {
		b.WriteString("\n" + l)
	}
	if answer := answerLines(s.Evidence); len(answer) > 0 {
		b.WriteString("\nthe answer to " + oneLine(cmp.Or(s.Evidence.Operation, "the operation")) + ":")
		for _, l := range answer {
			b.WriteString("\n  " + l)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return b.String() + "\n"
}

func treeFiles(e *outcome.Evidence) []outcome.TreeFile {
	if e.Tree == nil {
		return nil
	}
	return e.Tree.Files
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
type uniqueNames map[string]int // the last number that was tried for a name, 1 for the name itself

// name gives the name itself the first time, then "name #2", "name #3". It does not use
// line numbers, so that a test keeps its name when the file changes above it.
func (u uniqueNames) name(class, name string) string {
	key := func(name string) string { return class + "\x00" + name }
	unique, n := name, max(1, u[key(name)])
	for u[key(unique)] > 0 {
		n++
		unique = fmt.Sprintf("%s #%d", name, n)
	}
	u[key(name)], u[key(unique)] = n, max(1, u[key(unique)])
	return unique
}
