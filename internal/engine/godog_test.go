package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	gherkin "github.com/cucumber/gherkin/go/v42"
	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/engine"
)

// The differential test carries the same scenarios out with godog and with the
// engine, and compares what became of each scenario and of each step. Where the two
// are meant to differ, differences lists it with the reason.

// hooker is what has hooks beside steps: both engines do.
type hooker interface {
	engine.Registrar
	hooks(before func(context.Context) (context.Context, error), after func(context.Context, error) (context.Context, error))
	skip() error
	pending() error
}

type ourHooks struct{ *engine.Scope }

func (h ourHooks) skip() error    { return engine.ErrSkip }
func (h ourHooks) pending() error { return engine.ErrPending }
func (h ourHooks) hooks(before func(context.Context) (context.Context, error), after func(context.Context, error) (context.Context, error)) {
	h.Before(func(ctx context.Context, _ *messages.Pickle) (context.Context, error) { return before(ctx) })
	h.After(func(ctx context.Context, _ *messages.Pickle, err error) (context.Context, error) {
		return after(ctx, err)
	})
}

type godogHooks struct{ *godog.ScenarioContext }

// compiled are the expressions of steps: godog registers them anew for each scenario.
var compiled sync.Map

func expression(pattern any) any {
	text, isText := pattern.(string)
	if !isText {
		return pattern
	}
	known, _ := compiled.LoadOrStore(text, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) }))
	return known.(func() *regexp.Regexp)()
}

func (h godogHooks) Given(pattern, f any) { h.ScenarioContext.Given(expression(pattern), f) }
func (h godogHooks) When(pattern, f any)  { h.ScenarioContext.When(expression(pattern), f) }
func (h godogHooks) Then(pattern, f any)  { h.ScenarioContext.Then(expression(pattern), f) }
func (h godogHooks) Step(pattern, f any)  { h.ScenarioContext.Step(expression(pattern), f) }

func (h godogHooks) skip() error    { return godog.ErrSkip }
func (h godogHooks) pending() error { return godog.ErrPending }
func (h godogHooks) hooks(before func(context.Context) (context.Context, error), after func(context.Context, error) (context.Context, error)) {
	h.Before(func(ctx context.Context, _ *godog.Scenario) (context.Context, error) { return before(ctx) })
	h.After(func(ctx context.Context, _ *godog.Scenario, err error) (context.Context, error) {
		return after(ctx, err)
	})
}

// verdict is what became of a scenario: its status, then those of its steps.
type verdict string

// unread is the verdict of a feature that could not be read.
var unread = []verdict{"not read"}

func newVerdict(status engine.Status, steps []engine.Status) verdict {
	v := string(status) + ":"
	for _, s := range steps {
		v += " " + string(s)
	}
	return verdict(v)
}

// byEngine gives the verdicts of the engine.
func byEngine(t *testing.T, source string, register func(hooker), options engine.Options) []verdict {
	t.Helper()
	of := func(s *engine.Scope) { register(ourHooks{s}) }
	e, err := engine.New(of)
	require.NoError(t, err)
	feature, err := engine.Parse(t.Context(), "some.feature", []byte(source))
	if err != nil {
		return unread
	}
	verdicts := []verdict{}
	for scenario := range feature.Scenarios() {
		result := e.Run(t.Context(), scenario.Pickle, of, options)
		var steps []engine.Status
		for _, s := range result.Steps() {
			steps = append(steps, s.Status)
		}
		verdicts = append(verdicts, newVerdict(result.Status, steps))
	}
	return verdicts
}

var godogStatuses = map[godog.StepResultStatus]engine.Status{
	godog.StepPassed: engine.Passed, godog.StepFailed: engine.Failed, godog.StepSkipped: engine.Skipped,
	godog.StepUndefined: engine.Undefined, godog.StepPending: engine.Pending, godog.StepAmbiguous: engine.Ambiguous,
}

// worse is the order of the statuses in Cucumber.
var worse = []engine.Status{engine.Passed, engine.Skipped, engine.Pending, engine.Undefined, engine.Ambiguous, engine.Failed}

