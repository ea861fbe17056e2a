package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	gherkin "github.com/cucumber/gherkin/go/v42"
	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/features"
	"omniloader/internal/engine"
)

func parse(t testing.TB, uri, source string) *engine.Feature {
	t.Helper()
	f, err := engine.Parse(t.Context(), uri, []byte(source))
	require.NoError(t, err)
	return f
}

func TestIsFeature(t *testing.T) {
	for name, want := range map[string]bool{"a.feature": true, "d/a.feature.md": true, "a.md": false, "feature": false, "a.features": false, "a.feature.markdown": false} {
		assert.Equal(t, want, engine.IsFeature(name), name)
	}
}

// TestScenariosAreGherkinsPickles compares the scenarios that are made one by one
// with those that gherkin makes of a whole document, ids included.
func TestScenariosAreGherkinsPickles(t *testing.T) {
	sources := map[string]string{"made": `@f
Feature: f
  Background: b
    Given a base
      | t |
  @s @<x>
  Scenario Outline: o <x>
    When <x> is
      """<x>
      in <x>
      """
    @e
    Examples:
      | x | y |
      | 1 | 2 |
      | 3 | 4 |
    Examples:
    @g
    Examples:
      | x |
      | 5 |
  Scenario: none
  @r
  Rule: r
    Background:
      Given more
    @t
    Scenario: in a rule
      Then it is
  Rule: without background
    Scenario Outline: no steps
    Examples:
      | a |
      | b |
`}
	names, err := fs.Glob(features.FS, "*.feature")
	require.NoError(t, err)
	for _, name := range names {
		source, err := fs.ReadFile(features.FS, name)
		require.NoError(t, err)
		sources[name] = string(source)
	}
	for name, source := range sources {
		newID := (&messages.Incrementing{}).NewId
		document, err := gherkin.ParseGherkinDocument(strings.NewReader(source), newID)
		require.NoError(t, err)
		document.Uri = name
		want := gherkin.Pickles(*document, name, newID)
		f := parse(t, name, source)
		assert.Equal(t, document, f.Document, name)
		for range 2 { // the same each time
			var got []*messages.Pickle
			for s := range f.Scenarios() {
				got = append(got, s.Pickle)
				require.Len(t, s.Steps, len(s.Pickle.Steps), name)
				for i, step := range s.Steps {
					require.Equal(t, step.Id, s.Pickle.Steps[i].AstNodeIds[0])
				}
			}
			require.Equal(t, want, got, name)
		}
	}
	f := parse(t, "made", sources["made"])
	var seen []string
	for s := range f.Scenarios() {
		rule, row := "", 0
		if s.Rule != nil {
			rule = s.Rule.Name
		}
		if s.Row != nil {
			row = int(s.Row.Location.Line)
			assert.Contains(t, s.Examples.TableBody, s.Row)
		}
		seen = append(seen, fmt.Sprintf("%s|%s|%d|%d|%v", s.Pickle.Name, rule, row, s.Background, s.Tags()))
	}
	assert.Equal(t, []string{"o 1||15|1|[@f @s @1 @e]", "o 3||16|1|[@f @s @3 @e]", "o 5||21|1|[@f @s @5 @g]", "none||0|0|[@f]",
		"in a rule|r|0|2|[@f @r @t]", "no steps|without background|34|0|[@f]"}, seen)
	for range f.Scenarios() {
		break // nothing goes on behind it
	}
}

func TestParseErrorsHavePlaces(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"not UTF-8", "Feature: f\n  ä\xff\n", "a.feature:2:4: not UTF-8"},
		{"unknown language", "# language: xx\nFeature: f\n", "a.feature:1:1: Language not supported: xx"},
		{"no feature", "\nScenario: s\n", "a.feature:2:1: expected: #EOF, #Language, #TagLine, #FeatureLine, #Comment, #Empty, got 'Scenario: s'"},
		{"cells", "Feature: f\n Scenario: s\n  * a\n   |a|b|\n   |c|\n", "a.feature:5:4: inconsistent cell count within the table"},
		{"a tag", "@a b\nFeature: f\n", "a.feature:1:1: A tag may not contain whitespace"},
		{"an open doc string", "Feature: f\n Scenario: s\n  * a\n  \"\"\"\n", "a.feature:5:0: unexpected end of file, expected: #DocStringSeparator, #Other"},
		{"Markdown", "# Feature: f\n## Scenario: s\n* Given a\n#### Examples:\n  | a |\n* Given b\n", "a.feature.md:6:1: expected"},
		{"a language that Markdown has not", "<!-- language: xx -->\n# Feature: f\n", "a.feature.md:1:1: Language not supported: xx"},
	} {
		uri := "a.feature"
		if strings.Contains(c.want, ".md") {
			uri += ".md"
		}
		_, err := engine.Parse(t.Context(), uri, []byte(c.source))
		if assert.ErrorContains(t, err, c.want, c.name) {
			var p *engine.ParseError
			assert.ErrorAs(t, err, &p)
		}
	}
	_, err := engine.Parse(t.Context(), "a.feature", []byte("Feature: f\nx\n Scenario: s\n  y\n  * a\n  z\n  * b\n  zz\n"))
	assert.Equal(t, []string{"6", "8"}, []string{lineOf(err, 0), lineOf(err, 1)}, "every line that does not fit is named: %v", err)
	_, err = engine.Parse(t.Context(), "a.feature", []byte("Feature: f\n Scenario: s\n  * a\n"+strings.Repeat("  z\n", 500_000)))
	assert.Less(t, len(err.Error()), 100_000, "of very many, those that stand first are named")
	_, err = engine.Parse(t.Context(), "a.feature", make([]byte, engine.MaxSource+1))
	assert.ErrorContains(t, err, "larger than 8 MiB")
}

