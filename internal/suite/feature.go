// Package suite selects scenarios, checks them before anything runs, and runs
// them through godog: every step must be defined and unambiguous, and a
// selection that is empty is an error. It renders nothing: what happened is an
// outcome.Run, and an Observer may watch it happen.
package suite

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	gherkin "github.com/cucumber/gherkin/go/v42"
	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/outcome"
	"omniloader/internal/suggest"
	"omniloader/steps"
)

// Feature is a feature file that parsed.
type Feature struct {
	URI       string // as given on the command line, or behind the prefix of LoadFS
	Source    []byte // without a byte order mark
	Scenarios []*Scenario

	fsys     fs.FS                     // what it was read from
	path     string                    // its path there
	document *messages.GherkinDocument // its Feature is never nil
	index    *documentIndex
	picked   map[int]bool // lines of the scenarios asked for; nil means all
}

// Scenario is one scenario, or one row of an outline's examples. The embedded
// value is how it looks before it runs: every step is there, none has run.
type Scenario struct {
	outcome.Scenario
	URI string

	kinds []messages.PickleStepType // of the steps, in step with Steps
	last  int                       // last line of the scenario or outline that is not blank
	first int                       // first line: of its tags where it has some
	block int                       // of an Examples row: the first line of its Examples
	until int                       // and the last
	rule  int                       // line of the rule it stands under, or 0
}

// TagNames gives the scenario's tags, own and inherited, with the values of its
// Examples row filled in.
func (s *Scenario) TagNames() []string {
	names := make([]string, len(s.Tags))
	for i, t := range s.Tags {
		names[i] = t.Name
	}
	return names
}

// at gives the scenarios that a line of the file stands for: a row, the rows of
// an Examples block, a scenario, those of a rule, or all of the feature.
func (f *Feature) at(line int) []*Scenario {
	narrowest := func(within func(*Scenario) bool) []*Scenario {
		var found []*Scenario
		for _, s := range f.Scenarios {
			if within(s) {
				found = append(found, s)
			}
		}
		return found
	}
	for _, within := range []func(*Scenario) bool{
		func(s *Scenario) bool { return s.Line == line },
		func(s *Scenario) bool { return s.Outline != 0 && s.block <= line && line <= s.until },
		func(s *Scenario) bool { return s.first <= line && line <= s.last },
	} {
		if found := narrowest(within); len(found) > 0 {
			return found
		}
	}
	if f.document.Feature.Location.Line == int64(line) {
		return f.Scenarios
	}
	return narrowest(func(s *Scenario) bool { return s.rule == line })
}

// nearestTo advises which line may have been meant.
func (f *Feature) nearestTo(line int) string {
	if len(f.Scenarios) == 0 {
		return ""
	}
	near := slices.MinFunc(f.Scenarios, func(a, b *Scenario) int { return distance(a.Line, line) - distance(b.Line, line) })
	return fmt.Sprintf("the nearest is %q at line %d; the file has %d lines", near.Name, near.Line, len(f.index.lines))
}

func distance(a, b int) int { return max(a-b, b-a) }

// parse reads a source whose lines are not too long for gherkin. It gives a
// feature, or what is wrong.
func parse(uri string, source []byte) (*Feature, Problems) {
	newID := (&messages.Incrementing{}).NewId
	document, err := gherkin.ParseGherkinDocumentForLanguage(bytes.NewReader(source), gherkin.DefaultDialect, newID)
	if err != nil {
		return nil, syntaxProblems(uri, err)
	}
	if document.Feature == nil {
		return nil, Problems{{URI: uri, Message: "no feature in this file", Advice: `a feature file starts with "Feature: " and a name`}}
	}
	document.Uri = uri
	f := &Feature{URI: uri, Source: source, document: document, index: indexDocument(document.Feature, source)}
	for _, p := range gherkin.Pickles(*document, uri, newID) {
		f.Scenarios = append(f.Scenarios, f.index.scenario(document, p))
	}
	return f, append(f.swallowed(), f.rowless()...)
}

// rowless finds the features and outlines that say nothing: success because
// nothing ran is no success.
func (f *Feature) rowless() Problems {
	var problems Problems
	for _, s := range f.index.order {
		rows := 0
		for _, e := range s.Examples {
			rows += len(e.TableBody)
		}
		if len(s.Examples) > 0 && rows == 0 {
			problems = append(problems, Problem{URI: f.URI, Line: int(s.Location.Line),
				Message: fmt.Sprintf("the outline %q has no row of examples", s.Name), Advice: "add a row below its Examples"})
		}
	}
	if len(f.index.order) == 0 {
		problems = append(problems, Problem{URI: f.URI, Line: int(f.document.Feature.Location.Line),
			Message: fmt.Sprintf("the feature %q has no scenario", f.document.Feature.Name), Advice: `add one: "Scenario: " and a name, then its steps`})
	}
	return problems
}

// headings are the keywords that start a part of a feature in English.
var headings = []string{"Rule:", "Background:", "Scenario:", "Scenario Outline:", "Examples:"}

