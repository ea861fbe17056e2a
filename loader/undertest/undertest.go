// Package undertest is the interface between the scenarios and the loader that they
// test. A loader of any kind can implement it: the one of this module, another Go package,
// or a client of a program in another language.
//
// A run opens the loader once, with an Opener, prepares one or more calls for each
// scenario, and closes it at the end. No setting of a scenario is kept in the loader: all
// of them are in the Input of a call, so that the order of the scenarios changes neither
// answers nor times.
//
// The package depends on nothing but the standard library and package fault. It runs no
// scenarios itself.
package undertest

import (
	"context"
	"errors"
	"io/fs"
)

// Builtin is the name of the loader of this module. Results do not name it.
const Builtin = "builtin"

// Opener opens a loader. It is called once a run, before the first scenario. The context
// bounds the opening only.
type Opener func(ctx context.Context) (Loader, error)

// Loader is a loader under test. Scenarios in parallel share it, so that its methods, but
// for Close, may be called by several goroutines at once.
type Loader interface {
	// Name is a short name without line breaks, such as "transformers". Benchmarks are
	// kept and compared by the name of the loader and their own.
	Name() string
	// Version is the version of the loader, for people; it may be empty.
	Version() string
	// Operations lists what the loader can do: constants of this package, such as
	// ModelInfo, and names of its own. A loader need not have every operation.
	Operations() []string
	// Prepare returns the call of an operation on an input. It reads nothing and is not
	// measured; the returned Call is. The error is ErrNoOperation if the loader does not
	// have the operation. A setting in the input that cannot be used is not an error of
	// Prepare: the Call fails, as for a checkpoint that cannot be read.
	Prepare(operation string, in Input) (Call, error)
	// Close ends what the loader started. It is called once, after all calls have ended.
	Close() error
}

// Call carries out an operation on the input that it was prepared for.
//
// The answer is a value that encoding/json encodes as an object, with the keys of
// "omniloader inspect --json" where they apply. Scenarios name the keys in plain words:
// "model type" is model_type. A key that the loader does not know is left out. A Call that
// is measured is made many times: it returns a value and leaves the encoding to the
// caller, who encodes one answer.
//
// An error with a kind, a file or a hint wraps an *Error or a *fault.Error. When ctx ends,
// a Call that takes long returns an error that wraps ctx.Err(). A Call may be made by
// several goroutines at once, and must return an equal answer each time.
type Call func(ctx context.Context) (any, error)

// ErrNoOperation is the error of Prepare for an operation that the loader does not have.
var ErrNoOperation = errors.New("no such operation")

// Input is what an operation is carried out on.
type Input struct {
	FS  fs.FS  `json:"-"`   // contains the checkpoint
	Dir string `json:"dir"` // the directory of the checkpoint, a slash-separated path in FS
	// Root is the real directory whose content FS is, or "" if FS is not on a disk. A loader
	// that cannot read from an fs.FS reads from it.
	Root    string  `json:"root,omitempty"`
	Options Options `json:"options"`
}

// Options are the settings of one scenario. Directories are paths in Input.FS.
type Options struct {
	ModelRoots         []string `json:"model_roots,omitempty"`         // contain other checkpoints as ORG/NAME, NAME or in the layout of the Hugging Face cache
	TokenizerFallbacks []string `json:"tokenizer_fallbacks,omitempty"` // each contains a tokenizer; tried in this order if the checkpoint and its base model have none
	// Architectures is a table of class names to know in addition, a line for each: class
	// name, category, task, model type and the class that loads it, separated by tabs. "-"
	// means nothing. Package loader has the details at ReadArchitectures.
	Architectures string         `json:"architectures,omitempty"`
	Tokenizer     TokenizerInput `json:"tokenizer,omitzero"`
}

// TokenizerInput is the input of the operations that run a tokenizer.
type TokenizerInput struct {
	Text      string   `json:"text,omitempty"`       // to encode
	Pair      *string  `json:"pair,omitempty"`       // a second text, encoded with the first as one input; nil for none
	IDs       []uint32 `json:"ids,omitempty"`        // to decode
	NoSpecial bool     `json:"no_special,omitempty"` // leave special tokens out
}

// Operations that scenarios have When steps for. The comment names the keys of the answer
// that scenarios ask for most.
const (
	ModelInfo    = "model info"     // what the checkpoint is, without its weights: architecture, model_type, category, is_supported, quantization
	CategoryOnly = "category"       // which kind of loader it needs: category, task, layout, decided_by
	Support      = "support"        // whether a loader is known: is_supported, error, loads_as, remote_code
	OmniCheck    = "omni check"     // is_omni: one model takes speech, vision and text
	SAECheck     = "SAE check"      // is_sae: it is a sparse autoencoder
	SAEBaseModel = "SAE base model" // the model that a sparse autoencoder was trained on: base_model
	Tokenizer    = "tokenizer"      // the tokenizer, described from its files: type, vocab_size, special_tokens, path, tried
	Inspection   = "inspection"     // everything: the model info, size, weights, tokenizer, findings
	Verification = "verification"   // the inspection, with every file compared with the hash of its download: verified, findings

	TokenizerLoad  = "loaded tokenizer"                  // the tokenizer, loaded: the same keys as Tokenizer
	TokenizerCheck = "comparison of tokenizer and model" // the same, with findings about where the two do not fit
	Encoding       = "encoding"                          // Options.Tokenizer encoded: ids, tokens, offsets, type_ids, token_count, text_bytes
	EncodingSize   = "encoding of a long text"           // the same without the lists: token_count, text_bytes
	Decoding       = "decoding"                          // Options.Tokenizer.IDs decoded: text
	RoundTrip      = "round trip"                        // Options.Tokenizer.Text encoded and decoded again: text
)
