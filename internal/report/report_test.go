package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
)

func TestPrettyToAFile(t *testing.T) {
	golden(t, "pretty.golden.txt", []byte(render(t, Pretty, everyStatus(t), Options{})))
}

func TestPrettyOnANarrowTerminal(t *testing.T) {
	golden(t, "pretty_narrow.golden.txt", []byte(render(t, Pretty, everyStatus(t), Options{Width: 48})))
}

func TestPrettyVerbose(t *testing.T) {
	golden(t, "pretty_verbose.golden.txt", []byte(render(t, Pretty, sample(t), Options{Verbose: true})))
}

func TestPrettyInColour(t *testing.T) {
	out := render(t, Pretty, sample(t), Options{Width: 100, Color: true})
	assert.Contains(t, out, "\x1b[32mok\x1b[0m")
	assert.Contains(t, out, "FAILED")
	assert.Equal(t, render(t, Pretty, sample(t), Options{Width: 100}), text.StripEscape(out), "colours change nothing else")
	assert.NotContains(t, out, "Lama\x1b", "what a checkpoint says stays text")
}

func TestProgress(t *testing.T) {
	golden(t, "progress.golden.txt", []byte(render(t, Progress, everyStatus(t), Options{})))
}

func TestJUnit(t *testing.T) {
	golden(t, "junit.golden.xml", []byte(render(t, JUnit, everyStatus(t), Options{})))
}

func TestCucumber(t *testing.T) {
	golden(t, "cucumber.golden.json", []byte(render(t, Cucumber, everyStatus(t), Options{})))
}

func TestNoLineIsWiderThanTheTerminal(t *testing.T) {
	run := everyStatus(t)
	run.Features[0].Scenarios[0].Benchmark.Name = strings.Repeat("模型", 60)
	for _, width := range []int{30, 31, 37, 48, 55, 63, 64, 80, 99, 130} {
		for name, r := range map[string]Renderer{"pretty": Pretty, "progress": Progress} {
			for line := range strings.SplitSeq(render(t, r, run, Options{Width: width, Color: width%2 == 0, Verbose: width%3 == 0}), "\n") {
				if strings.Contains(line, ".feature:") || strings.Contains(line, "scenarios: ") {
					continue // locations and totals are not cut, so that they can be copied and searched
				}
				if got := text.StringWidthWithoutEscSequences(line); got > width {
					t.Fatalf("%s at %d columns: a line of %d: %q", name, width, got, line)
				}
			}
		}
	}
}

func TestOnANarrowTerminalColumnsAreLeftOutBeforeNamesAreCut(t *testing.T) {
	header := func(width int) []string {
		for line := range strings.SplitSeq(render(t, Pretty, sample(t), Options{Width: width}), "\n") {
			if strings.HasPrefix(line, "benchmark ") {
				return strings.Fields(line)
			}
		}
		return nil
	}
	assert.Equal(t, []string{"benchmark", "mean", "p95", "allocated", "verdict", "bound"}, header(120))
	assert.Equal(t, []string{"benchmark", "mean", "verdict", "bound"}, header(70))
	assert.Equal(t, []string{"benchmark", "mean", "verdict"}, header(40))
}

func TestEveryFormatWritesAnEmptyRun(t *testing.T) {
	run := &outcome.Run{Started: began}
	assert.Equal(t, "0 scenarios · 0 ns\n", render(t, Pretty, run, Options{}))
	assert.Equal(t, "0 scenarios · 0 ns\n", render(t, Progress, run, Options{}))
	assert.Equal(t, "[]\n", render(t, Cucumber, run, Options{}))
	suites := parseJUnit(t, render(t, JUnit, run, Options{}))
	assert.Zero(t, suites.Tests)
	empty := &outcome.Run{Features: []outcome.Feature{{Name: "nothing selected in it", URI: "a.feature"}}}
	for _, f := range Formats() {
		render(t, f.Render, empty, Options{})
	}
}

