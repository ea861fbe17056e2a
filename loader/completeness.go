package loader

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/sniff"
	"omniloader/loader/tokenizer"
)

// repository is the checkpoint's place in a Hugging Face cache:
// models--org--name/snapshots/<commit>.
type repository struct {
	dir    string // models--org--name, as a path of the filesystem
	id     string // "org/name"
	commit string // of the checkpoint, "" where it is the repository's own directory
}

// repository tells where in a cache the checkpoint is; ok is false where it is
// in none.
func (c *checkpoint) repository() (r repository, ok bool) {
	dir := c.dir
	if up := path.Dir(dir); path.Base(up) == "snapshots" {
		r.commit, dir = path.Base(dir), path.Dir(up)
	}
	name, ok := strings.CutPrefix(path.Base(dir), "models--")
	r.dir, r.id = dir, strings.ReplaceAll(name, "--", "/")
	return r, ok
}

// howToGet is the way to a file that is missing.
func (c *checkpoint) howToGet(file string) string {
	if r, ok := c.repository(); ok {
		if file == "" || file == "." {
			return "hf download " + r.id
		}
		return "hf download " + r.id + " " + file
	}
	return "download it again from the model's repository"
}

// maxTree bounds the cache's list of a repository's files, in bytes: a list of a
// hundred thousand files has 20 MB.
const maxTree = 64 << 20

// checkCache compares the checkpoint with what the Hugging Face cache knows of
// its repository: the list of the commit's files where a newer client left one,
// the refs, and downloads that did not end.
func (c *checkpoint) checkCache(files []fileInfo, w *WeightsInfo) (findings []Finding) {
	r, ok := c.repository()
	if !ok {
		return nil
	}
	findings = append(findings, c.checkRefs(r)...)
	if entries, err := fs.ReadDir(c.fsys, path.Join(r.dir, "blobs")); err == nil {
		for _, e := range entries {
			if p := sniff.Unfinished("blobs/" + e.Name()); p != nil {
				size := ""
				if info, err := e.Info(); err == nil {
					size = ", of " + sniff.ByteSize(info.Size())
				}
				findings = append(findings, finding(CodeIncompleteDownload, "blobs/"+e.Name(), p.Detail+size, "hf download "+r.id))
			}
		}
	}
	if r.commit != "" {
		findings = append(findings, c.checkTree(r, files, w)...)
	}
	return findings
}

// checkRefs looks for refs to commits whose snapshot is not there.
func (c *checkpoint) checkRefs(r repository) (findings []Finding) {
	refs := path.Join(r.dir, "refs")
	_ = fs.WalkDir(c.fsys, refs, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // without refs there is nothing to follow
		}
		data, err := readFile(c.fsys, r.dir, relative(r.dir, p), maxSniff)
		commit := strings.TrimSpace(string(data))
		if err != nil || commit == "" || strings.Contains(commit, "/") || !fs.ValidPath(commit) {
			return nil
		}
		if _, err := fs.Stat(c.fsys, path.Join(r.dir, "snapshots", commit)); err != nil {
			findings = append(findings, finding(CodeCacheRefDangling, relative(r.dir, p),
				fmt.Sprintf("it names the commit %.12s, and its snapshot is not there", commit), "hf download "+r.id))
		}
		return nil
	})
	return findings
}

