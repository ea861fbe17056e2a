// Package checkpoint opens a checkpoint directory: it lists the directory, parses the file
// that describes the model, and reads other small files on demand. It does not decide
// what the model is; package detect does.
package checkpoint

import (
	"io/fs"
	"path"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/registry"
	"omniloader/loader/internal/tree"
)

// Directory is an opened checkpoint directory: its listing, and the parsed main file
// (see MainFile). It is not safe for concurrent use.
type Directory struct {
	FS      fs.FS
	Dir     string        // path of the directory
	Entries []fs.DirEntry // sorted by name
	Names   []string      // the names of Entries, whose method Name may take a lock
	Markers Markers       // which well-known names are among Names

	OnlyClassify bool // opened by OpenToClassify
	IsSample     bool // Entries are a part of the listing, or none of it; see Complete

	Doc        config.Document // the main file
	Classes    []string        // the class names that it gives
	ModelType  string          // the model type that it gives, "" where it gives none
	AutoMapKey string          // the key of auto_map that Classes is from, "" where it is from architectures
	Findings   []answer.Finding

	CustomRegistry *registry.Registry // nil for the built-in one

	// Of a directory in the Hugging Face cache.
	requestedDir string   // the repository's directory, where Dir is a snapshot; else ""
	ResolvedVia  string   // how the snapshot was found, to be appended to a DecidedBy text
	Snapshots    []string // the snapshots, where it is not clear which one to use

	// Results of methods, kept for the next call.
	class      *registry.Class
	family     *registry.Family
	members    config.Members
	quantities config.Quantities
}

// pool has directories that were released, to be used again. Answers do not refer to
// them.
var pool = sync.Pool{New: func() any { return new(Directory) }}

// Registry gives the class names and model types that are looked up for this checkpoint.
func (c *Directory) Registry() *registry.Registry {
	if c.CustomRegistry != nil {
		return c.CustomRegistry
	}
	return registry.Builtin()
}

// OpenDir lists a directory and parses its main file. custom is the registry to use, nil
// for the built-in one. The caller calls Release when it no longer uses the directory.
func OpenDir(custom *registry.Registry, fsys fs.FS, dir string) (*Directory, error) {
	c := pool.Get().(*Directory)
	c.CustomRegistry = custom
	err := c.list(fsys, dir)
	if err == nil {
		err = c.ReadMainFile()
	}
	if err != nil {
		c.Release()
		return nil, err
	}
	return c, nil
}

// What Release keeps for the next directory at most: a buffer of so many bytes, and a
// list of so many names.
const (
	maxPooledBuffer = 64 << 10
	maxPooledNames  = 256
)

// Release makes the memory of the directory available to OpenDir. The directory must not be
// used any more.
func (c *Directory) Release() {
	buffer := c.Doc.Data[:0]
	if cap(buffer) > maxPooledBuffer {
		buffer = nil
	}
	names := c.Names[:0]
	if cap(names) > maxPooledNames {
		names = nil
	}
	clear(c.Names)
	*c = Directory{} // assigned in place; a literal with fields would be built on the stack and copied
	c.Doc.Data, c.Names = buffer, names
	pool.Put(c)
}

// List lists a directory and does not read its main file. The registry is the built-in
// one until CustomRegistry is set.
func List(fsys fs.FS, dir string) (*Directory, error) {
	c := &Directory{}
	if err := c.list(fsys, dir); err != nil {
		return nil, err
	}
	return c, nil
}

// list is ListDir; for the directory of a repository in the Hugging Face cache it lists
// the snapshot.
func (c *Directory) list(fsys fs.FS, dir string) error {
	if err := c.ListDir(fsys, dir); err != nil {
		return err
	}
	return c.resolveSnapshot()
}

// resolveSnapshot replaces the listing of a repository's directory in the Hugging Face
// cache by that of a snapshot.
func (c *Directory) resolveSnapshot() error {
	if c.Markers.Has(markerSnapshots) && c.MainFile() == "" {
		return c.openSnapshot()
	}
	return nil
}

// ListDir lists this directory, whatever it contains, and replaces what was listed
// before.
func (c *Directory) ListDir(fsys fs.FS, dir string) error {
	if !fs.ValidPath(dir) {
		if !utf8.ValidString(dir) {
			return fault.New(fault.NotFound, strconv.Quote(dir), "the path is not UTF-8, which the file interface asks for").WithHint("rename the directory")
		}
		return fault.New(fault.NotFound, dir, "no valid path: it must be relative, with forward slashes, and without \"..\"")
	}
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		if info, statErr := fs.Stat(fsys, dir); statErr == nil && !info.IsDir() {
			return fault.New(fault.NotAFile, dir, "it is a file, not a directory").
				WithHint("give the directory that holds the file")
		}
		return tree.FileError(dir, err)
	}
	c.setEntries(fsys, dir, entries)
	return nil
}

// setEntries sets what was listed.
func (c *Directory) setEntries(fsys fs.FS, dir string, entries []fs.DirEntry) {
	c.FS, c.Dir, c.Entries = fsys, dir, entries
	c.Names = slices.Grow(c.Names[:0], len(entries))
	for _, e := range entries {
		c.Names = append(c.Names, e.Name())
	}
	c.Markers = findMarkers(c.Names)
}

// ReadMainFile parses the main file, where there is one, and sets Doc, Classes,
// ModelType and Findings.
func (c *Directory) ReadMainFile() error {
	name := c.MainFile()
	if name == "" {
		return nil
	}
	data, err := c.ReadListed(name, config.MaxSize)
	if err != nil {
		return err
	}
	if err := config.ParseDocument(name, data, &c.Doc); err != nil {
		return err
	}
	if newer := c.newestVersionedConfig(); newer != "" {
		if data, err = c.ReadListed(newer, config.MaxSize); err != nil {
			return err
		}
		c.Doc = config.Document{}
		if err := config.ParseDocument(newer, data, &c.Doc); err != nil {
			return err
		}
		c.Doc.File = name // findings and answers refer to config.json
	}
	c.setMainFile(name)
	return nil
}

// setMainFile sets Classes, ModelType and Findings by the main file, which was parsed.
func (c *Directory) setMainFile(name string) {
	c.Findings = append(c.Findings, c.Doc.Findings()...)
	c.ModelType = c.parseModelType()
	if name == config.ConfigJSON {
		c.setClasses()
	} else {
		c.Classes = c.ParseClassName()
	}
}

// MainFile is the name of the file that describes the model, "" where there is none. The
// index of a pipeline takes precedence; then an adapter's config, unless the weights of
// a whole model are present; then config.json.
func (c *Directory) MainFile() string {
	switch {
	case c.Markers.Has(MarkerModelIndex):
		return config.ModelIndexJSON
	case c.Markers.Has(MarkerModularIndex):
		return config.ModularModelIndexJSON
	case c.Markers.Has(MarkerAdapter) && !c.HasModelWeights():
		return config.AdapterConfigJSON
	case c.Markers.Has(MarkerConfig):
		return config.ConfigJSON
	}
	return ""
}

// Name is the base name of RequestedDir, "" for the root of the filesystem.
func (c *Directory) Name() string {
	if dir := c.RequestedDir(); dir != "." {
		return path.Base(dir)
	}
	return ""
}

// RequestedDir is the directory as the caller gave it. Dir differs where a snapshot of
// the cache stands for it.
func (c *Directory) RequestedDir() string {
	if c.requestedDir != "" {
		return c.requestedDir
	}
	return c.Dir
}
