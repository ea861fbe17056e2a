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

// ggufBelow lists the GGUF files one directory down, as repositories hold them
// that have a directory for each quantization; nil where a directory has more than
// that, or where there are several models.
func ggufBelow(c *checkpoint.Checkpoint) (files []string) {
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
		if !format.BesideGGUF(f) && format.GGUFStem(f) != format.GGUFStem(files[0]) {
			return nil // models of their own
		}
	}
	return files
}

func readGGUF(c *checkpoint.Checkpoint, v *Result) { readGGUFOf(c, c.Match("*.gguf"), v) }

// maxGGUFModels bounds how many files of other names are asked what they are.
const maxGGUFModels = 16

// readGGUFOf says what GGUF files hold. Files whose names differ in the
// quantization alone are versions of one model; of others, each is asked.
func readGGUFOf(c *checkpoint.Checkpoint, files []string, v *Result) {
	var models []string // the first of each stem
	var beside []string
	for _, f := range files {
		switch {
		case format.BesideGGUF(f):
			beside = append(beside, f)
		case len(models) < maxGGUFModels && !slices.ContainsFunc(models, func(m string) bool { return format.GGUFStem(m) == format.GGUFStem(f) }):
			models = append(models, f)
		}
	}
	if len(models) == 0 {
		models, beside = files[:1], nil
	}
	readGGUFFile(c, models[0], v)
	for _, name := range models[1:] {
		other := Result{Category: answer.Unknown}
		oc := checkpoint.Checkpoint{FS: c.FS, Dir: c.Dir}
		readGGUFFile(&oc, name, &other)
		if oc.ModelType != c.ModelType || other.part != v.part {
			v.Category, v.Task, v.loadsAs, v.BaseModel, v.unlisted = answer.Unknown, "", "", "", false
			v.Layout, v.DecidedBy = "several models", "its GGUF files: they are of different models"
			v.Candidates = models
			c.ModelType = ""
			return
		}
	}
	for _, name := range beside {
		readProjector(c, name, v)
	}
}

// readGGUFFile says what one file holds.
func readGGUFFile(c *checkpoint.Checkpoint, name string, v *Result) {
	head, err := ggufHead(c, name)
	if err != nil {
		c.Findings = append(c.Findings, finding.New(finding.WeightsUnreadable, name, finding.WithoutPath(err), finding.HintOf(err)))
		return
	}
	c.ModelType = head.Architecture()
	content, key := head.Content()
	v.part = string(content)
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
		v.loadsAs = ggufRuntimes[a.Source] + " " + a.Name
	default:
		v.Category, v.unlisted = answer.Transformers, true
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

// ggufRuntimes is what loads the architectures of each source of the table.
var ggufRuntimes = map[string]string{"llama.cpp": "llama.cpp", "ollama": "llama.cpp", "comfyui-gguf": "ComfyUI-GGUF"}

// readProjector makes a text model that has a projector beside it what the two
// are together. Source: llama.cpp, tools/mtmd/clip.cpp.
func readProjector(c *checkpoint.Checkpoint, name string, v *Result) {
	if v.Task != "causal_lm" || !strings.Contains(path.Base(name), "mmproj") {
		return
	}
	head, err := ggufHead(c, name)
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

func ggufHead(c *checkpoint.Checkpoint, name string) (*gguf.File, error) {
	r, size, closeFile, err := c.OpenAt(name)
	if err != nil {
		return nil, err
	}
	defer closeFile()
	return gguf.ReadHead(r, size, name)
}
