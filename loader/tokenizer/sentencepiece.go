package tokenizer

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"omniloader/loader/fault"
)

// The types of pieces (sentencepiece_model.proto, SentencePiece.Type).
const (
	pieceNormal      = 1
	pieceUnknown     = 2
	pieceControl     = 3
	pieceUserDefined = 4
	pieceUnused      = 5
	pieceByte        = 6
)

// spModel is a ModelProto.
type spModel struct {
	path         string
	pieces       []spPiece
	kind         uint64 // 1 Unigram, 2 BPE, 3 words, 4 characters
	byteFallback bool
	suffix       bool              // treat_whitespace_as_suffix
	control      map[string]string // texts of the pieces for unk, bos, eos and pad
	norm         spNormalizer
}

type spPiece struct {
	text  string
	score float32
	kind  uint64
}

// fromSentencePiece reads a tokenizer.model, spiece.model or the like: a ModelProto of
// SentencePiece with a Unigram, BPE, character or word model. The tokenizer encodes as
// the C++ library does: it adds no special tokens, and control tokens in a text are
// ordinary text.
func fromSentencePiece(path string, data []byte) (*Tokenizer, error) {
	m, err := parseSentencePiece(path, data)
	if err != nil {
		return nil, err
	}
	return m.tokenizer()
}

// protoField is one field of a message of protocol buffers.
type protoField struct {
	number int
	wire   uint64
	value  uint64 // of a number
	bytes  []byte // of a string or message
	at     int    // byte in the message where the field begins
}

// eachField calls f for each field of a message, and bad where no valid field begins.
func eachField(data []byte, f func(protoField) error, bad func(at int) error) error {
	for at := 0; at < len(data); {
		start := at
		key, n := binary.Uvarint(data[at:])
		if n <= 0 || key>>3 == 0 || key>>3 > 1<<29 {
			return bad(start)
		}
		at += n
		p := protoField{number: int(key >> 3), wire: key & 7, at: start}
		switch p.wire {
		case 0:
			if p.value, n = binary.Uvarint(data[at:]); n <= 0 {
				return bad(start)
			}
			at += n
		case 1, 5:
			size := map[uint64]int{1: 8, 5: 4}[p.wire]
			if len(data)-at < size {
				return bad(start)
			}
			if size == 4 {
				p.value = uint64(binary.LittleEndian.Uint32(data[at:]))
			} else {
				p.value = binary.LittleEndian.Uint64(data[at:])
			}
			at += size
		case 2:
			length, n := binary.Uvarint(data[at:])
			if n <= 0 || length > uint64(len(data)-at-n) {
				return bad(start)
			}
			at += n
			p.bytes = data[at : at+int(length)]
			at += int(length)
		default:
			return bad(start)
		}
		if err := f(p); err != nil {
			return err
		}
	}
	return nil
}

func parseSentencePiece(path string, data []byte) (*spModel, error) {
	if len(data) == 0 {
		return nil, fault.New(fault.Empty, path, "")
	}
	m := &spModel{path: path, kind: 1, norm: spNormalizer{dummyPrefix: true, collapse: true, escape: true},
		control: map[string]string{"unk": "<unk>", "bos": "<s>", "eos": "</s>", "pad": "<pad>"}}
	bad := func(base int) func(int) error {
		return func(at int) error {
			return fault.At(fault.Malformed, path, int64(base+at), "no field of a SentencePiece model begins here").
				WithHint("the file is no SentencePiece model, or is cut short")
		}
	}
	err := eachField(data, func(f protoField) error {
		inner := f.at // errors within a field have the offset of the field
		switch {
		case f.number == 1 && f.wire == 2:
			p := spPiece{kind: pieceNormal}
			err := eachField(f.bytes, func(g protoField) error {
				switch {
				case g.number == 1 && g.wire == 2:
					p.text = string(g.bytes)
				case g.number == 2 && g.wire == 5:
					p.score = math.Float32frombits(uint32(g.value))
				case g.number == 3 && g.wire == 0:
					p.kind = g.value
				}
				return nil
			}, bad(inner))
			if err == nil && (p.text == "" || !utf8.ValidString(p.text)) {
				err = fault.At(BadVocabulary, path, int64(inner), "piece "+strconv.Itoa(len(m.pieces))+" has no text, or is not UTF-8")
			}
			if err == nil && (p.score != p.score || math.IsInf(float64(p.score), 1)) {
				err = fault.At(BadVocabulary, path, int64(inner), "piece "+strconv.Quote(clip(p.text))+" has a score that is no number, or infinite")
			}
			m.pieces = append(m.pieces, p)
			return err
		case f.number == 2 && f.wire == 2:
			return eachField(f.bytes, m.trainer, bad(inner))
		case f.number == 3 && f.wire == 2:
			return eachField(f.bytes, func(g protoField) error { return m.normalizerSpec(g, inner) }, bad(inner))
		}
		return nil
	}, bad(0))
	if err != nil {
		return nil, err
	}
	if len(m.pieces) == 0 {
		return nil, fault.New(BadVocabulary, path, "a SentencePiece model without pieces").
			WithHint("the file is no SentencePiece model; a tiktoken file of the same name is text")
	}
	return m, nil
}

