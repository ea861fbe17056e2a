package report

import (
	"cmp"
	"io"
	"strings"
	"unicode/utf8"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/quantity"
)

// Limits on a report in Markdown: GitHub accepts 1 MiB for the summary of a job, and
// refuses a larger one as a whole.
const (
	maxFailures           = 50
	maxReasonBytes        = 4000 // bytes of the reason of one failure
	maxUnfoldedBenchmarks = 20   // benchmarks that are shown unfolded
)

// Markdown writes a run for the summary of a CI job or a comment: the totals, what
// failed and why, the benchmarks, what was skipped, and what a comparison with a
// baseline said.
func Markdown(w io.Writer, run *outcome.Run, _ Options) error {
	p := &printer{w: w}
	p.line("**" + p.totals(run) + "**")
	p.line("")
	p.markdownFailures(run)
	p.markdownBenchmarks(measuredResults(run))
	if run.Comparison != nil {
		p.line("### Compared with the baseline")
		p.line("")
		if p.err == nil {
			p.err = CompareMarkdown(w, run.Comparison, Options{})
		}
		p.line("")
	}
	for _, r := range remarks(run) {
		p.line("- " + escapeMarkdown(r.text))
	}
	return p.err
}

func (p *printer) markdownFailures(run *outcome.Run) {
	number := 0
	for _, s := range scenarios(run) {
		if !s.failed() {
			continue
		}
		number++
		switch {
		case number == 1:
			p.line("### Failures")
			p.line("")
		case number > maxFailures:
			continue
		}
		p.markdownFailure(s)
	}
	if number > maxFailures {
		p.line(quantity.Count(number-maxFailures, "more failure") + " not shown.")
		p.line("")
	}
}

func (p *printer) markdownFailure(s locatedScenario) {
	p.line("**" + escapeMarkdown(s.title()) + "** " + codeSpan(s.location(s.Line)))
	p.line("")
	step := s.FailedStep()
	if step == nil {
		p.line(escapeMarkdown(s.withoutStep()))
		p.line("")
		return
	}
	p.line(escapeMarkdown(step.Keyword+step.Text) + " " + codeSpan(s.location(step.Line)))
	p.line("")
	p.codeBlock(failureReason(step))
	if advice := hintOf(step); advice != "" {
		p.line("hint: " + escapeMarkdown(advice))
		p.line("")
	}
}

// markdownBenchmarks writes the table of benchmarks, folded where it is long.
func (p *printer) markdownBenchmarks(results []*bench.Result) {
	if len(results) == 0 {
		return
	}
	p.line("### Benchmarks")
	p.line("")
	folded := len(results) > maxUnfoldedBenchmarks
	if folded {
		p.line("<details><summary>" + quantity.Count(len(results), "benchmark") + "</summary>")
		p.line("")
	}
	fitting, _ := (&printer{}).fitColumns(results)
	header, alignment := []string{"category", "benchmark"}, "|---|---|"
	for _, c := range fitting {
		header = append(header, c.title)
		if c.right {
			alignment += "---:|"
		} else {
			alignment += "---|"
		}
	}
	p.markdownRow(header)
	p.line(alignment)
	for _, r := range results {
		row := []string{r.Category, r.Key().String()}
		for _, c := range fitting {
			row = append(row, c.cell(p, r))
		}
		p.markdownRow(row)
	}
	p.line("")
	p.markdownCallers(results)
	if folded {
		p.line("</details>")
		p.line("")
	}
}

// markdownCallers writes the table of concurrent callers.
func (p *printer) markdownCallers(results []*bench.Result) {
	started := false
	for _, r := range results {
		cells := callersCells(r)
		if cells == nil {
			continue
		}
		if !started {
			started = true
			p.markdownRow(callersTitles)
			p.line("|---|" + strings.Repeat("---:|", len(callersTitles)-1))
		}
		p.markdownRow(append([]string{r.Key().String()}, cells...))
	}
	if started {
		p.line("")
	}
}

func (p *printer) markdownRow(cells []string) {
	var b strings.Builder
	b.WriteByte('|')
	for _, c := range cells {
		b.WriteString(" " + escapeMarkdown(c) + " |")
	}
	p.line(b.String())
}

// codeBlock writes text as it is, between fences longer than any in the text.
func (p *printer) codeBlock(text string) {
	text = strings.TrimRight(printable(text), "\n")
	if len(text) > maxReasonBytes {
		cut := maxReasonBytes
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "\n… cut here; the other reports have all of it"
	}
	fence := strings.Repeat("`", max(3, longestRun(text, '`')+1))
	p.line(fence + "text")
	for l := range strings.SplitSeq(text, "\n") {
		p.line(l)
	}
	p.line(fence)
	p.line("")
}

// codeSpan writes text as code inside a line.
func codeSpan(text string) string {
	text = cmp.Or(oneLine(text), " ")
	fence := strings.Repeat("`", longestRun(text, '`')+1)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " " // one space on each side is not part of the code
	}
	return fence + text + fence
}

// longestRun gives the length of the longest run of a byte in a text.
func longestRun(text string, c byte) int {
	longest, run := 0, 0
	for i := range len(text) {
		if text[i] != c {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// escapeMarkdown writes text in one line with the special characters of Markdown and HTML
// escaped.
func escapeMarkdown(s string) string {
	var b strings.Builder
	for _, r := range oneLine(s) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*_|[]~$", r):
			b.WriteRune('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
