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

// NewTree lists the files below a directory of fsys. Links are listed and not followed;
// what cannot be read is listed with the reason.
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
			var info fs.FileInfo
			if info, err = entry.Info(); err == nil {
				file.Size = info.Size()
				if !info.Mode().IsRegular() {
					file.Problem = "not a regular file: " + info.Mode().Type().String()
				}
			}
		}
		if err != nil {
			file.Problem = withoutPath(err).Error()
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

// withoutPath gives the cause of an error of a filesystem.
func withoutPath(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
