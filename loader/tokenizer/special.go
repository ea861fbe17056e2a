package tokenizer

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"omniloader/loader/fault"
)

//go:embed class_forms.tsv
var classFormsTSV string

//go:embed class_languages.tsv
var classLanguagesTSV string

//go:embed whisper_languages.tsv
var whisperLanguagesTSV string

// classForm is one line of class_forms.tsv.
type classForm struct {
	normalized                 bool // named tokens are looked for in the normalized text
	maskStrips, maskNormalized bool
	single, pair               string
}

var classForms = sync.OnceValue(func() map[string]classForm {
	m := make(map[string]classForm)
	for _, f := range rows(classFormsTSV) {
		m[f[0]] = classForm{f[1] == "n", strings.Contains(f[2], "L"), strings.Contains(f[2], "n"), f[3], f[4]}
	}
	return m
})

var classLanguages = sync.OnceValue(func() map[string][]string {
	m := make(map[string][]string)
	for _, f := range rows(classLanguagesTSV) {
		m[f[0]] = strings.Fields(f[1])
	}
	return m
})

// named gives a named token and the file that gave it: that of the files, else what
// the class has by itself, in which case there is no file. Where it is no more than a
// text, its flags are those that the class gives it.
func (l *loading) named(role string) (AddedToken, string, error) {
	a, file, err := l.side.role(role)
	if err != nil {
		return a, file, err
	}
	if a.Content == "" {
		a = AddedToken{Content: ClassToken(l.family(), role), Special: true}
	} else if l.side.flagged[role] {
		return a, file, nil
	}
	form := classForms()[l.family()]
	a.Normalized = form.normalized
	if role == "mask_token" {
		a.LStrip, a.Normalized = form.maskStrips, form.maskNormalized
	}
	return a, file, nil
}

// renumber puts the pieces into the order in which a class numbers them, and gives
// the tokens that the class adds to them. The names of the ways are those of
// sentencepiece_classes.tsv.
func (m *spModel) renumber(way string, languages []string) (more []AddedToken) {
	control := func(texts ...string) (out []spPiece) {
		for _, s := range texts {
			kind := uint64(pieceControl)
			if s == "<unk>" {
				kind = uint64(pieceUnknown)
			}
			out = append(out, spPiece{s, 0, kind})
		}
		return out
	}
	behind := func(n int) []spPiece { return m.pieces[min(n, len(m.pieces)):] }
	add := func(texts ...string) {
		for _, s := range texts {
			more = append(more, AddedToken{ID: uint32(len(m.pieces)), Content: s, Special: true})
			m.pieces = append(m.pieces, control(s)...)
		}
	}
	kind, order, _ := strings.Cut(way, " ")
	switch kind {
	case "fairseq":
		m.pieces = append(control("<s>", "<pad>", "</s>", "<unk>"), behind(3)...)
		for part := range strings.FieldsSeq(order) {
			if part == "langs" {
				add(languages...)
			} else {
				m.pieces = append(m.pieces, control("<mask>")...)
			}
		}
		if order == "" {
			m.pieces = append(m.pieces, control("<mask>")...)
		}
	case "camembert":
		pieces := append(control("<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED"), behind(1)...)
		m.pieces = append(pieces, control("<mask>")...)
		for _, at := range []int{0, 2, 4} {
			more = append(more, AddedToken{ID: uint32(at), Content: pieces[at].text, Special: true})
		}
	case "xglm":
		m.pieces = append(control("<s>", "<pad>", "</s>", "<unk>"), behind(3)...)
		for i := range 7 {
			add("<madeupword" + strconv.Itoa(i) + ">")
		}
	case "pegasus":
		pieces := behind(2)
		m.pieces = nil
		m.pieces = control("<pad>", "</s>")
		add("<mask_1>", "<mask_2>")
		for i := 2; i <= 102; i++ {
			add("<unk_" + strconv.Itoa(i) + ">")
		}
		m.pieces = append(m.pieces, pieces...)
	default:
		return nil
	}
	m.control = map[string]string{"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>"}
	return more
}

// aroundIfThere is around, for vocabularies that may be of a kind before the class:
// one that lacks its tokens gets none.
func (l *loading) aroundIfThere(t *Tokenizer) error {
	err := l.around(t)
	if fault.KindOf(err) == BadVocabulary {
		t.postProcessor = nil
		return nil
	}
	return err
}

// around puts the special tokens of the class around texts. Where the vocabulary has
// not all of them, there is an error: the class cannot do without.
func (l *loading) around(t *Tokenizer) error {
	form := classForms()[l.family()]
	switch form.single {
	case "", "-":
		if l.family() == "GPT2Tokenizer" {
			if on, ok := l.side.flag("add_bos_token"); ok && on {
				return l.shape(t, "bos:0 A:0", "bos:0 A:0 bos:1 B:1")
			}
		}
		return nil
	case "whisper":
		return l.whisper(t)
	case "roberta":
		cls, sep := "cls_token", "sep_token"
		if l.family() == "CLIPTokenizer" {
			cls, sep = "bos_token", "eos_token"
		}
		marks, err := l.marks(t, cls, sep)
		if err != nil {
			return err
		}
		f := &frame{cls: marks[0], sep: marks[1], roberta: true, trim: l.family() != "CLIPTokenizer"}
		if b, ok := t.preTokenizer.(*byteLevel); ok {
			f.addsPrefix = b.addPrefixSpace
		}
		t.postProcessor = f
		return nil
	}
	return l.shape(t, form.single, form.pair)
}