func TestAnInterruptedRunSaysSo(t *testing.T) {
	run := sample(t)
	run.Interrupted = true
	for _, r := range []Renderer{Pretty, Progress} {
		out := strings.TrimSpace(render(t, r, run, Options{}))
		last := out[strings.LastIndex(out, "\n")+1:]
		assert.Equal(t, "interrupted · 8 scenarios: 3 passed, 2 failed, 1 could not be judged, 2 skipped · 4 benchmarks · 3.12 s", last)
	}
}

func TestAScenarioThatFailedWithoutAFailedStepIsReported(t *testing.T) {
	run := &outcome.Run{Features: []outcome.Feature{{Name: "f", URI: "f.feature", Scenarios: []outcome.Scenario{{Name: "s", Line: 3, Status: outcome.Failed}}}}}
	assert.Contains(t, render(t, Pretty, run, Options{}), "the scenario is failed, though no step failed")
	suites := parseJUnit(t, render(t, JUnit, run, Options{}))
	assert.Equal(t, 1, suites.Failures)
	run.Features[0].Scenarios[0].Steps = []outcome.Step{{Status: outcome.Failed, Err: errors.New(" ")}}
	assert.Contains(t, render(t, Pretty, run, Options{}), "failed without a reason")
}

func parseJUnit(t *testing.T, doc string) junitSuites {
	t.Helper()
	var suites junitSuites
	d := xml.NewDecoder(strings.NewReader(doc))
	d.Strict = true
	require.NoError(t, d.Decode(&suites), doc)
	return suites
}

func TestJUnitCountsMatchItsTestCases(t *testing.T) {
	suites := parseJUnit(t, render(t, JUnit, sample(t), Options{}))
	assert.Equal(t, []int{8, 2, 1, 2}, []int{suites.Tests, suites.Failures, suites.Errors, suites.Skipped})
	require.Len(t, suites.Suites, 2)
	total := junitCounts{}
	for _, s := range suites.Suites {
		total.Tests += s.Tests
		total.Failures += s.Failures
		total.Skipped += s.Skipped
		failures, errors, skips := 0, 0, 0
		for _, c := range s.Cases {
			if c.Failure != nil {
				failures++
			}
			if c.Error != nil {
				errors++
			}
			if c.Skipped != nil {
				skips++
			}
			assert.NotEmpty(t, c.ClassName)
			assert.NotEmpty(t, c.File)
			assert.Positive(t, c.Line)
		}
		assert.Equal(t, []int{s.Tests, s.Failures, s.Errors, s.Skipped}, []int{len(s.Cases), failures, errors, skips})
	}
	assert.Equal(t, []int{8, 2, 2}, []int{total.Tests, total.Failures, total.Skipped})
}

func TestJUnitTestCaseNamesAreUnique(t *testing.T) {
	run := sample(t)
	again := run.Features[0]
	again.URI = "more/detection.feature"
	run.Features = append(run.Features, again)
	run.Features[0].Scenarios = append(run.Features[0].Scenarios, outcome.Scenario{Name: "a family is recognised #2", Line: 70, Status: outcome.Passed})
	seen := map[string]bool{}
	for _, s := range parseJUnit(t, render(t, JUnit, run, Options{})).Suites {
		for _, c := range s.Cases {
			key := c.ClassName + "/" + c.Name
			assert.False(t, seen[key], key)
			seen[key] = true
		}
	}
	assert.Len(t, seen, 14)
}

// specialTexts are names and messages with characters that a format may misread.
var specialTexts = []string{
	`<&>"'`, "]]>", "<!--", "\x00\x01\x1b[2J\x7f", "a\xff\xfeb", "\ufffe\uffff", "\u202eevil", "line\nbreak\ttab\r", "", " ",
	strings.Repeat("long ", 300), "日本語 🚀 é", "| pipe `tick` *star* [link](x)", "{{script}}", "%s%d%!", "\u0085\u2028",
}

