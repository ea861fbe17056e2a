package tokenizer

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"omniloader/loader/jsonscan"
)

// Config is what the files say about a tokenizer beyond turning text into ids.
type Config struct {
	Class          string            // tokenizer_class; what it names is not always what the files are
	ModelType      string            // model_type of config.json, which stands in for the class where no file names one
	Roles          map[string]string // bos_token, eos_token, unk_token, sep_token, pad_token, cls_token, mask_token
	ChatTemplate   string
	TemplateSource string   // the file that gave the chat template
	TemplateError  error    // why a chat template that is there could not be read
	Files          []string // that were read, the vocabulary first
	// Format is what the vocabulary is kept in: tokenizer.json, SentencePiece,
	// tiktoken, tekken, vocab and merges, CTC, vocab.txt, GGUF, bytes.
	Format string
	// Unlisted are named special tokens that no vocabulary and no list of added
	// tokens has. They got the next free ids, as transformers gives them, and a
	// model has no embeddings for those unless it was resized.
	Unlisted []AddedToken

	sources map[string]string // the file that gave each role
}

// roleNames are the special tokens that have a name, in the order in which
// transformers adds them.
var roleNames = [...]string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}

func (c *Config) setRole(role, token, source string) {
	if c.Roles == nil {
		c.Roles, c.sources = make(map[string]string), make(map[string]string)
	}
	c.Roles[role], c.sources[role] = token, source
}

// Config gives what the side files say. The maps are the tokenizer's own.
func (t *Tokenizer) Config() Config { return t.config }

// PadToken is the token that fills up batches, and where it came from.
type PadToken struct {
	Token  string
	ID     int64  // -1 where the vocabulary lacks the token
	Source string // the file that gave it, "tokenizer_class …", "model_type …", or "eos_token"
}

// PadToken settles the pad token as transformers does: tokenizer_config.json;
// special_tokens_map.json, which beats it where there is no added_tokens_decoder; the
// padding of tokenizer.json; the class, or where no file names one that of the model
// type; and where nothing gives one, the end-of-text token, which is what training
// scripts take. It gives false where there is not even that.
func (t *Tokenizer) PadToken() (PadToken, bool) {
	p := PadToken{ID: -1}
	ofClass, source := PadTokenOf(t.config.Class, t.config.ModelType)
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

// pieceClass is one line of sentencepiece_classes.tsv.
type pieceClass struct {
	ends    [2]bool // the first and the last token go around a text
	numbers string  // how its ids follow from the numbers of the pieces
	clean   string  // quotes, accents, lower: what it does to a text first
}

// pieceClasses say what classes that read a SentencePiece file make of it.
var pieceClasses = sync.OnceValue(func() map[string]pieceClass {
	m := make(map[string]pieceClass)
	for _, f := range rows(sentencePieceClassesTSV) {
		m[f[0]] = pieceClass{[2]bool{strings.Contains(f[1], "bos"), strings.Contains(f[1], "eos")}, f[2], f[3]}
	}
	return m
})

// rows splits a table into its fields.
func rows(tsv string) (out [][]string) {
	for line := range strings.Lines(tsv) {
		if line[0] != '#' {
			out = append(out, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		}
	}
	return out
}

// side holds the side files of a tokenizer as they are.
type side struct {
	config, special, added object
	hasConfig, hasDecoder  bool
	flagged                map[string]bool // roles whose token is an object with flags
	decoder                []AddedToken    // added_tokens_decoder, by id
	extra                  []AddedToken    // additional or extra special tokens
}

// read takes what tokenizer_config.json says about single tokens.
func (s *side) read() error {
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

// sideToken reads a token that is a string, or an object with flags. A string means a
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

// role reads one of roleNames: the map of special tokens beats the config only where
// that has no added_tokens_decoder. An empty text counts as none.
func (s *side) role(name string) (t AddedToken, source string, err error) {
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
func (s *side) flag(name string) (value, ok bool) {
	n, ok := s.config.optional(name)
	if !ok || n.kind() != jsonscan.Bool {
		return false, false
	}
	return n.raw[0] == 't', true
}

func (s *side) text(name string) string { return textOf(s.config, name) }

// textOf reads a member that is a text; anything else counts as none.
func textOf(o object, name string) string {
	n, ok := o.optional(name)
	if !ok || n.kind() != jsonscan.String {
		return ""
	}
	t, _ := n.str(name)
	return t
}
