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

// The roles of weight files, as weight_names.tsv has them.
const (
	RoleModel       = "model"       // of the model itself
	RoleAdapter     = "adapter"     // asked first where the checkpoint is an adapter
	RoleAlternative = "alternative" // of which a loader is given one
	RoleCompanion   = "companion"   // loaded beside a model
	RoleOther       = "other"       // no model's weights
	RoleUnlisted    = ""            // no row fits
)

// Name is one row of weight_names.tsv.
type NamePattern struct{ Role, Format, Pattern string }

// Names are the rows of weight_names.tsv, in the order in which loaders look for them.
var Names = sync.OnceValue(func() (names []NamePattern) {
	for f := range table.Rows(weightNamesTSV) {
		names = append(names, NamePattern{f[0], f[1], f[2]})
	}
	return names
})

// MatchName gives the row of a name, -1 where none fits.
func MatchName(name string) int {
	for i, row := range Names() {
		if table.Match(row.Pattern, name) {
			return i
		}
	}
	return -1
}

// IndexKey is the key of the shards that an index is for: "model.safetensors" of
// model.safetensors.index.json, and "model.fp16.safetensors" of both spellings of
// a variant's, model.safetensors.index.fp16.json and
// model.fp16.safetensors.index.json.
func IndexKey(index string) string {
	before, after, _ := strings.Cut(index, ".index.")
	ext := shards.IndexedExtension(index)
	if ext == "" {
		return ""
	}
	stem, inner, found := cutLast(before, ext)
	if !found {
		return ""
	}
	for _, variant := range [...]string{inner, strings.TrimSuffix(strings.TrimSuffix(after, "json"), ".")} {
		if variant = strings.Trim(variant, "."); variant != "" {
			stem += "." + variant
		}
	}
	return stem + ext
}

// cutLast cuts s at the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
