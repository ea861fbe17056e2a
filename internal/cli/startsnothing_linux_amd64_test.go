package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// traced is what a program and all processes that it started did.
type traced struct {
	executed int // programs executed, the program itself included
	connects int // calls of connect
	exit     int
}

// trace runs a program under ptrace. It fails with unix.EPERM where the machine does not
// allow that.
func trace(cmd *exec.Cmd) (t traced, err error) {
	runtime.LockOSThread() // ptrace is bound to a thread
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return t, err
	}
	defer cmd.Wait()
	pid := cmd.Process.Pid
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, unix.WALL, nil); err != nil {
		return t, err
	}
	t.executed = 1 // it stopped right after execve
	const options = unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC |
		unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_EXITKILL
	if err := unix.PtraceSetOptions(pid, options); err != nil {
		return t, err
	}
	if err := unix.PtraceSyscall(pid, 0); err != nil {
		return t, err
	}
	entered := map[int]bool{} // threads that are in a system call
	for {
		stopped, err := unix.Wait4(-1, &status, unix.WALL|unix.WNOTHREAD, nil) // not the children of other tests
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return t, err
		case status.Exited() || status.Signaled():
			if stopped == pid {
				t.exit = status.ExitStatus()
				return t, nil
			}
			continue
		}
		signal := 0
		switch s := status.StopSignal(); {
		case s == unix.SIGTRAP|0x80: // at a system call, or behind it
			entered[stopped] = !entered[stopped]
			var regs unix.PtraceRegs
			if entered[stopped] && unix.PtraceGetRegs(stopped, &regs) == nil && regs.Orig_rax == unix.SYS_CONNECT {
				t.connects++
			}
		case s == unix.SIGTRAP && status.TrapCause() == unix.PTRACE_EVENT_EXEC:
			t.executed++
		case s == unix.SIGTRAP, s == unix.SIGSTOP: // a new thread or process
		default:
			signal = int(s)
		}
		_ = unix.PtraceSyscall(stopped, signal) // the thread may be gone
	}
}

// builtProgram returns the path of the program, which the go command links once and keeps.
func builtProgram(t *testing.T) string {
	t.Helper()
	for range 2 { // the first time it tells a path that is gone when it ends
		out, err := exec.Command("go", "run", "-exec", "echo", "omniloader").Output()
		require.NoError(t, err)
		program := strings.TrimSpace(string(out))
		if _, err := os.Stat(program); err == nil {
			return program
		}
	}
	t.Fatal("the go command keeps no program that it has linked")
	return ""
}

// No command starts a program or opens a connection unless its help says so. The checkpoint
// is inspected from inside, beside a go.mod that would make the go command fetch a
// toolchain, and with a "go" of its own first in PATH.
func TestCommandsStartNothingAndConnectToNothing(t *testing.T) {
	dir := t.TempDir()
	program := builtProgram(t)
	checkpoint := writePreset(t, dir, "gpt2", "checkpoint")
	require.NoError(t, os.WriteFile(filepath.Join(checkpoint, "go.mod"), []byte("module m\n\ngo 1.99.0\n\ntoolchain go1.99.0\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(checkpoint, "go"), []byte("#!/bin/sh\nexit 1\n"), 0o755))
	for _, args := range [][]string{
		{"version"}, {"inspect", "."}, {"inspect", "--json", "."}, {"tokenize", ".", "Hello"}, {"findings"}, {"steps"}, {"--help"},
	} {
		cmd := exec.Command(program, args...)
		cmd.Dir = checkpoint
		cmd.Env = append(os.Environ(), "PATH="+checkpoint+string(os.PathListSeparator)+os.Getenv("PATH"))
		got, err := trace(cmd)
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOSYS) {
			t.Skipf("processes cannot be traced here: %v", err)
		}
		require.NoError(t, err, args)
		assert.Equal(t, traced{executed: 1}, got, args)
	}
}

// TestTraceSeesWhatAProgramStarts makes sure that the test above can fail.
func TestTraceSeesWhatAProgramStarts(t *testing.T) {
	got, err := trace(exec.Command("/bin/sh", "-c", "/bin/true; exit 3"))
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOSYS) {
		t.Skipf("processes cannot be traced here: %v", err)
	}
	require.NoError(t, err)
	assert.Equal(t, traced{executed: 2, exit: 3}, got)
}
