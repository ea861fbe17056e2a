package checkpoint

import (
	_ "embed"
	"sync"

	"omniloader/loader/internal/table"
)

// The files that say how weights were quantized where config.json does not:
// AutoGPTQ's, AutoAWQ's and NVIDIA ModelOpt's.
const (
	autoGPTQConfigFile = "quantize_config.json"
	autoAWQConfigFile  = "quant_config.json"
	ModelOptConfigFile = "hf_quant_config.json"
)

var QuantizationFiles = [...]string{autoGPTQConfigFile, autoAWQConfigFile, ModelOptConfigFile}

//go:embed sae_directories.tsv
var saeDirectoriesTSV string

// SAEDirectories are the directory names by which sites of a model are known,
// in the order in which they are searched for a base model.
var SAEDirectories = sync.OnceValue(func() (names []string) {
	for f := range table.Rows(saeDirectoriesTSV) {
		names = append(names, f[0])
	}
	return names
})

// tokenizerMarks are the files whose presence says that a directory is a model
// with a tokenizer, and no sparse autoencoder.
var tokenizerFiles = []string{
	"tokenizer.json", "tokenizer_config.json", "tokenizer.model", "spiece.model",
	"sentencepiece.bpe.model", "tekken.json", "tiktoken.model", "qwen.tiktoken", "vocab.json", "vocab.txt",
}
