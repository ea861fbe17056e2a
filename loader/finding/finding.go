// Package finding makes findings, and orders them. For each code, the table findings.tsv
// has the severity, what the finding means and what to do about it. The package does not
// examine checkpoints.
package finding

import (
	"cmp"
	"slices"
	"strconv"

	"omniloader/loader/answer"
)

// Grade selects one of the severities that findings.tsv has for a code.
type Grade int

// The grades. Milder ones are for a finding that is uncertain, or about a file that is
// not needed. Where a code has fewer severities, the last one is used.
const (
	Usual Grade = iota
	Milder
	Mildest
)

// New makes a finding with the usual severity of the code. An empty hint stands for the
// one in findings.tsv. file is relative to the checkpoint. A code that findings.tsv does
// not have is a mistake in the program: New panics.
func New(code, file, message, hint string) answer.Finding {
	return NewGraded(Usual, code, file, message, hint)
}

// NewGraded is New with the severity of a grade.
func NewGraded(grade Grade, code, file, message, hint string) answer.Finding {
	t := codeTable()
	i, ok := t.byCode[code]
	f := answer.Finding{Code: code, File: file, Message: message, Hint: hint}
	if !ok {
		panic("finding: the code " + strconv.Quote(code) + " is not in findings.tsv")
	}
	if hint == "" {
		f.Hint = t.list[i].WayOut
	}
	severities := t.severities[i]
	f.Severity = severities[min(int(grade), len(severities)-1)]
	return f
}

// Merge adds the findings of a second pass over the checkpoint to those of the first,
// and sorts them. A file that could not be read in either pass is reported once.
func Merge(known, more []answer.Finding) []answer.Finding {
	for _, f := range more {
		if f.Code == FileUnreadable && slices.ContainsFunc(known, func(k answer.Finding) bool { return k.Code == f.Code && k.File == f.File }) {
			continue
		}
		known = append(known, f)
	}
	Sort(known)
	return known
}

var severityRank = map[answer.Severity]int{answer.SeverityError: 0, answer.SeverityWarning: 1, answer.SeverityNote: 2}

// Sort sorts findings by severity, code, file and message.
func Sort(findings []answer.Finding) {
	if len(findings) < 2 {
		return
	}
	slices.SortStableFunc(findings, func(a, b answer.Finding) int {
		return cmp.Or(
			cmp.Compare(severityRank[a.Severity], severityRank[b.Severity]),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Message, b.Message),
		)
	})
}
