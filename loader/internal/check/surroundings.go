// Package check compares what was read of a checkpoint: its config with its
// weights, its index with its files, its tokenizer with its embeddings, and reports
// where they do not fit. It reads only what describes a part, never tensor data.
package check

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/detect"
	"omniloader/loader/internal/registry"
	"omniloader/loader/internal/tokens"
	"omniloader/loader/internal/tree"
	"omniloader/loader/internal/weights"
)

// CheckSurroundings looks at what should stand beside the weights: the config, the
// components of a pipeline, the files of an autoencoder, code.
func CheckSurroundings(c *checkpoint.Checkpoint, info *answer.Info, files []tree.File, r *weights.Reader) (findings []answer.Finding) {
	findings = append(findings, checkConfig(c, info, r)...)
	switch {
	case info.Layout == "tensorrt-llm" && r != nil:
		findings = append(findings, checkRanks(c, r.Info)...)
	case c.Doc.File == config.FileModelIndex:
		findings = append(findings, checkPipeline(c, files)...)
	case info.SAE != nil:
		findings = append(findings, checkSAEFiles(info, files)...)
	case c.Doc.File == config.FileAdapter && info.BaseModel != nil && c.Doc.Text(config.KeyBaseModelPath) != "" && !finding.Has(info.Findings, finding.AdapterBasePath):
		findings = append(findings, finding.New(finding.AdapterNeedsBase, config.FileAdapter, "it changes "+*info.BaseModel+", and is nothing without it", ""))
	}
	return append(findings, checkOtherCode(c, files)...)
}

// maxRanks bounds over how many devices an engine may be spread.
const maxRanks = 1 << 12

// checkRanks looks for the file of each rank of a TensorRT-LLM checkpoint or engine.
// Source: tensorrt_llm/models/modeling_utils.py.
func checkRanks(c *checkpoint.Checkpoint, w *answer.WeightsInfo) (findings []answer.Finding) {
	size := gjson.GetBytes(c.Doc.Data, "mapping.world_size")
	if !size.Exists() {
		size = gjson.GetBytes(c.Doc.Data, "pretrained_config.mapping.world_size")
	}
	ranks := config.BoundedInt(size)
	if ranks > maxRanks || len(w.Files) == 0 {
		return nil
	}
	for i := range ranks {
		name := "rank" + strconv.FormatInt(i, 10) + path.Ext(w.Files[0])
		if c.Has(name) {
			continue
		}
		w.Complete = false
		w.Missing = append(w.Missing, name)
		findings = append(findings, finding.New(finding.ShardMissing, name, fmt.Sprintf("%s is for %d ranks, and the file of this one is not here", config.FileConfig, ranks), c.HowToGet(name)))
	}
	return findings
}

// selfDescribing are the formats whose files say themselves what model they are.
var selfDescribing = map[string]bool{"gguf": true, "onnx": true, "whisper.cpp": true, "nemo": true, "keras": true, "tflite": true, "litert": true,
	"core ml": true, "tensorflow": true, "torchscript": true, "openvino": true, "tensorrt": true, "rkllm": true}

// otherConfigs are the files that stand in config.json's place in other layouts,
// and what to load such a directory with.
var otherConfigs = []struct{ name, what, hint string }{
	{config.FileParams, "params.json of Mistral's or Meta's own format is here", "load it with mistral-common or the model's own code, or convert it to the transformers layout"},
	{config.FileAdapter, "this is an adapter", "load it on top of its base model"}, // beside weights of a whole model
	{"open_clip_config.json", "this is a model of open_clip", "load it with open_clip"},
	{"mlc-chat-config.json", "this is a model of MLC", "load it with mlc-llm"},
}

// checkConfig says what is there where config.json is not, and what a config
// lacks that loaders ask for.
func checkConfig(c *checkpoint.Checkpoint, info *answer.Info, r *weights.Reader) (findings []answer.Finding) {
	if c.MainFile() == "" && !info.IsSAE && r != nil {
		if len(info.Candidates) > 0 {
			return findings // theirs are missed, or not
		}
		w := r.Info
		for _, o := range otherConfigs {
			if c.Has(o.name) {
				f := finding.New(finding.ConfigMissing, config.FileConfig, "no config.json; "+o.what, o.hint)
				f.Severity = answer.SeverityNote
				return append(findings, f)
			}
		}
		if single := singleFile(r); single != "" {
			return append(findings, finding.New(finding.SingleFileCheckpoint, single, "it holds the whole of a diffusion model, in the layout of its original code", ""))
		}
		if selfDescribing[w.Format] || info.Layout != detect.LayoutUnknown {
			return findings // a config.json has no place there
		}
		if card, _ := c.Card(); card != nil && card.LibraryName != "" && card.LibraryName != "transformers" {
			f := finding.New(finding.ConfigMissing, config.FileConfig, "no config.json; the model card says that this is for the library "+card.LibraryName, "load it with "+card.LibraryName)
			f.Severity = answer.SeverityNote
			return append(findings, f)
		}
		return append(findings, finding.New(finding.ConfigMissing, config.FileConfig, fmt.Sprintf("no config.json beside %s of %s weights: nothing says which model they are of", finding.CountOf(len(w.Files), "file"), w.Format), ""))
	}
	if c.Doc.File != config.FileConfig {
		return findings
	}
	if c.ModelType == "" && len(c.Classes) > 0 && info.Layout == detect.LayoutTransformers && c.Doc.Values[config.KeyModelType].End == 0 {
		hint := ""
		if class, ok := registry.LookupClass(c.Classes[0]); ok && class.ModelType != "" {
			hint = "add \"model_type\": " + strconv.Quote(class.ModelType)
		}
		findings = append(findings, finding.New(finding.ModelTypeMissing, config.FileConfig, "it names "+c.Classes[0]+" and no model_type", hint))
	}
	if i := slices.IndexFunc(info.Findings, func(f answer.Finding) bool { return f.Code == finding.ArchitectureUnknown }); i >= 0 {
		if version := gjson.GetBytes(c.Doc.Data, "transformers_version").String(); newerThanTables(version) {
			findings = append(findings, finding.New(finding.ArchitectureNewer, config.FileConfig,
				"written by transformers "+version+"; the tables are of "+tablesVersion, ""))
		}
	}
	if info.Task == "text_decoder_backbone" && strings.HasSuffix(info.Architecture, "Model") {
		hint := ""
		if f, ok := registry.LookupFamily(c.ModelType); ok && f.Architecture != "" && f.Architecture != info.Architecture {
			hint = "for text, use a checkpoint of " + f.Architecture
		}
		findings = append(findings, finding.New(finding.ArchitectureBaseClass, config.FileConfig, info.Architecture+" gives hidden states, and writes no text", hint))
	}
	return findings
}

