package report

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/bench"
	"omniloader/internal/outcome"
)

var statusSource = lines(map[int]string{
	1: "Feature: Every status", 3: "Scenario: three fields are wrong", 4: "  When the model info is read", 5: `  Then the architecture is "Qwen2ForCausalLM"`,
	6: `  And the context length is 4096`, 7: "  And the findings are:", 10: "@retry:2", 11: "Scenario: it passes in the third attempt", 12: "  Then it works",
	15: "@fails:42", 16: "Scenario: it is known to fail", 17: "  Then it works", 20: "Scenario: a preset that is none", 21: `  Given the checkpoint "nosuch"`, 22: "  Then it works",
	25: "Scenario: no steps at all", 28: "Scenario: one of two definitions", 29: "  Then it is ambiguous", 32: "Scenario: not finished", 33: "  Then it is pending",
	36: "Scenario: the loader has no such operation", 37: "  When it is quantized", 40: "Scenario: it fails three times", 41: "  Then it works",
	44: "Scenario: it ends badly", 45: "  Then it works", 48: "Scenario: the same preset again", 49: "  Then it works",
})

// everyStatus is the sample with a scenario of every other status, with several attempts, a
// file that does not parse, things left out and a regression.
func everyStatus(t *testing.T) *outcome.Run {
	t.Helper()
	run := sample(t)
	step := func(keyword, text string, line int, status outcome.Status, err error) outcome.Step {
		return outcome.Step{
			Keyword: keyword, Text: text, Line: line, Status: status, Err: err, Started: began, Duration: time.Millisecond,
			Definition: "steps/then.go:31", Pattern: "^" + regexp.QuoteMeta(text) + "$",
		}
	}
	scenario := func(name string, line int, status outcome.Status, steps ...outcome.Step) outcome.Scenario {
		return outcome.Scenario{Keyword: "Scenario", Name: name, Line: line, Status: status, Started: began, Duration: 3 * time.Millisecond, Steps: steps}
	}
	attempt := func(message string) outcome.Attempt {
		return outcome.Attempt{Started: began, Duration: time.Millisecond, Steps: []outcome.Step{step("Then ", "it works", 12, outcome.Failed, errors.New(message))}}
	}
	wrong := scenario("three fields are wrong", 3, outcome.Failed,
		step("When ", "the model info is read", 4, outcome.Passed, nil),
		step("Then ", `the architecture is "Qwen2ForCausalLM"`, 5, outcome.Failed, &outcome.Mismatch{
			Subject: "the architecture", Expected: `"Qwen2ForCausalLM"`, Got: `"LlamaForCausalLM"`, DecidedBy: "class name in architectures of config.json",
		}),
		step("And ", "the context length is 4096", 6, outcome.Failed, hinted{&outcome.Mismatch{
			Subject: "the context length", Expected: "4096", Got: "8192", DecidedBy: "max_position_embeddings of config.json",
		}, "it is rope-scaled"}),
		step("And ", "the findings are:", 7, outcome.Failed, &outcome.Mismatch{
			Message: "the findings differ", Expected: "weights-missing\nno-tokenizer", Got: "weights-missing",
		}))
	wrong.Evidence = &outcome.Evidence{
		Operation: "model info", DecidedBy: "class name in architectures of config.json",
		Answer: `{"name":"llama <b>","size":0,"sae":null,"findings":[],"weights":{"files":["a","b"],"index":""},"quantization":{"method":"gptq"}}`,
		Tree:   &outcome.Tree{Root: "models/llama", Files: []outcome.TreeFile{{Path: "config.json", Size: 654}, {Path: "weights/model.safetensors", Size: 5 << 30}, {Path: "link", Problem: "not a regular file"}}, More: 2},
	}
	flaky := scenario("it passes in the third attempt", 11, outcome.Flaky, step("Then ", "it works", 12, outcome.Passed, nil))
	flaky.Tags, flaky.Earlier = []outcome.Tag{{Name: "@retry:2", Line: 10}}, []outcome.Attempt{attempt("the first <reason>"), attempt("the second reason")}
	expected := scenario("it is known to fail", 16, outcome.ExpectedFailure, step("Then ", "it works", 17, outcome.Failed, errors.New("it does not work")))
	expected.Tags = []outcome.Tag{{Name: "@fails:42", Line: 15}}
	mistaken := scenario("a preset that is none", 20, outcome.CouldNotJudge,
		step("Given ", `the checkpoint "nosuch"`, 21, outcome.CouldNotJudge, hinted{errors.New(`there is no preset "nosuch"`), `did you mean "nosuch-2"?`}), step("Then ", "it works", 22, outcome.Skipped, nil))
	empty := scenario("no steps at all", 25, outcome.CouldNotJudge)
	empty.Problems = outcome.Problems{{URI: "features/status.feature", Line: 25, Code: "no-steps", Message: `"no steps at all" has no steps`, Advice: "write some"}}
	again := scenario("the same preset again", 48, outcome.CouldNotJudge, step("Given ", `the checkpoint "nosuch"`, 21, outcome.CouldNotJudge, mistaken.Steps[0].Err))
	ambiguous := scenario("one of two definitions", 28, outcome.Ambiguous, step("Then ", "it is ambiguous", 29, outcome.Ambiguous, nil))
	pending := scenario("not finished", 32, outcome.Pending, step("Then ", "it is pending", 33, outcome.Pending, nil))
	notOffered := scenario("the loader has no such operation", 36, outcome.NotOffered, step("When ", "it is quantized", 37, outcome.NotOffered, nil))
	notOffered.SkipReason = `the loader under test does not offer "quantize"`
	thrice := scenario("it fails three times", 40, outcome.Failed, step("Then ", "it works", 41, outcome.Failed, errors.New("the third reason")))
	thrice.Earlier = []outcome.Attempt{attempt("the first reason"), {Started: began, Err: errors.New("the hook failed"), Steps: []outcome.Step{step("Then ", "it works", 41, outcome.Passed, nil)}}}
	badEnd := scenario("it ends badly", 44, outcome.Failed, step("Then ", "it works", 45, outcome.Passed, nil))
	badEnd.Err = errors.New("a file could not be removed")
	run.Features = append(run.Features,
		outcome.Feature{
			URI: "features/status.feature", Keyword: "Feature", Name: "Every status", Line: 1, Source: []byte(statusSource),
			Scenarios: []outcome.Scenario{wrong, flaky, expected, mistaken, empty, ambiguous, pending, notOffered, thrice, badEnd, again},
		},
		outcome.Feature{
			URI: "features/broken.feature", Source: []byte("Feature: f\n  nonsense\n  Scenari: x\n    Given a\n"),
			Problems: outcome.Problems{{URI: "features/broken.feature", Line: 4, Column: 5, Message: `"Given a" is not possible here`, Advice: "write Scenario: above it"}},
		})
	run.LeftOut = []outcome.LeftOut{{Reason: "@wip", Count: 3}, {Reason: "@real", Count: 2}, {Reason: "link to a folder", Count: 1}}
	before := func(r *bench.Result, factor float64) bench.Result {
		old := *r
		for _, figure := range []*float64{&old.MeanTime, &old.MinTime, &old.MaxTime} {
			*figure *= factor
		}
		return old
	}
	results := measuredResults(run)
	old, err := bench.NewFile([]bench.Result{before(results[0], 1e-3), before(results[1], 1), before(results[2], 1)}, run.Origin)
	require.NoError(t, err)
	now, err := bench.NewFile([]bench.Result{*results[0], *results[1], *results[2]}, run.Origin)
	require.NoError(t, err)
	c, err := bench.Compare(old, now, bench.DefaultThreshold)
	require.NoError(t, err)
	c.Changes[0].Doubtful = false // its fastest call is slower than the slowest before
	run.SetComparison(c)
	return run
}

