package regular_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
	"omniloader/loader/regular"
)

// recorder records which files were opened. Its files can be of any type.
type recorder struct {
	fstest.MapFS
	opened []string
}

func (w *recorder) Open(name string) (fs.File, error) {
	w.opened = append(w.opened, name)
	return w.MapFS.Open(name)
}

func (w *recorder) Stat(name string) (fs.FileInfo, error) { return w.MapFS.Stat(name) }

func files() *recorder {
	return &recorder{MapFS: fstest.MapFS{
		"m/config.json": {Data: []byte("{}")},
		"m/pipe":        {Mode: fs.ModeNamedPipe},
		"m/device":      {Mode: fs.ModeDevice | fs.ModeCharDevice},
		"m/socket":      {Mode: fs.ModeSocket},
	}}
}

func TestARegularFileIsOpenedWithItsSize(t *testing.T) {
	for _, open := range []func(fs.FS, string, string) (fs.File, int64, error){regular.Open, regular.OpenListed} {
		f, size, err := open(files(), "m/config.json", "config.json")
		require.NoError(t, err)
		assert.Equal(t, int64(2), size)
		require.NoError(t, f.Close())
	}
}

func TestOtherFilesAreRefusedUnopened(t *testing.T) {
	for _, name := range []string{"m", "m/pipe", "m/device", "m/socket"} {
		w := files()
		_, _, err := regular.Open(w, name, "it")
		assert.ErrorIs(t, err, fault.NotAFile, name)
		assert.Equal(t, "it", fault.PathOf(err))
		assert.Empty(t, w.opened, name)
	}
}

func TestOpenListedChecksTheOpenedFile(t *testing.T) {
	_, _, err := regular.OpenListed(files(), "m", "it")
	assert.ErrorIs(t, err, fault.NotAFile)
}

func TestMissingFile(t *testing.T) {
	_, _, err := regular.Open(files(), "m/none", "none")
	assert.ErrorIs(t, err, fault.NotFound)
	_, _, err = regular.OpenListed(files(), "m/none", "none")
	assert.ErrorIs(t, err, fault.NotFound)
}

func TestPermissionErrorHasAHint(t *testing.T) {
	err := regular.Error("a.gguf", &fs.PathError{Op: "open", Path: "/x/a.gguf", Err: fs.ErrPermission})
	assert.ErrorIs(t, err, fault.Unreadable)
	assert.NotContains(t, err.Error(), "/x/")
	assert.Contains(t, fault.HintOf(err), "permissions")
}
