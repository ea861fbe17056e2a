package steps

import "io/fs"

// Operation reads one thing about the checkpoint in a directory of fsys. The
// answer is any value whose JSON form is an object with the keys of the
// inspection's answer; an error that is of a kind carries a *fault.Error. It is
// called many times in a row and timed, so it makes no JSON itself.
type Operation func(fsys fs.FS, dir string) (any, error)

// Options say where a loader may look besides the checkpoint itself. The
// directories are of the filesystem that the operation is given.
type Options struct {
	ModelRoots         []string // hold checkpoints as <org>/<name>, <name> or in the Hugging Face cache layout
	TokenizerFallbacks []string // hold a tokenizer, tried in this order when a checkpoint and its base model have none
	// Architectures is a table of class names that are added to the built-in ones, in
	// the form of loader.ReadArchitectures.
	Architectures string
	Input         TokenizerInput
}

// LoaderUnderTest makes the operations of a loader under test, by name. It need not have
// all of them: a scenario that asks for one that is missing fails and says so.
type LoaderUnderTest func(Options) map[string]Operation

// The names of the operations.
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
	EncodingSize   = "encoding of a long text" // counts only
	Decoding       = "decoding"
	RoundTrip      = "round trip"
)