// marks gives the tokens of roles with their ids.
func (l *loading) marks(t *Tokenizer, roles ...string) ([]special, error) {
	var out []special
	for _, role := range roles {
		var text string
		if role == "lang" {
			text = l.language()
		} else {
			a, _, err := l.named(role)
			if err != nil {
				return nil, err
			}
			text = a.Content
		}
		id, ok := t.TokenID(text)
		if !ok {
			return nil, fault.New(BadVocabulary, l.files[0], strconv.Quote(clip(text))+", which "+l.family()+" puts around texts, is not in the vocabulary")
		}
		out = append(out, special{text, id})
	}
	return out, nil
}

// shape makes the post-processor of what stands in class_forms.tsv.
func (l *loading) shape(t *Tokenizer, single, pair string) error {
	parse := func(shape string) (out []templatePiece, err error) {
		for item := range strings.FieldsSeq(shape) {
			name, typeText, _ := strings.Cut(item, ":")
			typeID, _ := strconv.ParseUint(typeText, 10, 32)
			p := templatePiece{text: -1, typeID: uint32(typeID)}
			switch name {
			case "A":
				p.text = 0
			case "B":
				p.text = 1
			case "lang":
				p.tokens, err = l.marks(t, name)
			default:
				p.tokens, err = l.marks(t, name+"_token")
			}
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		}
		return out, nil
	}
	tpl := &template{}
	var err error
	if tpl.single, err = parse(single); err != nil {
		return err
	}
	if tpl.pair, err = parse(pair); err != nil {
		return err
	}
	t.postProcessor = tpl
	return nil
}

// language is the source language of a class that has languages: the config's, else
// English, which is what the classes have by themselves.
func (l *loading) language() string {
	if s := l.side.text("src_lang"); s != "" {
		return s
	}
	if l.family() == "NllbTokenizer" {
		return "eng_Latn"
	}
	return "en_XX"
}

// whisper puts around texts what tells Whisper its task: the start, the language and
// the task where the config names them, and that there are no time stamps. The token
// of a language is known by its distance from the start. Source: prefix_tokens and
// set_prefix_tokens of WhisperTokenizer in transformers.
func (l *loading) whisper(t *Tokenizer) error {
	start, ok := t.TokenID("<|startoftranscript|>")
	if !ok {
		return nil // a vocabulary of an English model may lack the prefix
	}
	var ids []uint32
	if language := strings.ToLower(l.side.text("language")); language != "" {
		at := -1
		for i, f := range rows(whisperLanguagesTSV) {
			if language == f[0] || strings.Contains(","+f[1]+",", ","+language+",") {
				at = i
			}
		}
		if at < 0 {
			return fault.New(UnknownComponent, fileConfig, "Whisper knows no language "+strconv.Quote(clip(language)))
		}
		ids = append(ids, start+1+uint32(at))
	}
	var rest []string
	switch task := l.side.text("task"); task {
	case "":
	case "transcribe", "translate":
		rest = append(rest, "<|"+task+"|>")
	default:
		return fault.New(UnknownComponent, fileConfig, "Whisper knows no task "+strconv.Quote(clip(task)))
	}
	if on, _ := l.side.flag("predict_timestamps"); !on {
		rest = append(rest, "<|notimestamps|>")
	}
	for _, name := range rest {
		id, ok := t.TokenID(name)
		if !ok {
			return fault.New(BadVocabulary, l.files[0], name+", which WhisperTokenizer puts before texts, is not in the vocabulary")
		}
		ids = append(ids, id)
	}
	tpl := &template{}
	for _, id := range append([]uint32{start}, ids...) {
		text, ok := t.Token(id)
		if !ok {
			return fault.New(BadVocabulary, l.files[0], "token "+strconv.Itoa(int(id))+", which WhisperTokenizer puts before texts, is not in the vocabulary")
		}
		tpl.single = append(tpl.single, templatePiece{text: -1, tokens: []special{{text, id}}})
	}
	end, err := l.marks(t, "eos_token")
	if err != nil {
		return err
	}
	tpl.single = append(tpl.single, templatePiece{text: 0})
	tpl.pair = append(append([]templatePiece{}, tpl.single...), templatePiece{text: 1, typeID: 1}, templatePiece{text: -1, tokens: end, typeID: 1})
	tpl.single = append(tpl.single, templatePiece{text: -1, tokens: end})
	t.postProcessor = tpl
	return nil
}
