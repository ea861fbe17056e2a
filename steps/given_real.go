package steps

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/afero"

	"omniloader/fixtures"
	"omniloader/internal/suggest"
)

// Checkpoints says which checkpoints the Given steps of a run may use besides those that
// a scenario writes out itself. The zero value allows the built-in presets, and real
// checkpoints below the folder of the feature file.
type Checkpoints struct {
	Presets      *fixtures.PresetLibrary // nil for the built-in ones
	AllowOutside bool                    // real checkpoints, and links in them, may lead out of the folder of the feature file
}

// place says where a real checkpoint is.
type place struct {
	root     string // the real directory that can be read; "" for the folder of a built-in feature
	folder   fs.FS  // of a built-in feature; nil where there is a root
	dir      string // the checkpoint's directory, a slash path below the root or folder
	confined bool   // links that lead out of the root are not followed
}

// open returns the files that can be read, and a function that must be called when they
// are no longer used.
func (p place) open() (fs.FS, func() error, error) {
	switch {
	case p.root == "":
		return p.folder, func() error { return nil }, nil
	case !p.confined:
		return os.DirFS(p.root), func() error { return nil }, nil
	}
	root, err := os.OpenRoot(p.root)
	if err != nil {
		return nil, nil, err
	}
	return root.FS(), root.Close, nil
}

// hintedError is an error with the way out.
type hintedError struct {
	error
	hint string
}

func (h hintedError) Hint() string { return h.hint }

func errorWithHint(hint, format string, args ...any) error {
	return hintedError{fmt.Errorf(format, args...), hint}
}

const allowOutsideHint = "move it there, or allow it: --allow-outside, or OMNILOADER_ALLOW_OUTSIDE=1 with go test and godog run"

// locate finds the real checkpoint that a scenario names: a path relative to the folder of
// its feature file. A checkpoint outside of this folder, and one with links that lead
// out of it, is an error unless allowOutside says that it may be used.
func (s Source) locate(name string, allowOutside bool) (place, error) {
	if name == "" {
		return place{}, errorWithHint(`write it as the checkpoint at "models/llama-3-8b"`, "the name of the directory is empty")
	}
	if s.Folder == "" {
		p := place{folder: s.FS, dir: path.Clean(name)}
		if !fs.ValidPath(p.dir) {
			return place{}, errorWithHint("save the feature in a file of your own", "the checkpoint at %q is outside of the folder of a built-in feature", name)
		}
		return p, isCheckpoint(func(file string) (fs.FileInfo, error) { return fs.Stat(s.FS, file) }, s.FS, p.dir, name)
	}
	folder, err := filepath.Abs(s.Folder)
	if err != nil {
		return place{}, err
	}
	local := filepath.FromSlash(name)
	inside := filepath.IsLocal(local)
	if !inside && !allowOutside {
		return place{}, errorWithHint(allowOutsideHint, "the checkpoint at %q is outside of the folder of the feature file", name)
	}
	full := local
	if !filepath.IsAbs(full) {
		full = filepath.Join(folder, local)
	}
	parent := os.DirFS(filepath.Dir(full))
	if err := isCheckpoint(func(string) (fs.FileInfo, error) { return os.Stat(full) }, parent, filepath.Base(full), name); err != nil {
		return place{}, err
	}
	if !inside {
		return place{root: filepath.Dir(full), dir: filepath.Base(full)}, nil
	}
	p := place{root: folder, dir: filepath.ToSlash(filepath.Clean(local)), confined: !allowOutside}
	if p.confined {
		err = p.checkLinks(name)
	}
	return p, err
}

// isCheckpoint returns an error unless stat says that the entry base of a directory is a
// directory itself; name is how the scenario spells it.
func isCheckpoint(stat func(string) (fs.FileInfo, error), parent fs.FS, base, name string) error {
	info, err := stat(base)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errorWithHint(missingHint(parent, base, name), "the checkpoint at %q: there is no such directory", name)
	case err != nil:
		return fmt.Errorf("the checkpoint at %q: %w", name, withoutPath(err))
	case !info.IsDir():
		return errorWithHint("name its directory", "the checkpoint at %q is a file; a checkpoint is a directory", name)
	}
	return nil
}

