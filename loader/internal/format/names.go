package format

import (
	_ "embed"
	"strings"
	"sync"

	"omniloader/loader/internal/table"
	"omniloader/loader/shards"
)

//go:embed weight_names.tsv
var weightNamesTSV string

// The roles of weight files, as in weight_names.tsv.
const (
	RoleModel       = "model"       // the weights of a model, or one of their shards
	RoleAdapter     = "adapter"     // the weights of an adapter, which change a model
	RoleAlternative = "alternative" // one of several versions of a model, of which a loader takes one
	RoleCompanion   = "companion"   // loaded beside a model: the projector for images
	RoleVocabulary  = "vocabulary"  // of a tokenizer alone, in a format of weights
	RoleOther       = "other"       // not weights of a model: the state of an optimizer
	RoleUnlisted    = ""            // no pattern matches the name
)

// NamePattern is one row of weight_names.tsv.
type NamePattern struct {
	Role, Format, Pattern string
	Rank                  int // the row's number: loaders look for names of lower rank first
}

var namePatterns = sync.OnceValue(func() (patterns []NamePattern) {
	for f := range table.Rows(weightNamesTSV) {
		patterns = append(patterns, NamePattern{Role: f[0], Format: f[1], Pattern: f[2], Rank: len(patterns)})
	}
	return patterns
})

// MatchName gives the first row of weight_names.tsv whose pattern matches the base name
// of a file, nil where none does. A shard's number is left out of the name.
func MatchName(name string) *NamePattern {
	patterns := namePatterns()
	for i := range patterns {
		if table.Match(patterns[i].Pattern, name) {
			return &patterns[i]
		}
	}
	return nil
}

// IndexKey gives the name that the shards of an index have without their numbers, ""
// where name is not the base name of an index: "model.safetensors" for
// model.safetensors.index.json, and "model.fp16.safetensors" for both spellings of the
// index of a variant, model.safetensors.index.fp16.json and
// model.fp16.safetensors.index.json.
func IndexKey(name string) string {
	before, after, _ := strings.Cut(name, ".index.")
	ext := shards.IndexedExtensionOf(name, index().indexed)
	if ext == "" {
		return ""
	}
	i := strings.LastIndex(before, ext)
	if i < 0 {
		return ""
	}
	stem, inner := before[:i], before[i+len(ext):]
	for _, variant := range [...]string{inner, strings.TrimSuffix(strings.TrimSuffix(after, "json"), ".")} {
		if variant = strings.Trim(variant, "."); variant != "" {
			stem += "." + variant
		}
	}
	return stem + ext
}
