package tree

import (
	"errors"
	"io"
	"io/fs"
	"path"

	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/regular"
)

func IsDir(fsys fs.FS, dir string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := fs.Stat(fsys, Join(dir, e.Name()))
	return err == nil && info.IsDir()
}

// ReadBounded reads a whole file of a checkpoint of at most limit bytes. The
// error names it relative to the checkpoint, as name.
func ReadFile(fsys fs.FS, dir, name string, limit int64) ([]byte, error) {
	f, size, err := regular.Open(fsys, Join(dir, name), name)
	if err != nil {
		return nil, err
	}
	return ReadOpened(f, size, name, limit, nil)
}

// ReadHead reads the first bytes of a file, at most n.
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

// ReadWhole reads an open file of a known size, and closes it. The buffer is used
// where it has room.
func ReadOpened(f fs.File, size int64, name string, limit int64, buffer []byte) ([]byte, error) {
	defer f.Close()
	if size > limit {
		return nil, fault.New(fault.TooLarge, name, "has "+finding.FormatBytes(size)+", at most "+finding.FormatBytes(limit)+" are read")
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

// OpenError is a filesystem's error as one of ours.
func FileError(name string, err error) error { return regular.Error(name, err) }

// Cause is the reason inside a path error, without its path.
func Cause(err error) string { return regular.Cause(err) }

// Join is path.Join without an allocation where dir is the root.
func Join(dir, name string) string {
	if dir == "." || dir == "" {
		return name
	}
	return path.Join(dir, name)
}

// PlainFS is the filesystem below an inspection's memory of it.
func Uncached(fsys fs.FS) fs.FS {
	if s, ok := fsys.(*CachedFS); ok {
		return s.FS
	}
	return fsys
}
