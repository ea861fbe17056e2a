package tokenizer

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// decoder converts the texts of tokens to the parts of a text, or parts to other parts.
type decoder interface {
	decode(parts []string, b *budget) []string
}

var decoderNames = []string{"BPEDecoder", "ByteFallback", "ByteLevel", "CTC", "Fuse", "Metaspace", "Replace", "Sequence", "Strip", "WordPiece"}

// parseDecoder reads a "decoder" value; null gives nil.
func parseDecoder(n node) (decoder, error) {
	c, ok, err := n.component("decoder")
	if err != nil || !ok {
		return nil, err
	}
	switch decoderTag(&c) {
	case "BPEDecoder":
		s, err := c.needStr("suffix")
		return bpeDecoder(s), err
	case "ByteLevel":
		_, err := parseByteLevel(&c)
		return byteLevelDecoder{}, err
	case "WordPiece":
		return parseWordPieceDecoder(&c)
	case "Metaspace":
		m, err := parseMetaspace(&c)
		return metaspaceDecoder(m), err
	case "CTC":
		return parseCTCDecoder(&c)
	case "Replace":
		p, content, err := parseReplace(&c)
		return replaceDecoder{p, content}, err
	case "Fuse":
		return fuse{}, nil
	case "Strip":
		return parseStripDecoder(&c)
	case "ByteFallback":
		return byteFallbackDecoder{}, nil
	case "Sequence":
		list, err := parseSequence(&c, "decoders", "decoder", parseDecoder)
		return decoderSequence(list), err
	}
	return nil, c.unknown("decoder", decoderNames)
}

// decoderTag returns the type. As in the reference, an object without one has the
// first type whose fields it has.
func decoderTag(c *typed) string {
	switch {
	case c.tagged:
		return c.tag
	case c.has("suffix"):
		return "BPEDecoder"
	case c.has("prefix", "cleanup"):
		return "WordPiece"
	case c.has("pad_token", "word_delimiter_token", "cleanup"):
		return "CTC"
	case c.has("pattern", "content"):
		return "Replace"
	case c.has("content", "start", "stop"):
		return "Strip"
	}
	return ""
}

func parseWordPieceDecoder(c *typed) (d wordPieceDecoder, err error) {
	if d.prefix, err = c.needStr("prefix"); err != nil {
		return d, err
	}
	d.cleanup, err = c.needBool("cleanup")
	return d, err
}

func parseCTCDecoder(c *typed) (d ctcDecoder, err error) {
	if d.pad, err = c.needStr("pad_token"); err != nil {
		return d, err
	}
	if d.delimiter, err = c.needStr("word_delimiter_token"); err != nil {
		return d, err
	}
	d.cleanup, err = c.needBool("cleanup")
	return d, err
}

func parseStripDecoder(c *typed) (d stripDecoder, err error) {
	if d.content, err = c.needChar("content"); err != nil {
		return d, err
	}
	if d.start, err = c.needUint("start", 1<<63); err != nil {
		return d, err
	}
	d.stop, err = c.needUint("stop", 1<<63)
	return d, err
}

type decoderSequence []decoder

func (s decoderSequence) decode(parts []string, b *budget) []string {
	before := total(parts)
	for _, d := range s {
		parts = d.decode(parts, b)
		after := total(parts)
		if b.grow(after-before) != nil || b.err != nil {
			break
		}
		before = after
	}
	return parts
}

func total(parts []string) (n int) {
	for _, p := range parts {
		n += len(p)
	}
	return n
}

type fuse struct{}

func (fuse) decode(parts []string, _ *budget) []string { return []string{strings.Join(parts, "")} }

// bpeDecoder replaces the suffix that ends a word by a space.
type bpeDecoder string

func (d bpeDecoder) decode(parts []string, _ *budget) []string {
	for i := range parts {
		with := " "
		if i == len(parts)-1 {
			with = ""
		}
		parts[i] = strings.ReplaceAll(parts[i], string(d), with)
	}
	return parts
}

type byteLevelDecoder struct{}

