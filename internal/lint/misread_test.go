package lint

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAStepInDecorationIsFound(t *testing.T) {
	for _, line := range []string{
		"1. Then all is well", "2) all is well", `"Then all is well"`, `"Then a thing "x""`, "“Then all is well”", "// Then all is well", "-- all is well",
		"Then(all is well)", "(Then all is well)", "THEN  all  is well", "Expect all is well", "Also a thing \"x\"", "Or: all is well", "It is plain. Given all is well", "Also given all is well", "Also * Given all is well", "- Then all is well",
		"> Then all is well", "[ ] And all is well", "_And all is well_", "**Then** all is well", "`Then all is well`", "<li>And all is well</li>",
		"[And all is well](x)", "% then all is well", "Then, all is well", "TODO: Then all is well",
	} {
		text := "Feature: f\n  Scenario: a\n    " + line + "\n    Given all is well\n"
		assert.Equal(t, []string{"3:5 step-in-description"}, found(checkText(t, "a.feature", text)), "%s", line)
	}
	for _, line := range []string{
		"We say that all is well", "Then all is well and good", "Given that all is well, we go on.", "1. first", "It is (all is well) like this", "a thing", "all is well.",
		"see <https://example.org/>", "\"\"", "()", "[x](y)", "<!-- Then all is well -->",
	} {
		text := "Feature: f\n  Scenario: a\n    " + line + "\n    Given all is well\n"
		for _, p := range checkText(t, "a.feature.md", "# Feature: f\n## Scenario: a\n"+line+"\n* Given all is well\n") {
			assert.Equal(t, Warning, SeverityOf(p.Code), "%s: %s", line, p.Code)
		}
		if line[0] == '<' || line[0] == '"' {
			continue
		}
		for _, p := range checkText(t, "a.feature", text) {
			assert.Equal(t, Warning, SeverityOf(p.Code), "%s: %s", line, p.Code)
		}
	}
}

func TestAStepInDecorationInMarkdownIsFound(t *testing.T) {
	for _, line := range []string{
		"- [ ] And all is well", "* [x] And all is well", "* Expect all is well", "`* And all is well`", "<li>And all is well</li>", "_And all is well_",
		"[And all is well](x)", "* **And** all is well", "1. And all is well", "> * And all is well",
	} {
		text := "# Feature: f\n\n## Scenario: a\n\n* Given all is well\n" + line + "\n"
		problems := found(checkText(t, "a.feature.md", text))
		if assert.Len(t, problems, 1, "%s", line) {
			assert.Regexp(t, `^6:[0-9]+ step-in-description$`, problems[0], "%s", line)
		}
	}
}

func TestTagsWithoutBackquotesAreFound(t *testing.T) {
	for line, want := range map[string][]string{
		"@wip":         {"3:1 tag-without-backquotes"},
		"@wip @slow":   {"3:1 tag-without-backquotes"},
		"`@wip` @slow": {"3:1 tag-without-backquotes"},
		"* @wip":       {"3:3 tag-without-backquotes"},
		"`@wip` `@a`":  nil,
		"ask @someone": {"3:1 tag-in-description"},
	} {
		assert.Equal(t, want, found(checkText(t, "a.feature.md", "# Feature: f\n\n"+line+"\n\n## Scenario: a\n\n* Given all is well\n")), "%s", line)
	}
	assert.Empty(t, found(checkText(t, "a.feature.md", "# Feature: f\n\n@someone\n\nProse.\n\n## Scenario: a\n\n* Given all is well\n")))
}

func TestAnEnglishKeywordInAnotherLanguageIsFound(t *testing.T) {
	const head = "# language: fr\nFonctionnalité: f\n"
	for line, want := range map[string]string{
		"Then all is well":  `did you mean "Alors all is well"?`,
		"when all is well":  `did you mean "Quand all is well"?`,
		"And all is well":   `did you mean "Et que all is well"?`,
		"Given all is well": `did you mean "Soit all is well"?`,
	} {
		problems := checkText(t, "a.feature", head+"  Scénario: a\n    "+line+"\n    Soit all is well\n")
		if assert.Equal(t, []string{"4:5 step-in-description"}, found(problems), "%s", line) {
			assert.Equal(t, want, problems[0].Advice)
			assert.Nil(t, problems[0].Fix, "a fix changes no language")
		}
	}
	problems := checkText(t, "a.feature", head+"  Background:\n  Scénario: a\n    Soit all is well\n")
	if assert.Equal(t, []string{"3:3 heading-in-description"}, found(problems)) {
		assert.Equal(t, `did you mean "Contexte:"?`, problems[0].Advice)
	}
	assert.Empty(t, checkText(t, "a.feature", head+"  Then we go on.\n  Scénario: a\n    Soit all is well\n"))
}

