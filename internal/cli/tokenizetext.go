package cli

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"

	"omniloader/loader/tokenizer"
)

// tokenColors are used one after the other, so that neighbouring tokens differ.
var tokenColors = []text.Colors{{text.BgCyan, text.FgBlack}, {text.BgYellow, text.FgBlack}, {text.BgGreen, text.FgBlack}, {text.BgMagenta, text.FgBlack}}

// noteUnknown says which ids no token has: decoding leaves them out.
func (p *program) noteUnknown(t *tokenizer.Tokenizer, ids []uint32) {
	var unknown []string
	for _, id := range ids {
		if _, ok := t.Token(id); !ok && len(unknown) < 10 {
			unknown = append(unknown, strconv.FormatUint(uint64(id), 10))
		}
	}
	if len(unknown) > 0 {
		p.note("no token has the id %s: left out", strings.Join(unknown, ", "))
	}
}

// showText writes the text that ids were decoded to.
func (p *program) showText(r *tokenizeResult) { fmt.Fprintln(p.out, p.safe(r.Text)) }

// showTokens writes the tokens of a text, one a line, and on a terminal the text itself
// in colours before them.
func (p *program) showTokens(r *tokenizeResult) {
	p.printLabelled("", tokenizerText(r.Tokenizer))
	if p.out.options().Color && len(r.Text) <= 4096 {
		p.colorText(r)
	}
	fmt.Fprintln(p.out)
	widths := [3]int{len("id"), len("token"), len("bytes")}
	rows := make([][3]string, len(r.IDs))
	numbers := r.textNumbers()
	for i, id := range r.IDs {
		where := ""
		if !r.Special[i] {
			where = fmt.Sprintf("%d-%d", r.Offsets[i][0], r.Offsets[i][1])
			if r.Pair != nil {
				where += fmt.Sprintf(" of text %d", numbers[i])
			}
		}
		rows[i] = [3]string{strconv.FormatUint(uint64(id), 10), visible(r.Tokens[i]), where}
		for k, cell := range rows[i] {
			widths[k] = max(widths[k], text.StringWidth(cell))
		}
	}
	line := func(cells [3]string, colors text.Colors) {
		pad := strings.Repeat(" ", max(0, widths[1]-text.StringWidth(cells[1])))
		fmt.Fprintln(p.out, strings.TrimRight(fmt.Sprintf("%*s  %s%s  %s", widths[0], cells[0], p.color(cells[1], colors...), pad, cells[2]), " "))
	}
	line([3]string{"id", "token", "bytes"}, nil)
	for i, row := range rows {
		colors := tokenColors[i%len(tokenColors)]
		if r.Special[i] {
			colors = text.Colors{text.Faint}
		}
		line(row, colors)
	}
	size := len(r.Text)
	if r.Pair != nil {
		size += len(*r.Pair)
	}
	fmt.Fprintf(p.out, "\n%d tokens of %d bytes\n", len(r.IDs), size)
	s := r.Seconds
	fmt.Fprintf(p.out, "resolution %s, download %s, parse %s, encoding %s\n", timeText(s.Resolution), timeText(s.Download), timeText(s.Parse), timeText(s.Run))
}

// colorText writes the text, with a background colour for each token.
func (p *program) colorText(r *tokenizeResult) {
	at, numbers := 0, r.textNumbers()
	fmt.Fprintln(p.out)
	for i, o := range r.Offsets {
		if r.Special[i] || numbers[i] != 1 || o[0] < at || o[1] > len(r.Text) || o[0] == o[1] {
			continue // added, of the second text, or a later part of a character
		}
		fmt.Fprint(p.out, p.safe(r.Text[at:o[0]]), p.color(p.safe(r.Text[o[0]:o[1]]), tokenColors[i%len(tokenColors)]...))
		at = o[1]
	}
	fmt.Fprintln(p.out, p.safe(r.Text[at:]))
}

// safe escapes control characters but line breaks and tabs where the output is a
// terminal, which they could control. For another output it changes nothing.
func (p *program) safe(s string) string {
	if !p.out.terminal {
		return s
	}
	var b strings.Builder
	for {
		i := strings.IndexAny(s, "\n\t")
		if i < 0 {
			return b.String() + printable(s)
		}
		b.WriteString(printable(s[:i]) + s[i:i+1])
		s = s[i+1:]
	}
}

// visible shows the white space of a token: a space as \u2423, other characters as
// escapes.
func visible(token string) string {
	var b strings.Builder
	for _, r := range token {
		switch {
		case r == ' ':
			b.WriteRune('\u2423')
		case unicode.IsSpace(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
	}
	return printable(b.String())
}

// textNumbers gives for each token the text of a pair that it is from, 1 or 2. Only some
// models say so in the type ids; for others the second text begins after a special token
// between the two, or where the offsets start again.
func (r *tokenizeResult) textNumbers() []int {
	numbers := make([]int, len(r.IDs))
	number, last, started, separated := 1, 0, false, false
	for i := range numbers {
		if r.Pair != nil && r.Special[i] {
			separated = started
		} else if start := r.Offsets[i][0]; r.Pair != nil {
			if r.TypeIDs[i] != 0 || separated || start < last {
				number = 2
			}
			started, last = true, start
		}
		numbers[i] = number
	}
	return numbers
}
