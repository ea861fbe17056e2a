// Package verify compares the files of a checkpoint with the hashes that its
// download left on record.
package verify

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/hubcache"
	"omniloader/loader/internal/tree"
	"omniloader/loader/regular"
)

// Progress is told how many of all bytes were read, before a file and after
// each piece of it.
type Progress func(file string, done, total int64)

// Files compares the files with the hashes on record.
func Files(c *checkpoint.Directory, ctx context.Context, files []tree.File, progress Progress) (*answer.Verification, []answer.Finding, error) {
	v := &answer.Verification{Mismatched: []string{}, Unrecorded: []string{}}
	records := hashRecords(c, files)
	var work []tree.File
	var total int64
	for _, f := range files {
		if f.IsHidden() {
			continue
		}
		if _, ok := records[f.Name]; !ok {
			v.Unrecorded = append(v.Unrecorded, f.Name)
			continue
		}
		work = append(work, f)
		total += f.Size
	}
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	var findings []answer.Finding
	for _, f := range work {
		want := records[f.Name]
		progress(f.Name, v.Bytes, total)
		got, n, err := hashFile(ctx, tree.Uncached(c.FS), tree.Join(c.Dir, f.Name), want.hash, func(read int64) { progress(f.Name, v.Bytes+read, total) })
		v.Bytes += n
		switch {
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case err != nil:
			findings = append(findings, finding.New(finding.FileUnreadable, f.Name, "it could not be read to the end: "+tree.Cause(err), ""))
		case got != want.hash:
			v.Mismatched = append(v.Mismatched, f.Name)
			findings = append(findings, finding.New(finding.HashMismatch, f.Name,
				hashName(want.hash)+" is "+got[:shownDigits]+"…, and "+want.source+" says "+want.hash[:shownDigits]+"…", replaceHint(c, f.Name, want)))
		default:
			v.Files++
		}
	}
	if len(work) == 0 {
		findings = append(findings, finding.New(finding.HashUnrecorded, "", "no hash of any file is on record", ""))
	}
	return v, findings, nil
}

// shownDigits are enough of a hash to compare two by eye.
const shownDigits = 12

// hashRecord is a hash that a download left behind.
type hashRecord struct {
	hash   string // 64 digits of SHA-256 or 40 of git's SHA-1, in lower case
	source string // for people
	blob   string // the file that a link leads to, as it is written in the link
}

// replaceHint is the way from a file with other content to the right one. A
// download takes the blob that is there for the right one.
func replaceHint(c *checkpoint.Directory, name string, r hashRecord) string {
	what := "delete it"
	if r.blob != "" {
		what = "delete it and " + path.Clean(path.Join(path.Dir(name), r.blob)) + ", to which it links,"
	}
	if hint := c.DownloadHint(name); strings.HasPrefix(hint, "hf ") {
		return what + " and run " + hint
	}
	return what + " and run the download again"
}

func hashName(hash string) string {
	if len(hash) == 2*sha256.Size {
		return "its SHA-256"
	}
	return "its git hash"
}

// isHash tells whether a text is a hash of one of the two kinds.
func isHash(s string) bool {
	if len(s) != 2*sha256.Size && len(s) != 2*sha1.Size {
		return false
	}
	_, err := hex.DecodeString(s)
	return err == nil
}

// hashRecords gathers the hashes on record by the file's name. The commit's own
// list comes first, then what a link says, then the record of a download.
func hashRecords(c *checkpoint.Directory, files []tree.File) map[string]hashRecord {
	records := map[string]hashRecord{}
	add := func(name, hash, source, blob string) {
		hash = strings.ToLower(hash)
		r, known := records[name]
		if !known && isHash(hash) {
			r = hashRecord{hash: hash, source: source}
		}
		if r.hash != "" {
			r.blob = blob
			records[name] = r
		}
	}
	repo, cached := c.CacheRepository()
	if cached && repo.Commit != "" {
		list := repo.TreeFile()
		if data, err := tree.ReadLimited(c.FS, repo.Dir, list, hubcache.MaxTreeSize); err == nil {
			listed, _ := hubcache.ParseTree(list, data) // weights.CompareWithCommit reports an error
			for _, f := range listed {
				add(f.Name, f.Hash, list, "")
			}
		}
	}
	for i := range files {
		f := &files[i]
		if target, err := fs.ReadLink(tree.Uncached(c.FS), tree.Join(c.Dir, f.Name)); err == nil && path.Base(path.Dir(target)) == hubcache.BlobsDir {
			add(f.Name, path.Base(target), "the name of its blob", target)
		}
	}
	for i := range files {
		name, ok := strings.CutPrefix(files[i].Name, hubcache.LocalRecordsDir)
		if !ok {
			continue
		}
		if name, ok = strings.CutSuffix(name, hubcache.LocalRecordSuffix); !ok {
			continue
		}
		data, err := tree.ReadLimited(c.FS, c.Dir, files[i].Name, hubcache.MaxLocalRecordSize)
		if lines := strings.Split(string(data), "\n"); err == nil && len(lines) >= 2 {
			add(name, strings.TrimSpace(lines[1]), "the record of its download", records[name].blob)
		}
	}
	return records
}

// hashFile reads a file and gives its hash, of the kind that the wanted one has,
// and how many bytes were read.
func hashFile(ctx context.Context, fsys fs.FS, name, want string, progress func(read int64)) (sum string, n int64, err error) {
	f, size, err := regular.Open(fsys, name, name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	var h hash.Hash
	if len(want) == 2*sha256.Size {
		h = sha256.New()
	} else {
		h = sha1.New()
		io.WriteString(h, "blob "+strconv.FormatInt(size, 10)+"\x00") // git hashes this in front of the content
	}
	buffer := make([]byte, min(max(size, 1), 1<<20))
	for {
		if err := ctx.Err(); err != nil {
			return "", n, err
		}
		read, err := f.Read(buffer)
		h.Write(buffer[:read])
		n += int64(read)
		progress(n)
		if err == io.EOF {
			return hex.EncodeToString(h.Sum(nil)), n, nil
		}
		if err != nil {
			return "", n, err
		}
	}
}
