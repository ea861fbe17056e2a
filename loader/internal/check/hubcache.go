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
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/hubcache"
	"omniloader/loader/internal/tree"
	"omniloader/loader/sniff"
)

// Files of unfinished downloads in the blobs of the repository.
var _ = register(Check{
	Name:  "cache-downloads",
	Codes: []string{finding.IncompleteDownload},
	Needs: Cache,
	Run: func(f *Facts) (findings []answer.Finding) {
		r, _ := f.Checkpoint.CacheRepository()
		entries, err := fs.ReadDir(f.Checkpoint.FS, path.Join(r.Dir, hubcache.BlobsDir))
		if err != nil {
			return nil
		}
		for _, e := range entries {
			p := sniff.Unfinished(hubcache.BlobsDir + "/" + e.Name())
			if p == nil {
				continue
			}
			size := ""
			if info, err := e.Info(); err == nil {
				size = ", of " + sniff.ByteSize(info.Size())
			}
			findings = append(findings, finding.New(finding.IncompleteDownload, hubcache.BlobsDir+"/"+e.Name(), p.Detail+size, "hf download "+r.ID))
		}
		return findings
	},
})

// Refs of the repository that name a commit without a snapshot.
var _ = register(Check{
	Name:  "cache-refs",
	Codes: []string{finding.CacheRefDangling},
	Needs: Cache,
	Run: func(f *Facts) []answer.Finding {
		r, _ := f.Checkpoint.CacheRepository()
		return checkRefs(f.Checkpoint, r)
	},
})

// maxRefFile bounds the file of a ref, in bytes; the name of a commit has 40.
const maxRefFile = 4 << 10

// checkRefs reports refs that name a commit without a snapshot.
func checkRefs(c *checkpoint.Directory, r hubcache.Repository) (findings []answer.Finding) {
	refs := path.Join(r.Dir, hubcache.RefsDir)
	_ = fs.WalkDir(c.FS, refs, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // there are no refs
		}
		data, err := tree.ReadLimited(c.FS, r.Dir, tree.TrimDir(r.Dir, p), maxRefFile)
		commit := strings.TrimSpace(string(data))
		if err != nil || commit == "" || strings.Contains(commit, "/") || !fs.ValidPath(commit) {
			return nil
		}
		if _, err := fs.Stat(c.FS, path.Join(r.Dir, hubcache.SnapshotsDir, commit)); err != nil {
			findings = append(findings, finding.New(finding.CacheRefDangling, tree.TrimDir(r.Dir, p),
				fmt.Sprintf("it names the commit %.12s, and its snapshot is not there", commit), "hf download "+r.ID))
		}
		return nil
	})
	return findings
}

// The snapshot is compared with the list of its commit's files. A download may leave out
// files on purpose, so files that are not needed for loading are reported as a note.
var _ = register(Check{
	Name:  "commit",
	Codes: []string{finding.FileMissing, finding.FileSize, finding.FileUnreadable, finding.ShardMissing},
	Needs: Commit | Cache,
	Run: func(f *Facts) (findings []answer.Finding) {
		r, _ := f.Checkpoint.CacheRepository()
		d := f.Commit
		if d.Err != nil {
			return single(finding.FileUnreadable, d.List, finding.MessageOf(d.Err), "run the download again")
		}
		for _, o := range d.SizeMismatches {
			findings = append(findings, finding.New(finding.FileSize, o.Name,
				fmt.Sprintf("it has %s, and the repository's %s", finding.ExactBytes(o.ActualSize), finding.ExactBytes(o.Size)), "delete it and run hf download "+r.ID+" "+o.Name))
		}
		for _, m := range d.Missing {
			code := finding.FileMissing
			if f.Weights != nil && format.IsWeights(m.Name) {
				if reported(f.Weights.Findings, finding.ShardMissing, m.Name) {
					continue
				}
				code = finding.ShardMissing
			}
			findings = append(findings, finding.New(code, m.Name, "the repository has it, of "+sniff.ByteSize(max(m.Size, 0)), "hf download "+r.ID+" "+m.Name))
		}
		if n := len(d.NotDownloaded); n > 0 {
			findings = append(findings, finding.NewGraded(finding.Milder, finding.FileMissing, "",
				fmt.Sprintf("%d of the repository's %d files were not downloaded: %s", n, d.Files, finding.JoinFirst(d.NotDownloaded)), "nothing to do if they were left out on purpose"))
		}
		return findings
	},
})

// Files that a download into the directory recorded, and that are missing.
var _ = register(Check{
	Name:  "download-records",
	Codes: []string{finding.FileMissing},
	Run: func(f *Facts) (findings []answer.Finding) {
		for i := range f.Files {
			record, ok := strings.CutPrefix(f.Files[i].Name, hubcache.LocalRecordsDir)
			if !ok {
				continue
			}
			if name, ok := strings.CutSuffix(record, hubcache.LocalRecordSuffix); ok && !tree.HasFile(f.Files, name) {
				findings = append(findings, finding.New(finding.FileMissing, name, "it was downloaded once, and is not here now", "run the download again"))
			}
		}
		return findings
	},
})

// reported tells whether findings have one with this code about a file.
func reported(findings []answer.Finding, code, file string) bool {
	return slices.ContainsFunc(findings, func(f answer.Finding) bool { return f.Code == code && f.File == file })
}
