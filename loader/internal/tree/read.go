package tree

import (
	"errors"
	"io"
	"io/fs"

	"omniloader/loader/fault"
	"omniloader/loader/regular"
	"omniloader/loader/sniff"
)

// IsDir tells whether an entry of dir is a directory, or a link to one.
func IsDir(fsys fs.FS, dir string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := fs.Stat(fsys, Join(dir, e.Name()))
	return err == nil && info.IsDir()
}

// ReadLimited reads a regular file of at most limit bytes. name is relative to dir, and
// names the file in errors; a larger file is an error of the kind fault.TooLarge.
func ReadLimited(fsys fs.FS, dir, name string, limit int64) ([]byte, error) {
	f, size, err := regular.Open(fsys, Join(dir, name), name)
	if err != nil {
		return nil, err
	}
	return ReadOpened(f, size, name, limit, nil)
}

// ReadHead reads the first n bytes of a file, or all of a shorter one.
func ReadHead(fsys fs.FS, dir, name string, n int) ([]byte, error) {
	f, size, err := regular.Open(fsys, Join(dir, name), name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, min(int64(n), size))
	if got, err := io.ReadFull(f, head); err != nil {
		return nil, fault.At(fault.Truncated, name, int64(got), "the file became shorter while it was read").WithCause(err)
	}
	return head, nil
}

// ReadOpened reads a file that was opened and has size bytes, and closes it. It reads
// into buffer where that is large enough. Errors are those of ReadLimited.
func ReadOpened(f fs.File, size int64, name string, limit int64, buffer []byte) ([]byte, error) {
	defer f.Close()
	if size > limit {
		return nil, fault.New(fault.TooLarge, name, "has "+sniff.ByteSize(size)+", at most "+sniff.ByteSize(limit)+" are read")
	}
	data := buffer[:0]
	if int64(cap(data)) < size {
		data = make([]byte, 0, size)
	}
	data = data[:size]
	if n, err := io.ReadFull(f, data); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fault.At(fault.Truncated, name, int64(n), "the file became shorter while it was read")
		}
		return nil, FileError(name, err)
	}
	return data, nil
}

// FileError makes a fault.Error of an error of the filesystem.
func FileError(name string, err error) error { return regular.Error(name, err) }

// Cause gives the text of an error without operation and path: "permission denied".
func Cause(err error) string { return regular.Cause(err) }
