package steps

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"omniloader/internal/bench"
	"omniloader/internal/engine"
	"omniloader/loader/undertest"
)

// tokenizeSteps are the When steps that load and run a tokenizer.
func (w *world) tokenizeSteps(r stepRegistrar) {
	r.group("Tokenizers: one operation in each scenario")
	r.When(`^the tokenizer is loaded$`, w.loadTokenizer, stepDoc{
		meaning:   "Loads the checkpoint's tokenizer, or that of its base model or a fallback, so that it can encode. The answer has its type, vocabulary size, special tokens, and the pad token with its id.",
		example:   `the tokenizer is loaded`,
		operation: undertest.TokenizerLoad,
	})
	r.When(`^the tokenizer is compared with the model$`, w.checkTokenizer, stepDoc{
		meaning:   "Loads the tokenizer and reports where it does not fit the model: a missing pad token, ids beyond the embeddings, special tokens that are not in the vocabulary, other ids in config.json.",
		example:   `the tokenizer is compared with the model`,
		operation: undertest.TokenizerCheck,
	})
	r.When(`^the text "([^"]*)" is encoded$`, w.encodeText, stepDoc{
		meaning:   "Encodes a text, special tokens included: the answer has ids, tokens, offsets in bytes, and type ids. If it is measured, loading the tokenizer is not part of it.",
		example:   `the text "hello world" is encoded`,
		operation: undertest.Encoding,
	})
	r.When(`^this text is encoded:$`, w.encodeDocument, stepDoc{
		meaning:   "The same, for a text of several lines or with quotes.",
		example:   `this text is encoded:`,
		operation: undertest.Encoding,
	})
	r.When(`^the text "([^"]*)" is encoded without special tokens$`, w.encodePlain, stepDoc{
		meaning:   "The same, without the special tokens that the tokenizer adds to a text.",
		example:   `the text "hello world" is encoded without special tokens`,
		operation: undertest.Encoding,
	})
	r.When(`^the texts "([^"]*)" and "([^"]*)" are encoded as a pair$`, w.encodePair, stepDoc{
		meaning:   "Encodes two texts as one input, such as a question and an answer.",
		example:   `the texts "hello" and "world" are encoded as a pair`,
		operation: undertest.Encoding,
	})
	r.When(`^(\d+) copies of "([^"]*)" are encoded$`, w.encodeCopies, stepDoc{
		meaning: "Encodes a long text: this many copies of a short one.",
		example: `1000 copies of "hello world " are encoded`,
		check: func(c *argumentCheck, parts []string) {
			n, err := strconv.Atoi(parts[0])
			if err == nil { // another check tells a number that cannot be read
				c.add(NoLimit, checkCopies(n, unescape(parts[1])))
			}
		},
		operation: undertest.EncodingSize,
	})
	r.When(`^the ids "([^"]*)" are decoded$`, w.decode, stepDoc{
		meaning:   "Decodes ids, separated by commas, to a text, special tokens included.",
		example:   `the ids "31373, 995" are decoded`,
		check:     checkIDs,
		operation: undertest.Decoding,
	})
	r.When(`^the ids "([^"]*)" are decoded without special tokens$`, w.decodePlain, stepDoc{
		meaning:   "The same, without special tokens.",
		example:   `the ids "31373, 995" are decoded without special tokens`,
		check:     checkIDs,
		operation: undertest.Decoding,
	})
	r.When(`^the text "([^"]*)" is encoded and decoded$`, w.roundTrip, stepDoc{
		meaning:   "Encodes a text and decodes the ids again, without special tokens.",
		example:   `the text "hello world" is encoded and decoded`,
		operation: undertest.RoundTrip,
	})
}

func (w *world) loadTokenizer(ctx context.Context) error { return w.read(ctx, undertest.TokenizerLoad) }
func (w *world) checkTokenizer(ctx context.Context) error {
	return w.read(ctx, undertest.TokenizerCheck)
}

func (w *world) encodeText(ctx context.Context, text string) error {
	return w.tokenize(ctx, undertest.Encoding, undertest.TokenizerInput{Text: unescape(text)})
}

func (w *world) encodeDocument(ctx context.Context, text *engine.DocString) error {
	return w.tokenize(ctx, undertest.Encoding, undertest.TokenizerInput{Text: text.Content})
}

