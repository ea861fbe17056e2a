package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"omniloader/internal/atomicfile"
	"omniloader/internal/suite"
)

// isDirectory gives an error for a path that is no directory or is not there.
func isDirectory(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		var pathErr *os.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return fmt.Errorf("%s: %w", path, err)
	case !info.IsDir():
		return fmt.Errorf("%s: not a directory", path)
	}
	return nil
}

// checkpointDirectory is isDirectory for an argument that names a checkpoint: the
// hint is the directory where the path is a file in it, else advice.
func checkpointDirectory(path, advice string) error {
	err := isDirectory(path)
	if err == nil {
		return nil
	}
	if info, statErr := os.Stat(path); statErr == nil && !info.IsDir() {
		advice = "name its directory: " + filepath.Dir(path)
	}
	return errorWithHint(advice, "%w", err)
}

// namedFile is a file that a flag names, for reading or writing; the path is ""
// where the flag is not given.
type namedFile struct{ flag, path string }

// refuseSameFile refuses two flags that name one file: writing for the one would
// destroy what the other reads or writes.
func refuseSameFile(files []namedFile) error {
	for i, a := range files {
		for _, b := range files[i+1:] {
			switch {
			case a.path == "" || b.path == "":
			case sameFile(a.path, b.path):
				return errorWithHint("name two files", "%s and %s both name %s", a.flag, b.flag, b.path)
			case isBelow(a.path, b.path), isBelow(b.path, a.path):
				return errorWithHint("name two files", "%s %s and %s %s: one of them would be a file and a folder", a.flag, a.path, b.flag, b.path)
			}
		}
	}
	return nil
}

// isBelow tells whether a path lies below another, which names a file.
func isBelow(path, file string) bool {
	return strings.HasPrefix(filepath.Clean(path), filepath.Clean(file)+string(filepath.Separator))
}

func sameFile(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	if realA, err := realPath(a); err == nil {
		if realB, err := realPath(b); err == nil && realA == realB {
			return true
		}
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// refuseUnwritable refuses a file that could not be written later: its folder is read-only
// or no folder, or it is itself a folder. A folder that is missing is made when the file is
// written.
func refuseUnwritable(f namedFile) error {
	if f.path == "" {
		return nil
	}
	if info, err := os.Stat(f.path); err == nil && info.IsDir() {
		return errorWithHint("name a file in it", "%s %s: a folder", f.flag, f.path)
	}
	if err := atomicfile.Writable(f.path); err != nil {
		return fmt.Errorf("%s: %w", f.flag, err)
	}
	return nil
}

// refuseFeatureFiles refuses to overwrite a feature file, most likely a mistyped
// command line.
func refuseFeatureFiles(paths ...string) error {
	for _, path := range paths {
		if suite.IsFeature(path) {
			return errorWithHint("name another file; feature files to run are given without a flag", "%s is a feature file, and is not overwritten", path)
		}
	}
	return nil
}

// writeBytes writes a file, whole or not at all.
func writeBytes(path string, content []byte) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// disk is the real filesystem as an fs.FS: all of it, or all of one volume. The loader
// is given the whole disk, since a base model may be anywhere on it.
type disk struct{ root string }

// diskOf gives the disk that an absolute path is on.
func diskOf(absolute string) disk {
	return disk{filepath.VolumeName(absolute) + string(filepath.Separator)}
}

// nameInFS gives the name of a path within the fs.FS.
func (d disk) nameInFS(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(d.root, absolute)
	return filepath.ToSlash(rel), err
}

// namesInFS is nameInFS for several paths; empty ones are left out.
func (d disk) namesInFS(paths []string) (names []string, err error) {
	for _, path := range paths {
		if path == "" {
			continue
		}
		name, err := d.nameInFS(path)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// path is the reverse of nameInFS: the path, for the operating system, of a name.
func (d disk) path(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

// realPath gives the absolute path of a file that need not exist yet, with the links followed
// in those of its directories that exist.
func realPath(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(absolute)
	if err == nil || !errors.Is(err, fs.ErrNotExist) || filepath.Dir(absolute) == absolute {
		return real, err
	}
	parent, err := realPath(filepath.Dir(absolute))
	return filepath.Join(parent, filepath.Base(absolute)), err
}

// withinDirectory tells whether a file that need not exist yet is below a directory,
// links followed.
func withinDirectory(dir, file string) bool {
	dir, err := realPath(dir)
	if err != nil {
		return false
	}
	parent, err := realPath(filepath.Dir(file))
	if err != nil {
		return false
	}
	rel, err := filepath.Rel(dir, parent)
	return err == nil && filepath.IsLocal(rel)
}

// shellQuote writes a path as one word of a POSIX shell's command line.
func shellQuote(path string) string {
	path = printable(path)
	if strings.ContainsFunc(path, func(r rune) bool {
		return !strings.ContainsRune("/._-+@%,:~", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r < 0x80
	}) {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
