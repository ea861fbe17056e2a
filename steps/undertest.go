package steps

import "io/fs"

// Operation reads something about the checkpoint in the directory dir of fsys. The
// answer is a value that is encoded as a JSON object with the keys of "inspect --json".
// An error with a kind wraps a *fault.Error. An operation is called many times and
// timed, so it should not encode JSON itself.
type Operation func(fsys fs.FS, dir string) (any, error)

// Options are settings of a loader under test. Directories are paths in the filesystem
// that the operation is given.
type Options struct {
	ModelRoots         []string // hold checkpoints as <org>/<name>, <name> or in the Hugging Face cache layout
	TokenizerFallbacks []string // each holds a tokenizer; tried in this order if the checkpoint and its base model have none
	// Architectures is a table of class names that are added to the built-in ones, in
	// the format of loader.ReadArchitectures.
	Architectures string
	// Input is what an operation that runs a tokenizer encodes or decodes.
	Input TokenizerInput
}

// LoaderUnderTest creates a loader with these options and returns its operations, by
// the names below. Operations may be missing: a scenario that needs one fails and names
// it.
type LoaderUnderTest func(Options) map[string]Operation

// Names of the operations.
const (
	ModelInfo    = "model info"
	CategoryOnly = "category"
	Support      = "support"
	OmniCheck    = "omni check"
	SAECheck     = "SAE check"
	SAEBaseModel = "SAE base model"
	Tokenizer    = "tokenizer"
	Inspection   = "inspection"
	Verification = "verification"

	TokenizerLoad  = "loaded tokenizer"
	TokenizerCheck = "comparison of tokenizer and model"
	Encoding       = "encoding"
	EncodingSize   = "encoding of a long text" // returns only counts
	Decoding       = "decoding"
	RoundTrip      = "round trip"
)
