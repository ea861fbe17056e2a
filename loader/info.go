package loader

import (
	"omniloader/loader/fault"
)

// Category is the kind of loader a checkpoint needs: a closed list.
type Category string

// The categories.
const (
	Transformers  Category = "transformers"   // language and multimodal models, text encoders
	VisionEncoder Category = "vision_encoder" // images or video in, features, labels or boxes out
	AudioEncoder  Category = "audio_encoder"  // sound in, features or labels out
	ASR           Category = "asr"            // speech in, text out
	Diffusers     Category = "diffusers"      // pipelines and components of the diffusers library
	SAE           Category = "sae"            // sparse autoencoders and transcoders
	Adapter       Category = "adapter"        // weights that change a base model
	Unknown       Category = "unknown"        // none of the rules spoke
)

// Task is the finer kind of work, such as "causal_lm"; architectures.tsv has the
// list.
type Task string

// None stands for a name that a checkpoint does not give.
const None = "unknown"

// Info says what a checkpoint is. Its JSON form is what `omniloader inspect
// --json` prints. Fields that only Inspect fills are marked.
type Info struct {
	Name         string   `json:"name"` // base name of the directory
	Path         string   `json:"path"` // as the caller gave it
	Size         int64    `json:"size"` // bytes of all files below it (Inspect)
	Layout       string   `json:"layout"`
	Category     Category `json:"category"`
	Task         Task     `json:"task"`
	Architecture string   `json:"architecture"`
	// Architectures holds every class name of the config, the first included.
	Architectures  []string       `json:"architectures"`
	ModelType      string         `json:"model_type"`
	DecidedBy      string         `json:"decided_by"`
	IsSupported    bool           `json:"is_supported"`
	Error          *string        `json:"error"`       // why it is not supported; null where it is
	LoadsAs        string         `json:"loads_as"`    // the class that loads it, "unknown" where none is known
	RemoteCode     bool           `json:"remote_code"` // loads only by running the code that it brings
	IsOmni         bool           `json:"is_omni"`
	HasTalker      bool           `json:"has_talker"`
	IsQuantized    bool           `json:"is_quantized"`
	Quantization   *Quantization  `json:"quantization"`
	HasCustomFiles bool           `json:"has_custom_files"`
	CustomFiles    []string       `json:"custom_files"`
	IsSAE          bool           `json:"is_sae"`
	SAE            *SAEInfo       `json:"sae"`
	BaseModel      *string        `json:"base_model"`
	Tokenizer      *TokenizerInfo `json:"tokenizer"`  // Inspect
	Weights        *WeightsInfo   `json:"weights"`    // Inspect
	Candidates     []string       `json:"candidates"` // what it may be, where that is not clear
	Findings       []Finding      `json:"findings"`
}

// Quantization says how the weights were compressed.
type Quantization struct {
	Method string   `json:"method"` // as the checkpoint spells it: "gptq", "bitsandbytes"; "unknown" where it does not say
	Bits   *float64 `json:"bits"`   // bits per weight, where it says; exl2 has fractions
	Source string   `json:"source"` // the file and key that said so
}

// SAEInfo describes a sparse autoencoder.
type SAEInfo struct {
	Family          string  `json:"family"` // whose layout it has, "unknown" where only directory names speak
	Kind            string  `json:"kind"`   // "sae", "transcoder", "crosscoder" or "clt"
	BaseModel       *string `json:"base_model"`
	BaseModelSource *string `json:"base_model_source"` // the file that named it
	// BaseModelCandidates holds the base models where several are named.
	BaseModelCandidates []string `json:"base_model_candidates"`
	Sites               []string `json:"sites"`  // where in the base model it reads: "resid_post"
	Layers              []int    `json:"layers"` // layer numbers seen, ascending
}

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
	PadTokenSource *string           `json:"pad_token_source"` // the file that gave it, or "eos_token"
	Tried          []Try             `json:"tried"`            // the places that had none, in order
}

// Try is one place where a tokenizer was looked for, and why it was not taken.
type Try struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// WeightsInfo describes the weight files.
type WeightsInfo struct {
	Format     string           `json:"format"`
	Files      []string         `json:"files"`
	Parameters *int64           `json:"parameters"` // null where the headers were not read
	Bytes      int64            `json:"bytes"`
	DTypes     map[string]int64 `json:"dtypes"` // bytes by type
	Complete   bool             `json:"complete"`
}

// Severity says how much a finding matters.
type Severity string

// The severities, worst first.
const (
	SeverityError   Severity = "error"   // loading fails, or loads garbage
	SeverityWarning Severity = "warning" // loads, perhaps not as meant
	SeverityNote    Severity = "note"    // worth knowing
)

// Finding is one thing wrong or notable with a checkpoint.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"` // stable, kebab-case: "config-not-json"
	File     string   `json:"file"` // relative to the checkpoint, "" where it is about the whole
	Message  string   `json:"message"`
	Hint     string   `json:"hint"`
}

// FileError is the error of every reader: path, offset, kind, hint.
type FileError = fault.Error
