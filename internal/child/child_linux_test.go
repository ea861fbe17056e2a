package child

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestAProgramDiesWithTheProcessThatStartedIt(t *testing.T) {
	r := newRegistry(t)
	parent := start(t, r.in(program("start-child:ignore-signals")))
	one, two := r.next(), r.next()
	require.NoError(t, parent.cmd.Process.Kill()) // which its program, in a group of its own, does not get
	one.waitDead()
	two.waitDead()
}

func TestAProgramOutlivesTheThreadThatAskedForIt(t *testing.T) {
	r := newRegistry(t)
	var p *Process
	thread := onThreadThatEnds(func() {
		var err error
		p, err = r.in(program("stay")).Start(t.Context())
		assert.NoError(t, err)
	})
	require.NotNil(t, p)
	alive := r.next()
	require.Eventually(t, func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread))
		return err != nil
	}, maxWait, time.Millisecond)
	assert.True(t, alive.isAlive())
	within(t, p.Stop)
}

// onThreadThatEnds calls f on a thread that ends some time after, and gives its number.
func onThreadThatEnds(f func()) (thread int) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // a thread ends with a goroutine that is still locked to it
		if thread = unix.Gettid(); thread != unix.Getpid() {
			f()
			return
		}
		thread = onThreadThatEnds(f) // the first thread never ends
		runtime.UnlockOSThread()
	}()
	<-done
	return thread
}

func TestNoFileIsLeftOpen(t *testing.T) {
	open := func() int {
		files, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return len(files)
	}
	once := func() {
		require.NoError(t, start(t, program("echo")).Wait())
		p := start(t, program("echo"))
		p.Stop()
		_, _ = program("print:x").Output(t.Context(), []byte("x"), 10)
		_, err := Command{Path: "/no/such/program"}.Start(t.Context())
		require.Error(t, err)
	}
	once() // what the runtime opens once
	before := open()
	for range 5 {
		once()
	}
	assert.LessOrEqual(t, open(), before)
}
