package config

// The files that say what a directory is.
const (
	ConfigJSON            = "config.json"
	ModelIndexJSON        = "model_index.json"
	ModularModelIndexJSON = "modular_model_index.json"
	AdapterConfigJSON     = "adapter_config.json"
	ParamsJSON            = "params.json" // of Mistral's and Meta's own formats
)
