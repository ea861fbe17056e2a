package loader

import (
	"context"
	"crypto/sha1" // git names its objects by it; what it guards against here is a broken download
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/regular"
)

// Verification says how far a checkpoint's files were compared with the hashes
// that its download left on record.
type Verification struct {
	Files      int      `json:"files"`      // compared, and found to be what the record says
	Bytes      int64    `json:"bytes"`      // read for it
	Mismatched []string `json:"mismatched"` // compared, and found to be something else
	Unrecorded []string `json:"unrecorded"` // files of which no hash is on record
}

// VerifyProgress is told how many of all bytes were read, before a file and after
// each piece of it.
type VerifyProgress func(file string, done, total int64)

// Verify reads every file of the checkpoint at dir of which a hash is on record,
// weights as well, and compares: with the list of the commit's files that the
// Hugging Face cache keeps, with the name of the blob that a snapshot links to, and
// with the records of a download into a directory. What it finds wrong comes beside
// the answer, for MergeFindings. progress may be nil. The error is that of the context
// where it ended, or that of a directory that cannot be listed.
//
// A hash of 64 digits is the SHA-256 of a large file, one of 40 the name that git
// gives to a small one. Source: huggingface_hub, _local_folder.py and
// docs/source/en/guides/manage-cache.md.
func (l *Loader) Verify(ctx context.Context, fsys fs.FS, dir string, progress VerifyProgress) (*Verification, []Finding, error) {
	seen := newSeen(fsys)
	c, err := list(seen, dir)
	if err != nil {
		return nil, nil, err
	}
	files, _ := c.walk(seen) // what cannot be listed is the inspection's finding
	return c.verify(ctx, files, progress)
}

// verify compares the files with the hashes on record.
func (c *checkpoint) verify(ctx context.Context, files []fileInfo, progress VerifyProgress) (*Verification, []Finding, error) {
	v := &Verification{Mismatched: []string{}, Unrecorded: []string{}}
	records := c.hashRecords(files)
	var work []fileInfo
	var total int64
	for _, f := range files {
		if f.isHidden() {
			continue
		}
		if _, ok := records[f.name]; !ok {
			v.Unrecorded = append(v.Unrecorded, f.name)
			continue
		}
		work = append(work, f)
		total += f.size
	}
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	var findings []Finding
	for _, f := range work {
		want := records[f.name]
		progress(f.name, v.Bytes, total)
		got, n, err := hashFile(ctx, plainFS(c.fsys), join(c.dir, f.name), want.hash, func(read int64) { progress(f.name, v.Bytes+read, total) })
		v.Bytes += n
		switch {
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case err != nil:
			findings = append(findings, finding(CodeFileUnreadable, f.name, "it could not be read to the end: "+cause(err), ""))
		case got != want.hash:
			v.Mismatched = append(v.Mismatched, f.name)
			findings = append(findings, finding(CodeHashMismatch, f.name,
				hashName(want.hash)+" is "+got[:shownDigits]+"…, and "+want.source+" says "+want.hash[:shownDigits]+"…", c.howToReplace(f.name, want)))
		default:
			v.Files++
		}
	}
	if len(work) == 0 {
		findings = append(findings, finding(CodeHashUnrecorded, "", "no hash of any file is on record", ""))
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

// howToReplace is the way from a file with other content to the right one. A
// download takes the blob that is there for the right one.
func (c *checkpoint) howToReplace(name string, r hashRecord) string {
	what := "delete it"
	if r.blob != "" {
		what = "delete it and " + path.Clean(path.Join(path.Dir(name), r.blob)) + ", to which it links,"
	}
	if hint := c.howToGet(name); strings.HasPrefix(hint, "hf ") {
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
func (c *checkpoint) hashRecords(files []fileInfo) map[string]hashRecord {
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
	repo, cached := c.repository()
	if cached && repo.commit != "" {
		name := "trees/" + repo.commit + ".json"
		if data, err := readFile(c.fsys, repo.dir, name, maxTree); err == nil {
			var doc document
			if parseDocument(name, data, &doc) == nil {
				gjson.GetBytes(data, "files").ForEach(func(file, entry gjson.Result) bool {
					hash := entry.Get("lfs_sha256").Str
					if hash == "" {
						hash = entry.Get("blob_id").Str
					}
					add(file.String(), hash, name, "")
					return true
				})
			}
		}
	}
	for i := range files {
		f := &files[i]
		if target, err := fs.ReadLink(plainFS(c.fsys), join(c.dir, f.name)); err == nil && path.Base(path.Dir(target)) == "blobs" {
			add(f.name, path.Base(target), "the name of its blob", target)
		}
	}
	for i := range files {
		name, ok := strings.CutPrefix(files[i].name, localRecords)
		if !ok {
			continue
		}
		if name, ok = strings.CutSuffix(name, ".metadata"); !ok {
			continue
		}
		data, err := readFile(c.fsys, c.dir, files[i].name, maxLocalRecord)
		if lines := strings.Split(string(data), "\n"); err == nil && len(lines) >= 2 {
			add(name, strings.TrimSpace(lines[1]), "the record of its download", records[name].blob)
		}
	}
	return records
}

// A download into a directory leaves a record of each file: the commit, the hash,
// the time.
const (
	localRecords   = ".cache/huggingface/download/"
	maxLocalRecord = 4 << 10 // bytes; real ones have about 150
)

// plainFS is the filesystem below an inspection's memory of it.
func plainFS(fsys fs.FS) fs.FS {
	if s, ok := fsys.(*seenFS); ok {
		return s.FS
	}
	return fsys
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