// groups are the statuses that scenarios are counted by.
func groupsOf(run *outcome.Run) map[outcome.Status]int {
	counts := map[outcome.Status]int{}
	for _, s := range scenarios(run) {
		counts[s.Status.Group()]++
	}
	return counts
}

// wantGroups are those of everyStatus, counted by hand.
var wantGroups = map[outcome.Status]int{
	outcome.Passed: 3, outcome.Failed: 5, outcome.CouldNotJudge: 6, outcome.Flaky: 1, outcome.ExpectedFailure: 1, outcome.Skipped: 3,
}

func countsInHeadline(t *testing.T, text string) map[outcome.Status]int {
	t.Helper()
	counts := map[outcome.Status]int{}
	for pattern, group := range map[string]outcome.Status{
		`(\d+) passed`: outcome.Passed, `(\d+) failed`: outcome.Failed, `(\d+) could not be judged`: outcome.CouldNotJudge, `(\d+) flaky`: outcome.Flaky,
		`(\d+) expected failure`: outcome.ExpectedFailure, `(\d+) skipped`: outcome.Skipped,
	} {
		m := regexp.MustCompile(pattern).FindStringSubmatch(text)
		require.NotNil(t, m, "%s in %s", pattern, text)
		counts[group], _ = strconv.Atoi(m[1])
	}
	return counts
}

