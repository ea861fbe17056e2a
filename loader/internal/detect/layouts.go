package detect

import (
	_ "embed"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/hubcache"
	"omniloader/loader/internal/registry"
	"omniloader/loader/internal/table"
	"omniloader/loader/internal/tree"
	"omniloader/loader/safetensors"
	"omniloader/loader/sniff"
)

// schedulerFile is the config of a scheduler of diffusers.
const schedulerFile = "scheduler_config.json"

//go:embed layouts.tsv
var layoutsTSV string

// layout is one row of layouts.tsv.
type layout struct {
	name     string
	files    []string
	category answer.Category
	task     answer.Task
	runtime  string // the program that runs the files, whatever the model is; "" where the category decides
}

var layouts = sync.OnceValue(func() (all []layout) {
	listed := map[string]bool{}
	for f := range table.Rows(layoutsTSV) {
		if name, ok := strings.CutPrefix(f[1], formatPrefix); ok {
			listed[name] = true
		}
	}
	for f := range table.Rows(layoutsTSV) {
		name, ok := strings.CutPrefix(f[1], formatPrefix)
		if !ok {
			all = append(all, layout{f[0], strings.Split(f[1], ","), answer.Category(f[2]), answer.Task(f[3]), f[4]})
			continue
		}
		for r := range format.All {
			if r.Name == name || name == "*" && !listed[r.Name] {
				all = append(all, layoutsOfFormat(r)...)
			}
		}
	}
	return all
})

// formatPrefix is followed by the name of a weight format in the column of files.
const formatPrefix = "format:"

// layoutsOfFormat gives a row for each extension of a weight format, none where its files
// do not make a layout.
func layoutsOfFormat(r *format.Format) (rows []layout) {
	l := r.Layout
	if l.Name == format.None {
		return nil
	}
	if l.Runtime == format.None {
		l.Runtime = ""
	}
	for _, e := range r.AllExtensions() {
		rows = append(rows, layout{l.Name, []string{"*" + e}, l.Category, l.Task, l.Runtime})
	}
	return rows
}

// layoutClassifiers are called for layouts that have to be classified by the content of
// files. They set fields of v, which has those of the row.
var layoutClassifiers = map[string]func(c *checkpoint.Directory, v *Classification){
	"hugging face cache":    classifyCache,
	"mistral native":        classifyMistral,
	"gguf":                  classifyGGUF,
	"whisper.cpp":           classifyWhisperCPP,
	"ctranslate2":           classifyCTranslate2,
	"nemo":                  classifyNeMo,
	"single file":           classifySingleFile,
	"single pickle":         classifyPickle,
	"sentence-transformers": classifySentenceTransformers,
	"diffusers scheduler":   classifyScheduler,
	"meta original":         func(_ *checkpoint.Directory, v *Classification) { v.loadsAs = "LlamaForCausalLM" },
}

// classifyByFiles classifies a checkpoint without a main file that decides it. Every row
// of layouts.tsv is tried; where matching layouts have different categories, they are
// candidates.
func classifyByFiles(c *checkpoint.Directory) Classification {
	var found []Classification
	for _, l := range layouts() {
		if slices.ContainsFunc(l.files, func(p string) bool { return len(c.Match(p)) == 0 }) ||
			slices.ContainsFunc(found, func(v Classification) bool { return v.Layout == l.name || includesLayout(v.Layout, l.name) }) {
			continue
		}
		v := Classification{Layout: l.name, Category: l.category, Task: l.task, DecidedBy: "file " + c.Match(l.files[0])[0]}
		if v.Category == "" {
			v.Category = answer.Unknown
		}
		if read := layoutClassifiers[l.name]; read != nil {
			read(c, &v)
		}
		if v.Category == answer.Unknown {
			classifyByCard(c, &v)
		}
		if v.loadsAs == "" {
			v.loadsAs = l.runtime
		}
		v.hasKnownLoader = v.Category != answer.Unknown && !v.unknownGGUFArchitecture
		found = append(found, v)
	}
	if len(found) == 0 {
		return classifyByDirs(c)
	}
	v := found[0]
	for _, other := range found[1:] {
		if other.Category != answer.Unknown && v.Category != answer.Unknown && other.Category != v.Category {
			v = Classification{Layout: "ambiguous", Category: answer.Unknown, DecidedBy: "no rule: its files say different things"}
			for _, f := range found {
				v.Candidates = append(v.Candidates, f.Layout+": "+string(f.Category))
			}
			return v
		}
		if v.Category == answer.Unknown && other.Category != answer.Unknown {
			v = other
		}
	}
	if v.Category == answer.Unknown {
		return combineUnknown(found)
	}
	return v
}

