package cli

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
)

// plainWidth is how wide prose is where there is no terminal to fit.
const plainWidth = 100

// wrapped writes prose behind an indent, wrapped to the terminal.
func (p *program) wrapped(indent, prose string) {
	for line := range strings.SplitSeq(text.WrapSoft(prose, p.room(len(indent))), "\n") {
		fmt.Fprintln(p.out, indent+strings.TrimRight(line, " "))
	}
}

// room is how many columns are left beside an indent. A terminal narrower than
// 20 columns beside it is written past its edge.
func (p *program) room(indent int) int {
	width := p.out.width
	if width == 0 || width > plainWidth {
		width = plainWidth
	}
	return max(20, width-indent)
}

func (p *program) heading(s string) string { return p.color(s, text.Bold) }

func (p *program) color(s string, colors ...text.Color) string {
	if !p.out.options().Color || len(colors) == 0 {
		return s
	}
	// go-pretty decides by the process's own terminal whether it escapes at all;
	// this output may be another.
	return text.Colors(colors).EscapeSeq() + s + text.EscapeReset
}

// printable shows control characters as \x1b and the like. What a checkpoint
// says of itself is not to be trusted with a terminal.
func printable(s string) string {
	if !strings.ContainsFunc(s, unprintable) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case unprintable(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unprintable covers the format characters too: some of them turn the direction
// of what follows.
func unprintable(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }
