package checkpoint

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/hubcache"
	"omniloader/loader/internal/tree"
)

// CacheRepository gives the repository of the Hugging Face cache that the directory
// belongs to; ok is false where it is in no cache.
func (c *Directory) CacheRepository() (r hubcache.Repository, ok bool) {
	return hubcache.ParseRepository(c.Dir)
}

// DownloadHint says how to get a missing file of the checkpoint: the command for a
// checkpoint in the Hugging Face cache. An empty name is for all files.
func (c *Directory) DownloadHint(file string) string {
	if r, ok := c.CacheRepository(); ok {
		if file == "" || file == "." {
			return "hf download " + r.ID
		}
		return "hf download " + r.ID + " " + file
	}
	return "download it again from the model's repository"
}

// openSnapshot replaces the listing of a repository's directory in the cache by that of
// a snapshot: the one that refs/main names, else the only one. Where neither exists, the
// listing stays, and Snapshots is set.
func (c *Directory) openSnapshot() error {
	entries, err := fs.ReadDir(c.FS, tree.Join(c.Dir, hubcache.SnapshotsDir))
	if err != nil {
		return nil // a file of that name: no cache
	}
	var names []string
	for _, e := range entries {
		if tree.IsDir(c.FS, tree.Join(c.Dir, hubcache.SnapshotsDir), e) {
			names = append(names, e.Name())
		}
	}
	commit, via := "", ""
	if data, err := tree.ReadLimited(c.FS, c.Dir, hubcache.MainRef, hubcache.MaxRefSize); err == nil {
		commit, via = strings.TrimSpace(string(data)), ", which "+hubcache.MainRef+" names"
	} else if len(names) == 1 {
		commit, via = names[0], ", the only snapshot"
	}
	if !slices.Contains(names, commit) {
		if commit != "" {
			c.Findings = append(c.Findings, finding.New(finding.CacheRefDangling, hubcache.MainRef,
				"names the snapshot "+commit+", which is not there", "download the model again, or give the directory of another snapshot"))
		}
		for _, name := range names {
			c.Snapshots = append(c.Snapshots, path.Join(hubcache.SnapshotsDir, name))
		}
		return nil
	}
	snapshot := path.Join(hubcache.SnapshotsDir, commit)
	s := Directory{Doc: config.Document{Data: c.Doc.Data}, CustomRegistry: c.CustomRegistry, OnlyClassify: c.OnlyClassify, requestedDir: c.Dir, ResolvedVia: "; in " + snapshot + via}
	if err := s.ListDir(c.FS, path.Join(c.Dir, snapshot)); err != nil {
		return fault.New(fault.Unreadable, snapshot, "the snapshot cannot be listed").WithCause(err)
	}
	*c = s
	return nil
}
