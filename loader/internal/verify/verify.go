// Package verify compares the files of a checkpoint with the hashes that a download
// recorded. It reads every byte of these files.
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

// Progress is called with the file that is being read and the number of bytes read so
// far, of total: before each file and after each piece of it.
type Progress func(file string, done, total int64)

// Files compares those of the files that have a recorded hash. progress may be nil. The
// error is that of the context.
func Files(ctx context.Context, c *checkpoint.Directory, files []tree.File, progress Progress) (*answer.Verification, []answer.Finding, error) {
	v := &answer.Verification{Mismatched: []string{}, Unrecorded: []string{}}
	records := hashRecords(c, files)
	var recorded []tree.File
	var total int64
	for _, f := range files {
		if f.IsHidden() {
			continue
		}
		if _, ok := records[f.Name]; !ok {
			v.Unrecorded = append(v.Unrecorded, f.Name)
			continue
		}
		recorded = append(recorded, f)
		total += f.Size
	}
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	var findings []answer.Finding
	for _, f := range recorded {
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
				hashName(want.hash)+" is "+got[:digitsShown]+"…, and "+want.source+" says "+want.hash[:digitsShown]+"…", replaceHint(c, f.Name, want)))
		default:
			v.Files++
		}
	}
	if len(recorded) == 0 {
		findings = append(findings, finding.New(finding.HashUnrecorded, "", "no hash of any file is on record", ""))
	}
	return v, findings, nil
}

// digitsShown is how many digits of a hash messages contain.
const digitsShown = 12

// hashRecord is the recorded hash of a file.
type hashRecord struct {
	hash   string // 64 hexadecimal digits of SHA-256 or 40 of git's SHA-1, in lower case
	source string // of the hash, for a message
	blob   string // target of the link to the blob, "" for a file that is no link
}

// replaceHint says how to replace a file whose content is not the recorded one. The blob
// has to be deleted as well, since a download would use it again.
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

// hashName gives the kind of a hash, for a message.
func hashName(hash string) string {
	if len(hash) == 2*sha256.Size {
		return "its SHA-256"
	}
	return "its git hash"
}

// isHash tells whether a text has the form of a SHA-256 or a SHA-1 hash.
func isHash(s string) bool {
	if len(s) != 2*sha256.Size && len(s) != 2*sha1.Size {
		return false
	}
	_, err := hex.DecodeString(s)
	return err == nil
}

// hashRecords gives the recorded hashes by file name. Of several for a file, the list of
// the commit takes precedence, then the name of the blob that the file links to, then
// the record of a download into the directory.
func hashRecords(c *checkpoint.Directory, files []tree.File) map[string]hashRecord {
	records := map[string]hashRecord{}
	add := func(name, hash, source, blob string) {
		hash = strings.ToLower(hash)
		r, exists := records[name]
		if !exists && isHash(hash) {
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

// hashFile reads a file and computes the kind of hash that want is. n is the number of
// bytes read.
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
		io.WriteString(h, "blob "+strconv.FormatInt(size, 10)+"\x00") // what git hashes before the content
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
