package loader

import (
	_ "embed"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"omniloader/loader/safetensors"
	"omniloader/loader/sniff"
)

const fileScheduler = "scheduler_config.json"

//go:embed layouts.tsv
var layoutsTSV string

// layout is one line of layouts.tsv.
type layout struct {
	name     string
	files    []string
	category Category
	task     Task
	runtime  string // what runs the files, which are whole programs; "" where they are none
}

var layouts = sync.OnceValue(func() (all []layout) {
	for f := range tableRows(layoutsTSV) {
		all = append(all, layout{f[0], strings.Split(f[1], ","), Category(f[2]), Task(f[3]), f[4]})
	}
	return all
})

// layoutReaders read what the names alone do not tell.
var layoutReaders = map[string]func(c *checkpoint, v *verdict){
	"hugging face cache":    (*checkpoint).readCache,
	"mistral native":        (*checkpoint).readMistral,
	"gguf":                  (*checkpoint).readGGUF,
	"whisper.cpp":           (*checkpoint).readWhisperCPP,
	"ctranslate2":           (*checkpoint).readCTranslate2,
	"nemo":                  (*checkpoint).readNeMo,
	"single file":           (*checkpoint).readSingleFile,
	"sentence-transformers": (*checkpoint).readModules,
	"diffusers scheduler":   (*checkpoint).readScheduler,
	"meta original":         func(_ *checkpoint, v *verdict) { v.loadsAs = "LlamaForCausalLM" },
}

// match gives the names that fit a pattern.
func (c *checkpoint) match(pattern string) (names []string) {
	for _, name := range c.names {
		if ok, _ := path.Match(pattern, name); ok {
			names = append(names, name)
		}
	}
	return names
}

// classifyByFiles decides where no describing file does. Every layout that fits
// is heard: where they say different things none wins, and all are candidates.
func (c *checkpoint) classifyByFiles() verdict {
	var found []verdict
	for _, l := range layouts() {
		if slices.ContainsFunc(l.files, func(p string) bool { return len(c.match(p)) == 0 }) ||
			slices.ContainsFunc(found, func(v verdict) bool { return v.layout == l.name || covers(v.layout, l.name) }) {
			continue
		}
		v := verdict{layout: l.name, category: l.category, task: l.task, decidedBy: "file " + c.match(l.files[0])[0]}
		if v.category == "" {
			v.category = Unknown
		}
		if read := layoutReaders[l.name]; read != nil {
			read(c, &v)
		}
		if v.category == Unknown {
			c.askCard(&v)
		}
		if v.loadsAs == "" {
			v.loadsAs = l.runtime
		}
		v.known = v.category != Unknown && !v.unlisted
		found = append(found, v)
	}
	if len(found) == 0 {
		return c.classifyByDirs()
	}
	v := found[0]
	for _, other := range found[1:] {
		if other.category != Unknown && v.category != Unknown && other.category != v.category {
			v = verdict{layout: "ambiguous", category: Unknown, decidedBy: "no rule: its files say different things"}
			for _, f := range found {
				v.candidates = append(v.candidates, f.layout+": "+string(f.category))
			}
			return v
		}
		if v.category == Unknown && other.category != Unknown {
			v = other
		}
	}
	if v.category == Unknown {
		return severalFormats(found)
	}
	return v
}

// severalFormats is the verdict where no layout tells what kind of model it is:
// that of the one layout, or all of them as candidates.
func severalFormats(found []verdict) verdict {
	found = slices.DeleteFunc(slices.Clone(found), func(v verdict) bool { return v.layout == layoutUnknown && len(found) > 1 })
	if len(found) == 1 {
		return found[0]
	}
	v := verdict{layout: "ambiguous", category: Unknown, decidedBy: "no rule: its files are of several formats, and none says what kind of model it is"}
	for _, f := range found {
		v.candidates = append(v.candidates, f.layout)
	}
	return v
}

