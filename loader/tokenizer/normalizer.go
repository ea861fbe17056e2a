package tokenizer

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"omniloader/loader/fault"
)

// normalizer changes the text of a piece before it is split. With track it keeps the
// alignment with the original.
type normalizer interface {
	normalize(p *piece, track bool, b *budget) error
}

// normalizerNames are the types of normalizers, for messages.
var normalizerNames = []string{"BertNormalizer", "ByteLevel", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Nmt",
	"Precompiled", "Prepend", "Replace", "Sequence", "Strip", "StripAccents"}

// parseNormalizer reads a "normalizer" value; null gives nil.
func parseNormalizer(n node) (normalizer, error) {
	c, ok, err := n.component("normalizer")
	if err != nil || !ok {
		return nil, err
	}
	switch normalizerTag(&c) {
	case "BertNormalizer", "Bert":
		return parseBertNormalizer(&c)
	case "Strip":
		return parseStripNormalizer(&c)
	case "StripAccents":
		return stripAccents{}, nil
	case "NFC":
		return unicodeForm{compose: true}, nil
	case "NFD":
		return unicodeForm{}, nil
	case "NFKC":
		return unicodeForm{compose: true, compat: true}, nil
	case "NFKD":
		return unicodeForm{compat: true}, nil
	case "Lowercase":
		return lowercase{}, nil
	case "Nmt":
		return nmt{}, nil
	case "ByteLevel":
		return byteLevelNormalizer{}, nil
	case "Prepend":
		s, err := c.needStr("prepend")
		return prependNormalizer(s), err
	case "Replace":
		pattern, content, err := parseReplace(&c)
		return &replaceNormalizer{pattern, content}, err
	case "Precompiled":
		return parsePrecompiled(&c)
	case "Sequence":
		list, err := parseSequence(&c, "normalizers", "normalizer", parseNormalizer)
		return normalizerSequence(list), err
	}
	return nil, c.unknown("normalizer", normalizerNames)
}

// normalizerTag returns the type. As in the reference, an object without one, from an
// old file, has the first type whose fields it has.
func normalizerTag(c *typed) string {
	switch {
	case c.tagged:
		return c.tag
	case c.has("clean_text", "handle_chinese_chars", "lowercase"):
		return "BertNormalizer"
	case c.has("strip_left", "strip_right"):
		return "Strip"
	case c.has("normalizers"):
		return "Sequence"
	case c.has("precompiled_charsmap"):
		return "Precompiled"
	case c.has("pattern", "content"):
		return "Replace"
	case c.has("prepend"):
		return "Prepend"
	}
	return ""
}

func parseStripNormalizer(c *typed) (n stripNormalizer, err error) {
	if n.left, err = c.needBool("strip_left"); err != nil {
		return n, err
	}
	n.right, err = c.needBool("strip_right")
	return n, err
}

func parsePrecompiled(c *typed) (normalizer, error) {
	m, err := c.need("precompiled_charsmap")
	if err != nil {
		return nil, err
	}
	text, err := m.str(`"precompiled_charsmap"`)
	if err != nil {
		return nil, err
	}
	blob, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, m.fail(fault.Malformed, "precompiled_charsmap is not base64")
	}
	p, err := newCharsMap(blob)
	if err != nil {
		return nil, m.fail(fault.Malformed, "precompiled_charsmap: %v", err)
	}
	return p, nil
}

func parseReplace(c *typed) (*pattern, string, error) {
	n, err := c.need("pattern")
	if err != nil {
		return nil, "", err
	}
	p, err := parsePattern(n)
	if err != nil {
		return nil, "", err
	}
	content, err := c.needStr("content")
	return p, content, err
}

type normalizerSequence []normalizer

func (s normalizerSequence) normalize(p *piece, track bool, b *budget) error {
	for _, n := range s {
		before := len(p.text)
		if err := n.normalize(p, track, b); err != nil {
			return err
		}
		if err := b.grow(len(p.text) - before); err != nil {
			return err
		}
	}
	return nil
}

type stripNormalizer struct{ left, right bool }

func (n stripNormalizer) normalize(p *piece, _ bool, _ *budget) error {
	from, to := 0, len(p.text)
	for n.left && from < to {
		r, size := utf8.DecodeRuneInString(p.text[from:to])
		if !isSpace(r) {
			break
		}
		from += size
	}
	for n.right && to > from {
		r, size := utf8.DecodeLastRuneInString(p.text[from:to])
		if !isSpace(r) {
			break
		}
		to -= size
	}
	if from > 0 || to < len(p.text) {
		if p.align == nil && !p.plain {
			p.text = p.text[from:to]
			return nil
		}
		base := p.base
		*p = p.slice(from, to)
		if p.align == nil {
			return nil // still plain: a slice of the original
		}
		p.base = base
	}
	return nil
}

type stripAccents struct{}

func (stripAccents) normalize(p *piece, track bool, _ *budget) error {
	s := sets()
	p.filter(track, func(r rune) bool { return r < 0x300 || !s.mark.has(s.tables, r) })
	return nil
}

type lowercase struct{}

func (lowercase) normalize(p *piece, track bool, _ *budget) error {
	same := true
	for _, r := range p.text {
		if l, second := toLower(r); l != r || second != 0 {
			same = false
			break
		}
	}
	if same {
		return nil
	}
	w := p.rewrite(track)
	for _, r := range p.text {
		l, second := toLower(r)
		w.emit(l, 0)
		if second != 0 {
			w.emit(second, 1)
		}
	}
	w.done()
	return nil
}

