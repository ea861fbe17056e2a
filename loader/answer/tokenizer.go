package answer

import (
	"time"
)

// TokenizerInfo describes a tokenizer.
type TokenizerInfo struct {
	Type           string            `json:"type"`   // "BPE", "WordPiece", "Unigram", "WordLevel", "SentencePiece", "tiktoken" …
	Class          string            `json:"class"`  // tokenizer_class, "unknown" where none is given
	Path           string            `json:"path"`   // directory it was read from
	Origin         string            `json:"origin"` // "checkpoint", "base model" or "fallback"
	Files          []string          `json:"files"`
	VocabSize      *int              `json:"vocab_size"` // highest id + 1; null where it was not read
	SpecialTokens  map[string]string `json:"special_tokens"`
	PadToken       *string           `json:"pad_token"`
	PadTokenID     *int64            `json:"pad_token_id"`     // null where the vocabulary lacks the token
	PadTokenSource *string           `json:"pad_token_source"` // the file that gave it, "tokenizer_class …", "model_type …", or "eos_token"
	Tried          []Attempt         `json:"tried"`            // the places that had none, in order
	Times          Durations         `json:"-"`                // differ from call to call, so no part of the answer
	Findings       []Finding         `json:"-"`                // about the files of the tokenizer; Inspect lists them among those of the checkpoint
}

// Try is one place where a tokenizer was looked for, and why it was not taken.
type Attempt struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`

	Root      string `json:"-"` // the directory it was looked for below, "" where it was named
	Absent    bool   `json:"-"` // there is no such directory
	OutsideFS bool   `json:"-"` // Path is not a path of the filesystem: a model's name, or a path of another machine
}

// Durations say where the time of finding and loading a tokenizer went.
type Durations struct {
	Resolution time.Duration // deciding whose tokenizer it is, and where
	Download   time.Duration // fetching it, 0 where that was not needed
	Parse      time.Duration // reading the files and building the tokenizer
}

// Where a tokenizer came from.
const (
	OriginCheckpoint = "checkpoint"
	OriginBaseModel  = "base model"
	OriginFallback   = "fallback"
)
