package loader

import (
	"io/fs"
	"path"
	"slices"

	"omniloader/loader/internal/format"
	"omniloader/loader/internal/tree"
	"omniloader/loader/shards"
)

// OnlyWeights gives a view of fsys in which the directory of a weight file has no other
// weights than this file and its other shards, and the directory. The other shards are
// those of the index that names the file, or else those of the same name. It is for a checkpoint
// with several weight files, one of which is to be described. ok is false where file
// does not have the extension of a weight file.
func OnlyWeights(fsys fs.FS, file string) (only fs.FS, dir string, ok bool) {
	dir, base := path.Split(file)
	if dir = path.Clean(dir); !format.IsWeights(base) {
		return nil, "", false
	}
	o := &singleWeightsFS{FS: fsys, dir: dir, base: base}
	o.findIndex()
	return o, dir, true
}

// singleWeightsFS is the filesystem of OnlyWeights.
type singleWeightsFS struct {
	fs.FS
	dir, base string
	index     string          // base name of the index that names the file, "" where none does
	named     map[string]bool // base names of the files of the directory that index names
}

// findIndex sets index and named.
func (o *singleWeightsFS) findIndex() {
	entries, err := fs.ReadDir(o.FS, o.dir)
	if err != nil {
		return // reported by whoever lists the directory
	}
	for _, e := range entries {
		if !shards.IsIndex(e.Name()) || format.IndexKey(e.Name()) == "" {
			continue
		}
		data, err := tree.ReadLimited(o.FS, o.dir, e.Name(), shards.MaxIndex)
		if err != nil {
			continue
		}
		index, err := shards.Parse(e.Name(), data)
		if err != nil {
			continue
		}
		named := map[string]bool{}
		for _, s := range index.Shards {
			named[path.Clean(s.File)] = true
		}
		if named[o.base] {
			o.index, o.named = e.Name(), named
			return
		}
	}
}

// isVisible tells whether the filesystem shows a file of the directory.
func (o *singleWeightsFS) isVisible(name string) bool {
	if o.index != "" && (shards.IsIndex(name) || format.IsWeights(name)) {
		return name == o.index || o.named[name]
	}
	own, sharded := shards.ParseName(o.base)
	if shards.IsIndex(name) {
		return sharded && format.IndexKey(name) == own.Stem+own.Suffix
	}
	if name == o.base || !format.IsWeights(name) {
		return true
	}
	other, ok := shards.ParseName(name)
	return sharded && ok && other.Stem == own.Stem && other.Suffix == own.Suffix && other.Count == own.Count
}

func (o *singleWeightsFS) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(o.FS, name)
	if name == o.dir {
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() && !o.isVisible(e.Name()) })
	}
	return entries, err
}

func (o *singleWeightsFS) Open(name string) (fs.File, error) {
	if path.Dir(name) == o.dir && !o.isVisible(path.Base(name)) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return o.FS.Open(name)
}

func (o *singleWeightsFS) Stat(name string) (fs.FileInfo, error) {
	if path.Dir(name) == o.dir && !o.isVisible(path.Base(name)) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return fs.Stat(o.FS, name)
}

func (o *singleWeightsFS) ReadLink(name string) (string, error) { return fs.ReadLink(o.FS, name) }

func (o *singleWeightsFS) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(o.FS, name) }
