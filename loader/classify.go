package loader

import "cmp"

// verdict is what a checkpoint was found to be, and why.
type verdict struct {
	layout    string
	category  Category
	task      Task
	class     *Class  // the registry's entry, nil where the class is not known
	family    *Family // of the model type, nil where it is not known
	decidedBy string
	loadsAs   string // the class that loads it, "" where none is known
	sae       *saeEvidence

	adapts     *checkpoint // of an adapter: the copy of its base model's config, nil where there is none
	candidates []string    // what it may be where that is not clear
	baseModel  string      // that its files name, "" where they do not
	part       string      // of a GGUF file: model, adapter, mmproj …
	unlisted   bool        // of a GGUF file: an architecture on no list
	known      bool        // decided by the files of a layout that has a loader
}

// The layouts told apart from the directory's own listing.
const (
	layoutDiffusers        = "diffusers"
	layoutDiffusersModular = "diffusers modular"
	layoutComponent        = "diffusers component"
	layoutAdapter          = "peft adapter"
	layoutSAE              = "sae"
	layoutTransformers     = "transformers"
	layoutGGUF             = "gguf"
	layoutUnknown          = "unknown"
)

// classify says what the checkpoint is and why.
func (c *checkpoint) classify() verdict {
	v := c.decide()
	if c.via != "" {
		v.decidedBy += c.via
	}
	return v
}

// decide decides, most specific evidence first: a pipeline's index, the marks
// of a sparse autoencoder, an adapter's config, then what the class name says,
// then the model type, then the shape of the class name.
func (c *checkpoint) decide() verdict {
	switch c.doc.file {
	case fileModelIndex:
		if c.marks&markConfig != 0 && c.hasModelWeights() {
			return verdict{layout: "ambiguous", category: Unknown, decidedBy: "no rule: " + fileModelIndex + " is of a pipeline, and " + fileConfig + " with its weights of a model",
				candidates: []string{layoutDiffusers + ": " + string(Diffusers), layoutTransformers + ": " + string(Transformers)}}
		}
		return c.classifyPipeline(layoutDiffusers)
	case fileModularIndex:
		return c.classifyPipeline(layoutDiffusersModular)
	}
	if e := c.findSAE(); e != nil {
		return verdict{layout: layoutSAE, category: SAE, task: "sparse_autoencoder", decidedBy: e.decidedBy(), sae: e}
	}
	switch c.doc.file {
	case fileAdapter:
		return verdict{layout: layoutAdapter, category: Adapter, task: "adapter", decidedBy: "file " + fileAdapter, adapts: c.adapted()}
	case fileConfig:
		return c.classifyConfig()
	}
	return c.classifyByFiles()
}

func (c *checkpoint) classifyPipeline(layout string) verdict {
	v := verdict{layout: layout, category: Diffusers, task: "diffusion_pipeline", decidedBy: "file " + c.doc.file}
	if len(c.classes) > 0 {
		if class, how := c.resolveClass(); how != "" {
			v.class, v.loadsAs = class, class.RealName
			if class.Category == Diffusers {
				v.task = class.Task
			}
		}
	}
	return v
}

// classifyConfig decides from config.json, and, where that names neither class nor
// model type, from the tensors and the other files beside it, then from its
// members.
func (c *checkpoint) classifyConfig() verdict {
	v := c.readConfig()
	if v.category != "" {
		return v
	}
	files, weights := c.classifyByFiles(), c.hasModelWeights()
	nothing := files.layout == layoutUnknown && files.category == Unknown && len(files.candidates) == 0
	if !weights && !nothing || weights && files.category != Unknown && files.layout != layoutUnknown {
		return files
	}
	if a := c.guess(); a.how != "" {
		v.take(a)
		return v
	}
	if weights {
		v.take(answer{Transformers, "", "default for a config beside weights that names neither class nor model type"})
		return v
	}
	files.decidedBy = "no rule: " + fileConfig + " names neither class nor model type"
	return files
}

