// Package sae recognizes releases of sparse autoencoders: the directories of the
// autoencoders, their family, the sites and layers of the base model that they read, and
// the base model itself. It reads configs and names, and no weights.
package sae

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/tree"
)

// autoencoder is one directory of a release that has the files of an autoencoder.
type autoencoder struct {
	Family string
	dir    string // relative to the checkpoint
	config string // base name of the config in dir, "" where the family has none
}

// Release is a directory tree with sparse autoencoders.
type Release struct {
	Sites        []string      // those of checkpoint.SAEDirectories that the checkpoint has, in that order
	Autoencoders []autoencoder // in the order of the directories
	directories  []directory
}

// DecidedBy names the files or directories by which the release was recognized.
func (r *Release) DecidedBy() string {
	if len(r.Autoencoders) > 0 {
		a := r.Autoencoders[0]
		what := "files"
		if a.config != "" {
			what = path.Join(a.dir, a.config)
		} else if a.dir != "." {
			what = "files in " + a.dir
		}
		return what + ", as the family " + a.Family + " has them"
	}
	if len(r.Sites) == 1 {
		return "directory " + r.Sites[0]
	}
	return "directories " + strings.Join(r.Sites, ", ")
}

// Find looks for sparse autoencoders in a checkpoint, and gives nil where there are
// none. A directory with a tokenizer, a pipeline or an adapter is none; one whose config
// names a class or a model type is none unless it has the files of an autoencoder. Where
// only directories named like sites are found, the release has no Autoencoders.
func Find(c *checkpoint.Directory) *Release {
	if c.Markers.Has(checkpoint.MarkerTokenizer | checkpoint.MarkerModelIndex | checkpoint.MarkerModularIndex | checkpoint.MarkerAdapter) {
		return nil
	}
	named := len(c.Classes) > 0 || c.Family() != nil
	if named && !c.Markers.Has(checkpoint.MarkerSAEDirectory) {
		return nil // an ordinary model: no more files are read
	}
	r := &Release{}
	if c.Markers.Has(checkpoint.MarkerSAEDirectory) {
		for _, name := range checkpoint.SAEDirectories() {
			if c.HasDir(name) {
				r.Sites = append(r.Sites, name)
			}
		}
	}
	if !named || len(r.Sites) > 0 {
		r.directories = listDirectories(c)
		r.Autoencoders = findAutoencoders(c, r.directories, r.Sites)
	}
	if len(r.Autoencoders) == 0 {
		r.Sites = slices.DeleteFunc(r.Sites, r.hasNoAutoencoderFile)
		if named || len(r.Sites) == 0 {
			return nil
		}
	}
	return r
}

// hasNoAutoencoderFile tells whether a directory named like a site has files, and none
// that an autoencoder could have: source code, for instance.
func (r *Release) hasNoAutoencoderFile(site string) bool {
	files := 0
	for _, d := range r.directories {
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

// autoencoderExtensions are the extensions of the files that releases of autoencoders
// have.
var autoencoderExtensions = [...]string{".json", ".yaml", ".safetensors", ".npz", ".pt", ".pth", ".bin", ".md"}

// Limits of the directories that are listed: the largest public releases have about
// 2,000, three levels deep.
const (
	maxSAEDepth = 4
	maxSAEDirs  = 4000
)

// directory is one directory of a release, with the names of its files.
type directory struct {
	dir   string // relative to the checkpoint
	files []string
}

// listDirectories lists the directories of a checkpoint, breadth first, each level in
// the order of the listing.
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
				d = &dirs[i] // append may have reallocated dirs
			}
		}
	}
	return dirs
}
