package steps

import (
	"encoding/json"
	"io/fs"
	"sync"

	"omniloader/loader"
	loaded "omniloader/loader/answer"
	"omniloader/loader/tokenizer"
)

// TokenizerInput is the input of an operation that runs a tokenizer.
type TokenizerInput struct {
	Text      string
	Pair      *string // a second text, encoded with the first as one input; nil for none
	IDs       []uint32
	NoSpecial bool // leave special tokens out
}

// tokenizerOperations are the operations of the built-in loader that load a tokenizer.
// Those that run it load it in their first call and use it in later ones.
func tokenizerOperations(l *loader.Loader, input TokenizerInput) map[string]Operation {
	cached := &cachedTokenizer{loader: l}
	options := tokenizer.EncodeOptions{NoSpecial: input.NoSpecial}
	encode := func(t *tokenizer.Tokenizer) (*tokenizer.Encoding, error) {
		if input.Pair != nil {
			return t.EncodePair(input.Text, *input.Pair, options)
		}
		return t.Encode(input.Text, options)
	}
	return map[string]Operation{
		TokenizerLoad: func(fsys fs.FS, dir string) (any, error) {
			_, info, err := l.LoadTokenizer(fsys, dir)
			return info, err
		},
		TokenizerCheck: func(fsys fs.FS, dir string) (any, error) {
			t, info, err := l.LoadTokenizer(fsys, dir)
			if err != nil {
				return nil, err
			}
			return tokenizerCheck{info, l.TokenizerFindings(fsys, dir, t, info)}, nil
		},
		Encoding: cached.with(func(t *tokenizer.Tokenizer) (any, error) {
			e, err := encode(t)
			return encoding{e, len(input.Text)}, err
		}),
		EncodingSize: cached.with(func(t *tokenizer.Tokenizer) (any, error) {
			ids, err := t.IDs(input.Text, !input.NoSpecial)
			return encodingSize{len(ids), len(input.Text)}, err
		}),
		Decoding: cached.with(func(t *tokenizer.Tokenizer) (any, error) {
			text, err := t.DecodeText(input.IDs, input.NoSpecial)
			return decoding{text}, err
		}),
		RoundTrip: cached.with(func(t *tokenizer.Tokenizer) (any, error) {
			e, err := encode(t)
			if err != nil {
				return nil, err
			}
			text, err := t.DecodeText(e.IDs, input.NoSpecial)
			return decoding{text}, err
		}),
	}
}

// cachedTokenizer is the tokenizer of a scenario's checkpoint, loaded at most once.
type cachedTokenizer struct {
	loader    *loader.Loader
	once      sync.Once
	tokenizer *tokenizer.Tokenizer
	err       error
}

// with makes the operation that runs the tokenizer.
func (k *cachedTokenizer) with(run func(*tokenizer.Tokenizer) (any, error)) Operation {
	return func(fsys fs.FS, dir string) (any, error) {
		k.once.Do(func() { k.tokenizer, _, k.err = k.loader.LoadTokenizer(fsys, dir) })
		if k.err != nil {
			return nil, k.err
		}
		return run(k.tokenizer)
	}
}

type tokenizerCheck struct {
	*loaded.TokenizerInfo
	Findings []loaded.Finding `json:"findings"`
}

// encoding, encodingSize and decoding are answers of operations. They are encoded as
// JSON only when a step looks at them, which is not measured.
type encoding struct {
	*tokenizer.Encoding
	bytes int
}

// MarshalJSON gives the fields the names that scenarios use. An offset is a list of the
// first byte and the one behind the last.
func (e encoding) MarshalJSON() ([]byte, error) {
	offsets := make([][2]int, len(e.Offsets))
	for i, o := range e.Offsets {
		offsets[i] = [2]int{o.Start, o.End}
	}
	return json.Marshal(struct {
		IDs        []uint32 `json:"ids"`
		Tokens     []string `json:"tokens"`
		Offsets    [][2]int `json:"offsets"` // in bytes of the text; [0, 0] for a token that was added
		TypeIDs    []uint32 `json:"type_ids"`
		TokenCount int      `json:"token_count"`
		TextBytes  int      `json:"text_bytes"`
	}{e.IDs, e.Tokens, offsets, e.TypeIDs, e.Len(), e.bytes})
}

type encodingSize struct {
	TokenCount int `json:"token_count"`
	TextBytes  int `json:"text_bytes"`
}

type decoding struct {
	Text string `json:"text"`
}
