package config

// The names of the files that describe a model.
const (
	ConfigJSON            = "config.json"
	ModelIndexJSON        = "model_index.json"
	ModularModelIndexJSON = "modular_model_index.json"
	AdapterConfigJSON     = "adapter_config.json"
	ParamsJSON            = "params.json" // of Mistral's and Meta's own layouts
)
