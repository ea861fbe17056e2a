package loader

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// checkParts looks at what should stand beside the weights: the config, the
// components of a pipeline, the files of an autoencoder, code.
func (c *checkpoint) checkParts(info *Info, files []fileInfo, r *weightReader) (findings []Finding) {
	findings = append(findings, c.checkConfig(info, r)...)
	switch {
	case info.Layout == "tensorrt-llm" && r != nil:
		findings = append(findings, c.checkRanks(r.info)...)
	case c.doc.file == fileModelIndex:
		findings = append(findings, c.checkPipeline(files)...)
	case info.SAE != nil:
		findings = append(findings, checkSAEFiles(info, files)...)
	case c.doc.file == fileAdapter && info.BaseModel != nil && c.doc.text(keyBaseModelPath) != "" && !hasCode(info.Findings, CodeAdapterBasePath):
		findings = append(findings, finding(CodeAdapterNeedsBase, fileAdapter, "it changes "+*info.BaseModel+", and is nothing without it", ""))
	}
	return append(findings, c.checkOtherCode(files)...)
}

// maxRanks bounds over how many devices an engine may be spread.
const maxRanks = 1 << 12

// checkRanks looks for the file of each rank of a TensorRT-LLM checkpoint or engine.
// Source: tensorrt_llm/models/modeling_utils.py.
func (c *checkpoint) checkRanks(w *WeightsInfo) (findings []Finding) {
	size := gjson.GetBytes(c.doc.data, "mapping.world_size")
	if !size.Exists() {
		size = gjson.GetBytes(c.doc.data, "pretrained_config.mapping.world_size")
	}
	ranks := boundedInt(size)
	if ranks > maxRanks || len(w.Files) == 0 {
		return nil
	}
	for i := range ranks {
		name := "rank" + strconv.FormatInt(i, 10) + path.Ext(w.Files[0])
		if c.has(name) {
			continue
		}
		w.Complete = false
		w.Missing = append(w.Missing, name)
		findings = append(findings, finding(CodeShardMissing, name, fmt.Sprintf("%s is for %d ranks, and the file of this one is not here", fileConfig, ranks), c.howToGet(name)))
	}
	return findings
}

func hasCode(findings []Finding, code string) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Code == code })
}

// selfDescribing are the formats whose files say themselves what model they are.
var selfDescribing = map[string]bool{"gguf": true, "onnx": true, "whisper.cpp": true, "nemo": true, "keras": true, "tflite": true, "litert": true,
	"core ml": true, "tensorflow": true, "torchscript": true, "openvino": true, "tensorrt": true, "rkllm": true}

// otherConfigs are the files that stand in config.json's place in other layouts,
// and what to load such a directory with.
var otherConfigs = []struct{ name, what, hint string }{
	{fileParams, "params.json of Mistral's or Meta's own format is here", "load it with mistral-common or the model's own code, or convert it to the transformers layout"},
	{fileAdapter, "this is an adapter", "load it on top of its base model"}, // beside weights of a whole model
	{"open_clip_config.json", "this is a model of open_clip", "load it with open_clip"},
	{"mlc-chat-config.json", "this is a model of MLC", "load it with mlc-llm"},
}

// checkConfig says what is there where config.json is not, and what a config
// lacks that loaders ask for.
func (c *checkpoint) checkConfig(info *Info, r *weightReader) (findings []Finding) {
	if c.mainFile() == "" && !info.IsSAE && r != nil {
		if len(info.Candidates) > 0 {
			return findings // theirs are missed, or not
		}
		w := r.info
		for _, o := range otherConfigs {
			if c.has(o.name) {
				f := finding(CodeConfigMissing, fileConfig, "no config.json; "+o.what, o.hint)
				f.Severity = SeverityNote
				return append(findings, f)
			}
		}
		if single := r.singleFile(); single != "" {
			return append(findings, finding(CodeSingleFileCheckpoint, single, "it holds the whole of a diffusion model, in the layout of its original code", ""))
		}
		if selfDescribing[w.Format] || info.Layout != layoutUnknown {
			return findings // a config.json has no place there
		}
		if card, _ := c.card(); card != nil && card.LibraryName != "" && card.LibraryName != "transformers" {
			f := finding(CodeConfigMissing, fileConfig, "no config.json; the model card says that this is for the library "+card.LibraryName, "load it with "+card.LibraryName)
			f.Severity = SeverityNote
			return append(findings, f)
		}
		return append(findings, finding(CodeConfigMissing, fileConfig, fmt.Sprintf("no config.json beside %s of %s weights: nothing says which model they are of", countOf(len(w.Files), "file"), w.Format), ""))
	}
	if c.doc.file != fileConfig {
		return findings
	}
	if c.modelType == "" && len(c.classes) > 0 && info.Layout == layoutTransformers && c.doc.values[keyModelType].end == 0 {
		hint := ""
		if class, ok := LookupClass(c.classes[0]); ok && class.ModelType != "" {
			hint = "add \"model_type\": " + strconv.Quote(class.ModelType)
		}
		findings = append(findings, finding(CodeModelTypeMissing, fileConfig, "it names "+c.classes[0]+" and no model_type", hint))
	}
	if i := slices.IndexFunc(info.Findings, func(f Finding) bool { return f.Code == CodeArchitectureUnknown }); i >= 0 {
		if version := gjson.GetBytes(c.doc.data, "transformers_version").String(); newerThanTables(version) {
			findings = append(findings, finding(CodeArchitectureNewer, fileConfig,
				"written by transformers "+version+"; the tables are of "+tablesVersion, ""))
		}
	}
	if info.Task == "text_decoder_backbone" && strings.HasSuffix(info.Architecture, "Model") {
		hint := ""
		if f, ok := LookupFamily(c.modelType); ok && f.Architecture != "" && f.Architecture != info.Architecture {
			hint = "for text, use a checkpoint of " + f.Architecture
		}
		findings = append(findings, finding(CodeArchitectureBaseClass, fileConfig, info.Architecture+" gives hidden states, and writes no text", hint))
	}
	return findings
}

