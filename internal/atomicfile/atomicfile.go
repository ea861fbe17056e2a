// Package atomicfile writes a file completely or not at all. Everything in the program that
// writes a file for its user uses it.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Error is a file that could not be written.
type Error struct {
	Path   string // as the caller gave it
	Advice string // what to do about it, or empty
	Err    error
}

// Error reads "results.json: permission denied".
func (e *Error) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do about the error; it may be empty.
func (e *Error) Hint() string { return e.Advice }

// Write writes a file; content writes its content. Directories of the path that are missing
// are made, and removed again where the file cannot be written. The content goes to a temporary file
// in the same directory, which is synced and then renamed, so that a reader sees
// the old file or the new one, and a failure leaves the old one untouched.
//
// A symbolic link is followed; the mode of an existing file is kept, a new one gets
// 0666 less the umask. Where the path is no regular file (a pipe, a terminal,
// /dev/stdout), content writes straight to it. The error is an *Error, also where
// content gave it.
func Write(path string, content func(io.Writer) error) error {
	target, mode, err := resolve(path)
	if err != nil {
		return err
	}
	if target == "" {
		return writeThrough(path, content)
	}
	made, err := makeDirectories(filepath.Dir(target))
	if err == nil {
		err = replace(target, mode, content)
	}
	if err != nil {
		for _, dir := range made {
			_ = os.Remove(dir) // fails where another program has put something into it
		}
		return asError(path, err)
	}
	return nil
}

// replace writes a file in a directory that exists.
func replace(target string, mode fs.FileMode, content func(io.Writer) error) error {
	temporary, err := createTemporary(target, mode)
	if err != nil {
		return err
	}
	if err := writeAndClose(temporary, content); err != nil {
		os.Remove(temporary.Name())
		return err
	}
	if err := os.Rename(temporary.Name(), target); err != nil {
		os.Remove(temporary.Name())
		return err
	}
	syncDirectory(filepath.Dir(target))
	return nil
}

// makeDirectories makes a directory and those above it that are missing, and gives those
// that it made, the deepest first, also with an error.
func makeDirectories(dir string) (made []string, err error) {
	var missing []string
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); !errors.Is(err, fs.ErrNotExist) || filepath.Dir(d) == d {
			break
		}
		missing = append(missing, d)
	}
	for _, d := range slices.Backward(missing) {
		if err := os.Mkdir(d, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
			return made, err
		} else if err == nil {
			made = slices.Insert(made, 0, d)
		}
	}
	return made, nil
}

// Writable checks that Write can write the file, by making and removing a temporary
// file beside it, or in the nearest directory above it that exists, so that an error is known
// before the work whose result the file is for. The error is an *Error. What is no regular
// file is not touched.
func Writable(path string) error {
	target, mode, err := resolve(path)
	if err != nil || target == "" {
		return err
	}
	parent, err := existingDirectory(path, filepath.Dir(target))
	if err != nil {
		return err
	}
	temporary, err := createTemporary(filepath.Join(parent, filepath.Base(target)), mode)
	if err != nil {
		return asError(path, err)
	}
	if err := errors.Join(temporary.Close(), os.Remove(temporary.Name())); err != nil {
		return asError(path, err)
	}
	return nil
}

// resolve gives the file to replace, with links followed, and its mode. An empty target
// means that the path is no regular file, and is written to directly.
func resolve(path string) (target string, mode fs.FileMode, err error) {
	if path == "" {
		return "", 0, &Error{Path: `""`, Err: errors.New("the path is empty")}
	}
	// A path below /dev or /proc may resolve to a regular file, as /dev/stdout does when
	// it is redirected; other processes may have that file open, and would not see its
	// replacement.
	info, err := os.Stat(path)
	clean := filepath.ToSlash(filepath.Clean(path))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return resolveNew(path)
	case err == nil && !info.IsDir() && (strings.HasPrefix(clean, "/dev/") || strings.HasPrefix(clean, "/proc/")):
		return "", 0, nil
	case err != nil:
		return "", 0, asError(path, err)
	case info.IsDir():
		return "", 0, &Error{Path: path, Err: errors.New("is a directory"), Advice: "name a file in it"}
	case !info.Mode().IsRegular():
		return "", 0, nil
	}
	target, err = filepath.EvalSymlinks(path)
	if err != nil {
		return "", 0, asError(path, err)
	}
	return target, info.Mode().Perm(), nil
}

// resolveNew resolves a path at which there is nothing yet.
func resolveNew(path string) (string, fs.FileMode, error) {
	if link, err := os.Readlink(path); err == nil {
		return "", 0, &Error{Path: path, Err: fmt.Errorf("is a link to %s, which does not exist", link), Advice: "remove the link, or create what it points to"}
	}
	if base := filepath.Base(path); os.IsPathSeparator(path[len(path)-1]) || base == "." || base == ".." {
		return "", 0, &Error{Path: path, Err: errors.New("names a directory"), Advice: "name a file in it"}
	}
	if _, err := existingDirectory(path, filepath.Dir(path)); err != nil {
		return "", 0, err
	}
	return path, newFileMode, nil
}

// existingDirectory gives the directory, or the nearest one above it that exists, in which
// the directories of a path can be made. The error is an *Error: something there is no
// directory, or cannot be looked at.
func existingDirectory(path, dir string) (string, error) {
	for {
		info, err := os.Stat(dir)
		switch {
		case err == nil && info.IsDir():
			return dir, nil
		case err == nil:
			return "", &Error{Path: path, Err: fmt.Errorf("%s is no directory", dir), Advice: "choose another place"}
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR), filepath.Dir(dir) == dir:
			return "", asError(path, err)
		}
		if link, err := os.Readlink(dir); err == nil {
			return "", &Error{Path: path, Err: fmt.Errorf("%s is a link to %s, which does not exist", dir, link), Advice: "remove the link, or create what it points to"}
		}
		dir = filepath.Dir(dir)
	}
}

// newFileMode is the mode that resolveNew gives for a file that does not exist yet: the
// file gets its mode from the umask.
const newFileMode fs.FileMode = 0

// createTemporary opens a new temporary file beside the target.
func createTemporary(target string, mode fs.FileMode) (*os.File, error) {
	for range 100 {
		name := filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".tmp-"+strconv.FormatUint(rand.Uint64(), 36))
		// not os.CreateTemp: its files are 0600 whatever the umask says
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if mode != newFileMode {
			if err := f.Chmod(mode); err != nil {
				f.Close()
				os.Remove(name)
				return nil, err
			}
		}
		return f, nil
	}
	return nil, fmt.Errorf("no free temporary name beside %s", target)
}

// writeAndClose writes the content, syncs and closes the file.
func writeAndClose(f *os.File, content func(io.Writer) error) error {
	buffered := bufio.NewWriter(f)
	err := content(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// writeThrough writes directly to what is no regular file.
func writeThrough(path string, content func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return asError(path, err)
	}
	buffered := bufio.NewWriter(f)
	err = content(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return asError(path, err)
	}
	return nil
}

// asError makes an *Error of an error of the operating system, without that error's path,
// which is that of the temporary file.
func asError(path string, err error) error {
	e := &Error{Path: path, Err: err}
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		e.Err = pathError.Err
	}
	var linkError *os.LinkError
	if errors.As(err, &linkError) {
		e.Err = linkError.Err
	}
	if errors.Is(err, fs.ErrPermission) {
		e.Advice = "choose a directory that this user may write to"
	}
	return e
}

// syncDirectory writes the rename to the disk. Errors do not matter: some systems cannot sync
// a directory, and the file itself is complete either way.
func syncDirectory(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