func lineOf(err error, i int) string {
	lines := strings.Split(err.Error(), "\n")
	if i >= len(lines) {
		return ""
	}
	return strings.Split(lines[i], ":")[1]
}

func TestRead(t *testing.T) {
	fsys := fstest.MapFS{"d/a.feature": {Data: []byte("\ufeffFeature: f\r\n")}, "big.feature": {Data: make([]byte, engine.MaxSource+1)}}
	f, err := engine.Read(t.Context(), fsys, "d/a.feature", "x/a.feature")
	require.NoError(t, err)
	assert.Equal(t, "x/a.feature", f.URI)
	assert.Equal(t, "x/a.feature", f.Document.Uri)
	assert.Equal(t, "Feature: f\r\n", string(f.Source))
	_, err = engine.Read(t.Context(), fsys, "none", "none")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = engine.Read(t.Context(), fsys, "d", "d")
	assert.Error(t, err)
	_, err = engine.Read(t.Context(), fsys, "big.feature", "big.feature")
	assert.ErrorContains(t, err, "big.feature:1:0: larger than 8 MiB")
}

// TestParsingIsInterrupted parses files that take seconds.
func TestParsingIsInterrupted(t *testing.T) {
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	_, err := engine.Parse(ctx, "a.feature", []byte("Feature: f\n"))
	assert.ErrorIs(t, err, stop)
	for name, source := range map[string]string{
		"tags":   strings.Repeat("@a\n", 400_000) + "Feature: f\n Scenario: s\n" + strings.Repeat("@a\n", 400_000),
		"errors": "Feature: f\n Scenario: s\n  * a\n" + strings.Repeat("@a\n  z\n", 400_000),
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err := engine.Parse(ctx, "a.feature", []byte(source))
		assert.Error(t, err, name)
		if name == "tags" {
			assert.ErrorIs(t, err, context.DeadlineExceeded)
		}
		cancel()
	}
}

// TestALongDocStringIsReadOnce fails by its time where lines are put together one by
// one: 200,000 lines were 160 GB to copy.
func TestALongDocStringIsReadOnce(t *testing.T) {
	content := strings.Repeat("a line\n", 200_000)
	f := parse(t, "a.feature", "Feature: f\n Scenario: s\n  Given a text\n\"\"\"\n"+content+"\"\"\"\n  And another\n  ```\n  ```\n")
	for s := range f.Scenarios() {
		assert.Equal(t, strings.TrimSuffix(content, "\n"), s.Pickle.Steps[0].Argument.DocString.Content)
		assert.Equal(t, "", s.Pickle.Steps[1].Argument.DocString.Content)
	}
}

// TestScenariosTakeNoMemoryForRows walks over an outline's rows: what is allocated for
// one of them does not grow with their number.
func TestScenariosTakeNoMemoryForRows(t *testing.T) {
	perRow := func(rows int) float64 {
		f := parse(t, "a.feature", outline(rows))
		return testing.AllocsPerRun(1, func() {
			n := 0
			for range f.Scenarios() {
				n++
			}
			require.Equal(t, rows, n)
		}) / float64(rows)
	}
	assert.InDelta(t, perRow(100), perRow(4000), 1)
}

func outline(rows int) string {
	var b strings.Builder
	b.WriteString("Feature: f\n  Scenario Outline: row <n>\n    Given there are <n> things\n    When <n> are added\n    Then it holds\n    And anything goes\n    Examples:\n      | n |\n")
	for i := range rows {
		fmt.Fprintf(&b, "      | %d |\n", i)
	}
	return b.String()
}

const markdown = "`@top`\n" + `# Feature: In Markdown

Prose, with ` + "`@notag`" + ` and a list:

* Given this is prose
* And this

    # Scenario: not one

` + "```" + `
## Scenario: not one either
* Given nothing
` + "```" + `

| not | a table |
| --- | ------- |

## Background:

- Given there are 1 things

` + "`@one` `@two`" + `

## Rule: A rule

### Scenario Outline: <n> of them

What it is about.

* Given the table joins to "<n>,-;c,d"

  | <n> | -   |
  | --- | --- |
  | c   | d   |

Some prose
behind it.

+ And the text of type "json" is "{\n  \"a\": ` + "`1`" + `\n}\n\n* Given no step"

  ` + "````json" + `
  {
    "a": ` + "`1`" + `
  }

  * Given no step
  ` + "````" + `

  ` + "```" + `
  a second block is prose
  ` + "```" + `

*   When <n> are added
* Then there are <m> things

` + "`@more`" + `
#### Examples: of numbers

* And a list

  | n | m |
  |---|:-:|
  | 1 | 2 |
  | 3 | 4 |
`

