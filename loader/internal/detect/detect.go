// Package detect says what a checkpoint is: its layout, category and task, the
// class that loads it, whether a loader is known for it, and which code it brings.
package detect

import (
	"cmp"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/registry"
	"omniloader/loader/internal/sae"
)

// Classification is what a checkpoint was found to be, and why.
type Classification struct {
	Layout    string
	Category  answer.Category
	Task      answer.Task
	class     *registry.Class  // the registry's entry, nil where the class is not known
	family    *registry.Family // of the model type, nil where it is not known
	DecidedBy string
	loadsAs   string // the class that loads it, "" where none is known
	SAE       *sae.Release

	AdapterBase             *checkpoint.Directory // of an adapter: the copy of its base model's config, nil where there is none
	Candidates              []string              // what it may be where that is not clear
	BaseModel               string                // that its files name, "" where they do not
	ggufContent             string                // of a GGUF file: model, adapter, mmproj …
	unknownGGUFArchitecture bool                  // of a GGUF file: an architecture on no list
	hasKnownLoader          bool                  // decided by the files of a layout that has a loader
}

// The layouts told apart from the directory's own listing.
const (
	layoutDiffusers        = "diffusers"
	layoutDiffusersModular = "diffusers modular"
	layoutComponent        = "diffusers component"
	layoutAdapter          = "peft adapter"
	layoutSAE              = "sae"
	LayoutTransformers     = "transformers"
	LayoutGGUF             = "gguf"
	LayoutUnknown          = "unknown"
)

// Classify says what the checkpoint is and why.
func Classify(c *checkpoint.Directory) Classification {
	v := classify(c)
	if c.ResolvedVia != "" {
		v.DecidedBy += c.ResolvedVia
	}
	return v
}

// classify decides, most specific evidence first: a pipeline's index, the marks
// of a sparse autoencoder, an adapter's config, then what the class name says,
// then the model type, then the shape of the class name.
func classify(c *checkpoint.Directory) Classification {
	switch c.Doc.File {
	case config.ModelIndexJSON:
		if c.Markers.Has(checkpoint.MarkerConfig) && c.HasModelWeights() {
			return Classification{Layout: "ambiguous", Category: answer.Unknown, DecidedBy: "no rule: " + config.ModelIndexJSON + " is of a pipeline, and " + config.ConfigJSON + " with its weights of a model",
				Candidates: []string{layoutDiffusers + ": " + string(answer.Diffusers), LayoutTransformers + ": " + string(answer.Transformers)}}
		}
		return classifyPipeline(c, layoutDiffusers)
	case config.ModularModelIndexJSON:
		return classifyPipeline(c, layoutDiffusersModular)
	}
	if e := sae.Find(c); e != nil {
		return Classification{Layout: layoutSAE, Category: answer.SAE, Task: "sparse_autoencoder", DecidedBy: e.DecidedBy(), SAE: e}
	}
	switch c.Doc.File {
	case config.AdapterConfigJSON:
		return Classification{Layout: layoutAdapter, Category: answer.Adapter, Task: "adapter", DecidedBy: "file " + config.AdapterConfigJSON, AdapterBase: adapterBaseConfig(c)}
	case config.ConfigJSON:
		return classifyConfig(c)
	}
	return classifyByFiles(c)
}

func classifyPipeline(c *checkpoint.Directory, layout string) Classification {
	v := Classification{Layout: layout, Category: answer.Diffusers, Task: "diffusion_pipeline", DecidedBy: "file " + c.Doc.File}
	if len(c.Classes) > 0 {
		if class, how := c.ResolveClass(); how != "" {
			v.class, v.loadsAs = class, class.RealName
			if class.Category == answer.Diffusers {
				v.Task = class.Task
			}
		}
	}
	return v
}

// classifyConfig decides from config.json, and, where that names neither class nor
// model type, from the tensors and the other files beside it, then from its
// members.
func classifyConfig(c *checkpoint.Directory) Classification {
	v := classifyMainConfig(c)
	if v.Category != "" {
		return v
	}
	files, weights := classifyByFiles(c), c.HasModelWeights()
	nothing := files.Layout == LayoutUnknown && files.Category == answer.Unknown && len(files.Candidates) == 0
	if !weights && !nothing || weights && files.Category != answer.Unknown && files.Layout != LayoutUnknown {
		return files
	}
	if a := inferClass(c); a.DecidedBy != "" {
		v.applyRule(a)
		return v
	}
	if weights {
		v.applyRule(registry.RuleResult{Category: answer.Transformers, Task: "", DecidedBy: "default for a config beside weights that names neither class nor model type"})
		return v
	}
	files.DecidedBy = "no rule: " + config.ConfigJSON + " names neither class nor model type"
	return files
}

