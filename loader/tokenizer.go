package loader

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/tokenizer"
)

// The files of a tokenizer.
const (
	fileTokenizer       = "tokenizer.json"
	fileTokenizerConfig = "tokenizer_config.json"
	fileSpecialTokens   = "special_tokens_map.json"
)

// Limits on tokenizer files, in bytes. The largest real tokenizer.json, with
// 262,144 tokens and its merges as pairs, has 33 MB.
const (
	MaxTokenizerSize = 256 << 20
	maxSniff         = 4 << 10
)

// Where a tokenizer came from.
const (
	OriginCheckpoint = "checkpoint"
	OriginBaseModel  = "base model"
	OriginFallback   = "fallback"
)

// sourceEOS is the source of a pad token where the end-of-text token stands in.
const sourceEOS = "eos_token"

// Tokenizer describes the tokenizer of the checkpoint at dir from its files,
// without building it: see LoadTokenizer. Where the checkpoint has none, the
// tokenizer of its base model is taken (of a sparse autoencoder, an adapter or a
// GGUF file), found beside it on the same filesystem or below the model roots;
// then the fallbacks, in their order. The error of a vain search lists each place
// and why it was not taken.
func (l *Loader) Tokenizer(fsys fs.FS, dir string) (*TokenizerInfo, error) {
	d, err := l.search().find(context.Background(), fsys, dir, describeTokenizer)
	if err != nil {
		return nil, err
	}
	return d.TokenizerInfo, nil
}

// tokenizerDescription is a tokenizer as its files describe it, with what comparing it
// with the model's config needs.
type tokenizerDescription struct {
	*TokenizerInfo

	vocabulary string                 // the file that holds the tokens
	tokens     tokenLookup            // nil where no vocabulary was read
	unlisted   []tokenizer.AddedToken // named tokens that no file gives an id
	outline    *tokenizer.Outline     // nil where the tokenizer was built, or is a GGUF file's
}

// tokenLookup knows ids by token and tokens by id: a tokenizer, or the special tokens
// that one pass over its files found.
type tokenLookup interface {
	TokenID(token string) (uint32, bool)
	Token(id uint32) (string, bool)
}

// LoadTokenizer loads the tokenizer of the checkpoint at dir: its own; else that
// of its base model (of a sparse autoencoder, an adapter or a GGUF file), found
// beside it, below the model roots, or where WithFetch asks; else the first
// fallback that has one. A tokenizer that is there and broken is an error that
// names the file, and no other is taken in its place; the error of a vain search
// is of the kind fault.NotFound and lists each place and why it was not taken.
func (l *Loader) LoadTokenizer(fsys fs.FS, dir string) (*tokenizer.Tokenizer, *TokenizerInfo, error) {
	return l.LoadTokenizerContext(context.Background(), fsys, dir)
}

// LoadTokenizerContext is LoadTokenizer; the context ends what WithFetch does.
func (l *Loader) LoadTokenizerContext(ctx context.Context, fsys fs.FS, dir string) (*tokenizer.Tokenizer, *TokenizerInfo, error) {
	var loaded *tokenizer.Tokenizer
	d, err := l.search().find(ctx, fsys, dir, func(c *checkpoint) (*tokenizerDescription, error) {
		var info *TokenizerInfo
		var err error
		if loaded, info, err = c.loadTokenizer(); err != nil {
			return nil, err
		}
		return &tokenizerDescription{TokenizerInfo: info}, nil
	})
	if err != nil {
		return nil, nil, err
	}
	return loaded, d.TokenizerInfo, nil
}

// tokenizerParts are the directories in which a pipeline keeps its tokenizers.
var tokenizerParts = [...]string{"tokenizer", "tokenizer_2", "tokenizer_3"}

// describeTokenizer describes the tokenizer in a directory, of one without a vocabulary
// what is there.
func describeTokenizer(c *checkpoint) (*tokenizerDescription, error) {
	own, err := readTokenizer(c.fsys, c.dir, c.names)
	if fault.KindOf(err) != fault.NotFound {
		return own, err
	}
	if name := c.ggufWithTokenizer(); name != "" {
		return c.describeGGUFTokenizer(name)
	}
	for _, part := range tokenizerParts {
		if !c.hasDir(part) {
			continue
		}
		if p, listErr := list(c.fsys, path.Join(c.dir, part)); listErr == nil {
			return readTokenizer(p.fsys, p.dir, p.names)
		}
	}
	return own, err
}

// loadTokenizer loads the tokenizer in a directory.
func (c *checkpoint) loadTokenizer() (*tokenizer.Tokenizer, *TokenizerInfo, error) {
	t, err := tokenizer.Load(c.fsys, c.dir)
	if err == nil {
		return t, infoOf(t, c.dir), nil
	}
	if fault.KindOf(err) != fault.NotFound {
		return nil, nil, inDirectory(err, c.dir)
	}
	if name := c.ggufWithTokenizer(); name != "" {
		return c.loadGGUFTokenizer(name)
	}
	for _, part := range tokenizerParts {
		if dir := path.Join(c.dir, part); c.hasDir(part) {
			if t, err = tokenizer.Load(c.fsys, dir); err != nil {
				return nil, nil, inDirectory(err, c.dir)
			}
			return t, infoOf(t, dir), nil
		}
	}
	return nil, nil, err
}

// inDirectory names the file of an error as seen from the directory, as all errors
// of this package do.
func inDirectory(err error, dir string) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return err
	}
	if rest, ok := strings.CutPrefix(e.Path, dir+"/"); ok {
		at := *e
		at.Path = rest
		return &at
	}
	return err
}

// readTokens is what a tokenizer and the outline of one tell.
type readTokens interface {
	Config() tokenizer.Config
	PadToken() (tokenizer.PadToken, bool)
	MaxID() int64
	Kind() string
}

// infoOf describes a tokenizer that was loaded or outlined.
func infoOf(t readTokens, dir string) *TokenizerInfo {
	config := t.Config()
	info := &TokenizerInfo{
		Type: typeOf(t), Class: orNone(config.Class), Path: dir, Files: config.Files,
		SpecialTokens: map[string]string{}, Tried: []Try{},
	}
	for role, token := range config.Roles {
		info.SpecialTokens[role] = token
	}
	if last := t.MaxID(); last >= 0 {
		n := int(last) + 1
		info.VocabSize = &n
	}
	if pad, ok := t.PadToken(); ok {
		info.PadToken, info.PadTokenSource = &pad.Token, &pad.Source
		info.SpecialTokens["pad_token"] = pad.Token
		if pad.ID >= 0 {
			info.PadTokenID = &pad.ID
		}
	}
	return info
}

// formatTypes are the formats that say more than the kind of their model does.
var formatTypes = map[string]bool{"SentencePiece": true, "tiktoken": true, "tekken": true, "CTC": true, "bytes": true}

func typeOf(t readTokens) string {
	if format := t.Config().Format; formatTypes[format] {
		return format
	}
	return t.Kind()
}
