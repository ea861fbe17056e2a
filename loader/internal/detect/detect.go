// Package detect classifies a checkpoint: layout, category and task, the class that
// loads it, whether a loader is known for it, and which Python code loading it would
// run. It reads the listing, configs and, for some layouts, the first bytes of a file.
// It does not check whether the checkpoint is sound.
package detect

import (
	"cmp"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/registry"
	"omniloader/loader/internal/sae"
)

// Classification is what a checkpoint was classified as.
type Classification struct {
	Layout    string
	Category  answer.Category
	Task      answer.Task
	DecidedBy string // the file and key, or the rule, that decided it

	SAE         *sae.Release          // nil where it is no release of sparse autoencoders
	AdapterBase *checkpoint.Directory // of an adapter: the config.json of its base model beside it, nil where there is none
	BaseModel   string                // that a GGUF file names, else ""
	Candidates  []string              // the possible layouts, files or directories, where it is not clear

	class   *registry.Class  // of the first class name, nil where it is not known
	family  *registry.Family // of the model type, nil where it is not known
	loadsAs string           // the class or program that loads it, "" where none is known

	ggufContent             string // of a GGUF file: model, adapter, mmproj …
	unknownGGUFArchitecture bool   // of a GGUF file: its architecture is not in the table of package gguf
	hasKnownLoader          bool   // decided by the files of a layout that has a loader
}

// Layouts that are used by name.
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

// Classify classifies a checkpoint. For some layouts it sets fields of c that the main
// file does not give: Doc, Classes, ModelType and Findings.
func Classify(c *checkpoint.Directory) Classification {
	v := classify(c)
	if v.Task == "omni_input" && c.Doc.File == config.ConfigJSON && !IsOmni(c) { // a section of the config is null
		switch {
		case c.Doc.IsSet(config.KeyVisionConfig):
			v.Task = "vision_language"
		case c.Doc.IsSet(config.KeyAudioConfig), c.Doc.IsSet(config.KeySoundConfig):
			v.Task = "audio_language"
		}
	}
	if c.ResolvedVia != "" {
		v.DecidedBy += c.ResolvedVia
	}
	return v
}

// classify uses the most specific evidence first: the index of a pipeline, the files of
// sparse autoencoders, the config of an adapter, config.json, other files.
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
	e := sae.Find(c)
	if e == nil && c.IsSample { // what it is may stand in the rest of the listing
		c.Complete()
		e = sae.Find(c)
	}
	if e != nil {
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

// classifyPipeline classifies a pipeline of diffusers by its index.
func classifyPipeline(c *checkpoint.Directory, layout string) Classification {
	v := Classification{Layout: layout, Category: answer.Diffusers, Task: "diffusion_pipeline", DecidedBy: "file " + c.Doc.File}
	if len(c.Classes) > 0 {
		if class, decidedBy := c.ResolveClass(); decidedBy != "" {
			v.class, v.loadsAs = class, class.RealName
			if class.Category == answer.Diffusers {
				v.Task = class.Task
			}
		}
	}
	return v
}

// classifyConfig classifies by config.json. Where it names neither class nor model type,
// the other files are used, then the keys of the config, then a default.
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

// classifyMainConfig classifies by config.json alone. The category is empty where it
// does not tell.
func classifyMainConfig(c *checkpoint.Directory) Classification {
	r := c.Registry()
	v := Classification{Layout: configLayout(c)}
	v.family = c.Family()
	v.loadsAs = v.family.LoadingClass()

	if c.Doc.IsSet(config.KeyClassName) { // a component of a pipeline, saved by itself
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
		if class, decidedBy := c.ResolveClass(); decidedBy != "" {
			v.class, v.Category, v.Task, v.loadsAs = class, class.Category, class.Task, class.RealName
			v.DecidedBy = decidedBy
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

// inferClass evaluates the rules of class_rules.tsv.
func inferClass(c *checkpoint.Directory) registry.RuleResult {
	if a, ok := c.Registry().Override(&c.Doc); ok {
		return a
	}
	return c.Registry().Infer(registry.RuleInput{ClassName: c.Architecture(), ModelType: c.ModelType, IsSet: c.Doc.IsSet, EvaluateOther: func(r *registry.ClassRule) (registry.RuleResult, bool) { return evaluateRule(c, r) }})
}

// decidedByModelType is the DecidedBy of a default for a model type.
const decidedByModelType = "model type in " + config.ConfigJSON

// applyRule sets category, task and DecidedBy from a rule.
func (v *Classification) applyRule(a registry.RuleResult) {
	v.Category, v.Task, v.DecidedBy = a.Category, a.Task, a.DecidedBy
}

// IsOmni tells whether a model takes speech, vision and text: by omni.tsv, else by the
// sections of its config.
func IsOmni(c *checkpoint.Directory) bool {
	if rule := classOmniRule(c); rule != nil && allSet(c, rule.Needs) {
		return true
	}
	if rule := familyOmniRule(c); rule != nil && allSet(c, rule.Needs) {
		return true
	}
	// A name that is not in omni.tsv: by the sections of the config, or of thinker_config.
	sound := c.Doc.IsSet(config.KeyAudioConfig) || c.Doc.IsSet(config.KeySoundConfig)
	text := c.Doc.IsSet(config.KeyTextConfig) || c.Doc.IsSet(config.KeyThinkerConfig) || c.Doc.IsSet(config.KeyLLMConfig) || c.Doc.IsSet(config.KeyLanguageConfig) || c.Doc.IsSet(config.KeyVocabSize)
	if sound && text && c.Doc.IsSet(config.KeyVisionConfig) || c.Doc.IsSet(config.KeySpeechLoRA) && c.Doc.IsSet(config.KeyVisionLoRA) {
		return true
	}
	thinker := c.Doc.Object(config.KeyThinkerConfig)
	return thinker.Exists() && thinker.Get("audio_config").IsObject() && thinker.Get("vision_config").IsObject()
}

// classOmniRule gives the rule of omni.tsv for the class name, familyOmniRule that for
// the model type; nil where there is none.
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

// allSet tells whether all keys of the main file are set.
func allSet(c *checkpoint.Directory, keys []string) bool {
	for _, name := range keys {
		if k, ok := config.KeyOf(name); !ok || !c.Doc.IsSet(k) {
			return false
		}
	}
	return true
}

// HasTalker tells whether the config has a part that produces speech and is not
// disabled, or a part that takes sound.
func HasTalker(c *checkpoint.Directory) bool {
	return c.Doc.IsSet(config.KeyTalkerConfig) && !speechDisabled(c) || c.Doc.IsSet(config.KeyAudioConfig)
}

// speechDisabled tells whether the part that produces speech is disabled, and then
// missing from the weights. Source: enable_audio_output of transformers,
// models/qwen3_omni_moe/configuration_qwen3_omni_moe.py.
func speechDisabled(c *checkpoint.Directory) bool {
	return string(c.Doc.Raw(config.KeyEnableAudioOutput)) == "false"
}
