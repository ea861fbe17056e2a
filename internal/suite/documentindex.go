package suite

import (
	"bytes"
	"slices"
	"strings"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/outcome"
	"omniloader/steps"
)

// documentIndex finds the nodes of a parsed feature by the ids in its pickles.
type documentIndex struct {
	order      []*messages.Scenario // in the order of the file
	scenarios  map[string]*messages.Scenario
	rules      map[string]*messages.Rule // by the id of a scenario in it
	steps      map[string]*messages.Step
	background map[string]bool // ids of steps in a Background
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

// firstLine returns the line of the first tag, or of the keyword if there is none.
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

// endLine returns the last line of what starts at the line start: the line before the next
// background, scenario or rule, or the last line of the file.
func (x *documentIndex) endLine(start int) int {
	i, _ := slices.BinarySearch(x.starts, start+1)
	if i == len(x.starts) {
		return len(x.lines)
	}
	return x.starts[i] - 1
}

// scenario makes the Scenario of a pickle.
func (x *documentIndex) scenario(document *messages.GherkinDocument, p *messages.Pickle) *Scenario {
	node := x.scenarios[p.AstNodeIds[0]]
	s := &Scenario{URI: document.Uri, firstLine: firstLine(node.Tags, node.Location)}
	s.Keyword, s.Name, s.Description = node.Keyword, p.Name, strings.TrimSpace(node.Description)
	s.Line = int(node.Location.Line)
	s.Status = outcome.Skipped
	for s.lastLine = x.endLine(s.firstLine); len(bytes.TrimSpace(x.lines[s.lastLine-1])) == 0; {
		s.lastLine--
	}
	if rule := x.rules[node.Id]; rule != nil {
		s.Rule, s.ruleLine = rule.Name, int(rule.Location.Line)
	}
	if len(p.AstNodeIds) > 1 {
		r := x.rows[p.AstNodeIds[1]]
		s.Outline, s.Line = s.Line, int(r.row.Location.Line)
		s.examplesFirst = firstLine(r.examples.Tags, r.examples.Location)
		s.examplesLast = int(r.examples.TableBody[len(r.examples.TableBody)-1].Location.Line)
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
