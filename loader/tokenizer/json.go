package tokenizer

import (
	"bytes"
	"math"
	"strconv"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
)

// fromJSON reads a tokenizer.json; errors name path. It fails where the file is not
// JSON, where a component is unknown or lacks a field, and where vocabulary and merges
// contradict each other; the error has the byte.
func fromJSON(path string, data []byte) (*Tokenizer, error) {
	t, tokens, err := parseJSON(path, data)
	if err != nil {
		return nil, err
	}
	if err := t.assemble(tokens); err != nil {
		return nil, err
	}
	return t, nil
}

// maxNesting is how many levels of arrays and objects a component may have. A Sequence
// within a Sequence has two; each level is scanned again by the one around it.
const maxNesting = 32

// nesting is the number of levels of a valid JSON value.
func nesting(raw []byte) (deepest int) {
	depth, inText := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			inText = !inText
		case inText && c == '\\':
			i++
		case inText:
		case c == '{', c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}', c == ']':
			depth--
		}
	}
	return deepest
}

// parseJSON reads the components and the added tokens, which assemble puts together.
func parseJSON(path string, data []byte) (*Tokenizer, []AddedToken, error) {
	if len(data) == 0 {
		return nil, nil, fault.New(fault.Empty, path, "")
	}
	file := node{path: path, raw: data}
	t := &Tokenizer{}
	var tokens []AddedToken
	s := jsonscan.New(data)
	if k := s.Kind(); k != jsonscan.Object && k != jsonscan.Invalid {
		return nil, nil, file.fail(fault.WrongType, "a tokenizer must be an object, found %s", k)
	}
	err := s.Object(func(name []byte) error {
		at := s.Offset()
		key := string(name)
		v, err := file.value(&s)
		if err != nil {
			return err
		}
		if key != "model" && key != "added_tokens" && nesting(v.raw) > maxNesting {
			return v.fail(fault.TooLarge, "%q is nested deeper than %d", clip(key), maxNesting)
		}
		switch key {
		case "version":
			version, err := v.str(`"version"`)
			if err == nil && version != "1.0" {
				err = v.fail(fault.Unsupported, "tokenizer version %s, this reader knows 1.0", strconv.Quote(clip(version)))
			}
			return err
		case "truncation":
			t.truncation, err = parseTruncation(v)
		case "padding":
			t.padding, err = parsePadding(v)
		case "added_tokens":
			tokens, err = parseAddedTokens(v)
		case "normalizer":
			t.normalizer, err = parseNormalizer(v)
		case "pre_tokenizer":
			t.preTokenizer, err = parsePreTokenizer(v)
		case "post_processor":
			t.postProcessor, err = parsePostProcessor(v)
		case "decoder":
			t.decoder, err = parseDecoder(v)
		case "model":
			t.model, err = parseModel(v)
		default:
			return fault.At(UnknownComponent, path, int64(at), "member "+strconv.Quote(clip(key))+" is no part of a tokenizer")
		}
		return err
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return nil, nil, file.locate(err)
	}
	if t.model == nil {
		return nil, nil, file.fail(MissingField, "\"model\" is missing")
	}
	return t, tokens, nil
}

// addedKeys are the members of an added token.
var addedKeys = []string{"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"}

func parseAddedTokens(n node) ([]AddedToken, error) {
	if err := n.want(jsonscan.Array, `"added_tokens"`); err != nil {
		return nil, err
	}
	var out []AddedToken
	s := jsonscan.New(n.raw)
	err := s.Array(func(int) error {
		v, err := n.value(&s)
		if err != nil {
			return err
		}
		o, err := v.pick("an added token", addedKeys...)
		if err != nil {
			return err
		}
		var t AddedToken
		id, err := o.needUint("id", math.MaxUint32)
		if err != nil {
			return err
		}
		t.ID = uint32(id)
		if t.Content, err = o.needStr("content"); err != nil {
			return err
		}
		for _, flag := range []struct {
			name string
			to   *bool
		}{{"single_word", &t.SingleWord}, {"lstrip", &t.LStrip}, {"rstrip", &t.RStrip}, {"normalized", &t.Normalized}, {"special", &t.Special}} {
			if *flag.to, err = o.needBool(flag.name); err != nil {
				return err
			}
		}
		out = append(out, t)
		return nil
	})
	return out, n.locate(err)
}

var modelNames = []string{"BPE", "Unigram", "WordLevel", "WordPiece"}

// parseModel reads a "model" value. As in the reference, a model without a type, from an
// old file, has the first type whose fields it has.
func parseModel(n node) (model, error) {
	c, ok, err := n.component("model")
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, n.fail(fault.WrongType, "a model must be an object, found null")
	}
	tag := c.tag
	if !c.tagged {
		switch vocab, _ := c.lookup("vocab"); {
		case vocab.kind() == jsonscan.Array:
			tag = "Unigram"
		case c.has("vocab", "merges"):
			tag = "BPE"
		case c.has("vocab", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word"):
			tag = "WordPiece"
		case c.has("vocab", "unk_token"):
			tag = "WordLevel"
		}
	}
	switch tag {
	case "BPE":
		return parseBPE(&c)
	case "WordPiece":
		return parseWordPiece(&c)
	case "WordLevel":
		return parseWordLevel(&c)
	case "Unigram":
		return parseUnigram(&c)
	}
	return nil, c.unknown("model", modelNames)
}

// parseVocab reads {"token": id, …}.
func parseVocab(n node) (*vocabulary, error) {
	if err := n.want(jsonscan.Object, `"vocab"`); err != nil {
		return nil, err
	}
	// A token of a vocabulary takes at least 14 bytes of the file. Too low an estimate
	// costs a second table, too high an estimate costs memory.
	v := newVocabulary(len(n.raw)/24, len(n.raw)/2)
	s := jsonscan.New(n.raw)
	err := s.Object(func(name []byte) error {
		if uint64(len(v.arena))+uint64(len(name)) > math.MaxUint32 {
			return n.fail(fault.TooLarge, "more than 4 GiB of tokens")
		}
		s.Kind()
		at := s.Offset()
		raw, err := s.Raw()
		if err != nil {
			return err
		}
		id, ok := parseID(raw)
		if !ok {
			long, err := node{n.path, raw, n.off + int64(at)}.uint("the id of "+strconv.Quote(clip(name)), math.MaxUint32)
			if err != nil {
				return err
			}
			id = uint32(long)
		}
		v.add(name, id)
		return nil
	})
	if err != nil {
		return nil, n.locate(err)
	}
	v.arena = bytes.Clone(v.arena)
	return v, nil
}

// parseID parses an integer of at most 9 digits.
func parseID(raw []byte) (id uint32, ok bool) {
	if len(raw) == 0 || len(raw) > 9 {
		return 0, false
	}
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		id = id*10 + uint32(c-'0')
	}
	return id, true
}