// checkTree compares the snapshot with the list of its commit's files. A
// download may leave files out on purpose: what is missing matters where the
// weights in use, or what describes them, need it.
func (c *checkpoint) checkTree(r repository, files []fileInfo, w *WeightsInfo) (findings []Finding) {
	name := "trees/" + r.commit + ".json"
	if _, err := fs.Stat(c.fsys, path.Join(r.dir, name)); err != nil {
		return nil
	}
	data, err := readFile(c.fsys, r.dir, name, maxTree)
	if err != nil {
		return nil
	}
	entries, err := treeFiles(name, data)
	if err != nil {
		return []Finding{finding(CodeFileUnreadable, name, withoutPath(err), "run the download again")}
	}
	var left []string
	for _, e := range entries {
		i := slices.IndexFunc(files, func(f fileInfo) bool { return f.name == e.name })
		switch {
		case i >= 0 && files[i].problem == nil && e.size >= 0 && files[i].size != e.size:
			findings = append(findings, finding(CodeFileSize, e.name,
				fmt.Sprintf("it has %s, and the repository's %s", exactBytes(files[i].size), exactBytes(e.size)), "delete it and run hf download "+r.id+" "+e.name))
			if w != nil && slices.Contains(w.Files, e.name) {
				w.Complete = false
			}
		case i >= 0:
		case needed(e.name, w):
			findings = append(findings, finding(CodeFileMissing, e.name, "the repository has it, of "+sniff.ByteSize(max(e.size, 0)), "hf download "+r.id+" "+e.name))
			if w != nil && isWeightFile(e.name) && !slices.Contains(w.Missing, e.name) {
				w.Missing = append(w.Missing, e.name)
				w.Complete = false
			}
		default:
			left = append(left, e.name)
		}
	}
	if len(left) > 0 {
		f := finding(CodeFileMissing, "", fmt.Sprintf("%d of the repository's %d files were not downloaded: %s", len(left), len(entries), firstFew(left)), "nothing to do if they were left out on purpose")
		f.Severity = SeverityNote
		findings = append(findings, f)
	}
	return findings
}

// exactBytes writes a size so that two that differ look different.
func exactBytes(n int64) string { return fmt.Sprintf("%d bytes", n) }

func firstFew(names []string) string {
	const few = 3
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:few], ", ") + fmt.Sprintf(" and %d more", len(names)-few)
}

// isWeightFile tells by the extension that a file holds weights.
func isWeightFile(name string) bool {
	_, ok := weightExtensions()[path.Ext(name)]
	return ok
}

// needed tells whether the checkpoint is not whole without a file: what describes
// it and its tokenizer, and the weights of the format and directory in use.
func needed(name string, w *WeightsInfo) bool {
	base, dir := path.Base(name), path.Dir(name)
	if isWeightFile(name) {
		if w == nil || len(w.Files) == 0 {
			return dir == "." && matchWeightName(base) >= 0
		}
		return path.Ext(name) == path.Ext(w.Files[0]) && dir == path.Dir(w.Files[0]) && strings.Count(base, "-") == strings.Count(path.Base(w.Files[0]), "-") &&
			weightNameStem(base) == weightNameStem(path.Base(w.Files[0]))
	}
	return dir == "." && (base == fileConfig || base == fileModelIndex || base == fileAdapter || tokenizer.FileOf(base) || strings.HasSuffix(base, ".index.json"))
}

// weightNameStem is what stands before a shard's number.
func weightNameStem(base string) string {
	before, _, _ := strings.Cut(base, "-0")
	return before
}

// treeFile is one file of a repository, size -1 where the list does not say.
type treeFile struct {
	name string
	size int64
}

// treeFiles reads the cache's list of a commit's files, in its order. Source of
// the format: huggingface_hub's _tree_cache.py, format_version 1.
func treeFiles(name string, data []byte) (files []treeFile, err error) {
	var doc document
	if err := parseDocument(name, data, &doc); err != nil {
		return nil, err
	}
	return membersOf(data), nil
}

// checkLocalDir looks at what a download into a directory left behind: a record
// for each file, and the parts of those that did not end.
func (c *checkpoint) checkLocalDir(files []fileInfo) (findings []Finding) {
	for i := range files {
		rest, ok := strings.CutPrefix(files[i].name, localRecords)
		if !ok {
			continue
		}
		if name, ok := strings.CutSuffix(rest, ".metadata"); ok && !hasFile(files, name) {
			findings = append(findings, finding(CodeFileMissing, name, "it was downloaded once, and is not here now", "run the download again"))
		}
	}
	return findings
}

// membersOf reads the "files" of a checked list.
func membersOf(data []byte) (files []treeFile) {
	gjson.GetBytes(data, "files").ForEach(func(name, file gjson.Result) bool {
		f := treeFile{name.String(), -1}
		for _, key := range [...]string{"lfs_size", "size"} {
			if n := file.Get(key); n.Type == gjson.Number && n.Num >= 0 {
				f.size = n.Int()
				break
			}
		}
		files = append(files, f)
		return true
	})
	return files
}
