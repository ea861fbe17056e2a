package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"omniloader/internal/bench"
	"omniloader/internal/quantity"
	"omniloader/internal/suggest"
)

// ComparisonRenderer writes a comparison of two results files.
type ComparisonRenderer func(w io.Writer, c *bench.Comparison, opts Options) error

// ComparisonFormat is a way to render a comparison.
type ComparisonFormat struct {
	Name        string
	Description string // in one line, for help
	Render      ComparisonRenderer
}

// comparisonFormats lists all of them, in the order of the help.
var comparisonFormats = []ComparisonFormat{
	{"text", "a table for people", CompareText},
	{"markdown", "a table for a merge request", CompareMarkdown},
	{"json", "every change with both figures and the ratio", CompareJSON},
}

// ComparisonFormatNames lists the names of the formats of a comparison.
func ComparisonFormatNames() []string {
	names := make([]string, len(comparisonFormats))
	for i, f := range comparisonFormats {
		names[i] = f.Name
	}
	return names
}

// ComparisonFormats lists the formats of a comparison, in the order to show them.
func ComparisonFormats() []ComparisonFormat {
	return append([]ComparisonFormat(nil), comparisonFormats...)
}

// ComparisonFormatByName gives the format of that name; for an unknown one the
// error suggests the nearest.
func ComparisonFormatByName(name string) (ComparisonFormat, error) {
	for _, f := range comparisonFormats {
		if f.Name == name {
			return f, nil
		}
	}
	return ComparisonFormat{}, fmt.Errorf("unknown format %q, %s", name, suggest.DidYouMean(name, ComparisonFormatNames()))
}

// verdictStyles are the colours of the verdicts.
var verdictStyles = map[bench.Verdict]style{
	bench.Red: styleFailed, bench.Green: stylePassed, bench.Added: styleHint, bench.Removed: styleWarning, bench.Neutral: styleFaint,
	bench.NotComparable: styleWarning, bench.Unconverged: styleWarning, bench.NotTold: styleWarning,
}

// CompareText writes a comparison as a table for people. On a narrow terminal the
// names are cut.
func CompareText(w io.Writer, c *bench.Comparison, opts Options) error {
	p := &printer{w: w, opts: opts}
	nameWidth := 0
	const otherColumns = 46 // width of all columns but the name
	if opts.Width > 0 {
		nameWidth = max(minNameWidth, opts.Width-otherColumns)
	}
	t := plainTable()
	t.AppendHeader(table.Row{p.styled(styleHeading, "verdict"), p.styled(styleHeading, "benchmark"), p.styled(styleHeading, "old "+basis(c)), p.styled(styleHeading, "new "+basis(c)), p.styled(styleHeading, "change")})
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 3, Align: text.AlignRight, AlignHeader: text.AlignRight},
		{Number: 4, Align: text.AlignRight, AlignHeader: text.AlignRight},
		{Number: 5, Align: text.AlignRight, AlignHeader: text.AlignRight},
	})
	for _, change := range c.Changes {
		if change.Verdict == bench.NotRun {
			continue // not selected
		}
		name := oneLine(change.Key().String())
		if nameWidth > 0 {
			name = text.Snip(name, nameWidth, "…")
		}
		t.AppendRow(table.Row{p.styled(verdictStyles[change.Verdict], string(change.Verdict)), name, oldFigure(c, change), newFigure(c, change), percent(c, change)})
	}
	p.table(t)
	p.line("")
	for _, r := range reasons(c) {
		p.paragraph("", styleWarning, oneLine(r))
	}
	for _, n := range c.Notes {
		p.paragraph("", styleWarning, "note: "+oneLine(n))
	}
	if text := sides(c); text != "" {
		p.paragraph("", styleFaint, text)
	}
	p.line(p.comparisonTotals(c))
	return p.err
}

// CompareMarkdown writes a comparison for a merge request: the totals, what
// changed, and the rest folded.
func CompareMarkdown(w io.Writer, c *bench.Comparison, _ Options) error {
	p := &printer{w: w}
	p.line("**" + p.comparisonTotals(c) + "**")
	p.line("")
	var changed, neutral []bench.Change
	for _, change := range c.Changes {
		switch change.Verdict {
		case bench.NotRun: // not selected
		case bench.Neutral:
			neutral = append(neutral, change)
		default:
			changed = append(changed, change)
		}
	}
	if len(changed) > 0 {
		p.markdownTable(c, changed)
	}
	if len(neutral) > 0 {
		p.line("<details><summary>" + quantity.Count(len(neutral), "benchmark") + " without a change</summary>")
		p.line("")
		p.markdownTable(c, neutral)
		p.line("</details>")
		p.line("")
	}
	for _, n := range slices.Concat(reasons(c), c.Notes) {
		p.line("- " + escapeMarkdown(n))
	}
	if text := sides(c); text != "" {
		p.line("- " + escapeMarkdown(text))
	}
	return p.err
}

func (p *printer) markdownTable(c *bench.Comparison, changes []bench.Change) {
	p.line(fmt.Sprintf("| verdict | benchmark | old %s | new %[1]s | change |", basis(c)))
	p.line("|---|---|---:|---:|---:|")
	for _, change := range changes {
		p.line(fmt.Sprintf("| %s | %s | %s | %s | %s |", change.Verdict, escapeMarkdown(change.Key().String()), oldFigure(c, change), newFigure(c, change), percent(c, change)))
	}
	p.line("")
}

