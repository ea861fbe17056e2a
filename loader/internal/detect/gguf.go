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

// ggufInSubdirectories lists the GGUF files one directory down, as in repositories with
// a directory for each quantization. It gives nil where a directory has another model as
// well, or the files are of several models.
func ggufInSubdirectories(c *checkpoint.Directory) (files []string) {
	read := 0
	for i, e := range c.Entries {
		if read == maxModelDirs {
			break
		}
		if c.Names[i][0] == '.' || !tree.IsDir(c.FS, c.Dir, e) {
			continue
		}
		read++
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
			return nil // several models
		}
	}
	return files
}

// classifyGGUF classifies by the GGUF files directly in the directory.
func classifyGGUF(c *checkpoint.Directory, v *Classification) {
	classifyGGUFFiles(c, c.Match("*.gguf"), v)
}

// maxGGUFModels is how many GGUF files with different stems are read.
const maxGGUFModels = 16

// classifyGGUFFiles classifies by GGUF files. Files with the same stem are versions of
// one model, of which one is read. Files of different models are candidates.
func classifyGGUFFiles(c *checkpoint.Directory, files []string, v *Classification) {
	var models []string // the first of each stem
	var auxiliary []string
	for _, f := range files {
		switch {
		case format.IsGGUFAuxiliary(f):
			auxiliary = append(auxiliary, f)
		case len(models) < maxGGUFModels && !slices.ContainsFunc(models, func(m string) bool { return format.GGUFStem(m) == format.GGUFStem(f) }):
			models = append(models, f)
		}
	}
	if len(models) == 0 {
		models, auxiliary = files[:1], nil
	}
	classifyGGUFFile(c, models[0], v)
	for _, name := range models[1:] {
		other := Classification{Category: answer.Unknown}
		otherDir := checkpoint.Directory{FS: c.FS, Dir: c.Dir}
		classifyGGUFFile(&otherDir, name, &other)
		if otherDir.ModelType != c.ModelType || other.ggufContent != v.ggufContent {
			v.Category, v.Task, v.loadsAs, v.BaseModel, v.unknownGGUFArchitecture = answer.Unknown, "", "", "", false
			v.Layout, v.DecidedBy = "several models", "its GGUF files: they are of different models"
			v.Candidates = models
			c.ModelType = ""
			return
		}
	}
	for _, name := range auxiliary {
		addProjector(c, name, v)
	}
}

// classifyGGUFFile classifies by one GGUF file.
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

// loaderOfSource gives the program that loads the architectures of a source in the table
// of package gguf.
var loaderOfSource = map[string]string{"llama.cpp": "llama.cpp", "ollama": "llama.cpp", "comfyui-gguf": "ComfyUI-GGUF"}

// addProjector changes the task of a text model to that which it has with a projector.
// Source: llama.cpp, tools/mtmd/clip.cpp.
func addProjector(c *checkpoint.Directory, name string, v *Classification) {
	if v.Task != "causal_lm" || !strings.Contains(path.Base(name), "mmproj") {
		return
	}
	head, err := readGGUFHead(c, name)
	if err != nil {
		return // reported with the weights
	}
	if !head.HasProjectorType() {
		c.Findings = append(c.Findings, finding.NewGraded(finding.Milder, finding.GGUFOutdated, name, "the projector has no key clip.projector_type, and programs guess its type or refuse it", ""))
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

// readGGUFHead reads the keys of a GGUF file.
func readGGUFHead(c *checkpoint.Directory, name string) (*gguf.File, error) {
	h, err := c.OpenAt(name)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return gguf.ReadHead(h, h.Size, name)
}
