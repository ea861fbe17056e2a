package report

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
)

func TestHTML(t *testing.T) {
	golden(t, "html.golden.html", []byte(render(t, HTML, everyStatus(t), Options{})))
}

// named is the sample with one text in every field that comes from outside.
func named(t *testing.T, s string) *outcome.Run {
	t.Helper()
	run := sample(t)
	run.Origin.Environment["cpu"], run.Origin.Environment["commit"] = "cpu "+s, s
	for i := range run.Features {
		f := &run.Features[i]
		f.Name, f.URI, f.Description = "f"+s, "u"+s, "d"+s
		for j := range f.Scenarios {
			sc := &f.Scenarios[j]
			sc.Name, sc.Rule, sc.SkipReason, sc.Warnings = "n"+s, "r"+s, "s"+s, []string{"w" + s}
			sc.Tags = []outcome.Tag{{Name: "@" + s}}
			if b := sc.Benchmark; b != nil {
				b.Name, b.Category = "b"+s, "c"+s
				for k := range b.Bounds {
					b.Bounds[k].Bound = "below" + s
				}
			}
			for k := range sc.Steps {
				step := &sc.Steps[k]
				step.Text, step.Definition = "t"+s, s
				step.DocString, step.Table = &outcome.DocString{Content: "c" + s}, [][]string{{"a" + s, "b" + s}}
				if step.Status != outcome.Passed {
					step.Err = hinted{errors.New("e" + s), "h" + s}
				}
			}
		}
	}
	c := mixed(t)
	c.Changes[0].Name, c.Changes[0].Reason, c.Notes = "x"+s, "why"+s, []string{"note" + s}
	run.SetComparison(c)
	return run
}

var tag = regexp.MustCompile(`(?s)<[a-zA-Z/!][^>]*>`)

// The page must have the same tags, with the same attributes, whatever the names are.
func TestNamesCannotAddTagsToTheHTMLPage(t *testing.T) {
	want := tag.FindAllString(render(t, HTML, named(t, "plain"), Options{}), -1)
	assert.Greater(t, len(want), 100)
	for _, s := range append(specialTexts, `"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`, "</pre></details>", "{{.Totals}}", "javascript:alert(1)", "</title><script>", "--><!--", `" onmouseover="x`) {
		out := render(t, HTML, named(t, s), Options{})
		assert.Equal(t, want, tag.FindAllString(out, -1), "%q", s)
		assert.True(t, utf8.ValidString(out), "%q", s)
		for _, forbidden := range []string{"\x00", "\x1b", "\x7f", "\u202e"} {
			assert.NotContains(t, out, forbidden, "%q", s)
		}
	}
	assert.Contains(t, render(t, HTML, named(t, "<b>"), Options{}), "n&lt;b&gt;")
}

var (
	ids   = regexp.MustCompile(` id="([^"]*)"`)
	links = regexp.MustCompile(` (?:href|src|action)="([^"]*)"`)
)

func TestTheHTMLPageRefersToNoOtherFile(t *testing.T) {
	out := render(t, HTML, named(t, "http://example.com/a"), Options{})
	known := map[string]bool{}
	for _, m := range ids.FindAllStringSubmatch(out, -1) {
		assert.False(t, known["#"+m[1]], "an id of its own: %s", m[1])
		known["#"+m[1]] = true
	}
	all := links.FindAllStringSubmatch(out, -1)
	assert.NotEmpty(t, all)
	for _, m := range all {
		assert.True(t, known[m[1]], "%s leads into the page", m[1])
	}
	for _, text := range []string{"<script", "<link", "<img", "<iframe", "url(", "@import"} {
		assert.NotContains(t, out, text)
	}
	assert.Contains(t, out, "prefers-color-scheme: dark")
	assert.Contains(t, out, `content="default-src 'none'; style-src 'unsafe-inline'"`)
}

