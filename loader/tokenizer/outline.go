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

// Outline describes the tokenizer of a directory without building it: the special
// tokens with their ids, and how many ids there are. The config files are read and the
// ids assigned by the same code as for Load.
type Outline struct {
	t *Tokenizer // its model is a partialModel, so it cannot encode

	Type       string      // the type of the model in tokenizer.json, "" where there is none
	MergePairs bool        // tokenizer.json has merges as pairs, not as strings
	Components []Component // of tokenizer.json, in its order
	Whole      bool        // the vocabulary was read

	Templates []ChatTemplate // as ChatTemplates returns them
	Faulty    []error        // errors of templates that could not be read
}

// Component is a component of tokenizer.json and its type.
type Component struct {
	Part string // model, normalizer, pre_tokenizer, post_processor or decoder
	Type string
}

// Config returns what the config files say.
func (o *Outline) Config() Config { return o.t.config }

// PadToken is that of Tokenizer.
func (o *Outline) PadToken() (PadToken, bool) { return o.t.PadToken() }

// MaxID is the highest id, or -1 where the vocabulary was not read or is empty.
func (o *Outline) MaxID() int64 { return o.t.MaxID() }

// Kind names the model: BPE, WordPiece, WordLevel or Unigram; "" where no vocabulary was read.
func (o *Outline) Kind() string { return o.t.Kind() }

// TokenID returns the id of a token that the config files name.
func (o *Outline) TokenID(token string) (uint32, bool) { return o.t.TokenID(token) }

// Token returns the token of the pad token id of config.json, or an added token.
func (o *Outline) Token(id uint32) (string, bool) { return o.t.Token(id) }

// Describe outlines the tokenizer in dir, whose files are names. The error is of the kind
// fault.NotFound where there is no vocabulary; with it there is an outline of the config
// files, if there are any. For files that are valid but not supported by this package it
// returns an outline without a vocabulary and no error.
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
		o.t = &Tokenizer{model: &partialModel{highest: -1}}
		o.t.added.init()
		if kind != fault.NotFound {
			err = nil
		}
	} else if err != nil {
		return nil, l.inDirectory(err)
	}
	if configErr := l.setConfig(o.t); configErr != nil {
		return nil, l.inDirectory(configErr)
	}
	if err != nil && len(l.files) == 0 {
		return nil, err
	}
	o.Templates, o.Faulty = l.chatTemplates, l.templateErrs
	return o, err
}

func (l *directoryLoader) outline(o *Outline, s *vocabularySource, name string) error {
	data, err := l.vocabularyFile(name)
	if err != nil {
		return err
	}
	return s.outline(l, o, name, data)
}

// partialModel is a model that knows only some tokens of the vocabulary, those that it
// looks for. It cannot encode.
type partialModel struct {
	model // nil
	name  string
	ids   map[string]int64 // of the tokens that it looks for, -1 where not found
	// lengths is a filter: by the lower 7 bits of the first byte, a bit for each length of
	// the tokens that it looks for; the last bit is for 63 bytes and more.
	lengths [128]uint64
	pad     int64  // an id whose token it looks for, -1 for none
	padText []byte // that token, nil where not found
	count   int
	highest int64
}

func (m *partialModel) kind() string { return m.name }
func (m *partialModel) size() int    { return m.count }
func (m *partialModel) maxID() int64 { return m.highest }

func (m *partialModel) lookup(token string) (uint32, bool) {
	id, ok := m.ids[token]
	return uint32(max(id, 0)), ok && id >= 0
}

