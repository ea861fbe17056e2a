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

// GGUF holds the tokenizer keys of a GGUF file (tokenizer.ggml.*), each under the
// last part of its name; what the file lacks is left zero or nil.
type GGUF struct {
	Path   string // for errors
	Model  string // tokenizer.ggml.model: llama, gpt2, bert, t5
	Pre    string // tokenizer.ggml.pre: how a BPE text is cut
	Tokens []string
	Scores []float32
	Types  []int32 // token_type
	Merges []string

	BOS, EOS, Unknown, Separator, Pad, CLS, Mask *uint32 // the …_token_id keys

	AddBOS, AddEOS, AddSpacePrefix, RemoveExtraWhitespaces *bool
	CharsMap                                               []byte // precompiled_charsmap
}

// FromGGUF builds the tokenizer that a GGUF file carries in its keys, as llama.cpp
// reads them: control and user-defined tokens are found in texts.
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
	if err := t.added.place(g.Path, g.added()); err != nil {
		return nil, err
	}
	if err := g.around(t); err != nil {
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

// added are the tokens that texts are searched for.
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
			kind = pieceControl // found in the text before the model sees it
		}
		if kind == pieceUnknown {
			if unknown >= 0 {
				kind = pieceControl
			}
			unknown = i
		}
		m.fall = m.fall || kind == pieceByte
		m.pieces = append(m.pieces, spPiece{text: s, score: g.Scores[i], kind: kind})
	}
	if unknown < 0 {
		m.pieces[*g.inside(g.Unknown, 0)].kind = pieceUnknown
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
	habits := g.habits()
	pre, ok := bytePreTokenizer(habits.pattern)
	if !ok {
		return nil, fault.New(UnknownComponent, g.Path, "tokenizer.ggml.pre "+strconv.Quote(clip(g.Pre))+" is not known").
			WithHint("add a line with its pattern to split_patterns.tsv, or one with its like to gguf_pre.tsv")
	}
	if len(g.Merges) == 0 {
		return nil, fault.New(MissingField, g.Path, "tokenizer.ggml.merges is not there, without which texts fall to bytes").
			WithHint("convert the model again")
	}
	m := &bpe{vocab: g.vocabulary(), ignoreMerges: habits.whole}
	b := newMergeBuilder(m.vocab, "", len(g.Merges))
	for i, line := range g.Merges {
		// A token may hold a space itself; the first one behind a character cuts.
		at := strings.IndexByte(line[min(1, len(line)):], ' ') + 1
		if at <= 0 {
			return nil, fault.New(BadVocabulary, g.Path, "merge "+strconv.Itoa(i)+" "+strconv.Quote(clip(line))+" is not two tokens with a space between")
		}
		if bad := b.add([]byte(line[:at]), []byte(line[at+1:])); bad != "" {
			return nil, fault.New(BadVocabulary, g.Path, bad)
		}
	}
	m.merges = b.merges
	m.seal()
	if g.AddSpacePrefix != nil && *g.AddSpacePrefix {
		pre = append(preSequence{spacePrefix{}}, pre...)
	}
	t := &Tokenizer{model: m, preTokenizer: append(pre, &byteLevel{}), decoder: byteLevelDecoder{}}
	return t, t.assemble(nil)
}

//go:embed gguf_pre.tsv
var ggufPreTSV string

// ggufHabits is one line of gguf_pre.tsv.
type ggufHabits struct {
	pattern    string // a name of split_patterns.tsv
	whole, bos bool
}

var ggufPre = sync.OnceValue(func() map[string]ggufHabits {
	m := make(map[string]ggufHabits)
	for _, f := range rows(ggufPreTSV) {
		m[f[0]] = ggufHabits{f[1], strings.Contains(f[2], "whole"), strings.Contains(f[2], "bos")}
	}
	return m
})

// habits are those of the file's way to cut texts. A file that names none is cut as
// llama.cpp cuts it; a name that is not known is refused there and here.
func (g *GGUF) habits() ggufHabits {
	if h, ok := ggufPre()[g.Pre]; ok {
		return h
	}
	if g.Pre == "" {
		return ggufHabits{pattern: "default"}
	}
	return ggufHabits{pattern: g.Pre}
}

// spacePrefix puts a space before the text.
type spacePrefix struct{}

func (spacePrefix) cut(p *piece, w *work, emit func(*piece) error) error {
	if p.text[0] != ' ' {
		p.prepend(" ", w.track)
	}
	return emit(p)
}

// wordPiece turns the tokens back into BERT's: llama.cpp marks what begins a word
// with ▁ and leaves what continues one bare.
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
	m.seal()
	t := &Tokenizer{model: m, normalizer: bertNormalizer{clean: true, chinese: true, lower: true, accents: true},
		preTokenizer: bertPreTokenizer{}, decoder: wordPieceDecoder{"##", true}}
	return t, t.assemble(nil)
}

// around puts the first and last tokens where the keys, or else the habit of the
// model, ask for them.
func (g *GGUF) around(t *Tokenizer) error {
	usual := ggufUsual[g.Model]
	first, last := g.inside(g.BOS, usual.bos), g.inside(g.EOS, usual.eos)
	addFirst, addLast := g.Model == "llama" || g.Model == "bert" || g.Model == "gpt2" && g.habits().bos, g.Model == "t5" || g.Model == "bert"
	if g.Model == "bert" {
		if cls := g.inside(g.CLS, -1); cls != nil {
			first = cls
		}
		if sep := g.inside(g.Separator, usual.eos); sep != nil {
			last = sep
		}
	}
	if g.AddBOS != nil {
		addFirst = *g.AddBOS
	}
	if g.AddEOS != nil {
		addLast = *g.AddEOS
	}
	return t.surround(g.Path, addFirst, addLast, first, last)
}

// ggufUsual are the ids that llama.cpp takes for the first and the last token where a
// file names none, or one beyond its tokens. Those of a BPE, 11 and 11, are Falcon's
// and say nothing of another model: here it has none.
var ggufUsual = map[string]struct{ bos, eos int64 }{"llama": {1, 2}, "bert": {101, 102}, "t5": {-1, 1}, "gpt2": {-1, -1}}

// inside gives an id that is one of the tokens, else the usual one, else nil.
func (g *GGUF) inside(id *uint32, usual int64) *uint32 {
	if id != nil && int64(*id) < int64(len(g.Tokens)) {
		return id
	}
	if usual < 0 || usual >= int64(len(g.Tokens)) {
		return nil
	}
	u := uint32(usual)
	return &u
}

// surround makes a template of the first and the last token.
func (t *Tokenizer) surround(path string, addFirst, addLast bool, first, last *uint32) error {
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
		if text, ok := t.Token(*r.id); ok { // else the token is none, which an inspection says
			t.config.setRole(r.role, text, g.Path)
		}
	}
}

// ggufKinds are the kinds of model that the values of tokenizer.ggml.model stand for.
var ggufKinds = map[string]string{"bert": "WordPiece", "gpt2": "BPE", "llama": "BPE", "t5": "Unigram"}

// GGUFKind gives the kind of model that a tokenizer.ggml.model stands for, as Kind
// gives it, and false where that is not known.
func GGUFKind(model string) (kind string, ok bool) {
	kind, ok = ggufKinds[model]
	return kind, ok
}