func TestSpecialCharactersKeepEveryFormatValid(t *testing.T) {
	for _, s := range specialTexts {
		run := sample(t)
		f := &run.Features[0]
		f.Name, f.URI, f.Description = s, s, s
		for i := range f.Scenarios {
			sc := &f.Scenarios[i]
			sc.Name, sc.Rule = s, s
			sc.Warnings = []string{s}
			sc.Tags = []outcome.Tag{{Name: s}}
			if sc.Benchmark != nil {
				sc.Benchmark.Name, sc.Benchmark.Category = s, s
			}
			for j := range sc.Steps {
				sc.Steps[j].Text, sc.Steps[j].Definition, sc.Steps[j].Status = s, s, outcome.Failed
				sc.Steps[j].Err = hinted{errors.New(s), s}
			}
			sc.Status = outcome.Failed
		}
		run.Features[1].Scenarios[1].SkipReason = s

		suites := parseJUnit(t, render(t, JUnit, run, Options{}))
		assert.Equal(t, 8, suites.Tests)
		var features []cucumberFeature
		require.NoError(t, json.Unmarshal([]byte(render(t, Cucumber, run, Options{})), &features))
		assert.Len(t, features, 2)
		for _, opts := range []Options{{}, {Width: 40}, {Width: 1}} {
			for _, r := range []Renderer{Pretty, Progress} {
				out := render(t, r, run, opts)
				assert.True(t, utf8.ValidString(out), "%q", s)
				for _, forbidden := range []string{"\x1b", "\x00", "\x7f", "\r", "\u202e"} {
					assert.NotContains(t, out, forbidden, "%q", s)
				}
			}
		}
	}
}

func TestCucumberPutsABackgroundBeforeItsScenario(t *testing.T) {
	var features []cucumberFeature
	require.NoError(t, json.Unmarshal([]byte(render(t, Cucumber, sample(t), Options{})), &features))
	var types []string
	ids := map[string]bool{}
	for _, e := range features[0].Elements {
		types = append(types, e.Type)
		if e.Type == "scenario" {
			assert.False(t, ids[e.ID], e.ID)
			ids[e.ID] = true
		}
	}
	assert.Equal(t, []string{"scenario", "scenario", "background", "scenario", "background", "scenario", "scenario"}, types)
	assert.Equal(t, "an empty checkpoint", features[0].Elements[2].Steps[0].Name)
	assert.Len(t, features[0].Elements[3].Steps, 1, "its own steps without the background's")
}

func TestCucumberEmbedsTheResultOfABenchmark(t *testing.T) {
	var features []cucumberFeature
	require.NoError(t, json.Unmarshal([]byte(render(t, Cucumber, sample(t), Options{})), &features))
	steps := features[0].Elements[0].Steps
	require.Len(t, steps[len(steps)-1].Embeddings, 1)
	e := steps[len(steps)-1].Embeddings[0]
	assert.Equal(t, "application/json", e.MimeType)
	var r bench.Result
	require.NoError(t, json.Unmarshal(e.Data, &r))
	assert.Equal(t, "architecture_detection_llama", r.Name)
	assert.InDelta(t, 50.5e-6, r.MeanTime, 1e-12)
}

func TestCucumberWritesAmbiguousAsFailed(t *testing.T) {
	step := cucumberStepOf(locatedScenario{Scenario: new(outcome.Scenario)}, &outcome.Step{Status: outcome.Ambiguous})
	assert.Equal(t, "failed", step.Result.Status)
	assert.Equal(t, "could not be judged: more than one step is defined for this line", step.Result.ErrorMessage)
	assert.Equal(t, "skipped", cucumberStepOf(locatedScenario{Scenario: new(outcome.Scenario)}, &outcome.Step{}).Result.Status, "a step the run never came to")
}

func TestAFormatIsFoundByNameOrSuggested(t *testing.T) {
	for _, f := range Formats() {
		got, err := FormatByName(f.Name)
		require.NoError(t, err)
		assert.Equal(t, f.Description, got.Description)
		assert.NotEmpty(t, f.Description)
	}
	_, err := FormatByName("junt")
	assert.EqualError(t, err, `unknown format "junt", did you mean "junit"?`)
	_, err = FormatByName("teamcity")
	assert.EqualError(t, err, `unknown format "teamcity", known: pretty, progress, junit, cucumber, messages, benchfmt, markdown, html, rerun`)
	_, err = ComparisonFormatByName("markdwn")
	assert.EqualError(t, err, `unknown format "markdwn", did you mean "markdown"?`)
	for _, f := range ComparisonFormats() {
		_, err := ComparisonFormatByName(f.Name)
		assert.NoError(t, err)
	}
}

