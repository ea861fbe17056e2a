// Package sae finds sparse autoencoders in a directory, and the model that they
// read.
package sae

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/tree"
)

// autoencoder is one directory of a release that holds an autoencoder.
type autoencoder struct {
	Family string
	dir    string // below the checkpoint, "." for its root
	config string // the config file in dir, "" where the family has none
}

// Release is what makes a directory a release of sparse autoencoders.
type Release struct {
	Sites        []string      // indicator directories, in table order
	Autoencoders []autoencoder // autoencoders found, in the order of the walk
	directories  []directory   // what was walked
}

func (e *Release) DecidedBy() string {
	if len(e.Autoencoders) > 0 {
		u := e.Autoencoders[0]
		what := "files"
		if u.config != "" {
			what = path.Join(u.dir, u.config)
		} else if u.dir != "." {
			what = "files in " + u.dir
		}
		return what + ", as the family " + u.Family + " has them"
	}
	if len(e.Sites) == 1 {
		return "directory " + e.Sites[0]
	}
	return "directories " + strings.Join(e.Sites, ", ")
}

// Find looks for sparse autoencoders. A tokenizer beside them says that it is
// none; so does a config that names a class, unless an autoencoder's files are
// inside. Directories that are merely called like a site count where nothing
// else speaks: with lower confidence, which is a finding.
func Find(c *checkpoint.Directory) *Release {
	if c.Markers.Has(checkpoint.MarkerTokenizer | checkpoint.MarkerModelIndex | checkpoint.MarkerModularIndex | checkpoint.MarkerAdapter) {
		return nil
	}
	named := len(c.Classes) > 0 || c.Family() != nil
	if named && !c.Markers.Has(checkpoint.MarkerSAEDirectory) {
		return nil // the way of ordinary models: nothing more is read
	}
	e := &Release{}
	if c.Markers.Has(checkpoint.MarkerSAEDirectory) {
		for _, name := range checkpoint.SAEDirectories() {
			if c.HasDir(name) {
				e.Sites = append(e.Sites, name)
			}
		}
	}
	if !named || len(e.Sites) > 0 {
		e.directories = listDirectories(c)
		e.Autoencoders = findAutoencoders(c, e.directories, e.Sites)
	}
	if len(e.Autoencoders) == 0 {
		e.Sites = slices.DeleteFunc(e.Sites, e.hasNoAutoencoderFile)
		if named || len(e.Sites) == 0 {
			return nil
		}
	}
	return e
}

// hasNoAutoencoderFile tells whether the directory called like a site has files, and
// none of them could be of an autoencoder: a program's source code, say.
func (e *Release) hasNoAutoencoderFile(site string) bool {
	files := 0
	for _, d := range e.directories {
		if d.dir != site && !strings.HasPrefix(d.dir, site+"/") {
			continue
		}
		for _, name := range d.files {
			if slices.Contains(autoencoderExtensions[:], path.Ext(name)) {
				return false
			}
		}
		files += len(d.files)
	}
	return files > 0
}

// autoencoderExtensions are those of the files that autoencoders are kept in, and of the
// notes that may stand in for them.
var autoencoderExtensions = [...]string{".json", ".yaml", ".safetensors", ".npz", ".pt", ".pth", ".bin", ".md"}

// Bounds on what is looked at to find autoencoders: the largest public releases
// have about 2,000 directories, three levels deep.
const (
	maxSAEDepth = 4
	maxSAEDirs  = 4000
)

// directory is one directory of a release.
type directory struct {
	dir   string // below the checkpoint
	files []string
}

// listDirectories lists the directories of the checkpoint, nearest first, sorted.
func listDirectories(c *checkpoint.Directory) (dirs []directory) {
	dirs = append(dirs, directory{dir: "."})
	entries := c.Entries
	for i := 0; i < len(dirs); i++ {
		d := &dirs[i]
		if i > 0 {
			var err error
			if entries, err = fs.ReadDir(c.FS, path.Join(c.Dir, d.dir)); err != nil {
				continue
			}
		}
		depth := strings.Count(d.dir, "/")
		for _, e := range entries {
			name := e.Name()
			if !tree.IsDir(c.FS, path.Join(c.Dir, d.dir), e) {
				d.files = append(d.files, name)
			} else if depth < maxSAEDepth && len(dirs) < maxSAEDirs && name[0] != '.' {
				dirs = append(dirs, directory{dir: path.Join(d.dir, name)})
				d = &dirs[i] // append may have moved it
			}
		}
	}
	return dirs
}
