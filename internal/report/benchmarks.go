package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/quantity"
)

// column is one column of the table of benchmarks.
type column struct {
	title string
	right bool // aligned right, as figures are
	cell  func(p *printer, r *bench.Result) string
}

// columns are those of the table after the name, the most important first: where the
// terminal is too narrow for all, the others are left out. Only after that the name is cut.
var columns = []column{
	{"mean", true, func(_ *printer, r *bench.Result) string { return quantity.FormatDuration(r.MeanTime) }},
	{"verdict", false, boundsVerdict},
	{"bound", false, func(_ *printer, r *bench.Result) string { return tightestBound(r) }},
	{"p95", true, func(_ *printer, r *bench.Result) string { return quantity.FormatDuration(r.P95Time) }},
	{"allocated", true, allocated},
}

// columnOrder is the order of the columns from left to right.
var columnOrder = []string{"mean", "p95", "allocated", "verdict", "bound"}

func boundsVerdict(p *printer, r *bench.Result) string {
	switch {
	case len(r.Bounds) == 0:
		return ""
	case r.Held():
		return p.styled(stylePassed, "ok")
	}
	return p.styled(styleFailed, "FAILED")
}

func allocated(_ *printer, r *bench.Result) string {
	if r.BytesPerOp == nil {
		return ""
	}
	return quantity.FormatSize(float64(*r.BytesPerOp))
}

// shortBounds is how the table writes a bound; % stands for the limit.
var shortBounds = map[bench.Metric]string{
	bench.MeanLatency:    "mean < %",
	bench.MedianLatency:  "median < %",
	bench.P95Latency:     "p95 < %",
	bench.P99Latency:     "p99 < %",
	bench.MaxLatency:     "max < %",
	bench.MinLatency:     "min < %",
	bench.BytesPerCall:   "≤ % allocated",
	bench.AllocsPerCall:  "≤ % allocations",
	bench.MemoryDelta:    "delta < %",
	bench.MedianRelative: "median < % another",
	bench.FirstLatency:   "first < %",
	bench.ColdLatency:    "cold < %",
	bench.PeakMemory:     "peak < %",
	bench.GrowthExponent: "exponent < %",
	bench.Throughput:     "≥ %",
	bench.Scaling:        "scaling ≥ %",
}

// tightestBound writes the bound whose figure is nearest to its limit, or exceeds it most,
// and the number of the others.
func tightestBound(r *bench.Result) string {
	if len(r.Bounds) == 0 {
		return ""
	}
	worst := slices.MaxFunc(r.Bounds, func(a, b bench.Judgement) int { return cmp.Compare(a.LimitShare(), b.LimitShare()) })
	short, ok := shortBounds[worst.Metric]
	if !ok {
		return oneLine(worst.Bound)
	}
	limit := strings.Replace(worst.Metric.Format(worst.Limit), " operations per second", "/s", 1)
	out := strings.Replace(short, "%", limit, 1)
	if worst.Default {
		out += " by default"
	}
	if others := len(r.Bounds) - 1; others > 0 {
		out += " (+" + strconv.Itoa(others) + ")"
	}
	return out
}

// measuredResults gives the results grouped by category. Categories are in the order of
// their first result, the results of one in the order they ran.
func measuredResults(run *outcome.Run) []*bench.Result {
	var results []*bench.Result
	order := map[string]int{}
	for _, s := range scenarios(run) {
		if r := s.Benchmark; r != nil {
			results = append(results, r)
			if _, ok := order[r.Category]; !ok {
				order[r.Category] = len(order)
			}
		}
	}
	slices.SortStableFunc(results, func(a, b *bench.Result) int { return cmp.Compare(order[a.Category], order[b.Category]) })
	return results
}

