package tokenizer

import (
	"strconv"
	"unicode/utf8"

	"omniloader/loader/fault"
)

// postProcessor adds special tokens to the parts of an encoding, and corrects offsets.
// It gets the encodings of one or two texts, or the result of the post-processor before.
type postProcessor interface {
	// added is the number of tokens that process adds.
	added(pair bool) int
	process(parts []*Encoding, special bool) ([]*Encoding, error)
}

var postProcessorNames = []string{"BertProcessing", "ByteLevel", "RobertaProcessing", "Sequence", "TemplateProcessing"}

// parsePostProcessor reads a "post_processor" value; null gives nil. As in the reference
// the fields decide the type of all but ByteLevel and Sequence, so a RobertaProcessing
// without trim_offsets is a BertProcessing.
func parsePostProcessor(n node) (postProcessor, error) {
	c, ok, err := n.component("post_processor")
	if err != nil || !ok {
		return nil, err
	}
	switch c.tag {
	case "", "BertProcessing", "RobertaProcessing", "ByteLevel", "TemplateProcessing", "Sequence":
	default:
		return nil, c.unknown("post_processor", postProcessorNames)
	}
	switch {
	case c.has("sep", "cls") && c.tag != "ByteLevel" && c.tag != "Sequence" && c.tag != "TemplateProcessing":
		return parseBertProcessing(&c)
	case c.tag == "ByteLevel":
		b, err := parseByteLevel(&c)
		return byteLevelOffsets(b), err
	case c.has("single", "pair", "special_tokens") && c.tag != "Sequence":
		return parseTemplate(&c)
	case c.tag == "Sequence":
		list, err := parseSequence(&c, "processors", "post_processor", parsePostProcessor)
		return postSequence(list), err
	case c.tagged:
		for _, name := range map[string][]string{"TemplateProcessing": {"single", "pair", "special_tokens"}}[c.tag] {
			if _, err := c.need(name); err != nil {
				return nil, err
			}
		}
		for _, name := range []string{"sep", "cls"} {
			if _, err := c.need(name); err != nil {
				return nil, err
			}
		}
	}
	return nil, c.unknown("post_processor", postProcessorNames)
}

type postSequence []postProcessor

func (s postSequence) added(pair bool) (n int) {
	for _, p := range s {
		n += p.added(pair)
	}
	return n
}