func (byteLevelDecoder) decode(parts []string, _ *budget) []string {
	var out []byte
	for _, p := range parts {
		from := len(out)
		for _, r := range p {
			b := charByte(r)
			if b < 0 { // a token with other characters is kept as it is
				out = append(out[:from], p...)
				break
			}
			out = append(out, byte(b))
		}
	}
	return []string{repair(string(out))}
}

type wordPieceDecoder struct {
	prefix  string
	cleanup bool
}

func (d wordPieceDecoder) decode(parts []string, _ *budget) []string {
	for i, p := range parts {
		if i > 0 {
			if rest, ok := strings.CutPrefix(p, d.prefix); ok {
				p = rest
			} else {
				p = " " + p
			}
		}
		if d.cleanup {
			p = cleanUp(p)
		}
		parts[i] = p
	}
	return parts
}

// cleanUp removes the spaces before English punctuation and contractions, in the order
// of the reference.
func cleanUp(s string) string {
	for _, step := range cleanUps {
		s = strings.ReplaceAll(s, step[0], step[1])
	}
	return s
}

var cleanUps = [...][2]string{{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"},
	{" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}}

type metaspaceDecoder metaspace

func (d metaspaceDecoder) decode(parts []string, _ *budget) []string {
	for i, p := range parts {
		with := " "
		if i == 0 && d.scheme != prependNever {
			with = ""
		}
		parts[i] = strings.ReplaceAll(p, string(d.mark), with)
	}
	return parts
}

// ctcDecoder merges repeated tokens, as the output of a CTC model needs.
type ctcDecoder struct {
	pad, delimiter string
	cleanup        bool
}

func (d ctcDecoder) decode(parts []string, _ *budget) []string {
	var out []string
	for i, p := range parts {
		if i > 0 && p == parts[i-1] {
			continue
		}
		if d.pad != "" {
			p = strings.ReplaceAll(p, d.pad, "")
		}
		if d.cleanup {
			p = strings.ReplaceAll(cleanUp(p), d.delimiter, " ")
		}
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

type replaceDecoder struct {
	pattern *pattern
	content string
}

func (d replaceDecoder) decode(parts []string, b *budget) []string {
	grown := 0
	for i, p := range parts {
		var out strings.Builder
		last := 0
		err := d.pattern.each(p, b, func(from, to int) error {
			if grown += len(d.content) - (to - from); grown > b.room {
				return b.grow(grown)
			}
			out.WriteString(p[last:from])
			out.WriteString(d.content)
			last = to
			return nil
		})
		if err != nil { // the rest is not replaced
			b.err = err
			break
		}
		out.WriteString(p[last:])
		parts[i] = out.String()
	}
	return parts
}

type stripDecoder struct {
	content     rune
	start, stop uint64
}

func (d stripDecoder) decode(parts []string, _ *budget) []string {
	for i, p := range parts {
		for n := uint64(0); n < d.start && p != ""; n++ {
			r, size := utf8.DecodeRuneInString(p)
			if r != d.content {
				break
			}
			p = p[size:]
		}
		for n := uint64(0); n < d.stop && p != ""; n++ {
			r, size := utf8.DecodeLastRuneInString(p)
			if r != d.content {
				break
			}
			p = p[:len(p)-size]
		}
		parts[i] = p
	}
	return parts
}

// byteFallbackDecoder joins runs of tokens such as <0xE2>. The bytes of a run that is not
// UTF-8 become one U+FFFD each.
type byteFallbackDecoder struct{}

func (byteFallbackDecoder) decode(parts []string, _ *budget) []string {
	out := make([]string, 0, len(parts))
	var run []byte
	flush := func() {
		if len(run) == 0 {
			return
		}
		if utf8.Valid(run) {
			out = append(out, string(run))
		} else {
			for range run {
				out = append(out, "\uFFFD")
			}
		}
		run = run[:0]
	}
	for _, p := range parts {
		if len(p) == 6 && strings.HasPrefix(p, "<0x") && p[5] == '>' {
			digits := p[3:5]
			if digits[0] == '+' {
				digits = digits[1:]
			}
			if b, err := strconv.ParseUint(digits, 16, 8); err == nil {
				run = append(run, byte(b))
				continue
			}
		}
		flush()
		out = append(out, p)
	}
	flush()
	return out
}
