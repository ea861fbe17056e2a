package tokens

import (
	"io/fs"
	"strconv"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/tree"
	"omniloader/loader/tokenizer"
)

// readTokenizer describes the tokenizer in the files of dir, whose listing is names.
// Result and error are those of Describe.
func readTokenizer(fsys fs.FS, dir string, names []string) (*Description, error) {
	o, err := tokenizer.Describe(fsys, dir, names)
	if o == nil {
		return nil, tree.TrimErrorDir(err, dir)
	}
	info := &Description{TokenizerInfo: infoOf(o, dir), outline: o}
	info.Files = []string{}
	for _, name := range names {
		if tokenizer.FileOf(name) {
			info.Files = append(info.Files, name)
		}
	}
	if !o.Whole {
		info.Type = answer.UnknownName
		return info, tree.TrimErrorDir(err, dir)
	}
	config := o.Config()
	info.Tokens, info.Unlisted = o, config.Unlisted
	if len(config.Files) > 0 {
		info.Vocabulary = config.Files[0]
	}
	add := func(code, message string) {
		info.Findings = append(info.Findings, finding.New(code, info.Vocabulary, message, ""))
	}
	for _, c := range o.Components {
		if !knownComponents()[c] {
			add(finding.TokenizerComponent, "the type "+strconv.Quote(c.Type)+" of "+c.Part+" is on no list")
		}
	}
	if o.MergePairs {
		add(finding.TokenizerMergePairs, "its merges are pairs of texts")
	}
	if config.Format == "tiktoken" && !strings.Contains(info.Vocabulary, "tiktoken") {
		add(finding.TokenizerTiktoken, "it holds tiktoken's lines of a token and a rank")
	}
	return info, nil
}

// SpecialRoles are the roles of special tokens that are compared with the config of the
// model.
var SpecialRoles = [...]Role{
	{"bos_token", "bos_token_id"}, {"eos_token", "eos_token_id"}, {"unk_token", "unk_token_id"}, {"sep_token", "sep_token_id"},
	{"pad_token", "pad_token_id"}, {"cls_token", "cls_token_id"}, {"mask_token", "mask_token_id"},
}

// Role is what a special token is for, and the key of its id in the config of the model.
type Role struct{ Name, IDKey string }

// MaxTokenID is the limit below which an id can be one of a token.
const MaxTokenID = 1 << 31
