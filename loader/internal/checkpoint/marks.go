package checkpoint

import (
	_ "embed"
	"sync"

	"omniloader/loader/internal/table"
)

// The files that say how weights were quantized where config.json does not:
// AutoGPTQ's, AutoAWQ's and NVIDIA ModelOpt's.
const (
	fileQuantizeConfig = "quantize_config.json"
	fileQuantConfig    = "quant_config.json"
	FileHFQuantConfig  = "hf_quant_config.json"
)

var QuantFiles = [...]string{fileQuantizeConfig, fileQuantConfig, FileHFQuantConfig}

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
var tokenizerMarks = []string{
	"tokenizer.json", "tokenizer_config.json", "tokenizer.model", "spiece.model",
	"sentencepiece.bpe.model", "tekken.json", "tiktoken.model", "qwen.tiktoken", "vocab.json", "vocab.txt",
}
