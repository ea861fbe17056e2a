package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

// closedPipe is a pipe whose reading end is closed.
type closedPipe struct{ writes int }

func (g *closedPipe) Write([]byte) (int, error) {
	g.writes++
	return 0, &os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}
}

func TestAClosedPipeIsNoError(t *testing.T) {
	out := filepath.Join(t.TempDir(), "r.json")
	pipe := &closedPipe{}
	var stderr bytes.Buffer
	code := run(t.Context(), []string{"run", write(t, "a.feature", passingFeature), "--output", out}, strings.NewReader(""), pipe, &stderr)
	assert.Equal(t, 0, code, stderr.String())
	assert.Equal(t, 1, pipe.writes, "nothing is written after the error")
	assert.Equal(t, 100, iterationsIn(t, out), "the figures are kept")
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestAnOutputThatFailsIsAnError(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"steps"}, {"run", write(t, "a.feature", passingFeature)}, {"--help"}, {"inspect", "--json", checkpoint(t)}, {"inspect", checkpoint(t)}} {
		var stderr bytes.Buffer
		code := run(t.Context(), args, strings.NewReader(""), fullDisk{}, &stderr)
		assert.Equal(t, 2, code, args)
		assert.Contains(t, stderr.String(), "standard output: no space left on device", args)
	}
}

func TestNoColoursWithoutATerminal(t *testing.T) {
	for _, args := range [][]string{{"run", write(t, "a.feature", failingFeature)}, {"steps"}, {"inspect", checkpoint(t)}} {
		a := call(t, args...)
		assert.NotContains(t, a.out+a.err, "\x1b", args)
	}
}

func TestColoursAreForTerminalsThatWantThem(t *testing.T) {
	s := &output{terminal: true, width: 80}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	assert.True(t, s.options().Color)
	t.Setenv("TERM", "dumb")
	assert.False(t, s.options().Color)
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	assert.False(t, s.options().Color)
	assert.Equal(t, 80, s.options().Width)
}