func (m *partialModel) token(id uint32) ([]byte, bool) {
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

func (m *partialModel) lookFor(token string) {
	if token == "" {
		return
	}
	m.ids[token] = -1
	m.lengths[token[0]&0x7F] |= 1 << min(len(token), 63)
}

// addToken adds a token of the vocabulary. Of equal tokens the last counts.
func (m *partialModel) addToken(token []byte, id int64) {
	m.count++
	m.highest = max(m.highest, id)
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

// newPartialModel returns a model that looks for the tokens of the config files and for
// own.
func (l *directoryLoader) newPartialModel(kind string, own []AddedToken) (*partialModel, error) {
	m := &partialModel{name: kind, ids: map[string]int64{}, pad: l.pad, highest: -1}
	for _, list := range [][]AddedToken{own, l.side.decoder, l.side.extra} {
		for _, a := range list {
			m.lookFor(a.Content)
		}
	}
	for _, role := range roleNames {
		a, _, err := l.named(role)
		if err != nil {
			return nil, err
		}
		m.lookFor(a.Content)
	}
	for _, token := range l.side.added.names {
		m.lookFor(token)
	}
	ofClass, _ := padTokenOf(l.class, l.model)
	m.lookFor(ofClass)
	return m, nil
}

// outlineJSON reads tokenizer.json. The model is read when the added tokens and the
// padding are known: in one pass where they precede it, as the library writes them.
func (l *directoryLoader) outlineJSON(o *Outline, name string, data []byte) error {
	file := node{path: name, raw: data}
	if err := file.want(jsonscan.Object, "a tokenizer"); err != nil && file.kind() != jsonscan.Invalid {
		return err
	}
	var tokens []AddedToken
	var later node
	var hasModel, hasAdded, hasPadding bool
	var m *partialModel
	begin := func() (err error) {
		if m, err = l.newPartialModel("", tokens); err == nil && o.t.padding != nil {
			m.lookFor(o.t.padding.Token)
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
		return file.locate(err)
	}
	if !hasModel {
		return file.fail(MissingField, "\"model\" is missing")
	}
	if later.raw != nil {
		if err := begin(); err != nil {
			return err
		}
		s := jsonscan.New(later.raw)
		if err := later.locate(o.outlineModel(m, &s)); err != nil {
			return err
		}
	}
	return l.appendSideTokens(o.t, tokens, func(all []AddedToken) error { return o.t.added.assignIDs(all, m, nil) })
}

// outlinePart records the types of a component and of those in its list.
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

// outlineModel reads the model. Where it has no type, as in old files, the type follows
// from the other members. Errors have no path, and offsets of the scanner's text.
func (o *Outline) outlineModel(m *partialModel, s *jsonscan.Scanner) error {
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
				return s.Array(func(i int) error { return m.addPiece(s, int64(i)) })
			}
			return m.addObject(s)
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

// addObject reads {"token": id, …}.
func (m *partialModel) addObject(s *jsonscan.Scanner) error {
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
		m.addToken(token, int64(id))
		return nil
	})
}

// addPiece reads one element of the vocabulary of Unigram, [token, score].
func (m *partialModel) addPiece(s *jsonscan.Scanner, id int64) error {
	if s.Kind() != jsonscan.Array {
		return fault.At(fault.WrongType, "", int64(s.Offset()), "a token of Unigram must be a pair, found "+s.Kind().String())
	}
	return s.Array(func(i int) error {
		if i > 0 || s.Kind() != jsonscan.String {
			_, err := s.Raw()
			return err
		}
		token, err := s.Text()
		m.addToken(token, id)
		return err
	})
}

// outlineTekken reads tekken.json without decoding its tokens: it compares them with the
// base64 of those that it looks for.
func (l *directoryLoader) outlineTekken(o *Outline, name string, data []byte) error {
	list, special, head, err := parseTekken(name, data)
	if err != nil {
		return err
	}
	wanted, err := l.newPartialModel("BPE", nil)
	if err != nil {
		return err
	}
	m := &partialModel{name: wanted.name, ids: map[string]int64{}, pad: wanted.pad, highest: -1}
	for token := range wanted.ids {
		m.lookFor(base64.StdEncoding.EncodeToString([]byte(token)))
	}
	err = tekkenTokens(list, head, func(_ node, text string, id uint32) error {
		m.addToken([]byte(text), int64(id))
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
	wanted.count, wanted.highest = m.count, m.highest
	if text, err := base64.StdEncoding.DecodeString(string(m.padText)); err == nil && m.padText != nil {
		wanted.padText = text
	}
	o.t.model = wanted
	return o.t.added.addWithIDs(name, special)
}

// outlineVocab reads vocab.json, that of a byte-level BPE or of a CTC model.
func (l *directoryLoader) outlineVocab(o *Outline, name string, data []byte) error {
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
	m, err := l.newPartialModel(kind, nil)
	if err != nil {
		return err
	}
	s := jsonscan.New(file.raw)
	if err := file.locate(m.addObject(&s)); err != nil {
		return err
	}
	if l.has(fileMerges) && !slices.Contains(l.files, fileMerges) {
		l.files = slices.Insert(l.files, 1, fileMerges)
	}
	o.t.model, o.t.config.Format = m, format
	return l.placeSideTokens(o.t)
}

// outlineVocabText reads vocab.txt: a token in each line.
func (l *directoryLoader) outlineVocabText(o *Outline, _ string, data []byte) error {
	m, err := l.newPartialModel("WordPiece", nil)
	if err != nil {
		return err
	}
	id := int64(0)
	for line := range bytes.Lines(data) {
		m.addToken(bytes.TrimRight(line, " \t\r\n"), id)
		id++
	}
	o.t.model = m
	return l.placeSideTokens(o.t)
}
