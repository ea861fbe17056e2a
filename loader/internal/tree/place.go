package tree

import (
	"errors"
	"path"
	"slices"
	"strings"

	"omniloader/loader/fault"
)

func HasProblem(files []File, name string) bool {
	return slices.ContainsFunc(files, func(f File) bool { return f.Name == name && f.Problem != nil })
}

// SeenFrom writes a path as seen from a directory of the same filesystem.
func RelPath(dir, name string) string {
	up := ""
	for dir != "." && name != dir && !strings.HasPrefix(name, dir+"/") {
		dir, up = path.Dir(dir), up+"../"
	}
	if dir == "." {
		return up + name
	}
	return up + strings.TrimPrefix(name, dir+"/")
}

// InDirectory names the file of an error as seen from the directory, as all errors
// of this package do.
func TrimErrorDir(err error, dir string) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return err
	}
	if rest, ok := strings.CutPrefix(e.Path, dir+"/"); ok {
		at := *e
		at.Path = rest
		return &at
	}
	return err
}

// HasFile tells whether a name is among files, which are sorted by directory.
func HasFile(files []File, name string) bool {
	return slices.ContainsFunc(files, func(f File) bool { return f.Name == name })
}