// countOf writes a number of things: "1 file", "3 files".
func countOf(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
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
func (r *weightReader) singleFile() string {
	for i := range r.list.tensors {
		if bytes.HasPrefix(r.list.name(i), []byte(singleFilePrefix)) {
			return r.info.Files[0]
		}
	}
	return ""
}

// saeFileNames are the names that loaders of autoencoders look for.
var saeFileNames = []string{"sae_weights.safetensors", "sparsity.safetensors", "cfg.json", "sae.safetensors", "params.npz", "params.safetensors"}

// checkSAEFiles looks for names one letter off, and says where a family's layout
// is not the one that the most used library expects.
func checkSAEFiles(info *Info, files []fileInfo) (findings []Finding) {
	hasCfg := false
	for i := range files {
		base := files[i].base()
		hasCfg = hasCfg || base == "cfg.json"
		for _, name := range saeFileNames {
			if base != name && oneEditApart(base, name) && !slices.Contains(saeFileNames, base) {
				findings = append(findings, finding(CodeSAEFileMisspelled, files[i].name, "loaders look for "+name, "rename it to "+name))
			}
		}
	}
	if !hasCfg && info.SAE.Family != None {
		findings = append(findings, finding(CodeSAEOtherFamily, "", "the layout of "+info.SAE.Family+", without SAELens's cfg.json", ""))
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
var codeConfigs = [...]string{fileTokenizerConfig, "preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json"}

// checkOtherCode reports code that the configs of tokenizer and processors name,
// and that is not here.
func (c *checkpoint) checkOtherCode(files []fileInfo) (findings []Finding) {
	for _, name := range codeConfigs {
		if !c.hasContent(name, files) {
			continue
		}
		config, err := readObject(c.fsys, c.dir, name)
		if err != nil {
			continue // reported with the tokenizer
		}
		findings = append(findings, c.codeFindings(name, codeFiles(config.Get("auto_map")))...)
	}
	if file := c.config().Get("model_file"); c.doc.file == fileConfig && file.Type == gjson.String && file.Str != "" && !hasFile(files, path.Clean(file.Str)) {
		findings = append(findings, finding(CodeCustomCodeMissing, file.Str, "model_file of config.json names it, and it is not there", ""))
	}
	return findings
}

// checkPadToken says where batching will go wrong.
func (c *checkpoint) checkPadToken(info *Info, t *tokenizerDescription) {
	if t.PadToken == nil {
		info.addFinding(CodePadTokenMissing, "", "no file gives a pad token, and there is no end-of-text token to stand in", "")
	} else if *t.PadTokenSource == sourceEOS {
		info.addFinding(CodePadTokenFromEOS, "", "no file gives a pad token; "+*t.PadToken+", the end-of-text token, stands in", "")
	}
}

// checkVocabulary compares the tokenizer's ids with the embedding's rows.
func (c *checkpoint) checkVocabulary(info *Info, t *tokenizerDescription) {
	if t.VocabSize == nil || t.Origin != OriginCheckpoint || c.doc.file != fileConfig {
		return
	}
	rows, source, ok := c.dimensions().get("vocab")
	if ok && int64(*t.VocabSize) > rows {
		info.addFinding(CodeVocabExceedsEmbeddings, t.vocabulary,
			fmt.Sprintf("its highest id is %d, and %s gives %d rows", *t.VocabSize-1, source, rows), "")
	}
}

// carriesTokenizer names the weight files that have a tokenizer inside.
func (info *Info) carriesTokenizer() (files []string) {
	if info.Weights != nil && (info.Weights.Format == "gguf" || info.Weights.Format == "whisper.cpp" || info.Weights.Format == "nemo") {
		return info.Weights.Files
	}
	return nil
}
