package report

import (
	"fmt"
	"strings"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
	"omniloader/internal/quantity"
)

// Headline gives the line with the totals of a run, as every format has it: "187
// scenarios: 185 passed, 2 failed · left out: 3 @wip · 54 benchmarks, 1 slower · 3.1 s".
func Headline(run *outcome.Run, opts Options) string { return (&printer{opts: opts}).totals(run) }

// totals gives the headline.
func (p *printer) totals(run *outcome.Run) string {
	t := run.Totals()
	var outcomes []string
	count := func(n int, s style, text string) {
		if n > 0 {
			outcomes = append(outcomes, p.styled(s, text))
		}
	}
	count(t.Passed, stylePassed, fmt.Sprintf("%d passed", t.Passed))
	count(t.Failed, styleFailed, fmt.Sprintf("%d failed", t.Failed))
	count(t.Unjudged, styleFailed, fmt.Sprintf("%d could not be judged", t.Unjudged))
	count(t.Flaky, styleWarning, fmt.Sprintf("%d flaky", t.Flaky))
	count(t.ExpectedFailures, style{}, quantity.Count(t.ExpectedFailures, "expected failure"))
	count(t.Skipped, styleFaint, fmt.Sprintf("%d skipped", t.Skipped))
	text := quantity.Count(t.Scenarios, "scenario")
	if len(outcomes) > 0 {
		text += ": " + strings.Join(outcomes, ", ")
	}
	var parts []string
	if run.Interrupted {
		parts = append(parts, p.styled(styleWarning, "interrupted"))
	}
	if t.Scenarios == 0 && len(run.Problems) > 0 {
		parts = append(parts, p.styled(styleFailed, "nothing was run"))
	}
	parts = append(parts, text)
	if t.UnjudgedFiles > 0 {
		parts = append(parts, p.styled(styleFailed, quantity.Count(t.UnjudgedFiles, "file")+" could not be judged"))
	}
	if t.Scenarios > 0 && len(run.Problems) > 0 {
		parts = append(parts, p.styled(styleFailed, quantity.Count(len(run.Problems), "problem")+" of the run"))
	}
	if left := LeftOut(run); left != "" {
		parts = append(parts, p.styled(styleFaint, left))
	}
	if t.Benchmarks > 0 {
		parts = append(parts, quantity.Count(t.Benchmarks, "benchmark"))
	}
	parts = append(parts, p.slowerParts(run.Comparison)...)
	if t.NotJudged > 0 {
		parts = append(parts, p.styled(styleWarning, quantity.Count(t.NotJudged, "bound")+" not judged"))
	}
	parts = append(parts, quantity.FormatDuration(run.Duration.Seconds()))
	return strings.Join(parts, " · ")
}

// LeftOut counts what a run left out by reason: "left out: 3 @wip, 2 @real"; "" for
// nothing.
func LeftOut(run *outcome.Run) string { return oneLine(outcome.LeftOutText(run.LeftOut)) }

// slowerParts counts the benchmarks that are slower than in the baseline, those apart of
// which noise alone may be the cause.
func (p *printer) slowerParts(c *bench.Comparison) []string {
	if c == nil {
		return nil
	}
	var parts []string
	sure, doubtful := c.Regressions()
	if sure > 0 {
		parts = append(parts, p.styled(styleFailed, fmt.Sprintf("%d slower", sure)))
	}
	if doubtful > 0 {
		parts = append(parts, p.styled(styleWarning, fmt.Sprintf("%d perhaps slower", doubtful)))
	}
	return parts
}

// regressions gives the changes that are sure regressions.
func regressions(c *bench.Comparison) []bench.Change {
	if c == nil {
		return nil
	}
	var all []bench.Change
	for _, change := range c.Changes {
		if change.Verdict == bench.Red && !change.Doubtful {
			all = append(all, change)
		}
	}
	return all
}
