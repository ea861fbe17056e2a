package lint

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	gherkin "github.com/cucumber/gherkin/go/v42"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/engine"
)

// vocabulary has the steps "all is well", "it is measured" and `a thing "X"`.
var vocabulary = Vocabulary{
	Defined: func(text string) bool {
		return text == "all is well" || text == "it is measured" || strings.HasPrefix(text, `a thing "`) && strings.HasSuffix(text, `"`)
	},
	Measured: func(tags, texts []string) bool { return slices.Contains(texts, "it is measured") },
	ValidTag: func(tag string) bool { return !strings.HasSuffix(tag, "many") },
	Tags: []Tag{
		{Name: "@benchmark", TakesValue: true}, {Name: "@iterations", TakesValue: true, NeedsValue: true, OnlyMeasured: true},
		{Name: "@slow"}, {Name: "@wip"},
	},
}

func checkText(t *testing.T, uri, text string) []Problem {
	t.Helper()
	f, err := engine.Parse(t.Context(), uri, []byte(text))
	require.NoError(t, err, text)
	return Check(f, vocabulary)
}

// found gives "LINE:COLUMN CODE" for each problem.
func found(problems []Problem) []string {
	var places []string
	for _, p := range problems {
		places = append(places, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Code))
	}
	return places
}

func TestTheRulesAreSortedAndComplete(t *testing.T) {
	rules := Rules()
	assert.True(t, slices.IsSortedFunc(rules, func(a, b Rule) int {
		return strings.Compare(string(a.Severity)+a.Code, string(b.Severity)+b.Code)
	}), "errors first, then by code")
	for _, r := range rules {
		assert.Regexp(t, `^[a-z]+(-[a-z]+)*$`, r.Code)
		assert.Contains(t, []Severity{Error, Warning}, r.Severity, r.Code)
		assert.Contains(t, []FixKind{NoFix, CaseFix, AnyFix}, r.Fix, r.Code)
		assert.Regexp(t, `^[A-Z].*\.$`, r.Meaning, r.Code)
	}
	assert.Equal(t, Error, SeverityOf("unknown"))
}

