package engine

import (
	"bytes"

	gherkin "github.com/cucumber/gherkin/go/v42"
)

// LineKind says what the parser took a line of a feature file for.
type LineKind uint8

// The kinds of lines.
const (
	BlankLine LineKind = iota
	CommentLine
	LanguageLine
	TagLine
	HeadingLine     // Feature, Rule, Background, Scenario, Scenario Outline, Examples
	StepLine        // without what stands below it
	RowLine         // of Examples, or of a table below a step
	FenceLine       // that opens or closes a doc string
	DocStringLine   // the content of a doc string
	DescriptionLine // text that nothing carries out
	ProseLine       // the same in Markdown
	CodeLine        // of a fenced block in Markdown that is no doc string
)

var lineKindOf = map[gherkin.TokenType]LineKind{
	gherkin.TokenTypeComment: CommentLine, gherkin.TokenTypeLanguage: LanguageLine, gherkin.TokenTypeTagLine: TagLine,
	gherkin.TokenTypeFeatureLine: HeadingLine, gherkin.TokenTypeRuleLine: HeadingLine, gherkin.TokenTypeBackgroundLine: HeadingLine,
	gherkin.TokenTypeScenarioLine: HeadingLine, gherkin.TokenTypeExamplesLine: HeadingLine, gherkin.TokenTypeStepLine: StepLine,
	gherkin.TokenTypeTableRow: RowLine, gherkin.TokenTypeDocStringSeparator: FenceLine, gherkin.TokenTypeOther: DescriptionLine,
}

// lineKinds collects the kinds of the lines of a source.
type lineKinds struct {
	source [][]byte
	kinds  []LineKind
	code   []bool // of Markdown: lines of fenced blocks that are no doc strings, or nil
}

func newLineKinds(source []byte) *lineKinds {
	lines := bytes.Split(source, []byte("\n"))
	return &lineKinds{source: lines, kinds: make([]LineKind, len(lines))}
}

// add notes the line of a token.
func (l *lineKinds) add(token *gherkin.Token, inDocString bool) {
	i := token.Location.Line - 1
	if i < 0 || i >= len(l.kinds) {
		return // the end of the file
	}
	kind := lineKindOf[token.Type]
	blank := len(bytes.TrimSpace(l.source[i])) == 0
	switch {
	case kind == DescriptionLine && inDocString:
		kind = DocStringLine
	case kind == DescriptionLine && blank:
		kind = BlankLine
	case kind == BlankLine && !blank && l.code != nil && l.code[i]:
		kind = CodeLine
	case kind == BlankLine && !blank:
		kind = ProseLine
	}
	l.kinds[i] = kind
}
