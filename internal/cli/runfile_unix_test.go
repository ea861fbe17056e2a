//go:build unix

package cli

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A pipe that nobody reads waits, until the user interrupts.
func TestAPipeWithoutAReaderIsInterrupted(t *testing.T) {
	feature := write(t, "a.feature", twoScenarios)
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	var out, err bytes.Buffer
	assert.Equal(t, 2, run(ctx, []string{"run", feature, "--run-file", pipe}, strings.NewReader(""), &out, &err))
	assert.Contains(t, err.String(), "interrupted")
	f, failed := unix.Open(pipe, unix.O_RDONLY|unix.O_NONBLOCK, 0) // ends the writer that still waits
	require.NoError(t, failed)
	require.NoError(t, unix.Close(f))
}
