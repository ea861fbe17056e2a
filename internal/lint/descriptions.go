package lint

import (
	"fmt"
	"strings"

	messages "github.com/cucumber/messages/go/v34"

	"omniloader/internal/engine"
	"omniloader/internal/suggest"
)

// unreadLine is a line of text that the parser takes for description.
type unreadLine struct {
	line   int
	text   string // without white space at both ends and, in Markdown, without the mark of a list or heading
	mark   string // what was taken away in front
	scope  Scope
	part   part
	step   misreadStep
	isStep bool
}

var markdownMark = lazily(`^(?:[*+-][ \t]+|[0-9]+[.)][ \t]+|#{1,6}[ \t]*)`)

// checkDescriptions finds lines of description, or of prose in Markdown, that are meant as
// something else.
func (c *checker) checkDescriptions() {
	var block []unreadLine
	for line := 1; line <= len(c.feature.Lines); line++ {
		switch c.kind(line) {
		case engine.DescriptionLine, engine.ProseLine:
			block = append(block, c.unread(line))
		case engine.BlankLine, engine.CommentLine:
		case engine.DocStringLine: // see checkDocStrings
		default:
			c.checkBlock(block)
			block = nil
		}
	}
	c.checkBlock(block)
}

func (c *checker) unread(line int) unreadLine {
	p := c.partAt(line)
	u := unreadLine{line: line, text: strings.TrimSpace(c.text(line)), part: p, scope: p.scope}
	if c.markdown {
		u.mark = markdownMark().FindString(u.text)
		u.text = u.text[len(u.mark):]
	}
	return u
}

// visible returns a text without invisible characters, and without white space at its ends.
func visible(text string) string { return strings.TrimSpace(withoutInvisible(text)) }

func (u *unreadLine) column(c *checker) int {
	text := c.text(u.line)
	return columnOf(text, len(indentOf(text))+len(u.mark))
}

// checkBlock checks the lines of one description.
func (c *checker) checkBlock(block []unreadLine) {
	for i := range block {
		u := &block[i]
		if !c.markdown || !strings.HasPrefix(u.text, "<!--") {
			defined := c.definedIn(u.part)
			if u.step, u.isStep = c.keywords.step(visible(u.text), defined); !u.isStep {
				u.step, u.isStep = c.keywords.lastStep(visible(u.text), defined)
			}
		}
	}
	for i, u := range block {
		switch {
		case u.isStep:
			c.misreadStep(u)
		case c.misreadHeading(block, i):
		case strings.HasPrefix(u.text, "|"):
			c.misreadRow(block, i)
		case c.markdown && c.besideRow(u):
			c.add("row-in-description", u.scope, u.line, u.column(c), "begin it with a |, and indent it as the other rows", "this row of a table is not read: %q", u.text)
		default:
			c.suspectDescription(u)
		}
	}
}

func (c *checker) misreadStep(u unreadLine) {
	meant := u.step.keyword + u.step.text
	takesSteps := u.part.kind == scenarioPart || u.part.kind == backgroundPart
	advice := suggest.Question(meant)
	switch {
	case !takesSteps:
		advice = "a step stands below a Scenario or Background: write such a heading above it"
	case c.markdown && u.mark == "":
		advice = `in Markdown a step is an item of a list: begin it with "* " and the keyword`
	}
	c.add("step-in-description", u.scope, u.line, u.column(c), advice, "this step is read as a description, and not carried out: %q", u.text)
	if takesSteps && u.step.sameWord && (u.mark != "" || !c.markdown) {
		c.fixLast(u.line, indentOf(c.text(u.line))+u.mark+meant)
	}
}

// misreadHeading says whether a line of a block is meant as a heading: a keyword of one in
// any case or with slips, or a word with a colon above a line that is meant as a step.
func (c *checker) misreadHeading(block []unreadLine, i int) bool {
	u := block[i]
	if c.markdown && !strings.HasPrefix(u.mark, "#") {
		return false // prose has words with colons
	}
	if word, keyword, sameWord, found := c.keywords.heading(u.text); found {
		if sameWord && word == keyword {
			c.add("heading-in-description", u.scope, u.line, u.column(c), "move it to where such a heading can stand, or write it another way if it is text",
				"%q cannot stand here, and this line would be read as a description", word+":")
			return true
		}
		c.add("heading-in-description", u.scope, u.line, u.column(c), suggest.Question(keyword+":"),
			"%q is not a keyword, and this line would be read as a description", word+":")
		if sameWord {
			c.fixLast(u.line, strings.Replace(c.text(u.line), word+":", keyword+":", 1))
		}
		return true
	}
	word, ok := looksLikeHeading(u.text)
	if !ok || i+1 == len(block) || !block[i+1].isStep {
		return false
	}
	c.add("heading-in-description", u.scope, u.line, u.column(c), `for a scenario write "Scenario:", and its name behind it`,
		"%q is not a keyword, and this line and the steps below it are read as a description", word+":")
	return true
}