// trainer reads the fields of TrainerSpec that matter for encoding. Its ids (unk_id …)
// are only options of the training; the library finds the pieces by their texts.
func (m *spModel) trainer(f protoField) error {
	if f.number >= 45 && f.number <= 48 && f.wire == 2 {
		m.control[[...]string{"unk", "bos", "eos", "pad"}[f.number-45]] = string(f.bytes)
	}
	if f.wire != 0 {
		return nil
	}
	switch f.number {
	case 3:
		m.kind = f.value
	case 24:
		m.suffix = f.value != 0
	case 35:
		m.byteFallback = f.value != 0
	}
	return nil
}

func (m *spModel) normalizerSpec(f protoField, at int) (err error) {
	switch {
	case f.number == 2 && f.wire == 2 && len(f.bytes) > 0:
		if m.norm.chars, err = newCharsMap(f.bytes); err != nil {
			return fault.At(fault.Malformed, m.path, int64(at), "precompiled_charsmap: "+err.Error())
		}
	case f.number == 3 && f.wire == 0:
		m.norm.dummyPrefix = f.value != 0
	case f.number == 4 && f.wire == 0:
		m.norm.collapse = f.value != 0
	case f.number == 5 && f.wire == 0:
		m.norm.escape = f.value != 0
	}
	return nil
}

// tokenizer builds the tokenizer of the model.
func (m *spModel) tokenizer() (*Tokenizer, error) {
	t := &Tokenizer{}
	m.norm.suffix = m.suffix
	userDefined := &matcher{}
	for i, p := range m.pieces {
		if p.kind == pieceUserDefined {
			userDefined.add(p.text, int32(i))
		}
	}
	if userDefined.trie != nil {
		m.norm.userDefined = userDefined
	}
	unk := int64(-1)
	for i, p := range m.pieces {
		if p.kind == pieceUnknown {
			if unk >= 0 {
				return nil, fault.New(BadVocabulary, m.path, "pieces "+strconv.FormatInt(unk, 10)+" and "+strconv.Itoa(i)+" are both the unknown one")
			}
			unk = int64(i)
		}
	}
	if unk < 0 {
		return nil, fault.New(BadVocabulary, m.path, "no piece is the unknown one")
	}
	switch m.kind {
	case 1:
		t.model = m.unigram(unk)
	case 2, 3, 4:
		t.model = m.bpe(unk, m.norm.userDefined)
	default:
		return nil, fault.New(UnknownComponent, m.path, "model type "+strconv.FormatUint(m.kind, 10)+" is none of [1 2 3 4]")
	}
	t.normalizer = &m.norm
	t.decoder = m.norm.decoder()
	var special []AddedToken
	for i, p := range m.pieces {
		if p.kind == pieceControl || p.kind == pieceUnknown {
			special = append(special, AddedToken{ID: uint32(i), Content: p.text, Special: true})
		}
	}
	if err := t.assemble(nil); err != nil {
		return nil, err
	}
	t.added.addSpecialOnly(special)
	for role, text := range m.control {
		if slices.ContainsFunc(special, func(a AddedToken) bool { return a.Content == text }) {
			t.config.setRole(role+"_token", text, m.path)
		}
	}
	return t, nil
}

// normal reports whether encoding may produce the piece by merges or paths.
func (p *spPiece) normal() bool {
	return p.kind == pieceNormal || p.kind == pieceUserDefined || p.kind == pieceUnused
}

func (m *spModel) unigram(unk int64) *unigram {
	u := newUnigram(len(m.pieces), 8*len(m.pieces))
	u.float32Sums, u.unkID, u.byteFallback = true, unk, m.byteFallback
	low, high := math.Inf(1), math.Inf(-1)
	for i, p := range m.pieces {
		if p.normal() && p.kind != pieceUnused {
			u.add([]byte(p.text), float64(p.score))
			if p.kind == pieceUserDefined {
				if u.userDefined == nil {
					u.userDefined = make(map[uint32]bool)
				}
				u.userDefined[uint32(i)] = true
			}
		} else {
			u.addUnused(p.text, float64(p.score))
		}
		if p.kind == pieceNormal {
			low, high = min(low, float64(p.score)), max(high, float64(p.score))
		}
	}
	if low > high {
		low, high = 0, 0
	}
	u.minScore, u.maxScore = low, high
	u.finish()
	return u
}