// classifyByDirs looks for models one directory down, and at last at the card.
func (c *checkpoint) classifyByDirs() verdict {
	v := verdict{layout: layoutUnknown, category: Unknown, decidedBy: "no rule: nothing in the directory says what it is"}
	if files := c.ggufBelow(); len(files) > 0 {
		v.layout = layoutGGUF
		c.readGGUFOf(files, &v)
		v.known = v.category != Unknown && !v.unlisted
		return v
	}
	if v.candidates = c.modelDirs(); len(v.candidates) == 1 {
		v.decidedBy = "no rule: the model lies in a directory of its own"
	} else if len(v.candidates) > 1 {
		v.layout, v.decidedBy = "several models", "its directories: each holds a model of its own"
	} else {
		c.askCard(&v)
	}
	return v
}

// askCard asks the model card what kind of model it is, where no other file says.
func (c *checkpoint) askCard(v *verdict) {
	if a, ok := c.cardTag(); ok && a.category != "" {
		by := a.how
		if v.layout != layoutUnknown {
			by = v.decidedBy + ", and " + by
		}
		v.category, v.task, v.decidedBy = a.category, a.task, by
	}
}

// covers tells whether the second layout's files are parts of the first.
func covers(first, second string) bool {
	switch second {
	case "single file":
		return true
	case "ctranslate2", "whisper.cpp":
		return first == "openvino"
	}
	return false
}

// maxModelDirs bounds how many directories are looked into for models.
const maxModelDirs = 64

// modelDirs lists the directories that hold a model of their own.
func (c *checkpoint) modelDirs() (dirs []string) {
	looked := 0
	for i, e := range c.entries {
		if looked == maxModelDirs {
			break
		}
		if !isDir(c.fsys, c.dir, e) {
			continue
		}
		looked++
		sub, err := list(c.fsys, path.Join(c.dir, c.names[i]))
		if err == nil && (sub.marks&(markConfig|markModelIndex|markModularIndex|markAdapter|markSAEDirectory) != 0 ||
			strings.HasPrefix(c.names[i], "models--") || len(sub.match("*.gguf")) > 0) {
			dirs = append(dirs, c.names[i])
		}
	}
	return dirs
}

// openAt opens a file for reading at any place.
func (c *checkpoint) openAt(name string) (r io.ReaderAt, size int64, closeFile func() error, err error) {
	h, err := openAt(c.fsys, c.dir, name)
	if err != nil {
		return nil, 0, nil, err
	}
	return h.ReaderAt, h.size, h.Close, nil
}

// readScheduler names the class of a scheduler that was saved alone.
func (c *checkpoint) readScheduler(v *verdict) {
	data, err := c.readListed(fileScheduler, MaxConfigSize)
	if err == nil {
		err = parseDocument(fileScheduler, data, &c.doc)
	}
	if err != nil {
		c.doc = document{}
		c.findings = append(c.findings, Finding{SeverityError, CodeConfigUnreadable, fileScheduler, withoutPath(err), hintOf(err)})
		return
	}
	if c.classes = c.readClassName(); len(c.classes) > 0 {
		if v.class, _ = c.resolveClass(); v.class != nil {
			v.loadsAs = v.class.RealName
		}
		v.decidedBy = "key _class_name of " + fileScheduler
	}
}

