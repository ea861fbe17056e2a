package loader

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/regular"
	"omniloader/loader/sniff"
)

// fileInfo is a file below a checkpoint, with what its first bytes say.
type fileInfo struct {
	name    string // relative to the checkpoint, with slashes
	size    int64
	format  sniff.Format
	problem *fault.Error   // no content, but what was left in its place
	pointer *sniff.Pointer // of Git LFS
}

func (f *fileInfo) dir() string  { return path.Dir(f.name) }
func (f *fileInfo) base() string { return path.Base(f.name) }

// maxFiles bounds how many files of one checkpoint are looked at.
const maxFiles = 100_000

// walk lists every file below the checkpoint with its size, sorted by name; links
// are followed, to directories within bounds.
func (c *checkpoint) walk(seen *seenFS) (files []fileInfo, findings []Finding) {
	links := linkedDirs{fsys: plainFS(c.fsys)}
	var visit fs.WalkDirFunc
	visit = func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			findings = append(findings, finding(CodeFileUnreadable, relative(c.dir, p), cause(err), ""))
			if e != nil && e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() {
			if p != c.dir && e.Name() == ".git" {
				return fs.SkipDir
			}
			if isWeightFile(e.Name()) {
				findings = append(findings, finding(CodeFileUnreadable, relative(c.dir, p), "a directory has the name of a weights file", "the weights may be inside, or the download went wrong"))
			}
			return nil
		}
		if len(files) >= maxFiles {
			return fs.SkipAll // met behind a link, and said
		}
		if link, ok := links.full(len(files)); !ok {
			if link != "" {
				findings = append(findings, finding(CodeLinkNotFollowed, relative(c.dir, link), manyLinked, ""))
			}
			return fs.SkipAll
		}
		info, err := e.Info()
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			if info, err = fs.Stat(c.fsys, p); errors.Is(err, fs.ErrPermission) {
				findings = append(findings, finding(CodeFileUnreadable, relative(c.dir, p), "the file that the link leads to: "+cause(err), ""))
				return nil
			} else if err != nil {
				findings = append(findings, finding(CodeLinkBroken, relative(c.dir, p), "the link cannot be followed: "+cause(err), ""))
				return nil
			}
			if info.IsDir() {
				if why := links.enter(p, len(files)); why != "" {
					findings = append(findings, finding(CodeLinkNotFollowed, relative(c.dir, p), why, ""))
					return nil
				}
				err := fs.WalkDir(c.fsys, p, visit)
				links.leave(len(files))
				return err
			}
		}
		if err != nil {
			findings = append(findings, finding(CodeFileUnreadable, relative(c.dir, p), cause(err), ""))
			return nil
		}
		if !info.Mode().IsRegular() {
			if isWeightFile(e.Name()) && !info.IsDir() {
				findings = append(findings, finding(CodeFileUnreadable, relative(c.dir, p), specialFile(info.Mode())+" stands in its place", "download the file"))
			}
			return nil
		}
		seen.note(p, info)
		files = append(files, fileInfo{name: relative(c.dir, p), size: info.Size()})
		if len(files) == maxFiles {
			findings = append(findings, finding(CodeTooManyFiles, "", "more than "+strconv.Itoa(maxFiles)+" files; the rest was not looked at", ""))
			return fs.SkipAll
		}
		return nil
	}
	err := fs.WalkDir(c.fsys, c.dir, visit)
	if err != nil {
		findings = append(findings, finding(CodeFileUnreadable, "", cause(err), ""))
	}
	return files, findings
}

// specialFile says what a file that is none is.
func specialFile(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}

func relative(dir, p string) string {
	if dir == "." {
		return p
	}
	return strings.TrimPrefix(strings.TrimPrefix(p, dir), "/")
}

// isHidden tells whether a file, or a directory that it is in, has a name that is
// not listed: no loader looks there of itself, for weights or anything else.
func (f *fileInfo) isHidden() bool {
	return f.name[0] == '.' || strings.Contains(f.name, "/.")
}

// hubRecords is where huggingface_hub keeps what it knows of a download: a lock and
// a record for each file.
const hubRecords = ".cache/huggingface/"

// look reads the first bytes of every file and notes what they say.
func (c *checkpoint) look(files []fileInfo) (findings []Finding) {
	for i := range files {
		f := &files[i]
		if strings.HasPrefix(f.name, hubRecords) {
			continue
		}
		h, err := openAt(c.fsys, c.dir, f.name)
		if err != nil {
			findings = append(findings, finding(CodeFileUnreadable, f.name, withoutPath(err), hintOf(err)))
			continue
		}
		content, err := sniff.File(f.name, h, h.size)
		h.Close()
		if err != nil {
			findings = append(findings, finding(CodeFileUnreadable, f.name, withoutPath(err), hintOf(err)))
			continue
		}
		f.format = content.Format // hidden or not: a pickle may have been hidden
		if !f.isHidden() {
			f.problem, f.pointer = content.Problem, content.Pointer
		}
	}
	return findings
}

// handle is an open file of known size, for one goroutine.
type handle struct {
	io.ReaderAt
	io.Closer
	size int64
}

// openAt opens a regular file of the checkpoint for reading at any place.
func openAt(fsys fs.FS, dir, name string) (*handle, error) {
	f, size, err := regular.Open(fsys, join(dir, name), name)
	if err != nil {
		return nil, err
	}
	h := &handle{Closer: f, size: size}
	if r, ok := f.(io.ReaderAt); ok {
		h.ReaderAt = r
	} else {
		r := &rewinding{fsys: fsys, name: join(dir, name), f: f}
		h.ReaderAt, h.Closer = r, r
	}
	return h, nil
}

// rewinding reads at any place of a file that can only be read forward, as those
// of an archive: it reads over what is between, and opens the file again to go
// back.
type rewinding struct {
	fsys fs.FS
	name string
	f    fs.File
	at   int64
}

func (r *rewinding) ReadAt(p []byte, off int64) (int, error) {
	if off < r.at {
		f, _, err := regular.Open(r.fsys, r.name, r.name)
		if err != nil {
			return 0, err
		}
		r.f.Close()
		r.f, r.at = f, 0
	}
	skipped, err := io.CopyN(io.Discard, r.f, off-r.at)
	r.at += skipped
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(r.f, p)
	r.at += int64(n)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return n, err
}

func (r *rewinding) Close() error { return r.f.Close() }

// problems are the findings of the files that hold no content. How much one
// matters depends on what the file is for.
func problemFindings(files []fileInfo, matters func(*fileInfo) Severity) (findings []Finding) {
	for i := range files {
		f := &files[i]
		if f.problem == nil && f.isHidden() {
			if f.problem = sniff.Unfinished(f.name); f.problem != nil {
				f.problem.Detail += ", of " + sniff.ByteSize(f.size)
			}
		}
		if f.problem == nil {
			continue
		}
		severity := matters(f)
		kind := f.problem.Kind
		if severity == SeverityNote && (kind == fault.Empty || kind == fault.ZeroFilled) {
			continue // an empty or blank file that nobody reads is nobody's loss
		}
		found := finding(codeOfKind(kind), f.name, f.problem.Detail, f.problem.Advice)
		found.Severity = severity
		findings = append(findings, found)
	}
	return findings
}