func TestTheHTMLPageHasFailuresFirst(t *testing.T) {
	run := sample(t)
	passed := outcome.Feature{Name: "all is well", URI: "a.feature", Scenarios: []outcome.Scenario{{Name: "ok", Status: outcome.Passed}}}
	run.Features = append([]outcome.Feature{passed}, run.Features...)
	page := htmlOf(run)
	var features, scenarios []string
	for _, f := range page.Features {
		features = append(features, f.Name)
	}
	for _, s := range page.Features[0].Scenarios {
		scenarios = append(scenarios, s.Name)
	}
	assert.Equal(t, []string{"Architecture detection", "SAE detection", "all is well"}, features)
	assert.Equal(t, []string{`names with <angle> & "quotes"`, "a mistyped line", "a family is recognised", "a family is recognised", "diffusers"}, scenarios)
	assert.Equal(t, "5 scenarios, 1 failed, 1 could not be judged", page.Features[0].Counts)
	assert.True(t, page.Features[0].Open)
	assert.False(t, page.Features[2].Open)
	require.Len(t, page.Problems, 2)
	assert.Len(t, page.Problems[0].Entries, 2)
	assert.Equal(t, "no step is defined for this line", page.Problems[1].Entries[0].Reasons[0].Text)
}

func TestTheHTMLPageShowsEveryFigureAndBound(t *testing.T) {
	run := sample(t)
	run.Features[0].Scenarios[0].Benchmark.Concurrency = &bench.ConcurrencyResult{Callers: 8, Throughput: 61000, ThroughputAlone: 20000, Scaling: 3.05, P95Time: 3e-4}
	page := htmlOf(run)
	first := page.Benchmarks[0]
	assert.Equal(t, []htmlFact{
		{"calls", "100"}, {"mean", "50.5 µs"}, {"median", "50.5 µs"}, {"p95", "95 µs"}, {"p99", "99 µs"}, {"fastest", "1 µs"}, {"slowest", "100 µs"},
		{"allocated", "2.13 kB"}, {"allocations", "11"},
	}, first.Figures)
	assert.Equal(t, []htmlBound{
		{"ok", "passed", "mean latency below 1 ms", "50.5 µs"}, {"ok", "passed", "no more than 1 MB allocated per call", "2.13 kB"},
	}, first.Bounds)
	assert.Equal(t, "exceeded", page.Benchmarks[3].Bounds[0].Verdict)
	assert.Equal(t, []htmlFact{{"callers", "8"}, {"a second", "61000"}, {"alone", "20000"}, {"scaling", "3.05"}, {"p95", "300 µs"}}, page.Callers[0].Cells)
	out := render(t, HTML, run, Options{})
	columns := strings.Count(out[strings.Index(out, "<th>verdict"):strings.Index(out, "</th></tr>")], "<th")
	assert.Equal(t, 3+len(first.Figures)+1, columns, "a heading for each figure")
}

func TestTheHTMLPageShowsAScenarioThatFailedWithoutAFailedStep(t *testing.T) {
	run := &outcome.Run{Features: []outcome.Feature{{Name: "f", Scenarios: []outcome.Scenario{{Name: "s", Status: outcome.Failed}}}}}
	assert.Contains(t, render(t, HTML, run, Options{}), "the scenario is failed, though no step failed")
}

var (
	palette = regexp.MustCompile(`--([a-z]+): #([0-9a-f]{3,6});`)
	schemes = regexp.MustCompile(`(?s):root \{(.*?)\}`)
)

// luminance is that of WCAG 2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		require.NoError(t, err)
		c := float64(n) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}

func TestTheHTMLPageHasEnoughContrastInDarkAndLight(t *testing.T) {
	found := schemes.FindAllStringSubmatch(htmlText, -1)
	require.Len(t, found, 3, "a palette for light, one for dark and one for paper")
	for i, scheme := range found {
		colours := map[string]float64{}
		for _, m := range palette.FindAllStringSubmatch(scheme[1], -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		require.GreaterOrEqual(t, len(colours), 9)
		for _, text := range []string{"text", "faint", "passed", "failed", "skipped", "link"} {
			for _, behind := range []string{"back", "panel"} {
				light, dark := max(colours[text], colours[behind]), min(colours[text], colours[behind])
				assert.GreaterOrEqual(t, (light+0.05)/(dark+0.05), 4.5, "%s on %s in scheme %d: the least that WCAG asks for", text, behind, i)
			}
		}
	}
}