// tablesVersion is the version of the transformers library that the tables of
// classes were made from.
const tablesVersion = "5.16"

// newerThanTables compares the first two numbers of a version.
func newerThanTables(version string) bool {
	parse := func(v string) (major, minor int, ok bool) {
		a, rest, found := strings.Cut(v, ".")
		b, _, _ := strings.Cut(rest, ".")
		major, err := strconv.Atoi(a)
		minor, err2 := strconv.Atoi(b)
		return major, minor, found && err == nil && err2 == nil
	}
	major, minor, ok := parse(version)
	ourMajor, ourMinor, _ := parse(tablesVersion)
	return ok && (major > ourMajor || major == ourMajor && minor > ourMinor)
}

// singleFilePrefix begins the names of the network's tensors in the original
// code of Stable Diffusion, and of its successors.
const singleFilePrefix = "model.diffusion_model."

// singleFile names the file that holds a whole diffusion pipeline, "" where none
// does.
func singleFile(r *weights.Reader) string {
	for i := range r.List.Tensors {
		if bytes.HasPrefix(r.List.Name(i), []byte(singleFilePrefix)) {
			return r.Info.Files[0]
		}
	}
	return ""
}

// saeFileNames are the names that loaders of autoencoders look for.
var saeFileNames = []string{"sae_weights.safetensors", "sparsity.safetensors", "cfg.json", "sae.safetensors", "params.npz", "params.safetensors"}

// checkSAEFiles looks for names one letter off, and says where a family's layout
// is not the one that the most used library expects.
func checkSAEFiles(info *answer.Info, files []tree.File) (findings []answer.Finding) {
	hasCfg := false
	for i := range files {
		base := files[i].Base()
		hasCfg = hasCfg || base == "cfg.json"
		for _, name := range saeFileNames {
			if base != name && oneEditApart(base, name) && !slices.Contains(saeFileNames, base) {
				findings = append(findings, finding.New(finding.SAEFileMisspelled, files[i].Name, "loaders look for "+name, "rename it to "+name))
			}
		}
	}
	if !hasCfg && info.SAE.Family != answer.UnknownName {
		findings = append(findings, finding.New(finding.SAEOtherFamily, "", "the layout of "+info.SAE.Family+", without SAELens's cfg.json", ""))
	}
	return findings
}

// oneEditApart tells whether one letter put in, left out or exchanged makes one
// text of the other.
func oneEditApart(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return a[i+1:] == b[i+1:]
	}
	return a[i:] == b[i+1:]
}

// codeConfigs are the files beside config.json whose auto_map names code.
var codeConfigs = [...]string{tokens.FileTokenizerConfig, "preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json"}

// checkOtherCode reports code that the configs of tokenizer and processors name,
// and that is not here.
func checkOtherCode(c *checkpoint.Checkpoint, files []tree.File) (findings []answer.Finding) {
	for _, name := range codeConfigs {
		if !c.HasContent(name, files) {
			continue
		}
		config, err := config.ReadObject(c.FS, c.Dir, name)
		if err != nil {
			continue // reported with the tokenizer
		}
		findings = append(findings, detect.CodeFindings(c, name, detect.CodeFiles(config.Get("auto_map")))...)
	}
	if file := c.Config().Get("model_file"); c.Doc.File == config.FileConfig && file.Type == gjson.String && file.Str != "" && !tree.HasFile(files, path.Clean(file.Str)) {
		findings = append(findings, finding.New(finding.CustomCodeMissing, file.Str, "model_file of config.json names it, and it is not there", ""))
	}
	return findings
}

// CheckPadToken says where batching will go wrong.
func CheckPadToken(c *checkpoint.Checkpoint, info *answer.Info, t *tokens.Description) {
	if t.PadToken == nil {
		finding.Add(info, finding.PadTokenMissing, "", "no file gives a pad token, and there is no end-of-text token to stand in", "")
	} else if *t.PadTokenSource == tokens.SourceEOS {
		finding.Add(info, finding.PadTokenFromEOS, "", "no file gives a pad token; "+*t.PadToken+", the end-of-text token, stands in", "")
	}
}

// CheckVocabulary compares the tokenizer's ids with the embedding's rows.
func CheckVocabulary(c *checkpoint.Checkpoint, info *answer.Info, t *tokens.Description) {
	if t.VocabSize == nil || t.Origin != answer.OriginCheckpoint || c.Doc.File != config.FileConfig {
		return
	}
	rows, source, ok := c.Dimensions().Get("vocab")
	if ok && int64(*t.VocabSize) > rows {
		finding.Add(info, finding.VocabExceedsEmbeddings, t.Vocabulary,
			fmt.Sprintf("its highest id is %d, and %s gives %d rows", *t.VocabSize-1, source, rows), "")
	}
}
