package loader

import (
	"io/fs"

	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/registry"
)

// customRegistry gives the class names that checkpoints are looked up in, nil for the built-in ones.
func (l *Loader) customRegistry() *registry.Registry {
	if l.registry == nil {
		return nil
	}
	return l.registry()
}

// open lists the directory and reads the one file that says what it is.
func (l *Loader) open(fsys fs.FS, dir string) (*checkpoint.Directory, error) {
	return checkpoint.OpenDir(l.customRegistry(), fsys, dir)
}
