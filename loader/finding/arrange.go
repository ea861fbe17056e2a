package finding

import (
	"slices"

	"omniloader/loader/answer"
)

// readFailures are the codes under which several readers may report that one file
// cannot be read, from the most telling: only that one is kept.
var unreadableCodes = []string{WeightsTruncated, WeightsUnreadable, ConfigUnreadable, TokenizerUnreadable, FileUnreadable}

// Arrange leaves out findings that say again what another one says, and puts the rest
// into their fixed order. Of several failures to read a file the most telling is kept;
// a file of which hasProblem tells that it holds no content is not reported as
// unreadable too; and that nothing was recognized goes without saying where the config
// is missing or the weights cannot be read.
func Consolidate(findings []answer.Finding, hasProblem func(file string) bool) []answer.Finding {
	findings = slices.DeleteFunc(findings, func(f answer.Finding) bool {
		return (f.Code == FileUnreadable || f.Code == ConfigUnreadable) && hasProblem(f.File)
	})
	mostTelling := map[string]int{} // place in readFailures by file
	explained := false
	for _, f := range findings {
		if at := slices.Index(unreadableCodes, f.Code); at >= 0 {
			if known, ok := mostTelling[f.File]; !ok || at < known {
				mostTelling[f.File] = at
			}
		}
		explained = explained || f.Code == ConfigMissing || f.Severity == answer.SeverityError && (f.Code == WeightsUnreadable || f.Code == WeightsTruncated)
	}
	findings = slices.DeleteFunc(findings, func(f answer.Finding) bool {
		at := slices.Index(unreadableCodes, f.Code)
		return at > mostTelling[f.File] || explained && f.Code == NothingRecognized
	})
	Sort(findings)
	return slices.Compact(findings)
}
