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

// Tokenizer describes the tokenizer of the checkpoint at dir from its files,
// without building it: see LoadTokenizer. Where the checkpoint has none, the
// tokenizer of its base model is taken (of a sparse autoencoder, an adapter or a
// GGUF file), found beside it on the same filesystem or below the model roots;
// then the fallbacks, in their order. The error of a vain search lists each place
// and why it was not taken.
func (l *Loader) Tokenizer(fsys fs.FS, dir string) (*answer.TokenizerInfo, error) {
	d, err := l.tokenizerFinder().Find(context.Background(), fsys, dir, tokens.Describe)
	if err != nil {
		return nil, err
	}
	return d.TokenizerInfo, nil
}

// LoadTokenizer loads the tokenizer of the checkpoint at dir: its own; else that
// of its base model (of a sparse autoencoder, an adapter or a GGUF file), found
// beside it, below the model roots, or where WithFetch asks; else the first
// fallback that has one. A tokenizer that is there and broken is an error that
// customRegistry the file, and no other is taken in its place; the error of a vain search
// is of the kind fault.NotFound and lists each place and why it was not taken.
func (l *Loader) LoadTokenizer(fsys fs.FS, dir string) (*tokenizer.Tokenizer, *answer.TokenizerInfo, error) {
	return l.LoadTokenizerContext(context.Background(), fsys, dir)
}

// LoadTokenizerContext is LoadTokenizer; the context ends what WithFetch does.
func (l *Loader) LoadTokenizerContext(ctx context.Context, fsys fs.FS, dir string) (*tokenizer.Tokenizer, *answer.TokenizerInfo, error) {
	var loaded *tokenizer.Tokenizer
	d, err := l.tokenizerFinder().Find(ctx, fsys, dir, func(c *checkpoint.Directory) (*tokens.Description, error) {
		var info *answer.TokenizerInfo
		var err error
		if loaded, info, err = tokens.Load(c); err != nil {
			return nil, err
		}
		return &tokens.Description{TokenizerInfo: info}, nil
	})
	if err != nil {
		return nil, nil, err
	}
	return loaded, d.TokenizerInfo, nil
}

// TokenizerFindings says how a tokenizer, as LoadTokenizer gave it, fits the model
// at dir: whether its pad token can be padded with, whether its named tokens exist,
// whether config.json means the same tokens, and what is odd about the files. Files that
// cannot be read are left to Inspect. The order of the findings is fixed.
func (l *Loader) TokenizerFindings(fsys fs.FS, dir string, t *tokenizer.Tokenizer, info *answer.TokenizerInfo) []answer.Finding {
	known := tokens.Description{TokenizerInfo: info, Tokens: t, Unlisted: t.Config().Unlisted}
	if len(info.Files) > 0 {
		known.Vocabulary = info.Files[0] // the first that was read
	}
	// A base model's tokenizer is compared with the base model's config: an adapter
	// or an autoencoder has none of its own that speaks of tokens.
	if info.Origin != answer.OriginCheckpoint {
		dir = info.Path
	}
	modelConfig, _ := config.ReadJSON(fsys, dir, config.ConfigJSON)
	findings := append(check.SpecialTokens(&known, config.NewMembers(modelConfig)), info.Findings...)
	finding.Sort(findings)
	return findings
}
