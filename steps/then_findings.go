package steps

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/internal/engine"
	"omniloader/internal/suggest"
)

// findingSteps are the Then steps about findings: what is wrong with a checkpoint, or
// notable.
func (w *world) findingSteps(r stepRegistrar) {
	r.group("Findings")
	r.Then(`^(?:an?|the) (finding|error|warning|note) "([^"]*)" is reported( and nothing else)?$`, w.reports, stepDoc{
		meaning: "A finding with this code is reported: with this severity, or with any if the step says \"finding\". With \"and nothing else\" it is the only one.",
		example: `a warning "weights-missing" is reported`,
		check:   both(needsFindings, checkCodes(1)),
	})
	r.Then(`^(?:an?|the) (finding|error|warning|note) "([^"]*)" is reported for "([^"]*)"( and nothing else)?$`, w.reportsFor, stepDoc{
		meaning: "The same, about one file of the checkpoint.",
		example: `a warning "sae-config-malformed" is reported for "resid_post/layer_0/config.json"`,
		check:   both(needsFindings, checkCodes(1)),
	})
	r.Then(`^the (findings|errors|warnings|notes) "([^"]*)" are reported( and nothing else)?$`, w.reportsAll, stepDoc{
		meaning: "A finding with each of these codes, separated by commas, is reported. With \"and nothing else\" there are no others.",
		example: `the notes "pad-token-from-eos, weights-duplicate" are reported`,
		check:   both(needsFindings, checkCodes(1)),
	})
	r.Then(`^exactly these findings are reported:$`, w.reportsExactly, stepDoc{
		meaning: "The findings are those of a table with the columns code, file and severity, of which only the first is needed, in any order. A finding about the whole checkpoint has no file.",
		example: `exactly these findings are reported:`,
		check: func(c *argumentCheck, _ []string) {
			needsFindings(c, nil)
			rows, err := readFindingRows(c.table())
			c.add(BadTable, err)
			for _, row := range rows {
				c.codes(row.code)
			}
		},
	})
	r.Then(`^no (finding|error|warning|note) is reported(?: for "([^"]*)")?$`, w.reportsNone, stepDoc{
		meaning: "No finding of this severity is reported, or none at all if the step says \"finding\": for the checkpoint, or for one file.",
		example: `no finding is reported`,
		check:   both(needsFindings, func(c *argumentCheck, parts []string) { c.fileIsThere(parts[1]) }),
	})
	r.Then(`^no (?:(finding|error|warning|note) )?"([^"]*)" is reported(?: for "([^"]*)")?$`, w.reportsNoCode, stepDoc{
		meaning: "No finding with this code, or with one of several separated by commas, is reported: for the checkpoint, or for one file.",
		example: `no "shard-missing" is reported`,
		check:   both(needsFindings, checkCodes(1), func(c *argumentCheck, parts []string) { c.fileIsThere(parts[2]) }),
	})
	r.Then(`^(?:(exactly|at least|at most|more than|fewer than) )?([0-9]+) (finding|error|warning|note)s? (?:is|are) reported$`, w.reportsCount, stepDoc{
		meaning: "So many findings of this severity are reported, or of any if the step says \"findings\".",
		example: `at most 2 warnings are reported`,
		check:   both(needsFindings, func(c *argumentCheck, parts []string) { c.add(NoLimit, checkCount(parts[0], parts[1])) }),
	})
}

// finding is one finding of the answer, or a row of a table of those that are expected.
type finding struct {
	severity, code, file string
	message              string // of the answer
	anyFile              bool   // the table has no column for it
}

// String returns the finding in a line: `error shard-missing for "x.safetensors": …`.
func (f finding) String() string {
	text := f.code
	if f.severity != "" && f.severity != anySeverity {
		text = f.severity + " " + text
	}
	switch {
	case f.anyFile:
	case f.file != "":
		text += " for " + strconv.Quote(f.file)
	case f.message == "":
		text += " about no file" // a row of a table
	}
	if f.message != "" {
		text += ": " + cut(f.message, maxShownText)
	}
	return text
}

// anySeverity is the word that a step has for a finding of any severity.
const anySeverity = "finding"

// has says whether a finding of the answer is one that a step or a row means by f.
func (f finding) has(other finding) bool {
	return f.code == other.code && (f.severity == anySeverity || f.severity == "" || f.severity == other.severity) &&
		(f.anyFile || f.file == other.file)
}

// findings returns the findings of the answer.
func (w *world) findings() ([]finding, error) {
	f, err := w.field("findings")
	if err != nil {
		return nil, err
	}
	if f.value.Type != gjson.Null && !f.value.IsArray() {
		return nil, fmt.Errorf("the findings are %s, not a list", shown(f.value))
	}
	var all []finding
	for _, entry := range f.value.Array() {
		text := func(key string) string { return entry.Get(key).String() }
		all = append(all, finding{severity: text("severity"), code: text("code"), file: text("file"), message: text("message")})
	}
	return all, nil
}

// findingLines writes findings for people, one a line, below a heading.
func findingLines(heading string, list []finding) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(heading)
	for i, f := range list {
		if i == maxShownEntries {
			fmt.Fprintf(&b, "\n  and %d more", len(list)-i)
			break
		}
		b.WriteString("\n  " + f.String())
	}
	return b.String()
}

// wrongFindings is the failure of findings that are not as expected: first what was expected,
// then those that are reported.
func wrongFindings(expected string, reported []finding) error {
	if len(reported) == 0 {
		return fmt.Errorf("no finding is reported, expected %s", expected)
	}
	return fmt.Errorf("expected %s, %s", expected, findingLines("reported:", reported))
}