// swallowed finds mistyped headings: gherkin takes such a line, and all below it
// up to the next heading, for description, and the scenario is gone.
func (f *Feature) swallowed() Problems {
	var problems Problems
	look := func(keyword *messages.Location, description string) {
		if description == "" {
			return
		}
		for i, text := range strings.Split(description, "\n") {
			word, _, colon := strings.Cut(strings.TrimSpace(text), ":")
			if near, ok := suggest.Nearest(word+":", headings); colon && ok {
				problems = append(problems, Problem{URI: f.URI, Line: f.lineBelow(int(keyword.Line), i),
					Message: fmt.Sprintf("%q is no heading, and would pass for description", word+":"), Advice: fmt.Sprintf("did you mean %q?", near)})
			}
		}
	}
	node := f.document.Feature
	look(node.Location, node.Description)
	for _, child := range node.Children {
		if child.Background != nil {
			look(child.Background.Location, child.Background.Description)
		}
		if child.Rule != nil {
			look(child.Rule.Location, child.Rule.Description)
		}
	}
	for _, s := range f.index.order {
		look(s.Location, s.Description)
		for _, e := range s.Examples {
			look(e.Location, e.Description)
		}
	}
	return problems
}

// lineBelow gives the line of the nth line of the description below a keyword:
// gherkin drops the blank lines before it.
func (f *Feature) lineBelow(keyword, n int) int {
	line := keyword + 1
	for line < len(f.index.lines) && len(bytes.TrimSpace(f.index.lines[line-1])) == 0 {
		line++
	}
	return line + n
}

// mistypedStep advises on a scenario without steps whose description starts like
// one.
func mistypedStep(description string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(description), " ")
	if near, ok := suggest.Nearest(first, []string{"Given", "When", "Then", "And", "But"}); ok && first != "" {
		return fmt.Sprintf("%q passes for description; did you mean %q?", first, near)
	}
	return "add steps, or tag it " + tagWIP + " until it has some"
}

// documentIndex finds the nodes of a document by the ids that pickles carry.
type documentIndex struct {
	order      []*messages.Scenario // as in the file
	scenarios  map[string]*messages.Scenario
	rules      map[string]*messages.Rule // by the id of a scenario in it
	steps      map[string]*messages.Step
	background map[string]bool // ids of steps that stand in a Background
	tags       map[string]*messages.Tag
	rows       map[string]row
	starts     []int    // first lines of backgrounds, scenarios and rules, ascending
	lines      [][]byte // of the source
}

type row struct {
	examples *messages.Examples
	row      *messages.TableRow
}

func indexDocument(feature *messages.Feature, source []byte) *documentIndex {
	x := &documentIndex{
		lines:     bytes.Split(source, []byte("\n")),
		scenarios: map[string]*messages.Scenario{}, rules: map[string]*messages.Rule{},
		steps: map[string]*messages.Step{}, background: map[string]bool{},
		tags: map[string]*messages.Tag{}, rows: map[string]row{},
	}
	x.addTags(feature.Tags)
	for _, child := range feature.Children {
		x.addBackground(child.Background)
		x.addScenario(child.Scenario, nil)
		if child.Rule == nil {
			continue
		}
		x.addTags(child.Rule.Tags)
		x.starts = append(x.starts, firstLine(child.Rule.Tags, child.Rule.Location))
		for _, c := range child.Rule.Children {
			x.addBackground(c.Background)
			x.addScenario(c.Scenario, child.Rule)
		}
	}
	slices.Sort(x.starts)
	return x
}

func firstLine(tags []*messages.Tag, keyword *messages.Location) int {
	line := keyword.Line
	for _, t := range tags {
		line = min(line, t.Location.Line)
	}
	return int(line)
}

func (x *documentIndex) addTags(tags []*messages.Tag) {
	for _, t := range tags {
		x.tags[t.Id] = t
	}
}

func (x *documentIndex) addBackground(b *messages.Background) {
	if b == nil {
		return
	}
	x.starts = append(x.starts, int(b.Location.Line))
	for _, s := range b.Steps {
		x.steps[s.Id], x.background[s.Id] = s, true
	}
}

func (x *documentIndex) addScenario(s *messages.Scenario, rule *messages.Rule) {
	if s == nil {
		return
	}
	x.order = append(x.order, s)
	x.scenarios[s.Id] = s
	if rule != nil {
		x.rules[s.Id] = rule
	}
	x.addTags(s.Tags)
	x.starts = append(x.starts, firstLine(s.Tags, s.Location))
	for _, step := range s.Steps {
		x.steps[step.Id] = step
	}
	for _, e := range s.Examples {
		x.addTags(e.Tags)
		for _, r := range e.TableBody {
			x.rows[r.Id] = row{e, r}
		}
	}
}

// end gives the last line of what starts at a line: the one before the next
// background, scenario or rule, or the last of the file.
func (x *documentIndex) end(start int) int {
	i, _ := slices.BinarySearch(x.starts, start+1)
	if i == len(x.starts) {
		return len(x.lines)
	}
	return x.starts[i] - 1
}