// byGodog gives the verdicts of godog, strict as we run it. A scenario for which no
// hook is called has no steps, which is an undefined scenario there.
func byGodog(t *testing.T, source string, register func(hooker)) (verdicts []verdict) {
	t.Helper()
	defer func() {
		if recover() != nil {
			verdicts = []verdict{"godog panicked"}
		}
	}()
	type record struct {
		steps []engine.Status
		err   error // of the scenario, behind its hooks
	}
	var records []*record
	code := godog.TestSuite{
		ScenarioInitializer: func(sc *godog.ScenarioContext) {
			r := new(record)
			records = append(records, r)
			register(godogHooks{sc})
			sc.StepContext().After(func(ctx context.Context, _ *godog.Step, status godog.StepResultStatus, _ error) (context.Context, error) {
				r.steps = append(r.steps, godogStatuses[status])
				return ctx, nil
			})
			sc.After(func(ctx context.Context, _ *godog.Scenario, err error) (context.Context, error) {
				r.err = err
				return ctx, nil
			})
		},
		Options: &godog.Options{Format: "progress", Output: io.Discard, NoColors: true, Strict: true,
			FeatureContents: []godog.Feature{{Name: "some.feature", Contents: []byte(source)}}},
	}.Run()
	if code == 2 {
		return unread
	}
	verdicts = []verdict{}
	bad := false
	for _, r := range records {
		status := engine.Undefined
		if len(r.steps) > 0 {
			status = slices.MaxFunc(r.steps, func(a, b engine.Status) int { return slices.Index(worse, a) - slices.Index(worse, b) })
		}
		if r.err != nil && !errors.Is(r.err, godog.ErrSkip) && (status == engine.Passed || status == engine.Skipped) {
			status = engine.Failed
		}
		bad = bad || status != engine.Passed && status != engine.Skipped
		verdicts = append(verdicts, newVerdict(status, r.steps))
	}
	assert.Equal(t, bad, code == 1, "godog's own exit code says otherwise than its steps do: %v", verdicts)
	return verdicts
}

// toy registers the vocabulary of the test's features.
func toy(r hooker) {
	things, lost := 0, errors.New("lost")
	type key struct{}
	r.Given(`^there are (\d+) things$`, func(n int) { things = n })
	r.Given(`^the table joins to "(.*)"$`, func(want string, table *engine.Table) error {
		var rows []string
		for _, row := range table.Rows {
			var cells []string
			for _, c := range row.Cells {
				cells = append(cells, c.Value)
			}
			rows = append(rows, strings.Join(cells, ","))
		}
		if got := strings.Join(rows, ";"); fmt.Sprintf("%q", got) != `"`+want+`"` {
			return fmt.Errorf("%q", got)
		}
		return nil
	})
	r.Given(`^the text of type "(.*)" is "(.*)"$`, func(mediaType, want string, text *engine.DocString) error {
		if text.MediaType != mediaType || fmt.Sprintf("%q", text.Content) != `"`+want+`"` {
			return fmt.Errorf("%q %q", text.MediaType, text.Content)
		}
		return nil
	})
	r.Given(`^the content is "(.*)"$`, func(want, text string) error {
		if text != want {
			return errors.New(text)
		}
		return nil
	})
	r.Given(`^the bytes are "(.*)"$`, func(want string, text []byte) error {
		if string(text) != want {
			return errors.New(string(text))
		}
		return nil
	})
	r.Given(`^a context$`, func(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, true) })
	r.Given(`^a context and an error of (\S+)$`, func(ctx context.Context, kind string) (context.Context, error) {
		if kind == "none" {
			return context.WithValue(ctx, key{}, true), nil
		}
		return ctx, lost
	})
	r.Given(`^no context$`, func(context.Context) (context.Context, error) { return nil, nil })
	r.When(`^(-?\d+) are added$`, func(_ context.Context, n int64) error {
		if things += int(n); things < 0 {
			return errors.New("fewer than none")
		}
		return nil
	})
	r.When(`^the numbers (\S+) (\S+) (\S+) (\S+)$`, func(int8, uint16, float32, []byte) {})
	r.When(`^it panics$`, func() { panic("as it was told") })
	r.When(`^it panics with an error$`, func() error { panic(lost) })
	r.When(`^it runs into nil$`, func() error { var p *struct{ n int }; return fmt.Errorf("%d", p.n) })
	r.When(`^it is skipped$`, func() error { return fmt.Errorf("why: %w", r.skip()) })
	r.When(`^it is pending$`, func() error { return r.pending() })
	r.When(`^maybe( not)?$`, func(not string) error {
		if not != "" {
			return lost
		}
		return nil
	})
	r.Then(`^there are (\d+) things$`, func(n int) error {
		if n != things {
			return fmt.Errorf("there are %d", things)
		}
		return nil
	})
	r.Then(`^it holds$`, func() error { return nil })
	r.Then(`^it does not hold$`, func() error { return lost })
	r.Then(`^the context is kept$`, func(ctx context.Context) error {
		if ctx.Value(key{}) == nil {
			return lost
		}
		return nil
	})
	r.Step(`^anything goes$`, func() {})
	r.Step(`^(?i)LOUD or not$`, func() {})
	r.Step(`^twice (.*)$`, func(string) {})
	r.Step(`^twice over$`, func() {})
}

