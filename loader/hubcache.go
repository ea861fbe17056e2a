package loader

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"omniloader/loader/fault"
)

// The Hugging Face cache keeps a repository as models--<org>--<name>: refs/<branch>
// holds the name of a commit, snapshots/<commit> the files of it, mostly as links
// into blobs. Source: huggingface_hub, docs/source/en/guides/manage-cache.md.
const (
	dirSnapshots = "snapshots"
	fileMainRef  = "refs/main"
	maxRef       = 256 // bytes; a commit has 40 hexadecimal digits
)

// intoCache turns from a repository's directory in the cache to the snapshot that
// stands for it: the one that refs/main names, else the only one there is. Where
// that is not clear, the directory stays itself, with the snapshots as candidates.
func (c *checkpoint) intoCache() error {
	entries, err := fs.ReadDir(c.fsys, join(c.dir, dirSnapshots))
	if err != nil {
		return nil // a file of that name: no cache
	}
	var names []string
	for _, e := range entries {
		if isDir(c.fsys, join(c.dir, dirSnapshots), e) {
			names = append(names, e.Name())
		}
	}
	commit, via := "", ""
	if data, err := readFile(c.fsys, c.dir, fileMainRef, maxRef); err == nil {
		commit, via = strings.TrimSpace(string(data)), ", which "+fileMainRef+" names"
	} else if len(names) == 1 {
		commit, via = names[0], ", the only snapshot"
	}
	if !slices.Contains(names, commit) {
		if commit != "" {
			c.findings = append(c.findings, Finding{SeverityError, CodeCacheRefDangling, fileMainRef,
				"names the snapshot " + commit + ", which is not there", "download the model again, or give the directory of another snapshot"})
		}
		for _, name := range names {
			c.snapshots = append(c.snapshots, path.Join(dirSnapshots, name))
		}
		return nil
	}
	snapshot := path.Join(dirSnapshots, commit)
	s := checkpoint{doc: document{data: c.doc.data}, own: c.own, given: c.dir, via: "; in " + snapshot + via}
	if err := s.listDir(c.fsys, path.Join(c.dir, snapshot)); err != nil {
		return fault.New(fault.Unreadable, snapshot, "the snapshot cannot be listed").WithCause(err)
	}
	*c = s
	return nil
}

// readCache says what is known of a repository's directory in the cache whose
// snapshot is not clear.
func (c *checkpoint) readCache(v *verdict) {
	v.decidedBy = "no rule: the cache holds no snapshot"
	if len(c.snapshots) > 0 {
		v.decidedBy = "no rule: the cache does not say which snapshot is meant"
		v.candidates = c.snapshots
	}
}
