// Package regular opens files: the one door through which the loader goes. Behind
// it are regular files alone. A named pipe keeps whoever opens it waiting, for ever
// where nobody writes to it, and a device may do more; so what kind of file a name
// stands for is asked before it is opened. It reads nothing.
package regular

import (
	"errors"
	"io/fs"

	"omniloader/loader/fault"
)

// Open opens the regular file at a path of fsys, and gives its size in bytes. What
// is no regular file is refused without being opened. The errors are of package
// fault, and call the file name.
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

// OpenListed is Open for a path of which a listing has just said that it is a
// regular file, and no link: it is not asked again.
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

func check(name string, mode fs.FileMode) error {
	switch {
	case mode.IsDir():
		return fault.New(fault.NotAFile, name, "a directory has this name")
	case !mode.IsRegular():
		return fault.New(fault.NotAFile, name, "found a special file, "+mode.Type().String())
	}
	return nil
}

// Error is a filesystem's error as one of package fault, about the file that is
// called name.
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

// Cause is the reason inside an error of a filesystem, without its path.
func Cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
