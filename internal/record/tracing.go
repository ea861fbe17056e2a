package record

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

// tracingFS contains only a checkpoint's directory, under another name, and records
// which bytes of its files are read.
type tracingFS struct {
	under fs.FS
	dir   string // the checkpoint's directory in under
	at    string // its name in this filesystem

	mu     sync.Mutex
	ranges map[string][]byteRange // that were read, by the file's name in the checkpoint
}

// byteRange is the range of bytes from from up to, and without, to.
type byteRange struct{ from, to int64 }

func newTracingFS(under fs.FS, dir, at string) *tracingFS {
	return &tracingFS{under: under, dir: dir, at: at, ranges: map[string][]byteRange{}}
}

// find converts a name in tracingFS to the name in the checkpoint and to the one in the
// underlying filesystem. Names outside the checkpoint do not exist.
func (t *tracingFS) find(op, name string) (inside, below string, err error) {
	if name == t.at {
		return ".", t.dir, nil
	}
	inside, ok := strings.CutPrefix(name, t.at+"/")
	if !ok || !fs.ValidPath(name) {
		return "", "", &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return inside, path.Join(t.dir, inside), nil
}

func (t *tracingFS) Open(name string) (fs.File, error) {
	inside, below, err := t.find("open", name)
	if err != nil {
		return nil, err
	}
	f, err := t.under.Open(below)
	if err != nil {
		return nil, err
	}
	return &tracingFile{File: f, fs: t, name: inside}, nil
}

func (t *tracingFS) Stat(name string) (fs.FileInfo, error) {
	_, below, err := t.find("stat", name)
	if err != nil {
		return nil, err
	}
	return fs.Stat(t.under, below)
}

func (t *tracingFS) ReadDir(name string) ([]fs.DirEntry, error) {
	_, below, err := t.find("readdir", name)
	if err != nil {
		return nil, err
	}
	return fs.ReadDir(t.under, below)
}

// note records that n bytes of a file were read from an offset on.
func (t *tracingFS) note(name string, from, n int64) {
	if n <= 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	runs := t.ranges[name]
	if k := len(runs); k > 0 && runs[k-1].to == from {
		runs[k-1].to += n
		return
	}
	t.ranges[name] = append(runs, byteRange{from, from + n})
}

// rangesRead returns the ranges of a file that were read, in ascending order, without
// overlap.
func (t *tracingFS) rangesRead(name string) []byteRange {
	t.mu.Lock()
	defer t.mu.Unlock()
	return mergeRanges(t.ranges[name])
}

// mergeRanges sorts ranges and merges those that overlap, touch, or have a small gap
// between them: storing the gap costs less than a further range.
func mergeRanges(runs []byteRange) []byteRange {
	const gap = 64
	sorted := slices.SortedFunc(slices.Values(runs), func(a, b byteRange) int { return cmp.Compare(a.from, b.from) })
	var out []byteRange
	for _, r := range sorted {
		switch k := len(out); {
		case r.from >= r.to:
		case k > 0 && r.from <= out[k-1].to+gap:
			out[k-1].to = max(out[k-1].to, r.to)
		default:
			out = append(out, r)
		}
	}
	return out
}

// totalBytes returns the sum of the lengths.
func totalBytes(runs []byteRange) (n int64) {
	for _, r := range runs {
		n += r.to - r.from
	}
	return n
}

// tracingFile records what is read from a file. It has the methods of *os.File that
// readers look for.
type tracingFile struct {
	fs.File
	fs   *tracingFS
	name string

	mu sync.Mutex
	at int64
}

func (f *tracingFile) Read(b []byte) (int, error) {
	n, err := f.File.Read(b)
	f.mu.Lock()
	from := f.at
	f.at += int64(n)
	f.mu.Unlock()
	f.fs.note(f.name, from, int64(n))
	return n, err
}

func (f *tracingFile) ReadAt(b []byte, offset int64) (int, error) {
	r, ok := f.File.(io.ReaderAt)
	if !ok {
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: errors.ErrUnsupported}
	}
	n, err := r.ReadAt(b, offset)
	f.fs.note(f.name, offset, int64(n))
	return n, err
}

func (f *tracingFile) Seek(offset int64, whence int) (int64, error) {
	s, ok := f.File.(io.Seeker)
	if !ok {
		return 0, &fs.PathError{Op: "seek", Path: f.name, Err: errors.ErrUnsupported}
	}
	at, err := s.Seek(offset, whence)
	if err == nil {
		f.mu.Lock()
		f.at = at
		f.mu.Unlock()
	}
	return at, err
}

func (f *tracingFile) ReadDir(n int) ([]fs.DirEntry, error) {
	d, ok := f.File.(fs.ReadDirFile)
	if !ok {
		return nil, &fs.PathError{Op: "readdir", Path: f.name, Err: errors.ErrUnsupported}
	}
	return d.ReadDir(n)
}