// checkedCodes returns the codes of a list that is separated by commas. A code that the loader
// does not have is a ScenarioError.
func (w *world) checkedCodes(list string) ([]string, error) {
	codes := splitList(list)
	for _, code := range codes {
		if err := NewVocabulary(w.setup.Loader).checkCode(code); err != nil {
			return nil, &ScenarioError{err}
		}
	}
	return codes, nil
}

func (w *world) reports(severity, code, only string) error {
	return w.reportsThese([]finding{{severity: severity, code: code, anyFile: true}}, only != "")
}

func (w *world) reportsFor(severity, code, file, only string) error {
	return w.reportsThese([]finding{{severity: severity, code: code, file: file}}, only != "")
}

func (w *world) reportsAll(severities, list, only string) error {
	var wanted []finding
	for _, code := range splitList(list) {
		wanted = append(wanted, finding{severity: strings.TrimSuffix(severities, "s"), code: code, anyFile: true})
	}
	return w.reportsThese(wanted, only != "")
}

// reportsThese asserts that findings are reported, and with only that no others are.
func (w *world) reportsThese(wanted []finding, only bool) error {
	for _, f := range wanted {
		if _, err := w.checkedCodes(f.code); err != nil {
			return err
		}
	}
	reported, err := w.findings()
	if err != nil {
		return err
	}
	var codes []string
	others := reported
	for _, f := range reported {
		codes = append(codes, f.code)
	}
	for _, want := range wanted {
		if !slices.ContainsFunc(reported, want.has) {
			failure := wrongFindings(want.String(), reported)
			if near, ok := suggest.Nearest(want.code, codes); ok && near != want.code {
				failure = fmt.Errorf("%w\n%s", failure, suggest.Question(near))
			}
			return failure
		}
		others = slices.DeleteFunc(slices.Clone(others), want.has)
	}
	if only && len(others) > 0 {
		return errors.New(findingLines("expected nothing else, reported as well:", others))
	}
	return nil
}

// severities are those that a table may have.
var severities = []string{"error", "warning", "note"}

// readFindingRows reads a table of findings.
func readFindingRows(table *engine.Table) ([]finding, error) {
	cells, err := readTable(table, []string{"code"}, []string{"file", "severity"})
	if err != nil {
		return nil, err
	}
	var rows []finding
	for _, c := range cells {
		severity, hasSeverity := c["severity"]
		file, hasFile := c["file"]
		if hasSeverity && !slices.Contains(severities, severity) {
			return nil, fmt.Errorf("there is no severity %q, %s", severity, suggest.DidYouMean(severity, severities))
		}
		if c["code"] == "" || strings.Contains(c["code"], ",") {
			return nil, fmt.Errorf("%q is not one code: write a row for each finding", c["code"])
		}
		rows = append(rows, finding{severity: severity, code: c["code"], file: file, anyFile: !hasFile})
	}
	return rows, nil
}

// reportsExactly asserts that the findings are those of a table, each row for one of them.
func (w *world) reportsExactly(table *engine.Table) error {
	missing, err := readFindingRows(table)
	if err != nil {
		return &ScenarioError{err}
	}
	for _, row := range missing {
		if _, err := w.checkedCodes(row.code); err != nil {
			return err
		}
	}
	extra, err := w.findings()
	if err != nil {
		return err
	}
	// Rows without a file or severity may mean any of several findings: the precise ones
	// choose first.
	slices.SortStableFunc(missing, func(a, b finding) int { return vagueness(a) - vagueness(b) })
	missing = slices.DeleteFunc(missing, func(row finding) bool {
		i := slices.IndexFunc(extra, row.has)
		if i >= 0 {
			extra = slices.Delete(extra, i, i+1)
		}
		return i >= 0
	})
	if len(missing)+len(extra) == 0 {
		return nil
	}
	parts := []string{findingLines("expected and not reported:", missing), findingLines("reported and not expected:", extra)}
	return errors.New(strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "\n"))
}

func vagueness(row finding) int {
	n := 0
	if row.anyFile {
		n += 2
	}
	if row.severity == "" {
		n++
	}
	return n
}

func (w *world) reportsNone(severity, file string) error {
	return w.reportsNoneOf(func(f finding) bool {
		return (severity == anySeverity || f.severity == severity) && (file == "" || f.file == file)
	})
}

func (w *world) reportsNoCode(severity, list, file string) error {
	codes, err := w.checkedCodes(list)
	if err != nil {
		return err
	}
	return w.reportsNoneOf(func(f finding) bool {
		return slices.Contains(codes, f.code) && (severity == "" || severity == anySeverity || f.severity == severity) && (file == "" || f.file == file)
	})
}

func (w *world) reportsNoneOf(unwanted func(finding) bool) error {
	reported, err := w.findings()
	if err != nil {
		return err
	}
	found := slices.DeleteFunc(reported, func(f finding) bool { return !unwanted(f) })
	if len(found) == 0 {
		return nil
	}
	return errors.New(findingLines("expected none, reported:", found))
}

func (w *world) reportsCount(relation, number, severity string) error {
	if err := checkCount(relation, number); err != nil {
		return &ScenarioError{err}
	}
	want, err := strconv.Atoi(number)
	if err != nil {
		return scenarioErrorf("%q is too large a number", number)
	}
	reported, err := w.findings()
	if err != nil {
		return err
	}
	found := slices.DeleteFunc(reported, func(f finding) bool { return severity != anySeverity && f.severity != severity })
	if within(float64(len(found)), relation, float64(want)) {
		return nil
	}
	heading := fmt.Sprintf("%d %s %s reported, expected %s", len(found), ofCount(len(found), severity), verb(len(found)), strings.TrimSpace(relation+" "+number))
	if len(found) == 0 {
		return errors.New(heading)
	}
	return errors.New(findingLines(heading+":", found))
}