// scenario describes a pickle by the file it comes from.
func (x *documentIndex) scenario(document *messages.GherkinDocument, p *messages.Pickle) *Scenario {
	node := x.scenarios[p.AstNodeIds[0]]
	s := &Scenario{URI: document.Uri, first: firstLine(node.Tags, node.Location)}
	s.Keyword, s.Name, s.Description = node.Keyword, p.Name, strings.TrimSpace(node.Description)
	s.Line = int(node.Location.Line)
	s.Status = outcome.Skipped
	for s.last = x.end(s.first); len(bytes.TrimSpace(x.lines[s.last-1])) == 0; {
		s.last--
	}
	if rule := x.rules[node.Id]; rule != nil {
		s.Rule, s.rule = rule.Name, int(rule.Location.Line)
	}
	if len(p.AstNodeIds) > 1 {
		r := x.rows[p.AstNodeIds[1]]
		s.Outline, s.Line = s.Line, int(r.row.Location.Line)
		s.block = firstLine(r.examples.Tags, r.examples.Location)
		s.until = int(r.examples.TableBody[len(r.examples.TableBody)-1].Location.Line)
	}
	for i, name := range steps.ExpandTags(document, p) {
		s.Tags = append(s.Tags, outcome.Tag{Name: name, Line: int(x.tags[p.Tags[i].AstNodeId].Location.Line)})
	}
	for _, step := range p.Steps {
		s.kinds = append(s.kinds, step.Type)
		s.Steps = append(s.Steps, x.step(step))
	}
	return s
}

func (x *documentIndex) step(p *messages.PickleStep) outcome.Step {
	node := x.steps[p.AstNodeIds[0]]
	step := outcome.Step{
		Keyword: node.Keyword, Text: p.Text, Line: int(node.Location.Line),
		Background: x.background[node.Id], Status: outcome.Skipped,
	}
	if p.Argument == nil {
		return step
	}
	if doc := p.Argument.DocString; doc != nil {
		step.DocString = &outcome.DocString{MediaType: doc.MediaType, Content: doc.Content, Line: int(node.DocString.Location.Line)}
	}
	if table := p.Argument.DataTable; table != nil {
		for _, r := range table.Rows {
			cells := make([]string, len(r.Cells))
			for i, c := range r.Cells {
				cells[i] = c.Value
			}
			step.Table = append(step.Table, cells)
		}
	}
	return step
}

// maxSyntaxProblems is how many errors of one file are worth reading: after the
// first, gherkin is mostly lost.
const maxSyntaxProblems = 3

var syntaxError = regexp.MustCompile(`(?m)^\((\d+):\d+\): (.*)$`)

// syntaxProblems turns gherkin's errors into sentences.
func syntaxProblems(uri string, err error) Problems {
	var problems Problems
	for _, m := range syntaxError.FindAllStringSubmatch(err.Error(), maxSyntaxProblems) {
		line, _ := strconv.Atoi(m[1])
		message, advice := explainSyntax(m[2])
		problems = append(problems, Problem{URI: uri, Line: line, Message: message, Advice: advice})
	}
	if problems == nil {
		problems = Problems{{URI: uri, Message: strings.TrimSpace(err.Error())}}
	}
	return problems
}

var (
	unexpected    = regexp.MustCompile(`^expected: (.*), got '(.*)'$`)
	unexpectedEnd = regexp.MustCompile(`^unexpected end of file, expected: (.*)$`)
)

// expectations names gherkin's tokens as people write them. The tokens that
// stand nearly everywhere (comments, blank lines, the end) are left out.
var expectations = map[string]string{
	"#FeatureLine": "Feature:", "#RuleLine": "Rule:", "#BackgroundLine": "Background:", "#ScenarioLine": "Scenario:",
	"#ExamplesLine": "Examples:", "#StepLine": "a step (Given, When, Then, And, But)", "#TagLine": "tags (@sae)",
	"#TableRow": "a row of a table (| … |)", "#DocStringSeparator": `a doc string (""")`, "#Language": "# language: en",
}

func explainSyntax(message string) (explained, advice string) {
	tokens, text := "", ""
	if m := unexpected.FindStringSubmatch(message); m != nil {
		tokens, text = m[1], strings.TrimSpace(m[2])
		explained = fmt.Sprintf("%q cannot stand here", text)
	} else if m := unexpectedEnd.FindStringSubmatch(message); m != nil {
		tokens, explained = m[1], "the file ends too early"
	} else {
		return message, ""
	}
	var wanted []string
	for token := range strings.SplitSeq(tokens, ", ") {
		if w, ok := expectations[token]; ok {
			wanted = append(wanted, w)
		}
	}
	first, _, _ := strings.Cut(text, " ")
	keywords := []string{"Given", "When", "Then", "And", "But", "Feature:", "Rule:", "Background:", "Scenario:", "Outline:", "Examples:"}
	if near, ok := suggest.Nearest(first, keywords); ok && near != first {
		return explained, fmt.Sprintf("did you mean %q?", near)
	}
	if len(wanted) > 0 {
		advice = "possible here: " + strings.Join(wanted, ", ")
	}
	return explained, advice
}