// Each text is the feature below "Feature: f" in line 1.
func TestWhatIsNotReadIsFound(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"a sound scenario", "  Scenario: a\n    Given all is well\n", nil},
		{"prose", "  Given that models are big,\n  they are cut: see below.\n  As a user, and so on\n  * a\n  | a | b |\n  |---|---|\n  | c | d |\n  @someone\n  Scenario: a\n    It is: this\n    then all that is well ends.\n    Given all is well\n", []string{"2:3 keyword-in-description"}},
		{"a step in lower case", "  Scenario: a\n    then all is well\n    Then all is well\n", []string{"3:5 step-in-description"}},
		{"a step with a slip", "  Scenario: a\n    Thne all is well\n", []string{"3:5 step-in-description"}},
		{"a step behind a letter", "  Scenario: a\n  x   And  all is well\n", []string{"3:3 step-in-description"}},
		{"a step behind a word with a colon", "  Scenario: a\n    Test: all is well\n", []string{"3:5 step-in-description"}},
		{"a step without its space", "  Scenario: a\n    Thenall is well\n", []string{"3:5 step-in-description"}},
		{"a step with another space", "  Scenario: a\n    Then\u00a0all is well\n", []string{"3:5 step-in-description"}},
		{"a step with an invisible character", "  Scenario: a\n    \u200bThen all is well\n", []string{"3:5 step-in-description"}},
		{"a step without a keyword", "  Scenario: a\n    all is well\n", []string{"3:5 step-in-description"}},
		{"a step behind another sign", "  Scenario: a\n    - all is well\n", []string{"3:5 step-in-description"}},
		{"a step of an outline", "  Scenario Outline: a\n    given a thing <x>\n    Given all is well <x>\n    Examples:\n      | x   |\n      | \"b\" |\n", []string{"3:5 step-in-description"}},
		{"steps below an unknown word", "  Test: b\n    Given all is well\n\n    Then all is well\n  Scenario: a\n    Given all is well\n", []string{"2:3 heading-in-description", "3:5 step-in-description", "5:5 step-in-description"}},
		{"steps below a rule", "  Rule: r\n    Given all is well\n    Scenario: a\n      Given all is well\n", []string{"3:5 step-in-description"}},
		{"a heading with a slip", "  Scenaro: b\n  Scenario: a\n    Given all is well\n", []string{"2:3 heading-in-description"}},
		{"a heading in lower case", "  scenario: b\n  Scenario: a\n    Given all is well\n", []string{"2:3 heading-in-description"}},
		{"a heading where none can be", "  Feature: b\n  Scenario: a\n    Given all is well\n", []string{"2:3 heading-in-description"}},
		{"rows in a description", "  | a |\n  | b |\n  Scenario: a\n    Given all is well\n", []string{"2:3 row-in-description"}},
		{"a step that names a rule", "  Scenario: a\n    Given all is well\n  Rule: all is well\n    Scenario: b\n      Given all is well\n", []string{"4:3 step-in-heading"}},
		{"a step in a doc string", "  Scenario: a\n    Given a thing \"x\"\n      \"\"\"\n      Then all is well\n      then all is well\n      \"\"\"\n", []string{"5:7 step-in-doc-string", "6:7 step-in-doc-string"}},
		{"text behind a row", "  Scenario: a\n    Given all is well\n      | a \\| b | c # d\n", []string{"4:18 text-after-row"}},
		{"text behind a doc string", "  Scenario: a\n    Given all is well\n      \"\"\"json\n      x\n      \"\"\" y\n", []string{"6:11 text-after-doc-string"}},
		{"a row that is whole", "  Scenario: a\n    Given all is well\n      | a \\\\| c |  \n", nil},
		{"an empty rule", "  Scenario: a\n    Given all is well\n  Rule: r\n    Background:\n", []string{"4:3 empty-rule", "5:5 empty-background"}},
		{"an empty rule that is unfinished", "  Scenario: a\n    Given all is well\n  @wip\n  Rule: r\n", nil},
		{"an outline without examples", "  Scenario Outline: a\n    Given a thing \"<b>\"\n", []string{"2:3 outline-without-examples"}},
		{"a scenario with angle brackets", "  Scenario: a\n    Given a thing \"<b>\"\n", nil},
		{"examples without rows", "  Scenario: a <x>\n    Given all is well\n    Examples:\n      | x |\n    Examples:\n      | x |\n      | 1 |\n    Examples:\n", []string{"4:5 examples-without-rows", "9:5 examples-without-rows"}},
		{"a placeholder without a column", "  Scenario Outline: a <x> <z>\n    Given a thing \"<y>\"\n      | <y> | <|s|> | <s> |\n    Examples:\n      | x |\n      | 1 |\n", []string{"2:27 placeholder-without-column", "3:20 placeholder-without-column"}},
		{"a placeholder without a column in one of several", "  Scenario Outline: a <x>\n    Given a thing \"<y>\"\n    Examples:\n      | x | y |\n      | 1 | 2 |\n    Examples:\n      | x |\n      | 1 |\n", []string{"3:20 placeholder-without-column"}},
		{"a placeholder in a doc string", "  Scenario Outline: a <x>\n    Given all is well\n      \"\"\"\n      a\n       <y>\n      \"\"\"\n    Examples:\n      | x |\n      | 1 |\n", []string{"6:8 placeholder-without-column"}},
		{"a placeholder in a background", "  Background:\n    Given a thing \"<x>\"\n  Scenario Outline: a <x>\n    Given all is well\n    Examples:\n      | x |\n      | 1 |\n", []string{"3:20 placeholder-in-background"}},
		{"columns without use", "  @<t>\n  Scenario Outline: a\n    Given a thing \"<x>\"\n    Examples:\n      | x | y | x | t |  |\n      | 1 | 2 | 3 | 4 | 5 |\n", []string{"6:13 column-without-placeholder", "6:17 repeated-column", "6:26 column-without-placeholder"}},
		{"a NUL in a name", "  Scenario: a\x00b\n    Given all is well\n", []string{"2:14 control-character"}},
		{"a carriage return inside a line", "  Scenario: a\r    Given b\n    Given all is well\n", []string{"2:14 control-character"}},
		{"a carriage return inside a comment", "  # note\r    Given b\n  Scenario: a\n    Given all is well\n", []string{"2:9 control-character"}},
		{"an invisible character", "  Scenario: a\u200bb\n    Given all is well\n", []string{"2:14 invisible-character"}},
		{"another encoding", "  Scenario: CafÃ©\n    Given all is well\n", []string{"2:16 wrong-encoding"}},
		{"a late language", "  # language: de\n  Scenario: a\n    Given all is well\n", []string{"2:3 late-language"}},
		{"a tag without its value", "  @iterations\n  Scenario: a\n    Given it is measured\n", []string{"2:3 tag-without-effect"}},
		{"a tag without its name", "  @benchmark:\n  Scenario: a\n    Given it is measured\n", []string{"2:3 tag-without-effect"}},
		{"a tag that takes no value", "  @wip:later\n  Scenario: a\n    Given all is well\n", []string{"2:3 tag-without-effect"}},
		{"a tag on what is not measured", "  @iterations:3\n  Scenario: a\n    Given all is well\n  @iterations:3\n  Rule: r\n    @iterations:3\n    Scenario: a\n      Given it is measured\n", []string{"2:3 tag-without-effect"}},
		{"a tag that others find", "  @iterations:many\n  Scenario: a\n    Given all is well\n", nil},
		{"a tag in another case", "  @WIP @Benchmark:x\n  Scenario: a\n    Given all is well\n", []string{"2:3 tag-case", "2:8 tag-case"}},
		{"a tag with a slip", "  @slwo @mine\n  Scenario: a\n    Given all is well\n", []string{"2:3 mistyped-tag"}},
		{"a tag twice", "  @a @b @a\n  @benchmark:x @benchmark:y\n  Scenario: a\n    Given all is well\n", []string{"2:9 repeated-tag", "3:16 repeated-tag"}},
		{"an @ alone", "  @a @ @@b # @\n  Scenario: a\n    Given all is well\n", []string{"2:6 empty-tag", "2:8 empty-tag"}},
		{"tags in a description", "  wip @b\n  Scenario: a\n    Given all is well\n", []string{"2:3 tag-in-description"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "Feature: f\n" + c.text
			problems := checkText(t, "a.feature", text)
			assert.Equal(t, c.want, found(problems), "%s", text)
			for _, p := range problems {
				assert.NotEmpty(t, p.Advice, "%s", p.Code)
				assert.Equal(t, "a.feature", p.URI)
			}
			marked := append([]byte("\ufeff"), strings.ReplaceAll(text, "\n", "\r\n")...)
			f, err := engine.Parse(t.Context(), "a.feature", marked)
			require.NoError(t, err)
			assert.Equal(t, c.want, found(Check(f, vocabulary)), "with a byte order mark and \\r\\n")
		})
	}
}

