package runfile

import (
	"omniloader/internal/outcome"
)

// newEvidence makes the record of what a scenario was judged on; nil for nil.
func newEvidence(e *outcome.Evidence) *Evidence {
	if e == nil {
		return nil
	}
	out := &Evidence{Operation: e.Operation, DecidedBy: Text(e.DecidedBy)}
	if e.Answer != "" {
		out.Answer = NewExcerpt(e.Answer, MaxAnswer)
		if e.AnswerCut > 0 {
			out.Answer.Bytes = e.AnswerCut
		}
	}
	if t := e.Tree; t != nil {
		out.Tree = &Tree{Root: Text(t.Root), More: t.More, Open: t.Open}
		for _, f := range t.Files {
			out.Tree.Files = append(out.Tree.Files, TreeFile{Path: Text(f.Path), Size: f.Size, Problem: f.Problem})
		}
	}
	return out
}

// ToOutcome gives the evidence as reports take it; nil for nil.
func (e *Evidence) ToOutcome() *outcome.Evidence {
	if e == nil {
		return nil
	}
	out := &outcome.Evidence{Operation: e.Operation, DecidedBy: string(e.DecidedBy)}
	if e.Answer != nil {
		out.Answer, out.AnswerCut = string(e.Answer.Text), e.Answer.Bytes
	}
	if t := e.Tree; t != nil {
		out.Tree = &outcome.Tree{Root: string(t.Root), More: t.More, Open: t.Open}
		for _, f := range t.Files {
			out.Tree.Files = append(out.Tree.Files, outcome.TreeFile{Path: string(f.Path), Size: f.Size, Problem: f.Problem})
		}
	}
	return out
}
