package config

import (
	_ "embed"
	"math"
	"strconv"
	"sync"

	"github.com/tidwall/gjson"

	"omniloader/loader/internal/table"
)

func PositiveInt(v gjson.Result) int64 {
	if v.Type != gjson.Number || v.Num < 1 || v.Num >= 1<<20 {
		return 0
	}
	return int64(v.Num)
}

// MaxLayers bounds how many layers a model may have; the deepest have a few
// hundred.
const MaxLayers = 1 << 16

//go:embed config_keys.tsv
var configKeysTSV string

// Keys holds the keys by the quantity that they give.
var Keys = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	for f := range table.Rows(configKeysTSV) {
		m[f[0]] = append(m[f[0]], f[1])
	}
	return m
})

//go:embed library_defaults.tsv
var libraryDefaultsTSV string

// libraryDefault is one line of library_defaults.tsv.
type libraryDefault struct {
	key   string
	Value int64
}

// libraryDefaults holds the lines by model type and quantity.
var libraryDefaults = sync.OnceValue(func() map[[2]string]libraryDefault {
	m := map[[2]string]libraryDefault{}
	for f := range table.Rows(libraryDefaultsTSV) {
		n, _ := strconv.ParseInt(f[3], 10, 64) // a test reads the table
		m[[2]string{f[0], f[1]}] = libraryDefault{f[2], n}
	}
	return m
})

// Dimensions reads quantities from a config, a section of it that describes the
// language model first.
type Quantities struct {
	File     string
	Sections []Section
}

type Section struct {
	Path  string // "" for the top level
	Value Members
}

// Get gives a quantity and the key that has it. Numbers that no model has
// (negative, fractions, Python's 1e30 for "no limit") count as missing.
func (d Quantities) Get(quantity string) (n int64, source string, ok bool) {
	const beyond = 1 << 31
	for _, s := range d.Sections {
		for _, key := range Keys()[quantity] {
			v := s.Value.Get(key)
			if v.Type == gjson.Number && v.Num >= 1 && v.Num < beyond && v.Num == math.Trunc(v.Num) {
				return int64(v.Num), d.File + ": " + s.Path + key, true
			}
		}
	}
	return 0, "", false
}

// LibraryDefault is what the library takes for a quantity where a config of this
// model type is silent. The part that describes the language model has to name
// its own type.
func (d Quantities) LibraryDefault(quantity string) (libraryDefault, bool) {
	if len(d.Sections) == 0 || d.File != ConfigJSON {
		return libraryDefault{}, false
	}
	part := d.Sections[0].Value
	l, ok := libraryDefaults()[[2]string{part.Get("model_type").Str, quantity}]
	if quantity != "full_every" && part.Get(l.key).Exists() {
		return libraryDefault{}, false // not silent, though it says nothing that can be used
	}
	return l, ok
}

// OrDefault gives a quantity, and where the config is silent the library's
// default, as which its source is marked.
func (d Quantities) GetOrDefault(quantity string) (n int64, source string, ok bool) {
	if n, source, ok = d.Get(quantity); ok {
		return n, source, true
	}
	l, ok := d.LibraryDefault(quantity)
	if !ok {
		return 0, "", false
	}
	return l.Value, "default of the transformers library: " + l.key + " of " + d.Sections[0].Value.Get("model_type").Str, true
}

// Value gives a raw key of the first section that has it.
func (d Quantities) Value(key string) gjson.Result {
	for _, s := range d.Sections {
		if v := s.Value.Get(key); v.Exists() && v.Type != gjson.Null {
			return v
		}
	}
	return gjson.Result{}
}