// tellsAll says whether a format tells of every scenario: rerun only lists failures.
func tellsAll(f Format) bool { return f.Name != "rerun" }

func TestEveryFormatCountsTheScenariosOfEachStatusAlike(t *testing.T) {
	run := everyStatus(t)
	require.Equal(t, wantGroups, groupsOf(run))
	counters := map[string]func(*testing.T, string) map[outcome.Status]int{
		"pretty": func(t *testing.T, text string) map[outcome.Status]int { return countsInHeadline(t, lastLine(text)) },
		"markdown": func(t *testing.T, text string) map[outcome.Status]int {
			return countsInHeadline(t, strings.SplitN(text, "\n", 2)[0])
		},
		"progress": countMarks, "junit": countJUnit, "cucumber": countCucumber, "messages": countMessages, "html": countHTML,
	}
	for _, f := range Formats() {
		if count := counters[f.Name]; tellsAll(f) && !f.OnlyBenchmarks {
			t.Run(f.Name, func(t *testing.T) { assert.Equal(t, wantGroups, count(t, render(t, f.Render, run, Options{}))) })
		}
	}
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

func countMarks(t *testing.T, text string) map[outcome.Status]int {
	counts := map[outcome.Status]int{}
	groups := map[rune]outcome.Status{
		'.': outcome.Passed, 'F': outcome.Failed, '-': outcome.Skipped, 'f': outcome.Flaky, 'x': outcome.ExpectedFailure,
		'U': outcome.CouldNotJudge, 'A': outcome.CouldNotJudge, 'P': outcome.CouldNotJudge, 'C': outcome.CouldNotJudge,
	}
	for _, mark := range strings.SplitN(text, "\n", 2)[0] {
		counts[groups[mark]]++
	}
	return counts
}

func countJUnit(t *testing.T, text string) map[outcome.Status]int {
	counts := map[outcome.Status]int{}
	for _, s := range parseJUnit(t, text).Suites {
		for _, c := range s.Cases {
			switch {
			case c.Name == "the feature file" || c.ClassName == "comparison with the baseline":
			case c.Failure != nil:
				counts[outcome.Failed]++
			case c.Error != nil:
				counts[outcome.CouldNotJudge]++
			case c.Skipped != nil && c.Skipped.Type == string(outcome.ExpectedFailure):
				counts[outcome.ExpectedFailure]++
			case c.Skipped != nil:
				counts[outcome.Skipped]++
			case len(c.Flaky) > 0:
				counts[outcome.Flaky]++
			default:
				counts[outcome.Passed]++
			}
		}
	}
	return counts
}

func countCucumber(t *testing.T, text string) map[outcome.Status]int {
	var features []cucumberFeature
	require.NoError(t, json.Unmarshal([]byte(text), &features))
	counts := map[outcome.Status]int{}
	for _, f := range features {
		var background []cucumberStep
		for _, e := range f.Elements {
			if e.Type == "background" {
				background = e.Steps
				continue
			}
			if f.Name != "omniloader" {
				counts[cucumberGroup(e, background)]++
			}
			background = nil
		}
	}
	return counts
}

func cucumberGroup(e cucumberElement, background []cucumberStep) outcome.Status {
	steps := append(background[:len(background):len(background)], e.Steps...)
	group, names := outcome.Passed, map[string]bool{}
	var results []cucumberResult
	for _, h := range append(e.Before, e.After...) {
		results = append(results, h.Result)
	}
	for _, s := range steps {
		results = append(results, s.Result)
		for _, embedding := range s.Embeddings {
			names[embedding.Name] = true
		}
	}
	for _, r := range results {
		switch {
		case r.Status == "failed" && !strings.HasPrefix(r.ErrorMessage, couldNotBeJudged):
			return outcome.Failed
		case r.Status == "failed", r.Status == "undefined", r.Status == "pending":
			group = outcome.CouldNotJudge
		case r.Status == "skipped" && group == outcome.Passed:
			group = outcome.Skipped
		}
	}
	switch {
	case len(results) == 0:
		return outcome.Skipped
	case group == outcome.Skipped && names[string(outcome.ExpectedFailure)]:
		return outcome.ExpectedFailure
	case group == outcome.Passed && names["attempts"]:
		return outcome.Flaky
	}
	return group
}

func countMessages(t *testing.T, text string) map[outcome.Status]int {
	caseOf, attempts := map[string]string{}, map[string]int{} // of attempts
	type attempt struct{ results []*messages.TestStepResult }
	last := map[string]*attempt{} // by test case
	all := map[string]*attempt{}
	for _, e := range envelopes(t, text) {
		switch {
		case e.TestCaseStarted != nil:
			s := e.TestCaseStarted
			caseOf[s.Id] = s.TestCaseId
			assert.Equal(t, attempts[s.TestCaseId], int(s.Attempt), "attempts are counted from 0")
			attempts[s.TestCaseId]++
			all[s.Id] = &attempt{}
		case e.TestStepFinished != nil:
			a := all[e.TestStepFinished.TestCaseStartedId]
			a.results = append(a.results, e.TestStepFinished.TestStepResult)
		case e.TestCaseFinished != nil:
			id := caseOf[e.TestCaseFinished.TestCaseStartedId]
			assert.Nil(t, last[id], "an attempt behind the last one")
			if !e.TestCaseFinished.WillBeRetried {
				last[id] = all[e.TestCaseFinished.TestCaseStartedId]
			}
		}
	}
	counts := map[outcome.Status]int{}
	for id, a := range last {
		counts[messagesGroup(a.results, attempts[id])]++
	}
	return counts
}

func messagesGroup(results []*messages.TestStepResult, attempts int) outcome.Status {
	group := outcome.Passed
	for _, r := range results {
		kind := ""
		if r.Exception != nil {
			kind = r.Exception.Type
		}
		switch {
		case r.Status == messages.TestStepResultStatus_FAILED && kind != string(outcome.CouldNotJudge):
			return outcome.Failed
		case r.Status == messages.TestStepResultStatus_SKIPPED && kind == string(outcome.ExpectedFailure):
			return outcome.ExpectedFailure
		case r.Status == messages.TestStepResultStatus_SKIPPED:
			if group == outcome.Passed {
				group = outcome.Skipped
			}
		case r.Status != messages.TestStepResultStatus_PASSED:
			group = outcome.CouldNotJudge
		}
	}
	switch {
	case len(results) == 0:
		return outcome.Skipped
	case group == outcome.Passed && attempts > 1:
		return outcome.Flaky
	}
	return group
}

func countHTML(t *testing.T, text string) map[outcome.Status]int {
	counts := map[outcome.Status]int{}
	for _, m := range regexp.MustCompile(`<details class="scenario"[^>]*>\n<summary><span class="status ([a-z-]+)">`).FindAllStringSubmatch(text, -1) {
		counts[outcome.Status(m[1])]++
	}
	return counts
}

func TestEveryFormatHasTheHeadline(t *testing.T) {
	run := everyStatus(t)
	const want = "19 scenarios: 3 passed, 5 failed, 6 could not be judged, 1 flaky, 1 expected failure, 3 skipped · 1 file could not be judged · " +
		"left out: 3 @wip, 2 @real, 1 link to a folder · 4 benchmarks · 1 slower · 1 bound not judged · 3.12 s"
	run.Features[0].Scenarios[0].NotJudged = []bench.NotJudged{{Bound: "b", Reason: "r"}}
	assert.Equal(t, want, Headline(run, Options{}))
	for _, f := range Formats() {
		if !tellsAll(f) {
			continue
		}
		got := render(t, f.Render, run, Options{})
		if f.Name == "markdown" {
			got = strings.NewReplacer(`\_`, "_").Replace(got)
		}
		assert.Contains(t, got, want, f.Name)
	}
}

func TestEveryFormatTellsEachReason(t *testing.T) {
	run := everyStatus(t)
	for _, f := range Formats() {
		if f.OnlyBenchmarks || !tellsAll(f) {
			continue
		}
		out := render(t, f.Render, run, Options{})
		var doc any
		switch f.Name {
		case "html":
			out = strings.NewReplacer("&#34;", `"`, "&lt;", "<", "&gt;", ">").Replace(out)
		case "cucumber":
			require.NoError(t, json.Unmarshal([]byte(out), &doc))
			out = textsOf(doc)
		case "messages":
			all := ""
			for line := range strings.Lines(out) {
				require.NoError(t, json.Unmarshal([]byte(line), &doc))
				all += textsOf(doc)
			}
			out = all
		case "junit":
			require.NoError(t, xml.Unmarshal([]byte(out), new(junitSuites)))
		case "markdown":
			out = strings.NewReplacer(`\`, "", "&lt;", "<").Replace(out)
		}
		for _, want := range []string{
			`the architecture is "LlamaForCausalLM", expected "Qwen2ForCausalLM"`, "class name in architectures of config.json",
			"the context length is 8192, expected 4096", "it is rope-scaled", "the findings differ", "no-tokenizer",
			`there is no preset "nosuch"`, `did you mean "nosuch-2"?`, `"no steps at all" has no steps`, "write some", `"Given a" is not possible here`,
			"more than one step is defined for this line", "the step is not finished", "the third reason", "a file could not be removed",
			"the first reason", "the first <reason>", "the second reason", "the hook failed", "slower",
		} {
			assert.Contains(t, out, want, f.Name)
		}
	}
}

// textsOf joins the texts of a JSON document, base64 decoded.
func textsOf(value any) string {
	switch v := value.(type) {
	case map[string]any:
		var b strings.Builder
		for key, child := range v {
			if text, ok := child.(string); ok && key == "data" && v["mime_type"] != nil {
				var decoded []byte
				if json.Unmarshal([]byte(strconv.Quote(text)), &decoded) == nil {
					b.Write(decoded)
				}
			}
			b.WriteString(textsOf(child))
		}
		return b.String()
	case []any:
		var b strings.Builder
		for _, child := range v {
			b.WriteString(textsOf(child))
		}
		return b.String()
	case string:
		return v + "\n"
	}
	return ""
}

func TestARunThatDidNothingSaysWhyInEveryFormat(t *testing.T) {
	run := &outcome.Run{Started: began, Problems: outcome.Problems{{Message: `unknown tag "@detectoin"`, Advice: "look at the tags"}}}
	for _, f := range Formats() {
		if !tellsAll(f) {
			continue
		}
		out := render(t, f.Render, run, Options{})
		assert.Contains(t, out, "nothing was run", f.Name)
		if !f.OnlyBenchmarks {
			assert.Contains(t, out, "detectoin", f.Name)
			assert.Contains(t, out, "look at the tags", f.Name)
		}
	}
	suites := parseJUnit(t, render(t, JUnit, run, Options{}))
	assert.Equal(t, []int{1, 1}, []int{suites.Tests, suites.Errors})
}

func TestAnAnswerIsLaidOutForPeople(t *testing.T) {
	e := everyStatus(t).Features[2].Scenarios[0].Evidence
	assert.Equal(t, []string{"name: llama <b>", "size: 0", "weights:", "  files:", "    - a", "    - b", "  without a value: index", "quantization:", "  method: gptq", "without a value: sae, findings"}, answerLines(e))
	e.Answer, e.AnswerCut = e.Answer[:40], 900
	assert.Equal(t, []string{"name: llama <b>", "size: 0", "… cut here; the answer has 900 bytes"}, answerLines(e))
	assert.Equal(t, []string{
		"detection used: class name in architectures of config.json", "the checkpoint models/llama:",
		"  config.json                654 B", "  weights/model.safetensors  5.37 GB", "  and 3 more files",
	}, evidenceLines(e, 2))
}

func TestScenariosWithTheSameProblemAreGrouped(t *testing.T) {
	for _, u := range unjudgedOf(everyStatus(t)) {
		if strings.HasSuffix(u.title, "a preset that is none") {
			assert.Equal(t, "the same in 1 other scenario: Every status › the same preset again", u.othersText())
			return
		}
	}
	t.Fatal("not found")
}
