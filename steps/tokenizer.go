package steps

import (
	"encoding/json"
	"io/fs"
	"sync"

	"omniloader/loader"
	"omniloader/loader/tokenizer"
)

// TokenizerInput is what an operation on a tokenizer is given.
type TokenizerInput struct {
	Text      string
	Pair      *string // a second text, nil for none
	IDs       []uint32
	NoSpecial bool // leave special tokens out
}

// tokenizerOperations are the operations of our loader that build a tokenizer. The
// ones that run it load it on their first call and keep it.
func tokenizerOperations(l *loader.Loader, input TokenizerInput) map[string]Operation {
	keep := &cachedTokenizer{loader: l}
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
		Encoding: keep.with(func(t *tokenizer.Tokenizer) (any, error) {
			e, err := encode(t)
			return encoding{e, len(input.Text)}, err
		}),
		EncodingSize: keep.with(func(t *tokenizer.Tokenizer) (any, error) {
			ids, err := t.IDs(input.Text, !input.NoSpecial)
			return encodingSize{len(ids), len(input.Text)}, err
		}),
		Decoding: keep.with(func(t *tokenizer.Tokenizer) (any, error) {
			text, err := t.DecodeText(input.IDs, input.NoSpecial)
			return decoding{text}, err
		}),
		RoundTrip: keep.with(func(t *tokenizer.Tokenizer) (any, error) {
			e, err := encode(t)
			if err != nil {
				return nil, err
			}
			text, err := t.DecodeText(e.IDs, input.NoSpecial)
			return decoding{text}, err
		}),
	}
}

// cachedTokenizer is the tokenizer of a scenario's checkpoint, loaded once.
type cachedTokenizer struct {
	loader    *loader.Loader
	once      sync.Once
	tokenizer *tokenizer.Tokenizer
	err       error
}

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
	*loader.TokenizerInfo
	Findings []loader.Finding `json:"findings"`
}

// encoding, encodingSize and decoding are the answers of operations. Their JSON is
// made where an answer is looked at, which is not measured.
type encoding struct {
	*tokenizer.Encoding
	bytes int
}

// MarshalJSON names the fields as scenarios do. Offsets are "start-end".
func (e encoding) MarshalJSON() ([]byte, error) {
	offsets := make([][2]int, len(e.Offsets))
	for i, o := range e.Offsets {
		offsets[i] = [2]int{o.Start, o.End}
	}
	return json.Marshal(struct {
		IDs        []uint32 `json:"ids"`
		Tokens     []string `json:"tokens"`
		Offsets    [][2]int `json:"offsets"` // bytes of the text; 0, 0 for a token that was put in
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