func TestALineThatWasMovedIntoADocStringIsFound(t *testing.T) {
	const feature = "  @x\n  Scenario Outline: a <x>\n    Given a thing \"x\"\n      \"\"\"TYPE\n      # Title\nLINE\n      \"\"\"\n    Examples:\n      | x   | y |\n      | <y> | 2 |\n"
	for _, c := range []struct {
		mediaType, line string
		want            []string
	}{
		{"", "      Some text.", nil},
		{"", "      * all is well", []string{"7:7 step-in-doc-string"}},
		{"markdown", "      * all is well", []string{"7:7 step-in-doc-string"}},
		{"", "  * Then all is well", []string{"7:3 step-in-doc-string"}},
		{"", "      all  is well", []string{"7:7 step-in-doc-string"}},
		{"", "      THEN a thing \"<x>\"", []string{"7:7 step-in-doc-string"}},
		{"", "      * all is well, we think", nil},
		{"", "      Then all is well, we think", nil},
		{"", "      - all is well.", nil},
		{"gherkin", "      Then all is well", nil},
		{"", "  Scenario: x", []string{"7:3 heading-left-of-doc-string"}},
		{"", "    Examples: x", []string{"7:5 heading-left-of-doc-string"}},
		{"", "    @wip @slow", []string{"7:5 heading-left-of-doc-string"}},
		{"", "      Scenario: x", []string{"7:7 heading-in-doc-string"}},
		{"", "      @wip", []string{"7:7 heading-in-doc-string"}},
		{"", "  It is: so", nil},
		{"", "      | z   | 3 |", []string{"7:7 row-in-doc-string"}},
		{"", "      | z  | 3 |", nil},
		{"", "      | z   | 3 |\n      |-----|---|", nil},
	} {
		text := "Feature: f\n" + strings.NewReplacer("TYPE", c.mediaType, "LINE", c.line).Replace(feature)
		var problems []string
		for _, p := range found(checkText(t, "a.feature", text)) {
			if !strings.HasSuffix(p, "column-without-placeholder") {
				problems = append(problems, p)
			}
		}
		assert.Equal(t, c.want, problems, "%s", text)
	}
	fixture := "Feature: f\n  Scenario: a\n    Given a thing \"x\"\n      \"\"\"\n      @x\n      Feature: g\n        Scenario: b\n          Given all is well\n      \"\"\"\n"
	assert.Empty(t, checkText(t, "a.feature", fixture), "a doc string that is a feature")
	markdown := "# Feature: f\n## Scenario: a\n* Given a thing \"x\"\n  ```\n  text\n* Then all is well\n  ```\n"
	assert.Equal(t, []string{"6:1 step-in-doc-string"}, found(checkText(t, "a.feature.md", markdown)))
}

func TestAStepForANameIsFound(t *testing.T) {
	for _, c := range []struct {
		heading string
		want    []string
	}{
		{"Scenario: Then all is well", []string{"2:3 step-in-heading"}},
		{"Scenario: then  all is well", []string{"2:3 step-in-heading"}},
		{"Scenario: * all is well", []string{"2:3 step-in-heading"}},
		{"Scenario: all is well", nil},
		{"Scenario: plain Given all is well", []string{"2:3 step-in-heading"}},
		{"Scenario: what is given all is well", nil},
		{"Scenario: Given that all is well, we go on", nil},
		{"Rule: Given all is well\n  Scenario: a", []string{"2:3 step-in-heading"}},
		{"Rule: Thne all is well\n  Scenario: a", []string{"2:3 step-in-heading"}},
		{"Rule: All is well\n  Scenario: a", nil},
		{"Background: Given a thing \"x\"\n  Scenario: a", []string{"2:3 empty-background", "2:3 step-in-heading"}},
		{"Scenario Outline: When a thing \"<x>\"\n    Given all is well\n    Examples: Then a thing <x>\n      | x |\n      | \"b\" |\n  Scenario: a", []string{"2:3 step-in-heading", "4:5 step-in-heading"}},
	} {
		problems := found(checkText(t, "a.feature", "Feature: f\n  "+c.heading+"\n    Given all is well\n"))
		assert.ElementsMatch(t, c.want, problems, "%s", c.heading)
	}
	assert.Equal(t, []string{"1:1 step-in-heading"}, found(checkText(t, "a.feature", "Feature: Then all is well\n  Scenario: a\n    Given all is well\n")))
	assert.Equal(t, []string{"3:3 step-in-heading"}, found(checkText(t, "a.feature", "# language: fr\nFonctionnalité: f\n  Scénario: Alors all is well\n    Soit all is well\n")))
	assert.Equal(t, []string{"3:3 step-in-heading"}, found(checkText(t, "a.feature", "# language: fr\nFonctionnalité: f\n  Scénario: Then all is well\n    Soit all is well\n")))
}
