package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"omniloader/internal/outcome"
	"omniloader/internal/quantity"
)

// reason is why a step or a scenario did not pass. Its texts are printable and may have
// several lines.
type reason struct {
	text  string // never empty
	facts []fact // what text does not say: expected, got, decided by
	hint  string // the way out, or ""
}

type fact struct{ name, text string }

// factDecidedBy is the name of the fact that says where a value comes from.
const factDecidedBy = "decided by"

// reasonOf gives the reason of a step that did not pass.
func reasonOf(step *outcome.Step) reason {
	r := reason{text: printable(failureReason(step)), hint: printable(outcome.HintOf(step.Err))}
	if r.hint == "" && step.Status == outcome.Undefined && step.Err == nil {
		r.hint = "omniloader steps lists all steps"
	}
	m := outcome.MismatchOf(step.Err)
	if m == nil {
		return r
	}
	if text, ok := strings.CutSuffix(failureReason(step), m.Comparison()); ok {
		r.text = printable(text)
		r.addFact("expected", m.Expected)
		r.addFact("got", m.Got)
	}
	r.addFact(factDecidedBy, m.DecidedBy)
	return r
}

func (r *reason) addFact(name, text string) {
	if text != "" {
		r.facts = append(r.facts, fact{name, printable(text)})
	}
}

