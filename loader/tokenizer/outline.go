package tokenizer

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"math"
	"slices"
	"strconv"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
)

// Outline is what a directory's files say of its tokenizer, found without building
// it: the tokens that have a part to play with their ids, and how many ids there are.
// It reads the side files and gives ids as Load does, by the same code.
type Outline struct {
	t *Tokenizer // it cannot turn a text into tokens

	Type       string      // the model's kind as tokenizer.json spells it, "" where it does not say
	MergePairs bool        // merges are written as pairs
	Components []Component // of tokenizer.json, as they stand there
	Whole      bool        // the vocabulary was read

	Templates []ChatTemplate // as ChatTemplates gives them
	Faulty    []error        // why other templates were left out
}

// Component is a part of tokenizer.json and its type.
type Component struct {
	Part string // model, normalizer, pre_tokenizer, post_processor or decoder
	Type string
}

// Config gives what the side files say.
func (o *Outline) Config() Config { return o.t.config }

// PadToken settles the pad token as that of a Tokenizer does.
func (o *Outline) PadToken() (PadToken, bool) { return o.t.PadToken() }

// MaxID is the highest id, or -1 where the vocabulary was not read or is empty.
func (o *Outline) MaxID() int64 { return o.t.MaxID() }

// Kind names the model: BPE, WordPiece, WordLevel or Unigram; "" where no vocabulary was read.
func (o *Outline) Kind() string { return o.t.Kind() }

// TokenID gives the id of a token that the side files name.
func (o *Outline) TokenID(token string) (uint32, bool) { return o.t.TokenID(token) }

// Token gives the token of an id that config.json names, or of an added token.
func (o *Outline) Token(id uint32) (string, bool) { return o.t.Token(id) }

// Describe outlines the tokenizer in dir, whose listing is names. The error is of the
// kind fault.NotFound where no file holds a vocabulary; there is an outline even so, of
// what the side files say, if there are any. What is no fault of the files, but beyond
// this package, gives an outline without a vocabulary and no error.
func Describe(fsys fs.FS, dir string, names []string) (*Outline, error) {
	l, err := openNames(fsys, dir, names)
	if err != nil {
		return nil, err
	}
	o := &Outline{t: &Tokenizer{}}
	o.t.added.init()
	name, s := l.best()
	switch {
	case s == nil:
		o.t, err = l.withoutFile()
	case s.outline == nil:
		var data []byte
		if data, err = l.vocabularyFile(name); err == nil {
			o.t, err = s.read(l, name, data)
		}
	default:
		o.t.config.Format = s.format
		err = l.outline(o, s, name)
	}
	o.Whole = err == nil
	if kind := fault.KindOf(err); kind == fault.Unsupported || kind == UnknownComponent || kind == fault.NotFound {
		o.t = &Tokenizer{model: &sketch{most: -1}}
		o.t.added.init()
		if kind != fault.NotFound {
			err = nil
		}
	} else if err != nil {
		return nil, l.place(err)
	}
	if settleErr := l.settle(o.t); settleErr != nil {
		return nil, l.place(settleErr)
	}
	if err != nil && len(l.files) == 0 {
		return nil, err
	}
	o.Templates, o.Faulty = l.found, l.faulty
	return o, err
}

func (l *loading) outline(o *Outline, s *source, name string) error {
	data, err := l.vocabularyFile(name)
	if err != nil {
		return err
	}
	return s.outline(l, o, name, data)
}

// sketch stands in the model's place: of the vocabulary it knows the tokens that it
// was told to look for.
type sketch struct {
	model // none: a sketch encodes nothing
	name  string
	ids   map[string]int64 // of the tokens that are looked for, -1 where not seen
	// lengths has, for the low bits of a token's first byte, a bit for each length that is
	// looked for; the last is that of 63 bytes and more.
	lengths [128]uint64
	pad     int64  // the id whose token is looked for, -1 for none
	padText []byte // that token, nil where not seen
	count   int
	most    int64
}

func (m *sketch) kind() string { return m.name }
func (m *sketch) size() int    { return m.count }
func (m *sketch) maxID() int64 { return m.most }

func (m *sketch) lookup(token string) (uint32, bool) {
	id, ok := m.ids[token]
	return uint32(max(id, 0)), ok && id >= 0
}

func (m *sketch) token(id uint32) ([]byte, bool) {
	if int64(id) == m.pad && m.padText != nil {
		return m.padText, true
	}
	for token, known := range m.ids {
		if known == int64(id) {
			return []byte(token), true
		}
	}
	return nil, false
}

func (m *sketch) want(token string) {
	if token == "" {
		return
	}
	m.ids[token] = -1
	m.lengths[token[0]&0x7F] |= 1 << min(len(token), 63)
}

// see takes a token of the vocabulary. Of two with one spelling the last counts.
func (m *sketch) see(token []byte, id int64) {
	m.count++
	m.most = max(m.most, id)
	if id == m.pad {
		m.padText = bytes.Clone(token)
	}
	if len(token) == 0 || m.lengths[token[0]&0x7F]&(1<<min(len(token), 63)) == 0 {
		return
	}
	if _, ok := m.ids[string(token)]; ok {
		m.ids[string(token)] = id
	}
}

