package report

import (
	"cmp"
	"io"
	"strconv"
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
	maxReasonBytes        = 4000    // bytes of the reason of one failure
	maxProblemBytes       = 1 << 19 // bytes after which no further failure is shown
	maxUnfoldedBenchmarks = 20      // benchmarks that are shown unfolded
)

// Markdown writes a run for the summary of a CI job or a comment: the totals, what
// failed and why, the benchmarks, what was skipped, and what a comparison with a
// baseline said.
func Markdown(w io.Writer, run *outcome.Run, _ Options) error {
	counted := &countingWriter{w: w}
	p := &printer{w: counted}
	p.line("**" + p.totals(run) + "**")
	p.line("")
	p.markdownFailures(run, counted)
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

// markdownFailures writes what failed, what could not be judged, what passed only in a
// later attempt, and what is slower than the baseline.
func (p *printer) markdownFailures(run *outcome.Run, written *countingWriter) {
	var failed, flaky []func()
	for _, s := range scenarios(run) {
		switch s.Status.Group() {
		case outcome.Failed:
			failed = append(failed, func() { p.markdownFailure(s) })
		case outcome.Flaky:
			flaky = append(flaky, func() {
				p.markdownTitle(s.title(), s.location(0))
				p.markdownList(s.attempts())
			})
		}
	}
	var notJudged []func()
	for _, u := range unjudgedOf(run) {
		notJudged = append(notJudged, func() {
			p.markdownTitle(u.title, u.place)
			if others := u.othersText(); others != "" {
				p.line(escapeMarkdown(others))
				p.line("")
			}
			p.markdownReasons(u.reasons)
		})
	}
	p.markdownSection(written, "Failures", "failure", failed)
	p.markdownSection(written, "Could not be judged", "problem", notJudged)
	p.markdownSection(written, "Flaky", "flaky scenario", flaky)
	if slower := regressions(run.Comparison); len(slower) > 0 {
		p.line("### Slower than the baseline")
		p.line("")
		var lines []string
		for _, change := range slower {
			lines = append(lines, oneLine(change.Key().String())+": "+changeInWords(run.Comparison, change))
		}
		p.markdownList(lines)
	}
}

// markdownSection writes a heading and at most maxFailures entries, fewer where the report
// would be too large.
func (p *printer) markdownSection(written *countingWriter, heading, what string, entries []func()) {
	if len(entries) == 0 {
		return
	}
	p.line("### " + heading)
	p.line("")
	for i, write := range entries {
		if i == maxFailures || written.n > maxProblemBytes {
			p.line(quantity.Count(len(entries)-i, "more "+what) + " not shown.")
			p.line("")
			return
		}
		write()
	}
}

// countingWriter counts the bytes that are written.
type countingWriter struct {
	w io.Writer
	n int
}

func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += n
	return n, err
}

func (p *printer) markdownTitle(title, place string) {
	text := "**" + escapeMarkdown(title) + "**"
	if place != "" {
		text += " " + codeSpan(place)
	}
	p.line(text)
	p.line("")
}

func (p *printer) markdownList(lines []string) {
	for _, l := range lines[:min(len(lines), maxFailures)] {
		p.line("- " + escapeMarkdown(l))
	}
	if more := len(lines) - maxFailures; more > 0 {
		p.line("- and " + strconv.Itoa(more) + " more")
	}
	p.line("")
}

func (p *printer) markdownFailure(s locatedScenario) {
	p.markdownTitle(s.title(), s.location(0))
	p.markdownReasons(s.reasons())
	if attempts := s.attempts(); len(attempts) > 0 {
		p.markdownList(attempts)
	}
	if lines := s.evidenceLines(maxTreeLines); len(lines) > 0 {
		p.line("<details><summary>what it was judged on</summary>")
		p.line("")
		p.codeBlock(strings.Join(lines, "\n"))
		p.line("</details>")
		p.line("")
	}
}

// maxReasons is the number of failed steps that are shown of one scenario.
const maxReasons = 20

func (p *printer) markdownReasons(all []located) {
	for _, r := range all[:min(len(all), maxReasons)] {
		switch {
		case r.step != "":
			p.line(escapeMarkdown(r.step) + " " + codeSpan(r.place))
			p.line("")
		case r.place != "":
			p.line(codeSpan(r.place))
			p.line("")
		}
		hint := r.hint
		r.hint = ""
		p.codeBlock(r.plain())
		if hint != "" {
			p.line("hint: " + escapeMarkdown(hint))
			p.line("")
		}
	}
	if more := len(all) - maxReasons; more > 0 {
		p.line(quantity.Count(more, "more failed step") + " not shown.")
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
