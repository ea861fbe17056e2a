package checkpoint

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"omniloader/loader/internal/config"
	"omniloader/loader/internal/registry"
	"omniloader/loader/internal/tree"
	"omniloader/loader/regular"
)

// rootSample is how many names of a checkpoint OpenToClassify reads. Only releases of
// sparse autoencoders, and checkpoints of very many shards, have more.
const rootSample = 128

// OpenToClassify is OpenDir for questions that package detect answers by the category: of
// a pipeline only the index is read, and of a very long listing only a part. Then IsSample
// is set, and Complete lists the directory.
func OpenToClassify(custom *registry.Registry, fsys fs.FS, dir string) (*Directory, error) {
	c := pool.Get().(*Directory)
	c.CustomRegistry, c.OnlyClassify = custom, true
	info, statErr := fs.Stat(fsys, inDir(dir, config.ModelIndexJSON))
	var done bool
	var err error
	if statErr == nil && info.Mode().IsRegular() {
		done, err = c.openPipeline(fsys, dir)
	}
	switch {
	case err != nil || done:
	case errors.Is(statErr, fs.ErrNotExist) && fs.ValidPath(dir): // no file, but a directory or nothing
		err = c.openSampled(fsys, dir)
	default:
		err = c.openListed(fsys, dir)
	}
	if err != nil {
		c.Release()
		return nil, err
	}
	return c, nil
}

// inDir is the path of a file in a directory, which need not be cleaned.
func inDir(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// openPipeline reads the index of a pipeline, which is there, without listing the
// directory; done is false where another file may be the main one.
func (c *Directory) openPipeline(fsys fs.FS, dir string) (done bool, err error) {
	index := inDir(dir, config.ModelIndexJSON)
	if _, err := fs.Stat(fsys, inDir(dir, config.ConfigJSON)); !errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	f, size, err := regular.OpenListed(fsys, index, config.ModelIndexJSON)
	if err != nil {
		return false, nil // the usual way reports it
	}
	data, err := tree.ReadOpened(f, size, config.ModelIndexJSON, config.MaxSize, c.Doc.Data)
	if err != nil {
		return true, err
	}
	if err := config.ParseDocument(config.ModelIndexJSON, data, &c.Doc); err != nil {
		return true, err
	}
	if c.Doc.IsSet(config.KeyConfigurationFiles) {
		c.Doc = config.Document{}
		return false, nil
	}
	c.FS, c.Dir, c.IsSample, c.Markers = fsys, dir, true, MarkerModelIndex
	c.setMainFile(config.ModelIndexJSON)
	return true, nil
}

// openSampled is openListed that reads only a part of a very long listing, where no name
// in the directory is one that releases of sparse autoencoders do not have.
func (c *Directory) openSampled(fsys fs.FS, dir string) error {
	d, err := regular.OpenDir(fsys, dir)
	if err != nil {
		return c.openListed(fsys, dir)
	}
	defer d.Close()
	entries, err := regular.NextNames(d, rootSample)
	if err != nil {
		return c.openListed(fsys, dir)
	}
	sortEntries(entries)
	c.setEntries(fsys, dir, entries)
	if len(entries) < rootSample {
		return c.finishOpening()
	}
	c.IsSample = true
	if c.findMarkersOfSample(); !c.Markers.Has(^markersOfReleases) {
		return c.ReadMainFile()
	}
	c.IsSample = false
	rest, err := regular.NextNames(d, -1)
	if err != nil {
		return c.openListed(fsys, dir)
	}
	entries = append(entries, rest...)
	sortEntries(entries)
	c.setEntries(fsys, dir, entries)
	return c.finishOpening()
}

// openListed lists the directory, and parses the main file.
func (c *Directory) openListed(fsys fs.FS, dir string) error {
	if err := c.ListDir(fsys, dir); err != nil {
		return err
	}
	return c.finishOpening()
}

// finishOpening replaces the listing of a repository in the Hugging Face cache by that of
// its snapshot, and parses the main file.
func (c *Directory) finishOpening() error {
	if err := c.resolveSnapshot(); err != nil {
		return err
	}
	return c.ReadMainFile()
}

// markersOfReleases are the markers that releases of sparse autoencoders may have.
const markersOfReleases = MarkerConfig | MarkerSAEDirectory

// findMarkersOfSample sets Markers by asking for every name that is not in the sample, until
// one is found that a release of sparse autoencoders does not have.
func (c *Directory) findMarkersOfSample() {
	for name, marker := range markerOfName() {
		if c.Markers.Has(^markersOfReleases) {
			return
		}
		if c.Markers.Has(marker) {
			continue
		}
		if _, err := fs.Stat(c.FS, inDir(c.Dir, name)); err == nil {
			c.Markers |= marker
		}
	}
}

// Complete lists the directory of which a sample was read. A directory that cannot be
// listed keeps its sample.
func (c *Directory) Complete() {
	if !c.IsSample {
		return
	}
	if err := c.ListDir(c.FS, c.Dir); err == nil {
		c.IsSample = false
	}
}

// ReadSample reads n names of a directory and sorts them: the first n of all in the order
// of the filesystem, which is any. complete is true where there are fewer. dir must be
// known to be no named pipe and no device.
func ReadSample(fsys fs.FS, dir string, n int) (entries []fs.DirEntry, complete bool, err error) {
	entries, err = regular.ReadNames(fsys, dir, n)
	sortEntries(entries)
	return entries, len(entries) < n, err
}

func sortEntries(entries []fs.DirEntry) {
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
}