func parseBPE(c *typed) (*bpe, error) {
	m := &bpe{}
	if d, ok := c.optional("dropout"); ok {
		p, err := d.float(`"dropout"`)
		if err != nil {
			return nil, err
		}
		if p < 0 || p > 1 {
			return nil, d.fail(fault.Malformed, "a dropout of %v is not between 0 and 1", p)
		}
		m.noMerges = p == 1 // between is random, for training only
	}
	for _, f := range []struct {
		name string
		to   *string
	}{{"unk_token", &m.unk}, {"continuing_subword_prefix", &m.prefix}, {"end_of_word_suffix", &m.suffix}} {
		n, ok := c.optional(f.name)
		if !ok {
			continue
		}
		var err error
		if *f.to, err = n.str(strconv.Quote(f.name)); err != nil {
			return nil, err
		}
		m.hasUnk = m.hasUnk || f.name == "unk_token"
	}
	for _, f := range []struct {
		name string
		to   *bool
	}{{"fuse_unk", &m.fuseUnk}, {"byte_fallback", &m.byteFallback}, {"ignore_merges", &m.ignoreMerges}} {
		var err error
		if *f.to, err = c.boolOr(f.name, false, true); err != nil {
			return nil, err
		}
	}
	vocab, err := c.need("vocab")
	if err != nil {
		return nil, err
	}
	list, err := c.need("merges")
	if err != nil {
		return nil, err
	}
	if m.vocab, err = parseVocab(vocab); err != nil {
		return nil, err
	}
	if err := m.parseMerges(list); err != nil {
		return nil, err
	}
	m.finish()
	return m, nil
}

// mergesParser reads the merges of a BPE model.
type mergesParser struct {
	list    node
	scan    jsonscan.Scanner
	builder mergeBuilder
}

// parseMerges reads ["a b", …] or [["a", "b"], …]; the first element decides.
func (m *bpe) parseMerges(n node) error {
	if err := n.want(jsonscan.Array, `"merges"`); err != nil {
		return err
	}
	p := &mergesParser{n, jsonscan.New(n.raw), newMergeBuilder(m.vocab, m.prefix, len(n.raw)/16)}
	pairs := false
	err := p.scan.Array(func(i int) error {
		kind := p.scan.Kind()
		if i == 0 {
			pairs = kind == jsonscan.Array
		}
		if pairs {
			return p.pair(kind)
		}
		return p.line(kind)
	})
	m.merges = p.builder.merges
	return n.locate(err)
}

// fail is an error at an offset of the list.
func (p *mergesParser) fail(at int, kind fault.Kind, format string, args ...any) error {
	return node{path: p.list.path, off: p.list.off + int64(at)}.fail(kind, format, args...)
}

