// Package answer has the types of the answers about a checkpoint: those that
// "omniloader inspect --json" prints, with their JSON keys, the categories and the
// severities. It reads no files, and code that only handles answers needs no other
// package of the loader.
package answer

import (
	"strconv"
)

// Category is the kind of loader that a checkpoint needs.
type Category string

// The categories; there are no others.
const (
	Transformers  Category = "transformers"   // language and multimodal models, text encoders
	VisionEncoder Category = "vision_encoder" // images or video in, features, labels or boxes out
	AudioEncoder  Category = "audio_encoder"  // sound in, features or labels out
	ASR           Category = "asr"            // speech in, text out
	Diffusers     Category = "diffusers"      // pipelines and components of the diffusers library
	SAE           Category = "sae"            // sparse autoencoders and transcoders
	Adapter       Category = "adapter"        // weights that change a base model
	Unknown       Category = "unknown"        // no rule matched
)

// Task is what a model does, in more detail than the category: "causal_lm",
// "image_classification". The third column of architectures.tsv has all of them.
type Task string

// UnknownName stands for a name that no file of the checkpoint gives.
const UnknownName = "unknown"

// Info describes a checkpoint. Its JSON form is what `omniloader inspect --json` prints. In
// this package, the tag `unit:"bytes"` marks sizes, and `unit:"signed"` numbers that may be
// negative; `keys` lists keys that a map often has.
// Fields marked (Inspect) are left at their zero value by ModelInfo.
type Info struct {
	Name         string   `json:"name"`              // base name of the directory
	Path         string   `json:"path"`              // as the caller gave it
	Size         int64    `json:"size" unit:"bytes"` // bytes of all files in the directory and below it (Inspect)
	Layout       string   `json:"layout"`
	Category     Category `json:"category"`
	Task         Task     `json:"task"`
	PipelineKind string   `json:"pipeline_kind"` // input and output of a diffusion pipeline: "text-to-video"; "" where its class does not tell
	Architecture string   `json:"architecture"`
	// Architectures holds every class name of the config, the first included.
	Architectures  []string       `json:"architectures"`
	ModelType      string         `json:"model_type"`
	DecidedBy      string         `json:"decided_by"`
	IsSupported    bool           `json:"is_supported"`
	Error          *string        `json:"error"`       // why it is not supported; null where it is
	LoadsAs        string         `json:"loads_as"`    // the class that loads it, "unknown" where none is known
	RemoteCode     bool           `json:"remote_code"` // loading runs Python code of the checkpoint
	IsOmni         bool           `json:"is_omni"`
	HasTalker      bool           `json:"has_talker"`
	IsQuantized    bool           `json:"is_quantized"`
	Quantization   *Quantization  `json:"quantization"`
	HasCustomFiles bool           `json:"has_custom_files"`
	CustomFiles    []string       `json:"custom_files"`
	IsSAE          bool           `json:"is_sae"`
	SAE            *SAEInfo       `json:"sae"`
	BaseModel      *string        `json:"base_model"`
	Adapter        *AdapterInfo   `json:"adapter"`   // of an adapter of peft, null for anything else
	Tokenizer      *TokenizerInfo `json:"tokenizer"` // Inspect
	Weights        *WeightsInfo   `json:"weights"`   // Inspect
	// ContextLength is the longest context of the model, in tokens (Inspect).
	ContextLength       *int64        `json:"context_length"`
	ContextLengthSource string        `json:"context_length_source"` // the file and key that give it
	Memory              *MemoryInfo   `json:"memory"`                // Inspect
	ChatTemplate        *ChatTemplate `json:"chat_template"`         // Inspect
	Card                *CardInfo     `json:"card"`                  // Inspect
	Verified            *Verification `json:"verified"`              // filled by Verify; null where it was not called
	Candidates          []string      `json:"candidates"`            // the possible layouts, files or directories, where several models or layouts were found
	Findings            []Finding     `json:"findings"`
}

// Quantization describes how the weights were quantized.
type Quantization struct {
	Method string   `json:"method"` // "gptq", "bitsandbytes"; a method that is not in quantization_methods.tsv as the checkpoint spells it; "unknown" where no file names it
	Bits   *float64 `json:"bits"`   // bits per weight, null where not known; exl2 has fractions
	Detail string   `json:"detail"` // the variant of the method: "nf4", "GEMM", "NVFP4", "Q4_K_M"; "" where not known
	Mixed  string   `json:"mixed"`  // which parts have other bits: "8 bits in 26 modules"; "" where none are known (Inspect)
	Source string   `json:"source"` // the file and key that give it
}

// AdapterInfo describes an adapter of peft by its adapter_config.json.
type AdapterInfo struct {
	Kind    string   `json:"kind"`    // peft_type in lower case: "lora", "ia3", "prompt_tuning"
	Rank    *int64   `json:"rank"`    // r; null for kinds without a rank
	Alpha   *float64 `json:"alpha"`   // the scale of the change, by which the rank is divided
	Targets []string `json:"targets"` // the modules that it changes, or the pattern for their names
}

