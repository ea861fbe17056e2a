package config

import (
	_ "embed"
	"math"
	"strconv"
	"sync"

	"github.com/tidwall/gjson"

	"omniloader/loader/internal/table"
)

// PositiveInt reads a number from 1 to 2^20-1, as counts in configs are; 0 for anything
// else.
func PositiveInt(v gjson.Result) int64 {
	if v.Type != gjson.Number || v.Num < 1 || v.Num >= 1<<20 {
		return 0
	}
	return int64(v.Num)
}

// MaxLayers is the number of layers beyond which a count is not believed; the deepest
// models have a few hundred.
const MaxLayers = 1 << 16

//go:embed config_keys.tsv
var configKeysTSV string

// KeyList lists the entries of config_keys.tsv under a name, in their order: the keys
// that give a quantity ("layers"), or another of the lists there ("stateful").
func KeyList(name string) []string { return keyLists()[name] }

var keyLists = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	for f := range table.Rows(configKeysTSV) {
		m[f[0]] = append(m[f[0]], f[1])
	}
	return m
})

//go:embed library_defaults.tsv
var libraryDefaultsTSV string

// libraryDefault is one row of library_defaults.tsv.
type libraryDefault struct {
	key   string
	value int64
}

// libraryDefaults holds the rows by model type and quantity.
var libraryDefaults = sync.OnceValue(func() map[[2]string]libraryDefault {
	m := map[[2]string]libraryDefault{}
	for f := range table.Rows(libraryDefaultsTSV) {
		n, _ := strconv.ParseInt(f[3], 10, 64) // a test checks that all values are numbers
		m[[2]string{f[0], f[1]}] = libraryDefault{f[2], n}
	}
	return m
})

// Quantities reads numbers such as the count of layers from a config. Sections that
// describe the language model are searched before the top level.
type Quantities struct {
	File     string // of the config, for the source of a quantity
	Sections []Section
}

// Section is a JSON object inside a config, or its top level.
type Section struct {
	Path  string // "text_config.", "" for the top level
	Value Members
}

// Get gives the value of a quantity (a name of config_keys.tsv) and its source,
// "config.json: text_config.num_hidden_layers". A value that is no whole number from 1
// to 2^31-1 counts as missing: real configs have -1, null and Python's 1e30.
func (d Quantities) Get(quantity string) (n int64, source Source, ok bool) {
	const limit = 1 << 31
	for _, s := range d.Sections {
		for _, key := range KeyList(quantity) {
			v := s.Value.Get(key)
			if v.Type == gjson.Number && v.Num >= 1 && v.Num < limit && v.Num == math.Trunc(v.Num) {
				return int64(v.Num), Source{d.File, s.Path, key, ""}, true
			}
		}
	}
	return 0, Source{}, false
}

// Source says which key of which file has a quantity.
type Source struct {
	file, section, key string
	modelType          string // of which key is the library's default, "" where the file has it
}

// NewSource is the source of a quantity that the key of a file gives.
func NewSource(file, key string) Source { return Source{file: file, key: key} }

// String reads "config.json: text_config.vocab_size".
func (s Source) String() string {
	if s.modelType != "" {
		return "default of the transformers library: " + s.key + " of " + s.modelType
	}
	return s.file + ": " + s.section + s.key
}

// LibraryDefault gives the value that the transformers library uses for a quantity where
// a config of this model type does not have the key, and the key. The model type is that
// of the first section. Source: library_defaults.tsv.
func (d Quantities) LibraryDefault(quantity string) (value int64, key string, ok bool) {
	if len(d.Sections) == 0 || d.File != ConfigJSON {
		return 0, "", false
	}
	section := d.Sections[0].Value
	l, ok := libraryDefaults()[[2]string{section.Get("model_type").Str, quantity}]
	if quantity != "full_every" && section.Get(l.key).Exists() {
		return 0, "", false // the key is present, with a value that cannot be used
	}
	return l.value, l.key, ok
}

// GetOrDefault gives a quantity like Get, or else the default of the transformers
// library, with a source that says so.
func (d Quantities) GetOrDefault(quantity string) (n int64, source Source, ok bool) {
	if n, source, ok = d.Get(quantity); ok {
		return n, source, true
	}
	value, key, ok := d.LibraryDefault(quantity)
	if !ok {
		return 0, Source{}, false
	}
	return value, Source{key: key, modelType: d.Sections[0].Value.Get("model_type").Str}, true
}

// Value gives the value of a key in the first section that has it, other than null.
func (d Quantities) Value(key string) gjson.Result {
	for _, s := range d.Sections {
		if v := s.Value.Get(key); v.Exists() && v.Type != gjson.Null {
			return v
		}
	}
	return gjson.Result{}
}