// reasonOfError gives the reason of an error that belongs to no step.
func reasonOfError(err error) reason {
	return reason{text: printable(err.Error()), hint: printable(outcome.HintOf(err))}
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

// plain writes the reason with its facts, a line each, and the hint.
func (r reason) plain() string {
	var b strings.Builder
	b.WriteString(strings.TrimRight(r.text, "\n"))
	for _, f := range r.facts {
		separator := " "
		if strings.Contains(f.text, "\n") {
			separator = "\n"
		}
		b.WriteString("\n" + f.name + ":" + separator + f.text)
	}
	if r.hint != "" {
		b.WriteString("\nhint: " + r.hint)
	}
	return b.String()
}

// firstLine gives the first line of the text.
func (r reason) firstLine() string {
	line, _, _ := strings.Cut(strings.TrimSpace(r.text), "\n")
	return line
}

// located is a reason with the step and the place that it belongs to.
type located struct {
	reason
	step   string // "Then the architecture is …", "" where no step is to blame
	place  string // "file:line", or "" where the reason belongs to no file
	status outcome.Status
	at     *outcome.Step // nil where no step is to blame
}

// reasons gives all reasons why the scenario did not pass: of each step that did not, of
// the problems that belong to no step, and of the scenario itself. It is never empty where
// the scenario failed or could not be judged.
func (s locatedScenario) reasons() []located {
	all := s.reasonsOf(s.FailedSteps())
	for _, problem := range s.Problems {
		if !slices.ContainsFunc(s.FailedSteps(), func(step *outcome.Step) bool { return step.Line == problem.Line && step.Err != nil }) {
			all = append(all, ofProblem(problem))
		}
	}
	if s.Err != nil {
		all = append(all, located{reason: reasonOfError(s.Err), place: s.location(0), status: s.Status})
	}
	if len(all) == 0 {
		all = append(all, located{reason: reason{text: fmt.Sprintf("the scenario is %s, though no step failed", oneLine(string(s.Status)))}, place: s.location(0), status: s.Status})
	}
	return all
}

func (s locatedScenario) reasonsOf(steps []*outcome.Step) []located {
	var all []located
	for _, step := range steps {
		all = append(all, located{
			reason: reasonOf(step), step: strings.TrimSpace(oneLine(step.Keyword + step.Text)), place: s.stepPlace(step),
			status: step.Status, at: step,
		})
	}
	return all
}

// stepPlace is where a step stands, with the column of what is wrong with it if that is known.
func (s locatedScenario) stepPlace(step *outcome.Step) string {
	var problem outcome.Problem
	if errors.As(step.Err, &problem) && problem.Line == step.Line && problem.Column > 0 {
		return fmt.Sprintf("%s:%d", s.location(step.Line), problem.Column)
	}
	return s.location(step.Line)
}

// ofProblem gives a problem as a reason. Its text does not repeat the place.
func ofProblem(p outcome.Problem) located {
	l := located{reason: reason{hint: printable(p.Advice)}, status: outcome.CouldNotJudge}
	if p.URI != "" {
		l.place = oneLine(strings.TrimSuffix(strings.TrimSuffix(p.Error(), p.Message), ": "))
	}
	l.text = printable(p.Message)
	return l
}

// attempts says what happened in the attempts before the last, a line each.
func (s locatedScenario) attempts() []string {
	var lines []string
	for i := range s.Earlier {
		a := &s.Earlier[i]
		line := fmt.Sprintf("attempt %d of %d failed", i+1, len(s.Earlier)+1)
		if all := s.reasonsOf(a.FailedSteps()); len(all) > 0 {
			line += fmt.Sprintf(": %s: %s", all[0].step, all[0].firstLine())
			if more := len(all) - 1; more > 0 {
				line += fmt.Sprintf(" (and %s)", quantity.Count(more, "more step"))
			}
		} else if a.Err != nil {
			line += ": " + reasonOfError(a.Err).firstLine()
		}
		lines = append(lines, oneLine(line))
	}
	if len(lines) > 0 && s.Status.Group() == outcome.Flaky {
		lines = append(lines, fmt.Sprintf("attempt %d of %[1]d passed", len(s.Earlier)+1))
	}
	return lines
}

// evidenceLines lays out the scenario's evidence, without what a reason says already.
func (s locatedScenario) evidenceLines(mostFiles int) []string {
	e := s.Evidence
	if e == nil {
		return nil
	}
	for _, r := range s.reasons() {
		if slices.Contains(r.facts, fact{factDecidedBy, printable(e.DecidedBy)}) {
			e = &outcome.Evidence{Tree: e.Tree}
			break
		}
	}
	return evidenceLines(e, mostFiles)
}

// evidenceLines lay out what a scenario was judged on: the files of its checkpoint, at most
// so many, and what detection used.
func evidenceLines(e *outcome.Evidence, mostFiles int) []string {
	if e == nil {
		return nil
	}
	var lines []string
	if e.DecidedBy != "" {
		lines = append(lines, "detection used: "+oneLine(e.DecidedBy))
	}
	t := e.Tree
	if t == nil {
		return lines
	}
	if len(t.Files)+t.More == 0 {
		return append(lines, "the checkpoint "+oneLine(t.Root)+" has no files")
	}
	lines = append(lines, "the checkpoint "+oneLine(t.Root)+":")
	shown := t.Files[:min(len(t.Files), mostFiles)]
	width := 0
	for _, f := range shown {
		width = max(width, len([]rune(oneLine(f.Path))))
	}
	for _, f := range shown {
		what := oneLine(f.Problem)
		if what == "" {
			what = quantity.FormatSize(float64(f.Size))
		}
		lines = append(lines, fmt.Sprintf("  %-*s  %s", width, oneLine(f.Path), what))
	}
	if more := len(t.Files) - len(shown) + t.More; more > 0 {
		text := "  and " + quantity.Count(more, "more file")
		if t.Open {
			text = fmt.Sprintf("  and more than %d more files", more)
		}
		lines = append(lines, text)
	}
	return lines
}

// answerLines lay out the answer that a scenario was judged on: a field a line, the fields
// of an object indented, and those without a value in one line.
func answerLines(e *outcome.Evidence) []string {
	if e == nil || e.Answer == "" {
		return nil
	}
	o := &outline{decoder: json.NewDecoder(strings.NewReader(e.Answer))}
	o.decoder.UseNumber()
	err := o.value("", "")
	switch {
	case e.AnswerCut > 0:
		o.lines = append(o.lines, fmt.Sprintf("… cut here; the answer has %d bytes", e.AnswerCut))
	case err != nil && !errors.Is(err, io.EOF):
		return strings.Split(printable(e.Answer), "\n")
	}
	return o.lines
}

// outline lays out JSON as lines for people.
type outline struct {
	decoder *json.Decoder
	lines   []string
}

// value adds the next value, with the name of its field before it. The error is that of
// JSON that is cut off or wrong.
func (o *outline) value(indent, name string) error {
	token, err := o.decoder.Token()
	if err != nil {
		return err
	}
	delimiter, nested := token.(json.Delim)
	if !nested {
		text := ""
		if token != nil {
			text = oneLine(fmt.Sprint(token))
		}
		o.lines = append(o.lines, strings.TrimRight(indent+name+text, " "))
		return nil
	}
	inner := indent
	if name != "" {
		o.lines = append(o.lines, strings.TrimRight(indent+name, " "))
		inner += "  "
	}
	var empty []string
	for o.decoder.More() {
		label := "- "
		if delimiter == '{' {
			key, err := o.decoder.Token()
			if err != nil {
				return err
			}
			label = oneLine(fmt.Sprint(key)) + ": "
		}
		before := len(o.lines)
		if err := o.value(inner, label); err != nil {
			return err
		}
		if len(o.lines) == before+1 && delimiter == '{' && withoutValue(o.lines[before], inner+label) {
			empty = append(empty, strings.TrimSuffix(label, ": "))
			o.lines = o.lines[:before]
		}
	}
	if len(empty) > 0 {
		o.lines = append(o.lines, inner+"without a value: "+strings.Join(empty, ", "))
	}
	_, err = o.decoder.Token() // the closing bracket
	return err
}

// withoutValue tells whether a line has a label and no value behind it.
func withoutValue(line, label string) bool {
	return line == strings.TrimRight(label, " ")
}

// unjudged is one thing that could not be judged: the run, a file, or scenarios that have
// the same problems in the same places.
type unjudged struct {
	title   string   // of the first scenario; a file or "the run" where it is no scenario
	place   string   // of the first scenario, else ""
	others  []string // titles of the other scenarios
	reasons []located
}

// unjudgedOf gives everything that could not be judged in a run, in the order of the run.
func unjudgedOf(run *outcome.Run) []unjudged {
	var all []unjudged
	add := func(title string, problems outcome.Problems) {
		if len(problems) == 0 {
			return
		}
		u := unjudged{title: title}
		for _, p := range problems {
			u.reasons = append(u.reasons, ofProblem(p))
		}
		all = append(all, u)
	}
	add("the run", run.Problems)
	same := map[string]int{} // index of the first scenario with these reasons
	for i := range run.Features {
		f := &run.Features[i]
		add(oneLine(f.URI), f.Problems)
		for j := range f.Scenarios {
			s := locatedScenario{&f.Scenarios[j], f}
			if !s.unjudged() {
				continue
			}
			reasons := s.reasons()
			var key strings.Builder
			for _, r := range reasons {
				key.WriteString(r.place + "\x00" + r.text + "\x00")
			}
			if first, ok := same[key.String()]; ok {
				all[first].others = append(all[first].others, s.title())
				continue
			}
			same[key.String()] = len(all)
			all = append(all, unjudged{title: s.title(), place: s.location(0), reasons: reasons})
		}
	}
	return all
}

// othersText says which other scenarios have the same problems; "" for none.
func (u *unjudged) othersText() string {
	if len(u.others) == 0 {
		return ""
	}
	return "the same in " + quantity.Count(len(u.others), "other scenario") + ": " + firstNames(u.others, maxRemarkNames)
}