// sketch begins a sketch that looks for what the side files name.
func (l *loading) sketch(kind string, own []AddedToken) (*sketch, error) {
	m := &sketch{name: kind, ids: map[string]int64{}, pad: l.pad, most: -1}
	for _, list := range [][]AddedToken{own, l.side.decoder, l.side.extra} {
		for _, a := range list {
			m.want(a.Content)
		}
	}
	for _, role := range roleNames {
		a, _, err := l.named(role)
		if err != nil {
			return nil, err
		}
		m.want(a.Content)
	}
	for _, token := range l.side.added.names {
		m.want(token)
	}
	ofClass, _ := PadTokenOf(l.class, l.model)
	m.want(ofClass)
	return m, nil
}

// outlineJSON reads tokenizer.json in one pass. The model is looked at when the added
// tokens and the padding are known, which stand before it in what the library writes.
func (l *loading) outlineJSON(o *Outline, name string, data []byte) error {
	file := node{path: name, raw: data}
	if err := file.want(jsonscan.Object, "a tokenizer"); err != nil && file.kind() != jsonscan.Invalid {
		return err
	}
	var tokens []AddedToken
	var later node
	var hasModel, hasAdded, hasPadding bool
	var m *sketch
	begin := func() (err error) {
		if m, err = l.sketch("", tokens); err == nil && o.t.padding != nil {
			m.want(o.t.padding.Token)
		}
		o.t.model = m
		return err
	}
	s := jsonscan.New(data)
	err := s.Object(func(key []byte) (err error) {
		hasModel = hasModel || string(key) == "model"
		if string(key) == "model" && hasAdded && hasPadding {
			if err := begin(); err != nil {
				return err
			}
			return o.outlineModel(m, &s)
		}
		v, err := file.value(&s)
		if err != nil {
			return err
		}
		switch string(key) {
		case "padding":
			hasPadding = true
			o.t.padding, err = parsePadding(v)
		case "truncation":
			_, err = parseTruncation(v)
		case "added_tokens":
			hasAdded = true
			tokens, err = parseAddedTokens(v)
		case "normalizer", "pre_tokenizer", "post_processor", "decoder":
			err = o.outlinePart(string(key), v)
		case "model":
			later = v
		}
		return err
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return file.place(err)
	}
	if !hasModel {
		return file.fail(MissingField, "\"model\" is missing")
	}
	if later.raw != nil {
		if err := begin(); err != nil {
			return err
		}
		s := jsonscan.New(later.raw)
		if err := later.place(o.outlineModel(m, &s)); err != nil {
			return err
		}
	}
	return l.addSides(o.t, tokens, func(all []AddedToken) error { return o.t.added.number(all, m, nil) })
}

// outlinePart notes the types within a part. Parts may hold lists of parts.
func (o *Outline) outlinePart(part string, n node) error {
	if n.kind() != jsonscan.Object {
		return nil
	}
	v, err := n.object(part)
	if err != nil {
		return err
	}
	if kind := textOf(v, "type"); kind != "" {
		o.Components = append(o.Components, Component{part, kind})
	}
	for _, list := range [...]string{"normalizers", "pretokenizers", "processors", "decoders"} {
		inner, ok := v.optional(list)
		if !ok || inner.kind() != jsonscan.Array {
			continue
		}
		items, err := inner.array(list)
		if err != nil {
			return err
		}
		for _, item := range items {
			if err := o.outlinePart(part, item); err != nil {
				return err
			}
		}
	}
	return nil
}

// outlineModel walks the model. Files of old versions have no type; it then shows in
// the other keys. Errors name no file, and bytes as the scanner counts them.
func (o *Outline) outlineModel(m *sketch, s *jsonscan.Scanner) error {
	k := s.Kind()
	start := int64(s.Offset())
	if k != jsonscan.Object && k != jsonscan.Invalid {
		return fault.At(fault.WrongType, "", start, "a model must be an object, found "+k.String())
	}
	listed := false
	var hasVocab, hasMerges, hasLongest bool
	err := s.Object(func(key []byte) error {
		switch string(key) {
		case "type":
			v, err := node{}.value(s)
			if err == nil && !v.isNull() {
				o.Type, err = v.str(`"type"`)
				o.Components = append(o.Components, Component{"model", o.Type})
			}
			return err
		case "max_input_chars_per_word":
			hasLongest = true
		case "merges":
			hasMerges = true
			if s.Kind() != jsonscan.Array {
				break
			}
			return s.Array(func(i int) error {
				o.MergePairs = o.MergePairs || i == 0 && s.Kind() == jsonscan.Array
				_, err := s.Raw()
				return err
			})
		case "vocab":
			hasVocab = true
			if listed = s.Kind() == jsonscan.Array; listed { // Unigram: [token, score] in the order of the ids
				return s.Array(func(i int) error { return m.seePiece(s, int64(i)) })
			}
			return m.seeAll(s)
		}
		_, err := s.Raw()
		return err
	})
	switch {
	case o.Type != "":
	case listed:
		o.Type = "Unigram"
	case hasMerges:
		o.Type = "BPE"
	case hasLongest:
		o.Type = "WordPiece"
	default:
		o.Type = "WordLevel"
	}
	m.name = o.Type
	if err == nil && !hasVocab {
		return fault.At(MissingField, "", start, "\"vocab\" is missing")
	}
	return err
}

// seeAll takes {"token": id, …}.
func (m *sketch) seeAll(s *jsonscan.Scanner) error {
	if k := s.Kind(); k != jsonscan.Object && k != jsonscan.Invalid {
		return fault.At(fault.WrongType, "", int64(s.Offset()), "\"vocab\" must be an object, found "+k.String())
	}
	return s.Object(func(token []byte) error {
		s.Kind()
		at := s.Offset()
		raw, err := s.Raw()
		if err != nil {
			return err
		}
		id, ok := parseID(raw)
		if !ok {
			long, err := node{"", raw, int64(at)}.uint("the id of "+strconv.Quote(clip(token)), math.MaxUint32)
			if err != nil {
				return err
			}
			id = uint32(long)
		}
		m.see(token, int64(id))
		return nil
	})
}

// seePiece takes one element of the vocabulary of Unigram, [token, score].
func (m *sketch) seePiece(s *jsonscan.Scanner, id int64) error {
	if s.Kind() != jsonscan.Array {
		return fault.At(fault.WrongType, "", int64(s.Offset()), "a token of Unigram must be a pair, found "+s.Kind().String())
	}
	return s.Array(func(i int) error {
		if i > 0 || s.Kind() != jsonscan.String {
			_, err := s.Raw()
			return err
		}
		token, err := s.Text()
		m.see(token, id)
		return err
	})
}

// outlineTekken reads tekken.json without decoding the tokens: those that are looked
// for are put into base64 themselves.
func (l *loading) outlineTekken(o *Outline, name string, data []byte) error {
	list, special, head, err := parseTekken(name, data)
	if err != nil {
		return err
	}
	wanted, err := l.sketch("BPE", nil)
	if err != nil {
		return err
	}
	m := &sketch{name: wanted.name, ids: map[string]int64{}, pad: wanted.pad, most: -1}
	for token := range wanted.ids {
		m.want(base64.StdEncoding.EncodeToString([]byte(token)))
	}
	err = tekkenTokens(list, head, func(_ node, text string, id uint32) error {
		m.see([]byte(text), int64(id))
		return nil
	})
	if err != nil {
		return err
	}
	if m.count == 0 {
		return fault.New(BadVocabulary, name, "no token at all")
	}
	for token := range wanted.ids {
		wanted.ids[token] = m.ids[base64.StdEncoding.EncodeToString([]byte(token))]
	}
	wanted.count, wanted.most = m.count, m.most
	if text, err := base64.StdEncoding.DecodeString(string(m.padText)); err == nil && m.padText != nil {
		wanted.padText = text
	}
	o.t.model = wanted
	return o.t.added.place(name, special)
}

// outlineVocab reads vocab.json, that of a byte-level BPE or of a speech recognizer.
func (l *loading) outlineVocab(o *Outline, name string, data []byte) error {
	file, err := vocabNode(name, data)
	if err != nil {
		return err
	}
	kind, format := "BPE", formatMerges
	if !l.has(fileMerges) {
		if err := l.checkCTC(name, data); err != nil {
			return err
		}
		if file, err = languageOf(file, l.side.text("target_lang")); err != nil {
			return err
		}
		kind, format = "WordLevel", formatCTC
	}
	m, err := l.sketch(kind, nil)
	if err != nil {
		return err
	}
	s := jsonscan.New(file.raw)
	if err := file.place(m.seeAll(&s)); err != nil {
		return err
	}
	if l.has(fileMerges) && !slices.Contains(l.files, fileMerges) {
		l.files = slices.Insert(l.files, 1, fileMerges)
	}
	o.t.model, o.t.config.Format = m, format
	return l.placeSides(o.t)
}

// outlineVocabText reads vocab.txt: a token in a line.
func (l *loading) outlineVocabText(o *Outline, _ string, data []byte) error {
	m, err := l.sketch("WordPiece", nil)
	if err != nil {
		return err
	}
	id := int64(0)
	for line := range bytes.Lines(data) {
		m.see(bytes.TrimRight(line, " \t\r\n"), id)
		id++
	}
	o.t.model = m
	return l.placeSides(o.t)
}

// FileOf tells whether a file belongs to a tokenizer by its name.
func FileOf(name string) bool {
	switch name {
	case fileConfig, fileSpecial, fileAdded, fileMerges:
		return true
	}
	return versionedFile(name) || VocabularyFile([]string{name}) != ""
}