// benchmarksTable writes the table of results by category.
func (p *printer) benchmarksTable(run *outcome.Run) {
	results := measuredResults(run)
	if len(results) == 0 {
		return
	}
	fitting, nameWidth := p.fitColumns(results)
	t := plainTable()
	header := table.Row{p.styled(styleHeading, "benchmark")}
	configs := []table.ColumnConfig{{Number: 1, Align: text.AlignLeft}}
	for i, c := range fitting {
		header = append(header, p.styled(styleHeading, c.title))
		align := text.AlignLeft
		if c.right {
			align = text.AlignRight
		}
		configs = append(configs, table.ColumnConfig{Number: i + 2, Align: align, AlignHeader: align})
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(configs)
	category := ""
	for i, r := range results {
		if i == 0 || r.Category != category {
			category = r.Category
			t.AppendRow(table.Row{p.styled(styleHeading, text.Snip(categoryTitle(category), nameWidth, "…"))})
		}
		row := table.Row{text.Snip(indented(r.Key().String()), nameWidth, "…")}
		for _, c := range fitting {
			row = append(row, c.cell(p, r))
		}
		t.AppendRow(row)
	}
	p.table(t)
	p.line("")
	p.callersTable(results)
}

// callersTitles are the titles of the table of concurrent callers; its cells are those of
// callersCells.
var callersTitles = []string{"callers at once", "", "a second", "alone", "scaling", "p95"}

// callersCells gives the cells after the name of a benchmark; nil where there was only one
// caller.
func callersCells(r *bench.Result) []string {
	c := r.Concurrency
	if c == nil || c.Callers < 2 {
		return nil
	}
	return []string{strconv.Itoa(c.Callers), strconv.FormatFloat(c.Throughput, 'f', 0, 64), strconv.FormatFloat(c.ThroughputAlone, 'f', 0, 64),
		strconv.FormatFloat(c.Scaling, 'f', 2, 64), quantity.FormatDuration(c.P95Time)}
}

// callersTable writes the table of concurrent callers.
func (p *printer) callersTable(results []*bench.Result) {
	t := plainTable()
	header := table.Row{}
	for _, title := range callersTitles {
		header = append(header, p.styled(styleHeading, title))
	}
	t.AppendHeader(header)
	var configs []table.ColumnConfig
	for n := 2; n <= 6; n++ {
		configs = append(configs, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
	const otherColumns = 40 // width of all columns but the name
	rows := 0
	for _, r := range results {
		cells := callersCells(r)
		if cells == nil {
			continue
		}
		rows++
		name := indented(r.Key().String())
		if p.opts.Width > 0 {
			name = text.Snip(name, max(minNameWidth, p.opts.Width-otherColumns), "…")
		}
		row := table.Row{name}
		for _, cell := range cells {
			row = append(row, cell)
		}
		t.AppendRow(row)
	}
	if rows > 0 {
		p.table(t)
		p.line("")
	}
}

// minNameWidth is the width in columns that names are not cut below.
const minNameWidth = 16

func indented(name string) string { return "  " + oneLine(name) }

// categoryTitle is the title of the benchmarks of a category.
func categoryTitle(category string) string { return cmp.Or(oneLine(category), "no category") }

// fitColumns chooses the columns that fit the terminal, and the width of the names.
func (p *printer) fitColumns(results []*bench.Result) ([]column, int) {
	const gap = 2 // between columns
	nameWidth := len("benchmark")
	for _, r := range results {
		nameWidth = max(nameWidth, text.StringWidth(indented(r.Key().String())), text.StringWidth(categoryTitle(r.Category)))
	}
	plain := &printer{}
	widths := make([]int, len(columns))
	for i, c := range columns {
		for _, r := range results {
			widths[i] = max(widths[i], text.StringWidth(c.cell(plain, r)))
		}
		if widths[i] > 0 { // a column with nothing in it is left out
			widths[i] = max(widths[i], text.StringWidth(c.title)) + gap
		}
	}
	available := p.opts.Width
	used := min(nameWidth, max(minNameWidth, available/2))
	var fitting []column
	for i, c := range columns {
		if widths[i] == 0 {
			continue
		}
		if available > 0 && used+widths[i] > available {
			continue // a later, narrower one may still fit
		}
		used += widths[i]
		fitting = append(fitting, c)
	}
	slices.SortFunc(fitting, func(a, b column) int {
		return cmp.Compare(slices.Index(columnOrder, a.title), slices.Index(columnOrder, b.title))
	})
	if available > 0 {
		rest := used - min(nameWidth, max(minNameWidth, available/2))
		nameWidth = max(1, min(nameWidth, available-rest))
	}
	return fitting, nameWidth
}

// plainTable is a table without borders, for terminals, logs and mails.
func plainTable() table.Writer {
	t := table.NewWriter()
	s := table.StyleDefault
	s.Options = table.Options{}
	s.Box.PaddingLeft, s.Box.PaddingRight = "", "  "
	s.Format.Header = text.FormatDefault
	t.SetStyle(s)
	return t
}

func (p *printer) table(t table.Writer) {
	for l := range strings.SplitSeq(t.Render(), "\n") {
		p.line(l)
	}
}
