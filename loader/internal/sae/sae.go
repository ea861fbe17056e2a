// Package sae recognizes releases of sparse autoencoders: the directories of the
// autoencoders, their family, the sites and layers of the base model that they read, and
// the base model itself. It reads configs and names, and no weights.
package sae

import (
	"path"
	"slices"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
)

// autoencoder is one directory of a release that has the files of an autoencoder.
type autoencoder struct {
	family string
	dir    string // relative to the checkpoint
	config string // base name of the config in dir, "" where the family has none
}

// Release is a directory tree with sparse autoencoders.
type Release struct {
	Sites []string // those of checkpoint.SAEDirectories that the checkpoint has, in that order

	first   *autoencoder // nil where only names of directories show the release
	sampled string       // the directory above first of whose names only some were read, "" where there is none
	*contents
}

// Family is the family of the first autoencoder, in the order of the names;
// answer.UnknownName where there is none.
func (r *Release) Family() string {
	if r.first == nil {
		return answer.UnknownName
	}
	return r.first.family
}

// HasAutoencoders tells whether an autoencoder was found by its files.
func (r *Release) HasAutoencoders() bool { return r.first != nil }

// DecidedBy names the files or directories by which the release was recognized.
func (r *Release) DecidedBy() string {
	if a := r.first; a != nil {
		what := "files"
		switch {
		case r.sampled == ".":
			what = "files in its directories"
		case r.sampled != "":
			what = "files below " + r.sampled
		case a.config != "":
			what = path.Join(a.dir, a.config)
		case a.dir != ".":
			what = "files in " + a.dir
		}
		return what + ", as the family " + a.family + " has them"
	}
	if len(r.Sites) == 1 {
		return "directory " + r.Sites[0]
	}
	return "directories " + strings.Join(r.Sites, ", ")
}

// Find looks for sparse autoencoders in a checkpoint, and gives nil where there are
// none. A directory with a tokenizer, a pipeline or an adapter is none; one whose config
// names a class or a model type is none unless it has the files of an autoencoder.
//
// It stops at the first autoencoder, so that its time does not depend on how many there
// are. Where the checkpoint was opened by checkpoint.OpenToClassify, names of directories
// that no other program uses are enough, and of long listings a part is read.
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
		r.Sites = make([]string, 0, len(checkpoint.SAEDirectories()))
		for _, name := range checkpoint.SAEDirectories() {
			if c.HasDir(name) {
				r.Sites = append(r.Sites, name)
			}
		}
	}
	if named && len(r.Sites) == 0 {
		return nil
	}
	if c.OnlyClassify && !named && showsRelease(c, r.Sites) {
		return r
	}
	r.contents = newContents(c)
	s := search{r: r, get: r.list}
	if c.OnlyClassify {
		s.get = r.sample
	}
	if r.first = s.find("."); r.first == nil {
		r.Sites = slices.DeleteFunc(r.Sites, r.hasNoAutoencoderFile)
		if named || len(r.Sites) == 0 {
			return nil
		}
	}
	return r
}

// showsRelease tells whether the names in the directory show a release: one that only
// releases have, and besides sites only what any repository has. It is not asked what is
// in the sites, whose listings may be long.
func showsRelease(c *checkpoint.Directory, sites []string) bool {
	if c.IsSample || !slices.ContainsFunc(sites, checkpoint.IsDistinctiveSAEDirectory) {
		return false
	}
	for _, name := range c.Names {
		if !slices.Contains(sites, name) && !isNeutral(name) {
			return false
		}
	}
	return true
}

// isNeutral tells whether a file or directory of this name says nothing about what a
// repository is.
func isNeutral(name string) bool {
	if name[0] == '.' || name == config.ConfigJSON {
		return true
	}
	switch path.Ext(name) {
	case ".md", ".txt", ".png", ".jpg", ".svg", ".pdf":
		return true
	case "":
		return strings.HasPrefix(name, "README") || strings.HasPrefix(name, "LICENSE") || strings.HasPrefix(name, "NOTICE")
	}
	return false
}

// search looks for the first autoencoder, a directory before those in it.
type search struct {
	r       *Release
	get     func(dir string) *directory // lists a directory, or a part of it
	visited int
}

// find gives the first autoencoder at or below a directory, nil where there is none.
func (s *search) find(dir string) *autoencoder {
	if s.visited++; s.visited > maxSAEDirs {
		return nil
	}
	d := s.get(dir)
	a := s.findIn(d, nil)
	switch {
	case d.complete:
		return a
	case a != nil:
		s.r.sampled = d.dir
		return a
	}
	return s.findIn(s.r.list(dir), d.dirs)
}

// findIn is find for a directory that was listed; the directories named in except were
// searched before.
func (s *search) findIn(d *directory, except []string) *autoencoder {
	if a, ok := s.r.match(d); ok {
		return &a
	}
	if d.depth() > maxSAEDepth {
		return nil
	}
	for _, name := range d.dirs {
		if slices.Contains(except, name) {
			continue
		}
		if a := s.find(path.Join(d.dir, name)); a != nil {
			return a
		}
	}
	return nil
}

// hasNoAutoencoderFile tells whether a directory named like a site has files, and none
// that an autoencoder could have: source code, for instance.
func (r *Release) hasNoAutoencoderFile(site string) bool {
	files := 0
	for _, d := range r.listAll() {
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
