package loader

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"omniloader/loader/gguf"
)

// ggufVersion is the part of a GGUF file's name that tells its quantization and
// its number among several; what is left is the model's.
var ggufVersion = regexp.MustCompile(`(?i)[-._](ud[-._])?(i?q\d[^/]*|tq\d[^/]*|bf16|f16|fp16|f32|fp32|mxfp4[^/]*|nvfp4[^/]*|\d{5}-of-\d{5})[^/]*$`)

// ggufStem is what the names of one model's versions have in common.
func ggufStem(name string) string {
	base := strings.TrimSuffix(path.Base(name), ".gguf")
	return strings.ToLower(ggufVersion.ReplaceAllString(base, ""))
}

// besideGGUF tells whether a file goes with a model, and is none itself.
func besideGGUF(name string) bool {
	i := matchWeightName(path.Base(name))
	return i >= 0 && weightNames()[i].role != roleAlternative
}

// ggufBelow lists the GGUF files one directory down, as repositories hold them
// that have a directory for each quantization; nil where a directory has more than
// that, or where there are several models.
func (c *checkpoint) ggufBelow() (files []string) {
	looked := 0
	for i, e := range c.entries {
		if looked == maxModelDirs {
			break
		}
		if c.names[i][0] == '.' || !isDir(c.fsys, c.dir, e) {
			continue
		}
		looked++
		sub, err := list(c.fsys, path.Join(c.dir, c.names[i]))
		if err != nil || sub.mainFile() != "" {
			return nil
		}
		for _, name := range sub.match("*.gguf") {
			files = append(files, path.Join(c.names[i], name))
		}
	}
	for _, f := range files {
		if !besideGGUF(f) && ggufStem(f) != ggufStem(files[0]) {
			return nil // models of their own
		}
	}
	return files
}

func (c *checkpoint) readGGUF(v *verdict) { c.readGGUFOf(c.match("*.gguf"), v) }

// maxGGUFModels bounds how many files of other names are asked what they are.
const maxGGUFModels = 16

// readGGUFOf says what GGUF files hold. Files whose names differ in the
// quantization alone are versions of one model; of others, each is asked.
func (c *checkpoint) readGGUFOf(files []string, v *verdict) {
	var models []string // the first of each stem
	var beside []string
	for _, f := range files {
		switch {
		case besideGGUF(f):
			beside = append(beside, f)
		case len(models) < maxGGUFModels && !slices.ContainsFunc(models, func(m string) bool { return ggufStem(m) == ggufStem(f) }):
			models = append(models, f)
		}
	}
	if len(models) == 0 {
		models, beside = files[:1], nil
	}
	c.readGGUFFile(models[0], v)
	for _, name := range models[1:] {
		other := verdict{category: Unknown}
		oc := checkpoint{fsys: c.fsys, dir: c.dir}
		oc.readGGUFFile(name, &other)
		if oc.modelType != c.modelType || other.part != v.part {
			v.category, v.task, v.loadsAs, v.baseModel, v.unlisted = Unknown, "", "", "", false
			v.layout, v.decidedBy = "several models", "its GGUF files: they are of different models"
			v.candidates = models
			c.modelType = ""
			return
		}
	}
	for _, name := range beside {
		c.readProjector(name, v)
	}
}

// readGGUFFile says what one file holds.
func (c *checkpoint) readGGUFFile(name string, v *verdict) {
	head, err := c.ggufHead(name)
	if err != nil {
		c.findings = append(c.findings, Finding{SeverityError, CodeWeightsUnreadable, name, withoutPath(err), hintOf(err)})
		return
	}
	c.modelType = head.Architecture()
	content, key := head.Content()
	v.part = string(content)
	a, ok := gguf.LookupArchitecture(c.modelType)
	switch {
	case content == gguf.Projector:
		v.category, v.task = Transformers, "projector"
		v.decidedBy = "key " + key + " of " + name + ": the projector of a vision or audio model"
		v.loadsAs = "llama.cpp " + c.modelType
	case content == gguf.Adapter:
		v.category, v.task = Adapter, "adapter"
		v.decidedBy = "key " + key + " of " + name
	case c.modelType == "":
		v.decidedBy = "no rule: " + name + " has no key general.architecture"
		return
	case ok:
		v.category, v.task = Category(a.Category), Task(a.Task)
		v.decidedBy = "key general.architecture of " + name
		v.loadsAs = ggufRuntimes[a.Source] + " " + a.Name
	default:
		v.category, v.unlisted = Transformers, true
		v.decidedBy = "default for an architecture that no list has, " + name
		if head.ModelKey("context_length").Valid() && head.Key("tokenizer.ggml.tokens").Valid() {
			v.task = "causal_lm"
		}
	}
	for base := range slices.Values(head.BaseModels()) {
		v.baseModel = strings.TrimSuffix(strings.TrimPrefix(base, "https://huggingface.co/"), "/")
		break
	}
}

// ggufRuntimes is what loads the architectures of each source of the table.
var ggufRuntimes = map[string]string{"llama.cpp": "llama.cpp", "ollama": "llama.cpp", "comfyui-gguf": "ComfyUI-GGUF"}

// readProjector makes a text model that has a projector beside it what the two
// are together. Source: llama.cpp, tools/mtmd/clip.cpp.
func (c *checkpoint) readProjector(name string, v *verdict) {
	if v.task != "causal_lm" || !strings.Contains(path.Base(name), "mmproj") {
		return
	}
	head, err := c.ggufHead(name)
	if err != nil {
		return // reported with the weights
	}
	vision, audio := head.Key("clip.has_vision_encoder").Bool(), head.Key("clip.has_audio_encoder").Bool()
	switch {
	case vision && audio:
		v.task = "omni_input"
	case audio:
		v.task = "audio_language"
	default:
		v.task = "vision_language"
	}
	v.decidedBy += ", with the projector " + name
}

func (c *checkpoint) ggufHead(name string) (*gguf.File, error) {
	r, size, closeFile, err := c.openAt(name)
	if err != nil {
		return nil, err
	}
	defer closeFile()
	return gguf.ReadHead(r, size, name)
}
