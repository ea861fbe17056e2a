package sae

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/tree"
	"omniloader/loader/regular"
)

// Limits of the directories that are listed: the largest public releases have about
// 2,000, three levels deep.
const (
	maxSAEDepth = 4
	maxSAEDirs  = 4000
)

// sampleSize is how many names of a directory are read where one autoencoder is looked
// for: to list a directory of 1,600 takes longer than all else that such a question needs.
const sampleSize = 64

// directory is one directory of a release, with the names in it.
type directory struct {
	dir       string // relative to the checkpoint
	files     []string
	dirs      []string // names, without those that begin with a dot
	complete  bool     // all names are known, and not a sample of them
	irregular bool     // there are links or special files
	unsorted  bool     // files and dirs are in the order of the filesystem
	absent    []string // files that a sample was asked for, and that there are not
}

// has tells whether a directory has a file of this name. In a sample, the file is asked
// for.
func (d *directory) has(c *checkpoint.Directory, name string) bool {
	if slices.Contains(d.files, name) {
		return true
	}
	if d.complete || slices.Contains(d.absent, name) {
		return false
	}
	if info, err := fs.Stat(c.FS, path.Join(c.Dir, d.dir, name)); err != nil || info.IsDir() {
		d.absent = append(d.absent, name)
		return false
	}
	d.irregular = true // it may be a link
	d.files = append(d.files, name)
	return true
}

// depth is how many elements the path has, 0 for the checkpoint itself.
func (d *directory) depth() int {
	if d.dir == "." {
		return 0
	}
	return strings.Count(d.dir, "/") + 1
}

// contents keeps what was listed and read of a release, so that nothing is listed or read
// twice.
type contents struct {
	c       *checkpoint.Directory
	listed  map[string]*directory
	configs map[string]parsedConfig
}

type parsedConfig struct {
	value gjson.Result
	err   error
}

// maxKeptConfig is the size in bytes of the largest config that is kept.
const maxKeptConfig = 64 << 10

func newContents(c *checkpoint.Directory) *contents {
	s := &contents{c: c, listed: make(map[string]*directory, 8), configs: make(map[string]parsedConfig, 2)}
	root := &directory{dir: ".", complete: !c.IsSample}
	s.add(root, c.Entries)
	s.listed["."] = root
	return s
}

// add adds the names of a listing to a directory.
func (s *contents) add(d *directory, entries []fs.DirEntry) {
	full := ""
	for _, e := range entries {
		name := e.Name()
		isDir := e.IsDir()
		d.irregular = d.irregular || !isDir && !e.Type().IsRegular()
		if e.Type()&fs.ModeSymlink != 0 {
			if full == "" {
				full = path.Join(s.c.Dir, d.dir)
			}
			isDir = tree.IsDir(s.c.FS, full, e)
		}
		switch {
		case !isDir:
			if d.files == nil {
				d.files = make([]string, 0, min(len(entries), 16))
			}
			d.files = append(d.files, name)
		case name[0] != '.':
			if d.dirs == nil {
				d.dirs = make([]string, 0, len(entries))
			}
			d.dirs = append(d.dirs, name)
		}
	}
}

// list lists a directory completely; an unreadable one is empty.
func (s *contents) list(dir string) *directory {
	d := s.listUnsorted(dir)
	d.sort()
	return d
}

// listUnsorted is list, in the order of the filesystem.
func (s *contents) listUnsorted(dir string) *directory {
	if d := s.listed[dir]; d != nil && d.complete {
		return d
	}
	d := &directory{dir: dir, complete: true}
	s.listed[dir] = d
	full := path.Join(s.c.Dir, dir)
	if _, cached := s.c.FS.(*tree.CachedFS); cached {
		entries, _ := fs.ReadDir(s.c.FS, full)
		s.add(d, entries)
	} else {
		entries, _ := regular.ReadNames(s.c.FS, full, -1)
		d.unsorted = true
		s.add(d, entries)
	}
	return d
}

// sort sorts the names.
func (d *directory) sort() {
	if d.unsorted {
		slices.Sort(d.files)
		slices.Sort(d.dirs)
		d.unsorted = false
	}
}

// sample lists at most sampleSize names of a directory, in the order of their names.
func (s *contents) sample(dir string) *directory {
	if d := s.listed[dir]; d != nil {
		return d
	}
	entries, complete, err := checkpoint.ReadSample(s.c.FS, path.Join(s.c.Dir, dir), sampleSize)
	if err != nil {
		return s.list(dir)
	}
	d := &directory{dir: dir, complete: complete}
	s.add(d, entries)
	s.listed[dir] = d
	return d
}

// readConfig reads a config, once. name is relative to the checkpoint.
func (s *contents) readConfig(name string) (gjson.Result, error) {
	if p, ok := s.configs[name]; ok {
		return p.value, p.err
	}
	var p parsedConfig
	if name == s.c.Doc.File && name == config.ConfigJSON && len(s.c.Doc.Data) > 0 { // read already, as the main file
		p.value = gjson.ParseBytes(bytes.TrimPrefix(s.c.Doc.Data, []byte("\xEF\xBB\xBF")))
	} else if d := s.listed[path.Dir(name)]; d != nil && !d.irregular && slices.Contains(d.files, path.Base(name)) {
		p.value, p.err = s.c.ReadListedJSONOrYAML(name)
	} else {
		p.value, p.err = s.c.ReadJSONOrYAML(name)
	}
	if len(p.value.Raw) <= maxKeptConfig {
		s.configs[name] = p
	}
	return p.value, p.err
}

// listAll lists the directories of the checkpoint, breadth first, each level in the
// order of the names.
func (s *contents) listAll() (dirs []*directory) {
	dirs = append(dirs, s.list("."))
	names := []string{"."}
	for i := 0; i < len(dirs); i++ {
		d := dirs[i]
		if d.depth() > maxSAEDepth {
			continue
		}
		for _, name := range d.dirs {
			if len(names) == maxSAEDirs {
				return dirs
			}
			names = append(names, name)
			dirs = append(dirs, s.list(path.Join(d.dir, name)))
		}
	}
	return dirs
}
