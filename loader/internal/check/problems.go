package check

import (
	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/internal/tree"
	"omniloader/loader/sniff"
)

// problems are the findings of the files that hold no content. How much one
// matters depends on what the file is for.
func ProblemFindings(files []tree.File, matters func(*tree.File) answer.Severity) (findings []answer.Finding) {
	for i := range files {
		f := &files[i]
		if f.Problem == nil && f.IsHidden() {
			if f.Problem = sniff.Unfinished(f.Name); f.Problem != nil {
				f.Problem.Detail += ", of " + sniff.ByteSize(f.Size)
			}
		}
		if f.Problem == nil {
			continue
		}
		severity := matters(f)
		kind := f.Problem.Kind
		if severity == answer.SeverityNote && (kind == fault.Empty || kind == fault.ZeroFilled) {
			continue // an empty or blank file that nobody reads is nobody's loss
		}
		found := finding.New(finding.CodeOfKind(kind), f.Name, f.Problem.Detail, f.Problem.Advice)
		found.Severity = severity
		findings = append(findings, found)
	}
	return findings
}