// full is a writer that fails after some bytes.
type full struct{ left int }

var errFull = errors.New("no space left on device")

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.left {
		n := f.left
		f.left = 0
		return n, errFull
	}
	f.left -= len(p)
	return len(p), nil
}

func TestAWriterThatFailsIsReported(t *testing.T) {
	for _, f := range Formats() {
		for _, room := range []int{0, 10, 100, 300} {
			if room < len(render(t, f.Render, sample(t), Options{})) {
				assert.ErrorIs(t, f.Render(&full{room}, sample(t), Options{}), errFull, "%s with room for %d", f.Name, room)
			}
		}
	}
	for _, f := range ComparisonFormats() {
		assert.ErrorIs(t, f.Render(&full{5}, comparison(t), Options{}), errFull, f.Name)
	}
}

func comparison(t *testing.T) *bench.Comparison {
	t.Helper()
	file := func(pairs map[string]float64, order ...string) *bench.File {
		f := &bench.File{Platform: "linux/amd64"}
		for _, name := range order {
			f.Results = append(f.Results, bench.Result{Name: name, Category: "detection", MeanTime: pairs[name]})
		}
		return f
	}
	old := file(map[string]float64{"llama": 4.1e-6, "qwen": 5e-6, "gone": 1e-6, "same": 2e-6}, "llama", "qwen", "gone", "same")
	old.Platform = "Linux-6.8.0-x86_64"
	now := file(map[string]float64{"llama": 8.2e-6, "qwen": 4e-6, "a_new|<one>": 1e-3, "same": 2.02e-6}, "llama", "qwen", "a_new|<one>", "same")
	c, err := bench.Compare(old, now, bench.DefaultThreshold)
	require.NoError(t, err)
	return c
}

func TestComparisons(t *testing.T) {
	for _, f := range ComparisonFormats() {
		var out bytes.Buffer
		require.NoError(t, f.Render(&out, comparison(t), Options{Width: 80}))
		golden(t, "compare.golden."+map[string]string{"text": "txt", "markdown": "md", "json": "json"}[f.Name], out.Bytes())
	}
}

// mixed is a comparison of benchmarks judged by floors and by means, one with a
// threshold of its own, one that cannot be compared and one that is reliably red.
func mixed(t *testing.T) *bench.Comparison {
	t.Helper()
	own := 0.2
	sampled := func(name string, floor float64) bench.Result {
		p := bench.Process{RoundMin: slices.Repeat([]float64{floor}, 40)}
		return bench.Result{Name: name, MeanTime: floor / 1e9, Processes: []bench.Process{p, p}}
	}
	file := func(results ...bench.Result) *bench.File {
		plan := bench.DefaultSampling()
		return &bench.File{Plan: &plan, Schema: 2, Platform: "linux/amd64", GoVersion: "go1.26.8", Results: results,
			Environment: map[string]any{bench.BuildKey: "one"}}
	}
	old := file(sampled("__init__", 1000), sampled("slow", 1000), sampled("lenient", 1000), bench.Result{Name: "plain", MeanTime: 1e-6})
	lenient := sampled("lenient", 1100)
	lenient.Threshold = &own
	one := sampled("__init__", 1000)
	one.Processes = one.Processes[:1]
	now := file(one, sampled("slow", 1200), lenient, bench.Result{Name: "plain", MeanTime: 2e-6})
	c, err := bench.Compare(old, now, bench.DefaultThreshold)
	require.NoError(t, err)
	return c
}