func (m *spModel) bpe(unk int64, userDefined *matcher) *spanBPE {
	b := &spanBPE{words: m.kind == 3, vocab: newVocabulary(len(m.pieces), 8*len(m.pieces)), userDefined: userDefined, unkID: unk, byteFallback: m.byteFallback}
	var scores []float32
	for i := range b.bytes {
		b.bytes[i] = -1
	}
	for i, p := range m.pieces {
		if !p.normal() {
			b.name(uint32(i), p.text)
			if p.kind == pieceByte {
				if v, ok := byteToken(p.text); ok {
					b.bytes[v] = int64(i)
				}
			}
			continue
		}
		before := len(b.vocab.ends)
		b.vocab.add([]byte(p.text), uint32(i))
		if len(b.vocab.ends) > before {
			scores = append(scores, p.score)
		}
	}
	b.vocab.finish()
	b.order = orderByScore(scores)
	b.longest = b.vocab.longest()
	if m.kind == 4 { // character model
		b.longest = 0
	}
	return b
}

// byteToken parses a token for a byte, such as <0x41>.
func byteToken(s string) (byte, bool) {
	if len(s) != 6 || s[:3] != "<0x" || s[5] != '>' {
		return 0, false
	}
	b, err := strconv.ParseUint(s[3:5], 16, 8)
	return byte(b), err == nil
}

// spNormalizer normalizes as SentencePiece does (normalizer.cc): the character map, then
// the spaces, which become ▁.
type spNormalizer struct {
	chars       *charsMap
	dummyPrefix bool // add a space before the text
	collapse    bool // runs of spaces become one, those at both ends are removed
	escape      bool
	suffix      bool // the space is after the word
	userDefined *matcher
}

const spSpace = "▁"

// next returns the normalized form of the start of s, and how many bytes of s that is.
func (n *spNormalizer) next(s string) (out string, length int) {
	if n.userDefined != nil {
		if length = n.userDefined.prefix(s); length > 0 {
			return s[:length], length
		}
	}
	if n.chars != nil {
		text, best := "", 0
		n.chars.prefixes(s, func(l int, value uint32) bool {
			if t, ok := n.chars.text(value); ok {
				text, best = t, l
			}
			return true
		})
		if best > 0 {
			return text, best
		}
	}
	length = runeLen(s, 0)
	return s[:length], length
}

func (n *spNormalizer) normalize(p *piece, track bool, b *budget) error {
	w := p.rewrite(track)
	space := " "
	if n.escape {
		space = spSpace
	}
	at := 0
	for n.collapse && at < len(p.text) {
		out, length := n.next(p.text[at:])
		if out != " " {
			break
		}
		at += length
	}
	put := func(text string, from, to int) {
		w.out = append(w.out, text...)
		if !track {
			return
		}
		a := span{p.at(from).start, p.at(max(from, to-1)).end}
		for range len(text) {
			w.align = append(w.align, a)
		}
	}
	if at < len(p.text) {
		if n.dummyPrefix && !n.suffix {
			put(space, at, at)
		}
		afterSpace := n.collapse
		for at < len(p.text) {
			out, length := n.next(p.text[at:])
			for afterSpace && strings.HasPrefix(out, " ") {
				out = out[1:]
			}
			if out != "" {
				afterSpace = out[len(out)-1] == ' '
				if n.escape {
					out = strings.ReplaceAll(out, " ", spSpace)
				}
				put(out, at, at+length)
			}
			at += length
			if !n.collapse {
				afterSpace = false
			}
			if len(w.out)-len(p.text) > b.room {
				return b.grow(len(w.out) - len(p.text))
			}
		}
		for n.collapse && strings.HasSuffix(string(w.out[max(0, len(w.out)-len(space)):]), space) {
			w.out = w.out[:len(w.out)-len(space)]
			if track {
				w.align = w.align[:len(w.out)]
			}
		}
		if n.dummyPrefix && n.suffix && len(w.out) > 0 {
			put(space, len(p.text)-1, len(p.text))
		}
	}
	w.done()
	return nil
}

// decoder converts ▁ back to spaces.
func (n *spNormalizer) decoder() decoder {
	seq := decoderSequence{replaceDecoder{&pattern{literal: spSpace}, " "}, byteFallbackDecoder{}, fuse{}}
	if n.dummyPrefix {
		d := stripDecoder{content: ' ', start: 1}
		if n.suffix {
			d = stripDecoder{content: ' ', stop: 1}
		}
		seq = append(seq, d)
	}
	return seq
}

// prefix is the length of the longest of the texts that s begins with, 0 for none.
func (m *matcher) prefix(s string) (length int) {
	state := uint32(0)
	for i := range len(s) {
		var ok bool
		if state, ok = m.trie.step(state, s[i]); !ok {
			break
		}
		if m.trie.values[state] != 0 {
			length = i + 1
		}
	}
	return length
}

// addSpecialOnly registers tokens as special for decoding only: they are not matched in
// texts.
func (a *addedVocabulary) addSpecialOnly(tokens []AddedToken) {
	for _, t := range tokens {
		a.special[t.Content] = true
		if !slices.ContainsFunc(a.specialOnly, func(o AddedToken) bool { return o.ID == t.ID }) {
			a.specialOnly = append(a.specialOnly, t)
		}
	}
}
