package suite

import (
	"bytes"
	"slices"
	"strings"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/engine"
	"omniloader/internal/outcome"
	"omniloader/internal/runfile"
)

// documentIndex knows the lines of a parsed feature and of its parts.
type documentIndex struct {
	order  []*messages.Scenario // in the order of the file
	tags   map[string]*messages.Tag
	starts []int    // first lines of backgrounds, scenarios and rules, ascending
	lines  [][]byte // of the source
}

func indexDocument(feature *messages.Feature, source []byte) *documentIndex {
	x := &documentIndex{lines: bytes.Split(source, []byte("\n")), tags: map[string]*messages.Tag{}}
	x.addTags(feature.Tags)
	for _, child := range feature.Children {
		x.addBackground(child.Background)
		x.addScenario(child.Scenario)
		if child.Rule == nil {
			continue
		}
		x.addTags(child.Rule.Tags)
		x.starts = append(x.starts, firstLine(child.Rule.Tags, child.Rule.Location))
		for _, c := range child.Rule.Children {
			x.addBackground(c.Background)
			x.addScenario(c.Scenario)
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
}

func (x *documentIndex) addScenario(s *messages.Scenario) {
	if s == nil {
		return
	}
	x.order = append(x.order, s)
	x.addTags(s.Tags)
	x.starts = append(x.starts, firstLine(s.Tags, s.Location))
	for _, e := range s.Examples {
		x.addTags(e.Tags)
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

// scenario makes the Scenario of a scenario or Examples row that the engine read.
func (x *documentIndex) scenario(uri string, read *engine.Scenario) *Scenario {
	node := read.Node
	s := &Scenario{URI: uri, pickle: read.Pickle, read: read, firstLine: firstLine(node.Tags, node.Location)}
	s.Keyword, s.Name, s.Description = node.Keyword, read.Pickle.Name, strings.TrimSpace(node.Description)
	s.Line = int(node.Location.Line)
	s.Status = outcome.Skipped
	for s.lastLine = x.endLine(s.firstLine); len(bytes.TrimSpace(x.lines[s.lastLine-1])) == 0; {
		s.lastLine--
	}
	if read.Rule != nil {
		s.Rule, s.ruleLine = read.Rule.Name, int(read.Rule.Location.Line)
	}
	if read.Row != nil {
		s.Outline, s.Line = s.Line, int(read.Row.Location.Line)
		s.examplesFirst = firstLine(read.Examples.Tags, read.Examples.Location)
		s.examplesLast = int(read.Examples.TableBody[len(read.Examples.TableBody)-1].Location.Line)
		for i, cell := range read.Row.Cells {
			s.row = append(s.row, runfile.Cell{Column: read.Examples.TableHeader.Cells[i].Value, Value: cell.Value})
		}
	}
	for i, name := range read.Tags() {
		s.Tags = append(s.Tags, outcome.Tag{Name: name, Line: int(x.tags[read.Pickle.Tags[i].AstNodeId].Location.Line)})
	}
	for i, step := range read.Pickle.Steps {
		s.Steps = append(s.Steps, newStep(step, read.Steps[i], i < read.Background))
	}
	return s
}

// newStep makes a step that has not run, of the step in the scenario and in the file.
func newStep(p *messages.PickleStep, node *messages.Step, background bool) outcome.Step {
	step := outcome.Step{
		Keyword: node.Keyword, Text: p.Text, Line: int(node.Location.Line),
		Background: background, Status: outcome.Skipped,
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
