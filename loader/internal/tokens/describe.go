package tokens

import (
	"path"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/tree"
	"omniloader/loader/tokenizer"
)

// TokenizerConfigJSON is the file with the class and the special tokens of a tokenizer.
const TokenizerConfigJSON = "tokenizer_config.json"

// PadFromEOS is the PadTokenSource of a tokenizer without a pad token, which pads with
// its end-of-text token.
const PadFromEOS = "eos_token"

// Description describes a tokenizer, with what is needed to compare it with the config
// of the model.
type Description struct {
	answer.TokenizerInfo

	Vocabulary string                 // base name of the file with the vocabulary
	Tokens     Lookup                 // the vocabulary, nil where none was read
	Unlisted   []tokenizer.AddedToken // special tokens to which no file gives an id
	Built      *tokenizer.Tokenizer   // nil for a tokenizer that was only described
	outline    *tokenizer.Outline     // nil for a tokenizer that was loaded, or is in a GGUF file
}

// Info gives the answer, and releases everything else: nothing of it keeps the vocabulary
// in memory.
func (d *Description) Info() *answer.TokenizerInfo {
	d.Tokens, d.Unlisted, d.Built, d.outline = nil, nil, nil, nil
	return &d.TokenizerInfo
}

// tokenizerDirs are the directories of the tokenizers in a pipeline.
var tokenizerDirs = [...]string{"tokenizer", "tokenizer_2", "tokenizer_3"}

// Describe describes the tokenizer of a directory, without building it. The kind of the
// error is fault.NotFound where there is no vocabulary; the result then describes the
// other files, nil where there are none.
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

// Load loads the tokenizer of a directory. The kind of the error is fault.NotFound where
// it has none.
func Load(c *checkpoint.Directory) (*tokenizer.Tokenizer, *Description, error) {
	t, err := tokenizer.Load(c.FS, c.Dir)
	if err == nil {
		return t, &Description{TokenizerInfo: infoOf(t, c.Dir)}, nil
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
			return t, &Description{TokenizerInfo: infoOf(t, dir)}, nil
		}
	}
	return nil, nil, err
}

// builtOrOutlined has the methods of tokenizer.Tokenizer and tokenizer.Outline that
// infoOf uses.
type builtOrOutlined interface {
	Config() tokenizer.Config
	PadToken() (tokenizer.PadToken, bool)
	MaxID() int64
	Kind() string
}

// infoOf describes a tokenizer that was loaded or outlined.
func infoOf(t builtOrOutlined, dir string) answer.TokenizerInfo {
	config := t.Config()
	info := answer.TokenizerInfo{
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

// formatTypes are the formats that are a better TokenizerInfo.Type than the kind of the
// model in them.
var formatTypes = map[string]bool{"SentencePiece": true, "tiktoken": true, "tekken": true, "CTC": true, "bytes": true}

// typeOf gives the TokenizerInfo.Type.
func typeOf(t builtOrOutlined) string {
	if format := t.Config().Format; formatTypes[format] {
		return format
	}
	return t.Kind()
}
