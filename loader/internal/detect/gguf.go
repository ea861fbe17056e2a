package detect

import (
	"path"
	"slices"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/gguf"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/tree"
)

// ggufInSubdirectories lists the GGUF files one directory down, as repositories hold them
// that have a directory for each quantization; nil where a directory has more than
// that, or where there are several models.
func ggufInSubdirectories(c *checkpoint.Directory) (files []string) {
	looked := 0
	for i, e := range c.Entries {
		if looked == maxModelDirs {
			break
		}
		if c.Names[i][0] == '.' || !tree.IsDir(c.FS, c.Dir, e) {
			continue
		}
		looked++
		sub, err := checkpoint.List(c.FS, path.Join(c.Dir, c.Names[i]))
		if err != nil || sub.MainFile() != "" {
			return nil
		}
		for _, name := range sub.Match("*.gguf") {
			files = append(files, path.Join(c.Names[i], name))
		}
	}
	for _, f := range files {
		if !format.IsGGUFAuxiliary(f) && format.GGUFStem(f) != format.GGUFStem(files[0]) {
			return nil // models of their own
		}
	}
	return files
}

func classifyGGUF(c *checkpoint.Directory, v *Classification) {
	classifyGGUFFiles(c, c.Match("*.gguf"), v)
}

// maxGGUFModels bounds how many files of other names are asked what they are.
const maxGGUFModels = 16

// classifyGGUFFiles says what GGUF files hold. Files whose names differ in the
// quantization alone are versions of one model; of others, each is asked.
func classifyGGUFFiles(c *checkpoint.Directory, files []string, v *Classification) {
	var models []string // the first of each stem
	var beside []string
	for _, f := range files {
		switch {
		case format.IsGGUFAuxiliary(f):
			beside = append(beside, f)
		case len(models) < maxGGUFModels && !slices.ContainsFunc(models, func(m string) bool { return format.GGUFStem(m) == format.GGUFStem(f) }):
			models = append(models, f)
		}
	}
	if len(models) == 0 {
		models, beside = files[:1], nil
	}
	classifyGGUFFile(c, models[0], v)
	for _, name := range models[1:] {
		other := Classification{Category: answer.Unknown}
		oc := checkpoint.Directory{FS: c.FS, Dir: c.Dir}
		classifyGGUFFile(&oc, name, &other)
		if oc.ModelType != c.ModelType || other.ggufContent != v.ggufContent {
			v.Category, v.Task, v.loadsAs, v.BaseModel, v.unknownGGUFArchitecture = answer.Unknown, "", "", "", false
			v.Layout, v.DecidedBy = "several models", "its GGUF files: they are of different models"
			v.Candidates = models
			c.ModelType = ""
			return
		}
	}
	for _, name := range beside {
		addProjector(c, name, v)
	}
}

// classifyGGUFFile says what one file holds.
func classifyGGUFFile(c *checkpoint.Directory, name string, v *Classification) {
	head, err := readGGUFHead(c, name)
	if err != nil {
		c.Findings = append(c.Findings, finding.FromError(finding.WeightsUnreadable, name, err))
		return
	}
	c.ModelType = head.Architecture()
	content, key := head.Content()
	v.ggufContent = string(content)
	a, ok := gguf.LookupArchitecture(c.ModelType)
	switch {
	case content == gguf.Projector:
		v.Category, v.Task = answer.Transformers, "projector"
		v.DecidedBy = "key " + key + " of " + name + ": the projector of a vision or audio model"
		v.loadsAs = "llama.cpp " + c.ModelType
	case content == gguf.Adapter:
		v.Category, v.Task = answer.Adapter, "adapter"
		v.DecidedBy = "key " + key + " of " + name
	case c.ModelType == "":
		v.DecidedBy = "no rule: " + name + " has no key general.architecture"
		return
	case ok:
		v.Category, v.Task = answer.Category(a.Category), answer.Task(a.Task)
		v.DecidedBy = "key general.architecture of " + name
		v.loadsAs = loaderOfSource[a.Source] + " " + a.Name
	default:
		v.Category, v.unknownGGUFArchitecture = answer.Transformers, true
		v.DecidedBy = "default for an architecture that no list has, " + name
		if head.ModelKey("context_length").Valid() && head.Key("tokenizer.ggml.tokens").Valid() {
			v.Task = "causal_lm"
		}
	}
	for base := range slices.Values(head.BaseModels()) {
		v.BaseModel = strings.TrimSuffix(strings.TrimPrefix(base, "https://huggingface.co/"), "/")
		break
	}
}

// loaderOfSource is what loads the architectures of each source of the table.
var loaderOfSource = map[string]string{"llama.cpp": "llama.cpp", "ollama": "llama.cpp", "comfyui-gguf": "ComfyUI-GGUF"}

// addProjector makes a text model that has a projector beside it what the two
// are together. Source: llama.cpp, tools/mtmd/clip.cpp.
func addProjector(c *checkpoint.Directory, name string, v *Classification) {
	if v.Task != "causal_lm" || !strings.Contains(path.Base(name), "mmproj") {
		return
	}
	head, err := readGGUFHead(c, name)
	if err != nil {
		return // reported with the weights
	}
	vision, audio := head.Key("clip.has_vision_encoder").Bool(), head.Key("clip.has_audio_encoder").Bool()
	switch {
	case vision && audio:
		v.Task = "omni_input"
	case audio:
		v.Task = "audio_language"
	default:
		v.Task = "vision_language"
	}
	v.DecidedBy += ", with the projector " + name
}

func readGGUFHead(c *checkpoint.Directory, name string) (*gguf.File, error) {
	h, err := c.OpenAt(name)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return gguf.ReadHead(h, h.Size, name)
}