// combineUnknown is the classification where none of the matching layouts tells the
// category: the layout, or all of them as candidates.
func combineUnknown(found []Classification) Classification {
	found = slices.DeleteFunc(slices.Clone(found), func(v Classification) bool { return v.Layout == LayoutUnknown && len(found) > 1 })
	if len(found) == 1 {
		return found[0]
	}
	v := Classification{Layout: "ambiguous", Category: answer.Unknown, DecidedBy: "no rule: its files are of several formats, and none says what kind of model it is"}
	for _, f := range found {
		v.Candidates = append(v.Candidates, f.Layout)
	}
	return v
}

// classifyByDirs classifies a checkpoint without files of a layout: by the models in its
// subdirectories, else by its card.
func classifyByDirs(c *checkpoint.Directory) Classification {
	v := Classification{Layout: LayoutUnknown, Category: answer.Unknown, DecidedBy: "no rule: nothing in the directory says what it is"}
	if files := ggufInSubdirectories(c); len(files) > 0 {
		v.Layout = LayoutGGUF
		classifyGGUFFiles(c, files, &v)
		v.hasKnownLoader = v.Category != answer.Unknown && !v.unknownGGUFArchitecture
		return v
	}
	if v.Candidates = modelDirs(c); len(v.Candidates) == 1 {
		v.DecidedBy = "no rule: the model lies in a directory of its own"
	} else if len(v.Candidates) > 1 {
		v.Layout, v.DecidedBy = "several models", "its directories: each holds a model of its own"
		if areAdapters(c, v.Candidates) {
			v.Layout, v.Category, v.Task, v.DecidedBy = "several adapters", answer.Adapter, "adapter", "its directories: each holds an adapter"
		}
	} else {
		classifyByCard(c, &v)
	}
	return v
}

// classifyByCard sets category and task by the pipeline_tag of the model card.
func classifyByCard(c *checkpoint.Directory, v *Classification) {
	if a, ok := classOfCard(c); ok && a.Category != "" {
		by := a.DecidedBy
		if v.Layout != LayoutUnknown {
			by = v.DecidedBy + ", and " + by
		}
		v.Category, v.Task, v.DecidedBy = a.Category, a.Task, by
	}
}

// includesLayout tells whether the files of the second layout are part of the first.
func includesLayout(first, second string) bool {
	switch second {
	case "single file", "single pickle":
		return true
	case "ctranslate2", "whisper.cpp":
		return first == "openvino"
	}
	return false
}

// maxModelDirs is how many subdirectories are searched for models.
const maxModelDirs = 64

// modelDirs lists the subdirectories that hold a model.
func modelDirs(c *checkpoint.Directory) (dirs []string) {
	read := 0
	for i, e := range c.Entries {
		if read == maxModelDirs {
			break
		}
		if !tree.IsDir(c.FS, c.Dir, e) {
			continue
		}
		read++
		sub, err := checkpoint.List(c.FS, path.Join(c.Dir, c.Names[i]))
		if err == nil && (sub.Markers.Has(checkpoint.MarkerConfig|checkpoint.MarkerModelIndex|checkpoint.MarkerModularIndex|checkpoint.MarkerAdapter|checkpoint.MarkerSAEDirectory) ||
			strings.HasPrefix(c.Names[i], hubcache.RepositoryPrefix) || len(sub.Match("*.gguf")) > 0) {
			dirs = append(dirs, c.Names[i])
		}
	}
	return dirs
}

// areAdapters tells whether each of the directories holds an adapter alone.
func areAdapters(c *checkpoint.Directory, dirs []string) bool {
	return !slices.ContainsFunc(dirs, func(dir string) bool {
		sub, err := checkpoint.List(c.FS, path.Join(c.Dir, dir))
		return err != nil || !sub.Markers.Has(checkpoint.MarkerAdapter) || sub.Markers.Has(checkpoint.MarkerConfig)
	})
}

// classifyScheduler classifies a scheduler of diffusers that was saved by itself, by its
// class.
func classifyScheduler(c *checkpoint.Directory, v *Classification) {
	data, err := c.ReadListed(schedulerFile, config.MaxSize)
	if err == nil {
		err = config.ParseDocument(schedulerFile, data, &c.Doc)
	}
	if err != nil {
		c.Doc = config.Document{}
		c.Findings = append(c.Findings, finding.FromError(finding.ConfigUnreadable, schedulerFile, err))
		return
	}
	if c.Classes = c.ParseClassName(); len(c.Classes) > 0 {
		if v.class, _ = c.ResolveClass(); v.class != nil {
			v.loadsAs = v.class.RealName
		}
		v.DecidedBy = "key _class_name of " + schedulerFile
	}
}

