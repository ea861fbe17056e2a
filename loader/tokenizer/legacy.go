package tokenizer

import (
	"bytes"
	"cmp"
	"strconv"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
)

// fromVocabMerges reads the vocab.json and merges.txt of GPT-2 and similar models. The
// files do not contain how a text is split; class, the tokenizer_class of the
// checkpoint, decides it. An unknown class is treated as GPT-2's.
func fromVocabMerges(vocab, merges []byte, class string) (*Tokenizer, error) {
	v, err := vocabFile("vocab.json", vocab)
	if err != nil {
		return nil, err
	}
	m := &bpe{vocab: v}
	family := strings.TrimSuffix(class, "Fast")
	if family == "CLIPTokenizer" {
		m.suffix, m.unk, m.hasUnk = "</w>", "<|endoftext|>", true
	}
	b := newMergeBuilder(v, "", bytes.Count(merges, []byte("\n"))+1)
	at := 0
	for line := range bytes.Lines(merges) {
		start := at
		at += len(line)
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 || bytes.HasPrefix(line, []byte("#version")) {
			continue
		}
		l, r, ok := bytes.Cut(line, []byte(" "))
		if !ok || bytes.IndexByte(r, ' ') >= 0 {
			return nil, fault.At(BadVocabulary, "merges.txt", int64(start), "line "+strconv.Quote(clip(line))+" is not two tokens with a space between")
		}
		if bad := b.add(l, r); bad != "" {
			return nil, fault.At(BadVocabulary, "merges.txt", int64(start), bad)
		}
	}
	m.merges = b.merges
	m.finish()
	t := &Tokenizer{model: m, decoder: byteLevelDecoder{}}
	switch family {
	case "CLIPTokenizer":
		re, err := newRegex(clipRegex)
		if err != nil {
			return nil, err
		}
		t.normalizer = normalizerSequence{unicodeForm{compose: true}, &replaceNormalizer{spaceRuns(), " "}, lowercase{}}
		t.preTokenizer = preSequence{&split{re, removed, true}, &byteLevel{}}
		t.decoder = decoderSequence{byteLevelDecoder{}, replaceDecoder{&pattern{literal: "</w>"}, " "},
			fuse{}, stripDecoder{content: ' ', start: 1 << 62, stop: 1 << 62}}
		t.postProcessor = m.bertProcessing("<|startoftext|>", "<|endoftext|>", true)
	case "Qwen2Tokenizer":
		t.normalizer = unicodeForm{compose: true}
		pre, _ := bytePreTokenizer("qwen2")
		t.preTokenizer = append(pre, &byteLevel{})
	case "RobertaTokenizer", "BartTokenizer", "LongformerTokenizer", "LEDTokenizer":
		t.preTokenizer = &byteLevel{useRegex: true}
		t.postProcessor = m.bertProcessing("<s>", "</s>", true)
	case "BlenderbotTokenizer":
		t.preTokenizer = &byteLevel{useRegex: true, addPrefixSpace: true}
	default:
		t.preTokenizer = &byteLevel{useRegex: true}
	}
	return t, t.assemble(nil)
}

const clipRegex = `<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`

func spaceRuns() *pattern {
	p, err := newRegex(`\s+`)
	if err != nil {
		panic(err) // a constant of this package
	}
	return p
}

// bertProcessing adds cls and sep to a text, if the vocabulary has both.
func (m *bpe) bertProcessing(cls, sep string, roberta bool) postProcessor {
	c, ok := m.lookup(cls)
	s, ok2 := m.lookup(sep)
	if !ok || !ok2 {
		return nil
	}
	return &bertProcessing{cls: special{cls, c}, sep: special{sep, s}, roberta: roberta, trim: true}
}

// vocabFile reads a file that is one object of tokens and ids.
func vocabFile(path string, data []byte) (*vocabulary, error) {
	file, err := vocabNode(path, data)
	if err != nil {
		return nil, err
	}
	return parseVocab(file)
}

func vocabNode(path string, data []byte) (node, error) {
	if len(data) == 0 {
		return node{}, fault.New(fault.Empty, path, "")
	}
	file := node{path: path, raw: data}
	s := jsonscan.New(data)
	if _, err := s.Raw(); err != nil {
		return node{}, file.locate(err)
	}
	return file, file.locate(s.End())
}

