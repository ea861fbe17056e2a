package tokenizer

import (
	"bytes"
	"strconv"
	"strings"

	"omniloader/loader/fault"
)

// modelFile reads a tokenizer.model or the like: a SentencePiece model, or a file of
// tiktoken.
func (l *directoryLoader) modelFile(name string, data []byte) (*Tokenizer, error) {
	line := data
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	if _, rank, ok := bytes.Cut(bytes.TrimRight(line, "\r"), []byte(" ")); ok && len(line) < 1000 {
		if _, isNumber := parseID(rank); isNumber {
			t, err := fromTiktoken(name, data, l.splitPatternName(name), nil)
			if err != nil {
				return nil, err
			}
			t.config.Format = "tiktoken"
			return t, l.placeSideTokens(t)
		}
	}
	m, err := parseSentencePiece(name, data)
	if err != nil {
		return nil, err
	}
	family := l.family()
	class := pieceClasses()[family]
	numbers := class.numbers
	if family == "" && name == "sentencepiece.bpe.model" {
		numbers = "fairseq"
	}
	if numbers == "own" || numbers == "" && name == "sentencepiece.bpe.model" {
		return nil, fault.New(fault.Unsupported, name, "the ids of "+family+" are not those of its SentencePiece model").
			WithHint("convert it to tokenizer.json with transformers")
	}
	more := m.renumber(numbers, classLanguages()[family])
	t, err := m.tokenizer()
	if err != nil {
		return nil, err
	}
	t.config.Format = "SentencePiece"
	if err := t.added.addWithIDs(name, more); err != nil {
		return nil, err
	}
	if family == "T5Tokenizer" || family == "MT5Tokenizer" {
		if err := l.addSentinels(t, len(m.pieces)); err != nil {
			return nil, err
		}
	}
	if err := l.placeSideTokens(t); err != nil {
		return nil, err
	}
	l.addCleaning(t, class.clean)
	if family == "" && numbers == "fairseq" {
		cls, _ := t.TokenID("<s>")
		sep, _ := t.TokenID("</s>")
		t.postProcessor = &bertProcessing{cls: special{"<s>", cls}, sep: special{"</s>", sep}, roberta: true}
		return t, nil
	}
	if form := classForms()[family].single; form != "" && form != "-" {
		return t, l.setPostProcessor(t)
	}
	return t, l.setBOSAndEOS(t, class.ends)
}

// setBOSAndEOS adds the first and the last token to texts where class or config ask for
// them.
func (l *directoryLoader) setBOSAndEOS(t *Tokenizer, ends [2]bool) error {
	for i, name := range []string{"add_bos_token", "add_eos_token"} {
		if on, ok := l.side.flag(name); ok {
			ends[i] = on
		}
	}
	if !ends[0] && !ends[1] {
		return nil
	}
	id := func(role string) *uint32 {
		a, _, err := l.side.role(role)
		text := a.Content
		if err != nil || text == "" {
			text = t.config.Roles[role]
		}
		if id, ok := t.TokenID(text); ok {
			return &id
		}
		return nil
	}
	return t.setBOSEOSTemplate(l.files[0], ends[0], ends[1], id("bos_token"), id("eos_token"))
}

// addCleaning adds the cleaning of a class before the normalizer of its file. Source:
// preprocess_text of the tokenizers of ALBERT and XLNet in transformers.
func (l *directoryLoader) addCleaning(t *Tokenizer, what string) {
	var seq normalizerSequence
	on := func(step, flag string, value bool) bool {
		if set, ok := l.side.flag(flag); ok {
			value = set
		}
		return strings.Contains(what, step) && value
	}
	if strings.Contains(what, "quotes") {
		for _, mark := range []string{"``", "''"} {
			seq = append(seq, &replaceNormalizer{pattern: &pattern{literal: mark}, content: "\""})
		}
	}
	if strings.Contains(what, "accents") && !on("accents", "keep_accents", false) {
		seq = append(seq, unicodeForm{compat: true}, stripAccents{})
	}
	if on("lower", "do_lower_case", true) {
		seq = append(seq, lowercase{})
	}
	if len(seq) > 0 {
		t.normalizer = append(seq, t.normalizer)
	}
}

// addSentinels adds <extra_id_0>, <extra_id_1> and so on after the vocabulary, in
// descending order.
func (l *directoryLoader) addSentinels(t *Tokenizer, size int) error {
	count := uint64(100)
	if n, ok := l.side.config.optional("extra_ids"); ok {
		var err error
		if count, err = n.uint(`"extra_ids"`, 1<<16); err != nil {
			return err
		}
	}
	var out []AddedToken
	for i := range int(count) {
		out = append(out, AddedToken{ID: uint32(size + i), Content: "<extra_id_" + strconv.Itoa(int(count)-1-i) + ">", Special: true})
	}
	return t.added.addWithIDs(l.files[0], out)
}

// splitPatternName returns the name of the split pattern for a file of tiktoken, which
// contains none.
func (l *directoryLoader) splitPatternName(name string) string {
	switch {
	case strings.HasPrefix(name, "qwen"), strings.HasPrefix(l.class, "QWen"):
		return "qwen2"
	case name == "gpt2.tiktoken", name == "multilingual.tiktoken", l.family() == "WhisperTokenizer":
		return "gpt-2"
	case strings.HasPrefix(l.class, "TikTokenTokenizer"):
		return "kimi-k2"
	case strings.HasPrefix(name, "o200k"):
		return "o200k"
	}
	return "cl100k"
}
