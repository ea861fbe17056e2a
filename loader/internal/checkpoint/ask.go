package checkpoint

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/internal/config"
	"omniloader/loader/internal/registry"
	"omniloader/loader/internal/table"
	"omniloader/loader/internal/tree"
)

// IsDirectory tells whether a path leads to a directory: seen from the
// filesystem's root, or from the checkpoint where it is relative.
func (c *Directory) IsDirectory(name string) bool {
	target := path.Clean(strings.TrimPrefix(name, "/"))
	if !strings.HasPrefix(name, "/") {
		target = path.Join(c.Dir, name)
	}
	if !fs.ValidPath(target) {
		return false
	}
	info, err := fs.Stat(c.FS, target)
	return err == nil && info.IsDir()
}

// HasContent tells whether a file stands at the top and holds what it should.
func (c *Directory) HasContent(name string, files []tree.File) bool {
	return c.Has(name) && tree.HasFile(files, name) && !tree.HasProblem(files, name)
}

// Architecture is the first class name, "" where there is none.
func (c *Directory) Architecture() string {
	if len(c.Classes) == 0 {
		return ""
	}
	return c.Classes[0]
}

// autoMapClass gives the class that auto_map names for the model, and under which
// key: one that names a task before AutoModel, which names none.
func (c *Directory) autoMapClass() (key, class string) {
	c.Doc.Object(config.KeyAutoMap).ForEach(func(k, v gjson.Result) bool {
		if v.IsArray() {
			v = v.Get("0")
		}
		_, task := registry.AutoClasses()[k.Str]
		if _, name, ok := config.CutLast(v.Str, "."); ok && len(name) <= registry.MaxNameLength && (task || k.Str == "AutoModel" && class == "") {
			key, class = k.Str, name
		}
		return class == "" || !task
	})
	return key, class
}

// Match gives the names that fit a pattern.
func (c *Directory) Match(pattern string) (names []string) {
	for _, name := range c.Names {
		if table.Match(pattern, name) {
			names = append(names, name)
		}
	}
	return names
}

// OpenAt opens a file for reading at any place.
func (c *Directory) OpenAt(name string) (r io.ReaderAt, size int64, closeFile func() error, err error) {
	h, err := tree.Open(c.FS, c.Dir, name)
	if err != nil {
		return nil, 0, nil, err
	}
	return h.ReaderAt, h.Size, h.Close, nil
}

// newestConfig gives the file that config.json sends newer readers to, "" where
// it sends them nowhere: configuration_files lists config.<version>.json files.
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

// versionLess compares config.4.9.0.json with config.4.10.0.json.
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

// Config gives the members of the file that says what the directory is.
func (c *Directory) Members() config.Members {
	if c.members.IsEmpty() && len(c.Doc.Data) > 0 {
		c.members = config.NewMembers(gjson.ParseBytes(bytes.TrimPrefix(c.Doc.Data, []byte("\xEF\xBB\xBF"))))
	}
	return c.members
}

// Dimensions gives the config's sections in the order in which they are asked.
func (c *Directory) Quantities() config.Quantities {
	if c.quantities.Sections != nil && c.quantities.File == c.Doc.File {
		return c.quantities
	}
	d := config.Quantities{File: c.Doc.File}
	if len(c.Doc.Data) == 0 {
		return d
	}
	root := c.Members()
	for _, path := range config.Keys()["section"] {
		if v := root.Get(path); v.IsObject() {
			d.Sections = append(d.Sections, config.Section{Path: path + ".", Value: config.NewMembers(v)})
		}
	}
	d.Sections = append(d.Sections, config.Section{Path: "", Value: root})
	c.quantities = d
	return d
}

// Params gives a key of Mistral's params.json.
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

// ReadJSONOrYAML reads a JSON or YAML file of the checkpoint as one value.
func (c *Directory) ReadJSONOrYAML(name string) (gjson.Result, error) {
	if !strings.HasSuffix(name, ".yaml") {
		return config.ReadJSON(c.FS, c.Dir, name)
	}
	data, err := tree.ReadFile(c.FS, c.Dir, name, config.MaxYAMLSize)
	if err != nil {
		return gjson.Result{}, err
	}
	if err := config.CheckContent(name, data); err != nil {
		return gjson.Result{}, err
	}
	return config.ParseYAMLScalars(name, data)
}
