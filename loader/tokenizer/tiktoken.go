package tokenizer

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"sync"

	"omniloader/loader/fault"
	"omniloader/loader/jsonscan"
)

//go:embed split_patterns.tsv
var splitPatternsTSV string

// splitPatterns maps names to patterns, in the order of their use.
var splitPatterns = sync.OnceValue(func() map[string][]string {
	m := make(map[string][]string)
	for line := range strings.Lines(splitPatternsTSV) {
		if name, p, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok && line[0] != '#' {
			m[name] = append(m[name], p)
		}
	}
	return m
})

// bytePreTokenizer returns the pre-tokenizer of the named patterns, for a model that
// reads bytes.
func bytePreTokenizer(name string) (preSequence, bool) {
	patterns, ok := splitPatterns()[name]
	if !ok {
		return nil, false
	}
	seq := preSequence{}
	for _, p := range patterns {
		switch p {
		case "digits":
			seq = append(seq, &runeSplit{isNumber, isolated})
			continue
		case "gpt2":
			seq = append(seq, &split{pattern: gpt2Pattern(), how: isolated})
			continue
		}
		re, err := newRegex(p)
		if err != nil {
			panic(err) // a test compiles every row of the table
		}
		seq = append(seq, &split{pattern: re, how: isolated})
	}
	return seq, true
}

// fromTiktoken reads a file of tiktoken: lines of a token in base64 and its rank. The
// file contains neither the split pattern nor the special tokens; pattern is a regular
// expression, or a name of split_patterns.tsv such as "cl100k", "o200k" or "gpt-2".
func fromTiktoken(path string, data []byte, pattern string, special []AddedToken) (*Tokenizer, error) {
	if len(data) == 0 {
		return nil, fault.New(fault.Empty, path, "")
	}
	m := newRankBPE(bytes.Count(data, []byte("\n"))+1, len(data)/2)
	var buf []byte
	for at := 0; at < len(data); {
		line := data[at:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i]
		}
		start := at
		at += len(line) + 1
		if line = bytes.TrimRight(line, "\r "); len(line) == 0 {
			continue
		}
		text, number, ok := bytes.Cut(line, []byte(" "))
		rank, err := strconv.ParseUint(string(number), 10, 31)
		if n := base64.StdEncoding.DecodedLen(len(text)); cap(buf) < n {
			buf = make([]byte, n)
		}
		n, e := base64.StdEncoding.Decode(buf[:cap(buf)], text)
		if ok && err == nil && string(text) == "=" {
			continue // the last line of Whisper's file has a rank and no token
		}
		if !ok || err != nil || e != nil || n == 0 {
			return nil, fault.At(fault.Malformed, path, int64(start), "line "+strconv.Quote(clip(line))+" is not a token in base64 and its rank")
		}
		m.addRank(buf[:n], uint32(rank))
	}
	return rankTokenizer(path, m, pattern, special)
}

func newRankBPE(n, size int) *spanBPE {
	return &spanBPE{vocab: newVocabulary(n, size), fromBytes: true, whole: true, unkID: -1}
}

// addRank adds a token whose rank is its id.
func (m *spanBPE) addRank(text []byte, rank uint32) { m.vocab.add(text, rank) }

func rankTokenizer(path string, m *spanBPE, pattern string, special []AddedToken) (*Tokenizer, error) {
	if m.vocab.count == 0 {
		return nil, fault.New(BadVocabulary, path, "no token at all")
	}
	m.vocab.finish()
	m.order = make([]uint32, len(m.vocab.ends))
	for e := range m.order {
		m.order[e] = m.vocab.id(uint32(e))
	}
	m.longest = m.vocab.longest()
	t := &Tokenizer{model: m, decoder: bytesDecoder{}}
	if pre, ok := bytePreTokenizer(pattern); ok {
		t.preTokenizer = pre
	} else {
		re, err := newRegex(pattern)
		if err != nil {
			return nil, fault.New(BadPattern, path, strconv.Quote(clip(pattern))+": "+err.Error())
		}
		t.preTokenizer = &split{pattern: re, how: isolated}
	}
	if err := t.assemble(nil); err != nil {
		return nil, err
	}
	return t, t.added.addWithIDs(path, special)
}

// addWithIDs adds tokens with the ids that they have, as formats other than
// tokenizer.json need.
func (a *addedVocabulary) addWithIDs(path string, tokens []AddedToken) error {
	for _, t := range tokens {
		if t.Content == "" {
			return fault.New(BadVocabulary, path, "a special token without a text")
		}
		if at, ok := a.byID[t.ID]; ok {
			a.tokens[at], a.forms[at] = t, t.Content
		} else {
			a.byID[t.ID] = len(a.tokens)
			a.tokens, a.forms = append(a.tokens, t), append(a.forms, t.Content)
		}
		a.byText[t.Content] = t.ID
		if t.Special {
			a.special[t.Content] = true
		}
	}
	a.index()
	return nil
}

