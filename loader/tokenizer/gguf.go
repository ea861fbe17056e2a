package tokenizer

import (
	_ "embed"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"omniloader/loader/fault"
)

// GGUF holds the keys tokenizer.ggml.* of a GGUF file. A key that the file lacks is zero
// or nil.
type GGUF struct {
	Path   string // for errors
	Model  string // tokenizer.ggml.model: llama, gpt2, bert, t5
	Pre    string // tokenizer.ggml.pre: how a text is split for BPE
	Tokens []string
	Scores []float32
	Types  []int32 // token_type
	Merges []string

	BOS, EOS, Unknown, Separator, Pad, CLS, Mask *uint32 // the …_token_id keys

	AddBOS, AddEOS, AddSpacePrefix, RemoveExtraWhitespaces *bool
	CharsMap                                               []byte // precompiled_charsmap
}

// FromGGUF builds the tokenizer of a GGUF file from its keys. As in llama.cpp, control
// and user-defined tokens are matched in texts.
func FromGGUF(g GGUF) (*Tokenizer, error) {
	n := len(g.Tokens)
	if n == 0 {
		return nil, fault.New(MissingField, g.Path, "tokenizer.ggml.tokens is missing or empty")
	}
	for _, list := range []struct {
		name string
		n    int
	}{{"scores", len(g.Scores)}, {"token_type", len(g.Types)}} {
		if list.n != 0 && list.n != n {
			return nil, fault.New(BadVocabulary, g.Path, "tokenizer.ggml."+list.name+" has "+strconv.Itoa(list.n)+" entries for "+strconv.Itoa(n)+" tokens")
		}
	}
	var t *Tokenizer
	var err error
	switch g.Model {
	case "llama", "t5":
		t, err = g.sentencePiece()
	case "gpt2":
		t, err = g.bytePair()
	case "bert":
		t, err = g.wordPiece()
	case "":
		return nil, fault.New(MissingField, g.Path, "tokenizer.ggml.model is missing")
	default:
		return nil, fault.New(UnknownComponent, g.Path, "tokenizer.ggml.model "+strconv.Quote(clip(g.Model))+" is none of ["+strings.Join(slices.Sorted(maps.Keys(ggufKinds)), " ")+"]")
	}
	if err != nil {
		return nil, err
	}
	if err := t.added.addWithIDs(g.Path, g.added()); err != nil {
		return nil, err
	}
	if err := g.setPostProcessor(t); err != nil {
		return nil, err
	}
	t.config.Format = "GGUF"
	g.roles(t)
	return t, nil
}

func (g *GGUF) kind(i int) int32 {
	if len(g.Types) == 0 {
		return pieceNormal
	}
	return g.Types[i]
}

// added are the tokens that are matched in texts.
func (g *GGUF) added() (out []AddedToken) {
	for i, s := range g.Tokens {
		if k := g.kind(i); s != "" && (k == pieceControl || k == pieceUserDefined || k == pieceUnknown) {
			out = append(out, AddedToken{ID: uint32(i), Content: s, Special: k != pieceUserDefined})
		}
	}
	return out
}

func (g *GGUF) sentencePiece() (*Tokenizer, error) {
	if len(g.Scores) == 0 {
		return nil, fault.New(MissingField, g.Path, "tokenizer.ggml.scores is missing")
	}
	m := &spModel{path: g.Path, kind: 2, control: map[string]string{}, norm: spNormalizer{dummyPrefix: true, escape: true}}
	if g.Model == "t5" {
		m.kind, m.norm.collapse = 1, true
	}
	if g.AddSpacePrefix != nil {
		m.norm.dummyPrefix = *g.AddSpacePrefix
	}
	if g.RemoveExtraWhitespaces != nil {
		m.norm.collapse = *g.RemoveExtraWhitespaces
	}
	if len(g.CharsMap) > 0 {
		var err error
		if m.norm.chars, err = newCharsMap(g.CharsMap); err != nil {
			return nil, fault.New(fault.Malformed, g.Path, "tokenizer.ggml.precompiled_charsmap: "+err.Error())
		}
	}
	unknown := -1
	for i, s := range g.Tokens {
		kind := uint64(g.kind(i))
		if kind == pieceUserDefined {
			kind = pieceControl // matched in the text before the model encodes the rest
		}
		if kind == pieceUnknown {
			if unknown >= 0 {
				kind = pieceControl
			}
			unknown = i
		}
		m.byteFallback = m.byteFallback || kind == pieceByte
		m.pieces = append(m.pieces, spPiece{text: s, score: g.Scores[i], kind: kind})
	}
	if unknown < 0 {
		m.pieces[*g.validID(g.Unknown, 0)].kind = pieceUnknown
	}
	return m.tokenizer()
}

