package weights

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/hubcache"
	"omniloader/loader/internal/tree"
	"omniloader/loader/tokenizer"
)

// CommitComparison is the result of comparing a snapshot of the Hugging Face cache with
// the list of the commit's files.
type CommitComparison struct {
	List           string // path of the list, relative to the repository's directory
	Err            error  // why it cannot be read; then the fields below are empty
	Files          int    // number of files on the list
	SizeMismatches []SizeMismatch
	Missing        []hubcache.RepositoryFile // not present, and needed for loading
	NotDownloaded  []string                  // not present, and not needed
}

// SizeMismatch is a file whose size is not the one on the list.
type SizeMismatch struct {
	hubcache.RepositoryFile
	ActualSize int64 // in the snapshot, in bytes
}

// CompareWithCommit compares the files with the list of the commit's files, and marks
// missing weights in h, which may be nil. It returns nil where the directory is no
// snapshot of the Hugging Face cache, or there is no list.
func CompareWithCommit(c *checkpoint.Directory, files []tree.File, h *Headers) *CommitComparison {
	r, ok := c.CacheRepository()
	if !ok || r.Commit == "" {
		return nil
	}
	d := &CommitComparison{List: r.TreeFile()}
	var w *answer.WeightsInfo
	if h != nil {
		w = h.Info
	}
	if _, err := fs.Stat(c.FS, path.Join(r.Dir, d.List)); err != nil {
		return nil
	}
	data, err := tree.ReadLimited(c.FS, r.Dir, d.List, hubcache.MaxTreeSize)
	if err != nil {
		return nil
	}
	entries, err := hubcache.ParseTree(d.List, data)
	if err != nil {
		d.Err = err
		return d
	}
	d.Files = len(entries)
	here := make(map[string]*tree.File, len(files))
	for i := range files {
		here[files[i].Name] = &files[i]
	}
	for _, e := range entries {
		f := here[e.Name]
		switch {
		case f != nil && f.Problem == nil && e.Size >= 0 && f.Size != e.Size:
			d.SizeMismatches = append(d.SizeMismatches, SizeMismatch{e, f.Size})
		case f != nil:
		case isRequired(e.Name, w):
			d.Missing = append(d.Missing, e)
		default:
			d.NotDownloaded = append(d.NotDownloaded, e.Name)
		}
	}
	if h != nil {
		d.markMissing(h)
		h.compared("files with the list of the commit's files")
	}
	return d
}

// markMissing sets Incomplete and Missing of h.
func (d *CommitComparison) markMissing(h *Headers) {
	w := h.Info
	for _, o := range d.SizeMismatches {
		if slices.Contains(w.Files, o.Name) {
			h.Incomplete = true
		}
	}
	for _, m := range d.Missing {
		if format.IsWeights(m.Name) && !slices.Contains(w.Missing, m.Name) {
			w.Missing = append(w.Missing, m.Name)
			h.Incomplete = true
		}
	}
}

// isRequired tells whether loading needs a file of the repository: the files that
// describe the model, its tokenizer, and weights of the format and directory in use.
func isRequired(name string, w *answer.WeightsInfo) bool {
	base, dir := path.Base(name), path.Dir(name)
	if format.IsWeights(name) {
		if w == nil || len(w.Files) == 0 {
			return dir == "." && format.MatchName(base) != nil
		}
		return path.Ext(name) == path.Ext(w.Files[0]) && dir == path.Dir(w.Files[0]) && strings.Count(base, "-") == strings.Count(path.Base(w.Files[0]), "-") &&
			stemBeforeNumber(base) == stemBeforeNumber(path.Base(w.Files[0]))
	}
	return dir == "." && (base == config.ConfigJSON || base == config.ModelIndexJSON || base == config.AdapterConfigJSON || tokenizer.FileOf(base) || strings.HasSuffix(base, ".index.json"))
}

// stemBeforeNumber gives the part of a name before the number of the shard.
func stemBeforeNumber(base string) string {
	before, _, _ := strings.Cut(base, "-0")
	return before
}
