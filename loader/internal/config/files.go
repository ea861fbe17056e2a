package config

// The files that say what a directory is.
const (
	FileConfig       = "config.json"
	FileModelIndex   = "model_index.json"
	FileModularIndex = "modular_model_index.json"
	FileAdapter      = "adapter_config.json"
	FileParams       = "params.json" // of Mistral's and Meta's own formats
)
