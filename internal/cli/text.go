package cli

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
)

// plainWidth is how wide prose is where there is no terminal to fit.
const plainWidth = 100

// printWrapped writes prose behind an indent, wrapped to the terminal.
func (p *program) printWrapped(indent, prose string) {
	for line := range strings.SplitSeq(text.WrapSoft(prose, p.columnsBeside(len(indent))), "\n") {
		fmt.Fprintln(p.out, indent+strings.TrimRight(line, " "))
	}
}

// columnsBeside is how many columns are left beside an indent, at least 20: on a
// narrower terminal lines are longer than it is wide.
func (p *program) columnsBeside(indent int) int {
	width := p.out.width
	if width == 0 || width > plainWidth {
		width = plainWidth
	}
	return max(20, width-indent)
}

// printLabelled writes prose behind a label, wrapped to the column behind the label.
func (p *program) printLabelled(label, prose string, colors ...text.Color) {
	indent := strings.Repeat(" ", len(label))
	var b strings.Builder
	inner := program{out: &output{w: &b, width: p.out.width}}
	inner.printWrapped(indent, printable(prose))
	fmt.Fprint(p.out, p.color(label, colors...), strings.TrimPrefix(b.String(), indent))
}

// bold gives a text in bold where the output has colours, else the text itself.
func (p *program) bold(s string) string { return p.color(s, text.Bold) }

func (p *program) color(s string, colors ...text.Color) string {
	if !p.out.options().Color || len(colors) == 0 {
		return s
	}
	// go-pretty itself escapes only where the standard output of the process is a
	// terminal; p.out may be another output.
	return text.Colors(colors).EscapeSeq() + s + text.EscapeReset
}

// printable shows control characters as \x1b and the like. Text from a checkpoint
// must not control the terminal.
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

// unprintable covers the format characters too: some of them change the direction
// of the text behind them.
func unprintable(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// byteText writes a size in powers of 1000, as download pages do.
func byteText(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	return scaled(n, []string{"kB", "MB", "GB", "TB", "PB", "EB"}, " ")
}

// countText writes a number of parameters in the usual short form: 8.03B.
func countText(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return scaled(n, []string{"K", "M", "B", "T", "Q", "Qi"}, "")
}

// scaled writes a number of at least 1000 with three significant digits and the unit
// that fits; the first unit stands for 1000.
func scaled(n int64, units []string, gap string) string {
	x, i := float64(n)/1000, 0
	for ; x >= 999.5 && i < len(units)-1; i++ {
		x /= 1000
	}
	digits := 2
	if x >= 99.95 {
		digits = 0
	} else if x >= 9.995 {
		digits = 1
	}
	return fmt.Sprintf("%.*f%s%s", digits, x, gap, units[i])
}

// timeText writes seconds to the microsecond: "1.234ms".
func timeText(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Microsecond).String()
}
