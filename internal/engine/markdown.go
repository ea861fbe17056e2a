package engine

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	gherkin "github.com/cucumber/gherkin/go/v42"
)

// markdownMatcher reads Gherkin that is written in Markdown:
//
//	<!-- language: fr -->   in the first line that is not blank, if it is no English;
//	                        "# language: fr" is understood too
//	# Feature: a heading of any level with a keyword; Rule, Background, Scenario,
//	Scenario Outline and Examples are written so too
//	`@tag` `@other`           a line of tags in backquotes
//	* Given a step            an item of a list that begins with a keyword (not *)
//	  | a | b |               a table, indented by 2 to 5 spaces
//	  | - | - |               and the line that Markdown wants below its head
//	  ```json                 a doc string: the fenced block behind a step
//
// All other lines are prose and mean nothing. Where no heading says Feature, the
// first line that is not blank is the feature's name.
//
// What a line is depends on those before it, and the parser may ask about a line
// several times and in any order. So all lines are classified first.
type markdownMatcher struct {
	language string
	lines    []gherkin.Token // by their number, less one
	code     []bool          // whether each is of a fenced block that is no doc string
}

// newMarkdownMatcher classifies the lines of a source.
func newMarkdownMatcher(source []byte) *markdownMatcher {
	lines := bytes.Split(source, []byte("\n"))
	m := &markdownMatcher{language: gherkin.DefaultDialect, lines: make([]gherkin.Token, len(lines)), code: make([]bool, len(lines))}
	at, language := markdownLanguage(lines)
	c := &markdownClassifier{cells: gherkin.NewMatcher(gherkin.DialectsBuiltin())}
	if c.dialect = gherkin.DialectsBuiltin().GetDialect(language); c.dialect == nil {
		c.dialect = gherkin.DialectsBuiltin().GetDialect(gherkin.DefaultDialect)
	} else {
		m.language = language
	}
	c.feature = c.featureLine(lines, at)
	for i, line := range lines {
		inBlock := c.fence != ""
		if i == at {
			m.lines[i] = gherkin.Token{Type: gherkin.TokenTypeLanguage, Text: language, Location: &gherkin.Location{Line: i + 1, Column: 1}}
		} else {
			m.lines[i] = c.classify(i, string(bytes.TrimSuffix(line, []byte("\r"))))
		}
		m.lines[i].GherkinDialect = m.language
		m.code[i] = inBlock || c.fence != ""
	}
	return m
}

// markdownLanguage finds the line that says the language, and gives -1 and English
// where none does.
func markdownLanguage(lines [][]byte) (at int, language string) {
	for i, line := range lines {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if m := markdownLanguageLine.FindSubmatch(line); m != nil {
			return i, string(m[1]) + string(m[2])
		}
		break
	}
	return -1, gherkin.DefaultDialect
}

// markdownClassifier tells what the lines are, one after the other.
type markdownClassifier struct {
	dialect *gherkin.Dialect
	cells   gherkin.Matcher // splits the rows of tables
	feature int             // the line that names the feature, or -1

	section gherkin.TokenType // the heading that we are under
	last    gherkin.TokenType // of the last line that means something
	fence   string            // of the block that we are in, or ""
	doc     bool              // the block is a doc string
	indent  int               // of its fence
	rows    int               // of the table that we are in
	used    map[gherkin.TokenType]bool
}

var (
	markdownLanguageLine = regexp.MustCompile(`^(?:<!--\s*#?\s*language\s*:\s*([a-zA-Z_-]+)\s*-->|#\s*language\s*:\s*([a-zA-Z_-]+))$`)
	markdownFence        = regexp.MustCompile("^(```+)([^`]*)$")
	markdownHeading      = regexp.MustCompile(`^#{1,6}[ \t]+`)
	markdownBullet       = regexp.MustCompile(`^[*+-]\s*`)
	markdownTagLine      = regexp.MustCompile("^(`@[^`]+`[ \t,]*)+$")
	markdownTag          = regexp.MustCompile("`(@[^`]+)`")
	markdownRow          = regexp.MustCompile(`^\s{2,5}\|`)
	markdownSeparator    = regexp.MustCompile(`^:?-+:?$`)
)

// featureLine finds the first heading that says Feature, else the first line that
// is not blank and has no tags.
func (c *markdownClassifier) featureLine(lines [][]byte, language int) int {
	first, fence := -1, ""
	for i, line := range lines {
		if i == language {
			continue
		}
		text := strings.TrimSpace(string(line))
		if m := markdownFence.FindStringSubmatch(text); m != nil && (fence == "" || fence == text) {
			if fence == "" {
				fence = m[1]
			} else {
				fence = ""
			}
			continue
		}
		if fence != "" {
			continue
		}
		indent := len(line) - len(bytes.TrimLeft(line, " \t"))
		if keyword, _ := c.heading(indent, text, c.dialect.FeatureKeywords()); keyword != "" {
			return i
		}
		if first < 0 && text != "" && !markdownTagLine.MatchString(text) {
			first = i
		}
	}
	return first
}

// heading gives the keyword of a heading and its name, or "". What is indented by 4
// spaces or more is a block of code in Markdown.
func (c *markdownClassifier) heading(indent int, text string, keywords []string) (keyword, name string) {
	mark := markdownHeading.FindString(text)
	if mark == "" || indent > 3 {
		return "", ""
	}
	for _, keyword := range keywords {
		if name, ok := strings.CutPrefix(text[len(mark):], keyword+gherkin.TitleKeywordSeparator); ok {
			return keyword, strings.TrimSpace(name)
		}
	}
	return "", ""
}

func (c *markdownClassifier) classify(i int, line string) gherkin.Token {
	trimmed := strings.TrimLeft(line, " \t")
	indent := len(line) - len(trimmed)
	token := func(kind gherkin.TokenType, column int, text string) gherkin.Token {
		return gherkin.Token{Type: kind, Text: text, Location: &gherkin.Location{Line: i + 1, Column: column + 1}}
	}
	prose := token(gherkin.TokenTypeEmpty, 0, "")
	text := strings.TrimRight(trimmed, " \t")

	if c.fence != "" {
		return c.inBlock(line, text, prose, token)
	}
	if m := markdownFence.FindStringSubmatch(text); m != nil {
		c.fence, c.indent = m[1], indent
		after := c.last == gherkin.TokenTypeStepLine || c.last == gherkin.TokenTypeTableRow && c.section != gherkin.TokenTypeExamplesLine
		if c.doc = after && !c.used[gherkin.TokenTypeDocStringSeparator]; !c.doc {
			return prose
		}
		c.rows, c.last, c.used[gherkin.TokenTypeDocStringSeparator] = 0, gherkin.TokenTypeDocStringSeparator, true
		t := token(gherkin.TokenTypeDocStringSeparator, indent, strings.TrimSpace(m[2]))
		t.Keyword = m[1]
		return t
	}
	if t := c.meaning(i, indent, line, text, token); t.Type != gherkin.TokenTypeNone {
		if t.Type != gherkin.TokenTypeComment {
			c.last = t.Type
		}
		if t.Type != gherkin.TokenTypeTableRow && t.Type != gherkin.TokenTypeComment {
			c.rows = 0
		}
		return t
	}
	if text != "" {
		c.rows = 0
	}
	return prose
}

// inBlock classifies a line of a fenced block.
func (c *markdownClassifier) inBlock(line, text string, prose gherkin.Token, token func(gherkin.TokenType, int, string) gherkin.Token) gherkin.Token {
	ends := text == c.fence
	if ends {
		c.fence = ""
	}
	switch {
	case !c.doc:
		return prose
	case ends:
		t := token(gherkin.TokenTypeDocStringSeparator, c.indent, "")
		t.Keyword = text
		return t
	}
	leading := len(line) - len(strings.TrimLeft(line, " \t"))
	return token(gherkin.TokenTypeOther, 0, line[min(leading, c.indent):])
}

