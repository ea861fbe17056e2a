package checkpoint

import (
	_ "embed"
	"sync"

	"omniloader/loader/internal/config"
	"omniloader/loader/internal/hubcache"
	"omniloader/loader/internal/table"
)

// Markers is a set of well-known names of files and directories that occur in a listing.
type Markers uint16

const (
	MarkerModelIndex           Markers = 1 << iota // model_index.json
	MarkerModularIndex                             // modular_model_index.json
	MarkerAdapter                                  // adapter_config.json
	MarkerConfig                                   // config.json
	MarkerTokenizer                                // one of tokenizerFiles
	MarkerSAEDirectory                             // one of SAEDirectories
	MarkerSentenceTransformers                     // modules.json
	markerSnapshots                                // the directory snapshots of the Hugging Face cache
	MarkerQuantizationFile                         // one of QuantizationFiles
)

// Has tells whether one of the markers m is in the set.
func (s Markers) Has(m Markers) bool { return s&m != 0 }

var markerOfName = sync.OnceValue(func() map[string]Markers {
	m := map[string]Markers{
		config.ModelIndexJSON: MarkerModelIndex, config.ModularModelIndexJSON: MarkerModularIndex,
		config.AdapterConfigJSON: MarkerAdapter, config.ConfigJSON: MarkerConfig,
		"modules.json":        MarkerSentenceTransformers,
		hubcache.SnapshotsDir: markerSnapshots,
	}
	for _, name := range tokenizerFiles {
		m[name] = MarkerTokenizer
	}
	for _, name := range SAEDirectories() {
		m[name] = MarkerSAEDirectory
	}
	for _, name := range QuantizationFiles {
		m[name] = MarkerQuantizationFile
	}
	return m
})

// findMarkers gives the markers among names.
func findMarkers(names []string) (found Markers) {
	byName := markerOfName()
	for _, name := range names {
		found |= byName[name]
	}
	return found
}

// The files in which AutoGPTQ, AutoAWQ and NVIDIA ModelOpt write how they quantized the
// weights.
const (
	autoGPTQConfigFile = "quantize_config.json"
	autoAWQConfigFile  = "quant_config.json"
	ModelOptConfigFile = "hf_quant_config.json"
)

// QuantizationFiles are these files, in the order in which they are read.
var QuantizationFiles = [...]string{autoGPTQConfigFile, autoAWQConfigFile, ModelOptConfigFile}

//go:embed sae_directories.tsv
var saeDirectoriesTSV string

// SAEDirectories are the names in sae_directories.tsv: directories that a release of
// sparse autoencoders has for the sites of the base model.
var SAEDirectories = sync.OnceValue(func() (names []string) {
	for f := range table.Rows(saeDirectoriesTSV) {
		names = append(names, f[0])
	}
	return names
})

var distinctiveSAEDirectories = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for f := range table.Rows(saeDirectoriesTSV) {
		m[f[0]] = f[1] == "distinctive"
	}
	return m
})

// IsDistinctiveSAEDirectory tells whether only releases of sparse autoencoders have a
// directory of this name.
func IsDistinctiveSAEDirectory(name string) bool { return distinctiveSAEDirectories()[name] }

// tokenizerFiles are the files of tokenizers. A directory with one of them is a model,
// and not a release of sparse autoencoders.
var tokenizerFiles = []string{
	"tokenizer.json", "tokenizer_config.json", "tokenizer.model", "spiece.model",
	"sentencepiece.bpe.model", "tekken.json", "tiktoken.model", "qwen.tiktoken", "vocab.json", "vocab.txt",
}