// bytesDecoder joins tokens whose texts are the bytes themselves.
type bytesDecoder struct{}

func (bytesDecoder) decode(parts []string, _ *budget) []string {
	return []string{repair(strings.Join(parts, ""))}
}

// fromTekken reads a tekken.json of Mistral: the ranks of byte tokens, whose ids follow
// those of the special tokens (mistral_common, tekken.py).
func fromTekken(path string, data []byte) (*Tokenizer, error) {
	list, special, head, err := parseTekken(path, data)
	if err != nil {
		return nil, err
	}
	m := newRankBPE(len(list.raw)/64, len(list.raw)/8)
	err = tekkenTokens(list, head, func(n node, text string, id uint32) error {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(b) == 0 {
			return n.fail(BadVocabulary, "token_bytes %s is not base64", strconv.Quote(clip(text)))
		}
		m.addRank(b, id)
		return nil
	})
	if err != nil {
		return nil, err
	}
	t, err := rankTokenizer(path, m, head.pattern, nil)
	if err != nil {
		return nil, err
	}
	for i := range special { // in a text mistral_common treats them as ordinary text
		special[i].notMatched = true
	}
	return t, t.added.addWithIDs(path, special)
}

// tekkenHead is what the config of a tekken.json says.
type tekkenHead struct {
	pattern  string
	most     uint64 // how many of the tokens the model uses
	reserved uint64 // how many ids of special tokens precede them
}

// parseTekken reads all but the tokens themselves.
func parseTekken(path string, data []byte) (list node, special []AddedToken, head tekkenHead, err error) {
	if len(data) == 0 {
		return list, nil, head, fault.New(fault.Empty, path, "")
	}
	file := node{path: path, raw: data}
	s := jsonscan.New(data)
	if _, err := s.Raw(); err != nil {
		return list, nil, head, file.locate(err)
	}
	if err := s.End(); err != nil {
		return list, nil, head, file.locate(err)
	}
	o, err := file.object(fileTekken)
	if err != nil {
		return list, nil, head, err
	}
	cn, err := o.need("config")
	if err != nil {
		return list, nil, head, err
	}
	config, err := cn.object(`"config"`)
	if err != nil {
		return list, nil, head, err
	}
	if head.pattern, err = config.needStr("pattern"); err != nil {
		return list, nil, head, err
	}
	size, err := config.needUint("default_vocab_size", math.MaxInt32)
	if err != nil {
		return list, nil, head, err
	}
	if head.reserved, err = config.needUint("default_num_special_tokens", 1<<20); err != nil {
		return list, nil, head, err
	}
	if size < head.reserved {
		return list, nil, head, config.fail(BadVocabulary, "default_vocab_size %d is below default_num_special_tokens %d", size, head.reserved)
	}
	head.most = size - head.reserved
	if special, err = tekkenSpecial(&o, head.reserved); err != nil {
		return list, nil, head, err
	}
	if list, err = o.need("vocab"); err == nil {
		err = list.want(jsonscan.Array, `"vocab"`)
	}
	return list, special, head, err
}

// tekkenDefaults are the special tokens of files that do not list any.
var tekkenDefaults = [...]string{"<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]",
	"[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]",
	"[MIDDLE]", "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]"}

func tekkenSpecial(o *object, reserved uint64) ([]AddedToken, error) {
	out := make([]AddedToken, reserved)
	for i := range out {
		out[i] = AddedToken{ID: uint32(i), Content: "<SPECIAL_" + strconv.Itoa(i) + ">", Special: true}
	}
	n, ok := o.optional("special_tokens")
	if !ok {
		for i := range min(len(out), len(tekkenDefaults)) {
			out[i].Content = tekkenDefaults[i]
		}
		return out, nil
	}
	items, err := n.array(`"special_tokens"`)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		s, err := item.object("a special token")
		if err != nil {
			return nil, err
		}
		rank, err := s.needUint("rank", math.MaxUint32)
		if err != nil {
			return nil, err
		}
		if rank >= reserved {
			return nil, s.fail(BadVocabulary, "special token %d, the file reserves %d", rank, reserved)
		}
		if out[rank].Content, err = s.needStr("token_str"); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// tekkenTokens calls found with each token that the model uses, in base64.
func tekkenTokens(list node, head tekkenHead, found func(n node, text string, id uint32) error) error {
	s := jsonscan.New(list.raw)
	return list.locate(s.Array(func(int) error {
		v, err := list.value(&s)
		if err != nil {
			return err
		}
		o, err := v.object("a token")
		if err != nil {
			return err
		}
		rank, err := o.needUint("rank", math.MaxInt32)
		if err != nil {
			return err
		}
		text, err := o.needStr("token_bytes")
		if err != nil {
			return err
		}
		if rank >= head.most {
			return nil // the file may list more tokens than the model uses
		}
		return found(v, text, uint32(rank+head.reserved))
	}))
}
