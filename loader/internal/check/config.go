package check

import (
	"fmt"
	"strconv"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/detect"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/registry"
)

// Weights that need a config.json, and have none.
var _ = register(Check{
	Name:  "config-present",
	Codes: []string{finding.ConfigMissing, finding.SingleFileCheckpoint},
	Needs: Weights,
	Run: func(f *Facts) []answer.Finding {
		c, info := f.Checkpoint, f.Info
		if c.MainFile() != "" || info.IsSAE || len(info.Candidates) > 0 {
			return nil
		}
		elsewhere := func(message, hint string) []answer.Finding {
			return []answer.Finding{finding.NewGraded(finding.Milder, finding.ConfigMissing, config.ConfigJSON, "no config.json; "+message, hint)}
		}
		for _, o := range otherConfigs {
			if c.Has(o.name) {
				return elsewhere(o.what, o.hint)
			}
		}
		if part := partOf(f); part != nil {
			hint := ""
			if part.Loading != "" {
				hint = "Load it " + part.Loading + "."
			}
			return single(finding.SingleFileCheckpoint, f.Weights.Info.Files[0], "it holds "+part.What, hint)
		}
		if format.ByName(info.Weights.Format).DescribedBy == format.ByItself || info.Layout != detect.LayoutUnknown {
			return nil // the format or the layout does without config.json
		}
		if library := libraryOf(info.Card); library != "" && library != "transformers" {
			return elsewhere("the model card says that this is for the library "+library, "load it with "+library)
		}
		return single(finding.ConfigMissing, config.ConfigJSON, fmt.Sprintf("no config.json beside %s of %s weights: nothing says which model they are of", finding.Plural(len(info.Weights.Files), "file"), info.Weights.Format), "")
	},
})

// libraryOf gives the library_name of a card, "" where there is none. card may be nil.
func libraryOf(card *answer.CardInfo) string {
	if card == nil {
		return ""
	}
	return card.LibraryName
}

// otherConfigs are files that describe the model in layouts without config.json, and how
// to load such a directory.
var otherConfigs = []struct{ name, what, hint string }{
	{config.ParamsJSON, "params.json of Mistral's or Meta's own format is here", "load it with mistral-common or the model's own code, or convert it to the transformers layout"},
	{config.AdapterConfigJSON, "this is an adapter", "load it on top of its base model"}, // ignored beside the weights of a whole model
	{"open_clip_config.json", "this is a model of open_clip", "load it with open_clip"},
	{"mlc-chat-config.json", "this is a model of MLC", "load it with mlc-llm"},
}

// partOf gives the model, or the part of one, that the names of tensors tell; nil where they
// do not.
func partOf(f *Facts) *detect.Part {
	r := f.Weights
	return detect.FindPart(r.Info.Files[0], func(yield func([]byte) bool) {
		for i := range r.Tensors.List {
			if !yield(r.Tensors.Name(i)) {
				return
			}
		}
	})
}

// A config.json without model_type, by which loaders choose the class.
var _ = register(Check{
	Name:  "model-type",
	Codes: []string{finding.ModelTypeMissing},
	Needs: Config,
	Run: func(f *Facts) []answer.Finding {
		c := f.Checkpoint
		if c.ModelType != "" || isSpeculator(f) || len(c.Classes) == 0 || f.Info.Layout != detect.LayoutTransformers || c.Doc.Contains(config.KeyModelType) {
			return nil
		}
		hint := ""
		if class, ok := registry.LookupClass(c.Classes[0]); ok && class.ModelType != "" {
			hint = "add \"model_type\": " + strconv.Quote(class.ModelType)
		}
		return single(finding.ModelTypeMissing, config.ConfigJSON, "it names "+c.Classes[0]+" and no model_type", hint)
	},
})

// isSpeculator tells whether the checkpoint is a draft model of the library speculators,
// which gives its own model type and takes the tokenizer of the model that it drafts for.
func isSpeculator(f *Facts) bool {
	return f.Checkpoint.Members().Get("speculators_model_type").Exists()
}

// A class that is not known, in a config that a newer library wrote.
var _ = register(Check{
	Name:  "library-version",
	Codes: []string{finding.ArchitectureNewer},
	Needs: Config,
	Run: func(f *Facts) []answer.Finding {
		version := f.Checkpoint.Members().Get("transformers_version").String()
		if !isUnknownClass(f.Info) || !newerThanTables(version) {
			return nil
		}
		return single(finding.ArchitectureNewer, config.ConfigJSON, "written by transformers "+version+"; the tables are of "+tablesVersion, "")
	},
})

// isUnknownClass tells whether the checkpoint names a class that no loader is known for.
func isUnknownClass(info *answer.Info) bool {
	return !info.IsSupported && info.Category != answer.Unknown
}

// tablesVersion is the version of the transformers library that the tables of classes
// are from.
const tablesVersion = "5.24"

// newerThanTables tells whether the major and minor number of a version are beyond
// tablesVersion.
func newerThanTables(version string) bool {
	parse := func(v string) (major, minor int, ok bool) {
		a, rest, found := strings.Cut(v, ".")
		b, _, _ := strings.Cut(rest, ".")
		major, err := strconv.Atoi(a)
		minor, err2 := strconv.Atoi(b)
		return major, minor, found && err == nil && err2 == nil
	}
	major, minor, ok := parse(version)
	ourMajor, ourMinor, _ := parse(tablesVersion)
	return ok && (major > ourMajor || major == ourMajor && minor > ourMinor)
}

// The class of a language model without its output head.
var _ = register(Check{
	Name:  "base-class",
	Codes: []string{finding.ArchitectureBaseClass},
	Needs: Config,
	Run: func(f *Facts) []answer.Finding {
		info := f.Info
		if info.Task != "text_decoder_backbone" || !strings.HasSuffix(info.Architecture, "Model") {
			return nil
		}
		hint := ""
		if family, ok := registry.LookupFamily(f.Checkpoint.ModelType); ok && family.Architecture != "" && family.Architecture != info.Architecture {
			hint = "for text, use a checkpoint of " + family.Architecture
		}
		return single(finding.ArchitectureBaseClass, config.ConfigJSON, info.Architecture+" gives hidden states, and writes no text", hint)
	},
})
