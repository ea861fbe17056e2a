//go:build unix

package child

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func init() {
	// daemon starts a grandchild in a session of its own, which leaves the group.
	modes["daemon"] = func(mode string) {
		startGrandchild(mode, &syscall.SysProcAttr{Setsid: true})
	}
}

func TestAProcessThatLeavesTheGroupIsNotWaitedFor(t *testing.T) {
	r := newRegistry(t)
	c := r.in(program("daemon:stay"))
	c.Grace = 20 * time.Millisecond
	p := start(t, c)
	daemon := r.next() // it has the pipes
	within(t, func() {
		_, err := io.ReadAll(p.Stdout)
		require.ErrorIs(t, err, ErrPipeHeld)
		require.NoError(t, p.Wait())
	})
	assert.True(t, daemon.isAlive(), "it has left the group")

	within(t, func() {
		_, err := c.Output(t.Context(), nil, 100)
		require.NoError(t, err)
	})
	r.next()
}

func TestASignalFromElsewhereIsNamed(t *testing.T) {
	r := newRegistry(t)
	p := start(t, r.in(program("stay")))
	r.next()
	require.NoError(t, syscall.Kill(p.cmd.Process.Pid, syscall.SIGTERM))
	var err error
	within(t, func() { err = p.Wait() })
	require.EqualError(t, err, "killed by signal SIGTERM")
	assert.ErrorIs(t, err, ErrKilled)
}

func TestGrandchildrenAreAskedToEndToo(t *testing.T) {
	r := newRegistry(t)
	file := filepath.Join(t.TempDir(), "temporary")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	c := r.in(program("parent-waits:remove-on-signal:" + file))
	c.Grace = maxWait
	p := start(t, c)
	grandchild := r.next()
	within(t, p.Stop)
	grandchild.waitDead()
	assert.NoFileExists(t, file)
	assert.EqualError(t, p.Wait(), "stopped by its caller")
}

// isAlive tells whether the process runs.
func (l liveProcess) isAlive() bool {
	l.t.Helper()
	require.NoError(l.t, l.c.SetReadDeadline(time.Now().Add(time.Millisecond)))
	_, err := l.c.Read(make([]byte, 1))
	return errors.Is(err, os.ErrDeadlineExceeded)
}
