// Package answer is what a loader says of a checkpoint: the types behind
// "omniloader inspect --json", their JSON keys, categories and severities. It reads
// nothing; whoever only handles answers needs no other package of the loader.
package answer

import (
	"strconv"
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

// UnknownName stands for a name that a checkpoint does not give.
const UnknownName = "unknown"

// Info says what a checkpoint is. Its JSON form is what `omniloader inspect
// --json` prints. Fields that only Inspect fills are marked.
type Info struct {
	Name         string   `json:"name"` // base name of the directory
	Path         string   `json:"path"` // as the caller gave it
	Size         int64    `json:"size"` // bytes of all files below it (Inspect)
	Layout       string   `json:"layout"`
	Category     Category `json:"category"`
	Task         Task     `json:"task"`
	PipelineKind string   `json:"pipeline_kind"` // what a diffusion pipeline makes of what: "text-to-video"; "" where its class does not tell
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
	Tokenizer      *TokenizerInfo `json:"tokenizer"` // Inspect
	Weights        *WeightsInfo   `json:"weights"`   // Inspect
	// ContextLength is how many tokens the model was made for (Inspect).
	ContextLength       *int64        `json:"context_length"`
	ContextLengthSource string        `json:"context_length_source"` // the file and key that said so
	Memory              *MemoryInfo   `json:"memory"`                // Inspect
	ChatTemplate        *ChatTemplate `json:"chat_template"`         // Inspect
	Card                *CardInfo     `json:"card"`                  // Inspect
	Verified            *Verification `json:"verified"`              // Verify; null where nobody asked
	Candidates          []string      `json:"candidates"`            // what it may be, where that is not clear
	Findings            []Finding     `json:"findings"`
}

// Quantization says how the weights were compressed.
type Quantization struct {
	Method string   `json:"method"` // "gptq", "bitsandbytes"; as the checkpoint spells it where no table has it; "unknown" where it does not say
	Bits   *float64 `json:"bits"`   // bits per weight, where it says; exl2 has fractions
	Detail string   `json:"detail"` // the variety: "nf4", "GEMM", "NVFP4", "Q4_K_M", "" where it does not say
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

// WeightsInfo describes the weight files that a loader takes: one set of them,
// where a directory holds several.
type WeightsInfo struct {
	Format    string   `json:"format"`    // "safetensors", "gguf", "pytorch" …
	Framework string   `json:"framework"` // "pt", "mlx", "tf", "flax", where a safetensors file says it
	Variant   string   `json:"variant"`   // "fp16", where only a variant is there
	Files     []string `json:"files"`
	Index     string   `json:"index"` // the file that maps tensors to shards, "" where there is none
	// Parameters are the model's weights: packed ones counted singly, scales and
	// tables of a quantization left out. Null where they are not known.
	Parameters     *int64           `json:"parameters"`
	StoredElements *int64           `json:"stored_elements"` // of all tensors as they lie in the files; null where no header was read
	Tensors        int              `json:"tensors"`
	Bytes          int64            `json:"bytes"`           // of the files
	TensorBytes    int64            `json:"tensor_bytes"`    // of the tensors read
	DTypes         map[string]int64 `json:"dtypes"`          // bytes by element type
	BitsPerWeight  *float64         `json:"bits_per_weight"` // of all tensors over the parameters
	Complete       bool             `json:"complete"`
	Missing        []string         `json:"missing"`    // files that belong to the weights and are not there
	Ignored        []string         `json:"ignored"`    // weight files that a loader leaves aside
	Companions     []string         `json:"companions"` // loaded beside the weights: a projector for images
}

// ChatTemplate says where a checkpoint's chat template is.
type ChatTemplate struct {
	Source string   `json:"source"` // the file that has the one in use
	Names  []string `json:"names"`  // of all templates; "default" is the one in use
}

// CardInfo is what the front matter of the model card says.
type CardInfo struct {
	License           string   `json:"license"` // as on the hub: "apache-2.0", "llama3", "other"
	LicenseName       string   `json:"license_name"`
	LicenseLink       string   `json:"license_link"`
	BaseModels        []string `json:"base_models"`
	BaseModelRelation string   `json:"base_model_relation"` // "finetune", "quantized", "adapter", "merge"
	PipelineTag       string   `json:"pipeline_tag"`
	LibraryName       string   `json:"library_name"`
	Languages         []string `json:"languages"`
}

// MemoryInfo says how much memory loading takes, in bytes. The weights' part is
// their size as stored; WeightsAs is what they take after conversion. What the
// library itself and its activations need comes on top.
type MemoryInfo struct {
	Weights   int64            `json:"weights"`
	WeightsAs map[string]int64 `json:"weights_as"` // by type: "float32", "bfloat16", "int8", "int4"
	// Context is the number of tokens that the cache is sized for: that asked
	// for, or the model's own; null where neither is known.
	Context *int64 `json:"context"`
	// KVCache is 2 × layers × key-value heads × head size × context × 2 bytes (for
	// bfloat16), less where the config has latent attention or sliding windows;
	// null where the model has no such cache or the config does not tell.
	KVCache         *int64   `json:"kv_cache"`
	KVBytesPerToken *int64   `json:"kv_bytes_per_token"`
	Total           int64    `json:"total"` // weights and cache
	Notes           []string `json:"notes"`
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

func (q *Quantization) Summary() string {
	if q.Bits == nil {
		return q.Method
	}
	return q.Method + " of " + strconv.FormatFloat(*q.Bits, 'g', -1, 64) + " bits"
}
