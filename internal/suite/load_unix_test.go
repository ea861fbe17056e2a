//go:build unix

package suite

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPipeInAFolderIsNotRead(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.feature"), []byte("Feature: a\n"), 0o644))
	pipe := filepath.Join(dir, "p.feature")
	require.NoError(t, syscall.Mkfifo(pipe, 0o644))
	for _, paths := range [][]string{{dir}, {pipe}} {
		loaded, err := Load(t.Context(), paths)
		require.NoError(t, err)
		f := loaded[len(loaded)-1]
		require.Len(t, f.Problems, 1)
		assert.Contains(t, f.Problems[0].Error(), "p.feature: it is a pipe, a socket or a device, and no file")
	}
}