func TestWhatIsNotReadInMarkdownIsFound(t *testing.T) {
	const sound = "# Feature: f\n\nProse. Example: none.\n\n| a | b |\n|---|---|\n| c | d |\n\n## Scenario: a\n\n* Given all is well\n\n```\nGiven all is well\n```\n"
	assert.Empty(t, checkText(t, "a.feature.md", "# Feature: f\n\nProse. Example: none.\n\n| a | b |\n|---|---|\n| c | d |\n\n```\n* Given all is well\n```\n\n## Scenario: a\n\n* Given all is well\n"))
	for _, c := range []struct {
		name, old, new string
		want           []string
	}{
		{"a keyword in lower case", "* Given all", "* given all", []string{"11:3 step-in-description"}},
		{"a damaged mark of a list", "* Given all", "x* Given all", []string{"11:1 step-in-description"}},
		{"another letter for a space", "* Given all", "*xGiven all", []string{"11:1 step-in-description"}},
		{"no mark of a list", "* Given all", "Given all", []string{"11:1 step-in-description"}},
		{"a heading with a slip", "## Scenario: a", "## Scenaro: a", []string{"9:4 heading-in-description", "11:3 step-in-description"}},
		{"a heading without its mark", "## Scenario: a", "Scenario: a", []string{"11:3 step-in-description"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(strings.Split(sound, "```")[0], c.old, c.new, 1)
			assert.Equal(t, c.want, found(checkText(t, "a.feature.md", text)), "%s", text)
		})
	}
	outline := "# Feature: f\n## Scenario Outline: a <x>\n* Given all is well\n\n### Examples:\n\n  | x |\n  | - |\n  | 1 |\n| 2 |\n"
	assert.Equal(t, []string{"10:1 row-in-description"}, found(checkText(t, "a.feature.md", outline)))
	for old, new := range map[string]string{"| 2 |": "x | 2 |", "  | 1 |\n| 2 |": "x | 1 |\n  | 2 |", "# Feature: f": "# Feature: f\n  | 2 |"} {
		text := strings.Replace(outline, old, new, 1)
		assert.Contains(t, strings.Join(found(checkText(t, "a.feature.md", text)), "\n"), "row-in-description", "%s", text)
	}
}

// languages lists the codes of the languages of gherkin.
func languages() []string {
	var names []string
	for code := range engine.Languages() {
		names = append(names, code)
	}
	slices.Sort(names)
	return names
}

// otherCase gives a text in another case, the same where its letters have none.
func otherCase(text string) string {
	if lower := strings.ToLower(text); lower != text {
		return lower
	}
	return strings.ToUpper(text)
}

