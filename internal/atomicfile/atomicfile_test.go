package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// only asserts that the directory holds these files and no temporary one.
func only(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	assert.Equal(t, names, got)
}

func TestANewFileIsWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.json")
	require.NoError(t, Write(path, text("new")))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "new", string(data))
	only(t, dir, "r.json")
}

func TestAnExistingFileIsReplacedAndKeepsItsMode(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.json")
	require.NoError(t, os.WriteFile(path, []byte("a longer old text"), 0o600))
	require.NoError(t, Write(path, text("new")))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "new", string(data))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	only(t, dir, "r.json")
}

func TestAFailureLeavesTheOldFileUntouched(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.json")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o644))
	broken := errors.New("no figures")
	err := Write(path, func(w io.Writer) error {
		_, _ = w.Write(make([]byte, 100_000)) // more than any buffer holds
		return broken
	})
	assert.ErrorIs(t, err, broken)
	assert.EqualError(t, err, path+": no figures")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "old", string(data))
	only(t, dir, "r.json")
}

func TestMissingDirectoriesAreMadeWithTheFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a", "b", "r.json")
	require.NoError(t, Writable(path))
	only(t, dir)
	broken := errors.New("no figures")
	assert.ErrorIs(t, Write(path, func(io.Writer) error { return broken }), broken)
	only(t, dir)

	require.NoError(t, Write(path, text("new")))
	only(t, filepath.Dir(path), "r.json")
	assert.ErrorIs(t, Write(filepath.Join(dir, "a", "c", "r.json"), func(io.Writer) error { return broken }), broken)
	only(t, filepath.Join(dir, "a"), "b")

	t.Chdir(dir)
	require.NoError(t, Write(filepath.Join("results", "x.json"), text("new")))
	only(t, filepath.Join(dir, "results"), "x.json")
}

func TestWhatIsNoDirectoryIsNamed(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	for _, path := range []string{filepath.Join(file, "r.json"), filepath.Join(file, "a", "b", "r.json")} {
		for _, err := range []error{Writable(path), Write(path, text("new"))} {
			assert.EqualError(t, err, path+": "+file+" is no directory")
		}
	}
	if runtime.GOOS != "windows" {
		require.NoError(t, os.Symlink(filepath.Join(dir, "lost"), link))
		path := filepath.Join(link, "a", "r.json")
		assert.EqualError(t, Writable(path), path+": "+link+" is a link to "+filepath.Join(dir, "lost")+", which does not exist")
	}
	for _, path := range []string{dir + "/new/", dir + "/new/."} {
		assert.EqualError(t, Writable(path), path+": names a directory")
	}
	if runtime.GOOS == "linux" {
		assert.Error(t, Writable("/proc/no/r.json"))
	}
}

func TestADirectoryAndAnEmptyPathAreRefused(t *testing.T) {
	dir := t.TempDir()
	assert.EqualError(t, Write(dir, text("")), dir+": is a directory")
	assert.EqualError(t, Write("", text("")), `"": the path is empty`)
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	assert.Error(t, Write(filepath.Join(file, "r.json"), text("")))
}

func TestWritableTellsWhetherAFileCanBeWritten(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "r.json")
	require.NoError(t, Writable(file))
	only(t, dir)
	require.NoError(t, os.WriteFile(file, []byte("old"), 0o644))
	require.NoError(t, Writable(file))
	only(t, dir, "r.json")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "old", string(data))
	assert.Error(t, Writable(filepath.Join(file, "r.json")))
	require.NoError(t, Writable(filepath.Join(dir, "out", "r.json")))
	only(t, dir, "r.json")
	assert.ErrorContains(t, Writable(dir), "is a directory")

	closed := filepath.Join(dir, "closed")
	require.NoError(t, os.Mkdir(closed, 0o555))
	if os.WriteFile(filepath.Join(closed, "x"), nil, 0o644) == nil {
		t.Skip("this user may write everywhere")
	}
	assert.ErrorIs(t, Writable(filepath.Join(closed, "out", "r.json")), fs.ErrPermission)
	err = Writable(filepath.Join(closed, "r.json"))
	assert.ErrorIs(t, err, fs.ErrPermission)
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.NotEmpty(t, e.Hint())
}

func TestALinkIsFollowed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target.json"), filepath.Join(dir, "link.json")
	require.NoError(t, os.WriteFile(target, []byte("old"), 0o644))
	require.NoError(t, os.Symlink(target, link))
	require.NoError(t, Write(link, text("new")))
	data, err := os.ReadFile(target)
	require.NoError(t, err)
	assert.Equal(t, "new", string(data))
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&fs.ModeSymlink, "the link is still one")

	dangling := filepath.Join(dir, "dangling.json")
	require.NoError(t, os.Symlink(filepath.Join(dir, "lost"), dangling))
	assert.ErrorContains(t, Write(dangling, text("")), "which does not exist")
}

func TestWhatIsNoRegularFileIsWrittenDirectly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no /dev there")
	}
	require.NoError(t, Write("/dev/null", text("gone")))
	info, err := os.Stat("/dev/null")
	require.NoError(t, err)
	assert.False(t, info.Mode().IsRegular(), "it has not been replaced by a file")
}