// classifyMistral classifies Mistral's own layout by the keys of params.json.
func classifyMistral(c *checkpoint.Directory, v *Classification) {
	params, err := config.ReadJSON(c.FS, c.Dir, "params.json")
	if err != nil {
		v.Category, v.Task = answer.Transformers, "causal_lm"
		c.Findings = append(c.Findings, finding.FromError(finding.ConfigUnreadable, "params.json", err))
		return
	}
	v.loadsAs = "MistralForCausalLM"
	switch {
	case params.Get("multimodal.whisper_model_args").Exists():
		v.loadsAs = "VoxtralForConditionalGeneration"
	case params.Get("vision_encoder").IsObject(), params.Get("multimodal.vision_encoder_args").Exists():
		v.loadsAs = "PixtralForConditionalGeneration"
	case params.Get("moe").IsObject():
		v.loadsAs = "MixtralForCausalLM"
	}
	class, _ := c.Registry().ResolveClass(v.loadsAs)
	v.Category, v.Task = class.Category, class.Task
	if v.Category == "" {
		v.Category, v.Task = answer.Transformers, "vision_language"
	}
	v.DecidedBy = "keys of params.json"
}

// ggmlLayout is the layout of model files in a format before GGUF.
const ggmlLayout = "ggml"

// classifyWhisperCPP classifies *ggml*.bin files by their first bytes.
func classifyWhisperCPP(c *checkpoint.Directory, v *Classification) {
	for _, name := range c.Match("*ggml*.bin") {
		head, err := tree.ReadHead(c.FS, c.Dir, name, 64)
		if err == nil && sniff.Head(name, int64(len(head)), head).Format == sniff.WhisperCPP {
			v.Category, v.Task, v.loadsAs = answer.ASR, "asr", "whisper.cpp"
			v.DecidedBy = "magic of " + name
			return
		}
		if err == nil && sniff.Head(name, int64(len(head)), head).Format == sniff.GGML {
			v.Layout, v.DecidedBy = ggmlLayout, "magic of "+name+", of the formats before GGUF"
		}
	}
}

// classifyCTranslate2 classifies model.bin by the name of the specification in its
// header.
func classifyCTranslate2(c *checkpoint.Directory, v *Classification) {
	head, err := tree.ReadHead(c.FS, c.Dir, "model.bin", 256)
	if err != nil {
		return
	}
	content := sniff.Head("model.bin", int64(len(head)), head)
	if content.Format != sniff.CTranslate2 {
		return
	}
	v.Category, v.Task, v.loadsAs = answer.Transformers, "seq2seq_lm", "CTranslate2"
	switch {
	case strings.HasPrefix(content.Detail, "Whisper"):
		v.Category, v.Task = answer.ASR, "asr"
	case strings.HasPrefix(content.Detail, "Wav2Vec2"):
		v.Category, v.Task = answer.ASR, "asr_ctc"
	case strings.HasPrefix(content.Detail, "TransformerDecoder"): // Llama, GPT-2 …
		v.Task = "causal_lm"
	case strings.HasPrefix(content.Detail, "TransformerEncoder"): // BERT …
		v.Task = "text_encoder"
	}
	v.DecidedBy = "specification named in model.bin"
}

// classifySingleFile classifies by the names of the tensors in the first safetensors
// file.
func classifySingleFile(c *checkpoint.Directory, v *Classification) {
	v.Layout = LayoutUnknown
	name := c.Match("*.safetensors")[0]
	h, err := c.OpenAt(name)
	if err != nil {
		return
	}
	defer h.Close()
	autoencoderParts := map[string]bool{}
	part := FindPart(name, func(yield func([]byte) bool) {
		_, err = safetensors.Scan(name, h, h.Size, func(e safetensors.Entry) error {
			if part, ok := autoencoderTensors[string(e.Name)]; ok {
				autoencoderParts[part] = true
			}
			yield(e.Name)
			return nil
		})
	})
	switch {
	case part != nil:
		v.applyPart(part)
		v.DecidedBy = "tensors named " + part.Name + " in " + name
	case err == nil && len(autoencoderParts) == 3:
		v.Layout, v.Category, v.Task = layoutSAE, answer.SAE, "sparse_autoencoder"
		v.DecidedBy = "tensors of an encoder, a decoder and a bias in " + name
	default:
		v.DecidedBy = "no rule: the tensors' names of " + name + " do not tell"
	}
}

// autoencoderTensors gives the part of a sparse autoencoder by the name of its tensor.
var autoencoderTensors = map[string]string{
	"W_enc": "encoder", "w_enc": "encoder", "encoder.weight": "encoder",
	"W_dec": "decoder", "w_dec": "decoder", "decoder.weight": "decoder",
	"b_enc": "bias", "encoder.bias": "bias",
}