// CompareJSON writes a comparison as indented JSON.
func CompareJSON(w io.Writer, c *bench.Comparison, _ Options) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(c)
}

func (p *printer) comparisonTotals(c *bench.Comparison) string {
	var parts []string
	for _, v := range bench.Verdicts() {
		if n := c.Counts[v]; n > 0 {
			parts = append(parts, p.styled(verdictStyles[v], fmt.Sprintf("%d %s", n, v)))
		}
	}
	return fmt.Sprintf("%s: %s (%s ±%s)", quantity.Count(len(c.Changes), "benchmark"), strings.Join(parts, ", "), basis(c), share(c.Threshold))
}

// sides says which files were compared: "old: commit 0123abc, 2026-01-30T08:00:00Z;
// new: 2026-01-31T08:00:00Z"; "" where the files have neither commit nor time.
func sides(c *bench.Comparison) string {
	const short = 12 // digits of a commit
	describe := func(s bench.Side) string {
		commit := s.Commit
		if commit != "" {
			commit = "commit " + commit[:min(short, len(commit))]
			if s.Dirty {
				commit += " with changes"
			}
		}
		return strings.Join(slices.DeleteFunc([]string{commit, oneLine(s.Timestamp)}, func(t string) bool { return t == "" }), ", ")
	}
	old, now := describe(c.Old), describe(c.New)
	if old == "" && now == "" {
		return ""
	}
	return fmt.Sprintf("old: %s; new: %s", cmp.Or(old, "unknown"), cmp.Or(now, "unknown"))
}

// basis names the times of a comparison: floor where any benchmark is judged
// by it, else mean. Means in a comparison of floors are marked as such, see figure.
func basis(c *bench.Comparison) string {
	if slices.ContainsFunc(c.Changes, func(change bench.Change) bool { return change.Basis == bench.ByFloor }) {
		return string(bench.ByFloor)
	}
	return string(bench.ByMean)
}

func oldFigure(c *bench.Comparison, change bench.Change) string {
	return figure(c, change, change.OldFloor, change.OldMean)
}

func newFigure(c *bench.Comparison, change bench.Change) string {
	return figure(c, change, change.NewFloor, change.NewMean)
}

// figure writes the floor in nanoseconds or the mean in seconds, whichever the
// benchmark is judged by.
func figure(c *bench.Comparison, change bench.Change, floor, mean *float64) string {
	switch {
	case change.Basis != bench.ByMean && floor != nil:
		return quantity.FormatDuration(*floor / 1e9)
	case mean == nil:
		return "-"
	case basis(c) == string(bench.ByMean):
		return quantity.FormatDuration(*mean)
	}
	return quantity.FormatDuration(*mean) + " mean"
}

// changeInWords writes the verdict on a benchmark in one line: "red: floor
// 1.2 µs, before 1 µs (+20.0 %, judged at ±5 %)".
func changeInWords(c *bench.Comparison, change bench.Change) string {
	by := string(change.Basis)
	if by == "" {
		by = "mean"
	}
	before, now := strings.TrimSuffix(oldFigure(c, change), " mean"), strings.TrimSuffix(newFigure(c, change), " mean")
	text := fmt.Sprintf("%s: %s %s, before %s (%s, judged at ±%s)", change.Verdict, by, now, before, ratio(change), share(change.Threshold))
	switch {
	case change.OldMean == nil:
		text = fmt.Sprintf("%s: %s %s", change.Verdict, by, now)
	case change.NewMean == nil:
		text = fmt.Sprintf("%s: %s before %s", change.Verdict, by, before)
	}
	if change.Reason != "" {
		text += "; " + oneLine(change.Reason)
	}
	if change.Doubtful {
		text += "; mean times that noise alone may explain"
	}
	return text
}

// reasons gives the reasons of verdicts, each once with the names of its benchmarks.
func reasons(c *bench.Comparison) []string {
	var order []string
	names := map[string][]string{}
	for _, change := range c.Changes {
		if change.Reason == "" {
			continue
		}
		key := fmt.Sprintf("%s: %s", change.Verdict, change.Reason)
		if names[key] == nil {
			order = append(order, key)
		}
		names[key] = append(names[key], change.Key().String())
	}
	for i, key := range order {
		const maxNames = 5
		order[i] = key + " (" + firstNames(names[key], maxNames) + ")"
	}
	return order
}

// ratio writes the relative change: "+10.0 %".
func ratio(change bench.Change) string {
	if change.Ratio == nil {
		return "-"
	}
	if percent := (*change.Ratio - 1) * 100; math.Abs(percent) >= 0.05 {
		return fmt.Sprintf("%+.1f %%", percent)
	}
	return "0.0 %"
}

// percent writes the relative change, and the threshold where the benchmark has another one
// than the comparison.
func percent(c *bench.Comparison, change bench.Change) string {
	text := ratio(change)
	if change.Threshold != c.Threshold {
		text += " (±" + share(change.Threshold) + ")"
	}
	return text
}

// share writes 0.05 as "5 %".
func share(s float64) string {
	return strconv.FormatFloat(math.Round(s*1e4)/1e2, 'f', -1, 64) + " %"
}
