package suite

import (
	"bytes"
	"unicode/utf8"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/outcome"
	"omniloader/steps"
)

// withColumns gives problems of a feature that have a line and no column the column of the
// first letter of the line, so that every command tells the same place.
func (f *Feature) withColumns(problems outcome.Problems) outcome.Problems {
	for i := range problems {
		if p := &problems[i]; p.Column == 0 && p.Line > 0 {
			p.Column = f.firstColumn(p.Line)
		}
	}
	return problems
}

// firstColumn returns the column, in characters from 1, of the first letter of a line.
func (f *Feature) firstColumn(line int) int {
	var lines [][]byte
	if f.index != nil {
		lines = f.index.lines
	} else {
		lines = bytes.Split(f.Source, []byte("\n"))
	}
	if line > len(lines) {
		return 1
	}
	text := lines[line-1]
	return utf8.RuneCount(text[:len(text)-len(bytes.TrimLeft(text, " \t"))]) + 1
}

// tagPlace returns the place of a tag of a scenario, of which the rule, the feature or Examples
// may have it.
func (p *Plan) tagPlace(s *Scenario, tag int) *messages.Location {
	return p.feature(s.URI).index.tags[s.pickle.Tags[tag].AstNodeId].Location
}

// checkTagValues finds tags whose value cannot be read, each at its own place.
func (c *checker) checkTagValues(s *Scenario) {
	names := s.TagNames()
	found := false
	for i, name := range names {
		if err := steps.CheckTags([]string{name}); err != nil {
			at := c.plan.tagPlace(s, i)
			c.problems = append(c.problems, outcome.Problem{URI: s.URI, Line: int(at.Line), Column: int(at.Column), Code: ruleBadTagValue, Message: err.Error()})
			found = true
		}
	}
	if err := steps.CheckTags(names); err != nil && !found { // together they cannot be right
		c.problems = append(c.problems, outcome.Problem{URI: s.URI, Line: s.Line, Code: ruleBadTagValue, Message: err.Error()})
	}
}
