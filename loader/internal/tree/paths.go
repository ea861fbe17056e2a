package tree

import (
	"errors"
	"path"
	"strings"

	"omniloader/loader/fault"
)

// RelPath gives name relative to dir, with ".." where name is not below dir. Both are
// paths of one filesystem.
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

// TrimErrorDir makes the path of a fault.Error relative to dir, where it is below dir.
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

// Join is path.Join, without an allocation where dir is the root.
func Join(dir, name string) string {
	if dir == "." || dir == "" {
		return name
	}
	return path.Join(dir, name)
}

// TrimDir gives p, a path below dir, relative to dir; "" for dir itself.
func TrimDir(dir, p string) string {
	if dir == "." {
		return p
	}
	return strings.TrimPrefix(strings.TrimPrefix(p, dir), "/")
}

// isWithin tells whether name is dir or below it.
func isWithin(dir, name string) bool {
	return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
}