// meaning gives the token of a line outside of blocks, with the type None for prose.
func (c *markdownClassifier) meaning(i, indent int, line, text string, token func(gherkin.TokenType, int, string) gherkin.Token) gherkin.Token {
	var none gherkin.Token
	if i == c.feature {
		c.section = gherkin.TokenTypeFeatureLine
		keyword, name := c.heading(indent, text, c.dialect.FeatureKeywords())
		if keyword == "" {
			name = text
		}
		t := token(gherkin.TokenTypeFeatureLine, indent+len(markdownHeading.FindString(text)), name)
		t.Keyword = keyword
		return t
	}
	if markdownTagLine.MatchString(text) {
		t := token(gherkin.TokenTypeTagLine, indent, "")
		for _, m := range markdownTag.FindAllStringSubmatchIndex(text, -1) {
			t.Items = append(t.Items, &gherkin.LineSpan{Column: indent + utf8.RuneCountInString(text[:m[2]]) + 1, Text: text[m[2]:m[3]]})
		}
		return t
	}
	if i < c.feature {
		return none
	}
	for _, h := range []struct {
		kind     gherkin.TokenType
		keywords []string
	}{
		{gherkin.TokenTypeBackgroundLine, c.dialect.BackgroundKeywords()},
		{gherkin.TokenTypeRuleLine, c.dialect.RuleKeywords()},
		{gherkin.TokenTypeScenarioLine, c.dialect.ScenarioKeywords()},
		{gherkin.TokenTypeScenarioLine, c.dialect.ScenarioOutlineKeywords()},
		{gherkin.TokenTypeExamplesLine, c.dialect.ExamplesKeywords()},
	} {
		if keyword, name := c.heading(indent, text, h.keywords); keyword != "" {
			c.section = h.kind
			t := token(h.kind, indent+len(markdownHeading.FindString(text)), name)
			t.Keyword = keyword
			return t
		}
	}
	if t := c.step(indent, text, token); t.Type != gherkin.TokenTypeNone {
		return t
	}
	return c.row(i, line, token)
}

// step gives the token of an item of a list that is a step.
func (c *markdownClassifier) step(indent int, text string, token func(gherkin.TokenType, int, string) gherkin.Token) gherkin.Token {
	// Steps stand below a Background or a Scenario. Below the rows of Examples one
	// is a mistake, which the parser names; elsewhere it is prose.
	steps := c.section == gherkin.TokenTypeBackgroundLine || c.section == gherkin.TokenTypeScenarioLine ||
		c.section == gherkin.TokenTypeExamplesLine && c.last == gherkin.TokenTypeTableRow
	bullet := markdownBullet.FindString(text)
	if !steps || bullet == "" {
		return gherkin.Token{}
	}
	for _, keyword := range c.dialect.StepKeywords() {
		if rest, ok := strings.CutPrefix(text[len(bullet):], keyword); ok && keyword != "* " {
			t := token(gherkin.TokenTypeStepLine, indent+len(bullet), strings.TrimSpace(rest))
			t.Keyword, t.KeywordType = keyword, c.dialect.StepKeywordType(keyword)
			c.used = map[gherkin.TokenType]bool{}
			return t
		}
	}
	return gherkin.Token{}
}

// row gives the token of a row of a table that belongs to a step or to Examples.
func (c *markdownClassifier) row(i int, line string, token func(gherkin.TokenType, int, string) gherkin.Token) gherkin.Token {
	if !markdownRow.MatchString(line) {
		return gherkin.Token{}
	}
	begins := c.last == gherkin.TokenTypeStepLine || c.last == gherkin.TokenTypeExamplesLine ||
		c.last == gherkin.TokenTypeDocStringSeparator && !c.used[gherkin.TokenTypeTableRow]
	if !begins && c.last != gherkin.TokenTypeTableRow {
		return gherkin.Token{}
	}
	trimmed := strings.TrimLeft(line, " \t")
	_, t, err := c.cells.MatchTableRow(&gherkin.Line{LineText: line, LineNumber: i + 1, TrimmedLineText: trimmed})
	if err != nil || t == nil {
		return gherkin.Token{}
	}
	if c.rows++; c.rows == 2 && isMarkdownSeparator(t.Items) {
		return token(gherkin.TokenTypeComment, 0, line)
	}
	if c.section != gherkin.TokenTypeExamplesLine {
		c.used[gherkin.TokenTypeTableRow] = true
	}
	return *t
}

func isMarkdownSeparator(cells []*gherkin.LineSpan) bool {
	for _, cell := range cells {
		if !markdownSeparator.MatchString(cell.Text) {
			return false
		}
	}
	return len(cells) > 0
}