// configLayout gives the layout of a directory with a config.json: that of a library
// with its own files beside it or keys in it, else that of transformers.
func configLayout(c *checkpoint.Directory) string {
	switch {
	case c.Markers.Has(checkpoint.MarkerSentenceTransformers):
		return "sentence-transformers"
	case c.Doc.IsSet(config.KeyQuantization) && c.Doc.Object(config.KeyQuantization).Get("group_size").Exists():
		return "mlx"
	case !c.HasModelWeights():
		layouts := conversionLayouts()
		for _, name := range c.Names {
			if name == c.Doc.File {
				continue // the config itself
			}
			if layout, ok := layouts[name]; ok {
				return layout
			}
			if layout, ok := layouts[path.Ext(name)]; ok {
				return layout
			}
		}
	}
	return LayoutTransformers
}

// conversionLayouts gives the layout by a file name or extension beside config.json,
// where there are no weights of transformers: those of the weight formats, and of files
// that are not weights.
var conversionLayouts = sync.OnceValue(func() map[string]string {
	m := map[string]string{
		"onnx": "onnx", "genai_config.json": "onnx genai", "mlc-chat-config.json": "mlc", ".mlmodel": "core ml",
		"openvino_model.xml": "openvino", "openvino_encoder_model.xml": "openvino", "openvino_language_model.xml": "openvino",
	}
	for r := range format.All {
		if r.Layout.BesideConfig != format.None {
			for _, e := range r.AllExtensions() {
				m[e] = r.Layout.BesideConfig
			}
		}
	}
	return m
})

// classifyOtherConfig classifies by a config.json of timm, TensorRT-LLM or CTranslate2;
// ok is false for others.
func classifyOtherConfig(c *checkpoint.Directory) (v Classification, ok bool) {
	if c.Doc.Contains(config.KeyPretrainedCfg) || c.Doc.Contains(config.KeyArchitecture) && c.Doc.Contains(config.KeyNumFeatures) {
		if name := c.Doc.Text(config.KeyArchitecture); name != "" && len(name) <= registry.MaxNameLength {
			c.Classes = []string{name}
		}
		return Classification{Layout: "timm", Category: answer.VisionEncoder, Task: "vision_encoder", loadsAs: "TimmWrapperModel", DecidedBy: "key pretrained_cfg of " + config.ConfigJSON}, true
	}
	if name := gjson.GetBytes(c.Doc.Data, "pretrained_config.architecture").Str; name != "" && len(name) <= registry.MaxNameLength && len(c.Match("rank*.engine")) > 0 {
		c.Classes = []string{name}
		v := Classification{Layout: "tensorrt-llm", Category: answer.Transformers, Task: "causal_lm", loadsAs: name, DecidedBy: "key pretrained_config.architecture of " + config.ConfigJSON}
		if class, decidedBy := c.ResolveClass(); decidedBy != "" {
			v.Category, v.Task = class.Category, class.Task
		}
		return v, true
	}
	if name := c.Doc.Text(config.KeyArchitecture); name != "" && len(name) <= registry.MaxNameLength && (c.Doc.Object(config.KeyMapping).Get("world_size").Exists() || len(c.Match("rank*.safetensors")) > 0 || len(c.Match("rank*.engine")) > 0) {
		c.Classes = []string{name}
		v := Classification{Layout: "tensorrt-llm", Category: answer.Transformers, Task: "causal_lm", loadsAs: name, DecidedBy: "keys architecture and mapping of " + config.ConfigJSON}
		if class, decidedBy := c.ResolveClass(); decidedBy != "" {
			v.Category, v.Task = class.Category, class.Task
		}
		return v, true
	}
	if config := gjson.ParseBytes(c.Doc.Data); config.Get("n_audio_state").Exists() && config.Get("n_mels").Exists() {
		return Classification{Layout: "mlx whisper", Category: answer.ASR, Task: "asr", loadsAs: "mlx-whisper", DecidedBy: "keys n_mels and n_audio_state of " + c.Doc.File}, true
	}
	if c.Has("model.bin") && (len(c.Match("vocabulary.*")) > 0 || len(c.Match("shared_vocabulary.*")) > 0) {
		v := Classification{Layout: "ctranslate2", Category: answer.Transformers, Task: "seq2seq_lm", DecidedBy: "file model.bin beside a vocabulary"}
		if c.Doc.Contains(config.KeyAlignmentHeads) || c.Doc.Contains(config.KeyLangIDs) {
			v.Category, v.Task, v.DecidedBy = answer.ASR, "asr", "keys alignment_heads and lang_ids of "+config.ConfigJSON
		}
		classifyCTranslate2(c, &v)
		v.loadsAs = "CTranslate2"
		return v, true
	}
	return v, false
}