// languageOf returns the vocabulary of a language where the file has one for each
// language, as those of MMS do; otherwise it returns file. Source: transformers,
// tokenization_wav2vec2.py.
func languageOf(file node, language string) (node, error) {
	inner := node{}
	s := jsonscan.New(file.raw)
	if s.Kind() != jsonscan.Object {
		return file, nil
	}
	languages := 0
	err := s.Object(func(name []byte) error {
		isInner := s.Kind() == jsonscan.Object
		v, err := file.value(&s)
		if isInner {
			languages++
			if string(name) == language {
				inner = v
			}
		}
		return err
	})
	switch {
	case err != nil:
		return file, file.locate(err)
	case languages == 0:
		return file, nil
	case inner.raw == nil && language == "":
		return file, file.fail(MissingField, "it has the vocabularies of %d languages, and target_lang of tokenizer_config.json names none of them", languages)
	case inner.raw == nil:
		return file, file.fail(BadVocabulary, "it has the vocabularies of %d languages, and none of target_lang %q", languages, clip(language))
	}
	return inner, nil
}

// bertOptions are the members of tokenizer_config.json for a vocab.txt.
type bertOptions struct {
	Cased        bool   // do_lower_case is false
	StripAccents *bool  // nil: true where the text is lowercased
	NoChinese    bool   // tokenize_chinese_chars is false
	Unknown      string // the token for unknown words, "[UNK]" where empty
}

// fromVocabText reads a vocab.txt: one WordPiece token in each line; its id is the
// number of the line, from 0.
func fromVocabText(data []byte, o bertOptions) (*Tokenizer, error) {
	const path = "vocab.txt"
	if len(data) == 0 {
		return nil, fault.New(fault.Empty, path, "")
	}
	m := &wordPiece{unk: cmp.Or(o.Unknown, "[UNK]"), prefix: "##", maxChars: 100, vocab: newVocabulary(bytes.Count(data, []byte("\n"))+1, len(data))}
	id, at := uint32(0), 0
	for line := range bytes.Lines(data) {
		token := bytes.TrimRight(line, " \t\r\n")
		if !isUTF8(token) {
			return nil, fault.At(BadVocabulary, path, int64(at), "line "+strconv.Itoa(int(id)+1)+" is not UTF-8")
		}
		at += len(line)
		m.vocab.add(bytes.Clone(token), id)
		id++
	}
	m.finish()
	n := bertNormalizer{clean: true, chinese: !o.NoChinese, lower: !o.Cased, accents: !o.Cased}
	if o.StripAccents != nil {
		n.accents = *o.StripAccents
	}
	t := &Tokenizer{model: m, normalizer: n, preTokenizer: bertPreTokenizer{}, decoder: wordPieceDecoder{"##", true}}
	t.postProcessor = bertTemplate(m)
	var tokens []AddedToken
	for _, s := range []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} {
		if id, ok := m.lookup(s); ok {
			tokens = append(tokens, AddedToken{ID: id, Content: s, Special: true})
		}
	}
	return t, t.assemble(tokens)
}

func bertTemplate(m model) postProcessor {
	c, ok := m.lookup("[CLS]")
	s, ok2 := m.lookup("[SEP]")
	if !ok || !ok2 {
		return nil
	}
	return &bertProcessing{cls: special{"[CLS]", c}, sep: special{"[SEP]", s}}
}

// ctcOptions are the members of tokenizer_config.json for the vocab.json of a CTC model.
type ctcOptions struct {
	Pad, Unknown, Delimiter string // "<pad>", "<unk>" and "|" where empty
	Language                string // target_lang: selects a vocabulary of a file with several
	Upper                   bool   // do_lower_case, for which transformers converts to upper case
}

