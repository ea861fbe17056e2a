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

// classForm is one row of class_forms.tsv.
type classForm struct {
	normalized                 bool // tokens of roles are matched in the normalized text
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

// named returns the token of a role and the file that sets it, or else the default of
// the class and "". A token that the file gives as a string has the flags that the class
// sets.
func (l *directoryLoader) named(role string) (AddedToken, string, error) {
	a, file, err := l.side.role(role)
	if err != nil {
		return a, file, err
	}
	if a.Content == "" {
		a = AddedToken{Content: classToken(l.family(), role), Special: true}
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

// renumber reorders the pieces as a class numbers them, and returns the tokens that the
// class adds. way is the column ids of sentencepiece_classes.tsv.
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

// setPostProcessorIfPossible is setPostProcessor for vocabularies that may lack the
// tokens of the class: those get no post-processor.
func (l *directoryLoader) setPostProcessorIfPossible(t *Tokenizer) error {
	err := l.setPostProcessor(t)
	if fault.KindOf(err) == BadVocabulary {
		t.postProcessor = nil
		return nil
	}
	return err
}

// setPostProcessor sets the post-processor that adds the special tokens of the class. It
// fails where the vocabulary lacks one of them.
func (l *directoryLoader) setPostProcessor(t *Tokenizer) error {
	form := classForms()[l.family()]
	switch form.single {
	case "", "-":
		if l.family() == "GPT2Tokenizer" {
			if on, ok := l.side.flag("add_bos_token"); ok && on {
				return l.setTemplate(t, "bos:0 A:0", "bos:0 A:0 bos:1 B:1")
			}
		}
		return nil
	case "whisper":
		return l.setWhisperTemplate(t)
	case "roberta":
		cls, sep := "cls_token", "sep_token"
		if l.family() == "CLIPTokenizer" {
			cls, sep = "bos_token", "eos_token"
		}
		marks, err := l.roleTokens(t, cls, sep)
		if err != nil {
			return err
		}
		f := &bertProcessing{cls: marks[0], sep: marks[1], roberta: true, trim: l.family() != "CLIPTokenizer"}
		if b, ok := t.preTokenizer.(*byteLevel); ok {
			f.addsPrefix = b.addPrefixSpace
		}
		t.postProcessor = f
		return nil
	}
	return l.setTemplate(t, form.single, form.pair)
}

// roleTokens returns the tokens of roles with their ids.
func (l *directoryLoader) roleTokens(t *Tokenizer, roles ...string) ([]special, error) {
	var out []special
	for _, role := range roles {
		var text string
		if role == "lang" {
			text = l.sourceLanguage()
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

// setTemplate sets the post-processor from the columns single and pair of
// class_forms.tsv.
func (l *directoryLoader) setTemplate(t *Tokenizer, single, pair string) error {
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
				p.tokens, err = l.roleTokens(t, name)
			default:
				p.tokens, err = l.roleTokens(t, name+"_token")
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

// sourceLanguage is the source language of a multilingual class: src_lang of the config,
// else English, the default of these classes.
func (l *directoryLoader) sourceLanguage() string {
	if s := l.side.text("src_lang"); s != "" {
		return s
	}
	if l.family() == "NllbTokenizer" {
		return "eng_Latn"
	}
	return "en_XX"
}

// setWhisperTemplate sets the post-processor of Whisper: the start token, the language and
// the task where the config has them, and the token for no timestamps. The ids of the
// languages follow that of the start token. Source: prefix_tokens and set_prefix_tokens
// of WhisperTokenizer in transformers.
func (l *directoryLoader) setWhisperTemplate(t *Tokenizer) error {
	start, ok := t.TokenID("<|startoftranscript|>")
	if !ok {
		return nil // vocabularies of English models may lack the token
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
	end, err := l.roleTokens(t, "eos_token")
	if err != nil {
		return err
	}
	tpl.single = append(tpl.single, templatePiece{text: 0})
	tpl.pair = append(append([]templatePiece{}, tpl.single...), templatePiece{text: 1, typeID: 1}, templatePiece{text: -1, tokens: end, typeID: 1})
	tpl.single = append(tpl.single, templatePiece{text: -1, tokens: end})
	t.postProcessor = tpl
	return nil
}
