package loader_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"omniloader/fixtures"
	"omniloader/loader"
)

// autoencodersOnDisk is a release of n autoencoders in a temporary directory, or below the
// directory that SAE_TREES names, so that another program can be measured on the same files.
func autoencodersOnDisk(b *testing.B, layout string, n int) (fsys fs.FS, dir string) {
	b.Helper()
	root := b.TempDir()
	if kept := os.Getenv("SAE_TREES"); kept != "" {
		root = filepath.Join(kept, layout+"-"+strconv.Itoa(n))
		require.NoError(b, os.MkdirAll(root, 0o755))
	}
	dir, err := fixtures.AutoencoderRepository(layout)
	require.NoError(b, err)
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(dir))); errors.Is(err, fs.ErrNotExist) {
		disk := afero.NewBasePathFs(afero.NewOsFs(), root)
		require.NoError(b, fixtures.New(disk, dir).AddAutoencoders(layout, n))
	}
	return os.DirFS(root), dir
}

// step is one access of a question to the filesystem.
type step struct {
	name  string
	names int // of a listing: how many names are read at most, 0 for all
	stat  bool
	list  bool
	whole bool // listed by ReadDir of the filesystem, which sorts
}

// recordingFS records what is asked of a filesystem.
type recordingFS struct {
	fs.FS
	steps []step
}

func (r *recordingFS) Open(name string) (fs.File, error) {
	f, err := r.FS.Open(name)
	r.steps = append(r.steps, step{name: name})
	if d, ok := f.(fs.ReadDirFile); ok && err == nil {
		return &recordingDir{d, r, len(r.steps) - 1}, nil
	}
	return f, err
}

func (r *recordingFS) ReadDir(name string) ([]fs.DirEntry, error) {
	r.steps = append(r.steps, step{name: name, list: true, whole: true})
	return fs.ReadDir(r.FS, name)
}

func (r *recordingFS) Stat(name string) (fs.FileInfo, error) {
	r.steps = append(r.steps, step{name: name, stat: true})
	return fs.Stat(r.FS, name)
}

type recordingDir struct {
	fs.ReadDirFile
	r  *recordingFS
	at int
}

func (d *recordingDir) ReadDir(n int) ([]fs.DirEntry, error) {
	d.r.steps[d.at].list, d.r.steps[d.at].names = true, n
	return d.ReadDirFile.ReadDir(n)
}

// recordSteps gives what a question asks of the filesystem.
func recordSteps(b *testing.B, fsys fs.FS, ask func(*loader.Loader, fs.FS, string) error, dir string) []step {
	b.Helper()
	r := &recordingFS{FS: fsys}
	require.NoError(b, ask(loader.New(), r, dir))
	return r.steps
}

// replay does the same listings and reads, and nothing else.
func replay(b *testing.B, fsys fs.FS, steps []step) {
	for _, s := range steps {
		switch {
		case s.stat:
			_, _ = fs.Stat(fsys, s.name)
		case s.whole:
			entries, err := fs.ReadDir(fsys, s.name)
			if err != nil {
				b.Fatal(err)
			}
			sinkInt += len(entries)
		default:
			f, err := fsys.Open(s.name)
			if err != nil {
				b.Fatal(err)
			}
			if s.list {
				entries, err := f.(fs.ReadDirFile).ReadDir(s.names)
				if err != nil && !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
				if s.names > 0 {
					slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
				}
				sinkInt += len(entries)
			} else {
				info, err := f.Stat()
				if err != nil {
					b.Fatal(err)
				}
				data := make([]byte, info.Size())
				if _, err := io.ReadFull(f, data); err != nil {
					b.Fatal(err)
				}
				sinkInt += len(data)
			}
			f.Close()
		}
	}
}