func TestMarkdown(t *testing.T) {
	f := parse(t, "a.feature.md", markdown)
	register := func(s *engine.Scope) { toy(ourHooks{s}) }
	e, err := engine.New(register)
	require.NoError(t, err)
	var names []string
	for s := range f.Scenarios() {
		names = append(names, s.Pickle.Name)
		assert.Equal(t, []string{"@top", "@one", "@two", "@more"}, s.Tags())
		assert.Equal(t, "A rule", s.Rule.Name)
		result := e.Run(t.Context(), s.Pickle, register, engine.Options{})
		for i, r := range result.Steps() {
			assert.NoError(t, r.Err, s.Pickle.Steps[i].Text)
		}
		assert.Equal(t, "passed: passed passed passed passed passed", statuses(result))
	}
	assert.Equal(t, []string{"1 of them", "3 of them"}, names)
	assert.Equal(t, "In Markdown", f.Document.Feature.Name)
	assert.EqualValues(t, 2, f.Document.Feature.Location.Line)

	assert.Equal(t, "Just a title", parse(t, "a.feature.md", "\nJust a title\n\n# Scenario: s\n* Given a\n").Document.Feature.Name)
	assert.Nil(t, parse(t, "a.feature.md", "\n\n").Document.Feature)
}

// TestMarkdownInEveryLanguage writes one feature of each language in Markdown and in
// plain Gherkin.
func TestMarkdownInEveryLanguage(t *testing.T) {
	type read struct{ name, text, kind string }
	pickles := func(f *engine.Feature) (all []read) {
		for s := range f.Scenarios() {
			for _, step := range s.Pickle.Steps {
				all = append(all, read{s.Pickle.Name, step.Text, string(step.Type)})
			}
		}
		return all
	}
	for _, code := range languages() {
		d := gherkin.DialectsBuiltin().GetDialect(code)
		var plain, md strings.Builder
		fmt.Fprintf(&plain, "# language: %s\n%s: f\n", code, d.FeatureKeywords()[0])
		fmt.Fprintf(&md, "<!-- language: %s -->\n# %s: f\n", code, d.FeatureKeywords()[0])
		for _, scenario := range d.ScenarioKeywords() {
			fmt.Fprintf(&plain, "%s: s\n", scenario)
			fmt.Fprintf(&md, "## %s: s\n", scenario)
			for _, step := range d.StepKeywords() {
				if step != "* " {
					fmt.Fprintf(&plain, "%sa step\n", step)
					fmt.Fprintf(&md, "* %sa step\n", step)
				}
			}
		}
		f := parse(t, "a.feature.md", md.String())
		require.NotEmpty(t, pickles(f))
		assert.Equal(t, pickles(parse(t, "a.feature", plain.String())), pickles(f), code)
		assert.Equal(t, code, f.Document.Feature.Language)
	}
	f := parse(t, "a.feature.md", "\n# language: fr\n\n# Fonctionnalité: f\n## Scénario: s\n* Soit a\n")
	assert.Equal(t, []read{{"s", "a", "Context"}}, pickles(f))
}

// FuzzParse reads any text as Gherkin and as Markdown, and runs what it finds.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{markdown, outline(3), "# language: fr\nFonctionnalité: f\n", "Feature: f\n Rule: r\n  Background:\n   * a\n  @t\n  Example:\n   * b\n|",
		"@a\n@b #c\nFeature:\n Scenario:\n  * a\n   ```x\n   \\`\\`\\`\n   ```\n  |a\\|b|\n", "\ufeff\r\nFeature: f\r\n", "* \n", "# Feature: f\n## Scenario: s\n* Given a\n  | - |\n  | - |\n  ```\n"} {
		f.Add(seed)
	}
	register := func(s *engine.Scope) { toy(ourHooks{s}) }
	e, err := engine.New(register)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, source string) {
		for _, uri := range []string{"a.feature", "a.feature.md"} {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			feature, err := engine.Parse(ctx, uri, []byte(source))
			if err != nil {
				var p *engine.ParseError
				require.ErrorAs(t, err, &p)
				require.NotContains(t, p.Message, "gave up", "gherkin panicked")
				continue
			}
			n := 0
			for s := range feature.Scenarios() {
				if n++; n > 20 {
					break
				}
				s.Tags()
				require.Len(t, s.Steps, len(s.Pickle.Steps))
				require.Len(t, e.Run(ctx, s.Pickle, register, engine.Options{JudgeAll: true}).Steps(), len(s.Pickle.Steps))
			}
		}
	})
}
