// Package regular opens regular files and refuses all others. All of the loader opens
// files through it: opening a named pipe blocks until somebody writes to it, and
// opening a device may have side effects, so the type of a file is checked before it
// is opened. It does not read.
package regular

import (
	"errors"
	"io"
	"io/fs"

	"omniloader/loader/fault"
)

// Open opens the regular file at a path of fsys, and returns it with its size in
// bytes. Anything but a regular file is refused without being opened. The errors are
// of package fault, and name the file as name.
func Open(fsys fs.FS, at, name string) (fs.File, int64, error) {
	info, err := fs.Stat(fsys, at)
	if err != nil {
		return nil, 0, Error(name, err)
	}
	if err := check(name, info.Mode()); err != nil {
		return nil, 0, err
	}
	return OpenListed(fsys, at, name)
}

// OpenListed is Open for a path that a directory listing has just shown to be a
// regular file, not a link: it is not checked again before it is opened.
func OpenListed(fsys fs.FS, at, name string) (fs.File, int64, error) {
	f, err := fsys.Open(at)
	if err != nil {
		return nil, 0, Error(name, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, Error(name, err)
	}
	if err := check(name, info.Mode()); err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// ReadNames reads n entries of a directory, all where n is negative, in the order of the
// filesystem; the errors are those of the filesystem. The directory is one of OpenDir.
func ReadNames(fsys fs.FS, at string, n int) ([]fs.DirEntry, error) {
	d, err := OpenDir(fsys, at)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return NextNames(d, n)
}

// OpenDir opens a directory for NextNames. The caller closes it, and knows that at is not a
// named pipe or a device, as from a listing or since there may be files in it.
func OpenDir(fsys fs.FS, at string) (fs.ReadDirFile, error) {
	f, err := fsys.Open(at)
	if err != nil {
		return nil, err
	}
	d, ok := f.(fs.ReadDirFile)
	if !ok {
		f.Close()
		return nil, &fs.PathError{Op: "readdir", Path: at, Err: errors.New("not a directory, or one that cannot be listed")}
	}
	return d, nil
}

// NextNames reads the next n entries of a directory, fewer where no more are left; all of
// them where n is negative.
func NextNames(d fs.ReadDirFile, n int) ([]fs.DirEntry, error) {
	entries, err := d.ReadDir(n)
	if errors.Is(err, io.EOF) {
		err = nil // n is positive, and there are none
	}
	return entries, err
}

func check(name string, mode fs.FileMode) error {
	switch {
	case mode.IsDir():
		return fault.New(fault.NotAFile, name, "a directory has this name")
	case !mode.IsRegular():
		return fault.New(fault.NotAFile, name, "found a special file, "+mode.Type().String())
	}
	return nil
}

// Error turns an error of a filesystem into one of package fault about the file name.
func Error(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, name, "")
	}
	e := fault.New(fault.Unreadable, name, Cause(err)).WithCause(err)
	if errors.Is(err, fs.ErrPermission) {
		return e.WithHint("check the permissions of the file")
	}
	return e
}

// Cause returns the reason in an error of a filesystem, without the path.
func Cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