// classifyMainConfig decides from config.json. The category is empty where that does not
// tell.
func classifyMainConfig(c *checkpoint.Directory) Classification {
	r := c.Registry()
	v := Classification{Layout: configLayout(c)}
	v.family = c.Family()
	v.loadsAs = v.family.LoadingClass()

	if c.Doc.IsSet(config.KeyClassName) { // a component of a pipeline, saved alone
		v.Layout = layoutComponent
		c.Classes = c.ParseClassName()
		v.Category, v.Task, v.loadsAs = answer.Diffusers, "diffusion_component", ""
		if len(c.Classes) > 0 {
			v.class, _ = c.ResolveClass()
		}
		if v.class != nil {
			v.Task, v.loadsAs = cmp.Or(v.class.Task, v.Task), v.class.RealName
		}
		v.DecidedBy = "key _class_name of " + config.ConfigJSON
		return v
	}
	if len(c.Classes) > 0 {
		if class, how := c.ResolveClass(); how != "" {
			v.class, v.Category, v.Task, v.loadsAs = class, class.Category, class.Task, class.RealName
			v.DecidedBy = how
			if c.AutoMapKey != "" {
				v.DecidedBy = "class name in " + c.AutoMapKey + " of auto_map in " + config.ConfigJSON
			}
			if v.Task == "omni" && speechDisabled(c) || class.Omni != nil && len(class.Omni.Needs) > 0 && allSet(c, class.Omni.Needs) {
				v.Task = "omni_input"
			}
			if a, ok := r.Override(&c.Doc); ok {
				v.applyRule(a)
			}
			return v
		}
	} else if v, ok := classifyOtherConfig(c); ok {
		return v
	}
	_, auto := autoMapTask(c)
	switch {
	case len(c.Classes) == 0 && !auto && v.family != nil && v.family.Category != "":
		v.applyRule(registry.RuleResult{Category: v.family.Category, Task: v.family.Task, DecidedBy: decidedByModelType})
		return v
	case len(c.Classes) == 0 && !auto && c.ModelType == "":
		return v
	}
	if a := inferClass(c); a.DecidedBy != "" {
		v.applyRule(a)
		return v
	}
	v.applyRule(registry.RuleResult{Category: answer.Transformers, Task: "", DecidedBy: "default for a class that no rule knows"})
	return v
}

// inferClass asks the rules for names that are not listed.
func inferClass(c *checkpoint.Directory) registry.RuleResult {
	if a, ok := c.Registry().Override(&c.Doc); ok {
		return a
	}
	return c.Registry().Infer(registry.RuleInput{ClassName: c.Architecture(), ModelType: c.ModelType, IsSet: c.Doc.IsSet, EvaluateOther: func(r *registry.ClassRule) (registry.RuleResult, bool) { return evaluateRule(c, r) }})
}

// decidedByModelType is how a family's default is found.
const decidedByModelType = "model type in " + config.ConfigJSON

func (v *Classification) applyRule(a registry.RuleResult) {
	v.Category, v.Task, v.DecidedBy = a.Category, a.Task, a.DecidedBy
}

// IsOmni tells whether a model takes speech, vision and text.
func IsOmni(c *checkpoint.Directory) bool {
	if rule := classOmniRule(c); rule != nil && allSet(c, rule.Needs) {
		return true
	}
	if rule := familyOmniRule(c); rule != nil && allSet(c, rule.Needs) {
		return true
	}
	// A name nobody listed: the sections of its config say it, or those of the part
	// that thinks.
	sound := c.Doc.IsSet(config.KeyAudioConfig) || c.Doc.IsSet(config.KeySoundConfig)
	text := c.Doc.IsSet(config.KeyTextConfig) || c.Doc.IsSet(config.KeyThinkerConfig) || c.Doc.IsSet(config.KeyLLMConfig) || c.Doc.IsSet(config.KeyLanguageConfig) || c.Doc.IsSet(config.KeyVocabSize)
	if sound && text && c.Doc.IsSet(config.KeyVisionConfig) || c.Doc.IsSet(config.KeySpeechLoRA) && c.Doc.IsSet(config.KeyVisionLoRA) {
		return true
	}
	thinker := c.Doc.Object(config.KeyThinkerConfig)
	return thinker.Exists() && thinker.Get("audio_config").IsObject() && thinker.Get("vision_config").IsObject()
}

// classOmniRule is the rule for the class name, familyOmni that for the model type;
// nil where there is none.
func classOmniRule(c *checkpoint.Directory) *registry.OmniRule {
	if class := c.Class(); class != nil {
		return class.Omni
	}
	return c.Registry().OmniRuleOf(c.Architecture())
}

func familyOmniRule(c *checkpoint.Directory) *registry.OmniRule {
	if family := c.Family(); family != nil {
		return family.Omni
	}
	return c.Registry().OmniRuleOf(c.ModelType)
}

func allSet(c *checkpoint.Directory, keys []string) bool {
	for _, name := range keys {
		if k, ok := config.KeyOf(name); !ok || !c.Doc.IsSet(k) {
			return false
		}
	}
	return true
}

// HasTalker tells whether the config has a part for speaking or listening. One
// for speaking that is switched off is left out of the weights.
func HasTalker(c *checkpoint.Directory) bool {
	return c.Doc.IsSet(config.KeyTalkerConfig) && !speechDisabled(c) || c.Doc.IsSet(config.KeyAudioConfig)
}

// speechDisabled tells whether speaking is switched off. Source: enable_audio_output of
// transformers, models/qwen3_omni_moe/configuration_qwen3_omni_moe.py.
func speechDisabled(c *checkpoint.Directory) bool {
	return string(c.Doc.Raw(config.KeyEnableAudioOutput)) == "false"
}