func (s postSequence) process(parts []*Encoding, special bool) ([]*Encoding, error) {
	var err error
	for _, p := range s {
		if parts, err = p.process(parts, special); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// special is a token with its id.
type special struct {
	text string
	id   uint32
}

func parseSpecial(n node) (s special, err error) {
	items, err := n.array("a special token")
	if err != nil {
		return s, err
	}
	if len(items) != 2 {
		return s, n.fail(fault.WrongType, "a special token must be [text, id]")
	}
	if s.text, err = items[0].str("a special token"); err != nil {
		return s, err
	}
	id, err := items[1].uint("the id of a special token", 1<<32-1)
	s.id = uint32(id)
	return s, err
}

// bertProcessing is BertProcessing, [CLS] A [SEP] B [SEP], and RobertaProcessing,
// <s> A </s> </s> B </s>.
type bertProcessing struct {
	cls, sep         special
	roberta          bool
	trim, addsPrefix bool
}

func parseBertProcessing(c *typed) (*bertProcessing, error) {
	f := &bertProcessing{}
	sep, err := c.need("sep")
	if err != nil {
		return nil, err
	}
	cls, err := c.need("cls")
	if err != nil {
		return nil, err
	}
	if f.sep, err = parseSpecial(sep); err != nil {
		return nil, err
	}
	if f.cls, err = parseSpecial(cls); err != nil {
		return nil, err
	}
	if !c.has("trim_offsets", "add_prefix_space") {
		return f, nil
	}
	f.roberta = true
	if f.trim, err = c.needBool("trim_offsets"); err != nil {
		return nil, err
	}
	f.addsPrefix, err = c.needBool("add_prefix_space")
	return f, err
}

func (f *bertProcessing) added(pair bool) int {
	switch {
	case !pair:
		return 2
	case f.roberta:
		return 4
	}
	return 3
}

func (f *bertProcessing) process(parts []*Encoding, special bool) ([]*Encoding, error) {
	if f.roberta {
		for _, e := range parts {
			if f.trim {
				e.trimAll(f.addsPrefix)
			}
			e.setType(0)
		}
	}
	if !special {
		return parts, nil
	}
	out := make([]*Encoding, len(parts))
	for i, e := range parts {
		out[i] = f.wrap(e, i)
		for _, o := range e.Overflow {
			out[i].Overflow = append(out[i].Overflow, f.wrap(o, i))
		}
	}
	return out, nil
}

func (f *bertProcessing) wrap(e *Encoding, i int) *Encoding {
	out := &Encoding{}
	sepType := uint32(0)
	switch {
	case i == 0:
		out.add(f.cls.id, f.cls.text, Offset{}, 0, -1, true)
	case f.roberta:
		out.add(f.sep.id, f.sep.text, Offset{}, 0, -1, true)
	default:
		sepType = 1
	}
	lead := out.Len()
	out.join(e)
	out.add(f.sep.id, f.sep.text, Offset{}, sepType, -1, true)
	for j := lead; j < out.Len()-1; j++ {
		out.Special[j] = false
		out.Attended[j] = true
		if f.roberta {
			out.TypeIDs[j] = 0
		}
	}
	return out
}

type byteLevelOffsets byteLevel

func (byteLevelOffsets) added(bool) int { return 0 }

func (b byteLevelOffsets) process(parts []*Encoding, _ bool) ([]*Encoding, error) {
	if b.trimOffsets {
		for _, e := range parts {
			e.trimAll(b.addPrefixSpace)
		}
	}
	return parts, nil
}

func (e *Encoding) trimAll(addsPrefix bool) {
	e.trim(addsPrefix)
	for _, o := range e.Overflow {
		o.trim(addsPrefix)
	}
}

// trim excludes white space from the offsets (byte_level.rs, process_offsets).
func (e *Encoding) trim(addsPrefix bool) {
	offsets := append([]Offset(nil), e.Offsets...) // entries of Overflow may share them
	for i, t := range e.Tokens {
		o := &offsets[i]
		lead, trail := 0, 0
		for _, r := range t {
			if r != byteChars[' '] && !isSpace(r) {
				break
			}
			lead++
		}
		for s := t; s != ""; {
			r, n := utf8.DecodeLastRuneInString(s)
			if r != byteChars[' '] && !isSpace(r) {
				break
			}
			trail++
			s = s[:len(s)-n]
		}
		if lead > 0 {
			if (i == 0 || o.Start == 0) && addsPrefix && lead == 1 {
				lead = 0 // the added space is not in the text
			}
			o.Start = min(o.Start+lead, o.End)
		}
		if trail > 0 && o.End >= trail {
			o.End = max(o.End-trail, o.Start)
		}
	}
	e.Offsets = offsets
}

// template is TemplateProcessing.
type template struct {
	single, pair []templatePiece
}

// templatePiece is one of the texts, or special tokens.
type templatePiece struct {
	text   int // 0 or 1, -1 for tokens
	tokens []special
	typeID uint32
}

func parseTemplate(c *typed) (*template, error) {
	list, err := c.need("special_tokens")
	if err != nil {
		return nil, err
	}
	o, err := list.object(`"special_tokens"`)
	if err != nil {
		return nil, err
	}
	tokens := make(map[string][]special, len(o.names))
	for i, name := range o.names {
		if tokens[name], err = parseTemplateToken(o.values[i]); err != nil {
			return nil, err
		}
	}
	t := &template{}
	single, err := c.need("single")
	if err != nil {
		return nil, err
	}
	if t.single, err = parseTemplatePieces(single, tokens, 1); err != nil {
		return nil, err
	}
	pair, err := c.need("pair")
	if err != nil {
		return nil, err
	}
	t.pair, err = parseTemplatePieces(pair, tokens, 2)
	return t, err
}

func parseTemplateToken(n node) ([]special, error) {
	o, err := n.object("a special token")
	if err != nil {
		return nil, err
	}
	if _, err := o.needStr("id"); err != nil {
		return nil, err
	}
	idList, err := o.need("ids")
	if err != nil {
		return nil, err
	}
	ids, err := idList.array(`"ids"`)
	if err != nil {
		return nil, err
	}
	textList, err := o.need("tokens")
	if err != nil {
		return nil, err
	}
	texts, err := textList.array(`"tokens"`)
	if err != nil {
		return nil, err
	}
	if len(ids) != len(texts) {
		return nil, n.fail(fault.Malformed, "%d ids and %d tokens", len(ids), len(texts))
	}
	out := make([]special, len(ids))
	for i := range ids {
		id, err := ids[i].uint("an id", 1<<32-1)
		if err != nil {
			return nil, err
		}
		out[i].id = uint32(id)
		if out[i].text, err = texts[i].str("a token"); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseTemplatePieces(n node, tokens map[string][]special, texts int) ([]templatePiece, error) {
	items, err := n.array("a template")
	if err != nil {
		return nil, err
	}
	out := make([]templatePiece, len(items))
	for i, item := range items {
		o, err := item.object("a piece of a template")
		if err != nil {
			return nil, err
		}
		if len(o.names) != 1 || o.names[0] != "Sequence" && o.names[0] != "SpecialToken" {
			return nil, item.fail(UnknownComponent, "a piece of a template must be {\"Sequence\": …} or {\"SpecialToken\": …}")
		}
		body, err := o.values[0].object("a piece of a template")
		if err != nil {
			return nil, err
		}
		id, err := body.needStr("id")
		if err != nil {
			return nil, err
		}
		typeID, err := body.needUint("type_id", 1<<32-1)
		if err != nil {
			return nil, err
		}
		out[i].typeID = uint32(typeID)
		switch {
		case o.names[0] == "SpecialToken":
			list, ok := tokens[id]
			if !ok {
				return nil, body.fail(MissingField, "the template uses %s, which special_tokens does not give", strconv.Quote(clip(id)))
			}
			out[i].text, out[i].tokens = -1, list
		case id == "A":
		case id == "B" && texts == 2:
			out[i].text = 1
		default:
			return nil, body.fail(UnknownComponent, "sequence %s in a template for %d texts", strconv.Quote(clip(id)), texts)
		}
	}
	return out, nil
}

func (t *template) added(pair bool) (n int) {
	pieces := t.single
	if pair {
		pieces = t.pair
	}
	for _, p := range pieces {
		n += len(p.tokens)
	}
	return n
}

func (t *template) process(parts []*Encoding, special bool) ([]*Encoding, error) {
	var pieces []templatePiece
	switch len(parts) {
	case 1:
		pieces = t.single
	case 2:
		pieces = t.pair
	default:
		return nil, fault.New(fault.Unsupported, "", "a template behind another template")
	}
	out := make([]*Encoding, 0, len(pieces))
	for _, p := range pieces {
		if p.text >= 0 {
			e := *parts[p.text]
			e.setType(p.typeID)
			parts[p.text].TypeIDs = e.TypeIDs
			out = append(out, &e)
			continue
		}
		if !special {
			continue
		}
		e := &Encoding{}
		for _, s := range p.tokens {
			e.add(s.id, s.text, Offset{}, p.typeID, -1, true)
		}
		out = append(out, e)
	}
	return out, nil
}