// same compares the two engines.
func same(t *testing.T, source string, register func(hooker)) []verdict {
	t.Helper()
	ours := byEngine(t, source, register, engine.Options{})
	if !assert.Equal(t, byGodog(t, source, register), ours, "godog, then the engine") {
		t.Log(source)
	}
	return ours
}

// feature puts a scenario around the lines of steps.
func feature(lines ...string) string {
	return "Feature: f\n  Scenario: s\n    " + strings.Join(lines, "\n    ") + "\n"
}

func TestSameAsGodog(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		want   []verdict
	}{
		"passed":             {feature("Given there are 3 things", "When 4 are added", "Then there are 7 things"), []verdict{"passed: passed passed passed"}},
		"failed":             {feature("Given there are 3 things", "When 4 are added", "Then there are 8 things", "And it holds"), []verdict{"failed: passed passed failed skipped"}},
		"And and But":        {feature("Given anything goes", "And there are 2 things", "But there are 3 things", "When anything goes", "But 1 are added", "Then it holds", "And there are 4 things"), []verdict{"passed: passed passed passed passed passed passed passed"}},
		"a leading And":      {feature("And 1 are added", "And it holds"), []verdict{"passed: passed passed"}},
		"ambiguous And":      {feature("And there are 1 things", "And it holds"), []verdict{"ambiguous: ambiguous skipped"}},
		"stars":              {feature("* a context", "* 1 are added", "* the context is kept"), []verdict{"passed: passed passed passed"}},
		"ambiguous star":     {feature("* there are 1 things"), []verdict{"ambiguous: ambiguous"}},
		"And behind a star":  {feature("Given anything goes", "* 1 are added", "And it holds"), []verdict{"passed: passed passed passed"}},
		"another keyword":    {feature("Then 1 are added"), []verdict{"undefined: undefined"}},
		"undefined":          {feature("Given anything goes", "When nobody knows", "Then it holds"), []verdict{"undefined: passed undefined skipped"}},
		"undefined, failed":  {feature("Then it does not hold", "When nobody knows", "Then twice over"), []verdict{"failed: failed undefined ambiguous"}},
		"ambiguous":          {feature("Given twice over", "Then it holds"), []verdict{"ambiguous: ambiguous skipped"}},
		"skipped":            {feature("Given anything goes", "When it is skipped", "Then it does not hold"), []verdict{"skipped: passed skipped skipped"}},
		"skipped, undefined": {feature("When it is skipped", "Then nobody knows"), []verdict{"undefined: skipped undefined"}},
		"pending":            {feature("When it is pending", "Then it holds"), []verdict{"pending: pending skipped"}},
		"panic":              {feature("When it panics", "Then it holds"), []verdict{"failed: failed skipped"}},
		"panic with error":   {feature("When it panics with an error", "Then it holds"), []verdict{"failed: failed skipped"}},
		"nil":                {feature("When it runs into nil", "Then it holds"), []verdict{"failed: failed skipped"}},
		"contexts":           {feature("Given a context and an error of none", "Then the context is kept"), []verdict{"passed: passed passed"}},
		"a context failed":   {feature("Given a context and an error of some", "Then the context is kept"), []verdict{"failed: failed skipped"}},
		"no context":         {feature("Given no context"), []verdict{"failed: failed"}},
		"numbers":            {feature("When the numbers -128 65535 1.5e3 x"), []verdict{"passed: passed"}},
		"a number too large": {feature("When the numbers 128 65535 1.5e3 x"), []verdict{"failed: failed"}},
		"a number below 0":   {feature("When the numbers 1 -1 1 x"), []verdict{"failed: failed"}},
		"no number":          {feature("When the numbers 1 1 x x"), []verdict{"failed: failed"}},
		"an optional group":  {feature("When maybe", "And maybe not"), []verdict{"failed: passed failed"}},
		"folded case":        {feature("* Loud OR not", "* loud or not"), []verdict{"passed: passed passed"}},
		"escaped cells": {feature(`Given the table joins to "a|b,\\,\n;c,,<d>"`, `  | a\|b | \\ | \n |`, "  # a comment", "  |c||<d>|"),
			[]verdict{"passed: passed"}},
		"a table missing":      {feature(`Given the table joins to "a"`), []verdict{"failed: failed"}},
		"a doc string missing": {feature(`Given the content is "a"`), []verdict{"failed: failed"}},
		"doc strings": {feature(`Given the text of type "json" is "{}\n\n  \"\"\""`, `  """json`, "  {}", "", `    \"\"\"`, `  """`,
			"And the text of type \"\" is \"\"", "  ```", "  ```", `And the content is "a"`, `"""x/y`, "a", `"""`, `And the bytes are "b"`, "```", "b", "```"),
			[]verdict{"passed: passed passed passed passed"}},
		"tags":          {"@a @b # c\n@d\nFeature: f\n  @e\n  Scenario: s\n    * anything goes\n", []verdict{"passed: passed"}},
		"no feature":    {"# only a comment\n", []verdict{}},
		"empty":         {"", []verdict{}},
		"no scenario":   {"Feature: f\n  described\n", []verdict{}},
		"no steps":      {"Feature: f\n  Background:\n    * anything goes\n  Scenario: empty\n  Scenario: s\n    * anything goes\n", []verdict{"undefined:", "passed: passed passed"}},
		"no rows":       {"Feature: f\n  Scenario: s\n    * <x>\n    Examples:\n      | x |\n    Examples:\n", []verdict{}},
		"no Gherkin":    {"Feature: f\n  Scenario: s\n    * anything goes\n    nonsense\n", unread},
		"cells missing": {feature("* a", "  | a | b |", "  | c |"), unread},
		"CRLF":          {strings.ReplaceAll(feature("Given there are 3 things", `And the table joins to "a,b"`, "| a | b |", `And the content is "x"`, `"""`, "x", `"""`), "\n", "\r\n"), []verdict{"passed: passed passed passed"}},
		"no last line":  {"Feature: f\n  Scenario: s\n    * anything goes", []verdict{"passed: passed"}},
		"rules and backgrounds": {`Feature: f
  Background:
    Given there are 1 things
  Scenario: outside
    And there are 1 things
  Rule: one
    Background:
      And there are 5 things
      When 1 are added
    Example: inside
      Then there are 6 things
  Rule: two
    Scenario: with the other
      Then there are 1 things
    Scenario Outline: rows <n>
      When <n> are added
      Then there are <m> things
      Examples:
        | n | m |
        | 1 | 2 |
        | 2 | 2 |
      @more
      Examples:
        | m | n |
        | 0 | -1 |
        | -1 | -2 |
`, []verdict{"ambiguous: passed ambiguous", "passed: passed passed passed passed", "passed: passed passed",
			"passed: passed passed passed", "failed: passed passed failed", "passed: passed passed passed", "failed: passed failed undefined"}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, same(t, c.source, toy)) })
	}
}

