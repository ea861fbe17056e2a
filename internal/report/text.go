package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
)

// printable writes control characters and bytes that are no UTF-8 as escapes, so that
// a name from a checkpoint can neither move the cursor nor hide text. Line
// breaks and tabs stay.
func printable(s string) string {
	clean := true
	for _, r := range s {
		if isInvisible(r) || r == utf8.RuneError {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case isInvisible(r) && r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case isInvisible(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// isInvisible tells whether a character acts on the terminal instead of being shown:
// control characters, those that change the direction of writing, and noncharacters,
// which XML forbids.
func isInvisible(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfffe, r == 0xffff:
		return true
	}
	return unicode.Is(unicode.Cc, r)
}

// oneLine is printable text without line breaks and tabs.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(printable(s), func(r rune) bool { return r == '\n' || r == '\t' }), " ")
}

// style is the colour and weight of a piece of text.
type style text.Colors

var (
	stylePassed  = style{text.FgGreen}
	styleFailed  = style{text.FgRed, text.Bold}
	styleHint    = style{text.FgCyan}
	styleFaint   = style{text.Faint}
	styleWarning = style{text.FgYellow}
	styleHeading = style{text.Bold}
)

// printer writes lines for people. It keeps the first error of the writer and writes
// nothing after it.
type printer struct {
	w    io.Writer
	opts Options
	err  error
}

// styled colours text where colours may be used.
func (p *printer) styled(s style, t string) string {
	if !p.opts.Color || t == "" || len(s) == 0 {
		return t
	}
	return text.Escape(t, text.Colors(s).EscapeSeq())
}

// line writes a line without blanks at its end.
func (p *printer) line(t string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, strings.TrimRight(t, " ")+"\n")
	}
}

// paragraph writes text of any number of lines, indented, wrapped at words to the
// width of the terminal, in a style.
func (p *printer) paragraph(indent string, s style, t string) {
	t = strings.ReplaceAll(printable(t), "\t", "    ")
	const minWidth = 20 // columns; narrower text is not readable
	width := max(p.opts.Width-len(indent), minWidth)
	for raw := range strings.SplitSeq(strings.TrimRight(t, "\n"), "\n") {
		if p.opts.Width > 0 && text.StringWidth(raw) > width {
			raw = text.WrapSoft(raw, width)
		}
		for l := range strings.SplitSeq(raw, "\n") {
			p.line(indent + p.styled(s, strings.TrimRight(l, " ")))
		}
	}
}