// SAEInfo describes a sparse autoencoder.
type SAEInfo struct {
	Family          string  `json:"family"` // of sae_families.tsv, "unknown" where only the names of directories were recognized
	Kind            string  `json:"kind"`   // "sae", "transcoder", "crosscoder" or "clt"
	BaseModel       *string `json:"base_model"`
	BaseModelSource *string `json:"base_model_source"` // the file that names it
	// BaseModelCandidates are the base models, where the files name more than one.
	BaseModelCandidates []string `json:"base_model_candidates"`
	Sites               []string `json:"sites"`  // where in the base model its input is taken: "resid_post"
	Layers              []int    `json:"layers"` // numbers of the layers of the base model, ascending
	// Architecture, DIn, DSAE and Hook are those of the first config that gives them: "" or
	// null where none does.
	Architecture string `json:"architecture"` // "jumprelu", "topk"
	DIn          *int64 `json:"d_in"`         // width of the input
	DSAE         *int64 `json:"d_sae"`        // number of features
	Hook         string `json:"hook"`         // where the input is taken, as the config spells it: "blocks.8.hook_resid_pre"
}

// WeightsInfo describes the weight files that a loader reads. Where a directory has the
// weights more than once (in two formats, say), it describes one copy.
type WeightsInfo struct {
	Format    string   `json:"format"`     // "safetensors", "gguf", "pytorch" …
	Framework string   `json:"framework"`  // "pt", "mlx", "tf", "flax": the "format" of the metadata of a safetensors file, else ""
	ByteOrder string   `json:"byte_order"` // of GGUF: "little-endian" or "big-endian"; "" for other formats
	Variant   string   `json:"variant"`    // "fp16", where only files of a variant are present
	Files     []string `json:"files"`
	Index     string   `json:"index"` // the file that maps tensors to shards, "" where there is none
	// Parameters is the number of weights of the model: quantized weights that are packed
	// into one element are counted one by one, scales, lookup tables and buffers not at all.
	// Null where the headers do not tell.
	Parameters     *int64           `json:"parameters"`
	Buffers        *int64           `json:"buffers"`         // elements of tensors that a module keeps beside its parameters, such as running means; null where Parameters is
	StoredElements *int64           `json:"stored_elements"` // elements of all tensors as stored; null where no header was read
	Tensors        int              `json:"tensors"`
	Bytes          int64            `json:"bytes" unit:"bytes"`        // of the files
	TensorBytes    int64            `json:"tensor_bytes" unit:"bytes"` // of the tensors read
	DTypes         map[string]int64 `json:"dtypes" unit:"bytes"`       // bytes of the tensors by element type
	BitsPerWeight  *float64         `json:"bits_per_weight"`           // bits of all tensors divided by Parameters
	// Complete tells whether all weights are present, as far as they were compared with
	// something: the index, the sizes of the files, the layers of the config. Null where
	// nothing was.
	Complete       *bool    `json:"complete"`
	CompleteReason string   `json:"complete_reason"` // what was compared, what is missing, or why nothing could be compared
	Missing        []string `json:"missing"`         // files of the weights that are not present
	Ignored        []string `json:"ignored"`         // weight files that a loader does not read
	Companions     []string `json:"companions"`      // loaded together with the weights: a projector for images
}

// ChatTemplate gives the file of a checkpoint's chat template.
type ChatTemplate struct {
	Source string   `json:"source"` // the file of the template named "default"
	Names  []string `json:"names"`  // of all templates; "default" is used where no name is given
}

// CardInfo has keys of the front matter of the model card (README.md).
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

// MemoryInfo is an estimate of the memory that a loaded model needs, in bytes: weights
// and key-value cache. The library itself and activations are not counted.
type MemoryInfo struct {
	Weights   int64            `json:"weights" unit:"bytes"`                                      // of the tensors as stored
	WeightsAs map[string]int64 `json:"weights_as" unit:"bytes" keys:"float32,bfloat16,int8,int4"` // of the parameters converted to "float32", "bfloat16", "int8", "int4"
	// Context is the number of tokens that the cache is computed for: that of WithContext,
	// else the model's context length; null where neither is known.
	Context *int64 `json:"context"`
	// KVCache is 2 × layers × key-value heads × head size × context × 2 bytes (bfloat16),
	// and less with latent attention or sliding windows; null where the model has no such
	// cache or the config does not have these numbers.
	KVCache         *int64   `json:"kv_cache" unit:"bytes"`
	KVBytesPerToken *int64   `json:"kv_bytes_per_token" unit:"bytes"`
	Total           int64    `json:"total" unit:"bytes"` // Weights plus KVCache
	Notes           []string `json:"notes"`
}

// Severity is how much a finding matters.
type Severity string

// The severities, worst first.
const (
	SeverityError   Severity = "error"   // loading fails, or the loaded model is wrong
	SeverityWarning Severity = "warning" // it loads, and may not behave as intended
	SeverityNote    Severity = "note"    // worth knowing
)

// Finding is one thing wrong or notable with a checkpoint.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"` // stable, kebab-case: "config-unreadable"
	File     string   `json:"file"` // relative to the checkpoint; "" where the finding is about the whole directory
	Message  string   `json:"message"`
	Hint     string   `json:"hint"` // what to do about it
}

// Summary gives the method and the bits: "gptq of 4 bits".
func (q *Quantization) Summary() string {
	if q.Bits == nil {
		return q.Method
	}
	return q.Method + " of " + strconv.FormatFloat(*q.Bits, 'g', -1, 64) + " bits"
}
