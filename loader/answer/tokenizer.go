package answer

import "time"

// TokenizerInfo describes the tokenizer of a checkpoint, of its base model or of a
// fallback directory.
type TokenizerInfo struct {
	Type           string            `json:"type"`   // "BPE", "WordPiece", "Unigram", "WordLevel", "SentencePiece", "tiktoken" …
	Class          string            `json:"class"`  // tokenizer_class of tokenizer_config.json, "unknown" where none is given
	Path           string            `json:"path"`   // the directory that it was read from
	Origin         string            `json:"origin"` // "checkpoint", "base model" or "fallback"
	Files          []string          `json:"files"`
	VocabSize      *int              `json:"vocab_size"` // highest id + 1; null where no vocabulary was read
	SpecialTokens  map[string]string `json:"special_tokens" keys:"bos_token,eos_token,unk_token,sep_token,pad_token,cls_token,mask_token"`
	PadToken       *string           `json:"pad_token"`
	PadTokenID     *int64            `json:"pad_token_id" unit:"signed"` // null where the token is not in the vocabulary
	PadTokenSource *string           `json:"pad_token_source"`           // the file that gives it, "tokenizer_class …", "model_type …", or "eos_token"
	Tried          []Attempt         `json:"tried"`                      // the places searched before, in order
	Times          Durations         `json:"-"`                          // how long the search took
	Findings       []Finding         `json:"-"`                          // about the files of the tokenizer; Inspect adds them to those of the checkpoint
}

// Attempt is one place where a tokenizer was looked for, and why it was not taken.
type Attempt struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`

	Root      string `json:"-"` // the model root or ancestor directory that Path was looked for in, "" where Path was given
	Absent    bool   `json:"-"` // the directory does not exist
	OutsideFS bool   `json:"-"` // Path is the name of a model, or a path of another machine, and no path of this filesystem
}

// Durations split the time of a search for a tokenizer.
type Durations struct {
	Resolution time.Duration // finding out whose tokenizer it is, and its directory
	Download   time.Duration // of the Fetch function, 0 where it was not called
	Parse      time.Duration // reading its files
}

// The values of TokenizerInfo.Origin.
const (
	OriginCheckpoint = "checkpoint"
	OriginBaseModel  = "base model"
	OriginFallback   = "fallback"
)
