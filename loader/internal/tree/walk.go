// Package tree walks the files below a checkpoint within bounds, and reads small
// files with errors that name the file.
package tree

import (
	"io"
	"io/fs"
	"path"
	"strings"

	"omniloader/loader/fault"
	"omniloader/loader/regular"
	"omniloader/loader/sniff"
)

// File is a file below a checkpoint, with what its first bytes say.
type File struct {
	Name    string // relative to the checkpoint, with slashes
	Size    int64
	Format  sniff.Format
	Problem *fault.Error   // no content, but what was left in its place
	Pointer *sniff.Pointer // of Git LFS
}

func (f *File) Dir() string { return path.Dir(f.Name) }

func (f *File) Base() string { return path.Base(f.Name) }

// MaxFiles bounds how many files of one checkpoint are looked at.
const MaxFiles = 100_000

// SpecialFile says what a file that is none is.
func DescribeSpecial(mode fs.FileMode) string {
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

func TrimDir(dir, p string) string {
	if dir == "." {
		return p
	}
	return strings.TrimPrefix(strings.TrimPrefix(p, dir), "/")
}

// IsHidden tells whether a file, or a directory that it is in, has a name that is
// not listed: no loader looks there of itself, for weights or anything else.
func (f *File) IsHidden() bool {
	return f.Name[0] == '.' || strings.Contains(f.Name, "/.")
}

// Handle is an open file of known size, for one goroutine.
type Handle struct {
	io.ReaderAt
	io.Closer
	Size int64
}

// OpenAt opens a regular file of the checkpoint for reading at any place.
func Open(fsys fs.FS, dir, name string) (*Handle, error) {
	f, size, err := regular.Open(fsys, Join(dir, name), name)
	if err != nil {
		return nil, err
	}
	h := &Handle{Closer: f, Size: size}
	if r, ok := f.(io.ReaderAt); ok {
		h.ReaderAt = r
	} else {
		r := &sequentialReader{fsys: fsys, name: Join(dir, name), f: f}
		h.ReaderAt, h.Closer = r, r
	}
	return h, nil
}

// rewinding reads at any place of a file that can only be read forward, as those
// of an archive: it reads over what is between, and opens the file again to go
// back.
type sequentialReader struct {
	fsys fs.FS
	name string
	f    fs.File
	at   int64
}

func (r *sequentialReader) ReadAt(p []byte, off int64) (int, error) {
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

func (r *sequentialReader) Close() error { return r.f.Close() }
