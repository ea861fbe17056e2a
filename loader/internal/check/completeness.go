package check

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/hubcache"
	"omniloader/loader/internal/tree"
	"omniloader/loader/sniff"
	"omniloader/loader/tokenizer"
)

// CheckCache compares the checkpoint with what the Hugging Face cache knows of
// its repository: the list of the commit's files where a newer client left one,
// the refs, and downloads that did not end.
func CheckCache(c *checkpoint.Checkpoint, files []tree.File, w *answer.WeightsInfo) (findings []answer.Finding) {
	r, ok := c.Repository()
	if !ok {
		return nil
	}
	findings = append(findings, checkRefs(c, r)...)
	if entries, err := fs.ReadDir(c.FS, path.Join(r.Dir, "blobs")); err == nil {
		for _, e := range entries {
			if p := sniff.Unfinished("blobs/" + e.Name()); p != nil {
				size := ""
				if info, err := e.Info(); err == nil {
					size = ", of " + sniff.ByteSize(info.Size())
				}
				findings = append(findings, finding.New(finding.IncompleteDownload, "blobs/"+e.Name(), p.Detail+size, "hf download "+r.ID))
			}
		}
	}
	if r.Commit != "" {
		findings = append(findings, checkTree(c, r, files, w)...)
	}
	return findings
}

// checkRefs looks for refs to commits whose snapshot is not there.
func checkRefs(c *checkpoint.Checkpoint, r hubcache.Repository) (findings []answer.Finding) {
	refs := path.Join(r.Dir, "refs")
	_ = fs.WalkDir(c.FS, refs, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // without refs there is nothing to follow
		}
		data, err := tree.ReadBounded(c.FS, r.Dir, tree.Relative(r.Dir, p), config.MaxSniff)
		commit := strings.TrimSpace(string(data))
		if err != nil || commit == "" || strings.Contains(commit, "/") || !fs.ValidPath(commit) {
			return nil
		}
		if _, err := fs.Stat(c.FS, path.Join(r.Dir, "snapshots", commit)); err != nil {
			findings = append(findings, finding.New(finding.CacheRefDangling, tree.Relative(r.Dir, p),
				fmt.Sprintf("it names the commit %.12s, and its snapshot is not there", commit), "hf download "+r.ID))
		}
		return nil
	})
	return findings
}

// checkTree compares the snapshot with the list of its commit's files. A
// download may leave files out on purpose: what is missing matters where the
// weights in use, or what describes them, need it.
func checkTree(c *checkpoint.Checkpoint, r hubcache.Repository, files []tree.File, w *answer.WeightsInfo) (findings []answer.Finding) {
	name := "trees/" + r.Commit + ".json"
	if _, err := fs.Stat(c.FS, path.Join(r.Dir, name)); err != nil {
		return nil
	}
	data, err := tree.ReadBounded(c.FS, r.Dir, name, hubcache.MaxTree)
	if err != nil {
		return nil
	}
	entries, err := hubcache.ParseTree(name, data)
	if err != nil {
		return []answer.Finding{finding.New(finding.FileUnreadable, name, finding.WithoutPath(err), "run the download again")}
	}
	var left []string
	for _, e := range entries {
		i := slices.IndexFunc(files, func(f tree.File) bool { return f.Name == e.Name })
		switch {
		case i >= 0 && files[i].Problem == nil && e.Size >= 0 && files[i].Size != e.Size:
			findings = append(findings, finding.New(finding.FileSize, e.Name,
				fmt.Sprintf("it has %s, and the repository's %s", finding.ExactBytes(files[i].Size), finding.ExactBytes(e.Size)), "delete it and run hf download "+r.ID+" "+e.Name))
			if w != nil && slices.Contains(w.Files, e.Name) {
				w.Complete = false
			}
		case i >= 0:
		case needed(e.Name, w):
			findings = append(findings, finding.New(finding.FileMissing, e.Name, "the repository has it, of "+sniff.ByteSize(max(e.Size, 0)), "hf download "+r.ID+" "+e.Name))
			if w != nil && format.IsWeights(e.Name) && !slices.Contains(w.Missing, e.Name) {
				w.Missing = append(w.Missing, e.Name)
				w.Complete = false
			}
		default:
			left = append(left, e.Name)
		}
	}
	if len(left) > 0 {
		f := finding.New(finding.FileMissing, "", fmt.Sprintf("%d of the repository's %d files were not downloaded: %s", len(left), len(entries), finding.FirstFew(left)), "nothing to do if they were left out on purpose")
		f.Severity = answer.SeverityNote
		findings = append(findings, f)
	}
	return findings
}

// needed tells whether the checkpoint is not whole without a file: what describes
// it and its tokenizer, and the weights of the format and directory in use.
func needed(name string, w *answer.WeightsInfo) bool {
	base, dir := path.Base(name), path.Dir(name)
	if format.IsWeights(name) {
		if w == nil || len(w.Files) == 0 {
			return dir == "." && format.MatchName(base) >= 0
		}
		return path.Ext(name) == path.Ext(w.Files[0]) && dir == path.Dir(w.Files[0]) && strings.Count(base, "-") == strings.Count(path.Base(w.Files[0]), "-") &&
			weightNameStem(base) == weightNameStem(path.Base(w.Files[0]))
	}
	return dir == "." && (base == config.FileConfig || base == config.FileModelIndex || base == config.FileAdapter || tokenizer.FileOf(base) || strings.HasSuffix(base, ".index.json"))
}

// weightNameStem is what stands before a shard's number.
func weightNameStem(base string) string {
	before, _, _ := strings.Cut(base, "-0")
	return before
}

// CheckLocalDir looks at what a download into a directory left behind: a record
// for each file, and the parts of those that did not end.
func CheckLocalDir(c *checkpoint.Checkpoint, files []tree.File) (findings []answer.Finding) {
	for i := range files {
		rest, ok := strings.CutPrefix(files[i].Name, hubcache.DownloadRecords)
		if !ok {
			continue
		}
		if name, ok := strings.CutSuffix(rest, ".metadata"); ok && !tree.HasFile(files, name) {
			findings = append(findings, finding.New(finding.FileMissing, name, "it was downloaded once, and is not here now", "run the download again"))
		}
	}
	return findings
}
