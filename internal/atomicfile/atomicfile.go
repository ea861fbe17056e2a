// Package atomicfile writes a file whole or not at all. It serves everything in
// the program that writes a file for its user.
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
	"strconv"
	"strings"
)

// Error is a file that could not be written.
type Error struct {
	Path   string // as the caller gave it
	Advice string // the way out, or empty
	Err    error
}

// Error reads "results.json: no such directory: out".
func (e *Error) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap gives the error underneath.
func (e *Error) Unwrap() error { return e.Err }

// Hint gives the way out, or the empty string.
func (e *Error) Hint() string { return e.Advice }

// Write makes a file of what content writes. The content goes to a temporary file
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
	temporary, err := createTemporary(target, mode)
	if err != nil {
		return asError(path, err)
	}
	if err := writeAndClose(temporary, content); err != nil {
		os.Remove(temporary.Name())
		return asError(path, err)
	}
	if err := os.Rename(temporary.Name(), target); err != nil {
		os.Remove(temporary.Name())
		return asError(path, err)
	}
	syncDirectory(filepath.Dir(target))
	return nil
}

// Writable tells whether Write could make the file, by making and removing a temporary
// one beside it: so much is known before the work that the file is for. The error is
// an *Error. What is no regular file is not touched.
func Writable(path string) error {
	target, mode, err := resolve(path)
	if err != nil || target == "" {
		return err
	}
	temporary, err := createTemporary(target, mode)
	if err != nil {
		return asError(path, err)
	}
	if err := errors.Join(temporary.Close(), os.Remove(temporary.Name())); err != nil {
		return asError(path, err)
	}
	return nil
}

// resolve gives the file to replace, with links followed, and its mode; the empty
// target stands for a path to write straight to.
func resolve(path string) (target string, mode fs.FileMode, err error) {
	if path == "" {
		return "", 0, &Error{Path: `""`, Err: errors.New("the path is empty")}
	}
	// What stands under /dev or /proc may resolve to a regular file, as
	// /dev/stdout does when it is redirected; replacing that file would take it
	// away from whoever holds it open.
	if clean := filepath.ToSlash(filepath.Clean(path)); strings.HasPrefix(clean, "/dev/") || strings.HasPrefix(clean, "/proc/") {
		return "", 0, nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return resolveNew(path)
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

// missing resolves a path at which there is nothing yet.
func resolveNew(path string) (string, fs.FileMode, error) {
	if link, err := os.Readlink(path); err == nil {
		return "", 0, &Error{Path: path, Err: fmt.Errorf("is a link to %s, which is not there", link), Advice: "remove the link, or create what it points to"}
	}
	parent := filepath.Dir(path)
	if info, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist) {
		return "", 0, &Error{Path: path, Err: fmt.Errorf("no such directory: %s: %w", parent, fs.ErrNotExist), Advice: "create it first: mkdir -p " + parent}
	} else if err == nil && !info.IsDir() {
		return "", 0, &Error{Path: path, Err: fmt.Errorf("%s is no directory", parent)}
	}
	return path, newFileMode, nil
}

// newFile stands for the mode of a file that is not there yet.
const newFileMode fs.FileMode = 0

// create opens a fresh temporary file beside the target.
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

// fill writes the content, syncs and closes the file.
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

// writeThrough writes to what is no regular file.
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

// explain turns an error of the operating system into ours, without its path,
// which is the temporary file's.
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
		e.Advice = "choose a place that this user may write to"
	}
	return e
}

// syncDirectory makes the rename last. Some systems cannot sync a directory; the
// file itself is whole either way.
func syncDirectory(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