// languages gives the codes of gherkin's languages; the type that has them as keys
// is not exported.
func languages() []string {
	var codes []string
	for _, key := range reflect.ValueOf(gherkin.DialectsBuiltin()).MapKeys() {
		codes = append(codes, key.String())
	}
	slices.Sort(codes)
	return codes
}

// TestSameAsGodogInEveryLanguage takes each keyword of each language: the text below
// is a Given, a Then, both or neither by its keyword.
func TestSameAsGodogInEveryLanguage(t *testing.T) {
	codes := languages()
	require.Greater(t, len(codes), 75)
	seen := map[engine.Status]int{}
	for _, code := range codes {
		d := gherkin.DialectsBuiltin().GetDialect(code)
		last := func(kind string) string { return d.Keywords[kind][len(d.Keywords[kind])-1] }
		for _, keyword := range d.FeatureKeywords() {
			assert.Equal(t, []verdict{"passed: passed"},
				same(t, "# language: "+code+"\n"+keyword+": f\n"+d.ScenarioKeywords()[0]+": s\n"+last("given")+"anything goes\n", toy), "%s %s", code, keyword)
		}
		var b strings.Builder
		fmt.Fprintf(&b, "#language:%s\n%s: f\n", code, d.FeatureKeywords()[0])
		scenario := func(keyword string, steps ...string) {
			fmt.Fprintf(&b, "%s: s\n%s\n", keyword, strings.Join(steps, "\n"))
		}
		for i, keyword := range d.StepKeywords() {
			header := d.ScenarioKeywords()[i%len(d.ScenarioKeywords())]
			scenario(header, keyword+"there are 1 things", keyword+"it holds")
			for _, before := range []string{last("given"), last("then")} {
				scenario(header, before+"anything goes", keyword+"there are 1 things")
			}
		}
		for _, keyword := range append(slices.Clone(d.ScenarioOutlineKeywords()), d.ScenarioKeywords()...) {
			for _, examples := range d.ExamplesKeywords() {
				scenario(keyword, last("given")+"<x>", examples+":", "| x |", "| anything goes |", "| twice over |")
			}
		}
		for _, rule := range d.RuleKeywords() {
			for _, background := range d.BackgroundKeywords() {
				fmt.Fprintf(&b, "%s: r\n%s:\n%s1 are added\n", rule, background, last("when"))
				scenario(d.ScenarioKeywords()[0], last("then")+"it holds")
			}
		}
		for _, v := range same(t, b.String(), toy) {
			status, _, _ := strings.Cut(string(v), ":")
			seen[engine.Status(status)]++
		}
	}
	t.Log(len(codes), "languages,", seen)
	for _, status := range []engine.Status{engine.Passed, engine.Failed, engine.Undefined, engine.Ambiguous} {
		assert.Greater(t, seen[status], 80, "the scenarios must tell keywords apart: %v", seen)
	}
}

