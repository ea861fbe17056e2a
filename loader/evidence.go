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

// ask answers the rules of class_rules.tsv that need more than a name and the
// members of the config. Files that are missing or broken say nothing.
func (c *checkpoint) ask(rule *classRule) (a answer, ok bool) {
	switch rule.looksAt {
	case "auto":
		auto, ok := c.fromAutoMap()
		return answer{auto.category, auto.task, "key " + auto.name + " of auto_map in " + fileConfig}, ok && auto.asked == rule.pattern
	case "part":
		return answer{}, c.partCategory(rule.key) == Category(rule.of)
	case "processor":
		return answer{}, c.processorInput(rule.pattern == "speech") == rule.pattern
	case "file":
		return answer{}, c.has(rule.pattern)
	case "card":
		return c.cardTag()
	case "family":
		if f := c.listedFamily(); f != nil && f.Category != "" {
			return answer{f.Category, f.Task, byModelType}, true
		}
	}
	return answer{}, false
}

// cardTag gives what the model card's pipeline_tag says.
func (c *checkpoint) cardTag() (a answer, ok bool) {
	card, _ := c.card()
	if card == nil {
		return answer{}, false
	}
	tag, ok := pipelineTags()[card.PipelineTag]
	return answer{tag.Category, tag.Task, "key pipeline_tag of the card, " + fileCard}, ok
}

// partCategory gives the category of the model inside a member of the config: of
// the class that it names, else of its model type. "" where neither is listed.
func (c *checkpoint) partCategory(k key) Category {
	part := c.doc.object(k)
	if class, _ := c.known().resolveClass(part.Get("architectures.0").Str); class != nil {
		return class.Category
	}
	if f := c.known().families[part.Get("model_type").Str]; f != nil {
		return f.Category
	}
	return ""
}

// processorInput says what goes into a model whose processor prepares nothing
// but images or nothing but sound: "image", "sound", or "" where it does not
// tell. A tokenizer beside it means text as well; it is passed over where the
// question is of speech: a spectrogram that goes into a model out of which text
// comes. Source: the keys that image_processing_base.py and
// feature_extraction_utils.py of transformers write, and those of spectrograms
// in models/whisper/feature_extraction_whisper.py.
func (c *checkpoint) processorInput(speech bool) string {
	if !c.has(filePreprocessor) || c.marks&markTokenizer != 0 && !speech {
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
	case speech && extractor != "" && p.Get("n_fft").Exists() && p.Get("feature_size").Num > 1:
		return "speech"
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