// fromCTC reads the vocab.json of a CTC model such as Wav2Vec2: characters and a token
// for the space between words.
func fromCTC(data []byte, o ctcOptions) (*Tokenizer, error) {
	file, err := vocabNode(fileVocab, data)
	if err != nil {
		return nil, err
	}
	if file, err = languageOf(file, o.Language); err != nil {
		return nil, err
	}
	v, err := parseVocab(file)
	if err != nil {
		return nil, err
	}
	v.finish()
	or := func(s *string, fallback string) {
		if *s == "" {
			*s = fallback
		}
	}
	or(&o.Pad, "<pad>")
	or(&o.Unknown, "<unk>")
	or(&o.Delimiter, "|")
	t := &Tokenizer{model: &wordLevel{vocab: v, unk: o.Unknown}, preTokenizer: fixedLength(1),
		decoder: decoderSequence{ctcDecoder{pad: o.Pad, delimiter: o.Delimiter, cleanup: true}, fuse{},
			stripDecoder{content: ' ', start: 1 << 62, stop: 1 << 62}}}
	seq := normalizerSequence{&replaceNormalizer{&pattern{literal: " "}, o.Delimiter}}
	if o.Upper {
		seq = append(seq, uppercase{})
		t.decoder = decoderSequence{t.decoder, lowerDecoder{}}
	}
	t.normalizer = seq
	var tokens []AddedToken
	for _, s := range []string{o.Pad, "<s>", "</s>", o.Unknown} {
		if id, ok := v.lookupString(s); ok {
			tokens = append(tokens, AddedToken{ID: id, Content: s, Special: true})
		}
	}
	return t, t.assemble(tokens)
}

// lowerDecoder converts to lower case.
type lowerDecoder struct{}

func (lowerDecoder) decode(parts []string, _ *budget) []string {
	for i, p := range parts {
		parts[i] = strings.ToLower(p)
	}
	return parts
}

type uppercase struct{}

func (uppercase) normalize(p *piece, track bool, _ *budget) error {
	w := p.rewrite(track)
	for _, r := range p.text {
		for i, u := range []rune(strings.ToUpper(string(r))) {
			w.emit(u, min(i, 1))
		}
	}
	w.done()
	return nil
}

// byteVocabularies are tokenizers that need no file: the special tokens before and
// after the bytes, and those that are added to a text.
var byteVocabularies = map[string]struct {
	before []string
	extra  int // <extra_id_0> …
	cls    string
	end    string
}{
	"ByT5Tokenizer":      {[]string{"<pad>", "</s>", "<unk>"}, 125, "", "</s>"},
	"PerceiverTokenizer": {[]string{"[PAD]", "[BOS]", "[EOS]", "[MASK]", "[CLS]", "[SEP]"}, 0, "[CLS]", "[SEP]"},
}

// forClass returns the tokenizer of a class whose vocabulary is the 256 bytes, and false
// where the class needs files. extra is the number of tokens <extra_id_0>, <extra_id_1>
// and so on, -1 for the default of the class.
func forClass(class string, extra int) (*Tokenizer, bool, error) {
	b, ok := byteVocabularies[class]
	if !ok {
		return nil, false, nil
	}
	if extra >= 0 && b.extra > 0 {
		b.extra = extra
	}
	v := newVocabulary(600, 4096)
	var tokens []AddedToken
	put := func(s string) {
		id := uint32(len(v.ends))
		v.add([]byte(s), id)
		tokens = append(tokens, AddedToken{ID: id, Content: s, Special: true})
	}
	for _, s := range b.before {
		put(s)
	}
	for _, r := range byteChars {
		v.add([]byte(string(r)), uint32(len(v.ends)))
	}
	for i := range b.extra {
		put("<extra_id_" + strconv.Itoa(i) + ">")
	}
	m := &bpe{vocab: v, merges: newMerges(0)}
	m.finish()
	t := &Tokenizer{model: m, preTokenizer: &byteLevel{}, decoder: byteLevelDecoder{}}
	tpl := &template{}
	piece := func(s string, typeID uint32) templatePiece {
		id, _ := m.lookup(s)
		return templatePiece{text: -1, tokens: []special{{s, id}}, typeID: typeID}
	}
	if b.cls != "" {
		tpl.single = append(tpl.single, piece(b.cls, 0))
	}
	tpl.single = append(tpl.single, templatePiece{text: 0}, piece(b.end, 0))
	tpl.pair = append(append([]templatePiece(nil), tpl.single...), templatePiece{text: 1, typeID: 1}, piece(b.end, 1))
	t.postProcessor = tpl
	t.config.Class = class
	return t, true, t.assemble(tokens)
}
