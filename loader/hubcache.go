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

// intoCache gives the snapshot that stands for a repository's directory in the
// cache: the one that refs/main names, else the only one there is. Where that is
// not clear, the directory stays itself, with the snapshots as candidates.
func (c *checkpoint) intoCache() (*checkpoint, error) {
	entries, err := fs.ReadDir(c.fsys, join(c.dir, dirSnapshots))
	if err != nil {
		return c, nil // a file of that name: no cache
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
		return c, nil
	}
	s, err := listPlain(c.fsys, path.Join(c.dir, dirSnapshots, commit))
	if err != nil {
		return nil, fault.New(fault.Unreadable, path.Join(dirSnapshots, commit), "the snapshot cannot be listed").WithCause(err)
	}
	s.given, s.via = c.dir, "; in "+path.Join(dirSnapshots, commit)+via
	return s, nil
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

// repositoryName is the bare name of the repository that a directory of the
// cache stands for, "" where it is none.
func repositoryName(dir string) string {
	name, ok := strings.CutPrefix(path.Base(dir), "models--")
	if !ok {
		return ""
	}
	return name[strings.LastIndex(name, "--")+len("--"):]
}