type prependNormalizer string

func (n prependNormalizer) normalize(p *piece, track bool, _ *budget) error {
	p.prepend(string(n), track)
	return nil
}

type replaceNormalizer struct {
	pattern *pattern
	content string
}

func (n *replaceNormalizer) normalize(p *piece, track bool, b *budget) error {
	var matches []int
	grown := 0
	err := n.pattern.each(p.text, b, func(from, to int) error {
		matches = append(matches, from, to)
		if grown += len(n.content) - (to - from); grown > b.room {
			return b.grow(grown)
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.splice(matches, n.content, track)
	return nil
}

// nmt is the NMT normalizer of SentencePiece: it removes control characters and makes
// other white space a space.
type nmt struct{}

func (nmt) normalize(p *piece, track bool, _ *budget) error {
	p.filter(track, func(r rune) bool {
		return !(r >= 1 && r <= 8 || r == 0x0B || r >= 0x0E && r <= 0x1F || r == 0x7F || r == 0x8F || r == 0x9F)
	})
	p.mapRunes(track, func(r rune) rune {
		switch {
		case r == 9, r == 10, r == 12, r == 13, r == 0x1680, r >= 0x200B && r <= 0x200F,
			r == 0x2028, r == 0x2029, r == 0x2581, r == 0xFEFF, r == 0xFFFD:
			return ' '
		}
		return r
	})
	return nil
}

// byteLevelNormalizer replaces each byte by the character of byteChars.
type byteLevelNormalizer struct{}

func (byteLevelNormalizer) normalize(p *piece, track bool, _ *budget) error {
	p.toByteChars(track)
	return nil
}

func (p *piece) toByteChars(track bool) {
	if len(p.text) == 0 {
		return
	}
	w := p.rewrite(track)
	for i := range len(p.text) {
		change := 1
		if utf8.RuneStart(p.text[i]) {
			change = 0
		}
		w.emit(byteChars[p.text[i]], change)
	}
	w.done()
}

// byteChars are the characters for bytes in byte-level vocabularies (GPT-2): printable
// bytes of Latin-1 are themselves, the others are U+0100 and following.
var byteChars = func() (t [256]rune) {
	next := rune(256)
	for b := range t {
		switch {
		case b >= '!' && b <= '~', b >= 0xA1 && b <= 0xAC, b >= 0xAE:
			t[b] = rune(b)
		default:
			t[b] = next
			next++
		}
	}
	return t
}()

// charByte is the inverse of byteChars, -1 where r is not one of them.
func charByte(r rune) int {
	if uint32(r) < uint32(len(charBytes)) {
		return int(charBytes[r])
	}
	return -1
}

var charBytes = func() (t [324]int16) {
	for i := range t {
		t[i] = -1
	}
	for b, r := range byteChars {
		t[r] = int16(b)
	}
	return t
}()

type bertNormalizer struct{ clean, chinese, accents, lower bool }

func parseBertNormalizer(c *typed) (n bertNormalizer, err error) {
	if n.clean, err = c.needBool("clean_text"); err != nil {
		return n, err
	}
	if n.chinese, err = c.needBool("handle_chinese_chars"); err != nil {
		return n, err
	}
	if n.lower, err = c.needBool("lowercase"); err != nil {
		return n, err
	}
	n.accents, err = c.boolOr("strip_accents", n.lower, true)
	return n, err
}

func (n bertNormalizer) normalize(p *piece, track bool, b *budget) error {
	s := sets()
	if n.clean {
		p.filter(track, func(r rune) bool {
			switch {
			case r == '\t', r == '\n', r == '\r':
				return true
			case r == 0, r == 0xFFFD:
				return false
			case r < 0x7F:
				return r >= ' '
			}
			return !s.bertOther.has(s.tables, r)
		})
		p.mapRunes(track, func(r rune) rune {
			if isSpace(r) {
				return ' '
			}
			return r
		})
	}
	if n.chinese && strings.ContainsFunc(p.text, isIdeograph) {
		w := p.rewrite(track)
		for _, r := range p.text {
			if isIdeograph(r) {
				w.emit(' ', 0)
				w.emit(r, 1)
				w.emit(' ', 1)
			} else {
				w.emit(r, 0)
			}
		}
		w.done()
	}
	if n.accents {
		if err := (unicodeForm{}).normalize(p, track, b); err != nil {
			return err
		}
		p.filter(track, func(r rune) bool { return r < 0x300 || !s.bertMark.has(s.tables, r) })
	}
	if n.lower {
		return lowercase{}.normalize(p, track, b)
	}
	return nil
}

// isIdeograph reports whether BERT treats r as a Chinese character (its ranges do not
// include 2B820-2B91F).
func isIdeograph(r rune) bool {
	return r >= 0x3400 && (r >= 0x4E00 && r <= 0x9FFF || r <= 0x4DBF || r >= 0x20000 && r <= 0x2A6DF ||
		r >= 0x2A700 && r <= 0x2B81F || r >= 0x2B920 && r <= 0x2CEAF || r >= 0xF900 && r <= 0xFAFF ||
		r >= 0x2F800 && r <= 0x2FA1F)
}
