package lint

import (
	"regexp"
	"strings"
	"sync"
	"unicode"

	"omniloader/internal/engine"
)

// checkLineEnds finds text at the end of lines that the parser drops.
func (c *checker) checkLineEnds() {
	open := false // a doc string
	for line := 1; line <= len(c.feature.Lines); line++ {
		text := c.text(line)
		switch c.kind(line) {
		case engine.RowLine:
			end := lastBar(text)
			if rest := strings.TrimSpace(text[end+1:]); rest != "" {
				c.add("text-after-row", c.scopeOf(line), line, columnOf(text, strings.Index(text[end:], rest)+end), `end the row with a |, or write \| for a bar that is text; a comment needs a line of its own`,
					"the row ends at its last |, and this text is not read: %q", rest)
			}
		case engine.FenceLine:
			if open = !open; open || c.markdown {
				continue
			}
			fence := strings.TrimLeft(text, " \t")
			if rest := strings.TrimSpace(fence[min(3, len(fence)):]); rest != "" {
				c.add("text-after-doc-string", c.scopeOf(line), line, columnOf(text, strings.LastIndex(text, rest)), "write it above the end of the doc string, or leave it out",
					"the doc string ends here, and this text is not read: %q", rest)
			}
		case engine.CommentLine:
			if languageLine().MatchString(text) {
				c.add("late-language", Scope{}, line, columnOf(text, len(indentOf(text))), "move it to the first line, or leave it out",
					"a language that is named here has no effect: %q", strings.TrimSpace(text))
			}
		}
	}
}

var languageLine = lazily(`^\s*#\s*language\s*:\s*[a-zA-Z_-]+\s*$`)

// lastBar returns the place of the last | of a row that is not escaped, which there is.
func lastBar(row string) int {
	last := strings.IndexByte(row, '|')
	for i := last + 1; i < len(row); i++ {
		switch row[i] {
		case '\\':
			i++
		case '|':
			last = i
		}
	}
	return max(last, 0)
}

// wrongEncoding has UTF-8 that was read as Latin-1 or Windows-1252, and what decoders write for
// bytes that they cannot read.
var wrongEncoding = lazily(`Ã[\x{80}-\x{BF}]|â€[\x{80}-\x{FFFF}]|ï»¿|\x{FFFD}`)

// checkCharacters finds characters that hide text or make words differ that look the same.
func (c *checker) checkCharacters() {
	for line := 1; line <= len(c.feature.Lines); line++ {
		kind, text := c.kind(line), c.text(line)
		switch kind {
		case engine.DocStringLine, engine.CodeLine, engine.BlankLine:
			continue // free text
		}
		isControl := func(r rune) bool {
			if kind == engine.CommentLine {
				return r == '\r' // editors show what is behind it as a line of its own
			}
			return unicode.IsControl(r) && r != '\t' || r == '\u2028' || r == '\u2029'
		}
		if at := strings.IndexFunc(text, isControl); at >= 0 {
			r := []rune(text[at:])[0]
			advice := "remove it"
			if r == '\r' {
				advice = `end every line with a line feed (\n) or with \r\n; a single \r ends no line`
			}
			c.add("control-character", c.scopeOf(line), line, columnOf(text, at), advice, "the control character %U is in this line", r)
			continue
		}
		if kind == engine.CommentLine {
			continue
		}
		if m := wrongEncoding().FindStringIndex(text); m != nil {
			c.add("wrong-encoding", c.scopeOf(line), line, columnOf(text, m[0]), "write the letters again, and save the file as UTF-8",
				"%q looks like text in another encoding", text[m[0]:m[1]])
		}
		switch kind {
		case engine.TagLine, engine.HeadingLine, engine.StepLine, engine.RowLine:
			if at := strings.IndexFunc(text, func(r rune) bool { return invisible(r) || r == '\u00a0' && kind == engine.TagLine }); at >= 0 {
				c.add("invisible-character", c.scopeOf(line), line, columnOf(text, at), "remove it", "the invisible character %U is in this line", []rune(text[at:])[0])
			}
		}
	}
}

// scopeOf returns what a line belongs to. Tags belong to what is below them.
func (c *checker) scopeOf(line int) Scope {
	if c.kind(line) == engine.TagLine {
		for _, p := range c.parts {
			if p.line > line {
				return p.scope
			}
		}
	}
	return c.partAt(line).scope
}

// lazily returns a regular expression that is compiled when it is first used: only commands
// that read features need it, and all of them start sooner without it.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