func (c *checkpoint) readMistral(v *verdict) {
	params, err := readObject(c.fsys, c.dir, "params.json")
	if err != nil {
		v.category, v.task = Transformers, "causal_lm"
		c.findings = append(c.findings, Finding{SeverityError, CodeConfigUnreadable, "params.json", withoutPath(err), hintOf(err)})
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
	class, _ := c.known().resolveClass(v.loadsAs)
	v.category, v.task = class.Category, class.Task
	if v.category == "" {
		v.category, v.task = Transformers, "vision_language"
	}
	v.decidedBy = "keys of params.json"
}

func (c *checkpoint) readWhisperCPP(v *verdict) {
	for _, name := range c.match("ggml-*.bin") {
		head, err := readHead(c.fsys, c.dir, name, 64)
		if err == nil && sniff.Head(name, int64(len(head)), head).Format == sniff.WhisperCPP {
			v.category, v.task, v.loadsAs = ASR, "asr", "whisper.cpp"
			v.decidedBy = "magic of " + name
			return
		}
		if err == nil && sniff.Head(name, int64(len(head)), head).Format == sniff.GGML {
			v.layout, v.decidedBy = "ggml", "magic of "+name+", of the formats before GGUF"
		}
	}
}

func (c *checkpoint) readCTranslate2(v *verdict) {
	head, err := readHead(c.fsys, c.dir, "model.bin", 256)
	if err != nil {
		return
	}
	content := sniff.Head("model.bin", int64(len(head)), head)
	if content.Format != sniff.CTranslate2 {
		return
	}
	v.category, v.task, v.loadsAs = Transformers, "seq2seq_lm", "CTranslate2"
	switch {
	case strings.HasPrefix(content.Detail, "Whisper"):
		v.category, v.task = ASR, "asr"
	case strings.HasPrefix(content.Detail, "Wav2Vec2"):
		v.category, v.task = ASR, "asr_ctc"
	case strings.HasPrefix(content.Detail, "TransformerDecoder"): // Llama, GPT-2 …
		v.task = "causal_lm"
	case strings.HasPrefix(content.Detail, "TransformerEncoder"): // BERT …
		v.task = "text_encoder"
	}
	v.decidedBy = "specification named in model.bin"
}

// singleFileParts are the beginnings of tensors' names by which a file without
// any config is known.
var singleFileParts = [...]struct {
	prefix, layout string
	category       Category
	task           Task
}{
	{"model.diffusion_model.", "diffusers single file", Diffusers, "diffusion_pipeline"},
	{"double_blocks.", "diffusers single file", Diffusers, "diffusion_component"},
	{"lora_unet", "diffusers lora", Diffusers, "adapter"},
	{"unet.", "diffusers lora", Diffusers, "adapter"},
	{"transformer.single_transformer_blocks.", "diffusers lora", Diffusers, "adapter"},
	{"base_model.model.", "peft adapter", Adapter, "adapter"},
}

// readSingleFile looks at the tensors' names of the first weight file.
func (c *checkpoint) readSingleFile(v *verdict) {
	v.layout = layoutUnknown
	name := c.match("*.safetensors")[0]
	r, size, closeFile, err := c.openAt(name)
	if err != nil {
		return
	}
	defer closeFile()
	sae := map[string]bool{}
	_, err = safetensors.Scan(name, r, size, func(e safetensors.Entry) error {
		for _, p := range singleFileParts {
			if v.category == Unknown && strings.HasPrefix(string(e.Name), p.prefix) {
				v.layout, v.category, v.task = p.layout, p.category, p.task
				v.decidedBy = "tensors named " + p.prefix + "* in " + name
			}
		}
		if part, ok := saeTensors[string(e.Name)]; ok {
			sae[part] = true
		}
		return nil
	})
	if err == nil && v.category == Unknown && len(sae) == 3 {
		v.layout, v.category, v.task = layoutSAE, SAE, "sparse_autoencoder"
		v.decidedBy = "tensors of an encoder, a decoder and a bias in " + name
	}
	if v.category == Unknown {
		v.decidedBy = "no rule: the tensors' names of " + name + " do not tell"
	}
}

// saeTensors are the names under which autoencoders keep their three parts.
var saeTensors = map[string]string{
	"W_enc": "encoder", "w_enc": "encoder", "encoder.weight": "encoder",
	"W_dec": "decoder", "w_dec": "decoder", "decoder.weight": "decoder",
	"b_enc": "bias", "encoder.bias": "bias",
}

// dialect tells the layouts that have a config.json of the transformers family
// and something of their own beside it or in it.
func (c *checkpoint) dialect() string {
	switch {
	case c.marks&markSentenceTransformers != 0:
		return "sentence-transformers"
	case c.doc.has(keyQuantization) && c.doc.object(keyQuantization).Get("group_size").Exists():
		return "mlx"
	case !c.hasModelWeights():
		for _, name := range c.names {
			if name == c.doc.file {
				continue // it is in all of them
			}
			if layout, ok := dialectMarks[name]; ok {
				return layout
			}
			if layout, ok := dialectMarks[path.Ext(name)]; ok {
				return layout
			}
		}
	}
	return layoutTransformers
}

// dialectMarks are the files beside a config.json, by name or extension, without
// weights of the transformers library, by which a conversion is known.
var dialectMarks = map[string]string{
	".gguf": "gguf", ".onnx": "onnx", "onnx": "onnx", "genai_config.json": "onnx genai",
	"openvino_model.xml": "openvino", "openvino_encoder_model.xml": "openvino", "openvino_language_model.xml": "openvino",
	".mlpackage": "core ml", ".mlmodel": "core ml", ".tflite": "tflite", ".litertlm": "litert",
	".nemo": "nemo", ".keras": "keras", ".rkllm": "rkllm", "mlc-chat-config.json": "mlc",
}

// classifyDialect decides for config.json files that are not of the transformers
// family: timm's, TensorRT-LLM's and CTranslate2's.
func (c *checkpoint) classifyDialect() (v verdict, ok bool) {
	if c.doc.values[keyPretrainedCfg].end != 0 || c.doc.values[keyArchitecture].end != 0 && c.doc.values[keyNumFeatures].end != 0 {
		if name := c.doc.text(keyArchitecture); name != "" && len(name) <= maxName {
			c.classes = []string{name}
		}
		return verdict{layout: "timm", category: VisionEncoder, task: "vision_encoder", loadsAs: "TimmWrapperModel", decidedBy: "key pretrained_cfg of " + fileConfig}, true
	}
	if name := gjson.GetBytes(c.doc.data, "pretrained_config.architecture").Str; name != "" && len(name) <= maxName && len(c.match("rank*.engine")) > 0 {
		c.classes = []string{name}
		v := verdict{layout: "tensorrt-llm", category: Transformers, task: "causal_lm", loadsAs: name, decidedBy: "key pretrained_config.architecture of " + fileConfig}
		if class, how := c.resolveClass(); how != "" {
			v.category, v.task = class.Category, class.Task
		}
		return v, true
	}
	if name := c.doc.text(keyArchitecture); name != "" && len(name) <= maxName && (c.doc.object(keyMapping).Get("world_size").Exists() || len(c.match("rank*.safetensors")) > 0 || len(c.match("rank*.engine")) > 0) {
		c.classes = []string{name}
		v := verdict{layout: "tensorrt-llm", category: Transformers, task: "causal_lm", loadsAs: name, decidedBy: "keys architecture and mapping of " + fileConfig}
		if class, how := c.resolveClass(); how != "" {
			v.category, v.task = class.Category, class.Task
		}
		return v, true
	}
	if c.has("model.bin") && (len(c.match("vocabulary.*")) > 0 || len(c.match("shared_vocabulary.*")) > 0) {
		v := verdict{layout: "ctranslate2", category: Transformers, task: "seq2seq_lm", decidedBy: "file model.bin beside a vocabulary"}
		if c.doc.values[keyAlignmentHeads].end != 0 || c.doc.values[keyLangIDs].end != 0 {
			v.category, v.task, v.decidedBy = ASR, "asr", "keys alignment_heads and lang_ids of "+fileConfig
		}
		c.readCTranslate2(&v)
		v.loadsAs = "CTranslate2"
		return v, true
	}
	return v, false
}

// newestConfig gives the file that config.json sends newer readers to, "" where
// it sends them nowhere: configuration_files lists config.<version>.json files.
func (c *checkpoint) newestConfig() string {
	raw := c.doc.value(keyConfigurationFiles)
	if len(raw) == 0 {
		return ""
	}
	newest := ""
	gjson.ParseBytes(raw).ForEach(func(_, v gjson.Result) bool {
		if v.Type == gjson.String && c.has(v.Str) && versionLess(newest, v.Str) {
			newest = v.Str
		}
		return true
	})
	return newest
}

// versionLess compares config.4.9.0.json with config.4.10.0.json.
func versionLess(a, b string) bool {
	for a != "" && b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if len(x) != len(y) && x != "" && y != "" && x[0] >= '0' && x[0] <= '9' && y[0] >= '0' && y[0] <= '9' {
			return len(x) < len(y)
		}
		if x != y {
			return x < y
		}
	}
	return len(a) < len(b)
}
