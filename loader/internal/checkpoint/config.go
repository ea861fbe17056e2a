package checkpoint

import (
	"bytes"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/internal/config"
)

// newestVersionedConfig gives the config.<version>.json of the highest version that
// config.json lists in configuration_files and that is present, "" where there is none.
func (c *Directory) newestVersionedConfig() string {
	raw := c.Doc.Raw(config.KeyConfigurationFiles)
	if len(raw) == 0 {
		return ""
	}
	newest := ""
	gjson.ParseBytes(raw).ForEach(func(_, v gjson.Result) bool {
		if v.Type == gjson.String && c.Has(v.Str) && versionLess(newest, v.Str) {
			newest = v.Str
		}
		return true
	})
	return newest
}

// versionLess tells whether the version in the file name a is lower: config.4.9.0.json
// is before config.4.10.0.json.
func versionLess(a, b string) bool {
	for a != "" && b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if len(x) != len(y) && x != "" && y != "" && x[0] >= '0' && x[0] <= '9' && y[0] >= '0' && y[0] <= '9' {
			return len(x) < len(y)
		}
		if x != y {
			return x < y
		}
	}
	return len(a) < len(b)
}

// Members gives the members of the main file.
func (c *Directory) Members() config.Members {
	if c.members.IsEmpty() && len(c.Doc.Data) > 0 {
		c.members = config.NewMembers(gjson.ParseBytes(bytes.TrimPrefix(c.Doc.Data, []byte("\xEF\xBB\xBF"))))
	}
	return c.members
}

// Quantities gives the sections of the main file from which quantities are read, in the
// order of config_keys.tsv.
func (c *Directory) Quantities() config.Quantities {
	if c.quantities.Sections != nil && c.quantities.File == c.Doc.File {
		return c.quantities
	}
	d := config.Quantities{File: c.Doc.File}
	if len(c.Doc.Data) == 0 {
		return d
	}
	root := c.Members()
	for _, path := range config.KeyList("section") {
		if v := root.Get(path); v.IsObject() {
			d.Sections = append(d.Sections, config.Section{Path: path + ".", Value: config.NewMembers(v)})
		}
	}
	d.Sections = append(d.Sections, config.Section{Path: "", Value: root})
	c.quantities = d
	return d
}

// MistralParam gives the value of a key of params.json (Mistral's and Meta's layouts).
// Its Exists is false where the file cannot be read or does not have the key.
func (c *Directory) MistralParam(key string) gjson.Result {
	if !c.Has(config.ParamsJSON) {
		return gjson.Result{}
	}
	v, err := config.ReadJSON(c.FS, c.Dir, config.ParamsJSON)
	if err != nil {
		return gjson.Result{}
	}
	return v.Get(key)
}
