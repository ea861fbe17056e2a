// Package report renders a finished run and the comparison of two results files,
// for people and for other programs. It runs nothing and reads no clock.
package report

import (
	"fmt"
	"io"

	"omniloader/internal/outcome"
	"omniloader/internal/suggest"
)

// Options say what the output can show. The zero value is for a file.
type Options struct {
	Width   int  // columns of the terminal; 0 for no limit
	Color   bool // whether colours may be used
	Verbose bool // a report for people shows every scenario with its steps and durations
}

// Renderer writes a run. Of an interrupted run it writes what had ended.
type Renderer func(w io.Writer, run *outcome.Run, opts Options) error

// Format is a way to render a run.
type Format struct {
	Name           string
	Description    string // in one line, for help
	Render         Renderer
	OnlyBenchmarks bool // it has benchmarks and nothing else
}

// formats lists all of them, in the order of the help.
var formats = []Format{
	{Name: "pretty", Description: "for people: failures, a table of benchmarks, totals", Render: Pretty},
	{Name: "progress", Description: "for people: one character a scenario, failures, totals", Render: Progress},
	{Name: "junit", Description: "JUnit XML, as GitLab, Jenkins and GitHub actions read it", Render: JUnit},
	{Name: "cucumber", Description: "Cucumber JSON, with the figures as embeddings", Render: Cucumber},
	{Name: "messages", Description: "Cucumber Messages, one JSON object a line", Render: Messages},
	{Name: "benchfmt", Description: "the figures as Go's benchmark text, for benchstat", Render: Benchfmt, OnlyBenchmarks: true},
	{Name: "markdown", Description: "for the summary of a CI job or a merge request", Render: Markdown},
	{Name: "html", Description: "one page with everything, for a browser", Render: HTML},
	{Name: "rerun", Description: "the places of what failed, one a line, for run @FILE", Render: Rerun},
}

// Formats lists the formats of a run, in the order to show them.
func Formats() []Format { return append([]Format(nil), formats...) }

// FormatNames lists the names of the formats of a run.
func FormatNames() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.Name
	}
	return names
}

// FormatByName gives the format of that name; for an unknown one the error
// suggests the nearest.
func FormatByName(name string) (Format, error) {
	for _, f := range formats {
		if f.Name == name {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("unknown format %q, %s", name, suggest.DidYouMean(name, FormatNames()))
}
