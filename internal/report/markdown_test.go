package report

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
)

func TestMarkdown(t *testing.T) {
	golden(t, "markdown.golden.md", []byte(render(t, Markdown, everyStatus(t), Options{})))
}

var (
	escaped = regexp.MustCompile(`\\.`)
	folds   = regexp.MustCompile(`</?(details|summary)>`)
	ticks   = regexp.MustCompile("`+")
)

// outsideCode gives the lines of a Markdown text that are not in a fenced block, without
// escaped characters and code spans, and the number of blocks. A block ends at a line
// of at least as many ticks as it started with, a span at exactly as many.
func outsideCode(text string) (lines []string, blocks int) {
	fence := ""
	for line := range strings.SplitSeq(text, "\n") {
		open, isFence := strings.CutSuffix(line, "text")
		switch {
		case fence != "":
			if strings.HasPrefix(line, fence) && strings.Trim(line, "`") == "" {
				fence = ""
			}
		case isFence && strings.HasPrefix(open, "```") && strings.Trim(open, "`") == "":
			fence = open
			blocks++
		default:
			lines = append(lines, withoutSpans(escaped.ReplaceAllString(line, "")))
		}
	}
	return lines, blocks
}

func withoutSpans(line string) string {
	for {
		open := ticks.FindStringIndex(line)
		if open == nil {
			return line
		}
		end := -1
		for _, run := range ticks.FindAllStringIndex(line[open[1]:], -1) {
			if run[1]-run[0] == open[1]-open[0] {
				end = open[1] + run[1]
				break
			}
		}
		if end < 0 {
			return line
		}
		line = line[:open[0]] + line[end:]
	}
}

func TestSpecialCharactersAreEscapedInMarkdown(t *testing.T) {
	for _, s := range append(specialTexts, "<script>alert(1)</script>", "a|b", "__init__", "`` `tick` ``", "$x$", "```\n</details>\n# head") {
		run := sample(t)
		for i := range run.Features {
			f := &run.Features[i]
			f.Name, f.URI = s, s
			for j := range f.Scenarios {
				sc := &f.Scenarios[j]
				sc.Name, sc.Rule, sc.SkipReason, sc.Warnings = s, s, s, []string{s}
				if sc.Benchmark != nil {
					sc.Benchmark.Name, sc.Benchmark.Category = s, s
				}
				if step := sc.FailedStep(); step != nil {
					step.Text, step.Err = s, hinted{errors.New(s), s}
				}
			}
		}
		out := render(t, Markdown, run, Options{})
		lines, blocks := outsideCode(out)
		require.Equal(t, 3, blocks, "%q in\n%s", s, out)
		cells := 0
		for _, line := range lines {
			line = folds.ReplaceAllString(line, "")
			assert.NotRegexp(t, "[<`]|^#* ?head", line, "%q", s)
			if !strings.HasPrefix(line, "|") {
				assert.NotContains(t, line, "|", "%q", s)
				continue
			}
			if cells == 0 {
				cells = strings.Count(line, "|")
			}
			assert.Equal(t, cells, strings.Count(line, "|"), "%q: %s", s, line)
		}
		assert.Positive(t, cells)
	}
}

func TestMarkdownFencesAreLongerThanThoseInTheText(t *testing.T) {
	for text, want := range map[string]string{"a": "`a`", "a`b": "``a`b``", "`a": "`` `a ``", "": "` `", "a\nb": "`a b`"} {
		assert.Equal(t, want, codeSpan(text))
	}
}

func TestMarkdownLimitsTheNumberOfFailures(t *testing.T) {
	run := &outcome.Run{Features: []outcome.Feature{{Name: "f", URI: "f.feature"}}}
	long := strings.Repeat("é", 2*maxReasonBytes)
	for range maxFailures + 7 {
		run.Features[0].Scenarios = append(run.Features[0].Scenarios, outcome.Scenario{Name: "s", Status: outcome.Failed,
			Steps: []outcome.Step{{Keyword: "Then ", Text: "x", Status: outcome.Failed, Err: errors.New(long)}}})
	}
	out := render(t, Markdown, run, Options{})
	assert.Less(t, len(out), 1<<19)
	assert.Contains(t, out, "7 more failures not shown.\n")
	assert.Equal(t, maxFailures, strings.Count(out, "… cut here"))
	assert.NotContains(t, out, "\ufffd")
	for i := range run.Features[0].Scenarios {
		run.Features[0].Scenarios[i].Steps = slices.Repeat(run.Features[0].Scenarios[i].Steps, 100)
	}
	out = render(t, Markdown, run, Options{})
	assert.Less(t, len(out), 1<<20, "GitHub refuses a larger one")
	assert.Contains(t, out, "more failures not shown.\n")
	assert.Contains(t, out, "80 more failed steps not shown.\n")
}

func TestMarkdownShowsCallersAndFoldsManyBenchmarks(t *testing.T) {
	run := sample(t)
	run.Features[0].Scenarios[0].Benchmark.Concurrency = &bench.ConcurrencyResult{Callers: 8, Throughput: 61000, ThroughputAlone: 20000, Scaling: 3.05, P95Time: 3e-4}
	out := render(t, Markdown, run, Options{})
	assert.Contains(t, out, "| architecture\\_detection\\_llama | 8 | 61000 | 20000 | 3.05 | 300 µs |\n")
	assert.NotContains(t, out, "<details>")
	run.Features[0].Scenarios = slices.Repeat(run.Features[0].Scenarios[:1], maxUnfoldedBenchmarks+1)
	assert.Contains(t, render(t, Markdown, run, Options{}), "<details><summary>22 benchmarks</summary>\n\n|")
}

func TestMarkdownShowsAComparison(t *testing.T) {
	run := sample(t)
	run.SetComparison(mixed(t))
	out := render(t, Markdown, run, Options{})
	assert.Contains(t, out, "### Compared with the baseline\n\n**4 benchmarks: ")
	assert.Contains(t, out, `| unconverged | \_\_init\_\_ |`)
}

// Programs that read a report must not fail a run that ended in 0.
func TestARegressionThatIsAllowedIsNoFailureInAReport(t *testing.T) {
	run := &outcome.Run{Features: sample(t).Features[:1]}
	run.SetComparison(mixed(t))
	require.NotEmpty(t, regressions(run.Comparison))
	slower := len(regressions(run.Comparison))
	junit := func(of string) int { return strings.Count(render(t, JUnit, run, Options{}), of) }
	cucumberFailures := func() int { return strings.Count(render(t, Cucumber, run, Options{}), `"failed"`) }
	before, failedBefore := cucumberFailures(), junit("<failure ")
	assert.Zero(t, junit("which does not fail this run"))
	run.RegressionsAllowed = true
	assert.Equal(t, before-slower, cucumberFailures())
	assert.Equal(t, failedBefore-slower, junit("<failure "))
	assert.Equal(t, slower, junit("which does not fail this run"))
}
