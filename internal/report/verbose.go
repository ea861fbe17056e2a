package report

import (
	"strings"

	"omniloader/internal/outcome"
	"omniloader/internal/quantity"
)

// tree writes the features with their rules, scenarios and steps, each with how it ended
// and how long it took.
func (p *printer) tree(run *outcome.Run) {
	for i := range run.Features {
		f := &run.Features[i]
		if len(f.Scenarios) == 0 {
			continue
		}
		p.paragraph("", styleHeading, oneLine(f.Keyword+": "+f.Name))
		p.line(p.styled(styleFaint, oneLine(f.URI)))
		rule := ""
		for j := range f.Scenarios {
			s := &f.Scenarios[j]
			if s.Rule != rule && s.Rule != "" {
				p.line("")
				p.paragraph("  ", styleHeading, oneLine("Rule: "+s.Rule))
			}
			rule = s.Rule
			p.line("")
			p.scenarioTree(s)
		}
		p.line("")
	}
}

// scenarioTree writes a scenario with its steps.
func (p *printer) scenarioTree(s *outcome.Scenario) {
	indent := "  "
	if s.Rule != "" {
		indent = "    "
	}
	p.treeLine(indent, s.Keyword+": "+s.Name, s.Status, s.Duration.Seconds())
	if s.SkipReason != "" {
		p.paragraph(indent+"  ", styleFaint, "skipped: "+oneLine(s.SkipReason))
	}
	for _, step := range s.Steps {
		p.treeLine(indent+"  ", strings.TrimSpace(step.Keyword)+" "+step.Text, step.Status, step.Duration.Seconds())
	}
}

// treeLine writes a text with the status, where it is not passed, and the duration.
func (p *printer) treeLine(indent, text string, status outcome.Status, seconds float64) {
	end := ""
	if seconds > 0 {
		end = "  " + quantity.FormatDuration(seconds)
	}
	mark := statusMarks[status].style
	if status != outcome.Passed {
		end = "  " + string(status) + end
	}
	p.paragraph(indent, mark, oneLine(text)+end)
}
