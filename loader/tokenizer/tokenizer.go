package tokenizer

import (
	"strings"
	"sync"
	"unicode/utf8"

	"omniloader/loader/fault"
)

// Tokenizer encodes texts and decodes ids. It is safe for concurrent use and immutable.
type Tokenizer struct {
	model         model
	normalizer    normalizer
	preTokenizer  preTokenizer
	postProcessor postProcessor
	decoder       decoder
	added         addedVocabulary
	truncation    *Truncation
	padding       *Padding
	mustTrack     bool // a pre-tokenizer needs the position of a piece in the text
	config        Config

	scratchPool sync.Pool
}

// EncodeOptions change how Encode works. With the zero value it does what the file says
// and adds special tokens.
type EncodeOptions struct {
	NoSpecial  bool        // do not add the tokens of the post-processor
	Chars      bool        // offsets count characters, as Python does, instead of bytes
	Truncation *Truncation // in place of the file's; MaxLength 0 means no truncation
	Padding    *Padding    // in place of the file's; Length and MultipleOf 0 means no padding
}

// Encode encodes a text. In a text that is not UTF-8 each invalid sequence is replaced by
// U+FFFD first, and offsets count bytes of the result.
//
// It fails where the vocabulary has no tokens for the text, and where truncation or the
// work for the text exceed the limits.
func (t *Tokenizer) Encode(text string, o EncodeOptions) (*Encoding, error) {
	first, err := t.sequence(text, 0, o)
	if err != nil {
		return nil, err
	}
	return t.finish(first, nil, o)
}

// EncodePair encodes two texts as one input, such as question and answer.
func (t *Tokenizer) EncodePair(first, second string, o EncodeOptions) (*Encoding, error) {
	a, err := t.sequence(first, 0, o)
	if err != nil {
		return nil, err
	}
	b, err := t.sequence(second, 1, o)
	if err != nil {
		return nil, err
	}
	return t.finish(a, b, o)
}

// IDs returns the ids of a text, with or without the special tokens of the
// post-processor. It is faster than Encode: it computes no offsets and no texts.
func (t *Tokenizer) IDs(text string, special bool) ([]uint32, error) {
	if t.truncation != nil || t.padding != nil {
		o := EncodeOptions{NoSpecial: !special}
		if t.truncation != nil {
			ids := *t.truncation
			ids.dropOverflow = true
			o.Truncation = &ids
		}
		e, err := t.Encode(text, o)
		if err != nil {
			return nil, err
		}
		return e.IDs, nil
	}
	ids := make([]uint32, 0, len(text)/3+8)
	err := t.eachToken(text, t.mustTrack, func(id uint32, _ *piece, _ token, _ int) {
		ids = append(ids, id)
	})
	if err != nil || !special || t.postProcessor == nil {
		return ids, err
	}
	parts, err := t.postProcessor.process([]*Encoding{idsOnly(ids)}, true)
	if err != nil {
		return nil, err
	}
	if len(parts) == 1 {
		return parts[0].IDs, nil
	}
	out := make([]uint32, 0, len(ids)+8)
	for _, p := range parts {
		out = append(out, p.IDs...)
	}
	return out, nil
}

// eachToken calls emit with each token of the text, the piece it is a part of, and the
// index of that piece.
func (t *Tokenizer) eachToken(text string, track bool, emit func(id uint32, p *piece, tok token, word int)) error {
	if len(text) > maxText {
		return errTextTooLong(len(text))
	}
	text = repair(text)
	w, _ := t.scratchPool.Get().(*scratch)
	if w == nil {
		w = &scratch{}
	}
	defer func() {
		if max(cap(w.tokens), cap(w.symbols.list), cap(w.lattice)) <= maxPooled {
			t.scratchPool.Put(w) // the memory for a very long word is not pooled
		}
	}()
	w.budget, w.track = newBudget(len(text)), track
	word := 0
	one := func(p *piece) error {
		if len(p.text) > maxWord {
			return errWordTooLong(len(p.text))
		}
		if err := w.encodeCached(t.model, p.text); err != nil {
			return err
		}
		for _, tok := range w.tokens {
			emit(tok.id, p, tok, word)
		}
		word++
		return nil
	}
	known := func(p *piece, at int) error {
		emit(t.added.tokens[at].ID, p, token{id: t.added.tokens[at].ID, end: int32(len(p.text)), literal: true}, word)
		word++
		return nil
	}
	return t.eachPiece(text, w, one, known)
}

