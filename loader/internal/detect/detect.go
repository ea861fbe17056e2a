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

// Result is what a checkpoint was found to be, and why.
type Result struct {
	Layout    string
	Category  answer.Category
	Task      answer.Task
	class     *registry.Class  // the registry's entry, nil where the class is not known
	family    *registry.Family // of the model type, nil where it is not known
	DecidedBy string
	loadsAs   string // the class that loads it, "" where none is known
	SAE       *sae.Evidence

	Adapts     *checkpoint.Checkpoint // of an adapter: the copy of its base model's config, nil where there is none
	Candidates []string               // what it may be where that is not clear
	BaseModel  string                 // that its files name, "" where they do not
	part       string                 // of a GGUF file: model, adapter, mmproj …
	unlisted   bool                   // of a GGUF file: an architecture on no list
	known      bool                   // decided by the files of a layout that has a loader
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
func Classify(c *checkpoint.Checkpoint) Result {
	v := decide(c)
	if c.ResolvedVia != "" {
		v.DecidedBy += c.ResolvedVia
	}
	return v
}

// decide decides, most specific evidence first: a pipeline's index, the marks
// of a sparse autoencoder, an adapter's config, then what the class name says,
// then the model type, then the shape of the class name.
func decide(c *checkpoint.Checkpoint) Result {
	switch c.Doc.File {
	case config.FileModelIndex:
		if c.Marks&checkpoint.MarkConfig != 0 && c.HasModelWeights() {
			return Result{Layout: "ambiguous", Category: answer.Unknown, DecidedBy: "no rule: " + config.FileModelIndex + " is of a pipeline, and " + config.FileConfig + " with its weights of a model",
				Candidates: []string{layoutDiffusers + ": " + string(answer.Diffusers), LayoutTransformers + ": " + string(answer.Transformers)}}
		}
		return classifyPipeline(c, layoutDiffusers)
	case config.FileModularIndex:
		return classifyPipeline(c, layoutDiffusersModular)
	}
	if e := sae.Find(c); e != nil {
		return Result{Layout: layoutSAE, Category: answer.SAE, Task: "sparse_autoencoder", DecidedBy: e.DecidedBy(), SAE: e}
	}
	switch c.Doc.File {
	case config.FileAdapter:
		return Result{Layout: layoutAdapter, Category: answer.Adapter, Task: "adapter", DecidedBy: "file " + config.FileAdapter, Adapts: adapted(c)}
	case config.FileConfig:
		return classifyConfig(c)
	}
	return classifyByFiles(c)
}

func classifyPipeline(c *checkpoint.Checkpoint, layout string) Result {
	v := Result{Layout: layout, Category: answer.Diffusers, Task: "diffusion_pipeline", DecidedBy: "file " + c.Doc.File}
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
func classifyConfig(c *checkpoint.Checkpoint) Result {
	v := readConfig(c)
	if v.Category != "" {
		return v
	}
	files, weights := classifyByFiles(c), c.HasModelWeights()
	nothing := files.Layout == LayoutUnknown && files.Category == answer.Unknown && len(files.Candidates) == 0
	if !weights && !nothing || weights && files.Category != answer.Unknown && files.Layout != LayoutUnknown {
		return files
	}
	if a := infer(c); a.By != "" {
		v.take(a)
		return v
	}
	if weights {
		v.take(registry.Decision{Category: answer.Transformers, Task: "", By: "default for a config beside weights that names neither class nor model type"})
		return v
	}
	files.DecidedBy = "no rule: " + config.FileConfig + " names neither class nor model type"
	return files
}

// readConfig decides from config.json. The category is empty where that does not
// tell.
func readConfig(c *checkpoint.Checkpoint) Result {
	r := c.Registry()
	v := Result{Layout: dialect(c)}
	v.family = c.ListedFamily()
	v.loadsAs = v.family.Loader()

	if c.Doc.Has(config.KeyClassName) { // a component of a pipeline, saved alone
		v.Layout = layoutComponent
		c.Classes = c.ReadClassName()
		v.Category, v.Task, v.loadsAs = answer.Diffusers, "diffusion_component", ""
		if len(c.Classes) > 0 {
			v.class, _ = c.ResolveClass()
		}
		if v.class != nil {
			v.Task, v.loadsAs = cmp.Or(v.class.Task, v.Task), v.class.RealName
		}
		v.DecidedBy = "key _class_name of " + config.FileConfig
		return v
	}
	if len(c.Classes) > 0 {
		if class, how := c.ResolveClass(); how != "" {
			v.class, v.Category, v.Task, v.loadsAs = class, class.Category, class.Task, class.RealName
			v.DecidedBy = how
			if c.FromAuto != "" {
				v.DecidedBy = "class name in " + c.FromAuto + " of auto_map in " + config.FileConfig
			}
			if v.Task == "omni" && mute(c) || class.Omni != nil && len(class.Omni.Needs) > 0 && hasAll(c, class.Omni.Needs) {
				v.Task = "omni_input"
			}
			if a, ok := r.Override(&c.Doc); ok {
				v.take(a)
			}
			return v
		}
	} else if v, ok := classifyDialect(c); ok {
		return v
	}
	_, auto := fromAutoMap(c)
	switch {
	case len(c.Classes) == 0 && !auto && v.family != nil && v.family.Category != "":
		v.take(registry.Decision{Category: v.family.Category, Task: v.family.Task, By: byModelType})
		return v
	case len(c.Classes) == 0 && !auto && c.ModelType == "":
		return v
	}
	if a := infer(c); a.By != "" {
		v.take(a)
		return v
	}
	v.take(registry.Decision{Category: answer.Transformers, Task: "", By: "default for a class that no rule knows"})
	return v
}

// infer asks the rules for names that are not listed.
func infer(c *checkpoint.Checkpoint) registry.Decision {
	if a, ok := c.Registry().Override(&c.Doc); ok {
		return a
	}
	return c.Registry().Infer(registry.RuleInput{Name: c.Architecture(), ModelType: c.ModelType, Has: c.Doc.Has, More: func(r *registry.ClassRule) (registry.Decision, bool) { return answerRule(c, r) }})
}

// byModelType is how a family's default is found.
const byModelType = "model type in " + config.FileConfig

func (v *Result) take(a registry.Decision) {
	v.Category, v.Task, v.DecidedBy = a.Category, a.Task, a.By
}

// IsOmni tells whether a model takes speech, vision and text.
func IsOmni(c *checkpoint.Checkpoint) bool {
	if rule := classOmni(c); rule != nil && hasAll(c, rule.Needs) {
		return true
	}
	if rule := familyOmni(c); rule != nil && hasAll(c, rule.Needs) {
		return true
	}
	// A name nobody listed: the sections of its config say it, or those of the part
	// that thinks.
	sound := c.Doc.Has(config.KeyAudioConfig) || c.Doc.Has(config.KeySoundConfig)
	text := c.Doc.Has(config.KeyTextConfig) || c.Doc.Has(config.KeyThinkerConfig) || c.Doc.Has(config.KeyLLMConfig) || c.Doc.Has(config.KeyLanguageConfig) || c.Doc.Has(config.KeyVocabSize)
	if sound && text && c.Doc.Has(config.KeyVisionConfig) || c.Doc.Has(config.KeySpeechLoRA) && c.Doc.Has(config.KeyVisionLoRA) {
		return true
	}
	thinker := c.Doc.Object(config.KeyThinkerConfig)
	return thinker.Exists() && thinker.Get("audio_config").IsObject() && thinker.Get("vision_config").IsObject()
}

// classOmni is the rule for the class name, familyOmni that for the model type;
// nil where there is none.
func classOmni(c *checkpoint.Checkpoint) *registry.OmniRule {
	if class := c.ListedClass(); class != nil {
		return class.Omni
	}
	return c.Registry().FoldedOmni(c.Architecture())
}

func familyOmni(c *checkpoint.Checkpoint) *registry.OmniRule {
	if family := c.ListedFamily(); family != nil {
		return family.Omni
	}
	return c.Registry().FoldedOmni(c.ModelType)
}

func hasAll(c *checkpoint.Checkpoint, keys []string) bool {
	for _, name := range keys {
		if k, ok := config.KeysByName[name]; !ok || !c.Doc.Has(k) {
			return false
		}
	}
	return true
}

// HasTalker tells whether the config has a part for speaking or listening. One
// for speaking that is switched off is left out of the weights.
func HasTalker(c *checkpoint.Checkpoint) bool {
	return c.Doc.Has(config.KeyTalkerConfig) && !mute(c) || c.Doc.Has(config.KeyAudioConfig)
}

// mute tells whether speaking is switched off. Source: enable_audio_output of
// transformers, models/qwen3_omni_moe/configuration_qwen3_omni_moe.py.
func mute(c *checkpoint.Checkpoint) bool {
	return string(c.Doc.Value(config.KeyEnableAudioOutput)) == "false"
}
