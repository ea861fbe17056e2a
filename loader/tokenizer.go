package loader

import (
	"context"
	"io/fs"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/check"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/tokens"
	"omniloader/loader/tokenizer"
)

// Tokenizer describes the tokenizer of the checkpoint at dir, without building it. It is
// that of the checkpoint, else of its base model, else of the first fallback with one;
// LoadTokenizer has the details. The Fetch function is called as well.
func (l *Loader) Tokenizer(fsys fs.FS, dir string) (*answer.TokenizerInfo, error) {
	d, err := l.tokenizerFinder().Find(context.Background(), fsys, dir, tokens.Describe)
	if err != nil {
		return nil, err
	}
	return d.Info(), nil
}

// LoadTokenizer loads the tokenizer of the checkpoint at dir. Where the checkpoint has
// none, it loads that of its base model (which sparse autoencoders, adapters, GGUF
// files, the model card and config.json can name): from a directory near the checkpoint,
// a model root, or the directory that the Fetch function gives; else that of the first
// fallback with one.
//
// A tokenizer that exists and cannot be read is an error, and no other is loaded in its
// place. Where none is found, the error is an *answer.SearchError of the kind
// fault.NotFound that lists the places searched.
func (l *Loader) LoadTokenizer(fsys fs.FS, dir string) (*tokenizer.Tokenizer, *answer.TokenizerInfo, error) {
	return l.LoadTokenizerContext(context.Background(), fsys, dir)
}

// LoadTokenizerContext is LoadTokenizer with a context for the Fetch function.
func (l *Loader) LoadTokenizerContext(ctx context.Context, fsys fs.FS, dir string) (*tokenizer.Tokenizer, *answer.TokenizerInfo, error) {
	d, err := l.tokenizerFinder().Find(ctx, fsys, dir, func(c *checkpoint.Directory) (*tokens.Description, error) {
		t, d, err := tokens.Load(c)
		if err == nil {
			d.Built = t
		}
		return d, err
	})
	if err != nil {
		return nil, nil, err
	}
	built := d.Built // before Info releases it
	return built, d.Info(), nil
}

// TokenizerFindings compares a tokenizer that LoadTokenizer loaded with the model at
// dir: the pad token, the special tokens, and their ids in config.json. It adds the
// findings about the files of the tokenizer, and sorts all. A config that cannot be read
// is not reported; Inspect does that.
func (l *Loader) TokenizerFindings(fsys fs.FS, dir string, t *tokenizer.Tokenizer, info *answer.TokenizerInfo) []answer.Finding {
	description := tokens.Description{TokenizerInfo: *info, Tokens: t, Unlisted: t.Config().Unlisted}
	if len(info.Files) > 0 {
		description.Vocabulary = info.Files[0] // the vocabulary is the first file
	}
	// The tokenizer of a base model is compared with the config of the base model:
	// adapters and sparse autoencoders have no config with ids of tokens.
	if info.Origin != answer.OriginCheckpoint {
		dir = info.Path
	}
	modelConfig, _ := config.ReadJSON(fsys, dir, config.ConfigJSON)
	findings := append(check.SpecialTokens(&description, config.NewMembers(modelConfig)), info.Findings...)
	finding.Sort(findings)
	return findings
}
