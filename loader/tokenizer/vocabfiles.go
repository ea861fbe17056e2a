package tokenizer

import (
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
)

// tokenizerJSON reads tokenizer.json, with the tokens that the config files add or whose
// flags they change.
func (l *directoryLoader) tokenizerJSON(name string, data []byte) (*Tokenizer, error) {
	t, tokens, err := parseJSON(name, data)
	if err != nil {
		return nil, err
	}
	l.override(t)
	return t, l.appendSideTokens(t, tokens, t.assemble)
}

// vocabJSON reads vocab.json: with merges.txt the vocabulary of a byte-level BPE, without
// it that of a CTC model.
func (l *directoryLoader) vocabJSON(name string, data []byte) (*Tokenizer, error) {
	if classForms()[l.family()].single == "own" {
		return nil, l.errUnsupportedClass(name)
	}
	if l.has(fileMerges) {
		merges, err := l.file(fileMerges, maxVocabularyFile)
		if err != nil {
			return nil, err
		}
		t, err := fromVocabMerges(data, merges, l.family())
		if err != nil {
			return nil, err
		}
		t.config.Format = formatMerges
		if b, ok := t.preTokenizer.(*byteLevel); ok {
			if on, ok := l.side.flag("add_prefix_space"); ok {
				b.addPrefixSpace = on
			}
		}
		if err := l.placeSideTokens(t); err != nil {
			return nil, err
		}
		return t, l.setPostProcessorIfPossible(t)
	}
	if err := l.checkCTC(name, data); err != nil {
		return nil, err
	}
	o := ctcOptions{Pad: l.side.text("pad_token"), Unknown: l.side.text("unk_token"), Delimiter: l.delimiter(), Language: l.side.text("target_lang")}
	o.Upper, _ = l.side.flag("do_lower_case")
	t, err := fromCTC(data, o)
	if err != nil {
		return nil, err
	}
	t.config.Format = formatCTC
	return t, l.placeSideTokens(t)
}

func (l *directoryLoader) delimiter() string {
	if d := l.side.text("word_delimiter_token"); d != "" {
		return d
	}
	return "|"
}

// checkCTC refuses a vocab.json without merges.txt that is not that of a CTC model: a
// BPE without its merges would give wrong ids without an error. It is that of a CTC
// model if the class is, or if its tokens are single characters and a word delimiter.
func (l *directoryLoader) checkCTC(name string, data []byte) error {
	if family := l.family(); strings.Contains(family, "CTC") || family == "Wav2Vec2Tokenizer" {
		return nil
	}
	delimiter, characters, marked := l.delimiter(), true, false
	file := node{path: name, raw: data}
	s := jsonscan.New(data)
	if err := file.want(jsonscan.Object, "the file"); err != nil {
		return err
	}
	err := s.Object(func(token []byte) error {
		marked = marked || string(token) == delimiter
		isMark := len(token) > 2 && (token[0] == '<' && token[len(token)-1] == '>' || token[0] == '[' && token[len(token)-1] == ']')
		characters = characters && (isMark || utf8.RuneCount(token) <= 1 || string(token) == delimiter)
		_, err := s.Raw()
		return err
	})
	switch {
	case err != nil:
		return file.locate(err)
	case characters && marked:
		return nil
	case slices.ContainsFunc(l.names, func(n string) bool { return path.Ext(n) == ".spm" }):
		return fault.New(fault.Unsupported, name, "the ids of "+l.family()+" follow from several files").
			WithHint("convert it to tokenizer.json with transformers")
	}
	return fault.New(fault.Incomplete, fileMerges, "vocab.json has the tokens of a BPE, and its merges.txt is not there").
		WithHint("download merges.txt too")
}

// errUnsupportedClass is the error for a class whose splitting or numbering is not
// implemented.
func (l *directoryLoader) errUnsupportedClass(name string) error {
	return fault.New(fault.Unsupported, name, l.family()+" makes of its files what they do not say").
		WithHint("convert it to tokenizer.json with transformers")
}

func (l *directoryLoader) vocabText(name string, data []byte) (*Tokenizer, error) {
	form := classForms()[l.family()]
	if form.single == "own" {
		return nil, l.errUnsupportedClass(name)
	}
	var o bertOptions
	if form.single != "" {
		unk, _, err := l.named("unk_token")
		if err != nil {
			return nil, err
		}
		o.Unknown = unk.Content
	}
	if lower, ok := l.side.flag("do_lower_case"); ok {
		o.Cased = !lower
	}
	if chinese, ok := l.side.flag("tokenize_chinese_chars"); ok {
		o.NoChinese = !chinese
	}
	if strip, ok := l.side.flag("strip_accents"); ok {
		o.StripAccents = &strip
	}
	t, err := fromVocabText(data, o)
	if err != nil {
		return nil, err
	}
	if err := l.placeSideTokens(t); err != nil || form.single == "" {
		return t, err
	}
	return t, l.setPostProcessorIfPossible(t)
}