// eachPiece splits the text, and calls known with added tokens and one with other pieces.
func (t *Tokenizer) eachPiece(text string, w *scratch, one func(*piece) error, known func(*piece, int) error) error {
	whole := piece{text: text, plain: true}
	return t.splitAdded(&whole, &t.added.plain, func(p *piece) error {
		if t.normalizer != nil {
			before := len(p.text)
			if err := t.normalizer.normalize(p, w.track, w.budget); err != nil {
				return err
			}
			if err := w.budget.grow(len(p.text) - before); err != nil {
				return err
			}
		}
		return t.splitAdded(p, &t.added.normal, func(q *piece) error {
			if t.preTokenizer == nil {
				return one(q)
			}
			return t.preTokenizer.cut(q, w, one)
		}, known)
	}, known)
}

// splitAdded splits a piece at the added tokens of m. It calls known with those, and rest
// with the other parts that are not empty.
func (t *Tokenizer) splitAdded(p *piece, m *matcher, rest func(*piece) error, known func(*piece, int) error) error {
	if m.trie == nil {
		if p.text == "" {
			return nil
		}
		q := p.slice(0, len(p.text))
		return rest(&q)
	}
	for _, f := range t.added.split(p.text, m) {
		if f.from == f.to {
			continue
		}
		q := p.slice(f.from, f.to)
		var err error
		if f.token >= 0 {
			err = known(&q, f.token)
		} else {
			err = rest(&q)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *Tokenizer) truncationFor(o EncodeOptions) *Truncation {
	switch {
	case o.Truncation == nil:
		return t.truncation
	case o.Truncation.MaxLength == 0:
		return nil
	}
	return o.Truncation
}

// sequence encodes one text without special tokens.
func (t *Tokenizer) sequence(text string, typeID uint32, o EncodeOptions) (*Encoding, error) {
	e := &Encoding{}
	err := t.eachToken(text, true, func(id uint32, p *piece, tok token, word int) {
		var spelled string
		if tok.literal {
			spelled = p.text[tok.start:tok.end]
		} else {
			spelled = t.spelling(id)
		}
		at := p.original(int(tok.start), int(tok.end))
		e.add(id, spelled, Offset{int(at.start), int(at.end)}, typeID, int32(word), false)
	})
	if err == nil && o.Chars {
		e.countChars(repair(text))
	}
	return e, err
}

// countChars converts offsets in bytes to offsets in characters.
func (e *Encoding) countChars(text string) {
	number := make([]int32, len(text)+1) // by byte: the index of its character
	n := int32(-1)
	for i := range len(text) {
		if utf8.RuneStart(text[i]) {
			n++
		}
		number[i] = n
	}
	number[len(text)] = n + 1
	for i, o := range e.Offsets {
		e.Offsets[i] = Offset{int(number[o.Start]), int(number[o.End])}
	}
}

// spelling is the text of a token in the vocabulary.
func (t *Tokenizer) spelling(id uint32) string {
	text, _ := t.model.token(id)
	return string(text)
}

// finish truncates, adds special tokens, and pads.
func (t *Tokenizer) finish(first, second *Encoding, o EncodeOptions) (*Encoding, error) {
	if tr := t.truncationFor(o); tr != nil {
		length := tr.MaxLength
		if !o.NoSpecial && t.postProcessor != nil {
			if length -= t.postProcessor.added(second != nil); length < 0 {
				return nil, fault.New(fault.Malformed, "", "truncation leaves no room for the special tokens")
			}
		}
		if err := truncatePair(first, second, length, tr); err != nil {
			return nil, err
		}
	}
	parts := []*Encoding{first}
	if second != nil {
		parts = append(parts, second)
	}
	if t.postProcessor != nil {
		for i, p := range parts {
			p.setType(uint32(i))
		}
		var err error
		if parts, err = t.postProcessor.process(parts, !o.NoSpecial); err != nil {
			return nil, err
		}
	}
	out := &Encoding{}
	if len(parts) == 1 {
		out = parts[0]
	} else {
		room := maxOverflow
		for _, p := range parts {
			if err := out.append(p, &room); err != nil {
				return nil, err
			}
		}
	}
	pad := t.padding
	if o.Padding != nil {
		pad = o.Padding
		if pad.Length == 0 && pad.MultipleOf == 0 {
			pad = nil
		}
	}
	if pad != nil {
		if err := pad.apply(out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// idsOnly returns an encoding with ids and otherwise zero values, for post-processors.
func idsOnly(ids []uint32) *Encoding {
	n := len(ids)
	return &Encoding{IDs: ids, Tokens: make([]string, n), Offsets: make([]Offset, n), TypeIDs: make([]uint32, n),
		Words: make([]int32, n), Special: make([]bool, n), Attended: make([]bool, n)}
}

// Decode returns the text of ids; with skipSpecial it leaves out special tokens. Ids
// without a token are left out. Where DecodeText returns an error, Decode returns the
// text up to it.
func (t *Tokenizer) Decode(ids []uint32, skipSpecial bool) string {
	text, _ := t.DecodeText(ids, skipSpecial)
	return text
}

// DecodeText is Decode with an error, of the kind fault.TooLarge: the decoder of the file
// exceeds the limit on time, or that on the length of the text.
func (t *Tokenizer) DecodeText(ids []uint32, skipSpecial bool) (string, error) {
	parts, size := make([]string, 0, len(ids)), 0
	for _, id := range ids {
		s, ok := t.Token(id)
		if ok && !(skipSpecial && t.added.special[s]) {
			parts = append(parts, s)
			size += len(s)
		}
	}
	if t.decoder == nil {
		return strings.Join(parts, " "), nil
	}
	if len(parts) == 0 {
		return "", nil
	}
	b := newBudget(size)
	return strings.Join(t.decoder.decode(parts, b), ""), b.err
}

// Token returns the token of an id as it is stored: for an added token the normalized
// form.
func (t *Tokenizer) Token(id uint32) (string, bool) {
	if at, ok := t.added.byID[id]; ok {
		return t.added.forms[at], true
	}
	s, ok := t.model.token(id)
	return string(s), ok
}

// TokenID returns the id of a token, given as it is stored.
func (t *Tokenizer) TokenID(token string) (id uint32, ok bool) {
	if id, ok := t.added.byText[token]; ok {
		return id, true
	}
	return t.model.lookup(token)
}

// VocabSize is the number of tokens, added ones included.
func (t *Tokenizer) VocabSize() int {
	n := t.model.size()
	for text := range t.added.byText {
		if _, ok := t.model.lookup(text); !ok {
			n++
		}
	}
	return n
}

// MaxID is the highest id, or -1 where there is no token. A model needs at least MaxID+1
// rows of embeddings.
func (t *Tokenizer) MaxID() int64 {
	most := t.model.maxID()
	for id := range t.added.byID {
		most = max(most, int64(id))
	}
	return most
}

// Kind names the model: BPE, WordPiece, WordLevel or Unigram.
func (t *Tokenizer) Kind() string { return t.model.kind() }

// AddedTokens returns the added tokens in the order of the file.
func (t *Tokenizer) AddedTokens() []AddedToken {
	return append([]AddedToken(nil), t.added.tokens...)
}

// SpecialTokens returns the tokens that decoding with skipSpecial leaves out, in the order
// of the file.
func (t *Tokenizer) SpecialTokens() []AddedToken {
	var out []AddedToken
	for _, a := range t.added.tokens {
		if t.added.special[a.Content] {
			out = append(out, a)
		}
	}
	for _, a := range t.added.specialOnly {
		if _, ok := t.added.byID[a.ID]; !ok {
			out = append(out, a)
		}
	}
	return out
}

// assemble connects the components when all are set, and adds tokens.
func (t *Tokenizer) assemble(tokens []AddedToken) error {
	if m, ok := t.model.(*bpe); ok && m.plainBytes() {
		if b := lastByteLevel(t.preTokenizer); b != nil {
			b.raw, m.raw = true, true
		}
	}
	t.mustTrack = needsPosition(t.preTokenizer, t.normalizer != nil)
	return t.added.add(tokens, t.model, t.normalizer)
}

// lastByteLevel returns the last pre-tokenizer if it is a ByteLevel, else nil.
func lastByteLevel(p preTokenizer) *byteLevel {
	switch p := p.(type) {
	case *byteLevel:
		return p
	case preSequence:
		if len(p) > 0 {
			return lastByteLevel(p[len(p)-1])
		}
	}
	return nil
}

// needsPosition reports whether a Metaspace needs the position of a piece in the text
// after a change of the text.
func needsPosition(p preTokenizer, changed bool) bool {
	switch p := p.(type) {
	case *metaspace:
		return p.scheme == prependFirst && changed
	case preSequence:
		for i, q := range p {
			if needsPosition(q, changed || i > 0) {
				return true
			}
		}
	}
	return false
}
