package lint

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"omniloader/internal/engine"
)

// docString is a doc string of the file.
type docString struct {
	part        part
	fence       string // the line that opens it
	first, last int    // lines of the content
}

// docStrings lists the doc strings of the file that have a content.
func (c *checker) docStrings() []docString {
	var all []docString
	for line := 1; line <= len(c.feature.Lines); line++ {
		if c.kind(line) != engine.FenceLine {
			continue
		}
		d := docString{part: c.partAt(line), fence: c.text(line), first: line + 1}
		for line++; line <= len(c.feature.Lines) && c.kind(line) != engine.FenceLine; line++ {
		}
		if d.last = line - 1; d.last >= d.first {
			all = append(all, d)
		}
	}
	return all
}

// gherkinTypes are the media types of doc strings that are features.
var gherkinTypes = []string{"gherkin", "feature", "cucumber"}

// checkDocStrings finds steps, headings, tags and rows that got into a doc string, because a
// line or the end of the doc string was moved.
func (c *checker) checkDocStrings() {
	var rows map[string]bool
	for _, d := range c.docStrings() {
		if c.isFeature(d) {
			continue
		}
		if rows == nil {
			rows = c.rowShapes()
		}
		markdownTable := false
		for line := d.first; line <= d.last; line++ {
			markdownTable = markdownTable || separatorRow().MatchString(strings.TrimSpace(c.text(line)))
		}
		for line := d.first; line <= d.last; line++ {
			text := visible(c.text(line))
			switch {
			case text == "":
			case c.stepInDocString(d, line, text):
			case c.keywords.isHeading(c.withoutMark(text)) || isTags(text):
				c.headingInDocString(d, line, text)
			case !markdownTable && rows[rowShape(c.text(line))]:
				c.add("row-in-doc-string", d.part.scope, line, c.firstColumn(line), "move it into its table; a table that is text can have a line of dashes (|---|) below its head, or other indentation",
					"this row is a part of the doc string above it, and its bars stand where those of a table do: %q", text)
			}
		}
	}
}

// isFeature says whether a doc string is meant as a feature: its media type says so, or its
// first line that has neither tags nor a comment is the heading of one.
func (c *checker) isFeature(d docString) bool {
	fence := strings.TrimSpace(d.fence)
	if mediaType := strings.ToLower(strings.TrimSpace(strings.TrimLeft(fence, "\"`"))); slices.Contains(gherkinTypes, mediaType) {
		return true
	}
	for line := d.first; line <= d.last; line++ {
		text := visible(c.text(line))
		if text == "" || strings.HasPrefix(text, "@") || strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "# Feature:") {
			continue
		}
		return slices.ContainsFunc(c.keywords.features, func(k string) bool { return strings.HasPrefix(strings.TrimPrefix(text, "# "), k+":") })
	}
	return false
}

// stepInDocString says whether a line is a step: a text that is defined, behind a keyword,
// a star or nothing.
func (c *checker) stepInDocString(d docString, line int, text string) bool {
	defined := c.definedIn(d.part)
	text = c.withoutMark(text)
	if _, found := c.keywords.exactStep(text, defined); !found && !defined(singleSpaced(text)) {
		return false
	}
	c.add("step-in-doc-string", d.part.scope, line, c.firstColumn(line),
		`end the doc string above it; a text that is meant to have this line can be in a file beside the feature, or have the media type gherkin behind the """`,
		"this step is a part of the doc string above it, and not carried out: %q", text)
	return true
}

func (c *checker) headingInDocString(d docString, line int, text string) {
	code, advice := "heading-in-doc-string", "if it is not text, end the doc string above it"
	if len(indentOf(c.text(line))) < len(indentOf(d.fence)) {
		code, advice = "heading-left-of-doc-string", "end the doc string above it, or indent the line like the quotation marks if it is text"
	}
	c.add(code, d.part.scope, line, c.firstColumn(line), advice, "this line is a part of the doc string above it: %q", text)
}

// withoutMark takes the mark of a list or heading from a line of a feature in Markdown.
func (c *checker) withoutMark(text string) string {
	if c.markdown {
		return text[len(markdownMark().FindString(text)):]
	}
	return text
}

// firstColumn is the column of the first letter of a line.
func (c *checker) firstColumn(line int) int {
	text := c.text(line)
	return columnOf(text, len(indentOf(text)))
}

// isTags says whether a text has tags only, each of which begins with a letter.
func isTags(text string) bool {
	words := tagsOf(text)
	return len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool {
		first, _ := utf8.DecodeRuneInString(strings.TrimPrefix(w, "@"))
		return w[0] != '@' || !unicode.IsLetter(first)
	})
}

// tagsOf splits a line of tags as features in Markdown have it.
func tagsOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '`' || r == ',' })
}

// isHeading says whether a text is a heading of the language or of English, as it is written.
func (k *keywords) isHeading(text string) bool {
	word, _, colon := strings.Cut(text, ":")
	own := k.english[word]
	return colon && (slices.Contains(k.headings, word) || own != "" && !slices.Contains(k.steps, own))
}

// rowShapes are the shapes of the rows of all tables of the file.
func (c *checker) rowShapes() map[string]bool {
	shapes := map[string]bool{}
	for line := 1; line <= len(c.feature.Lines); line++ {
		if c.kind(line) == engine.RowLine {
			shapes[rowShape(c.text(line))] = true
		}
	}
	delete(shapes, "")
	return shapes
}

// rowShape says where the bars of a row stand, its indentation included; "" for other lines.
func rowShape(text string) string {
	text = strings.TrimRight(text, " \t")
	if body := strings.TrimLeft(text, " \t"); len(body) < 2 || body[0] != '|' || body[len(body)-1] != '|' {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r == '|' || r == '\t' {
			return r
		}
		return ' '
	}, text)
}
