package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/internal/child"
	"omniloader/loader/fault"
)

func TestAnInterruptDoesNotWaitForTheDisk(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	_, err := runInterruptible(ctx, func() (int, error) {
		cancel()
		<-release // as a file system does whose network is down
		return 1, nil
	})
	assert.EqualError(t, err, "interrupted")
	value, err := runInterruptible(t.Context(), func() (int, error) { return 1, fault.NotFound })
	assert.Equal(t, 1, value)
	assert.ErrorIs(t, err, fault.NotFound)
}

func TestCommandsThatReadTheDiskCanBeInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	for _, args := range [][]string{{"inspect", dir}, {"record", dir}, {"tokenize", dir, "hi"}} {
		var stdout, stderr bytes.Buffer
		p := &program{out: newOutput(&stdout), err: newOutput(&stderr)}
		// Either may come first: an error of the command or the interrupt.
		require.Equal(t, 2, p.execute(ctx, args, strings.NewReader("")), args)
		assert.NotEmpty(t, stderr.String())
	}
}

func TestAnInterruptWhileSamplingSaysWhatIsLost(t *testing.T) {
	feature, file := write(t, "a.feature", passingFeature), filepath.Join(t.TempDir(), "base.json")
	ctx, cancel := context.WithCancel(t.Context())
	var stdout, stderr bytes.Buffer
	p := &program{out: newOutput(&stdout), err: newOutput(&stderr), sampler: func() (child.Command, error) {
		cancel()
		self, err := os.Executable()
		return interruptibleCommand(self, "-test.run=^$"), err
	}}
	assert.Equal(t, 2, p.execute(ctx, []string{"run", feature, "--save-baseline", file}, strings.NewReader("")))
	assert.Equal(t, "omniloader: interrupted while sampling\n  hint: nothing was compared, and no baseline written\n", stderr.String())
	assert.NoFileExists(t, file)
}
