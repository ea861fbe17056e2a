// Package hubcache knows how huggingface_hub keeps downloads on disk: repositories
// with refs, snapshots and blobs, the list of a commit's files, and the records of
// a download into a directory. No other package knows these names.
package hubcache

import (
	"io/fs"
	"path"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/internal/config"
	"omniloader/loader/internal/tree"
)

// FindSnapshot is where a model is in the layout of the Hugging Face cache:
// models--org--name/snapshots/<commit>, where refs/<revision> names the commit. Where
// no ref does and none is asked for, a snapshot that stands alone is taken; where
// there is none, the place is the model's own directory in the cache.
func FindSnapshot(fsys fs.FS, cache, name, revision string) string {
	repo := path.Join(cache, "models--"+strings.ReplaceAll(name, "/", "--"))
	ref := MainRef
	if revision != "" {
		ref = path.Join("refs", revision)
	}
	if text, err := tree.ReadFile(fsys, repo, ref, MaxRefSize); err == nil {
		if commit := strings.TrimSpace(string(text)); commit != "" && !strings.Contains(commit, "/") && fs.ValidPath(commit) {
			return path.Join(repo, SnapshotsDir, commit)
		}
	}
	if revision != "" { // a commit; any other is not here
		return path.Join(repo, SnapshotsDir, path.Base(revision))
	}
	snapshots, err := fs.ReadDir(fsys, path.Join(repo, SnapshotsDir))
	if err != nil || len(snapshots) != 1 {
		return repo
	}
	return path.Join(repo, SnapshotsDir, snapshots[0].Name())
}

// Repository is the checkpoint's place in a Hugging Face cache:
// models--org--name/snapshots/<commit>.
type Repository struct {
	Dir    string // models--org--name, as a path of the filesystem
	ID     string // "org/name"
	Commit string // of the checkpoint, "" where it is the repository's own directory
}

// MaxTree bounds the cache's list of a repository's files, in bytes: a list of a
// hundred thousand files has 20 MB.
const MaxTreeSize = 64 << 20

// TreeFile is one file of a repository, size -1 where the list does not say.
type TreeFile struct {
	Name string
	Size int64
}

// ParseTree reads the cache's list of a commit's files, in its order. Source of
// the format: huggingface_hub's _tree_cache.py, format_version 1.
func ParseTree(name string, data []byte) (files []TreeFile, err error) {
	var doc config.Document
	if err := config.ParseDocument(name, data, &doc); err != nil {
		return nil, err
	}
	return membersOf(data), nil
}

// membersOf reads the "files" of a checked list.
func membersOf(data []byte) (files []TreeFile) {
	gjson.GetBytes(data, "files").ForEach(func(name, file gjson.Result) bool {
		f := TreeFile{name.String(), -1}
		for _, key := range [...]string{"lfs_size", "size"} {
			if n := file.Get(key); n.Type == gjson.Number && n.Num >= 0 {
				f.Size = n.Int()
				break
			}
		}
		files = append(files, f)
		return true
	})
	return files
}

// Records is where huggingface_hub keeps what it knows of a download: a lock and
// a record for each file.
const LocalDir = ".cache/huggingface/"

// A download into a directory leaves a record of each file: the commit, the hash,
// the time.
const (
	LocalRecordsDir    = ".cache/huggingface/download/"
	MaxLocalRecordSize = 4 << 10 // bytes; real ones have about 150
)
