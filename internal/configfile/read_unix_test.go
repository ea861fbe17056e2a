//go:build unix

package configfile

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Reading a pipe would wait for a writer.
func TestReadRefusesAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	require.NoError(t, syscall.Mkfifo(path, 0o644))
	_, err := Read(path)
	assert.ErrorContains(t, err, "not a regular file")
}
