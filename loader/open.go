package loader

import (
	"io/fs"

	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/registry"
)

// customRegistry gives the registry with the names of WithArchitectures, nil for the
// built-in one.
func (l *Loader) customRegistry() *registry.Registry {
	if l.registry == nil {
		return nil
	}
	return l.registry()
}

// open lists the directory and parses its main file.
func (l *Loader) open(fsys fs.FS, dir string) (*checkpoint.Directory, error) {
	return checkpoint.OpenDir(l.customRegistry(), fsys, dir)
}

// openToClassify is open for questions that the category answers: it reads less.
func (l *Loader) openToClassify(fsys fs.FS, dir string) (*checkpoint.Directory, error) {
	return checkpoint.OpenToClassify(l.customRegistry(), fsys, dir)
}
