// Package format has the formats of weight files: the names and extensions by which
// they are found.
package format

import (
	_ "embed"
	"path"
	"strings"
	"sync"

	"omniloader/loader/internal/config"
	"omniloader/loader/internal/table"
	"omniloader/loader/shards"
)

// IsWeights tells by the extension that a file holds weights.
func IsWeights(name string) bool {
	_, ok := Extensions()[path.Ext(name)]
	return ok
}

// NeedsConfig tells whether a file holds weights that say nothing of their model.
func NeedsConfig(name string) bool {
	return IsWeights(name) && (strings.HasSuffix(name, ".safetensors") || strings.HasSuffix(name, ".bin"))
}

//go:embed weight_names.tsv
var weightNamesTSV string

//go:embed weight_extensions.tsv
var weightExtensionsTSV string

// The roles of weight files, as weight_names.tsv has them.
const (
	RoleModel       = "model"
	RoleAlternative = "alternative"
)

// Name is one line of weight_names.tsv.
type Name struct{ Role, Format, Pattern string }

var Names = sync.OnceValue(func() (names []Name) {
	for f := range table.Rows(weightNamesTSV) {
		names = append(names, Name{f[0], f[1], f[2]})
	}
	return names
})

// Extension is one line of weight_extensions.tsv.
type Extension struct {
	Format   string
	Together bool
	Rank     int
}

var Extensions = sync.OnceValue(func() map[string]Extension {
	m := map[string]Extension{}
	for f := range table.Rows(weightExtensionsTSV) {
		m[f[0]] = Extension{Format: f[1], Together: f[2] == "together", Rank: len(m)}
	}
	return m
})

// MatchName gives the row of a name, -1 where none fits.
func MatchName(name string) int {
	for i, row := range Names() {
		if row.Pattern == name {
			return i
		}
		if strings.Contains(row.Pattern, "*") {
			if ok, _ := path.Match(row.Pattern, name); ok {
				return i
			}
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
	stem, inner, found := config.CutLast(before, ext)
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