// TestSameAsGodogAtRandom makes features up. The seeds are fixed.
func TestSameAsGodogAtRandom(t *testing.T) {
	n := 400
	if testing.Short() {
		n = 40
	}
	seen := map[string]int{}
	for seed := range n {
		source := randomFeature(rand.New(rand.NewPCG(11, uint64(seed))))
		for _, v := range same(t, source, toy) {
			status, _, _ := strings.Cut(string(v), ":")
			seen[status]++
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Log(seen)
	assert.Len(t, seen, 6, "every status must occur")
}

func randomFeature(r *rand.Rand) string {
	var b strings.Builder
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	line := func(format string, args ...any) {
		if r.IntN(12) == 0 {
			b.WriteString(pick("\n", "# a comment\n", "   \n"))
		}
		b.WriteString(strings.Repeat(" ", r.IntN(4)))
		fmt.Fprintf(&b, format+"\n", args...)
	}
	step := func(values ...string) {
		n := pick("0", "1", "2", "3")
		if len(values) > 0 && r.IntN(2) == 0 {
			n = pick(values...)
		}
		text := pick("there are "+n+" things", "there are "+n+" things", n+" are added", n+" are added", "anything goes", "it holds", "it holds",
			"the context is kept", "a context", "it does not hold", "it panics", "it is skipped", "it is pending", "twice over", "twice", "nobody knows",
			"maybe", "maybe not", "the content is \""+n+"\"", "the table joins to \""+n+"\"")
		keyword := "* "
		for _, kind := range [][]string{{"Given ", "there", "a", "the c", "the t"}, {"When ", n, "it p", "it is", "maybe"}, {"Then ", "it h", "it d"}} {
			for _, first := range kind[1:] {
				if strings.HasPrefix(text, first) {
					keyword = kind[0]
				}
			}
		}
		if r.IntN(4) == 0 || strings.HasPrefix(text, "the con") {
			keyword = pick("Given ", "When ", "Then ", "And ", "But ", "* ")
		}
		line("%s%s", keyword, text)
		switch {
		case strings.HasPrefix(text, "the content"):
			fence := pick(`"""`, "```")
			b.WriteString(fence + pick("", "json") + "\n" + n + "\n" + fence + "\n")
		case strings.HasPrefix(text, "the table"):
			line("| %s |", n)
		}
	}
	steps := func(n int, values ...string) {
		for range n {
			step(values...)
		}
	}
	tags := func() {
		if r.IntN(3) == 0 {
			line("@a%d @b", r.IntN(3))
		}
	}
	background := func() {
		if r.IntN(3) == 0 {
			line("Background: b")
			steps(r.IntN(3))
		}
	}
	scenarios := func() {
		for range r.IntN(4) {
			tags()
			if r.IntN(3) > 0 {
				line("%s: s", pick("Scenario", "Example"))
				steps(r.IntN(6))
				continue
			}
			line("Scenario Outline: s <n>")
			steps(r.IntN(4)+1, "<n>", "<m>")
			for range r.IntN(2) + 1 {
				tags()
				line("Examples:")
				line("| n | m |")
				for range r.IntN(4) {
					line("| %s | %s |", pick("0", "1", "2", "x"), pick("0", "1", "-1"))
				}
			}
		}
	}
	tags()
	line("Feature: f")
	background()
	scenarios()
	for range r.IntN(3) {
		tags()
		line("Rule: r")
		background()
		scenarios()
	}
	return b.String()
}
