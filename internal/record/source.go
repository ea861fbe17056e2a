package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// source is a checkpoint on the disk. Only root is read: the checkpoint's directory or,
// for a snapshot in a Hugging Face cache, the directory of the repository, which has
// the files that the snapshot links to.
type source struct {
	root         *os.Root
	fsys         fs.FS  // of root
	dir          string // the checkpoint's directory in fsys
	path         string // the checkpoint's directory, absolute, with links resolved
	requestedDir string // the directory as the caller wrote it
	name         string // the default name of the recorded checkpoint
	notes        []string
}

// openSource opens the checkpoint in a directory.
func openSource(dir string) (*source, error) {
	full, err := filepath.Abs(dir)
	if err == nil {
		full, err = filepath.EvalSymlinks(full)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, cause(err))
	}
	info, err := os.Stat(full)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, cause(err))
	}
	if !info.IsDir() {
		return nil, hinted{fmt.Errorf("%s: not a directory", dir), "name the directory that it lies in"}
	}
	s := &source{path: full, requestedDir: dir, name: filepath.Base(full)}
	root := full
	if repository, ok := cacheRepository(full); ok {
		root = repository
		if filepath.Dir(full) == filepath.Join(repository, "snapshots") {
			parts := strings.Split(filepath.Base(repository), "--")
			s.name = parts[len(parts)-1]
		}
	}
	rel, err := filepath.Rel(root, full)
	if err != nil {
		return nil, err
	}
	if s.root, err = os.OpenRoot(root); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, cause(err))
	}
	s.dir, s.fsys = filepath.ToSlash(rel), s.root.FS()
	return s, nil
}

func (s *source) close() { s.root.Close() }

// cacheRepository returns the directory of the repository if dir is in a snapshot of a
// Hugging Face cache: models--org--name/snapshots/<commit>.
func cacheRepository(dir string) (string, bool) {
	for at := dir; ; {
		up := filepath.Dir(at)
		if up == at {
			return "", false
		}
		if filepath.Base(at) == "snapshots" && strings.Contains(filepath.Base(up), "--") && dir != at {
			if info, err := os.Stat(filepath.Join(up, "blobs")); err == nil && info.IsDir() {
				return up, true
			}
		}
		at = up
	}
}

// entry is a file, link or empty directory of a checkpoint.
type entry struct {
	name string // in the checkpoint; that of an empty directory ends in a slash
	size int64
	link string // the target of a link that is recorded as a link, in the checkpoint
}

// maxFiles is the limit for the files of one recording.
const maxFiles = 20_000

// list returns every entry, sorted by name. A link to a file is followed if the file is
// inside root; git's own directories are left out.
func (s *source) list() (entries []entry, err error) {
	notEmpty := map[string]bool{}
	var directories []string
	err = fs.WalkDir(s.fsys, s.dir, func(p string, e fs.DirEntry, err error) error {
		name := s.relative(p)
		if err != nil {
			return fmt.Errorf("%s: %w", name, cause(err))
		}
		if p == s.dir {
			return nil
		}
		if e.IsDir() && strings.HasPrefix(e.Name(), ".git") {
			return fs.SkipDir
		}
		if strings.ContainsAny(name, "\\:\x00") {
			return hinted{fmt.Errorf("%q: a name with a backslash or a colon is not possible on every system", name), "rename it, or move it out of the checkpoint"}
		}
		for up := path.Dir(name); !notEmpty[up]; up = path.Dir(up) {
			notEmpty[up] = true
		}
		if e.IsDir() {
			directories = append(directories, name)
			return nil
		}
		found, keep, err := s.entry(p, name, e)
		if keep {
			entries = append(entries, found)
		}
		if len(entries) > maxFiles {
			return hinted{fmt.Errorf("more than %d files", maxFiles), "name the directory of one checkpoint"}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.requestedDir, err)
	}
	for _, d := range directories {
		if !notEmpty[d] {
			entries = append(entries, entry{name: d + "/"})
		}
	}
	return entries, nil
}

// relative returns the name in the checkpoint of a path in fsys.
func (s *source) relative(p string) string {
	if s.dir == "." {
		return p
	}
	return strings.TrimPrefix(strings.TrimPrefix(p, s.dir), "/")
}

// entry returns the entry of a path that is not a directory. keep is false if it is
// left out.
func (s *source) entry(p, name string, e fs.DirEntry) (found entry, keep bool, err error) {
	info, err := e.Info()
	if err != nil {
		return found, false, fmt.Errorf("%s: %w", name, cause(err))
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if info, err = fs.Stat(s.fsys, p); err != nil {
			return s.brokenLink(p, name)
		}
	}
	switch {
	case info.Mode().IsRegular():
		return entry{name: name, size: info.Size()}, true, nil
	case info.IsDir(): // a link to a directory
		target, err := s.root.Readlink(p)
		if err != nil {
			return found, false, fmt.Errorf("%s: %w", name, cause(err))
		}
		to := path.Join(path.Dir(p), filepath.ToSlash(target))
		rel := s.relative(to)
		if to == s.dir || s.dir != "." && rel == to {
			return found, false, leadsOutError(name)
		}
		return entry{name: name, link: rel}, true, nil
	}
	s.notes = append(s.notes, name+" is not a file, and was left out")
	return found, false, nil
}

// brokenLink returns the entry of a link that cannot be followed inside root.
func (s *source) brokenLink(p, name string) (entry, bool, error) {
	if _, err := os.Stat(filepath.Join(s.root.Name(), filepath.FromSlash(p))); err == nil {
		return entry{}, false, leadsOutError(name)
	}
	// Its target does not exist, and neither does that of the recorded link. The name of
	// the target may be private.
	return entry{name: name, link: name + ".gone"}, true, nil
}

func leadsOutError(name string) error {
	return hinted{fmt.Errorf("%s: a link that leads out of the checkpoint, whose target is not recorded", name),
		"copy the file into the checkpoint, or let the link point to a file of the checkpoint"}
}

// cause returns an error of the filesystem without the path.
func cause(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