func TestAComparisonNamesTheBasisOfEachVerdict(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, CompareText(&out, mixed(t), Options{}))
	assert.Contains(t, out.String(), "1 µs mean  2 µs mean         +100.0 %")
	assert.Contains(t, out.String(), "+10.0 % (±20 %)")
	assert.Contains(t, out.String(), "where the table says mean")
	assert.Equal(t, 1, strings.Count(out.String(), "sampled in fewer than 2 processes"), "a reason stands once")

	out.Reset()
	require.NoError(t, CompareMarkdown(&out, mixed(t), Options{}))
	assert.Contains(t, out.String(), `| unconverged | \_\_init\_\_ |`)
	assert.Contains(t, out.String(), "\n- unconverged: sampled in fewer than 2 processes on a side")
	assert.Contains(t, out.String(), "\n- judged by mean times", "each note is a line of its own")
}

func TestJUnitAndCucumberHaveTheComparison(t *testing.T) {
	run := sample(t)
	c := mixed(t)
	for _, s := range scenarios(run) {
		if s.Benchmark != nil {
			c.Changes[0].Name = s.Benchmark.Name
			break
		}
	}
	run.SetComparison(c)
	xml := render(t, JUnit, run, Options{})
	assert.Contains(t, xml, `<testsuite timestamp="2026-01-30T08:00:00" name="comparison with the baseline" tests="4" failures="1" errors="0" skipped="2"`)
	assert.Contains(t, xml, `<failure message="red: floor 1.2 µs, before 1 µs (+20.0 %, judged at ±5 %)" type="regression">`)
	assert.Contains(t, xml, `<skipped message="red: mean 2 µs, before 1 µs (+100.0 %, judged at ±5 %); mean times that noise alone may explain">`)
	assert.Contains(t, xml, `<skipped message="unconverged: floor 1 µs, before 1 µs (0.0 %, judged at ±5 %); sampled in fewer than 2 processes on a side">`)
	assert.Contains(t, xml, `neutral: floor 1.1 µs, before 1 µs (+10.0 %, judged at ±20 %)`)
	assert.Contains(t, xml, "<system-out><![CDATA[a tag allows larger changes than before: lenient (±20 %, before ±5 %)\njudged by mean times where the table says mean", "the notes are in it")
	run.SetComparison(comparison(t))
	xml = render(t, JUnit, run, Options{})
	assert.Contains(t, xml, `message="removed: mean before 1 µs"`)
	assert.Contains(t, xml, `message="added: mean 1 ms"`)
	run.SetComparison(c)
	c.Changes = append(c.Changes, bench.Change{Name: "of the rest of the suite", Verdict: bench.NotRun})
	assert.NotContains(t, render(t, JUnit, run, Options{}), "of the rest of the suite", "a run of a part says nothing of it")
	json := render(t, Cucumber, run, Options{})
	assert.Contains(t, json, `"name": "comparison `+c.Changes[0].Name+`"`)
}

func TestAComparisonNamesTheComparedFiles(t *testing.T) {
	c := comparison(t)
	c.Old = bench.Side{Commit: "0123456789abcdef0123", Timestamp: "2026-01-30T08:00:00Z"}
	c.New = bench.Side{}
	for _, f := range []ComparisonRenderer{CompareText, CompareMarkdown} {
		var out bytes.Buffer
		require.NoError(t, f(&out, c, Options{}))
		assert.Contains(t, out.String(), "old: commit 0123456789ab, 2026-01-30T08:00:00Z; new: unknown\n")
	}
	c.Old = bench.Side{}
	assert.Empty(t, sides(c))
}

func TestAComparisonFitsTheTerminal(t *testing.T) {
	c := comparison(t)
	c.Changes[0].Name = strings.Repeat("very_long_", 30)
	var out bytes.Buffer
	require.NoError(t, CompareText(&out, c, Options{Width: 80}))
	for line := range strings.SplitSeq(out.String(), "\n") {
		assert.LessOrEqual(t, text.StringWidth(line), 80, line)
	}
}

