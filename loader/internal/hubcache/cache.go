// Package hubcache reads the directories that huggingface_hub downloads to: the cache, with
// its refs, snapshots, blobs and lists of a commit's files, and the records of a download
// into a directory of the user's choice. It downloads nothing. Within the loader, the names
// of these files are here, but for that of an unfinished download, which package sniff
// recognizes; outside of it, internal/hub, internal/record and steps have their own.
package hubcache

import (
	"io/fs"
	"path"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/internal/config"
	"omniloader/loader/internal/tree"
)

// The cache has a directory models--<org>--<name> for each repository. In it,
// refs/<branch> holds the name of a commit, snapshots/<commit> the files of the commit,
// mostly as links to files in blobs, and trees/<commit>.json the list of these files.
// Source: huggingface_hub, docs/source/en/guides/manage-cache.md.
const (
	SnapshotsDir     = "snapshots"
	RefsDir          = "refs"
	BlobsDir         = "blobs"
	MainRef          = "refs/main"
	RepositoryPrefix = "models--"
)

// Limits of the files that are read, in bytes.
const (
	MaxRefSize         = 256      // the name of a commit has 40 hexadecimal digits
	MaxTreeSize        = 64 << 20 // the list of a hundred thousand files has 20 MB
	MaxLocalRecordSize = 4 << 10  // real ones have about 150
)

// A download into a directory (hf download --local-dir) leaves a lock and a record for
// each file: the commit, the hash, the time. Source: huggingface_hub, _local_folder.py.
const (
	LocalDir          = ".cache/huggingface/"
	LocalRecordsDir   = LocalDir + "download/"
	LocalRecordSuffix = ".metadata"
)

// Repository is the place of a repository in the cache.
type Repository struct {
	Dir    string // models--org--name, as a path of the filesystem
	ID     string // "org/name"
	Commit string // of the snapshot, "" for the repository's own directory
}

// ParseRepository gives the repository whose directory, or one of whose snapshots, dir is;
// ok is false where dir is neither. It reads no files.
func ParseRepository(dir string) (r Repository, ok bool) {
	if up := path.Dir(dir); path.Base(up) == SnapshotsDir {
		r.Commit, dir = path.Base(dir), path.Dir(up)
	}
	name, ok := strings.CutPrefix(path.Base(dir), RepositoryPrefix)
	r.Dir, r.ID = dir, strings.ReplaceAll(name, "--", "/")
	return r, ok
}

// TreeFile is the path of the list of the commit's files, relative to Dir.
func (r Repository) TreeFile() string { return "trees/" + r.Commit + ".json" }

// FindSnapshot gives the directory of a model's snapshot in a cache. revision is a branch,
// a tag or a commit, "" for the main branch. Where no ref names the commit of the main
// branch, the only snapshot is used; where that is not clear, it is the directory of the
// repository. The directory need not exist.
func FindSnapshot(fsys fs.FS, cache, name, revision string) string {
	repo := path.Join(cache, RepositoryPrefix+strings.ReplaceAll(name, "/", "--"))
	ref := MainRef
	if revision != "" {
		ref = path.Join(RefsDir, revision)
	}
	if text, err := tree.ReadLimited(fsys, repo, ref, MaxRefSize); err == nil {
		if commit := strings.TrimSpace(string(text)); commit != "" && !strings.Contains(commit, "/") && fs.ValidPath(commit) {
			return path.Join(repo, SnapshotsDir, commit)
		}
	}
	if revision != "" { // a commit, or a branch that is not in the cache
		return path.Join(repo, SnapshotsDir, path.Base(revision))
	}
	snapshots, err := fs.ReadDir(fsys, path.Join(repo, SnapshotsDir))
	if err != nil || len(snapshots) != 1 {
		return repo
	}
	return path.Join(repo, SnapshotsDir, snapshots[0].Name())
}

// RepositoryFile is one file of a repository, as the list of a commit has it.
type RepositoryFile struct {
	Name string
	Size int64  // in bytes, -1 where the list does not have it
	Hash string // SHA-256 of a Git LFS file, else git's hash of the file; "" where the list has neither
}

// ParseTree parses data, the list of a commit's files, in its order; name is the list's
// name in errors. Source: huggingface_hub, _tree_cache.py, format_version 1.
func ParseTree(name string, data []byte) (files []RepositoryFile, err error) {
	var doc config.Document
	if err := config.ParseDocument(name, data, &doc); err != nil {
		return nil, err
	}
	gjson.GetBytes(data, "files").ForEach(func(name, entry gjson.Result) bool {
		f := RepositoryFile{Name: name.String(), Size: -1, Hash: entry.Get("lfs_sha256").Str}
		if f.Hash == "" {
			f.Hash = entry.Get("blob_id").Str
		}
		for _, key := range [...]string{"lfs_size", "size"} {
			if n := entry.Get(key); n.Type == gjson.Number && n.Num >= 0 {
				f.Size = n.Int()
				break
			}
		}
		files = append(files, f)
		return true
	})
	return files, nil
}