func TestEveryLanguage(t *testing.T) {
	names := languages()
	require.GreaterOrEqual(t, len(names), 80)
	checked := 0
	for _, name := range names {
		d := gherkin.DialectsBuiltin().GetDialect(name)
		head := "# language: " + name + "\n" + d.FeatureKeywords()[0] + ": f\n"
		scenario := "  " + d.ScenarioKeywords()[0] + ": a\n"
		step := "    " + d.StepKeywords()[0] + "all is well\n"
		isKeyword := func(text string, keywords []string) bool {
			return slices.ContainsFunc(keywords, func(k string) bool { return strings.HasPrefix(text, k) })
		}
		for _, keyword := range d.StepKeywords() {
			assert.Empty(t, found(checkText(t, "a.feature", head+scenario+"    "+keyword+"all is well\n")), "%s %q", name, keyword)
			assert.Empty(t, found(checkText(t, "a.feature", head+scenario+"    Some prose of its own.\n"+step)), "%s %q", name, keyword)
			assert.Equal(t, []string{"3:3 step-in-description"}, found(checkText(t, "a.feature", head+"  "+keyword+"all is well\n"+scenario+step)), "%s %q", name, keyword)
			if other := otherCase(keyword); other != keyword && !isKeyword(other, d.StepKeywords()) {
				checked++
				problems := checkText(t, "a.feature", head+scenario+"    "+other+"all is well\n"+step)
				assert.Equal(t, []string{"4:5 step-in-description"}, found(problems), "%s %q", name, other)
				require.NotEmpty(t, problems)
				if assert.NotNil(t, problems[0].Fix, "%s %q", name, other) {
					fixed, _ := Apply([]byte(head+scenario+"    "+other+"all is well\n"+step), []Fix{*problems[0].Fix})
					assert.Empty(t, found(checkText(t, "a.feature", string(fixed))), "%s %q: %s", name, other, fixed)
				}
			}
			if keyword != "* " {
				markdown := "# language: " + name + "\n# " + d.FeatureKeywords()[0] + ": f\n## " + d.ScenarioKeywords()[0] + ": a\n* " + keyword + "all is well\n"
				assert.Empty(t, found(checkText(t, "a.feature.md", markdown)), "%s %q", name, keyword)
			}
		}
		for _, keyword := range d.ScenarioKeywords() {
			other := otherCase(keyword) + ":"
			if other == keyword+":" || isKeyword(other, slices.Concat(d.ScenarioKeywords(), d.ScenarioOutlineKeywords(), d.BackgroundKeywords(), d.RuleKeywords())) {
				continue
			}
			checked++
			problems := found(checkText(t, "a.feature", head+"  "+other+" b\n"+step+scenario+step))
			assert.Equal(t, []string{"3:3 heading-in-description", "4:5 step-in-description"}, problems, "%s %q", name, other)
		}
	}
	assert.Greater(t, checked, 500)
}

func TestFixesChangeNoMoreThanTheirLine(t *testing.T) {
	source := "\ufeffFeature: f\r\n  @a @b @a\r\n  @c\r\n  @c\r\n  Scenario: a\r\n    then all is well \r\n    Then all is well"
	f, err := engine.Parse(t.Context(), "a.feature", []byte(source))
	require.NoError(t, err)
	var fixes []Fix
	for _, p := range Check(f, vocabulary) {
		if p.Fix != nil {
			fixes = append(fixes, *p.Fix)
		}
	}
	fixed, made := Apply([]byte(source), fixes)
	assert.Len(t, made, 3)
	assert.Equal(t, "\ufeffFeature: f\r\n  @a @b\r\n  @c\r\n  Scenario: a\r\n    Then all is well\r\n    Then all is well", string(fixed))

	_, made = Apply([]byte("other"), fixes)
	assert.Empty(t, made, "the file has changed")
}

func FuzzCheck(f *testing.F) {
	f.Add("a.feature", "Feature: f\n  @a @a\n  x: \n  then all is well\n  Scenario Outline: <b>\n    * a thing <c>\n      | <d> | x\n    Examples:\n    | b | b |\n    | 1 | 2 |\n  Rule: r\n")
	f.Add("a.feature.md", "# Feature: f\n## Scenario: a\n* Given all is well\n  | a |\n| b |\n`@a` `@a`\n### Examples:\n")
	f.Add("a.feature", "# language: de\nFunktionalität: f\n  szenario: a\n    angenommen all is well\n\x00\r\n")
	f.Fuzz(func(t *testing.T, name, source string) {
		feature, err := engine.Parse(t.Context(), name, []byte(source))
		if err != nil {
			return
		}
		var fixes []Fix
		for _, p := range Check(feature, vocabulary) {
			require.LessOrEqual(t, p.Line, len(feature.Lines))
			require.Positive(t, p.Line)
			require.Positive(t, p.Column)
			if p.Fix != nil {
				fixes = append(fixes, *p.Fix)
			}
		}
		Apply(feature.Source, fixes)
	})
}