func (g *GGUF) vocabulary() *vocabulary {
	size := 0
	for _, s := range g.Tokens {
		size += len(s)
	}
	v := newVocabulary(len(g.Tokens), size)
	for i, s := range g.Tokens {
		v.add([]byte(s), uint32(i))
	}
	return v
}

func (g *GGUF) bytePair() (*Tokenizer, error) {
	options := g.preOptions()
	pre, ok := bytePreTokenizer(options.pattern)
	if !ok {
		return nil, fault.New(UnknownComponent, g.Path, "tokenizer.ggml.pre "+strconv.Quote(clip(g.Pre))+" is not known").
			WithHint("add a line with its pattern to split_patterns.tsv, or one with its like to gguf_pre.tsv")
	}
	if len(g.Merges) == 0 {
		return nil, fault.New(MissingField, g.Path, "tokenizer.ggml.merges is not there, without which texts fall to bytes").
			WithHint("convert the model again")
	}
	m := &bpe{vocab: g.vocabulary(), ignoreMerges: options.whole}
	b := newMergeBuilder(m.vocab, "", len(g.Merges))
	for i, line := range g.Merges {
		// A token may contain spaces; the first space after a character is the separator.
		at := strings.IndexByte(line[min(1, len(line)):], ' ') + 1
		if at <= 0 {
			return nil, fault.New(BadVocabulary, g.Path, "merge "+strconv.Itoa(i)+" "+strconv.Quote(clip(line))+" is not two tokens with a space between")
		}
		if bad := b.add([]byte(line[:at]), []byte(line[at+1:])); bad != "" {
			return nil, fault.New(BadVocabulary, g.Path, bad)
		}
	}
	m.merges = b.merges
	m.finish()
	if g.AddSpacePrefix != nil && *g.AddSpacePrefix {
		pre = append(preSequence{spacePrefix{}}, pre...)
	}
	t := &Tokenizer{model: m, preTokenizer: append(pre, &byteLevel{}), decoder: byteLevelDecoder{}}
	return t, t.assemble(nil)
}

//go:embed gguf_pre.tsv
var ggufPreTSV string

// ggufPreOptions is one row of gguf_pre.tsv.
type ggufPreOptions struct {
	pattern    string // a name of split_patterns.tsv
	whole, bos bool
}

var ggufPre = sync.OnceValue(func() map[string]ggufPreOptions {
	m := make(map[string]ggufPreOptions)
	for _, f := range rows(ggufPreTSV) {
		m[f[0]] = ggufPreOptions{f[1], strings.Contains(f[2], "whole"), strings.Contains(f[2], "bos")}
	}
	return m
})

// preOptions returns the options of tokenizer.ggml.pre. A file without that key has the
// default of llama.cpp; an unknown value is an error, as in llama.cpp.
func (g *GGUF) preOptions() ggufPreOptions {
	if h, ok := ggufPre()[g.Pre]; ok {
		return h
	}
	if g.Pre == "" {
		return ggufPreOptions{pattern: "default"}
	}
	return ggufPreOptions{pattern: g.Pre}
}

// spacePrefix adds a space before the text.
type spacePrefix struct{}

func (spacePrefix) cut(p *piece, w *scratch, emit func(*piece) error) error {
	if p.text[0] != ' ' {
		p.prepend(" ", w.track)
	}
	return emit(p)
}

// wordPiece restores BERT's tokens: in GGUF files tokens at the start of a word begin
// with ▁, and those that continue one have no prefix.
func (g *GGUF) wordPiece() (*Tokenizer, error) {
	m := &wordPiece{unk: "[UNK]", prefix: "##", maxChars: 100}
	v := newVocabulary(len(g.Tokens), 16*len(g.Tokens))
	for i, s := range g.Tokens {
		if rest, ok := strings.CutPrefix(s, spSpace); ok {
			s = rest
		} else if k := g.kind(i); k == pieceNormal {
			s = "##" + s
		}
		v.add([]byte(s), uint32(i))
	}
	m.vocab = v
	m.finish()
	t := &Tokenizer{model: m, normalizer: bertNormalizer{clean: true, chinese: true, lower: true, accents: true},
		preTokenizer: bertPreTokenizer{}, decoder: wordPieceDecoder{"##", true}}
	return t, t.assemble(nil)
}

