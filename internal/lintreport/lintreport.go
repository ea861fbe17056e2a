// Package lintreport writes the problems of feature files, for people and for other
// programs.
package lintreport

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"omniloader/internal/lint"
	"omniloader/internal/outcome"
)

// Formats lists the names of the formats.
func Formats() []string { return []string{"text", "json", "github", "sarif"} }

// Options are settings for writing problems.
type Options struct {
	Version string                             // of the program
	Style   func(lint.Severity, string) string // colours the name of a severity in the text; nil changes nothing
}

// Write writes problems in a format that Formats lists. In text each is a line, with a second
// one for its hint; in JSON one object a line; for GitHub one annotation a line. The order
// is kept.
func Write(w io.Writer, format string, problems outcome.Problems, o Options) error {
	switch format {
	case "text":
		return writeText(w, problems, o)
	case "json":
		return writeJSON(w, problems)
	case "github":
		return writeGitHub(w, problems)
	case "sarif":
		return writeSARIF(w, problems, o)
	}
	return fmt.Errorf("unknown format %q", format)
}

func writeText(w io.Writer, problems outcome.Problems, o Options) error {
	var b strings.Builder
	for _, p := range problems {
		severity := lint.SeverityOf(p.Code)
		place, word := place(p), string(severity)
		if o.Style != nil {
			word = o.Style(severity, word)
		}
		fmt.Fprintf(&b, "%s%s: %s", place, word, oneLine(p.Message))
		if p.Code != "" {
			fmt.Fprintf(&b, " [%s]", p.Code)
		}
		b.WriteByte('\n')
		if p.Advice != "" {
			fmt.Fprintf(&b, "  hint: %s\n", oneLine(p.Advice))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// place returns "features/a.feature:12:5: ", with as much of it as is known.
func place(p outcome.Problem) string {
	p.Message = ""
	return oneLine(p.Error())
}

// oneLine replaces control characters, which end a line or change what a terminal shows.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return '\ufffd'
		}
		return r
	}, text)
}

// jsonProblem is a line in JSON.
type jsonProblem struct {
	File     string        `json:"file,omitempty"`
	Line     int           `json:"line,omitempty"`   // from 1
	Column   int           `json:"column,omitempty"` // from 1, in characters
	Code     string        `json:"code,omitempty"`
	Severity lint.Severity `json:"severity"`
	Message  string        `json:"message"`
	Hint     string        `json:"hint,omitempty"`
}

func writeJSON(w io.Writer, problems outcome.Problems) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, p := range problems {
		if err := encoder.Encode(jsonProblem{p.URI, p.Line, p.Column, p.Code, lint.SeverityOf(p.Code), p.Message, p.Advice}); err != nil {
			return err
		}
	}
	return nil
}

// What commands of GitHub's workflows have for characters that end a part of them.
var (
	githubText     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// writeGitHub writes a workflow command for each problem, with which GitHub shows it beside
// the line in a pull request.
func writeGitHub(w io.Writer, problems outcome.Problems) error {
	var b strings.Builder
	for _, p := range problems {
		var properties []string
		add := func(name, value string) {
			if value != "" && value != "0" {
				properties = append(properties, name+"="+githubProperty.Replace(value))
			}
		}
		add("file", p.URI)
		add("line", fmt.Sprint(p.Line))
		add("col", fmt.Sprint(p.Column))
		add("title", p.Code)
		text := p.Message
		if p.Advice != "" {
			text += "\n" + p.Advice
		}
		fmt.Fprintf(&b, "::%s", lint.SeverityOf(p.Code))
		if len(properties) > 0 {
			b.WriteString(" " + strings.Join(properties, ","))
		}
		fmt.Fprintf(&b, "::%s\n", oneLine(githubText.Replace(text)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeSARIF writes a log in SARIF 2.1.0 that has every rule, so that what has been mended
// since an earlier log is known.
func writeSARIF(w io.Writer, problems outcome.Problems, o Options) error {
	driver := sarif.NewToolComponent().WithName("omniloader lint")
	if o.Version != "" {
		driver.WithVersion(o.Version)
	}
	for _, r := range lint.Rules() {
		driver.AddRule(sarif.NewReportingDescriptor().WithID(r.Code).WithShortDescription(sarif.NewMultiformatMessageString().WithText(r.Meaning)).
			WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(string(r.Severity))))
	}
	// Columns are counted in characters, not in the units of UTF-16.
	run := sarif.NewRun().WithTool(sarif.NewTool().WithDriver(driver)).WithColumnKind("unicodeCodePoints").WithResults([]*sarif.Result{})
	for _, p := range problems {
		text := p.Message
		if p.Advice != "" {
			text += "\n" + p.Advice
		}
		result := sarif.NewResult().WithLevel(string(lint.SeverityOf(p.Code))).WithMessage(sarif.NewTextMessage(text))
		if p.Code != "" {
			result.WithRuleID(p.Code)
		}
		if p.URI != "" {
			physical := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewSimpleArtifactLocation(artifactURI(p.URI)))
			if p.Line > 0 {
				region := sarif.NewRegion().WithStartLine(p.Line)
				if p.Column > 0 {
					region.WithStartColumn(p.Column)
				}
				physical.WithRegion(region)
			}
			result.AddLocation(sarif.NewLocationWithPhysicalLocation(physical))
		}
		run.AddResult(result)
	}
	report := sarif.NewReport()
	report.AddRun(run)
	return report.PrettyWrite(w)
}

// artifactURI returns the URI of a file: relative where the path is.
func artifactURI(path string) string {
	if u := (url.URL{Path: filepath.ToSlash(path)}); !filepath.IsAbs(filepath.FromSlash(path)) {
		return u.String()
	}
	u := url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(path), "/")}
	return u.String()
}