func (w *world) encodePlain(ctx context.Context, text string) error {
	return w.tokenize(ctx, undertest.Encoding, undertest.TokenizerInput{Text: unescape(text), NoSpecial: true})
}

func (w *world) encodePair(ctx context.Context, first, second string) error {
	second = unescape(second)
	return w.tokenize(ctx, undertest.Encoding, undertest.TokenizerInput{Text: unescape(first), Pair: &second})
}

func (w *world) encodeCopies(ctx context.Context, n int, text string) error {
	text = unescape(text)
	if err := checkCopies(n, text); err != nil {
		return &ScenarioError{err}
	}
	return w.tokenize(ctx, undertest.EncodingSize, undertest.TokenizerInput{Text: strings.Repeat(text, n), NoSpecial: true})
}

// checkCopies returns an error for copies that are too much to encode.
func checkCopies(n int, text string) error {
	const limit = 64 << 20 // bytes
	if n > limit/max(1, len(text)) {
		return errorWithHint("write fewer copies", "%d copies are more than %d bytes", n, limit)
	}
	return nil
}

func (w *world) decode(ctx context.Context, list string) error {
	return w.decodeIDs(ctx, list, false)
}

func (w *world) decodePlain(ctx context.Context, list string) error {
	return w.decodeIDs(ctx, list, true)
}

func (w *world) decodeIDs(ctx context.Context, list string, noSpecial bool) error {
	ids, err := readIDs(list)
	if err != nil {
		return &ScenarioError{err}
	}
	return w.tokenize(ctx, undertest.Decoding, undertest.TokenizerInput{IDs: ids, NoSpecial: noSpecial})
}

// readIDs reads a list of ids that is separated by commas.
func readIDs(list string) ([]uint32, error) {
	var ids []uint32
	for _, text := range splitList(list) {
		id, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, errorWithHint(`write numbers separated by commas, as in the ids "31373, 995"`, "%q is not an id", text)
		}
		ids = append(ids, uint32(id))
	}
	return ids, nil
}

func checkIDs(c *argumentCheck, parts []string) {
	_, err := readIDs(parts[0])
	c.add(BadText, err)
}

func (w *world) roundTrip(ctx context.Context, text string) error {
	return w.tokenize(ctx, undertest.RoundTrip, undertest.TokenizerInput{Text: unescape(text), NoSpecial: true})
}

// unescape replaces escapes such as \n and \t in the text of a step by what they stand
// for.
func unescape(text string) string {
	if s, err := strconv.Unquote(`"` + text + `"`); err == nil {
		return s
	}
	return text
}

// addRates adds to the result how fast a tokenizer's files were read, or a text was
// encoded.
func (w *world) addRates(r *bench.Result) {
	const megabyte = 1e6
	answer := w.answer.root
	switch w.operation {
	case undertest.TokenizerLoad:
		var size int64
		for _, name := range answer.Get("files").Array() {
			if path.Ext(name.String()) == ".gguf" {
				continue // mostly weights, which are not read
			}
			if info, err := fs.Stat(w.fsys, path.Join(answer.Get("path").String(), name.String())); err == nil {
				size += info.Size()
			}
		}
		r.SetRate("mb_per_s", float64(size)/megabyte)
	case undertest.Encoding, undertest.EncodingSize:
		r.SetRate("mb_per_s", answer.Get("text_bytes").Num/megabyte)
		r.SetRate("tokens_per_s", answer.Get("token_count").Num)
	}
}

// tokenize calls an operation that runs a tokenizer. A measured operation is called once
// before it is measured, because the first call loads the tokenizer.
func (w *world) tokenize(ctx context.Context, operation string, input undertest.TokenizerInput) error {
	w.options.Tokenizer = input
	if w.setup.Collect != nil {
		return w.read(ctx, operation) // sampling calls once before it measures
	}
	call, err := w.call(operation)
	if err != nil {
		return err
	}
	w.operation = operation
	if w.measured {
		if _, err = call(ctx); err == nil {
			err = w.measure(ctx, call)
		} else {
			err = w.setFailure(ctx, err)
		}
	} else {
		err = w.callOnce(ctx, call)
	}
	switch {
	case err != nil:
		return err
	case w.err != nil && !w.expectsFailure:
		return fmt.Errorf("the %s: %w", operation, w.err)
	}
	return nil
}
