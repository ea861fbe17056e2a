package detect

import (
	_ "embed"
	"sync"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/registry"
	"omniloader/loader/internal/table"
)

// preprocessorFile is the config of a processor of images or sound.
const preprocessorFile = "preprocessor_config.json"

//go:embed pipeline_tags.tsv
var pipelineTagsTSV string

// pipelineTags gives category and task for the value of pipeline_tag in a model card;
// the rows of pipeline_tags.tsv.
var pipelineTags = sync.OnceValue(func() map[string]registry.Class {
	m := map[string]registry.Class{}
	for f := range table.Rows(pipelineTagsTSV) {
		m[f[0]] = registry.Class{Name: f[0], Category: answer.Category(f[1]), Task: answer.Task(f[2])}
	}
	return m
})

// evaluateRule evaluates the rules of class_rules.tsv that read more than the class name
// and the keys of the config. A file that is missing or cannot be read matches no rule.
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

// classOfCard gives category and task for the pipeline_tag of the model card; ok is
// false where it has none that is listed.
func classOfCard(c *checkpoint.Directory) (a registry.RuleResult, ok bool) {
	card, _ := c.Card()
	if card == nil {
		return registry.RuleResult{}, false
	}
	tag, ok := pipelineTags()[card.PipelineTag]
	return registry.RuleResult{Category: tag.Category, Task: tag.Task, DecidedBy: "key pipeline_tag of the card, " + checkpoint.CardFile}, ok
}

// sectionCategory gives the category of the model that an object of the config
// describes, by its class or else its model type; "" where neither is listed.
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

// processorInput gives the input of a model whose processor prepares only images or only
// sound: "image", "sound" or "" where it does not tell. With a tokenizer, the model
// takes text as well, and the result is ""; but with speech set, the tokenizer is for
// the output, and the result for a processor that computes spectrograms is "speech".
// Source: the keys written by image_processing_base.py and feature_extraction_utils.py
// of transformers, and by models/whisper/feature_extraction_whisper.py.
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
