package tokenizer

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"omniloader/loader/jsonscan"
)

// Config is what the files say about a tokenizer beyond encoding and decoding.
type Config struct {
	Class          string            // tokenizer_class; the files may be of another class
	ModelType      string            // model_type of config.json; it implies the class where no file names one
	Roles          map[string]string // bos_token, eos_token, unk_token, sep_token, pad_token, cls_token, mask_token
	ChatTemplate   string
	TemplateSource string   // the file that gave the chat template
	Files          []string // the files that were read, the vocabulary first
	// Format is the format of the vocabulary: tokenizer.json, SentencePiece,
	// tiktoken, tekken, vocab and merges, CTC, vocab.txt, GGUF, bytes.
	Format string
	// Unlisted are special tokens of the config that neither the vocabulary nor a list
	// of added tokens contains. As in transformers they have the next free ids, for
	// which a model has no embeddings unless it was resized.
	Unlisted []AddedToken

	sources map[string]string // by role: the file that sets it
}

// roleNames are the members of the config that name special tokens, in the order in
// which transformers adds them.
var roleNames = [...]string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}

func (c *Config) setRole(role, token, source string) {
	if c.Roles == nil {
		c.Roles, c.sources = make(map[string]string), make(map[string]string)
	}
	c.Roles[role], c.sources[role] = token, source
}

// Config returns what the config files say. The maps must not be changed.
func (t *Tokenizer) Config() Config { return t.config }

// PadToken is the token that pads batches, and its source.
type PadToken struct {
	Token  string
	ID     int64  // -1 where the vocabulary does not have the token
	Source string // the file that sets it, "tokenizer_class …", "model_type …", or "eos_token"
}

// PadToken returns the pad token. As in transformers it is that of
// tokenizer_config.json; of special_tokens_map.json, which has precedence where there
// is no added_tokens_decoder; of the padding in tokenizer.json; or the default of the
// class, which is that of the model type where no file names one. Where there is none
// of these it is the end-of-text token, which training scripts use then. It returns
// false where there is no end-of-text token either.
func (t *Tokenizer) PadToken() (PadToken, bool) {
	p := PadToken{ID: -1}
	ofClass, source := padTokenOf(t.config.Class, t.config.ModelType)
	switch {
	case t.config.Roles["pad_token"] != "":
		p.Token, p.Source = t.config.Roles["pad_token"], t.config.sources["pad_token"]
	case t.padding != nil && t.padding.Token != "":
		p.Token, p.Source = t.padding.Token, "tokenizer.json"
	case ofClass != "":
		p.Token, p.Source = ofClass, source
	case t.config.Roles["eos_token"] != "":
		p.Token, p.Source = t.config.Roles["eos_token"], "eos_token"
	default:
		return p, false
	}
	if id, ok := t.TokenID(p.Token); ok {
		p.ID = int64(id)
	}
	return p, true
}

//go:embed sentencepiece_classes.tsv
var sentencePieceClassesTSV string

// pieceClass is one row of sentencepiece_classes.tsv.
type pieceClass struct {
	ends    [2]bool // whether the first and the last token are added to a text
	numbers string  // how ids follow from the indexes of the pieces
	clean   string  // quotes, accents, lower: how it cleans a text
}

// pieceClasses says how classes that read a SentencePiece file use it.
var pieceClasses = sync.OnceValue(func() map[string]pieceClass {
	m := make(map[string]pieceClass)
	for _, f := range rows(sentencePieceClassesTSV) {
		m[f[0]] = pieceClass{[2]bool{strings.Contains(f[1], "bos"), strings.Contains(f[1], "eos")}, f[2], f[3]}
	}
	return m
})

