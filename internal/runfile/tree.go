package runfile

import (
	"errors"
	"io/fs"
	"path"
	"strings"
)

// maxTreeWalk bounds how many entries are visited for a tree.
const maxTreeWalk = 10_000

var errTreeFull = errors.New("enough entries were visited")

// NewTree lists the files below a directory of fsys. A link to a file has the size of that
// file, one to a directory is not followed; what cannot be read is listed with the reason.
func NewTree(fsys fs.FS, root string) *Tree {
	root = path.Clean(root)
	t := &Tree{Root: Text(root)}
	visited := 0
	err := fs.WalkDir(fsys, root, func(name string, entry fs.DirEntry, err error) error {
		if visited++; visited > maxTreeWalk {
			return errTreeFull
		}
		if err == nil && entry.IsDir() {
			return nil
		}
		file := TreeFile{Path: Text(strings.TrimPrefix(name, root+"/"))}
		if err == nil {
			err = file.describe(fsys, name, entry)
		}
		if err != nil {
			file.Problem += withoutPath(err).Error()
		}
		if len(t.Files) == MaxTreeFiles {
			t.More++
		} else {
			t.Files = append(t.Files, file)
		}
		return nil
	})
	t.Open = errors.Is(err, errTreeFull)
	return t
}

// describe sets the size of a file, or what it is where it is no regular one.
func (f *TreeFile) describe(fsys fs.FS, name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err == nil && info.Mode().Type() == fs.ModeSymlink {
		f.Problem = "a link: "
		info, err = fs.Stat(fsys, name)
	}
	switch {
	case err != nil:
		return err
	case info.Mode().IsRegular():
		f.Size, f.Problem = info.Size(), ""
	case info.IsDir():
		f.Problem += "a folder, which is not followed"
	default:
		f.Problem += "a pipe, a socket or a device"
	}
	return nil
}

// withoutPath gives the cause of an error of a filesystem.
func withoutPath(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
