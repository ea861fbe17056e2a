package builtin

import (
	"context"
	"encoding/json"
	"sync"

	"omniloader/loader"
	"omniloader/loader/answer"
	"omniloader/loader/tokenizer"
	"omniloader/loader/undertest"
)

// tokenizerCall returns the call of an operation that loads a tokenizer, and nil if there is
// no such operation. Calls that run the tokenizer load it the first time and use it again.
func tokenizerCall(l *loader.Loader, operation string, in undertest.Input) undertest.Call {
	input := in.Options.Tokenizer
	options := tokenizer.EncodeOptions{NoSpecial: input.NoSpecial}
	encode := func(t *tokenizer.Tokenizer) (*tokenizer.Encoding, error) {
		if input.Pair != nil {
			return t.EncodePair(input.Text, *input.Pair, options)
		}
		return t.Encode(input.Text, options)
	}
	cached := &cachedTokenizer{loader: l, input: in}
	switch operation {
	case undertest.TokenizerLoad:
		return func(ctx context.Context) (any, error) {
			_, info, err := l.LoadTokenizerContext(ctx, in.FS, in.Dir)
			return info, err
		}
	case undertest.TokenizerCheck:
		return func(ctx context.Context) (any, error) {
			t, info, err := l.LoadTokenizerContext(ctx, in.FS, in.Dir)
			if err != nil {
				return nil, err
			}
			return tokenizerCheck{info, l.TokenizerFindings(in.FS, in.Dir, t, info)}, nil
		}
	case undertest.Encoding:
		return cached.with(func(t *tokenizer.Tokenizer) (any, error) {
			e, err := encode(t)
			return encoding{e, len(input.Text)}, err
		})
	case undertest.EncodingSize:
		return cached.with(func(t *tokenizer.Tokenizer) (any, error) {
			ids, err := t.IDs(input.Text, !input.NoSpecial)
			return encodingSize{len(ids), len(input.Text)}, err
		})
	case undertest.Decoding:
		return cached.with(func(t *tokenizer.Tokenizer) (any, error) {
			text, err := t.DecodeText(input.IDs, input.NoSpecial)
			return decoding{text}, err
		})
	case undertest.RoundTrip:
		return cached.with(func(t *tokenizer.Tokenizer) (any, error) {
			e, err := encode(t)
			if err != nil {
				return nil, err
			}
			text, err := t.DecodeText(e.IDs, input.NoSpecial)
			return decoding{text}, err
		})
	}
	return nil
}

// cachedTokenizer is the tokenizer of the checkpoint of one prepared call, loaded at most
// once.
type cachedTokenizer struct {
	loader    *loader.Loader
	input     undertest.Input
	once      sync.Once
	tokenizer *tokenizer.Tokenizer
	err       error
}

// with makes the call that runs the tokenizer.
func (k *cachedTokenizer) with(run func(*tokenizer.Tokenizer) (any, error)) undertest.Call {
	return func(ctx context.Context) (any, error) {
		k.once.Do(func() { k.tokenizer, _, k.err = k.loader.LoadTokenizerContext(ctx, k.input.FS, k.input.Dir) })
		if k.err != nil {
			return nil, k.err
		}
		return run(k.tokenizer)
	}
}

type tokenizerCheck struct {
	*answer.TokenizerInfo
	Findings []answer.Finding `json:"findings"`
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
	return json.Marshal(encodingFields{e.IDs, e.Tokens, offsets, e.TypeIDs, e.Len(), e.bytes})
}

type encodingFields struct {
	IDs        []uint32 `json:"ids"`
	Tokens     []string `json:"tokens"`
	Offsets    [][2]int `json:"offsets"` // in bytes of the text; [0, 0] for a token that was added
	TypeIDs    []uint32 `json:"type_ids"`
	TokenCount int      `json:"token_count"`
	TextBytes  int      `json:"text_bytes" unit:"bytes"`
}

type encodingSize struct {
	TokenCount int `json:"token_count"`
	TextBytes  int `json:"text_bytes" unit:"bytes"`
}

type decoding struct {
	Text string `json:"text"`
}
