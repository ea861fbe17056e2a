package tokenizer

import "unicode/utf8"

// span is a range of bytes of the original text.
type span struct{ start, end int32 }

// piece is a part of the text between the steps of encoding.
type piece struct {
	text string
	// align is, for each byte of text, the span of the original from which it comes. It
	// is nil where text is unchanged (plain), and where the alignment is not tracked.
	align []span
	base  int  // offset of the piece in the original
	plain bool // text is a slice of the original
}

func (p *piece) slice(from, to int) piece {
	q := piece{text: p.text[from:to], plain: p.plain, base: p.base}
	switch {
	case p.align != nil:
		q.align = p.align[from:to]
		if from < to {
			q.base = int(q.align[0].start)
		}
	case p.plain:
		q.base += from
	}
	return q
}

// at returns the span in the original of the character at byte i.
func (p *piece) at(i int) span {
	if p.align != nil {
		return p.align[min(i, len(p.align)-1)]
	}
	from := min(i, len(p.text)-1)
	for from > 0 && !utf8.RuneStart(p.text[from]) {
		from--
	}
	_, n := utf8.DecodeRuneInString(p.text[from:])
	return span{int32(p.base + from), int32(p.base + from + n)}
}

// original returns the span in the original of text[from:to].
func (p *piece) original(from, to int) span {
	if from >= to || len(p.text) == 0 {
		return span{int32(p.base + from), int32(p.base + to)}
	}
	return span{p.at(from).start, p.at(to - 1).end}
}

// rewriter replaces the text of a piece character by character and keeps the alignment
// as the reference does (normalizer.rs, transform_range): each character that is written
// comes with how it relates to the characters read.
type rewriter struct {
	p     *piece
	track bool
	out   []byte
	align []span
	read  int // bytes of p.text that were read
}

func (p *piece) rewrite(track bool) rewriter {
	w := rewriter{p: p, track: track, out: make([]byte, 0, len(p.text)+len(p.text)/8+8)}
	if track {
		w.align = make([]span, 0, cap(w.out))
	}
	return w
}

// skip reads n characters that are removed.
func (w *rewriter) skip(n int) {
	for ; n > 0 && w.read < len(w.p.text); n-- {
		_, size := utf8.DecodeRuneInString(w.p.text[w.read:])
		w.read += size
	}
}

// emit writes r. change is 0 where r replaces the next character, 1 where it is inserted,
// and -n where it replaces the next and n more are removed.
func (w *rewriter) emit(r rune, change int) {
	if !w.track {
		w.out = utf8.AppendRune(w.out, r)
		return
	}
	from := len(w.out)
	w.out = utf8.AppendRune(w.out, r)
	var a span
	switch {
	case change <= 0:
		a = w.p.at(w.read)
	case w.read < 1:
		a = span{int32(w.p.base), int32(w.p.base)}
	default:
		a = w.p.at(w.read - 1)
	}
	for range len(w.out) - from {
		w.align = append(w.align, a)
	}
	if change <= 0 {
		w.skip(1 - change)
	}
}

func (w *rewriter) done() {
	w.p.text = string(w.out)
	w.p.plain = false
	w.p.align = nil
	if w.track {
		w.p.align = w.align
	}
}

// filter removes the characters for which keep is false.
func (p *piece) filter(track bool, keep func(rune) bool) {
	all := true
	for _, r := range p.text {
		if !keep(r) {
			all = false
			break
		}
	}
	if all {
		return
	}
	w := p.rewrite(track)
	last, removed, any := rune(0), 0, false
	for _, r := range p.text {
		switch {
		case !keep(r):
			removed++
			continue
		case any:
			w.emit(last, -removed)
		default:
			w.skip(removed)
		}
		last, removed, any = r, 0, true
	}
	if any {
		w.emit(last, -removed)
	}
	w.done()
}

// mapRunes replaces each character by f of it.
func (p *piece) mapRunes(track bool, f func(rune) rune) {
	same := true
	for _, r := range p.text {
		if f(r) != r {
			same = false
			break
		}
	}
	if same {
		return
	}
	w := p.rewrite(track)
	for _, r := range p.text {
		w.emit(f(r), 0)
	}
	w.done()
}

// prepend inserts s before the text, aligned with its first character.
func (p *piece) prepend(s string, track bool) {
	if len(p.text) == 0 || s == "" {
		return
	}
	if track {
		first := p.at(0)
		align := make([]span, 0, len(s)+len(p.text))
		for range len(s) {
			align = append(align, first)
		}
		if p.align != nil {
			align = append(align, p.align...)
		} else {
			for i, r := range p.text {
				n := utf8.RuneLen(r)
				for range n {
					align = append(align, span{int32(p.base + i), int32(p.base + i + n)})
				}
			}
		}
		p.align = align
	}
	p.text, p.plain = s+p.text, false
}

// splice replaces each match by content, which is aligned with the last character of the
// match.
func (p *piece) splice(matches []int, content string, track bool) {
	if len(matches) == 0 {
		return
	}
	out := make([]byte, 0, len(p.text)+len(matches)/2*len(content))
	align := []span{}
	copyTo := func(from, to int) {
		out = append(out, p.text[from:to]...)
		if !track {
			return
		}
		for i := from; i < to; i++ {
			align = append(align, p.at(i))
		}
	}
	last := 0
	for i := 0; i < len(matches); i += 2 {
		from, to := matches[i], matches[i+1]
		copyTo(last, from)
		out = append(out, content...)
		if track {
			a := span{int32(p.base), int32(p.base)}
			if to > 0 {
				a = p.at(to - 1)
			}
			for range len(content) {
				align = append(align, a)
			}
		}
		last = to
	}
	copyTo(last, len(p.text))
	p.text, p.align, p.plain = string(out), nil, false
	if track {
		p.align = align
	}
}