// rows returns the rows of a table, split into fields, without comments.
func rows(tsv string) (out [][]string) {
	for line := range strings.Lines(tsv) {
		if line[0] != '#' {
			out = append(out, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		}
	}
	return out
}

// sideFiles holds the files beside the vocabulary: tokenizer_config.json,
// special_tokens_map.json and added_tokens.json.
type sideFiles struct {
	config, special, added object
	hasConfig, hasDecoder  bool
	flagged                map[string]bool // by role: its token is an object with flags
	decoder                []AddedToken    // added_tokens_decoder, by id
	extra                  []AddedToken    // additional or extra special tokens
}

// read reads the members of tokenizer_config.json about single tokens.
func (s *sideFiles) read() error {
	list, ok := s.config.optional("added_tokens_decoder")
	if ok {
		s.hasDecoder = true
		o, err := list.object(`"added_tokens_decoder"`)
		if err != nil {
			return err
		}
		for i, name := range o.names {
			id, ok := parseID([]byte(name))
			if !ok {
				return o.values[i].fail(BadVocabulary, "added_tokens_decoder has %q for an id", clip(name))
			}
			t, err := sideToken(o.values[i])
			if err != nil {
				return err
			}
			t.ID = id
			s.decoder = append(s.decoder, t)
		}
		slices.SortStableFunc(s.decoder, func(a, b AddedToken) int { return int(int64(a.ID) - int64(b.ID)) })
	}
	for _, name := range []string{"additional_special_tokens", "extra_special_tokens"} {
		n, ok := s.config.optional(name)
		if !ok && !s.hasDecoder {
			n, ok = s.special.optional(name)
		}
		if !ok {
			continue
		}
		var items []node
		var err error
		if n.kind() == jsonscan.Object { // {"image_token": "<image>"}
			o, e := n.object(name)
			items, err = o.values, e
		} else {
			items, err = n.array(name)
		}
		if err != nil {
			return err
		}
		for _, item := range items {
			t, err := sideToken(item)
			if err != nil {
				return err
			}
			t.Special = true
			s.extra = append(s.extra, t)
		}
	}
	return nil
}

// sideToken reads a token that is a string, or an object with flags. A string is a
// special token without flags.
func sideToken(n node) (t AddedToken, err error) {
	if n.kind() == jsonscan.String {
		t.Content, err = n.str("a token")
		t.Special = true
		return t, err
	}
	o, err := n.object("a token")
	if err != nil {
		return t, err
	}
	if t.Content, err = o.needStr("content"); err != nil {
		return t, err
	}
	t.Normalized = true
	for _, f := range []struct {
		name string
		to   *bool
	}{{"special", &t.Special}, {"single_word", &t.SingleWord}, {"lstrip", &t.LStrip}, {"rstrip", &t.RStrip}, {"normalized", &t.Normalized}} {
		if *f.to, err = o.boolOr(f.name, *f.to, true); err != nil {
			return t, err
		}
	}
	return t, nil
}

// role reads one of roleNames. special_tokens_map.json has precedence over the config
// only where that has no added_tokens_decoder. An empty text counts as absent.
func (s *sideFiles) role(name string) (t AddedToken, source string, err error) {
	fromConfig, inConfig := s.config.optional(name)
	fromMap, inMap := s.special.optional(name)
	try := func(n node, ok bool, file string) bool {
		if !ok || err != nil || n.kind() != jsonscan.String && n.kind() != jsonscan.Object {
			return false
		}
		t, err = sideToken(n)
		source = file
		if s.flagged == nil {
			s.flagged = make(map[string]bool)
		}
		s.flagged[name] = n.kind() == jsonscan.Object
		return err == nil && t.Content != ""
	}
	if !s.hasDecoder && try(fromMap, inMap, fileSpecial) ||
		try(fromConfig, inConfig, fileConfig) || try(fromMap, inMap, fileSpecial) {
		t.Special = true
		return t, source, nil
	}
	return AddedToken{}, "", err
}

// flag reads a boolean of tokenizer_config.json.
func (s *sideFiles) flag(name string) (value, ok bool) {
	n, ok := s.config.optional(name)
	if !ok || n.kind() != jsonscan.Bool {
		return false, false
	}
	return n.raw[0] == 't', true
}

func (s *sideFiles) text(name string) string { return textOf(s.config, name) }

// textOf reads a member that is a string; anything else counts as absent.
func textOf(o object, name string) string {
	n, ok := o.optional(name)
	if !ok || n.kind() != jsonscan.String {
		return ""
	}
	t, _ := n.str(name)
	return t
}
