package checkpoint

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/internal/config"
	"omniloader/loader/internal/table"
	"omniloader/loader/internal/tree"
	"omniloader/loader/regular"
)

// Has tells whether the listing has a name, of a file or a directory.
func (c *Directory) Has(name string) bool {
	_, ok := slices.BinarySearch(c.Names, name)
	return ok
}

// HasDir tells whether the listing has a directory, or a link to one, of this name.
func (c *Directory) HasDir(name string) bool {
	i, ok := slices.BinarySearch(c.Names, name)
	if !ok && c.IsSample {
		return c.IsDirectory(name)
	}
	return ok && tree.IsDir(c.FS, c.Dir, c.Entries[i])
}

// HasModelWeights tells whether weights of a whole model are directly in the directory,
// by their names.
func (c *Directory) HasModelWeights() bool {
	for _, name := range c.Names {
		if strings.HasPrefix(name, "model") && strings.HasSuffix(name, ".safetensors") ||
			strings.HasPrefix(name, "pytorch_model") && strings.HasSuffix(name, ".bin") {
			return true
		}
	}
	return false
}

// ReadListed reads a file directly in the directory, of at most limit bytes. The entry
// of the listing saves a call of Stat.
func (c *Directory) ReadListed(name string, limit int64) ([]byte, error) {
	if i, ok := slices.BinarySearch(c.Names, name); ok && c.Entries[i].Type().IsRegular() {
		full := name // both parts are clean: path.Join would clean them once more
		if c.Dir != "." {
			full = c.Dir + "/" + name
		}
		f, size, err := regular.OpenListed(c.FS, full, name)
		if err != nil {
			return nil, err
		}
		return tree.ReadOpened(f, size, name, limit, c.Doc.Data)
	}
	return tree.ReadLimited(c.FS, c.Dir, name, limit)
}

// IsDirectory tells whether a path leads to a directory. An absolute path begins at the
// root of the filesystem, a relative one at the checkpoint.
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

// HasContent tells whether a file is directly in the directory and among files, and has
// no Problem.
func (c *Directory) HasContent(name string, files []tree.File) bool {
	return c.Has(name) && tree.HasFile(files, name) && !tree.HasProblem(files, name)
}

// Match gives the names of the listing that match a pattern of package table.
func (c *Directory) Match(pattern string) (names []string) {
	for _, name := range c.Names {
		if table.Match(pattern, name) {
			names = append(names, name)
		}
	}
	return names
}

// OpenAt opens a file of the checkpoint for reading at any offset. The caller closes it.
func (c *Directory) OpenAt(name string) (*tree.Handle, error) { return tree.OpenAt(c.FS, c.Dir, name) }

// ReadJSONOrYAML reads a JSON file, or the scalars of a YAML file, as a JSON object.
// name is relative to the checkpoint.
func (c *Directory) ReadJSONOrYAML(name string) (gjson.Result, error) {
	data, err := tree.ReadLimited(c.FS, c.Dir, name, limitOf(name))
	if err != nil {
		return gjson.Result{}, err
	}
	return parseJSONOrYAML(name, data)
}

// ReadListedJSONOrYAML is ReadJSONOrYAML for a file that a listing has just shown to be a
// regular one, not a link. It saves a call of Stat.
func (c *Directory) ReadListedJSONOrYAML(name string) (gjson.Result, error) {
	f, size, err := regular.OpenListed(c.FS, tree.Join(c.Dir, name), name)
	if err != nil {
		return gjson.Result{}, err
	}
	data, err := tree.ReadOpened(f, size, name, limitOf(name), nil)
	if err != nil {
		return gjson.Result{}, err
	}
	return parseJSONOrYAML(name, data)
}

// isYAML tells whether a config is read as YAML.
func isYAML(name string) bool { return strings.HasSuffix(name, ".yaml") }

// limitOf is how many bytes of a config are read.
func limitOf(name string) int64 {
	if isYAML(name) {
		return config.MaxYAMLSize
	}
	return config.MaxSize
}

func parseJSONOrYAML(name string, data []byte) (gjson.Result, error) {
	if !isYAML(name) {
		return config.ParseJSON(name, data)
	}
	if err := config.CheckContent(name, data); err != nil {
		return gjson.Result{}, err
	}
	return config.ParseYAMLScalars(name, data)
}
