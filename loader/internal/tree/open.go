package tree

import (
	"io"
	"io/fs"

	"omniloader/loader/regular"
)

// Handle is an open file of known size. It is not safe for concurrent use.
type Handle struct {
	io.ReaderAt
	io.Closer
	Size int64
}

// OpenAt opens a regular file for reading at any offset. name is relative to dir, and
// names the file in errors. The caller closes the handle.
func OpenAt(fsys fs.FS, dir, name string) (*Handle, error) {
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

// sequentialReader reads at any offset of a file that has no ReadAt, such as a member of
// a zip archive: it skips forward, and opens the file again to go back.
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
