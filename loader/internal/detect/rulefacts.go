package detect

import (
	_ "embed"
	"path"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/registry"
	"omniloader/loader/internal/table"
	"omniloader/loader/internal/tree"
	"omniloader/loader/jsonscan"
)

// The files that are asked only where class name and config do not tell.
const (
	preprocessorFile = "preprocessor_config.json"
	modulesFile      = "modules.json"
)

//go:embed pipeline_tags.tsv
var pipelineTagsTSV string

// pipelineTags says what a model card's pipeline_tag makes of a model.
var pipelineTags = sync.OnceValue(func() map[string]registry.Class {
	m := map[string]registry.Class{}
	for f := range table.Rows(pipelineTagsTSV) {
		m[f[0]] = registry.Class{Name: f[0], Category: answer.Category(f[1]), Task: answer.Task(f[2])}
	}
	return m
})

// evaluateRule answers the rules of class_rules.tsv that need more than a name and the
// members of the config. Files that are missing or broken say nothing.
func evaluateRule(c *checkpoint.Directory, rule *registry.ClassRule) (a registry.RuleResult, ok bool) {
	switch rule.Kind {
	case "auto":
		auto, ok := autoMapTask(c)
		return registry.RuleResult{Category: auto.Category, Task: auto.Task, DecidedBy: "key " + auto.Name + " of auto_map in " + config.ConfigJSON}, ok && auto.Priority == rule.Pattern
	case "part":
		return registry.RuleResult{}, sectionCategory(c, rule.PartKey) == answer.Category(rule.PartCategory)
	case "processor":
		return registry.RuleResult{}, processorInput(c, rule.Pattern == "speech") == rule.Pattern
	case "file":
		return registry.RuleResult{}, c.Has(rule.Pattern)
	case "card":
		return classOfCard(c)
	case "family":
		if f := c.Family(); f != nil && f.Category != "" {
			return registry.RuleResult{Category: f.Category, Task: f.Task, DecidedBy: decidedByModelType}, true
		}
	}
	return registry.RuleResult{}, false
}

// classOfCard gives what the model card's pipeline_tag says.
func classOfCard(c *checkpoint.Directory) (a registry.RuleResult, ok bool) {
	card, _ := c.Card()
	if card == nil {
		return registry.RuleResult{}, false
	}
	tag, ok := pipelineTags()[card.PipelineTag]
	return registry.RuleResult{Category: tag.Category, Task: tag.Task, DecidedBy: "key pipeline_tag of the card, " + checkpoint.CardFile}, ok
}

// sectionCategory gives the category of the model inside a member of the config: of
// the class that it names, else of its model type. "" where neither is listed.
func sectionCategory(c *checkpoint.Directory, k config.Key) answer.Category {
	part := c.Doc.Object(k)
	if class, _ := c.Registry().ResolveClass(part.Get("architectures.0").Str); class != nil {
		return class.Category
	}
	if f := c.Registry().Families[part.Get("model_type").Str]; f != nil {
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
func processorInput(c *checkpoint.Directory, speech bool) string {
	if !c.Has(preprocessorFile) || c.Markers.Has(checkpoint.MarkerTokenizer) && !speech {
		return ""
	}
	p, err := config.ReadJSON(c.FS, c.Dir, preprocessorFile)
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

// adapterBaseConfig reads the copy of the base model's config that lies beside an
// adapter's, nil where there is none that can be read. It says what the adapter
// goes onto, not what the directory is.
func adapterBaseConfig(c *checkpoint.Directory) *checkpoint.Directory {
	if !c.Markers.Has(checkpoint.MarkerConfig) {
		return nil
	}
	base := &checkpoint.Directory{CustomRegistry: c.CustomRegistry, FS: c.FS, Dir: c.Dir, Names: c.Names, Entries: c.Entries, Markers: checkpoint.MarkerConfig}
	if base.ReadMainFile() != nil || len(base.Classes) == 0 {
		return nil
	}
	return base
}

// classifySentenceTransformers reads the model inside a sentence-transformers directory of the
// old layout, which keeps it in a directory of its own, mostly 0_Transformer.
// Source: sentence_transformers/SentenceTransformer.py.
func classifySentenceTransformers(c *checkpoint.Directory, v *Classification) {
	data, err := tree.ReadLimited(c.FS, c.Dir, modulesFile, config.MaxSize)
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
		if !strings.HasSuffix(m.Get("type").Str, ".Transformer") || name == "" || !c.HasDir(name) {
			continue
		}
		inner := &checkpoint.Directory{CustomRegistry: c.CustomRegistry}
		if inner.ListDir(c.FS, path.Join(c.Dir, name)) != nil || !inner.Markers.Has(checkpoint.MarkerConfig) || inner.ReadMainFile() != nil || inner.Doc.File != config.ConfigJSON {
			return
		}
		w := classifyMainConfig(inner)
		if w.Category == "" {
			return
		}
		c.Doc, c.Classes, c.ModelType = inner.Doc, inner.Classes, inner.ModelType // class and family are looked up anew
		c.Doc.File = path.Join(name, config.ConfigJSON)
		c.Findings = append(c.Findings, inner.Findings...)
		v.Category, v.Task, v.class, v.family, v.loadsAs = w.Category, w.Task, w.class, w.family, w.loadsAs
		v.DecidedBy = w.DecidedBy + "; in " + name + ", which " + modulesFile + " names"
		return
	}
}