// missingHint says what may be meant by the name of a directory that is not there.
func missingHint(parent fs.FS, base, name string) string {
	if strings.HasPrefix(name, "~") {
		return "write the path in full: ~ is not replaced"
	}
	var siblings []string
	entries, _ := fs.ReadDir(parent, path.Dir(base)) // of a directory that is not there either, there is no hint
	for _, e := range entries {
		if e.IsDir() {
			siblings = append(siblings, e.Name())
		}
	}
	if near, ok := suggest.Nearest(path.Base(base), siblings); ok {
		return suggest.Question(path.Join(path.Dir(filepath.ToSlash(name)), near))
	}
	return "the name is relative to the folder of the feature file"
}

// withoutPath returns the cause of an error of a filesystem.
func withoutPath(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// checkLinks returns an error if the directory, or a file in it, is a link that leads out
// of the root.
func (p place) checkLinks(name string) error {
	confined, done, err := p.open()
	if err != nil {
		return err
	}
	defer done() // it was only read: an error of closing it says nothing
	leadsOut := func(file string) error {
		if _, err := fs.Stat(confined, file); err == nil {
			return nil
		}
		if _, err := os.Stat(filepath.Join(p.root, filepath.FromSlash(file))); err != nil {
			return nil // a link to nothing: what that means is for the loader to say
		}
		return errorWithHint(allowOutsideHint, "the checkpoint at %q: %s is a link that leads out of the folder of the feature file", name, file)
	}
	for dir := p.dir; dir != "."; dir = path.Dir(dir) {
		if err := leadsOut(dir); err != nil {
			return err
		}
	}
	return fs.WalkDir(confined, p.dir, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type()&fs.ModeSymlink != 0 {
			return leadsOut(file)
		}
		return nil // what cannot be read is for the loader to report
	})
}

// realFiles are the files of a real checkpoint that a scenario uses.
type realFiles struct {
	place
	base    fs.FS
	done    func() error
	overlay *fixtures.Overlay // where Given steps change it; nil until then
}

func (f *realFiles) close() error {
	if f == nil {
		return nil
	}
	if f.overlay != nil {
		return errors.Join(f.overlay.Close(), f.done())
	}
	return f.done()
}

// checkpointAt uses the directory that the scenario names.
func (w *world) checkpointAt(name string) error {
	p, err := w.source.locate(name, w.setup.Checkpoints.AllowOutside)
	if err != nil {
		return err
	}
	return w.useReal(p)
}

// realCheckpoint uses the directory that --model names.
func (w *world) realCheckpoint() error {
	if w.laidOut {
		return errNotLaidOut
	}
	model := cmp.Or(w.source.Model, w.setup.Model)
	if model == "" {
		w.record.SkipReason = "needs a real checkpoint: name one with --model DIR or TEST_MODEL_PATH"
		return w.setup.skip()
	}
	full, err := filepath.Abs(model)
	if err != nil {
		return err
	}
	info, err := os.Stat(full)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is a file; a checkpoint is a directory", model)
	}
	return w.useReal(place{root: filepath.Dir(full), dir: filepath.Base(full)})
}

// useReal makes a real checkpoint that of the scenario. It is only read.
func (w *world) useReal(p place) error {
	if w.checkpoint != nil || w.real != nil || w.dir != defaultDir || w.tempRoot != "" && !w.copiesReal {
		return errors.New("a real checkpoint is read in its own directory: no step can come before it that names a directory or creates a checkpoint")
	}
	base, done, err := p.open()
	if err != nil {
		return err
	}
	if w.copiesReal {
		defer done()
		w.dir = p.dir
		w.checkpoint = fixtures.New(w.disk, w.dir)
		return copyFiles(w.disk, base, p.dir)
	}
	w.real = &realFiles{place: p, base: base, done: done}
	w.realRoot, w.fsys, w.dir = p.root, base, p.dir
	return nil
}

// changeReal prepares the real checkpoint for being changed: in memory, see
// fixtures.Overlay.
func (w *world) changeReal() error {
	overlay, err := fixtures.NewOverlay(w.real.base, w.dir)
	if err != nil {
		return err
	}
	w.real.overlay, w.disk, w.realRoot = overlay, overlay, ""
	w.fsys = overlay.FS(w.real.base, w.dir)
	w.checkpoint = fixtures.New(overlay, w.dir)
	return nil
}

// copyFiles copies a directory with the small files of a built-in feature.
func copyFiles(to afero.Fs, from fs.FS, dir string) error {
	if err := to.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return fs.WalkDir(from, dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return to.MkdirAll(name, 0o755)
		}
		content, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		return afero.WriteFile(to, name, content, 0o644)
	})
}