// match gives the token of a line where it is of the type asked for.
func (m *markdownMatcher) match(line *gherkin.Line, kind gherkin.TokenType) (bool, *gherkin.Token, error) {
	if i := line.LineNumber - 1; i < len(m.lines) && m.lines[i].Type == kind {
		token := m.lines[i]
		return true, &token, nil
	}
	return false, nil, nil
}

func (m *markdownMatcher) MatchEOF(line *gherkin.Line) (bool, *gherkin.Token, error) {
	if !line.IsEof() {
		return false, nil, nil
	}
	return true, &gherkin.Token{Type: gherkin.TokenTypeEOF, GherkinDialect: m.language, Location: &gherkin.Location{Line: line.LineNumber, Column: 1}}, nil
}

func (m *markdownMatcher) MatchEmpty(line *gherkin.Line) (bool, *gherkin.Token, error) {
	return m.match(line, gherkin.TokenTypeEmpty)
}

func (m *markdownMatcher) MatchComment(line *gherkin.Line) (bool, *gherkin.Token, error) {
	return m.match(line, gherkin.TokenTypeComment)
}

// MatchTagLine fails for two tags in one pair of backquotes.
func (m *markdownMatcher) MatchTagLine(line *gherkin.Line) (bool, *gherkin.Token, error) {
	ok, token, err := m.match(line, gherkin.TokenTypeTagLine)
	if !ok {
		return ok, token, err
	}
	for _, tag := range token.Items {
		if strings.ContainsAny(tag.Text, " \t") {
			err = fmt.Errorf("(%d:%d): A tag may not contain whitespace", line.LineNumber, tag.Column) // as gherkin has it
			break
		}
	}
	return ok, token, err
}

func (m *markdownMatcher) MatchFeatureLine(line *gherkin.Line) (bool, *gherkin.Token, error) {
	return m.match(line, gherkin.TokenTypeFeatureLine)
}

func (m *markdownMatcher) MatchRuleLine(line *gherkin.Line) (bool, *gherkin.Token, error) {
	return m.match(line, gherkin.TokenTypeRuleLine)
}

func (m *markdownMatcher) MatchBackgroundLine(line *gherkin.Line) (bool, *gherkin.Token, error) {
	return m.match(line, gherkin.TokenTypeBackgroundLine)
}

func (m *markdownMatcher) MatchScenarioLine(line *gherkin.Line) (bool, *gherkin.Token, error) {
	return m.match(line, gherkin.TokenTypeScenarioLine)
}

func (m *markdownMatcher) MatchExamplesLine(line *gherkin.Line) (bool, *gherkin.Token, error) {
	return m.match(line, gherkin.TokenTypeExamplesLine)
}

func (m *markdownMatcher) MatchStepLine(line *gherkin.Line) (bool, *gherkin.Token, error) {
	return m.match(line, gherkin.TokenTypeStepLine)
}

func (m *markdownMatcher) MatchDocStringSeparator(line *gherkin.Line) (bool, *gherkin.Token, error) {
	return m.match(line, gherkin.TokenTypeDocStringSeparator)
}

func (m *markdownMatcher) MatchTableRow(line *gherkin.Line) (bool, *gherkin.Token, error) {
	return m.match(line, gherkin.TokenTypeTableRow)
}

// MatchLanguage fails for a language that there is not.
func (m *markdownMatcher) MatchLanguage(line *gherkin.Line) (bool, *gherkin.Token, error) {
	ok, token, err := m.match(line, gherkin.TokenTypeLanguage)
	if ok && token.Text != m.language {
		err = fmt.Errorf("(%d:1): Language not supported: %s", line.LineNumber, token.Text) // as gherkin has it
	}
	return ok, token, err
}

// MatchOther takes any line that the parser has no other use for.
func (m *markdownMatcher) MatchOther(line *gherkin.Line) (bool, *gherkin.Token, error) {
	if ok, token, err := m.match(line, gherkin.TokenTypeOther); ok {
		return ok, token, err
	}
	return true, &gherkin.Token{Type: gherkin.TokenTypeOther, Text: line.LineText, GherkinDialect: m.language,
		Location: &gherkin.Location{Line: line.LineNumber, Column: 1}}, nil
}

// Reset is called before the first line.
func (m *markdownMatcher) Reset() {}

var _ gherkin.Matcher = (*markdownMatcher)(nil)