// setPostProcessor adds the first and the last token to texts where the keys, or else
// the defaults of the model, ask for them.
func (g *GGUF) setPostProcessor(t *Tokenizer) error {
	usual := ggufDefaultIDs[g.Model]
	first, last := g.validID(g.BOS, usual.bos), g.validID(g.EOS, usual.eos)
	addFirst, addLast := g.Model == "llama" || g.Model == "bert" || g.Model == "gpt2" && g.preOptions().bos, g.Model == "t5" || g.Model == "bert"
	if g.Model == "bert" {
		if cls := g.validID(g.CLS, -1); cls != nil {
			first = cls
		}
		if sep := g.validID(g.Separator, usual.eos); sep != nil {
			last = sep
		}
	}
	if g.AddBOS != nil {
		addFirst = *g.AddBOS
	}
	if g.AddEOS != nil {
		addLast = *g.AddEOS
	}
	return t.setBOSEOSTemplate(g.Path, addFirst, addLast, first, last)
}

// ggufDefaultIDs are the ids that llama.cpp uses for the first and the last token where a
// file gives none, or one beyond its tokens. For BPE these are 11 and 11, which are right
// for Falcon only: here BPE has no defaults.
var ggufDefaultIDs = map[string]struct{ bos, eos int64 }{"llama": {1, 2}, "bert": {101, 102}, "t5": {-1, 1}, "gpt2": {-1, -1}}

// validID returns id where it is that of a token, else the default, else nil.
func (g *GGUF) validID(id *uint32, usual int64) *uint32 {
	if id != nil && int64(*id) < int64(len(g.Tokens)) {
		return id
	}
	if usual < 0 || usual >= int64(len(g.Tokens)) {
		return nil
	}
	u := uint32(usual)
	return &u
}

// setBOSEOSTemplate sets a template that adds the first and the last token.
func (t *Tokenizer) setBOSEOSTemplate(path string, addFirst, addLast bool, first, last *uint32) error {
	tpl := &template{}
	put := func(id *uint32, typeID uint32) ([]templatePiece, error) {
		if id == nil {
			return nil, nil
		}
		text, ok := t.Token(*id)
		if !ok {
			return nil, fault.New(BadVocabulary, path, "token "+strconv.FormatUint(uint64(*id), 10)+", which goes around texts, is not in the vocabulary")
		}
		return []templatePiece{{text: -1, tokens: []special{{text, *id}}, typeID: typeID}}, nil
	}
	for i := range uint32(2) {
		var begin, end []templatePiece
		var err error
		if addFirst {
			if begin, err = put(first, i); err != nil {
				return err
			}
		}
		if addLast {
			if end, err = put(last, i); err != nil {
				return err
			}
		}
		pieces := append(append(begin, templatePiece{text: int(i), typeID: i}), end...)
		if i == 0 {
			tpl.single = pieces
		}
		tpl.pair = append(tpl.pair, pieces...)
	}
	t.postProcessor = tpl
	return nil
}

func (g *GGUF) roles(t *Tokenizer) {
	for _, r := range []struct {
		role string
		id   *uint32
	}{{"bos_token", g.BOS}, {"eos_token", g.EOS}, {"unk_token", g.Unknown}, {"sep_token", g.Separator},
		{"pad_token", g.Pad}, {"cls_token", g.CLS}, {"mask_token", g.Mask}} {
		if r.id == nil {
			continue
		}
		if text, ok := t.Token(*r.id); ok { // else the id is invalid, which inspect reports
			t.config.setRole(r.role, text, g.Path)
		}
	}
}

// ggufKinds maps the values of tokenizer.ggml.model to kinds of models.
var ggufKinds = map[string]string{"bert": "WordPiece", "gpt2": "BPE", "llama": "BPE", "t5": "Unigram"}

// GGUFKind returns the kind of model, as Kind does, for a value of
// tokenizer.ggml.model, and false where that is not known.
func GGUFKind(model string) (kind string, ok bool) {
	kind, ok = ggufKinds[model]
	return kind, ok
}
