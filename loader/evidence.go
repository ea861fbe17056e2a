package loader

import (
	_ "embed"
	"path"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"omniloader/loader/jsonscan"
)

// The files that are asked only where class name and config do not tell.
const (
	filePreprocessor = "preprocessor_config.json"
	fileModules      = "modules.json"
)

//go:embed pipeline_tags.tsv
var pipelineTagsTSV string

// pipelineTags says what a model card's pipeline_tag makes of a model.
var pipelineTags = sync.OnceValue(func() map[string]Class {
	m := map[string]Class{}
	for f := range tableRows(pipelineTagsTSV) {
		m[f[0]] = Class{Name: f[0], Category: Category(f[1]), Task: Task(f[2])}
	}
	return m
})

// beyondConfig asks a file other than the config, for one rule of
// class_rules.tsv: "processor" whether images or sound go in, "card" for what the
// model card says. Files that are missing or broken say nothing.
func (c *checkpoint) beyondConfig(looksAt, pattern string) (Category, Task, bool) {
	if looksAt == "processor" {
		return "", "", c.processorInput() == pattern
	}
	card, _ := c.card()
	if card == nil {
		return "", "", false
	}
	tag, ok := pipelineTags()[card.PipelineTag]
	return tag.Category, tag.Task, ok
}

// processorInput says what goes into a model whose processor prepares nothing
// but images or nothing but sound: "image", "sound", or "" where it does not
// tell. A tokenizer beside it means text as well. Source: the keys that
// image_processing_base.py and feature_extraction_utils.py of transformers write.
func (c *checkpoint) processorInput() string {
	if !c.has(filePreprocessor) || c.marks&markTokenizer != 0 {
		return ""
	}
	p, err := readObject(c.fsys, c.dir, filePreprocessor)
	if err != nil {
		return ""
	}
	extractor := p.Get("feature_extractor_type").Str
	switch {
	case p.Get("image_processor_type").Str != "",
		p.Get("image_mean").Exists() && extractor != "": // older processors of images were called feature extractors
		return "image"
	case extractor != "" && p.Get("sampling_rate").Exists():
		return "sound"
	}
	return ""
}

// adapted reads the copy of the base model's config that lies beside an
// adapter's, nil where there is none that can be read. It says what the adapter
// goes onto, not what the directory is.
func (c *checkpoint) adapted() *checkpoint {
	if c.marks&markConfig == 0 {
		return nil
	}
	base := &checkpoint{own: c.own, fsys: c.fsys, dir: c.dir, names: c.names, entries: c.entries, marks: markConfig}
	if base.read() != nil || len(base.classes) == 0 {
		return nil
	}
	return base
}

// readModules reads the model inside a sentence-transformers directory of the
// old layout, which keeps it in a directory of its own, mostly 0_Transformer.
// Source: sentence_transformers/SentenceTransformer.py.
func (c *checkpoint) readModules(v *verdict) {
	data, err := readFile(c.fsys, c.dir, fileModules, MaxConfigSize)
	if err != nil {
		return
	}
	if s := jsonscan.New(data); s.Kind() != jsonscan.Array {
		return
	} else if _, err := s.Raw(); err != nil || s.End() != nil {
		return
	}
	for _, m := range gjson.ParseBytes(data).Array() {
		name := strings.TrimSuffix(m.Get("path").Str, "/")
		if !strings.HasSuffix(m.Get("type").Str, ".Transformer") || name == "" || !c.hasDir(name) {
			continue
		}
		inner := &checkpoint{own: c.own}
		if inner.listDir(c.fsys, path.Join(c.dir, name)) != nil || inner.marks&markConfig == 0 || inner.read() != nil || inner.doc.file != fileConfig {
			return
		}
		w := inner.readConfig()
		if w.category == "" {
			return
		}
		c.doc, c.classes, c.modelType = inner.doc, inner.classes, inner.modelType // class and family are looked up anew
		c.doc.file = path.Join(name, fileConfig)
		c.findings = append(c.findings, inner.findings...)
		v.category, v.task, v.class, v.family, v.loadsAs = w.category, w.task, w.class, w.family, w.loadsAs
		v.decidedBy = w.decidedBy + "; in " + name + ", which " + fileModules + " names"
		return
	}
}
