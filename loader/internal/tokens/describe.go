package tokens

import (
	"path"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/tree"
	"omniloader/loader/tokenizer"
)

// The files of a tokenizer.
const (
	fileTokenizer       = "tokenizer.json"
	TokenizerConfigJSON = "tokenizer_config.json"
	fileSpecialTokens   = "special_tokens_map.json"
)

// Limits on tokenizer files, in bytes. The largest real tokenizer.json, with
// 262,144 tokens and its merges as pairs, has 33 MB.
const MaxTokenizerSize = 256 << 20

// PadFromEOS is the source of a pad token where the end-of-text token stands in.
const PadFromEOS = "eos_token"

// Description is a tokenizer as its files describe it, with what comparing it
// with the model's config needs.
type Description struct {
	*answer.TokenizerInfo

	Vocabulary string                 // the file that holds the tokens
	Tokens     Lookup                 // nil where no vocabulary was read
	Unlisted   []tokenizer.AddedToken // named tokens that no file gives an id
	outline    *tokenizer.Outline     // nil where the tokenizer was built, or is a GGUF file's
}

// tokenizerDirs are the directories in which a pipeline keeps its tokenizers.
var tokenizerDirs = [...]string{"tokenizer", "tokenizer_2", "tokenizer_3"}

// Describe describes the tokenizer in a directory, of one without a vocabulary
// what is there.
func Describe(c *checkpoint.Directory) (*Description, error) {
	own, err := readTokenizer(c.FS, c.Dir, c.Names)
	if fault.KindOf(err) != fault.NotFound {
		return own, err
	}
	if name := findTokenizerGGUF(c); name != "" {
		return describeGGUFTokenizer(c, name)
	}
	for _, part := range tokenizerDirs {
		if !c.HasDir(part) {
			continue
		}
		if p, listErr := checkpoint.List(c.FS, path.Join(c.Dir, part)); listErr == nil {
			return readTokenizer(p.FS, p.Dir, p.Names)
		}
	}
	return own, err
}

// Load loads the tokenizer in a directory.
func Load(c *checkpoint.Directory) (*tokenizer.Tokenizer, *answer.TokenizerInfo, error) {
	t, err := tokenizer.Load(c.FS, c.Dir)
	if err == nil {
		return t, infoOf(t, c.Dir), nil
	}
	if fault.KindOf(err) != fault.NotFound {
		return nil, nil, tree.TrimErrorDir(err, c.Dir)
	}
	if name := findTokenizerGGUF(c); name != "" {
		return loadGGUFTokenizer(c, name)
	}
	for _, part := range tokenizerDirs {
		if dir := path.Join(c.Dir, part); c.HasDir(part) {
			if t, err = tokenizer.Load(c.FS, dir); err != nil {
				return nil, nil, tree.TrimErrorDir(err, c.Dir)
			}
			return t, infoOf(t, dir), nil
		}
	}
	return nil, nil, err
}

// builtOrOutlined is what a tokenizer and the outline of one tell.
type builtOrOutlined interface {
	Config() tokenizer.Config
	PadToken() (tokenizer.PadToken, bool)
	MaxID() int64
	Kind() string
}

// infoOf describes a tokenizer that was loaded or outlined.
func infoOf(t builtOrOutlined, dir string) *answer.TokenizerInfo {
	config := t.Config()
	info := &answer.TokenizerInfo{
		Type: typeOf(t), Class: answer.OrUnknown(config.Class), Path: dir, Files: config.Files,
		SpecialTokens: map[string]string{}, Tried: []answer.Attempt{},
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

func typeOf(t builtOrOutlined) string {
	if format := t.Config().Format; formatTypes[format] {
		return format
	}
	return t.Kind()
}