// readConfig decides from config.json. The category is empty where that does not
// tell.
func (c *checkpoint) readConfig() verdict {
	r := c.known()
	v := verdict{layout: c.dialect()}
	v.family = c.listedFamily()
	v.loadsAs = v.family.loader()

	if c.doc.has(keyClassName) { // a component of a pipeline, saved alone
		v.layout = layoutComponent
		c.classes = c.readClassName()
		v.category, v.task, v.loadsAs = Diffusers, "diffusion_component", ""
		if len(c.classes) > 0 {
			v.class, _ = c.resolveClass()
		}
		if v.class != nil {
			v.task, v.loadsAs = cmp.Or(v.class.Task, v.task), v.class.RealName
		}
		v.decidedBy = "key _class_name of " + fileConfig
		return v
	}
	if len(c.classes) > 0 {
		if class, how := c.resolveClass(); how != "" {
			v.class, v.category, v.task, v.loadsAs = class, class.Category, class.Task, class.RealName
			v.decidedBy = how
			if c.fromAuto != "" {
				v.decidedBy = "class name in " + c.fromAuto + " of auto_map in " + fileConfig
			}
			if v.task == "omni" && c.mute() || class.omni != nil && len(class.omni.needs) > 0 && c.hasAll(class.omni.needs) {
				v.task = "omni_input"
			}
			if a, ok := r.overrules(&c.doc); ok {
				v.take(a)
			}
			return v
		}
	} else if v, ok := c.classifyDialect(); ok {
		return v
	}
	_, auto := c.fromAutoMap()
	switch {
	case len(c.classes) == 0 && !auto && v.family != nil && v.family.Category != "":
		v.take(answer{v.family.Category, v.family.Task, byModelType})
		return v
	case len(c.classes) == 0 && !auto && c.modelType == "":
		return v
	}
	if a := c.guess(); a.how != "" {
		v.take(a)
		return v
	}
	v.take(answer{Transformers, "", "default for a class that no rule knows"})
	return v
}

// guess asks the rules for names that are not listed.
func (c *checkpoint) guess() answer {
	if a, ok := c.known().overrules(&c.doc); ok {
		return a
	}
	return c.known().guess(clues{c.architecture(), c.modelType, c.doc.has, func(r *classRule) (answer, bool) { return c.ask(r) }})
}

// byModelType is how a family's default is found.
const byModelType = "model type in " + fileConfig

func (v *verdict) take(a answer) { v.category, v.task, v.decidedBy = a.category, a.task, a.how }

// omni tells whether a model takes speech, vision and text.
func (c *checkpoint) omni() bool {
	if rule := c.classOmni(); rule != nil && c.hasAll(rule.needs) {
		return true
	}
	if rule := c.familyOmni(); rule != nil && c.hasAll(rule.needs) {
		return true
	}
	// A name nobody listed: the sections of its config say it, or those of the part
	// that thinks.
	sound := c.doc.has(keyAudioConfig) || c.doc.has(keySoundConfig)
	text := c.doc.has(keyTextConfig) || c.doc.has(keyThinkerConfig) || c.doc.has(keyLLMConfig) || c.doc.has(keyLanguageConfig) || c.doc.has(keyVocabSize)
	if sound && text && c.doc.has(keyVisionConfig) || c.doc.has(keySpeechLoRA) && c.doc.has(keyVisionLoRA) {
		return true
	}
	thinker := c.doc.object(keyThinkerConfig)
	return thinker.Exists() && thinker.Get("audio_config").IsObject() && thinker.Get("vision_config").IsObject()
}

// classOmni is the rule for the class name, familyOmni that for the model type;
// nil where there is none.
func (c *checkpoint) classOmni() *omniRule {
	if class := c.listedClass(); class != nil {
		return class.omni
	}
	return c.known().foldedOmni(c.architecture())
}

func (c *checkpoint) familyOmni() *omniRule {
	if family := c.listedFamily(); family != nil {
		return family.omni
	}
	return c.known().foldedOmni(c.modelType)
}

func (c *checkpoint) hasAll(keys []string) bool {
	for _, name := range keys {
		if k, ok := keysByName[name]; !ok || !c.doc.has(k) {
			return false
		}
	}
	return true
}

// architecture is the first class name, "" where there is none.
func (c *checkpoint) architecture() string {
	if len(c.classes) == 0 {
		return ""
	}
	return c.classes[0]
}

// hasTalker tells whether the config has a part for speaking or listening. One
// for speaking that is switched off is left out of the weights.
func (c *checkpoint) hasTalker() bool {
	return c.doc.has(keyTalkerConfig) && !c.mute() || c.doc.has(keyAudioConfig)
}

// mute tells whether speaking is switched off. Source: enable_audio_output of
// transformers, models/qwen3_omni_moe/configuration_qwen3_omni_moe.py.
func (c *checkpoint) mute() bool { return string(c.doc.value(keyEnableAudioOutput)) == "false" }
