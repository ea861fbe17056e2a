package finding

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
)

//go:embed findings.tsv
var findingsTSV string

// Explanation describes a code: a row of findings.tsv.
type Explanation struct {
	Code     string          `json:"code"`
	Severity answer.Severity `json:"severity"` // the usual one; that of a finding may be milder
	Title    string          `json:"title"`    // a few words
	Means    string          `json:"means"`    // what was found, and its consequences
	WayOut   string          `json:"way_out"`  // what to do about it; the hint of a finding may be more specific
}

// table has the rows of findings.tsv.
type table struct {
	list       []Explanation         // sorted by code
	severities [][]answer.Severity   // of each row of list: from the usual one to the mildest
	byKind     map[fault.Kind]string // the code for a kind of error
	byCode     map[string]int        // the index of a code in list
}

var codeTable = sync.OnceValue(func() *table {
	t := &table{byKind: map[fault.Kind]string{}, byCode: map[string]int{}}
	for line := range strings.Lines(findingsTSV) {
		if line[0] == '#' {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		var severities []answer.Severity
		for severity := range strings.SplitSeq(f[1], ",") {
			severities = append(severities, answer.Severity(severity))
		}
		t.severities = append(t.severities, severities)
		t.byCode[f[0]] = len(t.list)
		t.list = append(t.list, Explanation{Code: f[0], Severity: severities[0], Title: f[3], Means: f[4], WayOut: f[5]})
		if f[2] != "-" {
			for kind := range strings.SplitSeq(f[2], ",") {
				t.byKind[fault.Kind(kind)] = f[0]
			}
		}
	}
	return t
})

// Explanations lists all codes, sorted.
func Explanations() []Explanation { return slices.Clone(codeTable().list) }

// Explain gives the description of a code; false where there is no such code.
func Explain(code string) (Explanation, bool) {
	t := codeTable()
	i, ok := t.byCode[code]
	if !ok {
		return Explanation{}, false
	}
	return t.list[i], true
}
