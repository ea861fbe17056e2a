package finding

import (
	"slices"

	"omniloader/loader/answer"
)

// unreadableCodes are the codes with which several readers may report that one file
// cannot be read, the most specific first.
var unreadableCodes = []string{WeightsTruncated, WeightsUnreadable, ConfigUnreadable, TokenizerUnreadable, FileUnreadable}

// Consolidate removes findings that repeat what another one says, and sorts the rest. Of
// several reports that a file cannot be read, the one with the most specific code stays;
// none stays for a file for which hasProblem is true, which is reported as empty, as a
// Git LFS pointer or the like. That nothing was recognized is not reported beside a
// missing config or weights that cannot be read.
func Consolidate(findings []answer.Finding, hasProblem func(file string) bool) []answer.Finding {
	findings = slices.DeleteFunc(findings, func(f answer.Finding) bool {
		return (f.Code == FileUnreadable || f.Code == ConfigUnreadable) && hasProblem(f.File)
	})
	mostSpecific := map[string]int{} // index in unreadableCodes, by file
	causeReported := false
	for _, f := range findings {
		if at := slices.Index(unreadableCodes, f.Code); at >= 0 {
			if known, ok := mostSpecific[f.File]; !ok || at < known {
				mostSpecific[f.File] = at
			}
		}
		causeReported = causeReported || f.Code == ConfigMissing || f.Severity == answer.SeverityError && (f.Code == WeightsUnreadable || f.Code == WeightsTruncated)
	}
	findings = slices.DeleteFunc(findings, func(f answer.Finding) bool {
		at := slices.Index(unreadableCodes, f.Code)
		return at > mostSpecific[f.File] || causeReported && f.Code == NothingRecognized
	})
	Sort(findings)
	return slices.Compact(findings)
}