// line reads a merge of the form "a b".
func (p *mergesParser) line(kind jsonscan.Kind) error {
	at := p.scan.Offset()
	if kind != jsonscan.String {
		return p.fail(at, fault.WrongType, "a merge must be a string as those before it, found %s", kind)
	}
	line, err := p.scan.Text()
	if err != nil {
		return err
	}
	if bytes.HasPrefix(line, []byte("#version")) {
		return nil
	}
	left, right, ok := bytes.Cut(line, []byte(" "))
	if !ok || bytes.IndexByte(right, ' ') >= 0 {
		return p.fail(at, BadVocabulary, "merge %q is not two tokens with a space between", clip(line))
	}
	if bad := p.builder.add(left, right); bad != "" {
		return p.fail(at, BadVocabulary, "%s", bad)
	}
	return nil
}

// pair reads a merge of the form ["a", "b"].
func (p *mergesParser) pair(kind jsonscan.Kind) error {
	at := p.scan.Offset()
	if kind != jsonscan.Array {
		return p.fail(at, fault.WrongType, "a merge must be a pair as those before it, found %s", kind)
	}
	var left []byte
	count := 0
	err := p.scan.Array(func(i int) error {
		count++
		if k := p.scan.Kind(); k != jsonscan.String || i > 1 {
			return p.fail(at, fault.WrongType, "a merge must be a pair of strings")
		}
		text, err := p.scan.Text()
		if err != nil {
			return err
		}
		if i == 0 {
			left = text
			return nil
		}
		if bad := p.builder.add(left, text); bad != "" {
			return p.fail(at, BadVocabulary, "%s", bad)
		}
		return nil
	})
	if err == nil && count != 2 {
		err = p.fail(at, fault.WrongType, "a merge must be a pair of strings")
	}
	return err
}

func parseWordPiece(c *typed) (*wordPiece, error) {
	m := &wordPiece{}
	var err error
	if m.unk, err = c.needStr("unk_token"); err != nil {
		return nil, err
	}
	if m.prefix, err = c.needStr("continuing_subword_prefix"); err != nil {
		return nil, err
	}
	if m.maxChars, err = c.needUint("max_input_chars_per_word", math.MaxUint64); err != nil {
		return nil, err
	}
	vocab, err := c.need("vocab")
	if err != nil {
		return nil, err
	}
	if m.vocab, err = parseVocab(vocab); err != nil {
		return nil, err
	}
	m.finish()
	return m, nil
}

func (m *wordPiece) finish() {
	m.vocab.finish()
	m.longest = m.vocab.longest()
}

func parseWordLevel(c *typed) (*wordLevel, error) {
	m := &wordLevel{}
	var err error
	if m.unk, err = c.needStr("unk_token"); err != nil {
		return nil, err
	}
	vocab, err := c.need("vocab")
	if err != nil {
		return nil, err
	}
	if m.vocab, err = parseVocab(vocab); err != nil {
		return nil, err
	}
	m.vocab.finish()
	return m, nil
}

// parseUnigram reads [["token", score], …].
func parseUnigram(c *typed) (*unigram, error) {
	list, err := c.need("vocab")
	if err != nil {
		return nil, err
	}
	m := newUnigram(len(list.raw)/32, len(list.raw)/2)
	if m.byteFallback, err = c.boolOr("byte_fallback", false, false); err != nil {
		return nil, err
	}
	if err := list.want(jsonscan.Array, `"vocab"`); err != nil {
		return nil, err
	}
	if err := m.parsePieces(list); err != nil {
		return nil, err
	}
	if u, ok := c.optional("unk_id"); ok {
		id, err := u.uint(`"unk_id"`, math.MaxUint64)
		if err != nil {
			return nil, err
		}
		if id >= uint64(len(m.scores)) {
			return nil, u.fail(BadVocabulary, "unk_id %d, the vocabulary has %d tokens", id, len(m.scores))
		}
		m.unkID = int64(id)
	}
	m.finish()
	return m, nil
}

// parsePieces reads the vocabulary of Unigram, [["token", score], …].
func (m *unigram) parsePieces(list node) error {
	s := jsonscan.New(list.raw)
	return list.locate(s.Array(func(int) error {
		kind := s.Kind()
		at := s.Offset()
		bad := func(kind fault.Kind) error {
			return node{path: list.path, off: list.off + int64(at)}.fail(kind, "a token must be [text, score]")
		}
		if kind != jsonscan.Array {
			return bad(fault.WrongType)
		}
		var text []byte
		count, score := 0, 0.0
		err := s.Array(func(i int) error {
			count++
			var err error
			switch k := s.Kind(); {
			case i == 0 && k == jsonscan.String:
				text, err = s.Text()
			case i == 1 && k == jsonscan.Number:
				raw, e := s.Raw()
				if e != nil {
					return e
				}
				score, err = strconv.ParseFloat(string(raw), 64)
				if err != nil || math.IsNaN(score) || math.IsInf(score, 0) {
					return bad(BadVocabulary)
				}
			default:
				return bad(fault.WrongType)
			}
			return err
		})
		if err == nil && count != 2 {
			err = bad(fault.WrongType)
		}
		if err == nil {
			m.add(text, score)
		}
		return err
	}))
}