func TestTheProgressLineFollowsTheRunAndIsRemoved(t *testing.T) {
	var out bytes.Buffer
	live := NewProgressLine(&out, Options{Width: 80})
	live.Listen(outcome.Event{Selected: &outcome.Selection{Scenarios: 2}})
	first := &outcome.Scenario{Name: "llama is \x1b[2Jrecognised", Status: outcome.Failed}
	live.Listen(outcome.Event{Started: first})
	live.Listen(outcome.Event{Ended: first})
	live.Listen(outcome.Event{Started: &outcome.Scenario{Name: strings.Repeat("模", 200)}})
	shown := out.String()
	assert.Contains(t, shown, "1/2")
	assert.Contains(t, shown, "1 failed")
	assert.Contains(t, shown, `llama is \x1b[2Jrecognised`)
	assert.NotContains(t, shown, "\n", "it stays on its line")
	for frame := range strings.SplitSeq(shown, "\r") {
		assert.LessOrEqual(t, text.StringWidthWithoutEscSequences(frame), 80, "%q", frame)
	}
	live.Stop()
	live.Stop()
	live.Listen(outcome.Event{Ended: first})
	frames := strings.Split(out.String(), "\r")
	assert.Empty(t, strings.TrimSpace(text.StripEscape(frames[len(frames)-1])), "the line is clear again")
}

func TestTheProgressLineFitsANarrowTerminal(t *testing.T) {
	for _, width := range []int{30, 40, 50, 100} {
		var out bytes.Buffer
		live := NewProgressLine(&out, Options{Width: width})
		live.Listen(outcome.Event{Selected: &outcome.Selection{Scenarios: 200}})
		for range 120 {
			s := &outcome.Scenario{Name: strings.Repeat("a long name ", 20), Status: outcome.Failed}
			live.Listen(outcome.Event{Started: s})
			live.Listen(outcome.Event{Ended: s})
		}
		for frame := range strings.SplitSeq(out.String(), "\r") {
			require.LessOrEqual(t, text.StringWidthWithoutEscSequences(frame), width, "%q", frame)
		}
	}
}

func TestTheProgressLineIsRemovedAfterTheLastScenario(t *testing.T) {
	var out bytes.Buffer
	live := NewProgressLine(&out, Options{Width: 80})
	live.Listen(outcome.Event{Selected: &outcome.Selection{Scenarios: 1}})
	live.Listen(outcome.Event{Ended: &outcome.Scenario{Status: outcome.Passed}})
	live.Listen(outcome.Event{Ended: &outcome.Scenario{Status: outcome.Passed}}) // one more than was selected
	live.Stop()
	frames := strings.Split(out.String(), "\r")
	assert.Empty(t, strings.TrimSpace(text.StripEscape(frames[len(frames)-1])))
}

func TestTheZeroProgressLineDrawsNothing(t *testing.T) {
	var live ProgressLine
	live.Listen(outcome.Event{Selected: &outcome.Selection{Scenarios: 2}})
	live.Listen(outcome.Event{Started: &outcome.Scenario{}})
	live.Stop()
}

func TestDurationsOfJUnitAreInSeconds(t *testing.T) {
	assert.Equal(t, "0.001500", seconds(1500*time.Microsecond))
}

func TestCucumberIDsOfScenariosWithOneNameAreUnique(t *testing.T) {
	run := &outcome.Run{Features: []outcome.Feature{{Name: "f", Scenarios: []outcome.Scenario{
		{Name: "same", Line: 3, Status: outcome.Passed}, {Name: "same", Line: 7, Status: outcome.Passed}, {Name: "Same!", Line: 9, Status: outcome.Passed},
	}}}}
	var out bytes.Buffer
	require.NoError(t, Cucumber(&out, run, Options{}))
	for _, id := range []string{`"f;same"`, `"f;same;;7"`, `"f;same;;9"`} {
		assert.Contains(t, out.String(), `"id": `+id)
	}
}

func TestTheBarOfReadingFilesFitsTheTerminal(t *testing.T) {
	for _, width := range []int{30, 40, 60, 80, 120} {
		var out bytes.Buffer
		bar := NewBytesBar(&out, Options{Width: width})
		for done := int64(0); done <= 100; done += 10 {
			bar.Progress("models/"+strings.Repeat("long", 40)+".safetensors", done<<30, 100<<30)
		}
		bar.Stop()
		for frame := range strings.SplitSeq(out.String(), "\r") {
			assert.LessOrEqual(t, text.StringWidthWithoutEscSequences(frame), width, "%q", frame)
		}
		assert.Contains(t, out.String(), "%")
	}
}
