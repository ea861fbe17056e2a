package lint

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

// Severity says what follows from a problem.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // the scenario, or the file, cannot be judged
	Warning Severity = "warning" // only the command lint tells it
)

// Rule is one rule that feature files keep.
type Rule struct {
	Code     string // in kebab-case
	Severity Severity
	Fix      FixKind
	Meaning  string // one sentence about a feature that breaks it
}

// FixKind says when lint --fix mends what breaks a rule.
type FixKind string

// The kinds.
const (
	NoFix   FixKind = "-"
	CaseFix FixKind = "case" // where only capital letters are wrong
	AnyFix  FixKind = "yes"
)

//go:embed rules.tsv
var rulesTSV string

var rules = sync.OnceValue(func() []Rule {
	var all []Rule
	for i, line := range strings.Split(strings.TrimSpace(rulesTSV), "\n") {
		if i == 0 {
			continue // the names of the columns
		}
		columns := strings.Split(line, "\t")
		if len(columns) != 4 {
			panic(fmt.Sprintf("rules.tsv: line %d has %d columns", i+1, len(columns))) // a test reads it
		}
		all = append(all, Rule{Code: columns[0], Severity: Severity(columns[1]), Fix: FixKind(columns[2]), Meaning: columns[3]})
	}
	return all
})

// Rules returns every rule: errors before warnings, each sorted by code.
func Rules() []Rule { return append([]Rule(nil), rules()...) }

// SeverityOf returns the severity of a rule. That of a code that is in no rule, or of none,
// is Error.
func SeverityOf(code string) Severity {
	for _, r := range rules() {
		if r.Code == code {
			return r.Severity
		}
	}
	return Error
}
