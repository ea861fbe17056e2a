package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
)

func TestAnInterruptDoesNotWaitForTheDisk(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	_, err := awaited(ctx, func() (int, error) {
		cancel()
		<-release // as a file system does that is gone
		return 1, nil
	})
	assert.EqualError(t, err, "interrupted")
	value, err := awaited(t.Context(), func() (int, error) { return 1, fault.NotFound })
	assert.Equal(t, 1, value)
	assert.ErrorIs(t, err, fault.NotFound)
}

func TestCommandsThatReadTheDiskCanBeInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	for _, args := range [][]string{{"inspect", dir}, {"record", dir}, {"tokenize", dir, "hi"}} {
		var stdout, stderr bytes.Buffer
		p := &program{out: newSink(&stdout), err: newSink(&stderr)}
		// Which of the two comes first, the answer or the interrupt, is open.
		require.Equal(t, 2, p.execute(ctx, args, strings.NewReader("")), args)
		assert.NotEmpty(t, stderr.String())
	}
}