var separatorRow = lazily(`^\|(?:\s*:?-+:?\s*\|)+$`)

// misreadRow looks at a line that begins as a row of a table does. In a description it may be
// a table in Markdown; in a feature in Markdown it is one where no row can stand.
func (c *checker) misreadRow(block []unreadLine, i int) {
	u := block[i]
	row := func(j int) bool { return j >= 0 && j < len(block) && strings.HasPrefix(block[j].text, "|") }
	if !strings.HasSuffix(u.text, "|") || len(u.text) == 1 {
		return
	}
	if c.markdown {
		if row(i - 1) {
			return // said of the line above
		}
		above := c.readAbove(u.line)
		switch {
		case markdownRow().MatchString(c.text(u.line)):
			c.add("row-in-description", u.scope, u.line, u.column(c), "rows stand below a heading Examples or below a step; a table that is text is not indented", "this row of a table is not read: %q", u.text)
		case above == engine.RowLine || above == engine.StepLine || u.part.kind == examplesPart:
			c.add("row-in-description", u.scope, u.line, u.column(c), "indent it by 2 to 5 spaces, as the rows above it", "this row of a table is not read: %q", u.text)
		}
		return
	}
	if row(i-1) || i > 0 && block[i-1].isStep {
		return // said of the line above
	}
	for j := i; row(j); j++ {
		if separatorRow().MatchString(block[j].text) {
			return // Markdown
		}
	}
	c.add("row-in-description", u.scope, u.line, u.column(c), `rows stand below "Examples:" or below a step; a table that is text needs a line of dashes (|---|) below its head`,
		"this row of a table is read as a description: %q", u.text)
}

// markdownRow is a row as features in Markdown have it.
var markdownRow = lazily(`^\s{2,5}\|`)

// besideRow says whether a line with bars is above or below a row.
func (c *checker) besideRow(u unreadLine) bool {
	return strings.Contains(u.text, "|") && (c.kind(u.line-1) == engine.RowLine || c.kind(u.line+1) == engine.RowLine)
}

// readAbove returns the kind of the last line above one that is not blank, prose or a
// comment.
func (c *checker) readAbove(line int) engine.LineKind {
	for line--; line > 0; line-- {
		switch kind := c.kind(line); kind {
		case engine.BlankLine, engine.CommentLine:
		default:
			return kind
		}
	}
	return engine.BlankLine
}

// suspectDescription warns of a line that may be meant as something else, and may be text.
func (c *checker) suspectDescription(u unreadLine) {
	if keyword := c.keywords.startsLikeStep(u.text); keyword != "" && (!c.markdown || u.mark != "") {
		c.add("keyword-in-description", u.scope, u.line, u.column(c), "if it is text, begin the line with another word",
			"this line begins with the keyword %q, and is read as a description", keyword)
	}
	if c.markdown && c.looseTags(u) {
		return
	}
	words := strings.Fields(u.text)
	for i, w := range words {
		if i > 0 && (!strings.HasPrefix(w, "@") || len(w) == 1) {
			return
		}
	}
	if len(words) > 1 {
		c.add("tag-in-description", u.scope, u.line, u.column(c), "every tag of a line begins with @", "this line looks like tags, and is read as a description: %q", u.text)
	}
}

// looseTags says whether a line of a feature in Markdown has tags only, which are not read
// because they are not each in backquotes.
func (c *checker) looseTags(u unreadLine) bool {
	if !isTags(u.text) {
		return false
	}
	below := u.line + 1
	for c.kind(below) == engine.BlankLine && below <= len(c.feature.Lines) {
		below++
	}
	if kind := c.kind(below); kind != engine.HeadingLine && kind != engine.TagLine {
		return false // such as a mention of people
	}
	c.add("tag-without-backquotes", c.scopeOf(below), u.line, u.column(c), fmt.Sprintf("write every tag in backquotes: `%s`, at the beginning of the line", strings.Join(tagsOf(u.text), "` `")),
		"these tags are read as a description, and tag nothing: %q", u.text)
	return true
}

// definedIn says of texts whether they are defined steps in a part, as Vocabulary.Defined does.
func (c *checker) definedIn(p part) func(string) bool {
	return func(text string) bool { return c.vocabulary.Defined(c.filledIn(p.scenario, text)) }
}

// filledIn returns a text with the values of the first row of an outline's first Examples, so that it
// can be compared with steps. The scenario may be nil.
func (c *checker) filledIn(s *messages.Scenario, text string) string {
	if s == nil || !strings.Contains(text, "<") {
		return text
	}
	for _, e := range s.Examples {
		if e.TableHeader == nil || len(e.TableBody) == 0 {
			continue
		}
		for i, cell := range e.TableHeader.Cells {
			text = strings.ReplaceAll(text, "<"+cell.Value+">", e.TableBody[0].Cells[i].Value)
		}
		return text
	}
	return text
}
